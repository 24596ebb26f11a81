/*
 * The encoder: elements straight into a buffer. Knows tokens and code pages, no command.
 *
 * An element's token says whether it has content, so it is held back (pending) until the first
 * content or the close.
 */
#include <assert.h>
#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "wbxml/token.h"
#include "wbxml/wbxml.h"

void
wbxml_begin(struct wbxml_writer *w, struct mf_buf *out)
{
	static const uint8_t header[] = { WBXML_VERSION, WBXML_PUBLIC_ID, WBXML_UTF8, 0 };

	memset(w, 0, sizeof(*w));
	w->out = out;
	mf_buf_add(out, header, sizeof(header));
}

/* Writes the innermost open element's token, after a change of page where it needs one. */
static void
put_token(struct wbxml_writer *w, unsigned content)
{
	uint16_t tag = w->open[w->depth - 1];
	uint8_t page = (uint8_t)(tag >> 8);

	if (page != w->page) {
		uint8_t change[] = { WBXML_SWITCH_PAGE, page };

		mf_buf_add(w->out, change, sizeof(change));
		w->page = page;
	}
	mf_buf_add_byte(w->out, (uint8_t)((tag & 0xff) | content));
	w->pending = false;
}

static void
flush(struct wbxml_writer *w)
{
	if (w->pending)
		put_token(w, WBXML_CONTENT);
}

void
wbxml_open(struct wbxml_writer *w, uint16_t tag)
{
	assert(w->depth < WBXML_DEPTH_MAX);
	assert((tag & 0xff) >= WBXML_TOKEN_FIRST && (tag & 0xff) <= WBXML_TOKEN_LAST);
	flush(w);
	w->open[w->depth++] = tag;
	w->pending = true;
}

void
wbxml_close(struct wbxml_writer *w)
{
	assert(w->depth > 0);
	if (w->pending)
		put_token(w, 0);
	else
		mf_buf_add_byte(w->out, WBXML_END);
	w->depth--;
}

void
wbxml_text_n(struct wbxml_writer *w, const char *s, size_t len)
{
	assert(w->depth > 0);
	if (len == 0)
		return;
	flush(w);
	mf_buf_add_byte(w->out, WBXML_STR_I);
	utf8_sanitise(w->out, s, len);
	mf_buf_add_byte(w->out, '\0');
}

void
wbxml_text(struct wbxml_writer *w, const char *s)
{
	wbxml_text_n(w, s, s == NULL ? 0 : strlen(s));
}

size_t
wbxml_text_hole(struct wbxml_writer *w)
{
	assert(w->depth > 0);
	flush(w);
	mf_buf_add_byte(w->out, WBXML_STR_I);
	mf_buf_add_byte(w->out, '\0');
	return w->out->len - 1;
}

void
wbxml_opaque_begin(struct wbxml_writer *w, size_t len)
{
	uint8_t digits[5];
	size_t n = sizeof(digits) - 1;
	uint32_t rest = (uint32_t)len;

	assert(w->depth > 0 && len <= UINT32_MAX);
	flush(w);
	mf_buf_add_byte(w->out, WBXML_OPAQUE);
	digits[n] = (uint8_t)(rest & 0x7f);
	while ((rest >>= 7) > 0)
		digits[--n] = (uint8_t)((rest & 0x7f) | 0x80);
	mf_buf_add(w->out, digits + n, sizeof(digits) - n);
}

void
wbxml_opaque(struct wbxml_writer *w, const void *data, size_t len)
{
	wbxml_opaque_begin(w, len);
	mf_buf_add(w->out, data, len);
}

/* A page that no tag has: the first token names its own. */
enum { NO_PAGE = 0xff };

void
wbxml_piece_begin(struct wbxml_writer *piece, struct mf_buf *out)
{
	memset(piece, 0, sizeof(*piece));
	piece->out = out;
	piece->page = NO_PAGE;
}

void
wbxml_piece_add(struct wbxml_writer *w, const struct wbxml_writer *piece)
{
	assert(w->depth > 0 && piece->depth == 0);
	if (piece->out->len == 0)
		return;
	flush(w);
	mf_buf_add(w->out, piece->out->data, piece->out->len);
	w->page = piece->page;
}

void
wbxml_empty(struct wbxml_writer *w, uint16_t tag)
{
	wbxml_open(w, tag);
	wbxml_close(w);
}

void
wbxml_element(struct wbxml_writer *w, uint16_t tag, const char *text)
{
	wbxml_open(w, tag);
	wbxml_text(w, text);
	wbxml_close(w);
}

void
wbxml_number(struct wbxml_writer *w, uint16_t tag, int64_t n)
{
	char text[1 + STR_DECIMAL_SIZE] = "-";

	str_decimal(n < 0 ? 0 - (uint64_t)n : (uint64_t)n, text + 1);
	wbxml_element(w, tag, n < 0 ? text : text + 1);
}

struct wbxml_mark
wbxml_mark(const struct wbxml_writer *w)
{
	return (struct wbxml_mark){ .len = w->out->len, .failed = w->out->failed, .writer = *w };
}

void
wbxml_rewind(struct wbxml_writer *w, const struct wbxml_mark *m)
{
	assert(w->out == m->writer.out && m->len <= w->out->len);
	*w = m->writer;
	w->out->len = m->len;
	w->out->failed = m->failed;
}

void
wbxml_copy(struct wbxml_writer *w, const struct wbxml_node *n)
{
	wbxml_open(w, n->tag);
	wbxml_text(w, n->text);
	if (n->opaque.len > 0)
		wbxml_opaque(w, n->opaque.data, n->opaque.len);
	for (const struct wbxml_node *c = n->children; c != NULL; c = c->next)
		wbxml_copy(w, c);
	wbxml_close(w);
}

void
wbxml_insert_empty(struct wbxml_writer *w, size_t at, uint16_t tag)
{
	struct mf_buf *b = w->out;

	assert(at <= b->len);
	if (mf_buf_reserve(b, 1) == NULL)
		return;
	memmove(b->data + at + 1, b->data + at, b->len - at);
	b->data[at] = (uint8_t)(tag & 0x3f);
	mf_buf_commit(b, 1);
}
