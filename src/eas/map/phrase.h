/*
 * The language of search strings, as phones write it: words, "phrases", property:value, AND, OR, NOT,
 * parentheses (a part of the Keyword Query Language). Knows no command and no backend.
 */
#ifndef EAS_MAP_PHRASE_H
#define EAS_MAP_PHRASE_H

#include "mailferry/arena.h"
#include "mailferry/backend.h"

enum {
	PHRASE_TERMS_MAX = 64,	/* in one string */
	PHRASE_DEPTH_MAX = 8,	/* of parentheses */
	PHRASE_TERM_MAX = 1000, /* bytes of one word or phrase */
};

/*
 * Words that follow each other must all be there. The properties are from, to, cc, bcc, subject, body
 * and participants; a word with any other colon is a word. Nothing is malformed: a quote or a
 * parenthesis that is missing is taken as standing at the end.
 *
 * MF_INVALID: there is nothing to search for. MF_TOO_LARGE: over a limit. The result is in the arena.
 */
enum mf_status phrase_parse(struct mf_arena *a, const char *text, const struct mf_query **out);

#endif
