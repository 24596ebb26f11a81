/* FETCH answers as attributes. Knows their form, none of their meanings. */
#include "attrs.h"

#include <string.h>

bool
imap_attrs_open(struct imap_lex *x)
{
	if (x->p == x->end || *x->p < '0' || *x->p > '9')
		return false;
	imap_lex_number(x);
	imap_lex_take(x, ' ');
	if (!imap_lex_word(x, "FETCH"))
		return false;
	imap_lex_want(x, '(');
	return !x->bad;
}

/* "[HEADER.FIELDS (To Cc)]": names may be quoted, brackets in quotes do not count. */
static void
section(struct imap_lex *x, struct imap_attr *a)
{
	const uint8_t *from, *close;
	bool quoted = false;

	a->has_section = imap_lex_take(x, '[');
	if (!a->has_section)
		return;
	from = x->p;
	close = memchr(from, ']', (size_t)(x->end - from));
	if (close != NULL && memchr(from, '"', (size_t)(close - from)) == NULL)
		x->p = (uint8_t *)close;
	while (x->p < x->end && (quoted || *x->p != ']')) {
		if (*x->p == '"')
			quoted = !quoted;
		x->p++;
	}
	a->section = mf_bytes(from, (size_t)(x->p - from));
	imap_lex_want(x, ']');
	a->has_origin = imap_lex_take(x, '<');
	if (a->has_origin) {
		a->origin = imap_lex_number(x);
		imap_lex_want(x, '>');
	}
}

bool
imap_attrs_next(struct imap_lex *x, struct imap_attr *a)
{
	*a = (struct imap_attr){ .has_section = false };
	while (imap_lex_take(x, ' '))
		;
	if (x->bad || imap_lex_take(x, ')'))
		return false;
	a->name = imap_lex_atom(x);
	section(x, a);
	imap_lex_want(x, ' ');
	return !x->bad;
}
