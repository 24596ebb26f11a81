/*
 * What a device holds of a folder: for each item id a mark, the flags and keywords that the device
 * last saw. Kept as runs of ids with the same mark, over a small table of distinct marks, so that a
 * folder of ten thousand read messages is a few dozen bytes. Knows neither LMDB nor ActiveSync.
 */
#ifndef SYNC_HELD_H
#define SYNC_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/varint.h"
#include "mailferry/buf.h"
#include "mailferry/idset.h"
#include "mailferry/item.h"

struct sync_mark {
	uint32_t flags;	      /* mf_flags; the upper half: details.h */
	const char *keywords; /* sorted, each followed by '\n'; "" for none */
};

/* Flags that a device can see; the others are not part of a mark. */
enum { SYNC_VISIBLE = MF_FLAG_SEEN | MF_FLAG_FLAGGED | MF_FLAG_ANSWERED | MF_FLAG_FORWARDED };

/* Is this keyword a category of the user (and not the mail system's own)? len: its bytes. */
bool sync_is_category(const char *keyword, size_t len);

/* At most so many distinct marks in one folder; beyond, keywords are no longer told apart. */
enum { SYNC_MARKS_MAX = 4096, SYNC_KEYWORDS_MAX = 1000 };

struct sync_run {
	uint64_t first, last;
	uint32_t mark; /* index into marks */
};

struct sync_held {
	struct sync_mark *marks; /* owned, with their strings */
	size_t n_marks, cap_marks;
	struct sync_run *runs; /* owned; ascending, disjoint */
	size_t n_runs, cap_runs;
};

/* One change of a held set: what sync_held_apply takes. */
struct sync_entry {
	uint64_t id;
	uint32_t mark;
	bool remove;
};

void sync_held_init(struct sync_held *h);
void sync_held_deinit(struct sync_held *h);
void sync_held_clear(struct sync_held *h);

/* The index of the mark that an item's flags and keywords make, added when new: of the flags the
 * visible ones, of the keywords the categories, at most 64 of them and SYNC_KEYWORDS_MAX bytes. */
uint32_t sync_held_mark(struct sync_held *h, uint32_t flags, const char *const *keywords, size_t n);
/* The same for a mark of another set. */
uint32_t sync_held_mark_of(struct sync_held *h, const struct sync_mark *m);

/* The item's mark, NULL when the device does not hold it. Valid until the next change. */
const struct sync_mark *sync_held_get(const struct sync_held *h, uint64_t id);

/* Sets or removes many at once: entries in ascending order of id, each id once. */
void sync_held_apply(struct sync_held *h, const struct sync_entry *entries, size_t n);
void sync_held_set(struct sync_held *h, uint64_t id, uint32_t mark);
void sync_held_remove(struct sync_held *h, uint64_t id);

/* Adds all ids to the set. */
void sync_held_ids(const struct sync_held *h, struct mf_idset *out);
uint64_t sync_held_count(const struct sync_held *h);

/* Marks that no item has are left out. */
void sync_held_encode(const struct sync_held *h, struct mf_buf *out);
/* h is replaced; a malformed row makes the reader fail. */
void sync_held_decode(struct sync_held *h, struct varint_reader *r);

#endif
