/* Attachments of mail as elements, and what voice mail says about them (MS-ASAIRS 2.2.2.7, MS-ASEMAIL 2.2.2.81). */
#include <string.h>

#include "base/str.h"
#include "eas/map/email_parts.h"
#include "eas/map/ids.h"

enum { ATTACHMENTS_MAX = 200 };

bool
email_is_voice(const struct email_parts *p)
{
	return str_istarts(p->structure.message_class, "IPM.Note.Microsoft.Voicemail") ||
	       str_istarts(p->structure.message_class, "IPM.Note.RPMSG.Microsoft.Voicemail") ||
	       str_istarts(p->structure.message_class, "IPM.Note.Microsoft.Missed.Voice");
}

/* The place of a name in X-AttachmentOrder, which begins with the newest: 1 and on; 0: not in it
 * (MS-OXOUM 2.2.4.2, MS-ASEMAIL 2.2.2.82). */
static unsigned
voice_order(struct email_view *v, const struct email_parts *p, const char *name)
{
	const char *list = mime_header_text(v->scratch, &p->header, "X-AttachmentOrder", NULL);
	unsigned place = 1;
	size_t len;

	for (; list != NULL && *list != '\0'; list += len + (list[len] == ';'), place++) {
		len = strcspn(list, ";");
		if (len == strlen(name) && strncmp(list, name, len) == 0)
			return place;
	}
	return 0;
}

static void
write_voice_attachment(struct wbxml_writer *w, struct email_view *v, const struct email_parts *p,
	const struct mime_attachment *at)
{
	const char *duration =
		mime_header_text(v->scratch, &p->header, "X-VoiceMessageDuration", NULL);
	unsigned order;
	uint64_t seconds;

	if (v->version < EAS_14_0 || !email_is_voice(p))
		return;
	order = voice_order(v, p, at->name);
	if (order == 0)
		return;
	if (order == 1 && duration != NULL && str_to_u64(duration, INT32_MAX, &seconds))
		wbxml_number(w, Email2_UmAttDuration, (int64_t)seconds);
	wbxml_number(w, Email2_UmAttOrder, order);
}

static void
write_attachment(struct wbxml_writer *w, struct email_view *v, const struct mf_item *item,
	const struct email_parts *p, const struct mime_attachment *at)
{
	wbxml_open(w, AirSyncBase_Attachment);
	wbxml_element(w, AirSyncBase_DisplayName, at->name);
	wbxml_element(w, AirSyncBase_FileReference,
		ids_file_print(v->scratch, v->folder, item, at->part->section, at->inner));
	wbxml_number(w, AirSyncBase_Method, at->method);
	wbxml_number(w, AirSyncBase_EstimatedDataSize, (int64_t)at->size);
	email_write_if(w, AirSyncBase_ContentId, at->content_id);
	email_write_if(w, AirSyncBase_ContentLocation, at->location);
	if (at->is_inline)
		wbxml_element(w, AirSyncBase_IsInline, "1");
	write_voice_attachment(w, v, p, at);
	wbxml_close(w);
}

void
email_attachments_write(struct wbxml_writer *w, struct email_view *v, const struct mf_item *item,
	const struct email_parts *p)
{
	const struct mime_structure *s = &p->structure;

	if (s->n_attachments == 0)
		return;
	wbxml_open(w, AirSyncBase_Attachments);
	for (size_t i = 0; i < s->n_attachments && i < ATTACHMENTS_MAX; i++)
		write_attachment(w, v, item, p, &s->attachments[i]);
	wbxml_close(w);
}
