/* state: opening, formats, the writer, the growing map, full disks, backup. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "state/keys.h"
#include "state/user.h"
#include "state_help.h"

/* ---- A row to write ---- */

struct row {
	uint32_t n;
	const char *text;
	size_t len;	       /* of the value; 0: text */
	enum mf_status result; /* of the function */
	unsigned runs;
	bool found; /* out of reading */
};

static void
row_key(struct state_key *k, uint32_t n)
{
	state_key_begin(k, 7, STATE_SPACE_BLOB);
	state_key_u32(k, n);
}

static enum mf_status
put(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct row *r = ctx;
	struct state_key k;
	char *big = r->len > 0 ? calloc(1, r->len) : NULL;

	r->runs++;
	row_key(&k, r->n);
	kv_put(t, state_key_view(&k), big != NULL ? mf_bytes(big, r->len) : mf_bytes_str(r->text));
	free(big);
	return r->result == MF_OK ? MF_OK : mf_fail(err, r->result, "as asked");
}

static enum mf_status
get(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct row *r = ctx;
	struct state_key k;
	struct mf_bytes v;

	(void)err;
	row_key(&k, r->n);
	r->found = kv_get(t, state_key_view(&k), &v) &&
		   (r->text == NULL ||
			   (v.len == strlen(r->text) && memcmp(v.data, r->text, v.len) == 0));
	return MF_OK;
}

static bool
has(struct state *st, uint32_t n, const char *text)
{
	struct row r = { .n = n, .text = text };

	cr_assert_eq(kv_read(state_kv(st, STATE_SYNC), get, &r, NULL), MF_OK);
	return r.found;
}

static enum mf_status
set(struct state *st, uint32_t n, const char *text, enum mf_status result, struct mf_error *err)
{
	struct row r = { .n = n, .text = text, .result = result };

	return kv_write(state_kv(st, STATE_SYNC), put, &r, err);
}

/* ---- Opening ---- */

Test(state_store, keeps_over_reopening)
{
	char *dir = state_help_directory();
	struct state *st = state_help_open(dir);
	struct stat sb;
	char path[200];

	cr_assert_eq(set(st, 1, "one", MF_OK, NULL), MF_OK);
	state_close(st);
	st = state_help_open(dir);
	cr_assert(has(st, 1, "one"));
	cr_assert(!has(st, 2, NULL));
	state_close(st);
	snprintf(path, sizeof(path), "%s/records/data.mdb", dir);
	cr_assert_eq(stat(path, &sb), 0);
	cr_assert_eq(sb.st_mode & 077, 0, "others may read the records");
	state_help_remove(dir);
}

struct format {
	uint32_t number; /* 0: none, but another row */
};

static enum mf_status
put_format(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct format *f = ctx;
	struct state_key k, v = { .len = 0 };

	(void)err;
	state_key_begin(&k, 0, STATE_SPACE_FORMAT);
	state_key_u32(&v, f->number);
	if (f->number != 0) {
		kv_put(t, state_key_view(&k), state_key_view(&v));
		return MF_OK;
	}
	kv_delete(t, state_key_view(&k));
	state_key_u8(&k, 0);
	kv_put(t, state_key_view(&k), mf_bytes_str("x"));
	return MF_OK;
}

Test(state_store, refuses_what_it_does_not_know)
{
	static const struct {
		const char *name;
		enum state_store store;
		struct format format;
		const char *advice;
	} cases[] = {
		{ "newer sync", STATE_SYNC, { 2 }, "remove this directory" },
		{ "newer records", STATE_RECORDS, { 99 }, "never remove" },
		{ "rows without a format", STATE_SYNC, { 0 }, "remove this directory" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *dir = state_help_directory();
		struct state_options o = { .directory = dir };
		struct state *st = state_help_open(dir);
		struct format f = cases[i].format;
		struct mf_error err = { 0 };

		cr_assert_eq(kv_write(state_kv(st, cases[i].store), put_format, &f, NULL), MF_OK);
		state_close(st);
		cr_assert_eq(state_open(&o, &st, &err), MF_UNSUPPORTED, "%s", cases[i].name);
		cr_assert(strstr(err.text, cases[i].advice) != NULL, "%s: %s", cases[i].name,
			err.text);
		state_help_remove(dir);
	}
}

Test(state_store, refuses_files_of_others)
{
	char *dir = state_help_directory(), path[200];
	struct state_options o = { .directory = dir };
	struct state *st;
	struct mf_error err;
	FILE *f;

	state_close(state_help_open(dir));
	snprintf(path, sizeof(path), "%s/sync/data.mdb", dir);
	f = fopen(path, "w");
	for (int i = 0; i < 5000; i++)
		fputs("no database", f);
	fclose(f);
	cr_assert_eq(state_open(&o, &st, &err), MF_UNSUPPORTED, "%s", err.text);
	state_help_remove(dir);

	o.directory = "/proc/mailferry";
	cr_assert_eq(state_open(&o, &st, &err), MF_REFUSED, "%s", err.text);
}

Test(state_store, one_daemon_and_tools_beside_it)
{
	char *dir = state_help_directory();
	struct state_options o = { .directory = dir, .daemon = true };
	struct state *st, *other;
	struct mf_error err;
	int status;
	pid_t pid;

	cr_assert_eq(state_open(&o, &st, &err), MF_OK);
	cr_assert_eq(state_open(&o, &other, &err), MF_EXISTS);
	cr_assert_eq(set(st, 1, "daemon", MF_OK, NULL), MF_OK);
	pid = fork();
	if (pid == 0) { /* a tool: a process of its own, which has not inherited the environment */
		execl(TEST_BUILD "/test_state_store", "test_state_store", "--tool", dir, NULL);
		_exit(9);
	}
	waitpid(pid, &status, 0);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%d", status);
	cr_assert(has(st, 2, "tool"));
	state_close(st);
	cr_assert_eq(state_open(&o, &st, &err), MF_OK, "the lock goes with the daemon");
	state_close(st);
	state_help_remove(dir);
}

/* What the tool of the test above does, before Criterion's main sees its arguments. */
__attribute__((constructor)) static void
tool(int argc, char **argv)
{
	struct state_options o = { .map_size = 1 << 20 };
	struct state *st;
	bool good;

	if (argc != 3 || strcmp(argv[1], "--tool") != 0)
		return;
	o.directory = argv[2];
	if (state_open(&o, &st, NULL) != MF_OK)
		_exit(1);
	good = has(st, 1, "daemon") && set(st, 2, "tool", MF_OK, NULL) == MF_OK;
	state_close(st);
	_exit(good ? 0 : 2);
}

/* ---- Writing ---- */

enum { WRITERS = 16, EACH = 50 };

struct writing {
	pthread_t thread;
	struct state *st;
	uint32_t from;
	unsigned wrong;
};

/* Every third write fails after it has put its row; the others are not touched by that. */
static void *
write_many(void *arg)
{
	struct writing *w = arg;

	for (uint32_t i = 0; i < EACH; i++) {
		enum mf_status want = i % 3 == 0 ? MF_REFUSED : MF_OK;
		struct mf_error err = { 0 };

		w->wrong += set(w->st, w->from + i, "x", want, &err) != want;
		w->wrong += want != MF_OK && strcmp(err.text, "as asked") != 0;
		w->wrong += has(w->st, w->from + i, "x") != (want == MF_OK);
	}
	return NULL;
}

Test(state_store, commits_in_groups_and_fails_one_by_one)
{
	char *dir = state_help_directory();
	struct state *st = state_help_open(dir);
	struct writing w[WRITERS] = { 0 };
	struct kv_stats stats;

	for (uint32_t i = 0; i < WRITERS; i++) {
		w[i].st = st;
		w[i].from = i * 1000;
		cr_assert_eq(pthread_create(&w[i].thread, NULL, write_many, &w[i]), 0);
	}
	for (int i = 0; i < WRITERS; i++) {
		pthread_join(w[i].thread, NULL);
		cr_assert_eq(w[i].wrong, 0);
	}
	cr_assert_eq(kv_stats(state_kv(st, STATE_SYNC), &stats, NULL), MF_OK);
	cr_assert_eq(stats.writes, WRITERS * EACH + 1, "%lu", (unsigned long)stats.writes);
	cr_assert_lt(stats.commits, stats.writes / 2, "no groups: %lu commits",
		(unsigned long)stats.commits);
	state_close(st);
	state_help_remove(dir);
}

Test(state_store, map_grows)
{
	char *dir = state_help_directory();
	struct state *st = state_help_open_at(dir, 1 << 20);
	struct row r = { .len = 300000 };
	struct kv_stats stats;

	for (r.n = 0; r.n < 40; r.n++)
		cr_assert_eq(kv_write(state_kv(st, STATE_SYNC), put, &r, NULL), MF_OK);
	cr_assert_gt(r.runs, 40, "the map has not been full");
	for (r.n = 0; r.n < 40; r.n++)
		cr_assert(has(st, r.n, NULL));
	cr_assert_eq(kv_stats(state_kv(st, STATE_SYNC), &stats, NULL), MF_OK);
	cr_assert_geq(stats.bytes_map, 16 << 20);
	cr_assert_geq(stats.bytes_used, 12000000);
	state_close(st);
	st = state_help_open_at(dir, 1 << 20); /* smaller than what is there */
	cr_assert(has(st, 39, NULL));
	state_close(st);
	state_help_remove(dir);
}

Test(state_store, full_disk_fails_cleanly)
{
	char *dir = state_help_directory();
	struct state *st = state_help_open(dir);
	struct rlimit old, small = { .rlim_cur = 1 << 20 };
	struct row r = { .n = 5, .len = 3 << 20 };
	struct mf_error err = { 0 };

	cr_assert_eq(set(st, 1, "before", MF_OK, NULL), MF_OK);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &old);
	small.rlim_max = old.rlim_max;
	setrlimit(RLIMIT_FSIZE, &small);
	cr_assert_eq(
		kv_write(state_kv(st, STATE_SYNC), put, &r, &err), MF_TEMPORARY, "%s", err.text);
	cr_assert(strstr(err.text, "/sync") != NULL, "%s", err.text);
	cr_assert(has(st, 1, "before"));
	cr_assert(!has(st, 5, NULL));
	cr_assert_eq(set(st, 2, "small", MF_OK, NULL), MF_OK, "a small write still fits");
	setrlimit(RLIMIT_FSIZE, &old);
	cr_assert_eq(kv_write(state_kv(st, STATE_SYNC), put, &r, &err), MF_OK);
	state_close(st);
	st = state_help_open(dir);
	cr_assert(has(st, 1, "before") && has(st, 2, "small") && has(st, 5, NULL));
	state_close(st);
	state_help_remove(dir);
}

static enum mf_status
put_no_key(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	(void)ctx;
	(void)err;
	kv_put(t, mf_bytes("", 0), mf_bytes_str("x"));
	return kv_get(t, mf_bytes_str("after"), NULL) ? MF_OK : MF_GONE;
}

Test(state_store, first_failure_of_a_transaction_sticks)
{
	char *dir = state_help_directory();
	struct state *st = state_help_open(dir);
	struct mf_error err = { 0 };

	/* Not the function's MF_GONE: it saw no row because of the failure. */
	cr_assert_eq(kv_write(state_kv(st, STATE_SYNC), put_no_key, NULL, &err), MF_INVALID, "%s",
		err.text);
	cr_assert_eq(set(st, 1, "next", MF_OK, NULL), MF_OK);
	state_close(st);
	state_help_remove(dir);
}

/* ---- Scans ---- */

static bool
sum_three(void *ctx, struct mf_bytes key, struct mf_bytes value)
{
	uint32_t *sum = ctx;

	(void)value;
	*sum = *sum * 10 + state_key_read_u32(key, STATE_KEY_FIELDS);
	return *sum < 100;
}

struct scan {
	uint32_t user;
	uint32_t from; /* 0: the first */
	uint32_t seen; /* the numbers, as digits */
};

static enum mf_status
scan(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct scan *s = ctx;
	struct state_key prefix, from;

	(void)err;
	state_key_begin(&prefix, s->user, STATE_SPACE_BLOB);
	from = prefix;
	state_key_u32(&from, s->from);
	kv_scan(t, state_key_view(&prefix),
		s->from == 0 ? mf_bytes(NULL, 0) : state_key_view(&from), sum_three, &s->seen);
	return MF_OK;
}

static enum mf_status
drop_prefix(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct state_key prefix;

	(void)err;
	state_key_begin(&prefix, 7, STATE_SPACE_BLOB);
	*(size_t *)ctx = kv_delete_prefix(t, state_key_view(&prefix));
	return MF_OK;
}

Test(state_store, scans_in_order_within_a_prefix)
{
	static const struct {
		uint32_t user, from, seen;
	} cases[] = { { 7, 0, 123 }, { 7, 2, 234 }, { 7, 4, 49 }, { 7, 5, 9 }, { 7, 10, 0 },
		{ 6, 0, 0 }, { 8, 0, 0 } };
	static const uint32_t rows[] = { 9, 2, 1, 4, 3 };
	char *dir = state_help_directory();
	struct state *st = state_help_open(dir);
	uint32_t number;
	size_t dropped;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_assert_eq(set(st, rows[i], "x", MF_OK, NULL), MF_OK);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct scan s = { .user = cases[i].user, .from = cases[i].from };

		cr_assert_eq(kv_read(state_kv(st, STATE_SYNC), scan, &s, NULL), MF_OK);
		cr_assert_eq(s.seen, cases[i].seen, "case %zu: %u", i, s.seen);
	}
	cr_assert_eq(state_user_number(st, STATE_SYNC, "somebody", &number, NULL), MF_OK);
	cr_assert_eq(kv_write(state_kv(st, STATE_SYNC), drop_prefix, &dropped, NULL), MF_OK);
	cr_assert_eq(dropped, 5);
	cr_assert_eq(state_user_find(st, STATE_SYNC, "somebody", &number, NULL), MF_OK);
	state_close(st);
	state_help_remove(dir);
}

/* ---- Backup ---- */

Test(state_store, backs_up_while_open)
{
	char *dir = state_help_directory(), copy[200];
	struct state *st = state_help_open(dir), *other;
	struct mf_error err;
	uint32_t number, again;

	cr_assert_eq(state_user_number(st, STATE_RECORDS, "a@b", &number, NULL), MF_OK);
	cr_assert_eq(set(st, 1, "x", MF_OK, NULL), MF_OK);
	snprintf(copy, sizeof(copy), "%s/copy", dir);
	cr_assert_eq(state_backup(st, copy, false, &err), MF_OK, "%s", err.text);
	cr_assert_eq(state_backup(st, copy, false, &err), MF_EXISTS);
	cr_assert_eq(set(st, 2, "later", MF_OK, NULL), MF_OK);
	other = state_help_open(copy);
	cr_assert(has(other, 1, "x"));
	cr_assert(!has(other, 2, NULL));
	cr_assert_eq(state_user_find(other, STATE_RECORDS, "a@b", &again, NULL), MF_OK);
	cr_assert_eq(again, number);
	state_close(other);
	state_close(st);
	state_help_remove(dir);
}
