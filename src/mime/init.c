/* Start and end of GMime, libxml2 and libical. */
#include "mime/mime.h"

#include <gmime/gmime.h>
#include <libical/ical.h>
#include <libxml/parser.h>

void
mime_init(void)
{
	xmlInitParser();
	g_mime_init();
	icalerror_set_errors_are_fatal(false);
}

void
mime_deinit(void)
{
	icaltimezone_free_builtin_timezones();
	icalmemory_free_ring();
	g_mime_shutdown();
	xmlCleanupParser();
}
