/*
 * A real Postfix for tests: contrib/tools/postfix from C. Mail to NAME@example.test arrives in the account
 * NAME of the Dovecot that it was started for. Whatever goes wrong here ends the program.
 */
#ifndef TESTS_MTA_H
#define TESTS_MTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fixture.h"

struct mta {
	char dir[160];
	char log[200];
	char ca[200];
	uint16_t smtp;	/* STARTTLS and a login */
	uint16_t smtps; /* TLS and a login */
	uint16_t plain; /* neither */
};

/* Starts one in front of d with options of contrib/tools/postfix (m must stand until mta_end). False: this
 * machine cannot run it (not root, or not installed); then the case has nothing to show. */
bool mta_start(struct mta *m, const struct dovecot *d, const char *options);

/* A verb of contrib/tools/postfix: stop, again, kill, pause, continue, keep, deliver. */
void mta_do(struct mta *m, const char *verb);

/* How many mails the queue holds. */
unsigned mta_queue(struct mta *m);

/* How often text stands in its log. */
size_t mta_log_count(const struct mta *m, const char *text);

void mta_end(struct mta *m);

#endif
