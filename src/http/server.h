/*
 * The HTTP server: bytes in, a struct eas_request filled, run in the worker pool, its answer out.
 *
 * Knows HTTP, addresses, TLS and limits; knows nothing of ActiveSync but the request it fills. The
 * only user of libmicrohttpd.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include "eas/request.h"
#include "mailferry/conf.h"
#include "mailferry/error.h"
#include "work/work.h"

/* Who answers which path. Paths are compared without case, whole or up to a '*' at their end; the first
 * that fits counts. A table ends with a NULL path. */
struct http_route {
	const char *path;
	enum eas_verdict (*run)(struct eas_request *r); /* eas_run, or what behaves like it */
	void (*deinit)(struct eas_request *r);		/* eas_request_deinit */
	/* Before the body is read, which has so many bytes (or has them already, and is not at its end):
	 * true when r->answer tells that it is too large; then `run` is not called. NULL: http's own
	 * limit alone, with its 413. */
	bool (*refuse_large)(struct eas_request *r, uint64_t length);
};

struct http_server;

/* Which settings name the addresses. */
struct http_places {
	const char *plain, *tls; /* tls NULL: no HTTPS here */
	bool systemd;		 /* sockets that systemd hands over come first */
	const char
		*proxies; /* the setting that names who begins with a PROXY header; NULL: nobody */
};
/* listen and listen_tls: where phones come in. */
extern const struct http_places http_public;

struct http_listeners; /* http/listen.h */

/* What may need root's rights: the addresses of `places` are bound (nobody is answered yet), certificate
 * and key are read. Before any thread; closed by http_listen_close, unless a server takes them over. */
enum mf_status http_server_bind(const struct mf_conf *conf, const struct http_places *places,
	struct http_listeners *out, struct mf_error *err);

/* Serves on what was bound until http_server_stop; takes `bound` over (and empties it), whatever it
 * returns. conf, routes, eas and pool must outlive the server. */
enum mf_status http_server_open_bound(const struct mf_conf *conf, const struct http_places *places,
	struct http_listeners *bound, const struct http_route *routes, const struct eas_server *eas,
	struct work_pool *pool, struct http_server **out, struct mf_error *err);

/* Both at once. */
enum mf_status http_server_open(const struct mf_conf *conf, const struct http_places *places,
	const struct http_route *routes, const struct eas_server *eas, struct work_pool *pool,
	struct http_server **out, struct mf_error *err);

/* Reads certificate and key anew; connections from now on get them. MF_INVALID: what is there cannot be
 * used, and the former ones stay. MF_OK when this server has no TLS. */
enum mf_status http_server_reload(struct http_server *s, struct mf_error *err);

/* Stops accepting, ends what waits, lets requests finish for at most grace_ms. MF_TEMPORARY: some
 * are still running; call again, or leave the process without http_server_free. */
enum mf_status http_server_stop(struct http_server *s, int64_t grace_ms, struct mf_error *err);

/* After a stop that returned MF_OK. NULL is fine. */
void http_server_free(struct http_server *s);

/* The port of the i-th address that is listened on, 0 beyond the last and for sockets without one:
 * for tests, which listen on port 0. */
unsigned http_server_port(const struct http_server *s, size_t i);

/* Calls fn for each request that waits (EAS_WAIT), as work_each_waiting does: for whoever watches over
 * the process. The request may only be looked at. */
void http_each_waiting(
	struct http_server *s, void (*fn)(void *ctx, const struct eas_request *r), void *ctx);

struct http_stats {
	size_t connections, requests;		    /* now */
	uint64_t accepted, answered, refused, left; /* since start; left: clients that went away */
	uint64_t expired, gave_way;		    /* as in http/door.h */
};

void http_server_stats(struct http_server *s, struct http_stats *out);

#endif
