/* The tables of HTML's elements. Knows no text. */
#include "mime/html_element.h"

#include <stdlib.h>
#include <string.h>

/* Sorted by name. */
static const struct html_element elements[] = {
	{ "a", 0, HTML_ACTION_LINK, HTML_ROLE_LINK },
	{ "address", 1, HTML_ACTION_NONE, HTML_ROLE_NONE },
	{ "article", 1, HTML_ACTION_NONE, HTML_ROLE_NONE },
	{ "blockquote", 1, HTML_ACTION_QUOTE, HTML_ROLE_NONE },
	{ "body", 0, HTML_ACTION_NONE, HTML_ROLE_BODY },
	{ "br", 0, HTML_ACTION_BREAK, HTML_ROLE_VOID },
	{ "center", 1, HTML_ACTION_NONE, HTML_ROLE_NONE },
	{ "dd", 1, HTML_ACTION_INDENT, HTML_ROLE_TERM },
	{ "div", 1, HTML_ACTION_NONE, HTML_ROLE_NONE },
	{ "dl", 1, HTML_ACTION_NONE, HTML_ROLE_LIST },
	{ "dt", 1, HTML_ACTION_NONE, HTML_ROLE_TERM },
	{ "fieldset", 1, HTML_ACTION_NONE, HTML_ROLE_NONE },
	{ "footer", 1, HTML_ACTION_NONE, HTML_ROLE_NONE },
	{ "form", 1, HTML_ACTION_NONE, HTML_ROLE_NONE },
	{ "h1", 2, HTML_ACTION_NONE, HTML_ROLE_NONE },
	{ "h2", 2, HTML_ACTION_NONE, HTML_ROLE_NONE },
	{ "h3", 2, HTML_ACTION_NONE, HTML_ROLE_NONE },
	{ "h4", 2, HTML_ACTION_NONE, HTML_ROLE_NONE },
	{ "h5", 2, HTML_ACTION_NONE, HTML_ROLE_NONE },
	{ "h6", 2, HTML_ACTION_NONE, HTML_ROLE_NONE },
	{ "header", 1, HTML_ACTION_NONE, HTML_ROLE_NONE },
	{ "hr", 1, HTML_ACTION_RULE, HTML_ROLE_VOID },
	{ "img", 0, HTML_ACTION_IMAGE, HTML_ROLE_VOID },
	{ "li", 1, HTML_ACTION_ITEM, HTML_ROLE_ITEM },
	{ "main", 1, HTML_ACTION_NONE, HTML_ROLE_NONE },
	{ "nav", 1, HTML_ACTION_NONE, HTML_ROLE_NONE },
	{ "ol", 1, HTML_ACTION_ORDERED, HTML_ROLE_LIST },
	{ "p", 2, HTML_ACTION_NONE, HTML_ROLE_P },
	{ "pre", 2, HTML_ACTION_PRE, HTML_ROLE_NONE },
	{ "script", 0, HTML_ACTION_SKIP, HTML_ROLE_NONE },
	{ "section", 1, HTML_ACTION_NONE, HTML_ROLE_NONE },
	{ "style", 0, HTML_ACTION_SKIP, HTML_ROLE_NONE },
	{ "table", 1, HTML_ACTION_NONE, HTML_ROLE_TABLE },
	{ "td", 0, HTML_ACTION_CELL, HTML_ROLE_CELL },
	{ "template", 0, HTML_ACTION_SKIP, HTML_ROLE_NONE },
	{ "th", 0, HTML_ACTION_CELL, HTML_ROLE_CELL },
	{ "title", 0, HTML_ACTION_SKIP, HTML_ROLE_TITLE },
	{ "tr", 1, HTML_ACTION_NONE, HTML_ROLE_ROW },
	{ "ul", 1, HTML_ACTION_LIST, HTML_ROLE_LIST },
	{ "xml", 0, HTML_ACTION_SKIP, HTML_ROLE_NONE },
};

static int
compare(const void *name, const void *row)
{
	return strcmp(name, ((const struct html_element *)row)->name);
}

const struct html_element *
html_element_find(const char *name)
{
	return bsearch(name, elements, sizeof(elements) / sizeof(elements[0]), sizeof(elements[0]),
		compare);
}

#define ROLE(name) (1U << HTML_ROLE_##name)

static const struct html_implied implied_ends[] = {
	[HTML_ROLE_ITEM] = { ROLE(ITEM), ROLE(LIST) | ROLE(CELL) | ROLE(TABLE) },
	[HTML_ROLE_TERM] = { ROLE(TERM), ROLE(LIST) | ROLE(CELL) | ROLE(TABLE) },
	[HTML_ROLE_CELL] = { ROLE(CELL), ROLE(ROW) | ROLE(TABLE) },
	[HTML_ROLE_ROW] = { ROLE(ROW), ROLE(TABLE) },
	[HTML_ROLE_LINK] = { ROLE(LINK), ~ROLE(LINK) },
	[HTML_ROLE_BODY] = { ROLE(TITLE), 0 },
	[HTML_ROLE_VOID] = { 0, 0 },
};

struct html_implied
html_implied_end(enum html_role role)
{
	return implied_ends[role];
}

unsigned
html_walls(enum html_role role)
{
	if (role == HTML_ROLE_TABLE || role == HTML_ROLE_BODY)
		return 0;
	if (role == HTML_ROLE_ROW)
		return ROLE(TABLE);
	return role == HTML_ROLE_CELL ? ROLE(TABLE) | ROLE(ROW)
				      : ROLE(TABLE) | ROLE(ROW) | ROLE(CELL);
}
