/*
 * What one answer told: kept with the generation that it made, so that the same request again is
 * answered the same way. Names items and results, never content. Knows neither LMDB nor ActiveSync's
 * elements.
 */
#ifndef SYNC_ANSWER_H
#define SYNC_ANSWER_H

#include "mailferry/arena.h"
#include "mailferry/error.h"
#include "sync/snapshot.h"

enum sync_told_kind { SYNC_TOLD_ADD, SYNC_TOLD_CHANGE, SYNC_TOLD_DELETE, SYNC_TOLD_SOFT_DELETE };

/* One command of the answer. */
struct sync_told {
	enum sync_told_kind kind;
	uint64_t id;
	struct sync_mark mark;	 /* of adds and changes: what the device has from now on */
	struct sync_mark before; /* of changes: what it had */
	bool written;		 /* for the caller, while it writes the answer; not stored */
};

/* One element of Responses. */
struct sync_response {
	uint16_t tag;	       /* of the client's command, as the caller numbers it */
	unsigned status;       /* the number that was told */
	const char *client_id; /* "" without one */
	const char *server_id; /* "" without one */
	const char *class;     /* what was added, where the folder is for something else; else "" */
	uint64_t fetch;	       /* id of an item whose content goes with it; 0: none */
	/* Of an item with new attachments: what the client calls these, each followed by '\n'; else "". */
	const char *attached;
};

struct sync_answer {
	struct sync_told *told;
	size_t n_told;
	struct sync_response *responses;
	size_t n_responses;
	bool more; /* MoreAvailable */
};

void sync_answer_encode(const struct sync_answer *s, struct mf_buf *out);
enum mf_status sync_answer_decode(
	struct mf_arena *a, struct mf_bytes row, struct sync_answer *out, struct mf_error *err);

/* Chooses what to tell next from a snapshot, at most `window` commands: deletions, changes, then new
 * items from the newest down. The marks point into the snapshot. An add's mark is empty: it is known
 * when the item is fetched. */
void sync_answer_pick(
	struct mf_arena *a, const struct sync_snapshot *s, size_t window, struct sync_answer *out);

/* The new items that will be told after `answer` was: at most max of them into out. Returns their number. */
size_t sync_answer_after(
	const struct sync_snapshot *s, const struct sync_answer *answer, uint64_t *out, size_t max);

/* Takes what was told (the first n_told, whatever was picked) out of the snapshot's pending sets and
 * into what the device holds. */
void sync_answer_apply(struct sync_snapshot *s, const struct sync_answer *told);

#endif
