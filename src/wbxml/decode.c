/*
 * The decoder: bytes to a tree in an arena. Knows tokens and limits, no command.
 *
 * Reads follow the sticky-error way: the first failure stays, later reads give zeros, and only the
 * loop looks at it. Of WBXML, ActiveSync uses tokens, code pages, inline strings and opaque data
 * (MS-ASWBXML 2.1.3); everything else is refused by name.
 */
#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"
#include "wbxml/token.h"
#include "wbxml/wbxml.h"

const struct wbxml_limits wbxml_limits_default = {
	.bytes = 16 << 20,
	.depth = 32,
	.elements = 100000,
	.string = 1 << 20,
};

/* An element that is still open. */
struct frame {
	struct wbxml_node *node;
	struct wbxml_node *last; /* its last child so far */
	char *joined;		 /* its text when it came in more than one string */
	size_t len, cap;	 /* of the text */
};

struct reader {
	struct mf_arena *arena;
	const uint8_t *start, *p, *end;
	const struct wbxml_limits *limits;
	bool strict;
	uint8_t page;
	size_t elements;
	struct wbxml_node *root;
	struct frame *frames;
	unsigned depth;
	enum mf_status status;
	struct mf_error *err;
};

/* The first failure stays; reading goes on at the end. */
static void __attribute__((format(printf, 3, 4)))
fail(struct reader *r, enum mf_status status, const char *fmt, ...)
{
	char why[120];
	va_list ap;

	if (r->status != MF_OK)
		return;
	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	r->status = mf_fail(r->err, status, "wbxml: byte %zu: %s", (size_t)(r->p - r->start), why);
	r->p = r->end;
}

static uint8_t
get_byte(struct reader *r)
{
	if (r->p == r->end) {
		fail(r, MF_INVALID, "cut short");
		return 0;
	}
	return *r->p++;
}

/* mb_u_int32: seven bits a byte, the highest first, at most five bytes and 32 bits. */
static uint32_t
get_number(struct reader *r)
{
	uint32_t n = 0;
	uint8_t c;

	for (unsigned i = 0; i < 5; i++) {
		c = get_byte(r);
		if (n > UINT32_MAX >> 7)
			break;
		n = n << 7 | (c & 0x7f);
		if (c < 0x80)
			return r->status == MF_OK ? n : 0;
	}
	fail(r, MF_INVALID, "a number of more than 32 bits");
	return 0;
}

static void
get_header(struct reader *r)
{
	uint8_t version = get_byte(r);
	uint32_t public_id, charset, strings;

	if (version < 1 || version > WBXML_VERSION)
		fail(r, MF_INVALID, "not WBXML 1.1 to 1.3 (first byte %02x)", version);
	public_id = get_number(r);
	if (public_id == 0)
		fail(r, MF_INVALID, "a public identifier in the string table");
	charset = get_number(r);
	if (charset != WBXML_UTF8)
		fail(r, MF_INVALID, "charset %u is not UTF-8", (unsigned)charset);
	strings = get_number(r);
	if (strings != 0)
		fail(r, MF_INVALID, "a string table");
}

static struct frame *
top(struct reader *r)
{
	return &r->frames[r->depth - 1];
}

static void
link_node(struct reader *r, struct wbxml_node *n)
{
	struct frame *f;

	if (r->depth == 0) {
		r->root = n;
		return;
	}
	f = top(r);
	if (f->last == NULL)
		f->node->children = n;
	else
		f->last->next = n;
	f->last = n;
}

static void
get_element(struct reader *r, uint8_t token)
{
	uint16_t tag = (uint16_t)(r->page << 8 | (token & WBXML_TOKEN_LAST));
	struct wbxml_node *n;

	if (token & WBXML_ATTRIBUTES)
		fail(r, MF_INVALID, "attributes");
	else if (r->strict && wbxml_tag_name(tag) == NULL)
		fail(r, MF_INVALID, "page %u has no token %02x", (unsigned)r->page, tag & 0xffU);
	else if (r->depth == r->limits->depth)
		fail(r, MF_TOO_LARGE, "nested deeper than %u", r->limits->depth);
	else if (r->elements++ == r->limits->elements)
		fail(r, MF_TOO_LARGE, "more than %zu elements", r->limits->elements);
	if (r->status != MF_OK)
		return;
	n = mf_new(r->arena, struct wbxml_node);
	n->tag = tag;
	link_node(r, n);
	if (token & WBXML_CONTENT)
		r->frames[r->depth++] = (struct frame){ .node = n };
}

/* Joins a further string to an element's text, in memory that doubles. */
static void
join_text(struct reader *r, struct frame *f, const char *s, size_t len)
{
	if (f->joined == NULL || f->len + len + 1 > f->cap) {
		size_t cap = (f->len + len + 1) * 2;
		char *joined = mf_alloc(r->arena, cap);

		memcpy(joined, f->node->text, f->len);
		f->joined = joined;
		f->cap = cap;
		f->node->text = joined;
	}
	memcpy(f->joined + f->len, s, len);
	f->joined[f->len + len] = '\0';
}

static void
get_string(struct reader *r)
{
	struct frame *f = top(r);
	size_t left = (size_t)(r->end - r->p), len = strnlen((const char *)r->p, left);
	const char *s = (const char *)r->p;

	if (len == left) {
		fail(r, MF_INVALID, "a string without its end");
		return;
	}
	r->p += len + 1;
	s = utf8_clean(r->arena, s, len);
	len = strlen(s); /* a repair may have made it longer */
	if (len > r->limits->string - f->len) {
		fail(r, MF_TOO_LARGE, "a text of more than %zu bytes", r->limits->string);
		return;
	}
	if (f->node->text == NULL)
		f->node->text = s;
	else
		join_text(r, f, s, len);
	f->len += len;
}

static void
get_opaque(struct reader *r)
{
	uint32_t len = get_number(r);

	if (len > (size_t)(r->end - r->p))
		fail(r, MF_INVALID, "opaque data of %u bytes, more than there are", (unsigned)len);
	if (r->status != MF_OK)
		return;
	top(r)->node->opaque = mf_bytes(r->p, len);
	r->p += len;
}

/* What stands where only the body of an element may have it. */
static void
get_content(struct reader *r, uint8_t token)
{
	if (r->depth == 0)
		fail(r, MF_INVALID, "token %02x outside of the root element", (unsigned)token);
	else if (token == WBXML_END)
		r->depth--;
	else if (token == WBXML_STR_I)
		get_string(r);
	else
		get_opaque(r);
}

static const char *
refused(uint8_t token)
{
	switch (token) {
	case WBXML_ENTITY:
		return "an entity";
	case WBXML_LITERAL:
	case WBXML_LITERAL_C:
	case WBXML_LITERAL_A:
	case WBXML_LITERAL_AC:
		return "a literal tag";
	case WBXML_PI:
		return "a processing instruction";
	case WBXML_STR_T:
		return "a reference to the string table";
	case WBXML_EXT_I_0:
	case WBXML_EXT_I_1:
	case WBXML_EXT_I_2:
	case WBXML_EXT_T_0:
	case WBXML_EXT_T_1:
	case WBXML_EXT_T_2:
	case WBXML_EXT_0:
	case WBXML_EXT_1:
	case WBXML_EXT_2:
		return "an extension";
	default:
		return NULL;
	}
}

static void
get_token(struct reader *r)
{
	uint8_t token = get_byte(r);

	if (token == WBXML_SWITCH_PAGE)
		r->page = get_byte(r);
	else if (token == WBXML_END || token == WBXML_STR_I || token == WBXML_OPAQUE)
		get_content(r, token);
	else if (refused(token) != NULL)
		fail(r, MF_INVALID, "%s, which ActiveSync does not use", refused(token));
	else
		get_element(r, token);
}

enum mf_status
wbxml_decode(struct mf_arena *a, struct mf_bytes in, const struct wbxml_limits *limits, bool strict,
	struct wbxml_node **root, struct mf_error *err)
{
	struct reader r = {
		.arena = a,
		.start = in.data,
		.p = in.data,
		.end = in.len == 0 ? in.data : in.data + in.len,
		.limits = limits,
		.strict = strict,
		.err = err,
	};

	*root = NULL;
	if (in.len > limits->bytes)
		return mf_fail(err, MF_TOO_LARGE, "wbxml: %zu bytes, the limit is %zu", in.len,
			limits->bytes);
	get_header(&r);
	r.frames = mf_new_array(a, struct frame, limits->depth);
	while (r.status == MF_OK && (r.root == NULL || r.depth > 0))
		get_token(&r);
	if (r.status == MF_OK && r.p < r.end)
		fail(&r, MF_INVALID, "%zu bytes after the root element", (size_t)(r.end - r.p));
	if (r.status == MF_OK)
		*root = r.root;
	return r.status;
}
