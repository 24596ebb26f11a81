/* Time zones of calendars as the two yearly rules that ActiveSync knows; for the folder's own use. */
#ifndef MIME_CALENDAR_ZONE_H
#define MIME_CALENDAR_ZONE_H

#include <libical/ical.h>
#include <stdbool.h>
#include <stdint.h>

#include "mailferry/arena.h"

/* The first property of a component whose value is of a kind that may be read as such: a VALUE parameter
 * makes libical keep something else, which its getters would misread. NULL: there is none. */
icalproperty *calendar_property(icalcomponent *c, icalproperty_kind kind);
/* Whether a property's value is of its kind's. */
bool calendar_is_sound(icalproperty *p);

/* When the clocks change: the week-th weekday of a month, 5 is the last. */
struct zone_change {
	int month;   /* 1 to 12; 0: never */
	int weekday; /* 0 Sunday */
	int week;
	int hour, minute, second; /* on the clock before the change */
};

struct zone {
	const char *name;
	int standard, daylight; /* seconds east of UTC */
	struct zone_change to_standard, to_daylight;
};

/* The rules of a VTIMEZONE that hold at a time. Its recurrences are read, not run. */
void zone_read(icalcomponent *vtimezone, struct icaltimetype at, struct zone *out);
/* The zone of that name in the calendar, else in the system's database; false: unknown, out is UTC. */
bool zone_find(icalcomponent *calendar, const char *tzid, struct icaltimetype at, struct zone *out);

/* A local time in seconds since 1970. */
int64_t zone_to_utc(const struct zone *z, struct icaltimetype local);
/* Seconds since 1970 of a time taken as UTC. */
int64_t zone_utc(struct icaltimetype t);

/* MS-ASDTYPE 2.7.4 in base64. */
const char *zone_blob(struct mf_arena *a, const struct zone *z);

#endif
