/* mime: one occurrence out of an invitation to many. */
#include <criterion/criterion.h>
#include <string.h>

#include "mime/calendar.h"
#include "mime/calendar_occurrence.h"
#include "mime/structure.h"
#include "mime_help.h"

#define N(rows) (sizeof(rows) / sizeof((rows)[0]))

#define BEFORE                                                                                 \
	"Subject: Weekly\r\nContent-Type: multipart/alternative; boundary=A\r\n\r\nbefore\r\n" \
	"--A\r\nContent-Type: text/plain\r\n\r\nCome.\r\n--A\r\n"                              \
	"Content-Type: text/calendar; charset=utf-8; method=REQUEST\r\n"                       \
	"Content-Transfer-Encoding: 8bit\r\n\r\n"                                              \
	"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\n"
#define BEHIND "END:VCALENDAR\r\n--A--\r\nbehind\r\n"

#define MONDAYS                                                                          \
	"BEGIN:VEVENT\r\nUID:w\r\nDTSTART:20260302T090000Z\r\nDURATION:PT30M\r\n"        \
	"RRULE:FREQ=WEEKLY\r\nEXDATE:20260309T090000Z\r\nSUMMARY:Gr\xc3\xbc\xc3\x9f\r\n" \
	"ORGANIZER:mailto:b@x.org\r\nEND:VEVENT\r\n"
#define MOVED                                                         \
	"BEGIN:VEVENT\r\nUID:w\r\nRECURRENCE-ID:20260316T090000Z\r\n" \
	"DTSTART:20260317T100000Z\r\nDTEND:20260317T110000Z\r\nSUMMARY:Moved\r\nEND:VEVENT\r\n"
#define DAYS                                                                                    \
	"BEGIN:VEVENT\r\nUID:d\r\nDTSTART;VALUE=DATE:20260302\r\nDTEND;VALUE=DATE:20260303\r\n" \
	"RRULE:FREQ=DAILY\r\nEND:VEVENT\r\n"

/* 2026-03-16 09:00 UTC */
enum { WHEN = 1773651600 };

Test(mime_calendar_occurrence, is_singled_out)
{
	static const struct {
		const char *name, *calendar;
		int64_t when, start, end, id;
		const char *summary;
	} rows[] = {
		{ "as all others", BEFORE MONDAYS BEHIND, WHEN, WHEN, WHEN + 1800, WHEN, "Grüß" },
		{ "another than the moved one", BEFORE MONDAYS MOVED BEHIND, WHEN + 604800,
			WHEN + 604800, WHEN + 604800 + 1800, WHEN + 604800, "Grüß" },
		{ "the moved one", BEFORE MONDAYS MOVED BEHIND, WHEN, WHEN + 90000, WHEN + 93600,
			WHEN, "Moved" },
		{ "whole days, asked for from east of here", BEFORE DAYS BEHIND, WHEN - 14 * 3600,
			WHEN - 9 * 3600, WHEN + 15 * 3600, WHEN - 9 * 3600, "" },
	};

	for (size_t i = 0; i < N(rows); i++) {
		struct mf_arena *a = mf_arena_new();
		struct mf_bytes in = mf_bytes_str(rows[i].calendar), out;
		struct mf_error err = { 0 };
		struct mime_message m;
		struct mime_structure s;
		struct mime_meeting meeting;

		cr_assert_eq(mime_calendar_occurrence(a, in, rows[i].when, &out, &err), MF_OK,
			"%s: %s", rows[i].name, err.text);
		cr_assert(memmem(out.data, out.len, "Come.\r\n--A\r\n", 12) != NULL);
		cr_assert(out.len > 8 && memcmp(out.data + out.len - 8, "behind\r\n", 8) == 0);
		cr_assert_eq(mime_message_parse(a, out, &m, &err), MF_OK);
		mime_structure_read(a, m.root, &m.header, &s);
		cr_assert_not_null(s.calendar, "%s", rows[i].name);
		cr_assert_eq(mime_calendar_read(a, s.calendar, mime_message_part(&m, s.calendar),
				     &meeting, &err),
			MF_OK, "%s: %s", rows[i].name, err.text);
		cr_assert(!meeting.recurs, "%s", rows[i].name);
		cr_assert_eq(meeting.start, rows[i].start, "%s: %lld", rows[i].name,
			(long long)meeting.start);
		cr_assert_eq(meeting.end, rows[i].end, "%s", rows[i].name);
		cr_assert(meeting.has_recurrence_id && meeting.recurrence_id == rows[i].id, "%s",
			rows[i].name);
		cr_assert_str_eq(meeting.summary, rows[i].summary);
		cr_assert_str_eq(meeting.method, "REQUEST");
		mf_arena_free(a);
	}
}

Test(mime_calendar_occurrence, without_a_calendar)
{
	struct mf_arena *a = mf_arena_new();
	struct mf_bytes out;
	struct mf_error err = { 0 };

	cr_assert_eq(mime_calendar_occurrence(
			     a, mf_bytes_str("Subject: x\r\n\r\nText\r\n"), WHEN, &out, &err),
		MF_INVALID);
	mf_arena_free(a);
}
