/*
 * Sync (MS-ASCMD 2.2.1.21): the heart. Each collection is opened by its key (sync_open.c), changed as the client
 * asks, brought up to date and told; then all are committed at once, and only then is the answer
 * promised. Knows keys and generations; must not know elements of mail.
 */
#include "eas/cmd/sync.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "eas/conversations.h"
#include "eas/schema.h"
#include "mailferry/log.h"
#include "state/device.h"
#include "sync/details.h"

enum { ATTEMPTS = 3, RULES_MS = 5000 };

/* One run through all collections. */
struct run {
	struct eas_request *r;
	struct sync_request *rq;
	struct state_folders folders;
	struct sync_collection *list;
	struct sync_budget budget;
	bool applied; /* something of the client's was carried out */
	size_t told;
};

/* What a failure of the backend means for this collection; MF_TEMPORARY concerns all. */
static enum mf_status
collection_fails(struct sync_collection *c, enum mf_status st, const struct mf_error *err)
{
	if (st == MF_TEMPORARY || st == MF_BROKEN || st == MF_AUTH)
		return st;
	mf_log_info("event=collection folder=%u status=%s reason=%s", c->folder->number,
		mf_status_name(st), mf_log_value(err->text));
	c->status = st == MF_RESYNC ? EAS_SYNC_KEY : eas_status_at(EAS_AT_SYNC_COLLECTION, st);
	return MF_OK;
}

/* ConversationMode stays as it is until it is sent again. */
static bool
wants_conversations(const struct sync_collection *c)
{
	return schema_bool(c->asked->node, AirSync_ConversationMode, c->snapshot.conversations);
}

/* Brings the collection up to date and carries out what the client asks. */
static enum mf_status
work_collection(struct run *run, struct sync_collection *c, struct mf_error *err)
{
	struct sync_scope scope = { .filter = c->options.filter,
		.now = clock_wall(),
		.conversations = wants_conversations(c) };
	bool complete = true;
	enum mf_status st = MF_OK;

	if (c->status != EAS_OK || c->base == 0 || c->replay)
		return MF_OK;
	if (c->asked->changes || c->asked->commands != NULL) {
		st = eas_conversations_scope(
			run->r, &run->folders, c->folder, &scope, &complete, err);
		if (st == MF_OK)
			st = sync_engine_refresh(&c->source, &c->snapshot, &scope, err);
		if (st == MF_OK)
			st = sync_details_refresh(run->r->server->state, run->r->user_number,
				c->folder->number, &c->snapshot, err);
		if (!complete)
			c->snapshot.aged = 0; /* looked at again by the next Sync */
	}
	if (st != MF_OK)
		return collection_fails(c, st, err);
	if (c->asked->commands != NULL) {
		run->applied = true;
		st = sync_commands_run(run->r, c, err);
		if (st != MF_OK)
			return collection_fails(c, st, err);
		c->next = state_generation_next(c->stored.newest.key);
	}
	return MF_OK;
}

/* The Collection element; without anything to tell it is taken back. */
static enum mf_status
tell_collection(struct run *run, struct sync_collection *c, struct mf_error *err)
{
	struct wbxml_writer *w = &run->r->writer;
	struct wbxml_mark before = wbxml_mark(w);
	struct sync_budget budget = run->budget;
	uint64_t key = c->replay      ? c->stored.newest.key
		       : c->next != 0 ? c->next
				      : state_generation_next(c->stored.newest.key);
	enum mf_status st = MF_OK;
	size_t more_at;

	wbxml_open(w, AirSync_Collection);
	if (run->r->version < EAS_14_0)
		wbxml_element(w, AirSync_Class, "Email");
	if (c->status == EAS_OK)
		wbxml_element(w, AirSync_SyncKey, state_generation_print(run->r->arena, key));
	else
		wbxml_element(w, AirSync_SyncKey, c->asked->key_text);
	wbxml_element(w, AirSync_CollectionId, c->asked->id);
	wbxml_number(w, AirSync_Status, c->status);
	more_at = w->out->len;
	if (budget.window > c->asked->window)
		budget.window = c->asked->window;
	if (c->status == EAS_OK && c->base != 0)
		st = sync_items_write(run->r, c, &budget, err);
	if (st != MF_OK)
		return st;
	run->budget.window -=
		c->answer.n_told < run->budget.window ? c->answer.n_told : run->budget.window;
	if (c->answer.n_told > 0 && c->next == 0 && !c->replay)
		c->next = key;
	if (c->answer.more)
		wbxml_insert_empty(w, more_at, AirSync_MoreAvailable);
	wbxml_close(w);
	if (c->status == EAS_OK && c->next == 0 && !c->replay)
		wbxml_rewind(w, &before);
	else
		run->told++;
	run->r->items += c->answer.n_told;
	return MF_OK;
}

/* One transaction for all. MF_RESYNC: another request of this device was faster, and this one is to
 * be run again. */
static enum mf_status
commit(struct run *run, struct mf_error *err)
{
	struct eas_request *r = run->r;
	struct state_commit *commits = mf_new_array(r->arena, struct state_commit, run->rq->n);
	enum mf_status st;
	size_t n = 0;

	for (size_t i = 0; i < run->rq->n; i++)
		if (sync_collection_store(r->arena, &run->list[i], &commits[n]))
			n++;
	st = state_collection_commit_with(r->server->state, r->user_number, r->device->number,
		commits, n, run->rq->keep, err);
	if (st == MF_OK)
		run->rq->keep = NULL;
	for (size_t i = 0; i < n && st == MF_OK; i++)
		st = commits[i].status;
	return st;
}

/* New mail of a conversation that has a rule goes where the rule says before the phone sees it. */
static void
carry_out_rules(struct run *run)
{
	for (size_t i = 0; i < run->rq->n; i++)
		if (run->list[i].snapshot.adds.n > 0 &&
			sync_conversations_ruled(run->r->server->state, run->r->user)) {
			eas_conversations_tend(run->r, RULES_MS);
			return;
		}
}

/* A request that waits is not answered early for flags that others changed, or for what others took
 * away: that comes with the next mail, or at the end of its time (MS-ASCMD 3.1.5.4); unless a setting wants it. */
static bool
only_changes(const struct run *run)
{
	const struct sync_request *rq = run->rq;

	if (rq->waiting == NULL || run->r->wait.ended || clock_ms() >= rq->until ||
		mf_conf_bool(run->r->server->conf, "ping_changes"))
		return false;
	for (size_t i = 0; i < rq->n; i++) {
		const struct sync_collection *c = &run->list[i];

		if (c->status != EAS_OK || c->answer.n_responses > 0 || c->answer.more)
			return false;
		for (size_t k = 0; k < c->answer.n_told; k++)
			if (c->answer.told[k].kind == SYNC_TOLD_ADD)
				return false;
	}
	return true;
}

static enum mf_status
run_once(struct run *run, struct mf_error *err)
{
	struct eas_request *r = run->r;
	enum mf_status st;

	st = state_folders_load(r->server->state, r->user_number, r->arena, &run->folders, err);
	run->list = mf_new_array(r->arena, struct sync_collection, run->rq->n);
	for (size_t i = 0; i < run->rq->n && st == MF_OK; i++) {
		run->list[i].asked = &run->rq->list[i];
		st = sync_collection_open(r, &run->folders, &run->list[i], err);
		if (st == MF_OK)
			st = work_collection(run, &run->list[i], err);
	}
	if (st != MF_OK)
		return st;
	carry_out_rules(run);
	eas_reply_begin(r, AirSync_Sync);
	wbxml_open(&r->writer, AirSync_Collections);
	for (size_t i = 0; i < run->rq->n && st == MF_OK; i++)
		st = tell_collection(run, &run->list[i], err);
	wbxml_close(&r->writer);
	if (st == MF_OK && only_changes(run)) {
		run->told = 0; /* nor kept: it is computed again then */
		return MF_OK;
	}
	return st != MF_OK ? st : commit(run, err);
}

static void
budget_init(struct run *run)
{
	const struct mf_conf *conf = run->r->server->conf;

	run->budget.window = run->rq->window;
	run->budget.bytes = (size_t)mf_conf_number(conf, "sync_answer_bytes");
	run->budget.until = clock_ms() + mf_conf_number(conf, "sync_answer_time") * 1000;
}

/* Nothing to tell: wait, or answer without a body (MS-ASCMD 2.2.1.21.2). */
static enum eas_verdict
tell_nothing(struct eas_request *r, const struct run *run, struct mf_arena *lasting)
{
	struct sync_request *rq = r->parsed;

	mf_buf_clear(&r->answer.body);
	if (rq->wait > 0 && !r->wait.ended && clock_ms() < rq->until) {
		sync_wait_note(r, lasting, rq, run->list);
		return sync_wait(r, rq);
	}
	r->answer.http_status = 200;
	r->answer.content_type = NULL;
	r->status = EAS_OK;
	return EAS_DONE;
}

/* Every collection asks for what no request may ask: then it is the request that is refused, as
 * phones know it (MS-ASCMD 2.2.3.7.2 says so of one case). Beside others the collection alone is.
 * The status that all have; EAS_OK: not so. */
static unsigned
refusal_of_all(const struct run *run)
{
	unsigned status = run->rq->n > 0 ? run->list[0].status : EAS_OK;
	if (status != EAS_SYNC_PROTOCOL && status != EAS_BODY_PART_TYPE)
		return EAS_OK;
	for (size_t i = 1; i < run->rq->n; i++)
		if (run->list[i].status != status)
			return EAS_OK;
	return status;
}

static enum eas_verdict
sync_now(struct eas_request *r, struct mf_arena *lasting)
{
	struct run run = { .r = r, .rq = r->parsed };
	struct mf_error err;
	enum mf_status st = MF_RESYNC;

	for (int i = 0; st == MF_RESYNC && i < ATTEMPTS; i++) {
		run.told = 0;
		r->items = 0;
		budget_init(&run);
		st = run_once(&run, &err);
	}
	if (st != MF_OK && run.applied)
		return eas_fail_status(r, EAS_SYNC_RETRY, err.text);
	if (st != MF_OK)
		return eas_fail(r, st == MF_RESYNC ? MF_TEMPORARY : st, &err);
	if (run.told == 0)
		return tell_nothing(r, &run, lasting);
	unsigned refused = refusal_of_all(&run);
	if (refused != EAS_OK)
		return eas_fail_status(r, refused, "no collection that may be asked for so");
	r->status = EAS_OK;
	snprintf(r->note, sizeof(r->note), "items=%zu", r->items);
	return eas_reply_end(r);
}

static void
arena_free(void *arena)
{
	mf_arena_free(arena);
}

enum eas_verdict
cmd_sync(struct eas_request *r)
{
	struct mf_arena *lasting = r->arena;
	enum eas_verdict verdict = EAS_DONE;
	struct sync_request *rq = r->parsed;

	if (rq == NULL)
		rq = r->parsed = sync_request_read(r, &verdict);
	if (rq == NULL)
		return verdict;
	if (sync_wait_quiet(r, rq))
		return sync_wait(r, rq);
	r->arena = mf_arena_new(); /* what waits keeps nothing of its runs */
	verdict = sync_now(r, lasting);
	if (verdict == EAS_WAIT)
		mf_arena_free(r->arena);
	else
		mf_on_free(lasting, arena_free, r->arena);
	r->arena = lasting;
	return verdict;
}
