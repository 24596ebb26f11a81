/*
 * One generation of one collection: where the server stood (cursor), what the device holds, and what
 * it has still to be told. A SyncKey names a generation; this is its content.
 *
 * The next answer is computed from these alone: told what is in `gone`, `changed` and `adds`, in this
 * order, as far as the window goes. Knows neither LMDB nor ActiveSync.
 */
#ifndef SYNC_SNAPSHOT_H
#define SYNC_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "mailferry/backend.h"
#include "sync/held.h"

/* A client's Add that was carried out: a repeat with the same ClientId creates nothing. */
struct sync_client_add {
	char *client_id; /* owned */
	uint64_t id;
};

enum { SYNC_CLIENT_ADDS_MAX = 512 };

struct sync_snapshot {
	struct mf_buf cursor;	  /* of the backend; empty before the first look */
	uint32_t filter;	  /* FilterType that the rest was computed for */
	bool conversations;	  /* ConversationMode that the rest was computed for */
	int64_t aged;		  /* day number (UTC) of the last ageing */
	struct sync_held held;	  /* what the device holds */
	struct mf_idset adds;	  /* in the window, not yet sent */
	struct mf_idset gone;	  /* held, but no longer there: Delete */
	struct mf_idset aged_out; /* held, but no longer in the window: SoftDelete */
	struct sync_held changed; /* held with another mark: what the device should have */
	struct sync_client_add *client_adds;
	size_t n_client_adds;
	size_t events; /* taken in since it was read, listings weigh more; not stored */
};

void sync_snapshot_init(struct sync_snapshot *s);
void sync_snapshot_deinit(struct sync_snapshot *s);

/* The row of the state. Decode replaces s; MF_BROKEN: not a row of this version. */
void sync_snapshot_encode(const struct sync_snapshot *s, struct mf_buf *out);
enum mf_status sync_snapshot_decode(
	struct sync_snapshot *s, struct mf_bytes row, struct mf_error *err);

/* Takes in one event of the backend's changes. since: start of the window (0: none). */
void sync_snapshot_event(struct sync_snapshot *s, const struct mf_event *e, int64_t since);

/* All ids that the snapshot speaks of: what mf_changes.known wants. */
void sync_snapshot_known(const struct sync_snapshot *s, struct mf_idset *out);

/* Forgets what is pending and the cursor, not what the device holds. */
void sync_snapshot_restart(struct sync_snapshot *s);

/* Anything to tell? */
bool sync_snapshot_pending(const struct sync_snapshot *s);
uint64_t sync_snapshot_pending_count(const struct sync_snapshot *s);

/* A full listing of what is in the window now: what is held but not in it becomes aged_out (or gone, when
 * `exists` says that it is not in the folder at all), what is in it but unknown becomes an add. */
void sync_snapshot_relist(
	struct sync_snapshot *s, const struct mf_idset *in_window, const struct mf_idset *exists);

/* Remembers a client's Add; the oldest are forgotten beyond SYNC_CLIENT_ADDS_MAX. */
void sync_snapshot_client_add(struct sync_snapshot *s, const char *client_id, uint64_t id);
/* The id of an earlier Add; 0 when there was none. */
uint64_t sync_snapshot_client_added(const struct sync_snapshot *s, const char *client_id);

#endif
