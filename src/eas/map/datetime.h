/* Times as ActiveSync spells them (MS-ASDTYPE 2.7.2). Knows no element. */
#ifndef EAS_MAP_DATETIME_H
#define EAS_MAP_DATETIME_H

#include <stdbool.h>
#include <stdint.h>

#include "mailferry/arena.h"

/* "2010-04-08T18:16:00.000Z" to seconds since 1970. False for anything else, and for NULL. */
bool datetime_parse(const char *s, int64_t *out);
/* "20161010T100000Z". */
bool datetime_compact_parse(const char *s, int64_t *out);
const char *datetime_compact_print(struct mf_arena *a, int64_t when);

#endif
