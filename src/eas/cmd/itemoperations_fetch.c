/*
 * Fetch of ItemOperations (MS-ASCMD 2.2.3.67.1): an item by ServerId or LongId, an attachment by
 * FileReference. Knows options and their elements; the item's own are map/email.c's.
 */
#include "eas/cmd/itemoperations.h"

#include <string.h>

#include "base/str.h"
#include "eas/attachment.h"
#include "eas/map/document.h"
#include "eas/map/email.h"
#include "eas/tnef.h"
#include "eas/map/folder.h"
#include "eas/map/ids.h"

/* One Fetch. */
struct fetching {
	struct operations *o;
	const struct wbxml_node *node, *options;
	const char *collection, *server_id, *long_id, *file, *link;
	struct ids_file meant; /* the item that they name */
	struct email_view view;
	bool found;
	struct mf_buf properties; /* the item's, as a document of its own */
	unsigned status;
	struct mf_error *err;
};

/* The elements that name what was asked for, as they came. */
static void
write_names(struct fetching *f)
{
	struct wbxml_writer *w = &f->o->r->writer;
	if (f->collection != NULL)
		wbxml_element(w, AirSync_CollectionId, f->collection);
	if (f->server_id != NULL)
		wbxml_element(w, AirSync_ServerId, f->server_id);
	if (f->long_id != NULL)
		wbxml_element(w, Search_LongId, f->long_id);
	if (f->link != NULL)
		wbxml_element(w, DocumentLibrary_LinkId, f->link);
	if (f->found && f->file == NULL)
		wbxml_element(w, AirSync_Class, "Email");
	if (f->file != NULL)
		wbxml_element(w, AirSyncBase_FileReference, f->file);
}

/* ---- Items ---- */

static unsigned
take_part(void *ctx, const void *data, size_t len)
{
	struct fetching *f = ctx;
	uint64_t offset = eas_spool_end(f->o->r);
	if (eas_spool_add(f->o->r, data, len, f->err) != MF_OK)
		return 0;
	return operations_part(f->o, offset, len);
}

static size_t
choose(void *ctx, const struct mf_item *item, struct mf_section_want *out)
{
	struct fetching *f = ctx;
	uint64_t bytes = 0;
	f->view.scratch = mf_arena_new();
	size_t n = email_choose(&f->view, item, out, &bytes);
	mf_arena_free(f->view.scratch);
	return n;
}

static enum mf_status
take_item(void *ctx, const struct mf_item *item)
{
	struct fetching *f = ctx;
	struct wbxml_writer w;
	if (item->damaged != NULL) {
		f->status = eas_status_at(EAS_AT_ITEMOPERATIONS, MF_BROKEN);
		return MF_OK;
	}
	if (!ids_file_matches(&f->meant, item))
		return MF_OK;
	f->view.scratch = mf_arena_new();
	wbxml_begin(&w, &f->properties);
	wbxml_open(&w, ItemOperations_Properties);
	email_write(&w, &f->view, item);
	wbxml_close(&w);
	mf_arena_free(f->view.scratch);
	f->found = true;
	return MF_OK;
}

static const struct state_folder *
find_folder(const struct fetching *f, uint32_t number)
{
	const struct state_folder *folder = state_folder_by_number(&f->o->folders, number);
	return folder != NULL && folder_holds_items(folder) ? folder : NULL;
}

/* The item that ServerId (with its CollectionId) or LongId names; false: none. */
static bool
find_item(struct fetching *f)
{
	uint32_t collection;
	if (!ids_long_parse(f->server_id != NULL ? f->server_id : f->long_id, &f->meant))
		return false;
	return f->collection == NULL || f->server_id == NULL ||
	       (state_folder_parse(f->collection, &collection) && collection == f->meant.folder);
}

static enum mf_status
fetch_item(struct fetching *f)
{
	struct eas_request *r = f->o->r;
	if (!body_options_parse(f->options, &f->view.body)) {
		f->status = OPERATION_PROTOCOL;
		return MF_OK;
	}
	if (body_part_refused(&f->view.body, r->version)) {
		f->status = EAS_BODY_PART_TYPE;
		return MF_OK;
	}
	f->status = OPERATION_NOT_FOUND;
	if (!find_item(f))
		return MF_OK;
	uint32_t number = f->meant.folder;
	const struct state_folder *folder = find_folder(f, number);
	if (folder == NULL)
		return MF_OK;
	f->view.version = r->version;
	f->view.folder = number;
	f->view.state = r->server->state;
	f->view.user = r->user_number;
	f->view.address = eas_user_address(r);
	email_view_load(&f->view, folder, r->arena);
	f->view.body.part_data = r->accept_multipart ? take_part : NULL;
	f->view.body.part_ctx = f;
	struct mf_fetch fetch = { .folder = folder->id,
		.ids = &f->meant.id,
		.n = 1,
		.want = EMAIL_WANT,
		.fields = email_fields,
		.choose = choose,
		.item = take_item,
		.ctx = f };
	return tnef_fetch(r, r->store_api, r->store, &fetch, &f->view.tnef, NULL, f->err);
}

static bool
in_schema(const struct wbxml_node *schema, uint16_t tag)
{
	if (schema == NULL || schema->children == NULL)
		return true;
	for (; schema != NULL; schema = wbxml_next(schema))
		if (wbxml_child(schema, tag) != NULL)
			return true;
	return false;
}

/* Of the item's properties those that the client wants to see (MS-ASCMD 2.2.3.158). */
static enum mf_status
write_properties(struct fetching *f)
{
	struct wbxml_writer *w = &f->o->r->writer;
	const struct wbxml_node *schema = wbxml_child(f->options, ItemOperations_Schema);
	struct wbxml_limits limits = wbxml_limits_default;
	struct wbxml_node *root;
	limits.bytes = limits.string = SIZE_MAX;
	enum mf_status st = wbxml_decode(
		f->o->r->arena, mf_buf_bytes(&f->properties), &limits, false, &root, f->err);
	if (st != MF_OK)
		return st;
	wbxml_open(w, ItemOperations_Properties);
	for (const struct wbxml_node *n = root->children; n != NULL; n = n->next)
		if (in_schema(schema, n->tag))
			wbxml_copy(w, n);
	wbxml_close(w);
	return MF_OK;
}

/* ---- Attachments ---- */

/* "m-n" of Options; absent: all. False: not a range (MS-ASCMD 2.2.3.143.2). */
static bool
read_range(const struct fetching *f, struct attachment_want *want)
{
	const char *text = wbxml_child_value(f->options, ItemOperations_Range);
	want->last = UINT64_MAX;
	if (text == NULL)
		return true;
	const char *dash = strchr(text, '-');
	if (dash == NULL)
		return false;
	const char *first = mf_strndup(f->o->r->arena, text, (size_t)(dash - text));
	return str_to_u64(first, INT64_MAX, &want->first) &&
	       str_to_u64(dash + 1, INT64_MAX, &want->last) && want->first <= want->last;
}

static enum mf_status
write_file(struct fetching *f, const struct attachment_want *want, const struct attachment *at)
{
	struct eas_request *r = f->o->r;
	struct wbxml_writer *w = &r->writer;
	enum mf_status st = MF_OK;
	wbxml_open(w, ItemOperations_Properties);
	if (wbxml_child(f->options, ItemOperations_Range) != NULL) {
		wbxml_element(w, ItemOperations_Range,
			mf_printf(r->arena, "%llu-%llu", (unsigned long long)want->first,
				(unsigned long long)(want->first + at->stored - 1)));
		wbxml_number(w, ItemOperations_Total, (int64_t)at->total);
	}
	wbxml_element(w, AirSyncBase_ContentType, at->type);
	if (r->accept_multipart) {
		wbxml_number(w, ItemOperations_Part, operations_part(f->o, at->offset, at->size));
	} else {
		wbxml_open(w, ItemOperations_Data);
		if (at->size > 0)
			st = eas_spool_put(r, wbxml_text_hole(w), at->offset, at->size, f->err);
		wbxml_close(w);
	}
	wbxml_close(w);
	return st;
}

static enum mf_status
fetch_file(struct fetching *f, struct attachment_want *want, struct attachment *at)
{
	want->reference = f->file;
	want->base64 = !f->o->r->accept_multipart;
	if (!read_range(f, want)) {
		f->status = OPERATION_RANGE;
		return MF_OK;
	}
	enum mf_status st = attachment_load(f->o->r, &f->o->folders, want, at, f->err);
	if (st == MF_GONE || st == MF_INVALID) {
		f->status = OPERATION_ATTACHMENT;
		return MF_OK;
	}
	if (st == MF_OK && want->first > 0 && at->stored == 0)
		f->status = OPERATION_RANGE;
	else if (st == MF_OK && want->last != UINT64_MAX && at->total == 0)
		f->status = OPERATION_EMPTY_FILE;
	else
		f->found = st == MF_OK;
	return st;
}

/* ---- Both ---- */

static void
read_fetch(struct fetching *f)
{
	f->options = wbxml_child(f->node, ItemOperations_Options);
	f->collection = wbxml_child_value(f->node, AirSync_CollectionId);
	f->server_id = wbxml_child_value(f->node, AirSync_ServerId);
	f->long_id = wbxml_child_value(f->node, Search_LongId);
	f->file = wbxml_child_value(f->node, AirSyncBase_FileReference);
	f->link = wbxml_child_value(f->node, DocumentLibrary_LinkId);
}

/* EAS_OK, or what is wrong with the request itself. */
static unsigned
judge(const struct fetching *f)
{
	const char *store = wbxml_child_value(f->node, ItemOperations_Store);
	int names = (f->server_id != NULL) + (f->long_id != NULL) + (f->file != NULL);
	if (document_store_is(store))
		return f->link == NULL		   ? OPERATION_PROTOCOL
		       : document_link_ok(f->link) ? OPERATION_NOT_FOUND
						   : OPERATION_BAD_LINK;
	if (!str_ieq(store, "Mailbox"))
		return OPERATION_STORE;
	return names == 1 ? EAS_OK : OPERATION_PROTOCOL;
}

/* The Fetch element; what was written of a failure is taken back. */
static enum mf_status
tell(struct fetching *f, const struct attachment_want *want, const struct attachment *at,
	enum mf_status st)
{
	struct wbxml_writer *w = &f->o->r->writer;
	struct wbxml_mark before = wbxml_mark(w);
	for (int i = 0; i < 2; i++) {
		wbxml_rewind(w, &before);
		wbxml_open(w, ItemOperations_Fetch);
		if (st != MF_OK)
			f->status = eas_status_at(EAS_AT_ITEMOPERATIONS, st);
		wbxml_number(w, ItemOperations_Status, f->found ? EAS_OK : f->status);
		write_names(f);
		if (f->found) {
			st = f->file != NULL ? write_file(f, want, at) : write_properties(f);
			f->found = st == MF_OK;
		}
		if (st == MF_OK || i == 1)
			break;
	}
	wbxml_close(w);
	return st;
}

enum mf_status
operations_fetch(struct operations *o, const struct wbxml_node *fetch, struct mf_error *err)
{
	struct fetching f = { .o = o, .node = fetch, .err = err };
	struct attachment_want want = { .reference = NULL };
	struct attachment at = { .type = NULL };
	enum mf_status st = MF_OK;
	read_fetch(&f);
	mf_buf_init(&f.properties, 0);
	f.status = judge(&f);
	if (f.status == EAS_OK)
		st = f.file != NULL ? fetch_file(&f, &want, &at) : fetch_item(&f);
	if (st == MF_GONE) {
		f.status = OPERATION_NOT_FOUND;
		st = MF_OK;
	}
	if (st != MF_OK)
		f.found = false;
	st = tell(&f, &want, &at, st);
	mf_buf_deinit(&f.properties);
	return st;
}
