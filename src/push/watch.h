/*
 * Who waits for what: one watcher a user, shared by all of the user's waiting requests, kept a while
 * after the last of them. Knows users by number and folders by the backend's ids; knows no IMAP.
 */
#ifndef PUSH_WATCH_H
#define PUSH_WATCH_H

#include "mailferry/backend.h"

struct push;
struct push_interest;

/* Why a waiting request is woken. */
enum push_news {
	PUSH_LOOK,    /* the watching has begun, begun anew, or ended: see push_sees */
	PUSH_ITEMS,   /* something happened in its folders */
	PUSH_FOLDERS, /* the list of folders may have changed */
};

struct push_options {
	const struct mf_watch_api *api; /* of the store's backend */
	struct mf_backend *backend;
	/* How long a watcher outlives the last who waited, with its credentials; not when it is blind. */
	int64_t linger_ms;
	size_t users_max; /* watched at once; beyond, waiting requests are only polled */
	/* A waiting request is to look, or has reason to. On the loop's thread. */
	void (*wake)(void *ctx, uint64_t group, uint64_t one, enum push_news news);
	/* Background work for a user, NULL: there is none. Called a moment after the user began to be
	 * watched and after each stir, as long as the watcher lives (linger_ms after the last who
	 * waited, too); on a thread of its own, one call at a time for a user, tend_threads in all; may
	 * block. `who` lives until it returns. Returns in how many ms it wants to be called again
	 * though nothing stirs; 0: not. *patient (false before): what stirs from now on can wait for a while. */
	int64_t (*tend)(void *ctx, uint64_t group, const struct mf_login *who, bool *patient);
	unsigned tend_threads;
	void *ctx;
};

/* Starts the loop's thread. */
enum mf_status push_open(const struct push_options *o, struct push **out, struct mf_error *err);
/* Ends all watchers and the thread; all interests must have been released. NULL is fine. */
void push_close(struct push *p);

/* What one waiting request wants. */
struct push_wanted {
	uint64_t group;		    /* the user */
	uint64_t one;		    /* the request among those of the user */
	const struct mf_login *who; /* copied, and wiped with the watcher */
	const char *const *folders; /* the backend's ids, NULL at the end; copied */
	bool changes;		    /* of items and their going are news, too, not only additions */
};

/* A request waits. Never NULL. Any thread. */
struct push_interest *push_watch(struct push *p, const struct push_wanted *wanted);
/* Its folders are watched now. Any thread. */
bool push_sees(const struct push_interest *i);
/* What has come to its folders since the last call, so that nobody needs to ask the server: how many, at most max; 0:
 * not known. Their folders are of the interest, and live as long as it does. Any thread. */
size_t push_arrived(struct push_interest *i, struct mf_arrival *out, size_t max);
/* It waits no more. NULL is fine. Any thread. */
void push_release(struct push *p, struct push_interest *i);

struct push_stats {
	uint64_t users, interests; /* now */
	uint64_t stirs, wakes;	   /* news told by backends; requests woken by them */
	uint64_t blind;		   /* users whom their backend cannot watch, now */
	uint64_t refused;	   /* users_max was reached */
	uint64_t tended;	   /* calls of tend */
	uint64_t ios, timers;
};
/* Any thread. */
void push_stats(struct push *p, struct push_stats *out);

/* Ends the watcher of a user at once, with its credentials, when they are these: they are no longer good. Who
 * waits looks for itself from now on. Any thread. */
void push_forget(struct push *p, uint64_t group, const struct mf_login *who);
/* Ends the watcher of a user for whom nobody waits, before its time is over: a device was wiped or blocked. Any
 * thread. */
void push_leave(struct push *p, uint64_t group);

#endif
