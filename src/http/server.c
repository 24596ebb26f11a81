/*
 * Start and stop of the server: sockets, the door, and libmicrohttpd's daemons, one for plain HTTP
 * and one for HTTPS, each with its threads. Requests are exchange.c's.
 */
#include "http/server.h"

#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/signals.h"
#include "base/str.h"
#include "http/certificate.h"
#include "http/client_certificate.h"
#include "http/exchange.h"
#include "http/handshake.h"
#include "mailferry/log.h"

enum {
	/* Header and read buffer of one connection. Above 32 KB the library maps it: of a connection that
	 * waits only the pages that it touched count, and not what the heap's former owners left there. */
	CONNECTION_BYTES = 36 * 1024,
	BODIES_BYTES = 64 << 20 /* of all bodies in memory together */
};

struct http_server {
	struct mf_arena *arena;
	const struct mf_conf *conf;
	struct work_pool *pool;
	struct http_listeners listeners;
	struct http_trust proxies; /* who begins with a PROXY header */
	struct http_hall hall;
	struct MHD_Daemon *plain, *tls;
	bool secure;	   /* it has certificates */
	bool shown;	   /* proxies show it those of clients */
	const char *roots; /* of clients' certificates, PEM; NULL: they are not asked for */
};

__attribute__((format(printf, 2, 0))) static void
on_log(void *cls, const char *fmt, va_list ap)
{
	char text[300];

	(void)cls;
	vsnprintf(text, sizeof(text), fmt, ap);
	text[strcspn(text, "\r\n")] = '\0';
	mf_log_debug("http=library text=%s", mf_log_value(text));
}

static void
on_panic(void *cls, const char *file, unsigned line, const char *reason)
{
	(void)cls;
	mf_log_error("http=panic file=%s line=%u why=%s", file, line, mf_log_value(reason));
	abort();
}

static bool
take(void *ctx, const struct http_connection *c, const struct sockaddr *sa, socklen_t len)
{
	struct http_server *s = ctx;

	return MHD_add_connection(c->tls ? s->tls : s->plain, c->fd, sa, len) == MHD_YES;
}

/* The threads that the library starts must not take the process's signals. */
static struct MHD_Daemon *
start_daemon(struct http_server *s, bool tls)
{
	const struct mf_conf *c = s->conf;
	int64_t threads = mf_conf_number(c, "http_threads");
	struct MHD_OptionItem secure[] = {
		{ MHD_OPTION_HTTPS_CERT_CALLBACK, 0,
			(void *)(uintptr_t)http_handshake_certificate },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0,
			(char *)(uintptr_t)mf_conf_string(c, "tls_priorities") },
		/* Only asks for certificates: who is believed, client_certificate.c knows. */
		{ s->roots == NULL ? MHD_OPTION_END : MHD_OPTION_HTTPS_MEM_TRUST, 0,
			(char *)(uintptr_t)s->roots },
		{ MHD_OPTION_END, 0, NULL },
	};
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
			 MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG |
			 (tls ? (unsigned)MHD_USE_TLS : 0u);
	struct MHD_Daemon *d;
	sigset_t old;

	signals_block(&old);
	/* A pool of one is refused: no pool then. The door keeps the connection limit: the library
	 * would divide it among its threads. */
	d = MHD_start_daemon(flags, 0, NULL, NULL, http_exchange_step, &s->hall,
		MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, MHD_OPTION_THREAD_POOL_SIZE,
		(unsigned)(threads > 1 ? threads : 0), MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)CONNECTION_BYTES, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)(mf_conf_number(c, "connection_limit") * threads),
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)mf_conf_number(c, "idle_timeout"),
		MHD_OPTION_URI_LOG_CALLBACK, http_exchange_begin, &s->hall,
		MHD_OPTION_NOTIFY_COMPLETED, http_exchange_end, &s->hall,
		MHD_OPTION_NOTIFY_CONNECTION, http_exchange_connection, &s->hall,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
		MHD_OPTION_ARRAY, tls ? secure : &secure[3], MHD_OPTION_END);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return d;
}

static bool
wants(const struct http_listeners *l, bool tls)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->all[i].tls == tls)
			return true;
	return false;
}

/* The files as they are now become what handshakes show. */
static enum mf_status
load_certificate(const struct mf_conf *conf, struct mf_error *err)
{
	const char *certificate = mf_conf_string(conf, "tls_certificate");
	const char *key = mf_conf_string(conf, "tls_key");
	struct mf_arena *a = mf_arena_new();
	struct http_certificate loaded;
	enum mf_status st = http_certificate_load(a, certificate, key, &loaded, err);

	if (st == MF_OK && loaded.not_after < clock_wall())
		mf_log_warning("tls_certificate=%s why=\"has expired\"", mf_log_value(certificate));
	if (st == MF_OK)
		st = http_handshake_use(&loaded, err);
	if (st == MF_OK)
		st = http_client_roots_load(conf, err);
	mf_arena_free(a);
	return st;
}

/* Phones' certificates may come in a header; to the places where phones come in. */
static bool
is_shown(const struct mf_conf *conf, const struct http_places *places)
{
	return places->tls != NULL && *mf_conf_string(conf, "client_certificate_header") != '\0';
}

static enum mf_status
first_certificate(const struct mf_conf *conf, struct mf_error *err)
{
	if (mf_conf_string(conf, "tls_certificate")[0] == '\0' ||
		mf_conf_string(conf, "tls_key")[0] == '\0')
		return mf_fail(err, MF_INVALID, "listen_tls needs tls_certificate and tls_key");
	return load_certificate(conf, err);
}

static enum mf_status
start_tls(struct http_server *s, struct mf_error *err)
{
	s->secure = true;
	s->roots = http_client_roots_pem();
	s->tls = start_daemon(s, true);
	return s->tls != NULL ? MF_OK
			      : mf_fail(err, MF_INVALID,
					"HTTPS cannot be started: see tls_priorities and the log "
					"at log_level debug");
}

enum mf_status
http_server_reload(struct http_server *s, struct mf_error *err)
{
	if (s->secure)
		return load_certificate(s->conf, err);
	return s->shown ? http_client_roots_load(s->conf, err) : MF_OK;
}

static enum mf_status
start(struct http_server *s, struct mf_error *err)
{
	const struct mf_conf *c = s->conf;
	struct http_door_options door = {
		.connection_limit = (size_t)mf_conf_number(c, "connection_limit"),
		.pool = s->pool,
		.take = take,
		.ctx = s,
		.first_ms = s->hall.header_ms,
		.proxies = s->proxies,
	};
	enum mf_status st = MF_OK;

	if (wants(&s->listeners, true))
		st = start_tls(s, err);
	if (st == MF_OK && wants(&s->listeners, false)) {
		s->plain = start_daemon(s, false);
		if (s->plain == NULL)
			st = mf_fail(err, MF_TEMPORARY, "HTTP cannot be started");
	}
	if (st == MF_OK)
		st = http_door_open(&door, &s->listeners, &s->hall.door, err);
	return st;
}

static void
init_hall(struct http_server *s, const struct http_route *routes, const struct eas_server *eas)
{
	struct http_hall *h = &s->hall;
	const struct mf_conf *c = s->conf;
	pthread_condattr_t attr;

	h->routes = routes;
	h->eas = eas;
	h->conf = c;
	h->idle_ms = mf_conf_number(c, "idle_timeout") * 1000;
	h->header_ms = mf_conf_number(c, "header_timeout") * 1000;
	h->body_ms = mf_conf_number(c, "body_timeout") * 1000;
	h->number = (uint64_t)clock_wall() * 1024;
	h->room.limit = (uint64_t)mf_conf_number(c, "body_limit");
	h->room.memory = (uint64_t)mf_conf_number(c, "body_memory");
	h->room.memory_total = BODIES_BYTES;
	h->room.spool_total = (uint64_t)mf_conf_number(c, "spool_limit");
	h->room.directory = mf_conf_string(c, "spool_directory");
	pthread_mutex_init(&h->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&h->less, &attr);
	pthread_condattr_destroy(&attr);
}

const struct http_places http_public = { "listen", "listen_tls", true, "proxy_protocol" };

enum mf_status
http_server_bind(const struct mf_conf *conf, const struct http_places *places,
	struct http_listeners *out, struct mf_error *err)
{
	enum mf_status st = http_listen(conf, places, out, err);

	if (st == MF_OK && wants(out, true))
		st = first_certificate(conf, err);
	else if (st == MF_OK && is_shown(conf, places))
		st = http_client_roots_load(conf, err);
	if (st != MF_OK)
		http_listen_close(out);
	return st;
}

/* What does not need the sockets. */
static enum mf_status
prepare(struct http_server *s, const struct http_places *places, struct mf_error *err)
{
	enum mf_status st =
		http_trust_parse(s->arena, s->conf, "trusted_proxies", &s->hall.trust, err);

	s->shown = is_shown(s->conf, places);
	if (st == MF_OK && places->proxies != NULL)
		st = http_trust_parse(s->arena, s->conf, places->proxies, &s->proxies, err);
	if (st == MF_OK && access(s->hall.room.directory, W_OK | X_OK) != 0)
		st = mf_fail(err, MF_INVALID, "spool_directory %s: %s", s->hall.room.directory,
			strerror(errno));
	return st;
}

enum mf_status
http_server_open_bound(const struct mf_conf *conf, const struct http_places *places,
	struct http_listeners *bound, const struct http_route *routes, const struct eas_server *eas,
	struct work_pool *pool, struct http_server **out, struct mf_error *err)
{
	struct mf_arena *a = mf_arena_new();
	struct http_server *s = mf_new(a, struct http_server);
	enum mf_status st;

	s->arena = a;
	s->conf = conf;
	s->pool = pool;
	s->listeners = *bound;
	bound->n = 0;
	init_hall(s, routes, eas);
	MHD_set_panic_func(on_panic, NULL);
	st = prepare(s, places, err);
	if (st == MF_OK)
		st = start(s, err);
	if (st != MF_OK) {
		http_server_free(s);
		return st;
	}
	for (size_t i = 0; i < s->listeners.n; i++)
		mf_log_info("listen=%s port=%u tls=%s", mf_log_value(s->listeners.all[i].name),
			s->listeners.all[i].port, s->listeners.all[i].tls ? "yes" : "no");
	*out = s;
	return MF_OK;
}

enum mf_status
http_server_open(const struct mf_conf *conf, const struct http_places *places,
	const struct http_route *routes, const struct eas_server *eas, struct work_pool *pool,
	struct http_server **out, struct mf_error *err)
{
	struct http_listeners bound;
	enum mf_status st = http_server_bind(conf, places, &bound, err);

	return st == MF_OK
		       ? http_server_open_bound(conf, places, &bound, routes, eas, pool, out, err)
		       : st;
}

/* Waits until no request is left, or until the deadline. Then nothing may be suspended any more,
 * unless a worker still has a request. */
static bool
drain(struct http_hall *h, int64_t grace_ms)
{
	int64_t until = clock_ms() + grace_ms;
	struct timespec ts = { .tv_sec = (time_t)(until / 1000),
		.tv_nsec = (long)(until % 1000) * 1000000 };
	bool drained;

	pthread_mutex_lock(&h->lock);
	h->stopping = true;
	while ((h->requests > 0 || h->jobs > 0) && clock_ms() < until)
		pthread_cond_timedwait(&h->less, &h->lock, &ts);
	drained = h->jobs == 0;
	h->closed = drained;
	pthread_mutex_unlock(&h->lock);
	return drained;
}

enum mf_status
http_server_stop(struct http_server *s, int64_t grace_ms, struct mf_error *err)
{
	http_door_shut(s->hall.door);
	http_listen_close(&s->listeners);
	work_end_all(s->pool);
	if (!drain(&s->hall, grace_ms))
		return mf_fail(err, MF_TEMPORARY, "requests are still running");
	if (s->plain != NULL)
		MHD_stop_daemon(s->plain);
	if (s->tls != NULL)
		MHD_stop_daemon(s->tls);
	s->plain = s->tls = NULL;
	return MF_OK;
}

void
http_server_free(struct http_server *s)
{
	if (s == NULL)
		return;
	if (s->plain != NULL)
		MHD_stop_daemon(s->plain);
	if (s->tls != NULL)
		MHD_stop_daemon(s->tls);
	if (s->secure)
		http_handshake_forget();
	if (s->secure || s->shown)
		http_client_roots_forget();
	http_door_free(s->hall.door);
	http_listen_close(&s->listeners);
	pthread_cond_destroy(&s->hall.less);
	pthread_mutex_destroy(&s->hall.lock);
	mf_arena_free(s->arena);
}

unsigned
http_server_port(const struct http_server *s, size_t i)
{
	return i < s->listeners.n ? s->listeners.all[i].port : 0;
}

struct each {
	void (*fn)(void *ctx, const struct eas_request *r);
	void *ctx;
};

static void
each_job(void *ctx, const struct work_job *job)
{
	struct each *e = ctx;

	e->fn(e->ctx, http_exchange_request(job));
}

void
http_each_waiting(
	struct http_server *s, void (*fn)(void *ctx, const struct eas_request *r), void *ctx)
{
	struct each e = { fn, ctx };

	work_each_waiting(s->pool, each_job, &e);
}

void
http_server_stats(struct http_server *s, struct http_stats *out)
{
	struct http_door_stats door;

	http_door_stats(s->hall.door, &door);
	pthread_mutex_lock(&s->hall.lock);
	*out = (struct http_stats){ .connections = door.connections,
		.requests = s->hall.requests,
		.answered = s->hall.answered };
	pthread_mutex_unlock(&s->hall.lock);
	out->accepted = door.accepted;
	out->refused = door.refused;
	out->expired = door.expired;
	out->gave_way = door.gave_way;
	out->left = door.left;
}
