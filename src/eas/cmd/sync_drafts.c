/*
 * Drafts in Sync (16.0 on): Add and Change of messages in the Drafts folder. A mail server cannot change
 * a message: a changed draft is a new one, and the old one is told as deleted. Must not know keys.
 */
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/str.h"
#include "eas/cmd/sync.h"
#include "eas/map/draft.h"
#include "eas/map/ids.h"
#include "eas/send.h"
#include "mailferry/log.h"
#include "state/device.h"

enum { DRAFT_MAX = 64 << 20 };

/* Send stands beside the content or in it. */
static bool
is_sent(const struct wbxml_node *command)
{
	return wbxml_child(command, Email2_Send) != NULL ||
	       wbxml_child(wbxml_child(command, AirSync_ApplicationData), Email2_Send) != NULL;
}

/* Of SMS and the like, which a folder of mail is asked to hold too (MS-ASCMD 2.2.3.27.6). */
static bool
is_no_mail(const struct wbxml_node *command)
{
	const char *class = wbxml_child_value(command, AirSync_Class);

	return class != NULL && class[0] != '\0' && !str_ieq(class, "Email");
}

bool
sync_draft_is(const struct eas_request *r, const struct sync_collection *c,
	const struct wbxml_node *command)
{
	return r->version >= EAS_16_0 && c->folder->role == MF_ROLE_DRAFTS &&
	       !is_no_mail(command) &&
	       (command->tag == AirSync_Add || is_sent(command) ||
		       draft_is_edit(wbxml_child(command, AirSync_ApplicationData)));
}

/* The same for the same command of the same device: so a repeat finds what the first try made. */
static const char *
message_id(const struct eas_request *r, const struct sync_collection *c,
	const struct wbxml_node *command)
{
	uint8_t hash[DIGEST_SIZE];
	struct wbxml_writer w;
	struct mf_buf b;
	const char *at = strrchr(eas_user_address(r), '@');

	mf_buf_init(&b, 0);
	mf_buf_printf(&b, "%u:%u:%s:", r->user_number, c->folder->number, r->device->id);
	wbxml_begin(&w, &b);
	wbxml_copy(&w, command);
	digest_sha256(b.data, b.len, hash);
	mf_buf_deinit(&b);
	return mf_printf(r->arena, "%s@%s", str_hex(r->arena, hash, 16),
		at == NULL || at[1] == '\0' ? "draft.invalid" : at + 1);
}

struct reading {
	struct mf_arena *a;
	struct mf_bytes whole;
};

static size_t
choose_whole(void *ctx, const struct mf_item *item, struct mf_section_want *out)
{
	(void)ctx;
	memset(out, 0, sizeof(*out));
	return item->size > DRAFT_MAX ? 0 : 1;
}

static enum mf_status
take_whole(void *ctx, const struct mf_item *item)
{
	struct reading *x = ctx;

	if (item->n_sections > 0 && !item->sections[0].cut)
		x->whole = mf_memdup(x->a, item->sections[0].data.data, item->sections[0].data.len);
	return MF_OK;
}

static enum mf_status
read_old(struct eas_request *r, struct sync_collection *c, uint64_t id, struct mf_bytes *out,
	struct mf_error *err)
{
	struct reading x = { .a = r->arena };
	struct mf_fetch f = { .folder = c->source.folder,
		.ids = &id,
		.n = 1,
		.want = MF_WANT_SIZE,
		.choose = choose_whole,
		.item = take_whole,
		.ctx = &x };
	enum mf_status st = c->source.api->fetch(c->source.session, &f, err);

	*out = x.whole;
	if (st == MF_OK && x.whole.len == 0)
		return mf_fail(err, MF_GONE, "draft: the old one cannot be read");
	return st;
}

/* The item with that Message-ID, made by an earlier try or just now; 0: there is none. */
static enum mf_status
find_made(struct sync_collection *c, const char *name, uint64_t *id, struct mf_error *err)
{
	const struct mf_query q = { .kind = MF_QUERY_HEADER, .name = "Message-ID", .text = name };
	struct mf_idset found;
	enum mf_status st;

	mf_idset_init(&found);
	st = c->source.api->search(c->source.session, c->source.folder, &q, 0, &found, err);
	*id = st == MF_OK ? mf_idset_prev(&found, UINT64_MAX) : 0;
	mf_idset_deinit(&found);
	return st;
}

static ssize_t
read_buf(void *ctx, void *data, size_t size)
{
	struct mf_bytes *rest = ctx;
	size_t n = size < rest->len ? size : rest->len;

	if (n > 0)
		memcpy(data, rest->data, n);
	rest->data += n;
	rest->len -= n;
	return (ssize_t)n;
}

static enum mf_status
put(struct sync_collection *c, const struct mf_buf *message, const char *name, uint64_t *id,
	struct mf_error *err)
{
	struct mf_bytes rest = mf_buf_bytes(message);
	struct mf_put p = { .folder = c->source.folder,
		.read = read_buf,
		.ctx = &rest,
		.size = message->len,
		.flags = MF_FLAG_DRAFT | MF_FLAG_SEEN };
	enum mf_status st = c->source.api->put(c->source.session, &p, id, err);

	if (st == MF_OK && *id == 0)
		st = find_made(c, name, id, err);
	return st;
}

static enum mf_status
make(struct eas_request *r, struct sync_collection *c, const struct wbxml_node *command,
	uint64_t old, uint64_t *id, struct mf_error *err)
{
	struct draft d = { .data = wbxml_child(command, AirSync_ApplicationData),
		.from = eas_user_address(r),
		.message_id = message_id(r, c, command),
		.now = clock_wall() };
	struct mf_buf message;
	enum mf_status st = find_made(c, d.message_id, id, err);

	if (st == MF_UNSUPPORTED)
		st = MF_OK;
	if (st != MF_OK || *id != 0)
		return st;
	if (old != 0)
		st = read_old(r, c, old, &d.old, err);
	if (old != 0 && st == MF_OK && draft_same(r->arena, &d)) {
		*id = old;
		return MF_OK;
	}
	mf_buf_init(&message, DRAFT_MAX);
	if (st == MF_OK)
		st = draft_compose(r->arena, &d, &message, err);
	if (st == MF_OK)
		st = put(c, &message, d.message_id, id, err);
	mf_buf_deinit(&message);
	return st;
}

/* The phone has what it added. */
static void
settle_add(struct sync_collection *c, const char *client_id, uint64_t id)
{
	struct sync_snapshot *s = &c->snapshot;

	mf_idset_remove(&s->adds, id);
	sync_held_set(&s->held, id, sync_held_mark(&s->held, MF_FLAG_SEEN, NULL, 0));
	sync_snapshot_client_add(s, client_id, id);
}

/* The item is no longer at the server: told as Delete when the phone has it. */
static enum mf_status
take_away(struct sync_collection *c, uint64_t id, struct mf_error *err)
{
	struct mf_idset ids;
	enum mf_status st;

	mf_idset_init(&ids);
	mf_idset_add(&ids, id);
	st = c->source.api->remove(c->source.session, c->source.folder, &ids, err);
	mf_idset_deinit(&ids);
	if (st != MF_OK)
		return st;
	sync_held_remove(&c->snapshot.changed, id);
	mf_idset_remove(&c->snapshot.adds, id);
	if (sync_held_get(&c->snapshot.held, id) != NULL)
		mf_idset_add(&c->snapshot.gone, id);
	return MF_OK;
}

static enum mf_status
change(struct eas_request *r, struct sync_collection *c, const struct wbxml_node *command,
	uint64_t old, uint64_t *id, struct mf_error *err)
{
	enum mf_status st;

	*id = old;
	if (!draft_is_edit(wbxml_child(command, AirSync_ApplicationData)))
		return MF_OK;
	st = make(r, c, command, old, id, err);
	if (st != MF_OK || *id == old)
		return st;
	st = take_away(c, old, err);
	if (st == MF_OK && *id != 0 && sync_held_get(&c->snapshot.held, *id) == NULL)
		mf_idset_add(&c->snapshot.adds, *id);
	return st;
}

static enum mf_status
add(struct eas_request *r, struct sync_collection *c, const struct wbxml_node *command,
	uint64_t *id, struct mf_error *err)
{
	const char *client_id = wbxml_child_value(command, AirSync_ClientId);
	enum mf_status st;

	*id = sync_snapshot_client_added(&c->snapshot, client_id);
	if (*id != 0)
		return MF_OK;
	st = make(r, c, command, 0, id, err);
	if (st == MF_OK && *id != 0)
		settle_add(c, client_id, *id);
	return st;
}

/* Names the try in the ledger: by all of the command, for a phone's ClientIds are those of SendMail too, and
 * begin anew when it does. */
static const char *
ledger_key(const struct eas_request *r, const struct sync_collection *c,
	const struct wbxml_node *command)
{
	return mf_printf(r->arena, "draft:%s", message_id(r, c, command));
}

/* It is out: nothing stays of it. */
static enum mf_status
finish_sent(struct sync_collection *c, const struct wbxml_node *command, uint64_t id,
	struct sync_response *out, struct mf_error *err)
{
	out->status = EAS_OK;
	if (command->tag == AirSync_Add) { /* the phone never hears of the item */
		sync_held_remove(&c->snapshot.held, id);
		out->server_id = "";
	}
	return id == 0 ? MF_OK : take_away(c, id, err);
}

/* Sends the draft and takes it away. What could not be sent stays a draft. */
static enum mf_status
send(struct eas_request *r, struct sync_collection *c, const struct wbxml_node *command,
	uint64_t id, struct sync_response *out, struct mf_error *err)
{
	if (send_draft(r, c->folder, id, ledger_key(r, c, command), &out->status) == EAS_WAIT)
		out->status = EAS_SYNC_RETRY; /* the same is under way in another request */
	if (out->status != EAS_OK && out->status != EAS_PREVIOUSLY_SENT)
		return MF_OK;
	return finish_sent(c, command, id, out, err);
}

/* The answer of the request that sent it was lost, perhaps before its copy was filed and everything was
 * taken away. */
static enum mf_status
send_again(struct eas_request *r, struct sync_collection *c, const struct wbxml_node *command,
	uint64_t old, struct sync_response *out, struct mf_error *err)
{
	bool edit = old == 0 || draft_is_edit(wbxml_child(command, AirSync_ApplicationData));
	bool there = old != 0 && !mf_idset_has(&c->snapshot.gone, old);
	uint64_t id = 0;
	enum mf_status st = edit ? find_made(c, message_id(r, c, command), &id, err) : MF_OK;

	if (st != MF_OK && st != MF_UNSUPPORTED)
		return st;
	if (!edit && there)
		id = old;
	out->server_id = "";
	st = id != 0 ? send(r, c, command, id, out, err) : finish_sent(c, command, old, out, err);
	return st == MF_OK && edit && there ? take_away(c, old, err) : st;
}

enum mf_status
sync_draft_save(struct eas_request *r, struct sync_collection *c, const struct wbxml_node *command,
	uint64_t old, struct sync_response *out, struct mf_error *err)
{
	uint64_t id = 0;
	enum mf_status st;

	if (is_sent(command) && send_was_sent(r, ledger_key(r, c, command)))
		return send_again(r, c, command, old, out, err);
	st = old == 0 ? add(r, c, command, &id, err) : change(r, c, command, old, &id, err);
	if (st == MF_OK && old == 0)
		out->server_id = ids_item_print(r->arena, c->folder->number, id);
	if (st == MF_OK && is_sent(command))
		return send(r, c, command, id, out, err);
	if (st == MF_TEMPORARY || st == MF_BROKEN || st == MF_AUTH)
		return st;
	if (st != MF_OK)
		mf_log_info("event=draft folder=%u status=%s reason=%s", c->folder->number,
			mf_status_name(st), mf_log_value(err->text));
	out->status = eas_status_at(EAS_AT_SYNC_ITEM, st);
	return MF_OK;
}
