/*
 * The rows of the conversations' index, for conversation_add.c, conversation_remove.c and
 * conversation_ask.c; layouts of keys in keys.h. Rows that make no sense read as missing.
 */
#ifndef STATE_CONVERSATION_ROWS_H
#define STATE_CONVERSATION_ROWS_H

#include "state/conversation.h"
#include "state/store.h"

/* A name -> what set it belongs to, and what is known of the message that it names. */
struct conversation_name_row {
	uint32_t set;
	bool known; /* a message of that name was seen; date and index are its */
	bool sure;  /* it says itself who its parent is; else those say it that refer to both */
	int64_t date;
	struct conversation_id parent;	 /* none: nobody knows one */
	struct conversation_index index; /* len 0: none of its own */
};

bool conversation_name_load(struct kv_txn *t, uint32_t user, const struct conversation_id *name,
	struct conversation_name_row *out);
void conversation_name_save(struct kv_txn *t, uint32_t user, const struct conversation_id *name,
	const struct conversation_name_row *row);

/* A set, or where it went when it grew together with a larger one. */
struct conversation_set_row {
	uint32_t joined; /* not 0: that set has taken its place, the rest is empty */
	uint64_t count;
	struct conversation_id id; /* ConversationId of its messages from now on: the oldest's */
	int64_t date;		   /* of the oldest member */
	struct conversation_id oldest; /* its name: decides among those of one date */
};

bool conversation_set_load(
	struct kv_txn *t, uint32_t user, uint32_t set, struct conversation_set_row *out);
void conversation_set_save(
	struct kv_txn *t, uint32_t user, uint32_t set, const struct conversation_set_row *row);
void conversation_set_delete(struct kv_txn *t, uint32_t user, uint32_t set);
/* Sets that took one another's place, one after the other: more are not followed. */
enum { CONVERSATION_JOINS_MAX = 64 };
/* Follows `joined`: the number now, 0 when the set is no more. out may be NULL. */
uint32_t conversation_set_find(
	struct kv_txn *t, uint32_t user, uint32_t set, struct conversation_set_row *out);

void conversation_member_key(
	struct state_key *k, uint32_t user, uint32_t set, uint32_t folder, uint64_t id);

/* 64 neighbouring ids of a folder: the set of each, 0 of those that are not indexed. */
enum { CONVERSATION_CHUNK = 64 };

struct conversation_chunk {
	uint64_t number; /* id / 64 */
	uint32_t sets[CONVERSATION_CHUNK];
};

void conversation_chunk_key(struct state_key *k, uint32_t user, uint32_t folder, uint64_t number);
/* All zero when there is none. */
void conversation_chunk_load(struct kv_txn *t, uint32_t user, uint32_t folder, uint64_t number,
	struct conversation_chunk *out);
bool conversation_chunk_decode(struct mf_bytes row, struct conversation_chunk *out);
/* An empty one is deleted. */
void conversation_chunk_save(
	struct kv_txn *t, uint32_t user, uint32_t folder, const struct conversation_chunk *c);

void conversation_folder_save(struct kv_txn *t, uint32_t user, uint32_t folder,
	const struct state_conversation_folder *f);

/* So many conversations have ended: their names stay behind, until a sweep (conversation_sweep.c). */
void conversation_sweep_note(struct kv_txn *t, uint32_t user, size_t ended);
bool conversation_sweep_row_ok(struct mf_bytes key, struct mf_bytes row);

#endif
