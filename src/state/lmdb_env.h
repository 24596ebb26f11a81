/* The inside of kv.h: one LMDB environment, its transactions, its writer. For kv.c, writer.c, store.c. */
#ifndef STATE_LMDB_ENV_H
#define STATE_LMDB_ENV_H

#include <lmdb.h>
#include <pthread.h>

#include "state/kv.h"

struct writer;

struct kv {
	char *path;
	MDB_env *env;
	MDB_dbi dbi;
	/* Held for reading by whoever has a transaction, for writing by whoever changes the map's
	 * size, which LMDB allows only while this process has no transaction. */
	pthread_rwlock_t map;
	struct writer *writer;
};

struct kv_txn {
	const struct kv *kv;
	MDB_txn *txn;
	bool wrote;
	int rc; /* the first failure: it sticks */
};

struct kv_options {
	size_t map_size;
	unsigned readers;
};

/* Opens or makes the environment in the directory `path`, which must be there. */
enum mf_status kv_open(
	const char *path, const struct kv_options *o, struct kv **out, struct mf_error *err);
void kv_close(struct kv *kv);

/* A compacted copy into an existing, empty directory. */
enum mf_status kv_copy(struct kv *kv, const char *directory, struct mf_error *err);

/* Takes over a size that another process gave the map, or doubles it. LMDB's return codes. */
int kv_map_adopt(struct kv *kv);
int kv_map_grow(struct kv *kv);

/* What an LMDB or system error means to the caller, with the store's path and the reason. */
enum mf_status kv_fail(const struct kv *kv, int rc, const char *doing, struct mf_error *err);

/* ---- writer.c ---- */

struct writer *writer_new(struct kv *kv);
/* After all writes have returned: ends the thread. NULL is fine. */
void writer_free(struct writer *w);
void writer_count(struct writer *w, struct kv_stats *out);

#endif
