/*
 * Change in Sync: what each asks for, and one call of the store for all that ask the same. Must not know keys.
 * Drafts' content is sync_drafts.c's.
 */
#include <string.h>

#include "eas/cmd/sync_batch.h"
#include "eas/map/category.h"
#include "eas/map/flag.h"
#include "eas/schema.h"
#include "sync/details.h"

/* ---- What a Change asks for ---- */

/* Properties that only the server sets (MS-ASEMAIL 3.2.5). */
static bool
has_forbidden(const struct wbxml_node *data)
{
	static const uint16_t tags[] = { Email2_ConversationId, Email2_ConversationIndex,
		Email2_Sender, Email2_ReceivedAsBcc, Email2_UmCallerID, Email2_UmUserNotes,
		Email2_AccountId };

	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		if (wbxml_child(data, tags[i]) != NULL)
			return true;
	return false;
}

/* What was found out about one item. */
struct looking {
	struct mf_arena *a;
	bool meeting;
};

static enum mf_status
look(void *ctx, const struct mf_item *item)
{
	struct looking *x = ctx;
	struct mime_header header;
	struct mime_structure s;

	mime_header_parse(x->a, item->header, &header);
	mime_structure_read(x->a, item->structure, &header, &s);
	x->meeting = s.calendar != NULL;
	return MF_OK;
}

/* Does the item invite, call off or answer? What cannot be read does not. */
static bool
is_meeting(struct sync_batch *b, uint64_t id)
{
	struct looking x = { .a = b->r->arena };
	struct mf_error err;
	struct mf_fetch f = { .folder = b->c->source.folder,
		.ids = &id,
		.n = 1,
		.want = MF_WANT_HEADER | MF_WANT_STRUCTURE,
		.fields = email_fields,
		.item = look,
		.ctx = &x };

	return b->c->source.api->fetch(b->c->source.session, &f, &err) == MF_OK && x.meeting;
}

/* A Flag that does not say whether it is set says nothing that could be done. Set, it has a type, but for meetings
 * (MS-ASEMAIL 2.2.2.35, 3.2.5.4.2). */
static void
read_flag(struct sync_batch *b, const struct wbxml_node *data, struct sync_change *out)
{
	const struct wbxml_node *flag = wbxml_child(data, Email_Flag);
	bool set;

	if (flag == NULL || (flag->children != NULL && wbxml_child(flag, Email_Status) == NULL))
		return;
	if ((flag_lacks_type(flag) && !is_meeting(b, out->id)) ||
		!flag_read(b->r->arena, flag, &set, &out->flag))
		out->status = EAS_SYNC_CONVERSION;
	else
		*(set ? &out->add : &out->remove) |= MF_FLAG_FLAGGED;
	out->has_flag = out->status == EAS_OK;
}

static bool
listed(const char *joined, const char *word)
{
	size_t len = strlen(word);

	for (const char *end; (end = strchr(joined, '\n')) != NULL; joined = end + 1)
		if ((size_t)(end - joined) == len && strncmp(joined, word, len) == 0)
			return true;
	return false;
}

/* The client sends all categories: those that are new are added, those that are missing removed. */
static void
read_categories(struct mf_arena *a, const struct wbxml_node *data, const char *held,
	struct sync_change *out)
{
	const struct wbxml_node *all = wbxml_child(data, Email_Categories);
	const struct wbxml_node *n;
	struct mf_buf wanted;
	size_t count = 0, removed = 0, max = 64 + strlen(held);

	if (all == NULL)
		return;
	mf_buf_init(&wanted, SYNC_KEYWORDS_MAX);
	out->add_keywords = mf_new_array(a, const char *, max + 1);
	out->remove_keywords = mf_new_array(a, const char *, max + 1);
	for (n = wbxml_child(all, Email_Category); n != NULL && count < 64; n = wbxml_next(n)) {
		const char *keyword = category_keyword(a, wbxml_value(n));

		if (keyword == NULL || listed(mf_buf_str(&wanted), keyword))
			continue;
		mf_buf_printf(&wanted, "%s\n", keyword);
		if (!listed(held, keyword))
			out->add_keywords[count++] = keyword;
	}
	for (const char *end; (end = strchr(held, '\n')) != NULL; held = end + 1) {
		const char *word = mf_strndup(a, held, (size_t)(end - held));

		if (!listed(mf_buf_str(&wanted), word))
			out->remove_keywords[removed++] = word;
	}
	mf_buf_deinit(&wanted);
}

/* The server changed the same property to something else since the client last saw the item: then
 * the server's copy stays, unless the client asked for the contrary (MS-ASCMD 2.2.3.37). */
static bool
conflicts(const struct sync_collection *c, const struct sync_change *ch)
{
	const struct sync_mark *held = sync_held_get(&c->snapshot.held, ch->id);
	const struct sync_mark *now = sync_held_get(&c->snapshot.changed, ch->id);
	uint32_t touched;

	if (now == NULL || held == NULL || c->options.client_wins)
		return false;
	touched = (held->flags ^ now->flags) & (ch->add | ch->remove);
	if (((now->flags ^ ch->add) & touched & ch->add) != 0 ||
		(now->flags & touched & ch->remove) != 0)
		return true;
	return ch->add_keywords != NULL && strcmp(held->keywords, now->keywords) != 0;
}

void
sync_change_read(struct sync_batch *b, struct sync_change *ch)
{
	const struct wbxml_node *data = wbxml_child(ch->node, AirSync_ApplicationData);
	const struct sync_mark *held = sync_held_get(&b->c->snapshot.held, ch->id);
	const char *read = wbxml_child_value(data, Email_Read);

	/* A draft may be gone because the try before this one changed or sent it. */
	ch->draft = sync_draft_is(b->r, b->c, ch->node);
	if (held == NULL || (mf_idset_has(&b->c->snapshot.gone, ch->id) && !ch->draft)) {
		ch->status = EAS_SYNC_NOT_FOUND;
		return;
	}
	if ((data == NULL && !ch->draft) || has_forbidden(data)) {
		ch->status = EAS_SYNC_CONVERSION;
		return;
	}
	if (read != NULL && strcmp(read, "0") != 0 && strcmp(read, "1") != 0) {
		ch->status = EAS_SYNC_CONVERSION; /* MS-ASEMAIL 2.2.2.58 */
		return;
	}
	if (read != NULL)
		*(read[0] == '0' ? &ch->remove : &ch->add) |= MF_FLAG_SEEN;
	read_flag(b, data, ch);
	read_categories(b->r->arena, data, held->keywords, ch);
	if (ch->status == EAS_OK && conflicts(b->c, ch))
		ch->status = EAS_SYNC_CONFLICT;
}

/* ---- Changing flags, many at once ---- */

static bool
same_words(const char *const *x, const char *const *y)
{
	size_t i = 0;

	if (x == NULL || y == NULL)
		return (x == NULL || x[0] == NULL) && (y == NULL || y[0] == NULL);
	while (x[i] != NULL && y[i] != NULL && strcmp(x[i], y[i]) == 0)
		i++;
	return x[i] == NULL && y[i] == NULL;
}

static bool
is_noop(const struct sync_change *ch)
{
	return ch->add == 0 && ch->remove == 0 &&
	       same_words((const char *const *)ch->add_keywords, NULL) &&
	       same_words((const char *const *)ch->remove_keywords, NULL);
}

static bool
same_change(const struct sync_change *x, const struct sync_change *y)
{
	return x->add == y->add && x->remove == y->remove &&
	       same_words((const char *const *)x->add_keywords,
		       (const char *const *)y->add_keywords) &&
	       same_words((const char *const *)x->remove_keywords,
		       (const char *const *)y->remove_keywords);
}

/* The flags of a mark after the client's change. */
static uint32_t
flags_after(const struct sync_change *ch, uint32_t flags)
{
	uint32_t details = ch->has_flag ? sync_details_mark(ch->flag) : flags & SYNC_DETAILS;

	return (((flags | ch->add) & ~ch->remove) & ~SYNC_DETAILS) | details;
}

/* The mark that the device has after its own change. */
static void
take_change(struct sync_batch *b, const struct sync_change *ch)
{
	struct sync_held *held = &b->c->snapshot.held;
	const struct sync_mark *m = sync_held_get(held, ch->id);
	struct sync_mark after;
	const char *words[128];
	size_t n = 0;

	for (const char *k = m->keywords, *end; n < 64 && (end = strchr(k, '\n')) != NULL;
		k = end + 1) {
		const char *word = mf_strndup(b->r->arena, k, (size_t)(end - k));
		bool keep = true;

		for (size_t i = 0; ch->remove_keywords != NULL && ch->remove_keywords[i] != NULL;
			i++)
			keep = keep && strcmp(ch->remove_keywords[i], word) != 0;
		if (keep)
			words[n++] = word;
	}
	for (size_t i = 0; ch->add_keywords != NULL && ch->add_keywords[i] != NULL && n < 128; i++)
		words[n++] = ch->add_keywords[i];
	after.flags = flags_after(ch, m->flags);
	after.keywords = held->marks[sync_held_mark(held, 0, words, n)].keywords;
	sync_held_set(held, ch->id, sync_held_mark_of(held, &after));
}

/* What the server changed at the same time is told only as far as it still differs. */
static void
settle_change(struct sync_batch *b, const struct sync_change *ch)
{
	struct sync_held *changed = &b->c->snapshot.changed;
	const struct sync_mark *now = sync_held_get(changed, ch->id), *has;
	struct sync_mark after;

	take_change(b, ch);
	if (now == NULL)
		return;
	has = sync_held_get(&b->c->snapshot.held, ch->id);
	after = *now;
	after.flags = flags_after(ch, now->flags);
	if (ch->add_keywords != NULL)
		after.keywords = has->keywords;
	if (after.flags == has->flags && strcmp(after.keywords, has->keywords) == 0)
		sync_held_remove(changed, ch->id);
	else
		sync_held_set(changed, ch->id, sync_held_mark_of(changed, &after));
}

static enum mf_status
change_group(struct sync_batch *b, size_t first, struct mf_error *err)
{
	const struct sync_change *like = &b->list[first];
	struct mf_idset ids, found;
	struct mf_flag_change fc = { .folder = b->c->source.folder,
		.ids = &ids,
		.add = like->add,
		.remove = like->remove,
		.add_keywords = like->add_keywords,
		.remove_keywords = like->remove_keywords };
	enum mf_status st;

	mf_idset_init(&ids);
	mf_idset_init(&found);
	for (size_t i = first; i < b->n; i++)
		if (!b->list[i].done && same_change(&b->list[i], like))
			mf_idset_add(&ids, b->list[i].id);
	st = b->c->source.api->flag(b->c->source.session, &fc, &found, err);
	for (size_t i = first; i < b->n && st != MF_TEMPORARY && st != MF_BROKEN; i++) {
		struct sync_change *ch = &b->list[i];

		if (ch->done || !same_change(ch, like))
			continue;
		ch->done = true;
		if (st != MF_OK)
			ch->status = eas_status_at(EAS_AT_SYNC_ITEM, st);
		else if (!mf_idset_has(&found, ch->id))
			ch->status = EAS_SYNC_NOT_FOUND;
		else
			settle_change(b, ch);
	}
	mf_idset_deinit(&ids);
	mf_idset_deinit(&found);
	return st == MF_TEMPORARY || st == MF_BROKEN ? st : MF_OK;
}

/* What an earlier Change of the same item said and the later does not take back. */
static void
fold_change(struct sync_change *earlier, struct sync_change *later)
{
	uint32_t add = earlier->add & ~later->remove, remove = earlier->remove & ~later->add;

	later->add |= add;
	later->remove |= remove;
	if (later->add_keywords == NULL) {
		later->add_keywords = earlier->add_keywords;
		later->remove_keywords = earlier->remove_keywords;
	}
	if (!later->has_flag) {
		later->has_flag = earlier->has_flag;
		later->flag = earlier->flag;
	}
	earlier->has_flag = false;
	earlier->add = earlier->remove = 0;
	earlier->add_keywords = earlier->remove_keywords = NULL;
}

/* Of several Changes of one item the last word about each property counts. */
static void
fold_changes(struct sync_batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		for (size_t k = i + 1; b->list[i].status == EAS_OK && k < b->n; k++)
			if (b->list[k].id == b->list[i].id && b->list[k].status == EAS_OK) {
				fold_change(&b->list[i], &b->list[k]);
				break;
			}
}

/* What the mail server has no room for. */
static enum mf_status
keep_flags(struct sync_batch *b, struct mf_error *err)
{
	struct state_flag *list = mf_new_array(b->r->arena, struct state_flag, b->n);
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++)
		if (b->list[i].has_flag && b->list[i].status == EAS_OK)
			list[n++] = (struct state_flag){ .id = b->list[i].id,
				.details = b->list[i].flag };
	return state_flags_save(
		b->r->server->state, b->r->user_number, b->c->folder->number, list, n, err);
}

enum mf_status
sync_changes_run(struct sync_batch *b, struct mf_error *err)
{
	enum mf_status st = MF_OK;

	fold_changes(b);
	for (size_t i = 0; i < b->n; i++) {
		struct sync_change *ch = &b->list[i];

		ch->done = ch->status != EAS_OK || is_noop(ch);
		if (ch->done && ch->status == EAS_OK && ch->has_flag)
			settle_change(b, ch); /* only its details are other ones */
	}
	for (size_t i = 0; i < b->n && st == MF_OK; i++)
		if (!b->list[i].done)
			st = change_group(b, i, err);
	if (st == MF_OK)
		st = keep_flags(b, err);
	for (size_t i = 0; i < b->n && st == MF_OK; i++)
		if (b->list[i].status != EAS_OK)
			sync_batch_respond(b, b->list[i].node, b->list[i].status, 0);
	return st;
}
