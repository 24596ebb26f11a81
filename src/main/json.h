/* Strings in JSON output (RFC 8259). */
#ifndef MAIN_JSON_H
#define MAIN_JSON_H

#include "mailferry/buf.h"

/* s in quotes; valid UTF-8 is the caller's concern. */
void main_json_string(struct mf_buf *b, const char *s, size_t len);

#endif
