/* Sessions of the store. Must not know commands. */
#include "eas/store.h"

#include "backend/session.h"
#include "base/clock.h"
#include "sync/numbered.h"

enum mf_status
eas_store_open(struct eas_request *r, int64_t wait_ms, struct mf_error *err)
{
	const struct mf_backend_api *api;
	struct mf_session *inner;
	enum mf_status st = backend_session_get(r->server->backends, BACKEND_STORE, &r->login,
		clock_ms() + wait_ms, &inner, &api, err);

	if (st != MF_OK)
		return st;
	st = sync_numbered_open(
		r->server->state, r->user_number, api->name, api->store, inner, &r->store, err);
	if (st != MF_OK) {
		backend_session_put(r->server->backends, inner);
		return st;
	}
	r->store_api = &sync_numbered_api;
	r->store_name = api->name;
	return MF_OK;
}

enum mf_status
eas_store_need(struct eas_request *r, struct mf_error *err)
{
	enum { WAIT_MS = 20000 };

	return r->store != NULL ? MF_OK : eas_store_open(r, WAIT_MS, err);
}

void
eas_store_close(struct eas_request *r)
{
	backend_session_put(r->server->backends, sync_numbered_close(r->store));
	r->store = NULL;
}
