/* One folder's numbers in both directions: pure. shown: what phones see; id: the backend's. */
#ifndef SYNC_NUMBERS_H
#define SYNC_NUMBERS_H

#include "mailferry/arena.h"
#include "mailferry/idset.h"
#include "state/numbering.h"

struct sync_numbers {
	uint64_t generation;
	const struct state_numbering_run *by_shown; /* ascending by shown */
	struct state_numbering_run *by_id;	    /* the same, ascending by id */
	size_t n;
};

/* In the arena; n's runs must outlive it. */
void sync_numbers_init(struct sync_numbers *m, const struct state_numbering *n, struct mf_arena *a);

/* 0: no item has that number. */
uint64_t sync_numbers_id(const struct sync_numbers *m, uint64_t shown);
uint64_t sync_numbers_shown(const struct sync_numbers *m, uint64_t id);

/* Adds to `out` what those of `in` are called on the other side. */
void sync_numbers_ids(
	const struct sync_numbers *m, const struct mf_idset *in, struct mf_idset *out);
void sync_numbers_showns(
	const struct sync_numbers *m, const struct mf_idset *in, struct mf_idset *out);

#endif
