/*
 * FolderUpdate (MS-ASCMD 2.2.1.6): a folder gets another name or another parent, with all that is
 * below. Its id stays, and so do its items' on servers that keep them.
 */
#include "eas/cmd/folder_edit.h"
#include "eas/folders.h"

#include <string.h>

static bool
is_there(const struct state_hierarchy *h, const struct state_held *want)
{
	const struct state_held *has = h == NULL ? NULL : state_hierarchy_find(h, want->number);
	return has != NULL && has->parent == want->parent && strcmp(has->name, want->name) == 0;
}

static enum mf_status
update(struct folder_edit *e, const struct state_folder *f, const char *parent, const char *name,
	struct mf_error *err)
{
	struct eas_request *r = e->r;
	const char *id;
	if (r->store_api->folder_rename == NULL)
		return mf_fail(err, MF_UNSUPPORTED, "the store renames no folders");
	enum mf_status st =
		r->store_api->folder_rename(r->store, f->id, parent, name, r->arena, &id, err);
	return st == MF_OK ? folder_edit_refresh(e, err) : st;
}

/* The new place of f; MF_OK when it may go there. */
static enum mf_status
read_target(
	struct folder_edit *e, struct state_held *want, const char **parent, struct mf_error *err)
{
	struct eas_request *r = e->r;
	want->name = wbxml_child_value(r->root, FolderHierarchy_DisplayName);
	if (!folder_edit_name_ok(want->name))
		return mf_fail(err, MF_INVALID, "no name for a folder");
	return folder_edit_parent(e, wbxml_child_value(r->root, FolderHierarchy_ParentId),
		&want->parent, parent, err);
}

enum eas_verdict
cmd_folderupdate(struct eas_request *r)
{
	struct folder_edit e;
	struct mf_error err = { 0 };
	struct state_held want = { .type = FOLDER_MAIL };
	struct state_hierarchy view;
	const char *parent;
	enum mf_status st = folder_edit_begin(r, &e, &err);
	if (st != MF_OK)
		return eas_fail(r, st, &err);
	const struct state_folder *f =
		folder_edit_find(&e, wbxml_child_value(r->root, FolderHierarchy_ServerId));
	if (f == NULL)
		return eas_fail_status(r, EAS_FOLDER_NOT_FOUND, "no such folder");
	if (folder_is_recipients(f))
		return eas_fail_status(r, EAS_FOLDER_SPECIAL, "the recipients");
	if (folder_edit_special(&e, f))
		return eas_fail_status(r, EAS_FOLDER_EXISTS, "a special folder");
	want.number = f->number;
	st = read_target(&e, &want, &parent, &err);
	if (st == MF_GONE || st == MF_REFUSED)
		return eas_fail_status(r, EAS_FOLDER_PARENT, err.text);
	if (st != MF_OK)
		return eas_fail(r, st, &err);
	if (is_there(e.after, &want) && !is_there(e.base, &want))
		return folder_edit_again(&e, 0);
	folder_view(r->arena, &e.folders, eas_folders_recipients(r), &view);
	if (!is_there(&view, &want)) {
		if (folder_edit_named(&view, want.parent, want.name) != NULL)
			return eas_fail_status(r, EAS_FOLDER_EXISTS, "the name is taken");
		st = update(&e, f, parent, want.name, &err);
	}
	return st == MF_OK ? folder_edit_done(&e, &want, 0, 0) : eas_fail(r, st, &err);
}
