/* An item of the store as a meeting: for the commands that answer or forward one. */
#ifndef EAS_MEETING_H
#define EAS_MEETING_H

#include "eas/request.h"
#include "mime/calendar.h"
#include "mime/structure.h"

struct meeting_item {
	struct mime_message message;
	const struct mf_part *part; /* its text/calendar */
	struct mf_bytes calendar;   /* the part's content, still encoded */
	struct mime_meeting meeting;
};

/* Reads a whole item. MF_GONE: it is not there; MF_INVALID: it is no meeting. Lives in r's arena. */
enum mf_status meeting_item_read(struct eas_request *r, const char *folder, uint64_t id,
	struct meeting_item *out, struct mf_error *err);

#endif
