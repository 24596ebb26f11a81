/* The worker pool: jobs run, wait, are woken, ended, and none is lost. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "work/line.h"
#include "work/table.h"
#include "work/work.h"

struct test_job {
	struct work_job job;
	int (*step)(struct test_job *t); /* 1: done, 0: wait as job.wait says, 2: aside */
	_Atomic int runs;
	_Atomic int finished;
	_Atomic bool saw_stirred, saw_ended, saw_crowded, hold;
	int64_t until_in, poll_ms;
	uint64_t group, one;
};

static enum work_verdict
run(struct work_job *job)
{
	struct test_job *t = (struct test_job *)job;

	t->runs++;
	if (job->wait.stirred)
		t->saw_stirred = true;
	if (job->wait.ended)
		t->saw_ended = true;
	switch (t->step(t)) {
	case 1:
		return WORK_DONE;
	case 2:
		return WORK_ASIDE;
	default:
		break;
	}
	if (t->runs == 1)
		job->wait.until = clock_ms() + t->until_in;
	job->wait.poll_ms = t->poll_ms;
	job->wait.group = t->group;
	job->wait.one = t->one;
	return WORK_WAIT;
}

static void
done(struct work_job *job)
{
	((struct test_job *)job)->finished++;
}

static struct test_job
job_of(int (*step)(struct test_job *t))
{
	return (struct test_job){
		.job = { .run = run, .done = done }, .step = step, .until_in = 60000, .group = 1
	};
}

static void
wait_for(_Atomic int *what, int value)
{
	for (int64_t until = clock_ms() + 5000; *what < value && clock_ms() < until;)
		usleep(500);
	cr_assert_geq(*what, value, "has %d, not %d", *what, value);
}

static void
wait_parked(struct work_pool *p, size_t n)
{
	struct work_stats s;

	for (int64_t until = clock_ms() + 5000; clock_ms() < until; usleep(500)) {
		work_pool_stats(p, &s);
		if (s.parked == n && s.running == 0 && s.queued == 0)
			return;
	}
	cr_assert_eq(
		s.parked, n, "%zu parked, %zu running, %zu queued", s.parked, s.running, s.queued);
}

static int
at_once(struct test_job *t)
{
	(void)t;
	return 1;
}

static int
until_stirred_or_ended(struct test_job *t)
{
	return t->job.wait.stirred || t->job.wait.ended ||
	       (t->runs > 1 && clock_ms() >= t->job.wait.until);
}

static int
until_ended(struct test_job *t)
{
	return t->job.wait.ended;
}

static int
third_time(struct test_job *t)
{
	return t->runs == 3;
}

static int
while_held(struct test_job *t)
{
	while (t->hold)
		usleep(500);
	return until_stirred_or_ended(t);
}

Test(work, runs_many)
{
	enum { N = 2000 };
	static struct test_job jobs[N];
	struct work_pool *p = work_pool_new(4, N);

	for (int i = 0; i < N; i++) {
		jobs[i] = job_of(at_once);
		cr_assert(work_push(p, &jobs[i].job));
	}
	for (int i = 0; i < N; i++)
		wait_for(&jobs[i].finished, 1);
	work_pool_free(p);
	for (int i = 0; i < N; i++)
		cr_assert(jobs[i].runs == 1 && jobs[i].finished == 1);
}

Test(work, queue_is_bounded)
{
	struct work_pool *p = work_pool_new(1, 2);
	struct test_job held = job_of(while_held), a = job_of(at_once), b = a, c = a;

	held.hold = true;
	cr_assert(work_push(p, &held.job));
	wait_for(&held.runs, 1);
	cr_assert(work_push(p, &a.job));
	cr_assert(work_push(p, &b.job));
	cr_assert_not(work_push(p, &c.job), "the third of two");
	held.hold = false;
	wait_for(&b.finished, 1);
	cr_assert(work_push(p, &c.job), "room again");
	wait_for(&c.finished, 1);
	work_pool_free(p);
	cr_assert_eq(held.finished, 1, "the stop ended it");
}

Test(work, wakes_at_its_time)
{
	struct work_pool *p = work_pool_new(2, 10);
	struct test_job late = job_of(until_stirred_or_ended), soon = late,
			polls = job_of(third_time);
	int64_t began = clock_ms();

	late.until_in = 300;
	soon.until_in = 60;
	polls.poll_ms = 30;
	work_push(p, &late.job);
	wait_parked(p, 1);
	work_push(p, &soon.job); /* due before what the timekeeper sleeps for */
	work_push(p, &polls.job);
	wait_for(&soon.finished, 1);
	cr_assert(clock_ms() - began >= 60 && clock_ms() - began < 250, "after %d ms",
		(int)(clock_ms() - began));
	wait_for(&polls.finished, 1);
	wait_for(&late.finished, 1);
	cr_assert(clock_ms() - began >= 300);
	cr_assert_eq(late.runs, 2);
	cr_assert_not(late.saw_stirred || late.saw_ended);
	work_pool_free(p);
}

Test(work, groups)
{
	struct work_pool *p = work_pool_new(2, 1000);
	static struct test_job jobs[300];

	for (unsigned i = 0; i < 300; i++) {
		jobs[i] = job_of(until_stirred_or_ended);
		jobs[i].group = 1 + i % 100;
		cr_assert(work_push(p, &jobs[i].job));
	}
	wait_parked(p, 300);
	work_wake(p, 7, 0, 1);
	work_wake(p, 4711, 0, 1);
	work_wake(p, 0, 0, 1);
	wait_parked(p, 297);
	for (unsigned i = 0; i < 300; i++)
		cr_assert_eq(jobs[i].finished, i % 100 == 6, "job %u", i);
	cr_assert(jobs[106].saw_stirred && !jobs[106].saw_ended);
	work_pool_free(p);
	for (unsigned i = 0; i < 300; i++)
		cr_assert_eq(jobs[i].finished, 1);
	cr_assert(jobs[0].saw_ended);
}

Test(work, a_wake_while_it_runs_is_kept)
{
	struct work_pool *p = work_pool_new(2, 10);
	struct test_job t = job_of(while_held);

	t.poll_ms = 10;
	work_push(p, &t.job);
	wait_for(&t.runs, 2); /* it has been parked once: its group is known */
	t.poll_ms = 60000;
	t.hold = true;
	wait_for(&t.runs, t.runs + 1);
	work_wake(p, 1, 0, 1);
	cr_assert_eq(t.finished, 0);
	t.hold = false;
	wait_for(&t.finished, 1);
	cr_assert(t.saw_stirred);
	work_pool_free(p);
}

Test(work, the_newer_ends_the_older)
{
	struct work_pool *p = work_pool_new(2, 10);
	struct test_job old = job_of(until_ended), other = old, new = old;

	old.one = new.one = 5;
	other.one = 6;
	work_push(p, &old.job);
	work_push(p, &other.job);
	wait_parked(p, 2);
	work_push(p, &new.job);
	wait_for(&old.finished, 1);
	wait_parked(p, 2);
	cr_assert(old.saw_ended);
	cr_assert_eq(new.finished + other.finished, 0);
	work_pool_free(p);
}

Test(work, ends_one)
{
	struct work_pool *p = work_pool_new(1, 10);
	struct test_job parked = job_of(until_ended), running = job_of(while_held);

	work_push(p, &parked.job);
	wait_parked(p, 1);
	work_end(p, &parked.job);
	wait_for(&parked.finished, 1);
	running.hold = true;
	work_push(p, &running.job);
	wait_for(&running.runs, 1);
	work_end(p, &running.job);
	running.hold = false;
	wait_for(&running.finished, 1);
	cr_assert(running.saw_ended && running.runs == 2);
	work_pool_free(p);
}

Test(work, after_end_all_nothing_parks)
{
	struct work_pool *p = work_pool_new(2, 10);
	struct test_job a = job_of(until_ended), b = a;

	work_push(p, &a.job);
	wait_parked(p, 1);
	work_end_all(p);
	wait_for(&a.finished, 1);
	cr_assert(work_push(p, &b.job), "it still runs");
	wait_for(&b.finished, 1);
	cr_assert_eq(b.runs, 1);
	work_pool_free(p);
	work_pool_free(NULL);
}

/* ---- The side line ---- */

static int
aside_while_held(struct test_job *t)
{
	if (t->job.wait.aside == WORK_ASIDE_NOT)
		return 2;
	t->saw_crowded = t->job.wait.aside == WORK_ASIDE_CROWDED;
	while (t->hold && !t->saw_crowded)
		usleep(500);
	return 1;
}

Test(work, slow_ones_take_half_of_the_threads)
{
	enum { N = 8, THREADS = 4 };
	static struct test_job slow[N], other;
	struct work_pool *p = work_pool_new(THREADS, 100);
	struct work_stats s;
	int held = 0;

	for (int i = 0; i < N; i++) {
		slow[i] = job_of(aside_while_held);
		slow[i].hold = true;
		cr_assert(work_push(p, &slow[i].job));
	}
	for (int i = 0; i < N; i++)
		wait_for(&slow[i].runs, 1);
	other = job_of(at_once);
	work_push(p, &other.job);
	wait_for(&other.finished, 1);
	/* Two are too slow for the others, who are told when the next comes. */
	usleep((LINE_PATIENCE_MS + 100) * 1000);
	other = job_of(at_once);
	work_push(p, &other.job);
	wait_for(&other.finished, 1);
	for (int64_t until = clock_ms() + 5000; held < N - THREADS / 2 && clock_ms() < until;) {
		held = 0;
		for (int i = 0; i < N; i++)
			held += slow[i].finished && slow[i].saw_crowded;
		usleep(500);
	}
	cr_assert_eq(held, N - THREADS / 2, "%d were sent away", held);
	work_pool_stats(p, &s);
	cr_assert_eq(s.running, THREADS / 2);
	for (int i = 0; i < N; i++)
		slow[i].hold = false;
	for (int i = 0; i < N; i++)
		wait_for(&slow[i].finished, 1);
	work_pool_free(p);
}

Test(work, quick_ones_wait_for_their_turn)
{
	enum { N = 500 };
	static struct test_job quick[N];
	struct work_pool *p = work_pool_new(3, N);

	for (int i = 0; i < N; i++) {
		quick[i] = job_of(aside_while_held);
		cr_assert(work_push(p, &quick[i].job));
	}
	work_pool_free(p);
	for (int i = 0; i < N; i++)
		cr_assert(quick[i].finished == 1 && !quick[i].saw_crowded, "job %d", i);
}

Test(work, the_side_line_ends_with_the_pool)
{
	struct work_pool *p = work_pool_new(1, 10);
	struct test_job a = job_of(aside_while_held), b = a;

	a.hold = true;
	work_push(p, &a.job);
	wait_for(&a.runs, 2);
	work_push(p, &b.job);
	work_end_all(p);
	a.hold = false;
	work_pool_free(p);
	cr_assert_eq(a.finished + b.finished, 2);
}

/* Pure: who runs longest counts, whatever order they end in. */
Test(work, line)
{
	struct work_line l = { .max = 2, .queue_max = 3 };
	struct work_job a = { 0 }, b = { 0 }, c = { 0 }, more[3] = { 0 };

	cr_assert_not(work_line_crowded(&l, 0), "room to run");
	work_line_begin(&l, &a, 0);
	work_line_begin(&l, &b, 100);
	cr_assert_not(work_line_crowded(&l, LINE_PATIENCE_MS));
	cr_assert(work_line_crowded(&l, LINE_PATIENCE_MS + 1), "a takes long");
	work_line_add(&l, &c);
	cr_assert_not(work_line_ready(&l));
	work_line_end(&l, &b, 200);
	cr_assert(work_line_ready(&l) && work_line_pop(&l) == &c && work_line_pop(&l) == NULL);
	work_line_begin(&l, &c, 200);
	work_line_end(&l, &a, 210);
	work_line_begin(&l, &a, 210);
	cr_assert_not(work_line_crowded(&l, 200 + LINE_PATIENCE_MS), "c is the oldest");
	work_line_end(&l, &a, 1000);
	work_line_begin(&l, &b, 1000);
	cr_assert(work_line_crowded(&l, 200 + LINE_PATIENCE_MS), "the last took long");
	work_line_end(&l, &b, 1001);
	work_line_begin(&l, &b, 1001);
	for (int i = 0; i < 3; i++)
		work_line_add(&l, &more[i]);
	cr_assert(work_line_crowded(&l, 210), "too many wait");
}

/* The heap against a plain search, with removals in the middle. */
Test(work, table)
{
	enum { N = 500 };
	static struct work_job jobs[N];
	struct work_table t = { 0 };
	bool in[N] = { false };

	srand(7);
	for (int round = 0; round < 20000; round++) {
		int i = rand() % N;
		int64_t least = INT64_MAX;

		if (in[i]) {
			work_table_unpark(&t, &jobs[i]);
			work_table_list(&t, &jobs[i], 0);
		} else {
			jobs[i].due = rand() % 1000;
			work_table_park(&t, &jobs[i]);
			work_table_list(&t, &jobs[i], 1 + (uint64_t)(i % 50));
		}
		in[i] = !in[i];
		for (int k = 0; k < N; k++)
			if (in[k] && jobs[k].due < least)
				least = jobs[k].due;
		cr_assert_eq(work_table_first(&t) == NULL ? INT64_MAX : work_table_first(&t)->due,
			least);
	}
	for (int g = 0; g < 50; g++) {
		int want = 0, have = 0;

		for (int k = g; k < N; k += 50)
			want += in[k];
		for (struct work_job *j = work_table_group(&t, 1 + (uint64_t)g); j != NULL;
			j = work_table_group_next(j))
			have++;
		cr_assert_eq(have, want, "group %d", g);
	}
	work_table_deinit(&t);
}
