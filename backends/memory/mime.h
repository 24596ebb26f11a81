/*
 * A message's structure and sections as an IMAP server tells them (RFC 9051, BODYSTRUCTURE and
 * section-spec). Pure: bytes in, a tree in an arena out. Decodes nothing.
 */
#ifndef MEMORY_MIME_H
#define MEMORY_MIME_H

#include "mailferry/arena.h"
#include "mailferry/item.h"

/* Where a part lies in the message; children stand in the order of part->children. */
struct memory_mime_place {
	const struct mf_part *part;
	size_t header, body, end; /* offsets: the header's first byte, the body's, behind it */
	const struct memory_mime_place *children;
};

/* The whole message. Never NULL: whatever is no MIME is text. At most 30 levels and 1000 parts are
 * taken apart. */
const struct memory_mime_place *memory_mime_split(struct mf_arena *a, struct mf_bytes message);

/* The bytes of a section ("", "HEADER", "1.2", "1.2.MIME", ...); false where there is none. */
bool memory_mime_section(const struct memory_mime_place *root, struct mf_bytes message,
	const char *section, struct mf_bytes *out);

/* The header with its empty line, or only the named fields of it (NULL at the end). */
struct mf_bytes memory_mime_header(struct mf_arena *a, const struct memory_mime_place *root,
	struct mf_bytes message, const char *const *fields);

#endif
