/*
 * What mail servers have no room for: what phones say about a follow-up flag (its dates, its reminder)
 * beyond that it is set, and when they replied or forwarded. One row a folder of each, of the newest
 * items; the details are opaque here.
 */
#ifndef STATE_FLAG_H
#define STATE_FLAG_H

#include "mailferry/bytes.h"
#include "state/state.h"

enum { STATE_FLAGS_MAX = 500, STATE_FLAG_BYTES = 1024 }; /* of one folder; of one flag */

struct state_flag {
	uint64_t id;		 /* of the item */
	struct mf_bytes details; /* empty, to be saved: forget it */
};

struct state_flags {
	struct state_flag *list; /* the oldest first */
	size_t n;
};

/* Those of a folder. Its items are named as phones know them (numbering.h), over any epoch. */
enum mf_status state_flags_load(struct state *st, uint32_t user, uint32_t folder,
	struct mf_arena *a, struct state_flags *out, struct mf_error *err);

/* Replaces the details of these items. Beyond STATE_FLAGS_MAX the oldest are forgotten; details over
 * STATE_FLAG_BYTES are not kept. */
enum mf_status state_flags_save(struct state *st, uint32_t user, uint32_t folder,
	const struct state_flag *changes, size_t n, struct mf_error *err);

/* The same for the last reply or forward (verbs). */
enum mf_status state_verbs_load(struct state *st, uint32_t user, uint32_t folder,
	struct mf_arena *a, struct state_flags *out, struct mf_error *err);
enum mf_status state_verbs_save(struct state *st, uint32_t user, uint32_t folder,
	const struct state_flag *changes, size_t n, struct mf_error *err);

/* An item that went from one folder to another. */
struct state_flag_move {
	uint64_t id,
		to; /* in either folder; to 0: not known where it is, what is kept stays behind */
};

/* What is kept of flags and verbs goes with the items. */
enum mf_status state_flags_move(struct state *st, uint32_t user, uint32_t from, uint32_t to,
	const struct state_flag_move *moves, size_t n, struct mf_error *err);

/* Empty when there are none. */
struct mf_bytes state_flag_find(const struct state_flags *f, uint64_t id);

#endif
