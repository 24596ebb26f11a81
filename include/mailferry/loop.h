/*
 * One event loop for everything that waits without a thread: watchers of mail servers, timers. The
 * gateway runs one, in src/push; backends' watchers live on it.
 *
 * All calls but mf_loop_post are made on the loop's own thread, that is from its callbacks. A callback
 * must not block. The loop stays with the same order of magnitude of cost for ten or ten thousand
 * descriptors (epoll) and timers (a heap).
 */
#ifndef MAILFERRY_LOOP_H
#define MAILFERRY_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct mf_loop;

enum mf_loop_events {
	MF_LOOP_READ = 1 << 0,
	MF_LOOP_WRITE = 1 << 1,
	MF_LOOP_HANGUP = 1 << 2, /* told always; the peer has closed, or an error is pending */
};

/* A descriptor that is watched. Embedded in its owner's struct; zeroed before its first use. */
struct mf_loop_io {
	void (*ready)(struct mf_loop_io *io, unsigned events); /* set by the owner */
	int fd;
	unsigned events; /* the loop's own: what is asked for */
	bool added;	 /* the loop's own */
};

/* A timer. Embedded in its owner's struct; zeroed before its first use. */
struct mf_loop_timer {
	void (*fire)(struct mf_loop_timer *timer); /* set by the owner; once for each set */
	int64_t at;				   /* the loop's own: monotonic ms, 0: not set */
	uint64_t slot;				   /* the loop's own: place in the heap + 1 */
};

/* Something to be done on the loop's thread. Embedded; must live until `run` is called. */
struct mf_loop_task {
	void (*run)(struct mf_loop_task *task);
	struct mf_loop_task *next; /* the loop's own */
};

/* Watches io->fd for events (mf_loop_events), or changes what is asked for. False: the system refuses
 * (too many descriptors). Events are level-triggered. */
bool mf_loop_io_set(struct mf_loop *l, struct mf_loop_io *io, unsigned events);
/* Ends it, before the descriptor is closed. An event that is already on its way is dropped. */
void mf_loop_io_remove(struct mf_loop *l, struct mf_loop_io *io);

/* Fires after ms milliseconds (0: at once, but not from within this call); setting again moves it. */
void mf_loop_timer_set(struct mf_loop *l, struct mf_loop_timer *t, int64_t ms);
void mf_loop_timer_clear(struct mf_loop *l, struct mf_loop_timer *t);

/* Hands a task to the loop's thread. Any thread; tasks run in the order of their posting. */
void mf_loop_post(struct mf_loop *l, struct mf_loop_task *task);

/* Work that blocks (connecting, logging in), done beside the loop by a few threads, in order. Embedded;
 * must live until `done` is called, which is always, and on the loop's thread. */
struct mf_loop_job {
	void (*run)(struct mf_loop_job
			*job); /* on another thread; may block, within its own deadline */
	void (*done)(struct mf_loop_job *job); /* on the loop's thread */
	struct mf_loop_task task;	       /* the loop's own */
	struct mf_loop_job *next;	       /* the loop's own */
};

/* On the loop's thread. */
void mf_loop_offload(struct mf_loop *l, struct mf_loop_job *job);

#endif
