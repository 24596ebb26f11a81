/* What the files of this layer share: the opened state, and the rows that more than one of them reads. */
#ifndef STATE_STORE_H
#define STATE_STORE_H

#include "state/codec.h"
#include "state/device.h"
#include "state/folder.h"
#include "state/keys.h"
#include "state/numbering.h"
#include "state/state.h"

enum { STATE_FORMAT = 1 };

struct state {
	struct kv *kv[STATE_STORES];
	int lock; /* descriptor that holds the daemon's lock; -1: none */
};

/* What the stores are called in the directory. */
struct state_store_name {
	const char *name;
	const char *advice; /* when its format is unknown */
};
extern const struct state_store_name state_stores[STATE_STORES];

/* ---- store.c: the directory ---- */

enum mf_status state_directory_make(const char *path, struct mf_error *err);
/* So that new files are found again after a power cut. */
void state_directory_flush(const char *path);
/* Gives what root made of a store to the owner of the directory. */
void state_directory_adopt(const char *directory, const char *store);
/* The daemon's lock, a descriptor; MF_EXISTS: somebody has it. */
enum mf_status state_lock(const char *directory, int *out, struct mf_error *err);

/* "state: <what> of user <n> makes no sense" */
enum mf_status state_broken(struct mf_error *err, const char *what, uint32_t user);

/* A random number below `below` (not 0). */
uint64_t state_random(uint64_t below);

/* A key of user and space with a number behind them. */
void state_key_of(struct state_key *k, uint32_t user, enum state_space space, uint32_t number);

/* ---- user.c: the user's row, with the numbers that were given last ---- */

struct user_row {
	const char *name;
	int64_t created;
	uint32_t last_device, last_folder;
};

bool user_row_decode(struct mf_bytes row, struct mf_arena *a, struct user_row *out);
/* MF_GONE: no such user (removed meanwhile). */
enum mf_status user_row_load(struct kv_txn *t, uint32_t user, struct mf_arena *a,
	struct user_row *out, struct mf_error *err);
void user_row_save(struct kv_txn *t, uint32_t user, const struct user_row *row);

/* ---- device.c ---- */

bool device_row_decode(struct mf_bytes row, struct mf_arena *a, struct state_device *out);
/* In the caller's transaction: the value of a blob replaced, or removed when it is empty. */
void blob_put(struct kv_txn *t, uint32_t user, uint32_t device, int which, struct mf_bytes value);
bool device_exists(struct kv_txn *t, uint32_t user, uint32_t device);
/* Removes a device that was not seen since `before` (INT64_MAX: in any case), and tells whether. */
enum mf_status device_remove_before(struct state *st, uint32_t user, uint32_t device,
	int64_t before, bool *removed, struct mf_error *err);

/* ---- folder.c ---- */

bool folder_row_decode(struct mf_bytes row, struct mf_arena *a, struct state_folder *out);
/* Forgets folders gone since before `before`, with what devices hold of them. */
enum mf_status folder_collect(
	struct state *st, uint32_t user, int64_t before, uint64_t *removed, struct mf_error *err);

/* ---- hierarchy.c, collection.c, meeting.c, ledger.c, move.c, conversation_rows.c, rule.c, password.c ---- */

bool hierarchy_row_ok(struct mf_bytes row, struct mf_arena *a);
bool collection_row_ok(struct mf_bytes key, struct mf_bytes row);
bool flag_row_ok(struct mf_bytes row, struct mf_arena *a);
bool meeting_row_ok(struct mf_bytes row, struct mf_arena *a);
bool numbering_row_ok(struct mf_bytes row, struct mf_arena *a);
bool identity_row_ok(struct mf_bytes key, struct mf_bytes row);
/* In the caller's transaction: what items (ascending) are recognised by. */
void identities_put(struct kv_txn *t, uint32_t user, uint32_t folder,
	const struct state_identity *list, size_t n);
bool ledger_row_ok(struct mf_bytes key, struct mf_bytes row);
bool move_row_ok(struct mf_bytes key, struct mf_bytes row);
bool conversation_row_ok(struct mf_bytes key, struct mf_bytes row); /* of any of its spaces */
bool rule_row_ok(struct mf_bytes key, struct mf_bytes row, struct mf_arena *a);
bool password_row_ok(struct mf_bytes key, struct mf_bytes row, struct mf_arena *a);
enum mf_status move_collect(
	struct state *st, uint32_t user, uint64_t *removed, struct mf_error *err);

#endif
