/* One epoll, a heap of timers, a list of tasks. Knows no protocol; everything but posting and counting
 * happens on the loop's thread. */
#include "push/loop.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "push/helpers.h"

enum { BATCH = 256, WAIT_MOST = 3600 * 1000 };

struct mf_loop {
	int epoll, wake;
	struct epoll_event batch[BATCH];
	int n_batch, at_batch;

	struct mf_loop_timer **heap; /* the earliest first */
	size_t n, room;

	pthread_mutex_t lock; /* of tasks */
	struct mf_loop_task *tasks, **tasks_end;
	struct helpers *helpers; /* helpers.h */
	atomic_bool stop;
	_Atomic uint64_t ios, timers;
};

enum mf_status
loop_new(unsigned helpers, struct mf_loop **out, struct mf_error *err)
{
	struct mf_loop *l = calloc(1, sizeof(*l));
	struct epoll_event ev = { .events = EPOLLIN };

	if (l == NULL)
		abort();
	l->tasks_end = &l->tasks;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (l->epoll < 0 || l->wake < 0 || epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->wake, &ev) != 0) {
		mf_fail(err, MF_TEMPORARY, "event loop: %s", strerror(errno));
		if (l->epoll >= 0)
			close(l->epoll);
		if (l->wake >= 0)
			close(l->wake);
		free(l);
		return MF_TEMPORARY;
	}
	pthread_mutex_init(&l->lock, NULL);
	l->helpers = helpers_new(helpers);
	*out = l;
	return MF_OK;
}

void
loop_free(struct mf_loop *l)
{
	if (l == NULL)
		return;
	helpers_free(l->helpers);
	close(l->epoll);
	close(l->wake);
	pthread_mutex_destroy(&l->lock);
	free(l->heap);
	free(l);
}

/* ---- Descriptors ---- */

static uint32_t
epoll_events(unsigned events)
{
	return ((events & MF_LOOP_READ) != 0 ? (uint32_t)EPOLLIN : 0) |
	       ((events & MF_LOOP_WRITE) != 0 ? (uint32_t)EPOLLOUT : 0) | (uint32_t)EPOLLRDHUP;
}

bool
mf_loop_io_set(struct mf_loop *l, struct mf_loop_io *io, unsigned events)
{
	struct epoll_event ev = { .events = epoll_events(events), .data = { .ptr = io } };

	if (io->added && io->events == events)
		return true;
	if (epoll_ctl(l->epoll, io->added ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, io->fd, &ev) != 0)
		return false;
	if (!io->added)
		atomic_fetch_add(&l->ios, 1);
	io->added = true;
	io->events = events;
	return true;
}

void
mf_loop_io_remove(struct mf_loop *l, struct mf_loop_io *io)
{
	if (!io->added)
		return;
	epoll_ctl(l->epoll, EPOLL_CTL_DEL, io->fd, NULL);
	io->added = false;
	atomic_fetch_sub(&l->ios, 1);
	for (int i = l->at_batch; i < l->n_batch; i++)
		if (l->batch[i].data.ptr == io)
			l->batch[i].data.ptr = NULL;
}

static void
io_ready(const struct epoll_event *ev)
{
	struct mf_loop_io *io = ev->data.ptr;
	unsigned events = 0;

	if (io == NULL)
		return;
	if ((ev->events & EPOLLIN) != 0)
		events |= MF_LOOP_READ;
	if ((ev->events & EPOLLOUT) != 0)
		events |= MF_LOOP_WRITE;
	if ((ev->events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) != 0)
		events |= MF_LOOP_HANGUP;
	io->ready(io, events);
}

/* ---- Timers ---- */

static void
place(struct mf_loop *l, size_t at, struct mf_loop_timer *t)
{
	l->heap[at] = t;
	t->slot = at + 1;
}

static void
sift(struct mf_loop *l, size_t at)
{
	struct mf_loop_timer *t = l->heap[at];

	while (at > 0 && l->heap[(at - 1) / 2]->at > t->at) {
		place(l, at, l->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	for (size_t child; (child = at * 2 + 1) < l->n; at = child) {
		if (child + 1 < l->n && l->heap[child + 1]->at < l->heap[child]->at)
			child++;
		if (l->heap[child]->at >= t->at)
			break;
		place(l, at, l->heap[child]);
	}
	place(l, at, t);
}

void
mf_loop_timer_clear(struct mf_loop *l, struct mf_loop_timer *t)
{
	size_t at = (size_t)t->slot - 1;

	if (t->slot == 0)
		return;
	assert(at < l->n && l->heap[at] == t);
	t->slot = 0;
	t->at = 0;
	l->n--;
	atomic_fetch_sub(&l->timers, 1);
	if (at < l->n) {
		place(l, at, l->heap[l->n]);
		sift(l, at);
	}
}

void
mf_loop_timer_set(struct mf_loop *l, struct mf_loop_timer *t, int64_t ms)
{
	mf_loop_timer_clear(l, t);
	if (l->n == l->room) {
		l->room = l->room == 0 ? 64 : l->room * 2;
		l->heap = realloc(l->heap, l->room * sizeof(struct mf_loop_timer *));
		if (l->heap == NULL)
			abort();
	}
	t->at = clock_ms() + ms;
	place(l, l->n, t);
	l->n++;
	atomic_fetch_add(&l->timers, 1);
	sift(l, l->n - 1);
}

/* Those that were due when it began: one that sets itself again with 0 ms waits for the next round. */
static void
fire_timers(struct mf_loop *l)
{
	int64_t now = clock_ms();
	size_t most = l->n;

	while (most-- > 0 && l->n > 0 && l->heap[0]->at <= now) {
		struct mf_loop_timer *t = l->heap[0];

		mf_loop_timer_clear(l, t);
		t->fire(t);
	}
}

static int
time_left(const struct mf_loop *l)
{
	int64_t ms;

	if (l->n == 0)
		return -1;
	ms = l->heap[0]->at - clock_ms();
	return ms < 0 ? 0 : ms > WAIT_MOST ? WAIT_MOST : (int)ms;
}

/* ---- Tasks ---- */

static void
wake(struct mf_loop *l)
{
	uint64_t one = 1;
	ssize_t n = write(l->wake, &one, sizeof(one));

	(void)n; /* a full counter wakes as well */
}

void
mf_loop_post(struct mf_loop *l, struct mf_loop_task *task)
{
	bool first;

	pthread_mutex_lock(&l->lock);
	first = l->tasks == NULL;
	task->next = NULL;
	*l->tasks_end = task;
	l->tasks_end = &task->next;
	pthread_mutex_unlock(&l->lock);
	if (first)
		wake(l);
}

static void
run_tasks(struct mf_loop *l)
{
	struct mf_loop_task *list;
	uint64_t count;
	ssize_t n = read(l->wake, &count, sizeof(count));

	(void)n;
	pthread_mutex_lock(&l->lock);
	list = l->tasks;
	l->tasks = NULL;
	l->tasks_end = &l->tasks;
	pthread_mutex_unlock(&l->lock);
	while (list != NULL) {
		struct mf_loop_task *task = list;

		list = task->next;
		task->run(task);
	}
}

/* ---- What blocks ---- */

void
mf_loop_offload(struct mf_loop *l, struct mf_loop_job *job)
{
	helpers_push(l->helpers, l, job);
}

/* ---- Running ---- */

void
loop_run(struct mf_loop *l)
{
	while (!atomic_load(&l->stop)) {
		int n = epoll_wait(l->epoll, l->batch, BATCH, time_left(l));

		l->n_batch = n < 0 ? 0 : n;
		/* The wake-up's event has no io: tasks are looked for in every round. */
		for (l->at_batch = 0; l->at_batch < l->n_batch;)
			io_ready(&l->batch[l->at_batch++]);
		l->n_batch = 0;
		run_tasks(l);
		fire_timers(l);
	}
	helpers_finish(l->helpers);
	run_tasks(l);
}

void
loop_stop(struct mf_loop *l)
{
	atomic_store(&l->stop, true);
	wake(l);
}

void
loop_count(struct mf_loop *l, uint64_t *ios, uint64_t *timers)
{
	*ios = atomic_load(&l->ios);
	*timers = atomic_load(&l->timers);
}
