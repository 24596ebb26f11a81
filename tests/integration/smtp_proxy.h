/*
 * A wire between the gateway and its mail server that watches the conversation (plain SMTP) and, at one
 * step of one mail, does something and cuts. Its own threads; the calls are for one other thread.
 */
#ifndef TESTS_SMTP_PROXY_H
#define TESTS_SMTP_PROXY_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Where it acts. BEFORE: a command came and is not passed on; AFTER: it was, and its reply is not waited
 * for; TAKEN: its reply came and is not passed on; TOLD: it was. */
enum smtp_moment { SMTP_BEFORE, SMTP_AFTER, SMTP_TAKEN, SMTP_TOLD };

struct smtp_step {
	const char *
		word; /* "CONNECT" (BEFORE, or TAKEN and TOLD of the greeting), "EHLO", "MAIL", ... ,
			     "CONTENT" (BEFORE, with bytes), "." (the final dot) */
	enum smtp_moment moment;
	unsigned bytes; /* of content that were passed on */
};

struct smtp_proxy {
	int listener;
	uint16_t port, target;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct smtp_step step; /* word NULL: none is waited for */
	void (*act)(
		void *ctx); /* in the proxy's thread, before the connection is cut; may be NULL */
	void *ctx;
	bool fired, acted, drop;
	unsigned open; /* connections */
};

/* target: a port of 127.0.0.1. p must stand until the end. */
void smtp_proxy_start(struct smtp_proxy *p, uint16_t target);
/* Cuts what is open, then waits for the step, once. */
void smtp_proxy_arm(
	struct smtp_proxy *p, const struct smtp_step *step, void (*act)(void *ctx), void *ctx);
/* Waits (for a minute) until it came to the step and has acted; nothing is waited for any more. */
bool smtp_proxy_disarm(struct smtp_proxy *p);
void smtp_proxy_end(struct smtp_proxy *p);

#endif
