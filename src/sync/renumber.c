/* Items of one generation of ids found in the next, by their digests. */
#include "sync/renumber.h"

#include <stdlib.h>

#include "mailferry/log.h"
#include "state/numbering.h"
#include "sync/identity.h"

enum { ITEMS_MAX = 500000 }; /* of a folder; in a larger one nothing is recognised */

/* An item of now: shown is 0 until it is recognised. */
struct found {
	uint64_t id, digest, shown;
};

struct run {
	const struct sync_renumbering *x;
	struct mf_arena *a;
	uint64_t epoch;
	struct mf_buf cursor;
	uint64_t *ids;
	struct found *now; /* ascending by id */
	size_t n;
	struct mf_error *err;
};

/* ---- What is there ---- */

static enum mf_status
ignore(void *ctx, const struct mf_event *e)
{
	(void)ctx, (void)e;
	return MF_OK;
}

static enum mf_status
add_id(void *ctx, const struct mf_event *e)
{
	if (e->kind == MF_EVENT_ADDED)
		mf_idset_add(ctx, e->id);
	return MF_OK;
}

static enum mf_status
list(struct run *r)
{
	struct mf_idset ids;
	struct mf_changes c = { .folder = r->x->folder, .event = add_id, .ctx = &ids };
	enum mf_status st;
	uint64_t count;

	mf_idset_init(&ids);
	st = r->x->api->changes(r->x->session, &c, &r->cursor, r->err);
	count = mf_idset_count(&ids);
	if (st == MF_OK && count <= ITEMS_MAX) {
		r->ids = mf_new_array(r->a, uint64_t, (size_t)count);
		r->now = mf_new_array(r->a, struct found, (size_t)count);
		for (uint64_t id = mf_idset_next(&ids, 0); id != 0; id = mf_idset_next(&ids, id)) {
			r->ids[r->n] = id;
			r->now[r->n++].id = id;
		}
	}
	mf_idset_deinit(&ids);
	return st;
}

static int
by_id(const void *x, const void *y)
{
	const struct found *a = x, *b = y;

	return (a->id > b->id) - (a->id < b->id);
}

static enum mf_status
take_digest(void *ctx, const struct mf_item *item)
{
	struct run *r = ctx;
	struct found key = { .id = item->id }, *f;

	f = r->n == 0 ? NULL : bsearch(&key, r->now, r->n, sizeof(key), by_id);
	if (f != NULL)
		f->digest = sync_identity(item);
	return MF_OK;
}

static enum mf_status
fetch_digests(struct run *r)
{
	struct mf_fetch f = { .folder = r->x->folder,
		.ids = r->ids,
		.n = r->n,
		.want = SYNC_IDENTITY_WANT,
		.fields = sync_identity_fields,
		.item = take_digest,
		.ctx = r };

	return r->n == 0 ? MF_OK : r->x->api->fetch(r->x->session, &f, r->err);
}

/* ---- Which is which: among equals, in their order ---- */

static int
by_digest(const void *x, const void *y)
{
	const struct found *a = x, *b = y;

	if (a->digest != b->digest)
		return a->digest < b->digest ? -1 : 1;
	return by_id(x, y);
}

static int
old_by_digest(const void *x, const void *y)
{
	const struct state_identity *a = x, *b = y;

	if (a->digest != b->digest)
		return a->digest < b->digest ? -1 : 1;
	return (a->shown > b->shown) - (a->shown < b->shown);
}

static size_t
recognise(struct run *r, struct state_identity *old, size_t n)
{
	size_t count = 0;

	if (n == 0 || r->n == 0)
		return 0;
	qsort(old, n, sizeof(*old), old_by_digest);
	qsort(r->now, r->n, sizeof(*r->now), by_digest);
	for (size_t i = 0, k = 0; i < r->n && k < n;) {
		if (r->now[i].digest == old[k].digest && old[k].digest != 0) {
			r->now[i++].shown = old[k++].shown;
			count++;
		} else if (r->now[i].digest < old[k].digest || r->now[i].digest == 0) {
			i++;
		} else {
			k++;
		}
	}
	return count;
}

static int
by_shown(const void *x, const void *y)
{
	const struct found *a = x, *b = y;

	return (a->shown > b->shown) - (a->shown < b->shown);
}

/* The runs of what was recognised, and what all are recognised by from now on. */
static enum mf_status
save(struct run *r, uint64_t generation, size_t recognised)
{
	struct state_numbering_run *runs =
		mf_new_array(r->a, struct state_numbering_run, recognised);
	struct state_identity *left = mf_new_array(r->a, struct state_identity, r->n);
	struct state_numbering next = { .folder = r->x->number,
		.generation = generation,
		.epoch = r->epoch,
		.cursor = mf_buf_bytes(&r->cursor),
		.runs = runs };

	for (size_t i = 0; i < r->n; i++)
		if (r->now[i].shown == 0)
			r->now[i].shown = (generation << STATE_NUMBERING_BITS) + r->now[i].id;
	if (r->n > 0)
		qsort(r->now, r->n, sizeof(*r->now), by_shown);
	for (size_t i = 0; i < r->n; i++) {
		const struct found *f = &r->now[i];
		struct state_numbering_run *last = next.n > 0 ? &runs[next.n - 1] : NULL;

		left[i] = (struct state_identity){ f->shown, f->digest };
		if (f->shown == (generation << STATE_NUMBERING_BITS) + f->id)
			continue;
		if (last != NULL && last->shown + last->n == f->shown &&
			last->id + last->n == f->id)
			last->n++;
		else
			runs[next.n++] = (struct state_numbering_run){ f->shown, f->id, 1 };
	}
	return state_numbering_save(r->x->state, r->x->user, &next, left, r->n, r->err);
}

/* ---- All of it ---- */

static enum mf_status
load(const struct sync_renumbering *x, struct mf_arena *a, struct state_numbering *out,
	struct mf_error *err)
{
	return state_numbering_load(x->state, x->user, x->number, a, out, err);
}

/* 0 where the backend cannot tell. */
static enum mf_status
epoch_of(const struct sync_renumbering *x, uint64_t *out, struct mf_error *err)
{
	*out = 0;
	return x->api->epoch == NULL ? MF_OK : x->api->epoch(x->session, x->folder, out, err);
}

static enum mf_status
holds(const struct sync_renumbering *x, const struct state_numbering *n, struct mf_error *err)
{
	struct mf_idset none;
	struct mf_changes c = {
		.folder = x->folder, .cursor = n->cursor, .known = &none, .event = ignore
	};
	struct mf_buf next;
	uint64_t epoch;
	enum mf_status st = epoch_of(x, &epoch, err);

	if (st != MF_OK || (epoch != 0 && epoch == n->epoch))
		return st;
	if (epoch != 0 && n->epoch != 0)
		return mf_fail(err, MF_RESYNC, "folder %s has another epoch", x->folder);
	mf_idset_init(&none);
	mf_buf_init(&next, 0);
	st = x->api->changes(x->session, &c, &next, err);
	mf_buf_deinit(&next);
	mf_idset_deinit(&none);
	return st;
}

enum mf_status
sync_renumber_check(const struct sync_renumbering *x, struct mf_error *err)
{
	struct mf_arena *a = mf_arena_new();
	struct state_numbering n;
	enum mf_status st = load(x, a, &n, err);

	st = st == MF_OK ? holds(x, &n, err) : st == MF_GONE ? MF_OK : st;
	mf_arena_free(a);
	return st;
}

static enum mf_status
renumber(struct run *r)
{
	struct state_numbering was;
	struct state_identity *old = NULL;
	size_t n = 0, recognised;
	enum mf_status st = load(r->x, r->a, &was, r->err);

	if (st == MF_OK) {
		st = holds(r->x, &was, r->err);
		if (st != MF_RESYNC)
			return st; /* another request was here */
		st = state_identities_load(
			r->x->state, r->x->user, r->x->number, r->a, &old, &n, r->err);
	} else if (st == MF_GONE) {
		st = MF_OK;
	}
	if (st == MF_OK)
		st = epoch_of(r->x, &r->epoch, r->err);
	if (st == MF_OK)
		st = list(r);
	if (st == MF_OK)
		st = fetch_digests(r);
	if (st != MF_OK)
		return st;
	recognised = recognise(r, old, n);
	st = save(r, was.generation + 1, recognised);
	mf_log_info("event=renumbered folder=%u generation=%llu items=%zu recognised=%zu of=%zu",
		r->x->number, (unsigned long long)was.generation + 1, r->n, recognised, n);
	return st == MF_RESYNC ? MF_OK : st; /* another request was faster: its numbers hold */
}

enum mf_status
sync_renumber(const struct sync_renumbering *x, struct mf_error *err)
{
	struct run r = { .x = x, .a = mf_arena_new(), .err = err };
	enum mf_status st;

	mf_buf_init(&r.cursor, 0);
	st = renumber(&r);
	mf_buf_deinit(&r.cursor);
	mf_arena_free(r.a);
	return st;
}

enum mf_status
sync_renumber_begin(const struct sync_renumbering *x, struct mf_bytes cursor, struct mf_error *err)
{
	struct state_numbering first = { .folder = x->number, .cursor = cursor };
	struct mf_arena *a = mf_arena_new();
	struct state_numbering was;
	enum mf_status st = load(x, a, &was, err);

	mf_arena_free(a);
	if (st != MF_GONE)
		return st;
	st = epoch_of(x, &first.epoch, err);
	if (st == MF_OK)
		st = state_numbering_save(x->state, x->user, &first, NULL, 0, err);
	return st == MF_RESYNC ? MF_OK : st;
}
