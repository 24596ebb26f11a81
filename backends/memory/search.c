/* Search: walks the query for each item of the folder. */
#include "memory/calls.h"
#include "memory/fields.h"
#include "memory/mime.h"
#include "memory/text.h"

#include <string.h>
#include <time.h>

/* One item under test, with what several leaves of the query may need. */
struct candidate {
	struct mf_arena *arena;
	const struct memory_snapshot *shot;
	struct mf_bytes message;
	const struct memory_mime_place *root; /* NULL until needed */
};

enum { DAY = 86400 };

static const struct memory_mime_place *
root_of(struct candidate *c)
{
	if (c->root == NULL)
		c->root = memory_mime_split(c->arena, c->message);
	return c->root;
}

static struct mf_bytes
header_of(struct candidate *c, const struct memory_mime_place *p)
{
	(void)root_of(c);
	return mf_bytes(c->message.data + p->header, p->body - p->header);
}

/* ---- Texts ---- */

static bool
field_holds(struct candidate *c, const char *name, const char *text)
{
	struct mf_bytes header = header_of(c, root_of(c));
	struct memory_field_one f;

	for (size_t at = 0; memory_field_next(header, &at, &f);) {
		if (f.name.len != strlen(name) ||
			strncasecmp((const char *)f.name.data, name, f.name.len) != 0)
			continue;
		if (memory_text_holds(c->arena,
			    memory_text_words(c->arena, memory_field_unfold(c->arena, f.value)),
			    text))
			return true;
	}
	return false;
}

static bool
body_holds(struct candidate *c, const struct memory_mime_place *p, const char *text)
{
	if (strcmp(p->part->type, "text") == 0 &&
		memory_text_holds(c->arena, memory_text_body(c->arena, p, c->message), text))
		return true;
	for (size_t i = 0; i < p->part->n_children; i++)
		if (body_holds(c, &p->children[i], text))
			return true;
	return false;
}

static bool
headers_hold(struct candidate *c, const struct memory_mime_place *p, const char *text)
{
	struct mf_bytes header = header_of(c, p);

	if (memory_text_holds(c->arena,
		    memory_text_words(c->arena, memory_field_unfold(c->arena, header)), text))
		return true;
	for (size_t i = 0; i < p->part->n_children; i++)
		if (headers_hold(c, &p->children[i], text))
			return true;
	return false;
}

/* ---- The query ---- */

static bool matches(struct candidate *c, const struct mf_query *q);

static bool
matches_leaf(struct candidate *c, const struct mf_query *q)
{
	const char *text = q->text == NULL ? "" : q->text;

	switch (q->kind) {
	case MF_QUERY_TEXT:
		return headers_hold(c, root_of(c), text) || body_holds(c, root_of(c), text);
	case MF_QUERY_BODY:
		return body_holds(c, root_of(c), text);
	case MF_QUERY_SUBJECT:
		return field_holds(c, "Subject", text);
	case MF_QUERY_FROM:
		return field_holds(c, "From", text);
	case MF_QUERY_TO:
		return field_holds(c, "To", text);
	case MF_QUERY_CC:
		return field_holds(c, "Cc", text);
	case MF_QUERY_BCC:
		return field_holds(c, "Bcc", text);
	case MF_QUERY_HEADER:
		return field_holds(c, q->name, text);
	case MF_QUERY_SINCE:
		return c->shot->date >= q->date / DAY * DAY;
	case MF_QUERY_BEFORE:
		return c->shot->date < q->date / DAY * DAY;
	case MF_QUERY_SET:
		return (c->shot->flags & q->flag) != 0;
	case MF_QUERY_UNSET:
		return (c->shot->flags & q->flag) == 0;
	case MF_QUERY_LARGER:
		return c->message.len > q->size;
	default:
		return false;
	}
}

static bool
matches(struct candidate *c, const struct mf_query *q)
{
	bool all = q->kind == MF_QUERY_AND;

	if (q->kind == MF_QUERY_NOT)
		return !matches(c, &q->children[0]);
	if (q->kind != MF_QUERY_AND && q->kind != MF_QUERY_OR)
		return matches_leaf(c, q);
	for (size_t i = 0; i < q->n_children; i++)
		if (matches(c, &q->children[i]) != all)
			return !all;
	return all;
}

/* ---- The call ---- */

static bool
item_matches(struct mf_session *s, const char *folder, uint64_t id, const struct mf_query *q)
{
	struct candidate c = { .arena = mf_arena_new() };
	struct memory_snapshot shot;
	bool match = false;

	if (memory_snapshot_take(s, folder, id, c.arena, &shot)) {
		c.shot = &shot;
		c.message = mf_bytes(shot.message->data, shot.message->len);
		match = matches(&c, q);
		memory_snapshot_end(s, &shot);
	}
	mf_arena_free(c.arena);
	return match;
}

static void
all_ids(struct mf_session *s, const char *folder, struct mf_idset *out)
{
	const struct memory_folder *f;

	memory_lock(s->world);
	f = memory_folder_find(s->user, folder);
	for (size_t i = 0; f != NULL && i < f->n; i++)
		mf_idset_add(out, f->items[i].id);
	memory_unlock(s->world);
}

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

enum mf_status
memory_search(struct mf_session *s, const char *folder, const struct mf_query *q, int timeout_ms,
	struct mf_idset *found, struct mf_error *err)
{
	enum mf_status st = memory_must_exist(s, folder, err);
	int64_t end = now_ms() + timeout_ms;
	struct mf_idset ids;

	mf_idset_clear(found);
	mf_idset_init(&ids);
	all_ids(s, folder, &ids);
	for (uint64_t id = 0; st == MF_OK && (id = mf_idset_next(&ids, id)) != 0;) {
		if (timeout_ms > 0 && now_ms() > end)
			st = mf_fail(err, MF_TEMPORARY, "memory: the search takes too long");
		else if (item_matches(s, folder, id, q))
			mf_idset_add(found, id);
	}
	mf_idset_deinit(&ids);
	return st;
}
