/*
 * Parameters of Content-Type and Content-Disposition: their syntax, and their values by RFC 2231, RFC
 * 2047 and by what software writes instead of both. Knows no field but these.
 */
#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "mime/charset.h"
#include "mime/header.h"

enum { PARAMS_MAX = 64, PIECES_MAX = 100, VALUE_MAX = 8192 };

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* ---- Syntax ---- */

struct cursor {
	struct mf_arena *a;
	const char *s, *end;
};

static void
skip_space(struct cursor *c)
{
	while (c->s < c->end) {
		if (*c->s == '(') {
			const char *close = memchr(c->s, ')', (size_t)(c->end - c->s));

			c->s = close == NULL ? c->end : close + 1;
		} else if (is_space(*c->s)) {
			c->s++;
		} else {
			break;
		}
	}
}

/* Up to one of the marks, in lower case without blanks at the end. */
static const char *
read_token(struct cursor *c, const char *marks)
{
	const char *begin;
	char *s;
	size_t n;

	skip_space(c);
	begin = c->s;
	while (c->s < c->end && *c->s != '\0' && strchr(marks, *c->s) == NULL && !is_space(*c->s))
		c->s++;
	n = (size_t)(c->s - begin);
	s = mf_strndup(c->a, begin, n);
	skip_space(c);
	return str_lower(c->a, s);
}

/* A quoted value: only quotes and backslashes are unescaped, for Windows' paths are not. */
static const char *
read_quoted(struct cursor *c)
{
	char *s = mf_alloc(c->a, (size_t)(c->end - c->s) + 1);
	size_t n = 0;

	for (c->s++; c->s < c->end && *c->s != '"'; c->s++) {
		if (*c->s == '\\' && c->s + 1 < c->end && (c->s[1] == '"' || c->s[1] == '\\'))
			c->s++;
		if (*c->s != '\r' && *c->s != '\n' && *c->s != '\0')
			s[n++] = *c->s;
	}
	if (c->s < c->end)
		c->s++;
	return s;
}

/* A value without quotes reaches to the semicolon, blanks inside included: names of files are often
 * not quoted. */
static const char *
read_value(struct cursor *c)
{
	const char *begin, *end;
	char *s;
	size_t n = 0;

	skip_space(c);
	if (c->s < c->end && *c->s == '"')
		return read_quoted(c);
	begin = c->s;
	while (c->s < c->end && *c->s != ';')
		c->s++;
	end = c->s;
	while (end > begin && is_space(end[-1]))
		end--;
	s = mf_alloc(c->a, (size_t)(end - begin) + 1);
	for (; begin < end; begin++)
		if (*begin != '\r' && *begin != '\n' && *begin != '\0')
			s[n++] = *begin;
	return s;
}

static const struct mf_param *
read_params(struct cursor *c, size_t *n)
{
	struct mf_param list[PARAMS_MAX], *copy;

	*n = 0;
	while (c->s < c->end && *n < PARAMS_MAX) {
		const char *name;

		while (c->s < c->end && (*c->s == ';' || is_space(*c->s)))
			c->s++;
		name = read_token(c, "=;");
		if (c->s < c->end && *c->s == '=') {
			c->s++;
			list[*n].name = name;
			list[*n].value = read_value(c);
			*n += *name != '\0';
		}
		while (c->s < c->end && *c->s != ';')
			c->s++;
	}
	copy = mf_new_array(c->a, struct mf_param, *n);
	if (*n > 0)
		memcpy(copy, list, *n * sizeof(*copy));
	return copy;
}

static struct cursor
cursor_of(struct mf_arena *a, struct mf_bytes raw)
{
	const char *s = raw.len == 0 ? "" : (const char *)raw.data;

	return (struct cursor){ .a = a, .s = s, .end = s + raw.len };
}

/* Only what RFC 2045 calls a token: the rest of us shows and compares it. */
static bool
is_token(const char *s)
{
	size_t n = 0;

	for (; s[n] != '\0'; n++)
		if (s[n] <= ' ' || s[n] > '~' || strchr("()<>@,;:\\\"/[]?=", s[n]) != NULL)
			return false;
	return n > 0 && n < 80;
}

void
mime_content_type_parse(struct mf_arena *a, struct mf_bytes raw, struct mime_content_type *out)
{
	struct cursor c = cursor_of(a, raw);
	const char *type, *subtype = "";

	type = read_token(&c, "/;=\"");
	if (c.s < c.end && *c.s == '/') {
		c.s++;
		subtype = read_token(&c, ";=\"/");
	}
	while (c.s < c.end && *c.s != ';')
		c.s++;
	if (*subtype == '\0' && strcmp(type, "text") == 0)
		subtype = "plain";
	if (!is_token(type) || !is_token(subtype)) {
		subtype = *type == '\0' || strcmp(type, "text") == 0 ? "plain" : "octet-stream";
		type = *subtype == 'p' ? "text" : "application";
	}
	out->type = type;
	out->subtype = subtype;
	out->params = read_params(&c, &out->n_params);
}

const char *
mime_disposition_parse(
	struct mf_arena *a, struct mf_bytes raw, const struct mf_param **params, size_t *n)
{
	struct cursor c = cursor_of(a, raw);
	const char *word = read_token(&c, ";=\"");

	if (c.s < c.end && *c.s == '=') /* the disposition itself is missing */
		c = cursor_of(a, raw);
	while (c.s < c.end && *c.s != ';' && is_token(word))
		c.s++;
	*params = read_params(&c, n);
	return is_token(word) ? word : "";
}

/* ---- Values ---- */

/* A piece of a long value: "filename*2*" is number 2, extended. */
struct piece {
	const char *value;
	bool extended;
};

/* Which piece of `name` this parameter is; -1: none of it, 0 for "name*". */
static int
piece_number(const char *param, const char *name, bool *extended, bool *numbered)
{
	size_t len = strlen(name), digits;
	int n = 0;

	if (!str_ieqn(param, name, len) || param[len] != '*')
		return -1;
	param += len + 1;
	digits = strspn(param, "0123456789");
	*numbered = digits > 0;
	if (digits > 3 || (param[digits] != '\0' && strcmp(param + digits, "*") != 0))
		return -1;
	for (size_t i = 0; i < digits; i++)
		n = n * 10 + (param[i] - '0');
	*extended = digits == 0 || param[digits] == '*';
	return n < PIECES_MAX ? n : -1;
}

static int
hex(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : (c | 32) - 'a' + 10;
}

static void
add_percent(struct mf_buf *b, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '%' && isxdigit((unsigned char)s[1]) && isxdigit((unsigned char)s[2])) {
			mf_buf_add_byte(b, (uint8_t)(hex(s[1]) << 4 | hex(s[2])));
			s += 2;
		} else {
			mf_buf_add_byte(b, (uint8_t)*s);
		}
	}
}

/* Cuts "charset'language'" off the first piece; the charset goes to label. */
static const char *
cut_charset(const char *s, char *label, size_t size)
{
	const char *quote = strchr(s, '\''), *second;
	size_t n;

	label[0] = '\0';
	if (quote == NULL)
		return s;
	second = strchr(quote + 1, '\'');
	if (second == NULL)
		return s;
	n = (size_t)(quote - s);
	if (n >= size)
		n = size - 1;
	memcpy(label, s, n);
	label[n] = '\0';
	return second + 1;
}

/* Joins pieces 0, 1, ... as far as they go. */
static const char *
join_pieces(struct mf_arena *a, const struct piece *pieces, const char *charset)
{
	char label[64] = "";
	struct mf_buf b;
	const char *s;

	mf_buf_init(&b, VALUE_MAX);
	for (size_t i = 0; i < PIECES_MAX && pieces[i].value != NULL; i++) {
		s = pieces[i].value;
		if (i == 0 && pieces[i].extended)
			s = cut_charset(s, label, sizeof(label));
		if (pieces[i].extended)
			add_percent(&b, s);
		else
			mf_buf_add_str(&b, s);
	}
	s = mime_charset_dup(a, label[0] == '\0' ? NULL : label, charset, b.data, b.len);
	s = mime_text_decode(a, mf_bytes_str(s), "utf-8");
	mf_buf_deinit(&b);
	return s;
}

/* A value in pieces, or with a charset of its own; NULL: it has none such. */
static const char *
starred(struct mf_arena *a, const struct mf_param *params, size_t n, const char *name,
	const char *charset)
{
	struct piece pieces[PIECES_MAX] = { { NULL, false } };
	const char *star = NULL;

	for (size_t i = 0; i < n; i++) {
		bool extended, numbered;
		int number = piece_number(params[i].name, name, &extended, &numbered);

		if (number >= 0 && !numbered && star == NULL)
			star = params[i].value;
		else if (number >= 0 && numbered && pieces[number].value == NULL)
			pieces[number] = (struct piece){ params[i].value, extended };
	}
	if (star != NULL && *star != '\0') {
		memset(pieces, 0, sizeof(pieces));
		pieces[0] = (struct piece){ star, true };
	}
	return pieces[0].value == NULL ? NULL : join_pieces(a, pieces, charset);
}

const char *
mime_param(struct mf_arena *a, const struct mf_param *params, size_t n, const char *name,
	const char *charset)
{
	const char *plain = NULL, *value = NULL;
	bool star = false;

	for (size_t i = 0; i < n; i++) {
		if (plain == NULL && str_ieq(params[i].name, name))
			plain = params[i].value;
		star |= strchr(params[i].name, '*') != NULL;
	}
	if (star)
		value = starred(a, params, n, name, charset);
	if (value == NULL && plain != NULL)
		value = mime_text_decode(a, mf_bytes_str(plain), charset);
	return value;
}
