/* Decodes what a search must see: see text.h. */
#include "memory/text.h"
#include "memory/fields.h"

#include "mailferry/buf.h"

#include <ctype.h>
#include <iconv.h>
#include <locale.h>
#include <string.h>
#include <strings.h>
#include <wchar.h>
#include <wctype.h>

/* ---- Transfer encodings ---- */

static int
base64_digit(uint8_t c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c == '\0' ? NULL : strchr(digits, c);

	return at == NULL ? -1 : (int)(at - digits);
}

static struct mf_bytes
decode_base64(struct mf_arena *a, struct mf_bytes in)
{
	uint8_t *out = mf_alloc(a, in.len + 1);
	unsigned bits = 0, n_bits = 0;
	size_t len = 0;

	for (size_t i = 0; i < in.len; i++) {
		int d = base64_digit(in.data[i]);

		if (d < 0)
			continue;
		bits = (bits << 6 | (unsigned)d) & 0xFFFFFF;
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			out[len++] = (uint8_t)(bits >> n_bits);
		}
	}
	return mf_bytes(out, len);
}

static int
hex_digit(uint8_t c)
{
	return isdigit(c) ? c - '0' : isxdigit(c) ? tolower(c) - 'a' + 10 : -1;
}

/* word: '_' is a blank (RFC 2047). */
static struct mf_bytes
decode_quoted(struct mf_arena *a, struct mf_bytes in, bool word)
{
	uint8_t *out = mf_alloc(a, in.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < in.len; i++) {
		uint8_t c = in.data[i];

		if (c == '=' && i + 2 < in.len && hex_digit(in.data[i + 1]) >= 0 &&
			hex_digit(in.data[i + 2]) >= 0) {
			c = (uint8_t)(hex_digit(in.data[i + 1]) * 16 + hex_digit(in.data[i + 2]));
			i += 2;
		} else if (c == '=' && i + 1 < in.len && strchr("\r\n", in.data[i + 1])) {
			i += in.data[i + 1] == '\r' && i + 2 < in.len && in.data[i + 2] == '\n' ? 2
												: 1;
			continue;
		} else if (c == '_' && word) {
			c = ' ';
		}
		out[len++] = c;
	}
	return mf_bytes(out, len);
}

/* ---- Charsets ---- */

/* To UTF-8; bytes that are none of the charset are left out. */
static const char *
convert(struct mf_arena *a, struct mf_bytes in, const char *charset)
{
	size_t left = in.len, room = in.len * 4 + 8;
	char *out = mf_alloc(a, room + 1), *to = out;
	char *from = (char *)(uintptr_t)in.data;
	iconv_t cd;

	if (strlen(charset) > 40 || strcasecmp(charset, "us-ascii") == 0 || charset[0] == '\0')
		charset = "UTF-8";
	cd = iconv_open("UTF-8", charset);
	if (cd == (iconv_t)-1)
		return mf_strndup(a, (const char *)in.data, in.len);
	while (left > 0 && iconv(cd, &from, &left, &to, &room) == (size_t)-1 && left > 0) {
		from++;
		left--;
	}
	iconv_close(cd);
	*to = '\0';
	return out;
}

/* ---- Encoded words ---- */

/* "=?charset?Q?text?=" at s: its parts, and its length as the result; 0: none. */
static size_t
encoded_word(struct mf_arena *a, const char *s, const char **out)
{
	const char *charset = s + 2, *encoding, *text, *end;
	struct mf_bytes raw;

	if (strncmp(s, "=?", 2) != 0 || (encoding = strchr(charset, '?')) == NULL ||
		encoding[1] == '\0' || encoding[2] != '?')
		return 0;
	text = encoding + 3;
	end = strstr(text, "?=");
	if (end == NULL)
		return 0;
	raw = mf_bytes(text, (size_t)(end - text));
	raw = tolower((unsigned char)encoding[1]) == 'b' ? decode_base64(a, raw)
							 : decode_quoted(a, raw, true);
	*out = convert(a, raw, mf_strndup(a, charset, strcspn(charset, "*?")));
	return (size_t)(end + 2 - s);
}

const char *
memory_text_words(struct mf_arena *a, const char *value)
{
	struct mf_buf out;
	bool after_word = false;
	const char *text;

	mf_buf_init(&out, 0);
	while (*value != '\0') {
		const char *word;
		size_t n = encoded_word(a, value, &word);
		size_t blanks = strspn(value, " \t");

		if (n > 0) {
			mf_buf_add_str(&out, word);
		} else if (after_word && blanks > 0 && strncmp(value + blanks, "=?", 2) == 0) {
			value += blanks; /* between words: not shown */
			continue;
		} else {
			mf_buf_add_byte(&out, (uint8_t)*value);
		}
		after_word = n > 0;
		value += n > 0 ? n : 1;
	}
	text = mf_strndup(a, mf_buf_str(&out), out.len);
	mf_buf_deinit(&out);
	return text;
}

/* ---- Bodies ---- */

const char *
memory_text_body(struct mf_arena *a, const struct memory_mime_place *p, struct mf_bytes message)
{
	struct mf_bytes raw = mf_bytes(message.data + p->body, p->end - p->body);

	if (strcmp(p->part->encoding, "base64") == 0)
		raw = decode_base64(a, raw);
	else if (strcmp(p->part->encoding, "quoted-printable") == 0)
		raw = decode_quoted(a, raw, false);
	return convert(a, raw, memory_field_param(p->part->params, p->part->n_params, "charset"));
}

static const struct memory_mime_place *
first_text(const struct memory_mime_place *p)
{
	const struct memory_mime_place *found = NULL;

	if (strcmp(p->part->type, "text") == 0 && strcmp(p->part->subtype, "plain") == 0)
		return p;
	for (size_t i = 0; i < p->part->n_children && found == NULL; i++)
		found = first_text(&p->children[i]);
	return found;
}

const char *
memory_text_preview(
	struct mf_arena *a, const struct memory_mime_place *root, struct mf_bytes message)
{
	const struct memory_mime_place *p = first_text(root);
	const char *text = p == NULL ? "" : memory_text_body(a, p, message);
	char *out = mf_alloc(a, strlen(text) + 1), *to = out;
	size_t characters = 0;

	for (; *text != '\0'; text++) {
		bool blank = isspace((unsigned char)*text);

		if (blank && (to == out || to[-1] == ' '))
			continue;
		if ((*text & 0xC0) != 0x80 && characters++ == 200)
			break;
		*to++ = blank ? ' ' : *text;
	}
	while (to > out && to[-1] == ' ')
		to--;
	*to = '\0';
	return out;
}

/* ---- Comparing ---- */

/* Lower case as UTF-32; bytes that are no UTF-8 stand for themselves. NULL at the end. */
static const wchar_t *
fold(struct mf_arena *a, const char *text, locale_t locale)
{
	wchar_t *out = mf_new_array(a, wchar_t, strlen(text) + 1), *to = out;
	const unsigned char *s = (const unsigned char *)text;

	while (*s != '\0') {
		unsigned more = *s >= 0xF0 ? 3 : *s >= 0xE0 ? 2 : *s >= 0xC0 ? 1 : 0;
		wint_t c = more == 0 ? *s : *s & (0x3FU >> more);

		for (s++; more > 0 && (*s & 0xC0) == 0x80; more--)
			c = c << 6 | (*s++ & 0x3FU);
		*to++ = (wchar_t)towlower_l(c, locale);
	}
	return out;
}

bool
memory_text_holds(struct mf_arena *a, const char *text, const char *what)
{
	locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	bool holds;

	if (locale == (locale_t)0)
		return strcasestr(text, what) != NULL;
	holds = wcsstr(fold(a, text, locale), fold(a, what, locale)) != NULL;
	freelocale(locale);
	return holds;
}
