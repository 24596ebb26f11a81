/*
 * Which devices may come in: the administrator's decision (state/record.h), else the first of the
 * setting access_rules that fits. A device in quarantine waits for that decision, and its user is told
 * once by a mail.
 */
#ifndef EAS_ACCESS_H
#define EAS_ACCESS_H

#include "eas/request.h"

/* Whether every rule and every redirect is well formed; MF_INVALID names the first that is not. */
enum mf_status eas_access_validate(const struct mf_conf *top, struct mf_error *err);

/* Where the user's mailbox is served if not here, by the setting redirects; NULL: here. */
const char *eas_access_elsewhere(const struct eas_request *r);

/* 0, or the status to refuse with (126 to 131). *quarantine: the user has still to be told. */
unsigned eas_access_check(const struct eas_request *r, bool *quarantine);

/* Puts a mail into the user's Inbox that tells of the device, and notes that. */
enum mf_status eas_access_tell(struct eas_request *r, struct mf_error *err);

/* Whether the setting remote_wipe lets an administrator ask for such a wipe. */
bool eas_access_may_wipe(const struct mf_conf *top, enum state_wipe_kind kind);

#endif
