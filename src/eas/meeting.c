/* Fetches an item and finds the event in it. */
#include "eas/meeting.h"

#include "eas/send.h"

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
	if (out->part == NULL)
		return mf_fail(err, MF_INVALID, "the item is no meeting");
	out->calendar = mime_message_part(&out->message, out->part);
	return mime_calendar_read(r->arena, out->part, out->calendar, &out->meeting, err);
}
