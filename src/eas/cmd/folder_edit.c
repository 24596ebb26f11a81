/*
 * Edits of the hierarchy by a device. The new generation is what the device held, with its own edit
 * and nothing else: what others changed meanwhile is told by its next FolderSync.
 */
#include "eas/cmd/folder_edit.h"

#include <string.h>

#include "base/utf8.h"
#include "eas/folders.h"
#include "state/device.h"

/* Deeper than any hierarchy: a loop of parents ends here. */
enum { DEPTH_MAX = 100, TRIES = 3 };

static enum mf_status
load(struct folder_edit *e, uint64_t key, struct mf_error *err)
{
	struct eas_request *r = e->r;
	enum mf_status st = state_hierarchy_load(
		r->server->state, r->user_number, r->device->number, r->arena, &e->stored, err);
	if (st != MF_OK)
		return st;
	e->after = NULL;
	if (key == e->stored.newest.key) {
		e->base = &e->stored.newest;
	} else if (key == e->stored.previous.key) {
		e->base = &e->stored.previous;
		e->after = &e->stored.newest;
	} else {
		return mf_fail(err, MF_RESYNC, "the hierarchy's key is unknown");
	}
	return MF_OK;
}

enum mf_status
folder_edit_begin(struct eas_request *r, struct folder_edit *out, struct mf_error *err)
{
	uint64_t key;
	*out = (struct folder_edit){ .r = r };
	const char *text = wbxml_child_value(r->root, FolderHierarchy_SyncKey);
	if (!state_generation_parse(text, &key) || key == 0)
		return mf_fail(err, MF_RESYNC, "not a key of the hierarchy");
	enum mf_status st = load(out, key, err);
	return st == MF_OK ? eas_folders_refresh(r, &out->folders, err) : st;
}

const struct state_folder *
folder_edit_find(const struct folder_edit *e, const char *text)
{
	const struct state_folder *f = folder_by_text(&e->folders, text);
	return f != NULL && folder_shown(f) ? f : NULL;
}

enum mf_status
folder_edit_parent(const struct folder_edit *e, const char *text, uint32_t *number, const char **id,
	struct mf_error *err)
{
	*number = 0;
	*id = NULL;
	if (strcmp(text, "0") == 0)
		return MF_OK;
	const struct state_folder *f = folder_edit_find(e, text);
	if (f == NULL)
		return mf_fail(err, MF_GONE, "no such parent");
	if ((f->flags & MF_FOLDER_NO_CHILDREN) || strcmp(f->store, e->r->store_name) != 0)
		return mf_fail(err, MF_REFUSED, "the parent takes no folders");
	*number = f->number;
	*id = f->id;
	return MF_OK;
}

bool
folder_edit_name_ok(const char *name)
{
	size_t len = strlen(name);
	if (len == 0 || len > FOLDER_NAME_MAX || !utf8_valid_xml(name, len))
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
			return false;
	return true;
}

const struct state_held *
folder_edit_named(const struct state_hierarchy *h, uint32_t parent, const char *name)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->held[i].parent == parent && strcmp(h->held[i].name, name) == 0)
			return &h->held[i];
	return NULL;
}

static bool
is_special(const struct state_folder *f)
{
	return folder_type_of(f->role) != FOLDER_MAIL ||
	       strcmp(f->store, FOLDER_VIRTUAL_STORE) == 0;
}

bool
folder_edit_special(const struct folder_edit *e, const struct state_folder *f)
{
	if (is_special(f))
		return true;
	for (size_t i = 0; i < e->folders.n; i++) {
		const struct state_folder *x = &e->folders.folders[i];
		if (x->gone != 0 || !is_special(x))
			continue;
		for (int depth = 0; x != NULL && depth < DEPTH_MAX; depth++) {
			if (x->parent == f->number)
				return true;
			x = state_folder_by_number(&e->folders, x->parent);
		}
	}
	return false;
}

enum mf_status
folder_edit_refresh(struct folder_edit *e, struct mf_error *err)
{
	return eas_folders_refresh(e->r, &e->folders, err);
}

/* ---- The new generation ---- */

static struct state_hierarchy
edited(const struct folder_edit *e, const struct state_held *with, uint32_t without)
{
	struct state_hierarchy next = { .held = mf_new_array(
						e->r->arena, struct state_held, e->base->n + 1) };
	uint32_t number = with != NULL ? with->number : without;
	for (size_t i = 0; i < e->base->n; i++)
		if (e->base->held[i].number != number)
			next.held[next.n++] = e->base->held[i];
	if (with != NULL)
		next.held[next.n++] = *with;
	return next;
}

static enum eas_verdict
answer(struct folder_edit *e, uint64_t key, uint32_t created)
{
	struct eas_request *r = e->r;
	eas_reply_begin(r, r->command->root);
	eas_reply_status(r, EAS_OK);
	wbxml_element(&r->writer, FolderHierarchy_SyncKey, state_generation_print(r->arena, key));
	if (created != 0)
		wbxml_number(&r->writer, FolderHierarchy_ServerId, created);
	return eas_reply_end(r);
}

enum eas_verdict
folder_edit_done(
	struct folder_edit *e, const struct state_held *with, uint32_t without, uint32_t created)
{
	struct eas_request *r = e->r;
	struct mf_error err = { 0 };
	struct state_hierarchy next;
	enum mf_status st = MF_RESYNC;
	uint64_t key = e->base->key;
	for (int i = 0; i < TRIES && st == MF_RESYNC; i++) {
		if (i > 0 && (st = load(e, key, &err)) != MF_OK)
			break;
		next = edited(e, with, without);
		next.key = state_generation_next(e->stored.newest.key);
		st = state_hierarchy_commit(r->server->state, r->user_number, r->device->number,
			e->stored.newest.key, key, &next, &err);
	}
	/* The edit is done; with the old key the device begins afresh and finds it. */
	return st == MF_OK ? answer(e, next.key, created) : eas_fail(r, st, &err);
}

enum eas_verdict
folder_edit_again(struct folder_edit *e, uint32_t created)
{
	return answer(e, e->after->key, created);
}
