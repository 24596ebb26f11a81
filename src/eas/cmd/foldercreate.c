/* FolderCreate (MS-ASCMD 2.2.1.3): a folder for mail, made by the user. */
#include "eas/cmd/folder_edit.h"
#include "eas/folders.h"

#include "eas/schema.h"

/* Folders of other classes have no store, default folders cannot be made (MS-ASCMD 2.2.3.186.2). */
static bool
type_ok(uint64_t type)
{
	return type == FOLDER_GENERIC || type == FOLDER_MAIL;
}

static enum mf_status
create(struct folder_edit *e, const char *parent, const char *name, const struct state_folder **out,
	struct mf_error *err)
{
	struct eas_request *r = e->r;
	const char *id = NULL;
	if (r->store_api->folder_create == NULL)
		return mf_fail(err, MF_UNSUPPORTED, "the store makes no folders");
	enum mf_status st = r->store_api->folder_create(
		r->store, parent, name, MF_ROLE_NONE, r->arena, &id, err);
	if (st == MF_OK)
		st = folder_edit_refresh(e, err);
	if (st != MF_OK)
		return st;
	*out = state_folder_by_id(&e->folders, r->store_name, id);
	return *out != NULL ? MF_OK : mf_fail(err, MF_BROKEN, "a new folder is not listed");
}

enum eas_verdict
cmd_foldercreate(struct eas_request *r)
{
	struct folder_edit e;
	struct mf_error err = { 0 };
	const char *name = wbxml_child_value(r->root, FolderHierarchy_DisplayName), *parent_id;
	uint32_t parent;
	enum mf_status st = folder_edit_begin(r, &e, &err);
	if (st != MF_OK)
		return eas_fail(r, st, &err);
	uint64_t type = schema_number(r->root, FolderHierarchy_Type, 0);
	if (type == FOLDER_RECIPIENTS)
		return eas_fail_status(r, EAS_FOLDER_SPECIAL, "the recipients");
	if (!folder_edit_name_ok(name) || !type_ok(type))
		return eas_fail_status(r, EAS_FOLDER_FORMAT, "no such name or type");
	st = folder_edit_parent(&e, wbxml_child_value(r->root, FolderHierarchy_ParentId), &parent,
		&parent_id, &err);
	if (st != MF_OK)
		return eas_fail(r, st, &err);
	if (e.after != NULL && folder_edit_named(e.base, parent, name) == NULL) {
		const struct state_held *made = folder_edit_named(e.after, parent, name);
		if (made != NULL)
			return folder_edit_again(&e, made->number);
	}
	struct state_hierarchy view;
	folder_view(r->arena, &e.folders, eas_folders_recipients(r), &view);
	if (folder_edit_named(&view, parent, name) != NULL)
		return eas_fail_status(r, EAS_FOLDER_EXISTS, "the name is taken");
	const struct state_folder *made;
	st = create(&e, parent_id, name, &made, &err);
	if (st != MF_OK)
		return eas_fail(r, st, &err);
	struct state_held held = { made->number, parent, FOLDER_MAIL, name };
	return folder_edit_done(&e, &held, 0, made->number);
}
