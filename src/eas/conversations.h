/*
 * Conversations in requests: the index is fed while phones wait, and asked by commands. Connects
 * sync/conversations.h with a request; must not know elements.
 */
#ifndef EAS_CONVERSATIONS_H
#define EAS_CONVERSATIONS_H

#include "eas/request.h"
#include "sync/conversations.h"
#include "sync/engine.h"

/* The request's user and session as sync/conversations.h wants them, for that many milliseconds. r->store must be
 * there; folders must outlive out. */
void eas_conversations_mailbox(const struct eas_request *r, const struct state_folders *folders,
	int64_t budget_ms, struct sync_mailbox *out);

/* What can be done in that time for the index and the rules of the user. False: there is more to do. A failure is
 * logged and ends it: the next request tries again. */
bool eas_conversations_tend(struct eas_request *r, int64_t budget_ms);

/* To be called whenever a request goes to wait. Where nobody is watched, and background work (eas/background.h)
 * has no occasion, tends now and then, and lets the request come back soon while there is more to do. */
void eas_conversations_wait(struct eas_request *r);

/* Before a collection is brought up to date: sets what sync_scope wants for ConversationMode, with the folder
 * brought into the index first. *complete false: it was too much for now. */
enum mf_status eas_conversations_scope(struct eas_request *r, const struct state_folders *folders,
	const struct state_folder *folder, struct sync_scope *scope, bool *complete,
	struct mf_error *err);

#endif
