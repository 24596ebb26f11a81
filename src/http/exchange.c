/*
 * Requests: filled from the library's callbacks, handed to the pool, answered. Knows HTTP, and of
 * ActiveSync only the struct that it fills.
 */
#include "http/exchange_inside.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "http/client_certificate.h"
#include "http/framing.h"
#include "http/intake.h"
#include "mailferry/log.h"

enum {
	DISCARD_FACTOR = 2 /* of the body's limit is read to deliver a refusal, then cut */
};

/* ---- Refusals: what http answers by itself, with one log line ---- */

void
exchange_refuse(struct exchange *x, unsigned status, const char *why)
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

enum MHD_Result
exchange_reply(struct exchange *x)
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
	exchange_refuse(x, status, why);
	x->close = true;
	x->connection->linger = body_coming;
	return exchange_reply(x);
}

/* ---- Begin ---- */

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
	x->request.id = http_intake_id(a, number);
	x->request.method = x->request.path = x->request.query = "";
	x->request.began = clock_ms();
	mf_buf_init(&x->request.answer.body, 0);
	return x;
}

/* ---- Header ---- */

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
	if (!http_intake_headers(x->mhd, r))
		return 400;
	r->peer = http_peer_client(
		r->arena, &h->trust, x->connection->peer, r->headers, r->n_headers);
	r->tls = x->connection->tls || x->connection->proxied_tls ||
		 http_peer_forwarded_tls(&h->trust, x->connection->peer, r->headers, r->n_headers);
	status = http_framing_check(r->headers, r->n_headers, strcmp(version, "HTTP/1.0") != 0,
		h->room.limit, framing, why);
	if (status != 0 && status != 413)
		return status;
	x->route = http_intake_route(h->routes, path);
	if (x->route != NULL)
		return status;
	*why = "no such address";
	return 404;
}

/* Once a connection: its handshake is over by now. */
static const char *
by_handshake(struct exchange *x)
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

/* What a trusted proxy shows; of two headers one may be the client's own, so that neither counts. */
static const char *
by_header(const struct exchange *x, const char *header)
{
	const struct eas_request *r = &x->request;
	const char *shown = NULL, *copy;
	unsigned n = 0;
	char *name;

	for (size_t i = 0; i < r->n_headers; i++) {
		if (!str_ieq(r->headers[i].name, header))
			continue;
		shown = r->headers[i].value;
		n++;
	}
	if (n != 1)
		return NULL;
	name = http_client_shown(shown, x->hall->conf, r->peer);
	copy = mf_strdup(r->arena, name);
	free(name);
	return copy;
}

/* The certificate of a proxy's own connection is not its client's. */
static const char *
certified(struct exchange *x)
{
	const char *header = mf_conf_string(x->hall->conf, "client_certificate_header");
	bool shows = *header != '\0' && http_trusted(&x->hall->trust, x->connection->peer);

	return shows ? by_header(x, header) : by_handshake(x);
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
	status = fill(x, method, version, &framing, &why);
	if (status == 0)
		x->request.certified = certified(x);
	body_coming = !framing.expects && (framing.length > 0 || framing.chunked);
	if ((status == 0 || status == 413) && refused_by_route(x, framing.length)) {
		x->close = true;
		x->connection->linger = body_coming;
		return exchange_reply(x);
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
		exchange_refuse(x, st == MF_TOO_LARGE ? 413 : 503, err.text);
	http_body_deinit(&x->body);
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
		return n > 0 ? take_body(x, data, n) : exchange_hand_over(x);
	case STAGE_ANSWERED:
		return exchange_reply(x);
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
		exchange_release(x);
		return;
	}
	assert(x->stage != STAGE_RUNNING);
	if (x->connection != NULL)
		http_connection_deadline(h->door, x->connection, h->idle_ms + h->header_ms);
	exchange_finish(x);
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
