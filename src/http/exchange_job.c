/* A request as a job of the pool: pushed, run, put off, answered. Knows of HTTP only whom to resume. */
#include "http/exchange_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "http/gzip.h"

/* ---- Run: on a worker ---- */

/* Whoever answers has read them by now; a phone may wait for an hour. */
static void
wipe_credentials(const struct eas_request *r)
{
	for (size_t i = 0; i < r->n_headers; i++)
		if (str_ieq(r->headers[i].name, "Authorization"))
			str_wipe((char *)(uintptr_t)r->headers[i].value,
				strlen(r->headers[i].value));
}

/* The route's part and all that is large. */
void
exchange_finish(struct exchange *x)
{
	struct http_hall *h = x->hall;

	if (x->run && x->route->deinit != NULL)
		x->route->deinit(&x->request);
	else
		mf_buf_deinit(&x->request.answer.body);
	http_body_deinit(&x->body);
	mf_arena_free(x->request.arena);
	pthread_mutex_lock(&h->lock);
	h->requests--;
	pthread_cond_broadcast(&h->less);
	pthread_mutex_unlock(&h->lock);
}

void
exchange_release(struct exchange *x)
{
	if (atomic_fetch_sub(&x->owners, 1) == 1)
		free(x);
}

/* A suspended connection of the library costs two pages and more, for as long as a phone waits. So a plain one
 * whose answer will be short waits without it: the socket is ours, the library finds a dead one, calls
 * once more, is told to end, and frees what it has. The answer is written here, and ends the connection. */
static void
take_over(struct exchange *x)
{
	struct http_connection *c;

	if (x->connection->tls || (c = http_connection_take(x->hall->door, x->connection)) == NULL)
		return;
	x->taken = true;
	atomic_store(&x->owners, 2);
	x->connection = c;
	MHD_resume_connection(x->mhd);
}

/* The side line is offered once. */
static enum eas_aside
aside_of(const struct exchange *x)
{
	switch (x->job.wait.aside) {
	case WORK_ASIDE_NOW:
		return EAS_ASIDE_NOW;
	case WORK_ASIDE_CROWDED:
		return EAS_ASIDE_CROWDED;
	case WORK_ASIDE_NOT:
		break;
	}
	return x->run ? EAS_ASIDE_NOT : EAS_ASIDE_OFFERED;
}

static enum work_verdict
run(struct work_job *job)
{
	struct exchange *x = (struct exchange *)job;
	struct eas_request *r = &x->request;

	r->aside = aside_of(x);
	r->wait.stirred = job->wait.stirred;
	r->wait.stirred_us = job->wait.stirred_us;
	r->wait.ended = job->wait.ended;
	r->wait.left = job->wait.ended && http_connection_left(x->hall->door, x->connection);
	enum eas_verdict verdict = x->route->run(r);

	if (verdict == EAS_ASIDE)
		return WORK_ASIDE;
	if (!x->run)
		wipe_credentials(r);
	x->run = true;
	if (verdict == EAS_DONE) {
		http_gzip(r);
		return WORK_DONE;
	}
	job->wait.until = r->wait.until;
	job->wait.poll_ms = r->wait.poll_ms;
	job->wait.group = r->wait.group;
	job->wait.one = r->wait.one;
	if (r->wait.settled && x->target != NULL) { /* for the first time */
		x->target = NULL;
		eas_request_settle(r);
		http_body_deinit(&x->body);
		take_over(x);
	}
	return WORK_WAIT;
}

static void
answer_taken(struct exchange *x)
{
	struct http_hall *h = x->hall;

	http_reply_plain(x->connection->fd, &x->request.answer);
	http_connection_drop(h->door, x->connection);
	pthread_mutex_lock(&h->lock);
	h->answered++;
	pthread_mutex_unlock(&h->lock);
	exchange_finish(x);
	exchange_release(x);
}

/* After the resume the exchange is the HTTP thread's, and may be freed before this returns. */
static void
done(struct work_job *job)
{
	struct exchange *x = (struct exchange *)job;
	struct http_hall *h = x->hall;

	http_connection_done(h->door, x->connection);
	if (x->taken) {
		answer_taken(x);
	} else {
		x->stage = STAGE_ANSWERED;
		MHD_resume_connection(x->mhd);
	}
	pthread_mutex_lock(&h->lock);
	h->jobs--;
	pthread_cond_broadcast(&h->less);
	pthread_mutex_unlock(&h->lock);
}

const struct eas_request *
http_exchange_request(const struct work_job *job)
{
	return &((const struct exchange *)job)->request;
}

/* ---- Hand over ---- */

static bool
may_run(struct http_hall *h)
{
	bool may;

	pthread_mutex_lock(&h->lock);
	may = !h->closed;
	h->jobs += may;
	pthread_mutex_unlock(&h->lock);
	return may;
}

static void
give_back(struct http_hall *h)
{
	pthread_mutex_lock(&h->lock);
	h->jobs--;
	pthread_cond_broadcast(&h->less);
	pthread_mutex_unlock(&h->lock);
}

static enum MHD_Result
refuse_busy(struct exchange *x, const char *why)
{
	exchange_refuse(x, 503, why);
	return exchange_reply(x);
}

/* Suspended before it is pushed: the answer may be there before this function returns. */
enum MHD_Result
exchange_hand_over(struct exchange *x)
{
	struct mf_error err = { 0 };

	if (x->overflow)
		return exchange_reply(x);
	if (http_body_end(&x->body, &x->request.body, &err) != MF_OK)
		return refuse_busy(x, err.text);
	if (!may_run(x->hall))
		return refuse_busy(x, "the server stops");
	x->job.run = run;
	x->job.done = done;
	x->stage = STAGE_RUNNING;
	MHD_suspend_connection(x->mhd);
	if (http_connection_push(x->hall->door, x->connection, &x->job))
		return MHD_YES;
	exchange_refuse(x, 503, "queue_limit is reached");
	x->stage = STAGE_ANSWERED;
	MHD_resume_connection(x->mhd);
	give_back(x->hall);
	return MHD_YES;
}
