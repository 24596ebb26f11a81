/*
 * What an administrator has decided about a device: may it come in, and is it to be wiped. Kept in the
 * records, so that it outlives the rest of the state, and told by the device's id, so that it can be
 * decided before the device was ever seen.
 */
#ifndef STATE_RECORD_H
#define STATE_RECORD_H

#include "state/state.h"

/* Values are part of the format. */
enum state_approval {
	STATE_APPROVAL_NONE = 0,    /* nobody has decided: the configured rules do */
	STATE_APPROVAL_ALLOWED = 1, /* let in whatever the rules say */
	STATE_APPROVAL_BLOCKED = 2,
	STATE_APPROVAL_WAITING = 3, /* quarantined, and its user was told by mail */
};

enum state_wipe_kind { STATE_WIPE_NONE = 0, STATE_WIPE_ACCOUNT = 1, STATE_WIPE_DEVICE = 2 };

enum state_wipe_stage {
	STATE_WIPE_ASKED = 0,  /* by the administrator */
	STATE_WIPE_SENT = 1,   /* told to the device */
	STATE_WIPE_DONE = 2,   /* the device says that it has begun */
	STATE_WIPE_FAILED = 3, /* the device says that it cannot */
};

struct state_wipe {
	enum state_wipe_kind kind;
	enum state_wipe_stage stage;
	int64_t asked, changed; /* seconds since 1970 */
};

struct state_record {
	const char *device_id;
	enum state_approval approval;
	struct state_wipe wipe;
};

/* For people and programs: "by rule", "allowed", "blocked", "waiting"; "none", "account", "device"; "asked",
 * "sent", "done", "failed". */
const char *state_approval_name(enum state_approval approval);
const char *state_wipe_kind_name(enum state_wipe_kind kind);
const char *state_wipe_stage_name(enum state_wipe_stage stage);

/* What is decided about a user's device; everything 0 when nothing is. `user` is the name. */
enum mf_status state_record_load(struct state *st, const char *user, const char *device_id,
	struct state_record *out, struct mf_error *err);

/* Decides. STATE_APPROVAL_NONE forgets. */
enum mf_status state_approval_save(struct state *st, const char *user, const char *device_id,
	enum state_approval approval, struct mf_error *err);

/* Changes whenever something was decided, about whichever device and by whichever process: cheap to ask for again and
 * again. */
enum mf_status state_decisions(struct state *st, uint32_t *out, struct mf_error *err);

/* Asks for a wipe, notes how far it is, or (STATE_WIPE_NONE) cancels it. The times are set here. */
enum mf_status state_wipe_save(struct state *st, const char *user, const char *device_id,
	enum state_wipe_kind kind, enum state_wipe_stage stage, struct mf_error *err);

#endif
