/* Start and end of GMime and libxml2. */
#include "mime/mime.h"

#include <gmime/gmime.h>
#include <libxml/parser.h>

void
mime_init(void)
{
	xmlInitParser();
	g_mime_init();
}

void
mime_deinit(void)
{
	g_mime_shutdown();
	xmlCleanupParser();
}
