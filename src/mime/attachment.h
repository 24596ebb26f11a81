/* One part as an attachment, for the folder's own use. */
#ifndef MIME_ATTACHMENT_H
#define MIME_ATTACHMENT_H

#include "mime/structure.h"

/* Fills out. number: how many attachments there are before it, for names that have to be made up.
 * related: it stands beside the text within multipart/related. */
void mime_attachment_read(struct mf_arena *a, const struct mf_part *part, size_t number,
	bool related, struct mime_attachment *out);

/* The name that a part has, cleaned; "" when it has none. */
const char *mime_part_name(struct mf_arena *a, const struct mf_part *part);

/* A name of a file without path, of bounded length; may become "". */
const char *mime_clean_name(struct mf_arena *a, const char *name);

bool mime_part_is(const struct mf_part *part, const char *type, const char *subtype);

/* The class by structure alone; *detail: see mime_structure.class_detail. */
const char *mime_class_of(struct mf_arena *a, const struct mf_part *root,
	const struct mime_header *header, const struct mime_structure *s,
	const struct mf_part **detail);

/* The class of a meeting message by its method in upper case; NULL for methods that have none. */
const char *mime_class_of_method(const char *method);

#endif
