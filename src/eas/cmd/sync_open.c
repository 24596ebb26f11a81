/*
 * One collection of a Sync before and after its work: which of the remembered generations the device has, and
 * what is to be stored of it. Knows keys and generations; must not know elements of mail.
 */
#include <string.h>

#include "base/digest.h"
#include "eas/cmd/sync.h"
#include "eas/empty_store.h"
#include "eas/map/folder.h"
#include "eas/recent_store.h"
#include "eas/schema.h"
#include "mailferry/log.h"
#include "state/device.h"

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
open_generation(struct eas_request *r, struct sync_collection *c, struct mf_error *err)
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
		return sync_answer_decode(r->arena, c->stored.newest.answer, &c->answer, err);
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
find_folder(struct eas_request *r, const struct state_folders *folders, struct sync_collection *c)
{
	c->folder =
		c->asked->folder == 0 ? NULL : state_folder_by_number(folders, c->asked->folder);
	if (c->folder == NULL) {
		c->status = EAS_SYNC_HIERARCHY;
		return;
	}
	c->source.api = eas_store_of(r, c->folder);
	c->source.session = eas_session_of(r, c->folder);
	c->source.folder = c->folder->id;
	c->source.lasting = true;
}

enum mf_status
sync_collection_open(struct eas_request *r, const struct state_folders *folders,
	struct sync_collection *c, struct mf_error *err)
{
	enum mf_status st;

	c->status = EAS_OK;
	sync_snapshot_init(&c->snapshot);
	mf_on_free(r->arena, collection_free, c);
	find_folder(r, folders, c);
	if (c->status != EAS_OK)
		return MF_OK;
	st = state_collection_load(r->server->state, r->user_number, r->device->number,
		c->folder->number, r->arena, &c->stored, err);
	if (st != MF_OK)
		return st;
	if (!sync_options_read(r, c->asked, c->stored.options, &c->options) ||
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
	st = open_generation(r, c, err);
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

/* What was encoded, in the arena. */
static struct mf_bytes
row_of(struct mf_arena *a, struct mf_buf *encoded)
{
	struct mf_bytes row = mf_memdup(a, encoded->data, encoded->len);

	mf_buf_deinit(encoded);
	return row;
}

bool
sync_collection_store(struct mf_arena *a, struct sync_collection *c, struct state_commit *out)
{
	struct state_generation *next = mf_new(a, struct state_generation);
	bool refreshed = c->next == 0 && c->base != 0 && sync_engine_worth_storing(&c->snapshot);
	struct mf_buf content, answer;

	if (c->status != EAS_OK || (c->next == 0 && !c->options.changed && !refreshed))
		return false;
	next->key = c->next;
	memcpy(next->digest, c->digest, sizeof(c->digest));
	mf_buf_init(&content, 0);
	mf_buf_init(&answer, 0);
	sync_snapshot_encode(&c->snapshot, &content);
	sync_answer_encode(&c->answer, &answer);
	next->content = row_of(a, &content);
	next->answer = row_of(a, &answer);
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
