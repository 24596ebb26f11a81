/*
 * Bringing a collection up to date with its backend: the only place where sync talks to a store. Knows
 * windows of time and cursors; must not know elements, keys or LMDB.
 */
#ifndef SYNC_ENGINE_H
#define SYNC_ENGINE_H

#include "mailferry/backend.h"
#include "state/state.h"
#include "sync/snapshot.h"

/* A store's session and the folder in it. */
struct sync_source {
	const struct mf_store_api *api;
	struct mf_session *session;
	const char *folder; /* the backend's id */
	bool lasting; /* items that are still there keep their ids beyond MF_RESYNC (numbered.h) */
};

/* What the client asks to see. */
struct sync_scope {
	uint32_t filter; /* FilterType, MS-ASCMD 2.2.3.68.2: 0 all, 1 to 5 a day to a month */
	int64_t now;	 /* seconds since 1970 */
	/* ConversationMode: what is in one conversation with something in the window is in it, too. The
	 * conversations are looked up in the state (NULL: none are known). */
	bool conversations;
	struct state *state;
	uint32_t user, folder; /* numbers there */
};

/* The start of the window, 0 for all. Whole days are not rounded. */
int64_t sync_scope_since(const struct sync_scope *scope);

/* Takes in what happened since the snapshot's cursor, widens or narrows it when the scope changed, and
 * once a day ages out what left the window (in conversations: when all of one did). When the
 * folder's ids began anew (UIDVALIDITY), what the client holds is compared with what is there;
 * MF_RESYNC: of many items none was recognised, the client must begin
 * again. */
enum mf_status sync_engine_refresh(const struct sync_source *source, struct sync_snapshot *s,
	const struct sync_scope *scope, struct mf_error *err);

/* After a refresh: did it do work that would be done again (a listing, many events), so that the
 * snapshot is worth storing although there is nothing to tell? */
bool sync_engine_worth_storing(const struct sync_snapshot *s);

/* Cheaply: did anything happen in the folder since the snapshot's cursor? May say yes wrongly. */
enum mf_status sync_engine_stirred(const struct sync_source *source, const struct sync_snapshot *s,
	bool *out, struct mf_error *err);

#endif
