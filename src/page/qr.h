/* QR codes as SVG within a page. The only user of libqrencode. */
#ifndef PAGE_QR_H
#define PAGE_QR_H

#include <stdbool.h>

#include "mailferry/buf.h"

/* Appends the code of text with a label for whoever cannot see it. False: the text is too long. */
bool qr_write(struct mf_buf *out, const char *text, const char *label);

#endif
