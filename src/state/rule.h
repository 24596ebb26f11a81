/*
 * Conversations that the user ignores or has moved always (MS-ASCON 3.1.4.4, 3.1.4.6): records, for nobody
 * can rebuild them. The destination is named by its backend, id and identity, so that a rule outlives
 * the folders' numbers. Per user at most STATE_RULES_MAX, the oldest forgotten first.
 */
#ifndef STATE_RULE_H
#define STATE_RULE_H

#include "conversation/id.h"
#include "state/folder.h"

enum { STATE_RULES_MAX = 1000 };

struct state_rule {
	struct conversation_id conversation;
	const char *store, *id, *identity; /* of the destination: see struct state_folder */
	bool ignore;			   /* the destination is Deleted Items, whatever its name */
	int64_t created;		   /* seconds since 1970 */
};

/* user: its number in STATE_RECORDS. In the order of the conversations' ids, in the arena. */
enum mf_status state_rules_load(struct state *st, uint32_t user, struct mf_arena *a,
	struct state_rule **out, size_t *n, struct mf_error *err);

/* Adds a rule or takes the place of the conversation's. */
enum mf_status state_rule_save(
	struct state *st, uint32_t user, const struct state_rule *rule, struct mf_error *err);

/* MF_GONE: there is no such rule. */
enum mf_status state_rule_remove(struct state *st, uint32_t user,
	const struct conversation_id *conversation, struct mf_error *err);

/* The destination among the user's folders; NULL when it is no more. */
const struct state_folder *state_rule_folder(
	const struct state_rule *rule, const struct state_folders *folders);

#endif
