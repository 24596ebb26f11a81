/*
 * Which parts of a message are its text and which its attachments. A walk over the tree: each subtree
 * gives its text as plain and as HTML, multiparts say how their children's join.
 */
#include "mime/structure.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "mime/attachment.h"
#include "mime/charset.h"

/* The text of a subtree in both formats; a format that it lacks is empty. */
struct texts {
	struct mime_text plain, html;
};

struct walk {
	struct mf_arena *a;
	struct mime_structure *out;
	size_t cap;
	bool any_text;	       /* a text was found already */
	unsigned alternatives; /* how many multipart/alternative are around */
};

static void
attach(struct walk *w, const struct mf_part *part, bool related)
{
	struct mime_structure *s = w->out;

	if (s->n_attachments == MIME_ATTACHMENTS_MAX)
		return;
	if (s->n_attachments == w->cap) {
		struct mime_attachment *more =
			mf_new_array(w->a, struct mime_attachment, w->cap * 2 + 4);

		if (s->n_attachments > 0)
			memcpy(more, s->attachments, s->n_attachments * sizeof(*more));
		s->attachments = more;
		w->cap = w->cap * 2 + 4;
	}
	mime_attachment_read(
		w->a, part, s->n_attachments, related, &s->attachments[s->n_attachments]);
	s->n_attachments++;
}

/* Appends; what does not fit is shown as attachment, not lost. */
static void
append(struct walk *w, struct mime_text *to, const struct mime_text *from, bool attach_rest)
{
	for (size_t i = 0; i < from->n; i++) {
		if (to->n < MIME_TEXTS_MAX)
			to->parts[to->n++] = from->parts[i];
		else if (attach_rest)
			attach(w, from->parts[i], false);
	}
}

static bool
has_name(struct walk *w, const struct mf_part *part)
{
	return *mime_part_name(w->a, part) != '\0';
}

/* Text that is shown as text: not one that is meant as a file. */
static bool
is_body(struct walk *w, const struct mf_part *part)
{
	static const char *const subtypes[] = { "plain", "html", "enriched", "richtext", "markdown",
		"x-markdown", "x-amp-html", "watch-html" };
	bool known = false;

	if (strcmp(part->type, "text") != 0 || strcmp(part->disposition, "attachment") == 0)
		return false;
	for (size_t i = 0; i < sizeof(subtypes) / sizeof(subtypes[0]); i++)
		known |= strcmp(part->subtype, subtypes[i]) == 0;
	return known && (!w->any_text || !has_name(w, part));
}

/* Takes the first text/calendar. True: it is shown as a meeting, not as a file. */
static bool
is_calendar(struct walk *w, const struct mf_part *part)
{
	const char *method;
	char *upper;

	if (!mime_part_is(part, "text", "calendar") || w->out->calendar != NULL)
		return false;
	method = mime_param(w->a, part->params, part->n_params, "method", NULL);
	upper = mf_strdup(w->a, method == NULL ? "" : method);
	for (char *p = upper; *p != '\0'; p++)
		*p = *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p;
	w->out->calendar = part;
	w->out->calendar_method = upper;
	return w->alternatives > 0 || mime_class_of_method(upper) != NULL;
}

static void
walk_leaf(struct walk *w, const struct mf_part *part, bool related, struct texts *out)
{
	if (is_body(w, part)) {
		struct mime_text *t = mime_part_is(part, "text", "html") ? &out->html : &out->plain;

		if (strcmp(part->subtype, "x-amp-html") == 0 ||
			strcmp(part->subtype, "watch-html") == 0)
			return; /* for other clients: never shown, never missed */
		t->parts[t->n++] = part;
		w->any_text = true;
		if (w->out->charset == NULL)
			w->out->charset =
				mime_param(w->a, part->params, part->n_params, "charset", NULL);
		return;
	}
	if (is_calendar(w, part) && !has_name(w, part) &&
		strcmp(part->disposition, "attachment") != 0)
		return;
	attach(w, part, related);
}

static void walk(struct walk *w, const struct mf_part *part, unsigned depth, bool related,
	struct texts *out);

/* Nothing but line ends and a blank here and there: what some programs send beside HTML. */
static bool
is_blank(const struct mime_text *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->parts[i]->size > 3 * t->parts[i]->lines)
			return false;
	return true;
}

/* The same text in several formats: of each format the richest, that is the last. */
static void
walk_alternative(struct walk *w, const struct mf_part *part, unsigned depth, struct texts *out)
{
	bool had = w->any_text;

	w->alternatives++;
	for (size_t i = 0; i < part->n_children; i++) {
		struct texts t = { 0 };

		w->any_text = had;
		walk(w, &part->children[i], depth + 1, false, &t);
		if (t.plain.n > 0 && out->plain.n == 0)
			out->plain = t.plain;
		if (t.html.n > 0)
			out->html = t.html;
	}
	if (out->html.n > 0 && is_blank(&out->plain))
		out->plain.n = 0;
	w->alternatives--;
	w->any_text = had || out->plain.n > 0 || out->html.n > 0;
}

/* The part that multipart/related is about: its start parameter's, else the first. */
static size_t
related_root(struct walk *w, const struct mf_part *part)
{
	const char *start = mime_param(w->a, part->params, part->n_params, "start", NULL);

	for (size_t i = 0; start != NULL && *start != '\0' && i < part->n_children; i++)
		if (strcmp(part->children[i].content_id, start) == 0)
			return i;
	return 0;
}

/* Which children of a multipart stand beside its text. */
enum others { OTHERS_TEXT, OTHERS_RELATED, OTHERS_ATTACHED };

static enum others
others_of(const struct mf_part *part)
{
	if (strcmp(part->subtype, "related") == 0)
		return OTHERS_RELATED;
	if (strcmp(part->subtype, "signed") == 0 || strcmp(part->subtype, "report") == 0)
		return OTHERS_ATTACHED;
	return OTHERS_TEXT;
}

/* A child whose text is joined to its siblings': in the format that it has. */
static void
join(struct walk *w, const struct texts *t, struct texts *out)
{
	bool both = t->plain.n > 0 && t->html.n > 0;

	append(w, &out->plain, t->plain.n > 0 ? &t->plain : &t->html, !both);
	append(w, &out->html, t->html.n > 0 ? &t->html : &t->plain, both);
}

static void
walk_mixed(struct walk *w, const struct mf_part *part, unsigned depth, struct texts *out)
{
	enum others others = others_of(part);
	size_t root = others == OTHERS_RELATED ? related_root(w, part) : 0;
	bool any_html = false, any_plain = false;

	for (size_t i = 0; i < part->n_children; i++) {
		struct texts t = { 0 };

		if (i != root && others != OTHERS_TEXT &&
			strcmp(part->children[i].type, "multipart") != 0) {
			attach(w, &part->children[i], others == OTHERS_RELATED);
			continue;
		}
		walk(w, &part->children[i], depth + 1, others == OTHERS_RELATED && i != root, &t);
		any_html |= t.html.n > 0;
		any_plain |= t.plain.n > 0;
		join(w, &t, out);
	}
	/* What is all of one kind says so: a parent may have the other from elsewhere. */
	if (!any_html)
		out->html.n = 0;
	if (!any_plain)
		out->plain.n = 0;
}

static void
walk(struct walk *w, const struct mf_part *part, unsigned depth, bool related, struct texts *out)
{
	if (strcmp(part->type, "multipart") != 0 || part->n_children == 0) {
		walk_leaf(w, part, related, out);
	} else if (depth >= MIME_DEPTH_MAX) {
		attach(w, part, related);
	} else if (strcmp(part->subtype, "alternative") == 0) {
		walk_alternative(w, part, depth, out);
	} else if (strcmp(part->subtype, "appledouble") == 0) {
		walk(w, &part->children[part->n_children - 1], depth + 1, related, out);
	} else if (strcmp(part->subtype, "encrypted") == 0) {
		for (size_t i = 0; i < part->n_children; i++)
			attach(w, &part->children[i], false);
	} else {
		walk_mixed(w, part, depth, out);
	}
}

static void
read_protection(struct mf_arena *a, const struct mf_part *root, struct mime_structure *out)
{
	const char *kind;

	out->is_signed = mime_part_is(root, "multipart", "signed");
	out->is_encrypted = mime_part_is(root, "multipart", "encrypted");
	if (str_istarts(out->message_class, "IPM.Note.SMIME") && !out->is_signed) {
		kind = mime_param(a, root->params, root->n_params, "smime-type", NULL);
		out->is_signed = str_ieq(kind, "signed-data");
		out->is_encrypted = !out->is_signed;
	}
}

static bool
any_html(const struct mime_text *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (mime_part_is(t->parts[i], "text", "html"))
			return true;
	return false;
}

void
mime_structure_read(struct mf_arena *a, const struct mf_part *root,
	const struct mime_header *header, struct mime_structure *out)
{
	struct walk w = { .a = a, .out = out };
	struct texts t = { 0 };

	memset(out, 0, sizeof(*out));
	out->message_class = "IPM.Note";
	out->calendar_method = "";
	out->codepage = mime_charset_codepage(NULL);
	if (root == NULL)
		return;
	walk(&w, root, 0, false, &t);
	out->plain = t.plain.n > 0 ? t.plain : t.html;
	out->html = t.html.n > 0 ? t.html : t.plain;
	out->native = out->plain.n == 0	     ? MIME_NATIVE_NONE
		      : any_html(&out->html) ? MIME_NATIVE_HTML
					     : MIME_NATIVE_PLAIN;
	out->codepage = mime_charset_codepage(out->charset);
	out->message_class = mime_class_of(a, root, header, out, &out->class_detail);
	read_protection(a, root, out);
}

static const struct mf_part *
find(const struct mf_part *part, const char *section, unsigned depth)
{
	if (strcmp(part->section, section) == 0)
		return part;
	for (size_t i = 0; depth < 2 * MIME_DEPTH_MAX && i < part->n_children; i++) {
		const struct mf_part *found = find(&part->children[i], section, depth + 1);

		if (found != NULL)
			return found;
	}
	return NULL;
}

const struct mf_part *
mime_part_find(const struct mf_part *root, const char *section)
{
	return root == NULL ? NULL : find(root, section, 0);
}
