/*
 * What a device holds of one folder, for Sync: up to two generations and the sticky options.
 *
 * A generation is a key, what the device holds once it has that key (content: encoded by src/sync,
 * opaque here), a digest of the request that made it, and what was answered (opaque), so that the
 * same request again is answered again. A key is valid until its successor is used:
 *
 *   client sends   stored         then stored
 *   0              anything       next
 *   newest         [prev] newest  newest, next
 *   previous       prev newest    prev, next   (its answer was lost; the request is another one)
 *
 * next's key always follows newest (state_generation_next).
 */
#ifndef STATE_COLLECTION_H
#define STATE_COLLECTION_H

#include "mailferry/bytes.h"
#include "state/blob.h"
#include "state/generation.h"
#include "state/numbering.h"
#include "state/state.h"

enum { STATE_REQUEST_DIGEST = 32 };

struct state_generation {
	uint64_t key; /* 0: there is no such generation */
	uint8_t digest[STATE_REQUEST_DIGEST];
	struct mf_bytes content, answer;
};

struct state_collection {
	struct state_generation newest, previous;
	struct mf_bytes options; /* empty: none stored */
};

/* Never MF_GONE: a collection that was never synchronised has keys of 0. */
enum mf_status state_collection_load(struct state *st, uint32_t user, uint32_t device,
	uint32_t folder, struct mf_arena *a, struct state_collection *out, struct mf_error *err);

struct state_commit {
	uint32_t folder;
	uint64_t newest; /* the newest key that the caller had loaded; 0: none */
	uint64_t base;	 /* the key from which next was made: that generation is kept; 0: none is */
	const struct state_generation *next; /* NULL: no new generation, only options */
	/* NULL; else, without a next one, the content that takes the place of that of `base`: the same
	 * holdings of the device, brought further up to date with the server. */
	const struct mf_bytes *refreshed;
	const struct mf_bytes *options; /* NULL: as they are */
	/* What the items told (ascending) will be recognised by. */
	const struct state_identity *identities;
	size_t n_identities;
	enum mf_status status; /* out: MF_OK; MF_RESYNC: another request was faster, nothing of
				  this collection was written */
};

/* A blob (blob.h) that changes together with collections: of at most STATE_BLOB_MAX bytes, empty to
 * remove it. */
struct state_keep {
	enum state_blob which;
	struct mf_bytes value;
};

/* Commits one request's collections in one transaction. MF_OK also when some have MF_RESYNC; anything
 * else: nothing was written. MF_GONE: the device was removed meanwhile. */
enum mf_status state_collection_commit(struct state *st, uint32_t user, uint32_t device,
	struct state_commit *commits, size_t n, struct mf_error *err);
/* The same, and `keep` in the same transaction, whatever becomes of the collections; NULL: nothing. */
enum mf_status state_collection_commit_with(struct state *st, uint32_t user, uint32_t device,
	struct state_commit *commits, size_t n, const struct state_keep *keep,
	struct mf_error *err);

/* Forgets the generations and options; MF_OK when there are none. folder 0: of all folders. */
enum mf_status state_collection_drop(
	struct state *st, uint32_t user, uint32_t device, uint32_t folder, struct mf_error *err);

#endif
