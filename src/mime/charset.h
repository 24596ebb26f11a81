/*
 * Charsets: names as mail spells them, conversion to UTF-8 with repair, Windows code page numbers.
 *
 * Whatever comes out is valid UTF-8 that holds only characters of XML 1.0. Any thread.
 */
#ifndef MIME_CHARSET_H
#define MIME_CHARSET_H

#include <stdbool.h>
#include <stddef.h>

#include "mailferry/arena.h"
#include "mailferry/buf.h"

/* The name iconv should be asked for: quirks resolved ("gb2312" becomes GB18030, "iso-8859-1"
 * windows-1252, "x-sjis" CP932, ...). NULL and "" give NULL; unknown names come back as they are. */
const char *mime_charset_name(const char *label);

/* InternetCPID (MS-ASEMAIL 2.2.2.40): the code page of a label; 65001 for UTF-8, for NULL, "" and
 * unknown ones. */
unsigned mime_charset_codepage(const char *label);

/* Appends data as UTF-8. label: as the message says, or NULL. Bytes that are valid UTF-8 and hold
 * more than ASCII are taken as UTF-8 unless the label is a stateful or multibyte charset for which they
 * are valid as well; an absent, unknown or wrong label falls back to `fallback` (may be NULL), then to
 * windows-1252. Malformed sequences become U+FFFD; controls that XML cannot have are dropped. `cut`: the
 * data end somewhere in the middle, an incomplete last character is dropped silently. */
void mime_charset_to_utf8(struct mf_buf *out, const char *label, const char *fallback,
	const void *data, size_t len, bool cut);

/* The same in an arena, NUL-terminated. */
char *mime_charset_dup(
	struct mf_arena *a, const char *label, const char *fallback, const void *data, size_t len);

#endif
