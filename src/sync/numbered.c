/* Another store's calls, with ids put right in both directions. Must not know ActiveSync or LMDB. */
#include "sync/numbered.h"

#include <string.h>

#include "state/folder.h"
#include "sync/numbers.h"
#include "sync/renumber.h"

struct map {
	const char *folder; /* the backend's id */
	struct sync_numbers numbers;
};

struct numbered {
	struct state *state;
	uint32_t user;
	const char *store;
	const struct mf_store_api *api;
	struct mf_session *inner;
	struct mf_arena *a; /* of it all */
	struct map *maps;   /* only of folders that are shown otherwise than they are */
	size_t n;
	const char **sure; /* folders whose numbers were seen to hold */
	size_t n_sure, max_sure;
};

static struct numbered *
of(struct mf_session *s)
{
	return (struct numbered *)s;
}

/* NULL: its items are shown under their ids. */
static const struct sync_numbers *
map_of(const struct numbered *s, const char *folder)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->maps[i].folder, folder) == 0)
			return &s->maps[i].numbers;
	return NULL;
}

/* ---- Maps and their renewal ---- */

static enum mf_status
load_maps(struct numbered *s, struct mf_error *err)
{
	struct state_numbering *list;
	struct state_folders folders;
	size_t n;
	enum mf_status st = state_numberings_load(s->state, s->user, s->a, &list, &n, err);

	s->n = 0;
	if (st != MF_OK || n == 0)
		return st;
	st = state_folders_load(s->state, s->user, s->a, &folders, err);
	s->maps = mf_new_array(s->a, struct map, n);
	for (size_t i = 0; i < n && st == MF_OK; i++) {
		const struct state_folder *f = state_folder_by_number(&folders, list[i].folder);

		if (f == NULL || strcmp(f->store, s->store) != 0)
			continue;
		s->maps[s->n].folder = f->id;
		sync_numbers_init(&s->maps[s->n++].numbers, &list[i], s->a);
	}
	return st;
}

/* MF_GONE: phones do not know that folder. */
static enum mf_status
renumbering(
	struct numbered *s, const char *folder, struct sync_renumbering *out, struct mf_error *err)
{
	struct mf_arena *a = mf_arena_new();
	struct state_folders all;
	enum mf_status st = state_folders_load(s->state, s->user, a, &all, err);
	const struct state_folder *f =
		st == MF_OK ? state_folder_by_id(&all, s->store, folder) : NULL;

	*out = (struct sync_renumbering){ .state = s->state,
		.user = s->user,
		.number = f == NULL ? 0 : f->number,
		.api = s->api,
		.session = s->inner,
		.folder = folder };
	mf_arena_free(a);
	return st == MF_OK && f == NULL ? MF_GONE : st;
}

static enum mf_status
renew(struct numbered *s, const char *folder, struct mf_error *err)
{
	struct sync_renumbering x;
	enum mf_status st = renumbering(s, folder, &x, err);

	if (st == MF_OK)
		st = sync_renumber(&x, err);
	return st == MF_OK ? load_maps(s, err) : st == MF_GONE ? MF_OK : st;
}

static bool
is_sure(const struct numbered *s, const char *folder)
{
	for (size_t i = 0; i < s->n_sure; i++)
		if (strcmp(s->sure[i], folder) == 0)
			return true;
	return false;
}

static void
be_sure(struct numbered *s, const char *folder)
{
	const char **more;

	if (is_sure(s, folder))
		return;
	if (s->n_sure == s->max_sure) {
		s->max_sure = 2 * s->max_sure + 4;
		more = mf_new_array(s->a, const char *, s->max_sure);
		for (size_t i = 0; i < s->n_sure; i++)
			more[i] = s->sure[i];
		s->sure = more;
	}
	s->sure[s->n_sure++] = mf_strdup(s->a, folder);
}

/* Numbers of older ids would be put on new ones: before a listing, and before anything is done to
 * items. */
static enum mf_status
check(struct numbered *s, const char *folder, struct mf_error *err)
{
	struct sync_renumbering x;
	enum mf_status st;

	if (is_sure(s, folder))
		return MF_OK;
	st = renumbering(s, folder, &x, err);
	if (st == MF_OK)
		st = sync_renumber_check(&x, err);
	if (st == MF_RESYNC)
		st = renew(s, folder, err);
	else if (st == MF_GONE) /* the call itself tells */
		st = MF_OK;
	if (st == MF_OK)
		be_sure(s, folder);
	return st;
}

/* The folder's map, once it is sure to hold; NULL: items are shown under their ids. */
static enum mf_status
sure_map(struct numbered *s, const char *folder, const struct sync_numbers **out,
	struct mf_error *err)
{
	enum mf_status st = s->api->epoch == NULL ? MF_OK : check(s, folder, err);

	*out = map_of(s, folder);
	return st;
}

static enum mf_status
begin(struct numbered *s, const char *folder, const struct mf_buf *cursor, struct mf_error *err)
{
	struct sync_renumbering x;
	enum mf_status st = renumbering(s, folder, &x, err);

	if (st == MF_OK)
		st = sync_renumber_begin(&x, mf_buf_bytes(cursor), err);
	return st == MF_GONE ? MF_OK : st;
}

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
	const struct sync_numbers *m = map_of(s, c->folder);
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
	struct numbered *s = of(session);
	bool listing = c->cursor.len == 0;
	enum mf_status st = listing ? check(s, c->folder, err) : MF_OK;

	if (st == MF_OK)
		st = follow(s, c, next, err);
	if (st == MF_OK && listing)
		st = begin(s, c->folder, next, err);
	if (st == MF_OK)
		be_sure(s, c->folder);
	if (st != MF_RESYNC)
		return st;
	st = renew(s, c->folder, err);
	if (st == MF_OK)
		be_sure(s, c->folder);
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
	struct numbered *s = of(session);
	struct fetching x = { .f = f };
	struct mf_fetch inner = { .folder = f->folder, .want = f->want, .fields = f->fields };
	struct mf_arena *a;
	uint64_t *ids;
	enum mf_status st = sure_map(s, f->folder, &x.m, err);

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
	struct numbered *s = of(session);
	const struct sync_numbers *m;
	enum mf_status st = sure_map(s, folder, &m, err);

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
	struct numbered *s = of(session);
	const struct sync_numbers *m = map_of(s, p->folder);
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
	struct numbered *s = of(session);
	const struct sync_numbers *m;
	struct mf_flag_change inner = *c;
	struct mf_idset ids, there;
	enum mf_status st = sure_map(s, c->folder, &m, err);

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
	struct numbered *s = of(session);
	const struct sync_numbers *m;
	struct mf_idset inner;
	enum mf_status st = sure_map(s, folder, &m, err);

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
	struct numbered *s = of(session);
	const struct sync_numbers *m;
	struct mf_idset inner;
	enum mf_status st;

	if (s->api->search == NULL)
		return mf_fail(err, MF_UNSUPPORTED, "the store cannot search");
	st = sure_map(s, folder, &m, err);
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

/* ---- Moving ---- */

/* Moves those that there are; the others are gone. */
static enum mf_status
move(struct mf_session *session, const char *from, const char *to, struct mf_move *moves, size_t n,
	struct mf_error *err)
{
	struct numbered *s = of(session);
	const struct sync_numbers *m, *there = map_of(s, to);
	struct mf_arena *a;
	struct mf_move *inner;
	size_t count = 0;
	enum mf_status st = sure_map(s, from, &m, err);

	for (size_t i = 0; i < n && st != MF_OK; i++)
		moves[i].status = st;
	if (st != MF_OK)
		return st;
	a = mf_arena_new();
	inner = mf_new_array(a, struct mf_move, n);
	for (size_t i = 0; i < n; i++) {
		inner[count].id = m == NULL ? moves[i].id : sync_numbers_id(m, moves[i].id);
		count += inner[count].id != 0;
	}
	st = s->api->move(s->inner, from, to, inner, count, err);
	count = 0;
	for (size_t i = 0; i < n; i++) {
		uint64_t id = m == NULL ? moves[i].id : sync_numbers_id(m, moves[i].id);

		moves[i].status = id == 0 ? MF_GONE : inner[count].status;
		moves[i].to = id == 0 ? 0 : inner[count].to;
		count += id != 0;
		if (there != NULL)
			moves[i].to = sync_numbers_shown(there, moves[i].to);
	}
	mf_arena_free(a);
	return st;
}

/* ---- What has no ids ---- */

static enum mf_status
folders(struct mf_session *s, mf_folder_fn *fn, void *ctx, struct mf_error *err)
{
	return of(s)->api->folders(of(s)->inner, fn, ctx, err);
}

static enum mf_status
poll(struct mf_session *s, struct mf_poll *list, size_t n, struct mf_error *err)
{
	return of(s)->api->poll(of(s)->inner, list, n, err);
}

static enum mf_status
empty(struct mf_session *s, const char *folder, struct mf_error *err)
{
	return of(s)->api->empty(of(s)->inner, folder, err);
}

static enum mf_status
folder_create(struct mf_session *s, const char *parent, const char *name, enum mf_role role,
	struct mf_arena *a, const char **id, struct mf_error *err)
{
	return of(s)->api->folder_create(of(s)->inner, parent, name, role, a, id, err);
}

static enum mf_status
folder_rename(struct mf_session *s, const char *folder, const char *parent, const char *name,
	struct mf_arena *a, const char **id, struct mf_error *err)
{
	return of(s)->api->folder_rename(of(s)->inner, folder, parent, name, a, id, err);
}

static enum mf_status
folder_delete(struct mf_session *s, const char *folder, struct mf_error *err)
{
	return of(s)->api->folder_delete(of(s)->inner, folder, err);
}

static enum mf_status
epoch(struct mf_session *s, const char *folder, uint64_t *out, struct mf_error *err)
{
	*out = 1;
	return of(s)->api->epoch == NULL ? MF_OK
					 : of(s)->api->epoch(of(s)->inner, folder, out, err);
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
	.move = move,
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
	st = load_maps(s, err);
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
	struct mf_session *inner = s == NULL ? NULL : of(s)->inner;

	if (s != NULL)
		mf_arena_free(of(s)->a);
	return inner;
}
