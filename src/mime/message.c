/*
 * A raw message's tree, found by looking for boundary lines: every part with the exact bytes that it
 * takes. Bounded in depth and parts; linear in the size for each level.
 */
#include <string.h>

#include "base/str.h"
#include "mime/decode.h"
#include "mime/structure.h"

enum { PARTS_MAX = 1000, BOUNDARY_MAX = 250 };

struct reader {
	struct mf_arena *a;
	struct mime_place *places;
	size_t n, cap;
};

/* Where an entity stands in the numbering: its own section, and what its children's begin with. */
struct number {
	const char *section;
	const char *prefix; /* "" or "1.2." */
};

static void read_entity(struct reader *r, struct mf_bytes raw, unsigned depth, bool digest,
	struct number number, struct mf_part *out);

/* ---- Boundaries ---- */

struct splitter {
	struct mf_bytes body;
	const char *boundary;
	size_t len, at;
	bool closed;
};

/* The next delimiter line from `at` on: where it begins and where the following line begins. */
static bool
find_delimiter(struct splitter *s, size_t *begin, size_t *after)
{
	const uint8_t *data = s->body.data, *p;

	while (s->at + s->len + 2 <= s->body.len &&
		(p = memmem(data + s->at, s->body.len - s->at, s->boundary, s->len)) != NULL) {
		size_t at = (size_t)(p - data), end = at + s->len;
		bool line = at >= 2 && data[at - 1] == '-' && data[at - 2] == '-' &&
			    (at == 2 || data[at - 3] == '\n' || data[at - 3] == '\r');

		s->at = at + 1;
		if (!line)
			continue;
		s->closed = end + 1 < s->body.len && data[end] == '-' && data[end + 1] == '-';
		end += s->closed ? 2 : 0;
		while (end < s->body.len && (data[end] == ' ' || data[end] == '\t'))
			end++;
		if (end < s->body.len && data[end] != '\n' && data[end] != '\r' && !s->closed)
			continue; /* a longer boundary that begins like this one */
		end += end < s->body.len && data[end] == '\r';
		end += end < s->body.len && data[end] == '\n';
		*begin = at - 2;
		*after = end;
		s->at = end;
		return true;
	}
	return false;
}

/* Without the line end before a delimiter: it belongs to the delimiter (RFC 2046 5.1.1). */
static size_t
before_line_end(struct mf_bytes body, size_t from, size_t end)
{
	if (end > from && body.data[end - 1] == '\n')
		end--;
	if (end > from && body.data[end - 1] == '\r')
		end--;
	return end;
}

struct pieces {
	struct mf_bytes *list;
	size_t n, cap, max;
};

static void
piece_add(struct mf_arena *a, struct pieces *p, const uint8_t *from, size_t len)
{
	if (p->n == p->cap) {
		struct mf_bytes *more = mf_new_array(a, struct mf_bytes, p->cap * 2 + 4);

		if (p->n > 0)
			memcpy(more, p->list, p->n * sizeof(*more));
		p->list = more;
		p->cap = p->cap * 2 + 4;
	}
	p->list[p->n++] = mf_bytes(from, len);
}

/* The raw children of a multipart, at most out->max. A missing last delimiter is forgiven. */
static void
split(struct mf_arena *a, struct mf_bytes body, const char *boundary, struct pieces *out)
{
	struct splitter s = { .body = body, .boundary = boundary, .len = strlen(boundary) };
	size_t begin, after, from = 0;
	bool inside = false;

	if (s.len == 0 || s.len > BOUNDARY_MAX || body.len == 0)
		return;
	while (out->n < out->max && !s.closed && find_delimiter(&s, &begin, &after)) {
		size_t end = before_line_end(body, from, begin);

		if (inside)
			piece_add(a, out, body.data + from, end - from);
		inside = !s.closed;
		from = after;
	}
	if (inside && out->n < out->max && from < body.len)
		piece_add(a, out, body.data + from, body.len - from);
}

/* ---- Parts ---- */

/* A raw value as a string, unfolded: NUL and line ends go. */
static const char *
raw_string(struct mf_arena *a, struct mf_bytes raw)
{
	char *s = mf_alloc(a, raw.len + 1);
	size_t n = 0;

	for (size_t i = 0; i < raw.len; i++)
		if (raw.data[i] != '\0' && raw.data[i] != '\r' && raw.data[i] != '\n')
			s[n++] = (char)raw.data[i];
	return s;
}

static void
read_fields(struct mf_arena *a, const struct mime_header *h, bool digest, struct mf_part *out)
{
	const struct mime_field *type = mime_header_find(h, "Content-Type");
	struct mime_content_type t;

	mime_content_type_parse(a, type == NULL ? mf_bytes(NULL, 0) : type->value, &t);
	out->type = t.type;
	out->subtype = t.subtype;
	if (digest && type == NULL) {
		out->type = "message";
		out->subtype = "rfc822";
	}
	out->params = t.params;
	out->n_params = t.n_params;
	out->content_id = raw_string(a, mime_header_raw(h, "Content-Id"));
	out->description = raw_string(a, mime_header_raw(h, "Content-Description"));
	out->location = raw_string(a, mime_header_raw(h, "Content-Location"));
	out->encoding =
		str_lower(a, raw_string(a, mime_header_raw(h, "Content-Transfer-Encoding")));
	out->disposition = mime_disposition_parse(a, mime_header_raw(h, "Content-Disposition"),
		&out->disposition_params, &out->n_disposition_params);
}

static uint64_t
count_lines(struct mf_bytes b)
{
	uint64_t n = 0;

	for (size_t i = 0; i < b.len; i++)
		n += b.data[i] == '\n';
	return n;
}

static void
place_add(
	struct reader *r, const struct mf_part *part, struct mf_bytes header, struct mf_bytes body)
{
	if (r->n == r->cap) {
		struct mime_place *more = mf_new_array(r->a, struct mime_place, r->cap * 2 + 8);

		if (r->n > 0)
			memcpy(more, r->places, r->n * sizeof(*more));
		r->places = more;
		r->cap = r->cap * 2 + 8;
	}
	r->places[r->n++] = (struct mime_place){ part, header, body };
}

/* The children of a multipart. One that has none is no multipart: its content is shown as text. */
static void
read_children(struct reader *r, struct mf_bytes body, unsigned depth, const char *prefix,
	struct mf_part *out)
{
	const char *boundary = mime_param(r->a, out->params, out->n_params, "boundary", NULL);
	bool digest = strcmp(out->subtype, "digest") == 0;
	struct pieces raw = { .max = r->n < PARTS_MAX ? PARTS_MAX - r->n : 0 };
	struct mf_part *children;

	if (boundary != NULL)
		split(r->a, body, boundary, &raw);
	if (raw.n == 0) {
		out->type = "text";
		out->subtype = "plain";
		return;
	}
	children = mf_new_array(r->a, struct mf_part, raw.n);
	for (size_t i = 0; i < raw.n; i++) {
		const char *section = mf_printf(r->a, "%s%zu", prefix, i + 1);
		struct number number = { section, mf_printf(r->a, "%s.", section) };

		read_entity(r, raw.list[i], depth + 1, digest, number, &children[i]);
	}
	out->children = children;
	out->n_children = raw.n;
}

/* The number of a message's own body: "" or "2.TEXT" of a multipart, "1" or "2.1" of a leaf. */
static void
read_message(struct reader *r, struct mf_bytes raw, unsigned depth, const char *prefix,
	struct mf_part *out)
{
	struct number number = { NULL, prefix };

	read_entity(r, raw, depth, false, number, out);
}

static void
read_embedded(struct reader *r, struct mf_bytes body, unsigned depth, const char *prefix,
	struct mf_part *out)
{
	struct mf_part *child = mf_new(r->a, struct mf_part);

	read_message(r, body, depth + 1, prefix, child);
	out->children = child;
	out->n_children = 1;
}

static void
read_entity(struct reader *r, struct mf_bytes raw, unsigned depth, bool digest,
	struct number number, struct mf_part *out)
{
	struct mime_header h;
	struct mf_bytes body;
	bool multipart, message;

	mime_header_parse(r->a, raw, &h);
	read_fields(r->a, &h, digest, out);
	body = mf_bytes(raw.data + h.size, raw.len - h.size);
	out->size = body.len;
	out->lines = count_lines(body);
	place_add(r, out, mf_bytes(raw.data, h.size), body);
	multipart = strcmp(out->type, "multipart") == 0 && depth < MIME_DEPTH_MAX;
	message = strcmp(out->type, "message") == 0 &&
		  (strcmp(out->subtype, "rfc822") == 0 || strcmp(out->subtype, "global") == 0);
	if (multipart)
		read_children(r, body, depth, number.prefix, out);
	else if (message && number.section != NULL && depth < MIME_DEPTH_MAX &&
		 mime_encoding_parse(out->encoding) == MIME_ENCODING_NONE && r->n < PARTS_MAX)
		read_embedded(r, body, depth, number.prefix, out);
	if (number.section != NULL)
		out->section = number.section;
	else if (*number.prefix == '\0')
		out->section = out->n_children > 0 && multipart ? "" : "1";
	else
		out->section = mf_printf(r->a, "%s%s", number.prefix,
			out->n_children > 0 && multipart ? "TEXT" : "1");
}

enum mf_status
mime_message_parse(
	struct mf_arena *a, struct mf_bytes raw, struct mime_message *out, struct mf_error *err)
{
	struct reader r = { .a = a };
	struct mf_part *root = mf_new(a, struct mf_part);

	memset(out, 0, sizeof(*out));
	if (raw.len == 0)
		return mf_fail(err, MF_INVALID, "mime: empty message");
	out->raw = raw;
	mime_header_parse(a, raw, &out->header);
	read_message(&r, raw, 0, "", root);
	out->root = root;
	out->places = r.places;
	out->n_places = r.n;
	return MF_OK;
}

const struct mime_place *
mime_message_place(const struct mime_message *m, const struct mf_part *part)
{
	for (size_t i = 0; i < m->n_places; i++)
		if (m->places[i].part == part)
			return &m->places[i];
	return NULL;
}

struct mf_bytes
mime_message_part(const struct mime_message *m, const struct mf_part *part)
{
	const struct mime_place *place = mime_message_place(m, part);

	return place == NULL ? mf_bytes(NULL, 0) : place->body;
}
