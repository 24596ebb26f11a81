/*
 * What HTML's elements are to a reader of text: where lines end, what is a mark, and which are ended by which.
 */
#ifndef MIME_HTML_ELEMENT_H
#define MIME_HTML_ELEMENT_H

enum html_action {
	HTML_ACTION_NONE,
	HTML_ACTION_SKIP,  /* content is not text */
	HTML_ACTION_BREAK, /* one line end, always */
	HTML_ACTION_RULE,
	HTML_ACTION_PRE,
	HTML_ACTION_QUOTE,
	HTML_ACTION_LIST,
	HTML_ACTION_ORDERED,
	HTML_ACTION_ITEM,
	HTML_ACTION_INDENT,
	HTML_ACTION_CELL,
	HTML_ACTION_LINK,
	HTML_ACTION_IMAGE,
};

/* What an element is to those around it. */
enum html_role {
	HTML_ROLE_NONE,
	HTML_ROLE_P,
	HTML_ROLE_ITEM,
	HTML_ROLE_TERM, /* of a list of definitions */
	HTML_ROLE_LIST,
	HTML_ROLE_CELL,
	HTML_ROLE_ROW,
	HTML_ROLE_TABLE,
	HTML_ROLE_LINK,
	HTML_ROLE_TITLE,
	HTML_ROLE_BODY,
	HTML_ROLE_VOID, /* has no end */
};

struct html_element {
	const char *name;
	unsigned lines; /* line ends before and after it at least */
	enum html_action action;
	enum html_role role;
};

/* By its name in lower case; NULL: one that means nothing here. */
const struct html_element *html_element_find(const char *name);

/* A set of roles has the bit 1 << role of each. The start of an element of that role ends one whose role is in
 * `ends`, and all within it, unless one of `stops` is open between them. */
struct html_implied {
	unsigned ends, stops;
};
struct html_implied html_implied_end(enum html_role role);

/* Roles that an end tag of this role does not end: it is one too many within them. */
unsigned html_walls(enum html_role role);

#endif
