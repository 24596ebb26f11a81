/* Small named things kept for a device, opaque here: one row a name. */
#ifndef STATE_BLOB_H
#define STATE_BLOB_H

#include "mailferry/bytes.h"
#include "state/state.h"

/* Values are part of the format. */
enum state_blob {
	STATE_BLOB_SYNC_REQUEST = 1, /* the last Sync request, for empty and Partial ones */
	STATE_BLOB_PING = 2,	     /* the last Ping's folders and heartbeat */
	STATE_BLOB_POLICY = 3,
	STATE_BLOB_SEARCH = 8, /* what the last Search or Find found */
	STATE_BLOB_RECENT = 9, /* whom the user has written to lately */
	STATE_BLOB_AWAY = 10, /* whom the out-of-office replies know, if this device has set them */
};

enum { STATE_BLOB_MAX = 256 * 1024 };

/* An empty result when there is none. */
enum mf_status state_blob_load(struct state *st, uint32_t user, uint32_t device,
	enum state_blob which, struct mf_arena *a, struct mf_bytes *out, struct mf_error *err);

/* Replaces it; an empty value removes it. An equal value writes nothing. MF_TOO_LARGE over
 * STATE_BLOB_MAX; MF_GONE: the device was removed meanwhile. */
enum mf_status state_blob_save(struct state *st, uint32_t user, uint32_t device,
	enum state_blob which, struct mf_bytes value, struct mf_error *err);

#endif
