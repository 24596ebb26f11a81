/* Threads for what blocks. Knows nothing of what it runs. */
#include "push/helpers.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

enum { THREADS_MAX = 64 };

struct helpers {
	pthread_mutex_t lock;
	pthread_cond_t more;
	pthread_t threads[THREADS_MAX];
	unsigned n, most, idle;
	struct mf_loop *loop;
	struct mf_loop_job *first, **end;
	bool finish;
};

struct helpers *
helpers_new(unsigned n)
{
	struct helpers *h = calloc(1, sizeof(*h));

	if (h == NULL)
		abort();
	h->most = n < THREADS_MAX ? n : THREADS_MAX;
	h->end = &h->first;
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->more, NULL);
	return h;
}

/* The next job; NULL at the end. Holds the lock. */
static struct mf_loop_job *
take(struct helpers *h)
{
	struct mf_loop_job *job;

	h->idle++;
	while (h->first == NULL && !h->finish)
		pthread_cond_wait(&h->more, &h->lock);
	h->idle--;
	job = h->first;
	if (job == NULL)
		return NULL;
	h->first = job->next;
	if (h->first == NULL)
		h->end = &h->first;
	return job;
}

static void *
work(void *arg)
{
	struct helpers *h = arg;
	struct mf_loop_job *job;

	pthread_mutex_lock(&h->lock);
	while ((job = take(h)) != NULL) {
		struct mf_loop *loop = h->loop; /* as whoever pushed it said */

		pthread_mutex_unlock(&h->lock);
		job->run(job);
		mf_loop_post(loop, &job->task);
		pthread_mutex_lock(&h->lock);
	}
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

static void
job_done(struct mf_loop_task *task)
{
	struct mf_loop_job *job =
		(struct mf_loop_job *)((char *)task - offsetof(struct mf_loop_job, task));

	job->done(job);
}

void
helpers_push(struct helpers *h, struct mf_loop *l, struct mf_loop_job *job)
{
	bool here;

	pthread_mutex_lock(&h->lock);
	h->loop = l;
	job->next = NULL;
	job->task.run = job_done;
	*h->end = job;
	h->end = &job->next;
	if (h->idle == 0 && h->n < h->most && pthread_create(&h->threads[h->n], NULL, work, h) == 0)
		h->n++;
	here = h->n == 0;
	pthread_cond_signal(&h->more);
	pthread_mutex_unlock(&h->lock);
	if (here) { /* no thread is to be had: better late than never */
		pthread_mutex_lock(&h->lock);
		job = take(h);
		pthread_mutex_unlock(&h->lock);
		job->run(job);
		mf_loop_post(l, &job->task);
	}
}

void
helpers_finish(struct helpers *h)
{
	unsigned n;

	pthread_mutex_lock(&h->lock);
	h->finish = true;
	n = h->n;
	h->n = 0;
	pthread_cond_broadcast(&h->more);
	pthread_mutex_unlock(&h->lock);
	for (unsigned i = 0; i < n; i++)
		pthread_join(h->threads[i], NULL);
}

void
helpers_free(struct helpers *h)
{
	if (h == NULL)
		return;
	helpers_finish(h);
	pthread_mutex_destroy(&h->lock);
	pthread_cond_destroy(&h->more);
	free(h);
}
