/*
 * Recovery passwords of devices (MS-ASCMD 2.2.3.46): with one its owner, or an administrator, opens a device whose
 * password is forgotten. Kept in the records, one a device, sealed: this layer keeps bytes, eas/recovery.h knows what is in them.
 */
#ifndef STATE_RECOVERY_H
#define STATE_RECOVERY_H

#include "mailferry/bytes.h"
#include "state/state.h"

enum { STATE_RECOVERY_MAX = 1024 };

/* Keeps it instead of what there was; empty forgets it. `user` is the name. MF_INVALID: over STATE_RECOVERY_MAX, or no
 * device's id. */
enum mf_status state_recovery_save(struct state *st, const char *user, const char *device_id,
	struct mf_bytes sealed, struct mf_error *err);

/* In the arena. MF_GONE: none is kept. */
enum mf_status state_recovery_load(struct state *st, const char *user, const char *device_id,
	struct mf_arena *a, struct mf_bytes *out, struct mf_error *err);

#endif
