/* The calendar part replaced in the raw message. Knows iCalendar; must not know ActiveSync. */
#include "mime/calendar_occurrence.h"

#include <stdlib.h>
#include <string.h>

#include "mime/build.h"
#include "mime/calendar.h"
#include "mime/calendar_parse.h"
#include "mime/calendar_zone.h"
#include "mime/compose_text.h"
#include "mime/structure.h"

enum { HALF_DAY = 12 * 3600 };

/* ---- The calendar ---- */

static struct icaltimetype
utc(int64_t when)
{
	return icaltime_from_timet_with_zone((time_t)when, 0, icaltimezone_get_utc_timezone());
}

/* A day's beginning is at most half a day away from UTC's. */
static struct icaltimetype
day(int64_t when)
{
	return icaltime_from_timet_with_zone((time_t)(when + HALF_DAY), 1, NULL);
}

static void
remove_all(icalcomponent *c, icalproperty_kind kind)
{
	icalproperty *p;

	while ((p = icalcomponent_get_first_property(c, kind)) != NULL) {
		icalcomponent_remove_property(c, p);
		icalproperty_free(p);
	}
}

/* The event that was made for this occurrence; NULL: it is as all others. */
static icalcomponent *
find_exception(icalcomponent *calendar, int64_t when)
{
	icalcomponent *c = icalcomponent_get_first_component(calendar, ICAL_VEVENT_COMPONENT);

	for (; c != NULL; c = icalcomponent_get_next_component(calendar, ICAL_VEVENT_COMPONENT)) {
		icalproperty *p = calendar_property(c, ICAL_RECURRENCEID_PROPERTY);
		icalparameter *zone =
			p == NULL ? NULL : icalproperty_get_first_parameter(p, ICAL_TZID_PARAMETER);
		struct icaltimetype t;
		struct zone z;

		if (p == NULL)
			continue;
		t = icalproperty_get_recurrenceid(p);
		if (icaltime_is_date(t) ? icaltime_compare(t, day(when)) == 0
			: zone != NULL && zone_find(calendar, icalparameter_get_tzid(zone), t, &z)
				? zone_to_utc(&z, t) == when
				: zone_utc(t) == when)
			return c;
	}
	return NULL;
}

/* The times of the occurrence in place of the first one's. */
static void
set_times(icalcomponent *event, const struct mime_meeting *m, int64_t when)
{
	icalproperty *start = calendar_property(event, ICAL_DTSTART_PROPERTY);
	bool whole = start != NULL && icaltime_is_date(icalproperty_get_dtstart(start));
	int64_t end = when + (m->end > m->start ? m->end - m->start : 0);

	remove_all(event, ICAL_DTSTART_PROPERTY);
	remove_all(event, ICAL_DTEND_PROPERTY);
	remove_all(event, ICAL_DURATION_PROPERTY);
	icalcomponent_add_property(event, icalproperty_new_dtstart(whole ? day(when) : utc(when)));
	icalcomponent_add_property(event, icalproperty_new_dtend(whole ? day(end) : utc(end)));
	icalcomponent_add_property(
		event, icalproperty_new_recurrenceid(whole ? day(when) : utc(when)));
}

static icalcomponent *
another_event(icalcomponent *calendar, const icalcomponent *event)
{
	icalcomponent *c = icalcomponent_get_first_component(calendar, ICAL_VEVENT_COMPONENT);

	return c != event ? c : icalcomponent_get_next_component(calendar, ICAL_VEVENT_COMPONENT);
}

static void
keep_only(icalcomponent *calendar, const icalcomponent *event)
{
	icalcomponent *c;

	while ((c = another_event(calendar, event)) != NULL) {
		icalcomponent_remove_component(calendar, c);
		icalcomponent_free(c);
	}
}

static void
single_out(
	icalcomponent *calendar, icalcomponent *event, const struct mime_meeting *m, int64_t when)
{
	static const icalproperty_kind rules[] = { ICAL_RRULE_PROPERTY, ICAL_RDATE_PROPERTY,
		ICAL_EXDATE_PROPERTY, ICAL_EXRULE_PROPERTY };
	icalcomponent *exception = find_exception(calendar, when);

	if (exception != NULL) {
		keep_only(calendar, exception);
		return;
	}
	keep_only(calendar, event);
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		remove_all(event, rules[i]);
	remove_all(event, ICAL_RECURRENCEID_PROPERTY);
	set_times(event, m, when);
}

/* ---- The message ---- */

static void
put_part(const struct mime_place *place, icalcomponent *calendar, struct mf_buf *out)
{
	static const char *const field[] = { "Content-Transfer-Encoding", NULL };
	char *text = icalcomponent_as_ical_string_r(calendar);

	mime_header_edit(out, place->header,
		&(struct mime_edit){ .remove = field,
			.add = mf_bytes_str("Content-Transfer-Encoding: base64\r\n") });
	mime_add_encoded(out, mf_bytes_str(text), true);
	free(text);
}

enum mf_status
mime_calendar_occurrence(struct mf_arena *a, struct mf_bytes message, int64_t when,
	struct mf_bytes *out, struct mf_error *err)
{
	struct mime_message m;
	struct mime_structure s;
	struct mime_meeting meeting;
	icalcomponent *calendar, *event;
	const struct mime_place *place;
	struct mf_buf b;
	enum mf_status st = mime_message_parse(a, message, &m, err);

	if (st != MF_OK)
		return st;
	mime_structure_read(a, m.root, &m.header, &s);
	place = s.calendar == NULL ? NULL : mime_message_place(&m, s.calendar);
	if (place == NULL)
		return mf_fail(err, MF_INVALID, "mime: no calendar");
	st = mime_calendar_read(a, s.calendar, place->body, &meeting, err);
	if (st == MF_OK)
		st = calendar_parse(a, s.calendar, place->body, &calendar, &event, err);
	if (st != MF_OK)
		return st;
	single_out(calendar, event, &meeting, when);
	mf_buf_init(&b, 0);
	mf_buf_add(&b, message.data, (size_t)(place->header.data - message.data));
	put_part(place, calendar, &b);
	mf_buf_add(&b, place->body.data + place->body.len,
		(size_t)(message.data + message.len - place->body.data - place->body.len));
	*out = mf_memdup(a, b.data, b.len);
	mf_buf_deinit(&b);
	return MF_OK;
}
