/* Raw header fields one after the other, for the folder's own use. */
#ifndef MIME_FIELD_H
#define MIME_FIELD_H

#include "mime/header.h"

struct mime_scan {
	struct mf_bytes raw;
	size_t at;   /* behind the last field; at the end behind the empty line */
	uint8_t eol; /* CR alone ends a line only where there is no LF at all */
	bool ended;  /* the empty line was found */
};

void mime_scan_init(struct mime_scan *s, struct mf_bytes raw);

/* The next field with its folded lines, or a line that is none (then name is empty). False at the end
 * of the header. */
bool mime_scan_next(struct mime_scan *s, struct mime_field *out);

bool mime_field_is(const struct mime_field *f, const char *name);

#endif
