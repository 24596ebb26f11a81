/* Fetches an item and finds the event in it. */
#include "eas/meeting.h"

#include "eas/map/email_tnef.h"
#include "eas/send.h"
#include "mime/decode.h"

enum { TNEF_MEETING_MAX = 16 << 20 };

/* In the winmail.dat, where there is one. Without a calendar the item is no meeting. */
static void
look_into_tnef(struct eas_request *r, struct mime_structure *s, struct meeting_item *out)
{
	for (size_t i = 0; i < s->n_attachments && out->part == NULL; i++) {
		const struct mime_attachment *file = &s->attachments[i];
		struct tnef_shown shown = { .section = file->part->section };
		struct mime_tnef tnef;
		struct mf_buf plain;
		if (!file->is_tnef || file->part->size > TNEF_MEETING_MAX)
			continue;
		mf_buf_init(&plain, 0);
		mime_decode(mime_encoding_parse(file->part->encoding),
			mime_message_part(&out->message, file->part), &plain);
		if (mime_tnef_read(r->arena, mf_buf_bytes(&plain), &tnef, NULL) == MF_OK &&
			tnef.meeting != NULL) {
			shown.tnef = &tnef;
			email_tnef_apply(r->arena, &shown, s);
			out->part = s->calendar;
			out->calendar = email_tnef_calendar(r->arena, &tnef, &out->message.header);
		}
		mf_buf_deinit(&plain);
	}
}

enum mf_status
meeting_item_read(struct eas_request *r, const char *folder, uint64_t id, struct meeting_item *out,
	struct mf_error *err)
{
	struct mime_structure structure;
	struct mf_bytes whole;
	enum mf_status st = source_read(r, folder, id, &whole, err);
	if (st == MF_OK)
		st = mime_message_parse(r->arena, whole, &out->message, err);
	if (st != MF_OK)
		return st;
	mime_structure_read(r->arena, out->message.root, &out->message.header, &structure);
	out->part = structure.calendar;
	if (out->part != NULL)
		out->calendar = mime_message_part(&out->message, out->part);
	else
		look_into_tnef(r, &structure, out);
	if (out->part == NULL)
		return mf_fail(err, MF_INVALID, "the item is no meeting");
	return mime_calendar_read(r->arena, out->part, out->calendar, &out->meeting, err);
}
