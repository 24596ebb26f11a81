/*
 * HTML as tags and text, read from a buffer without copying it: what browsers take for a tag is one, and what
 * is none is text. Knows no element but those whose content is no markup.
 */
#ifndef MIME_HTML_TOKEN_H
#define MIME_HTML_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include "mailferry/buf.h"
#include "mailferry/bytes.h"

enum html_kind {
	HTML_END,   /* of all */
	HTML_TEXT,  /* `text`, with its entities */
	HTML_OPEN,  /* <name ...> */
	HTML_CLOSE, /* </name> */
};

enum { HTML_NAME_MAX = 15 }; /* longer names are cut: no element of interest has such */

struct html_token {
	enum html_kind kind;
	char name[HTML_NAME_MAX + 1]; /* of tags, in lower case */
	bool empty;		      /* <name/> */
	struct mf_bytes text;	      /* of text; of a tag its attributes */
};

struct html_reader {
	const char *at, *end;
	char raw[HTML_NAME_MAX +
		 1]; /* the element whose content comes next is no markup; "" else */
	/* What is not there any more needs not be looked for again: the time is linear whatever comes. */
	bool no_comment_end, no_quote[2];
};

/* html (valid UTF-8) must outlive the reader. */
void html_reader_init(struct html_reader *r, const char *html, size_t len);

/* The next tag or text. Comments, declarations, and the content of script and style are left out. */
enum html_kind html_read(struct html_reader *r, struct html_token *out);

/* The value of an attribute, its entities decoded, at the end of out (NUL-terminated by mf_buf_str); false: there is
 * none of that name (lower case). */
bool html_attribute(const struct html_token *tag, const char *name, struct mf_buf *out);

/* The character that the entity at s stands for ("&amp;", "&#8364;"; s[0] is '&'), as UTF-8 in out (room for 4
 * bytes) with its length in *n. Returns how many bytes the entity has; 0: it is none, and stands for itself. */
size_t html_entity(const char *s, size_t len, char *out, size_t *n);

#endif
