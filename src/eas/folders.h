/* The user's folders, brought up to date from the backend: for commands that need the hierarchy. */
#ifndef EAS_FOLDERS_H
#define EAS_FOLDERS_H

#include "eas/request.h"
#include "state/folder.h"

/*
 * Lists the store's folders (r->store), makes those that every phone needs where they are missing
 * (Drafts, Sent, Trash; what the server refuses, and the Outbox, is virtual: map/folder.h), and
 * brings the state's map up to date.
 */
enum mf_status eas_folders_refresh(
	struct eas_request *r, struct state_folders *out, struct mf_error *err);

/* Whether this device is shown the recipient information cache. */
bool eas_folders_recipients(const struct eas_request *r);

#endif
