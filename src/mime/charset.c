/*
 * Conversion to UTF-8 by iconv, with what real mail needs before and after it: wrong, missing and
 * unknown labels, Japanese and Chinese escape sequences, malformed and cut data. Knows no message.
 */
#include "mime/charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"
#include "mime/charset_table.h"

#define REPLACEMENT "\xef\xbf\xbd"

struct input {
	const uint8_t *data;
	size_t len;
	bool cut;
};

const char *
mime_charset_name(const char *label)
{
	const struct charset_row *row = charset_find(label);

	if (row != NULL)
		return row->iconv;
	return label == NULL || *label == '\0' ? NULL : label;
}

unsigned
mime_charset_codepage(const char *label)
{
	const struct charset_row *row = charset_find(label);

	return row == NULL ? 65001 : row->codepage;
}

/* Unknown labels go to iconv only when they look like a name: its own syntax ("//IGNORE") and paths
 * are not for peers. */
static bool
plain_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:");

	return n > 0 && n < 40 && s[n] == '\0';
}

static bool
has_high(const struct input *in)
{
	size_t i = 0;

	for (; in->len - i >= 8; i += 8) {
		uint64_t w;

		memcpy(&w, in->data + i, 8);
		if ((w & 0x8080808080808080U) != 0)
			return true;
	}
	for (; i < in->len; i++)
		if (in->data[i] >= 0x80)
			return true;
	return false;
}

/* windows-1255, windows-1258 and others hold the last character back: a mark may follow it. */
static void
flush_iconv(struct mf_buf *out, iconv_t cd)
{
	size_t room = 16;
	char *to = (char *)mf_buf_reserve(out, room);

	if (to != NULL && iconv(cd, NULL, NULL, &to, &room) != (size_t)-1)
		mf_buf_commit(out, 16 - room);
}

/* Runs iconv; malformed input becomes U+FFFD. Returns the count of those, SIZE_MAX when the charset is
 * unknown. */
static size_t
run_iconv(struct mf_buf *out, const char *name, const struct input *in)
{
	iconv_t cd = iconv_open("UTF-8", name);
	char *from = (char *)in->data;
	size_t left = in->len, errors = 0;

	if (cd == (iconv_t)-1)
		return SIZE_MAX;
	while (left > 0) {
		size_t room = left * 3 + 16;
		char *to = (char *)mf_buf_reserve(out, room);
		size_t had = room;

		if (to == NULL)
			break;
		errno = 0;
		if (iconv(cd, &from, &left, &to, &room) == (size_t)-1 && errno != E2BIG) {
			mf_buf_commit(out, had - room);
			if (errno == EINVAL && in->cut)
				break;
			mf_buf_add_str(out, REPLACEMENT);
			errors++;
			from++;
			left--;
			continue;
		}
		mf_buf_commit(out, had - room);
	}
	flush_iconv(out, cd);
	iconv_close(cd);
	return errors;
}

/* 0x80 to 0x9f of windows-1252; the five undefined ones as browsers have them, that is as controls,
 * which are left out. */
static const uint16_t windows1252[32] = { 0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
	0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0, 0, 0x2018, 0x2019, 0x201c, 0x201d,
	0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178 };

static void
latin_to_utf8(struct mf_buf *out, const struct input *in)
{
	uint8_t *to = mf_buf_reserve(out, in->len * 3);
	size_t n = 0;

	if (to == NULL)
		return;
	for (size_t i = 0; i < in->len; i++) {
		unsigned c = in->data[i];

		if (c >= 0x80 && c < 0xa0)
			c = windows1252[c - 0x80];
		if (c < 0x80) {
			if (c >= 0x20 || c == '\t' || c == '\n' || c == '\r')
				to[n++] = (uint8_t)c;
		} else if (c < 0x800) {
			to[n++] = (uint8_t)(0xc0 | c >> 6);
			to[n++] = (uint8_t)(0x80 | (c & 0x3f));
		} else {
			to[n++] = (uint8_t)(0xe0 | c >> 12);
			to[n++] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
			to[n++] = (uint8_t)(0x80 | (c & 0x3f));
		}
	}
	mf_buf_commit(out, n);
}

/* One character of two JIS bytes (21..7e each) as Shift_JIS, whose Windows table knows the vendors'
 * rows that ISO-2022-JP mail is full of. */
static void
add_jis(struct mf_buf *out, unsigned a, unsigned b)
{
	unsigned lead = (a - 0x21) / 2 + 0x81;
	unsigned trail = a % 2 == 1 ? b + 0x1f + (b >= 0x60) : b + 0x7e;

	mf_buf_add_byte(out, (uint8_t)(lead > 0x9f ? lead + 0x40 : lead));
	mf_buf_add_byte(out, (uint8_t)trail);
}

enum jis_set { JIS_ASCII, JIS_KANJI, JIS_KANA, JIS_SKIP };

/* The set that the escape sequence at s chooses, and its length; 0 when it is none. */
static size_t
jis_escape(const uint8_t *s, size_t len, enum jis_set *set)
{
	static const struct {
		char text[5];
		enum jis_set set;
	} escapes[] = {
		{ "\x1b(B", JIS_ASCII },
		{ "\x1b(J", JIS_ASCII },
		{ "\x1b(I", JIS_KANA },
		{ "\x1b(H", JIS_ASCII },
		{ "\x1b$@", JIS_KANJI },
		{ "\x1b$B", JIS_KANJI },
		{ "\x1b$(D", JIS_SKIP },
		{ "\x1b$(B", JIS_KANJI },
		{ "\x1b&@", JIS_KANJI },
	};

	for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
		size_t n = strlen(escapes[i].text);

		if (len >= n && memcmp(s, escapes[i].text, n) == 0) {
			*set = escapes[i].set;
			return n;
		}
	}
	return 0;
}

/* ISO-2022-JP to Shift_JIS. */
static void
jis_to_sjis(struct mf_buf *out, const struct input *in)
{
	enum jis_set set = JIS_ASCII;
	size_t n;

	for (size_t i = 0; i < in->len; i++) {
		unsigned c = in->data[i];
		bool graphic = c >= 0x21 && c <= 0x7e;

		if (c == 0x1b && (n = jis_escape(in->data + i, in->len - i, &set)) > 0) {
			i += n - 1;
		} else if (c == '\n') {
			set = JIS_ASCII;
			mf_buf_add_byte(out, (uint8_t)c);
		} else if (set == JIS_KANA && graphic && c < 0x60) {
			mf_buf_add_byte(out, (uint8_t)(c + 0x80));
		} else if ((set == JIS_KANJI || set == JIS_SKIP) && graphic && i + 1 < in->len &&
			   in->data[i + 1] >= 0x21 && in->data[i + 1] <= 0x7e) {
			i++;
			if (set == JIS_KANJI)
				add_jis(out, c, in->data[i]);
			else
				mf_buf_add_str(out, "?");
		} else if (set != JIS_KANJI || !graphic) {
			mf_buf_add_byte(out, (uint8_t)c);
		}
	}
}

/* HZ (RFC 1843) to GB18030. */
static void
hz_to_gb(struct mf_buf *out, const struct input *in)
{
	bool two = false;

	for (size_t i = 0; i < in->len; i++) {
		uint8_t c = in->data[i], next = i + 1 < in->len ? in->data[i + 1] : 0;

		if (c == '~' && (next == '{' || next == '}' || next == '\n' || next == '~')) {
			two = next == '{' ? true : next == '}' ? false : two;
			if (next == '~')
				mf_buf_add_byte(out, c);
			i++;
		} else if (two && c > 0x20 && next > 0x20) {
			mf_buf_add_byte(out, c | 0x80);
			mf_buf_add_byte(out, next | 0x80);
			i++;
		} else {
			mf_buf_add_byte(out, c);
			two = two && c != '\n';
		}
	}
}

/* How many bytes at the end are the beginning of a UTF-8 character. */
static size_t
incomplete_tail(const struct input *in)
{
	for (size_t n = 1; n <= 3 && n <= in->len; n++) {
		uint8_t c = in->data[in->len - n];

		if (c >= 0xc0 && c < 0xf5)
			return n < (c >= 0xf0 ? 4U : c >= 0xe0 ? 3U : 2U) ? n : 0;
		if (c < 0x80 || c >= 0xf5)
			return 0;
	}
	return 0;
}

/* Adds the data as they are when they are UTF-8. */
static bool
as_utf8(struct mf_buf *out, const struct input *in)
{
	size_t len = in->len - (in->cut ? incomplete_tail(in) : 0);

	if (utf8_valid_xml((const char *)in->data, len)) {
		mf_buf_add(out, in->data, len);
		return true;
	}
	if (!utf8_valid((const char *)in->data, len))
		return false;
	utf8_sanitise(out, (const char *)in->data, len);
	return true;
}

/* Some of it is UTF-8 beyond ASCII: mostly right, somewhere broken. */
static bool
partly_utf8(const struct input *in)
{
	size_t good = 0, bad = 0;

	for (size_t i = 0; i < in->len;) {
		uint8_t c = in->data[i];
		size_t n = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

		if (n == 0 || n > in->len - i || !utf8_valid((const char *)in->data + i, n)) {
			bad++;
			i++;
			continue;
		}
		good += n > 1;
		i += n;
	}
	return good > 0 && good >= bad / 4;
}

/* iconv into a scratch buffer, then only what XML can have. False: no such charset. */
static bool
as_charset(struct mf_buf *out, const char *name, const struct input *in, bool prefer_utf8)
{
	struct mf_buf text;
	size_t errors;

	mf_buf_init(&text, 0);
	errors = run_iconv(&text, name, in);
	if (errors != SIZE_MAX && !(errors > 0 && prefer_utf8 && as_utf8(out, in)))
		utf8_sanitise(out, (const char *)text.data, text.len);
	mf_buf_deinit(&text);
	return errors != SIZE_MAX;
}

/* ISO-2022-JP and HZ: to the eight-bit form of the same set first. */
static void
as_escaped(struct mf_buf *out, const struct charset_row *row, const struct input *in)
{
	struct input plain = *in;
	struct mf_buf text;

	if (has_high(in)) {
		if (!as_utf8(out, in))
			as_charset(out, row->iconv, in, false);
		return;
	}
	mf_buf_init(&text, 0);
	(row->kind == CHARSET_JIS ? jis_to_sjis : hz_to_gb)(&text, in);
	plain.data = text.data;
	plain.len = text.len;
	as_charset(out, row->iconv, &plain, false);
	mf_buf_deinit(&text);
}

/* UTF-16 without a byte order mark: the side on which the zeros are. Labelled so but without any zero
 * byte it is something else. */
static const char *
utf16_name(const char *name, const struct input *in)
{
	size_t zeros[2] = { 0, 0 };

	if (strcmp(name, "UTF-16") != 0)
		return name;
	if (in->len >= 2 && ((in->data[0] == 0xff && in->data[1] == 0xfe) ||
				    (in->data[0] == 0xfe && in->data[1] == 0xff)))
		return "UTF-16";
	for (size_t i = 0; i < in->len && i < 512; i++)
		zeros[i % 2] += in->data[i] == 0;
	if (zeros[0] == 0 && zeros[1] == 0 && utf8_valid_xml((const char *)in->data, in->len))
		return "UTF-8";
	if (zeros[0] == zeros[1])
		return "UTF-16BE";
	return zeros[0] > zeros[1] ? "UTF-16BE" : "UTF-16LE";
}

static bool
has_jis_escape(const struct input *in)
{
	const uint8_t *p = in->data, *end = in->data + in->len;

	while ((p = memchr(p, 0x1b, (size_t)(end - p))) != NULL) {
		if (end - p >= 3 && p[1] == '$' && (p[2] == 'B' || p[2] == '@'))
			return true;
		p++;
	}
	return false;
}

/* One byte a character, or a charset of which only iconv may know. */
static bool
as_single(struct mf_buf *out, const char *label, const struct charset_row *row,
	const struct input *in)
{
	if (row->kind == CHARSET_SINGLE)
		return as_charset(out, row->iconv, in, false);
	return row->kind == CHARSET_UNKNOWN && as_charset(out, label, in, true);
}

static void
convert(struct mf_buf *out, const char *label, const char *fallback, const struct input *in)
{
	static const struct charset_row nothing = { "", "", 65001, CHARSET_ASCII };
	static const struct charset_row unknown = { "", "", 65001, CHARSET_UNKNOWN };
	const struct charset_row *row = charset_find(label);

	if (row == NULL)
		row = label != NULL && plain_name(label) ? &unknown : &nothing;
	if (row->kind <= CHARSET_UTF8 && has_jis_escape(in) && !has_high(in))
		row = charset_find("iso-2022-jp");
	if (row->kind == CHARSET_JIS || row->kind == CHARSET_HZ) {
		as_escaped(out, row, in);
		return;
	}
	if (row->kind == CHARSET_STATEFUL && as_charset(out, utf16_name(row->iconv, in), in, false))
		return;
	if (row->kind == CHARSET_MULTI && has_high(in) && as_charset(out, row->iconv, in, true))
		return;
	if (as_utf8(out, in))
		return;
	if (row->kind == CHARSET_UTF8 && partly_utf8(in))
		utf8_sanitise(out, (const char *)in->data, in->len);
	else if (as_single(out, label, row, in))
		return;
	else if (fallback != NULL && row->kind != CHARSET_LATIN)
		convert(out, fallback, NULL, in);
	else
		latin_to_utf8(out, in);
}

void
mime_charset_to_utf8(struct mf_buf *out, const char *label, const char *fallback, const void *data,
	size_t len, bool cut)
{
	static const struct {
		uint8_t bytes[3];
		uint8_t n;
		const char *name;
	} marks[] = {
		{ { 0xef, 0xbb, 0xbf }, 3, "utf-8" },
		{ { 0xff, 0xfe }, 2, "utf-16" },
		{ { 0xfe, 0xff }, 2, "utf-16" },
	};
	struct input in = { .data = data, .len = len, .cut = cut };

	if (len == 0)
		return;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		if (len < marks[i].n || memcmp(data, marks[i].bytes, marks[i].n) != 0)
			continue;
		label = marks[i].name;
		if (marks[i].n == 3) {
			in.data += 3;
			in.len -= 3;
		}
	}
	convert(out, label, fallback, &in);
}

char *
mime_charset_dup(
	struct mf_arena *a, const char *label, const char *fallback, const void *data, size_t len)
{
	struct mf_buf b;
	char *s;

	mf_buf_init(&b, 0);
	mime_charset_to_utf8(&b, label, fallback, data, len, false);
	s = (char *)mf_memdup(a, b.data, b.len).data;
	mf_buf_deinit(&b);
	return s;
}
