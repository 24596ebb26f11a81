/* Answers, smaller: gzip (RFC 1952) where the client takes it and it pays. */
#ifndef HTTP_GZIP_H
#define HTTP_GZIP_H

#include <stdbool.h>

#include "eas/request.h"

/* Does this Accept-Encoding (RFC 9110 12.5.3; NULL: none) take gzip? */
bool http_gzip_accepted(const char *accept);

/* Compresses an answer in place: not what is small, in a file, compressed already (attachments), or
 * does not shrink. */
void http_gzip(struct eas_request *r);

#endif
