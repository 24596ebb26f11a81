/*
 * A meeting message's text/calendar (RFC 5545, 5546) as ActiveSync's MeetingRequest wants it (MS-ASEMAIL
 * 2.2.2.48). Together with calendar_zone.h the only user of libical; recurrences are described, never
 * expanded, so that no rule can keep us busy.
 */
#ifndef MIME_CALENDAR_H
#define MIME_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailferry/arena.h"
#include "mailferry/bytes.h"
#include "mailferry/error.h"
#include "mailferry/item.h"

/* MS-ASEMAIL 2.2.2.60; 0 where an element does not belong to the type. */
struct mime_recurrence {
	unsigned type;	      /* 0 daily, 1 weekly, 2 and 3 monthly, 5 and 6 yearly */
	unsigned interval;    /* at least 1 */
	unsigned occurrences; /* 0: not limited by count */
	bool has_until;
	int64_t until;
	unsigned day_of_month; /* types 2, 5 */
	unsigned
		day_of_week; /* types 1, 3, 6, and 0 where it is limited: 1 Sunday, 2 Monday, 4 ... */
	unsigned week_of_month;	    /* types 3, 6: 1 to 5, 5 is the last */
	unsigned month_of_year;	    /* types 5, 6 */
	unsigned first_day_of_week; /* 0 Sunday to 6 */
};

/* MS-ASEMAIL 2.2.2.39 */
enum mime_instance {
	MIME_INSTANCE_SINGLE,
	MIME_INSTANCE_MASTER,
	MIME_INSTANCE_ONE,
	MIME_INSTANCE_EXCEPTION
};

/* How the attendee of a reply answers. */
enum mime_partstat {
	MIME_PARTSTAT_NONE,
	MIME_PARTSTAT_ACCEPTED,
	MIME_PARTSTAT_TENTATIVE,
	MIME_PARTSTAT_DECLINED,
};

enum { MIME_DELEGATORS_MAX = 16 };

/* Times are seconds since 1970. Strings are "" where the calendar does not tell. */
struct mime_meeting {
	const char *method; /* upper case */
	const char *uid;
	const char *summary, *location;
	const char *organizer; /* `"Name" <address>` */
	int64_t start, end, stamp;
	bool all_day; /* then start and end are midnights of the zone */
	bool has_recurrence_id;
	int64_t recurrence_id;
	enum mime_instance instance;
	int64_t reminder; /* seconds before the start; -1: none */
	bool response_requested;
	unsigned sensitivity; /* MS-ASEMAIL 2.2.2.71 */
	unsigned busy_status; /* 2.2.2.14; 4 only from 16.0 on */
	bool disallow_new_time_proposal;
	const char *time_zone;	   /* base64, 172 bytes (MS-ASDTYPE 2.7.4) */
	const char *global_obj_id; /* base64 (2.2.2.37) */
	bool recurs;
	struct mime_recurrence recurrence;
	unsigned sequence;
	enum mime_partstat partstat; /* of a reply or counter */
	/* Attendees who have handed their invitation on (DELEGATED-TO): addresses, the first few. */
	const char *delegators[MIME_DELEGATORS_MAX];
	size_t n_delegators;
	const char *attendee; /* of a reply or counter: the address that answers */
	/* Of a counter proposal (16.1): what is proposed; start and end are then the original's where
	 * the calendar tells them. */
	bool has_proposal;
	int64_t proposed_start, proposed_end;
};

/* Reads the first event of a text/calendar part (data still encoded). MF_INVALID: there is none, or it
 * lacks a start; MF_TOO_LARGE: over a megabyte or nested beyond reason. */
enum mf_status mime_calendar_read(struct mf_arena *a, const struct mf_part *part,
	struct mf_bytes data, struct mime_meeting *out, struct mf_error *err);

#endif
