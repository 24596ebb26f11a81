/*
 * GetHierarchy (MS-ASCMD 2.2.1.8, 12.1 only): the folders that hold mail, without keys and without memory.
 * It has no element of its own name: Folders is the root.
 */
#include "eas/commands.h"

#include "eas/folders.h"
#include "eas/map/folder.h"

/* All folders have a class that we serve; those of mail alone are wanted. */
static bool
holds_mail(const struct state_held *h)
{
	return (h->type >= FOLDER_GENERIC && h->type <= FOLDER_OUTBOX) || h->type == FOLDER_MAIL;
}

/* In the order of the schema, which is another than that of FolderSync; and there are but six types: a user's folder of mail
 * is a generic one (MS-ASCMD 2.2.3.186.4). */
static void
write_folder(struct eas_request *r, const struct state_held *h)
{
	wbxml_open(&r->writer, FolderHierarchy_Folder);
	wbxml_element(&r->writer, FolderHierarchy_DisplayName, h->name);
	wbxml_number(&r->writer, FolderHierarchy_ServerId, h->number);
	wbxml_number(&r->writer, FolderHierarchy_Type,
		h->type == FOLDER_MAIL ? FOLDER_GENERIC : h->type);
	wbxml_number(&r->writer, FolderHierarchy_ParentId, h->parent);
	wbxml_close(&r->writer);
}

enum eas_verdict
cmd_gethierarchy(struct eas_request *r)
{
	struct state_folders folders;
	struct state_hierarchy view = { 0 };
	struct mf_error err = { 0 };
	enum mf_status st = eas_folders_refresh(r, &folders, &err);
	if (st == MF_TEMPORARY || st == MF_AUTH)
		return eas_fail(r, st, &err);
	if (st != MF_OK)
		return eas_fail_http(r, 500, err.text);
	folder_view(r->arena, &folders, eas_folders_recipients(r), &view);
	const struct state_held **all = folder_order(r->arena, &view);
	eas_reply_begin(r, FolderHierarchy_Folders);
	for (size_t i = 0; i < view.n; i++)
		if (holds_mail(all[i]))
			write_folder(r, all[i]);
	r->status = EAS_OK;
	eas_note(r, "folders=%zu", view.n);
	return eas_reply_end(r);
}
