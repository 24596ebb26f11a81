/*
 * Opening the state: its directory, the daemon's lock, the two stores and their format. Knows no row
 * but the format's.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "conf/conf.h"
#include "state/lmdb_env.h"
#include "state/store.h"

static const struct {
	const char *name;
	const char *advice; /* when its format is unknown */
} stores[STATE_STORES] = {
	[STATE_SYNC] = { "sync",
		"use the version of Mailferry that wrote it, or remove this directory (phones then "
		"synchronise afresh)" },
	[STATE_RECORDS] = { "records",
		"use the version of Mailferry that wrote it (never remove this directory)" },
};

enum { MAP_SIZE = 64 << 20, READERS = 512 };

/* ---- What the layer shares ---- */

enum mf_status
state_broken(struct mf_error *err, const char *what, uint32_t user)
{
	return mf_fail(err, MF_BROKEN, "state: %s of user %u makes no sense", what, user);
}

uint64_t
state_random(uint64_t below)
{
	uint64_t n = 0;
	ssize_t got = getrandom(&n, sizeof(n), 0);

	assert(below > 0);
	if (got != (ssize_t)sizeof(n))
		abort(); /* Linux gives 8 bytes always, once it has booted */
	return n % below;
}

void
state_key_of(struct state_key *k, uint32_t user, enum state_space space, uint32_t number)
{
	state_key_begin(k, user, space);
	state_key_u32(k, number);
}

struct kv *
state_kv(struct state *st, enum state_store which)
{
	return st->kv[which];
}

/* ---- The format ---- */

struct format_check {
	uint32_t found; /* 0: none, the store is new */
};

static bool
any_row(void *ctx, struct mf_bytes key, struct mf_bytes value)
{
	(void)key;
	(void)value;
	*(uint32_t *)ctx = UINT32_MAX;
	return false;
}

static enum mf_status
format_read(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct format_check *f = ctx;
	struct state_key k;
	struct mf_bytes v;

	(void)err;
	f->found = 0;
	state_key_begin(&k, 0, STATE_SPACE_FORMAT);
	if (kv_get(t, state_key_view(&k), &v))
		f->found = v.len == 4 ? state_key_read_u32(v, 0) : UINT32_MAX;
	else /* rows without a format are not ours */
		kv_scan(t, mf_bytes(NULL, 0), mf_bytes(NULL, 0), any_row, &f->found);
	return MF_OK;
}

static enum mf_status
format_write(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct format_check *f = ctx;
	struct state_key k, v = { .len = 0 };
	enum mf_status st = format_read(t, f, err);

	if (st != MF_OK || f->found != 0)
		return st;
	state_key_begin(&k, 0, STATE_SPACE_FORMAT);
	state_key_u32(&v, STATE_FORMAT);
	kv_put(t, state_key_view(&k), state_key_view(&v));
	f->found = STATE_FORMAT;
	return MF_OK;
}

static enum mf_status
format_check(struct kv *kv, enum state_store which, struct mf_error *err)
{
	struct format_check f = { 0 };
	enum mf_status st = kv_read(kv, format_read, &f, err);

	if (st == MF_OK && f.found == 0)
		st = kv_write(kv, format_write, &f, err);
	if (st != MF_OK || f.found == STATE_FORMAT)
		return st;
	return mf_fail(err, MF_UNSUPPORTED,
		"state %s: format %u, but this version knows only %u: %s", kv->path, f.found,
		STATE_FORMAT, stores[which].advice);
}

/* ---- The directory ---- */

static enum mf_status
directory_make(const char *path, struct mf_error *err)
{
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return mf_fail(err, errno == ENOSPC ? MF_TEMPORARY : MF_REFUSED, "state %s: %s",
			path, strerror(errno));
	return MF_OK;
}

/* So that new files are found again after a power cut. */
static void
directory_flush(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
}

static enum mf_status
daemon_lock(struct state *st, const char *directory, struct mf_arena *a, struct mf_error *err)
{
	const char *path = mf_printf(a, "%s/lock", directory);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return mf_fail(err, MF_REFUSED, "state %s: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		close(fd);
		return mf_fail(err, MF_EXISTS,
			"state %s: another mailferry serves from this directory", directory);
	}
	st->lock = fd;
	return MF_OK;
}

static enum mf_status
store_open(struct state *st, enum state_store which, const struct state_options *o,
	struct mf_arena *a, struct mf_error *err)
{
	const char *path = mf_printf(a, "%s/%s", o->directory, stores[which].name);
	struct kv_options ko = {
		.map_size = o->map_size != 0 ? o->map_size : MAP_SIZE,
		.readers = o->readers != 0 ? o->readers : READERS,
	};
	enum mf_status status = directory_make(path, err);

	if (status == MF_OK)
		status = kv_open(path, &ko, &st->kv[which], err);
	if (status == MF_OK)
		status = format_check(st->kv[which], which, err);
	directory_flush(path);
	return status;
}

static void
fault_from_environment(void)
{
	const char *text = conf_environment("MAILFERRY_FAULT");
	uint32_t n;

	if (text == NULL)
		return;
	if (str_starts(text, "state:before:") && str_to_u32(text + 13, UINT32_MAX, &n))
		state_fault_after(n, false);
	else if (str_starts(text, "state:after:") && str_to_u32(text + 12, UINT32_MAX, &n))
		state_fault_after(n, true);
	else if (str_starts(text, "state:full:") && str_to_u32(text + 11, UINT32_MAX, &n))
		state_fault_full(n);
}

enum mf_status
state_open(const struct state_options *o, struct state **out, struct mf_error *err)
{
	struct mf_arena *a = mf_arena_new();
	struct state *st = calloc(1, sizeof(*st));
	enum mf_status status;

	if (st == NULL)
		abort();
	st->lock = -1;
	status = directory_make(o->directory, err);
	if (status == MF_OK && o->daemon)
		status = daemon_lock(st, o->directory, a, err);
	for (int i = 0; status == MF_OK && i < STATE_STORES; i++)
		status = store_open(st, (enum state_store)i, o, a, err);
	directory_flush(o->directory);
	mf_arena_free(a);
	if (status != MF_OK) {
		state_close(st);
		return status;
	}
	fault_from_environment();
	*out = st;
	return MF_OK;
}

void
state_close(struct state *st)
{
	if (st == NULL)
		return;
	for (int i = 0; i < STATE_STORES; i++)
		kv_close(st->kv[i]);
	if (st->lock >= 0)
		close(st->lock);
	free(st);
}

enum mf_status
state_backup(struct state *st, const char *directory, struct mf_error *err)
{
	struct mf_arena *a = mf_arena_new();
	enum mf_status status = MF_OK;

	if (mkdir(directory, 0700) != 0)
		status = mf_fail(err, errno == EEXIST ? MF_EXISTS : MF_REFUSED, "backup %s: %s",
			directory, strerror(errno));
	for (int i = 0; status == MF_OK && i < STATE_STORES; i++) {
		const char *path = mf_printf(a, "%s/%s", directory, stores[i].name);

		status = directory_make(path, err);
		if (status == MF_OK)
			status = kv_copy(st->kv[i], path, err);
		directory_flush(path);
	}
	mf_arena_free(a);
	return status;
}
