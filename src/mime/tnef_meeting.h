/*
 * A meeting within a TNEF: gathered from its properties, and written as the calendar that other mail would have.
 * Knows properties by number (MS-OXPROPS); must not know how they are stored.
 */
#ifndef MIME_TNEF_MEETING_H
#define MIME_TNEF_MEETING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailferry/arena.h"
#include "mailferry/buf.h"
#include "mailferry/bytes.h"
#include "mime/header.h"

/* Named properties of the two sets that meetings have: their numbers, out of the way of the others. */
enum {
	TNEF_APPOINTMENT = 0x10000,
	TNEF_MEETING = 0x20000,
};

struct mime_tnef_meeting {
	const char *method; /* "REQUEST", "CANCEL"; NULL: this is no meeting */
	bool has_start, recurs;
	int64_t start, end, stamp; /* seconds since 1970 */
	bool all_day, response_requested;
	unsigned sequence, busy;
	const char *uid, *summary, *location, *organizer_name; /* "" when not told */
	const char *organizer;				       /* an SMTP address, "" */
};

void tnef_meeting_init(struct mime_tnef_meeting *m);

/* The class of the message: tells whether it is a meeting at all. */
void tnef_meeting_class(struct mime_tnef_meeting *m, const char *message_class);

/* One property. text: the value when it is a string, else NULL. Strings are in the arena. */
void tnef_meeting_property(struct mf_arena *a, struct mime_tnef_meeting *m, unsigned id,
	struct mf_bytes value, const char *text);

/* Whether it is complete. Not those that recur: their pattern is not read, and one date would mislead. */
bool tnef_meeting_good(const struct mime_tnef_meeting *m);

/* Appends a calendar (RFC 5545) in UTF-8. from, to: of the message; the organizer where the TNEF does not tell, and
 * who is invited. */
void mime_tnef_calendar(const struct mime_tnef_meeting *m, const struct mime_addresses *from,
	const struct mime_addresses *to, struct mf_buf *out);

#endif
