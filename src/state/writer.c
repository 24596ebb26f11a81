/*
 * The writer: one thread a store, which commits what waits together (group commit), so that a durable
 * write costs a fraction of a disk flush. Started by the first write, so that tools which only read
 * have none. Knows nothing of what is written.
 *
 * A group is one LMDB transaction in which the callers' functions run one after the other. One that
 * fails without having written anything just drops out; one that has written makes the group start
 * again without it. A full map makes it start again in a larger one.
 */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/signals.h"
#include "mailferry/log.h"
#include "state/lmdb_env.h"
#include "state/state.h"

enum { GROUP_MAX = 64, GROUP_AGAIN = -1, FAULT_EXIT = 42 };

struct kv_job {
	struct kv_job *next;
	kv_fn *fn;
	void *ctx;
	struct mf_error *err;
	enum mf_status status;
	bool failed; /* by itself: not run again */
	bool done;   /* told to the caller, under the lock */
	pthread_cond_t finished;
};

struct writer {
	struct kv *kv;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t wake;
	struct kv_job *first, **last;
	pthread_t thread;
	bool started, stopping;
	uint64_t writes, commits;
};

/* ---- Faults, for tests ---- */

static _Atomic unsigned fault_countdown; /* 0: none */
static _Atomic bool fault_after_commit;
static _Atomic unsigned full_countdown; /* 0: none */

void
state_fault_after(unsigned n, bool after_commit)
{
	atomic_store(&fault_after_commit, after_commit);
	atomic_store(&fault_countdown, n);
}

/* Called before and after each commit that changes something; counts at the moment that was asked. */
static void
fault_point(bool after_commit)
{
	if (atomic_load(&fault_countdown) == 0 || atomic_load(&fault_after_commit) != after_commit)
		return;
	if (atomic_fetch_sub(&fault_countdown, 1) == 1)
		_exit(FAULT_EXIT);
}

void
state_fault_full(unsigned n)
{
	atomic_store(&full_countdown, n);
}

/* Whether the disk has no room for this commit, as was asked for. */
static bool
fault_full(void)
{
	return atomic_load(&full_countdown) != 0 && atomic_fetch_sub(&full_countdown, 1) == 1;
}

/* ---- A group ---- */

/* GROUP_AGAIN: the job failed and left rows behind, the transaction is spoilt. */
static int
job_run(struct kv_txn *t, struct kv_job *j)
{
	t->wrote = false;
	j->status = j->fn(t, j->ctx, j->err);
	if (t->rc == MDB_BAD_VALSIZE) /* its own mistake, not the disk's */
		j->status = kv_fail(t->kv, t->rc, "write", j->err);
	else if (t->rc != 0)
		return t->rc;
	if (j->status == MF_OK)
		return 0;
	t->rc = 0;
	j->failed = true;
	return t->wrote ? GROUP_AGAIN : 0;
}

static int
group_try(struct kv *kv, struct kv_job *group)
{
	struct kv_txn t = { .kv = kv };
	bool wrote = false;
	int rc = mdb_txn_begin(kv->env, NULL, 0, &t.txn);

	if (rc != 0)
		return rc;
	for (struct kv_job *j = group; j != NULL && rc == 0; j = j->next) {
		if (!j->failed)
			rc = job_run(&t, j);
		wrote = wrote || t.wrote;
	}
	if (rc != 0 || !wrote) {
		mdb_txn_abort(t.txn);
		return rc;
	}
	if (fault_full()) {
		mdb_txn_abort(t.txn);
		return ENOSPC;
	}
	fault_point(false);
	rc = mdb_txn_commit(t.txn);
	if (rc == 0)
		fault_point(true);
	return rc;
}

static void
group_run(struct kv *kv, struct kv_job *group)
{
	int rc;

	do {
		pthread_rwlock_rdlock(&kv->map);
		rc = group_try(kv, group);
		pthread_rwlock_unlock(&kv->map);
		if (rc == MDB_MAP_RESIZED)
			rc = kv_map_adopt(kv) == 0 ? GROUP_AGAIN : MDB_MAP_RESIZED;
		else if (rc == MDB_MAP_FULL)
			rc = kv_map_grow(kv) == 0 ? GROUP_AGAIN : MDB_MAP_FULL;
	} while (rc == GROUP_AGAIN);
	if (rc == 0)
		return;
	mf_log_error("state=%s write failed: %s", mf_log_value(kv->path), mdb_strerror(rc));
	for (struct kv_job *j = group; j != NULL; j = j->next) {
		if (!j->failed)
			j->status = kv_fail(kv, rc, "write", j->err);
	}
}

/* ---- The thread ---- */

/* Takes the first jobs off the queue, at most GROUP_MAX; the lock is held. */
static struct kv_job *
group_take(struct writer *w, size_t *n)
{
	struct kv_job *group = w->first, **end = &w->first;

	for (*n = 0; *end != NULL && *n < GROUP_MAX; ++*n)
		end = &(*end)->next;
	w->first = *end;
	*end = NULL;
	if (w->first == NULL)
		w->last = &w->first;
	return group;
}

static void
group_finish(struct writer *w, struct kv_job *group, size_t n)
{
	struct kv_job *next;

	w->writes += n;
	w->commits++;
	for (struct kv_job *j = group; j != NULL; j = next) {
		next = j->next; /* j is the caller's, and gone once it is done */
		j->done = true;
		pthread_cond_signal(&j->finished);
	}
}

static void *
writer_main(void *arg)
{
	struct writer *w = arg;
	struct kv_job *group;
	size_t n;

	pthread_mutex_lock(&w->lock);
	for (;;) {
		while (w->first == NULL && !w->stopping)
			pthread_cond_wait(&w->wake, &w->lock);
		if (w->first == NULL)
			break;
		group = group_take(w, &n);
		pthread_mutex_unlock(&w->lock);
		group_run(w->kv, group);
		pthread_mutex_lock(&w->lock);
		group_finish(w, group, n);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* The lock is held. Signals are the main thread's. */
static int
writer_start(struct writer *w)
{
	sigset_t old;
	int rc;

	if (w->started)
		return 0;
	signals_block(&old);
	rc = pthread_create(&w->thread, NULL, writer_main, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	w->started = rc == 0;
	return rc;
}

static void
job_begin(struct writer *w, struct kv_job *j)
{
	int rc;

	pthread_cond_init(&j->finished, NULL);
	pthread_mutex_lock(&w->lock);
	rc = writer_start(w);
	if (rc != 0) {
		j->status = kv_fail(w->kv, rc, "start the writer", j->err);
		j->done = true;
	} else {
		*w->last = j;
		w->last = &j->next;
		pthread_cond_signal(&w->wake);
	}
	pthread_mutex_unlock(&w->lock);
}

static enum mf_status
job_end(struct writer *w, struct kv_job *j)
{
	pthread_mutex_lock(&w->lock);
	while (!j->done)
		pthread_cond_wait(&j->finished, &w->lock);
	pthread_mutex_unlock(&w->lock);
	pthread_cond_destroy(&j->finished);
	return j->status;
}

enum mf_status
kv_write(struct kv *kv, kv_fn *fn, void *ctx, struct mf_error *err)
{
	struct kv_job j = { .fn = fn, .ctx = ctx, .err = err };

	job_begin(kv->writer, &j);
	return job_end(kv->writer, &j);
}

struct kv_job *
kv_write_begin(struct kv *kv, kv_fn *fn, void *ctx, struct mf_error *err)
{
	struct kv_job *j = calloc(1, sizeof(*j));

	if (j == NULL)
		abort();
	*j = (struct kv_job){ .fn = fn, .ctx = ctx, .err = err };
	job_begin(kv->writer, j);
	return j;
}

enum mf_status
kv_write_end(struct kv *kv, struct kv_job *j)
{
	enum mf_status st = job_end(kv->writer, j);

	free(j);
	return st;
}

struct writer *
writer_new(struct kv *kv)
{
	struct writer *w = calloc(1, sizeof(*w));

	if (w == NULL)
		abort();
	w->kv = kv;
	w->last = &w->first;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->wake, NULL);
	return w;
}

void
writer_free(struct writer *w)
{
	if (w == NULL)
		return;
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	if (w->started)
		pthread_join(w->thread, NULL);
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

void
writer_count(struct writer *w, struct kv_stats *out)
{
	pthread_mutex_lock(&w->lock);
	out->writes = w->writes;
	out->commits = w->commits;
	pthread_mutex_unlock(&w->lock);
}
