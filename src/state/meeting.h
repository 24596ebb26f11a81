/*
 * Which request of a meeting is the newest that a user was sent: so that an older one can be told as
 * outdated. One row a user, of the meetings that were heard of last. Holds digests and numbers, no text.
 */
#ifndef STATE_MEETING_H
#define STATE_MEETING_H

#include "state/state.h"

enum { STATE_MEETINGS_MAX = 500 };

/* A request that came. */
struct state_meeting_request {
	uint64_t name; /* a digest of what names the meeting */
	uint32_t sequence;
	int64_t stamp; /* when it was made, seconds since 1970 */
};

/* A meeting: its highest sequence, and of the requests with it the first and the last stamp. */
struct state_meeting {
	uint64_t name;
	uint32_t sequence;
	int64_t first, last;
};

struct state_meetings {
	struct state_meeting
		*list; /* the one heard of last at the end; room for STATE_MEETINGS_MAX */
	size_t n;
};

enum mf_status state_meetings_load(struct state *st, uint32_t user, struct mf_arena *a,
	struct state_meetings *out, struct mf_error *err);

/* Takes these requests into what is stored. */
enum mf_status state_meetings_save(struct state *st, uint32_t user,
	const struct state_meeting_request *requests, size_t n, struct mf_error *err);

/* Takes a request in, in memory. False: it tells nothing new. */
bool state_meetings_take(struct state_meetings *m, const struct state_meeting_request *request);

/* NULL: never heard of. */
const struct state_meeting *state_meetings_find(const struct state_meetings *m, uint64_t name);

#endif
