/*
 * Meeting messages: the event of a text/calendar part as plain values. Knows iCalendar and iTIP, not
 * ActiveSync's elements.
 */
#include "mime/calendar.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "mime/calendar_parse.h"
#include "mime/calendar_zone.h"
#include "mime/header.h"

enum { DAY = 86400 };

struct reader {
	struct mf_arena *a;
	icalcomponent *calendar, *event;
	struct zone zone; /* the start's */
	struct mime_meeting *out;
};

/* ---- Properties ---- */

static icalproperty *
property(const struct reader *r, icalproperty_kind kind)
{
	return calendar_property(r->event, kind);
}

/* Valid, on one line. */
static const char *
clean(struct reader *r, const char *s)
{
	return s == NULL ? "" : mime_text_decode(r->a, mf_bytes_str(s), "utf-8");
}

/* An extension of Microsoft's; NULL when the event has none. */
static const char *
extension(const struct reader *r, const char *name)
{
	icalproperty *p = property(r, ICAL_X_PROPERTY);

	for (; p != NULL; p = icalcomponent_get_next_property(r->event, ICAL_X_PROPERTY))
		if (str_ieq(icalproperty_get_x_name(p), name) && calendar_is_sound(p))
			return icalproperty_get_x(p);
	return NULL;
}

static const char *
parameter(icalproperty *p, icalparameter_kind kind)
{
	icalparameter *q = icalproperty_get_first_parameter(p, kind);
	const char *s = NULL;

	if (q != NULL && kind == ICAL_TZID_PARAMETER)
		s = icalparameter_get_tzid(q);
	else if (q != NULL && kind == ICAL_CN_PARAMETER)
		s = icalparameter_get_cn(q);
	return s;
}

static bool
plausible(struct icaltimetype t)
{
	return !icaltime_is_null_time(t) && t.year >= 1900 && t.year <= 9999 && t.month >= 1 &&
	       t.month <= 12 && t.day >= 1 && t.day <= 31;
}

/* The value of a date property in UTC. Times without a zone are the start's zone's. */
static bool
read_time(struct reader *r, icalproperty *p, int64_t *out)
{
	struct icaltimetype t;
	struct zone other;
	const char *tzid;

	if (p == NULL)
		return false;
	t = icalvalue_get_datetimedate(icalproperty_get_value(p));
	if (!plausible(t))
		return false;
	tzid = parameter(p, ICAL_TZID_PARAMETER);
	if (icaltime_is_utc(t))
		*out = zone_utc(t);
	else if (tzid != NULL && zone_find(r->calendar, tzid, t, &other))
		*out = zone_to_utc(&other, t);
	else
		*out = zone_to_utc(&r->zone, t);
	return true;
}

/* ---- Times ---- */

static const char *
first_tzid(const struct reader *r)
{
	icalcomponent *c = icalcomponent_get_first_component(r->calendar, ICAL_VTIMEZONE_COMPONENT);
	icalproperty *p = c == NULL ? NULL : calendar_property(c, ICAL_TZID_PROPERTY);

	return p == NULL ? NULL : icalproperty_get_tzid(p);
}

/* The zone of the start: its own, else (a date, a time without any) the calendar's only one. */
static bool
read_start(struct reader *r)
{
	icalproperty *p = property(r, ICAL_DTSTART_PROPERTY);
	struct icaltimetype t;
	const char *tzid;

	if (p == NULL)
		return false;
	t = icalvalue_get_datetimedate(icalproperty_get_value(p));
	if (!plausible(t))
		return false;
	tzid = parameter(p, ICAL_TZID_PARAMETER);
	zone_find(r->calendar, tzid != NULL ? tzid : first_tzid(r), t, &r->zone);
	r->zone.name = mf_strdup(r->a, r->zone.name);
	r->out->all_day = t.is_date || str_ieq(extension(r, "X-MICROSOFT-CDO-ALLDAYEVENT"), "TRUE");
	return read_time(r, p, &r->out->start);
}

static void
read_end(struct reader *r)
{
	struct mime_meeting *m = r->out;
	icalproperty *p = property(r, ICAL_DURATION_PROPERTY);

	if (!read_time(r, property(r, ICAL_DTEND_PROPERTY), &m->end)) {
		m->end = m->start + (m->all_day ? DAY : 0);
		if (p != NULL)
			m->end = m->start + icaldurationtype_as_int(icalproperty_get_duration(p));
	}
	if (m->end < m->start)
		m->end = m->start;
}

static void
read_reminder(struct reader *r)
{
	icalcomponent *alarm = icalcomponent_get_first_component(r->event, ICAL_VALARM_COMPONENT);
	icalproperty *p = alarm == NULL ? NULL : calendar_property(alarm, ICAL_TRIGGER_PROPERTY);
	struct icaltriggertype t;
	int seconds;

	r->out->reminder = -1;
	if (p == NULL)
		return;
	t = icalproperty_get_trigger(p);
	seconds = icaldurationtype_as_int(t.duration);
	if (icaltime_is_null_time(t.time) && seconds <= 0)
		r->out->reminder = -(int64_t)seconds;
}

/* ---- Recurrence ---- */

/* All days of a rule as bits; *position: of the first that has one ("-1FR"), else 0. */
static unsigned
days_of(const struct icalrecurrencetype *rule, int *position)
{
	unsigned days = 0;

	*position = 0;
	for (size_t i = 0; i < ICAL_BY_DAY_SIZE && rule->by_day[i] != ICAL_RECURRENCE_ARRAY_MAX;
		i++) {
		int day = (int)icalrecurrencetype_day_day_of_week(rule->by_day[i]);

		if (day >= 1 && day <= 7)
			days |= 1U << (day - 1);
		if (*position == 0)
			*position = icalrecurrencetype_day_position(rule->by_day[i]);
	}
	if (*position == 0 && days != 0 && rule->by_set_pos[0] != ICAL_RECURRENCE_ARRAY_MAX)
		*position = rule->by_set_pos[0];
	return days;
}

static unsigned
week_of(int position)
{
	return position < 0 || position > 4 ? 5 : (unsigned)position;
}

/* On days of the month or on weekdays of a week in it: types 2 and 3, of years 5 and 6. */
static void
read_monthly(const struct icalrecurrencetype *rule, struct icaltimetype start,
	struct mime_recurrence *out)
{
	bool yearly = rule->freq == ICAL_YEARLY_RECURRENCE;
	int position, day = rule->by_month_day[0];
	unsigned days = days_of(rule, &position);
	int month = rule->by_month[0];

	if (yearly)
		out->month_of_year =
			month >= 1 && month <= 12 ? (unsigned)month : (unsigned)start.month;
	if (day == -1) { /* the last day, whichever weekday it is */
		out->type = yearly ? 6 : 3;
		out->day_of_week = 127;
		out->week_of_month = 5;
	} else if (days != 0 && day == ICAL_RECURRENCE_ARRAY_MAX) {
		out->type = yearly ? 6 : 3;
		out->day_of_week = days;
		out->week_of_month =
			position == 0 ? week_of((start.day - 1) / 7 + 1) : week_of(position);
	} else {
		out->type = yearly ? 5 : 2;
		out->day_of_month = day >= 1 && day <= 31 ? (unsigned)day : (unsigned)start.day;
	}
}

static void
read_recurrence(struct reader *r)
{
	icalproperty *p = property(r, ICAL_RRULE_PROPERTY),
		     *begin = property(r, ICAL_DTSTART_PROPERTY);
	struct mime_recurrence *out = &r->out->recurrence;
	struct icalrecurrencetype rule;
	struct icaltimetype start;
	int position;

	if (p == NULL)
		return;
	rule = icalproperty_get_rrule(p);
	start = icalvalue_get_datetimedate(icalproperty_get_value(begin));
	if (rule.freq < ICAL_DAILY_RECURRENCE || rule.freq > ICAL_YEARLY_RECURRENCE)
		return; /* hourly: ActiveSync cannot say that */
	r->out->recurs = true;
	out->interval = rule.interval < 1 ? 1 : (unsigned)rule.interval;
	out->occurrences = rule.count < 0 ? 0 : (unsigned)rule.count;
	out->first_day_of_week = rule.week_start == ICAL_NO_WEEKDAY ? 1 : rule.week_start - 1U;
	if (plausible(rule.until)) {
		out->has_until = true;
		out->until = icaltime_is_utc(rule.until) ? zone_utc(rule.until)
							 : zone_to_utc(&r->zone, rule.until);
	}
	if (rule.freq == ICAL_MONTHLY_RECURRENCE || rule.freq == ICAL_YEARLY_RECURRENCE) {
		read_monthly(&rule, start, out);
		return;
	}
	out->day_of_week = days_of(&rule, &position);
	out->type = rule.freq == ICAL_WEEKLY_RECURRENCE || out->day_of_week != 0 ? 1 : 0;
	if (out->type == 1 && out->day_of_week == 0)
		out->day_of_week = 1U << (icaltime_day_of_week(start) - 1);
}

/* ---- People ---- */

static const char *
address_of(struct reader *r, const char *uri)
{
	if (uri == NULL)
		return "";
	if (str_istarts(uri, "mailto:"))
		uri += 7;
	return clean(r, uri);
}

static void
read_organizer(struct reader *r)
{
	icalproperty *p = property(r, ICAL_ORGANIZER_PROPERTY);
	struct mime_address one;

	r->out->organizer = "";
	if (p == NULL)
		return;
	one.name = clean(r, parameter(p, ICAL_CN_PARAMETER));
	one.addr = address_of(r, icalproperty_get_organizer(p));
	r->out->organizer = mime_addresses_full(r->a, &(struct mime_addresses){ &one, 1 }, 32768);
}

static enum mime_partstat
partstat_of(icalproperty *p)
{
	icalparameter *q = icalproperty_get_first_parameter(p, ICAL_PARTSTAT_PARAMETER);

	switch (q == NULL ? ICAL_PARTSTAT_NONE : icalparameter_get_partstat(q)) {
	case ICAL_PARTSTAT_ACCEPTED:
		return MIME_PARTSTAT_ACCEPTED;
	case ICAL_PARTSTAT_TENTATIVE:
		return MIME_PARTSTAT_TENTATIVE;
	case ICAL_PARTSTAT_DECLINED:
		return MIME_PARTSTAT_DECLINED;
	default:
		return MIME_PARTSTAT_NONE;
	}
}

static bool
wants_answer(icalproperty *p)
{
	icalparameter *q = icalproperty_get_first_parameter(p, ICAL_RSVP_PARAMETER);

	return q != NULL && icalparameter_get_rsvp(q) == ICAL_RSVP_TRUE;
}

static bool
has_delegated(icalproperty *p)
{
	icalparameter *q = icalproperty_get_first_parameter(p, ICAL_PARTSTAT_PARAMETER);

	return icalproperty_get_first_parameter(p, ICAL_DELEGATEDTO_PARAMETER) != NULL ||
	       (q != NULL && icalparameter_get_partstat(q) == ICAL_PARTSTAT_DELEGATED);
}

static void
read_attendee(struct reader *r, icalproperty *p)
{
	struct mime_meeting *m = r->out;

	m->response_requested |= wants_answer(p);
	if (m->n_delegators < MIME_DELEGATORS_MAX && has_delegated(p))
		m->delegators[m->n_delegators++] = address_of(r, icalproperty_get_attendee(p));
}

static void
read_attendees(struct reader *r)
{
	icalproperty *p = property(r, ICAL_ATTENDEE_PROPERTY);

	r->out->attendee = "";
	if (p != NULL) {
		r->out->attendee = address_of(r, icalproperty_get_attendee(p));
		r->out->partstat = partstat_of(p);
	}
	for (; p != NULL; p = icalcomponent_get_next_property(r->event, ICAL_ATTENDEE_PROPERTY))
		read_attendee(r, p);
}

/* ---- The rest ---- */

static unsigned
lookup(const char *word, const char *const *words, unsigned otherwise)
{
	for (unsigned i = 0; word != NULL && words[i] != NULL; i++)
		if (str_ieq(word, words[i]))
			return i;
	return otherwise;
}

static unsigned
busy_status(const struct reader *r)
{
	static const char *const words[] = { "FREE", "TENTATIVE", "BUSY", "OOF", "WORKINGELSEWHERE",
		NULL };
	icalproperty *p = property(r, ICAL_TRANSP_PROPERTY);
	bool transparent = p != NULL && icalproperty_get_transp(p) == ICAL_TRANSP_TRANSPARENT;
	const char *word = extension(r, "X-MICROSOFT-CDO-INTENDEDSTATUS");

	if (word == NULL)
		word = extension(r, "X-MICROSOFT-CDO-BUSYSTATUS");
	return lookup(word, words, transparent ? 0 : 2);
}

static unsigned
sensitivity(const struct reader *r)
{
	icalproperty *p = property(r, ICAL_CLASS_PROPERTY);

	switch (p == NULL ? ICAL_CLASS_PUBLIC : icalproperty_get_class(p)) {
	case ICAL_CLASS_PRIVATE:
		return 2;
	case ICAL_CLASS_CONFIDENTIAL:
		return 3;
	default:
		return 0;
	}
}

/* 040000008200E00074C5B7101A82E008: what Outlook's ids begin with. */
static const uint8_t class_id[16] = { 0x04, 0, 0, 0, 0x82, 0, 0xe0, 0, 0x74, 0xc5, 0xb7, 0x10, 0x1a,
	0x82, 0xe0, 0x08 };

/* An id of Outlook as it is, any other wrapped as "vCal-Uid" (MS-ASEMAIL 2.2.2.37). */
static const char *
global_obj_id(struct reader *r)
{
	const char *uid = r->out->uid;
	size_t len = strlen(uid), n = 40 + 12 + len + 1;
	uint8_t *blob = mf_alloc(r->a, n + 20);

	if (len >= 80 && str_unhex(uid, len, blob) && memcmp(blob, class_id, 16) == 0) {
		n = len / 2;
	} else {
		memset(blob, 0, n);
		memcpy(blob, class_id, 16);
		for (size_t i = 0; i < 4; i++)
			blob[36 + i] = (uint8_t)((n - 40) >> (8 * i));
		memcpy(blob + 40, "vCal-Uid\1\0\0\0", 12);
		memcpy(blob + 52, uid, len);
	}
	if (r->out->has_recurrence_id) {
		struct icaltimetype t =
			icalproperty_get_recurrenceid(property(r, ICAL_RECURRENCEID_PROPERTY));

		blob[16] = (uint8_t)(t.year >> 8);
		blob[17] = (uint8_t)t.year;
		blob[18] = (uint8_t)t.month;
		blob[19] = (uint8_t)t.day;
	}
	return str_base64(r->a, blob, n);
}

/* Of a counter proposal the event's times are what is proposed. */
static void
read_proposal(struct reader *r)
{
	struct mime_meeting *m = r->out;
	const char *start = extension(r, "X-MS-OLK-ORIGINALSTART"),
		   *end = extension(r, "X-MS-OLK-ORIGINALEND");
	struct icaltimetype t;

	if (strcmp(m->method, "COUNTER") != 0)
		return;
	m->has_proposal = true;
	m->proposed_start = m->start;
	m->proposed_end = m->end;
	if (start == NULL || end == NULL)
		return;
	t = icaltime_from_string(start);
	if (plausible(t))
		m->start = icaltime_is_utc(t) ? zone_utc(t) : zone_to_utc(&r->zone, t);
	t = icaltime_from_string(end);
	if (plausible(t))
		m->end = icaltime_is_utc(t) ? zone_utc(t) : zone_to_utc(&r->zone, t);
}

static const char *
method_of(struct reader *r)
{
	icalproperty *p = calendar_property(r->calendar, ICAL_METHOD_PROPERTY);
	const char *s = p == NULL ? NULL : icalproperty_get_value_as_string(p);
	char *upper = mf_strdup(r->a, clean(r, s));

	for (char *c = upper; *c != '\0'; c++)
		*c = *c >= 'a' && *c <= 'z' ? (char)(*c - 32) : *c;
	return upper;
}

static void
read_words(struct reader *r)
{
	icalproperty *uid = property(r, ICAL_UID_PROPERTY),
		     *summary = property(r, ICAL_SUMMARY_PROPERTY),
		     *location = property(r, ICAL_LOCATION_PROPERTY),
		     *sequence = property(r, ICAL_SEQUENCE_PROPERTY);
	struct mime_meeting *m = r->out;

	m->method = method_of(r);
	m->uid = clean(r, uid == NULL ? NULL : icalproperty_get_uid(uid));
	m->summary = clean(r, summary == NULL ? NULL : icalproperty_get_summary(summary));
	m->location = clean(r, location == NULL ? NULL : icalproperty_get_location(location));
	m->sequence = sequence == NULL || icalproperty_get_sequence(sequence) < 0
			      ? 0
			      : (unsigned)icalproperty_get_sequence(sequence);
}

static bool
read_event(struct reader *r)
{
	struct mime_meeting *m = r->out;

	read_words(r);
	if (!read_start(r))
		return false;
	read_end(r);
	if (!read_time(r, property(r, ICAL_DTSTAMP_PROPERTY), &m->stamp))
		m->stamp = m->start;
	m->has_recurrence_id =
		read_time(r, property(r, ICAL_RECURRENCEID_PROPERTY), &m->recurrence_id);
	read_recurrence(r);
	m->instance = m->has_recurrence_id ? MIME_INSTANCE_EXCEPTION
		      : m->recurs	   ? MIME_INSTANCE_MASTER
					   : MIME_INSTANCE_SINGLE;
	read_reminder(r);
	read_organizer(r);
	read_attendees(r);
	read_proposal(r);
	m->busy_status = busy_status(r);
	m->sensitivity = sensitivity(r);
	m->disallow_new_time_proposal =
		str_ieq(extension(r, "X-MICROSOFT-DISALLOW-COUNTER"), "TRUE");
	m->time_zone = zone_blob(r->a, &r->zone);
	m->global_obj_id = global_obj_id(r);
	return true;
}

enum mf_status
mime_calendar_read(struct mf_arena *a, const struct mf_part *part, struct mf_bytes data,
	struct mime_meeting *out, struct mf_error *err)
{
	struct reader r = { .a = a, .out = out };
	enum mf_status st;

	memset(out, 0, sizeof(*out));
	st = calendar_parse(a, part, data, &r.calendar, &r.event, err);
	if (st == MF_OK && !read_event(&r))
		return mf_fail(err, MF_INVALID, "mime: no event in the calendar");
	return st;
}
