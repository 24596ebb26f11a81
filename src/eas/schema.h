/*
 * The shape of requests, as a table (rules.def). dispatch.c checks each decoded request once; behind
 * that a handler relies on it: required elements are there, counts are within their bounds, numbers
 * are numbers. What no rule names is tolerated: clients send it out of place.
 */
#ifndef EAS_SCHEMA_H
#define EAS_SCHEMA_H

#include "eas/request.h"

/* Checks r->root (never NULL) against the rules of r->command and r->version. MF_INVALID: *status is
 * the number that the specification names for this violation, err says where it is. */
enum mf_status schema_check(const struct eas_request *r, unsigned *status, struct mf_error *err);

/* Do the children that are named in `order` (0 at the end) follow each other so? Others may stand anywhere, and each
 * may be repeated. */
bool schema_in_order(const struct wbxml_node *parent, const uint16_t *order);

/* ---- Values, as ActiveSync writes them (MS-ASDTYPE) ---- */

/* A boolean element: absent gives `absent`; empty and 1 are true, 0 is false (MS-ASDTYPE 2.1). */
bool schema_bool(const struct wbxml_node *parent, uint16_t tag, bool absent);

/* A number element whose rule says that it is one; absent, empty or negative gives `absent`. Whatever is beyond the
 * range is its end, never wrapped. */
uint64_t schema_number(const struct wbxml_node *parent, uint16_t tag, uint64_t absent);
/* The same, up to UINT32_MAX. */
uint32_t schema_u32(const struct wbxml_node *parent, uint16_t tag, uint32_t absent);

#endif
