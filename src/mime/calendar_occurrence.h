/* One occurrence of a meeting that recurs, out of the mail that invites to all of it. */
#ifndef MIME_CALENDAR_OCCURRENCE_H
#define MIME_CALENDAR_OCCURRENCE_H

#include <stdint.h>

#include "mailferry/arena.h"
#include "mailferry/bytes.h"
#include "mailferry/error.h"

/* The message with a calendar of the one event that begins (or would have begun, had it not been moved) at `when`,
 * in seconds since 1970: with RECURRENCE-ID, without rules. All other parts stay byte for byte. In the arena.
 * MF_INVALID: there is no calendar in it. Whether the rules make such an occurrence is not looked at. */
enum mf_status mime_calendar_occurrence(struct mf_arena *a, struct mf_bytes message, int64_t when,
	struct mf_bytes *out, struct mf_error *err);

#endif
