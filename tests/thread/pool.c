/* Jobs that wait, and some that step aside first, while three threads push, wake and end them at random: each is done exactly once. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "work/work.h"

enum { THREADS = 3, JOBS = 3000, GROUPS = 20 };

struct one {
	struct work_job job;
	unsigned left; /* waits to come: only the job's owner touches it */
	bool asks;     /* it wants to be called aside; the same */
	uint64_t group;
	_Atomic int done;
};

static struct one jobs[THREADS][JOBS];
static struct work_pool *pool;
static _Atomic int asked; /* those that stepped aside, and were called again once */

static enum work_verdict
run(struct work_job *job)
{
	struct one *o = (struct one *)job;

	if (o->asks && job->wait.aside == WORK_ASIDE_NOT)
		return WORK_ASIDE;
	asked += o->asks;
	o->asks = false;
	if (job->wait.ended || o->left == 0)
		return WORK_DONE;
	o->left--;
	job->wait.until = clock_ms() + (int64_t)(o->group * 7 % 50);
	job->wait.poll_ms = (int64_t)(o->group * 3 % 11);
	job->wait.group = o->group;
	job->wait.one = o->left % 3;
	return WORK_WAIT;
}

static void
done(struct work_job *job)
{
	((struct one *)job)->done++;
}

static void *
pusher(void *arg)
{
	struct one *mine = arg;
	unsigned seed = (unsigned)(mine - jobs[0]) + 1;

	for (int i = 0; i < JOBS; i++) {
		mine[i].job = (struct work_job){ .run = run, .done = done };
		mine[i].left = (unsigned)rand_r(&seed) % 5;
		mine[i].asks = i % 3 == 0;
		mine[i].group = 1 + (uint64_t)rand_r(&seed) % GROUPS;
		while (!work_push(pool, &mine[i].job))
			work_wake(pool, 1 + (uint64_t)rand_r(&seed) % GROUPS, 0, 1);
		if (i % 7 == 0)
			work_wake(pool, 1 + (uint64_t)rand_r(&seed) % GROUPS, 0, 1);
		if (i % 5 == 0)
			work_end(pool, &mine[i].job);
	}
	return NULL;
}

int
main(void)
{
	pthread_t threads[THREADS];
	int wrong = 0;

	pool = work_pool_new(4, 500);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, pusher, jobs[i]);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	work_pool_free(pool);
	for (int i = 0; i < THREADS * JOBS; i++)
		wrong += jobs[i / JOBS][i % JOBS].done != 1;
	wrong += asked != THREADS * JOBS / 3;
	printf("jobs=%d aside=%d wrong=%d\n", THREADS * JOBS, asked, wrong);
	return wrong != 0;
}
