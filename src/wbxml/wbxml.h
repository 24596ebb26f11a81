/*
 * WBXML as ActiveSync uses it (MS-ASWBXML; WAP Binary XML 1.3): a decoder that builds a tree in an
 * arena, and an encoder that streams into a buffer. Knows tags and bytes, no command.
 *
 * A tag is a number: code page << 8 | token, named by the generated enum of tags.h (AirSync_Sync).
 */
#ifndef WBXML_WBXML_H
#define WBXML_WBXML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailferry/arena.h"
#include "mailferry/buf.h"
#include "mailferry/error.h"
#include "wbxml/tags.h"

/* ---- Reading ---- */

struct wbxml_node {
	uint16_t tag;
	const char
		*text; /* joined inline strings, repaired to valid UTF-8 fit for XML; NULL: none */
	struct mf_bytes opaque;	     /* the last opaque value; views into the input, not copied */
	struct wbxml_node *children; /* first child, in document order */
	struct wbxml_node *next;     /* next sibling */
};

struct wbxml_limits {
	size_t bytes;	 /* of the document */
	unsigned depth;	 /* of nesting */
	size_t elements; /* in all */
	size_t string;	 /* bytes of text in one element; opaque data are bounded by `bytes` */
};

/* 16 MB, 32 levels, 100,000 elements, 1 MB strings. */
extern const struct wbxml_limits wbxml_limits_default;

/* Decodes a whole document. The input must outlive the tree. strict: an unknown page or token fails;
 * else it is kept with its number (wbxml_tag_name gives NULL). MF_INVALID: malformed; MF_TOO_LARGE:
 * over a limit. */
enum mf_status wbxml_decode(struct mf_arena *a, struct mf_bytes in,
	const struct wbxml_limits *limits, bool strict, struct wbxml_node **root,
	struct mf_error *err);

/* The first child with that tag; NULL when there is none or parent is NULL. */
const struct wbxml_node *wbxml_child(const struct wbxml_node *parent, uint16_t tag);
/* The next sibling with the same tag as n. */
const struct wbxml_node *wbxml_next(const struct wbxml_node *n);
/* The text of n, "" when it has none; NULL when n is NULL. */
const char *wbxml_value(const struct wbxml_node *n);
/* wbxml_value(wbxml_child(parent, tag)): NULL when absent, "" when empty. */
const char *wbxml_child_value(const struct wbxml_node *parent, uint16_t tag);
/* Opaque data or text of n as bytes, whichever it has. */
struct mf_bytes wbxml_data(const struct wbxml_node *n);

/* ---- Writing ---- */

enum { WBXML_DEPTH_MAX = 32 };

/* Writes into a buffer that belongs to the caller. An element's token is held back until its content
 * is known, so that an empty element is one token. Misuse (too many closes) is an assertion; the
 * buffer's ceiling sticks as in buf.h. */
struct wbxml_writer {
	struct mf_buf *out;
	uint8_t page;
	bool pending; /* the innermost open element has no content yet */
	unsigned depth;
	uint16_t open[WBXML_DEPTH_MAX];
};

/* Writes the header (03 01 6A 00). */
void wbxml_begin(struct wbxml_writer *w, struct mf_buf *out);
void wbxml_open(struct wbxml_writer *w, uint16_t tag);
void wbxml_close(struct wbxml_writer *w);
/* Text, repaired where it is not valid UTF-8 or holds what XML cannot (base/utf8.h). NULL and "" add
 * nothing. */
void wbxml_text(struct wbxml_writer *w, const char *s);
void wbxml_text_n(struct wbxml_writer *w, const char *s, size_t len);
void wbxml_opaque(struct wbxml_writer *w, const void *data, size_t len);
/* An empty text: its bytes are not in the buffer but are sent at the place that is returned, a number
 * of bytes in w->out. Valid UTF-8 without NUL. */
size_t wbxml_text_hole(struct wbxml_writer *w);
/* Announces len bytes of opaque data that the caller then adds to w->out itself. */
void wbxml_opaque_begin(struct wbxml_writer *w, size_t len);

/* Whole elements. */
void wbxml_empty(struct wbxml_writer *w, uint16_t tag);
void wbxml_element(struct wbxml_writer *w, uint16_t tag, const char *text);
void wbxml_number(struct wbxml_writer *w, uint16_t tag, int64_t n);

/* Elements that are to be added to a document later: written into a buffer of their own, without a
 * header; then added where an element of w is open. piece is closed, and can be added to one
 * document. */
void wbxml_piece_begin(struct wbxml_writer *piece, struct mf_buf *out);
void wbxml_piece_add(struct wbxml_writer *w, const struct wbxml_writer *piece);

/* A copy of the element n with everything below it. */
void wbxml_copy(struct wbxml_writer *w, const struct wbxml_node *n);

/* Puts an empty element where the buffer was `at` bytes long: for what is known only later. The code
 * page there must have been the tag's own. */
void wbxml_insert_empty(struct wbxml_writer *w, size_t at, uint16_t tag);

/* A place to come back to when what was begun after it must not be sent. */
struct wbxml_mark {
	size_t len;
	bool failed; /* the buffer's: a ceiling reached after the mark is forgiven by the rewind */
	struct wbxml_writer writer;
};
struct wbxml_mark wbxml_mark(const struct wbxml_writer *w);
void wbxml_rewind(struct wbxml_writer *w, const struct wbxml_mark *m);

/* ---- For people: XML with namespaces ---- */

/* One element a line, two blanks a level; the root declares its namespace and a prefix for each other
 * one. Opaque data stand as "base64:..." (a text that begins so itself: "text:base64:..."), a tag that
 * the table lacks as unknown:T1A3F. The text of secret tags (passwords, see dump.c) is shown as "***"
 * when hide is set. The buffer's ceiling bounds it. root NULL adds nothing. */
void wbxml_dump(const struct wbxml_node *root, bool hide, struct mf_buf *out);
/* The reverse: parses that XML (and any XML with these namespaces), at most 64 MB of it and nested at
 * most WBXML_DEPTH_MAX deep, and writes WBXML. Refuses attributes and document types. MF_INVALID:
 * not such XML, with its line. */
enum mf_status wbxml_from_xml(
	const char *xml, size_t len, struct mf_buf *out, struct mf_error *err);

#endif
