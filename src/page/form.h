/* What a browser sends: fields of a query or a form, cookies. Pure; bounded by the text. */
#ifndef PAGE_FORM_H
#define PAGE_FORM_H

#include "eas/request.h"

/* The first field of that name in "a=1&b=2"; NULL: none, or one with a NUL. In the arena. */
const char *form_field(struct mf_arena *a, const char *text, size_t len, const char *name);

/* Of the request's query, and of its body. */
const char *form_query(const struct eas_request *r, const char *name);
const char *form_body(const struct eas_request *r, const char *name);

/* A cookie of the request; NULL: none. In the arena. */
const char *form_cookie(const struct eas_request *r, const char *name);

/* Whether a browser says that the request comes from a page of this very server. One that says nothing
 * (no Origin, no Sec-Fetch-Site) is believed: its token is checked as well. */
bool form_same_origin(const struct eas_request *r);

#endif
