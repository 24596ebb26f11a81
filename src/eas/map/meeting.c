/* A meeting to elements. Knows MS-ASEMAIL's order of them; calendars are read by mime. */
#include "eas/map/meeting.h"

#include <string.h>

#include "base/str.h"
#include "eas/map/datetime.h"
#include "eas/map/email.h"
#include "mime/calendar.h"

enum { REMINDER_MAX = 65535 /* seconds, of 18 hours: the schema's unsignedShort */ };

bool
meeting_expected(const struct mime_structure *s, enum eas_version version)
{
	if (s->calendar == NULL)
		return false;
	/* A proposal of another time is told since there are elements for it. */
	return str_ieq(s->message_class, "IPM.Schedule.Meeting.Request") ||
	       str_ieq(s->message_class, "IPM.Schedule.Meeting.Canceled") ||
	       (version >= EAS_16_1 && strcmp(s->calendar_method, "COUNTER") == 0);
}

static void
write_date(struct wbxml_writer *w, struct mf_arena *a, uint16_t tag, int64_t when)
{
	wbxml_element(w, tag, email_date(a, when));
}

static void
write_text(struct wbxml_writer *w, uint16_t tag, const char *text)
{
	if (text[0] != '\0')
		wbxml_element(w, tag, text);
}

/* Numbers of a recurrence that belong to its type are there when they are not 0. */
static void
write_recurrence(struct wbxml_writer *w, struct mf_arena *a, enum eas_version version,
	const struct mime_recurrence *r)
{
	const struct {
		uint16_t tag;
		unsigned value;
	} rows[] = { { Email_Occurrences, r->has_until ? 0 : r->occurrences },
		{ Email_WeekOfMonth, r->week_of_month }, { Email_DayOfMonth, r->day_of_month },
		{ Email_DayOfWeek, r->day_of_week }, { Email_MonthOfYear, r->month_of_year } };

	wbxml_open(w, Email_Recurrences);
	wbxml_open(w, Email_Recurrence);
	wbxml_number(w, Email_Type, r->type);
	wbxml_number(w, Email_Interval, r->interval);
	if (r->has_until)
		wbxml_element(w, Email_Until, datetime_compact_print(a, r->until));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].value != 0)
			wbxml_number(w, rows[i].tag, rows[i].value);
	if (version >= EAS_14_0) {
		if (r->type >= 2)
			wbxml_number(w, Email2_CalendarType, 0);
		wbxml_number(w, Email2_IsLeapMonth, 0);
	}
	if (version >= EAS_14_1 && r->type == 1)
		wbxml_number(w, Email2_FirstDayOfWeek, r->first_day_of_week);
	wbxml_close(w);
	wbxml_close(w);
}

static void
write_place(struct wbxml_writer *w, enum eas_version version, const char *place)
{
	if (place[0] == '\0')
		return;
	if (version < EAS_16_0) {
		wbxml_element(w, Email_Location, place);
		return;
	}
	wbxml_open(w, AirSyncBase_Location);
	wbxml_element(w, AirSyncBase_DisplayName, place);
	wbxml_close(w);
}

/* What names the meeting, and what changed places with it in 16.0. */
static void
write_identity(struct wbxml_writer *w, struct email_view *v, const struct mime_meeting *m)
{
	enum eas_version version = v->version;
	struct mf_arena *a = v->scratch;
	if (version < EAS_16_0)
		wbxml_element(w, Email_GlobalObjId, m->global_obj_id);
	if (version >= EAS_14_0)
		wbxml_number(w, Email_DisallowNewTimeProposal, m->disallow_new_time_proposal);
	if (version >= EAS_14_1)
		wbxml_number(
			w, Email2_MeetingMessageType, meeting_type(&v->meetings, m, v->address));
	if (version >= EAS_16_0)
		wbxml_element(w, Calendar_UID, m->uid);
	if (version < EAS_16_1 || !m->has_proposal)
		return;
	wbxml_element(
		w, MeetingResponse_ProposedStartTime, datetime_compact_print(a, m->proposed_start));
	wbxml_element(
		w, MeetingResponse_ProposedEndTime, datetime_compact_print(a, m->proposed_end));
}

static void
write_meeting(struct wbxml_writer *w, struct email_view *v, const struct mime_meeting *m)
{
	enum eas_version version = v->version;
	struct mf_arena *a = v->scratch;

	wbxml_number(w, Email_AllDayEvent, m->all_day);
	write_date(w, a, Email_StartTime, m->start);
	write_date(w, a, Email_DtStamp, m->stamp);
	write_date(w, a, Email_EndTime, m->end);
	wbxml_number(w, Email_InstanceType, (int64_t)m->instance);
	write_place(w, version, m->location);
	write_text(w, Email_Organizer, m->organizer);
	if (m->has_recurrence_id)
		write_date(w, a, Email_RecurrenceId, m->recurrence_id);
	if (m->reminder >= 0)
		wbxml_number(
			w, Email_Reminder, m->reminder < REMINDER_MAX ? m->reminder : REMINDER_MAX);
	wbxml_number(w, Email_ResponseRequested, m->response_requested);
	if (m->recurs)
		write_recurrence(w, a, version, &m->recurrence);
	wbxml_number(w, Email_Sensitivity, m->sensitivity);
	wbxml_number(
		w, Email_BusyStatus, version < EAS_16_0 && m->busy_status > 3 ? 2 : m->busy_status);
	wbxml_element(w, Email_TimeZone, m->time_zone);
	write_identity(w, v, m);
}

bool
meeting_write(struct wbxml_writer *w, struct email_view *v, const struct mf_part *part,
	struct mf_bytes data)
{
	struct mime_meeting m;
	struct mf_error err;

	if (mime_calendar_read(v->scratch, part, data, &m, &err) != MF_OK)
		return false;
	wbxml_open(w, Email_MeetingRequest);
	write_meeting(w, v, &m);
	wbxml_close(w);
	return true;
}
