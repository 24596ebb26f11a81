/*
 * What a request's first lines say: its number for the log, its headers, its route. Reads what the library has
 * parsed; decides nothing.
 */
#ifndef HTTP_INTAKE_H
#define HTTP_INTAKE_H

#include <microhttpd.h>

#include "http/server.h"

/* Short, and unlike those of the process before: base 32 of a counter, begun by the clock. */
const char *http_intake_id(struct mf_arena *a, uint64_t n);

/* Copies the headers into the request's arena; the library's copy of credentials is wiped. False: too many, or a
 * NUL within one. */
bool http_intake_headers(struct MHD_Connection *mhd, struct eas_request *r);

/* NULL: no route leads there. */
const struct http_route *http_intake_route(const struct http_route *routes, const char *path);

#endif
