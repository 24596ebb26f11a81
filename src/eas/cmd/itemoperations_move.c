/* ItemOperations Move: conversations ignored or moved always. Knows no other operation. */
#include "eas/cmd/itemoperations_move.h"

#include <string.h>

#include "eas/conversations.h"
#include "eas/map/folder.h"
#include "eas/status.h"
#include "mailferry/log.h"

enum {
	BUDGET_MS = 20000,
	/* MS-ASCON 2.2.2.10 */
	MOVE_PROTOCOL = 2,
	MOVE_FAILED = 3,
	MOVE_NOT_FOUND = 6,
	MOVE_RECIPIENT_CACHE = EAS_INVALID_IDS_TOGETHER,
};

static const struct wbxml_node *
move_always(const struct wbxml_node *move)
{
	return wbxml_child(wbxml_child(move, ItemOperations_Options), ItemOperations_MoveAlways);
}

unsigned
itemoperations_move_check(const struct wbxml_node *root)
{
	const struct wbxml_node *move = wbxml_child(root, ItemOperations_Move);

	for (; move != NULL; move = wbxml_next(move))
		if (move_always(move) == NULL)
			return EAS_MOVE_ALWAYS_MISSING;
	return EAS_OK;
}

/* MoveAlways is an empty tag (MS-ASCON 2.2.2.8). */
static bool
has_content(const struct wbxml_node *n)
{
	return n->children != NULL || n->opaque.len > 0 || (n->text != NULL && n->text[0] != '\0');
}

/* The destination, or what is wrong with it. */
static unsigned
find_destination(
	const char *id, const struct state_folders *folders, const struct state_folder **out)
{
	*out = folder_by_text(folders, id);
	if (*out == NULL)
		return MOVE_NOT_FOUND;
	if (folder_is_recipients(*out))
		return MOVE_RECIPIENT_CACHE;
	if ((*out)->class != MF_CLASS_MAIL || (*out)->role == MF_ROLE_DRAFTS ||
		(*out)->role == MF_ROLE_OUTBOX || !folder_holds_items(*out))
		return EAS_MOVE_DESTINATION;
	return EAS_OK;
}

static unsigned
move_conversation(struct eas_request *r, struct mf_bytes raw, const struct state_folder *to,
	const struct state_folders *folders)
{
	struct conversation_id id;
	struct sync_mailbox mailbox;
	struct mf_error err = { 0 };
	size_t moved = 0;
	enum mf_status st;

	if (!conversation_id_read(raw, &id))
		return MOVE_NOT_FOUND;
	eas_conversations_mailbox(r, folders, BUDGET_MS, &mailbox);
	st = sync_conversations_move(&mailbox, &id, to, &moved, &err);
	mf_log_info("event=conversation-move to=%u moved=%zu status=%s", to->number, moved,
		mf_status_name(st));
	if (st == MF_OK)
		return EAS_OK;
	if (st == MF_GONE)
		return MOVE_NOT_FOUND;
	mf_log_warning("event=conversation-move reason=%s", mf_log_value(err.text));
	return MOVE_FAILED;
}

static unsigned
carry_out(struct eas_request *r, const struct wbxml_node *move, struct mf_bytes id)
{
	const char *to_id = wbxml_child_value(move, ItemOperations_DstFldId);
	const struct state_folder *to = NULL;
	struct state_folders folders;
	struct mf_error err;
	unsigned status;

	if (to_id == NULL || has_content(move_always(move)))
		return MOVE_PROTOCOL;
	if (state_folders_load(r->server->state, r->user_number, r->arena, &folders, &err) != MF_OK)
		return MOVE_FAILED;
	status = find_destination(to_id, &folders, &to);
	return status != EAS_OK ? status : move_conversation(r, id, to, &folders);
}

void
itemoperations_move_run(struct eas_request *r, const struct wbxml_node *move)
{
	struct wbxml_writer *w = &r->writer;
	struct mf_bytes id = wbxml_data(wbxml_child(move, ItemOperations_ConversationId));
	unsigned status = carry_out(r, move, id);

	wbxml_open(w, ItemOperations_Move);
	wbxml_number(w, ItemOperations_Status, status);
	wbxml_open(w, ItemOperations_ConversationId);
	wbxml_opaque(w, id.data, id.len);
	wbxml_close(w);
	wbxml_close(w);
}
