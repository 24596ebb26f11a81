/*
 * What is new in the index of conversations, held against the user's rules. Between conversations.c and
 * conversations_rules.c only.
 */
#ifndef SYNC_CONVERSATIONS_RULES_H
#define SYNC_CONVERSATIONS_RULES_H

#include "state/rule.h"
#include "sync/conversations.h"

/* A message that came into the index. */
struct sync_newcomer {
	uint32_t folder;
	uint64_t id;
	struct conversation_id name;
	bool known; /* it was in the index before, somewhere */
};

enum { SYNC_NEWS_MAX = 20000 }; /* messages looked at by one call; more wait for the next */

struct sync_news {
	const struct sync_mailbox *m;
	struct mf_arena *arena;
	uint32_t records_user;
	struct state_rule *rules;
	size_t n_rules;
	struct sync_newcomer *list; /* malloc */
	size_t n, cap;
	uint32_t leaving; /* the folder that sync_news_left speaks of */
	uint32_t *left;	  /* malloc: sets that lost a message in a rule's destination */
	size_t n_left, cap_left;
};

/* Loads the rules; without any, nothing is collected. */
enum mf_status sync_news_init(struct sync_news *news, const struct sync_mailbox *m,
	struct mf_arena *a, struct mf_error *err);
void sync_news_deinit(struct sync_news *news);

/* Does a rule move to this folder? news may be NULL. */
bool sync_news_is_destination(const struct sync_news *news, uint32_t folder);

void sync_news_add(
	struct sync_news *news, uint32_t folder, const struct state_conversation_item *item);
/* For state_conversation_remove. */
void sync_news_left(void *news, uint32_t set);

/* Moves what rules say, ends rules that the user has undone. */
enum mf_status sync_news_act(struct sync_news *news, size_t *moved, struct mf_error *err);

/* Makes the rule of a conversation. */
enum mf_status sync_rule_set(const struct sync_mailbox *m, const struct conversation_id *id,
	const struct state_folder *to, struct mf_error *err);

/* Moves members, all of folder `from`. *failed is set when some could not be moved. */
enum mf_status sync_move_ids(const struct sync_mailbox *m, const struct state_folder *from,
	const struct state_folder *to, const struct state_conversation_member *list, size_t n,
	size_t *moved, bool *failed, struct mf_error *err);

#endif
