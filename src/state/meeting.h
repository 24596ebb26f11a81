/*
 * The requests of meetings that phones were told of, and as what: so that an older one can be told as outdated,
 * and that what was told once does not change. One row a user, of the last ones. Holds digests and numbers, no text.
 */
#ifndef STATE_MEETING_H
#define STATE_MEETING_H

#include "state/state.h"

enum { STATE_MEETINGS_MAX = 500 };

struct state_meeting {
	uint64_t name; /* a digest of what names the meeting */
	uint32_t sequence;
	int64_t stamp;	/* when the request was made, seconds since 1970 */
	uint32_t times; /* a digest of when the meeting is */
	uint8_t type;	/* as what it was told */
};

struct state_meetings {
	struct state_meeting *list; /* the one told last at the end; room for STATE_MEETINGS_MAX */
	size_t n;
};

enum mf_status state_meetings_load(struct state *st, uint32_t user, struct mf_arena *a,
	struct state_meetings *out, struct mf_error *err);

/* Adds these to what is stored; the oldest are forgotten. One that is there stays as it is. */
enum mf_status state_meetings_save(struct state *st, uint32_t user,
	const struct state_meeting *told, size_t n, struct mf_error *err);

/* The same in memory. False: it was there. */
bool state_meetings_add(struct state_meetings *m, const struct state_meeting *told);

/* The very same request, whatever type it was told as; NULL: it was not. */
const struct state_meeting *state_meetings_find(
	const struct state_meetings *m, const struct state_meeting *request);
/* The newest request of that meeting, by sequence and stamp; NULL: none was told. */
const struct state_meeting *state_meetings_newest(const struct state_meetings *m, uint64_t name);

#endif
