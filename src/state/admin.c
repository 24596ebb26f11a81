/* What runs over all users: counting, checking, collecting. Knows the kinds of rows, not their use. */
#include <inttypes.h>
#include <stdlib.h>

#include "state/ledger.h"
#include "state/store.h"
#include "state/user.h"

/* ---- Which rows there may be, and whether one makes sense ---- */

static bool
number_ok(struct mf_bytes key, struct mf_bytes row, struct mf_arena *a)
{
	(void)key;
	(void)a;
	return row.len == 4;
}

static bool
user_ok(struct mf_bytes key, struct mf_bytes row, struct mf_arena *a)
{
	struct user_row u;

	return key.len == STATE_KEY_FIELDS && user_row_decode(row, a, &u);
}

static bool
device_ok(struct mf_bytes key, struct mf_bytes row, struct mf_arena *a)
{
	struct state_device d;

	return key.len == STATE_KEY_FIELDS + 4 && device_row_decode(row, a, &d);
}

static bool
folder_ok(struct mf_bytes key, struct mf_bytes row, struct mf_arena *a)
{
	struct state_folder f;

	return key.len == STATE_KEY_FIELDS + 4 && folder_row_decode(row, a, &f);
}

static bool
hierarchy_ok(struct mf_bytes key, struct mf_bytes row, struct mf_arena *a)
{
	return key.len == STATE_KEY_FIELDS + 4 + 1 && hierarchy_row_ok(row, a);
}

static bool
collection_ok(struct mf_bytes key, struct mf_bytes row, struct mf_arena *a)
{
	(void)a;
	return collection_row_ok(key, row);
}

static bool
ledger_ok(struct mf_bytes key, struct mf_bytes row, struct mf_arena *a)
{
	(void)a;
	return ledger_row_ok(key, row);
}

static bool
move_ok(struct mf_bytes key, struct mf_bytes row, struct mf_arena *a)
{
	(void)a;
	return move_row_ok(key, row);
}

static bool
conversation_ok(struct mf_bytes key, struct mf_bytes row, struct mf_arena *a)
{
	(void)a;
	return conversation_row_ok(key, row);
}

static bool
rule_ok(struct mf_bytes key, struct mf_bytes row, struct mf_arena *a)
{
	return rule_row_ok(key, row, a);
}

static bool
any_ok(struct mf_bytes key, struct mf_bytes row, struct mf_arena *a)
{
	(void)key;
	(void)row;
	(void)a;
	return true;
}

enum { IN_SYNC = 1 << STATE_SYNC, IN_RECORDS = 1 << STATE_RECORDS, IN_BOTH = 3 };

static bool
flags_ok(struct mf_bytes key, struct mf_bytes row, struct mf_arena *a)
{
	return key.len == STATE_KEY_FIELDS + 4 && flag_row_ok(row, a);
}

static bool
meetings_ok(struct mf_bytes key, struct mf_bytes row, struct mf_arena *a)
{
	return key.len == STATE_KEY_FIELDS && meeting_row_ok(row, a);
}

static bool
numbering_ok(struct mf_bytes key, struct mf_bytes row, struct mf_arena *a)
{
	return key.len == STATE_KEY_FIELDS + 4 && numbering_row_ok(row, a);
}

static bool
identity_ok(struct mf_bytes key, struct mf_bytes row, struct mf_arena *a)
{
	(void)a;
	return identity_row_ok(key, row);
}

static const struct kind {
	enum state_space space;
	const char *name;
	unsigned stores;
	bool (*ok)(struct mf_bytes key, struct mf_bytes row, struct mf_arena *a);
} kinds[] = {
	{ STATE_SPACE_FORMAT, "format", IN_BOTH, number_ok },
	{ STATE_SPACE_LAST_USER, "last user", IN_BOTH, number_ok },
	{ STATE_SPACE_USER_NAME, "user name", IN_BOTH, number_ok },
	{ STATE_SPACE_DECISIONS, "decisions", IN_RECORDS, number_ok },
	{ STATE_SPACE_USER, "user", IN_BOTH, user_ok },
	{ STATE_SPACE_DEVICE_ID, "device id", IN_SYNC, number_ok },
	{ STATE_SPACE_DEVICE, "device", IN_SYNC, device_ok },
	{ STATE_SPACE_FOLDER, "folder", IN_SYNC, folder_ok },
	{ STATE_SPACE_HIERARCHY, "hierarchy", IN_SYNC, hierarchy_ok },
	{ STATE_SPACE_COLLECTION, "collection", IN_SYNC, collection_ok },
	{ STATE_SPACE_BLOB, "blob", IN_SYNC, any_ok },
	{ STATE_SPACE_MOVE, "move", IN_SYNC, move_ok },
	{ STATE_SPACE_CONVERSATION_NAME, "conversation name", IN_SYNC, conversation_ok },
	{ STATE_SPACE_CONVERSATION_SET, "conversation", IN_SYNC, conversation_ok },
	{ STATE_SPACE_CONVERSATION_MEMBER, "conversation member", IN_SYNC, conversation_ok },
	{ STATE_SPACE_CONVERSATION_CHUNK, "conversation chunk", IN_SYNC, conversation_ok },
	{ STATE_SPACE_CONVERSATION_FOLDER, "conversation folder", IN_SYNC, conversation_ok },
	{ STATE_SPACE_CONVERSATION_LAST, "last conversation", IN_SYNC, number_ok },
	{ STATE_SPACE_CONVERSATION_SWEEP, "sweep of conversations", IN_SYNC, conversation_ok },
	{ STATE_SPACE_FLAG, "flags", IN_SYNC, flags_ok },
	{ STATE_SPACE_VERB, "verbs", IN_SYNC, flags_ok },
	{ STATE_SPACE_MEETING, "meetings", IN_SYNC, meetings_ok },
	{ STATE_SPACE_NUMBERING, "numbering", IN_SYNC, numbering_ok },
	{ STATE_SPACE_IDENTITY, "identities", IN_SYNC, identity_ok },
	{ STATE_SPACE_LEDGER, "ledger", IN_RECORDS, ledger_ok },
	{ STATE_SPACE_RULE, "rule", IN_RECORDS, rule_ok },
	{ STATE_SPACE_APPROVAL, "approval", IN_RECORDS, any_ok },
	{ STATE_SPACE_WIPE, "wipe", IN_RECORDS, any_ok },
	{ STATE_SPACE_PASSWORD, "password", IN_RECORDS, password_row_ok },
	{ STATE_SPACE_OUT_OF_OFFICE, "out of office", IN_RECORDS, any_ok },
	{ STATE_SPACE_RECOVERY, "recovery password", IN_RECORDS, any_ok },
};

static const struct kind *
kind_of(struct mf_bytes key, enum state_store store)
{
	if (key.len < STATE_KEY_FIELDS)
		return NULL;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (key.data[STATE_KEY_FIELDS - 1] == kinds[i].space)
			return (kinds[i].stores & 1U << store) != 0 ? &kinds[i] : NULL;
	}
	return NULL;
}

/* ---- Checking ---- */

struct checking {
	enum state_store store;
	void (*problem)(void *ctx, const char *line);
	void *ctx;
	uint64_t rows, problems;
};

static bool
check_row(void *ctx, struct mf_bytes key, struct mf_bytes row)
{
	struct checking *c = ctx;
	struct mf_arena *a = mf_arena_new();
	const struct kind *kind = kind_of(key, c->store);
	const char *store = c->store == STATE_SYNC ? "sync" : "records";

	c->rows++;
	if (kind == NULL || !kind->ok(key, row, a)) {
		c->problems++;
		c->problem(c->ctx,
			mf_printf(a,
				"%s: row %" PRIu64 " (%s of user %u, %zu bytes) makes no sense",
				store, c->rows, kind != NULL ? kind->name : "unknown kind",
				key.len >= 4 ? state_key_read_u32(key, 0) : 0, row.len));
	}
	mf_arena_free(a);
	return true;
}

static enum mf_status
check(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	(void)err;
	kv_scan(t, mf_bytes(NULL, 0), mf_bytes(NULL, 0), check_row, ctx);
	return MF_OK;
}

enum mf_status
state_verify(struct state *st, void (*problem)(void *ctx, const char *line), void *ctx,
	struct mf_error *err)
{
	struct checking c = { .problem = problem, .ctx = ctx };
	enum mf_status status = MF_OK;

	for (int i = 0; i < STATE_STORES && status == MF_OK; i++) {
		c.store = (enum state_store)i;
		c.rows = 0;
		status = kv_read(st->kv[i], check, &c, err);
	}
	if (status == MF_OK && c.problems > 0)
		status = mf_fail(
			err, MF_BROKEN, "state: %" PRIu64 " rows make no sense", c.problems);
	return status;
}

/* ---- Counting ---- */

static bool
count_row(void *ctx, struct mf_bytes key, struct mf_bytes row)
{
	struct state_stats *s = ctx;

	(void)row;
	switch (key.len < STATE_KEY_FIELDS ? 0 : key.data[STATE_KEY_FIELDS - 1]) {
	case STATE_SPACE_USER:
		s->users++;
		break;
	case STATE_SPACE_DEVICE:
		s->devices++;
		break;
	case STATE_SPACE_FOLDER:
		s->folders++;
		break;
	case STATE_SPACE_COLLECTION: /* of its rows, the first slot stands for it */
		s->collections += key.data[key.len - 1] == 0;
		break;
	default:
		break;
	}
	return true;
}

static enum mf_status
count(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	(void)err;
	kv_scan(t, mf_bytes(NULL, 0), mf_bytes(NULL, 0), count_row, ctx);
	return MF_OK;
}

enum mf_status
state_stats(struct state *st, struct state_stats *out, struct mf_error *err)
{
	enum mf_status status;

	*out = (struct state_stats){ 0 };
	status = kv_read(st->kv[STATE_SYNC], count, out, err);
	return status == MF_OK ? state_sizes(st, out->store, err) : status;
}

enum mf_status
state_sizes(struct state *st, struct kv_stats out[STATE_STORES], struct mf_error *err)
{
	enum mf_status status = MF_OK;

	for (int i = 0; i < STATE_STORES && status == MF_OK; i++)
		status = kv_stats(st->kv[i], &out[i], err);
	return status;
}

/* ---- Collecting ---- */

static enum mf_status
collect_devices(struct state *st, const struct state_user *user, int64_t before,
	struct state_collected *out, struct mf_arena *a, struct mf_error *err)
{
	struct state_device *devices;
	size_t n;
	enum mf_status status = state_devices(st, user->number, a, &devices, &n, err);

	for (size_t i = 0; i < n && status == MF_OK; i++) {
		bool removed = false;

		if (devices[i].last_seen < before)
			status = device_remove_before(
				st, user->number, devices[i].number, before, &removed, err);
		out->devices += removed;
	}
	return status;
}

static enum mf_status
collect_user(struct state *st, const struct state_user *user, int64_t before,
	struct state_collected *out, struct mf_error *err)
{
	struct mf_arena *a = mf_arena_new();
	uint64_t folders = 0, moves = 0;
	enum mf_status status = collect_devices(st, user, before, out, a, err);

	if (status == MF_OK)
		status = folder_collect(st, user->number, before, &folders, err);
	if (status == MF_OK)
		status = move_collect(st, user->number, &moves, err);
	out->folders += folders;
	out->moves += moves;
	mf_arena_free(a);
	return status;
}

enum mf_status
state_collect(struct state *st, int64_t before, struct state_collected *out, struct mf_error *err)
{
	struct state_collected done = { 0 };
	struct mf_arena *a = mf_arena_new();
	struct state_user *users;
	size_t n = 0;
	enum mf_status status = state_users(st, STATE_RECORDS, a, &users, &n, err);

	for (size_t i = 0; i < n && status == MF_OK; i++) {
		uint64_t mails;

		status = state_ledger_collect(st, users[i].number, &mails, err);
	}
	if (status == MF_OK)
		status = state_users(st, STATE_SYNC, a, &users, &n, err);
	for (size_t i = 0; i < n && status == MF_OK; i++)
		status = collect_user(st, &users[i], before, &done, err);
	mf_arena_free(a);
	if (out != NULL)
		*out = done;
	return status;
}
