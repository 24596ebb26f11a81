/* Background work, in runs. Knows nothing of what a run does. */
#include "push/tend.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/clock.h"
#include "push/helpers.h"

enum {
	/* Deliveries come in bursts, and whoever waits for them goes first. */
	DELAY_MS = 500,
	/* By then a phone that was woken has come for its mail, and its session at the mail server can be used again. */
	PATIENT_MS = 15 * 1000,
};

struct tending {
	struct mf_loop *loop;
	struct helpers *helpers;
	push_tend_fn *run;
	void *ctx;
	_Atomic uint64_t runs;
	atomic_bool closing; /* set on the loop's thread */
};

/* A run has its own copy of all that it needs: the user may go meanwhile. */
struct tend_run {
	struct mf_loop_job job; /* first */
	struct tending *tending;
	struct tend *user; /* NULL: gone */
	uint64_t group;
	struct mf_login who;
	int64_t next_ms;
	bool patient;
};

static void
run(struct mf_loop_job *job)
{
	struct tend_run *r = (struct tend_run *)job;
	struct tending *t = r->tending;

	if (atomic_load(&t->closing))
		return;
	atomic_fetch_add(&t->runs, 1);
	r->next_ms = t->run(t->ctx, r->group, &r->who, &r->patient);
}

static void
done(struct mf_loop_job *job)
{
	struct tend_run *r = (struct tend_run *)job;
	struct tend *u = r->user;

	if (u != NULL) {
		u->run = NULL;
		u->patient = r->patient;
		if (u->again)
			tend_stirred(u);
		else if (r->next_ms > 0)
			mf_loop_timer_set(r->tending->loop, &u->timer, r->next_ms);
	}
	mf_login_wipe(&r->who);
	free(r);
}

static void
begin(struct mf_loop_timer *timer)
{
	struct tend *u = (struct tend *)((char *)timer - offsetof(struct tend, timer));
	struct tending *t = u->tending;
	struct tend_run *r;

	if (atomic_load(&t->closing))
		return;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		abort();
	r->job.run = run;
	r->job.done = done;
	r->tending = t;
	r->user = u;
	r->group = u->group;
	mf_login_copy(&r->who, u->who);
	u->run = r;
	u->again = false;
	helpers_push(t->helpers, t->loop, &r->job);
}

void
tend_init(struct tend *u, struct tending *t, uint64_t group, const struct mf_login *who)
{
	u->tending = t;
	u->group = group;
	u->who = who;
	u->timer.fire = begin;
}

static void
tend_within(struct tend *u, int64_t ms)
{
	if (u->tending->run == NULL)
		return;
	if (u->run != NULL)
		u->again = true;
	else if (u->timer.slot == 0 || u->timer.at > clock_ms() + ms)
		mf_loop_timer_set(u->tending->loop, &u->timer, ms);
}

void
tend_soon(struct tend *u)
{
	tend_within(u, DELAY_MS);
}

void
tend_stirred(struct tend *u)
{
	tend_within(u, u->patient ? PATIENT_MS : DELAY_MS);
}

void
tend_deinit(struct tend *u)
{
	mf_loop_timer_clear(u->tending->loop, &u->timer);
	if (u->run != NULL)
		u->run->user = NULL;
}

/* ---- Life ---- */

struct tending *
tending_new(struct mf_loop *loop, unsigned threads, push_tend_fn *fn, void *ctx)
{
	struct tending *t = calloc(1, sizeof(*t));

	if (t == NULL)
		abort();
	t->loop = loop;
	t->run = fn;
	t->ctx = ctx;
	t->helpers = helpers_new(threads);
	return t;
}

struct closing {
	struct mf_loop_task task; /* first */
	struct tending *tending;
	sem_t done;
};

static void
close_now(struct mf_loop_task *task)
{
	struct closing *c = (struct closing *)task;

	atomic_store(&c->tending->closing, true);
	sem_post(&c->done);
}

void
tending_end(struct tending *t)
{
	struct closing c = { .task = { .run = close_now }, .tending = t };

	sem_init(&c.done, 0, 0);
	mf_loop_post(t->loop, &c.task);
	while (sem_wait(&c.done) != 0) {}
	sem_destroy(&c.done);
	helpers_finish(t->helpers); /* nothing is pushed any more */
}

void
tending_free(struct tending *t)
{
	if (t == NULL)
		return;
	helpers_free(t->helpers);
	free(t);
}

uint64_t
tending_runs(const struct tending *t)
{
	return atomic_load(&t->runs);
}
