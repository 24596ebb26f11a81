/*
 * What FolderCreate, FolderUpdate and FolderDelete share: the device's hierarchy that the key names,
 * the user's folders, and the generation that the edit makes. Knows keys; must not know elements but
 * those of the answer.
 */
#ifndef EAS_CMD_FOLDER_EDIT_H
#define EAS_CMD_FOLDER_EDIT_H

#include "eas/commands.h"
#include "eas/map/folder.h"
#include "state/folder.h"
#include "state/hierarchy.h"

struct folder_edit {
	struct eas_request *r;
	struct state_hierarchies stored;
	const struct state_hierarchy *base; /* what the device held when it asked */
	/* The base is the older generation: the answer that made the newer may have been lost, and this
	 * may be that request again. NULL: it cannot be. */
	const struct state_hierarchy *after;
	struct state_folders folders; /* as the store has them now */
};

/* MF_RESYNC: the request's key is none of the device's (status 9). */
enum mf_status folder_edit_begin(
	struct eas_request *r, struct folder_edit *out, struct mf_error *err);

/* The folder that an element names, and what the device holds of it; NULL: there is none. */
const struct state_folder *folder_edit_find(const struct folder_edit *e, const char *text);

/* Where a folder with that ParentId goes: its number, 0 at the top. MF_GONE: there is no such folder;
 * MF_REFUSED: it takes no folders. */
enum mf_status folder_edit_parent(const struct folder_edit *e, const char *text, uint32_t *number,
	const char **id, struct mf_error *err);

/* A name that a folder can have: not empty, no control characters, not too long. */
bool folder_edit_name_ok(const char *name);

/* One that is to be below parent under that name; NULL when there is none. */
const struct state_held *folder_edit_named(
	const struct state_hierarchy *h, uint32_t parent, const char *name);

/* A folder that every phone needs, or that holds one. */
bool folder_edit_special(const struct folder_edit *e, const struct state_folder *f);

/* The user's folders after the edit. */
enum mf_status folder_edit_refresh(struct folder_edit *e, struct mf_error *err);

/* The answer of a success: the new key, and of a creation the folder's number (else 0). `with` is what
 * the device holds from now on of that folder; NULL: `without` is taken out. */
enum eas_verdict folder_edit_done(
	struct folder_edit *e, const struct state_held *with, uint32_t without, uint32_t created);

/* The same for a repetition: what e->after says is told again. */
enum eas_verdict folder_edit_again(struct folder_edit *e, uint32_t created);

#endif
