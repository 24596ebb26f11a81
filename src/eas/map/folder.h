/* Folders as FolderSync shows them: types and names. Pure. */
#ifndef EAS_MAP_FOLDER_H
#define EAS_MAP_FOLDER_H

#include <stdbool.h>

#include "mailferry/item.h"

/* Type of FolderHierarchy (MS-ASCMD 2.2.3.186.3). */
enum folder_type {
	FOLDER_GENERIC = 1, /* made by the user */
	FOLDER_INBOX = 2,
	FOLDER_DRAFTS = 3,
	FOLDER_DELETED = 4,
	FOLDER_SENT = 5,
	FOLDER_OUTBOX = 6,
	FOLDER_MAIL = 12, /* made by the user, for mail */
};

enum folder_type folder_type_of(const struct mf_folder *f);

/* The role that a type stands for; MF_ROLE_NONE for those of the user. */
enum mf_role folder_role_of(enum folder_type type);

#endif
