/*
 * What a device holds of the folder hierarchy, for FolderSync: two generations, like a collection's.
 * The device's folders may differ from the user's (folder.h) until its next FolderSync.
 */
#ifndef STATE_HIERARCHY_H
#define STATE_HIERARCHY_H

#include "state/generation.h"
#include "state/state.h"

struct state_held {
	uint32_t number, parent;
	uint8_t type; /* as the device was told (FolderSync Type) */
	const char *name;
};

struct state_hierarchy {
	uint64_t key;		 /* 0: there is no such generation */
	struct state_held *held; /* ascending by number */
	size_t n;
};

struct state_hierarchies {
	struct state_hierarchy newest, previous;
};

/* Never MF_GONE: a device without a hierarchy has keys of 0. */
enum mf_status state_hierarchy_load(struct state *st, uint32_t user, uint32_t device,
	struct mf_arena *a, struct state_hierarchies *out, struct mf_error *err);

/* Adds a generation. `newest` is the newest key that the caller had loaded (0: none): MF_RESYNC when
 * another request was faster. `base` is the key from which `next` was made; that generation is kept,
 * any other goes; 0: none is kept. `next->held` may be in any order. */
enum mf_status state_hierarchy_commit(struct state *st, uint32_t user, uint32_t device,
	uint64_t newest, uint64_t base, const struct state_hierarchy *next, struct mf_error *err);

/* NULL when the device does not hold it. */
const struct state_held *state_hierarchy_find(const struct state_hierarchy *h, uint32_t number);

#endif
