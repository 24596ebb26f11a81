/* BODYSTRUCTURE: the grammar of RFC 9051 body, with limits on depth and count. Pure. */
#include "structure.h"

#include <stdio.h>
#include <string.h>

enum { DEEPEST = 40, PARTS_MOST = 2000, PARAMS_MOST = 100 };

struct reading {
	struct mf_arena *a;
	struct imap_lex *x;
	unsigned depth, parts;
};

struct node {
	struct mf_part part;
	struct node *next;
};

static char *
copy(struct reading *r, struct mf_bytes b)
{
	return mf_strndup(r->a, (const char *)b.data, b.len);
}

/* A string; "" for NIL. */
static const char *
string(struct reading *r)
{
	struct mf_bytes b = imap_lex_string(r->x);

	imap_lex_take(r->x, ' ');
	return b.len == 0 ? "" : copy(r, b);
}

static const char *
lower(struct reading *r)
{
	struct mf_bytes b = imap_lex_string(r->x);
	char *s;

	imap_lex_take(r->x, ' ');
	if (b.len == 0)
		return "";
	s = copy(r, b);
	for (char *p = s; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p + 0x20);
	return s;
}

static uint64_t
number(struct reading *r)
{
	uint64_t n = 0;

	/* NIL where servers know no size. */
	if (r->x->p < r->x->end && *r->x->p >= '0' && *r->x->p <= '9')
		n = imap_lex_number(r->x);
	else
		imap_lex_skip(r->x);
	imap_lex_take(r->x, ' ');
	return n;
}

static const struct mf_param *
params(struct reading *r, size_t *n)
{
	struct mf_param found[PARAMS_MOST], *out;

	*n = 0;
	if (!imap_lex_take(r->x, '(')) {
		imap_lex_skip(r->x); /* NIL */
		imap_lex_take(r->x, ' ');
		return NULL;
	}
	while (!r->x->bad && !imap_lex_take(r->x, ')')) {
		struct mf_param p;

		p.name = lower(r);
		p.value = string(r);
		if (*n < PARAMS_MOST)
			found[(*n)++] = p;
	}
	imap_lex_take(r->x, ' ');
	if (*n == 0)
		return NULL;
	out = mf_new_array(r->a, struct mf_param, *n);
	memcpy(out, found, *n * sizeof(*out));
	return out;
}

/* ("attachment" ("filename" "a.txt")) or NIL or, of old servers, a string. */
static void
disposition(struct reading *r, struct mf_part *p)
{
	if (!imap_lex_take(r->x, '(')) {
		p->disposition = lower(r);
		return;
	}
	p->disposition = lower(r);
	if (!imap_lex_peek(r->x, ')'))
		p->disposition_params = params(r, &p->n_disposition_params);
	imap_lex_want(r->x, ')');
	imap_lex_take(r->x, ' ');
}

static bool
more(const struct reading *r)
{
	return !r->x->bad && !imap_lex_peek(r->x, ')');
}

/* What may follow: disposition, language, location, and things to come. */
static void
extensions(struct reading *r, struct mf_part *p)
{
	if (more(r))
		disposition(r, p);
	if (more(r)) {
		imap_lex_skip(r->x);
		imap_lex_take(r->x, ' ');
	}
	if (more(r))
		p->location = string(r);
	while (more(r)) {
		imap_lex_skip(r->x);
		imap_lex_take(r->x, ' ');
	}
}

static bool body(struct reading *r, const char *section, bool is_message, struct mf_part *p);

static const char *
child_section(struct reading *r, const char *parent, unsigned i)
{
	return *parent == '\0' ? mf_printf(r->a, "%u", i) : mf_printf(r->a, "%s.%u", parent, i);
}

static void
multipart(struct reading *r, struct mf_part *p)
{
	struct node *first = NULL, **last = &first;
	struct mf_part *children;
	size_t n = 0;

	while (imap_lex_peek(r->x, '(')) {
		struct node *node = mf_new(r->a, struct node);

		if (body(r, child_section(r, p->section, (unsigned)n + 1), false, &node->part)) {
			*last = node;
			last = &node->next;
			n++;
		}
		imap_lex_take(r->x, ' ');
	}
	children = n == 0 ? NULL : mf_new_array(r->a, struct mf_part, n);
	p->children = children;
	p->n_children = n;
	for (struct node *node = first; node != NULL; node = node->next)
		*children++ = node->part;
	p->type = "multipart";
	p->subtype = lower(r);
	if (more(r))
		p->params = params(r, &p->n_params);
	extensions(r, p);
}

static void
message(struct reading *r, struct mf_part *p)
{
	struct mf_part *child = mf_new(r->a, struct mf_part);

	imap_lex_skip(r->x); /* the envelope: our callers read headers */
	imap_lex_take(r->x, ' ');
	if (body(r, p->section, true, child)) {
		p->children = child;
		p->n_children = 1;
	}
	imap_lex_take(r->x, ' ');
	p->lines = number(r);
}

static void
single(struct reading *r, struct mf_part *p)
{
	p->type = lower(r);
	p->subtype = lower(r);
	p->params = params(r, &p->n_params);
	p->content_id = string(r);
	p->description = string(r);
	p->encoding = lower(r);
	p->size = number(r);
	if (strcmp(p->type, "text") == 0 && more(r))
		p->lines = number(r);
	else if (strcmp(p->type, "message") == 0 && imap_lex_peek(r->x, '('))
		message(r, p);
	if (more(r))
		(void)string(r); /* MD5 */
	extensions(r, p);
}

/* One body of that section; the body of a message takes the message's section, ".1" when it is no
 * multipart. False: malformed, or beyond the limits and skipped. */
static bool
body(struct reading *r, const char *section, bool is_message, struct mf_part *p)
{
	*p = (struct mf_part){ .section = section,
		.type = "",
		.subtype = "",
		.content_id = "",
		.description = "",
		.encoding = "",
		.disposition = "",
		.location = "" };
	if (r->depth == DEEPEST || r->parts == PARTS_MOST) {
		imap_lex_skip(r->x);
		return false;
	}
	r->depth++;
	r->parts++;
	imap_lex_want(r->x, '(');
	if (imap_lex_peek(r->x, '(')) {
		multipart(r, p);
	} else {
		if (is_message)
			p->section = child_section(r, section, 1);
		single(r, p);
	}
	imap_lex_want(r->x, ')');
	r->depth--;
	return !r->x->bad;
}

const struct mf_part *
imap_structure_read(struct mf_arena *a, struct imap_lex *x)
{
	struct reading r = { .a = a, .x = x };
	struct mf_part *top = mf_new(a, struct mf_part);

	return body(&r, "", true, top) ? top : NULL;
}

static const struct mf_part *
find(const struct mf_part *p, const char *section, size_t len)
{
	const struct mf_part *found = NULL;

	if (strlen(p->section) == len && memcmp(p->section, section, len) == 0)
		return p;
	for (size_t i = 0; i < p->n_children && found == NULL; i++)
		found = find(&p->children[i], section, len);
	return found;
}

bool
imap_structure_has(const struct mf_part *top, const char *section)
{
	size_t len = strspn(section, "0123456789.");
	const struct mf_part *p;

	if (len == 0)
		return true;
	if (section[len] != '\0')
		len--; /* the dot before a word */
	p = find(top, section, len);
	if (p == NULL || section[len] == '\0' || strcmp(section + len, ".MIME") == 0)
		return p != NULL;
	return strcmp(p->type, "message") == 0 && p->n_children > 0;
}
