/* ConversationId and ConversationIndex of a message (MS-ASEMAIL 2.2.2.21, 2.2.2.22). */
#ifndef EAS_MAP_CONVERSATION_H
#define EAS_MAP_CONVERSATION_H

#include "eas/request.h"
#include "mime/header.h"

/* Writes both as opaque bytes: what the header says, joined with what the state knows of the conversation (state
 * NULL: nothing). Never fails: without the state the header alone counts. */
void conversation_write(struct wbxml_writer *w, struct mf_arena *a, struct state *state,
	uint32_t user, const struct mime_header *h, const struct mf_item *item);

#endif
