/*
 * Bodies: from preferences (body_options.c) and structure to sections, and from sections to elements. Knows
 * MS-ASAIRS; must not know commands. Conversions are mime's.
 */
#include "eas/map/body.h"

#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "mime/body.h"
#include "mime/decode.h"

enum {
	PREVIEW_SOURCE = 16 << 10, /* text to read for a preview, markup and styles included */
	HINT_LEAST = 4096,	   /* bytes of a text that somebody wants to read, not to list */
	DEFAULT_TRUNCATION = 200 << 10, /* where the client has no preference */
};

static bool
wants_mime(const struct body_options *o, const struct mime_structure *s)
{
	bool smime = str_istarts(s->message_class, "IPM.Note.SMIME");

	return o->mime_support == 2 || (o->mime_support == 1 && smime);
}

static const struct body_preference *
find(const struct body_options *o, unsigned type)
{
	for (size_t i = 0; i < o->n; i++)
		if (o->list[i].type == type)
			return &o->list[i];
	return NULL;
}

static const struct mime_text *
source(const struct mime_structure *s, unsigned type)
{
	return type == BODY_HTML ? &s->html : &s->plain;
}

/* With AllOrNone the whole must fit; how long it is, the structure tells about. */
static bool
may_fit(const struct body_preference *p, const struct mime_structure *s)
{
	const struct mime_text *t = source(s, p->type);
	uint64_t size = 0;

	for (size_t i = 0; i < t->n; i++)
		size += mime_decoded_estimate(
			mime_encoding_parse(t->parts[i]->encoding), t->parts[i]->size);
	return !p->all_or_none || p->type == BODY_MIME || size <= p->truncation;
}

/* p, or when nothing of it could be shown, another text that can be (MS-ASAIRS 2.2.2.3). */
static const struct body_preference *
or_next(const struct body_options *o, const struct mime_structure *s,
	const struct body_preference *p)
{
	if (p == NULL || may_fit(p, s))
		return p;
	for (size_t i = 0; i < o->n; i++)
		if (o->list[i].type != p->type &&
			(o->list[i].type == BODY_PLAIN || o->list[i].type == BODY_HTML) &&
			may_fit(&o->list[i], s))
			return &o->list[i];
	return p;
}

/* The one whose type is the native format; else the first that text can be rendered as. */
static const struct body_preference *
choose(const struct body_options *o, const struct mime_structure *s)
{
	const struct body_preference *p = NULL;

	if (wants_mime(o, s))
		p = find(o, BODY_MIME);
	if (p == NULL && s->native != MIME_NATIVE_NONE)
		p = find(o, (unsigned)s->native);
	for (size_t i = 0; p == NULL && i < o->n; i++)
		if (o->list[i].type == BODY_PLAIN || o->list[i].type == BODY_HTML)
			p = &o->list[i];
	return or_next(o, s, p);
}

void
body_plan(const struct body_options *o, const struct mime_structure *s, struct body_plan *out)
{
	memset(out, 0, sizeof(*out));
	out->preference = choose(o, s);
	if (o->outside && out->preference != NULL && out->preference->type == BODY_MIME)
		out->preference = NULL;
	out->type = out->preference == NULL ? BODY_PLAIN : out->preference->type;
	if (out->type != BODY_MIME)
		out->text = source(s, out->type);
	if (o->has_part)
		out->part_text = source(s, BODY_HTML);
}

/* What to render at most, for the preference of a plan. */
static uint64_t
limit(const struct body_options *o, const struct body_plan *p)
{
	uint64_t max = p->preference == NULL ? DEFAULT_TRUNCATION : p->preference->truncation;

	if (o->outside)
		return 0;
	if (p->type == BODY_MIME && o->mime_truncation < max)
		max = o->mime_truncation;
	return max;
}

static size_t
section_add(struct mf_section_want *out, size_t n, size_t max, const char *section, uint64_t size)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(out[i].section, section) != 0)
			continue;
		if (size == 0 || (out[i].max != 0 && size > out[i].max))
			out[i].max = size;
		return n;
	}
	if (n == max || strlen(section) >= sizeof(out->section))
		return n;
	memset(&out[n], 0, sizeof(out[n]));
	memcpy(out[n].section, section, strlen(section) + 1);
	out[n].max = size;
	return n + 1;
}

/* A preview may need more than the body shows. */
static uint64_t
needed(uint64_t most, const struct body_preference *p)
{
	return p != NULL && p->preview > 0 && most < PREVIEW_SOURCE ? PREVIEW_SOURCE : most;
}

static size_t
text_sections(const struct mime_text *t, unsigned type, uint64_t max_text,
	struct mf_section_want *out, size_t n, size_t max, uint64_t *bytes)
{
	for (size_t i = 0; t != NULL && i < t->n; i++) {
		const struct mf_part *part = t->parts[i];
		size_t cut = max_text > SIZE_MAX / 2 ? SIZE_MAX : (size_t)max_text;
		uint64_t size = mime_body_fetch_size(part, (enum mime_format)type, cut);

		n = section_add(out, n, max, part->section, size);
		*bytes += size == 0 || size > part->size ? part->size : size;
	}
	return n;
}

size_t
body_sections(const struct body_options *o, const struct body_plan *p, const struct mf_item *item,
	struct mf_section_want *out, size_t max, uint64_t *bytes)
{
	uint64_t most = limit(o, p);
	size_t n = 0;

	if (p->type == BODY_MIME) {
		/* A zero limit still needs a byte: 0 would ask for all. */
		uint64_t size = most == UINT64_MAX || most >= item->size ? 0 : most + 4;

		n = section_add(out, n, max, "", size);
		*bytes += size == 0 ? item->size : size;
	}
	n = text_sections(p->text, p->type, needed(most, p->preference), out, n, max, bytes);
	return text_sections(
		p->part_text, BODY_HTML, needed(o->part.truncation, &o->part), out, n, max, bytes);
}

static const struct mf_section *
section_find(const struct mf_item *item, const char *section)
{
	for (size_t i = 0; i < item->n_sections; i++)
		if (strcmp(item->sections[i].section, section) == 0)
			return &item->sections[i];
	return NULL;
}

static size_t
pieces(const struct mime_text *t, const struct mf_item *item, struct mime_piece *out)
{
	size_t n = 0;

	for (size_t i = 0; t != NULL && i < t->n; i++) {
		const struct mf_section *s = section_find(item, t->parts[i]->section);

		if (s == NULL)
			continue;
		out[n++] =
			(struct mime_piece){ .part = t->parts[i], .data = s->data, .cut = s->cut };
	}
	return n;
}

const char *
body_preview(struct mf_arena *a, const struct mime_structure *s, const struct mf_item *item,
	size_t chars)
{
	struct mime_piece list[MIME_TEXTS_MAX];
	size_t n = pieces(&s->plain, item, list);
	const char *text = mime_body_preview(a, list, n, chars);

	return text == NULL ? "" : text;
}

static void
write_preview(struct wbxml_writer *w, struct mf_arena *a, const struct mime_text *t,
	const struct mf_item *item, unsigned chars)
{
	struct mime_piece list[MIME_TEXTS_MAX];
	size_t n = pieces(t, item, list);
	const char *text = mime_body_preview(a, list, n, chars);

	if (text != NULL && text[0] != '\0')
		wbxml_element(w, AirSyncBase_Preview, text);
}

/* Data, or the part of a multipart answer that holds them (MS-ASAIRS 2.2.2.33). */
static void
write_data(struct wbxml_writer *w, const struct body_options *parts, const void *data, size_t len)
{
	if (parts != NULL && parts->part_data != NULL) {
		wbxml_number(w, ItemOperations_Part, parts->part_data(parts->part_ctx, data, len));
		return;
	}
	wbxml_open(w, AirSyncBase_Data);
	if (utf8_valid_xml(data, len))
		wbxml_text_n(w, data, len);
	else
		wbxml_opaque(w, data, len);
	wbxml_close(w);
}

/* The hint as its own paragraph of that type. */
static struct mf_bytes
hint_of(struct mf_arena *a, const char *hint, unsigned type)
{
	struct mf_bytes copy;
	struct mf_buf b;

	mf_buf_init(&b, 0);
	if (type == BODY_HTML) {
		mf_buf_add_str(&b, "<br>\r\n<br>\r\n");
		mime_text_to_html(&b, hint, strlen(hint));
	} else {
		mf_buf_printf(&b, "\r\n\r\n%s\r\n", hint);
	}
	copy = mf_memdup(a, b.data, b.len);
	mf_buf_deinit(&b);
	return copy;
}

/* A text that was cut, cut shorter so that the hint has room behind it. */
static void
cut_with_hint(struct mf_arena *a, const struct mime_piece *list, size_t n, unsigned type,
	const char *hint, size_t most, struct mime_body *body)
{
	struct mf_bytes end = hint_of(a, hint, type);
	struct mime_body shorter;
	struct mf_buf b;

	if (most < HINT_LEAST || end.len > most / 2)
		return;
	mime_body_render(a, list, n, (enum mime_format)type, most - end.len, &shorter);
	mf_buf_init(&b, 0);
	mf_buf_add(&b, shorter.text, shorter.len);
	mf_buf_add(&b, end.data, end.len);
	body->text = mf_strndup(a, (const char *)b.data, b.len);
	body->len = b.len;
	mf_buf_deinit(&b);
}

/* Data of type 1 or 2. With AllOrNone what does not fit is left out. */
static void
write_text(struct wbxml_writer *w, struct mf_arena *a, const struct mime_text *t,
	const struct mf_item *item, unsigned type, const struct body_preference *p, uint64_t most,
	const struct body_options *parts)
{
	struct mime_piece list[MIME_TEXTS_MAX];
	struct mime_body body;
	size_t n = pieces(t, item, list);

	mime_body_render(a, list, n, (enum mime_format)type,
		most > SIZE_MAX / 2 ? SIZE_MAX : (size_t)most, &body);
	if (body.truncated && parts != NULL && parts->hint != NULL)
		cut_with_hint(a, list, n, type, parts->hint,
			most > SIZE_MAX / 2 ? SIZE_MAX : (size_t)most, &body);
	wbxml_number(w, AirSyncBase_EstimatedDataSize, (int64_t)body.size);
	if (body.truncated)
		wbxml_element(w, AirSyncBase_Truncated, "1");
	if (body.len > 0 && !(body.truncated && p != NULL && p->all_or_none))
		write_data(w, parts, body.text, body.len);
}

/* The whole message, as text where it is that, else as opaque bytes (MS-ASAIRS 2.2.2.20.1). */
static void
write_mime(struct wbxml_writer *w, const struct mf_item *item, const struct body_preference *p,
	uint64_t most, const struct body_options *parts)
{
	const struct mf_section *s = section_find(item, "");
	size_t len = s == NULL ? 0 : s->data.len;
	bool cut = s == NULL || s->cut || len > most;

	if (len > most)
		len = (size_t)most;
	if (cut && len > 0)
		len = utf8_cut((const char *)s->data.data, s->data.len, len);
	wbxml_number(w, AirSyncBase_EstimatedDataSize, (int64_t)item->size);
	wbxml_element(w, AirSyncBase_Truncated, cut ? "1" : "0");
	if (len == 0 || (cut && p->all_or_none))
		return;
	write_data(w, parts, s->data.data, len);
}

static void
write_part(struct wbxml_writer *w, struct mf_arena *a, const struct body_options *o,
	const struct body_plan *p, const struct mf_item *item)
{
	wbxml_open(w, AirSyncBase_BodyPart);
	wbxml_number(w, AirSyncBase_Status, 1);
	wbxml_number(w, AirSyncBase_Type, BODY_HTML);
	write_text(w, a, p->part_text, item, BODY_HTML, &o->part, o->part.truncation, NULL);
	if (o->part.preview > 0)
		write_preview(w, a, p->part_text, item, o->part.preview);
	wbxml_close(w);
}

/* Is there anything to say in a Body element? Who asks for a part alone gets it alone (MS-ASCON
 * 3.2.5.7). */
static bool
shows_body(enum eas_version version, const struct body_options *o, const struct body_plan *p)
{
	if (version >= EAS_14_1 && o->has_part && o->n == 0)
		return false;
	return !o->outside || (p->preference != NULL && p->preference->preview > 0);
}

static void
write_body(struct wbxml_writer *w, struct mf_arena *a, enum eas_version version,
	const struct body_options *o, const struct body_plan *p, const struct mf_item *item)
{
	wbxml_open(w, AirSyncBase_Body);
	wbxml_number(w, AirSyncBase_Type, p->type);
	if (p->type == BODY_MIME)
		write_mime(w, item, p->preference, limit(o, p), o);
	else
		write_text(w, a, p->text, item, p->type, p->preference, limit(o, p), o);
	if (version >= EAS_14_0 && p->preference != NULL && p->preference->preview > 0 &&
		p->type == BODY_HTML)
		write_preview(w, a, p->text, item, p->preference->preview);
	wbxml_close(w);
}

void
body_write(struct wbxml_writer *w, struct mf_arena *a, enum eas_version version,
	const struct body_options *o, const struct body_plan *p, const struct mime_structure *s,
	const struct mf_item *item)
{
	if (shows_body(version, o, p))
		write_body(w, a, version, o, p, item);
	if (p->part_text != NULL && version >= EAS_14_1)
		write_part(w, a, o, p, item);
	wbxml_number(w, AirSyncBase_NativeBodyType,
		s->native == MIME_NATIVE_HTML ? BODY_HTML : BODY_PLAIN);
}
