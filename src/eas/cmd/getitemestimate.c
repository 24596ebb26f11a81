/*
 * GetItemEstimate (MS-ASCMD 2.2.1.9): how much the next Sync would tell. Computed as Sync does it, from
 * the device's generation and what the server has now; nothing is kept, no key changes.
 */
#include "eas/commands.h"

#include <string.h>

#include "base/clock.h"
#include "eas/cmd/sync.h"
#include "eas/conversations.h"
#include "eas/empty_store.h"
#include "eas/map/folder.h"
#include "eas/recent_store.h"
#include "eas/schema.h"
#include "mailferry/log.h"
#include "state/device.h"
#include "sync/details.h"

struct estimate {
	const char *id; /* CollectionId */
	unsigned status;
	uint64_t count;
};

struct run {
	struct eas_request *r;
	struct state_folders folders;
	struct estimate *list;
	size_t n;
	bool not_mail; /* ConversationMode for a folder that is not mail */
};

static void
free_snapshot(void *snapshot)
{
	sync_snapshot_deinit(snapshot);
}

/* The generation that the client's key names; NULL: *status says why there is none. */
static const struct state_generation *
find_generation(const struct state_collection *stored, const char *text, unsigned *status)
{
	uint64_t key;
	*status = stored->newest.key == 0 ? EAS_ESTIMATE_NOT_PRIMED : EAS_ESTIMATE_KEY;
	if (!state_generation_parse(text, &key))
		return NULL;
	if (key == 0)
		*status = EAS_ESTIMATE_NOT_PRIMED;
	else if (key == stored->newest.key)
		return &stored->newest;
	else if (key == stored->previous.key)
		return &stored->previous;
	return NULL;
}

/* Of filters that are not for mail (MS-ASCMD 2.2.3.68.1); 12.1 has no such numbers. */
static unsigned
judge_filter(const struct eas_request *r, uint64_t filter)
{
	unsigned status = filter <= 5 ? EAS_OK : filter <= 8 ? EAS_SERVER_ERROR : EAS_INVALID_XML;
	return status != EAS_OK && r->version < EAS_14_0 ? EAS_ESTIMATE_COLLECTION : status;
}

/* FilterType stands in Options, or (12.1) in the collection itself; else the stored one counts. */
static unsigned
read_filter(struct eas_request *r, const struct wbxml_node *n, struct mf_bytes stored,
	uint32_t *filter, uint64_t *max_items)
{
	const struct sync_asked asked = { .node = n };
	struct sync_options options;
	unsigned status = judge_filter(
		r, schema_number(wbxml_child(n, AirSync_Options), AirSync_FilterType, 0));
	if (status == EAS_OK)
		status = judge_filter(r, schema_number(n, AirSync_FilterType, 0));
	if (status == EAS_OK && sync_options_clash(n))
		status = EAS_ESTIMATE_KEY; /* the number of this too (MS-ASCMD 2.2.3.27.2) */
	if (status != EAS_OK)
		return status;
	if (!sync_options_read(r, &asked, stored, &options))
		return EAS_INVALID_XML;
	*max_items = options.max_items;
	*filter = schema_u32(n, AirSync_FilterType, options.filter);
	return EAS_OK;
}

static enum mf_status
count_changes(struct run *run, const struct state_folder *f, const struct state_generation *g,
	uint32_t filter, uint64_t max_items, const struct wbxml_node *n, struct estimate *e,
	struct mf_error *err)
{
	struct eas_request *r = run->r;
	struct sync_snapshot *s = mf_new(r->arena, struct sync_snapshot);
	struct sync_source source = { eas_store_of(r, f), eas_session_of(r, f), f->id, true };
	struct sync_scope scope = { .filter = filter, .now = clock_wall() };
	bool complete;
	if (folder_is_recipients(f))
		recent_session_limit(source.session, max_items);
	sync_snapshot_init(s);
	mf_on_free(r->arena, free_snapshot, s);
	enum mf_status st = sync_snapshot_decode(s, g->content, err);
	scope.conversations = schema_bool(n, AirSync_ConversationMode, s->conversations);
	if (st == MF_OK)
		st = eas_conversations_scope(r, &run->folders, f, &scope, &complete, err);
	if (st == MF_OK)
		st = sync_engine_refresh(&source, s, &scope, err);
	if (st == MF_OK)
		st = sync_details_refresh(r->server->state, r->user_number, f->number, s, err);
	if (st == MF_OK)
		e->count = sync_snapshot_pending_count(s);
	return st;
}

/* MF_OK: e tells, also a failure of this collection alone. */
static enum mf_status
estimate(struct run *run, const struct wbxml_node *n, struct estimate *e, struct mf_error *err)
{
	struct eas_request *r = run->r;
	struct state_collection stored;
	uint32_t number, filter;
	uint64_t max_items;
	e->id = wbxml_child_value(n, GetItemEstimate_CollectionId);
	e->status = EAS_ESTIMATE_COLLECTION;
	const struct state_folder *f = state_folder_parse(e->id, &number)
					       ? state_folder_by_number(&run->folders, number)
					       : NULL;
	if (f == NULL)
		return MF_OK;
	bool not_mail =
		f->class != MF_CLASS_MAIL && wbxml_child(n, AirSync_ConversationMode) != NULL;
	enum mf_status st = state_collection_load(r->server->state, r->user_number,
		r->device->number, number, r->arena, &stored, err);
	if (st != MF_OK)
		return st;
	const struct state_generation *g =
		find_generation(&stored, wbxml_child_value(n, AirSync_SyncKey), &e->status);
	if (not_mail && g == NULL)
		e->status = EAS_INVALID_XML; /* MS-ASCMD 2.2.3.36.1 */
	run->not_mail = run->not_mail || (not_mail && g != NULL);
	if (g == NULL)
		return MF_OK;
	e->status = read_filter(r, n, stored.options, &filter, &max_items);
	if (e->status != EAS_OK)
		return MF_OK;
	/* Of the recipient information cache alone (MS-ASCMD 2.2.3.103.1). */
	if (!folder_is_recipients(f) &&
		wbxml_child(wbxml_child(n, AirSync_Options), AirSync_MaxItems) != NULL) {
		e->status = EAS_ESTIMATE_COLLECTION;
		return MF_OK;
	}
	st = count_changes(run, f, g, filter, max_items, n, e, err);
	e->status = eas_status_at(EAS_AT_ESTIMATE, st);
	return st == MF_TEMPORARY || st == MF_AUTH ? st : MF_OK;
}

/* 110 is the status of a whole request (MS-ASCMD 2.2.2); beside others the collection's alone. */
static bool
all_refused(const struct run *run)
{
	for (size_t i = 0; i < run->n; i++)
		if (run->list[i].status != EAS_SERVER_ERROR)
			return false;
	return run->n > 0;
}

static enum eas_verdict
answer(struct run *run)
{
	struct eas_request *r = run->r;
	if (all_refused(run))
		return eas_fail_status(r, EAS_SERVER_ERROR, "FilterType that is not for mail");
	eas_reply_begin(r, GetItemEstimate_GetItemEstimate);
	for (size_t i = 0; i < run->n; i++) {
		const struct estimate *e = &run->list[i];
		wbxml_open(&r->writer, GetItemEstimate_Response);
		wbxml_number(&r->writer, GetItemEstimate_Status, e->status);
		wbxml_open(&r->writer, GetItemEstimate_Collection);
		wbxml_element(&r->writer, GetItemEstimate_CollectionId, e->id);
		if (e->status == EAS_OK)
			wbxml_number(&r->writer, GetItemEstimate_Estimate, (int64_t)e->count);
		wbxml_close(&r->writer);
		wbxml_close(&r->writer);
		r->status = e->status > r->status ? e->status : r->status;
	}
	return eas_reply_end(r);
}

enum eas_verdict
cmd_getitemestimate(struct eas_request *r)
{
	struct mf_error err = { 0 };
	const struct wbxml_node *all = wbxml_child(r->root, GetItemEstimate_Collections);
	const struct wbxml_node *n = wbxml_child(all, GetItemEstimate_Collection);
	struct run run = { .r = r };
	size_t count = 0;
	for (const struct wbxml_node *c = n; c != NULL; c = wbxml_next(c))
		count++;
	run.list = mf_new_array(r->arena, struct estimate, count);
	enum mf_status st =
		state_folders_load(r->server->state, r->user_number, r->arena, &run.folders, &err);
	for (; n != NULL && st == MF_OK; n = wbxml_next(n))
		st = estimate(&run, n, &run.list[run.n++], &err);
	if (st != MF_OK)
		return eas_fail(r, st, &err);
	if (run.not_mail)
		return eas_fail_status(
			r, EAS_ESTIMATE_NOT_MAIL, "ConversationMode for a folder that is not mail");
	return answer(&run);
}
