/*
 * The open connections by their socket's number, and those of them that have a deadline. Pure data: no lock of its
 * own (the door's guards it), no thread, and of system calls none but the close of what is left at the end.
 */
#ifndef HTTP_CONNECTIONS_H
#define HTTP_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "http/peer.h"

struct work_job; /* work/work.h */

struct http_connection {
	int fd;
	bool tls;
	bool linger; /* set by its HTTP thread: read on for a while after the close (see linger.h) */
	bool proxied_tls; /* a PROXY header says that the client came by TLS */
	bool looked;	  /* its HTTP thread has looked for a client's certificate */
	char *certified;  /* the name in it; NULL: none that is good */
	char peer[HTTP_PEER_MAX];

	/* The door's own, under its lock. */
	uint32_t serial; /* 30 bits: tells it from former ones with the same fd */
	bool gone;
	bool announced; /* its PROXY header is still to come: the library does not know it yet */
	struct work_job *job; /* its request is in the pool */
	int64_t deadline;     /* clock_ms, 0: none */
	TAILQ_ENTRY(http_connection) timed;
};

struct http_connections {
	struct http_connection **by_fd;
	size_t room, n;
	uint32_t serial;
	TAILQ_HEAD(, http_connection)
	timed; /* those with a deadline; in front whose time began first */
};

void http_connections_init(struct http_connections *t);

/* Frees all; closes the sockets of those that the library does not know yet. */
void http_connections_deinit(struct http_connections *t);

/* A new one without a peer or a deadline. An entry that is still there belonged to a socket that the library closed
 * before it started. NULL: no memory. */
struct http_connection *http_connections_add(struct http_connections *t, int fd);

/* NULL: there is none. */
struct http_connection *http_connections_find(const struct http_connections *t, int fd);

void http_connections_forget(struct http_connections *t, struct http_connection *c);

/* It has this long from now; 0: no limit. */
void http_connections_time(struct http_connections *t, struct http_connection *c, int64_t ms);

/* The entry of the same client under another number, with its job; the old one stays, without. NULL: no memory. */
struct http_connection *http_connections_renumber(
	struct http_connections *t, struct http_connection *c, int fd);

#endif
