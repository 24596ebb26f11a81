/* text/calendar from anybody. */
#include "../unit/mime_help.h"
#include "mime/calendar.h"
#include "mime/calendar_answer.h"
#include "mime/mime.h"
#include "mime/structure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What can be read can be answered, if it says by whom; and the answer can be read. */
static void
answer(struct mf_arena *a, const struct mf_part *part, struct mf_bytes data, bool proposes)
{
	static const struct mime_meeting_answer what = { .partstat = MIME_PARTSTAT_ACCEPTED,
		.attendee = "x@example.org",
		.start = 1,
		.end = 2 };
	struct mime_meeting_answer one = what;
	struct mime_message m;
	struct mime_structure s;
	struct mime_meeting again;
	struct mf_buf out;

	one.proposes = proposes;
	mf_buf_init(&out, 0);
	if (mime_calendar_answer(a, part, data, &one, &out, NULL) == MF_OK) {
		mime_require(
			mime_message_parse(a, mf_buf_bytes(&out), &m, NULL) == MF_OK, "a mail");
		mime_structure_read(a, m.root, &m.header, &s);
		mime_require(s.calendar != NULL, "a calendar in it");
		mime_require(mime_calendar_read(a, s.calendar, mime_message_part(&m, s.calendar),
				     &again, NULL) == MF_OK,
			"that can be read");
	}
	mf_buf_deinit(&out);
}

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
		answer(a, &part, mf_bytes(data, size), false);
		answer(a, &part, mf_bytes(data, size), true);
	}
	mf_arena_free(a);
	return 0;
}
