/* The index of conversations for one folder: what is listed, what is gone, what is still to be read. */
#include "sync/conversations_folder.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum {
	FETCH_MAX = 2000, /* items of one question to the server */
};

/* ---- Reading messages ---- */

struct reading {
	const struct sync_mailbox *m;
	const struct state_folder *folder;
	struct state_conversation_folder *progress;
	struct sync_news *news; /* NULL: nobody wants to know */
	struct mf_arena *arena; /* of the items collected */
	struct state_conversation_item *items;
	size_t n;
	size_t indexed;
	struct mf_error *err;
};

static int
by_id(const void *x, const void *y)
{
	const struct state_conversation_item *a = x, *b = y;

	return (a->id > b->id) - (a->id < b->id);
}

/* Writes what was collected. The progress goes into the same transaction. */
static enum mf_status
flush(struct reading *r)
{
	enum mf_status st;

	if (r->n == 0)
		return MF_OK;
	qsort(r->items, r->n, sizeof(*r->items), by_id);
	for (size_t i = 0; i < r->n; i++) {
		mf_idset_add(&r->progress->known, r->items[i].id);
		mf_idset_remove(&r->progress->wanted, r->items[i].id);
	}
	st = state_conversation_add(
		r->m->state, r->m->user, r->folder->number, r->items, r->n, r->progress, r->err);
	for (size_t i = 0; st == MF_OK && r->news != NULL && i < r->n; i++)
		sync_news_add(r->news, r->folder->number, &r->items[i]);
	r->indexed += r->n;
	r->n = 0;
	mf_arena_free(r->arena);
	r->arena = mf_arena_new();
	return st;
}

static enum mf_status
take_item(void *ctx, const struct mf_item *item)
{
	struct reading *r = ctx;
	struct conversation_facts *f;
	struct mime_header h;
	struct mf_bytes header;

	if (item->damaged != NULL || (item->have & MF_WANT_HEADER) == 0)
		return MF_OK; /* belongs to nothing; taken off the list with the rest */
	header = mf_memdup(r->arena, item->header.data, item->header.len);
	mime_header_parse(r->arena, header, &h);
	f = mf_new(r->arena, struct conversation_facts);
	conversation_facts_read(r->arena, &h,
		(item->have & MF_WANT_THREAD) != 0 ? item->thread : "", item->date, f);
	r->items[r->n++] = (struct state_conversation_item){ .id = item->id, .facts = f };
	return r->n == STATE_CONVERSATION_BATCH ? flush(r) : MF_OK;
}

/* The newest of what is wanted, at most FETCH_MAX. */
static enum mf_status
read_some(struct reading *r)
{
	struct state_conversation_folder *p = r->progress;
	uint64_t *ids = calloc(FETCH_MAX, sizeof(*ids));
	struct mf_fetch f = { .folder = r->folder->id,
		.ids = ids,
		.want = MF_WANT_HEADER | MF_WANT_DATE | MF_WANT_THREAD,
		.fields = conversation_fields,
		.item = take_item,
		.ctx = r };
	enum mf_status st;

	if (ids == NULL)
		abort();
	for (uint64_t id = mf_idset_prev(&p->wanted, UINT64_MAX); id != 0 && f.n < FETCH_MAX;
		id = mf_idset_prev(&p->wanted, id))
		ids[f.n++] = id;
	st = r->m->api->fetch(r->m->session, &f, r->err);
	if (st == MF_OK)
		st = flush(r);
	for (size_t i = 0; st == MF_OK && i < f.n; i++)
		if (mf_idset_has(&p->wanted, ids[i])) { /* vanished or unreadable */
			mf_idset_remove(&p->wanted, ids[i]);
			mf_idset_add(&p->known, ids[i]);
		}
	free(ids);
	return st;
}

static enum mf_status
read_wanted(const struct sync_mailbox *m, const struct state_folder *folder,
	struct state_conversation_folder *progress, struct sync_news *news, size_t *indexed,
	struct mf_error *err)
{
	struct reading r = {
		.m = m, .folder = folder, .progress = progress, .news = news, .err = err
	};
	enum mf_status st = MF_OK;

	r.arena = mf_arena_new();
	r.items = calloc(STATE_CONVERSATION_BATCH, sizeof(*r.items));
	if (r.items == NULL)
		abort();
	while (st == MF_OK && progress->wanted.n > 0 && clock_ms() < m->until)
		st = read_some(&r);
	*indexed += r.indexed;
	free(r.items);
	mf_arena_free(r.arena);
	return st;
}

/* ---- What happened in a folder ---- */

struct following {
	struct state_conversation_folder *progress;
	struct mf_idset gone;
	bool listing;
	struct mf_idset listed;
};

static enum mf_status
take_event(void *ctx, const struct mf_event *e)
{
	struct following *f = ctx;

	if (e->kind == MF_EVENT_GONE)
		mf_idset_add_range(&f->gone, e->id, e->last);
	else if (f->listing)
		mf_idset_add(&f->listed, e->id);
	else if (!mf_idset_has(&f->progress->known, e->id))
		mf_idset_add(&f->progress->wanted, e->id);
	return MF_OK;
}

/* Everything that is listed and not known is wanted; what is known and not listed is gone. */
static void
take_listing(struct following *f)
{
	struct state_conversation_folder *p = f->progress;

	mf_idset_copy(&p->wanted, &f->listed);
	mf_idset_subtract(&p->wanted, &p->known);
	mf_idset_copy(&f->gone, &p->known);
	mf_idset_subtract(&f->gone, &f->listed);
}

/* Asks for changes; progress has the new cursor (in the arena), gone what is no more. */
static enum mf_status
ask(const struct sync_mailbox *m, const struct state_folder *folder, struct following *f,
	struct mf_arena *a, struct mf_error *err)
{
	struct state_conversation_folder *p = f->progress;
	struct mf_idset all;
	struct mf_changes c = { .folder = folder->id,
		.cursor = p->cursor,
		.known = &all,
		.event = take_event,
		.ctx = f };
	struct mf_buf next;
	enum mf_status st;

	mf_idset_init(&all);
	mf_idset_copy(&all, &p->known);
	mf_idset_union(&all, &p->wanted);
	mf_buf_init(&next, 0);
	f->listing = p->cursor.len == 0;
	st = m->api->changes(m->session, &c, &next, err);
	if (st == MF_OK) {
		if (f->listing)
			take_listing(f);
		p->cursor = mf_memdup(a, next.data, next.len);
		mf_idset_subtract(&p->wanted, &f->gone);
	}
	mf_buf_deinit(&next);
	mf_idset_deinit(&all);
	return st;
}

static enum mf_status
follow(const struct sync_mailbox *m, const struct state_folder *folder,
	struct state_conversation_folder *p, struct sync_news *news, struct mf_arena *a,
	struct mf_error *err)
{
	struct following f = { .progress = p };
	enum mf_status st;

	mf_idset_init(&f.gone);
	mf_idset_init(&f.listed);
	st = ask(m, folder, &f, a, err);
	if (st == MF_OK && f.gone.n > 0) {
		if (news != NULL)
			news->leaving = folder->number;
		st = state_conversation_remove(m->state, m->user, folder->number, &f.gone,
			news != NULL ? sync_news_left : NULL, news, err);
		mf_idset_subtract(&p->known, &f.gone);
	}
	if (st == MF_OK)
		st = state_conversation_progress(m->state, m->user, folder->number, p, err);
	mf_idset_deinit(&f.gone);
	mf_idset_deinit(&f.listed);
	return st;
}

enum mf_status
conversations_folder_bring_up(const struct sync_mailbox *m, const struct state_folder *folder,
	bool changed, struct sync_news *news, struct sync_conversations_done *done,
	struct mf_error *err)
{
	struct state_conversation_folder p;
	struct mf_arena *a = mf_arena_new();
	enum mf_status st;

	state_conversation_folder_init(&p);
	st = state_conversation_folder_load(m->state, m->user, folder->number, a, &p, err);
	if (st == MF_OK && changed)
		st = follow(m, folder, &p, news, a, err);
	if (st == MF_RESYNC || st == MF_GONE) {
		bool again = st == MF_RESYNC;

		state_conversation_folder_deinit(&p);
		state_conversation_folder_init(&p);
		st = state_conversation_drop(m->state, m->user, folder->number, err);
		if (st == MF_OK && again)
			st = follow(m, folder, &p, news, a, err);
	}
	if (st == MF_OK)
		st = read_wanted(m, folder, &p, news, &done->indexed, err);
	if (st == MF_OK && p.wanted.n == 0 && done->indexed > 0)
		st = state_conversation_progress(m->state, m->user, folder->number, &p, err);
	done->complete = done->complete && p.wanted.n == 0;
	state_conversation_folder_deinit(&p);
	mf_arena_free(a);
	return st;
}
