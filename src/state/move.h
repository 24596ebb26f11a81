/*
 * The memory of moves: where an item went, so that a repeated MoveItems finds it. Per user at most
 * STATE_MOVES_MAX, the oldest forgotten first, and none for longer than STATE_MOVE_LIFE.
 */
#ifndef STATE_MOVE_H
#define STATE_MOVE_H

#include "state/state.h"

enum { STATE_MOVES_MAX = 4096, STATE_MOVE_LIFE = 14 * 24 * 3600 };

struct state_move {
	uint32_t from, to;	  /* folder numbers */
	uint64_t epoch, id;	  /* the source folder's epoch and the item's id there */
	uint64_t to_epoch, to_id; /* in the destination; to_id 0: the backend could not say */
	uint32_t device;	  /* who moved it */
	int64_t when;		  /* out: seconds since 1970 */
};

/* MF_GONE: no such move remembered. from, epoch and id are given. */
enum mf_status state_move_find(
	struct state *st, uint32_t user, struct state_move *m, struct mf_error *err);

/* Remembers moves, in transactions of at most STATE_MOVES_MAX. */
enum mf_status state_move_save(struct state *st, uint32_t user, const struct state_move *moves,
	size_t n, struct mf_error *err);

#endif
