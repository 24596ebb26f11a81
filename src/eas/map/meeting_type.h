/*
 * MeetingMessageType (MS-ASEMAIL 2.2.2.47): is a meeting message the first request, an update, or one that a
 * newer has overtaken? iTIP (RFC 5546) tells it by the sequence and the stamp of all the requests that came;
 * the state remembers those that were told, and what was told once stays.
 */
#ifndef EAS_MAP_MEETING_TYPE_H
#define EAS_MAP_MEETING_TYPE_H

#include "mime/calendar.h"
#include "state/meeting.h"

enum { MEETING_NEWS_MAX = 512 }; /* of one answer; what is more is remembered by the next */

/* What one view of items knows. {0}: nothing, and only the message itself counts. */
struct meeting_memory {
	struct state *state; /* NULL: nothing is known */
	uint32_t user;	     /* number in STATE_SYNC */
	struct mf_arena *a;  /* outlives the items */
	struct state_meetings known;
	bool loaded;
	struct state_meeting *news; /* not stored yet */
	size_t n;
};

/* address: the user's own; NULL: unknown. Takes the message into the memory. */
unsigned meeting_type(
	struct meeting_memory *memory, const struct mime_meeting *m, const char *address);

/* Has the user (NULL: unknown) handed the invitation on? Who was named instead answers it: MS-ASEMAIL 2.2.2.47. */
bool meeting_is_delegated(const struct mime_meeting *m, const char *address);

/* Stores what is new. A failure is logged: messages are then told by what they say themselves. */
void meeting_memory_keep(struct meeting_memory *memory);

#endif
