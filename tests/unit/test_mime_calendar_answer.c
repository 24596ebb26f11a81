/* mime: answers to invitations, read back as a receiver would. */
#include <criterion/criterion.h>

#include "base/str.h"
#include "mime/calendar_answer.h"
#include "mime/mime.h"
#include "mime/structure.h"

TestSuite(mime_calendar_answer, .init = mime_init, .fini = mime_deinit);

static const struct mf_part part = { .section = "1",
	.type = "text",
	.subtype = "calendar",
	.content_id = "",
	.description = "",
	.encoding = "8bit",
	.disposition = "",
	.location = "" };

#define INVITATION                                                                         \
	"BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VTIMEZONE\nTZID:Here\nBEGIN:STANDARD\n"    \
	"DTSTART:19700101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0100\nEND:STANDARD\n"    \
	"END:VTIMEZONE\nBEGIN:VTIMEZONE\nTZID:Nowhere\nBEGIN:STANDARD\n"                   \
	"DTSTART:19700101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0100\nEND:STANDARD\n"    \
	"END:VTIMEZONE\nBEGIN:VEVENT\nUID:u-1\nDTSTAMP:20261120T090000Z\n"                 \
	"DTSTART;TZID=Here:20261201T100000\nDTEND;TZID=Here:20261201T110000\nSEQUENCE:3\n" \
	"SUMMARY:Caf\xc3\xa9\\, long\nDESCRIPTION:a secret of others\n"                    \
	"ORGANIZER;CN=Anna:mailto:anna@example.org\n"                                      \
	"ATTENDEE;CN=\"Bert; B\";PARTSTAT=NEEDS-ACTION:mailto:bert@example.net\n"          \
	"ATTENDEE;CN=Carl:mailto:carl@example.net\nATTACH:http://example.org/x\n"          \
	"BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT15M\nEND:VALARM\nEND:VEVENT\nEND:VCALENDAR\n"

struct read_back {
	struct mf_arena *a;
	const char *mail, *calendar;
	struct mime_structure structure;
	struct mime_meeting meeting;
};

static enum mf_status
answer(struct read_back *b, const char *invitation, const struct mime_meeting_answer *what)
{
	struct mime_message m;
	struct mf_buf out;
	enum mf_status st;

	mf_buf_init(&out, 0);
	mf_buf_add_str(&out, "Subject: Answer\r\n");
	st = mime_calendar_answer(b->a, &part, mf_bytes_str(invitation), what, &out, NULL);
	b->mail = mf_strdup(b->a, mf_buf_str(&out));
	mf_buf_deinit(&out);
	if (st != MF_OK)
		return st;
	cr_assert_eq(mime_message_parse(b->a, mf_bytes_str(b->mail), &m, NULL), MF_OK);
	mime_structure_read(b->a, m.root, &m.header, &b->structure);
	cr_assert_not_null(b->structure.calendar, "%s", b->mail);
	struct mf_bytes data = mime_message_part(&m, b->structure.calendar);
	cr_assert_eq(
		mime_calendar_read(b->a, b->structure.calendar, data, &b->meeting, NULL), MF_OK);
	struct mf_bytes text = str_unbase64(b->a, (const char *)data.data, data.len);
	b->calendar = mf_strndup(b->a, (const char *)text.data, text.len);
	return MF_OK;
}

Test(mime_calendar_answer, replies)
{
	static const struct {
		enum mime_partstat partstat;
		const char *attendee, *is, *line;
	} rows[] = {
		{ MIME_PARTSTAT_ACCEPTED, "bert@example.net", "bert@example.net", "ACCEPTED" },
		{ MIME_PARTSTAT_TENTATIVE, "CARL@example.net", "carl@example.net", "TENTATIVE" },
		{ MIME_PARTSTAT_DECLINED, "dora@example.net", "dora@example.net", "DECLINED" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct read_back b = { .a = mf_arena_new() };
		struct mime_meeting_answer what = { .partstat = rows[i].partstat,
			.attendee = rows[i].attendee,
			.now = 1795000000,
			.text = mf_bytes_str("Gr\xc3\xbc\xc3\x9f\x65\n.\nEnd") };

		cr_assert_eq(answer(&b, INVITATION, &what), MF_OK);
		cr_assert_str_eq(b.meeting.method, "REPLY");
		cr_assert_str_eq(b.structure.calendar_method, "REPLY");
		cr_assert_str_eq(b.meeting.uid, "u-1");
		cr_assert_eq(b.meeting.sequence, 3);
		cr_assert_eq(b.meeting.partstat, rows[i].partstat, "row %zu", i);
		cr_assert_str_eq(
			b.meeting.attendee, rows[i].is, "row %zu: %s", i, b.meeting.attendee);
		cr_assert_eq(b.meeting.stamp, 1795000000);
		cr_assert_eq(b.meeting.start, 1796115600, "row %zu: %lld", i,
			(long long)b.meeting.start);
		cr_assert_str_eq(b.meeting.summary, "Caf\xc3\xa9, long");
		cr_assert_not_null(strstr(b.calendar, rows[i].line), "%s", b.calendar);
		cr_assert_not_null(strstr(b.calendar, "TZID:Here"), "%s", b.calendar);
		cr_assert_null(strstr(b.calendar, "Nowhere"), "%s", b.calendar);
		cr_assert_null(strstr(b.calendar, "secret"), "%s", b.calendar);
		cr_assert_null(strstr(b.calendar, "ATTACH"), "%s", b.calendar);
		cr_assert_null(strstr(b.calendar, "VALARM"), "%s", b.calendar);
		cr_assert_eq(b.structure.native, MIME_NATIVE_PLAIN);
		mf_arena_free(b.a);
	}
}

Test(mime_calendar_answer, another_time)
{
	struct read_back b = { .a = mf_arena_new() };
	struct mime_meeting_answer what = { .partstat = MIME_PARTSTAT_TENTATIVE,
		.attendee = "bert@example.net",
		.now = 1795000000,
		.proposes = true,
		.start = 1796200000,
		.end = 1796203600,
		.text = mf_bytes_str("<p>Later</p>"),
		.html = true };

	cr_assert_eq(answer(&b, INVITATION, &what), MF_OK);
	cr_assert_str_eq(b.meeting.method, "COUNTER");
	cr_assert(b.meeting.has_proposal);
	cr_assert_eq(b.meeting.proposed_start, 1796200000);
	cr_assert_eq(b.meeting.proposed_end, 1796203600);
	cr_assert_eq(b.meeting.start, 1796115600, "the time that was asked for first");
	cr_assert_eq(b.structure.native, MIME_NATIVE_HTML);
	mf_arena_free(b.a);
}

Test(mime_calendar_answer, what_cannot_be_answered)
{
	static const struct {
		const char *text;
		enum mf_status is;
	} rows[] = {
		{ "no calendar", MF_INVALID },
		{ "BEGIN:VCALENDAR\nEND:VCALENDAR\n", MF_INVALID },
		{ "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:u\nDTSTART:20240101T000000Z\nEND:VEVENT\n"
		  "END:VCALENDAR\n",
			MF_INVALID },
		{ "BEGIN:VCALENDAR\nBEGIN:VEVENT\nORGANIZER:mailto:a@b\nDTSTART:20240101T000000Z\n"
		  "END:VEVENT\nEND:VCALENDAR\n",
			MF_INVALID },
		{ "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:u\nORGANIZER:mailto:a@b\n"
		  "DTSTART:20240101T000000Z\nEND:VEVENT\nEND:VCALENDAR\n",
			MF_OK },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct read_back b = { .a = mf_arena_new() };
		struct mime_meeting_answer what = { .partstat = MIME_PARTSTAT_ACCEPTED,
			.attendee = "x@example.net" };

		cr_assert_eq(answer(&b, rows[i].text, &what), rows[i].is, "row %zu", i);
		mf_arena_free(b.a);
	}
}

/* Nothing of an invitation, or of the user's address, begins a line of its own. */
Test(mime_calendar_answer, injection)
{
	struct read_back b = { .a = mf_arena_new() };
	struct mime_meeting_answer what = { .partstat = MIME_PARTSTAT_ACCEPTED,
		.attendee = "x@example.net",
		.text = mf_bytes_str("one\r\nATTENDEE:mailto:evil@example.net\r\n--=_\r\n") };

	cr_assert_eq(answer(&b,
			     "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:u\\nX-EVIL:1\n"
			     "SUMMARY:a\\nX-EVIL:2\nORGANIZER;CN=\"o^nX-EVIL:3\":mailto:o@b\n"
			     "ATTENDEE;CN=\"c^nX-EVIL:4\":mailto:x@example.net\n"
			     "DTSTART:20240101T000000Z\nEND:VEVENT\nEND:VCALENDAR\n",
			     &what),
		MF_OK);
	cr_assert_null(strstr(b.calendar, "\nX-EVIL"), "%s", b.calendar);
	cr_assert_null(strstr(b.calendar, "\nATTENDEE:mailto:evil"), "%s", b.calendar);
	cr_assert_str_eq(b.meeting.attendee, "x@example.net");
	mf_arena_free(b.a);
}
