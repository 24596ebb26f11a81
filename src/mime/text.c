/*
 * Unstructured header text: unfolding, encoded words (RFC 2047) with all their real-life breakage, raw
 * eight-bit text (RFC 6532 and older sins). Knows no field.
 */
#include <ctype.h>
#include <string.h>

#include "mime/charset.h"
#include "mime/decode.h"
#include "mime/header.h"
#include "mime/word.h"

enum {
	TEXT_MAX = 65536, /* bytes of a field that are decoded */
	WORD_MAX = 4096,  /* RFC 2047 allows 75, software writes more */
	CHARSET_MAX = 60,
};

static bool
is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool
is_base64(uint8_t c)
{
	return isalnum(c) || c == '+' || c == '/' || c == '=' || is_space(c);
}

/* Whether "=?" at s begins what looks like another word. */
static bool
begins_word(const uint8_t *s, size_t len)
{
	size_t i = 2;

	if (len < 6 || s[0] != '=' || s[1] != '?')
		return false;
	while (i < len && i < CHARSET_MAX && s[i] != '?' && s[i] > ' ')
		i++;
	return i + 2 < len && s[i] == '?' && strchr("bBqQ", s[i + 1]) != NULL && s[i + 2] == '?';
}

/* Where the text of a Q word ends: at "?=" that is not itself text ("?=3D"), or where another word
 * begins. SIZE_MAX: nowhere. *skip: bytes of the end mark. */
static size_t
q_end(const uint8_t *s, size_t len, size_t *skip)
{
	size_t maybe = SIZE_MAX;

	for (size_t i = 0; i + 1 < len; i++) {
		*skip = 2;
		if (s[i] == '?' && s[i + 1] == '=') {
			bool hex = i + 3 < len && isxdigit(s[i + 2]) && isxdigit(s[i + 3]);

			if (!hex)
				return i;
			if (maybe == SIZE_MAX)
				maybe = i;
		} else if (maybe != SIZE_MAX && is_space(s[i])) {
			return maybe;
		} else if (begins_word(s + i, len - i)) {
			if (maybe == SIZE_MAX)
				*skip = 0;
			return maybe == SIZE_MAX ? i : maybe;
		}
	}
	return maybe;
}

/* Base64 without its end mark is taken as far as it reaches. */
static size_t
b_end(const uint8_t *s, size_t len, size_t *skip)
{
	size_t i = 0;

	while (i < len && is_base64(s[i]) && !begins_word(s + i, len - i))
		i++;
	*skip = i + 1 < len && s[i] == '?' && s[i + 1] == '=' ? 2 : 0;
	if (*skip == 0 && i < len && s[i] == '?')
		*skip = 1;
	return i > 0 || *skip == 2 ? i : SIZE_MAX;
}

size_t
mime_word_read(const uint8_t *s, size_t len, struct mime_word *out)
{
	size_t i = 2, end, skip = 0;

	if (len > WORD_MAX)
		len = WORD_MAX;
	if (!begins_word(s, len))
		return 0;
	while (s[i] != '?')
		i++;
	out->charset = s + 2;
	out->n_charset = i - 2;
	out->base64 = (s[i + 1] | 32) == 'b';
	i += 3;
	out->text = s + i;
	end = (out->base64 ? b_end : q_end)(s + i, len - i, &skip);
	if (end == SIZE_MAX)
		return 0;
	out->n_text = end;
	return i + end + skip;
}

static int
hex(uint8_t c)
{
	return isdigit(c) ? c - '0' : (c | 32) - 'a' + 10;
}

static void
word_decode(const struct mime_word *w, struct mf_buf *out)
{
	if (w->base64) {
		mime_decode(MIME_ENCODING_BASE64, mf_bytes(w->text, w->n_text), out);
		return;
	}
	for (size_t i = 0; i < w->n_text; i++) {
		uint8_t c = w->text[i];

		if (c == '=' && i + 2 < w->n_text && isxdigit(w->text[i + 1]) &&
			isxdigit(w->text[i + 2])) {
			c = (uint8_t)(hex(w->text[i + 1]) << 4 | hex(w->text[i + 2]));
			i += 2;
		} else if (c == '_') {
			c = ' ';
		} else if (c == '\r' || c == '\n') {
			continue;
		}
		mf_buf_add_byte(out, c);
	}
}

/* Adjacent words of one charset are joined before they are converted: some software cuts characters
 * in two. */
struct joiner {
	struct mf_buf *out;
	struct mf_buf bytes;
	char label[CHARSET_MAX + 1];
	bool open;
	const char *charset; /* of unlabelled bytes */
};

static void
join_flush(struct joiner *j)
{
	if (j->open)
		mime_charset_to_utf8(
			j->out, j->label, j->charset, j->bytes.data, j->bytes.len, false);
	mf_buf_clear(&j->bytes);
	j->open = false;
}

static void
join_word(struct joiner *j, const struct mime_word *w)
{
	char label[CHARSET_MAX + 1];
	size_t n = 0;

	while (n < w->n_charset && n < CHARSET_MAX && w->charset[n] != '*') {
		label[n] = (char)w->charset[n];
		n++;
	}
	label[n] = '\0';
	if (!j->open || strcasecmp(label, j->label) != 0)
		join_flush(j);
	memcpy(j->label, label, sizeof(label));
	word_decode(w, &j->bytes);
	j->open = true;
}

static void
join_literal(struct joiner *j, const uint8_t *s, size_t len, bool before_word)
{
	size_t blanks = 0;

	while (blanks < len && is_space(s[blanks]))
		blanks++;
	if (blanks == len && (len == 0 || (j->open && before_word)))
		return;
	join_flush(j);
	mime_charset_to_utf8(j->out, NULL, j->charset, s, len, false);
}

static void
decode_words(struct mf_buf *out, struct mf_bytes raw, const char *charset)
{
	struct joiner j = { .out = out, .charset = charset };
	size_t literal = 0, i = 0;

	mf_buf_init(&j.bytes, 0);
	while (i < raw.len) {
		const uint8_t *next = memchr(raw.data + i, '=', raw.len - i);
		struct mime_word w;
		size_t n;

		if (next == NULL)
			break;
		i = (size_t)(next - raw.data);
		n = mime_word_read(next, raw.len - i, &w);
		if (n == 0) {
			i++;
			continue;
		}
		join_literal(&j, raw.data + literal, i - literal, true);
		join_word(&j, &w);
		i += n;
		literal = i;
	}
	join_literal(&j, raw.data + literal, raw.len - literal, false);
	join_flush(&j);
	mf_buf_deinit(&j.bytes);
}

/* Line ends vanish before a blank (folding) and become one elsewhere, as other controls do; blanks at
 * the ends go. In place; returns the new length. */
static size_t
tidy(char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		unsigned char next = i + 1 < len ? (unsigned char)s[i + 1] : ' ';

		if ((c == '\r' || c == '\n') && is_space(next))
			continue;
		if (c < ' ' || c == 0x7f)
			c = ' ';
		if (n > 0 || c != ' ')
			s[n++] = (char)c;
	}
	while (n > 0 && s[n - 1] == ' ')
		n--;
	s[n] = '\0';
	return n;
}

/* Nothing to decode: printable ASCII in one line. */
static bool
is_simple(struct mf_bytes raw)
{
	for (size_t i = 0; i < raw.len; i++) {
		uint8_t c = raw.data[i];

		if (c < ' ' || c > '~' || (c == '?' && i > 0 && raw.data[i - 1] == '='))
			return false;
	}
	return true;
}

const char *
mime_text_decode(struct mf_arena *a, struct mf_bytes raw, const char *charset)
{
	struct mf_buf b;
	char *s;

	if (raw.len > TEXT_MAX)
		raw.len = TEXT_MAX;
	if (is_simple(raw)) {
		for (; raw.len > 0 && raw.data[0] == ' '; raw.len--)
			raw.data++;
		while (raw.len > 0 && raw.data[raw.len - 1] == ' ')
			raw.len--;
		return (const char *)mf_memdup(a, raw.data, raw.len).data;
	}
	mf_buf_init(&b, 0);
	decode_words(&b, raw, charset);
	s = (char *)mf_memdup(a, b.data, b.len).data;
	tidy(s, b.len);
	mf_buf_deinit(&b);
	return s;
}

const char *
mime_header_text(
	struct mf_arena *a, const struct mime_header *h, const char *name, const char *charset)
{
	const struct mime_field *f = mime_header_find(h, name);

	return f == NULL ? NULL : mime_text_decode(a, f->value, charset);
}
