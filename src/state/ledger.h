/*
 * The ledger of sent mail (in the records): what was given to the mail server, so that nothing is sent
 * twice, whatever is cut off and whenever. Kept for STATE_LEDGER_LIFE.
 *
 * A mail is named by 16 bytes that its sender derives from Message-ID and content; a phone's try by the
 * device and its ClientId. A mail goes through the states below, each written durably before the step that
 * it announces: what a crash leaves behind tells exactly how far it came.
 */
#ifndef STATE_LEDGER_H
#define STATE_LEDGER_H

#include "state/state.h"

enum {
	STATE_LEDGER_LIFE = 30 * 24 * 3600,
	STATE_LEDGER_NAME_LEN = 16,
	STATE_LEDGER_CLIENT_LIFE =
		3600, /* of a phone's ClientId, for other mail than it was used for */
	STATE_LEDGER_NOTE_MAX = 16384
};

enum ledger_step {
	LEDGER_NONE = 0,   /* unknown, or certainly not sent: send it */
	LEDGER_ENDING = 2, /* the final dot may have left, no answer came: nobody knows */
	LEDGER_SENT = 3,   /* the server has it; its copy, flags and notice are not done yet */
	LEDGER_DONE = 4,
	LEDGER_HELD = 5, /* nobody knows, and the user was told so */
};

struct ledger_entry {
	uint8_t name[STATE_LEDGER_NAME_LEN]; /* in */
	const char *device;		     /* in: canonical device id */
	const char *client_id;		     /* in: "" when the phone gave none */
	bool own_id; /* in: client_id is ours, and never stands for other mail: it counts as long as mail
			does. Phones' own begin anew now and then */
	enum ledger_step step; /* out of begin: what stood there before */
	bool same_client;      /* out: this device and ClientId were there before */
	bool other_mail;       /* out: this ClientId, but for another mail */
	int64_t first;	       /* out: when it was tried first, seconds since 1970 */
	struct mf_bytes note;  /* both: with SENT, what is still to be told to the user; at most
				 STATE_LEDGER_NOTE_MAX bytes */
};

/* Looks a mail up. A ClientId that is new for a mail that was sent is remembered; else nothing is written
 * before the first step is. user: its number in the records; the note out lives in a. */
enum mf_status state_ledger_begin(struct state *st, uint32_t user, struct mf_arena *a,
	struct ledger_entry *e, struct mf_error *err);

/* Writes a step, durably, with this try's ClientId; LEDGER_NONE forgets both. The note is kept with SENT
 * only. */
enum mf_status state_ledger_step(struct state *st, uint32_t user, const struct ledger_entry *e,
	enum ledger_step step, struct mf_error *err);

/* Forgets what is older than STATE_LEDGER_LIFE. */
enum mf_status state_ledger_collect(
	struct state *st, uint32_t user, uint64_t *removed, struct mf_error *err);

#endif
