/*
 * Two rows, two generations: what hierarchy.c and collection.c have in common. A generation's row
 * begins with its key, 8 bytes big-endian; the rows stand under one prefix with a slot number, 0 or 1,
 * behind it, in no order. So a commit writes only the new generation.
 */
#ifndef STATE_SLOTS_H
#define STATE_SLOTS_H

#include "mailferry/buf.h"
#include "state/keys.h"
#include "state/state.h"

enum { SLOTS = 2, SLOT_KEY_LEN = 8 };

struct slots {
	uint64_t key[SLOTS];	    /* 0: empty */
	struct mf_bytes row[SLOTS]; /* behind the key; views into the store */
	int newest, previous;	    /* which slot; -1: none */
};

void slots_read(struct kv_txn *t, const struct state_key *prefix, struct slots *out);

/* Adds a generation (`row` begins with its key) behind `newest`, keeping `base` and no other, as
 * state_hierarchy_commit and state_collection_commit say. MF_RESYNC: newest is not the newest. */
enum mf_status slots_commit(struct kv_txn *t, const struct state_key *prefix, uint64_t newest,
	uint64_t base, struct mf_bytes row, struct mf_error *err);

/* Begins a row. */
void slots_row_begin(struct mf_buf *b, uint64_t key);

#endif
