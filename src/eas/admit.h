/*
 * The way of a request up to its command: everything that must be right before (admit.c). For dispatch.c.
 */
#ifndef EAS_ADMIT_H
#define EAS_ADMIT_H

#include "eas/request.h"

/* Walks a new request through all steps: query, credentials, version, device, policy, body. False: it was
 * refused, and the answer is written; or, with r->aside EAS_ASIDE_WANTED, is to be walked again elsewhere. True: r->command is set and may run; r->root is its body, checked
 * against the schema (NULL without one). Blocks for the login. */
bool eas_admit(struct eas_request *r);

/* Of a request that waits: has it been decided meanwhile that the device is to be wiped or may not come in? Then it
 * is answered so, the user's mailbox is no longer watched for it, and this is false. */
bool eas_admit_again(struct eas_request *r);

/* Reads the query alone, without judging who sends it: is there a known command of a known version? Fills
 * r->command and r->version. */
bool eas_admit_readable(struct eas_request *r);

/* Sets what each line of this request in the log begins with, as far as it is known. */
void eas_admit_name(const struct eas_request *r);

#endif
