/*
 * The numbers under which one session shows items, for numbered.c. A folder without a map shows them under
 * their ids. One thread, as the session.
 */
#ifndef SYNC_NUMBERED_MAPS_H
#define SYNC_NUMBERED_MAPS_H

#include "mailferry/backend.h"
#include "state/state.h"
#include "sync/numbers.h"

struct numbered_map {
	const char *folder; /* the backend's id */
	struct sync_numbers numbers;
};

struct numbered {
	struct state *state;
	uint32_t user;
	const char *store;
	const struct mf_store_api *api;
	struct mf_session *inner;
	struct mf_arena *a;	   /* of it all */
	struct numbered_map *maps; /* only of folders that are shown otherwise than they are */
	size_t n;
	const char **sure; /* folders whose numbers were seen to hold */
	size_t n_sure, max_sure;
};

struct numbered *numbered_of(struct mf_session *s);

/* Reads the maps of all folders of the store. */
enum mf_status numbered_load(struct numbered *s, struct mf_error *err);

/* NULL: the folder's items are shown under their ids. */
const struct sync_numbers *numbered_map(const struct numbered *s, const char *folder);

/* The same, once it is sure to hold. */
enum mf_status numbered_sure_map(struct numbered *s, const char *folder,
	const struct sync_numbers **out, struct mf_error *err);

/* Has the folder begun anew since its numbers were given? Then they are renewed. */
enum mf_status numbered_check(struct numbered *s, const char *folder, struct mf_error *err);
/* From now on they hold without a check. */
void numbered_be_sure(struct numbered *s, const char *folder);

/* The folder has begun anew: its items are recognised and numbered. */
enum mf_status numbered_renew(struct numbered *s, const char *folder, struct mf_error *err);

/* The folder was listed up to this cursor. */
enum mf_status numbered_begin(
	struct numbered *s, const char *folder, const struct mf_buf *cursor, struct mf_error *err);

/* ---- numbered_move.c ---- */

/* mf_store_api.move: moves those that there are; the others are gone. What the state keeps of flags and verbs
 * follows. */
enum mf_status numbered_move(struct mf_session *session, const char *from, const char *to,
	struct mf_move *moves, size_t n, struct mf_error *err);

#endif
