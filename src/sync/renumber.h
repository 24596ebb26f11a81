/*
 * A folder's ids began anew: which item is which. The only place that recognises items. Knows backends
 * and the state; must not know ActiveSync.
 */
#ifndef SYNC_RENUMBER_H
#define SYNC_RENUMBER_H

#include "mailferry/backend.h"
#include "state/state.h"

struct sync_renumbering {
	struct state *state;
	uint32_t user, number;		/* the folder's number */
	const struct mf_store_api *api; /* of the backend itself */
	struct mf_session *session;
	const char *folder; /* the backend's id */
};

/* Does the stored numbering hold? MF_RESYNC: the ids began anew since. MF_OK also when there is none.
 * Cheap where the backend tells epochs. */
enum mf_status sync_renumber_check(const struct sync_renumbering *x, struct mf_error *err);

/* Makes the stored numbering hold: recognises what it can, unless another request did so already. */
enum mf_status sync_renumber(const struct sync_renumbering *x, struct mf_error *err);

/* Remembers where a folder stood that was listed for the first time; nothing when that is known. */
enum mf_status sync_renumber_begin(
	const struct sync_renumbering *x, struct mf_bytes cursor, struct mf_error *err);

#endif
