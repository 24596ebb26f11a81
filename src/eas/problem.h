/*
 * What is wrong, concluded from what happened (history.h): pure functions. Each conclusion wants several
 * facts that agree, so that a phone in a tunnel is no problem.
 */
#ifndef EAS_PROBLEM_H
#define EAS_PROBLEM_H

#include "eas/history.h"

enum problem_kind {
	PROBLEM_REPEATS, /* a device asks the same again and again and is told nothing new */
	PROBLEM_CUT,  /* something between phone and gateway ends waiting requests after a while */
	PROBLEM_SLOW, /* the mail server takes long */
	PROBLEM_DOWN, /* the mail server, or we, cannot answer: 5xx */
	PROBLEM_DENIED, /* a device that was good sends a wrong password */
	PROBLEM_KINDS
};

struct problem {
	enum problem_kind kind;
	uint32_t n;	  /* requests that say so */
	uint32_t seconds; /* within which; CUT: after which they end; SLOW: mean time */
	uint8_t command;  /* index in eas_commands; 255: any */
};

/* Of one device (events newest first); at most one of each kind; how many. */
size_t problems_of_device(const struct history_event *events, size_t n, int64_t now,
	struct problem out[PROBLEM_KINDS]);

/* Of all together, from the last quarter of an hour: SLOW and DOWN. */
size_t problems_of_all(const struct history_slot slots[HISTORY_SLOTS], int64_t now,
	struct problem out[PROBLEM_KINDS]);

/* "proxy cuts after 60 s", and what it means and what to do, in sentences. In the arena. */
const char *problem_title(struct mf_arena *a, const struct problem *p);
const char *problem_advice(struct mf_arena *a, const struct problem *p);

#endif
