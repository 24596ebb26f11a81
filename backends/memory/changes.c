/*
 * What changed since a cursor.
 *
 * The cursor is text: the folder's epoch (of which no two folders of a world have the same), the
 * world's modification sequence, and the next id. Events are copied under the lock and told
 * without it.
 */
#include "memory/calls.h"
#include "memory/fault.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct position {
	uint64_t epoch, modseq, next_id;
};

static struct position
position_now(const struct memory_world *w, const struct memory_folder *f)
{
	return (struct position){ .epoch = f->epoch, .modseq = w->modseq, .next_id = f->next_id };
}

static void
position_write(const struct position *p, struct mf_buf *out)
{
	mf_buf_clear(out);
	mf_buf_printf(out, "m1:%" PRIu64 ":%" PRIu64 ":%" PRIu64, p->epoch, p->modseq, p->next_id);
}

static bool
position_read(struct mf_bytes cursor, struct position *p)
{
	char text[100];
	int end = -1;

	if (cursor.len == 0 || cursor.len >= sizeof(text))
		return false;
	memcpy(text, cursor.data, cursor.len);
	text[cursor.len] = '\0';
	if (sscanf(text, "m1:%" SCNu64 ":%" SCNu64 ":%" SCNu64 "%n", &p->epoch, &p->modseq,
		    &p->next_id, &end) != 3)
		return false;
	return end >= 0 && (size_t)end == cursor.len;
}

/* A cursor of this epoch, and not of its future. */
static bool
position_fits(const struct position *then, const struct position *now)
{
	return then->epoch == now->epoch && then->modseq <= now->modseq &&
	       then->next_id <= now->next_id;
}

/* ---- Collecting ---- */

struct events {
	struct mf_arena *arena;
	struct mf_event *list;
	size_t n;
};

/* What vanished: from the log, or, like a server without one, from what the caller knows. */
static void
gone_since(const struct memory_world *w, const struct memory_folder *f, const struct position *then,
	const struct mf_idset *known, struct mf_idset *gone)
{
	if ((w->capabilities & MEMORY_VANISHED) == 0) {
		if (known != NULL)
			mf_idset_copy(gone, known);
		for (size_t i = 0; i < f->n; i++)
			mf_idset_remove(gone, f->items[i].id);
		return;
	}
	for (size_t i = f->n_gone; i-- > 0 && f->gone[i].modseq > then->modseq;)
		if (f->gone[i].id < then->next_id)
			mf_idset_add(gone, f->gone[i].id);
}

static void
collect_gone(const struct memory_world *w, const struct memory_folder *f,
	const struct position *then, const struct mf_idset *known, struct events *e)
{
	struct mf_idset gone;

	mf_idset_init(&gone);
	gone_since(w, f, then, known, &gone);
	e->list = mf_new_array(e->arena, struct mf_event, gone.n + f->n + 1);
	for (size_t i = 0; i < gone.n; i++)
		e->list[e->n++] = (struct mf_event){
			.kind = MF_EVENT_GONE,
			.id = gone.ranges[i].first,
			.last = gone.ranges[i].last,
		};
	mf_idset_deinit(&gone);
}

static void
collect_item(const struct memory_item *i, enum mf_event_kind kind, struct events *e)
{
	e->list[e->n++] = (struct mf_event){
		.kind = kind,
		.id = i->id,
		.flags = i->flags,
		.keywords = memory_keywords_copy(i, e->arena),
		.n_keywords = i->n_keywords,
		.date = kind == MF_EVENT_ADDED ? i->date : 0,
	};
}

static void
collect_all(const struct memory_folder *f, int64_t since, struct events *e)
{
	e->list = mf_new_array(e->arena, struct mf_event, f->n + 1);
	for (size_t i = 0; i < f->n; i++)
		if (f->items[i].date >= since)
			collect_item(&f->items[i], MF_EVENT_ADDED, e);
}

static void
collect_changed(const struct memory_world *w, const struct memory_folder *f,
	const struct position *then, struct events *e)
{
	bool all = (w->capabilities & MEMORY_MODSEQ) == 0;

	for (size_t i = 0; i < f->n; i++)
		if (f->items[i].id >= then->next_id)
			collect_item(&f->items[i], MF_EVENT_ADDED, e);
		else if (all || f->items[i].modseq > then->modseq)
			collect_item(&f->items[i], MF_EVENT_FLAGS, e);
}

/* Lock held. */
static enum mf_status
collect(struct mf_session *s, const struct mf_changes *c, struct position *now, struct events *e,
	struct mf_error *err)
{
	const struct memory_folder *f = memory_folder_find(s->user, c->folder);
	struct position then;

	if (f == NULL)
		return mf_fail(err, MF_GONE, "memory: no folder %s", c->folder);
	*now = position_now(s->world, f);
	if (c->cursor.len == 0) {
		collect_all(f, c->since, e);
		return MF_OK;
	}
	if (!position_read(c->cursor, &then) || !position_fits(&then, now))
		return mf_fail(err, MF_RESYNC, "memory: folder %s has another epoch", c->folder);
	collect_gone(s->world, f, &then, c->known, e);
	collect_changed(s->world, f, &then, e);
	return MF_OK;
}

/* ---- The calls ---- */

enum mf_status
memory_changes(
	struct mf_session *s, const struct mf_changes *c, struct mf_buf *next, struct mf_error *err)
{
	struct events e = { .arena = mf_arena_new() };
	struct position now = { 0 };
	enum mf_status st;

	memory_lock(s->world);
	st = collect(s, c, &now, &e, err);
	memory_unlock(s->world);
	for (size_t i = 0; i < e.n && st == MF_OK; i++) {
		st = memory_step(s, MEMORY_CHANGES_EVENT, err);
		if (st == MF_OK)
			st = c->event(c->ctx, &e.list[i]);
	}
	if (st == MF_OK)
		position_write(&now, next);
	mf_arena_free(e.arena);
	return st;
}

/* Lock held. */
static bool
changed(struct mf_session *s, const struct mf_poll *p)
{
	const struct memory_folder *f = memory_folder_find(s->user, p->folder);
	struct position then, now;

	if (f == NULL || !position_read(p->cursor, &then))
		return true;
	now = position_now(s->world, f);
	if (!position_fits(&then, &now) || then.next_id != now.next_id)
		return true;
	if (f->n_gone > 0 && f->gone[f->n_gone - 1].modseq > then.modseq)
		return true;
	for (size_t i = 0; i < f->n; i++)
		if (f->items[i].modseq > then.modseq)
			return true;
	return false;
}

enum mf_status
memory_poll(struct mf_session *s, struct mf_poll *folders, size_t n, struct mf_error *err)
{
	(void)err;
	memory_lock(s->world);
	for (size_t i = 0; i < n; i++)
		folders[i].changed = changed(s, &folders[i]);
	memory_unlock(s->world);
	return MF_OK;
}
