/*
 * The ordered store on LMDB: environments, read transactions, rows, the growing map. Knows nothing of
 * what the rows mean. Writing in groups is writer.c's.
 */
#include "state/kv.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "state/lmdb_env.h"

enum { MAP_STEP = 1 << 20 };
static const size_t map_most = (size_t)1 << 42;

static const struct {
	int rc;
	enum mf_status status;
	const char *text; /* NULL: LMDB's or the system's */
} failures[] = {
	{ ENOSPC, MF_TEMPORARY, "the disk is full" },
	{ EDQUOT, MF_TEMPORARY, "over the disk quota" },
	{ EFBIG, MF_TEMPORARY, "the file may not grow further" },
	{ EIO, MF_TEMPORARY, NULL },
	{ ENOMEM, MF_TEMPORARY, NULL },
	{ EMFILE, MF_TEMPORARY, NULL },
	{ ENFILE, MF_TEMPORARY, NULL },
	{ EAGAIN, MF_TEMPORARY, NULL },
	{ MDB_READERS_FULL, MF_TEMPORARY, "all slots for readers are taken: raise `readers`" },
	{ MDB_MAP_FULL, MF_TEMPORARY, "the map cannot grow" },
	{ EACCES, MF_REFUSED, NULL },
	{ EPERM, MF_REFUSED, NULL },
	{ EROFS, MF_REFUSED, NULL },
	{ ENOENT, MF_REFUSED, NULL },
	{ MDB_TXN_FULL, MF_TOO_LARGE, NULL },
	{ MDB_BAD_VALSIZE, MF_INVALID, NULL },
	{ MDB_VERSION_MISMATCH, MF_UNSUPPORTED, "written by another version of LMDB" },
	{ MDB_INVALID, MF_UNSUPPORTED, "not an LMDB file" },
	{ MDB_PANIC, MF_BROKEN, "the disk failed while writing: restart" },
};

enum mf_status
kv_fail(const struct kv *kv, int rc, const char *doing, struct mf_error *err)
{
	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		if (failures[i].rc == rc)
			return mf_fail(err, failures[i].status, "state %s: %s: %s", kv->path, doing,
				failures[i].text != NULL ? failures[i].text : mdb_strerror(rc));
	}
	return mf_fail(err, MF_BROKEN, "state %s: %s: %s", kv->path, doing, mdb_strerror(rc));
}

/* ---- The environment ---- */

static int
env_open(struct kv *kv, const struct kv_options *o)
{
	MDB_txn *txn;
	int rc = mdb_env_create(&kv->env);

	if (rc != 0)
		return rc;
	if ((rc = mdb_env_set_maxreaders(kv->env, o->readers)) != 0 ||
		(rc = mdb_env_set_mapsize(
			 kv->env, (o->map_size + MAP_STEP - 1) & ~(size_t)(MAP_STEP - 1))) != 0 ||
		(rc = mdb_env_open(kv->env, kv->path, 0, 0600)) != 0)
		return rc;
	/* Slots of processes that were killed would keep pages from being used again. */
	mdb_reader_check(kv->env, NULL);
	while ((rc = mdb_txn_begin(kv->env, NULL, MDB_RDONLY, &txn)) == MDB_MAP_RESIZED) {
		if ((rc = mdb_env_set_mapsize(kv->env, 0)) != 0)
			return rc;
	}
	if (rc != 0)
		return rc;
	rc = mdb_dbi_open(txn, NULL, 0, &kv->dbi);
	mdb_txn_abort(txn);
	return rc;
}

static void
map_lock_init(struct kv *kv)
{
	pthread_rwlockattr_t attr;

	/* Else readers that follow each other keep the map from growing. */
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&kv->map, &attr);
	pthread_rwlockattr_destroy(&attr);
}

enum mf_status
kv_open(const char *path, const struct kv_options *o, struct kv **out, struct mf_error *err)
{
	struct kv *kv = calloc(1, sizeof(*kv));
	enum mf_status st;
	int rc;

	if (kv == NULL || (kv->path = strdup(path)) == NULL)
		abort();
	map_lock_init(kv);
	rc = env_open(kv, o);
	if (rc != 0) {
		st = kv_fail(kv, rc, "open", err);
		kv_close(kv);
		return st;
	}
	kv->writer = writer_new(kv);
	*out = kv;
	return MF_OK;
}

void
kv_close(struct kv *kv)
{
	if (kv == NULL)
		return;
	writer_free(kv->writer);
	if (kv->env != NULL)
		mdb_env_close(kv->env);
	pthread_rwlock_destroy(&kv->map);
	free(kv->path);
	free(kv);
}

static int
map_resize(struct kv *kv, bool grow)
{
	MDB_envinfo info;
	int rc;

	pthread_rwlock_wrlock(&kv->map);
	rc = mdb_env_info(kv->env, &info);
	if (rc == 0 && grow && info.me_mapsize >= map_most)
		rc = MDB_MAP_FULL;
	if (rc == 0)
		rc = mdb_env_set_mapsize(kv->env, grow ? info.me_mapsize * 2 : 0);
	pthread_rwlock_unlock(&kv->map);
	return rc;
}

int
kv_map_adopt(struct kv *kv)
{
	return map_resize(kv, false);
}

int
kv_map_grow(struct kv *kv)
{
	/* What looks full may be pages kept for a reader that was killed. */
	mdb_reader_check(kv->env, NULL);
	return map_resize(kv, true);
}

/* ---- Reading ---- */

static int
read_begin(struct kv *kv, MDB_txn **txn)
{
	int rc;

	for (int tries = 0;; tries++) {
		pthread_rwlock_rdlock(&kv->map);
		rc = mdb_txn_begin(kv->env, NULL, MDB_RDONLY, txn);
		if (rc == 0)
			return 0;
		pthread_rwlock_unlock(&kv->map);
		if (tries == 8)
			return rc;
		if (rc == MDB_MAP_RESIZED)
			rc = kv_map_adopt(kv);
		else if (rc == MDB_READERS_FULL)
			rc = mdb_reader_check(kv->env, NULL);
		if (rc != 0)
			return rc;
	}
}

enum mf_status
kv_read(struct kv *kv, kv_fn *fn, void *ctx, struct mf_error *err)
{
	struct kv_txn t = { .kv = kv };
	enum mf_status st;
	int rc = read_begin(kv, &t.txn);

	if (rc != 0)
		return kv_fail(kv, rc, "read", err);
	st = fn(&t, ctx, err);
	mdb_txn_abort(t.txn);
	pthread_rwlock_unlock(&kv->map);
	return t.rc != 0 ? kv_fail(kv, t.rc, "read", err) : st;
}

/* ---- Rows ---- */

static MDB_val
val(struct mf_bytes b)
{
	/* LMDB does not write through it. */
	return (MDB_val){ .mv_size = b.len, .mv_data = (void *)(uintptr_t)b.data };
}

static struct mf_bytes
view(const MDB_val *v)
{
	return mf_bytes(v->mv_data, v->mv_size);
}

bool
kv_get(struct kv_txn *t, struct mf_bytes key, struct mf_bytes *value)
{
	MDB_val k = val(key), v;
	int rc;

	if (t->rc != 0)
		return false;
	rc = mdb_get(t->txn, t->kv->dbi, &k, &v);
	if (rc != 0) {
		t->rc = rc == MDB_NOTFOUND ? 0 : rc;
		return false;
	}
	if (value != NULL)
		*value = view(&v);
	return true;
}

void
kv_put(struct kv_txn *t, struct mf_bytes key, struct mf_bytes value)
{
	MDB_val k = val(key), v = val(value);

	if (t->rc != 0)
		return;
	t->wrote = true;
	t->rc = mdb_put(t->txn, t->kv->dbi, &k, &v, 0);
}

void
kv_delete(struct kv_txn *t, struct mf_bytes key)
{
	MDB_val k = val(key);
	int rc;

	if (t->rc != 0)
		return;
	rc = mdb_del(t->txn, t->kv->dbi, &k, NULL);
	t->wrote = t->wrote || rc == 0;
	t->rc = rc == MDB_NOTFOUND ? 0 : rc;
}

static bool
begins(const MDB_val *key, struct mf_bytes prefix)
{
	return key->mv_size >= prefix.len &&
	       (prefix.len == 0 || memcmp(key->mv_data, prefix.data, prefix.len) == 0);
}

static int
seek(MDB_cursor *c, struct mf_bytes from, MDB_val *k, MDB_val *v)
{
	*k = val(from);
	return mdb_cursor_get(c, k, v, from.len == 0 ? MDB_FIRST : MDB_SET_RANGE);
}

size_t
kv_scan(struct kv_txn *t, struct mf_bytes prefix, struct mf_bytes from, kv_row_fn *row, void *ctx)
{
	MDB_cursor *c;
	MDB_val k, v;
	size_t n = 0;
	int rc;

	if (t->rc != 0)
		return 0;
	if ((t->rc = mdb_cursor_open(t->txn, t->kv->dbi, &c)) != 0)
		return 0;
	for (rc = seek(c, from.len == 0 ? prefix : from, &k, &v); rc == 0 && begins(&k, prefix);
		rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)) {
		n++;
		if (!row(ctx, view(&k), view(&v)))
			break;
	}
	mdb_cursor_close(c);
	t->rc = rc == MDB_NOTFOUND ? 0 : rc;
	return n;
}

size_t
kv_delete_prefix(struct kv_txn *t, struct mf_bytes prefix)
{
	MDB_cursor *c;
	MDB_val k, v;
	size_t n = 0;
	int rc;

	if (t->rc != 0)
		return 0;
	if ((t->rc = mdb_cursor_open(t->txn, t->kv->dbi, &c)) != 0)
		return 0;
	while ((rc = seek(c, prefix, &k, &v)) == 0 && begins(&k, prefix)) {
		if ((rc = mdb_cursor_del(c, 0)) != 0)
			break;
		t->wrote = true;
		n++;
	}
	mdb_cursor_close(c);
	t->rc = rc == MDB_NOTFOUND ? 0 : rc;
	return n;
}

/* ---- Administration ---- */

static enum mf_status
count_rows(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct kv_stats *out = ctx;
	MDB_stat s;
	int rc = mdb_stat(t->txn, t->kv->dbi, &s);

	if (rc != 0)
		return kv_fail(t->kv, rc, "stat", err);
	out->rows = s.ms_entries;
	out->bytes_used =
		(uint64_t)s.ms_psize * (s.ms_branch_pages + s.ms_leaf_pages + s.ms_overflow_pages);
	return MF_OK;
}

static uint64_t
file_size(const struct kv *kv)
{
	struct stat sb;
	mdb_filehandle_t fd;

	return mdb_env_get_fd(kv->env, &fd) == 0 && fstat(fd, &sb) == 0 ? (uint64_t)sb.st_size : 0;
}

enum mf_status
kv_stats(struct kv *kv, struct kv_stats *out, struct mf_error *err)
{
	MDB_envinfo info;
	enum mf_status st;
	int rc;

	*out = (struct kv_stats){ 0 };
	st = kv_read(kv, count_rows, out, err);
	if (st != MF_OK)
		return st;
	pthread_rwlock_rdlock(&kv->map);
	rc = mdb_env_info(kv->env, &info);
	out->bytes_file = file_size(kv);
	pthread_rwlock_unlock(&kv->map);
	if (rc != 0)
		return kv_fail(kv, rc, "info", err);
	out->bytes_map = info.me_mapsize;
	out->readers_max = info.me_maxreaders;
	writer_count(kv->writer, out);
	return MF_OK;
}

enum mf_status
kv_copy(struct kv *kv, const char *directory, struct mf_error *err)
{
	int rc;

	pthread_rwlock_rdlock(&kv->map);
	rc = mdb_env_copy2(kv->env, directory, MDB_CP_COMPACT);
	pthread_rwlock_unlock(&kv->map);
	return rc != 0 ? kv_fail(kv, rc, "copy", err) : MF_OK;
}
