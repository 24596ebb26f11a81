/*
 * Folders that were renamed at a server that gives them no identity (MAILBOXID) and no UIDVALIDITY of their own:
 * recognised by what is in them. Knows stores and the state; must not know elements.
 */
#ifndef EAS_FOLDERS_RECOGNISE_H
#define EAS_FOLDERS_RECOGNISE_H

#include "eas/request.h"

/* Before state_folders_reconcile: of the folders in the list that nobody knows and those that have vanished from it, pairs
 * with the same items become known under their new ids. Asks the server only where there are both. What cannot
 * be read now is not recognised; MF_TEMPORARY and MF_AUTH: the server is lost. */
enum mf_status eas_folders_recognise(
	struct eas_request *r, const struct mf_folder *list, size_t n, struct mf_error *err);

#endif
