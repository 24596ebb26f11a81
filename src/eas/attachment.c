/*
 * Attachments on their way. Knows sections and transfer encodings; must not know elements.
 *
 * The lengths stand before the data in every form of answer, and a stream that breaks must not look
 * like a short file: so the content is decoded into a file first, and promised when it is all there.
 */
#include "eas/attachment.h"

#include <string.h>

#include "eas/map/folder.h"
#include "eas/map/ids.h"
#include "eas/spool.h"
#include "eas/tnef.h"
#include "mime/base64.h"
#include "mime/decode.h"
#include "mime/structure.h"

enum { CHUNK = 256 << 10 };

/* What the item says of the part. */
struct lookup {
	struct eas_request *r;
	const struct ids_file *file;
	const char *type, *encoding; /* type NULL: not found */
};

static enum mf_status
find_part(void *ctx, const struct mf_item *item)
{
	struct lookup *l = ctx;
	struct mf_arena *a = l->r->arena;
	if (!ids_file_matches(l->file, item))
		return MF_OK;
	if (l->file->section[0] == '\0') {
		l->type = "message/rfc822";
		l->encoding = "";
		return MF_OK;
	}
	const struct mf_part *part = mime_part_find(item->structure, l->file->section);
	if (part == NULL)
		return MF_OK;
	l->type = mf_printf(a, "%s/%s", part->type, part->subtype);
	l->encoding = mf_strdup(a, part->encoding);
	return MF_OK;
}

static enum mf_status
look_up(struct lookup *l, const struct state_folder *f, struct mf_error *err)
{
	struct mf_fetch fetch = { .folder = f->id,
		.ids = &l->file->id,
		.n = 1,
		.want = MF_WANT_DATE | MF_WANT_SIZE | MF_WANT_STRUCTURE,
		.item = find_part,
		.ctx = l };
	enum mf_status st = l->r->store_api->fetch(l->r->store, &fetch, err);
	if (st == MF_OK && l->type == NULL)
		return mf_fail(err, MF_GONE, "the attachment's message or part is gone");
	return st;
}

/* ---- Content on its way ---- */

struct passing {
	struct eas_request *r;
	const struct attachment_want *want;
	struct attachment *out;
	struct mime_decoder decoder;
	struct mf_buf decoded; /* of the last portion */
	struct mf_buf text;    /* the same encoded again, where that is wanted */
	uint8_t rest[3];       /* what waits for its group of three to be encoded */
	size_t n_rest;
	struct mf_error *err;
};

/* Encodes the groups that are complete; at the end the rest, too. */
static enum mf_status
store_encoded(struct passing *p, const uint8_t *data, size_t len, bool end)
{
	size_t whole;
	mf_buf_clear(&p->text);
	uint8_t *to = mf_buf_reserve(&p->text, MIME_BASE64_LEN(len + 3));
	size_t n = 0;
	while (len > 0 && p->n_rest > 0 && p->n_rest < 3) {
		p->rest[p->n_rest++] = *data++;
		len--;
	}
	if (p->n_rest == 3 || (end && p->n_rest > 0)) {
		n = mime_base64_encode(p->rest, p->n_rest, to);
		p->n_rest = 0;
	}
	whole = end ? len : len / 3 * 3;
	if (whole > 0)
		n += mime_base64_encode(data, whole, to + n);
	if (len > whole)
		memcpy(p->rest, data + whole, len - whole);
	if (len > whole)
		p->n_rest = len - whole;
	return n == 0 ? MF_OK : eas_spool_add(p->r, to, n, p->err);
}

/* Of the decoded portion what lies in the range. */
static enum mf_status
take_decoded(struct passing *p, bool end)
{
	uint64_t begin = p->out->total, behind = begin + p->decoded.len;
	uint64_t from = p->want->first > begin ? p->want->first : begin;
	uint64_t to = p->want->last < behind ? p->want->last + 1 : behind;
	size_t len = from < to ? (size_t)(to - from) : 0;
	const uint8_t *data = len > 0 ? p->decoded.data + (from - begin) : NULL;
	p->out->total = behind;
	p->out->stored += len;
	mf_buf_clear(&p->decoded);
	if (p->want->base64)
		return store_encoded(p, data, len, end);
	return len == 0 ? MF_OK : eas_spool_add(p->r, data, len, p->err);
}

static enum mf_status
take_encoded(void *ctx, const void *data, size_t len)
{
	struct passing *p = ctx;
	mime_decoder_push(&p->decoder, data, len, &p->decoded);
	return take_decoded(p, false);
}

static enum mf_status
pass(struct passing *p, const struct lookup *l, const struct state_folder *f)
{
	struct mf_section_want section = { .max = 0 };
	memcpy(section.section, l->file->section, strlen(l->file->section) + 1);
	mime_decoder_init(&p->decoder, mime_encoding_parse(l->encoding));
	mf_buf_init(&p->decoded, 0);
	mf_buf_init(&p->text, 0);
	enum mf_status st = p->r->store_api->stream(
		p->r->store, f->id, l->file->id, &section, take_encoded, p, p->err);
	if (st == MF_OK) {
		mime_decoder_end(&p->decoder, &p->decoded);
		st = take_decoded(p, true);
	}
	mf_buf_deinit(&p->decoded);
	mf_buf_deinit(&p->text);
	return st;
}

/* A file within a TNEF: it is there as a whole before the first byte is passed on. */
static enum mf_status
pass_inner(struct passing *p, struct lookup *l, const struct state_folder *f)
{
	struct eas_request *r = p->r;
	struct tnef_opened t;
	enum mf_status st = tnef_open(r, r->store_api, r->store, f->id, l->file->id,
		l->file->section, l->encoding, r->arena, &t, p->err);
	if (st != MF_OK)
		return st;
	if (l->file->inner > t.tnef.n_files) {
		tnef_close(&t);
		return mf_fail(p->err, MF_GONE, "no such file in the TNEF");
	}
	const struct mime_tnef_file *file = &t.tnef.files[l->file->inner - 1];
	l->type = file->type;
	mf_buf_init(&p->decoded, 0);
	mf_buf_init(&p->text, 0);
	for (size_t at = 0, n = 0; st == MF_OK && at < file->data.len; at += n) {
		n = file->data.len - at < CHUNK ? file->data.len - at : CHUNK;
		mf_buf_add(&p->decoded, file->data.data + at, n);
		st = take_decoded(p, false);
	}
	if (st == MF_OK)
		st = take_decoded(p, true);
	mf_buf_deinit(&p->decoded);
	mf_buf_deinit(&p->text);
	tnef_close(&t);
	return st;
}

enum mf_status
attachment_load(struct eas_request *r, const struct state_folders *folders,
	const struct attachment_want *want, struct attachment *out, struct mf_error *err)
{
	struct ids_file file;
	struct lookup l = { .r = r, .file = &file };
	*out = (struct attachment){ .offset = eas_spool_end(r) };
	if (!ids_file_parse(want->reference, &file))
		return mf_fail(err, MF_GONE, "no FileReference");
	const struct state_folder *f = state_folder_by_number(folders, file.folder);
	if (f == NULL || !folder_holds_items(f) || strcmp(f->store, r->store_name) != 0)
		return mf_fail(err, MF_GONE, "the attachment's folder is gone");
	enum mf_status st = look_up(&l, f, err);
	if (st != MF_OK)
		return st;
	struct passing p = { .r = r, .want = want, .out = out, .err = err };
	st = file.inner > 0 ? pass_inner(&p, &l, f) : pass(&p, &l, f);
	out->type = l.type;
	if (st != MF_OK)
		eas_spool_cut(r, out->offset);
	out->size = eas_spool_end(r) - out->offset;
	return st;
}
