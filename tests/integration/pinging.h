/*
 * Pings of tests, each in a thread of its own, and mail that ends them. For programs of Criterion.
 */
#ifndef TESTS_PINGING_H
#define TESTS_PINGING_H

#include <pthread.h>

#include "phone.h"

enum { PINGING_FOLDERS = 400 };

struct pinging {
	struct phone *phone;
	const char *folders[PINGING_FOLDERS]; /* NULL at the end; none: as before */
	unsigned heartbeat;
	pthread_t thread;
	enum mf_status st;
	unsigned status;
	size_t changed;
	char first[64]; /* the first changed folder's id */
	int64_t ended;	/* now_ms */
};

int64_t now_ms(void);
void pause_ms(long ms);
/* A short message to the user's Inbox. */
void deliver(const struct dovecot *d, const char *user, const char *subject);

/* Sends it, and leaves it some time to wait and to be watched. */
void ping_begin(struct pinging *p);
/* The same without that time. */
void ping_start(struct pinging *p);
/* Waits for its end. */
void ping_join(struct pinging *p);
/* The same, and it must tell of this folder alone. */
void ping_end(struct pinging *p, const char *folder);

#endif
