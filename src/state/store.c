/*
 * Opening the state: its directory, the daemon's lock, the two stores and their format. Knows no row.
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
#include "mailferry/log.h"
#include "state/lmdb_env.h"
#include "state/migrate.h"
#include "state/store.h"

const struct state_store_name state_stores[STATE_STORES] = {
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

/* From each format to the next one. A change of the format is a row here, another STATE_FORMAT, and rows
 * of the former one in tests/data/state. */
static const struct state_migration migrations[STATE_STORES][1] = {
	[STATE_SYNC] = { { 0, NULL } },
	[STATE_RECORDS] = { { 0, NULL } },
};

/* Records cannot be made again: what a migration changes is copied before, beside the store. */
static enum mf_status
format_check(struct state *st, enum state_store which, const char *path, struct mf_arena *a,
	struct mf_error *err)
{
	const char *keep = which == STATE_RECORDS ? mf_printf(a, "%s.format", path) : NULL;
	uint32_t found = 0;
	enum mf_status status = state_format_bring(
		st->kv[which], migrations[which], STATE_FORMAT, keep, &found, err);

	if (status == MF_UNSUPPORTED)
		return mf_fail(err, MF_UNSUPPORTED,
			"state %s: format %u, but this version knows only %u: %s", path, found,
			STATE_FORMAT, state_stores[which].advice);
	if (status == MF_OK && found != 0 && found != STATE_FORMAT)
		mf_log_info("state=%s format=%u from=%u", mf_log_value(path), STATE_FORMAT, found);
	return status;
}

/* ---- The directory ---- */

enum mf_status
state_directory_make(const char *path, struct mf_error *err)
{
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return mf_fail(err, errno == ENOSPC ? MF_TEMPORARY : MF_REFUSED, "state %s: %s",
			path, strerror(errno));
	return MF_OK;
}

void
state_directory_flush(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
}

/* What an administrator's command made as root is the daemon's as well. */
static void
adopt(const char *directory, const char *path)
{
	struct stat owner, sb;

	if (geteuid() != 0 || stat(directory, &owner) != 0 || stat(path, &sb) != 0 ||
		(sb.st_uid == owner.st_uid && sb.st_gid == owner.st_gid))
		return;
	if (chown(path, owner.st_uid, owner.st_gid) != 0)
		mf_log_warning("state=%s why=\"its owner cannot be set\"", mf_log_value(path));
}

void
state_directory_adopt(const char *directory, const char *store)
{
	static const char *const files[] = { "", "/data.mdb", "/lock.mdb" };
	struct mf_arena *a = mf_arena_new();

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		adopt(directory, mf_printf(a, "%s/%s%s", directory, store, files[i]));
	mf_arena_free(a);
}

enum mf_status
state_lock(const char *directory, int *out, struct mf_error *err)
{
	char path[4200], pid[24];
	ssize_t written;
	int fd;

	snprintf(path, sizeof(path), "%s/lock", directory);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return mf_fail(err, MF_REFUSED, "state %s: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		close(fd);
		return mf_fail(err, MF_EXISTS,
			"state %s: another mailferry serves from this directory", directory);
	}
	adopt(directory, path);
	snprintf(pid, sizeof(pid), "%d\n", (int)getpid()); /* for state_daemon */
	written = ftruncate(fd, 0) == 0 ? write(fd, pid, strlen(pid)) : -1;
	(void)written;
	*out = fd;
	return MF_OK;
}

/* The lock is what counts; the number in it may be one of long ago. */
pid_t
state_daemon(const char *directory)
{
	char path[4200], text[24] = "";
	int fd;

	snprintf(path, sizeof(path), "%s/lock", directory);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	if (flock(fd, LOCK_SH | LOCK_NB) == 0 || read(fd, text, sizeof(text) - 1) <= 0)
		text[0] = '\0';
	close(fd);
	return (pid_t)strtol(text, NULL, 10);
}

static enum mf_status
store_open(struct state *st, enum state_store which, const struct state_options *o,
	struct mf_arena *a, struct mf_error *err)
{
	const char *path = mf_printf(a, "%s/%s", o->directory, state_stores[which].name);
	struct kv_options ko = {
		.map_size = o->map_size != 0 ? o->map_size : MAP_SIZE,
		.readers = o->readers != 0 ? o->readers : READERS,
	};
	enum mf_status status = state_directory_make(path, err);

	if (status == MF_OK)
		status = kv_open(path, &ko, &st->kv[which], err);
	if (status == MF_OK)
		status = format_check(st, which, path, a, err);
	state_directory_adopt(o->directory, state_stores[which].name);
	state_directory_flush(path);
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
	status = state_directory_make(o->directory, err);
	if (status == MF_OK && o->daemon)
		status = state_lock(o->directory, &st->lock, err);
	for (int i = 0; status == MF_OK && i < STATE_STORES; i++)
		status = store_open(st, (enum state_store)i, o, a, err);
	state_directory_flush(o->directory);
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
