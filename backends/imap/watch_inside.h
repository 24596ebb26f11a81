/*
 * A watched account from the inside. Between watch.c (login and life), watch_read.c (what the
 * server says), watch_round.c (what it is told) and watch_check.c (a look over a second, short connection) only; all on the loop's thread
 * but for what those say.
 */
#ifndef IMAP_WATCH_INSIDE_H
#define IMAP_WATCH_INSIDE_H

#include <stddef.h>

#include "cursor.h"
#include "mailferry/loop.h"
#include "reader.h"
#include "session.h"

enum watch_state {
	WATCH_PAUSE,   /* until the next login */
	WATCH_LOGIN,   /* a helper thread connects and logs in */
	WATCH_SETTING, /* the Inbox is opened, or NOTIFY set */
	WATCH_ROUND,   /* what is to be asked before it waits */
	WATCH_WAITING, /* for the server to say something */
	WATCH_DENIED,  /* the credentials are not taken: nothing more is tried */
};

/* A folder of interest besides the Inbox. */
struct watch_folder {
	char *id;		 /* the gateway's */
	char *wire;		 /* as in commands: quoted; NULL: cannot be asked for */
	struct imap_cursor seen; /* what was told of it; uidvalidity 0: nothing yet */
	bool listed;		 /* in the last list of folders */
	int64_t wanted;		 /* monotonic ms: was last in such a list */
};

struct watch_login;
struct watch_check;

struct mf_watch {
	struct mf_loop_io io;
	struct mf_loop_timer timer; /* of the state */
	struct mf_loop_timer check; /* until the next check */
	struct mf_backend *b;
	struct mf_loop *loop;
	mf_stir_fn *stir;
	void *ctx;

	struct mf_login who;
	struct watch_login *login;    /* under way; NULL: none */
	struct watch_check *checking; /* under way; NULL: none */

	SSL *ssl;
	uint32_t caps;
	uint8_t state;	   /* watch_state */
	bool notify;	   /* NOTIFY is set, or being set, on this connection */
	bool hibernates;   /* the server is one whose idle sessions may hibernate */
	bool again;	   /* it was lost before: whoever waits looks */
	bool ready_due;	   /* who is new is to be told when the round is over */
	bool asked_anew;   /* the folders changed during a round */
	bool idling;	   /* IDLE was sent and not yet ended */
	bool inbox;	   /* is wanted */
	bool stirred;	   /* an event came while a check was under way */
	bool listing_due;  /* the list of folders is asked for in this round */
	bool folders_due;  /* the folders besides the Inbox are, too */
	bool chatters;	   /* the server says by itself that it is still there */
	unsigned last_tag; /* of the last command that was sent */
	unsigned failures;
	unsigned seed;
	int64_t heard;	    /* monotonic ms: the last byte that came */
	int64_t idle_since; /* this wait began */
	int64_t restless;   /* the last event, or the begin of the wait; 0: checked since */
	int64_t polled;	    /* the folders besides the Inbox were last asked for */

	struct imap_cursor now; /* of the Inbox, as far as it was told: count and uidnext */
	uint32_t ask_from; /* what came to the Inbox from this UID on is asked for; 0: nothing */
	uint32_t ask_next; /* the same of what came meanwhile */
	struct mf_arrival *arrivals; /* the answers; owned */
	uint8_t n_arrivals;	     /* beyond WATCH_ARRIVALS_MAX: too many */
	uint64_t listing;	     /* digest of the list of folders; 0: not known */
	uint64_t listing_new; /* of the one that is being told; 0: not one that can be compared */
	struct watch_folder *folders;
	size_t n_folders;

	char *line; /* of an unfinished line; NULL: none */
	size_t n_line;
	uint64_t literal; /* bytes of a literal still to be skipped */
	struct mf_buf out;
};

enum {
	WATCH_OUT_MAX = 1 << 20, /* commands not yet sent */
	WATCH_ARRIVALS_MAX = 50, /* of one wake-up */
};

static inline struct mf_watch *
watch_of_timer(struct mf_loop_timer *t)
{
	return (struct mf_watch *)((char *)t - offsetof(struct mf_watch, timer));
}

/* ---- watch.c ---- */

void watch_timer(struct mf_watch *w, void (*fire)(struct mf_loop_timer *t), int64_t ms);
void watch_disconnect(struct mf_watch *w);
/* The connection is gone or of no use; a new one is made after a pause. */
void watch_lost(struct mf_watch *w, const char *why);
/* The server takes the credentials no more: whoever waits is told, and nothing more is tried. */
void watch_deny(struct mf_watch *w, const char *why);
/* A random part of ms: half of it up to one and a half. */
int64_t watch_jitter(struct mf_watch *w, int64_t ms);

/* ---- watch_round.c ---- */

/* The first commands of a new connection. */
void watch_set_up(struct mf_watch *w);
/* Asks what is to be asked, then waits on; an IDLE is ended before. */
void watch_round_begin(struct mf_watch *w);
/* A command has ended, well or not. */
void watch_ended(struct mf_watch *w, unsigned tag, bool ok);
/* Sends what is written, as far as it goes. */
void watch_flush(struct mf_watch *w);
/* It waits: whoever is to be told that, is. */
void watch_tell_ready(struct mf_watch *w);
/* Something stirred, or it was checked: the next check is put where it belongs. */
void watch_plan_check(struct mf_watch *w);

/* ---- watch_read.c ---- */

/* Bytes that have arrived; may end in watch_lost or watch_ended. */
void watch_take(struct mf_watch *w, const char *data, size_t len);

/* One line of LIST taken into a digest that does not depend on their order. What may change by itself (whether a
 * folder has new mail) is left out. */
void watch_digest_list(uint64_t *sum, struct imap_lex x);
/* What came to the Inbox is known now, or will not be known: told. */
void watch_tell_arrivals(struct mf_watch *w);
/* The whole list of folders was told: another one than before? */
void watch_take_listing(struct mf_watch *w, uint64_t listing);

/* ---- watch_check.c ---- */

/* Asks over a connection of its own whether anything was missed, and tells it. At most one at a time. */
void watch_check_begin(struct mf_watch *w);
/* The watch goes; what is under way ends by itself. */
void watch_check_leave(struct mf_watch *w);

/* Holds what a server tells of a folder against what was known, and tells the difference. */
void watch_compare(struct mf_watch *w, struct imap_cursor *seen, const struct imap_cursor *now,
	const char *id);

#endif
