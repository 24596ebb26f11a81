/* BODYSTRUCTURE as struct mf_part. */
#ifndef IMAP_STRUCTURE_H
#define IMAP_STRUCTURE_H

#include "mailferry/arena.h"
#include "mailferry/item.h"
#include "reader.h"

/* Takes one body; NULL and x bad when it is malformed. Parts beyond 40 levels or 2,000 are left out:
 * what holds them has no children then. */
const struct mf_part *imap_structure_read(struct mf_arena *a, struct imap_lex *x);

/* The message has such a section ("2.1", "2.HEADER", "TEXT"). Servers differ in what they say of one
 * that is not there: nothing, NIL, or an empty string. */
bool imap_structure_has(const struct mf_part *top, const char *section);

#endif
