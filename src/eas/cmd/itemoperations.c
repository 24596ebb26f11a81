/*
 * ItemOperations (MS-ASCMD 2.2.1.10): Fetch, EmptyFolderContents and Move in the order of the request,
 * each with a status of its own; the answer inline or in parts. Must not know elements of mail.
 */
#include "eas/cmd/itemoperations.h"

#include <string.h>

#include "eas/cmd/itemoperations_move.h"
#include "eas/empty_store.h"
#include "eas/folders.h"
#include "eas/map/folder.h"
#include "mailferry/log.h"

/* ---- EmptyFolderContents ---- */

/* The folders below, with all that is in them. What every phone needs stays. */
static enum mf_status
delete_below(struct operations *o, uint32_t parent, bool *partial, struct mf_error *err)
{
	struct eas_request *r = o->r;
	enum mf_status st = MF_OK;
	for (size_t i = 0; i < o->folders.n && st == MF_OK; i++) {
		const struct state_folder *f = &o->folders.folders[i];
		if (f->gone != 0 || f->parent != parent)
			continue;
		if (folder_type_of(f->role) != FOLDER_MAIL || r->store_api->folder_delete == NULL) {
			*partial = true;
			continue;
		}
		st = r->store_api->folder_delete(r->store, f->id, err);
		if (st == MF_REFUSED)
			*partial = true;
		if (st == MF_REFUSED || st == MF_GONE)
			st = MF_OK;
	}
	return st;
}

static enum mf_status
empty(struct operations *o, const struct wbxml_node *node, unsigned *status, struct mf_error *err)
{
	struct eas_request *r = o->r;
	const char *id = wbxml_child_value(node, AirSync_CollectionId);
	const struct wbxml_node *options = wbxml_child(node, ItemOperations_Options);
	bool below = wbxml_child(options, ItemOperations_DeleteSubFolders) != NULL, partial = false;
	*status = OPERATION_NOT_FOUND;
	enum mf_status st = below ? eas_folders_refresh(r, &o->folders, err) : MF_OK;
	if (st != MF_OK)
		return st;
	const struct state_folder *f = folder_by_text(&o->folders, id);
	if (f == NULL)
		return MF_OK;
	if (folder_is_recipients(f)) {
		*status = OPERATION_DENIED;
		return MF_OK;
	}
	st = MF_UNSUPPORTED;
	if (!folder_holds_items(f))
		st = MF_OK;
	else if (r->store_api->empty != NULL)
		st = r->store_api->empty(r->store, f->id, err);
	if (st == MF_OK && below)
		st = delete_below(o, f->number, &partial, err);
	*status = partial && st == MF_OK ? OPERATION_PARTIAL
					 : eas_status_at(EAS_AT_ITEMOPERATIONS, st);
	return st;
}

static enum mf_status
run_empty(struct operations *o, const struct wbxml_node *node, struct mf_error *err)
{
	struct wbxml_writer *w = &o->r->writer;
	unsigned status;
	enum mf_status st = empty(o, node, &status, err);
	if (st != MF_OK)
		status = eas_status_at(EAS_AT_ITEMOPERATIONS, st);
	wbxml_open(w, ItemOperations_EmptyFolderContents);
	wbxml_number(w, ItemOperations_Status, status);
	wbxml_element(w, AirSync_CollectionId, wbxml_child_value(node, AirSync_CollectionId));
	wbxml_close(w);
	return st;
}

/* ---- All of them ---- */

static enum mf_status
run_one(struct operations *o, const struct wbxml_node *node, struct mf_error *err)
{
	switch (node->tag) {
	case ItemOperations_Fetch:
		return operations_fetch(o, node, err);
	case ItemOperations_EmptyFolderContents:
		return run_empty(o, node, err);
	case ItemOperations_Move:
		itemoperations_move_run(o->r, node);
		return MF_OK;
	default:
		return MF_OK;
	}
}

static bool
lost(enum mf_status st)
{
	return st == MF_TEMPORARY || st == MF_AUTH;
}

/* ---- Multipart (MS-ASCMD 2.2.1.10.1.1) ---- */

unsigned
operations_part(struct operations *o, uint64_t offset, uint64_t size)
{
	if (o->n_parts == OPERATION_PARTS_MAX)
		return 0;
	o->parts[o->n_parts].offset = offset;
	o->parts[o->n_parts].size = size;
	return ++o->n_parts;
}

static void
add_word(struct mf_buf *b, uint32_t n)
{
	for (int i = 0; i < 4; i++)
		mf_buf_add_byte(b, (uint8_t)(n >> (8 * i)));
}

/* The count of parts, where each is and how long, the WBXML, and the others from the file. */
static enum mf_status
assemble(struct operations *o, struct mf_error *err)
{
	struct eas_answer *answer = &o->r->answer;
	size_t head = 4 + 8 * ((size_t)o->n_parts + 1);
	uint64_t at = head + answer->body.len;
	struct mf_buf body;
	mf_buf_init(&body, answer->body.max);
	add_word(&body, o->n_parts + 1);
	add_word(&body, (uint32_t)head);
	add_word(&body, (uint32_t)answer->body.len);
	for (unsigned i = 0; i < o->n_parts; i++) {
		add_word(&body, (uint32_t)at);
		add_word(&body, (uint32_t)o->parts[i].size);
		at += o->parts[i].size;
	}
	mf_buf_add(&body, answer->body.data, answer->body.len);
	mf_buf_deinit(&answer->body);
	answer->body = body;
	answer->content_type = "application/vnd.ms-sync.multipart";
	if (at > UINT32_MAX)
		return mf_fail(err, MF_TOO_LARGE, "multipart: more than 4 GB");
	enum mf_status st = MF_OK;
	for (unsigned i = 0; i < o->n_parts && st == MF_OK; i++)
		st = eas_spool_put(o->r, body.len, o->parts[i].offset, o->parts[i].size, err);
	return st;
}

static enum eas_verdict
answer(struct operations *o)
{
	struct eas_request *r = o->r;
	struct mf_error err = { 0 };
	wbxml_close(&r->writer);
	enum eas_verdict v = eas_reply_end(r);
	if (!r->accept_multipart || r->answer.http_status != 200)
		return v;
	enum mf_status st = assemble(o, &err);
	return st == MF_OK ? v : eas_fail(r, st, &err);
}

enum eas_verdict
cmd_itemoperations(struct eas_request *r)
{
	struct operations *o = mf_new(r->arena, struct operations);
	struct mf_error err = { 0 };
	unsigned status = itemoperations_move_check(r->root);
	if (status != EAS_OK)
		return eas_fail_status(r, status, "Move without MoveAlways");
	o->r = r;
	enum mf_status st =
		state_folders_load(r->server->state, r->user_number, r->arena, &o->folders, &err);
	if (st != MF_OK)
		return eas_fail(r, st, &err);
	eas_reply_begin(r, ItemOperations_ItemOperations);
	eas_reply_status(r, EAS_OK);
	wbxml_open(&r->writer, ItemOperations_Response);
	for (const struct wbxml_node *n = r->root->children; n != NULL; n = n->next) {
		st = run_one(o, n, &err);
		if (st != MF_OK)
			mf_log_info("event=operation status=%s reason=%s", mf_status_name(st),
				mf_log_value(err.text));
		if (lost(st) && r->items == 0)
			return eas_fail(r, st, &err); /* nothing was done yet */
		r->items++;
	}
	eas_note(r, "operations=%zu parts=%u", r->items, o->n_parts);
	return answer(o);
}
