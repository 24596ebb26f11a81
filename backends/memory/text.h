/* Readable text of messages, for search and previews: transfer encodings, charsets and encoded words
 * undone. What cannot be decoded is taken as it is. Pure. */
#ifndef MEMORY_TEXT_H
#define MEMORY_TEXT_H

#include "memory/mime.h"

/* A header field's value in UTF-8, encoded words (RFC 2047) decoded. */
const char *memory_text_words(struct mf_arena *a, const char *value);

/* The body of a text part in UTF-8. */
const char *memory_text_body(
	struct mf_arena *a, const struct memory_mime_place *part, struct mf_bytes message);

/* At most 200 characters of the first plain text, blanks squeezed; "" where there is none. */
const char *memory_text_preview(
	struct mf_arena *a, const struct memory_mime_place *root, struct mf_bytes message);

/* Does `text` hold `what`, whatever the case? */
bool memory_text_holds(struct mf_arena *a, const char *text, const char *what);

#endif
