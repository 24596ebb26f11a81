/*
 * Keys of generations: what FolderSync and Sync call SyncKey.
 *
 * A key is a counter and, in its lower nine decimal digits, a number drawn at the collection's birth.
 * So keys ascend, are short, and one of a state that was deleted is not taken for one of its
 * successor. 0 is no key ("begin afresh") and is never stored.
 */
#ifndef STATE_GENERATION_H
#define STATE_GENERATION_H

#include <stdbool.h>
#include <stdint.h>

#include "mailferry/arena.h"

/* The first key of a new collection: counter 1, a random number. */
uint64_t state_generation_first(void);

/* The key behind `newest`, the newest key ever promised here (0: a first one). When a client comes
 * back with the older key, the next key still follows the newest, so that none is given twice. */
uint64_t state_generation_next(uint64_t newest);

/* In decimal, as SyncKey. */
const char *state_generation_print(struct mf_arena *a, uint64_t key);

/* "0" gives 0. False for anything that could not have been printed. */
bool state_generation_parse(const char *text, uint64_t *out);

#endif
