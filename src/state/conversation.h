/*
 * The index of conversations: which message belongs to which, over all mail folders of a user.
 *
 * A conversation is a set of messages that share a name (conversation/id.h). Sets grow together when a message
 * brings their names together; any name ever seen leads to the set. The index can be lost at any
 * time and is built anew by src/sync/conversations.h. Per message it costs what tests/bench/bench_conversations
 * tells (some 150 bytes).
 *
 * Errors as in state.h; what makes no sense in the index is taken as not there.
 */
#ifndef STATE_CONVERSATION_H
#define STATE_CONVERSATION_H

#include "conversation/facts.h"
#include "mailferry/idset.h"
#include "state/state.h"

/* ---- How far a folder is indexed ---- */

struct state_conversation_folder {
	struct mf_bytes
		cursor;	       /* the backend's; empty: never looked at, or not listed to its end */
	struct mf_idset known; /* the ids indexed; init and deinit are the caller's */
	struct mf_idset wanted; /* listed, but not yet indexed; the same */
};

void state_conversation_folder_init(struct state_conversation_folder *f);
void state_conversation_folder_deinit(struct state_conversation_folder *f);

/* An empty one when the folder was never looked at. The cursor is in the arena. */
enum mf_status state_conversation_folder_load(struct state *st, uint32_t user, uint32_t folder,
	struct mf_arena *a, struct state_conversation_folder *out, struct mf_error *err);

/* The numbers of all folders that are in the index, in the arena. */
enum mf_status state_conversation_folders(struct state *st, uint32_t user, struct mf_arena *a,
	uint32_t **out, size_t *n, struct mf_error *err);

/* ---- Writing ---- */

struct state_conversation_item {
	uint64_t id; /* in its folder */
	const struct conversation_facts *facts;
	bool known; /* out: a message of that name was in the index before, in some folder */
};

enum { STATE_CONVERSATION_BATCH = 2000 }; /* a good number of items for one call */

/* Takes items (ascending by id) of a folder in, in one transaction with its new progress; what is in already is
 * left as it is. progress may be NULL. */
enum mf_status state_conversation_add(struct state *st, uint32_t user, uint32_t folder,
	struct state_conversation_item *items, size_t n,
	const struct state_conversation_folder *progress, struct mf_error *err);

/* The same in two halves, so that the next items can be read meanwhile: what is passed lives, unchanged, until the end,
 * which gives the result. NULL ends well. */
struct state_conversation_adding;
struct state_conversation_adding *state_conversation_add_begin(struct state *st, uint32_t user,
	uint32_t folder, struct state_conversation_item *items, size_t n,
	const struct state_conversation_folder *progress, struct mf_error *err);
enum mf_status state_conversation_add_end(struct state_conversation_adding *x);

/* Only the progress. */
enum mf_status state_conversation_progress(struct state *st, uint32_t user, uint32_t folder,
	const struct state_conversation_folder *progress, struct mf_error *err);

/* Takes items out, in transactions of bounded size. left: NULL, else called with the number of each set
 * that lost a message. */
enum mf_status state_conversation_remove(struct state *st, uint32_t user, uint32_t folder,
	const struct mf_idset *ids, void (*left)(void *ctx, uint32_t set), void *ctx,
	struct mf_error *err);

/* Forgets a folder with all its messages. */
enum mf_status state_conversation_drop(
	struct state *st, uint32_t user, uint32_t folder, struct mf_error *err);

/* One step of taking out the names of conversations that are no more: begins a sweep when enough have ended since the
 * last one, and looks at some thousands of rows. *more: the sweep goes on with the next call. *gone: rows taken
 * out. */
enum mf_status state_conversation_sweep(
	struct state *st, uint32_t user, bool *more, size_t *gone, struct mf_error *err);

/* ---- Asking ---- */

struct state_conversation_shown {
	struct conversation_id id;
	struct conversation_index index;
};

/* ConversationId and ConversationIndex of a message: what its header says, joined with what is known of its
 * conversation. Works for messages that are not in the index. */
enum mf_status state_conversation_show(struct state *st, uint32_t user,
	const struct conversation_facts *facts, struct state_conversation_shown *out,
	struct mf_error *err);

/* The numbers of the sets that names belong to; 0: of none. Numbers change when sets grow together: only those of
 * the same call may be compared. */
enum mf_status state_conversation_sets(struct state *st, uint32_t user,
	const struct conversation_id *names, size_t n, uint32_t *out, struct mf_error *err);
/* The same for a set's number of earlier: what it is called now; 0: it is no more. */
enum mf_status state_conversation_set_now(
	struct state *st, uint32_t user, uint32_t *set, struct mf_error *err);

struct state_conversation_member {
	uint32_t folder;
	uint64_t id;
};

/* The members of the conversation that has this name, in the order of folders and ids, at most max, in the
 * arena. MF_GONE: there is no such conversation. */
enum mf_status state_conversation_members(struct state *st, uint32_t user,
	const struct conversation_id *name, size_t max, struct mf_arena *a,
	struct state_conversation_member **out, size_t *n, struct mf_error *err);

/* Adds to `out` all items of the folder that are in a conversation with one of `ids`, themselves too. */
enum mf_status state_conversation_siblings(struct state *st, uint32_t user, uint32_t folder,
	const struct mf_idset *ids, struct mf_idset *out, struct mf_error *err);

#endif
