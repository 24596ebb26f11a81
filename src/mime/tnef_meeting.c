/* Properties to a meeting, and a meeting to a calendar. */
#include "mime/tnef_meeting.h"

#include <string.h>
#include <strings.h>
#include <time.h>

enum property {
	PR_SUBJECT = 0x0037,
	PR_RESPONSE_REQUESTED = 0x0063,
	PR_CLIENT_SUBMIT_TIME = 0x0039,
	PR_SENT_REPRESENTING_NAME = 0x0042,
	PR_SENT_REPRESENTING_EMAIL = 0x0065,
	PR_SENT_REPRESENTING_SMTP = 0x5d02,
	SEQUENCE = TNEF_APPOINTMENT | 0x8201,
	BUSY_STATUS = TNEF_APPOINTMENT | 0x8205,
	LOCATION = TNEF_APPOINTMENT | 0x8208,
	START = TNEF_APPOINTMENT | 0x820d,
	END = TNEF_APPOINTMENT | 0x820e,
	ALL_DAY = TNEF_APPOINTMENT | 0x8215,
	RECURRING = TNEF_APPOINTMENT | 0x8223,
	GLOBAL_ID = TNEF_MEETING | 0x0003,
	CLEAN_GLOBAL_ID = TNEF_MEETING | 0x0023,
};

/* Between 1601 and 1970, and what a second has of the units of both ends. */
#define TICKS	   10000000
#define SINCE_1601 INT64_C(11644473600)

enum { UID_MAX = 500 };

void
tnef_meeting_init(struct mime_tnef_meeting *m)
{
	*m = (struct mime_tnef_meeting){ .busy = 2,
		.uid = "",
		.summary = "",
		.location = "",
		.organizer_name = "",
		.organizer = "" };
}

void
tnef_meeting_class(struct mime_tnef_meeting *m, const char *message_class)
{
	static const struct {
		const char *name, *method;
	} rows[] = {
		{ "IPM.Microsoft Schedule.MtgReq", "REQUEST" },
		{ "IPM.Microsoft Schedule.MtgCncl", "CANCEL" },
		{ "IPM.Schedule.Meeting.Request", "REQUEST" },
		{ "IPM.Schedule.Meeting.Canceled", "CANCEL" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcasecmp(message_class, rows[i].name) == 0)
			m->method = rows[i].method;
}

/* ---- Properties ---- */

static uint64_t
number(struct mf_bytes value)
{
	uint64_t n = 0;

	for (size_t i = value.len < 8 ? value.len : 8; i > 0; i--)
		n = n << 8 | value.data[i - 1];
	return n;
}

/* 100 ns since 1601; 0 what no calendar can have. */
static int64_t
filetime(struct mf_bytes value)
{
	int64_t seconds = (int64_t)(number(value) / TICKS) - SINCE_1601;

	return value.len == 8 && seconds > 0 && seconds < INT64_C(253402300800) ? seconds : 0;
}

/* A global id of Outlook's is written in hexadecimal; one that came from elsewhere holds the UID as it was
 * (MS-OXCICAL 2.1.3.1.1.20.26). */
static const char *
uid_of(struct mf_arena *a, struct mf_bytes value)
{
	static const char marker[] = "vCal-Uid\1\0\0";
	const size_t before = 40, behind = before + sizeof(marker);
	struct mf_buf b;

	if (value.len > behind && value.len < UID_MAX &&
		memcmp(value.data + before, marker, sizeof(marker)) == 0)
		return mf_strndup(a, (const char *)value.data + behind, value.len - behind);
	mf_buf_init(&b, 0);
	for (size_t i = 0; i < value.len && i < UID_MAX; i++)
		mf_buf_printf(&b, "%02X", value.data[i]);
	const char *uid = mf_strdup(a, mf_buf_str(&b));
	mf_buf_deinit(&b);
	return uid;
}

static void
on_text(struct mime_tnef_meeting *m, unsigned id, const char *text)
{
	switch (id) {
	case PR_SUBJECT:
		m->summary = text;
		break;
	case LOCATION:
		m->location = text;
		break;
	case PR_SENT_REPRESENTING_NAME:
		m->organizer_name = text;
		break;
	case PR_SENT_REPRESENTING_EMAIL:
		m->organizer =
			*m->organizer == '\0' && strchr(text, '@') != NULL ? text : m->organizer;
		break;
	case PR_SENT_REPRESENTING_SMTP:
		m->organizer = strchr(text, '@') != NULL ? text : m->organizer;
		break;
	default:
		break;
	}
}

void
tnef_meeting_property(struct mf_arena *a, struct mime_tnef_meeting *m, unsigned id,
	struct mf_bytes value, const char *text)
{
	if (text != NULL) {
		on_text(m, id, text);
		return;
	}
	switch (id) {
	case START:
		m->start = filetime(value);
		m->has_start = m->start != 0;
		break;
	case END:
		m->end = filetime(value);
		break;
	case PR_CLIENT_SUBMIT_TIME:
		m->stamp = filetime(value);
		break;
	case ALL_DAY:
		m->all_day = number(value) != 0;
		break;
	case PR_RESPONSE_REQUESTED:
		m->response_requested = number(value) != 0;
		break;
	case RECURRING:
		m->recurs = number(value) != 0;
		break;
	case SEQUENCE:
		m->sequence = (unsigned)(number(value) & 0xffff);
		break;
	case BUSY_STATUS:
		m->busy = (unsigned)(number(value) & 7);
		break;
	case GLOBAL_ID:
		if (*m->uid == '\0')
			m->uid = uid_of(a, value);
		break;
	case CLEAN_GLOBAL_ID:
		m->uid = uid_of(a, value);
		break;
	default:
		break;
	}
}

bool
tnef_meeting_good(const struct mime_tnef_meeting *m)
{
	return m->method != NULL && m->has_start && !m->recurs && *m->uid != '\0';
}

/* ---- The calendar ---- */

/* RFC 5545 3.3.11, without what would end the line. */
static void
put_text(struct mf_buf *out, const char *name, const char *text)
{
	if (*text == '\0')
		return;
	mf_buf_printf(out, "%s:", name);
	for (; *text != '\0'; text++) {
		if (*text == '\n')
			mf_buf_add_str(out, "\\n");
		else if (strchr("\\;,", *text) != NULL)
			mf_buf_printf(out, "\\%c", *text);
		else if ((unsigned char)*text >= ' ')
			mf_buf_add_byte(out, (uint8_t)*text);
	}
	mf_buf_add_str(out, "\r\n");
}

static void
put_time(struct mf_buf *out, const char *name, int64_t when)
{
	char text[32];
	time_t t = (time_t)when;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", &tm);
	mf_buf_printf(out, "%s:%s\r\n", name, text);
}

static void
put_person(struct mf_buf *out, const char *role, const char *name, const char *address)
{
	if (*address == '\0' || strpbrk(address, " \t\r\n\"<>") != NULL)
		return;
	mf_buf_add_str(out, role);
	if (*name != '\0')
		mf_buf_add_str(out, ";CN=\"");
	for (const char *p = name; *p != '\0'; p++)
		if ((unsigned char)*p >= ' ' && *p != '"') /* no quoting helps (RFC 5545 3.1) */
			mf_buf_add_byte(out, (uint8_t)*p);
	if (*name != '\0')
		mf_buf_add_byte(out, '"');
	mf_buf_printf(out, ":mailto:%s\r\n", address);
}

static void
put_people(const struct mime_tnef_meeting *m, const struct mime_addresses *from,
	const struct mime_addresses *to, struct mf_buf *out)
{
	const char *role = m->response_requested ? "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE"
						 : "ATTENDEE;PARTSTAT=NEEDS-ACTION";

	if (*m->organizer != '\0' || from->n == 0)
		put_person(out, "ORGANIZER", m->organizer_name, m->organizer);
	else
		put_person(out, "ORGANIZER",
			*m->organizer_name != '\0' ? m->organizer_name : from->list[0].name,
			from->list[0].addr);
	for (size_t i = 0; i < to->n; i++)
		put_person(out, role, to->list[i].name, to->list[i].addr);
}

void
mime_tnef_calendar(const struct mime_tnef_meeting *m, const struct mime_addresses *from,
	const struct mime_addresses *to, struct mf_buf *out)
{
	static const char *const busy[] = { "FREE", "TENTATIVE", "BUSY", "OOF",
		"WORKINGELSEWHERE" };

	mf_buf_printf(
		out, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:%s\r\nBEGIN:VEVENT\r\n", m->method);
	put_text(out, "UID", m->uid);
	put_time(out, "DTSTAMP", m->stamp != 0 ? m->stamp : m->start);
	put_time(out, "DTSTART", m->start);
	put_time(out, "DTEND", m->end >= m->start ? m->end : m->start);
	put_text(out, "SUMMARY", m->summary);
	put_text(out, "LOCATION", m->location);
	put_people(m, from, to, out);
	mf_buf_printf(out, "SEQUENCE:%u\r\nX-MICROSOFT-CDO-ALLDAYEVENT:%s\r\n", m->sequence,
		m->all_day ? "TRUE" : "FALSE");
	if (m->busy < sizeof(busy) / sizeof(busy[0]))
		mf_buf_printf(out, "X-MICROSOFT-CDO-BUSYSTATUS:%s\r\n", busy[m->busy]);
	mf_buf_add_str(out, "END:VEVENT\r\nEND:VCALENDAR\r\n");
}
