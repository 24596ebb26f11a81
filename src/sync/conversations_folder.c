/* The index of conversations for one folder: what is listed, what is gone, what is still to be read. Reading is
 * conversations_read.c's. */
#include "sync/conversations_folder.h"

#include "sync/conversations_read.h"

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
		.ids_only = true,
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
		st = sync_conversations_read(m, folder, &p, news, &done->indexed, err);
	if (st == MF_OK && p.wanted.n == 0 && done->indexed > 0)
		st = state_conversation_progress(m->state, m->user, folder->number, &p, err);
	done->complete = done->complete && p.wanted.n == 0;
	state_conversation_folder_deinit(&p);
	mf_arena_free(a);
	return st;
}
