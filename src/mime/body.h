/*
 * Bodies as a phone shows them: plain text or HTML, UTF-8, CRLF line ends, cut at a size.
 */
#ifndef MIME_BODY_H
#define MIME_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailferry/arena.h"
#include "mailferry/buf.h"
#include "mailferry/bytes.h"
#include "mailferry/item.h"

/* Numbers as in MS-ASAIRS 2.2.2.41 (Type). */
enum mime_format { MIME_PLAIN = 1, MIME_HTML = 2 };

enum { MIME_BODY_MAX = 16 << 20 }; /* bytes of a rendered body; what is longer is truncated */

/* A text part with as much of its content as was fetched. */
struct mime_piece {
	const struct mf_part *part;
	struct mf_bytes data; /* still encoded */
	bool cut;	      /* more follows */
};

struct mime_body {
	const char *text; /* valid UTF-8 and XML, NUL-terminated, in the arena */
	size_t len;
	uint64_t size;	/* of the whole body in this format: exact unless `estimated` */
	bool truncated; /* text is not the whole body */
	bool estimated; /* size is a guess, at least len (+ 1 when truncated) */
};

/* Renders the pieces, one below the other, as `format`, cut at max bytes (SIZE_MAX: none) between
 * characters. HTML that was HTML stays as it is but for its charset; everything else is converted. No
 * pieces: an empty body. */
void mime_body_render(struct mf_arena *a, const struct mime_piece *pieces, size_t n,
	enum mime_format format, size_t max, struct mime_body *out);

/* How many encoded bytes of a part to fetch so that max bytes can be rendered as `format`; 0: all. */
uint64_t mime_body_fetch_size(const struct mf_part *part, enum mime_format format, size_t max);

/* The first `chars` characters of the plain text with white space collapsed (MS-ASAIRS Preview). */
const char *mime_body_preview(
	struct mf_arena *a, const struct mime_piece *pieces, size_t n, size_t chars);

/* HTML (UTF-8) to readable text with LF line ends: lists, tables and quotes stay legible, scripts and
 * styles are dropped; with `links` the addresses behind links are told. Stops once out holds max bytes
 * (the result may be a little longer) or after a few MB of input. Returns false when it stopped early. */
bool mime_html_to_text(struct mf_buf *out, const char *html, size_t len, size_t max, bool links);

/* Text (UTF-8, any line ends) as a piece of HTML that can stand in a body element: escaped, quotes and
 * links marked up, CRLF. */
void mime_text_to_html(struct mf_buf *out, const char *text, size_t len);

/* format=flowed (RFC 3676) to lines without soft breaks. */
void mime_unflow(struct mf_buf *out, const char *text, size_t len, bool delsp);

/* ---- Pieces of HTML, found without parsing it all ---- */

/* Where text can be added to the end of a document's body: before the last </body>, else </html>, else
 * at the end. */
size_t mime_html_end(const char *html, size_t len);
/* Where its body begins: behind <body ...>, else behind </head> or <html ...>, else 0. */
size_t mime_html_begin(const char *html, size_t len);

/* The charset that the document declares in its first KBs (meta element or XML declaration): its
 * place and length; false when there is none from `from` on. */
bool mime_html_charset(const char *html, size_t len, size_t from, size_t *at, size_t *n);

#endif
