/*
 * The answer to an invitation: iTIP's REPLY and COUNTER (RFC 5546 3.2.3, 3.2.7) made from the invitation's
 * own text/calendar, and the content of the mail that carries it (RFC 6047).
 */
#ifndef MIME_CALENDAR_ANSWER_H
#define MIME_CALENDAR_ANSWER_H

#include "mailferry/buf.h"
#include "mime/calendar.h"

struct mime_meeting_answer {
	enum mime_partstat partstat;
	const char
		*attendee; /* the user's address: it answers as the invited one of this address, or
				 as the only one who was invited */
	int64_t now;	   /* DTSTAMP, seconds since 1970 */
	bool proposes;	   /* a COUNTER with these times, seconds since 1970 */
	int64_t start, end;
	struct mf_bytes text; /* what the user wrote, UTF-8; may be empty */
	bool html;	      /* it is HTML */
};

/* Writes MIME-Version, Content-Type and what follows, up to the end of the mail: the text, and the calendar
 * beside it. The same input gives the same bytes. part and data are the invitation's (still encoded).
 * MF_INVALID: they hold no event, or it lacks a UID or an organizer. */
enum mf_status mime_calendar_answer(struct mf_arena *a, const struct mf_part *part,
	struct mf_bytes data, const struct mime_meeting_answer *answer, struct mf_buf *out,
	struct mf_error *err);

#endif
