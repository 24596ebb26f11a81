/* One folder of the index of conversations, for conversations.c. */
#ifndef SYNC_CONVERSATIONS_FOLDER_H
#define SYNC_CONVERSATIONS_FOLDER_H

#include "sync/conversations_rules.h"

/* Brings the folder's part of the index up to date, as far as the mailbox's deadline goes. changed: the server
 * is to be asked what happened; else only what is still to be read is read. A folder that is gone, or whose
 * ids are new, leaves the index. news (NULL: nobody wants to know) collects what came in and what left;
 * done counts, and is no longer complete when something is left to be read. Blocks. */
enum mf_status conversations_folder_bring_up(const struct sync_mailbox *m,
	const struct state_folder *folder, bool changed, struct sync_news *news,
	struct sync_conversations_done *done, struct mf_error *err);

#endif
