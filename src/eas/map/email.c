/*
 * Mail to elements. Knows MS-ASEMAIL; must not know commands, backends or the state. Whatever the
 * message holds, what is written is a valid item.
 */
#include "eas/map/email.h"

#include <string.h>
#include <time.h>

#include "base/str.h"
#include "eas/map/ids.h"
#include "eas/map/conversation.h"
#include "mime/header.h"
#include "sync/held.h"

enum { TO_MAX = 32 << 10, ATTACHMENTS_MAX = 200 };

const char *const email_fields[] = { "From", "Sender", "To", "Cc", "Bcc", "Reply-To", "Subject",
	"Importance", "X-Priority", "X-MSMail-Priority", "Priority", "Content-Class",
	"Content-Type", "Thread-Topic", "Thread-Index", "Message-ID", "In-Reply-To", "References",
	"Date", NULL };

const char *
email_date(struct mf_arena *a, int64_t when)
{
	char text[40];
	time_t t = (time_t)when;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL || tm.tm_year + 1900 < 1601 || tm.tm_year + 1900 > 9999) {
		t = 0;
		gmtime_r(&t, &tm);
	}
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S.000Z", &tm);
	return mf_strdup(a, text);
}

static void
write_if(struct wbxml_writer *w, uint16_t tag, const char *text)
{
	if (text != NULL && text[0] != '\0')
		wbxml_element(w, tag, text);
}

/* What one item is made of while it is written. */
struct parts {
	struct mime_header header;
	struct mime_structure structure;
	struct body_plan body;
};

static void
read_item(struct email_view *v, const struct mf_item *item, struct parts *p)
{
	mime_header_parse(v->scratch, item->header, &p->header);
	mime_structure_read(v->scratch, item->structure, &p->header, &p->structure);
	body_plan(&v->body, &p->structure, &p->body);
}

size_t
email_choose(struct email_view *v, const struct mf_item *item, struct mf_section_want *out,
	uint64_t *bytes)
{
	struct parts p;

	read_item(v, item, &p);
	return body_sections(&v->body, &p.body, item, out, MF_SECTIONS_MAX, bytes);
}

/* Joined by semicolons, unlike To (MS-ASEMAIL 2.2.2.64). */
static void
write_reply_to(struct wbxml_writer *w, struct mf_arena *a, const struct mime_addresses *list)
{
	if (list->n == 0)
		return;
	wbxml_open(w, Email_ReplyTo);
	for (size_t i = 0; i < list->n; i++) {
		struct mime_addresses one = { .list = &list->list[i], .n = 1 };

		wbxml_text(w, i == 0 ? "" : ";");
		wbxml_text(w, mime_addresses_full(a, &one, TO_MAX));
	}
	wbxml_close(w);
}

static void
write_addresses(struct wbxml_writer *w, struct email_view *v, const struct parts *p)
{
	static const struct {
		const char *field;
		uint16_t tag;
	} rows[] = { { "To", Email_To }, { "Cc", Email_Cc }, { "From", Email_From } };
	struct mf_arena *a = v->scratch;
	const char *charset = p->structure.charset;
	struct mime_addresses list;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		mime_header_addresses(a, &p->header, rows[i].field, charset, &list);
		write_if(w, rows[i].tag, mime_addresses_full(a, &list, TO_MAX));
	}
	mime_header_addresses(a, &p->header, "Reply-To", charset, &list);
	write_reply_to(w, a, &list);
	mime_header_addresses(a, &p->header, "To", charset, &list);
	write_if(w, Email_DisplayTo, mime_addresses_display(a, &list, TO_MAX));
}

static void
write_subject(struct wbxml_writer *w, struct email_view *v, const struct parts *p)
{
	const char *charset = p->structure.charset;
	const char *subject = mime_header_text(v->scratch, &p->header, "Subject", charset);
	const char *topic = mime_header_text(v->scratch, &p->header, "Thread-Topic", charset);

	if (subject == NULL)
		subject = "";
	wbxml_element(w, Email_Subject, subject);
	write_if(w, Email_ThreadTopic,
		topic != NULL && topic[0] != '\0' ? topic : mime_subject_topic(subject));
}

static void
write_flag(struct wbxml_writer *w, uint32_t flags)
{
	wbxml_open(w, Email_Flag);
	if ((flags & MF_FLAG_FLAGGED) != 0) {
		wbxml_element(w, Email_Status, "2");
		wbxml_element(w, Email_FlagType, "for Follow Up");
	}
	wbxml_close(w);
}

static void
write_categories(struct wbxml_writer *w, const char *const *keywords, size_t n)
{
	wbxml_open(w, Email_Categories);
	for (size_t i = 0; i < n; i++)
		if (sync_is_category(keywords[i], strlen(keywords[i])))
			wbxml_element(w, Email_Category, keywords[i]);
	wbxml_close(w);
}

static void
write_attachment(struct wbxml_writer *w, struct email_view *v, const struct mf_item *item,
	const struct mime_attachment *at)
{
	wbxml_open(w, AirSyncBase_Attachment);
	wbxml_element(w, AirSyncBase_DisplayName, at->name);
	wbxml_element(w, AirSyncBase_FileReference,
		ids_file_print(v->scratch, v->folder, item, at->part->section, 0));
	wbxml_number(w, AirSyncBase_Method, at->method);
	wbxml_number(w, AirSyncBase_EstimatedDataSize, (int64_t)at->size);
	write_if(w, AirSyncBase_ContentId, at->content_id);
	write_if(w, AirSyncBase_ContentLocation, at->location);
	if (at->is_inline)
		wbxml_element(w, AirSyncBase_IsInline, "1");
	wbxml_close(w);
}

static void
write_attachments(struct wbxml_writer *w, struct email_view *v, const struct mf_item *item,
	const struct mime_structure *s)
{
	if (s->n_attachments == 0)
		return;
	wbxml_open(w, AirSyncBase_Attachments);
	for (size_t i = 0; i < s->n_attachments && i < ATTACHMENTS_MAX; i++)
		write_attachment(w, v, item, &s->attachments[i]);
	wbxml_close(w);
}

void
email_write(struct wbxml_writer *w, struct email_view *v, const struct mf_item *item)
{
	struct parts p;

	read_item(v, item, &p);
	write_addresses(w, v, &p);
	write_subject(w, v, &p);
	wbxml_element(w, Email_DateReceived, email_date(v->scratch, item->date));
	wbxml_number(w, Email_Importance, mime_header_importance(&p.header));
	wbxml_element(w, Email_Read, (item->flags & MF_FLAG_SEEN) != 0 ? "1" : "0");
	write_attachments(w, v, item, &p.structure);
	body_write(w, v->scratch, v->version, &v->body, &p.body, &p.structure, item);
	wbxml_element(w, Email_MessageClass, p.structure.message_class);
	wbxml_number(w, Email_InternetCPID, p.structure.codepage);
	write_flag(w, item->flags);
	wbxml_element(w, Email_ContentClass, "urn:content-classes:message");
	if (v->version >= EAS_14_0)
		write_categories(w, item->keywords, item->n_keywords);
	if (v->version >= EAS_14_0)
		conversation_write(w, v->scratch, v->state, v->user, &p.header, item);
}

/* The categories among a mark's keywords, as Categories. */
static void
write_mark_categories(struct wbxml_writer *w, const char *keywords)
{
	wbxml_open(w, Email_Categories);
	for (const char *end; (end = strchr(keywords, '\n')) != NULL; keywords = end + 1) {
		if (!sync_is_category(keywords, (size_t)(end - keywords)))
			continue;
		wbxml_open(w, Email_Category);
		wbxml_text_n(w, keywords, (size_t)(end - keywords));
		wbxml_close(w);
	}
	wbxml_close(w);
}

void
email_write_change(struct wbxml_writer *w, enum eas_version version, const struct sync_mark *before,
	const struct sync_mark *now)
{
	uint32_t differ = before == NULL ? UINT32_MAX : before->flags ^ now->flags;

	if ((differ & MF_FLAG_SEEN) != 0)
		wbxml_element(w, Email_Read, (now->flags & MF_FLAG_SEEN) != 0 ? "1" : "0");
	if ((differ & MF_FLAG_FLAGGED) != 0)
		write_flag(w, now->flags);
	if (version >= EAS_14_0 && (before == NULL || strcmp(before->keywords, now->keywords) != 0))
		write_mark_categories(w, now->keywords);
}
