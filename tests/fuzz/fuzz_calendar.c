/* text/calendar from anybody. */
#include "../unit/mime_help.h"
#include "mime/calendar.h"
#include "mime/mime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct mf_part part = { .section = "1",
		.type = "text",
		.subtype = "calendar",
		.content_id = "",
		.description = "",
		.encoding = "",
		.disposition = "",
		.location = "" };
	struct mf_arena *a = mf_arena_new();
	struct mime_meeting m;

	mime_init();
	if (mime_calendar_read(a, &part, mf_bytes(data, size), &m, NULL) == MF_OK) {
		mime_require_line(m.method);
		mime_require_line(m.uid);
		mime_require_line(m.summary);
		mime_require_line(m.location);
		mime_require_line(m.organizer);
		mime_require_line(m.attendee);
		mime_require(strlen(m.time_zone) == 232, "172 bytes");
		mime_require(m.end >= m.start || m.has_proposal, "an end");
	}
	mf_arena_free(a);
	return 0;
}
