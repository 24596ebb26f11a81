/* state: backup and restore, compaction, formats of older versions. */
#include "state/keys.h"
#include "state/lmdb_env.h"
#include "state/migrate.h"
#include "state/device.h"
#include "state/record.h"
#include "state/rule.h"
#include "state/user.h"
#include "unit/state_help.h"

#include <sys/stat.h>

static struct mf_error err;

static const char *
in(const char *dir, const char *name)
{
	static char path[4][300];
	static unsigned next;
	char *to = path[next++ % 4];

	snprintf(to, sizeof(path[0]), "%s/%s", dir, name);
	return to;
}

static enum state_approval
approval(struct state *st, const char *device)
{
	struct state_record r;

	cr_assert_eq(state_record_load(st, "anna", device, &r, &err), MF_OK, "%s", err.text);
	return r.approval;
}

static bool
knows(struct state *st, const char *user)
{
	uint32_t n;

	return state_user_find(st, STATE_SYNC, user, &n, &err) == MF_OK;
}

/* A state with something in both stores, and a backup of it; then more is decided. */
static char *
prepare(char *backup, size_t size, bool records_only)
{
	char *dir = state_help_directory();
	struct state *st = state_help_open(dir);
	struct stat sb;
	uint32_t n;

	snprintf(backup, size, "%s/copy", dir);
	cr_assert_eq(state_user_number(st, STATE_SYNC, "anna", &n, &err), MF_OK);
	cr_assert_eq(state_approval_save(st, "anna", "D1", STATE_APPROVAL_BLOCKED, &err), MF_OK);
	cr_assert_eq(state_backup(st, backup, records_only, &err), MF_OK, "%s", err.text);
	cr_assert_eq(stat(in(backup, "records/data.mdb"), &sb), 0);
	cr_assert_eq(sb.st_mode & 0777, 0600, "for the owner only: %o", sb.st_mode);
	cr_assert_eq(state_user_number(st, STATE_SYNC, "later", &n, &err), MF_OK);
	cr_assert_eq(state_approval_save(st, "anna", "D2", STATE_APPROVAL_BLOCKED, &err), MF_OK);
	state_close(st);
	return dir;
}

Test(state_backup, restores)
{
	static const struct {
		const char *name;
		bool records_only, sync_too;
		enum mf_status status;
		bool anna; /* still in sync */
	} cases[] = {
		{ "records", false, false, MF_OK, false },
		{ "both", false, true, MF_OK, true },
		{ "of records", true, false, MF_OK, false },
		{ "what is not in it", true, true, MF_GONE, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char backup[200], *dir = prepare(backup, sizeof(backup), cases[i].records_only);
		struct state *st;

		cr_assert_eq(state_restore(dir, backup, cases[i].sync_too, &err), cases[i].status,
			"%s: %s", cases[i].name, err.text);
		st = state_help_open(dir);
		state_help_verify(st);
		cr_assert_eq(approval(st, "D1"), STATE_APPROVAL_BLOCKED, "%s", cases[i].name);
		cr_assert_eq(approval(st, "D2"),
			cases[i].status == MF_OK ? STATE_APPROVAL_NONE : STATE_APPROVAL_BLOCKED,
			"%s", cases[i].name);
		cr_assert_eq(knows(st, "anna"), cases[i].anna, "%s", cases[i].name);
		cr_assert_eq(knows(st, "later"), cases[i].status != MF_OK, "%s", cases[i].name);
		state_close(st);
		if (cases[i].status == MF_OK)
			cr_assert_eq(access(in(dir, "records/data.mdb.before"), R_OK), 0, "%s",
				cases[i].name);
		state_help_remove(dir);
	}
}

/* A backup that was damaged, and a directory that is none, change nothing. */
Test(state_backup, refuses_what_is_not_sound)
{
	char backup[200], *dir = prepare(backup, sizeof(backup), false);
	struct state_options o = { .directory = dir, .daemon = true };
	struct state *st;
	FILE *f;

	cr_assert_eq(state_restore(dir, "/no/such", false, &err), MF_GONE, "%s", err.text);
	f = fopen(in(backup, "records/data.mdb"), "w");
	fputs("rubbish", f);
	fclose(f);
	cr_assert_neq(state_restore(dir, backup, false, &err), MF_OK);
	cr_assert_eq(state_open(&o, &st, &err), MF_OK, "%s", err.text);
	cr_assert_eq(approval(st, "D2"), STATE_APPROVAL_BLOCKED);
	cr_assert(knows(st, "later"));
	cr_assert_eq(state_daemon(dir), getpid());
	state_close(st);
	cr_assert_eq(state_daemon(dir), 0);
	state_help_remove(dir);
}

Test(state_backup, not_beside_a_daemon)
{
	char backup[200], *dir = prepare(backup, sizeof(backup), false);
	struct state_options o = { .directory = dir, .daemon = true };
	uint64_t before, after;
	struct state *st;

	cr_assert_eq(state_open(&o, &st, &err), MF_OK, "%s", err.text);
	cr_assert_eq(state_restore(dir, backup, false, &err), MF_EXISTS, "%s", err.text);
	cr_assert_eq(state_compact(dir, &before, &after, &err), MF_EXISTS, "%s", err.text);
	cr_assert_eq(approval(st, "D2"), STATE_APPROVAL_BLOCKED);
	state_close(st);
	state_help_remove(dir);
}

static enum mf_status
fill(struct kv_txn *t, void *ctx, struct mf_error *e)
{
	static const char zeros[4000];
	struct state_key k;

	(void)e;
	for (uint32_t i = 0; i < 500; i++) {
		state_key_begin(&k, 7, STATE_SPACE_BLOB);
		state_key_u32(&k, i);
		if (ctx == NULL)
			kv_put(t, state_key_view(&k), mf_bytes(zeros, sizeof(zeros)));
		else
			kv_delete(t, state_key_view(&k));
	}
	return MF_OK;
}

Test(state_backup, compacts)
{
	char backup[200], *dir = prepare(backup, sizeof(backup), false);
	struct state *st = state_help_open(dir);
	uint64_t before, after;

	cr_assert_eq(kv_write(state_kv(st, STATE_SYNC), fill, NULL, &err), MF_OK);
	cr_assert_eq(kv_write(state_kv(st, STATE_SYNC), fill, st, &err), MF_OK);
	state_close(st);
	cr_assert_eq(state_compact(dir, &before, &after, &err), MF_OK, "%s", err.text);
	cr_assert_gt(before, 2000000);
	cr_assert_lt(after, 200000);
	st = state_help_open(dir);
	cr_assert(knows(st, "later"));
	cr_assert_eq(approval(st, "D2"), STATE_APPROVAL_BLOCKED);
	state_help_verify(st);
	state_close(st);
	state_help_remove(dir);
}

/* ---- Formats ---- */

static unsigned steps;
static bool fails;

static void
key_of_test(struct state_key *k)
{
	state_key_begin(k, 9, STATE_SPACE_BLOB);
}

/* Each step adds a byte to one row: what ran, and in which order. */
static enum mf_status
step(struct kv_txn *t, uint8_t name, struct mf_error *e)
{
	uint8_t row[8];
	struct state_key k;
	struct mf_bytes v = { 0 };

	steps++;
	key_of_test(&k);
	kv_get(t, state_key_view(&k), &v);
	if (v.len > 0)
		memcpy(row, v.data, v.len);
	row[v.len] = name;
	kv_put(t, state_key_view(&k), mf_bytes(row, v.len + 1));
	return fails && name == '3' ? mf_fail(e, MF_BROKEN, "a step fails") : MF_OK;
}

static enum mf_status
from_2(struct kv_txn *t, void *ctx, struct mf_error *e)
{
	(void)ctx;
	return step(t, '2', e);
}

static enum mf_status
from_3(struct kv_txn *t, void *ctx, struct mf_error *e)
{
	(void)ctx;
	return step(t, '3', e);
}

static const struct state_migration table[] = { { 2, from_2 }, { 3, from_3 }, { 0 } };

static enum mf_status
read_row(struct kv_txn *t, void *ctx, struct mf_error *e)
{
	struct state_key k;
	struct mf_bytes v = { 0 };

	(void)e;
	key_of_test(&k);
	if (kv_get(t, state_key_view(&k), &v) && v.len > 0)
		memcpy(ctx, v.data, v.len);
	return MF_OK;
}

static enum mf_status
write_format(struct kv_txn *t, void *ctx, struct mf_error *e)
{
	struct state_key k, v = { .len = 0 };

	(void)e;
	state_key_begin(&k, 0, STATE_SPACE_FORMAT);
	state_key_u32(&v, *(uint32_t *)ctx);
	kv_put(t, state_key_view(&k), state_key_view(&v));
	return MF_OK;
}

Test(state_backup, migrates_step_by_step)
{
	static const struct {
		const char *name;
		uint32_t found; /* 0: a new store */
		bool fails;
		enum mf_status status;
		uint32_t left; /* the format afterwards */
		const char *row;
		bool kept; /* a copy of what was there */
	} cases[] = {
		{ "new", 0, false, MF_OK, 4, "", false },
		{ "two steps", 2, false, MF_OK, 4, "23", true },
		{ "one step", 3, false, MF_OK, 4, "3", true },
		{ "this one", 4, false, MF_OK, 4, "", false },
		{ "too old", 1, false, MF_UNSUPPORTED, 1, "", false },
		{ "newer", 5, false, MF_UNSUPPORTED, 5, "", false },
		{ "a step fails", 2, true, MF_BROKEN, 2, "", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *dir = state_help_directory(), row[9] = "", kept[100];
		struct kv_options o = { .map_size = 1 << 20, .readers = 16 };
		uint32_t found = cases[i].found, from = 77, left = 77;
		struct kv *kv;

		fails = cases[i].fails;
		cr_assert_eq(kv_open(dir, &o, &kv, &err), MF_OK);
		if (found != 0)
			cr_assert_eq(kv_write(kv, write_format, &found, &err), MF_OK);
		cr_assert_eq(state_format_bring(kv, table, 4, in(dir, "kept"), &from, &err),
			cases[i].status, "%s", cases[i].name);
		cr_assert_eq(from, cases[i].found, "%s: %u", cases[i].name, from);
		cr_assert_eq(state_format_read(kv, &left, &err), MF_OK);
		cr_assert_eq(left, cases[i].left, "%s: %u", cases[i].name, left);
		cr_assert_eq(kv_read(kv, read_row, row, &err), MF_OK);
		cr_assert_str_eq(row, cases[i].row, "%s", cases[i].name);
		kv_close(kv);
		snprintf(kept, sizeof(kept), "%s/kept-%u/data.mdb", dir, cases[i].found);
		cr_assert_eq(access(kept, R_OK) == 0, cases[i].kept, "%s", cases[i].name);
		state_help_remove(dir);
	}
	cr_assert_geq(steps, 5);
}

/* ---- A state that an older version wrote: rows in hexadecimal, of tests/data/state ---- */

struct row {
	struct mf_bytes key, value;
};

static enum mf_status
put_row(struct kv_txn *t, void *ctx, struct mf_error *e)
{
	const struct row *r = ctx;

	(void)e;
	kv_put(t, r->key, r->value);
	return MF_OK;
}

static struct mf_bytes
unhex(struct mf_arena *a, const char *s)
{
	size_t n = strcspn(s, " \n") / 2;
	uint8_t *to = mf_alloc(a, n + 1);

	for (size_t i = 0; i < n; i++) {
		unsigned byte = 0;

		cr_assert_eq(sscanf(s + 2 * i, "%2x", &byte), 1);
		to[i] = (uint8_t)byte;
	}
	return mf_bytes(to, n);
}

static size_t
load_rows(const char *dir, const char *file, const char *store, struct mf_arena *a)
{
	static char line[70000];
	struct kv_options o = { .map_size = 1 << 24, .readers = 16 };
	struct kv *kv;
	size_t n = 0;
	FILE *f = fopen(file, "r");

	cr_assert_not_null(f, "%s", file);
	mkdir(in(dir, store), 0700);
	cr_assert_eq(kv_open(in(dir, store), &o, &kv, &err), MF_OK);
	while (fgets(line, sizeof(line), f) != NULL) {
		struct row r;

		if (strncmp(line, store, strlen(store)) != 0)
			continue;
		r.key = unhex(a, line + strlen(store) + 1);
		r.value = unhex(a, line + strlen(store) + 2 + 2 * r.key.len);
		cr_assert_eq(kv_write(kv, put_row, &r, &err), MF_OK, "%s", err.text);
		n++;
	}
	kv_close(kv);
	fclose(f);
	return n;
}

/* Whatever this version's format is: what version 0.1.0 wrote is read, and nothing decided is lost. */
Test(state_backup, reads_format_1)
{
	static const char file[] = TEST_DATA "/state/format-1.rows";
	char *dir = state_help_directory();
	struct mf_arena *a = mf_arena_new();
	struct state_device *devices;
	struct state_rule *rules;
	struct state_record record;
	struct state *st;
	uint32_t user;
	size_t n;

	cr_assert_gt(load_rows(dir, file, "sync", a), 20);
	cr_assert_gt(load_rows(dir, file, "records", a), 6);
	st = state_help_open(dir);
	state_help_verify(st);
	cr_assert_eq(state_user_find(st, STATE_SYNC, "u", &user, &err), MF_OK, "%s", err.text);
	cr_assert_eq(state_devices(st, user, a, &devices, &n, &err), MF_OK);
	cr_assert_eq(n, 2);
	cr_assert_str_eq(devices[0].id, "mailferryprobe");
	cr_assert_eq(state_record_load(st, "u", "LOST", &record, &err), MF_OK);
	cr_assert_eq(record.approval, STATE_APPROVAL_BLOCKED);
	cr_assert_eq(state_record_load(st, "u", "SECOND", &record, &err), MF_OK);
	cr_assert_eq(record.wipe.kind, STATE_WIPE_DEVICE);
	cr_assert_eq(record.wipe.stage, STATE_WIPE_ASKED);
	cr_assert_eq(state_user_find(st, STATE_RECORDS, "u", &user, &err), MF_OK);
	cr_assert_eq(state_rules_load(st, user, a, &rules, &n, &err), MF_OK);
	cr_assert_eq(n, 1);
	cr_assert(rules[0].ignore);
	mf_arena_free(a);
	state_close(st);
	state_help_remove(dir);
}
