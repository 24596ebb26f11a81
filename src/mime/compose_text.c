/*
 * The text of replies and forwards: what is said of the original, its text quoted or repeated, and the
 * whole encoded for transport. Knows no multipart.
 */
#include "mime/compose_text.h"

#include <gmime/gmime.h>
#include <string.h>

#include "base/str.h"

struct mf_bytes
mime_whole_text(struct mf_arena *a, const struct mime_message *m, const struct mime_text *t,
	enum mime_format format)
{
	struct mime_piece pieces[MIME_TEXTS_MAX];
	struct mime_body body;

	for (size_t i = 0; i < t->n; i++)
		pieces[i] = (struct mime_piece){ t->parts[i], mime_message_part(m, t->parts[i]),
			false };
	mime_body_render(a, pieces, t->n, format, SIZE_MAX, &body);
	return mf_bytes(body.text, body.len);
}

/* ---- Who wrote what when ---- */

/* The lines that stand above a forwarded message. */
struct line {
	const char *label, *value;
};

enum { LINES_MAX = 5, VALUE_MAX = 2000 };

static const char *
addresses(struct mf_arena *a, const struct mime_message *m, const char *field, const char *charset)
{
	struct mime_addresses list;

	mime_header_addresses(a, &m->header, field, charset, &list);
	return mime_addresses_full(a, &list, VALUE_MAX);
}

static size_t
head_lines(struct mf_arena *a, const struct mime_message *m, const char *charset, struct line *out)
{
	const struct line all[LINES_MAX] = {
		{ "From", addresses(a, m, "From", charset) },
		{ "Date", mime_header_text(a, &m->header, "Date", charset) },
		{ "Subject", mime_header_text(a, &m->header, "Subject", charset) },
		{ "To", addresses(a, m, "To", charset) },
		{ "Cc", addresses(a, m, "Cc", charset) },
	};
	size_t n = 0;

	for (size_t i = 0; i < LINES_MAX; i++)
		if (all[i].value != NULL && *all[i].value != '\0')
			out[n++] = all[i];
	return n;
}

/* "On Fri, 20 Nov 2026 10:20:30 +0100, Anna Muster <anna@example.org> wrote:" */
static const char *
attribution(struct mf_arena *a, const struct mime_message *m, const char *charset)
{
	const char *date = mime_header_text(a, &m->header, "Date", charset);
	struct mime_addresses from;
	const char *who = "somebody";

	mime_header_addresses(a, &m->header, "From", charset, &from);
	if (from.n > 0 && *from.list[0].name != '\0' && *from.list[0].addr != '\0')
		who = mf_printf(a, "%s <%s>", from.list[0].name, from.list[0].addr);
	else if (from.n > 0)
		who = mime_addresses_display(
			a, &(struct mime_addresses){ from.list, 1 }, VALUE_MAX);
	if (date == NULL || *date == '\0')
		return mf_printf(a, "%s wrote:", who);
	return mf_printf(a, "On %s, %s wrote:", date, who);
}

#define FORWARD_RULE "---------- Forwarded message ----------"

static void
add_head(struct mf_arena *a, struct mf_buf *out, enum mime_compose_kind kind,
	const struct mime_message *m, const char *charset)
{
	struct line lines[LINES_MAX];
	size_t n;

	if (kind == MIME_COMPOSE_REPLY) {
		mf_buf_printf(out, "%s\r\n", attribution(a, m, charset));
		return;
	}
	mf_buf_add_str(out, FORWARD_RULE "\r\n");
	n = head_lines(a, m, charset, lines);
	for (size_t i = 0; i < n; i++)
		mf_buf_printf(out, "%s: %s\r\n", lines[i].label, lines[i].value);
	mf_buf_add_str(out, "\r\n");
}

/* ---- Plain ---- */

static void
add_quoted(struct mf_buf *out, struct mf_bytes text)
{
	size_t at = 0;

	while (at < text.len) {
		const uint8_t *end = memchr(text.data + at, '\n', text.len - at);
		size_t n = end == NULL ? text.len - at : (size_t)(end - text.data) + 1 - at;

		mf_buf_add_str(out, text.data[at] == '>' ? ">" : "> ");
		mf_buf_add(out, text.data + at, n);
		at += n;
	}
}

static void
add_original_plain(struct mf_arena *a, struct mf_buf *out, struct mf_bytes text,
	enum mime_compose_kind kind, const struct mime_message *m, const struct mime_structure *s)
{
	struct mf_bytes original = mime_whole_text(a, m, &s->plain, MIME_PLAIN);

	mf_buf_add(out, text.data, text.len);
	if (text.len > 0 && text.data[text.len - 1] != '\n')
		mf_buf_add_str(out, "\r\n");
	mf_buf_add_str(out, "\r\n");
	add_head(a, out, kind, m, s->charset);
	if (kind == MIME_COMPOSE_REPLY)
		add_quoted(out, original);
	else
		mf_buf_add(out, original.data, original.len);
	if (out->data[out->len - 1] != '\n')
		mf_buf_add_str(out, "\r\n");
}

/* ---- HTML ---- */

/* The style elements of a document's head: a forward keeps its looks. */
static void
add_styles(struct mf_buf *out, const char *html, size_t len)
{
	size_t at = 0;
	const char *p;

	while (at < len && (p = memchr(html + at, '<', len - at)) != NULL) {
		const char *end;

		at = (size_t)(p - html) + 1;
		if (len - at < 6 || !str_ieqn(p, "<style", 6))
			continue;
		for (end = p + 6; (size_t)(end - html) + 8 <= len; end++)
			if (*end == '<' && str_ieqn(end, "</style>", 8))
				break;
		if ((size_t)(end - html) + 8 > len)
			return;
		mf_buf_add(out, p, (size_t)(end - p) + 8);
		at = (size_t)(end - html) + 8;
	}
}

static void
add_original_html(struct mf_arena *a, struct mf_buf *out, struct mf_bytes text,
	enum mime_compose_kind kind, const struct mime_message *m, const struct mime_structure *s)
{
	struct mf_bytes original = mime_whole_text(a, m, &s->html, MIME_HTML);
	const char *html = (const char *)original.data;
	size_t begin = mime_html_begin(html, original.len), end = mime_html_end(html, original.len);
	size_t at = mime_html_end((const char *)text.data, text.len);
	struct mf_buf head;

	mf_buf_init(&head, 0);
	add_head(a, &head, kind, m, s->charset);
	mf_buf_add(out, text.data, at);
	mf_buf_add_str(out, "\r\n<br>\r\n<div>\r\n");
	mime_text_to_html(out, (const char *)head.data, head.len);
	mf_buf_add_str(
		out, kind == MIME_COMPOSE_REPLY ? "<blockquote type=\"cite\">\r\n" : "<br>\r\n");
	if (kind == MIME_COMPOSE_FORWARD)
		add_styles(out, html, begin);
	if (end > begin)
		mf_buf_add(out, html + begin, end - begin);
	mf_buf_add_str(out, kind == MIME_COMPOSE_REPLY ? "\r\n</blockquote>" : "");
	mf_buf_add_str(out, "\r\n</div>\r\n");
	mf_buf_add(out, text.data + at, text.len - at);
	mf_buf_deinit(&head);
}

void
mime_add_original(struct mf_arena *a, struct mf_buf *out, struct mf_bytes text,
	enum mime_format format, enum mime_compose_kind kind, const struct mime_message *original,
	const struct mime_structure *structure)
{
	(format == MIME_HTML ? add_original_html : add_original_plain)(
		a, out, text, kind, original, structure);
}

/* ---- Transport ---- */

/* Which transfer encoding: none for short ASCII lines, else the one that is shorter. */
static GMimeContentEncoding
choose_encoding(struct mf_bytes text)
{
	size_t high = 0, line = 0, longest = 0;

	for (size_t i = 0; i < text.len; i++) {
		high += text.data[i] >= 0x80;
		line = text.data[i] == '\n' ? 0 : line + 1;
		longest = line > longest ? line : longest;
	}
	if (high == 0 && longest < 900)
		return GMIME_CONTENT_ENCODING_7BIT;
	return high > text.len / 6 ? GMIME_CONTENT_ENCODING_BASE64
				   : GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE;
}

/* GMime's encoders write LF, and take CR of quoted-printable text for a character. */
void
mime_add_encoded(struct mf_buf *out, struct mf_bytes text, bool base64)
{
	const GMimeContentEncoding how =
		base64 ? GMIME_CONTENT_ENCODING_BASE64 : GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE;
	GMimeEncoding state;
	struct mf_buf in;
	char *encoded;
	size_t n;

	mf_buf_init(&in, 0);
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] != '\r' || how == GMIME_CONTENT_ENCODING_BASE64)
			mf_buf_add_byte(&in, text.data[i]);
	g_mime_encoding_init_encode(&state, how);
	encoded = g_malloc(g_mime_encoding_outlen(&state, in.len) + 1);
	n = g_mime_encoding_flush(&state, (const char *)in.data, in.len, encoded);
	for (size_t i = 0; i < n; i++) {
		if (encoded[i] == '\n')
			mf_buf_add_byte(out, '\r');
		mf_buf_add_byte(out, (uint8_t)encoded[i]);
	}
	g_free(encoded);
	mf_buf_deinit(&in);
}

void
mime_add_text_entity(struct mf_buf *out, struct mf_bytes text, enum mime_format format)
{
	GMimeContentEncoding how = choose_encoding(text);

	mf_buf_printf(out,
		"Content-Type: text/%s; charset=utf-8\r\nContent-Transfer-Encoding: %s\r\n\r\n",
		format == MIME_HTML ? "html" : "plain",
		how == GMIME_CONTENT_ENCODING_7BIT     ? "7bit"
		: how == GMIME_CONTENT_ENCODING_BASE64 ? "base64"
						       : "quoted-printable");
	if (how == GMIME_CONTENT_ENCODING_7BIT)
		mf_buf_add(out, text.data, text.len);
	else
		mime_add_encoded(out, text, how == GMIME_CONTENT_ENCODING_BASE64);
	if (out->data[out->len - 1] != '\n')
		mf_buf_add_str(out, "\r\n");
}
