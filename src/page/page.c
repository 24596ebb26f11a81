/* Opening and closing the pages' servers. */
#include "page/page.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "page/view.h"

enum { WORKERS = 4, QUEUE = 200 };

/* Before it is read: forms are small. */
static bool
refuse_large(struct eas_request *r, uint64_t length)
{
	if (length <= VIEW_FORM_MAX)
		return false;
	r->answer.http_status = 413;
	return true;
}

static const struct http_route admin_routes[] = {
	{ "/*", admin_run, eas_request_deinit, refuse_large },
	{ 0 },
};
static const struct http_route self_routes[] = {
	{ "/*", self_run, eas_request_deinit, refuse_large },
	{ 0 },
};

static bool
listens(const struct mf_conf *top, const char *name)
{
	return mf_conf_list(top, name)[0] != NULL;
}

enum mf_status
page_validate(const struct mf_conf *top, struct mf_error *err)
{
	const char *hash = mf_conf_string(top, "admin_password");

	if (listens(top, "admin_listen") && *hash == '\0')
		return mf_fail(err, MF_INVALID,
			"admin_listen needs admin_password: `mailferry password` makes one");
	if (*hash != '\0' && (*hash != '$' || strlen(hash) < 20))
		return mf_fail(err, MF_INVALID,
			"admin_password is not a hash: put in what `mailferry password` prints");
	return MF_OK;
}

static enum mf_status
open_server(struct page *p, const char *setting, const struct http_route *routes,
	struct http_server **out, struct mf_error *err)
{
	const struct http_places places = { setting, NULL, false, NULL };

	return listens(p->o.conf, setting)
		       ? http_server_open(p->o.conf, &places, routes, &p->eas, p->pool, out, err)
		       : MF_OK;
}

enum mf_status
page_open(const struct page_options *o, struct page **out, struct mf_error *err)
{
	struct page *p;
	enum mf_status st = page_validate(o->conf, err);

	*out = NULL;
	if (st != MF_OK || (!listens(o->conf, "admin_listen") && !listens(o->conf, "self_listen")))
		return st;
	p = calloc(1, sizeof(*p));
	if (p == NULL)
		abort();
	p->o = *o;
	p->began = clock_wall();
	p->eas = (struct eas_server){
		.conf = o->conf, .state = o->state, .backends = o->backends, .limits = o->limits
	};
	p->admin_sessions = sessions_new();
	p->self_sessions = sessions_new();
	p->pool = work_pool_new(WORKERS, QUEUE);
	st = p->pool == NULL ? mf_fail(err, MF_TEMPORARY, "no thread can be started") : MF_OK;
	if (st == MF_OK)
		st = open_server(p, "admin_listen", admin_routes, &p->admin, err);
	if (st == MF_OK)
		st = open_server(p, "self_listen", self_routes, &p->self, err);
	if (st == MF_OK)
		*out = p;
	else
		page_close(p);
	return st;
}

void
page_close(struct page *p)
{
	struct mf_error err;

	if (p == NULL)
		return;
	if (p->admin != NULL && http_server_stop(p->admin, 1000, &err) == MF_OK)
		http_server_free(p->admin);
	if (p->self != NULL && http_server_stop(p->self, 1000, &err) == MF_OK)
		http_server_free(p->self);
	work_pool_free(p->pool);
	sessions_free(p->admin_sessions);
	sessions_free(p->self_sessions);
	free(p);
}

unsigned
page_admin_port(const struct page *p)
{
	return p->admin == NULL ? 0 : http_server_port(p->admin, 0);
}

unsigned
page_self_port(const struct page *p)
{
	return p->self == NULL ? 0 : http_server_port(p->self, 0);
}
