/*
 * HTML's tags, text and entities. Names of characters are libxml2's.
 */
#include "mime/html_token.h"

#include <libxml/HTMLparser.h>
#include <string.h>

#include "base/str.h"
#include "base/utf8.h"

enum { ENTITY_MAX = 10 }; /* the longest name */

static bool
is_letter(char c)
{
	return (unsigned char)((c | 0x20) - 'a') < 26;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

void
html_reader_init(struct html_reader *r, const char *html, size_t len)
{
	memset(r, 0, sizeof(*r));
	r->at = html;
	r->end = html + len;
}

/* ---- Tags ---- */

/* Behind the quote that closes the value at p (p[0] is the quote); NULL: none does. */
static const char *
behind_quote(struct html_reader *r, const char *p)
{
	bool *none = &r->no_quote[*p == '\''];
	const char *close = *none ? NULL : memchr(p + 1, *p, (size_t)(r->end - (p + 1)));

	*none = close == NULL;
	return close == NULL ? NULL : close + 1;
}

/* The '>' of the tag whose attributes begin at p; end: it is cut off. Quotes protect a '>' where a value begins
 * with them. */
static const char *
tag_end(struct html_reader *r, const char *p)
{
	while (p < r->end && *p != '>') {
		const char *next;

		if (*p++ != '=')
			continue;
		while (p < r->end && is_space(*p))
			p++;
		if (p == r->end || (*p != '"' && *p != '\''))
			continue;
		next = behind_quote(r, p);
		p = next == NULL ? p + 1 : next;
	}
	return p;
}

static bool
is_name(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || c == ':' || c == '-' || c == '_' ||
	       c == '.';
}

static const char *
read_name(const struct html_reader *r, const char *p, char out[HTML_NAME_MAX + 1])
{
	size_t n = 0;

	for (; p < r->end && is_name(*p); p++)
		if (n < HTML_NAME_MAX)
			out[n++] = (char)(*p >= 'A' && *p <= 'Z' ? *p + ('a' - 'A') : *p);
	out[n] = '\0';
	return p;
}

/* The '/' behind it belongs to no value: "<a href=http://a/>" is not empty. */
static bool
ends_value(char c)
{
	return is_space(c) || c == '"' || c == '\'';
}

/* p: behind "<" or "</". */
static enum html_kind
read_tag(struct html_reader *r, const char *p, enum html_kind kind, struct html_token *out)
{
	const char *from = read_name(r, p, out->name), *to = tag_end(r, from);

	out->kind = to == r->end ? HTML_END : kind; /* one that is cut off says nothing */
	out->empty = to > from && to[-1] == '/' && (to - 1 == from || ends_value(to[-2]));
	out->text = mf_bytes(from, (size_t)(to - from));
	r->at = to == r->end ? to : to + 1;
	if (kind == HTML_OPEN && !out->empty &&
		(strcmp(out->name, "script") == 0 || strcmp(out->name, "style") == 0))
		memcpy(r->raw, out->name, sizeof(r->raw));
	return out->kind;
}

/* ---- What is neither tag nor text ---- */

/* Behind the first '>' from p on. */
static const char *
behind_close(const struct html_reader *r, const char *p)
{
	const char *close = memchr(p, '>', (size_t)(r->end - p));

	return close == NULL ? r->end : close + 1;
}

/* A comment ("<!--") that never ends would hide all that follows: then it ends with its tag. */
static const char *
behind_comment(struct html_reader *r, const char *p)
{
	const char *close =
		r->no_comment_end ? NULL : memmem(p + 4, (size_t)(r->end - (p + 4)), "-->", 3);

	r->no_comment_end = close == NULL;
	return close == NULL ? behind_close(r, p) : close + 3;
}

/* To the end tag of a script or style; without one it is all of the rest. */
static void
skip_raw(struct html_reader *r)
{
	size_t len = strlen(r->raw);
	const char *p = r->at;

	while ((p = memmem(p, (size_t)(r->end - p), "</", 2)) != NULL) {
		if ((size_t)(r->end - p) >= len + 2 && str_ieqn(p + 2, r->raw, len))
			break;
		p += 2;
	}
	r->raw[0] = '\0';
	r->at = p == NULL ? r->end : p;
}

/* At a '<' that begins no text: a tag (true: it is in out) or something that is left out. */
static bool
read_markup(struct html_reader *r, struct html_token *out)
{
	const char *p = r->at + 1;

	if (*p == '/' && is_letter(p[1])) {
		read_tag(r, p + 1, HTML_CLOSE, out);
		return true;
	}
	if (is_letter(*p)) {
		read_tag(r, p, HTML_OPEN, out);
		return true;
	}
	r->at = r->end - p >= 3 && memcmp(p, "!--", 3) == 0 ? behind_comment(r, p - 1)
							    : behind_close(r, p);
	return false;
}

/* Does markup begin at p (a '<')? */
static bool
is_markup(const struct html_reader *r, const char *p)
{
	if (r->end - p < 2)
		return false;
	if (p[1] == '/')
		return r->end - p > 2 && (is_letter(p[2]) || is_space(p[2]) || p[2] == '>');
	return is_letter(p[1]) || p[1] == '!' || p[1] == '?';
}

/* The first markup from p on; end: none. */
static const char *
find_markup(const struct html_reader *r, const char *p)
{
	while (p < r->end && (p = memchr(p, '<', (size_t)(r->end - p))) != NULL) {
		if (is_markup(r, p))
			return p;
		p++;
	}
	return r->end;
}

enum html_kind
html_read(struct html_reader *r, struct html_token *out)
{
	if (r->raw[0] != '\0')
		skip_raw(r);
	while (r->at < r->end) {
		const char *next = find_markup(r, r->at);

		if (next > r->at) {
			out->kind = HTML_TEXT;
			out->text = mf_bytes(r->at, (size_t)(next - r->at));
			r->at = next;
			return out->kind;
		}
		if (read_markup(r, out))
			return out->kind;
	}
	return out->kind = HTML_END;
}

/* ---- Entities ---- */

static size_t
put_utf8(uint32_t c, char *out)
{
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (c & 0x3f));
		c >>= 6;
	}
	out[0] = (char)(lead[n] | c);
	return n;
}

/* "&#8364;" and "&#x20ac;", the semicolon as it comes. A number that is no character stands for nothing. */
static size_t
read_number(const char *s, size_t len, char *out, size_t *n)
{
	uint32_t base = len > 2 && (s[2] | 0x20) == 'x' ? 16 : 10, c = 0;
	size_t from = base == 16 ? 3 : 2, i = from;

	for (; i < len; i++) {
		unsigned digit = (unsigned char)s[i] - '0';

		if (digit > 9)
			digit = is_letter(s[i]) ? (unsigned)((s[i] | 0x20) - 'a') + 10 : base;
		if (digit >= base)
			break;
		c = c > 0x110000 ? c : c * base + digit;
	}
	if (i == from)
		return 0;
	*n = c == 0 || c > 0x10ffff ? 0 : put_utf8(c, out);
	if (!utf8_valid_xml(out, *n))
		*n = 0;
	return i + (i < len && s[i] == ';');
}

static size_t
read_named(const char *s, size_t len, char *out, size_t *n)
{
	char name[ENTITY_MAX + 1];
	size_t i = 1;
	const htmlEntityDesc *e;

	while (i < len && i <= ENTITY_MAX && (is_letter(s[i]) || (s[i] >= '0' && s[i] <= '9'))) {
		name[i - 1] = s[i];
		i++;
	}
	name[i - 1] = '\0';
	if (i == len || s[i] != ';')
		return 0;
	if (strcmp(name, "nbsp") == 0) {
		*n = put_utf8(0xa0, out);
		return i + 1;
	}
	e = htmlEntityLookup((const xmlChar *)name);
	if (e == NULL)
		return 0;
	*n = put_utf8(e->value, out);
	return i + 1;
}

size_t
html_entity(const char *s, size_t len, char *out, size_t *n)
{
	*n = 0;
	if (len < 3)
		return 0;
	return s[1] == '#' ? read_number(s, len, out, n) : read_named(s, len, out, n);
}

/* ---- Attributes ---- */

static void
add_decoded(struct mf_buf *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len;) {
		const char *amp = memchr(s + i, '&', len - i);
		size_t plain = amp == NULL ? len - i : (size_t)(amp - s) - i, taken, n;
		char c[4];

		mf_buf_add(out, s + i, plain);
		i += plain;
		if (i == len)
			return;
		taken = html_entity(s + i, len - i, c, &n);
		if (taken == 0) {
			taken = n = 1;
			c[0] = '&';
		}
		mf_buf_add(out, c, n);
		i += taken;
	}
}

/* Takes the next attribute off *p; false: there is none. */
static bool
next_attribute(const char **p, const char *end, struct mf_bytes *name, struct mf_bytes *value)
{
	const char *s = *p, *from;

	while (s < end && (is_space(*s) || *s == '/'))
		s++;
	if (s == end)
		return false;
	for (from = s++; s < end && !is_space(*s) && *s != '=' && *s != '/';)
		s++;
	*name = mf_bytes(from, (size_t)(s - from));
	*value = mf_bytes(NULL, 0);
	while (s < end && is_space(*s))
		s++;
	if (s < end && *s == '=') {
		const char *close = NULL;

		for (s++; s < end && is_space(*s);)
			s++;
		from = s;
		if (s < end && (*s == '"' || *s == '\''))
			close = memchr(s + 1, *s, (size_t)(end - (s + 1)));
		if (close != NULL) {
			from++;
			s = close;
		} else {
			while (s < end && !is_space(*s))
				s++;
		}
		*value = mf_bytes(from, (size_t)(s - from));
		s += close != NULL;
	}
	*p = s;
	return true;
}

bool
html_attribute(const struct html_token *tag, const char *name, struct mf_buf *out)
{
	const char *p = (const char *)tag->text.data, *end = p + tag->text.len;
	struct mf_bytes n, value;

	while (next_attribute(&p, end, &n, &value)) {
		if (n.len != strlen(name) || !str_ieqn((const char *)n.data, name, n.len))
			continue;
		add_decoded(out, (const char *)value.data, value.len);
		return true;
	}
	return false;
}
