/* Links to documents. */
#include "eas/map/document.h"

#include <string.h>

#include "base/str.h"

bool
document_store_is(const char *name)
{
	return str_ieq(name, "DocumentLibrary") || str_ieq(name, "Document Library");
}

bool
document_link_ok(const char *link)
{
	return str_starts(link, "\\\\") || strstr(link, "://") != NULL;
}
