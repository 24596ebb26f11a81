/* Another store's calls, with ids put right in both directions. Must not know ActiveSync or LMDB. */
#include "sync/numbered.h"

#include <string.h>

#include "sync/numbered_maps.h"

/* ---- Changes ---- */

struct following {
	const struct mf_changes *c;
	const struct sync_numbers *m;
};

static enum mf_status
tell_gone(const struct following *f, const struct mf_event *e)
{
	struct mf_event one = *e;
	struct mf_idset ids, showns;
	enum mf_status st = MF_OK;

	mf_idset_init(&ids);
	mf_idset_init(&showns);
	mf_idset_add_range(&ids, e->id, e->last);
	sync_numbers_showns(f->m, &ids, &showns);
	for (size_t i = 0; i < showns.n && st == MF_OK; i++) {
		one.id = showns.ranges[i].first;
		one.last = showns.ranges[i].last;
		st = f->c->event(f->c->ctx, &one);
	}
	mf_idset_deinit(&ids);
	mf_idset_deinit(&showns);
	return st;
}

static enum mf_status
on_event(void *ctx, const struct mf_event *e)
{
	const struct following *f = ctx;
	struct mf_event one = *e;

	if (e->kind == MF_EVENT_GONE)
		return tell_gone(f, e);
	one.id = sync_numbers_shown(f->m, e->id);
	return f->c->event(f->c->ctx, &one);
}

static enum mf_status
follow(struct numbered *s, const struct mf_changes *c, struct mf_buf *next, struct mf_error *err)
{
	const struct sync_numbers *m = numbered_map(s, c->folder);
	struct following f = { c, m };
	struct mf_changes inner = *c;
	struct mf_idset known;
	enum mf_status st;

	if (m == NULL)
		return s->api->changes(s->inner, c, next, err);
	mf_idset_init(&known);
	if (c->known != NULL)
		sync_numbers_ids(m, c->known, &known);
	inner.known = c->known == NULL ? NULL : &known;
	inner.event = on_event;
	inner.ctx = &f;
	st = s->api->changes(s->inner, &inner, next, err);
	mf_idset_deinit(&known);
	return st;
}

static enum mf_status
changes(struct mf_session *session, const struct mf_changes *c, struct mf_buf *next,
	struct mf_error *err)
{
	struct numbered *s = numbered_of(session);
	bool listing = c->cursor.len == 0;
	enum mf_status st = listing ? numbered_check(s, c->folder, err) : MF_OK;

	if (st == MF_OK)
		st = follow(s, c, next, err);
	if (st == MF_OK && listing)
		st = numbered_begin(s, c->folder, next, err);
	if (st == MF_OK)
		numbered_be_sure(s, c->folder);
	if (st != MF_RESYNC)
		return st;
	st = numbered_renew(s, c->folder, err);
	if (st == MF_OK)
		numbered_be_sure(s, c->folder);
	return st == MF_OK ? mf_fail(err, MF_RESYNC, "folder %s: its ids began anew", c->folder)
			   : st;
}

/* ---- Content ---- */

struct fetching {
	const struct mf_fetch *f;
	const struct sync_numbers *m;
};

static size_t
on_choose(void *ctx, const struct mf_item *item, struct mf_section_want *out)
{
	const struct fetching *x = ctx;
	struct mf_item one = *item;

	one.id = sync_numbers_shown(x->m, item->id);
	return x->f->choose(x->f->ctx, &one, out);
}

static enum mf_status
on_item(void *ctx, const struct mf_item *item)
{
	const struct fetching *x = ctx;
	struct mf_item one = *item;

	one.id = sync_numbers_shown(x->m, item->id);
	return x->f->item(x->f->ctx, &one);
}

static enum mf_status
fetch(struct mf_session *session, const struct mf_fetch *f, struct mf_error *err)
{
	struct numbered *s = numbered_of(session);
	struct fetching x = { .f = f };
	struct mf_fetch inner = { .folder = f->folder, .want = f->want, .fields = f->fields };
	struct mf_arena *a;
	uint64_t *ids;
	enum mf_status st = numbered_sure_map(s, f->folder, &x.m, err);

	if (st != MF_OK || x.m == NULL)
		return st != MF_OK ? st : s->api->fetch(s->inner, f, err);
	a = mf_arena_new();
	ids = mf_new_array(a, uint64_t, f->n);
	for (size_t i = 0; i < f->n; i++) {
		ids[inner.n] = sync_numbers_id(x.m, f->ids[i]);
		inner.n += ids[inner.n] != 0;
	}
	inner.ids = ids;
	inner.choose = f->choose == NULL ? NULL : on_choose;
	inner.item = on_item;
	inner.ctx = &x;
	st = s->api->fetch(s->inner, &inner, err);
	mf_arena_free(a);
	return st;
}

static enum mf_status
stream(struct mf_session *session, const char *folder, uint64_t id,
	const struct mf_section_want *what, mf_write_fn *write, void *ctx, struct mf_error *err)
{
	struct numbered *s = numbered_of(session);
	const struct sync_numbers *m;
	enum mf_status st = numbered_sure_map(s, folder, &m, err);

	if (st != MF_OK)
		return st;
	id = m == NULL ? id : sync_numbers_id(m, id);
	if (id == 0)
		return mf_fail(err, MF_GONE, "folder %s has no such item", folder);
	return s->api->stream(s->inner, folder, id, what, write, ctx, err);
}

static enum mf_status
put(struct mf_session *session, const struct mf_put *p, uint64_t *id, struct mf_error *err)
{
	struct numbered *s = numbered_of(session);
	const struct sync_numbers *m = numbered_map(s, p->folder);
	enum mf_status st = s->api->put(s->inner, p, id, err);

	if (m != NULL && st == MF_OK && id != NULL)
		*id = sync_numbers_shown(m, *id);
	return st;
}

/* ---- Sets of items ---- */

static enum mf_status
flag(struct mf_session *session, const struct mf_flag_change *c, struct mf_idset *found,
	struct mf_error *err)
{
	struct numbered *s = numbered_of(session);
	const struct sync_numbers *m;
	struct mf_flag_change inner = *c;
	struct mf_idset ids, there;
	enum mf_status st = numbered_sure_map(s, c->folder, &m, err);

	if (st != MF_OK || m == NULL)
		return st != MF_OK ? st : s->api->flag(s->inner, c, found, err);
	mf_idset_init(&ids);
	mf_idset_init(&there);
	sync_numbers_ids(m, c->ids, &ids);
	inner.ids = &ids;
	st = s->api->flag(s->inner, &inner, found == NULL ? NULL : &there, err);
	if (found != NULL) {
		mf_idset_clear(found);
		sync_numbers_showns(m, &there, found);
	}
	mf_idset_deinit(&ids);
	mf_idset_deinit(&there);
	return st;
}

static enum mf_status
remove_items(struct mf_session *session, const char *folder, const struct mf_idset *ids,
	struct mf_error *err)
{
	struct numbered *s = numbered_of(session);
	const struct sync_numbers *m;
	struct mf_idset inner;
	enum mf_status st = numbered_sure_map(s, folder, &m, err);

	if (st != MF_OK || m == NULL)
		return st != MF_OK ? st : s->api->remove(s->inner, folder, ids, err);
	mf_idset_init(&inner);
	sync_numbers_ids(m, ids, &inner);
	st = inner.n == 0 ? MF_OK : s->api->remove(s->inner, folder, &inner, err);
	mf_idset_deinit(&inner);
	return st;
}

static enum mf_status
search(struct mf_session *session, const char *folder, const struct mf_query *q, int timeout_ms,
	struct mf_idset *found, struct mf_error *err)
{
	struct numbered *s = numbered_of(session);
	const struct sync_numbers *m;
	struct mf_idset inner;
	enum mf_status st;

	if (s->api->search == NULL)
		return mf_fail(err, MF_UNSUPPORTED, "the store cannot search");
	st = numbered_sure_map(s, folder, &m, err);
	if (st != MF_OK)
		return st;
	if (m == NULL)
		return s->api->search(s->inner, folder, q, timeout_ms, found, err);
	mf_idset_init(&inner);
	st = s->api->search(s->inner, folder, q, timeout_ms, &inner, err);
	mf_idset_clear(found);
	sync_numbers_showns(m, &inner, found);
	mf_idset_deinit(&inner);
	return st;
}

/* ---- What has no ids ---- */

static enum mf_status
folders(struct mf_session *s, mf_folder_fn *fn, void *ctx, struct mf_error *err)
{
	return numbered_of(s)->api->folders(numbered_of(s)->inner, fn, ctx, err);
}

static enum mf_status
poll(struct mf_session *s, struct mf_poll *list, size_t n, struct mf_error *err)
{
	return numbered_of(s)->api->poll(numbered_of(s)->inner, list, n, err);
}

static enum mf_status
empty(struct mf_session *s, const char *folder, struct mf_error *err)
{
	return numbered_of(s)->api->empty(numbered_of(s)->inner, folder, err);
}

static enum mf_status
folder_create(struct mf_session *s, const char *parent, const char *name, enum mf_role role,
	struct mf_arena *a, const char **id, struct mf_error *err)
{
	return numbered_of(s)->api->folder_create(
		numbered_of(s)->inner, parent, name, role, a, id, err);
}

static enum mf_status
folder_rename(struct mf_session *s, const char *folder, const char *parent, const char *name,
	struct mf_arena *a, const char **id, struct mf_error *err)
{
	return numbered_of(s)->api->folder_rename(
		numbered_of(s)->inner, folder, parent, name, a, id, err);
}

static enum mf_status
folder_delete(struct mf_session *s, const char *folder, struct mf_error *err)
{
	return numbered_of(s)->api->folder_delete(numbered_of(s)->inner, folder, err);
}

static enum mf_status
epoch(struct mf_session *s, const char *folder, uint64_t *out, struct mf_error *err)
{
	*out = 1;
	return numbered_of(s)->api->epoch == NULL
		       ? MF_OK
		       : numbered_of(s)->api->epoch(numbered_of(s)->inner, folder, out, err);
}

const struct mf_store_api sync_numbered_api = {
	.size = sizeof(struct mf_store_api),
	.folders = folders,
	.changes = changes,
	.poll = poll,
	.fetch = fetch,
	.stream = stream,
	.put = put,
	.flag = flag,
	.move = numbered_move,
	.remove = remove_items,
	.empty = empty,
	.search = search,
	.folder_create = folder_create,
	.folder_rename = folder_rename,
	.folder_delete = folder_delete,
	.epoch = epoch,
};

/* ---- Opening ---- */

enum mf_status
sync_numbered_open(struct state *state, uint32_t user, const char *store,
	const struct mf_store_api *api, struct mf_session *inner, struct mf_session **out,
	struct mf_error *err)
{
	struct mf_arena *a = mf_arena_new();
	struct numbered *s = mf_new(a, struct numbered);
	enum mf_status st;

	*s = (struct numbered){
		.state = state, .user = user, .store = store, .api = api, .inner = inner, .a = a
	};
	st = numbered_load(s, err);
	*out = (struct mf_session *)s;
	if (st == MF_OK)
		return MF_OK;
	mf_arena_free(a);
	*out = NULL;
	return st;
}

struct mf_session *
sync_numbered_close(struct mf_session *s)
{
	struct mf_session *inner = s == NULL ? NULL : numbered_of(s)->inner;

	if (s != NULL)
		mf_arena_free(numbered_of(s)->a);
	return inner;
}
