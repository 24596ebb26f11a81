/* A draft's elements to a message. */
#include "eas/map/draft.h"

#include <string.h>

#include "base/str.h"
#include "eas/map/ids.h"
#include "eas/schema.h"
#include "mime/build.h"
#include "mime/structure.h"

enum { LINE = 57, PARTS_MAX = 500 };

static const uint16_t edits[] = { Email_To, Email_Cc, Email2_Bcc, Email_From, Email_ReplyTo,
	Email_Subject, Email_Importance, AirSyncBase_Body, AirSyncBase_Attachments };

bool
draft_is_edit(const struct wbxml_node *data)
{
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++)
		if (wbxml_child(data, edits[i]) != NULL)
			return true;
	return false;
}

/* ---- The header ---- */

static void
add_addresses(struct mf_arena *a, const struct draft *d, uint16_t tag, const char *field,
	struct mf_buf *out)
{
	const char *text = wbxml_child_value(d->data, tag);
	struct mime_addresses list;

	if (text == NULL || text[0] == '\0')
		return;
	mime_addresses_parse(a, mf_bytes_str(text), "utf-8", &list);
	if (list.n > 0)
		mime_field_add_addresses(out, field, &list);
}

static void
add_importance(const struct draft *d, struct mf_buf *out)
{
	const char *text = wbxml_child_value(d->data, Email_Importance);

	if (text != NULL && strcmp(text, "1") != 0)
		mime_field_add_text(out, "Importance", strcmp(text, "2") == 0 ? "high" : "low");
}

/* Which fields an element stands for. */
static const struct {
	uint16_t tag;
	const char *field;
} fields[] = { { Email_To, "To" }, { Email_Cc, "Cc" }, { Email2_Bcc, "Bcc" },
	{ Email_From, "From" }, { Email_ReplyTo, "Reply-To" }, { Email_Subject, "Subject" },
	{ Email_Importance, "Importance" }, { Email_Importance, "X-Priority" },
	{ Email_Importance, "X-MSMail-Priority" }, { Email_Importance, "Priority" } };

/* The names of fields that do not stay. */
static const char *const *
removed(struct mf_arena *a, const struct draft *d, bool new_body)
{
	const char **list = mf_new_array(a, const char *, 20);
	size_t n = 0;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (wbxml_child(d->data, fields[i].tag) != NULL)
			list[n++] = fields[i].field;
	list[n++] = "Date";
	list[n++] = "Message-ID";
	if (new_body) {
		list[n++] = "MIME-Version";
		list[n++] = "Content-Type";
		list[n++] = "Content-Transfer-Encoding";
		list[n++] = "Content-Disposition";
		list[n++] = "Content-ID";
	}
	return list;
}

static void
add_fields(struct mf_arena *a, const struct draft *d, bool new_body, struct mf_buf *out)
{
	const char *subject = wbxml_child_value(d->data, Email_Subject);
	bool from = wbxml_child(d->data, Email_From) != NULL;

	if (from)
		add_addresses(a, d, Email_From, "From", out);
	else if (d->old.len == 0)
		mf_buf_printf(out, "From: <%s>\r\n", d->from);
	for (size_t i = 0; i < 5; i++)
		if (fields[i].tag != Email_From)
			add_addresses(a, d, fields[i].tag, fields[i].field, out);
	if (subject != NULL)
		mime_field_add_text(out, "Subject", subject);
	add_importance(d, out);
	mime_field_add_date(out, "Date", d->now);
	mf_buf_printf(out, "Message-ID: <%s>\r\n", d->message_id);
	if (new_body)
		mf_buf_add_str(out, "MIME-Version: 1.0\r\n");
}

/* ---- Parts ---- */

static void
add_base64(struct mf_arena *a, struct mf_bytes data, struct mf_buf *out)
{
	for (size_t at = 0; at < data.len; at += LINE) {
		size_t n = data.len - at < LINE ? data.len - at : LINE;

		mf_buf_add_str(out, str_base64(a, data.data + at, n));
		mf_buf_add_str(out, "\r\n");
	}
}

/* Each child once and in its order, and no Body within (MS-ASAIRS 2.2.2.9). */
static bool
is_body(const struct wbxml_node *body)
{
	static const uint16_t order[] = { AirSyncBase_Type, AirSyncBase_EstimatedDataSize,
		AirSyncBase_Truncated, AirSyncBase_Data, 0 };
	size_t types = 0;

	for (const struct wbxml_node *n = body->children; n != NULL; n = n->next) {
		if (n->tag == AirSyncBase_Body)
			return false;
		types += n->tag == AirSyncBase_Type;
	}
	return types == 1 && schema_in_order(body, order);
}

static enum mf_status
add_text(
	struct mf_arena *a, const struct wbxml_node *body, struct mf_buf *out, struct mf_error *err)
{
	const char *type = wbxml_child_value(body, AirSyncBase_Type);
	const struct wbxml_node *data = wbxml_child(body, AirSyncBase_Data);
	bool html = type != NULL && strcmp(type, "2") == 0;

	if (!is_body(body) || (!html && strcmp(type, "1") != 0))
		return mf_fail(
			err, MF_INVALID, "draft: a body of type %s", type == NULL ? "" : type);
	mf_buf_printf(out,
		"Content-Type: text/%s; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n",
		html ? "html" : "plain");
	if (data != NULL)
		add_base64(a, wbxml_data(data), out);
	return MF_OK;
}

/* A word for a header's parameter: nothing that could end it. */
static const char *
quotable(struct mf_arena *a, const char *s)
{
	char *copy = mf_strdup(a, s);

	for (char *p = copy; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f || strchr("\"\\", *p) != NULL)
			*p = '_';
	return copy;
}

static const char *
percent(struct mf_arena *a, const char *s)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
	struct mf_buf b;
	const char *copy;

	mf_buf_init(&b, 4096);
	for (; *s != '\0'; s++) {
		if (strchr(plain, *s) != NULL)
			mf_buf_add_byte(&b, (uint8_t)*s);
		else
			mf_buf_printf(&b, "%%%02X", (unsigned char)*s);
	}
	copy = mf_strdup(a, mf_buf_str(&b));
	mf_buf_deinit(&b);
	return copy;
}

static bool
is_type(const char *s)
{
	const char *slash = strchr(s, '/');

	if (slash == NULL || slash == s || slash[1] == '\0' || strlen(s) > 100)
		return false;
	for (const char *p = s; *p != '\0'; p++)
		if (*p <= ' ' || *p >= 0x7f ||
			(p != slash && strchr("()<>@,;:\\\"/[]?=", *p) != NULL))
			return false;
	return true;
}

static void
add_file(struct mf_arena *a, const struct wbxml_node *n, struct mf_buf *out)
{
	const char *name = wbxml_child_value(n, AirSyncBase_DisplayName);
	const char *type = wbxml_child_value(n, AirSyncBase_ContentType);
	const char *id = wbxml_child_value(n, AirSyncBase_ContentId);
	const char *in = wbxml_child_value(n, AirSyncBase_IsInline);
	const struct wbxml_node *content = wbxml_child(n, AirSyncBase_Content);
	struct mf_bytes data = content == NULL ? mf_bytes(NULL, 0) : wbxml_data(content);

	if (content != NULL && content->opaque.len == 0 && data.len > 0) /* as text: base64 */
		data = str_unbase64(a, (const char *)data.data, data.len);
	name = name == NULL || name[0] == '\0' ? "attachment" : name;
	mf_buf_printf(out, "Content-Type: %s\r\nContent-Transfer-Encoding: base64\r\n",
		type != NULL && is_type(type) ? type : "application/octet-stream");
	mf_buf_printf(out, "Content-Disposition: %s;\r\n\tfilename*=UTF-8''%s\r\n",
		in != NULL && strcmp(in, "0") != 0 ? "inline" : "attachment", percent(a, name));
	if (id != NULL && id[0] != '\0')
		mf_buf_printf(out, "Content-ID: <%s>\r\n", quotable(a, id));
	mf_buf_add_str(out, "\r\n");
	add_base64(a, data, out);
}

/* ---- The whole ---- */

struct building {
	struct mf_arena *a;
	const struct draft *d;
	const struct wbxml_node *attachments;
	struct mime_message old;
	struct mime_structure structure; /* of the old message */
	const char *boundary;
	struct mf_buf *out;
	struct mf_error *err;
};

static void
add_old(struct building *b, const struct mf_part *part)
{
	const struct mime_place *place = mime_message_place(&b->old, part);

	if (place == NULL)
		return;
	if (part == b->old.root) { /* its fields are the message's own */
		mf_buf_printf(b->out, "Content-Type: %s/%s\r\n", part->type, part->subtype);
		mf_buf_printf(b->out, "Content-Transfer-Encoding: %s\r\n\r\n",
			part->encoding[0] == '\0' ? "7bit" : part->encoding);
	} else {
		mf_buf_add(b->out, place->header.data, place->header.len);
	}
	mf_buf_add(b->out, place->body.data, place->body.len);
}

static enum mf_status
add_body(struct building *b)
{
	const struct wbxml_node *body = wbxml_child(b->d->data, AirSyncBase_Body);
	const struct mime_text *text =
		b->structure.native == MIME_NATIVE_HTML ? &b->structure.html : &b->structure.plain;

	if (body != NULL)
		return add_text(b->a, body, b->out, b->err);
	if (b->d->old.len > 0 && text->n > 0)
		add_old(b, text->parts[0]);
	else
		mf_buf_add_str(b->out, "Content-Type: text/plain; charset=utf-8\r\n\r\n");
	return MF_OK;
}

static bool
is_deleted(const struct building *b, const struct mf_part *part)
{
	const struct wbxml_node *n = wbxml_child(b->attachments, AirSyncBase_Delete);

	for (; n != NULL; n = wbxml_next(n)) {
		const char *text = wbxml_child_value(n, AirSyncBase_FileReference);
		struct ids_file f;

		if (ids_file_parse(text, &f) && strcmp(f.section, part->section) == 0)
			return true;
	}
	return false;
}

static size_t
count_files(const struct building *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->structure.n_attachments; i++)
		n += !is_deleted(b, b->structure.attachments[i].part);
	for (const struct wbxml_node *f = wbxml_child(b->attachments, AirSyncBase_Add); f != NULL;
		f = wbxml_next(f))
		n++;
	return n;
}

static void
begin_part(struct building *b)
{
	mf_buf_printf(b->out, "\r\n--%s\r\n", b->boundary);
}

static enum mf_status
add_content(struct building *b)
{
	enum mf_status st;
	size_t files = count_files(b);

	if (files == 0)
		return add_body(b);
	if (files > PARTS_MAX)
		return mf_fail(b->err, MF_TOO_LARGE, "draft: %zu attachments", files);
	mf_buf_printf(
		b->out, "Content-Type: multipart/mixed; boundary=\"%s\"\r\n\r\n", b->boundary);
	begin_part(b);
	st = add_body(b);
	for (size_t i = 0; i < b->structure.n_attachments; i++) {
		if (is_deleted(b, b->structure.attachments[i].part))
			continue;
		begin_part(b);
		add_old(b, b->structure.attachments[i].part);
	}
	for (const struct wbxml_node *f = wbxml_child(b->attachments, AirSyncBase_Add); f != NULL;
		f = wbxml_next(f)) {
		begin_part(b);
		add_file(b->a, f, b->out);
	}
	mf_buf_printf(b->out, "\r\n--%s--\r\n", b->boundary);
	return st;
}

static void
add_header(struct building *b, bool new_body)
{
	struct mime_edit edit = { .remove = removed(b->a, b->d, new_body) };
	struct mf_buf add, whole;
	size_t len;

	mf_buf_init(&add, 0);
	mf_buf_init(&whole, 0);
	add_fields(b->a, b->d, new_body, &add);
	edit.add = mf_buf_bytes(&add);
	mime_header_edit(&whole, b->d->old, &edit);
	len = whole.len;
	if (new_body && len >= 2) /* the empty line comes after Content-Type */
		len -= 2;
	mf_buf_add(b->out, whole.data, len);
	mf_buf_deinit(&add);
	mf_buf_deinit(&whole);
}

enum mf_status
draft_compose(struct mf_arena *a, const struct draft *d, struct mf_buf *out, struct mf_error *err)
{
	struct building b = { .a = a, .d = d, .out = out, .err = err };
	bool new_body;
	enum mf_status st = MF_OK;

	b.attachments = wbxml_child(d->data, AirSyncBase_Attachments);
	new_body = d->old.len == 0 || b.attachments != NULL ||
		   wbxml_child(d->data, AirSyncBase_Body) != NULL;
	if (d->old.len > 0) {
		st = mime_message_parse(a, d->old, &b.old, err);
		if (st != MF_OK)
			return st;
		mime_structure_read(a, b.old.root, &b.old.header, &b.structure);
	}
	b.boundary = mf_printf(a, "=_%.60s", str_hex(a, d->message_id, strlen(d->message_id)));
	add_header(&b, new_body);
	if (new_body)
		st = add_content(&b);
	else
		mf_buf_add(out, d->old.data + b.old.header.size, d->old.len - b.old.header.size);
	if (st == MF_OK && out->failed)
		return mf_fail(err, MF_TOO_LARGE, "draft: larger than %zu bytes", out->max);
	return st;
}
