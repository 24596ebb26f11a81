/* mime: meeting messages, and the yearly rules of time zones. */
#include <criterion/criterion.h>
#include <time.h>

#include "base/str.h"
#include "mime/calendar.h"
#include "mime/mime.h"
#include "mime_help.h"

TestSuite(mime_calendar, .init = mime_init, .fini = mime_deinit);

#define N(rows) (sizeof(rows) / sizeof((rows)[0]))

#define BERLIN                                                                            \
	"BEGIN:VTIMEZONE\nTZID:Berlin\nBEGIN:STANDARD\nDTSTART:19701025T030000\n"         \
	"RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\n" \
	"END:STANDARD\nBEGIN:DAYLIGHT\nDTSTART:19700329T020000\n"                         \
	"RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\n"  \
	"END:DAYLIGHT\nEND:VTIMEZONE\n"

static const struct mf_param utf8 = { "charset", "utf-8" };
static const struct mf_part part = { .section = "1",
	.type = "text",
	.subtype = "calendar",
	.params = &utf8,
	.n_params = 1,
	.content_id = "",
	.description = "",
	.encoding = "8bit",
	.disposition = "",
	.location = "" };

static enum mf_status
read_text(struct mf_arena *a, const char *text, struct mime_meeting *out)
{
	return mime_calendar_read(a, &part, mf_bytes_str(text), out, NULL);
}

/* An event with those lines. */
static enum mf_status
read_event(struct mf_arena *a, const char *method, const char *lines, struct mime_meeting *out)
{
	return read_text(a,
		mf_printf(a,
			"BEGIN:VCALENDAR\nMETHOD:%s\n" BERLIN
			"BEGIN:VEVENT\nUID:u\n%sEND:VEVENT\nEND:VCALENDAR\n",
			method, lines),
		out);
}

static const char *
when(struct mf_arena *a, int64_t t)
{
	time_t seconds = (time_t)t;
	struct tm tm;
	char s[40];

	gmtime_r(&seconds, &tm);
	strftime(s, sizeof(s), "%Y-%m-%d %H:%M", &tm);
	return mf_strdup(a, s);
}

Test(mime_calendar, an_invitation_is_understood)
{
	struct mf_arena *a = mf_arena_new();
	struct mime_meeting m;

	cr_assert_eq(read_event(a, "request",
			     "DTSTAMP:20261120T090000Z\nDTSTART;TZID=Berlin:20261201T100000\n"
			     "DTEND;TZID=Berlin:20261201T113000\nSUMMARY:Weekly\\, really\n"
			     "LOCATION:Gr\xc3\xbcner\n  Saal\nORGANIZER;CN=\"Anna, "
			     "B\":MAILTO:anna@example.org\n"
			     "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bert@example.net\n"
			     "RRULE:FREQ=WEEKLY;BYDAY=TU,TH;COUNT=10;WKST=MO\nSEQUENCE:0\n"
			     "CLASS:PRIVATE\nX-MICROSOFT-CDO-INTENDEDSTATUS:OOF\n"
			     "X-MICROSOFT-DISALLOW-COUNTER:TRUE\n"
			     "BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT15M\nEND:VALARM\n",
			     &m),
		MF_OK);
	cr_assert_str_eq(m.method, "REQUEST");
	cr_assert_str_eq(m.uid, "u");
	cr_assert_str_eq(m.summary, "Weekly, really");
	cr_assert_str_eq(m.location, "Grüner Saal");
	cr_assert_str_eq(m.organizer, "\"Anna, B\" <anna@example.org>");
	cr_assert_str_eq(when(a, m.start), "2026-12-01 09:00");
	cr_assert_str_eq(when(a, m.end), "2026-12-01 10:30");
	cr_assert_str_eq(when(a, m.stamp), "2026-11-20 09:00");
	cr_assert(!m.all_day && !m.has_recurrence_id && m.response_requested);
	cr_assert(m.disallow_new_time_proposal);
	cr_assert_eq(m.instance, MIME_INSTANCE_MASTER);
	cr_assert_eq(m.reminder, 900);
	cr_assert_eq(m.sensitivity, 2);
	cr_assert_eq(m.busy_status, 3);
	cr_assert_eq(m.sequence, 0);
	cr_assert(m.recurs);
	cr_assert_eq(m.recurrence.type, 1);
	cr_assert_eq(m.recurrence.day_of_week, 4 + 16);
	cr_assert_eq(m.recurrence.occurrences, 10);
	cr_assert_eq(m.recurrence.first_day_of_week, 1);
	mf_arena_free(a);
}

Test(mime_calendar, the_message_files_are_understood)
{
	static const struct {
		const char *file;
		enum mime_partstat partstat;
		const char *method;
	} rows[] = {
		{ "calendar-request", MIME_PARTSTAT_NONE, "REQUEST" },
		{ "calendar-cancel", MIME_PARTSTAT_NONE, "CANCEL" },
		{ "calendar-accept", MIME_PARTSTAT_ACCEPTED, "REPLY" },
		{ "calendar-decline", MIME_PARTSTAT_DECLINED, "REPLY" },
		{ "calendar-tentative", MIME_PARTSTAT_TENTATIVE, "REPLY" },
		{ "calendar-alone", MIME_PARTSTAT_NONE, "X-OTHER" },
	};
	struct mf_arena *a = mf_arena_new();

	for (size_t i = 0; i < N(rows); i++) {
		const char *path = mf_printf(a, TEST_DATA "/messages/%s.eml", rows[i].file);
		FILE *f = fopen(path, "rb");
		static char data[65536];
		struct mime_structure s;
		struct mime_message msg;
		struct mime_meeting m;
		size_t n;

		cr_assert_not_null(f, "%s", path);
		n = fread(data, 1, sizeof(data), f);
		fclose(f);
		cr_assert_eq(mime_message_parse(a, mf_memdup(a, data, n), &msg, NULL), MF_OK);
		mime_structure_read(a, msg.root, &msg.header, &s);
		cr_assert_eq(mime_calendar_read(
				     a, s.calendar, mime_message_part(&msg, s.calendar), &m, NULL),
			MF_OK, "%s", rows[i].file);
		cr_assert_str_eq(when(a, m.start), "2026-12-01 09:00");
		cr_assert_str_eq(m.method, rows[i].method);
		cr_assert_eq(m.partstat, rows[i].partstat, "%s", rows[i].file);
		cr_assert_str_eq(m.attendee, "bert@example.net");
	}
	mf_arena_free(a);
}

Test(mime_calendar, times_become_utc)
{
	static const struct {
		const char *lines, *start, *end;
		bool all_day;
	} rows[] = {
		{ "DTSTART:20260701T100000Z\nDTEND:20260701T110000Z\n", "2026-07-01 10:00",
			"2026-07-01 11:00", false },
		{ "DTSTART;TZID=Berlin:20260701T100000\nDURATION:PT2H\n", "2026-07-01 08:00",
			"2026-07-01 10:00", false },
		{ "DTSTART;TZID=Berlin:20260329T013000\n", "2026-03-29 00:30", "2026-03-29 00:30",
			false },
		{ "DTSTART;TZID=Berlin:20260329T033000\n", "2026-03-29 01:30", "2026-03-29 01:30",
			false },
		{ "DTSTART;TZID=Berlin:20261025T033000\n", "2026-10-25 02:30", "2026-10-25 02:30",
			false },
		{ "DTSTART;VALUE=DATE:20261201\n", "2026-11-30 23:00", "2026-12-01 23:00", true },
		{ "DTSTART;VALUE=DATE:20261201\nDTEND;VALUE=DATE:20261203\n", "2026-11-30 23:00",
			"2026-12-02 23:00", true },
		{ "DTSTART:20261201T100000\n", "2026-12-01 09:00", "2026-12-01 09:00", false },
		{ "DTSTART;TZID=America/New_York:20260701T100000\n", "2026-07-01 14:00",
			"2026-07-01 14:00", false },
		{ "DTSTART;TZID=America/New_York:20261201T100000\n", "2026-12-01 15:00",
			"2026-12-01 15:00", false },
		{ "DTSTART;TZID=Australia/Sydney:20261201T100000\n", "2026-11-30 23:00",
			"2026-11-30 23:00", false },
		{ "DTSTART;TZID=Asia/Kolkata:20261201T100000\n", "2026-12-01 04:30",
			"2026-12-01 04:30", false },
		{ "DTSTART;TZID=Nowhere/Land:20261201T100000\n", "2026-12-01 10:00",
			"2026-12-01 10:00", false },
		{ "DTSTART:20261201T100000Z\nDTEND:20261101T100000Z\n", "2026-12-01 10:00",
			"2026-12-01 10:00", false },
	};
	struct mf_arena *a = mf_arena_new();

	for (size_t i = 0; i < N(rows); i++) {
		struct mime_meeting m;

		cr_assert_eq(read_event(a, "REQUEST", rows[i].lines, &m), MF_OK);
		cr_assert_str_eq(
			when(a, m.start), rows[i].start, "%s: %s", rows[i].lines, when(a, m.start));
		cr_assert_str_eq(
			when(a, m.end), rows[i].end, "%s: %s", rows[i].lines, when(a, m.end));
		cr_assert_eq(m.all_day, rows[i].all_day, "%s", rows[i].lines);
	}
	mf_arena_free(a);
}

Test(mime_calendar, recurrences_are_told_in_their_words)
{
	static const struct {
		const char *rule;
		bool recurs;
		struct mime_recurrence want;
	} rows[] = {
		{ "FREQ=DAILY", true, { .type = 0, .interval = 1 } },
		{ "FREQ=DAILY;INTERVAL=3;COUNT=5", true,
			{ .type = 0, .interval = 3, .occurrences = 5 } },
		{ "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", true,
			{ .type = 1, .interval = 1, .day_of_week = 62 } },
		{ "FREQ=WEEKLY;INTERVAL=2", true, { .type = 1, .interval = 2, .day_of_week = 4 } },
		{ "FREQ=MONTHLY", true, { .type = 2, .interval = 1, .day_of_month = 1 } },
		{ "FREQ=MONTHLY;BYMONTHDAY=15", true,
			{ .type = 2, .interval = 1, .day_of_month = 15 } },
		{ "FREQ=MONTHLY;BYMONTHDAY=-1", true,
			{ .type = 3, .interval = 1, .day_of_week = 127, .week_of_month = 5 } },
		{ "FREQ=MONTHLY;BYDAY=2TU", true,
			{ .type = 3, .interval = 1, .day_of_week = 4, .week_of_month = 2 } },
		{ "FREQ=MONTHLY;BYDAY=-1FR", true,
			{ .type = 3, .interval = 1, .day_of_week = 32, .week_of_month = 5 } },
		{ "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1", true,
			{ .type = 3, .interval = 1, .day_of_week = 62, .week_of_month = 1 } },
		{ "FREQ=YEARLY", true,
			{ .type = 5, .interval = 1, .day_of_month = 1, .month_of_year = 12 } },
		{ "FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=8", true,
			{ .type = 5, .interval = 1, .day_of_month = 8, .month_of_year = 3 } },
		{ "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH", true,
			{ .type = 6,
				.interval = 1,
				.day_of_week = 16,
				.week_of_month = 4,
				.month_of_year = 11 } },
		{ "FREQ=HOURLY", false, { .type = 0 } },
		{ "FREQ=SECONDLY;COUNT=1000000000", false, { .type = 0 } },
		{ "nonsense", false, { .type = 0 } },
	};
	struct mf_arena *a = mf_arena_new();

	for (size_t i = 0; i < N(rows); i++) {
		const struct mime_recurrence *w = &rows[i].want, *g;
		struct mime_meeting m;

		cr_assert_eq(read_event(a, "REQUEST",
				     mf_printf(a, "DTSTART;TZID=Berlin:20261201T100000\nRRULE:%s\n",
					     rows[i].rule),
				     &m),
			MF_OK);
		g = &m.recurrence;
		cr_assert_eq(m.recurs, rows[i].recurs, "%s", rows[i].rule);
		if (!m.recurs)
			continue;
		cr_assert(g->type == w->type && g->interval == w->interval &&
				  g->occurrences == w->occurrences,
			"%s: %u every %u, %u times", rows[i].rule, g->type, g->interval,
			g->occurrences);
		cr_assert(g->day_of_month == w->day_of_month && g->day_of_week == w->day_of_week &&
				  g->week_of_month == w->week_of_month &&
				  g->month_of_year == w->month_of_year,
			"%s: day %u, days %u, week %u, month %u", rows[i].rule, g->day_of_month,
			g->day_of_week, g->week_of_month, g->month_of_year);
	}
	mf_arena_free(a);
}

Test(mime_calendar, until_and_exceptions)
{
	struct mf_arena *a = mf_arena_new();
	struct mime_meeting m;

	cr_assert_eq(read_event(a, "REQUEST",
			     "DTSTART;TZID=Berlin:20261201T100000\nSEQUENCE:2\n"
			     "RRULE:FREQ=DAILY;UNTIL=20261231T090000Z\n",
			     &m),
		MF_OK);
	cr_assert(m.recurrence.has_until);
	cr_assert_str_eq(when(a, m.recurrence.until), "2026-12-31 09:00");
	cr_assert_eq(m.sequence, 2);
	cr_assert_eq(read_event(a, "CANCEL",
			     "DTSTART;TZID=Berlin:20261201T120000\n"
			     "RECURRENCE-ID;TZID=Berlin:20261201T100000\n",
			     &m),
		MF_OK);
	cr_assert(m.has_recurrence_id);
	cr_assert_str_eq(when(a, m.recurrence_id), "2026-12-01 09:00");
	cr_assert_eq(m.instance, MIME_INSTANCE_EXCEPTION);
	cr_assert_eq(read_event(a, "COUNTER",
			     "DTSTART:20261202T100000Z\nDTEND:20261202T110000Z\n"
			     "X-MS-OLK-ORIGINALSTART:20261201T100000Z\n"
			     "X-MS-OLK-ORIGINALEND:20261201T110000Z\n",
			     &m),
		MF_OK);
	cr_assert(m.has_proposal);
	cr_assert_str_eq(when(a, m.start), "2026-12-01 10:00");
	cr_assert_str_eq(when(a, m.proposed_start), "2026-12-02 10:00");
	mf_arena_free(a);
}

static int32_t
number(const uint8_t *p)
{
	return (int32_t)((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
			 (uint32_t)p[3] << 24);
}

Test(mime_calendar, zones_become_blobs)
{
	static const struct {
		const char *tzid;
		int bias, daylight_bias;
		uint8_t standard[5], daylight[5]; /* month, weekday, week, hour, minute */
	} rows[] = {
		{ "Berlin", -60, -60, { 10, 0, 5, 3, 0 }, { 3, 0, 5, 2, 0 } },
		{ "America/New_York", 300, -60, { 11, 0, 1, 2, 0 }, { 3, 0, 2, 2, 0 } },
		{ "Australia/Sydney", -600, -60, { 4, 0, 1, 3, 0 }, { 10, 0, 1, 2, 0 } },
		{ "Asia/Kolkata", -330, 0, { 0 }, { 0 } },
		{ "Asia/Tokyo", -540, 0, { 0 }, { 0 } },
	};
	struct mf_arena *a = mf_arena_new();

	for (size_t i = 0; i < N(rows); i++) {
		struct mime_meeting m;
		struct mf_bytes b;

		cr_assert_eq(
			read_event(a, "REQUEST",
				mf_printf(a, "DTSTART;TZID=%s:20261201T100000\n", rows[i].tzid),
				&m),
			MF_OK);
		b = str_unbase64(a, m.time_zone, strlen(m.time_zone));
		cr_assert_eq(b.len, 172);
		cr_assert_eq(number(b.data), rows[i].bias, "%s: %d", rows[i].tzid, number(b.data));
		cr_assert_eq(number(b.data + 168), rows[i].daylight_bias, "%s: %d", rows[i].tzid,
			number(b.data + 168));
		for (size_t j = 0; j < 5; j++) {
			cr_assert_eq(b.data[70 + 2 * j], rows[i].standard[j],
				"%s: standard %zu is %d", rows[i].tzid, j, b.data[70 + 2 * j]);
			cr_assert_eq(b.data[154 + 2 * j], rows[i].daylight[j],
				"%s: daylight %zu is %d", rows[i].tzid, j, b.data[154 + 2 * j]);
		}
		cr_assert_eq(b.data[4], rows[i].tzid[0]);
	}
	mf_arena_free(a);
}

Test(mime_calendar, ids_are_wrapped)
{
	static const char outlook[] = "040000008200E00074C5B7101A82E00800000000A0B1C2D3E4F5C601"
				      "0000000000000000100000000102030405060708090A0B0C0D0E0F10";
	struct mf_arena *a = mf_arena_new();
	struct mime_meeting m;
	struct mf_bytes b;

	cr_assert_eq(read_event(a, "REQUEST", "DTSTART:20261201T100000Z\n", &m), MF_OK);
	b = str_unbase64(a, m.global_obj_id, strlen(m.global_obj_id));
	cr_assert_eq(b.len, 40 + 12 + 1 + 1);
	cr_assert_eq(number(b.data + 36), 14);
	cr_assert_eq(memcmp(b.data + 40, "vCal-Uid\1\0\0\0u", 14), 0);
	cr_assert_eq(
		read_text(a,
			mf_printf(a,
				"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:%s\nDTSTART:20261201T100000Z\n"
				"RECURRENCE-ID:20261208T100000Z\nEND:VEVENT\nEND:VCALENDAR\n",
				outlook),
			&m),
		MF_OK);
	b = str_unbase64(a, m.global_obj_id, strlen(m.global_obj_id));
	cr_assert_eq(b.len, 56);
	cr_assert_eq(b.data[16], 0x07);
	cr_assert_eq(b.data[17], 0xea);
	cr_assert_eq(b.data[18], 12);
	cr_assert_eq(b.data[19], 8);
	cr_assert_eq(b.data[20], 0xa0);
	mf_arena_free(a);
}

static const char *
nested(struct mf_arena *a)
{
	struct mf_buf b;
	const char *s;

	mf_buf_init(&b, 0);
	for (int i = 0; i < 50000; i++)
		mf_buf_add_str(&b, "BEG\r\n IN:VEVENT\r\n");
	s = (const char *)mf_memdup(a, b.data, b.len).data;
	mf_buf_deinit(&b);
	return s;
}

Test(mime_calendar, what_is_wrong_is_refused_or_survived)
{
	struct mf_arena *a = mf_arena_new();
	struct mime_meeting m;

	cr_assert_eq(read_text(a, "", &m), MF_INVALID);
	cr_assert_eq(read_text(a, "no calendar", &m), MF_INVALID);
	cr_assert_eq(read_text(a, "BEGIN:VCALENDAR\nEND:VCALENDAR\n", &m), MF_INVALID);
	cr_assert_eq(read_event(a, "REQUEST", "SUMMARY:no start\n", &m), MF_INVALID);
	cr_assert_eq(read_event(a, "REQUEST", "DTSTART:garbage\n", &m), MF_INVALID);
	cr_assert_eq(read_text(a, nested(a), &m), MF_TOO_LARGE);
	/* Values that are not what the property's name says. */
	cr_assert_eq(
		read_event(a, "REQUEST",
			"DTSTART:20261201T100000Z\nRRULE;VALUE=TEXT:x\nDTSTAMP;VALUE=TEXT:x\n"
			"DURATION;VALUE=URI:x\nX-MICROSOFT-CDO-BUSYSTATUS;VALUE=INTEGER:1\n"
			"RECURRENCE-ID;VALUE=RECUR:FREQ=DAILY\nSUMMARY;VALUE=INTEGER:7\n"
			"SEQUENCE;VALUE=TEXT:x\nUID;VALUE=BOOLEAN:TRUE\nCLASS;VALUE=DATE:20260101\n"
			"ORGANIZER;VALUE=PERIOD:20260101T000000Z/PT1H\nTRANSP;VALUE=FLOAT:1.5\n"
			"ATTENDEE;VALUE=UTC-OFFSET:+0100\nLOCATION;VALUE=GEO:1.0;2.0\n"
			"BEGIN:VALARM\nTRIGGER;VALUE=TEXT:x\nEND:VALARM\n",
			&m),
		MF_OK);
	mf_arena_free(a);
}
