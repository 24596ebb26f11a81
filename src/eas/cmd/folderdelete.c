/* FolderDelete (MS-ASCMD 2.2.1.4): a folder with its items and all folders below. */
#include "eas/cmd/folder_edit.h"

static bool
deleted_already(const struct folder_edit *e, const char *text)
{
	uint32_t number;
	return e->after != NULL && state_folder_parse(text, &number) &&
	       state_hierarchy_find(e->base, number) != NULL &&
	       state_hierarchy_find(e->after, number) == NULL;
}

enum eas_verdict
cmd_folderdelete(struct eas_request *r)
{
	struct folder_edit e;
	struct mf_error err = { 0 };
	const char *text = wbxml_child_value(r->root, FolderHierarchy_ServerId);
	enum mf_status st = folder_edit_begin(r, &e, &err);
	if (st != MF_OK)
		return eas_fail(r, st, &err);
	const struct state_folder *f = folder_edit_find(&e, text);
	if (f == NULL && deleted_already(&e, text))
		return folder_edit_again(&e, 0);
	if (f == NULL)
		return eas_fail_status(r, EAS_FOLDER_NOT_FOUND, "no such folder");
	if (folder_edit_special(&e, f))
		return eas_fail_status(r, EAS_FOLDER_SPECIAL, "a special folder");
	st = MF_UNSUPPORTED;
	if (r->store_api->folder_delete != NULL)
		st = r->store_api->folder_delete(r->store, f->id, &err);
	if (st != MF_OK)
		return eas_fail(r, st, &err);
	uint32_t number = f->number;
	st = folder_edit_refresh(&e, &err);
	return st == MF_OK ? folder_edit_done(&e, NULL, number, 0) : eas_fail(r, st, &err);
}
