/* push: the event loop. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "push/loop.h"

static struct mf_loop *loop;

/* ---- Timers fire in order, and only those that are set ---- */

enum { TIMERS = 300 };

static struct mf_loop_timer timers[TIMERS];
static int fired[TIMERS], order[TIMERS], n_order;

static void
fire(struct mf_loop_timer *t)
{
	int i = (int)(t - timers);

	fired[i]++;
	order[n_order++] = i;
	if (n_order == TIMERS - TIMERS / 3)
		loop_stop(loop);
}

static int
delay_of(int i)
{
	return i * 7919 % 97;
}

Test(loop, fires_timers_in_order)
{
	struct mf_error err;
	uint64_t ios, left;

	cr_assert_eq(loop_new(2, &loop, &err), MF_OK);
	for (int i = 0; i < TIMERS; i++) {
		timers[i].fire = fire;
		mf_loop_timer_set(loop, &timers[i], 5000);
	}
	for (int i = 0; i < TIMERS; i++)
		mf_loop_timer_set(loop, &timers[i], delay_of(i));
	for (int i = 0; i < TIMERS; i += 3)
		mf_loop_timer_clear(loop, &timers[i]);
	loop_run(loop);
	loop_count(loop, &ios, &left);
	cr_assert_eq(left, 0);
	for (int i = 0; i < TIMERS; i++)
		cr_assert_eq(fired[i], i % 3 != 0, "timer %d", i);
	for (int i = 1; i < n_order; i++)
		cr_assert_leq(delay_of(order[i - 1]), delay_of(order[i]) + 1, "at %d", i);
	loop_free(loop);
}

/* ---- Descriptors: what is removed is not told any more ---- */

static struct mf_loop_io pair[2];
static unsigned told[2];

static void
ready(struct mf_loop_io *io, unsigned events)
{
	struct mf_loop_io *other = &pair[io == &pair[0]];

	told[io == &pair[1]] |= events;
	mf_loop_io_remove(loop, other); /* whose event is already in the batch */
	close(other->fd);
	mf_loop_io_remove(loop, io);
	loop_stop(loop);
}

Test(loop, drops_events_of_what_was_removed)
{
	struct mf_error err;
	int a[2], b[2];

	cr_assert_eq(loop_new(2, &loop, &err), MF_OK);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, a), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, b), 0);
	pair[0] = (struct mf_loop_io){ .ready = ready, .fd = a[0] };
	pair[1] = (struct mf_loop_io){ .ready = ready, .fd = b[0] };
	cr_assert(mf_loop_io_set(loop, &pair[0], MF_LOOP_READ));
	cr_assert(mf_loop_io_set(loop, &pair[1], MF_LOOP_READ));
	cr_assert_eq(write(a[1], "x", 1), 1);
	cr_assert_eq(write(b[1], "x", 1), 1);
	loop_run(loop);
	cr_assert((told[0] == MF_LOOP_READ) != (told[1] == MF_LOOP_READ));
	loop_free(loop);
}

static void
hangup(struct mf_loop_io *io, unsigned events)
{
	told[0] = events;
	mf_loop_io_remove(loop, io);
	loop_stop(loop);
}

Test(loop, tells_of_a_hangup_unasked)
{
	struct mf_loop_io io = { .ready = hangup };
	struct mf_error err;
	int a[2];

	cr_assert_eq(loop_new(2, &loop, &err), MF_OK);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, a), 0);
	io.fd = a[0];
	cr_assert(mf_loop_io_set(loop, &io, 0));
	close(a[1]);
	loop_run(loop);
	cr_assert((told[0] & MF_LOOP_HANGUP) != 0);
	loop_free(loop);
}

/* ---- Tasks from many threads ---- */

enum { THREADS = 4, TASKS = 2000 };

static struct mf_loop_task tasks[THREADS][TASKS];
static int last[THREADS], done;

static void
task_run(struct mf_loop_task *t)
{
	int thread = (int)((t - &tasks[0][0]) / TASKS), i = (int)((t - &tasks[0][0]) % TASKS);

	cr_assert_eq(i, last[thread]++, "in the order of posting");
	if (++done == THREADS * TASKS)
		loop_stop(loop);
}

static void *
poster(void *arg)
{
	struct mf_loop_task *list = arg;

	for (int i = 0; i < TASKS; i++) {
		list[i].run = task_run;
		mf_loop_post(loop, &list[i]);
	}
	return NULL;
}

Test(loop, runs_tasks_of_all_threads)
{
	pthread_t threads[THREADS];
	struct mf_error err;

	cr_assert_eq(loop_new(2, &loop, &err), MF_OK);
	for (int i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, poster, tasks[i]), 0);
	loop_run(loop);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	cr_assert_eq(done, THREADS * TASKS);
	loop_free(loop);
}

/* ---- What blocks runs elsewhere and comes back here ---- */

enum { JOBS = 50 };

static struct mf_loop_job jobs[JOBS];
static bool ran[JOBS];
static pthread_t loop_thread;
static int came_back;

static void
job_run(struct mf_loop_job *j)
{
	cr_assert(!pthread_equal(pthread_self(), loop_thread));
	usleep(1000);
	ran[j - jobs] = true;
}

static void
job_done(struct mf_loop_job *j)
{
	cr_assert(pthread_equal(pthread_self(), loop_thread));
	cr_assert(ran[j - jobs]);
	came_back++;
}

static void
start_jobs(struct mf_loop_timer *t)
{
	(void)t;
	for (int i = 0; i < JOBS; i++) {
		jobs[i] = (struct mf_loop_job){ .run = job_run, .done = job_done };
		mf_loop_offload(loop, &jobs[i]);
	}
	loop_stop(loop); /* and still all of them come back */
}

Test(loop, offloads_what_blocks)
{
	struct mf_loop_timer t = { .fire = start_jobs };
	struct mf_error err;

	cr_assert_eq(loop_new(3, &loop, &err), MF_OK);
	loop_thread = pthread_self();
	mf_loop_timer_set(loop, &t, 0);
	loop_run(loop);
	cr_assert_eq(came_back, JOBS);
	loop_free(loop);
}
