/* The event loop's life; its use is mailferry/loop.h. Knows descriptors and time, no protocol. */
#ifndef PUSH_LOOP_H
#define PUSH_LOOP_H

#include "mailferry/error.h"
#include "mailferry/loop.h"

/* A loop that does not run yet, with so many threads for what blocks (0: nothing may be offloaded). */
enum mf_status loop_new(unsigned helpers, struct mf_loop **out, struct mf_error *err);

/* Runs on the calling thread until loop_stop. */
void loop_run(struct mf_loop *l);
/* Any thread; what was posted and offloaded before still runs. */
void loop_stop(struct mf_loop *l);

/* After loop_run has returned. Nothing is closed; io and timers are forgotten. NULL is fine. */
void loop_free(struct mf_loop *l);

/* How many descriptors are watched and timers set: for metrics. Any thread. */
void loop_count(struct mf_loop *l, uint64_t *ios, uint64_t *timers);

#endif
