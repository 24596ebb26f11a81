/*
 * Work for a user beside requests: while a phone waits, and as long as the credentials are kept after
 * that (watch_linger), whenever the mailbox stirs. The table in background.c lists what there is to do;
 * adding to it is a function and a row. Must not know requests or elements.
 */
#ifndef EAS_BACKGROUND_H
#define EAS_BACKGROUND_H

#include "eas/request.h"
#include "sync/conversations.h"

/* What a run gets. */
struct eas_background {
	const struct eas_server *server;
	const struct mf_login *who;
	const struct sync_mailbox *mailbox; /* of the user, with a session */
	struct mf_arena *arena;		    /* of this run */
};

/* A kind of work. `run` does what can be begun before mailbox->until (clock_ms), on its session; it may block as
 * long as one command of the mail server. It must be able to stop anywhere and go on at the next
 * call. *more: it wants to be called again soon. A failure is logged, and ends this call: the next
 * stir tries again. */
struct eas_background_work {
	const char *name; /* for the log */
	enum mf_status (*run)(const struct eas_background *b, bool *more, struct mf_error *err);
};

enum { EAS_BACKGROUND_DENIED = -1 };

/* Does all the work of the table for a user, with a session from the pool. `who` as the backend knows the
 * user. Returns in how many ms to call again though nothing stirs; 0: not; EAS_BACKGROUND_DENIED: the mail
 * server does not take these credentials (any more). *patient: what stirs from now on can wait, for the user has
 * no rules that move mail. Any thread; one call at a time for a user. */
int64_t eas_background_run(const struct eas_server *server, uint32_t user_number,
	const struct mf_login *who, bool *patient);

#endif
