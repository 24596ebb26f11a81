/*
 * Headers of messages read into the index of conversations. Knows the store and the index; must not know why
 * the messages are wanted.
 */
#ifndef SYNC_CONVERSATIONS_READ_H
#define SYNC_CONVERSATIONS_READ_H

#include "sync/conversations.h"
#include "sync/conversations_rules.h"

/* Reads what is wanted in a folder, the newest first, and takes it in, until m->until has passed (some thousand
 * messages later at most). *indexed grows by the messages taken in; news (NULL: nobody wants to know) is told of
 * them. Blocks. */
enum mf_status sync_conversations_read(const struct sync_mailbox *m,
	const struct state_folder *folder, struct state_conversation_folder *progress,
	struct sync_news *news, size_t *indexed, struct mf_error *err);

#endif
