/*
 * The rows of names and sets that one transaction of the conversations' index looks at: each is read once and
 * written once, however many messages name it, and written in the order of the keys. Knows no rule of
 * threading. Lives within one transaction and one thread.
 */
#ifndef STATE_CONVERSATION_CACHE_H
#define STATE_CONVERSATION_CACHE_H

#include "state/conversation_rows.h"

struct conversation_cache;

/* Changed in place; whoever does sets dirty. They stay where they are until the cache is trimmed or freed. */
struct conversation_cached_name {
	struct conversation_id id;
	bool there; /* it has a row; else row is empty */
	bool dirty;
	struct conversation_name_row row;
};

struct conversation_cached_set {
	uint32_t number;
	bool there, dirty;
	struct conversation_set_row row;
};

struct conversation_cache *conversation_cache_new(struct kv_txn *t, uint32_t user);
/* Forgets what was not flushed. */
void conversation_cache_free(struct conversation_cache *c);

struct conversation_cached_name *conversation_cache_name(
	struct conversation_cache *c, const struct conversation_id *id);
struct conversation_cached_set *conversation_cache_set(
	struct conversation_cache *c, uint32_t number);
/* As conversation_set_find. NULL: the set is no more. */
struct conversation_cached_set *conversation_cache_find(
	struct conversation_cache *c, uint32_t number);

/* Writes what is dirty. */
void conversation_cache_flush(struct conversation_cache *c);
/* Between two messages: writes and forgets all rows when they have become many. */
void conversation_cache_trim(struct conversation_cache *c);

#endif
