/*
 * The message class (MS-ASEMAIL 2.2.2.49): what kind of message a phone should show. Tables from
 * content types, reports and calendar methods to class names.
 */
#include <string.h>

#include "base/str.h"
#include "mime/attachment.h"
#include "mime/decode.h"

static const char *
param(struct mf_arena *a, const struct mf_part *part, const char *name)
{
	const char *value = mime_param(a, part->params, part->n_params, name, NULL);

	return value == NULL ? "" : value;
}

static const char *
smime_class(struct mf_arena *a, const struct mf_part *root)
{
	const char *name = mime_part_name(a, root), *kind = param(a, root, "smime-type");
	size_t len = strlen(name);

	if (mime_part_is(root, "multipart", "signed"))
		return strstr(str_lower(a, param(a, root, "protocol")), "pkcs7") == NULL
			       ? NULL
			       : "IPM.Note.SMIME.MultipartSigned";
	if (mime_part_is(root, "application", "pkcs7-mime") ||
		mime_part_is(root, "application", "x-pkcs7-mime")) {
		if (str_ieq(kind, "signed-receipt"))
			return "IPM.Note.Receipt.SMIME";
		return str_ieq(kind, "certs-only") ? NULL : "IPM.Note.SMIME";
	}
	if (mime_part_is(root, "application", "octet-stream") && len > 4 &&
		(str_ieq(name + len - 4, ".p7m") || str_ieq(name + len - 4, ".p7s")))
		return "IPM.Note.SMIME";
	return NULL;
}

static const struct mf_part *
child_of_type(const struct mf_part *root, const char *subtype)
{
	for (size_t i = 0; i < root->n_children; i++)
		if (mime_part_is(&root->children[i], "message", subtype))
			return &root->children[i];
	return NULL;
}

static const char *
report_class(struct mf_arena *a, const struct mf_part *root, const struct mf_part **detail)
{
	static const struct {
		const char *kind, *class;
	} rows[] = {
		{ "delivery-status", "REPORT.IPM.Note.NDR" },
		{ "disposition-notification", "REPORT.IPM.Note.IPNRN" },
	};

	if (!mime_part_is(root, "multipart", "report"))
		return NULL;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct mf_part *part = child_of_type(root, rows[i].kind);

		if (part == NULL && i == 0)
			part = child_of_type(root, "global-delivery-status");
		if (part == NULL && !str_ieq(param(a, root, "report-type"), rows[i].kind))
			continue;
		*detail = part;
		return rows[i].class;
	}
	return NULL;
}

const char *
mime_class_of_method(const char *method)
{
	static const struct {
		const char *method, *class;
	} rows[] = {
		{ "REQUEST", "IPM.Schedule.Meeting.Request" },
		{ "ADD", "IPM.Schedule.Meeting.Request" },
		{ "CANCEL", "IPM.Schedule.Meeting.Canceled" },
		{ "REPLY", "IPM.Schedule.Meeting.Resp.Pos" },
		{ "COUNTER", "IPM.Schedule.Meeting.Resp.Tent" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(method, rows[i].method) == 0)
			return rows[i].class;
	return NULL;
}

/* A reply's class stands in its content. */
static const char *
meeting_class(const struct mime_structure *s, const struct mf_part **detail)
{
	if (s->calendar == NULL)
		return NULL;
	if (strcmp(s->calendar_method, "REPLY") == 0)
		*detail = s->calendar;
	return mime_class_of_method(s->calendar_method);
}

/* Content-Class, which Microsoft's software writes for forms and voice messages (MS-OXCMAIL
 * 2.1.3.2.2). */
static const char *
content_class(const struct mime_header *header)
{
	static const struct {
		const char *value, *class;
	} rows[] = {
		{ "fax", "IPM.Note.Microsoft.Fax" },
		{ "fax-ca", "IPM.Note.Microsoft.Fax.CA" },
		{ "missedcall", "IPM.Note.Microsoft.Missed.Voice" },
		{ "voice-uc", "IPM.Note.Microsoft.Conversation.Voice" },
		{ "voice-ca", "IPM.Note.Microsoft.Voicemail.UM.CA" },
		{ "voice", "IPM.Note.Microsoft.Voicemail.UM" },
	};
	struct mf_bytes value = { NULL, 0 };

	if (header != NULL)
		value = mime_header_raw(header, "Content-Class");
	for (size_t i = 0; value.len > 0 && i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strlen(rows[i].value) == value.len &&
			str_ieqn((const char *)value.data, rows[i].value, value.len))
			return rows[i].class;
	if (value.len >= 12 && str_ieqn((const char *)value.data, "InfoPathForm", 12))
		return "IPM.InfoPathForm";
	return NULL;
}

const char *
mime_class_of(struct mf_arena *a, const struct mf_part *root, const struct mime_header *header,
	const struct mime_structure *s, const struct mf_part **detail)
{
	const char *class = content_class(header);

	*detail = NULL;
	if (class == NULL)
		class = smime_class(a, root);
	if (class == NULL)
		class = report_class(a, root, detail);
	if (class == NULL)
		class = meeting_class(s, detail);
	return class == NULL ? "IPM.Note" : class;
}

/* ---- By content ---- */

/* Rows are asked in order: the first whose word stands behind the key anywhere in the text wins. */
struct word_row {
	const char *word, *class;
};

static bool
has_word(const char *text, const char *key, const char *word)
{
	size_t n = strlen(key);

	for (const char *p = text; (p = strcasestr(p, key)) != NULL;) {
		p += n;
		p += strspn(p, " \t");
		if (str_ieqn(p, word, strlen(word)))
			return true;
	}
	return false;
}

static const char *
by_word(const char *text, const char *key, const struct word_row *rows, const char *otherwise)
{
	for (; rows->word != NULL; rows++)
		if (has_word(text, key, rows->word))
			return rows->class;
	return otherwise;
}

static const struct word_row actions[] = {
	{ "failed", "REPORT.IPM.Note.NDR" },
	{ "delayed", "REPORT.IPM.Note.DELAYED" },
	{ "delivered", "REPORT.IPM.Note.DR" },
	{ "relayed", "REPORT.IPM.Note.DR" },
	{ "expanded", "REPORT.IPM.Note.DR" },
	{ NULL, NULL },
};

static const struct word_row part_statuses[] = {
	{ "DECLINED", "IPM.Schedule.Meeting.Resp.Neg" },
	{ "TENTATIVE", "IPM.Schedule.Meeting.Resp.Tent" },
	{ NULL, NULL },
};

/* Without folds, so that a word cut by one is found. */
static const char *
unfolded(struct mf_arena *a, const struct mf_part *part, struct mf_bytes raw)
{
	enum { DETAIL_MAX = 65536 };
	struct mf_buf b;
	char *s;
	size_t n = 0;

	mf_buf_init(&b, 0);
	if (raw.len > DETAIL_MAX)
		raw.len = DETAIL_MAX;
	mime_decode(mime_encoding_parse(part->encoding), raw, &b);
	s = mf_alloc(a, b.len + 1);
	for (size_t i = 0; i < b.len; i++) {
		if (b.data[i] == '\r' || b.data[i] == '\0')
			continue;
		if (b.data[i] == '\n' && i + 1 < b.len && b.data[i + 1] == ' ')
			i++;
		else
			s[n++] = (char)b.data[i];
	}
	mf_buf_deinit(&b);
	return s;
}

const char *
mime_class_refine(struct mf_arena *a, const struct mime_structure *s, struct mf_bytes detail)
{
	const char *text;

	if (s->class_detail == NULL || detail.len == 0)
		return s->message_class;
	text = unfolded(a, s->class_detail, detail);
	if (s->class_detail == s->calendar)
		return by_word(text, "PARTSTAT=", part_statuses, s->message_class);
	if (strcmp(s->class_detail->subtype, "disposition-notification") == 0)
		return has_word(text, ";", "deleted") || has_word(text, "/", "deleted")
			       ? "REPORT.IPM.Note.IPNNRN"
			       : s->message_class;
	return by_word(text, "Action:", actions, s->message_class);
}
