/*
 * Replies and forwards put together from two messages. Only the text parts are new; everything else is
 * a view of the bytes that came: attachments, the phone's own parts, their headers. Knows no transport.
 */
#include <assert.h>
#include <string.h>

#include "base/str.h"
#include "mime/build.h"
#include "mime/compose_text.h"
#include "mime/field.h"

struct composer {
	struct mf_arena *a;
	const struct mime_compose *c;
	struct mime_message phone, original;
	struct mime_structure phone_is, original_is;
	/* The phone's parts that get the original's text; NULL where it has none of that format. */
	const struct mf_part *plain, *html;
	bool both;    /* its text becomes multipart/alternative, because the original is HTML */
	bool no_text; /* it has no text part: one is made */
	bool whole;   /* the original is attached as a message */
	bool beside;  /* its pictures can stand beside its HTML */
	uint64_t seed;
	unsigned boundaries;
	struct mime_segments *out;
	size_t cap;
};

/* ---- Segments ---- */

static void
emit(struct composer *k, struct mf_bytes bytes)
{
	struct mime_segments *out = k->out;

	if (bytes.len == 0)
		return;
	if (out->n == k->cap) {
		struct mf_bytes *more = mf_new_array(k->a, struct mf_bytes, k->cap * 2 + 16);

		if (out->n > 0)
			memcpy(more, out->list, out->n * sizeof(*more));
		out->list = more;
		k->cap = k->cap * 2 + 16;
	}
	out->list[out->n++] = bytes;
	out->size += bytes.len;
}

static void
emit_buf(struct composer *k, struct mf_buf *b)
{
	emit(k, mf_memdup(k->a, b->data, b->len));
	mf_buf_deinit(b);
}

__attribute__((format(printf, 2, 3))) static void
emit_text(struct composer *k, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(k, mf_bytes_str(mf_vprintf(k->a, fmt, ap)));
	va_end(ap);
}

/* ---- Boundaries ---- */

/* FNV-1a: boundaries differ between messages and are the same in a repeat. */
static uint64_t
digest(uint64_t seed, struct mf_bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		seed = (seed ^ b.data[i]) * 0x100000001b3U;
	return seed;
}

static bool
contains(struct mf_bytes b, const char *s)
{
	return b.len > 0 && memmem(b.data, b.len, s, strlen(s)) != NULL;
}

/* One that occurs in neither message. */
static const char *
new_boundary(struct composer *k)
{
	const char *s;

	do
		s = mf_printf(k->a, "=_%016llx_%u", (unsigned long long)k->seed, k->boundaries++);
	while (contains(k->c->message, s) || contains(k->c->original, s));
	return s;
}

/* Whether the original's bytes can stand within the phone's multiparts. */
static bool
fits_within(struct composer *k)
{
	for (size_t i = 0; i < k->phone.n_places; i++) {
		const struct mf_part *part = k->phone.places[i].part;
		const char *boundary =
			mime_param(k->a, part->params, part->n_params, "boundary", NULL);

		if (boundary != NULL && contains(k->c->original, mf_printf(k->a, "--%s", boundary)))
			return false;
	}
	return true;
}

/* ---- What the phone's message has ---- */

static bool
any_type(const struct mime_text *t, const char *subtype)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->parts[i]->subtype, subtype) == 0)
			return true;
	return false;
}

static const struct mf_part *
last_part(const struct mime_text *t)
{
	return t->n == 0 ? NULL : t->parts[t->n - 1];
}

static void
find_targets(struct composer *k)
{
	const struct mime_structure *s = &k->phone_is;
	bool original_html = k->original_is.native == MIME_NATIVE_HTML;

	if (any_type(&s->html, "plain") || any_type(&s->plain, "html")) {
		/* One sequence of parts for both formats: the last gets it. */
		const struct mf_part *last = last_part(&s->html);

		if (strcmp(last->subtype, "html") == 0)
			k->html = last;
		else
			k->plain = last;
	} else {
		k->plain = last_part(&s->plain);
		k->html = last_part(&s->html);
	}
	k->no_text = k->plain == NULL && k->html == NULL;
	k->both = original_html && k->html == NULL && k->c->kind == MIME_COMPOSE_FORWARD;
}

static bool
is_target(const struct composer *k, const struct mf_part *part)
{
	return part != NULL && (part == k->plain || part == k->html);
}

/* NOLINTNEXTLINE(misc-no-recursion): bounded by MIME_DEPTH_MAX */
static bool
has_target(const struct composer *k, const struct mf_part *part)
{
	if (is_target(k, part))
		return true;
	for (size_t i = 0; strcmp(part->type, "multipart") == 0 && i < part->n_children; i++)
		if (has_target(k, &part->children[i]))
			return true;
	return false;
}

/* ---- Text ---- */

static bool
left_out(const struct composer *k, const struct mf_part *part)
{
	const char *const *s = k->c->without;

	for (; s != NULL && *s != NULL; s++)
		if (strcmp(*s, part->section) == 0)
			return true;
	return false;
}

/* The original's pictures go with its HTML; elsewhere they are attachments. */
static bool
goes_inline(const struct composer *k, const struct mime_attachment *at)
{
	return at->is_inline && k->beside && !k->whole && (k->html != NULL || k->both) &&
	       !left_out(k, at->part);
}

static bool
any_inline(const struct composer *k)
{
	for (size_t i = 0; i < k->original_is.n_attachments; i++)
		if (goes_inline(k, &k->original_is.attachments[i]))
			return true;
	return false;
}

/* The header of a part with its empty line. Of a message's root only what tells of its body. */
static void
emit_part_header(struct composer *k, const struct mime_place *place, bool root)
{
	struct mf_bytes header = place->header;
	struct mime_scan scan;
	struct mime_field f;

	mime_scan_init(&scan, header);
	while (mime_scan_next(&scan, &f))
		if (root && f.name.len > 8 && str_ieqn((const char *)f.name.data, "Content-", 8))
			emit(k, f.whole);
	if (root)
		emit_text(k, "\r\n");
	else
		emit(k, header);
	if (!root && !scan.ended)
		emit_text(k, "\r\n\r\n");
}

static void
emit_original_part(struct composer *k, const struct mf_part *part, const char *boundary)
{
	const struct mime_place *place = mime_message_place(&k->original, part);

	emit_text(k, "\r\n--%s\r\n", boundary);
	emit_part_header(k, place, part == k->original.root);
	emit(k, place->body);
}

/* One text part, new: the phone's text with the original's. */
static void
emit_leaf(struct composer *k, struct mf_bytes text, enum mime_format format)
{
	struct mf_buf with, entity;

	mf_buf_init(&with, 0);
	mf_buf_init(&entity, 0);
	if (k->whole)
		mf_buf_add(&with, text.data, text.len);
	else
		mime_add_original(
			k->a, &with, text, format, k->c->kind, &k->original, &k->original_is);
	mime_add_text_entity(&entity, mf_buf_bytes(&with), format);
	mf_buf_deinit(&with);
	emit_buf(k, &entity);
}

/* HTML with the original's pictures beside it. */
static void
emit_html(struct composer *k, struct mf_bytes text)
{
	const char *boundary;

	if (!any_inline(k)) {
		emit_leaf(k, text, MIME_HTML);
		return;
	}
	boundary = new_boundary(k);
	emit_text(k,
		"Content-Type: multipart/related; type=\"text/html\";\r\n "
		"boundary=\"%s\"\r\n\r\n--%s\r\n",
		boundary, boundary);
	emit_leaf(k, text, MIME_HTML);
	for (size_t i = 0; i < k->original_is.n_attachments; i++)
		if (goes_inline(k, &k->original_is.attachments[i]))
			emit_original_part(k, k->original_is.attachments[i].part, boundary);
	emit_text(k, "\r\n--%s--\r\n", boundary);
}

static struct mf_bytes
as_html(struct composer *k, struct mf_bytes text)
{
	struct mf_buf b;
	struct mf_bytes html;

	mf_buf_init(&b, 0);
	mf_buf_add_str(&b, "<html><body>\r\n");
	mime_text_to_html(&b, (const char *)text.data, text.len);
	mf_buf_add_str(&b, "</body></html>\r\n");
	html = mf_memdup(k->a, b.data, b.len);
	mf_buf_deinit(&b);
	return html;
}

/* The entity that stands for a target (part NULL: for the text that the phone did not write). */
static void
emit_target(struct composer *k, const struct mf_part *part)
{
	bool html = part != NULL && part == k->html;
	struct mime_text one = { .parts = { part }, .n = part != NULL };
	struct mf_bytes text =
		mime_whole_text(k->a, &k->phone, &one, html ? MIME_HTML : MIME_PLAIN);
	const char *boundary;

	if (html) {
		emit_html(k, text);
		return;
	}
	if (!k->both || k->whole) {
		emit_leaf(k, text, MIME_PLAIN);
		return;
	}
	boundary = new_boundary(k);
	emit_text(k, "Content-Type: multipart/alternative;\r\n boundary=\"%s\"\r\n\r\n--%s\r\n",
		boundary, boundary);
	emit_leaf(k, text, MIME_PLAIN);
	emit_text(k, "\r\n--%s\r\n", boundary);
	emit_html(k, as_html(k, text));
	emit_text(k, "\r\n--%s--\r\n", boundary);
}

/* ---- The phone's parts ---- */

static void emit_entity(struct composer *k, const struct mf_part *part);

static void
emit_children(struct composer *k, const struct mf_part *part, const char *boundary)
{
	for (size_t i = 0; i < part->n_children; i++) {
		emit_text(k, "\r\n--%s\r\n", boundary);
		emit_entity(k, &part->children[i]);
	}
}

/* A part of the phone's message: new where it is a target, else as it came. */
/* NOLINTNEXTLINE(misc-no-recursion): bounded by MIME_DEPTH_MAX */
static void
emit_entity(struct composer *k, const struct mf_part *part)
{
	const struct mime_place *place = mime_message_place(&k->phone, part);
	const char *boundary;

	if (is_target(k, part)) {
		emit_target(k, part);
		return;
	}
	emit_part_header(k, place, part == k->phone.root);
	if (!has_target(k, part)) {
		emit(k, place->body);
		return;
	}
	boundary = mime_param(k->a, part->params, part->n_params, "boundary", NULL);
	emit_children(k, part, boundary);
	emit_text(k, "\r\n--%s--\r\n", boundary);
}

/* ---- The whole ---- */

/* The phone's header fields without those that tell of its body. */
static void
emit_header(struct composer *k)
{
	struct mime_scan scan;
	struct mime_field f;

	mime_scan_init(&scan, k->c->message);
	while (mime_scan_next(&scan, &f)) {
		bool content = f.name.len > 8 && str_ieqn((const char *)f.name.data, "Content-", 8);

		if (f.name.len > 0 && !content && !mime_field_is(&f, "MIME-Version"))
			emit(k, f.whole);
	}
	if (k->out->n > 0 && k->out->list[k->out->n - 1].len > 0) {
		struct mf_bytes last = k->out->list[k->out->n - 1];

		if (last.data[last.len - 1] != '\n')
			emit_text(k, "\r\n");
	}
	emit_text(k, "MIME-Version: 1.0\r\n");
}

/* The original's parts that a forward carries on. */
static bool
is_carried(const struct composer *k, const struct mime_attachment *at)
{
	return k->c->kind == MIME_COMPOSE_FORWARD && !k->whole && !goes_inline(k, at) &&
	       !left_out(k, at->part);
}

/* A meeting's calendar is no attachment, but goes on with a forward. */
static const struct mf_part *
carried_calendar(const struct composer *k)
{
	const struct mime_structure *s = &k->original_is;

	if (k->c->kind != MIME_COMPOSE_FORWARD || k->whole || s->calendar == NULL)
		return NULL;
	for (size_t i = 0; i < s->n_attachments; i++)
		if (s->attachments[i].part == s->calendar)
			return NULL;
	return s->calendar;
}

static bool
needs_mixed(const struct composer *k)
{
	bool any = k->whole || k->no_text || carried_calendar(k) != NULL;

	for (size_t i = 0; i < k->original_is.n_attachments; i++)
		any |= is_carried(k, &k->original_is.attachments[i]);
	return any;
}

static void
emit_whole_original(struct composer *k, const char *boundary)
{
	const char *subject =
		mime_header_text(k->a, &k->original.header, "Subject", k->original_is.charset);
	bool high = false;
	struct mf_buf b;

	for (size_t i = 0; i < k->c->original.len && !high; i++)
		high = k->c->original.data[i] >= 0x80;
	mf_buf_init(&b, 0);
	mf_buf_printf(&b, "\r\n--%s\r\n", boundary);
	mf_buf_add_str(&b, "Content-Type: message/rfc822\r\nContent-Disposition: attachment\r\n");
	if (subject != NULL && *subject != '\0')
		mime_field_add_text(&b, "Content-Description", subject);
	mf_buf_printf(&b, "Content-Transfer-Encoding: %s\r\n\r\n", high ? "8bit" : "7bit");
	emit_buf(k, &b);
	emit(k, k->c->original);
}

static void
emit_mixed(struct composer *k)
{
	const struct mf_part *root = k->phone.root;
	const char *boundary = new_boundary(k);
	bool flat = strcmp(root->type, "multipart") == 0 && strcmp(root->subtype, "mixed") == 0;
	bool empty = root->size == 0;

	emit_text(k, "Content-Type: multipart/mixed;\r\n boundary=\"%s\"\r\n\r\n", boundary);
	if (k->no_text) {
		emit_text(k, "\r\n--%s\r\n", boundary);
		emit_target(k, NULL);
	}
	if (flat) {
		emit_children(k, root, boundary);
	} else if (!k->no_text || !empty) {
		emit_text(k, "\r\n--%s\r\n", boundary);
		emit_entity(k, root);
	}
	for (size_t i = 0; i < k->original_is.n_attachments; i++)
		if (is_carried(k, &k->original_is.attachments[i]))
			emit_original_part(k, k->original_is.attachments[i].part, boundary);
	if (carried_calendar(k) != NULL)
		emit_original_part(k, carried_calendar(k), boundary);
	if (k->whole)
		emit_whole_original(k, boundary);
	emit_text(k, "\r\n--%s--\r\n", boundary);
}

/* Joins the first segments into one that holds the header with its empty line. There are two at least:
 * the fields, and what begins with the body's. */
static void
join_header(struct composer *k)
{
	struct mime_segments *out = k->out;
	struct mime_scan scan = { .ended = false };
	struct mime_field f;
	struct mf_buf b;
	size_t n = 0;

	mf_buf_init(&b, 0);
	while (n < out->n && !scan.ended) {
		size_t at = scan.at;

		mf_buf_add(&b, out->list[n].data, out->list[n].len);
		n++;
		if (b.len > 0 && b.data[b.len - 1] != '\n' && n < out->n)
			continue; /* the rest of the line follows */
		mime_scan_init(&scan, mf_buf_bytes(&b));
		scan.at = at; /* what was seen before is not the end */
		while (mime_scan_next(&scan, &f))
			;
	}
	assert(n >= 2 && scan.ended);
	out->list[n - 1] = mf_memdup(k->a, b.data + scan.at, b.len - scan.at);
	out->list[n - 2] = mf_memdup(k->a, b.data, scan.at);
	memmove(out->list, out->list + n - 2, (out->n - (n - 2)) * sizeof(*out->list));
	out->n -= n - 2;
	mf_buf_deinit(&b);
}

static void
pass_unchanged(struct composer *k)
{
	struct mf_bytes m = k->c->message;
	size_t header = k->phone.header.size;

	emit(k, mf_bytes(m.data, header));
	emit(k, mf_bytes(m.data + header, m.len - header));
}

enum mf_status
mime_compose(struct mf_arena *a, const struct mime_compose *c, struct mime_segments *out,
	struct mf_error *err)
{
	struct composer k = { .a = a, .c = c, .out = out, .seed = 0xcbf29ce484222325U };
	enum mf_status st = mime_message_parse(a, c->message, &k.phone, err);

	memset(out, 0, sizeof(*out));
	if (st != MF_OK)
		return st;
	mime_structure_read(a, k.phone.root, &k.phone.header, &k.phone_is);
	st = mime_message_parse(a, c->original, &k.original, err);
	if (k.phone_is.is_signed || k.phone_is.is_encrypted || st != MF_OK) {
		pass_unchanged(&k);
		return MF_OK;
	}
	mime_structure_read(a, k.original.root, &k.original.header, &k.original_is);
	k.seed = digest(k.seed, c->message);
	k.whole = k.original_is.is_encrypted ||
		  (k.original_is.is_signed && c->kind == MIME_COMPOSE_FORWARD);
	k.beside = fits_within(&k);
	find_targets(&k);
	emit_header(&k);
	if (needs_mixed(&k))
		emit_mixed(&k);
	else
		emit_entity(&k, k.phone.root);
	join_header(&k);
	return MF_OK;
}
