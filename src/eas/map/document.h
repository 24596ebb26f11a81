/* Links to documents (MS-ASDOC 2.2.2.5). No library is configured: a link is good or bad, and leads nowhere. */
#ifndef EAS_MAP_DOCUMENT_H
#define EAS_MAP_DOCUMENT_H

#include <stdbool.h>

/* The name of the store in MS-ASCMD's editions: "DocumentLibrary", "Document Library". NULL is fine. */
bool document_store_is(const char *name);
/* A UNC name or a URL. */
bool document_link_ok(const char *link);

#endif
