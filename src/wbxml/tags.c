/* Names of tags and pages: arrays indexed by number, filled from tags.def. Knows no bytes. */
#include "wbxml/tags.h"

#include <stddef.h>
#include <string.h>

#include "base/str.h"

enum { TOKENS = 0x40 };

static const char *const page_names[WBXML_PAGES] = {
#define PAGE(page, ns) [page] = #ns,
#include "wbxml/tags.def"
};

static const char *const tag_names[WBXML_PAGES][TOKENS] = {
#define TAG(page, token, ns, name) [page][token] = #name,
#include "wbxml/tags.def"
};

const char *
wbxml_page_name(uint8_t page)
{
	return page < WBXML_PAGES ? page_names[page] : NULL;
}

const char *
wbxml_tag_name(uint16_t tag)
{
	unsigned page = tag >> 8, token = tag & 0xff;

	return page < WBXML_PAGES && token < TOKENS ? tag_names[page][token] : NULL;
}

int
wbxml_page_find(const char *ns)
{
	size_t len = strlen(ns);

	if (len > 0 && ns[len - 1] == ':')
		len--;
	for (int page = 0; page < WBXML_PAGES; page++) {
		const char *name = page_names[page];

		if (name != NULL && strlen(name) == len && str_ieqn(name, ns, len))
			return page;
	}
	return -1;
}

uint16_t
wbxml_tag_find(const char *ns, const char *name)
{
	int page = wbxml_page_find(ns);

	for (unsigned token = 0; page >= 0 && token < TOKENS; token++)
		if (tag_names[page][token] != NULL && strcmp(tag_names[page][token], name) == 0)
			return (uint16_t)((unsigned)page << 8 | token);
	return 0;
}
