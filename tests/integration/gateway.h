/*
 * The real daemon for tests: `mailferry serve` with a configuration, a state and a log of its own on a
 * free port, in front of a Dovecot of fixture.h. Whatever goes wrong here ends the program.
 */
#ifndef TESTS_GATEWAY_H
#define TESTS_GATEWAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "fixture.h"

struct gateway {
	char dir[160]; /* mailferry.conf, state/, log */
	char log[200];
	char url[64];	  /* http://127.0.0.1:PORT */
	char tls_url[64]; /* https://localhost:PORT, with certificates of d->ca */
	uint16_t port, tls_port;
	pid_t pid; /* 0: not running */
};

/* Starts it in front of d and waits until it answers. `more` stands at the end of the configuration, in
 * place of what the test itself would say of url, log_level or state_map_size
 * ("workers = 2\n"); "" for nothing. */
void gateway_start(struct gateway *g, struct dovecot *d, const char *more);

/* SIGTERM; returns its exit status, or the negative number of the signal that ended it; SIGKILL
 * when it needed over 30 s. */
int gateway_stop(struct gateway *g);

/* SIGKILL at once. */
void gateway_kill(struct gateway *g);

/* Again with the same configuration, state and ports, after a stop or kill. */
void gateway_again(struct gateway *g);

/* A port of 127.0.0.1 that nobody uses, for another server of the test; does somebody listen there? */
uint16_t gateway_free_port(void);
bool gateway_listens(uint16_t port);

/* How often text stands in its log. */
size_t gateway_log_count(const struct gateway *g, const char *text);

/* Stops it, requires that its log holds no password ("secret-") and no sanitizer's report, and
 * removes everything. */
void gateway_end(struct gateway *g);

#endif
