/* A job of its own that counts. Knows nothing of what was decided. */
#include "main/decisions.h"

#include "base/clock.h"
#include "eas/request.h"
#include "state/record.h"

enum { EVERY_MS = 1000 };

static enum work_verdict
run(struct work_job *job)
{
	struct decisions *d = (struct decisions *)job;
	uint32_t now = d->seen;

	if (job->wait.ended)
		return WORK_DONE;
	if (state_decisions(d->state, &now, NULL) == MF_OK && now != d->seen)
		work_wake_all(d->phones, EAS_STIR_DECIDED);
	d->seen = now;
	job->wait.until = clock_ms() + EVERY_MS;
	return WORK_WAIT;
}

static void
done(struct work_job *job)
{
	(void)job;
}

enum mf_status
decisions_open(
	struct decisions *d, struct state *state, struct work_pool *phones, struct mf_error *err)
{
	*d = (struct decisions){
		.job = { .run = run, .done = done }, .phones = phones, .state = state
	};
	if (state_decisions(state, &d->seen, err) != MF_OK)
		d->seen = 0;
	d->pool = work_pool_new(1, 1);
	if (d->pool == NULL || !work_push(d->pool, &d->job))
		return mf_fail(err, MF_TEMPORARY, "no thread can be started");
	return MF_OK;
}

void
decisions_close(struct decisions *d)
{
	work_pool_free(d->pool);
	d->pool = NULL;
}
