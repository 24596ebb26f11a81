/*
 * The index of conversations brought up to date with the server, and what is done to whole conversations.
 * The only place that feeds state/conversation.h. Knows backends and the state; must not know
 * ActiveSync.
 *
 * Work is bounded by a deadline and goes on where it stopped: nothing is lost when it ends early, when the
 * process dies, or when the state is deleted. Blocks; one call at a time for one session.
 */
#ifndef SYNC_CONVERSATIONS_H
#define SYNC_CONVERSATIONS_H

#include "mailferry/backend.h"
#include "state/conversation.h"
#include "state/folder.h"

struct sync_mailbox {
	struct state *state;
	const char *name;  /* the user's, for the rules */
	uint32_t user;	   /* its number in STATE_SYNC */
	const char *store; /* the backend's name, as the folders have it */
	const struct mf_store_api *api;
	struct mf_session *session;
	const struct state_folders *folders;
	int64_t until; /* clock_ms: begin nothing more then */
};

struct sync_conversations_done {
	size_t indexed; /* messages taken in */
	size_t moved;	/* messages that rules have moved */
	bool complete;	/* all folders are in the index */
};

/* Is it a folder whose messages have conversations: of mail, of this store, no view of others' messages? */
bool sync_conversations_covers(const struct sync_mailbox *m, const struct state_folder *f);

/* Brings one folder up to date. *complete: it is in the index. */
enum mf_status sync_conversations_folder(const struct sync_mailbox *m, const struct state_folder *f,
	bool *complete, struct mf_error *err);

/* Brings all folders up to date (one cheap question when nothing has changed) and carries out the user's rules
 * for what is new. A message that a rule had moved and that is found elsewhere again was moved back by the user: it
 * stays; when no message of its conversation is left where the rule moved them, the rule ends. */
enum mf_status sync_conversations_tend(
	const struct sync_mailbox *m, struct sync_conversations_done *done, struct mf_error *err);

/* Has the user any rules? Cheap. */
bool sync_conversations_ruled(struct state *state, const char *name);

/* Moves a conversation always (MS-ASCON 3.2.5.3): all its messages in all folders but Sent, and those that
 * come later. MF_GONE: there is no such conversation; MF_REFUSED: some could not be moved (the rule holds);
 * others: nothing is promised. */
enum mf_status sync_conversations_move(const struct sync_mailbox *m,
	const struct conversation_id *id, const struct state_folder *to, size_t *moved,
	struct mf_error *err);

#endif
