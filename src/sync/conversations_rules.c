/* Rules for conversations carried out. Knows the index and the rules; must not know how folders are read. */
#include "sync/conversations_rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "mailferry/log.h"
#include "state/user.h"

enum { MOVE_MAX = 1000 }; /* of one command to the server */

static void *
grown(void *p, size_t *cap, size_t size)
{
	*cap = *cap == 0 ? 64 : *cap * 2;
	p = realloc(p, *cap * size);
	if (p == NULL)
		abort();
	return p;
}

bool
sync_conversations_ruled(struct state *state, const char *name)
{
	struct mf_arena *a;
	struct state_rule *rules;
	uint32_t user;
	size_t n = 0;

	if (state_user_find(state, STATE_RECORDS, name, &user, NULL) != MF_OK)
		return false;
	a = mf_arena_new();
	if (state_rules_load(state, user, a, &rules, &n, NULL) != MF_OK)
		n = 0;
	mf_arena_free(a);
	return n > 0;
}

enum mf_status
sync_news_init(struct sync_news *news, const struct sync_mailbox *m, struct mf_arena *a,
	struct mf_error *err)
{
	enum mf_status st;

	memset(news, 0, sizeof(*news));
	news->m = m;
	news->arena = a;
	st = state_user_find(m->state, STATE_RECORDS, m->name, &news->records_user, err);
	if (st == MF_GONE)
		return MF_OK;
	if (st != MF_OK)
		return st;
	return state_rules_load(m->state, news->records_user, a, &news->rules, &news->n_rules, err);
}

void
sync_news_deinit(struct sync_news *news)
{
	free(news->list);
	free(news->left);
}

bool
sync_news_is_destination(const struct sync_news *news, uint32_t folder)
{
	for (size_t i = 0; news != NULL && i < news->n_rules; i++) {
		const struct state_folder *f = state_rule_folder(&news->rules[i], news->m->folders);

		if (f != NULL && f->number == folder)
			return true;
	}
	return false;
}

void
sync_news_add(struct sync_news *news, uint32_t folder, const struct state_conversation_item *item)
{
	if (news->n_rules == 0 || news->n == SYNC_NEWS_MAX)
		return;
	if (news->n == news->cap)
		news->list = grown(news->list, &news->cap, sizeof(*news->list));
	news->list[news->n++] = (struct sync_newcomer){
		.folder = folder, .id = item->id, .name = item->facts->own, .known = item->known
	};
}

void
sync_news_left(void *ctx, uint32_t set)
{
	struct sync_news *news = ctx;

	if (news->n_rules == 0 || !sync_news_is_destination(news, news->leaving))
		return;
	if (news->n_left == news->cap_left)
		news->left = grown(news->left, &news->cap_left, sizeof(*news->left));
	news->left[news->n_left++] = set;
}

enum mf_status
sync_rule_set(const struct sync_mailbox *m, const struct conversation_id *id,
	const struct state_folder *to, struct mf_error *err)
{
	struct state_rule rule = { .conversation = *id,
		.store = to->store,
		.id = to->id,
		.identity = to->identity,
		.ignore = to->role == MF_ROLE_TRASH,
		.created = clock_wall() };
	uint32_t user;
	enum mf_status st = state_user_number(m->state, STATE_RECORDS, m->name, &user, err);

	return st != MF_OK ? st : state_rule_save(m->state, user, &rule, err);
}

/* One command's worth. */
static enum mf_status
move_part(const struct sync_mailbox *m, const struct state_folder *from,
	const struct state_folder *to, const struct state_conversation_member *list, size_t n,
	size_t *moved, bool *failed, struct mf_error *err)
{
	struct mf_move *moves = calloc(n, sizeof(*moves));
	enum mf_status st;

	if (moves == NULL)
		abort();
	for (size_t i = 0; i < n; i++)
		moves[i].id = list[i].id;
	st = m->api->move(m->session, from->id, to->id, moves, n, err);
	for (size_t i = 0; i < n; i++) {
		*moved += moves[i].status == MF_OK;
		*failed = *failed || (moves[i].status != MF_OK && moves[i].status != MF_GONE);
	}
	free(moves);
	/* The others are told by each message's own status. */
	return st == MF_TEMPORARY || st == MF_AUTH || st == MF_BROKEN ? st : MF_OK;
}

enum mf_status
sync_move_ids(const struct sync_mailbox *m, const struct state_folder *from,
	const struct state_folder *to, const struct state_conversation_member *list, size_t n,
	size_t *moved, bool *failed, struct mf_error *err)
{
	enum mf_status st = MF_OK;

	for (size_t at = 0; at < n && st == MF_OK; at += MOVE_MAX)
		st = move_part(m, from, to, list + at, n - at < MOVE_MAX ? n - at : MOVE_MAX, moved,
			failed, err);
	return st;
}

/* ---- Holding news against rules ---- */

struct judging {
	struct sync_news *news;
	uint32_t *rule_sets; /* what set each rule is about, 0: none (any more) */
	uint32_t *sets;	     /* of the newcomers */
	bool *undone;	     /* of the rules: a message was moved back */
};

static enum mf_status
find_sets(struct judging *j, struct mf_error *err)
{
	struct sync_news *news = j->news;
	size_t most = news->n > news->n_rules ? news->n : news->n_rules;
	struct conversation_id *names = mf_new_array(news->arena, struct conversation_id, most);
	const struct sync_mailbox *m = news->m;
	enum mf_status st;

	j->rule_sets = mf_new_array(news->arena, uint32_t, news->n_rules);
	j->sets = mf_new_array(news->arena, uint32_t, news->n);
	j->undone = mf_new_array(news->arena, bool, news->n_rules);
	for (size_t i = 0; i < news->n_rules; i++)
		names[i] = news->rules[i].conversation;
	st = state_conversation_sets(m->state, m->user, names, news->n_rules, j->rule_sets, err);
	for (size_t i = 0; i < news->n; i++)
		names[i] = news->list[i].name;
	if (st == MF_OK)
		st = state_conversation_sets(m->state, m->user, names, news->n, j->sets, err);
	for (size_t i = 0; i < news->n_left && st == MF_OK; i++)
		st = state_conversation_set_now(m->state, m->user, &news->left[i], err);
	return st;
}

/* Of several rules for one conversation (it grew together) the latest counts. n_rules: none. */
static size_t
rule_of(const struct judging *j, uint32_t set)
{
	const struct state_rule *rules = j->news->rules;
	size_t best = j->news->n_rules;

	for (size_t i = 0; i < j->news->n_rules && set != 0; i++)
		if (j->rule_sets[i] == set &&
			(best == j->news->n_rules || rules[i].created > rules[best].created))
			best = i;
	return best;
}

static bool
has_left(const struct sync_news *news, uint32_t set)
{
	for (size_t i = 0; i < news->n_left; i++)
		if (news->left[i] == set)
			return true;
	return false;
}

static enum mf_status
judge(struct judging *j, size_t i, size_t *moved, struct mf_error *err)
{
	const struct sync_news *news = j->news;
	const struct sync_newcomer *c = &news->list[i];
	const struct state_folder *from = state_folder_by_number(news->m->folders, c->folder), *to;
	struct state_conversation_member one = { .folder = c->folder, .id = c->id };
	size_t rule = rule_of(j, j->sets[i]);
	bool failed = false;
	enum mf_status st;

	if (rule == news->n_rules || from == NULL || from->role == MF_ROLE_SENT)
		return MF_OK;
	to = state_rule_folder(&news->rules[rule], news->m->folders);
	if (to == NULL || to == from)
		return MF_OK;
	if (c->known && has_left(news, j->sets[i])) {
		j->undone[rule] = true;
		return MF_OK;
	}
	st = sync_move_ids(news->m, from, to, &one, 1, moved, &failed, err);
	if (failed)
		mf_log_warning("event=rule-move folder=%u to=%u id=%llu result=failed", c->folder,
			to->number, (unsigned long long)c->id);
	return st;
}

/* Nothing of the conversation is left where the rule moved it: the user has taken all of it back. */
static enum mf_status
end_if_undone(struct judging *j, size_t rule, struct mf_error *err)
{
	const struct sync_news *news = j->news;
	const struct state_rule *r = &news->rules[rule];
	const struct state_folder *to = state_rule_folder(r, news->m->folders);
	struct state_conversation_member *list;
	enum mf_status st;
	size_t n;

	st = state_conversation_members(news->m->state, news->m->user, &r->conversation, SIZE_MAX,
		news->arena, &list, &n, err);
	if (st == MF_GONE)
		return MF_OK;
	for (size_t i = 0; i < n && st == MF_OK; i++)
		if (to == NULL || list[i].folder == to->number)
			return MF_OK;
	if (st != MF_OK)
		return st;
	mf_log_info("event=rule-undone to=%u", to->number);
	st = state_rule_remove(news->m->state, news->records_user, &r->conversation, err);
	return st == MF_GONE ? MF_OK : st;
}

enum mf_status
sync_news_act(struct sync_news *news, size_t *moved, struct mf_error *err)
{
	struct judging j = { .news = news };
	enum mf_status st = find_sets(&j, err);

	for (size_t i = 0; i < news->n && st == MF_OK; i++)
		st = judge(&j, i, moved, err);
	for (size_t i = 0; i < news->n_rules && st == MF_OK; i++)
		if (j.undone[i])
			st = end_if_undone(&j, i, err);
	if (*moved > 0)
		mf_log_info("event=rules moved=%zu", *moved);
	return st;
}
