/*
 * How a folder's items are called when its ids began anew (UIDVALIDITY changed): phones keep the ids
 * that they know. An item is shown under a number that is never given twice: in the first generation
 * the backend's id; later that of the item which it was recognised as, else the generation and its id.
 *
 * To recognise items, the state keeps a digest of each item that a phone was told of (src/sync makes
 * it): 8 bytes an item. Like all of this store it may be lost; then folders begin again.
 */
#ifndef STATE_NUMBERING_H
#define STATE_NUMBERING_H

#include "mailferry/bytes.h"
#include "state/state.h"

/* Items shown..shown+n-1 have the ids id..id+n-1. */
struct state_numbering_run {
	uint64_t shown, id, n;
};

struct state_numbering {
	uint32_t folder;
	uint64_t generation;	/* 0: all items are shown under their ids */
	uint64_t epoch;		/* the backend's, of this generation; 0: not known */
	struct mf_bytes cursor; /* the backend's, of this generation: whether it still holds */
	const struct state_numbering_run *runs; /* ascending by shown: items of older generations */
	size_t n;
};

/* Bits of the id within a generation; what no run names is shown as generation and id. */
enum { STATE_NUMBERING_BITS = 32 };

/* MF_GONE: the folder was never looked at. */
enum mf_status state_numbering_load(struct state *st, uint32_t user, uint32_t folder,
	struct mf_arena *a, struct state_numbering *out, struct mf_error *err);

/* The user's folders whose generation is not the first. */
enum mf_status state_numberings_load(struct state *st, uint32_t user, struct mf_arena *a,
	struct state_numbering **out, size_t *n, struct mf_error *err);

/* An item and the digest that it is recognised by; 0 (to be saved): forget it. */
struct state_identity {
	uint64_t shown, digest;
};

/* Ascending by shown. */
enum mf_status state_identities_load(struct state *st, uint32_t user, uint32_t folder,
	struct mf_arena *a, struct state_identity **out, size_t *n, struct mf_error *err);

/* Saves the first generation (1 where the ids of old are not known), or the one behind the stored one together with the identities that remain
 * (ascending; they replace all). MF_RESYNC: another request was faster; nothing was written. */
enum mf_status state_numbering_save(struct state *st, uint32_t user,
	const struct state_numbering *next, const struct state_identity *left, size_t n,
	struct mf_error *err);

#endif
