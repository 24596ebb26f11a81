/* See facet.h. */
#include "eas/facet.h"

#include "backend/session.h"
#include "base/clock.h"

enum {
	SESSION_WAIT_MS = 10 * 1000,
	AGAIN_MS = 1000, /* what failed sooner had an old connection */
};

static enum mf_status
get_session(struct facet *f, struct mf_error *err)
{
	enum mf_status st = backend_session_get(f->r->server->backends, f->which, &f->r->login,
		clock_ms() + SESSION_WAIT_MS, &f->session, &f->api, err);
	if (st != MF_OK)
		f->api = NULL;
	return st;
}

enum mf_status
facet_open(struct facet *f, struct eas_request *r, enum backend_facet which, struct mf_error *err)
{
	*f = (struct facet){ .r = r, .which = which };
	enum mf_status st = get_session(f, err);
	return st == MF_UNSUPPORTED ? MF_OK : st;
}

void
facet_close(struct facet *f)
{
	backend_session_put(f->r->server->backends, f->session);
	f->session = NULL;
}

enum mf_status
facet_ask(struct facet *f, facet_fn *fn, void *ctx, struct mf_error *err)
{
	int64_t since = clock_ms();
	enum mf_status st = fn(f, ctx, err);
	if (st != MF_TEMPORARY || clock_ms() - since > AGAIN_MS)
		return st;
	facet_close(f);
	st = get_session(f, err);
	return st == MF_OK ? fn(f, ctx, err) : st;
}
