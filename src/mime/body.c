/*
 * Bodies: a part's bytes through transfer decoding, charset and conversion to what was asked for, cut
 * at a size. No more is converted than the answer needs.
 */
#include "mime/body.h"

#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "mime/charset.h"
#include "mime/decode.h"
#include "mime/header.h"

enum {
	HTML_EXTRA = 32768, /* styles and tables before the first word of HTML that becomes text */
	HTML_TIMES = 4,	    /* markup around a byte of text */
	PREVIEW_TIMES = 8,  /* bytes looked at for a character of preview */
};

static const char *
param(struct mf_arena *a, const struct mf_part *part, const char *name)
{
	return mime_param(a, part->params, part->n_params, name, NULL);
}

static bool
is_html(const struct mf_part *part)
{
	return strcmp(part->type, "text") == 0 &&
	       (strcmp(part->subtype, "html") == 0 || strcmp(part->subtype, "enriched") == 0 ||
		       strcmp(part->subtype, "richtext") == 0);
}

/* Encoded bytes that give at least `want` decoded ones, as a rule. */
static uint64_t
encoded_size(enum mime_encoding encoding, uint64_t want)
{
	if (encoding == MIME_ENCODING_BASE64)
		return want / 57 * 78 + 156;
	if (encoding == MIME_ENCODING_UU)
		return want / 45 * 63 + 126;
	return encoding == MIME_ENCODING_QP ? want + want / 4 + 100 : want + 16;
}

uint64_t
mime_body_fetch_size(const struct mf_part *part, enum mime_format format, size_t max)
{
	uint64_t want = max, size;

	if (max >= MIME_BODY_MAX)
		want = MIME_BODY_MAX;
	if (is_html(part) && format == MIME_PLAIN)
		want = want * HTML_TIMES + HTML_EXTRA;
	size = encoded_size(mime_encoding_parse(part->encoding), want);
	return part->size > 0 && size >= part->size ? 0 : size;
}

/* ---- One piece ---- */

/* A piece on its way: its text as UTF-8, whether that is all, and how much it stands for. */
struct work {
	struct mf_arena *a;
	const struct mf_part *part;
	struct mf_bytes data;
	bool cut;
	struct mf_buf text;
	uint64_t consumed; /* encoded bytes of which text was made */
};

static const char *
html_charset(struct mf_arena *a, const struct mf_buf *raw)
{
	size_t at, n;

	if (!mime_html_charset((const char *)raw->data, raw->len, 0, &at, &n))
		return NULL;
	return mf_strndup(a, (const char *)raw->data + at, n);
}

/* The declared charset, replaced: the text is UTF-8 now. */
static void
declare_utf8(struct mf_buf *text)
{
	size_t at, n, from = 0, copied = 0;
	struct mf_buf b;

	mf_buf_init(&b, text->max);
	while (mime_html_charset((const char *)text->data, text->len, from, &at, &n)) {
		mf_buf_add(&b, text->data + copied, at - copied);
		mf_buf_add_str(&b, "utf-8");
		copied = from = at + n;
	}
	if (copied > 0) {
		mf_buf_add(&b, text->data + copied, text->len - copied);
		mf_buf_deinit(text);
		*text = b;
	} else {
		mf_buf_deinit(&b);
	}
}

/* Labelled base64 but plain text: the first line has characters that base64 does not. */
static bool
is_really_base64(struct mf_bytes data)
{
	enum { LOOK = 400, TOLERATED = 8 };
	size_t bad = 0, n = 0;

	for (size_t i = 0; i < data.len && n < LOOK; i++) {
		uint8_t c = data.data[i];

		if (c == '\n' && n > 0)
			break;
		n += c > ' ' || n > 0;
		bad += c != '\0' && isalnum(c) == 0 && strchr("+/=\r\n\t", c) == NULL;
	}
	return bad <= n / TOLERATED + 1;
}

/* Transfer encoding and charset off: w->text. */
static void
load(struct work *w)
{
	const char *label = param(w->a, w->part, "charset");
	enum mime_encoding encoding = mime_encoding_parse(w->part->encoding);
	struct mf_buf raw;
	const char *declared = NULL;

	mf_buf_init(&w->text, 0);
	w->consumed = w->data.len;
	mf_buf_init(&raw, 0);
	if (encoding == MIME_ENCODING_BASE64 && !is_really_base64(w->data))
		encoding = MIME_ENCODING_NONE;
	if (encoding != MIME_ENCODING_NONE) {
		mime_decode(encoding, w->data, &raw);
		w->data = mf_buf_bytes(&raw);
	}
	if (is_html(w->part))
		declared = html_charset(w->a,
			&(struct mf_buf){ .data = (uint8_t *)w->data.data, .len = w->data.len });
	if (label == NULL || *label == '\0' || str_ieq(label, "us-ascii")) {
		label = declared;
		declared = NULL;
	}
	mime_charset_to_utf8(&w->text, label, declared, w->data.data, w->data.len, w->cut);
	mf_buf_deinit(&raw);
}

/* Replaces w->text by what `to` makes of it. */
static void
swap(struct work *w, struct mf_buf *to)
{
	mf_buf_deinit(&w->text);
	w->text = *to;
}

static void
unflow(struct work *w)
{
	struct mf_buf b;

	if (!str_ieq(param(w->a, w->part, "format"), "flowed"))
		return;
	mf_buf_init(&b, 0);
	mime_unflow(&b, (const char *)w->text.data, w->text.len,
		str_ieq(param(w->a, w->part, "delsp"), "yes"));
	swap(w, &b);
}

static void
convert(struct work *w, enum mime_format format, size_t max, bool links)
{
	struct mf_buf b;

	mf_buf_init(&b, 0);
	if (is_html(w->part) && format == MIME_PLAIN) {
		w->cut |=
			!mime_html_to_text(&b, (const char *)w->text.data, w->text.len, max, links);
		swap(w, &b);
	} else if (is_html(w->part)) {
		declare_utf8(&w->text);
	} else {
		unflow(w);
		if (format == MIME_HTML) {
			mime_text_to_html(&b, (const char *)w->text.data, w->text.len);
			swap(w, &b);
		}
	}
}

/* ---- Joining ---- */

/* Are all its line ends CRLF already? So they come from IMAP servers. A loop for vectors. */
static bool
has_only_crlf(const uint8_t *s, size_t len)
{
	uint8_t bad;

	if (len == 0)
		return true;
	bad = s[0] == '\n' || s[len - 1] == '\r';
	for (size_t i = 0; i + 1 < len; i++)
		bad |= (s[i] == '\r') ^ (s[i + 1] == '\n');
	return bad == 0;
}

static void
add_crlf(struct mf_buf *out, const uint8_t *s, size_t len)
{
	size_t at = 0;

	if (has_only_crlf(s, len)) {
		mf_buf_add(out, s, len);
		return;
	}
	while (at < len) {
		const uint8_t *end = memchr(s + at, '\n', len - at);
		size_t n = end == NULL ? len - at : (size_t)(end - s) - at;
		size_t next = at + n + (end != NULL);
		const uint8_t *cr;

		if (end != NULL && n > 0 && s[at + n - 1] == '\r')
			n--;
		while ((cr = memchr(s + at, '\r', n)) != NULL) {
			size_t m = (size_t)(cr - (s + at));

			mf_buf_add(out, s + at, m);
			mf_buf_add(out, "\r\n", 2);
			at += m + 1;
			n -= m + 1;
		}
		mf_buf_add(out, s + at, n);
		if (end != NULL)
			mf_buf_add(out, "\r\n", 2);
		at = next;
	}
}

#define HTML_BEFORE                                                               \
	"<html><head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; " \
	"charset=utf-8\">\r\n"                                                    \
	"</head><body>\r\n"
#define HTML_AFTER "</body></html>\r\n"

/* Where the next piece's HTML goes: before the end of what is there. */
static void
insert_html(struct mf_buf *all, const struct mf_buf *piece, bool document)
{
	const char *s = (const char *)piece->data;
	size_t from = document ? mime_html_begin(s, piece->len) : 0;
	size_t to = document ? mime_html_end(s, piece->len) : piece->len;
	size_t at = mime_html_end((const char *)all->data, all->len);
	struct mf_buf b;

	mf_buf_init(&b, 0);
	mf_buf_add(&b, all->data, at);
	mf_buf_add_str(&b, "\r\n<br>\r\n");
	if (to > from)
		add_crlf(&b, piece->data + from, to - from);
	mf_buf_add(&b, all->data + at, all->len - at);
	mf_buf_deinit(all);
	*all = b;
}

/* The text as it stands is all there is. */
static bool
is_whole(const struct mf_buf *all, const struct work *w, enum mime_format format)
{
	return all->len == 0 && (format == MIME_PLAIN || is_html(w->part)) &&
	       has_only_crlf(w->text.data, w->text.len);
}

static void
join(struct mf_buf *all, struct work *w, enum mime_format format)
{
	if (is_whole(all, w, format)) {
		struct mf_buf was = *all;

		*all = w->text;
		w->text = was;
		return;
	}
	if (format == MIME_HTML && all->len > 0) {
		insert_html(all, &w->text, is_html(w->part));
	} else if (format == MIME_HTML && !is_html(w->part)) {
		mf_buf_add_str(all, HTML_BEFORE);
		add_crlf(all, w->text.data, w->text.len);
		mf_buf_add_str(all, HTML_AFTER);
	} else {
		if (all->len > 0)
			mf_buf_add_str(all, "\r\n");
		add_crlf(all, w->text.data, w->text.len);
	}
}

/* ---- All pieces ---- */

static void
estimate(struct mime_body *out, const struct mime_piece *p, const struct work *w, uint64_t len)
{
	uint64_t whole = p->part->size;

	if (!w->cut) {
		out->size += len;
		return;
	}
	out->estimated = true;
	out->truncated = true;
	if (w->consumed == 0)
		len = mime_decoded_estimate(mime_encoding_parse(p->part->encoding), whole);
	else if (whole > w->consumed)
		len = (uint64_t)((double)len * (double)whole / (double)w->consumed);
	out->size += len + 1;
}

/* All pieces in one buffer, no more of them than max needs; out gets size and truncated. */
static void
render(struct mf_arena *a, const struct mime_piece *pieces, size_t n, enum mime_format format,
	size_t max, bool links, struct mf_buf *all, struct mime_body *out)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t need = mime_body_fetch_size(pieces[i].part, format, max);
		struct work w = {
			.a = a, .part = pieces[i].part, .data = pieces[i].data, .cut = pieces[i].cut
		};
		size_t had = all->len;

		if (had > max || (need > 0 && w.data.len > need)) {
			w.cut = true;
			w.data.len = had > max ? 0 : (size_t)need;
		}
		load(&w);
		convert(&w, format, max, links);
		join(all, &w, format);
		estimate(out, &pieces[i], &w, all->len - had);
		mf_buf_deinit(&w.text);
	}
}

/* A cut within a tag or an entity would show its remains. */
static size_t
html_cut(const char *s, size_t len)
{
	enum { BACK_MAX = 2000, ENTITY_MAX = 10 };
	const char *open, *close;
	size_t back = len < BACK_MAX ? len : BACK_MAX;

	open = memrchr(s + len - back, '<', back);
	close = memrchr(s + len - back, '>', back);
	if (open != NULL && (close == NULL || close < open) && open - s > (ptrdiff_t)(len / 2))
		return (size_t)(open - s);
	back = len < ENTITY_MAX ? len : ENTITY_MAX;
	open = memrchr(s + len - back, '&', back);
	if (open != NULL && memchr(open, ';', (size_t)(s + len - open)) == NULL &&
		memchr(open, ' ', (size_t)(s + len - open)) == NULL)
		return (size_t)(open - s);
	return len;
}

static size_t
cut_at(const char *s, size_t len, size_t max, enum mime_format format)
{
	size_t n = utf8_cut(s, len, max);

	if (n == len)
		return n;
	if (n > 0 && s[n - 1] == '\r')
		n--;
	return format == MIME_HTML ? html_cut(s, n) : n;
}

void
mime_body_render(struct mf_arena *a, const struct mime_piece *pieces, size_t n,
	enum mime_format format, size_t max, struct mime_body *out)
{
	struct mf_buf all;
	size_t len;

	memset(out, 0, sizeof(*out));
	if (max > MIME_BODY_MAX)
		max = MIME_BODY_MAX;
	mf_buf_init(&all, 0);
	render(a, pieces, n, format, max, true, &all, out);
	len = cut_at((const char *)all.data, all.len, max, format);
	out->truncated |= len < all.len;
	out->text = (const char *)mf_memdup(a, all.data, len).data;
	out->len = len;
	if (out->size < len + out->truncated)
		out->size = len + out->truncated;
	mf_buf_deinit(&all);
}

/* White space collapsed; at most `chars` characters. */
static size_t
collapse(char *s, size_t len, size_t chars)
{
	size_t n = 0, count = 0;

	for (size_t i = 0; i < len && count < chars;) {
		size_t next = i + 1;

		while (next < len && ((unsigned char)s[next] & 0xc0) == 0x80)
			next++;
		if ((unsigned char)s[i] <= ' ') {
			if (n > 0 && s[n - 1] != ' ') {
				s[n++] = ' ';
				count++;
			}
		} else {
			memmove(s + n, s + i, next - i);
			n += next - i;
			count++;
		}
		i = next;
	}
	while (n > 0 && s[n - 1] == ' ')
		n--;
	s[n] = '\0';
	return n;
}

const char *
mime_body_preview(struct mf_arena *a, const struct mime_piece *pieces, size_t n, size_t chars)
{
	size_t max = chars * PREVIEW_TIMES;
	struct mime_body unused = { 0 };
	struct mf_buf all;
	char *s;

	mf_buf_init(&all, 0);
	render(a, pieces, n, MIME_PLAIN, max, false, &all, &unused);
	s = (char *)mf_memdup(a, all.data, utf8_cut((const char *)all.data, all.len, max)).data;
	collapse(
		s, all.len < max ? all.len : utf8_cut((const char *)all.data, all.len, max), chars);
	mf_buf_deinit(&all);
	return s;
}
