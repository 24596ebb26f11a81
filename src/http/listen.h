/* Sockets to listen on: from the settings, or handed over by systemd. */
#ifndef HTTP_LISTEN_H
#define HTTP_LISTEN_H

#include <stdbool.h>
#include <stddef.h>

#include "mailferry/conf.h"
#include "mailferry/error.h"

struct http_places; /* http/server.h */

enum { HTTP_LISTENERS_MAX = 64, HTTP_LISTEN_NAME_MAX = 160 };

struct http_listener {
	int fd; /* non-blocking */
	bool tls;
	unsigned port;			 /* 0: not TCP */
	char name[HTTP_LISTEN_NAME_MAX]; /* as configured, for the log */
	char path[HTTP_LISTEN_NAME_MAX]; /* of a Unix socket that we made, to be removed; else "" */
};

struct http_listeners {
	struct http_listener all[HTTP_LISTENERS_MAX];
	size_t n;
};

/* Opens all or none. "host:port" listens on every address of host, ":port" on all addresses,
 * "unix:/path" on a socket that its group may use. */
enum mf_status http_listen(const struct mf_conf *conf, const struct http_places *places,
	struct http_listeners *out, struct mf_error *err);

/* Closes them and removes Unix sockets. */
void http_listen_close(struct http_listeners *l);

#endif
