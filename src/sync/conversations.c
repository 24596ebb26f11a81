/*
 * The index of conversations over all folders, and what is done to whole conversations. One folder is
 * conversations_folder.c's, rules are conversations_rules.c's.
 */
#include "sync/conversations.h"

#include "base/clock.h"
#include "mailferry/log.h"
#include "sync/conversations_folder.h"
#include "sync/conversations_rules.h"

bool
sync_conversations_covers(const struct sync_mailbox *m, const struct state_folder *f)
{
	return f->gone == 0 && f->class == MF_CLASS_MAIL && (f->flags & MF_FOLDER_NO_ITEMS) == 0 &&
	       f->role < MF_ROLE_ALL && strcmp(f->store, m->store) == 0;
}

enum mf_status
sync_conversations_folder(const struct sync_mailbox *m, const struct state_folder *f,
	bool *complete, struct mf_error *err)
{
	struct sync_conversations_done done = { .complete = true };
	enum mf_status st = MF_OK;

	if (sync_conversations_covers(m, f))
		st = conversations_folder_bring_up(m, f, true, NULL, &done, err);
	*complete = st == MF_OK && done.complete;
	return st;
}

/* ---- All folders ---- */

struct places {
	const struct state_folder **list;
	struct mf_poll *polls;
	bool *busy; /* something is still to be read there */
	size_t n;
};

static enum mf_status
load_place(const struct sync_mailbox *m, struct places *p, const struct state_folder *f,
	struct mf_arena *a, struct mf_error *err)
{
	struct state_conversation_folder progress;
	enum mf_status st;

	state_conversation_folder_init(&progress);
	st = state_conversation_folder_load(m->state, m->user, f->number, a, &progress, err);
	p->list[p->n] = f;
	p->busy[p->n] = progress.wanted.n > 0;
	p->polls[p->n++] = (struct mf_poll){
		.folder = f->id, .cursor = progress.cursor, .changed = progress.cursor.len == 0
	};
	state_conversation_folder_deinit(&progress);
	return st;
}

/* Those that rules move to come last: what was moved out of them is then found elsewhere already. */
static enum mf_status
load_places(const struct sync_mailbox *m, const struct sync_news *news, struct mf_arena *a,
	struct places *p, struct mf_error *err)
{
	size_t max = m->folders->n;
	enum mf_status st = MF_OK;

	p->list = mf_new_array(a, const struct state_folder *, max + 1);
	p->polls = mf_new_array(a, struct mf_poll, max + 1);
	p->busy = mf_new_array(a, bool, max + 1);
	for (int last = 0; last <= 1; last++)
		for (size_t i = 0; i < max && st == MF_OK; i++) {
			const struct state_folder *f = &m->folders->folders[i];

			if (sync_conversations_covers(m, f) &&
				sync_news_is_destination(news, f->number) == (last == 1))
				st = load_place(m, p, f, a, err);
		}
	return st;
}

static enum mf_status
ask_all(const struct sync_mailbox *m, struct places *p, struct mf_arena *a, struct mf_error *err)
{
	struct mf_poll *known = mf_new_array(a, struct mf_poll, p->n + 1);
	enum mf_status st = MF_OK;
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		if (!p->polls[i].changed)
			known[n++] = p->polls[i];
	if (n > 0)
		st = m->api->poll(m->session, known, n, err);
	n = 0;
	for (size_t i = 0; i < p->n; i++)
		if (!p->polls[i].changed)
			p->polls[i].changed = known[n++].changed;
	return st;
}

/* Folders that are no longer there leave the index. */
static enum mf_status
drop_strangers(const struct sync_mailbox *m, struct mf_arena *a, struct mf_error *err)
{
	enum mf_status st;
	uint32_t *folders;
	size_t n;

	st = state_conversation_folders(m->state, m->user, a, &folders, &n, err);
	for (size_t i = 0; i < n && st == MF_OK; i++) {
		const struct state_folder *f = state_folder_by_number(m->folders, folders[i]);

		if (f == NULL ||
			(strcmp(f->store, m->store) == 0 && !sync_conversations_covers(m, f)))
			st = state_conversation_drop(m->state, m->user, folders[i], err);
	}
	return st;
}

static enum mf_status
bring_all_up(const struct sync_mailbox *m, struct sync_news *news,
	struct sync_conversations_done *done, struct mf_error *err)
{
	struct mf_arena *a = mf_arena_new();
	struct places p = { 0 };
	enum mf_status st;

	done->complete = true;
	st = drop_strangers(m, a, err);
	if (st == MF_OK)
		st = load_places(m, news, a, &p, err);
	if (st == MF_OK)
		st = ask_all(m, &p, a, err);
	for (size_t i = 0; i < p.n && st == MF_OK; i++) {
		if (!p.polls[i].changed && !p.busy[i])
			continue;
		if (clock_ms() < m->until)
			st = conversations_folder_bring_up(
				m, p.list[i], p.polls[i].changed, news, done, err);
		else
			done->complete = false;
	}
	if (st != MF_OK)
		done->complete = false;
	mf_arena_free(a);
	return st;
}

/* What is left of conversations that have ended, in the time that remains. */
static enum mf_status
sweep(const struct sync_mailbox *m, struct mf_error *err)
{
	enum mf_status st = MF_OK;
	bool more = true;
	size_t gone;

	while (st == MF_OK && more && clock_ms() < m->until)
		st = state_conversation_sweep(m->state, m->user, &more, &gone, err);
	return st;
}

enum mf_status
sync_conversations_tend(
	const struct sync_mailbox *m, struct sync_conversations_done *done, struct mf_error *err)
{
	struct mf_arena *a = mf_arena_new();
	struct sync_news news;
	size_t moved = 0;
	enum mf_status st;

	memset(done, 0, sizeof(*done));
	st = sync_news_init(&news, m, a, err);
	if (st == MF_OK)
		st = bring_all_up(m, &news, done, err);
	if (st == MF_OK && news.n_rules > 0)
		st = sync_news_act(&news, &moved, err);
	done->moved = moved;
	sync_news_deinit(&news);
	if (st == MF_OK && moved > 0) /* the moved are found in their new place */
		st = bring_all_up(m, NULL, done, err);
	if (st == MF_OK && done->complete)
		st = sweep(m, err);
	mf_arena_free(a);
	return st;
}

/* ---- Moving ---- */

static enum mf_status
move_members(const struct sync_mailbox *m, const struct state_conversation_member *list, size_t n,
	const struct state_folder *to, size_t *moved, bool *failed, struct mf_error *err)
{
	for (size_t from = 0, end; from < n; from = end) {
		const struct state_folder *f =
			state_folder_by_number(m->folders, list[from].folder);
		enum mf_status st;

		for (end = from; end < n && list[end].folder == list[from].folder; end++) {}
		if (f == NULL || f == to || f->role == MF_ROLE_SENT)
			continue;
		st = sync_move_ids(m, f, to, list + from, end - from, moved, failed, err);
		if (st != MF_OK)
			return st;
	}
	return MF_OK;
}

enum mf_status
sync_conversations_move(const struct sync_mailbox *m, const struct conversation_id *id,
	const struct state_folder *to, size_t *moved, struct mf_error *err)
{
	struct mf_arena *a = mf_arena_new();
	struct sync_conversations_done done;
	struct state_conversation_member *list;
	bool failed = false;
	enum mf_status st;
	size_t n;

	*moved = 0;
	st = sync_conversations_tend(m, &done, err);
	if (st == MF_OK)
		st = state_conversation_members(m->state, m->user, id, SIZE_MAX, a, &list, &n, err);
	if (st == MF_OK)
		st = sync_rule_set(m, id, to, err);
	if (st == MF_OK)
		st = move_members(m, list, n, to, moved, &failed, err);
	if (st == MF_OK && *moved > 0)
		st = bring_all_up(m, NULL, &done, err);
	if (st == MF_OK && failed)
		st = mf_fail(err, MF_REFUSED, "conversation: some messages could not be moved");
	mf_arena_free(a);
	return st;
}
