/*
 * Requests: filled from the library's callbacks, handed to the pool, answered. Knows HTTP, and of
 * ActiveSync only the struct that it fills.
 */
#include "http/exchange.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "http/framing.h"
#include "http/client_certificate.h"
#include "http/gzip.h"
#include "mailferry/log.h"

enum {
	HEADERS_MAX = 100,
	DISCARD_FACTOR = 2 /* of the body's limit is read to deliver a refusal, then cut */
};

enum stage { STAGE_HEADER, STAGE_BODY, STAGE_RUNNING, STAGE_ANSWERED, STAGE_REPLIED };

struct exchange {
	struct work_job job; /* first: the pool gives it back */
	struct http_hall *hall;
	struct MHD_Connection *mhd;
	struct http_connection *connection;
	const struct http_route *route;
	struct http_body body;
	struct eas_request request;
	char *target; /* path and query as they came; cut in two in place */
	enum stage stage;
	uint64_t discarded;
	bool overflow; /* the body is refused; what comes is discarded */
	bool close;    /* the connection ends with this answer */
	bool run;      /* the route has seen it: its deinit is due */
	bool taken;    /* it waits without the library (see take_over) */
	atomic_int
		owners; /* of this memory, once it is taken: the job, and the library until it notices */
};

/* ---- Refusals: what http answers by itself, with one log line ---- */

static void
set_refusal(struct exchange *x, unsigned status, const char *why)
{
	struct eas_request *r = &x->request;

	mf_log_info("req=%s peer=%s http=%u method=%s path=%s why=%s", r->id,
		mf_log_value(r->peer == NULL ? x->connection->peer : r->peer), status,
		mf_log_value(r->method), mf_log_value(r->path), mf_log_value(why));
	r->answer.http_status = status;
	if (status == 503)
		r->answer.headers[r->answer.n_headers++] =
			(struct eas_header){ "Retry-After", "30" };
}

static enum MHD_Result
reply(struct exchange *x)
{
	struct http_hall *h = x->hall;
	bool stopping;

	pthread_mutex_lock(&h->lock);
	stopping = h->stopping;
	h->answered++;
	pthread_mutex_unlock(&h->lock);
	x->stage = STAGE_REPLIED;
	http_connection_deadline(h->door, x->connection, h->body_ms);
	return http_reply(x->mhd, &x->request.answer, x->close || stopping);
}

/* The route's own words for a body that is too large. */
static bool
refused_by_route(struct exchange *x, uint64_t length)
{
	if (x->route == NULL || x->route->refuse_large == NULL || length == 0)
		return false;
	x->run = x->run || x->route->refuse_large(&x->request, length);
	return x->run;
}

/* Ends the exchange at the header: the body, if one is coming, is not wanted any more. */
static enum MHD_Result
refuse_header(struct exchange *x, unsigned status, const char *why, bool body_coming)
{
	set_refusal(x, status, why);
	x->close = true;
	x->connection->linger = body_coming;
	return reply(x);
}

/* ---- Begin ---- */

/* Short, and unlike those of the process before: base 32 of a counter, begun by the clock. */
static const char *
request_id(struct mf_arena *a, uint64_t n)
{
	static const char digits[] = "abcdefghijkmnpqrstuvwxyz23456789";
	char id[8] = { 0 };

	for (size_t i = sizeof(id) - 1; i-- > 0; n >>= 5)
		id[i] = digits[n & 31];
	return mf_strdup(a, id);
}

void *
http_exchange_begin(void *cls, const char *uri, struct MHD_Connection *mhd)
{
	struct http_hall *h = cls;
	struct mf_arena *a = mf_arena_new();
	struct exchange *x = calloc(1, sizeof(*x));
	uint64_t number;

	if (x == NULL)
		abort();

	pthread_mutex_lock(&h->lock);
	h->requests++;
	number = ++h->number;
	pthread_mutex_unlock(&h->lock);
	x->hall = h;
	x->mhd = mhd;
	x->target = mf_strdup(a, uri);
	http_body_init(&x->body, &h->room);
	x->request.arena = a;
	x->request.server = h->eas;
	x->request.id = request_id(a, number);
	x->request.method = x->request.path = x->request.query = "";
	x->request.began = clock_ms();
	mf_buf_init(&x->request.answer.body, 0);
	return x;
}

/* ---- Header ---- */

struct collecting {
	struct mf_arena *arena;
	struct eas_header *headers;
	size_t n;
	bool bad; /* a NUL within */
};

/* The library leaves blanks behind a value. */
static char *
trimmed(struct mf_arena *a, const char *value, size_t len)
{
	while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
		len--;
	return mf_strndup(a, value, len);
}

static enum MHD_Result
collect_header(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_len,
	const char *value, size_t value_len)
{
	struct collecting *c = cls;

	(void)kind;
	if (value == NULL)
		value = "";
	if (strlen(name) != name_len || strlen(value) != value_len) {
		c->bad = true;
		return MHD_NO;
	}
	c->headers[c->n++] = (struct eas_header){ mf_strdup(c->arena, name),
		trimmed(c->arena, value, value_len) };
	/* The library keeps its copy for as long as a phone waits: nobody reads it again. */
	if (str_ieq(name, "Authorization"))
		str_wipe((char *)(uintptr_t)value, value_len);
	return MHD_YES;
}

static bool
collect_headers(struct exchange *x)
{
	struct collecting c = { .arena = x->request.arena };
	int n = MHD_get_connection_values_n(x->mhd, MHD_HEADER_KIND, NULL, NULL);

	if (n < 0 || n > HEADERS_MAX)
		return false;
	c.headers = mf_new_array(c.arena, struct eas_header, (size_t)n);
	MHD_get_connection_values_n(x->mhd, MHD_HEADER_KIND, collect_header, &c);
	x->request.headers = c.headers;
	x->request.n_headers = c.n;
	return !c.bad;
}

/* Whole, or up to the star at a route's end. */
static bool
leads(const char *route, const char *path)
{
	size_t len = strlen(route);

	if (len > 0 && route[len - 1] == '*')
		return strlen(path) >= len - 1 && str_ieqn(route, path, len - 1);
	return str_ieq(route, path);
}

static const struct http_route *
find_route(const struct http_route *routes, const char *path)
{
	for (; routes->path != NULL; routes++)
		if (leads(routes->path, path))
			return routes;
	return NULL;
}

/* The request as its route sees it, but for the body. 0, or the status to refuse with. */
static unsigned
fill(struct exchange *x, const char *method, const char *version, struct http_framing *framing,
	const char **why)
{
	struct eas_request *r = &x->request;
	struct http_hall *h = x->hall;
	const char *path;
	unsigned status;

	*why = "malformed request line";
	if (!http_method_valid(method) || !str_starts(version, "HTTP/1."))
		return 400;
	r->method = mf_strdup(r->arena, method);
	path = http_target_split(x->target, &r->query);
	if (path == NULL)
		return 400;
	r->path = path;
	*why = "too many headers";
	if (!collect_headers(x))
		return 400;
	r->peer = http_peer_client(
		r->arena, &h->trust, x->connection->peer, r->headers, r->n_headers);
	r->tls = x->connection->tls || x->connection->proxied_tls ||
		 http_peer_forwarded_tls(&h->trust, x->connection->peer, r->headers, r->n_headers);
	status = http_framing_check(r->headers, r->n_headers, strcmp(version, "HTTP/1.0") != 0,
		h->room.limit, framing, why);
	if (status != 0 && status != 413)
		return status;
	x->route = find_route(h->routes, path);
	if (x->route != NULL)
		return status;
	*why = "no such address";
	return 404;
}

/* Once a connection: its handshake is over by now. */
static const char *
certified(struct exchange *x)
{
	struct http_connection *c = x->connection;
	const union MHD_ConnectionInfo *info;

	if (c->tls && !c->looked && http_client_roots_pem() != NULL) {
		info = MHD_get_connection_info(x->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
		if (info != NULL)
			c->certified =
				http_client_certified(info->tls_session, x->hall->conf, c->peer);
		c->looked = true;
	}
	return mf_strdup(x->request.arena, c->certified);
}

static enum MHD_Result
take_header(struct exchange *x, const char *method, const char *version)
{
	struct http_framing framing = { 0 };
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(x->mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	const char *why;
	unsigned status;
	bool body_coming;

	x->connection = info == NULL ? NULL : info->socket_context;
	if (x->connection == NULL)
		return MHD_NO;
	http_connection_deadline(x->hall->door, x->connection, x->hall->body_ms);
	x->request.certified = certified(x);
	status = fill(x, method, version, &framing, &why);
	body_coming = !framing.expects && (framing.length > 0 || framing.chunked);
	if ((status == 0 || status == 413) && refused_by_route(x, framing.length)) {
		x->close = true;
		x->connection->linger = body_coming;
		return reply(x);
	}
	if (status != 0)
		return refuse_header(x, status, why, body_coming);
	x->stage = STAGE_BODY;
	return MHD_YES;
}

/* ---- Body ---- */

/* The library takes no answer in the middle of a body: what follows is read and thrown away, within
 * reason, so that the client hears why. */
static enum MHD_Result
take_body(struct exchange *x, const char *data, size_t len)
{
	struct mf_error err = { 0 };
	enum mf_status st;

	if (x->overflow) {
		x->discarded += len;
		return x->discarded > x->hall->room.limit * DISCARD_FACTOR ? MHD_NO : MHD_YES;
	}
	st = http_body_add(&x->body, data, len, &err);
	if (st == MF_OK)
		return MHD_YES;
	x->overflow = true;
	x->close = true;
	if (st != MF_TOO_LARGE || !refused_by_route(x, x->body.len + len))
		set_refusal(x, st == MF_TOO_LARGE ? 413 : 503, err.text);
	http_body_deinit(&x->body);
	return MHD_YES;
}

/* ---- Run: on a worker ---- */

/* Whoever answers has read them by now; a phone may wait for an hour. */
static void
wipe_credentials(const struct eas_request *r)
{
	for (size_t i = 0; i < r->n_headers; i++)
		if (str_ieq(r->headers[i].name, "Authorization"))
			str_wipe((char *)(uintptr_t)r->headers[i].value,
				strlen(r->headers[i].value));
}

/* The route's part and all that is large. */
static void
finish(struct exchange *x)
{
	struct http_hall *h = x->hall;

	if (x->run && x->route->deinit != NULL)
		x->route->deinit(&x->request);
	else
		mf_buf_deinit(&x->request.answer.body);
	http_body_deinit(&x->body);
	mf_arena_free(x->request.arena);
	pthread_mutex_lock(&h->lock);
	h->requests--;
	pthread_cond_broadcast(&h->less);
	pthread_mutex_unlock(&h->lock);
}

static void
release(struct exchange *x)
{
	if (atomic_fetch_sub(&x->owners, 1) == 1)
		free(x);
}

/* A suspended connection of the library costs two pages and more, for as long as a phone waits. So a plain one
 * whose answer will be short waits without it: the socket is ours, the library finds a dead one, calls
 * once more, is told to end, and frees what it has. The answer is written here, and ends the connection. */
static void
take_over(struct exchange *x)
{
	struct http_connection *c;

	if (x->connection->tls || (c = http_connection_take(x->hall->door, x->connection)) == NULL)
		return;
	x->taken = true;
	atomic_store(&x->owners, 2);
	x->connection = c;
	MHD_resume_connection(x->mhd);
}

/* The side line is offered once. */
static enum eas_aside
aside_of(const struct exchange *x)
{
	switch (x->job.wait.aside) {
	case WORK_ASIDE_NOW:
		return EAS_ASIDE_NOW;
	case WORK_ASIDE_CROWDED:
		return EAS_ASIDE_CROWDED;
	case WORK_ASIDE_NOT:
		break;
	}
	return x->run ? EAS_ASIDE_NOT : EAS_ASIDE_OFFERED;
}

static enum work_verdict
run(struct work_job *job)
{
	struct exchange *x = (struct exchange *)job;
	struct eas_request *r = &x->request;

	r->aside = aside_of(x);
	r->wait.stirred = job->wait.stirred;
	r->wait.ended = job->wait.ended;
	r->wait.left = job->wait.ended && http_connection_left(x->hall->door, x->connection);
	enum eas_verdict verdict = x->route->run(r);

	if (verdict == EAS_ASIDE)
		return WORK_ASIDE;
	if (!x->run)
		wipe_credentials(r);
	x->run = true;
	if (verdict == EAS_DONE) {
		http_gzip(r);
		return WORK_DONE;
	}
	job->wait.until = r->wait.until;
	job->wait.poll_ms = r->wait.poll_ms;
	job->wait.group = r->wait.group;
	job->wait.one = r->wait.one;
	if (r->wait.settled && x->target != NULL) { /* for the first time */
		x->target = NULL;
		eas_request_settle(r);
		http_body_deinit(&x->body);
		take_over(x);
	}
	return WORK_WAIT;
}

static void
answer_taken(struct exchange *x)
{
	struct http_hall *h = x->hall;

	http_reply_plain(x->connection->fd, &x->request.answer);
	http_connection_drop(h->door, x->connection);
	pthread_mutex_lock(&h->lock);
	h->answered++;
	pthread_mutex_unlock(&h->lock);
	finish(x);
	release(x);
}

/* After the resume the exchange is the HTTP thread's, and may be freed before this returns. */
static void
done(struct work_job *job)
{
	struct exchange *x = (struct exchange *)job;
	struct http_hall *h = x->hall;

	http_connection_done(h->door, x->connection);
	if (x->taken) {
		answer_taken(x);
	} else {
		x->stage = STAGE_ANSWERED;
		MHD_resume_connection(x->mhd);
	}
	pthread_mutex_lock(&h->lock);
	h->jobs--;
	pthread_cond_broadcast(&h->less);
	pthread_mutex_unlock(&h->lock);
}

const struct eas_request *
http_exchange_request(const struct work_job *job)
{
	return &((const struct exchange *)job)->request;
}

/* ---- Hand over ---- */

static bool
may_run(struct http_hall *h)
{
	bool may;

	pthread_mutex_lock(&h->lock);
	may = !h->closed;
	h->jobs += may;
	pthread_mutex_unlock(&h->lock);
	return may;
}

static void
give_back(struct http_hall *h)
{
	pthread_mutex_lock(&h->lock);
	h->jobs--;
	pthread_cond_broadcast(&h->less);
	pthread_mutex_unlock(&h->lock);
}

static enum MHD_Result
refuse_busy(struct exchange *x, const char *why)
{
	set_refusal(x, 503, why);
	return reply(x);
}

/* Suspended before it is pushed: the answer may be there before this function returns. */
static enum MHD_Result
hand_over(struct exchange *x)
{
	struct mf_error err = { 0 };

	if (x->overflow)
		return reply(x);
	if (http_body_end(&x->body, &x->request.body, &err) != MF_OK)
		return refuse_busy(x, err.text);
	if (!may_run(x->hall))
		return refuse_busy(x, "the server stops");
	x->job.run = run;
	x->job.done = done;
	x->stage = STAGE_RUNNING;
	MHD_suspend_connection(x->mhd);
	if (http_connection_push(x->hall->door, x->connection, &x->job))
		return MHD_YES;
	set_refusal(x, 503, "queue_limit is reached");
	x->stage = STAGE_ANSWERED;
	MHD_resume_connection(x->mhd);
	give_back(x->hall);
	return MHD_YES;
}

enum MHD_Result
http_exchange_step(void *cls, struct MHD_Connection *mhd, const char *url, const char *method,
	const char *version, const char *data, size_t *len, void **context)
{
	struct exchange *x = *context;
	size_t n = *len;

	(void)cls;
	(void)mhd;
	(void)url; /* decoded by the library; the target is taken as it came */
	if (x->taken)
		return MHD_NO;
	switch (x->stage) {
	case STAGE_HEADER:
		return take_header(x, method, version);
	case STAGE_BODY:
		*len = 0;
		return n > 0 ? take_body(x, data, n) : hand_over(x);
	case STAGE_ANSWERED:
		return reply(x);
	case STAGE_RUNNING:
	case STAGE_REPLIED:
		break;
	}
	return MHD_YES;
}

/* ---- End ---- */

void
http_exchange_end(
	void *cls, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode code)
{
	struct http_hall *h = cls;
	struct exchange *x = *context;

	(void)mhd;
	(void)code;
	if (x == NULL)
		return;
	*context = NULL;
	if (x->taken) {
		release(x);
		return;
	}
	assert(x->stage != STAGE_RUNNING);
	if (x->connection != NULL)
		http_connection_deadline(h->door, x->connection, h->idle_ms + h->header_ms);
	finish(x);
	free(x);
}

void
http_exchange_connection(void *cls, struct MHD_Connection *mhd, void **context,
	enum MHD_ConnectionNotificationCode code)
{
	struct http_hall *h = cls;
	const union MHD_ConnectionInfo *info;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
		*context = info == NULL ? NULL : http_connection_of(h->door, info->connect_fd);
	} else if (*context != NULL) {
		http_connection_closed(h->door, *context);
		*context = NULL;
	}
}
