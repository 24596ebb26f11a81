/*
 * UTF-8 that any phone and any XML parser can take.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "mailferry/arena.h"
#include "mailferry/buf.h"

/* Valid UTF-8 (RFC 3629: shortest form, no surrogates, up to U+10FFFF). */
bool utf8_valid(const char *s, size_t len);

/* Valid UTF-8 that holds only characters of XML 1.0 (no C0 controls but TAB, LF, CR; no U+FFFE/F). */
bool utf8_valid_xml(const char *s, size_t len);

/* Appends s with each bad byte or character outside XML 1.0 replaced by U+FFFD (controls: dropped). */
void utf8_sanitise(struct mf_buf *out, const char *s, size_t len);

/* The same in an arena; returns s itself when it is clean already and NUL-terminated at len. */
const char *utf8_clean(struct mf_arena *a, const char *s, size_t len);

/* The largest length <= max that does not cut a character of the valid UTF-8 s in two. */
size_t utf8_cut(const char *s, size_t len, size_t max);

/* Count of characters (code points) in valid UTF-8. */
size_t utf8_count(const char *s, size_t len);

#endif
