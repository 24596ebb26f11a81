/* Parts replaced in the raw message, in its order. Knows transfer encodings; must not know who sends. */
#include "mime/seven_bit.h"

#include <string.h>

#include "mime/compose_text.h"
#include "mime/structure.h"

/* The message as it grows: what was taken of it so far, and the views that replace it. */
struct rewriting {
	struct mf_arena *a;
	struct mf_bytes raw;
	size_t at;
	struct mime_segments *out;
	bool changed;
};

static bool
has_high(struct mf_bytes b)
{
	uint8_t any = 0;

	for (size_t i = 0; i < b.len; i++)
		any |= b.data[i];
	return any >= 0x80;
}

/* No byte of these may change. */
static bool
is_sealed(const struct mf_part *p)
{
	return (strcmp(p->type, "multipart") == 0 &&
		       (strcmp(p->subtype, "signed") == 0 ||
			       strcmp(p->subtype, "encrypted") == 0)) ||
	       strstr(p->subtype, "pkcs7") != NULL || strstr(p->subtype, "pgp") != NULL;
}

static bool
is_plain_encoding(const char *encoding)
{
	return strcasecmp(encoding, "base64") != 0 && strcasecmp(encoding, "quoted-printable") != 0;
}

static bool
is_container(const struct mf_part *p)
{
	return strcmp(p->type, "multipart") == 0 ||
	       (strcmp(p->type, "message") == 0 && strcmp(p->subtype, "rfc822") == 0);
}

/* Quoted-printable has no CR but before LF, and is for text. */
static bool
wants_base64(const struct mime_place *place)
{
	struct mf_bytes b = place->body;
	size_t high = 0;

	if (strcmp(place->part->type, "text") != 0 || memchr(b.data, 0, b.len) != NULL)
		return true;
	for (size_t i = 0; i < b.len; i++) {
		high += b.data[i] >= 0x80;
		if (b.data[i] == '\r' && (i + 1 == b.len || b.data[i + 1] != '\n'))
			return true;
	}
	return high > b.len / 6;
}

static void
add(struct rewriting *w, struct mf_bytes piece)
{
	if (piece.len == 0)
		return;
	w->out->list[w->out->n++] = piece;
	w->out->size += piece.len;
}

/* The bytes at `old` become the others. */
static void
replace(struct rewriting *w, struct mf_bytes old, const struct mf_buf *with)
{
	size_t at = (size_t)(old.data - w->raw.data);

	add(w, mf_bytes(w->raw.data + w->at, at - w->at));
	add(w, mf_memdup(w->a, with->data, with->len));
	w->at = at + old.len;
	w->changed = true;
}

static void
name_encoding(struct rewriting *w, struct mf_bytes header, const char *encoding)
{
	static const char *const field[] = { "Content-Transfer-Encoding", NULL };
	struct mf_buf line, edited;

	mf_buf_init(&line, 0);
	mf_buf_init(&edited, 0);
	mf_buf_printf(&line, "%s: %s\r\n", field[0], encoding);
	mime_header_edit(&edited, header,
		&(struct mime_edit){ .remove = field, .add = mf_buf_bytes(&line) });
	replace(w, header, &edited);
	mf_buf_deinit(&line);
	mf_buf_deinit(&edited);
}

static void
rewrite(struct rewriting *w, const struct mime_place *place)
{
	bool base64;
	struct mf_buf body;

	if (!is_plain_encoding(place->part->encoding) || !has_high(place->body))
		return;
	if (is_container(place->part)) {
		if (strcasecmp(place->part->encoding, "8bit") == 0 ||
			strcasecmp(place->part->encoding, "binary") == 0)
			name_encoding(w, place->header, "7bit");
		return;
	}
	base64 = wants_base64(place);
	mf_buf_init(&body, 0);
	mime_add_encoded(&body, place->body, base64);
	name_encoding(w, place->header, base64 ? "base64" : "quoted-printable");
	replace(w, place->body, &body);
	mf_buf_deinit(&body);
}

bool
mime_seven_bit(struct mf_arena *a, struct mf_bytes message, struct mime_segments *out)
{
	struct rewriting w = { .a = a, .raw = message, .out = out };
	struct mime_message m;
	struct mf_error err;

	*out = (struct mime_segments){ .list = NULL };
	if (mime_message_parse(a, message, &m, &err) != MF_OK)
		return false;
	for (size_t i = 0; i < m.n_places; i++)
		if (is_sealed(m.places[i].part))
			return false;
	/* A part has two pieces of its own and what stands before each. */
	out->list = mf_new_array(a, struct mf_bytes, 4 * m.n_places + 1);
	for (size_t i = 0; i < m.n_places; i++)
		rewrite(&w, &m.places[i]);
	add(&w, mf_bytes(message.data + w.at, message.len - w.at));
	return w.changed;
}
