/*
 * The side line: jobs that must ask somebody who may take seconds over it, of whom only some threads run at
 * once. Pure data; knows no thread. The pool's lock guards it.
 *
 *	arrived -> [queued] -> running -> ended
 *
 * While answers are quick, those who come wait for their turn. When the one that runs longest takes more than
 * LINE_PATIENCE_MS, or the one that ended last did, and there is no room to run, nobody waits any longer: those
 * are given back (work_line_crowded).
 */
#ifndef WORK_LINE_H
#define WORK_LINE_H

#include "work/work.h"

enum { LINE_PATIENCE_MS = 250 };

struct work_line {
	size_t max, queue_max; /* jobs that run at once, and that wait; set by its owner */
	size_t running, queued;
	struct work_job *first, *last;	  /* that wait */
	struct work_job *oldest, *newest; /* that run, in the order in which they began */
	bool slow;			  /* the one that ended last took long */
};

/* There is somebody to run, and room to run it. */
bool work_line_ready(const struct work_line *l);

/* Whether one that comes now, or waits already, waits in vain. */
bool work_line_crowded(const struct work_line *l, int64_t now);

void work_line_add(struct work_line *l, struct work_job *job);

/* The first of those that wait; NULL: none. It does not run by that. */
struct work_job *work_line_pop(struct work_line *l);

void work_line_begin(struct work_line *l, struct work_job *job, int64_t now);
void work_line_end(struct work_line *l, struct work_job *job, int64_t now);

#endif
