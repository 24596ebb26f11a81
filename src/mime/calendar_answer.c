/*
 * An answer's calendar is built anew from the few properties that belong into it, so that nothing else of an
 * invitation goes back to its sender. Knows iCalendar; must not know ActiveSync or transport.
 */
#include "mime/calendar_answer.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "mime/calendar_parse.h"
#include "mime/calendar_zone.h"
#include "mime/compose_text.h"

enum { LINE = 76 };

/* What an answer repeats of the invitation. A proposal has times of its own. */
static const struct {
	icalproperty_kind kind;
	bool time;
} repeated[] = {
	{ ICAL_UID_PROPERTY, false },
	{ ICAL_SEQUENCE_PROPERTY, false },
	{ ICAL_RECURRENCEID_PROPERTY, false },
	{ ICAL_DTSTART_PROPERTY, true },
	{ ICAL_DTEND_PROPERTY, true },
	{ ICAL_DURATION_PROPERTY, true },
	{ ICAL_SUMMARY_PROPERTY, false },
	{ ICAL_LOCATION_PROPERTY, false },
	{ ICAL_ORGANIZER_PROPERTY, false },
};

struct writer {
	struct mf_arena *a;
	icalcomponent *calendar, *event; /* the invitation's */
	icalcomponent *reply, *answer;	 /* ours: the calendar and the event in it */
	const struct mime_meeting_answer *what;
};

static struct icaltimetype
utc(int64_t when)
{
	return icaltime_from_timet_with_zone((time_t)when, 0, icaltimezone_get_utc_timezone());
}

/* ---- The calendar ---- */

/* The zones that the repeated times name: without them these mean nothing. */
static void
copy_zone(struct writer *w, icalproperty *p)
{
	icalparameter *q = icalproperty_get_first_parameter(p, ICAL_TZID_PARAMETER);
	const char *tzid = q == NULL ? NULL : icalparameter_get_tzid(q);
	icalcomponent *c = icalcomponent_get_first_component(w->calendar, ICAL_VTIMEZONE_COMPONENT);

	for (; tzid != NULL && c != NULL;
		c = icalcomponent_get_next_component(w->calendar, ICAL_VTIMEZONE_COMPONENT)) {
		icalproperty *id = calendar_property(c, ICAL_TZID_PROPERTY);

		if (id == NULL || strcmp(icalproperty_get_tzid(id), tzid) != 0)
			continue;
		for (icalcomponent *had = icalcomponent_get_first_component(
			     w->reply, ICAL_VTIMEZONE_COMPONENT);
			had != NULL;
			had = icalcomponent_get_next_component(w->reply, ICAL_VTIMEZONE_COMPONENT))
			if (strcmp(icalproperty_get_tzid(
					   calendar_property(had, ICAL_TZID_PROPERTY)),
				    tzid) == 0)
				return;
		icalcomponent_add_component(w->reply, icalcomponent_new_clone(c));
		return;
	}
}

static void
repeat(struct writer *w)
{
	for (size_t i = 0; i < sizeof(repeated) / sizeof(*repeated); i++) {
		icalproperty *p = calendar_property(w->event, repeated[i].kind);

		if (p == NULL || (repeated[i].time && w->what->proposes))
			continue;
		copy_zone(w, p);
		icalcomponent_add_property(w->answer, icalproperty_new_clone(p));
	}
}

static const char *
bare(const char *uri)
{
	return uri != NULL && str_istarts(uri, "mailto:") ? uri + 7 : uri;
}

/* The invited one who answers; NULL: the invitation does not name the user. */
static icalproperty *
invited(const struct writer *w)
{
	icalproperty *p = calendar_property(w->event, ICAL_ATTENDEE_PROPERTY), *only = p;
	size_t n = 0;

	for (; p != NULL; p = icalcomponent_get_next_property(w->event, ICAL_ATTENDEE_PROPERTY)) {
		const char *address = bare(icalproperty_get_attendee(p));

		n++;
		if (address != NULL && str_ieq(address, w->what->attendee))
			return p;
	}
	return n == 1 ? only : NULL;
}

static icalparameter_partstat
partstat(enum mime_partstat p)
{
	return p == MIME_PARTSTAT_ACCEPTED    ? ICAL_PARTSTAT_ACCEPTED
	       : p == MIME_PARTSTAT_TENTATIVE ? ICAL_PARTSTAT_TENTATIVE
					      : ICAL_PARTSTAT_DECLINED;
}

static void
add_attendee(struct writer *w)
{
	icalproperty *was = invited(w), *p;
	icalparameter *name =
		was == NULL ? NULL : icalproperty_get_first_parameter(was, ICAL_CN_PARAMETER);
	const char *uri = was == NULL ? NULL : icalproperty_get_attendee(was);

	p = icalproperty_new_attendee(
		uri != NULL ? uri : mf_printf(w->a, "mailto:%s", w->what->attendee));
	icalproperty_add_parameter(p, icalparameter_new_partstat(partstat(w->what->partstat)));
	if (name != NULL)
		icalproperty_add_parameter(p, icalparameter_new_clone(name));
	icalcomponent_add_property(w->answer, p);
}

static void
add_extension(struct writer *w, const char *name, const char *value)
{
	icalproperty *p = icalproperty_new_x(value);

	icalproperty_set_x_name(p, name);
	icalcomponent_add_property(w->answer, p);
}

/* What Outlook and Exchange show as the time that was asked for first. */
static void
add_proposal(struct writer *w, const struct mime_meeting *was)
{
	icalcomponent_add_property(w->answer, icalproperty_new_dtstart(utc(w->what->start)));
	icalcomponent_add_property(w->answer, icalproperty_new_dtend(utc(w->what->end)));
	add_extension(w, "X-MS-OLK-ORIGINALSTART",
		mf_strdup(w->a, icaltime_as_ical_string(utc(was->start))));
	add_extension(
		w, "X-MS-OLK-ORIGINALEND", mf_strdup(w->a, icaltime_as_ical_string(utc(was->end))));
}

static void
add_event(struct writer *w, const struct mime_meeting *was)
{
	w->answer = icalcomponent_new(ICAL_VEVENT_COMPONENT);
	repeat(w);
	icalcomponent_add_property(w->answer, icalproperty_new_dtstamp(utc(w->what->now)));
	add_attendee(w);
	if (w->what->proposes)
		add_proposal(w, was);
	if (w->what->text.len > 0 && !w->what->html)
		icalcomponent_add_property(
			w->answer, icalproperty_new_comment(mf_strndup(w->a,
					   (const char *)w->what->text.data, w->what->text.len)));
	icalcomponent_add_component(w->reply, w->answer);
}

static struct mf_bytes
calendar_text(struct writer *w, const struct mime_meeting *was)
{
	struct mf_bytes out;
	char *text;

	w->reply = icalcomponent_new(ICAL_VCALENDAR_COMPONENT);
	icalcomponent_add_property(w->reply, icalproperty_new_prodid("-//Mailferry//EN"));
	icalcomponent_add_property(w->reply, icalproperty_new_version("2.0"));
	icalcomponent_add_property(
		w->reply, icalproperty_new_method(
				  w->what->proposes ? ICAL_METHOD_COUNTER : ICAL_METHOD_REPLY));
	add_event(w, was);
	text = icalcomponent_as_ical_string_r(w->reply);
	out = mf_memdup(w->a, text, strlen(text));
	icalmemory_free_buffer(text);
	icalcomponent_free(w->reply);
	return out;
}

/* ---- The mail ---- */

static void
add_base64(struct mf_arena *a, struct mf_bytes data, struct mf_buf *out)
{
	const char *text = str_base64(a, data.data, data.len);

	for (size_t left = strlen(text); left > 0;) {
		size_t n = left < LINE ? left : LINE;

		mf_buf_add(out, text, n);
		mf_buf_add_str(out, "\r\n");
		text += n;
		left -= n;
	}
}

/* One that the text cannot have in it, as long as nobody solves an equation for fun. */
static const char *
boundary_for(struct mf_arena *a, struct mf_bytes text)
{
	uint64_t h = 0xcbf29ce484222325U;

	for (size_t i = 0; i < text.len; i++)
		h = (h ^ text.data[i]) * 0x100000001b3U;
	return mf_printf(a, "=_%016llx", (unsigned long long)h);
}

enum mf_status
mime_calendar_answer(struct mf_arena *a, const struct mf_part *part, struct mf_bytes data,
	const struct mime_meeting_answer *answer, struct mf_buf *out, struct mf_error *err)
{
	struct writer w = { .a = a, .what = answer };
	struct mime_meeting was;
	const char *boundary;
	enum mf_status st = mime_calendar_read(a, part, data, &was, err);

	if (st == MF_OK)
		st = calendar_parse(a, part, data, &w.calendar, &w.event, err);
	if (st != MF_OK)
		return st;
	if (was.uid[0] == '\0' || was.organizer[0] == '\0')
		return mf_fail(err, MF_INVALID, "mime: an invitation without organizer or UID");
	boundary = boundary_for(a, answer->text);
	mf_buf_printf(out,
		"MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary=\"%s\"\r\n"
		"\r\n--%s\r\n",
		boundary, boundary);
	mime_add_text_entity(out, answer->text, answer->html ? MIME_HTML : MIME_PLAIN);
	mf_buf_printf(out,
		"\r\n--%s\r\nContent-Type: text/calendar; charset=utf-8; method=%s\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\n",
		boundary, answer->proposes ? "COUNTER" : "REPLY");
	add_base64(a, calendar_text(&w, &was), out);
	mf_buf_printf(out, "\r\n--%s--\r\n", boundary);
	return MF_OK;
}
