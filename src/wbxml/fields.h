/*
 * A few texts out of plain XML that a stranger sent: for requests that are not WBXML. Bounded in
 * bytes, depth and length, and without document types and entities of its own.
 */
#ifndef WBXML_FIELDS_H
#define WBXML_FIELDS_H

#include <stddef.h>

#include "mailferry/arena.h"
#include "mailferry/error.h"

enum { XML_FIELDS_BYTES = 64 * 1024, XML_FIELDS_DEPTH = 16, XML_FIELDS_TEXT = 1000 };

struct xml_field {
	const char *name; /* the element's, without namespace, in any letter case */
	const char
		*value; /* out: its text without blanks around it; NULL: there is no such element */
};

/* Finds the first element of each name, at any depth. MF_INVALID: not well-formed, or over a limit. */
enum mf_status xml_fields(const char *xml, size_t len, struct xml_field *fields, size_t n,
	struct mf_arena *a, struct mf_error *err);

#endif
