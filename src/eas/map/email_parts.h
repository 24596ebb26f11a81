/* One item while it is written, for email.c and email_attachments.c. */
#ifndef EAS_MAP_EMAIL_PARTS_H
#define EAS_MAP_EMAIL_PARTS_H

#include "eas/map/email.h"
#include "mime/header.h"

/* Fields that hold addresses. */
enum address_field {
	FIELD_TO,
	FIELD_CC,
	FIELD_FROM,
	FIELD_REPLY_TO,
	FIELD_SENDER,
	FIELD_BCC,
	ADDRESS_FIELDS
};
/* What one item is made of while it is written. */
struct email_parts {
	struct mime_header header;
	struct mime_structure structure;
	struct body_plan body;
	struct mime_addresses lists[ADDRESS_FIELDS]; /* read once, when first asked for */
	bool has_list[ADDRESS_FIELDS];
};

/* Writes an element that has something to say. */
void email_write_if(struct wbxml_writer *w, uint16_t tag, const char *text);

/* A message of an answering machine, or about a call that was missed. */
bool email_is_voice(const struct email_parts *p);

/* Writes Attachments; nothing without any. */
void email_attachments_write(struct wbxml_writer *w, struct email_view *v,
	const struct mf_item *item, const struct email_parts *p);

#endif
