/*
 * Background work for users who are watched: on threads of its own, one run at a time for a user, a
 * moment after its mailbox stirred. Between watch.c and tend.c only; all calls but tending_new and
 * tending_end are made on the loop's thread.
 */
#ifndef PUSH_TEND_H
#define PUSH_TEND_H

#include "mailferry/backend.h"
#include "mailferry/loop.h"

/* See push_options. */
typedef int64_t push_tend_fn(void *ctx, uint64_t group, const struct mf_login *who, bool *patient);

struct tending; /* the threads, and what they do */
struct tend_run;

/* A user's part in it. Embedded in the user; zeroed before tend_init. */
struct tend {
	struct mf_loop_timer timer;
	struct tending *tending;
	uint64_t group;
	const struct mf_login *who; /* the user's; copied for each run */
	struct tend_run *run;	    /* under way; NULL: none */
	bool again;		    /* it stirred while that ran */
	bool patient;		    /* what stirs can wait for a while: said by the last run */
};

/* NULL run: there is no such work, and all calls do nothing. */
struct tending *tending_new(struct mf_loop *loop, unsigned threads, push_tend_fn *run, void *ctx);
/* Lets runs that have begun finish and drops the others, while the loop still runs. Not on its thread. */
void tending_end(struct tending *t);
void tending_free(struct tending *t);
uint64_t tending_runs(const struct tending *t); /* any thread */

void tend_init(struct tend *t, struct tending *tending, uint64_t group, const struct mf_login *who);
/* There may be something to do: somebody begins to wait, so that its session can be used. */
void tend_soon(struct tend *t);
/* The same, because the mailbox stirred. */
void tend_stirred(struct tend *t);
/* The user goes; a run that is under way ends by itself. */
void tend_deinit(struct tend *t);

#endif
