/* What a part is as an attachment: name, ids, method, size. Knows no other part. */
#include "mime/attachment.h"

#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "mime/charset.h"
#include "mime/decode.h"

enum { NAME_MAX_BYTES = 200 };

bool
mime_part_is(const struct mf_part *part, const char *type, const char *subtype)
{
	return strcmp(part->type, type) == 0 &&
	       (subtype == NULL || strcmp(part->subtype, subtype) == 0);
}

/* The last component of a path, without what file systems and people trip over. */
static const char *
base_name(struct mf_arena *a, const char *path)
{
	const char *base = path;
	char *s;
	size_t n = 0, len;

	for (const char *p = path; *p != '\0'; p++)
		if ((*p == '/' || *p == '\\') && p[1] != '\0')
			base = p + 1;
	base += strspn(base, " ");
	len = strlen(base);
	s = mf_alloc(a, len + 1);
	for (size_t i = 0; i < len; i++)
		s[n++] = strchr("/\\:*?\"<>|", base[i]) != NULL ? '_' : base[i];
	while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '.'))
		n--;
	s[n] = '\0';
	return s;
}

/* Long names are cut before their extension. */
static const char *
shorten(struct mf_arena *a, const char *name)
{
	size_t len = strlen(name), tail;
	const char *dot = strrchr(name, '.');

	if (len <= NAME_MAX_BYTES)
		return name;
	tail = dot != NULL && strlen(dot) <= 20 ? strlen(dot) : 0;
	return mf_printf(a, "%.*s%s", (int)utf8_cut(name, len, NAME_MAX_BYTES - tail), name,
		tail > 0 ? dot : "");
}

const char *
mime_clean_name(struct mf_arena *a, const char *name)
{
	return shorten(a, base_name(a, name));
}

const char *
mime_part_name(struct mf_arena *a, const struct mf_part *part)
{
	const char *name = mime_param(
		a, part->disposition_params, part->n_disposition_params, "filename", NULL);

	if (name == NULL || *name == '\0')
		name = mime_param(a, part->params, part->n_params, "name", NULL);
	if (name == NULL || *name == '\0')
		name = mime_param(
			a, part->disposition_params, part->n_disposition_params, "name", NULL);
	return name == NULL ? "" : mime_clean_name(a, name);
}

static const char *
extension(const struct mf_part *part)
{
	static const struct {
		const char *type, *subtype, *extension;
	} rows[] = {
		{ "text", "plain", "txt" },
		{ "text", "html", "html" },
		{ "text", "calendar", "ics" },
		{ "text", "x-vcard", "vcf" },
		{ "text", "vcard", "vcf" },
		{ "text", NULL, "txt" },
		{ "image", "jpeg", "jpg" },
		{ "image", "pjpeg", "jpg" },
		{ "image", "svg+xml", "svg" },
		{ "image", "tiff", "tif" },
		{ "audio", "mpeg", "mp3" },
		{ "audio", "x-wav", "wav" },
		{ "video", "quicktime", "mov" },
		{ "message", "rfc822", "eml" },
		{ "message", "global", "eml" },
		{ "message", NULL, "txt" },
		{ "application", "pgp-encrypted", "asc" },
		{ "application", "pgp-signature", "asc" },
		{ "application", "pkcs7-mime", "p7m" },
		{ "application", "x-pkcs7-mime", "p7m" },
		{ "application", "pkcs7-signature", "p7s" },
		{ "application", "x-pkcs7-signature", "p7s" },
		{ "application", "ms-tnef", "dat" },
		{ "application", "vnd.ms-tnef", "dat" },
		{ "application", "msword", "doc" },
		{ "application", "vnd.ms-excel", "xls" },
		{ "application", "ics", "ics" },
		{ "application", "pdf", "pdf" },
		{ "application", "zip", "zip" },
		{ "application", NULL, "bin" },
		{ "multipart", NULL, "eml" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (mime_part_is(part, rows[i].type, rows[i].subtype))
			return rows[i].extension;
	/* png, gif, mp4, ogg, ...: the subtype itself, when it can be one. */
	return *part->subtype != '\0' && strlen(part->subtype) <= 4 &&
			       strspn(part->subtype, "abcdefghijklmnopqrstuvwxyz0123456789") ==
				       strlen(part->subtype)
		       ? part->subtype
		       : "bin";
}

/* A name for a part that has none: "message.eml", "image-3.png". */
static const char *
made_up_name(struct mf_arena *a, const struct mf_part *part, size_t number)
{
	static const char *const known[] = { "text", "image", "audio", "video", "message" };
	const char *word = "attachment";

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(part->type, known[i]) == 0)
			word = known[i];
	if (number == 0)
		return mf_printf(a, "%s.%s", word, extension(part));
	return mf_printf(a, "%s-%zu.%s", word, number + 1, extension(part));
}

/* Some messages name an attached message only by its description. */
static const char *
described_name(struct mf_arena *a, const struct mf_part *part)
{
	const char *name;

	if (strcmp(part->type, "message") != 0 || *part->description == '\0')
		return "";
	name = base_name(a, mime_text_decode(a, mf_bytes_str(part->description), NULL));
	return *name == '\0' ? "" : shorten(a, mf_printf(a, "%s.eml", name));
}

/* Phones open a message by its extension, which some programs leave away (MS-ASAIRS 2.2.2.31.2). */
static const char *
message_name(struct mf_arena *a, const char *name)
{
	size_t len = strlen(name);

	if (len >= 4 && str_ieq(name + len - 4, ".eml"))
		return name;
	return shorten(a, mf_printf(a, "%s.eml", name));
}

static const char *
clean_id(struct mf_arena *a, const char *raw)
{
	struct mime_ids ids;
	size_t len;

	mime_ids_parse(a, mf_bytes_str(raw), &ids);
	if (ids.n > 0)
		return ids.list[0];
	raw = mime_text_decode(a, mf_bytes_str(raw), NULL);
	len = strlen(raw);
	return len == 0 ? NULL : raw;
}

static const char *
clean_text(struct mf_arena *a, const char *raw)
{
	return *raw == '\0' ? NULL : mime_text_decode(a, mf_bytes_str(raw), NULL);
}

void
mime_attachment_read(struct mf_arena *a, const struct mf_part *part, size_t number, bool related,
	struct mime_attachment *out)
{
	memset(out, 0, sizeof(*out));
	out->part = part;
	out->name = mime_part_name(a, part);
	if (*out->name == '\0')
		out->name = described_name(a, part);
	if (*out->name == '\0')
		out->name = made_up_name(a, part, number);
	out->type = mime_text_decode(
		a, mf_bytes_str(mf_printf(a, "%s/%s", part->type, part->subtype)), NULL);
	out->content_id = clean_id(a, part->content_id);
	out->location = clean_text(a, part->location);
	out->is_inline = strcmp(part->disposition, "attachment") != 0 &&
			 (out->content_id != NULL || out->location != NULL) &&
			 (related || strcmp(part->disposition, "inline") == 0);
	out->is_tnef = mime_part_is(part, "application", "ms-tnef") ||
		       mime_part_is(part, "application", "vnd.ms-tnef") ||
		       str_ieq(out->name, "winmail.dat");
	out->method =
		mime_part_is(part, "message", "rfc822") || mime_part_is(part, "message", "global")
			? MIME_METHOD_MESSAGE
			: MIME_METHOD_FILE;
	if (out->method == MIME_METHOD_MESSAGE)
		out->name = message_name(a, out->name);
	out->size = mime_decoded_estimate(mime_encoding_parse(part->encoding), part->size);
}
