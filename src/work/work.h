/*
 * Worker threads and waiting jobs. Knows neither HTTP nor ActiveSync.
 *
 * A job is somebody else's struct with a struct work_job inside. It goes
 *
 *	work_push -> QUEUED -> RUNNING -> (PARKED -> QUEUED -> RUNNING)* -> done
 *
 * and has one owner at a time: the pool from work_push until `done` is called. A parked job costs a
 * table entry and no thread; the pool calls it again at `until`, every `poll_ms`, when its group is
 * woken or when it is ended. A wake that comes while the job runs is not lost: it runs once more.
 *
 * A job that is about to block for long asks to be called ASIDE: only half of the threads run such jobs at once, so
 * that the others stay free. When those it would wait for are slow, it is called again at once, told so.
 */
#ifndef WORK_WORK_H
#define WORK_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum work_verdict {
	WORK_DONE,  /* finished: `done` is called */
	WORK_WAIT,  /* to be called again, see struct work_wait */
	WORK_ASIDE, /* to be called again from the side line, see wait.aside */
};

/* Where a job is called from. */
enum work_aside {
	WORK_ASIDE_NOT,
	WORK_ASIDE_NOW,	    /* the side line: it may block */
	WORK_ASIDE_CROWDED, /* the side line is full of slow ones: it is to do without */
};

struct work_wait {
	/* Set by `run` before it returns WORK_WAIT. */
	int64_t until;	 /* clock_ms: call again then at the latest */
	int64_t poll_ms; /* call again that often; 0: only at `until` or when woken */
	uint64_t group;	 /* whom work_wake wakes: a user's number; 0: nobody */
	uint64_t
		one; /* of all jobs of a group with the same number only the latest waits, the others
		       * are ended: a device's Ping; 0: any number may wait */
	/* Set for `run` before it is called again. */
	unsigned stirred;   /* what work_wake was called with for it, ored; 0: it was not */
	int64_t stirred_us; /* clock_us: when that was, for the first time */
	enum work_aside aside;
	bool ended; /* finish now: shutdown, a newer job took its place, or its client left */
};

enum work_state { WORK_IDLE, WORK_QUEUED, WORK_RUNNING, WORK_PARKED };

struct work_job {
	enum work_verdict (*run)(struct work_job *job); /* on a worker; may block */
	void (*done)(struct work_job *job); /* once, on a worker: the job is its owner's again */
	struct work_wait wait;

	/* The pool's own. */
	enum work_state state;
	unsigned stirred;		/* to be told at the next run */
	int64_t stirred_us;		/* since when */
	bool ended;			/* the same */
	int64_t due;			/* parked: clock_ms of the next call */
	size_t slot;			/* parked: place in the heap */
	struct work_job *next;		/* in the queue, or in one of the side line's lists */
	int64_t began;			/* clock_ms: since when it runs aside */
	struct work_job *older, *newer; /* in the group's chain, while it is in the table */
	uint64_t listed_group;		/* what it is listed under, 0: not listed */
	uint64_t listed_one;		/* wait.one as of its last wait */
};

struct work_pool;

/* n threads (1 to 4096); at most queue_max jobs wait for a thread before work_push refuses. NULL when
 * not even one thread could be started. */
struct work_pool *work_pool_new(size_t threads, size_t queue_max);

/* Ends what waits, lets everything finish, joins the threads. NULL is fine. */
void work_pool_free(struct work_pool *p);

/* Hands over a job whose run and done are set. False: too many jobs wait or the pool stops; the job
 * stays the caller's. Any thread. */
bool work_push(struct work_pool *p, struct work_job *job);

/* Something may have changed for the jobs of a group with this wait.one (0: for all of the group): those
 * that wait are called again, and told `what` (not 0). Any thread. */
void work_wake(struct work_pool *p, uint64_t group, uint64_t one, unsigned what);

/* The same for all that wait, whatever their group. Any thread. */
void work_wake_all(struct work_pool *p, unsigned what);

/* Ends one job: parked, it is called again with wait.ended; otherwise it will not park any more. The
 * caller knows that `done` has not returned yet. Any thread. */
void work_end(struct work_pool *p, struct work_job *job);

/* Ends all jobs, now and from now on: nothing parks any more. New jobs still run. */
void work_end_all(struct work_pool *p);

struct work_stats {
	size_t threads, queued, running, parked;
	size_t aside; /* wait for the side line; not among the queued */
	uint64_t finished, woken;
};

/* Calls fn for each waiting job, with the pool's lock held: fn must be short and call nothing here. The
 * job stays the pool's. */
void work_each_waiting(
	struct work_pool *p, void (*fn)(void *ctx, const struct work_job *job), void *ctx);

void work_pool_stats(struct work_pool *p, struct work_stats *out);

#endif
