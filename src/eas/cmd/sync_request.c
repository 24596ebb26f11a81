/*
 * Sync's request: from elements to plain structs; the request that is remembered for empty and partial
 * ones; sticky options. Must not know backends.
 */
#include "eas/cmd/sync.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "eas/schema.h"
#include "eas/waits.h"
#include "mailferry/log.h"
#include "state/blob.h"
#include "state/device.h"

enum { WINDOW_DEFAULT = 100, WINDOW_MAX = 512, MINUTE = 60 };

/* WindowSize: absent is 100, 0 and above 512 are 512 (MS-ASCMD 2.2.3.199). */
static uint64_t
window_read(const struct eas_request *r, const struct wbxml_node *n, uint64_t absent)
{
	uint64_t most = (uint64_t)mf_conf_number(r->server->conf, "sync_window_max");
	uint64_t window = schema_number(n, AirSync_WindowSize, absent);

	if (window == 0 || window > WINDOW_MAX)
		window = WINDOW_MAX;
	return window < most ? window : most;
}

static void
asked_read(const struct eas_request *r, const struct wbxml_node *n, struct sync_asked *out)
{
	bool zero;

	out->node = n;
	out->key_text = wbxml_child_value(n, AirSync_SyncKey);
	out->id = wbxml_child_value(n, AirSync_CollectionId);
	if (out->key_text == NULL)
		out->key_text = "";
	if (out->id == NULL)
		out->id = "";
	if (!state_folder_parse(out->id, &out->folder))
		out->folder = 0;
	zero = strcmp(out->key_text, "0") == 0;
	out->window = window_read(r, n, WINDOW_DEFAULT);
	out->changes = schema_bool(n, AirSync_GetChanges, !zero);
	out->changes_asked = schema_bool(n, AirSync_GetChanges, false);
	out->deletes_as_moves = schema_bool(n, AirSync_DeletesAsMoves, true);
	out->conversations_asked = wbxml_child(n, AirSync_ConversationMode) != NULL;
	out->commands = wbxml_child(n, AirSync_Commands);
	if (out->commands != NULL && out->commands->children == NULL)
		out->commands = NULL;
}

/* Wait in minutes or HeartbeatInterval in seconds; false: the answer says what is wrong. */
static bool
wait_read(struct eas_request *r, const struct wbxml_node *root, unsigned *out,
	enum eas_verdict *verdict)
{
	const struct wbxml_node *wait = wbxml_child(root, AirSync_Wait);
	const struct wbxml_node *beat = wbxml_child(root, AirSync_HeartbeatInterval);
	uint64_t low = (uint64_t)mf_conf_number(r->server->conf, "heartbeat_min");
	uint64_t high = (uint64_t)mf_conf_number(r->server->conf, "heartbeat_max");
	uint64_t unit = wait != NULL ? MINUTE : 1, value, limit;

	*out = 0;
	if (wait == NULL && beat == NULL)
		return true;
	if (wait != NULL && beat != NULL) {
		*verdict = eas_fail_status(r, EAS_SYNC_PROTOCOL, "Wait and HeartbeatInterval");
		return false;
	}
	value = schema_number(root, wait != NULL ? AirSync_Wait : AirSync_HeartbeatInterval, 0);
	if (value <= UINT32_MAX && value * unit >= low && value * unit <= high) {
		*out = (unsigned)(value * unit);
		return true;
	}
	limit = value > UINT32_MAX || value * unit > high ? high / unit : (low + unit - 1) / unit;
	eas_reply_begin(r, AirSync_Sync);
	r->status = EAS_SYNC_WAIT;
	wbxml_number(&r->writer, AirSync_Status, EAS_SYNC_WAIT);
	wbxml_number(&r->writer, AirSync_Limit, (int64_t)limit);
	*verdict = eas_reply_end(r);
	return false;
}

/* A document with that root around copies of what is below n. */
static struct mf_bytes
document(struct mf_arena *a, uint16_t root, const struct wbxml_node *first, uint16_t without)
{
	struct wbxml_writer w;
	struct mf_buf b;
	struct mf_bytes copy;

	mf_buf_init(&b, 0);
	wbxml_begin(&w, &b);
	wbxml_open(&w, root);
	for (; first != NULL; first = first->next)
		if (first->tag != without)
			wbxml_copy(&w, first);
	wbxml_close(&w);
	copy = mf_memdup(a, b.data, b.len);
	mf_buf_deinit(&b);
	return copy;
}

static const struct wbxml_node *
document_read(struct mf_arena *a, struct mf_bytes row)
{
	struct wbxml_node *root = NULL;

	if (row.len == 0 ||
		wbxml_decode(a, row, &wbxml_limits_default, false, &root, NULL) != MF_OK)
		return NULL;
	return root;
}

static const struct wbxml_node *
collection_of(const struct wbxml_node *collections, const char *id)
{
	const struct wbxml_node *n = wbxml_child(collections, AirSync_Collection);

	for (; n != NULL; n = wbxml_next(n)) {
		const char *other = wbxml_child_value(n, AirSync_CollectionId);

		if (other != NULL && strcmp(other, id) == 0)
			return n;
	}
	return NULL;
}

/* A partial request with what the cached one has besides: collections that it does not name, the
 * waiting time and window that it leaves out (MS-ASCMD 2.2.3.134). */
static struct wbxml_node *
partial_complete(struct mf_arena *a, const struct wbxml_node *part, const struct wbxml_node *cached)
{
	static const uint16_t kept[] = { AirSync_Wait, AirSync_HeartbeatInterval,
		AirSync_WindowSize };
	const struct wbxml_node *now = wbxml_child(part, AirSync_Collections);
	const struct wbxml_node *old = wbxml_child(cached, AirSync_Collections);
	const struct wbxml_node *n = wbxml_child(old, AirSync_Collection);
	bool waits = wbxml_child(part, AirSync_Wait) != NULL ||
		     wbxml_child(part, AirSync_HeartbeatInterval) != NULL;
	struct wbxml_node *root = mf_new(a, struct wbxml_node);
	struct wbxml_node *all = mf_new(a, struct wbxml_node), **end = &all->children;

	root->tag = AirSync_Sync;
	all->tag = AirSync_Collections;
	root->children = all;
	for (int pass = 0; pass < 2; pass++) {
		for (; n != NULL; n = wbxml_next(n)) {
			const char *id = wbxml_child_value(n, AirSync_CollectionId);

			if (pass == 0 && id != NULL && collection_of(now, id) != NULL)
				continue;
			*end = mf_new(a, struct wbxml_node);
			(*end)->tag = n->tag;
			(*end)->children = n->children;
			end = &(*end)->next;
		}
		n = wbxml_child(now, AirSync_Collection);
	}
	end = &all->next;
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		n = wbxml_child(part, kept[i]);
		if (n == NULL && (kept[i] == AirSync_WindowSize || !waits))
			n = wbxml_child(cached, kept[i]);
		if (n == NULL)
			continue;
		*end = mf_new(a, struct wbxml_node);
		(*end)->tag = n->tag;
		(*end)->text = n->text;
		end = &(*end)->next;
	}
	return root;
}

/* The request's root, completed from the cache; NULL: nothing is cached. */
static const struct wbxml_node *
root_read(struct eas_request *r, enum mf_status *st, struct mf_error *err)
{
	const struct wbxml_node *cached;
	struct mf_bytes row;

	*st = MF_OK;
	if (r->root != NULL && wbxml_child(r->root, AirSync_Partial) == NULL)
		return r->root;
	*st = state_blob_load(r->server->state, r->user_number, r->device->number,
		STATE_BLOB_SYNC_REQUEST, r->arena, &row, err);
	cached = *st == MF_OK ? document_read(r->arena, row) : NULL;
	if (cached == NULL || r->root == NULL)
		return cached;
	return partial_complete(r->arena, r->root, cached);
}

/* What is to be remembered of a request without client changes; one with changes, or one that begins a
 * collection, makes a repetition meaningless: what was remembered is removed. */
static enum mf_status
root_keep(struct eas_request *r, const struct wbxml_node *root, struct sync_request *rq,
	struct mf_error *err)
{
	struct state_keep *keep = mf_new(r->arena, struct state_keep);
	struct mf_bytes old;
	bool repeatable = !rq->has_commands;
	enum mf_status st = state_blob_load(r->server->state, r->user_number, r->device->number,
		STATE_BLOB_SYNC_REQUEST, r->arena, &old, err);

	for (size_t i = 0; i < rq->n; i++)
		repeatable = repeatable && strcmp(rq->list[i].key_text, "0") != 0;
	keep->which = STATE_BLOB_SYNC_REQUEST;
	if (repeatable)
		keep->value = document(r->arena, AirSync_Sync, root->children, AirSync_Partial);
	if (keep->value.len > STATE_BLOB_MAX)
		keep->value = mf_bytes(NULL, 0);
	if (st == MF_OK &&
		(old.len != keep->value.len ||
			(old.len > 0 && memcmp(old.data, keep->value.data, old.len) != 0)))
		rq->keep = keep;
	return st;
}

static enum eas_verdict
too_many(struct eas_request *r, size_t limit)
{
	eas_reply_begin(r, AirSync_Sync);
	r->status = EAS_SYNC_TOO_MANY;
	wbxml_number(&r->writer, AirSync_Status, EAS_SYNC_TOO_MANY);
	wbxml_number(&r->writer, AirSync_Limit, (int64_t)limit);
	return eas_reply_end(r);
}

static void
collections_read(struct eas_request *r, const struct wbxml_node *root, size_t count,
	struct sync_request *out)
{
	const struct wbxml_node *n =
		wbxml_child(wbxml_child(root, AirSync_Collections), AirSync_Collection);

	out->list = mf_new_array(r->arena, struct sync_asked, count);
	out->window = window_read(r, root, WINDOW_MAX);
	for (; n != NULL; n = wbxml_next(n)) {
		asked_read(r, n, &out->list[out->n]);
		out->has_commands |= out->list[out->n].commands != NULL;
		out->n++;
	}
}

/* One folder twice would have two next keys. */
static bool
has_twins(const struct sync_request *rq)
{
	for (size_t i = 0; i < rq->n; i++)
		for (size_t k = i + 1; rq->list[i].folder != 0 && k < rq->n; k++)
			if (rq->list[k].folder == rq->list[i].folder)
				return true;
	return false;
}

struct sync_request *
sync_request_read(struct eas_request *r, enum eas_verdict *verdict)
{
	struct sync_request *out = mf_new(r->arena, struct sync_request);
	struct mf_error err;
	enum mf_status st;
	const struct wbxml_node *root = root_read(r, &st, &err), *n;
	size_t count = 0, most = (size_t)mf_conf_number(r->server->conf, "sync_collections_max");

	if (st != MF_OK) {
		*verdict = eas_fail(r, st, &err);
		return NULL;
	}
	if (root == NULL) {
		*verdict = eas_fail_status(r, EAS_SYNC_INCOMPLETE, "nothing cached");
		return NULL;
	}
	n = wbxml_child(wbxml_child(root, AirSync_Collections), AirSync_Collection);
	for (; n != NULL; n = wbxml_next(n))
		count++;
	if (count == 0 || count > most) {
		*verdict = count == 0 ? eas_fail_status(r, EAS_SYNC_PROTOCOL, "no collection")
				      : too_many(r, most);
		return NULL;
	}
	if (!wait_read(r, root, &out->wait, verdict))
		return NULL;
	collections_read(r, root, count, out);
	if (has_twins(out)) {
		*verdict = eas_fail_status(r, EAS_SYNC_PROTOCOL, "a collection twice");
		return NULL;
	}
	out->until = eas_wait_until(r, out->wait);
	if (r->root != NULL)
		st = root_keep(r, root, out, &err);
	if (st != MF_OK)
		*verdict = eas_fail(r, st, &err);
	return st == MF_OK ? out : NULL;
}

/* ---- Options ---- */

/* Only SMS has a class of its own beside the folder's (MS-ASCMD 2.2.3.125.6); its options are kept,
 * and without a store for SMS have no effect. */
static bool
is_sms(const struct wbxml_node *options)
{
	const char *class = wbxml_child_value(options, AirSync_Class);

	return class != NULL && str_ieq(class, "SMS");
}

static const struct wbxml_node *
options_of(const struct wbxml_node *parent, bool sms)
{
	const struct wbxml_node *n = wbxml_child(parent, AirSync_Options);

	while (n != NULL && is_sms(n) != sms)
		n = wbxml_next(n);
	return n;
}

bool
sync_options_clash(const struct wbxml_node *collection)
{
	size_t mail = 0, sms = 0;

	for (const struct wbxml_node *n = wbxml_child(collection, AirSync_Options); n != NULL;
		n = wbxml_next(n))
		*(is_sms(n) ? &sms : &mail) += 1;
	return mail > 1 || sms > 1;
}

/* The stored document with the request's options in place of those of the same class. */
static struct mf_bytes
options_merge(struct mf_arena *a, const struct wbxml_node *asked, const struct wbxml_node *stored)
{
	struct wbxml_node copies[2];
	size_t n = 0;

	memset(copies, 0, sizeof(copies));
	for (int sms = 0; sms < 2; sms++) {
		const struct wbxml_node *o = options_of(asked, sms);

		if (o == NULL)
			o = options_of(stored, sms);
		if (o == NULL)
			continue;
		copies[n].tag = AirSync_Options;
		copies[n].children = o->children;
		if (n > 0)
			copies[n - 1].next = &copies[n];
		n++;
	}
	return document(a, AirSync_Collection, n == 0 ? NULL : copies, 0);
}

bool
sync_options_read(struct eas_request *r, const struct sync_asked *asked, struct mf_bytes stored,
	struct sync_options *out)
{
	const struct wbxml_node *old = document_read(r->arena, stored), *options;

	memset(out, 0, sizeof(*out));
	out->row = stored;
	if (sync_options_clash(asked->node))
		return false;
	if (wbxml_child(asked->node, AirSync_Options) != NULL) {
		out->row = options_merge(r->arena, asked->node, old);
		out->changed = out->row.len != stored.len ||
			       memcmp(out->row.data, stored.data, stored.len) != 0;
	}
	options = options_of(asked->node, false);
	if (options == NULL)
		options = options_of(old, false);
	out->filter = schema_u32(options, AirSync_FilterType, 0);
	out->max_items = schema_number(options, AirSync_MaxItems, 0);
	out->client_wins = schema_number(options, AirSync_Conflict, 1) == 0;
	/* 6, 7 and 8 are for calendars and tasks (MS-ASCMD 2.2.3.68.2). */
	return out->filter <= 5 && body_options_parse(options, &out->body);
}
