/*
 * Copies of the stores: out of a running daemon, and back while none runs. A store's file is replaced
 * by one rename, so that there is always a whole one.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state/lmdb_env.h"
#include "state/store.h"

static const char file[] = "data.mdb";

static void
flush_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
}

/* A store into a directory, which is made. */
static enum mf_status
copy_store(struct state *st, enum state_store which, const char *directory, struct mf_arena *a,
	struct mf_error *err)
{
	enum mf_status status = state_directory_make(directory, err);

	if (status == MF_OK)
		status = kv_copy(st->kv[which], directory, err);
	if (status == MF_OK) {
		const char *path = mf_printf(a, "%s/%s", directory, file);

		chmod(path, 0600); /* LMDB leaves it to the umask */
		flush_file(path);
	}
	state_directory_flush(directory);
	return status;
}

enum mf_status
state_backup(struct state *st, const char *directory, bool records_only, struct mf_error *err)
{
	struct mf_arena *a = mf_arena_new();
	enum mf_status status = MF_OK;

	if (mkdir(directory, 0700) != 0)
		status = mf_fail(err, errno == EEXIST ? MF_EXISTS : MF_REFUSED, "backup %s: %s",
			directory, strerror(errno));
	for (int i = 0; status == MF_OK && i < STATE_STORES; i++)
		if (i == STATE_RECORDS || !records_only)
			status = copy_store(st, (enum state_store)i,
				mf_printf(a, "%s/%s", directory, state_stores[i].name), a, err);
	state_directory_flush(directory);
	mf_arena_free(a);
	return status;
}

/* ---- Back ---- */

struct back {
	const char *directory;
	struct mf_arena *arena;
	struct state *from;
};

static const char *
path_of(const struct back *b, enum state_store which, const char *name)
{
	return mf_printf(b->arena, "%s/%s/%s", b->directory, state_stores[which].name, name);
}

static enum mf_status
failed(struct mf_error *err, const char *path)
{
	return mf_fail(err, errno == ENOSPC || errno == EDQUOT ? MF_TEMPORARY : MF_REFUSED,
		"state %s: %s", path, strerror(errno));
}

/* `keep`: the former file stays beside the new one. */
static enum mf_status
replace(const struct back *b, enum state_store which, bool keep, struct mf_error *err)
{
	const char *target = path_of(b, which, file), *fresh = path_of(b, which, "new");
	const char *copy = mf_printf(b->arena, "%s/%s", fresh, file);
	const char *before = mf_printf(b->arena, "%s.before", target);
	enum mf_status st;

	unlink(copy); /* left by one that was interrupted */
	st = copy_store(b->from, which, fresh, b->arena, err);
	if (st != MF_OK)
		return st;
	if (keep && ((unlink(before) != 0 && errno != ENOENT) ||
			    (link(target, before) != 0 && errno != ENOENT)))
		return failed(err, before);
	if (rename(copy, target) != 0)
		return failed(err, target);
	unlink(mf_printf(b->arena, "%s/lock.mdb", fresh));
	rmdir(fresh);
	state_directory_adopt(b->directory, state_stores[which].name);
	state_directory_flush(path_of(b, which, ""));
	return MF_OK;
}

/* What phones held is forgotten, but stays beside as well. */
static enum mf_status
forget_sync(const struct back *b, struct mf_error *err)
{
	const char *target = path_of(b, STATE_SYNC, file);

	if (rename(target, mf_printf(b->arena, "%s.before", target)) != 0 && errno != ENOENT)
		return failed(err, target);
	state_directory_flush(path_of(b, STATE_SYNC, ""));
	return MF_OK;
}

static void
ignore_line(void *ctx, const char *line)
{
	(void)ctx;
	(void)line;
}

/* Opening makes what is missing: a backup must have it. */
static enum mf_status
open_backup(const char *backup, bool sync_too, struct mf_arena *a, struct state **out,
	struct mf_error *err)
{
	struct state_options o = { .directory = backup };
	enum mf_status st;

	for (int i = 0; i < STATE_STORES; i++) {
		const char *path = mf_printf(a, "%s/%s/%s", backup, state_stores[i].name, file);

		if ((i == STATE_RECORDS || sync_too) && access(path, R_OK) != 0)
			return mf_fail(err, errno == ENOENT ? MF_GONE : MF_REFUSED, "backup %s: %s",
				path, strerror(errno));
	}
	st = state_open(&o, out, err);
	if (st == MF_OK)
		st = state_verify(*out, ignore_line, NULL, err);
	return st;
}

enum mf_status
state_restore(const char *directory, const char *backup, bool sync_too, struct mf_error *err)
{
	struct back b = { .directory = directory, .arena = mf_arena_new() };
	int lock = -1;
	enum mf_status st = open_backup(backup, sync_too, b.arena, &b.from, err);

	if (st == MF_OK)
		st = state_directory_make(directory, err);
	if (st == MF_OK)
		st = state_lock(directory, &lock, err);
	for (int i = 0; st == MF_OK && i < STATE_STORES; i++)
		st = state_directory_make(path_of(&b, (enum state_store)i, ""), err);
	/* Phones first: if this is cut short, they start afresh, and the records are whole. */
	if (st == MF_OK)
		st = sync_too ? replace(&b, STATE_SYNC, true, err) : forget_sync(&b, err);
	if (st == MF_OK)
		st = replace(&b, STATE_RECORDS, true, err);
	state_close(b.from);
	mf_arena_free(b.arena);
	if (lock >= 0)
		close(lock);
	return st;
}

/* ---- Smaller ---- */

static uint64_t
bytes_of(const struct back *b)
{
	uint64_t sum = 0;
	struct stat sb;

	for (int i = 0; i < STATE_STORES; i++)
		if (stat(path_of(b, (enum state_store)i, file), &sb) == 0)
			sum += (uint64_t)sb.st_size;
	return sum;
}

enum mf_status
state_compact(const char *directory, uint64_t *before, uint64_t *after, struct mf_error *err)
{
	struct back b = { .directory = directory, .arena = mf_arena_new() };
	struct state_options o = { .directory = directory, .daemon = true };
	enum mf_status st = state_open(&o, &b.from, err);

	*before = bytes_of(&b);
	for (int i = 0; st == MF_OK && i < STATE_STORES; i++)
		st = replace(&b, (enum state_store)i, false, err);
	*after = bytes_of(&b);
	state_close(b.from);
	mf_arena_free(b.arena);
	return st;
}
