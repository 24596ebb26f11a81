/*
 * The tags of ActiveSync as numbers and names, from the one table tags.def. Pure look-ups into
 * constant data: safe from any thread.
 */
#ifndef WBXML_TAGS_H
#define WBXML_TAGS_H

#include <stdint.h>

/* AirSync_Sync = 0x0005, AirSyncBase_Body = 0x110a, ...: code page << 8 | token. */
enum wbxml_tag {
#define TAG(page, token, ns, name) ns##_##name = (page) << 8 | (token),
#include "wbxml/tags.def"
};

/* The code pages: WBXML_PAGE_AirSync = 0, ... */
enum wbxml_page {
#define PAGE(page, ns) WBXML_PAGE_##ns = (page),
#include "wbxml/tags.def"
};

/* Page numbers are below this; page 3 is unused. */
enum { WBXML_PAGES = WBXML_PAGE_Find + 1 };

/* The element's name ("Sync"), NULL for a tag that the table lacks. */
const char *wbxml_tag_name(uint16_t tag);

/* The page's namespace as in MS-ASWBXML ("AirSync"), NULL for a page that the table lacks. */
const char *wbxml_page_name(uint8_t page);

/* The tag with that namespace and name; 0 (which is no tag) when there is none. Names match exactly;
 * namespaces without regard to case and with or without a colon at the end ("AirSync:"), as both are
 * met in the wild. */
uint16_t wbxml_tag_find(const char *ns, const char *name);

/* The page with that namespace (as above), -1 when there is none. */
int wbxml_page_find(const char *ns);

#endif
