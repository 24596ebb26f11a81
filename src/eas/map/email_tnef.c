/* Texts of a TNEF as parts of the message, under sections that no message has. */
#include "eas/map/email_tnef.h"

#include <string.h>

#include "mime/header.h"

/* No section of a message begins so. */
#define OURS		 "tnef:"
#define PLAIN_SECTION	 OURS "plain"
#define HTML_SECTION	 OURS "html"
#define CALENDAR_SECTION OURS "calendar"

static const struct mf_part *
text_part(struct mf_arena *a, const char *section, const char *subtype, const char *text)
{
	struct mf_param *charset = mf_new(a, struct mf_param);
	struct mf_part *p = mf_new(a, struct mf_part);
	*charset = (struct mf_param){ .name = "charset", .value = "utf-8" };
	*p = (struct mf_part){ .section = section,
		.type = "text",
		.subtype = subtype,
		.params = charset,
		.n_params = 1,
		.content_id = "",
		.description = "",
		.encoding = "8bit",
		.disposition = "",
		.location = "",
		.size = strlen(text) };
	return p;
}

/* Each format from the other where it is missing, as in mime/structure.h. */
static void
apply_text(struct mf_arena *a, const struct mime_tnef *t, struct mime_structure *s)
{
	if (s->plain.n > 0 || s->html.n > 0 || (t->text == NULL && t->html == NULL))
		return;
	if (t->text != NULL)
		s->plain.parts[s->plain.n++] = text_part(a, PLAIN_SECTION, "plain", t->text);
	if (t->html != NULL)
		s->html.parts[s->html.n++] = text_part(a, HTML_SECTION, "html", t->html);
	s->native = t->html != NULL ? MIME_NATIVE_HTML : MIME_NATIVE_PLAIN;
	if (t->html == NULL)
		s->html = s->plain;
	if (t->text == NULL)
		s->plain = s->html;
}

static void
set_file(const struct mime_tnef_file *f, const struct mf_part *part, unsigned number,
	struct mime_attachment *out)
{
	*out = (struct mime_attachment){ .part = part,
		.inner = number,
		.name = f->name,
		.type = f->type,
		.content_id = f->content_id,
		.is_inline = f->content_id != NULL,
		.method = f->is_object ? MIME_METHOD_OLE : MIME_METHOD_FILE,
		.size = f->data.len };
}

/* A meeting is told as if the message had a calendar, unless it has one. */
static void
apply_meeting(struct mf_arena *a, const struct mime_tnef *t, struct mime_structure *s)
{
	if (t->meeting == NULL || s->calendar != NULL)
		return;
	s->calendar = text_part(a, CALENDAR_SECTION, "calendar", "");
	s->calendar_method = t->meeting->method;
	s->message_class = strcmp(t->meeting->method, "CANCEL") == 0
				   ? "IPM.Schedule.Meeting.Canceled"
				   : "IPM.Schedule.Meeting.Request";
}

/* The files in place of the one that holds them. */
static void
apply_files(struct mf_arena *a, const struct mime_tnef *t, size_t at, struct mime_structure *s)
{
	struct mime_attachment *list =
		mf_new_array(a, struct mime_attachment, s->n_attachments + t->n_files);
	size_t n = 0;
	for (size_t i = 0; i < s->n_attachments; i++) {
		if (i != at)
			list[n++] = s->attachments[i];
		for (size_t k = 0; i == at && k < t->n_files; k++)
			set_file(&t->files[k], s->attachments[i].part, (unsigned)k + 1, &list[n++]);
	}
	s->attachments = list;
	s->n_attachments = n;
}

void
email_tnef_apply(struct mf_arena *a, const struct tnef_shown *shown, struct mime_structure *s)
{
	for (size_t i = 0; shown->tnef != NULL && i < s->n_attachments; i++) {
		if (!s->attachments[i].is_tnef ||
			strcmp(s->attachments[i].part->section, shown->section) != 0)
			continue;
		apply_text(a, shown->tnef, s);
		apply_meeting(a, shown->tnef, s);
		/* Of a message that would be empty the container is better than nothing. */
		if (shown->tnef->n_files > 0 || s->plain.n > 0)
			apply_files(a, shown->tnef, i, s);
		return;
	}
}

size_t
email_tnef_choose(struct mf_section_want *list, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < n; i++)
		if (strncmp(list[i].section, OURS, strlen(OURS)) != 0)
			list[kept++] = list[i];
	return kept;
}

struct mf_bytes
email_tnef_calendar(struct mf_arena *a, const struct mime_tnef *t, const struct mime_header *header)
{
	struct mime_addresses from, to;
	struct mf_buf b;
	mime_header_addresses(a, header, "From", NULL, &from);
	mime_header_addresses(a, header, "To", NULL, &to);
	mf_buf_init(&b, 0);
	mime_tnef_calendar(t->meeting, &from, &to, &b);
	struct mf_bytes calendar = mf_memdup(a, b.data, b.len);
	mf_buf_deinit(&b);
	return calendar;
}

struct mf_item
email_tnef_item(struct mf_arena *a, const struct tnef_shown *shown, const struct mf_item *item)
{
	struct mf_item more = *item;
	const char *texts[2][2] = { { PLAIN_SECTION, NULL }, { HTML_SECTION, NULL } };
	if (shown->tnef == NULL)
		return more;
	texts[0][1] = shown->tnef->text;
	texts[1][1] = shown->tnef->html;
	struct mf_section *list = mf_new_array(a, struct mf_section, item->n_sections + 3);
	if (item->n_sections > 0)
		memcpy(list, item->sections, item->n_sections * sizeof(*list));
	for (size_t i = 0; i < 2; i++)
		if (texts[i][1] != NULL)
			list[more.n_sections++] = (struct mf_section){ .section = texts[i][0],
				.data = mf_bytes_str(texts[i][1]) };
	if (shown->tnef->meeting != NULL) {
		struct mime_header header;
		mime_header_parse(a, item->header, &header);
		list[more.n_sections++] = (struct mf_section){ .section = CALENDAR_SECTION,
			.data = email_tnef_calendar(a, shown->tnef, &header) };
	}
	more.sections = list;
	return more;
}
