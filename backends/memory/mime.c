/* Takes messages apart: see mime.h. Every loop ends at the range it was given. */
#include "memory/mime.h"
#include "memory/fields.h"

#include <string.h>

enum { DEPTH_MAX = 30, PARTS_MAX = 1000, PLACES_MAX = 64 };

struct range {
	size_t from, to;
};

struct splitter {
	struct mf_arena *arena;
	const uint8_t *data;
	size_t parts;
};

/* What is to be split, and how it is called. */
struct entity {
	struct range range;
	const char *section;
	const char *prefix; /* of the sections below */
	bool message;	    /* the body of the message `section`, not the part of that number */
	bool digest;	    /* in a multipart/digest */
	unsigned depth;
};

static void split_entity(struct splitter *s, const struct entity *e, struct memory_mime_place *out,
	struct mf_part *part);

/* ---- Lines ---- */

/* Behind the line that begins at `at`. */
static size_t
line_end(const struct splitter *s, size_t at, size_t to)
{
	const uint8_t *nl = at < to ? memchr(s->data + at, '\n', to - at) : NULL;

	return nl == NULL ? to : (size_t)(nl - s->data) + 1;
}

static bool
line_is_empty(const struct splitter *s, size_t at, size_t to)
{
	return s->data[at] == '\n' ||
	       (s->data[at] == '\r' && at + 1 < to && s->data[at + 1] == '\n');
}

/* Behind the empty line that ends the header; the end where there is no body. */
static size_t
header_end(const struct splitter *s, struct range r)
{
	for (size_t at = r.from; at < r.to;) {
		size_t next = line_end(s, at, r.to);

		if (line_is_empty(s, at, r.to))
			return next;
		at = next;
	}
	return r.to;
}

static uint64_t
count_lines(const struct splitter *s, struct range r)
{
	uint64_t n = 0;

	for (size_t at = r.from; at < r.to; at++)
		n += s->data[at] == '\n';
	return n;
}

/* ---- Multiparts ---- */

enum delimiter { NONE, NEXT, LAST };

static enum delimiter
delimiter(const struct splitter *s, size_t at, size_t to, const char *boundary)
{
	size_t n = strlen(boundary);
	enum delimiter kind = NEXT;

	if (to - at < n + 2 || memcmp(s->data + at, "--", 2) != 0 ||
		memcmp(s->data + at + 2, boundary, n) != 0)
		return NONE;
	at += n + 2;
	if (to - at >= 2 && memcmp(s->data + at, "--", 2) == 0) {
		kind = LAST;
		at += 2;
	}
	while (at < to && (s->data[at] == ' ' || s->data[at] == '\t' || s->data[at] == '\r'))
		at++;
	return at == to || s->data[at] == '\n' ? kind : NONE;
}

/* The line end before a delimiter belongs to it. */
static size_t
without_newline(const struct splitter *s, size_t from, size_t at)
{
	if (at > from && s->data[at - 1] == '\n')
		at--;
	if (at > from && s->data[at - 1] == '\r')
		at--;
	return at;
}

/* The ranges of a multipart's parts; the last may lack its delimiter. */
static struct range *
find_parts(struct splitter *s, struct range r, const char *boundary, size_t *n)
{
	struct range *list = mf_new_array(s->arena, struct range, PLACES_MAX);
	size_t cap = PLACES_MAX, began = SIZE_MAX;

	*n = 0;
	for (size_t at = r.from, next; at <= r.to; at = next) {
		enum delimiter kind = at == r.to ? LAST : delimiter(s, at, r.to, boundary);

		next = at == r.to ? at + 1 : line_end(s, at, r.to);
		if (kind == NONE)
			continue;
		if (began != SIZE_MAX && s->parts++ < PARTS_MAX) {
			if (*n == cap) {
				struct range *more = mf_new_array(s->arena, struct range, cap * 2);

				memcpy(more, list, cap * sizeof(*list));
				list = more;
				cap *= 2;
			}
			list[(*n)++] = (struct range){ began,
				at == r.to ? at : without_newline(s, began, at) };
		}
		if (kind == LAST)
			break;
		began = next;
	}
	return list;
}

static void
children_new(struct splitter *s, size_t n, struct memory_mime_place *out, struct mf_part *part,
	struct memory_mime_place **places, struct mf_part **parts)
{
	*places = mf_new_array(s->arena, struct memory_mime_place, n + 1);
	*parts = mf_new_array(s->arena, struct mf_part, n + 1);
	out->children = *places;
	part->children = *parts;
	part->n_children = n;
}

static void
split_multipart(struct splitter *s, const struct entity *e, struct memory_mime_place *out,
	struct mf_part *part)
{
	const char *boundary = memory_field_param(part->params, part->n_params, "boundary");
	struct memory_mime_place *places;
	struct mf_part *parts;
	struct range *ranges;
	size_t n;

	ranges = find_parts(s, (struct range){ out->body, out->end }, boundary, &n);
	children_new(s, n, out, part, &places, &parts);
	for (size_t i = 0; i < n; i++) {
		const char *section = mf_printf(s->arena, "%s%zu", e->prefix, i + 1);
		struct entity child = {
			.range = ranges[i],
			.section = section,
			.prefix = mf_printf(s->arena, "%s.", section),
			.digest = strcmp(part->subtype, "digest") == 0,
			.depth = e->depth + 1,
		};

		split_entity(s, &child, &places[i], &parts[i]);
	}
}

/* ---- Messages in messages ---- */

static void
split_message(struct splitter *s, const struct entity *e, struct memory_mime_place *out,
	struct mf_part *part)
{
	struct entity child = {
		.range = { out->body, out->end },
		.section = e->section,
		.prefix = e->prefix,
		.message = true,
		.depth = e->depth + 1,
	};
	struct memory_mime_place *places;
	struct mf_part *parts;

	children_new(s, 1, out, part, &places, &parts);
	split_entity(s, &child, &places[0], &parts[0]);
}

static bool
is_message(const struct mf_part *p)
{
	return strcmp(p->type, "message") == 0 &&
	       (strcmp(p->subtype, "rfc822") == 0 || strcmp(p->subtype, "global") == 0);
}

static bool
is_plain_encoding(const char *encoding)
{
	return strcmp(encoding, "7bit") == 0 || strcmp(encoding, "8bit") == 0 ||
	       strcmp(encoding, "binary") == 0;
}

static void
split_body(struct splitter *s, const struct entity *e, struct memory_mime_place *out,
	struct mf_part *part)
{
	struct range body = { out->body, out->end };

	if (strcmp(part->type, "multipart") == 0) {
		split_multipart(s, e, out, part);
		return;
	}
	part->size = body.to - body.from;
	if (strcmp(part->type, "text") == 0 || is_message(part))
		part->lines = count_lines(s, body);
	if (is_message(part) && is_plain_encoding(part->encoding) && e->depth < DEPTH_MAX &&
		s->parts++ < PARTS_MAX)
		split_message(s, e, out, part);
}

static void
split_entity(struct splitter *s, const struct entity *e, struct memory_mime_place *out,
	struct mf_part *part)
{
	struct entity here = *e;
	struct mf_bytes header;

	out->part = part;
	out->header = e->range.from;
	out->body = header_end(s, e->range);
	out->end = e->range.to;
	header = mf_bytes(s->data + out->header, out->body - out->header);
	memory_field_describe(s->arena, header, e->digest, e->depth < DEPTH_MAX, part);
	/* The body of a message is its part 1, unless it is a multipart. */
	if (e->message && strcmp(part->type, "multipart") != 0) {
		here.section = mf_printf(s->arena, "%s1", e->prefix);
		here.prefix = mf_printf(s->arena, "%s.", here.section);
	}
	part->section = here.section;
	split_body(s, &here, out, part);
}

const struct memory_mime_place *
memory_mime_split(struct mf_arena *a, struct mf_bytes message)
{
	struct splitter s = { .arena = a, .data = message.data };
	struct memory_mime_place *root = mf_new(a, struct memory_mime_place);
	struct entity whole = {
		.range = { 0, message.len },
		.section = "",
		.prefix = "",
		.message = true,
	};

	split_entity(&s, &whole, root, mf_new(a, struct mf_part));
	return root;
}

/* ---- Sections ---- */

/* A message/rfc822 part comes before the multipart in it that has the same section. */
static const struct memory_mime_place *
find(const struct memory_mime_place *p, const char *section)
{
	const struct memory_mime_place *found = NULL;

	if (strcmp(p->part->section, section) == 0)
		return p;
	for (size_t i = 0; i < p->part->n_children && found == NULL; i++)
		found = find(&p->children[i], section);
	return found;
}

static bool
cut(const struct memory_mime_place *p, const char *what, struct mf_bytes message,
	struct mf_bytes *out)
{
	size_t from = p->header, to = p->end;

	if (strcmp(what, "HEADER") == 0)
		to = p->body;
	else if (strcmp(what, "TEXT") == 0)
		from = p->body;
	else if (what[0] != '\0')
		return false;
	*out = mf_bytes(message.data + from, to - from);
	return true;
}

bool
memory_mime_section(const struct memory_mime_place *root, struct mf_bytes message,
	const char *section, struct mf_bytes *out)
{
	size_t digits = strspn(section, "0123456789.");
	const struct memory_mime_place *p;
	char number[64];

	if (digits == 0)
		return cut(root, section, message, out);
	if (digits >= sizeof(number))
		return false;
	memcpy(number, section, digits);
	number[digits] = '\0';
	if (section[digits] != '\0' && number[digits - 1] == '.')
		number[digits - 1] = '\0';
	p = find(root, number);
	if (p == NULL)
		return false;
	section += digits;
	if (section[0] == '\0')
		return cut(p, "TEXT", message, out);
	if (strcmp(section, "MIME") == 0)
		return cut(p, "HEADER", message, out);
	return is_message(p->part) && p->part->n_children > 0 &&
	       cut(&p->children[0], section, message, out);
}

struct mf_bytes
memory_mime_header(struct mf_arena *a, const struct memory_mime_place *root,
	struct mf_bytes message, const char *const *fields)
{
	struct mf_bytes header = mf_bytes(message.data, root->body);

	return fields == NULL ? header : memory_field_select(a, header, fields);
}
