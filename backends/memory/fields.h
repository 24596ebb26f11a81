/* Header fields: finding, unfolding, and what Content-* fields say. Pure. */
#ifndef MEMORY_FIELDS_H
#define MEMORY_FIELDS_H

#include "mailferry/arena.h"
#include "mailferry/item.h"

/* The unfolded value of the first field of that name; NULL where there is none. */
const char *memory_field_value(struct mf_arena *a, struct mf_bytes header, const char *name);

/* The fields of those names (NULL at the end) as they stand, and an empty line. */
struct mf_bytes memory_field_select(
	struct mf_arena *a, struct mf_bytes header, const char *const *names);

/* Fills type, parameters, encoding, disposition and the like. digest: message/rfc822 is the default.
 * Multiparts without a boundary, and all where `deeper` is false, become text. */
void memory_field_describe(
	struct mf_arena *a, struct mf_bytes header, bool digest, bool deeper, struct mf_part *out);

/* The value of a parameter; "" where there is none. */
const char *memory_field_param(const struct mf_param *params, size_t n, const char *name);

/* One field of a header; at is advanced. False at the end. */
struct memory_field_one {
	struct mf_bytes name, value; /* the value as it stands, folded, without its line end */
	struct mf_bytes whole;	     /* with the line end */
};
bool memory_field_next(struct mf_bytes header, size_t *at, struct memory_field_one *out);

/* A value without its line ends, trimmed. */
const char *memory_field_unfold(struct mf_arena *a, struct mf_bytes value);

#endif
