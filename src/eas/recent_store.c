/* See recent_store.h. The list is read once a session: a request sees one state of it. */
#include "eas/recent_store.h"

#include <stdlib.h>
#include <string.h>

#include "eas/recent.h"

/* The contract's session, of this store. */
struct mf_session {
	struct eas_request *r;
	struct recent *list;
	size_t n, max;
	bool loaded;
};

struct mf_session *
recent_session(struct eas_request *r)
{
	struct mf_session *s = mf_new(r->arena, struct mf_session);
	s->r = r;
	s->max = RECENT_STORE_MAX;
	return s;
}

void
recent_session_limit(struct mf_session *s, uint64_t n)
{
	s->max = n == 0 || n > RECENT_STORE_MAX ? RECENT_STORE_MAX : (size_t)n;
}

static enum mf_status
load(struct mf_session *s, struct mf_error *err)
{
	enum mf_status st = s->loaded ? MF_OK : recent_load(s->r, &s->list, &s->n, err);
	s->loaded = st == MF_OK;
	return st;
}

static size_t
shown(const struct mf_session *s)
{
	return s->n < s->max ? s->n : s->max;
}

static const struct recent *
find(const struct mf_session *s, uint64_t id)
{
	for (size_t i = 0; i < shown(s); i++)
		if (s->list[i].id == id)
			return &s->list[i];
	return NULL;
}

void
recent_store_write(struct mf_session *s, uint64_t id)
{
	struct wbxml_writer *w = &s->r->writer;
	const struct recent *p = find(s, id);
	if (p == NULL)
		return;
	const char *name = *p->name != '\0' ? p->name : p->address;
	wbxml_element(w, Contacts_Email1Address, p->address);
	wbxml_element(w, Contacts_FileAs, name);
	wbxml_element(
		w, Contacts_Alias, mf_strndup(s->r->arena, p->address, strcspn(p->address, "@")));
	wbxml_number(w, Contacts_WeightedRank, p->count);
}

/* ---- The store ---- */

static int
ascending(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

/* What the caller knows and is no longer there. */
static enum mf_status
tell_gone(struct mf_session *s, const struct mf_changes *c)
{
	enum mf_status st = MF_OK;
	for (uint64_t id = mf_idset_next(c->known, 0); st == MF_OK && id != 0;
		id = mf_idset_next(c->known, id)) {
		struct mf_event e = { .kind = MF_EVENT_GONE, .id = id, .last = id };
		if (find(s, id) == NULL)
			st = c->event(c->ctx, &e);
	}
	return st;
}

static enum mf_status
changes(struct mf_session *s, const struct mf_changes *c, struct mf_buf *next, struct mf_error *err)
{
	enum mf_status st = load(s, err);
	bool all = c->cursor.len == 0 || c->known == NULL;
	uint64_t *ids = mf_new_array(s->r->arena, uint64_t, s->n);
	size_t n = 0;
	if (st != MF_OK)
		return st;
	for (size_t i = 0; i < shown(s); i++)
		if (all || !mf_idset_has(c->known, s->list[i].id))
			ids[n++] = s->list[i].id;
	qsort(ids, n, sizeof(*ids), ascending);
	if (!all)
		st = tell_gone(s, c);
	for (size_t i = 0; st == MF_OK && i < n; i++) {
		struct mf_event e = {
			.kind = MF_EVENT_ADDED, .id = ids[i], .date = find(s, ids[i])->last
		};
		st = c->event(c->ctx, &e);
	}
	mf_buf_clear(next);
	mf_buf_add_str(next, "recent");
	return st;
}

/* Nobody is woken for it: the next Sync looks. */
static enum mf_status
poll(struct mf_session *s, struct mf_poll *folders, size_t n, struct mf_error *err)
{
	(void)s, (void)err;
	for (size_t i = 0; i < n; i++)
		folders[i].changed = false;
	return MF_OK;
}

static enum mf_status
fetch(struct mf_session *s, const struct mf_fetch *f, struct mf_error *err)
{
	enum mf_status st = load(s, err);
	for (size_t i = 0; st == MF_OK && i < f->n; i++) {
		const struct recent *p = find(s, f->ids[i]);
		struct mf_item item = { .id = f->ids[i], .have = MF_WANT_FLAGS | MF_WANT_DATE };
		if (p == NULL)
			continue;
		item.date = p->last;
		st = f->item(f->ctx, &item);
	}
	return st;
}

static enum mf_status
put(struct mf_session *s, const struct mf_put *p, uint64_t *id, struct mf_error *err)
{
	(void)s, (void)id;
	return mf_fail(err, MF_REFUSED, "%s cannot be changed", p->folder);
}

const struct mf_store_api recent_store_api = {
	.size = sizeof(struct mf_store_api),
	.changes = changes,
	.poll = poll,
	.fetch = fetch,
	.put = put,
};
