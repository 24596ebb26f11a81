/* The few elements that Find tells of a message (MS-ASCMD 2.2.3.139.1). */
#ifndef EAS_MAP_EMAIL_FOUND_H
#define EAS_MAP_EMAIL_FOUND_H

#include "eas/map/email.h"

enum { EMAIL_FOUND_PREVIEW = 255 }; /* characters */

/* The options that make email_choose ask for what the preview needs. */
struct body_options email_found_options(void);

/* Writes the children of Properties. */
void email_found_write(struct wbxml_writer *w, struct email_view *v, const struct mf_item *item);

#endif
