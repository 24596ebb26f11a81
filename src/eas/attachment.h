/*
 * Attachments: found by their FileReference, decoded on their way from the store into the answer's
 * file (spool.h), in constant memory. For ItemOperations and GetAttachment.
 */
#ifndef EAS_ATTACHMENT_H
#define EAS_ATTACHMENT_H

#include "eas/request.h"
#include "state/folder.h"

struct attachment_want {
	const char *reference;
	uint64_t first, last; /* bytes of the decoded content; 0 and UINT64_MAX: all */
	bool base64;	      /* encode what is stored */
};

struct attachment {
	const char *type;      /* "image/png" */
	uint64_t total;	       /* decoded bytes of the whole */
	uint64_t stored;       /* decoded bytes of what was wanted */
	uint64_t offset, size; /* in the file */
};

/* MF_GONE: a bad reference, or one to what is not there (any more). Nothing is left in the file after a
 * failure. */
enum mf_status attachment_load(struct eas_request *r, const struct state_folders *folders,
	const struct attachment_want *want, struct attachment *out, struct mf_error *err);

#endif
