/* Mail as a line in a list of results. Knows elements; must not know commands or backends. */
#include "eas/map/email_found.h"

#include "mime/header.h"

enum { LIST_MAX = 1024 }; /* bytes of a list of recipients */

struct body_options
email_found_options(void)
{
	struct body_options o = { .n = 1 };
	o.list[0] = (struct body_preference){
		.type = BODY_PLAIN, .truncation = 0, .preview = EMAIL_FOUND_PREVIEW
	};
	return o;
}

static void
write_text(struct wbxml_writer *w, uint16_t tag, const char *text)
{
	if (text != NULL && *text != '\0')
		wbxml_element(w, tag, text);
}

static void
write_recipients(struct wbxml_writer *w, struct mf_arena *a, const struct mime_header *h,
	const char *charset)
{
	static const struct {
		const char *field;
		uint16_t tag;
	} rows[] = { { "To", Email_DisplayTo }, { "Cc", Find_DisplayCc },
		{ "Bcc", Find_DisplayBcc } };
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct mime_addresses list;
		mime_header_addresses(a, h, rows[i].field, charset, &list);
		write_text(w, rows[i].tag, mime_addresses_display(a, &list, LIST_MAX));
	}
}

static bool
has_attachments(const struct mime_structure *s)
{
	for (size_t i = 0; i < s->n_attachments; i++)
		if (!s->attachments[i].is_inline)
			return true;
	return false;
}

void
email_found_write(struct wbxml_writer *w, struct email_view *v, const struct mf_item *item)
{
	struct mf_arena *a = v->scratch;
	struct mime_header h;
	struct mime_structure s;
	struct mime_addresses from;
	mime_header_parse(a, item->header, &h);
	mime_structure_read(a, item->structure, &h, &s);
	const char *subject = mime_header_text(a, &h, "Subject", s.charset);
	wbxml_element(w, Email_Subject, subject == NULL ? "" : subject);
	wbxml_element(w, Email_DateReceived, email_date(a, item->date));
	write_recipients(w, a, &h, s.charset);
	wbxml_number(w, Email_Importance, mime_header_importance(&h));
	wbxml_element(w, Email_Read, (item->flags & MF_FLAG_SEEN) != 0 ? "1" : "0");
	if (v->version >= EAS_16_0)
		wbxml_element(w, Email2_IsDraft, (item->flags & MF_FLAG_DRAFT) != 0 ? "1" : "0");
	write_text(w, Find_Preview, body_preview(a, &s, item, EMAIL_FOUND_PREVIEW));
	wbxml_element(w, Find_HasAttachments, has_attachments(&s) ? "1" : "0");
	mime_header_addresses(a, &h, "From", s.charset, &from);
	write_text(w, Email_From, mime_addresses_full(a, &from, LIST_MAX));
}
