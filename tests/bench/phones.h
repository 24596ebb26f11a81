/*
 * Thousands of waiting phones in one thread: each a connection that has sent one Ping. Knows HTTP as far as the
 * gateway's answers need it.
 */
#ifndef BENCH_PHONES_H
#define BENCH_PHONES_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

#include "mailferry/buf.h"

struct bench_phone {
	char user[24], device[24];
	char inbox[16]; /* the folder's id */
	int fd;		/* -1: not connected */
	SSL *ssl;
	double began, ended;   /* seconds, monotonic; ended 0: it waits */
	unsigned http, status; /* of the answer; http 0: the connection broke */
	struct mf_buf in;
};

struct bench_phones {
	struct bench_phone *list;
	unsigned n;
	int epoll;
	unsigned waiting;
	uint16_t port;
	SSL_CTX *tls; /* NULL: plain HTTP */
};

double bench_now(void);

/* n phones of that many users, in turn, with an Inbox that is in step. setup_port: of plain HTTP; port: where they
 * will wait, with TLS or not. */
struct gateway;
void bench_phones_set_up(
	struct bench_phones *p, unsigned n, unsigned users, const struct gateway *g, bool tls);
/* Those that do not wait bring their Inbox in step again. */
void bench_phones_sync(struct bench_phones *p, const struct gateway *g);
void bench_phones_end(struct bench_phones *p);

/* Connects where it must, and sends a Ping. */
void bench_phone_ping(struct bench_phones *p, unsigned i, unsigned heartbeat);
/* Takes answers until that time. */
void bench_phones_run(struct bench_phones *p, double until);
/* The same until nobody waits any more. */
void bench_phones_finish(struct bench_phones *p, double until);

#endif
