/*
 * The server, this thread and the state's writer work at the same time: while headers come in and are looked at,
 * those before them are taken into the index, by turns in two batches.
 */
#include "sync/conversations_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "mailferry/log.h"

enum {
	FETCH_MAX = 20000,			  /* items of one question to the server */
	BATCH_MAX = STATE_CONVERSATION_BATCH / 2, /* items in one of the two batches */
};

struct batch {
	struct mf_arena *arena; /* of what the items point to: as little as the index needs */
	struct state_conversation_item *items;
	size_t n;
};

struct reading {
	const struct sync_mailbox *m;
	const struct state_folder *folder;
	struct state_conversation_folder *progress; /* the writer's, while it adds */
	struct sync_news *news;
	struct batch batches[2];
	struct batch *filling, *adding;	       /* adding NULL: nothing is being added */
	struct state_conversation_adding *job; /* of `adding` */
	struct mf_error job_err;
	struct conversation_memo *memo;
	struct mf_idset odd; /* unreadable, to be wanted no more */
	size_t indexed;
	bool late; /* the time is over */
	struct mf_error *err;
};

static void
batch_clear(struct batch *b)
{
	mf_arena_free(b->arena);
	b->arena = mf_arena_new();
	b->n = 0;
}

/* Waits for what is being added. */
static enum mf_status
settle(struct reading *r)
{
	struct batch *b = r->adding;
	enum mf_status st;

	if (b == NULL)
		return MF_OK;
	st = state_conversation_add_end(r->job);
	if (st != MF_OK)
		*r->err = r->job_err;
	for (size_t i = 0; st == MF_OK && r->news != NULL && i < b->n; i++)
		sync_news_add(r->news, r->folder->number, &b->items[i]);
	if (st == MF_OK)
		r->indexed += b->n;
	batch_clear(b);
	r->adding = NULL;
	return st;
}

static int
by_id(const void *x, const void *y)
{
	const struct state_conversation_item *a = x, *b = y;

	return (a->id > b->id) - (a->id < b->id);
}

/* Begins to add what was collected, when what was before it is in. The progress goes into the same
 * transaction. */
static enum mf_status
flush(struct reading *r)
{
	struct batch *b = r->filling;
	enum mf_status st = settle(r);

	if (st != MF_OK || b->n == 0)
		return st;
	qsort(b->items, b->n, sizeof(*b->items), by_id);
	for (size_t i = 0; i < b->n; i++) {
		mf_idset_add(&r->progress->known, b->items[i].id);
		mf_idset_remove(&r->progress->wanted, b->items[i].id);
	}
	mf_idset_union(&r->progress->known, &r->odd);
	mf_idset_subtract(&r->progress->wanted, &r->odd);
	mf_idset_clear(&r->odd);
	r->job = state_conversation_add_begin(r->m->state, r->m->user, r->folder->number, b->items,
		b->n, r->progress, &r->job_err);
	r->adding = b;
	r->filling = b == &r->batches[0] ? &r->batches[1] : &r->batches[0];
	return MF_OK;
}

static void
collect(struct batch *b, const struct mf_item *item, struct conversation_memo *memo)
{
	struct mf_arena *scratch = mf_arena_new();
	struct conversation_facts *f = mf_new(b->arena, struct conversation_facts);
	struct conversation_id *parents;
	struct mime_header h;

	mime_header_parse(scratch, item->header, &h);
	conversation_facts_read_next(scratch, &h,
		(item->have & MF_WANT_THREAD) != 0 ? item->thread : "", item->date, memo, f);
	parents = mf_new_array(b->arena, struct conversation_id, f->n_parents + 1);
	if (f->n_parents > 0)
		memcpy(parents, f->parents, f->n_parents * sizeof(*parents));
	f->parents = parents;
	mf_arena_free(scratch);
	b->items[b->n++] = (struct state_conversation_item){ .id = item->id, .facts = f };
}

static enum mf_status
take_item(void *ctx, const struct mf_item *item)
{
	struct reading *r = ctx;
	enum mf_status st;

	if (item->damaged != NULL || (item->have & MF_WANT_HEADER) == 0) {
		mf_idset_add(&r->odd, item->id); /* belongs to nothing */
		return MF_OK;
	}
	collect(r->filling, item, r->memo);
	if (r->filling->n < BATCH_MAX)
		return MF_OK;
	st = flush(r);
	r->late = clock_ms() >= r->m->until;
	return st == MF_OK && r->late ? MF_TEMPORARY : st;
}

/* The newest of what is wanted, at most FETCH_MAX; those that did not come have vanished. */
static enum mf_status
read_some(struct reading *r, uint64_t *ids)
{
	struct state_conversation_folder *p = r->progress;
	struct mf_fetch f = { .folder = r->folder->id,
		.ids = ids,
		.want = MF_WANT_HEADER | MF_WANT_DATE | MF_WANT_THREAD,
		.fields = conversation_fields,
		.item = take_item,
		.ctx = r };
	enum mf_status st, added;

	for (uint64_t id = mf_idset_prev(&p->wanted, UINT64_MAX); id != 0 && f.n < FETCH_MAX;
		id = mf_idset_prev(&p->wanted, id))
		ids[f.n++] = id;
	st = r->m->api->fetch(r->m->session, &f, r->err);
	added = flush(r);
	if (added == MF_OK)
		added = settle(r);
	if (added != MF_OK || r->late)
		return added;
	for (size_t i = 0; st == MF_OK && i < f.n; i++)
		if (mf_idset_has(&p->wanted, ids[i])) {
			mf_idset_remove(&p->wanted, ids[i]);
			mf_idset_add(&p->known, ids[i]);
		}
	return st;
}

static void
batch_init(struct batch *b)
{
	b->arena = mf_arena_new();
	b->items = calloc(BATCH_MAX, sizeof(*b->items));
	if (b->items == NULL)
		abort();
}

static void
batch_deinit(struct batch *b)
{
	mf_arena_free(b->arena);
	free(b->items);
}

enum mf_status
sync_conversations_read(const struct sync_mailbox *m, const struct state_folder *folder,
	struct state_conversation_folder *progress, struct sync_news *news, size_t *indexed,
	struct mf_error *err)
{
	struct reading r = {
		.m = m, .folder = folder, .progress = progress, .news = news, .err = err
	};
	uint64_t *ids;
	enum mf_status st = MF_OK;

	if (progress->wanted.n == 0)
		return MF_OK;
	ids = calloc(FETCH_MAX, sizeof(*ids));
	if (ids == NULL)
		abort();
	batch_init(&r.batches[0]);
	batch_init(&r.batches[1]);
	r.filling = &r.batches[0];
	r.memo = conversation_memo_new();
	mf_idset_init(&r.odd);
	while (st == MF_OK && progress->wanted.n > 0 && clock_ms() < m->until)
		st = read_some(&r, ids);
	*indexed += r.indexed;
	conversation_memo_free(r.memo);
	mf_idset_deinit(&r.odd);
	batch_deinit(&r.batches[0]);
	batch_deinit(&r.batches[1]);
	free(ids);
	return st;
}
