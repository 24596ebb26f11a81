/*
 * Sync (MS-ASCMD 2.2.1.21): the heart. Each collection is loaded by its key, changed as the client
 * asks, brought up to date and told; then all are committed at once, and only then is the answer
 * promised. Knows keys and generations; must not know elements of mail.
 */
#include "eas/cmd/sync.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/str.h"
#include "eas/conversations.h"
#include "eas/map/folder.h"
#include "eas/recent_store.h"
#include "eas/empty_store.h"
#include "eas/schema.h"
#include "mailferry/log.h"
#include "state/device.h"

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

static void
collection_free(void *thing)
{
	struct sync_collection *c = thing;

	sync_snapshot_deinit(&c->snapshot);
}

static void
digest(const struct sync_asked *asked, uint8_t out[STATE_REQUEST_DIGEST])
{
	struct wbxml_writer w;
	struct mf_buf b;

	mf_buf_init(&b, 0);
	wbxml_begin(&w, &b);
	wbxml_copy(&w, asked->node);
	digest_sha256(b.data, b.len, out);
	mf_buf_deinit(&b);
}

/* Which generation the client has: sets base, replay and the snapshot, or the status. */
static enum mf_status
open_generation(struct run *run, struct sync_collection *c, struct mf_error *err)
{
	const struct state_generation *has = NULL;
	uint64_t key;

	c->replay = false;
	if (!state_generation_parse(c->asked->key_text, &key)) {
		c->status = EAS_SYNC_KEY;
		return MF_OK;
	}
	digest(c->asked, c->digest);
	if (key == 0)
		return MF_OK;
	if (key == c->stored.newest.key) {
		has = &c->stored.newest;
	} else if (key == c->stored.previous.key) {
		has = &c->stored.previous;
		c->replay = memcmp(c->digest, c->stored.newest.digest, sizeof(c->digest)) == 0;
	}
	if (has == NULL) {
		c->status = EAS_SYNC_KEY;
		return MF_OK;
	}
	c->base = key;
	if (c->replay)
		return sync_answer_decode(run->r->arena, c->stored.newest.answer, &c->answer, err);
	return sync_snapshot_decode(&c->snapshot, has->content, err);
}

/* Did the very same request begin it before, and nothing has happened since? Phones begin twice at once,
 * or repeat what they did not hear the answer of, and then go on with either key. */
static bool
begun_alike(const struct sync_collection *c)
{
	const struct state_generation *newest = &c->stored.newest;
	struct sync_snapshot s;
	struct mf_error err;
	bool alike;

	if (newest->key == 0 || memcmp(c->digest, newest->digest, sizeof(c->digest)) != 0)
		return false;
	sync_snapshot_init(&s);
	alike = sync_snapshot_decode(&s, newest->content, &err) == MF_OK && s.cursor.len == 0;
	sync_snapshot_deinit(&s);
	return alike;
}

/* Key 0 begins a collection: nothing can be asked or changed yet (MS-ASCMD 2.2.3.84, 2.2.1.21). */
static void
begin_collection(struct sync_collection *c)
{
	if (c->asked->changes_asked || c->asked->commands != NULL) {
		c->status = EAS_SYNC_PROTOCOL;
		return;
	}
	if (begun_alike(c)) {
		c->replay = true;
		return;
	}
	c->snapshot.filter = c->options.filter;
	c->snapshot.conversations = schema_bool(c->asked->node, AirSync_ConversationMode, false);
	c->next = state_generation_next(c->stored.newest.key);
}

static void
find_folder(struct run *run, struct sync_collection *c)
{
	c->folder = c->asked->folder == 0 ? NULL
					  : state_folder_by_number(&run->folders, c->asked->folder);
	if (c->folder == NULL) {
		c->status = EAS_SYNC_HIERARCHY;
		return;
	}
	c->source.api = eas_store_of(run->r, c->folder);
	c->source.session = eas_session_of(run->r, c->folder);
	c->source.folder = c->folder->id;
	c->source.lasting = true;
}

static enum mf_status
open_collection(struct run *run, struct sync_collection *c, struct mf_error *err)
{
	struct eas_request *r = run->r;
	enum mf_status st;

	c->status = EAS_OK;
	sync_snapshot_init(&c->snapshot);
	mf_on_free(r->arena, collection_free, c);
	find_folder(run, c);
	if (c->status != EAS_OK)
		return MF_OK;
	st = state_collection_load(r->server->state, r->user_number, r->device->number,
		c->folder->number, r->arena, &c->stored, err);
	if (st != MF_OK)
		return st;
	if (!sync_options_read(r, c->asked, c->stored.options, &c->options) ||
		c->asked->misplaced ||
		(folder_is_recipients(c->folder) && c->asked->commands != NULL) ||
		(c->asked->conversations_asked && c->folder->class != MF_CLASS_MAIL)) {
		c->status = EAS_SYNC_PROTOCOL;
		return MF_OK;
	}
	if (folder_is_recipients(c->folder))
		recent_session_limit(c->source.session, c->options.max_items);
	if (body_part_refused(&c->options.body, r->version)) {
		c->status = EAS_BODY_PART_TYPE;
		return MF_OK;
	}
	st = open_generation(run, c, err);
	if (st == MF_BROKEN) { /* a damaged row: the phone begins again, nothing is lost */
		mf_log_error("event=state-damaged folder=%u reason=%s", c->folder->number,
			mf_log_value(err->text));
		c->status = EAS_SYNC_KEY;
		st = MF_OK;
	}
	if (st == MF_OK && c->status == EAS_OK && c->base == 0)
		begin_collection(c);
	return st;
}

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

static struct mf_bytes
row_of_snapshot(struct mf_arena *a, const struct sync_snapshot *s)
{
	struct mf_bytes row;
	struct mf_buf b;

	mf_buf_init(&b, 0);
	sync_snapshot_encode(s, &b);
	row = mf_memdup(a, b.data, b.len);
	mf_buf_deinit(&b);
	return row;
}

static struct mf_bytes
row_of_answer(struct mf_arena *a, const struct sync_answer *s)
{
	struct mf_bytes row;
	struct mf_buf b;

	mf_buf_init(&b, 0);
	sync_answer_encode(s, &b);
	row = mf_memdup(a, b.data, b.len);
	mf_buf_deinit(&b);
	return row;
}

/* What a collection has to store; false: nothing. */
static bool
commit_prepare(struct mf_arena *a, struct sync_collection *c, struct state_commit *out)
{
	struct state_generation *next = mf_new(a, struct state_generation);
	bool refreshed = c->next == 0 && c->base != 0 && sync_engine_worth_storing(&c->snapshot);

	if (c->status != EAS_OK || (c->next == 0 && !c->options.changed && !refreshed))
		return false;
	next->key = c->next;
	memcpy(next->digest, c->digest, sizeof(c->digest));
	next->content = row_of_snapshot(a, &c->snapshot);
	next->answer = row_of_answer(a, &c->answer);
	out->folder = c->folder->number;
	out->newest = c->stored.newest.key;
	out->base = c->base != 0 ? c->base : c->stored.newest.key;
	out->next = c->next != 0 ? next : NULL;
	out->refreshed = refreshed ? &next->content : NULL;
	out->options = c->options.changed ? &c->options.row : NULL;
	out->identities = c->identities;
	out->n_identities = c->n_identities;
	return true;
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
		if (commit_prepare(r->arena, &run->list[i], &commits[n]))
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
		st = open_collection(run, &run->list[i], err);
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
