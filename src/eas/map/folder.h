/*
 * Folders as phones see them (FolderSync): types, names, parents. Pure: from the user's folders in
 * the state to what a device is to hold.
 */
#ifndef EAS_MAP_FOLDER_H
#define EAS_MAP_FOLDER_H

#include <stdbool.h>

#include "mailferry/item.h"
#include "state/folder.h"
#include "state/hierarchy.h"

/* Type of FolderHierarchy (MS-ASCMD 2.2.3.186.3). */
enum folder_type {
	FOLDER_GENERIC = 1, /* made by the user */
	FOLDER_INBOX = 2,
	FOLDER_DRAFTS = 3,
	FOLDER_DELETED = 4,
	FOLDER_SENT = 5,
	FOLDER_OUTBOX = 6,
	FOLDER_RECIPIENTS = 19, /* the recipient information cache */
	FOLDER_MAIL = 12, /* made by the user, for mail; Junk and Archive too: there is no other */
};

/* The store of folders that phones must see and that no backend has (the Outbox). */
#define FOLDER_VIRTUAL_STORE "virtual"
/* Of these the one that holds whom the user writes to. */
#define FOLDER_RECIPIENTS_ID "recipients"

enum { FOLDER_NAME_MAX = 256 }; /* bytes of a DisplayName */

enum folder_type folder_type_of(enum mf_role role);

/* False for those that are shown but are always empty: parents that cannot hold mail, and virtual
 * folders. Never ask a backend about these. */
bool folder_holds_items(const struct state_folder *f);

/* The recipient information cache. */
bool folder_is_recipients(const struct state_folder *f);

/* The folder that an id of a phone means; NULL: none, or it is gone. "RI" is the recipient information
 * cache, beside its own id (MS-ASCMD 2.2.3.30.6). */
const struct state_folder *folder_by_text(const struct state_folders *folders, const char *text);

/* Whether phones see it: it is there, and its class has a backend. */
bool folder_shown(const struct state_folder *f);

/* What a device is to hold, ascending by number. Each has a parent that is shown too, or 0. Of
 * several folders with the same role only the first has the role's type. recipients: the recipient
 * information cache too. */
void folder_view(struct mf_arena *a, const struct state_folders *folders, bool recipients,
	struct state_hierarchy *out);

/* The entries in an order in which no child comes before its parent. */
const struct state_held **folder_order(struct mf_arena *a, const struct state_hierarchy *h);

#endif
