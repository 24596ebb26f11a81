/* Header fields: see fields.h. */
#include "memory/fields.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* ---- Fields ---- */

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* Behind a field that begins at `at`, with its continuation lines. */
static size_t
field_end(struct mf_bytes h, size_t at)
{
	do {
		const uint8_t *nl = memchr(h.data + at, '\n', h.len - at);

		at = nl == NULL ? h.len : (size_t)(nl - h.data) + 1;
	} while (at < h.len && is_blank(h.data[at]));
	return at;
}

bool
memory_field_next(struct mf_bytes h, size_t *at, struct memory_field_one *out)
{
	const uint8_t *colon;
	size_t end, name;

	while (*at < h.len) {
		struct mf_bytes whole;

		end = field_end(h, *at);
		whole = mf_bytes(h.data + *at, end - *at);
		*at = end;
		colon = memchr(whole.data, ':', whole.len);
		if (colon == NULL || is_blank(whole.data[0]))
			continue;
		name = (size_t)(colon - whole.data);
		while (name > 0 && is_blank(whole.data[name - 1]))
			name--;
		out->whole = whole;
		out->name = mf_bytes(whole.data, name);
		out->value = mf_bytes(colon + 1, (size_t)(whole.data + whole.len - colon - 1));
		while (out->value.len > 0 && strchr("\r\n", out->value.data[out->value.len - 1]))
			out->value.len--;
		return true;
	}
	return false;
}

const char *
memory_field_unfold(struct mf_arena *a, struct mf_bytes value)
{
	char *out = mf_alloc(a, value.len + 1), *p = out;

	for (size_t i = 0; i < value.len; i++)
		if (value.data[i] != '\r' && value.data[i] != '\n' && value.data[i] != '\0')
			*p++ = (char)value.data[i];
	while (p > out && is_blank((uint8_t)p[-1]))
		*--p = '\0';
	*p = '\0';
	return out + strspn(out, " \t");
}

static bool
is_named(const struct memory_field_one *f, const char *name)
{
	return f->name.len == strlen(name) &&
	       strncasecmp((const char *)f->name.data, name, f->name.len) == 0;
}

const char *
memory_field_value(struct mf_arena *a, struct mf_bytes header, const char *name)
{
	struct memory_field_one f;

	for (size_t at = 0; memory_field_next(header, &at, &f);)
		if (is_named(&f, name))
			return memory_field_unfold(a, f.value);
	return NULL;
}

struct mf_bytes
memory_field_select(struct mf_arena *a, struct mf_bytes header, const char *const *names)
{
	uint8_t *out = mf_alloc(a, header.len + 2);
	struct memory_field_one f;
	size_t len = 0;

	for (size_t at = 0; memory_field_next(header, &at, &f);)
		for (size_t i = 0; names[i] != NULL; i++)
			if (is_named(&f, names[i])) {
				memcpy(out + len, f.whole.data, f.whole.len);
				len += f.whole.len;
				break;
			}
	out[len++] = '\r';
	out[len++] = '\n';
	return mf_bytes(out, len);
}

/* ---- Parameters ---- */

/* Reads a structured value (RFC 2045) from the left. */
struct reader {
	struct mf_arena *arena;
	const char *at;
};

static void
skip_blanks(struct reader *r)
{
	int depth = 0;

	for (; *r->at != '\0'; r->at++) {
		if (*r->at == '(')
			depth++;
		else if (*r->at == ')' && depth > 0)
			depth--;
		else if (depth == 0 && !is_blank((uint8_t)*r->at))
			return;
	}
}

static const char *
read_until(struct reader *r, const char *stop)
{
	size_t n = strcspn(r->at, stop);
	const char *word = mf_strndup(r->arena, r->at, n);

	r->at += n;
	return word;
}

static const char *
lower(struct mf_arena *a, const char *s)
{
	char *copy = mf_strdup(a, s);

	for (char *p = copy; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return copy;
}

static const char *
read_quoted(struct reader *r)
{
	char *out = mf_alloc(r->arena, strlen(r->at) + 1), *p = out;

	for (r->at++; *r->at != '\0' && *r->at != '"'; r->at++) {
		if (*r->at == '\\' && r->at[1] != '\0')
			r->at++;
		*p++ = *r->at;
	}
	if (*r->at == '"')
		r->at++;
	return out;
}

enum { PARAMS_MAX = 100 };

static const struct mf_param *
read_params(struct reader *r, size_t *n)
{
	struct mf_param *list = mf_new_array(r->arena, struct mf_param, PARAMS_MAX);

	for (*n = 0; *n < PARAMS_MAX;) {
		const char *name;

		skip_blanks(r);
		if (*r->at != ';')
			break;
		r->at++;
		skip_blanks(r);
		name = lower(r->arena, read_until(r, " \t=;("));
		skip_blanks(r);
		if (*r->at != '=')
			continue;
		r->at++;
		skip_blanks(r);
		list[*n].name = name;
		list[*n].value = *r->at == '"' ? read_quoted(r) : read_until(r, " \t;(");
		if (name[0] != '\0')
			(*n)++;
	}
	return list;
}

const char *
memory_field_param(const struct mf_param *params, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(params[i].name, name) == 0)
			return params[i].value;
	return "";
}

/* ---- Content-* ---- */

static void
default_type(struct mf_arena *a, bool digest, struct mf_part *out)
{
	struct mf_param *charset = mf_new(a, struct mf_param);

	out->type = digest ? "message" : "text";
	out->subtype = digest ? "rfc822" : "plain";
	*charset = (struct mf_param){ .name = "charset", .value = "us-ascii" };
	out->params = digest ? NULL : charset;
	out->n_params = digest ? 0 : 1;
}

static void
describe_type(struct mf_arena *a, const char *value, bool digest, struct mf_part *out)
{
	struct reader r = { .arena = a, .at = value == NULL ? "" : value };

	skip_blanks(&r);
	out->type = lower(a, read_until(&r, " \t/;("));
	skip_blanks(&r);
	if (*r.at != '/' || out->type[0] == '\0') {
		default_type(a, digest && value == NULL, out);
		return;
	}
	r.at++;
	skip_blanks(&r);
	out->subtype = lower(a, read_until(&r, " \t;("));
	out->params = read_params(&r, &out->n_params);
}

static void
describe_disposition(struct mf_arena *a, const char *value, struct mf_part *out)
{
	struct reader r = { .arena = a, .at = value == NULL ? "" : value };

	skip_blanks(&r);
	out->disposition = lower(a, read_until(&r, " \t;("));
	out->disposition_params = read_params(&r, &out->n_disposition_params);
}

static const char *
or_empty(const char *s)
{
	return s == NULL ? "" : s;
}

void
memory_field_describe(
	struct mf_arena *a, struct mf_bytes header, bool digest, bool deeper, struct mf_part *out)
{
	struct reader encoding = { .arena = a };
	bool multipart;

	describe_type(a, memory_field_value(a, header, "Content-Type"), digest, out);
	multipart = strcmp(out->type, "multipart") == 0;
	if (multipart && (!deeper || memory_field_param(
					     out->params, out->n_params, "boundary")[0] == '\0')) {
		default_type(a, false, out);
		multipart = false;
	}
	describe_disposition(a, memory_field_value(a, header, "Content-Disposition"), out);
	out->location = or_empty(memory_field_value(a, header, "Content-Location"));
	encoding.at = or_empty(memory_field_value(a, header, "Content-Transfer-Encoding"));
	skip_blanks(&encoding);
	out->encoding = lower(a, read_until(&encoding, " \t;("));
	if (out->encoding[0] == '\0')
		out->encoding = "7bit";
	/* BODYSTRUCTURE does not tell these of multiparts. */
	out->content_id = multipart ? "" : or_empty(memory_field_value(a, header, "Content-ID"));
	out->description =
		multipart ? "" : or_empty(memory_field_value(a, header, "Content-Description"));
	if (multipart)
		out->encoding = "";
}
