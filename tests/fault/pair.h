/*
 * A phone and a gateway with a mail server behind it, on one thread: what both sides do, and how they are
 * compared in the end. Knows what may be told when something breaks; must not know what breaks.
 */
#ifndef TESTS_PAIR_H
#define TESTS_PAIR_H

#include "inside.h"

struct pair {
	struct inside in;
	struct client_mailbox *box;
	struct client_folder *inbox;
	struct client_sync_options options;
	unsigned random;    /* state of pair_random */
	unsigned mails;	    /* delivered so far */
	unsigned exchanges; /* so far */
	unsigned failed;    /* of them: 503, or the status to try again */
	/* Answers that the phone does not see: the one of that exchange (0: none), or each first one. */
	unsigned lose_at;
	bool lose_each;
	bool stubborn; /* after a loss or failure it sends the very same request again */
};

void pair_init(struct pair *p, const char *name, unsigned seed);
void pair_deinit(struct pair *p);

/* A number below n, the same in each run of a seed. */
unsigned pair_random(struct pair *p, unsigned n);

/* ---- The mail server's side ---- */

void pair_deliver(struct pair *p);
/* Something of what other mail programs do: more mail, flags, deletions. */
void pair_server_step(struct pair *p);

/* ---- The phone's side ---- */

void pair_hierarchy(struct pair *p);
/* The user does something: reads, flags, deletes. */
void pair_phone_step(struct pair *p);
/* One Sync; lost: the phone never sees the answer. Whether anything was told. */
bool pair_sync(struct pair *p, bool lost, const char *where);

/* A day of both, always the same: some 30 exchanges. between (or NULL) is called before each. */
void pair_play(struct pair *p, void (*between)(struct pair *p));

/* Nothing breaks any more: within a few exchanges both agree, and then nothing is told. */
void pair_converge(struct pair *p);

#endif
