/*
 * An ordered store of rows: the small interface under the state, with LMDB behind it today and room
 * for a networked engine later.
 *
 * Keys are ordered as bytes, at most KV_KEY_MAX long and never empty; values may be empty or hold
 * megabytes. All access is within a transaction, a function that the store calls. A transaction never
 * waits for anything else (no backend, no lock) and never begins another. What it reads points into
 * the store: it is copied before the function returns, and before the next write of this transaction.
 *
 * A write's function may be called more than once (the map had to grow; a networked engine saw a
 * conflict): it starts from scratch each time, and has no effect but on its rows and its ctx. When it
 * returns anything but MF_OK, none of its rows are written, and the caller gets that status. It runs
 * in the writer's thread while the caller waits.
 *
 * Failures inside a transaction stick to it: later calls do nothing and give nothing, and the
 * transaction fails as a whole. So nobody checks each call.
 */
#ifndef STATE_KV_H
#define STATE_KV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailferry/bytes.h"
#include "mailferry/error.h"

enum { KV_KEY_MAX = 511 };

struct kv;
struct kv_txn;

typedef enum mf_status kv_fn(struct kv_txn *t, void *ctx, struct mf_error *err);

enum mf_status kv_read(struct kv *kv, kv_fn *fn, void *ctx, struct mf_error *err);
enum mf_status kv_write(struct kv *kv, kv_fn *fn, void *ctx, struct mf_error *err);

/* A write in two halves, for who has something else to do meanwhile: begun, and waited for. ctx and err live until
 * the end, which must come, gives what kv_write would, and frees the job. */
struct kv_job;
struct kv_job *kv_write_begin(struct kv *kv, kv_fn *fn, void *ctx, struct mf_error *err);
enum mf_status kv_write_end(struct kv *kv, struct kv_job *job);

/* False when there is no such row; value may be NULL. */
bool kv_get(struct kv_txn *t, struct mf_bytes key, struct mf_bytes *value);
void kv_put(struct kv_txn *t, struct mf_bytes key, struct mf_bytes value);
/* No such row is fine. */
void kv_delete(struct kv_txn *t, struct mf_bytes key);

/* Calls row for each row whose key begins with prefix, in order, from `from` on (an empty `from`: the
 * first); false ends it. The rows must not be changed meanwhile. Returns how many rows were shown. */
typedef bool kv_row_fn(void *ctx, struct mf_bytes key, struct mf_bytes value);
size_t kv_scan(
	struct kv_txn *t, struct mf_bytes prefix, struct mf_bytes from, kv_row_fn *row, void *ctx);

/* Deletes the rows whose key begins with prefix; returns how many. */
size_t kv_delete_prefix(struct kv_txn *t, struct mf_bytes prefix);

struct kv_stats {
	uint64_t rows;
	uint64_t bytes_used;  /* pages in use */
	uint64_t bytes_file;  /* the file's size */
	uint64_t bytes_map;   /* how far it may grow before the map does */
	uint64_t writes;      /* transactions that this process has committed */
	uint64_t commits;     /* groups in which it did */
	unsigned readers_max; /* slots for reading threads */
};

enum mf_status kv_stats(struct kv *kv, struct kv_stats *out, struct mf_error *err);

#endif
