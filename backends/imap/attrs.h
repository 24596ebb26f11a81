/* The attributes in a FETCH answer, one after the other. */
#ifndef IMAP_ATTRS_H
#define IMAP_ATTRS_H

#include "reader.h"

struct imap_attr {
	struct mf_bytes name;	 /* "UID", "BODY" */
	bool has_section;	 /* BODY[...] */
	struct mf_bytes section; /* what is in the brackets */
	bool has_origin;	 /* BODY[...]<0> */
	uint64_t origin;
};

/* x behind "* ": a FETCH answer? Then x stands at its first attribute. */
bool imap_attrs_open(struct imap_lex *x);

/* The next attribute's name; x stands at its value, which the caller takes or skips. False at the end
 * and when x is bad. */
bool imap_attrs_next(struct imap_lex *x, struct imap_attr *a);

#endif
