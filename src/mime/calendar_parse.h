/* A text/calendar part as libical's components, within limits; for the folder's own use. */
#ifndef MIME_CALENDAR_PARSE_H
#define MIME_CALENDAR_PARSE_H

#include <libical/ical.h>

#include "mailferry/arena.h"
#include "mailferry/bytes.h"
#include "mailferry/error.h"
#include "mailferry/item.h"

/* The calendar of a part (data still encoded) and its main event: the first without a RECURRENCE-ID, else
 * the first. Both belong to the arena. MF_INVALID: there is no event; MF_TOO_LARGE: over a megabyte or
 * nested beyond reason. */
enum mf_status calendar_parse(struct mf_arena *a, const struct mf_part *part, struct mf_bytes data,
	icalcomponent **calendar, icalcomponent **event, struct mf_error *err);

#endif
