/*
 * What the door's thread (door.c) and the calls about one connection (door_calls.c) share. For those two.
 */
#ifndef HTTP_DOOR_INSIDE_H
#define HTTP_DOOR_INSIDE_H

#include <pthread.h>

#include "http/door.h"
#include "http/linger.h"

/* What an event is about: the kind in the highest bits, then a serial or index, then the socket. */
enum door_kind { KIND_WAKE, KIND_LISTENER, KIND_CONNECTION, KIND_LINGER };

struct http_door {
	struct http_door_options options;
	const struct http_listeners *listeners;
	int epoll, wake;
	pthread_t thread;
	bool running;
	int64_t paused_until; /* accepting; the thread's own */

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t is_shut;
	bool shut; /* wanted; the thread then says that it has left the listeners */
	bool left_listeners, stop;
	struct http_connections open;
	struct http_linger linger;
	struct http_door_stats stats;
};

uint64_t door_tag(enum door_kind kind, uint32_t number, int fd);

/* Watches a socket for EPOLL... events. False: it cannot be. */
bool door_watch(struct http_door *d, int fd, uint32_t events, uint64_t what);

void door_wake(struct http_door *d);

#endif
