/*
 * Categories of phones as keywords of mail servers, and back. A keyword is an atom (RFC 9051): what
 * cannot stand in one, and what would not be taken for a category when it comes back, is written as =XX, so
 * that "Red category" is the keyword Red=20category. Pure.
 */
#ifndef EAS_MAP_CATEGORY_H
#define EAS_MAP_CATEGORY_H

#include <stddef.h>

#include "mailferry/arena.h"

enum { CATEGORY_KEYWORD_MAX = 50 }; /* bytes; servers take no longer keywords */

/* NULL: empty, or too long to be one. */
const char *category_keyword(struct mf_arena *a, const char *category);

/* len: bytes of the keyword. Always valid UTF-8. */
const char *category_text(struct mf_arena *a, const char *keyword, size_t len);

#endif
