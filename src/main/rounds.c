/* Whose turn it is. Knows nothing of what is done. */
#include "main/rounds.h"

#include "base/clock.h"
#include "base/log.h"
#include "eas/background.h"
#include "eas/who.h"
#include "state/user.h"

enum {
	FIRST_MS = 5000,  /* after the start: phones go first */
	SOON_MS = 1000,	  /* what a user has to do again within this time is done now */
	AGAIN_MAX = 3600, /* runs of one user in one round: the others wait meanwhile */
	BETWEEN_MS = 10,  /* between two users */
	RETRY_MS = 60000, /* the state cannot be read */
};

static int64_t
tend(struct rounds *r, const struct state_user *u)
{
	const struct mf_conf *top = r->server->conf;
	struct mf_login who = { .user = u->name,
		.password = mf_conf_string(top, "master_password"),
		.master = mf_conf_string(top, "master_user") };
	bool patient = false;
	return eas_background_run(r->server, u->number, &who, &patient);
}

/* One run for one user; in how many ms the next is due. */
static int64_t
step(struct rounds *r)
{
	struct mf_arena *a = mf_arena_new();
	struct mf_error err = { .text = "" };
	struct state_user u;
	uint32_t after = r->again > 0 ? r->user - 1 : r->user;
	enum mf_status st = state_user_next(r->server->state, STATE_SYNC, after, a, &u, &err);
	int64_t next = BETWEEN_MS;
	if (st == MF_OK) {
		r->users += r->again == 0;
		r->user = u.number;
		next = tend(r, &u);
		r->again = next > 0 && next <= SOON_MS && r->again < AGAIN_MAX ? r->again + 1 : 0;
		next = r->again > 0 ? next : BETWEEN_MS;
	} else if (st == MF_GONE) {
		mf_log_info("event=round users=%zu", r->users);
		r->user = r->again = 0;
		r->users = 0;
		next = r->every_ms;
	} else {
		mf_log_warning("event=round status=%s reason=%s", mf_status_name(st),
			mf_log_value(err.text));
		next = RETRY_MS;
	}
	mf_arena_free(a);
	return next;
}

static enum work_verdict
run(struct work_job *job)
{
	struct rounds *r = (struct rounds *)job;
	if (job->wait.ended)
		return WORK_DONE;
	job->wait.until = clock_ms() + (job->wait.until == 0 ? FIRST_MS : step(r));
	return WORK_WAIT;
}

static void
done(struct work_job *job)
{
	(void)job;
}

enum mf_status
rounds_open(struct rounds *r, const struct mf_conf *top, const struct eas_server *server,
	struct mf_error *err)
{
	*r = (struct rounds){ .server = server,
		.every_ms = mf_conf_number(top, "background_every") * 1000,
		.job = { .run = run, .done = done } };
	if (r->every_ms == 0 || !eas_who_has_master(top))
		return MF_OK;
	r->pool = work_pool_new(1, 1);
	if (r->pool == NULL || !work_push(r->pool, &r->job))
		return mf_fail(err, MF_TEMPORARY, "no thread can be started");
	return MF_OK;
}

void
rounds_close(struct rounds *r)
{
	work_pool_free(r->pool);
	r->pool = NULL;
}
