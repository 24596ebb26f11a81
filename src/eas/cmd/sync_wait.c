/*
 * Sync with Wait or HeartbeatInterval: where the collections stood when there was nothing to tell, so
 * that a request that is woken asks the store just whether that is still so. Must not know elements.
 */
#include "base/clock.h"
#include "eas/cmd/sync.h"
#include "state/device.h"

enum { POLL_MS = 30000 };

/* What outlives the single runs of a waiting request. */
struct sync_waiting {
	const struct mf_store_api **api; /* of each */
	struct mf_poll *polls;
	struct mf_buf *cursors;
	const char **folders; /* of the polls, NULL at the end */
	uint64_t one;
	size_t n, max;
};

static void
waiting_free(void *thing)
{
	struct sync_waiting *w = thing;

	for (size_t i = 0; i < w->max; i++)
		mf_buf_deinit(&w->cursors[i]);
}

static struct sync_waiting *
waiting_new(struct mf_arena *a, size_t max)
{
	struct sync_waiting *w = mf_new(a, struct sync_waiting);

	w->max = max;
	w->api = mf_new_array(a, const struct mf_store_api *, max);
	w->polls = mf_new_array(a, struct mf_poll, max);
	w->cursors = mf_new_array(a, struct mf_buf, max);
	w->folders = mf_new_array(a, const char *, max + 1);
	for (size_t i = 0; i < max; i++)
		mf_buf_init(&w->cursors[i], 0);
	mf_on_free(a, waiting_free, w);
	return w;
}

/* A newer request for the same folders ends the older one of that device; those for others go on, else
 * two that wait at once would end each other for ever. */
static uint64_t
one_of(const struct eas_request *r, const struct sync_request *rq)
{
	uint32_t folders = 2166136261U;

	for (size_t i = 0; i < rq->n; i++)
		folders = (folders ^ rq->list[i].folder) * 16777619U;
	return (uint64_t)r->device->number << 32 | folders;
}

void
sync_wait_note(struct eas_request *r, struct mf_arena *lasting, struct sync_request *rq,
	const struct sync_collection *list)
{
	struct sync_waiting *w = rq->waiting;
	bool first = w == NULL;

	if (first)
		w = rq->waiting = waiting_new(lasting, rq->n);
	w->n = 0;
	for (size_t i = 0; i < rq->n; i++) {
		const struct sync_collection *c = &list[i];

		if (c->source.folder == NULL || c->base == 0)
			continue;
		mf_buf_clear(&w->cursors[w->n]);
		mf_buf_add(&w->cursors[w->n], c->snapshot.cursor.data, c->snapshot.cursor.len);
		w->api[w->n] = c->source.api;
		if (first)
			w->folders[w->n] = mf_strdup(lasting, c->source.folder);
		w->n++;
	}
	if (first)
		w->one = one_of(r, rq);
}

enum eas_verdict
sync_wait(struct eas_request *r, const struct sync_request *rq)
{
	r->wait.until = r->wait.end = rq->until;
	r->wait.poll_ms = POLL_MS;
	r->wait.group = r->user_number;
	r->wait.one = rq->waiting->one;
	r->wait.folders = rq->waiting->folders;
	r->wait.changes = mf_conf_bool(r->server->conf, "ping_changes");
	return EAS_WAIT;
}

bool
sync_wait_quiet(struct eas_request *r, const struct sync_request *rq)
{
	const struct sync_waiting *w = rq->waiting;
	enum mf_status st;
	struct mf_error err;

	if (w == NULL || r->wait.ended || clock_ms() >= rq->until)
		return false;
	for (size_t i = 0; i < w->n; i++) {
		w->polls[i].folder = w->folders[i];
		w->polls[i].cursor = mf_buf_bytes(&w->cursors[i]);
		w->polls[i].changed = false;
	}
	for (size_t i = 0, n; i < w->n; i += n) { /* those of one store together */
		for (n = 1; i + n < w->n && w->api[i + n] == w->api[i];)
			n++;
		st = w->api[i]->poll(r->store, w->polls + i, n, &err);
		if (st == MF_TEMPORARY)
			return true; /* the mail server is away: told when it is back */
		if (st != MF_OK)
			return false;
	}
	for (size_t i = 0; i < w->n; i++)
		if (w->polls[i].changed)
			return false;
	return true;
}
