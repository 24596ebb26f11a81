/* Adding, flagging, moving and removing items. */
#include "memory/calls.h"
#include "memory/fault.h"

#include <string.h>

/* ---- Keywords from outside ---- */

/* An atom of RFC 9051, of a length that servers take. */
static bool
keyword_is_atom(const char *k)
{
	size_t n = strlen(k);

	if (n == 0 || n > 255)
		return false;
	for (; *k != '\0'; k++)
		if (*k <= ' ' || *k >= 0x7F || strchr("(){%*\"\\]", *k) != NULL)
			return false;
	return true;
}

static bool
keywords_are_atoms(const char *const *list)
{
	for (; list != NULL && *list != NULL; list++)
		if (!keyword_is_atom(*list))
			return false;
	return true;
}

static enum mf_status
bad_keyword(struct mf_error *err)
{
	return mf_fail(err, MF_INVALID, "memory: a keyword is no atom");
}

/* ---- Adding ---- */

static enum mf_status
put_check(struct mf_session *s, const struct mf_put *p, struct mf_error *err)
{
	enum mf_status st = memory_must_exist(s, p->folder, err);
	uint64_t limit;

	memory_lock(s->world);
	limit = s->world->limit;
	memory_unlock(s->world);
	if (st != MF_OK)
		return st;
	if (limit > 0 && p->size > limit)
		return mf_fail(err, MF_TOO_LARGE, "memory: the item is over the limit");
	if (p->size == 0)
		return mf_fail(err, MF_INVALID, "memory: the item is empty");
	for (size_t i = 0; i < p->n_keywords; i++)
		if (!keyword_is_atom(p->keywords[i]))
			return bad_keyword(err);
	return MF_OK;
}

/* Takes over m. Lock held. */
static bool
put_into(struct mf_session *s, const struct mf_put *p, struct memory_message *m, uint64_t *id)
{
	struct memory_folder *f = memory_folder_find(s->user, p->folder);
	struct memory_item *i;

	if (f == NULL) {
		memory_message_unref(m);
		return false;
	}
	i = memory_item_new(s->world, f, m, p->flags, p->date);
	for (size_t k = 0; k < p->n_keywords; k++)
		memory_item_change(
			s->world, i, 0, 0, (const char *const[]){ p->keywords[k], NULL }, NULL);
	*id = (s->world->capabilities & MEMORY_PUT_IDS) != 0 ? i->id : 0;
	return true;
}

enum mf_status
memory_put(struct mf_session *s, const struct mf_put *p, uint64_t *id, struct mf_error *err)
{
	enum mf_status st = put_check(s, p, err);
	struct memory_message *m;
	bool there;

	if (st != MF_OK)
		return st;
	m = memory_message_read(p->read, p->ctx, p->size);
	if (m == NULL)
		return mf_fail(err, MF_INVALID, "memory: the item ended early");
	memory_lock(s->world);
	there = put_into(s, p, m, id);
	memory_unlock(s->world);
	return there ? MF_OK : mf_fail(err, MF_GONE, "memory: no folder %s", p->folder);
}

/* ---- Flags ---- */

enum mf_status
memory_flags(struct mf_session *s, const struct mf_flag_change *c, struct mf_idset *found,
	struct mf_error *err)
{
	struct memory_folder *f;

	if (found != NULL)
		mf_idset_clear(found);
	if (!keywords_are_atoms(c->add_keywords) || !keywords_are_atoms(c->remove_keywords))
		return bad_keyword(err);
	memory_lock(s->world);
	f = memory_folder_find(s->user, c->folder);
	for (size_t i = 0; f != NULL && i < f->n; i++) {
		if (!mf_idset_has(c->ids, f->items[i].id))
			continue;
		memory_item_change(s->world, &f->items[i], c->add, c->remove, c->add_keywords,
			c->remove_keywords);
		if (found != NULL)
			mf_idset_add(found, f->items[i].id);
	}
	memory_unlock(s->world);
	return f != NULL ? MF_OK : mf_fail(err, MF_GONE, "memory: no folder %s", c->folder);
}

/* ---- Moving and removing ---- */

static void
remove_one(struct memory_world *w, struct memory_folder *f, uint64_t id)
{
	struct mf_idset one;

	mf_idset_init(&one);
	mf_idset_add(&one, id);
	memory_items_remove(w, f, &one);
	mf_idset_deinit(&one);
}

/* Lock held. */
static void
move_one(struct memory_world *w, struct memory_folder *from, struct memory_folder *to,
	struct mf_move *m)
{
	const struct memory_item *old = memory_item_find(from, m->id);
	struct memory_item *i;
	uint64_t identity;

	m->status = old == NULL ? MF_GONE : MF_OK;
	if (old == NULL)
		return;
	identity = old->identity;
	i = memory_item_new(w, to, memory_message_ref(old->message), old->flags, old->date);
	old = memory_item_find(from, m->id); /* from may be to, and have moved */
	i->identity = identity;
	for (size_t k = 0; k < old->n_keywords; k++)
		memory_item_change(
			w, i, 0, 0, (const char *const[]){ old->keywords[k], NULL }, NULL);
	if (old->damaged != NULL)
		i->damaged = memory_strdup(old->damaged);
	m->to = (w->capabilities & MEMORY_MOVE_IDS) != 0 ? i->id : 0;
	remove_one(w, from, m->id);
}

/* Lock held. */
static enum mf_status
move_into(struct mf_session *s, const char *from, const char *to, struct mf_move *m,
	struct mf_error *err)
{
	struct memory_folder *f = memory_folder_find(s->user, from);
	struct memory_folder *t = memory_folder_find(s->user, to);

	if (f == NULL)
		return mf_fail(err, MF_GONE, "memory: no folder %s", from);
	if (t == NULL)
		return mf_fail(err, MF_INVALID, "memory: no destination %s", to);
	if (m != NULL)
		move_one(s->world, f, t, m);
	return MF_OK;
}

static void
move_status(struct mf_move *moves, size_t n, enum mf_status status)
{
	for (size_t i = 0; i < n; i++) {
		moves[i].status = status;
		moves[i].to = 0;
	}
}

enum mf_status
memory_move(struct mf_session *s, const char *from, const char *to, struct mf_move *moves, size_t n,
	struct mf_error *err)
{
	enum mf_status st;

	memory_lock(s->world);
	st = move_into(s, from, to, NULL, err);
	memory_unlock(s->world);
	move_status(moves, n, st == MF_OK ? MF_TEMPORARY : st);
	for (size_t i = 0; i < n && st == MF_OK; i++) {
		st = memory_step(s, MEMORY_MOVE_ITEM, err);
		if (st != MF_OK)
			break;
		memory_lock(s->world);
		st = move_into(s, from, to, &moves[i], err);
		memory_unlock(s->world);
	}
	return st;
}

/* ids NULL: all. */
enum mf_status
memory_remove(
	struct mf_session *s, const char *folder, const struct mf_idset *ids, struct mf_error *err)
{
	struct memory_folder *f;

	memory_lock(s->world);
	f = memory_folder_find(s->user, folder);
	if (f != NULL)
		memory_items_remove(s->world, f, ids);
	memory_unlock(s->world);
	return f != NULL ? MF_OK : mf_fail(err, MF_GONE, "memory: no folder %s", folder);
}
