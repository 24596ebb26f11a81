/*
 * A set of item ids as sorted, disjoint, non-adjacent ranges: what IMAP calls a sequence set.
 *
 * Ten thousand consecutive UIDs cost 16 bytes. Adding in ascending order is amortised constant,
 * elsewhere it moves the ranges behind. Id 0 is no id and is refused by assertion. One thread.
 */
#ifndef MAILFERRY_IDSET_H
#define MAILFERRY_IDSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailferry/buf.h"

struct mf_idrange {
	uint64_t first, last; /* both inside; first <= last */
};

struct mf_idset {
	struct mf_idrange *ranges; /* owned */
	size_t n, cap;
};

void mf_idset_init(struct mf_idset *s);
void mf_idset_deinit(struct mf_idset *s);
void mf_idset_clear(struct mf_idset *s);
void mf_idset_copy(struct mf_idset *to, const struct mf_idset *from);

void mf_idset_add(struct mf_idset *s, uint64_t id);
void mf_idset_add_range(struct mf_idset *s, uint64_t first, uint64_t last);
void mf_idset_remove(struct mf_idset *s, uint64_t id);
void mf_idset_remove_range(struct mf_idset *s, uint64_t first, uint64_t last);

/* s becomes the union, difference or intersection with other (other != s). */
void mf_idset_union(struct mf_idset *s, const struct mf_idset *other);
void mf_idset_subtract(struct mf_idset *s, const struct mf_idset *other);
void mf_idset_intersect(struct mf_idset *s, const struct mf_idset *other);

bool mf_idset_has(const struct mf_idset *s, uint64_t id);
uint64_t mf_idset_count(const struct mf_idset *s);
/* The greatest id, 0 of an empty set. */
uint64_t mf_idset_max(const struct mf_idset *s);

/* Walks downwards: the greatest id below `below` (UINT64_MAX begins), 0 at the end. */
uint64_t mf_idset_prev(const struct mf_idset *s, uint64_t below);
/* Walks upwards: the smallest id above `above` (0 begins), 0 at the end. */
uint64_t mf_idset_next(const struct mf_idset *s, uint64_t above);

/* "1:5,7,9:12" as in RFC 9051 (sequence-set); an empty set adds nothing. */
void mf_idset_print(const struct mf_idset *s, struct mf_buf *out);
/* Parses that form (no "*"); false when malformed, descending pairs are turned round; at most
 * max_ranges ranges. s is replaced. */
bool mf_idset_parse(struct mf_idset *s, const char *text, size_t len, size_t max_ranges);

/* Compact form for the state: varint deltas. Decode replaces s and returns the bytes read, 0 when
 * the input is malformed. */
void mf_idset_encode(const struct mf_idset *s, struct mf_buf *out);
size_t mf_idset_decode(struct mf_idset *s, const uint8_t *data, size_t len);

#endif
