/*
 * RTF to what it was made from (MS-OXRTFEX), or to its text. A scanner of groups, control words and characters with
 * a stack of bounded depth. Knows no message.
 *
 * Wrapped HTML: what stands in groups of \htmltag is markup, what \htmlrtf brackets is for RTF readers only, all
 * other text is the HTML's own. Bytes are gathered and converted by the code page of the font at hand.
 */
#include "mime/rtf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mime/charset.h"

enum {
	DEPTH_MAX = 200,
	FONTS_MAX = 500,
	WORD_MAX = 32,
	OUT_MAX = 8 << 20,
	FROM_HTML_WITHIN = 1000, /* bytes: the header says what is wrapped */
};

/* What a group inherits, and gives back at its end. */
struct group {
	bool silent;   /* its text is no text: fonts, colours, pictures */
	bool markup;   /* of \htmltag */
	bool rtf;      /* for RTF readers only */
	unsigned skip; /* characters behind each \u */
	unsigned codepage;
};

struct scanner {
	const uint8_t *p, *end;
	struct group stack[DEPTH_MAX];
	size_t depth, lost; /* lost: groups beyond the stack */
	bool html, fonts;   /* fonts: in their table */
	bool star;	    /* \* came: an unknown word makes the group silent */
	unsigned codepage;  /* of the document */
	unsigned pending;   /* characters to skip behind a \u */
	uint32_t high;	    /* half of a character of two halves */
	unsigned font;
	unsigned fonts_of[FONTS_MAX]; /* their code pages, 0: the document's */
	struct mf_buf bytes;	      /* not yet converted, in `bytes_in` */
	unsigned bytes_in;
	struct mf_buf out;
};

static struct group *
group(struct scanner *s)
{
	return &s->stack[s->depth];
}

/* ---- Out ---- */

static void
flush(struct scanner *s)
{
	char label[16];

	if (s->bytes.len == 0)
		return;
	snprintf(label, sizeof(label), "cp%u", s->bytes_in);
	mime_charset_to_utf8(&s->out, label, "windows-1252", s->bytes.data, s->bytes.len, false);
	mf_buf_clear(&s->bytes);
}

/* Is text at this place text of the message? */
static bool
speaks(struct scanner *s)
{
	const struct group *g = group(s);

	if (s->lost > 0 || g->silent)
		return false;
	return !s->html || g->markup || !g->rtf;
}

static void
put_byte(struct scanner *s, uint8_t c)
{
	if (s->pending > 0) {
		s->pending--;
		return;
	}
	if (!speaks(s))
		return;
	if (s->bytes_in != group(s)->codepage)
		flush(s);
	s->bytes_in = group(s)->codepage;
	mf_buf_add_byte(&s->bytes, c);
}

static void
put_text(struct scanner *s, const char *text)
{
	if (!speaks(s))
		return;
	flush(s);
	mf_buf_add_str(&s->out, text);
}

static void
put_utf8(struct scanner *s, uint32_t c)
{
	char t[5] = { 0 };

	if (c < 0x80) {
		t[0] = (char)c;
	} else if (c < 0x800) {
		t[0] = (char)(0xc0 | c >> 6);
		t[1] = (char)(0x80 | (c & 63));
	} else if (c < 0x10000) {
		t[0] = (char)(0xe0 | c >> 12);
		t[1] = (char)(0x80 | (c >> 6 & 63));
		t[2] = (char)(0x80 | (c & 63));
	} else {
		t[0] = (char)(0xf0 | c >> 18);
		t[1] = (char)(0x80 | (c >> 12 & 63));
		t[2] = (char)(0x80 | (c >> 6 & 63));
		t[3] = (char)(0x80 | (c & 63));
	}
	put_text(s, t);
}

/* \u: 16 bits, signed; what is beyond comes in two of them. */
static void
put_unit(struct scanner *s, int value)
{
	uint32_t c = (uint32_t)value & 0xffff;

	s->pending = group(s)->skip;
	if (c >= 0xd800 && c < 0xdc00) {
		s->high = c;
		return;
	}
	if (c >= 0xdc00 && c < 0xe000) {
		if (s->high != 0)
			put_utf8(s, 0x10000 + ((s->high - 0xd800) << 10) + (c - 0xdc00));
	} else if (c >= ' ' || c == '\t' || c == '\n' || c == '\r') {
		put_utf8(s, c);
	}
	s->high = 0;
}

/* ---- Words ---- */

/* Which characters a font has (MS-RTF \fcharset). */
static unsigned
codepage_of(int charset)
{
	static const struct {
		int charset;
		unsigned codepage;
	} rows[] = { { 0, 1252 }, { 77, 10000 }, { 128, 932 }, { 129, 949 }, { 130, 1361 },
		{ 134, 936 }, { 136, 950 }, { 161, 1253 }, { 162, 1254 }, { 163, 1258 },
		{ 177, 1255 }, { 178, 1256 }, { 186, 1257 }, { 204, 1251 }, { 222, 874 },
		{ 238, 1250 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].charset == charset)
			return rows[i].codepage;
	return 0;
}

static void
use_font(struct scanner *s, int n)
{
	unsigned known = n >= 0 && n < FONTS_MAX ? s->fonts_of[n] : 0;

	s->font = n >= 0 && n < FONTS_MAX ? (unsigned)n : 0;
	if (!s->fonts)
		group(s)->codepage = known != 0 ? known : s->codepage;
}

enum action {
	TEXT,
	SILENT,
	FONT_TABLE,
	CODEPAGE,
	FONT,
	CHARSET,
	SKIP,
	UNIT,
	TAG,
	RTF,
	PLAIN,
	BYTES
};

static const struct word {
	const char *name;
	enum action action;
	const char *text;
} words[] = {
	{ "ansicpg", CODEPAGE, NULL },
	{ "bin", BYTES, NULL },
	{ "bullet", TEXT, "\xe2\x80\xa2" },
	{ "cell", TEXT, "\t" },
	{ "colortbl", SILENT, NULL },
	{ "emdash", TEXT, "\xe2\x80\x94" },
	{ "endash", TEXT, "\xe2\x80\x93" },
	{ "f", FONT, NULL },
	{ "fcharset", CHARSET, NULL },
	{ "fonttbl", FONT_TABLE, NULL },
	{ "footer", SILENT, NULL },
	{ "header", SILENT, NULL },
	{ "htmlrtf", RTF, NULL },
	{ "htmltag", TAG, NULL },
	{ "info", SILENT, NULL },
	{ "ldblquote", TEXT, "\xe2\x80\x9c" },
	{ "line", TEXT, "\r\n" },
	{ "listtable", SILENT, NULL },
	{ "lquote", TEXT, "\xe2\x80\x98" },
	{ "mhtmltag", SILENT, NULL },
	{ "objdata", SILENT, NULL },
	{ "par", TEXT, "\r\n" },
	{ "pict", SILENT, NULL },
	{ "plain", PLAIN, NULL },
	{ "pntext", SILENT, NULL },
	{ "rdblquote", TEXT, "\xe2\x80\x9d" },
	{ "row", TEXT, "\r\n" },
	{ "rquote", TEXT, "\xe2\x80\x99" },
	{ "sect", TEXT, "\r\n" },
	{ "stylesheet", SILENT, NULL },
	{ "tab", TEXT, "\t" },
	{ "u", UNIT, NULL },
	{ "uc", SKIP, NULL },
};

static int
by_name(const void *name, const void *row)
{
	return strcmp(name, ((const struct word *)row)->name);
}

/* Bytes that follow \bin are no text, whatever they look like. */
static void
skip_bytes(struct scanner *s, int n)
{
	if (n > 0)
		s->p = n < s->end - s->p ? s->p + n : s->end;
}

static void
act(struct scanner *s, const struct word *w, bool has_value, int value)
{
	struct group *g = group(s);

	switch (w->action) {
	case TEXT:
		put_text(s, w->text);
		break;
	case SILENT:
		g->silent = true;
		break;
	case FONT_TABLE:
		g->silent = s->fonts = true;
		break;
	case CODEPAGE:
		if (value > 0)
			s->codepage = g->codepage = (unsigned)value;
		break;
	case FONT:
		use_font(s, value);
		break;
	case CHARSET:
		if (s->fonts)
			s->fonts_of[s->font] = codepage_of(value);
		break;
	case SKIP:
		g->skip = value >= 0 && value < 100 ? (unsigned)value : 1;
		break;
	case UNIT:
		put_unit(s, value);
		break;
	case TAG:
		g->markup = true;
		break;
	case RTF:
		g->rtf = !has_value || value != 0;
		break;
	case PLAIN:
		g->codepage = s->codepage;
		break;
	case BYTES:
		skip_bytes(s, value);
		break;
	}
}

static void
on_word(struct scanner *s, const char *name, bool has_value, int value)
{
	const struct word *w =
		bsearch(name, words, sizeof(words) / sizeof(words[0]), sizeof(words[0]), by_name);
	bool star = s->star;

	s->star = false;
	if (s->lost > 0)
		skip_bytes(s, strcmp(name, "bin") == 0 ? value : 0);
	else if (w != NULL)
		act(s, w, has_value, value);
	else if (star)
		group(s)->silent = true;
}

/* ---- The scanner ---- */

static bool
is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void
read_word(struct scanner *s)
{
	char name[WORD_MAX + 1] = "";
	size_t n = 0;
	bool minus = false, has_value = false;
	int value = 0;

	for (; s->p < s->end && is_letter(*s->p); s->p++)
		if (n < WORD_MAX)
			name[n++] = (char)*s->p;
	if (s->end - s->p > 1 && *s->p == '-' && s->p[1] >= '0' && s->p[1] <= '9') {
		minus = true;
		s->p++;
	}
	for (; s->p < s->end && *s->p >= '0' && *s->p <= '9'; s->p++) {
		has_value = true;
		if (value < 100000000)
			value = value * 10 + (*s->p - '0');
	}
	if (s->p < s->end && *s->p == ' ')
		s->p++;
	on_word(s, name, has_value, minus ? -value : value);
}

static int
hex(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Behind a backslash. */
static void
read_control(struct scanner *s)
{
	uint8_t c;

	if (s->p == s->end)
		return;
	if (is_letter(*s->p)) {
		read_word(s);
		return;
	}
	c = *s->p++;
	if (c == '\'' && s->end - s->p >= 2) {
		int high = hex(s->p[0]), low = hex(s->p[1]);

		s->p += 2;
		if (high >= 0 && low >= 0)
			put_byte(s, (uint8_t)(high << 4 | low));
	} else if (c == '*') {
		s->star = true;
	} else if (c == '~') {
		put_text(s, s->html ? "&nbsp;" : "\xc2\xa0");
	} else if (c == '_') {
		put_text(s, "-");
	} else if (c == '\r' || c == '\n') {
		put_text(s, "\r\n");
	} else if (c == '\\' || c == '{' || c == '}') {
		put_byte(s, c);
	}
}

static void
open_group(struct scanner *s)
{
	s->pending = 0;
	s->star = false;
	if (s->lost > 0 || s->depth + 1 == DEPTH_MAX) {
		s->lost++;
		return;
	}
	s->stack[s->depth + 1] = s->stack[s->depth];
	s->depth++;
}

static void
close_group(struct scanner *s)
{
	s->pending = 0;
	s->star = false;
	if (s->lost > 0)
		s->lost--;
	else if (s->depth > 0)
		s->depth--;
	if (s->depth <= 1)
		s->fonts = false;
}

static void
scan(struct scanner *s)
{
	while (s->p < s->end && !s->out.failed) {
		uint8_t c = *s->p++;

		if (c == '\\')
			read_control(s);
		else if (c == '{')
			open_group(s);
		else if (c == '}')
			close_group(s);
		else if (c != '\r' && c != '\n' && c != '\0')
			put_byte(s, c);
	}
	flush(s);
}

/* Does the header say that HTML is wrapped? */
static bool
wraps_html(struct mf_bytes rtf)
{
	size_t len = rtf.len < FROM_HTML_WITHIN ? rtf.len : FROM_HTML_WITHIN;

	return memmem(rtf.data, len, "\\fromhtml1", strlen("\\fromhtml1")) != NULL;
}

void
mime_rtf_read(struct mf_arena *a, struct mf_bytes rtf, struct mime_rtf *out)
{
	struct scanner *s = mf_new(a, struct scanner);
	const char *all;

	*out = (struct mime_rtf){ .html = NULL };
	if (rtf.len < 5 || memcmp(rtf.data, "{\\rtf", 5) != 0)
		return;
	s->p = rtf.data;
	s->end = rtf.data + rtf.len;
	s->html = wraps_html(rtf);
	s->codepage = 1252;
	s->stack[0] = (struct group){ .skip = 1, .codepage = s->codepage };
	mf_buf_init(&s->bytes, 0);
	mf_buf_init(&s->out, OUT_MAX);
	scan(s);
	all = s->out.len == 0 ? NULL : mf_strndup(a, (const char *)s->out.data, s->out.len);
	mf_buf_deinit(&s->bytes);
	mf_buf_deinit(&s->out);
	if (s->html)
		out->html = all;
	else
		out->text = all;
}
