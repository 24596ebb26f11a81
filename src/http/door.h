/*
 * The door: one thread that accepts connections and watches over them while the library does not.
 * It closes those that take too long with a header, a body or reading an answer, and notices a
 * client that left while its request waits. Knows sockets and jobs; no HTTP.
 *
 *	accept -> [PROXY header] -> (http_connection_of) OPEN -> (http_connection_closed) gone
 *
 * A connection belongs to the door; the HTTP thread that serves it uses it from its start until
 * http_connection_closed. Calls from any thread.
 */
#ifndef HTTP_DOOR_H
#define HTTP_DOOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "http/connections.h"
#include "http/listen.h"
#include "work/work.h"

struct http_door_options {
	size_t connection_limit;
	struct work_pool *pool;
	/* Takes over an accepted socket (closes it when it fails). Called by the door's thread. */
	bool (*take)(void *ctx, const struct http_connection *c, const struct sockaddr *sa,
		socklen_t len);
	void *ctx;
	int64_t first_ms; /* how long a new connection has until its first request's header */
	struct http_trust proxies; /* whose connections begin with a PROXY header (http/proxy.h) */
};

struct http_door;

/* Opens: the thread runs. The listeners stay the caller's and outlive the door. */
enum mf_status http_door_open(const struct http_door_options *options,
	const struct http_listeners *listeners, struct http_door **out, struct mf_error *err);

/* No new connections from now on: the listeners may be closed. The old connections are watched on. */
void http_door_shut(struct http_door *d);

/* Ends the thread and forgets all connections. NULL is fine. */
void http_door_free(struct http_door *d);

/* The connection with this socket, when the HTTP thread meets it first. */
struct http_connection *http_connection_of(struct http_door *d, int fd);

/* Its socket is about to be closed: it is freed. */
void http_connection_closed(struct http_door *d, struct http_connection *c);

/* It has this long for what it is doing; 0: no limit. */
void http_connection_deadline(struct http_door *d, struct http_connection *c, int64_t ms);

/* Pushes its request's job into the pool; if the client leaves, or has left, the job is ended. False:
 * the pool has no room. */
bool http_connection_push(struct http_door *d, struct http_connection *c, struct work_job *job);

/* The job is done. */
void http_connection_done(struct http_door *d, struct http_connection *c);

/* Takes a plain connection, whose job runs, out of the library's hands: the socket is another one from here on,
 * watched as before, and the library finds a dead one under its own number, which it may close. NULL: the
 * system has no descriptor left; all stays as it was. */
struct http_connection *http_connection_take(struct http_door *d, struct http_connection *c);
/* Closes and forgets one that was taken. */
void http_connection_drop(struct http_door *d, struct http_connection *c);

/* Its client has hung up. */
bool http_connection_left(struct http_door *d, struct http_connection *c);

struct http_door_stats {
	size_t connections;
	uint64_t accepted, refused, left;
	uint64_t expired;  /* closed because they took too long */
	uint64_t gave_way; /* closed for others, at connection_limit */
};

void http_door_stats(struct http_door *d, struct http_door_stats *out);

#endif
