/*
 * Mail to elements. Knows MS-ASEMAIL; must not know commands, backends or the state. Whatever the
 * message holds, what is written is a valid item.
 */
#include "eas/map/email_parts.h"

#include <string.h>

#include "base/str.h"
#include "eas/map/category.h"
#include "eas/map/conversation.h"
#include "eas/map/flag.h"
#include "eas/map/meeting.h"
#include "eas/map/verb.h"
#include "mailferry/log.h"
#include "mailferry/date.h"
#include "mime/header.h"
#include "state/folder.h"
#include "sync/details.h"

enum { TO_MAX = 32 << 10, CLASS_SECTION_MAX = 16 << 10 };

const char *const email_fields[] = { "From", "Sender", "To", "Cc", "Bcc", "Reply-To", "Subject",
	"Importance", "X-Priority", "X-MSMail-Priority", "Priority", "Content-Class",
	"Content-Type", "Thread-Topic", "Thread-Index", "Message-ID", "In-Reply-To", "References",
	"Date", "X-CallingTelephoneNumber", "X-VoiceMessageDuration", "X-AttachmentOrder", NULL };

static void
two_digits(char *out, int n)
{
	out[0] = (char)('0' + n / 10);
	out[1] = (char)('0' + n % 10);
}

const char *
email_date(struct mf_arena *a, int64_t when)
{
	struct mf_date d = mf_date_of(when);
	char *text = mf_strdup(a, "0000-00-00T00:00:00.000Z");

	if (d.year < 1601 || d.year > 9999)
		d = mf_date_of(0);
	two_digits(text, (int)(d.year / 100));
	two_digits(text + 2, (int)(d.year % 100));
	two_digits(text + 5, d.month);
	two_digits(text + 8, d.day);
	two_digits(text + 11, d.hour);
	two_digits(text + 14, d.minute);
	two_digits(text + 17, d.second);
	return text;
}

void
email_write_if(struct wbxml_writer *w, uint16_t tag, const char *text)
{
	if (text != NULL && text[0] != '\0')
		wbxml_element(w, tag, text);
}

void
email_view_load(struct email_view *v, const struct state_folder *folder, struct mf_arena *a)
{
	struct mf_error err;

	v->meetings = (struct meeting_memory){ .state = v->state, .user = v->user, .a = a };
	if (state_flags_load(v->state, v->user, folder->number, a, &v->flags, &err) != MF_OK ||
		state_verbs_load(v->state, v->user, folder->number, a, &v->verbs, &err) != MF_OK) {
		v->flags = v->verbs = (struct state_flags){ 0 };
		mf_log_warning("event=flags-unknown folder=%u reason=%s", folder->number,
			mf_log_value(err.text));
	}
}

static const char *const address_fields[ADDRESS_FIELDS] = { "To", "Cc", "From", "Reply-To",
	"Sender", "Bcc" };

static void
read_item(struct email_view *v, const struct mf_item *item, struct email_parts *p)
{
	mime_header_parse(v->scratch, item->header, &p->header);
	mime_structure_read(v->scratch, item->structure, &p->header, &p->structure);
	email_tnef_apply(v->scratch, &v->tnef, &p->structure);
	body_plan(&v->body, &p->structure, &p->body);
}

/* A section that is not part of the body. One that is there already, cut shorter, is enough: what it
 * tells is optional. */
static size_t
add_section(struct mf_section_want *out, size_t n, const struct mf_part *part, uint64_t max,
	uint64_t *bytes)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(out[i].section, part->section) == 0)
			return n;
	if (n == MF_SECTIONS_MAX || strlen(part->section) >= sizeof(out->section))
		return n;
	memset(&out[n], 0, sizeof(out[n]));
	memcpy(out[n].section, part->section, strlen(part->section) + 1);
	out[n].max = part->size <= max ? 0 : max;
	*bytes += part->size <= max ? part->size : max;
	return n + 1;
}

/* Of meetings the calendar, of reports and replies what tells their class. */
static size_t
more_sections(const struct email_view *v, const struct email_parts *p, struct mf_section_want *out,
	size_t n, uint64_t *bytes)
{
	if (meeting_expected(&p->structure, v->version))
		n = add_section(out, n, p->structure.calendar, MEETING_SECTION_MAX, bytes);
	if (p->structure.class_detail != NULL)
		n = add_section(out, n, p->structure.class_detail, CLASS_SECTION_MAX, bytes);
	return n;
}

static struct mf_bytes
section_of(const struct mf_item *item, const struct mf_part *part)
{
	for (size_t i = 0; part != NULL && i < item->n_sections; i++)
		if (strcmp(item->sections[i].section, part->section) == 0)
			return item->sections[i].data;
	return mf_bytes(NULL, 0);
}

size_t
email_choose(struct email_view *v, const struct mf_item *item, struct mf_section_want *out,
	uint64_t *bytes)
{
	struct email_parts *p = mf_new(v->scratch, struct email_parts);

	read_item(v, item, p);
	v->chosen = v->keeps ? p : NULL;
	v->chosen_id = item->id;
	return email_tnef_choose(
		out, more_sections(v, p, out,
			     body_sections(&v->body, &p->body, item, out, MF_SECTIONS_MAX, bytes),
			     bytes));
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

static const struct mime_addresses *
addresses(struct email_view *v, struct email_parts *p, enum address_field field)
{
	struct mime_addresses *list = &p->lists[field];

	if (!p->has_list[field])
		mime_header_addresses(
			v->scratch, &p->header, address_fields[field], p->structure.charset, list);
	p->has_list[field] = true;
	return list;
}

static void
write_addresses(struct wbxml_writer *w, struct email_view *v, struct email_parts *p)
{
	static const struct {
		enum address_field field;
		uint16_t tag;
	} rows[] = { { FIELD_TO, Email_To }, { FIELD_CC, Email_Cc }, { FIELD_FROM, Email_From } };
	struct mf_arena *a = v->scratch;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		email_write_if(w, rows[i].tag,
			mime_addresses_full(a, addresses(v, p, rows[i].field), TO_MAX));
	write_reply_to(w, a, addresses(v, p, FIELD_REPLY_TO));
	email_write_if(
		w, Email_DisplayTo, mime_addresses_display(a, addresses(v, p, FIELD_TO), TO_MAX));
}

static void
write_subject(struct wbxml_writer *w, struct email_view *v, const struct email_parts *p)
{
	const char *charset = p->structure.charset;
	const char *subject = mime_header_text(v->scratch, &p->header, "Subject", charset);
	const char *topic = mime_header_text(v->scratch, &p->header, "Thread-Topic", charset);

	if (subject == NULL)
		subject = "";
	wbxml_element(w, Email_Subject, subject);
	email_write_if(w, Email_ThreadTopic,
		topic != NULL && topic[0] != '\0' ? topic : mime_subject_topic(subject));
}

static void
write_categories(struct wbxml_writer *w, struct mf_arena *a, const char *const *keywords, size_t n)
{
	wbxml_open(w, Email_Categories);
	for (size_t i = 0; i < n; i++)
		if (sync_is_category(keywords[i], strlen(keywords[i])))
			wbxml_element(w, Email_Category,
				category_text(a, keywords[i], strlen(keywords[i])));
	wbxml_close(w);
}

static const char *
class_of(struct email_view *v, const struct email_parts *p, const struct mf_item *item,
	bool has_meeting)
{
	if (meeting_expected(&p->structure, v->version) && !has_meeting)
		return "IPM.Note"; /* a meeting that cannot be read is shown as what it says */
	if (p->structure.class_detail == NULL)
		return p->structure.message_class;
	return mime_class_refine(
		v->scratch, &p->structure, section_of(item, p->structure.class_detail));
}

/* The one who sent it for somebody else (MS-ASEMAIL 2.2.2.70). */
static void
write_sender(struct wbxml_writer *w, struct email_view *v, struct email_parts *p)
{
	struct mime_addresses sender = *addresses(v, p, FIELD_SENDER);
	const struct mime_addresses *from = addresses(v, p, FIELD_FROM);

	if (sender.n == 0 || sender.list[0].addr[0] == '\0' ||
		(from->n > 0 && str_ieq(sender.list[0].addr, from->list[0].addr)))
		return;
	sender.n = 1;
	wbxml_element(w, Email2_Sender, mime_addresses_full(v->scratch, &sender, TO_MAX));
}

static bool
names(struct email_view *v, struct email_parts *p, enum address_field field)
{
	const struct mime_addresses *list = addresses(v, p, field);

	for (size_t i = 0; i < list->n; i++)
		if (str_ieq(list->list[i].addr, v->address))
			return true;
	return false;
}

/* Elements that came with 14.0 and 16.0. */
static void
write_newer(struct wbxml_writer *w, struct email_view *v, struct email_parts *p,
	const struct mf_item *item)
{
	if (v->version < EAS_14_0)
		return;
	verb_write(w, v->scratch, item->flags, state_flag_find(&v->verbs, item->id));
	write_sender(w, v, p);
	if (v->address != NULL && names(v, p, FIELD_BCC) && !names(v, p, FIELD_TO) &&
		!names(v, p, FIELD_CC) && !names(v, p, FIELD_FROM))
		wbxml_element(w, Email2_ReceivedAsBcc, "1");
	if (email_is_voice(p))
		email_write_if(w, Email2_UmCallerID,
			mime_header_text(v->scratch, &p->header, "X-CallingTelephoneNumber", NULL));
	if (v->version < EAS_16_0)
		return;
	wbxml_element(w, Email2_IsDraft, (item->flags & MF_FLAG_DRAFT) != 0 ? "1" : "0");
	email_write_if(
		w, Email2_Bcc, mime_addresses_full(v->scratch, addresses(v, p, FIELD_BCC), TO_MAX));
}

/* What was read when its sections were chosen, if it is still there. */
static struct email_parts *
parts_of(struct email_view *v, const struct mf_item *item)
{
	struct email_parts *p = v->chosen;

	v->chosen = NULL;
	if (p != NULL && item->as_chosen && v->chosen_id == item->id && v->tnef.tnef == NULL)
		return p;
	p = mf_new(v->scratch, struct email_parts);
	read_item(v, item, p);
	return p;
}

void
email_write(struct wbxml_writer *w, struct email_view *v, const struct mf_item *fetched)
{
	const struct mf_item opened = email_tnef_item(v->scratch, &v->tnef, fetched),
			     *item = &opened;
	struct email_parts *p = parts_of(v, item);
	bool meeting;

	meeting =
		meeting_expected(&p->structure, v->version) &&
		meeting_write(w, v, p->structure.calendar, section_of(item, p->structure.calendar));
	write_addresses(w, v, p);
	write_subject(w, v, p);
	wbxml_element(w, Email_DateReceived, email_date(v->scratch, item->date));
	wbxml_number(w, Email_Importance, mime_header_importance(&p->header));
	wbxml_element(w, Email_Read, (item->flags & MF_FLAG_SEEN) != 0 ? "1" : "0");
	email_attachments_write(w, v, item, p);
	body_write(w, v->scratch, v->version, &v->body, &p->body, &p->structure, item);
	wbxml_element(w, Email_MessageClass, class_of(v, p, item, meeting));
	wbxml_number(w, Email_InternetCPID, p->structure.codepage);
	flag_write(w, v->scratch, (item->flags & MF_FLAG_FLAGGED) != 0,
		state_flag_find(&v->flags, item->id));
	wbxml_element(w, Email_ContentClass, "urn:content-classes:message");
	if (v->version >= EAS_14_0)
		write_categories(w, v->scratch, item->keywords, item->n_keywords);
	write_newer(w, v, p, item);
	if (v->version >= EAS_14_0)
		conversation_write(w, v->scratch, v->state, v->user, &p->header, item);
}

/* The categories among a mark's keywords, as Categories. */
static void
write_mark_categories(struct wbxml_writer *w, struct mf_arena *a, const char *keywords)
{
	wbxml_open(w, Email_Categories);
	for (const char *end; (end = strchr(keywords, '\n')) != NULL; keywords = end + 1) {
		if (!sync_is_category(keywords, (size_t)(end - keywords)))
			continue;
		wbxml_element(
			w, Email_Category, category_text(a, keywords, (size_t)(end - keywords)));
	}
	wbxml_close(w);
}

void
email_write_change(struct wbxml_writer *w, struct email_view *v, uint64_t id,
	const struct sync_mark *before, const struct sync_mark *now)
{
	uint32_t differ = before == NULL ? UINT32_MAX : before->flags ^ now->flags;
	size_t began = w->out->len;

	if ((differ & MF_FLAG_SEEN) != 0)
		wbxml_element(w, Email_Read, (now->flags & MF_FLAG_SEEN) != 0 ? "1" : "0");
	if ((differ & (MF_FLAG_FLAGGED | SYNC_DETAILS)) != 0)
		flag_write(w, v->scratch, (now->flags & MF_FLAG_FLAGGED) != 0,
			state_flag_find(&v->flags, id));
	if (v->version >= EAS_14_0 &&
		(before == NULL || strcmp(before->keywords, now->keywords) != 0))
		write_mark_categories(w, v->scratch, now->keywords);
	if (v->version >= EAS_14_0 && (differ & (MF_FLAG_ANSWERED | MF_FLAG_FORWARDED)) != 0)
		verb_write(w, v->scratch, now->flags, state_flag_find(&v->verbs, id));
	if (w->out->len == began) /* what changed cannot be told to this version */
		wbxml_element(w, Email_Read, (now->flags & MF_FLAG_SEEN) != 0 ? "1" : "0");
}
