/*
 * A store whose items keep their ids when a folder's ids begin anew (UIDVALIDITY changed): another
 * store's calls with the ids of state/numbering.h. All that is above sees these ids only.
 *
 * `changes` still says MF_RESYNC then, so that the caller begins again with an empty cursor; but the
 * items that could be recognised have the ids that they had before.
 */
#ifndef SYNC_NUMBERED_H
#define SYNC_NUMBERED_H

#include "mailferry/backend.h"
#include "state/state.h"

extern const struct mf_store_api sync_numbered_api;

/* A session for sync_numbered_api over one of `api`; store: the backend's name, as folders have it.
 * The caller closes it before it gives the inner one back. */
enum mf_status sync_numbered_open(struct state *state, uint32_t user, const char *store,
	const struct mf_store_api *api, struct mf_session *inner, struct mf_session **out,
	struct mf_error *err);
/* Gives the inner session; NULL is fine and gives NULL. */
struct mf_session *sync_numbered_close(struct mf_session *s);

#endif
