/*
 * The worker threads: one queue, one lock, one table of waiting jobs, one side line. Knows neither HTTP nor
 * ActiveSync.
 *
 * There is no timer thread. An idle worker, the timekeeper, sleeps until the first waiting job is
 * due; when all workers are busy a due job would have to wait for one of them anyway.
 */
#include "work/work.h"

#include <assert.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/signals.h"
#include "mailferry/log.h"
#include "work/line.h"
#include "work/table.h"

enum { STACK_BYTES = 1 << 20 };

struct work_pool {
	pthread_mutex_t lock;
	pthread_cond_t wake; /* idle workers sleep here */
	pthread_cond_t tick; /* and the timekeeper here */
	size_t idle;	     /* workers that sleep at wake */
	struct work_job *first, *last;
	size_t queue_max;
	struct work_table table;
	struct work_line line;
	bool timekeeper; /* a worker sleeps until the first due time */
	bool ending;	 /* nothing parks any more */
	bool stopping;	 /* threads leave when the queue is empty */
	struct work_stats stats;
	pthread_t *threads;
};

/* All functions from here to the worker's loop are called with the lock held. */

/* One worker looks what there is to do. A signal may meet one that was woken before: whoever takes a
 * job rouses the next when there are more. */
static void
rouse(struct work_pool *p)
{
	pthread_cond_signal(p->idle > 0 ? &p->wake : &p->tick);
}

static void
rouse_all(struct work_pool *p)
{
	pthread_cond_broadcast(&p->wake);
	pthread_cond_broadcast(&p->tick);
}

static void
enqueue(struct work_pool *p, struct work_job *job)
{
	job->state = WORK_QUEUED;
	job->next = NULL;
	if (p->last == NULL)
		p->first = job;
	else
		p->last->next = job;
	p->last = job;
	p->stats.queued++;
	rouse(p);
}

/* Called again from the side line; or at once, when waiting there is in vain. */
static void
step_aside(struct work_pool *p, struct work_job *job)
{
	if (work_line_crowded(&p->line, clock_ms())) {
		job->wait.aside = WORK_ASIDE_CROWDED;
		enqueue(p, job);
		return;
	}
	job->state = WORK_QUEUED;
	work_line_add(&p->line, job);
	rouse(p);
}

/* Those who wait there in vain are told. */
static void
clear_line(struct work_pool *p)
{
	struct work_job *job;

	if (p->line.first == NULL || !work_line_crowded(&p->line, clock_ms()))
		return;
	while ((job = work_line_pop(&p->line)) != NULL) {
		job->wait.aside = WORK_ASIDE_CROWDED;
		enqueue(p, job);
	}
}

static void
unpark(struct work_pool *p, struct work_job *job)
{
	work_table_unpark(&p->table, job);
	p->stats.woken++;
	enqueue(p, job);
}

static void
end_job(struct work_pool *p, struct work_job *job)
{
	job->ended = true;
	if (job->state == WORK_PARKED)
		unpark(p, job);
}

/* A device's newer request takes the place of the one that still waits. */
static void
end_others(struct work_pool *p, struct work_job *job)
{
	struct work_job *j = work_table_group(&p->table, job->listed_group);

	for (; j != NULL; j = work_table_group_next(j))
		if (j != job && j->listed_one == job->listed_one)
			end_job(p, j);
}

static void
park(struct work_pool *p, struct work_job *job)
{
	const struct work_wait *w = &job->wait;
	bool newcomer = job->listed_group == 0;

	job->due = w->until;
	if (w->poll_ms > 0 && clock_ms() + w->poll_ms < w->until)
		job->due = clock_ms() + w->poll_ms;
	work_table_list(&p->table, job, w->group);
	job->listed_one = w->one;
	if (newcomer && w->one != 0)
		end_others(p, job);
	if (job->stirred || job->ended) {
		enqueue(p, job);
		return;
	}
	job->state = WORK_PARKED;
	work_table_park(&p->table, job);
	if (work_table_first(&p->table) == job)
		pthread_cond_signal(&p->tick);
}

static void
unpark_due(struct work_pool *p)
{
	struct work_job *job;

	while ((job = work_table_first(&p->table)) != NULL && job->due <= clock_ms())
		unpark(p, job);
}

static void
sleep_until(struct work_pool *p, int64_t ms)
{
	struct timespec ts = { .tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)(ms % 1000) * 1000000 };

	pthread_cond_timedwait(&p->tick, &p->lock, &ts);
}

static void
wait_for_work(struct work_pool *p)
{
	struct work_job *first = work_table_first(&p->table);

	if (first == NULL || p->timekeeper) {
		p->idle++;
		pthread_cond_wait(&p->wake, &p->lock);
		p->idle--;
		return;
	}
	p->timekeeper = true;
	sleep_until(p, first->due);
	p->timekeeper = false;
}

/* NULL: there is none. */
static struct work_job *
next_job(struct work_pool *p)
{
	struct work_job *job;

	if (work_line_ready(&p->line)) {
		job = work_line_pop(&p->line);
		job->wait.aside = WORK_ASIDE_NOW;
		work_line_begin(&p->line, job, clock_ms());
		return job;
	}
	job = p->first;
	if (job == NULL)
		return NULL;
	p->first = job->next;
	if (p->first == NULL)
		p->last = NULL;
	p->stats.queued--;
	return job;
}

static struct work_job *
dequeue(struct work_pool *p)
{
	struct work_job *job;

	for (;;) {
		unpark_due(p);
		clear_line(p);
		job = next_job(p);
		if (job != NULL)
			break;
		if (p->stopping && p->table.n == 0 && p->stats.running == 0)
			return NULL;
		wait_for_work(p);
	}
	p->stats.running++;
	job->state = WORK_RUNNING;
	job->wait.stirred = job->stirred;
	job->wait.stirred_us = job->stirred_us;
	job->wait.ended = job->ended = job->ended || p->ending;
	job->stirred = 0;
	/* This worker may have been the timekeeper: another takes over. */
	if (p->first != NULL || work_line_ready(&p->line) || (p->table.n > 0 && !p->timekeeper))
		rouse(p);
	return job;
}

/* What ended does not wait again: a job that insists is called until it is done. */
static void
after_run(struct work_pool *p, struct work_job *job, enum work_verdict verdict)
{
	if (job->wait.aside == WORK_ASIDE_NOW)
		work_line_end(&p->line, job, clock_ms());
	job->wait.aside = WORK_ASIDE_NOT;
	if (verdict != WORK_DONE) {
		p->stats.running--;
		job->ended = job->ended || p->ending;
		(verdict == WORK_WAIT ? park : step_aside)(p, job);
		return;
	}
	work_table_list(&p->table, job, 0);
	job->state = WORK_IDLE;
	pthread_mutex_unlock(&p->lock);
	job->done(job);
	pthread_mutex_lock(&p->lock);
	p->stats.running--;
	p->stats.finished++;
	if (p->stopping)
		rouse_all(p);
}

static void *
worker(void *arg)
{
	struct work_pool *p = arg;
	struct work_job *job;

	pthread_mutex_lock(&p->lock);
	while ((job = dequeue(p)) != NULL) {
		enum work_verdict verdict;

		pthread_mutex_unlock(&p->lock);
		verdict = job->run(job);
		pthread_mutex_lock(&p->lock);
		after_run(p, job, verdict);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* Signals are the main thread's. */
static void
start_threads(struct work_pool *p, size_t n)
{
	pthread_attr_t attr;
	sigset_t old;

	signals_block(&old);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	while (p->stats.threads < n &&
		pthread_create(&p->threads[p->stats.threads], &attr, worker, p) == 0)
		p->stats.threads++;
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (p->stats.threads < n)
		mf_log_warning("workers=%zu wanted=%zu why=\"the system allows no more threads\"",
			p->stats.threads, n);
}

struct work_pool *
work_pool_new(size_t threads, size_t queue_max)
{
	struct work_pool *p = calloc(1, sizeof(*p));
	pthread_condattr_t attr;

	if (p == NULL || (p->threads = calloc(threads, sizeof(*p->threads))) == NULL) {
		free(p);
		return NULL;
	}
	p->queue_max = queue_max;
	p->line.max = (threads + 1) / 2;
	p->line.queue_max = queue_max;
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->wake, &attr);
	pthread_cond_init(&p->tick, &attr);
	pthread_condattr_destroy(&attr);
	start_threads(p, threads);
	if (p->stats.threads > 0)
		return p;
	work_pool_free(p);
	return NULL;
}

void
work_pool_free(struct work_pool *p)
{
	if (p == NULL)
		return;
	work_end_all(p);
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	rouse_all(p);
	pthread_mutex_unlock(&p->lock);
	for (size_t i = 0; i < p->stats.threads; i++)
		pthread_join(p->threads[i], NULL);
	work_table_deinit(&p->table);
	pthread_cond_destroy(&p->wake);
	pthread_cond_destroy(&p->tick);
	pthread_mutex_destroy(&p->lock);
	free(p->threads);
	free(p);
}

bool
work_push(struct work_pool *p, struct work_job *job)
{
	bool room;

	assert(job->state == WORK_IDLE);
	pthread_mutex_lock(&p->lock);
	room = p->stats.queued < p->queue_max && !p->stopping;
	if (room) {
		job->stirred = 0;
		job->ended = false;
		job->listed_group = 0;
		job->wait.aside = WORK_ASIDE_NOT;
		enqueue(p, job);
	}
	pthread_mutex_unlock(&p->lock);
	return room;
}

/* A running job is told by its flag: it does not park before it has run once more. The lock is held. */
static void
stir(struct work_pool *p, struct work_job *job, unsigned what)
{
	if (job->stirred == 0)
		job->stirred_us = clock_us();
	job->stirred |= what;
	if (job->state == WORK_PARKED)
		unpark(p, job);
}

void
work_wake_all(struct work_pool *p, unsigned what)
{
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->table.n_groups; i++)
		for (struct work_job *job = p->table.groups[i]; job != NULL; job = job->older)
			stir(p, job, what);
	pthread_mutex_unlock(&p->lock);
}

void
work_wake(struct work_pool *p, uint64_t group, uint64_t one, unsigned what)
{
	struct work_job *job;

	pthread_mutex_lock(&p->lock);
	job = work_table_group(&p->table, group);
	for (; job != NULL; job = work_table_group_next(job)) {
		if (one == 0 || job->listed_one == one)
			stir(p, job, what);
	}
	pthread_mutex_unlock(&p->lock);
}

void
work_end(struct work_pool *p, struct work_job *job)
{
	pthread_mutex_lock(&p->lock);
	if (job->state != WORK_IDLE)
		end_job(p, job);
	pthread_mutex_unlock(&p->lock);
}

void
work_end_all(struct work_pool *p)
{
	struct work_job *job;

	pthread_mutex_lock(&p->lock);
	p->ending = true;
	while ((job = work_table_first(&p->table)) != NULL)
		end_job(p, job);
	pthread_mutex_unlock(&p->lock);
}

void
work_each_waiting(struct work_pool *p, void (*fn)(void *ctx, const struct work_job *job), void *ctx)
{
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->table.n; i++)
		fn(ctx, p->table.heap[i]);
	pthread_mutex_unlock(&p->lock);
}

void
work_pool_stats(struct work_pool *p, struct work_stats *out)
{
	pthread_mutex_lock(&p->lock);
	*out = p->stats;
	out->parked = p->table.n;
	out->aside = p->line.queued;
	pthread_mutex_unlock(&p->lock);
}
