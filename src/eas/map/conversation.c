/* A message's place in its conversation, as elements. Knows no command. */
#include "eas/map/conversation.h"

#include "state/conversation.h"

static void
write_opaque(struct wbxml_writer *w, uint16_t tag, const void *data, size_t len)
{
	wbxml_open(w, tag);
	wbxml_opaque(w, data, len);
	wbxml_close(w);
}

void
conversation_write(struct wbxml_writer *w, struct mf_arena *a, struct state *state, uint32_t user,
	const struct mime_header *h, const struct mf_item *item)
{
	struct state_conversation_shown shown;
	struct conversation_facts facts;

	conversation_facts_read(
		a, h, (item->have & MF_WANT_THREAD) != 0 ? item->thread : "", item->date, &facts);
	if (state == NULL || state_conversation_show(state, user, &facts, &shown, NULL) != MF_OK) {
		shown.id = facts.id;
		conversation_index_alone(&facts, &shown.index);
	}
	write_opaque(w, Email2_ConversationId, shown.id.bytes, sizeof(shown.id.bytes));
	write_opaque(w, Email2_ConversationIndex, shown.index.bytes, shown.index.len);
}
