/*
 * VTIMEZONE to two rules a year. libical would expand a zone's recurrences over decades, as often as a
 * hostile calendar says; we only read what the rules say.
 */
#include "mime/calendar_zone.h"

#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "mailferry/date.h"

enum { DAY = 86400, OBSERVANCES_MAX = 500, OFFSET_MAX = 15 * 3600 };

int64_t
zone_utc(struct icaltimetype t)
{
	int64_t days = mf_date_days(t.year, t.month < 1 ? 1 : t.month, t.day);

	return days * DAY + (t.is_date ? 0 : t.hour * 3600 + t.minute * 60 + t.second);
}

/* 0 Sunday; 1970-01-01 was a Thursday. */
static int
weekday_of(int64_t days)
{
	return (int)(((days + 4) % 7 + 7) % 7);
}

bool
calendar_is_sound(icalproperty *p)
{
	icalvalue *v = icalproperty_get_value(p);
	icalvalue_kind have = v == NULL ? ICAL_NO_VALUE : icalvalue_isa(v);
	icalvalue_kind want = icalproperty_kind_to_value_kind(icalproperty_isa(p));

	if (want == ICAL_DATETIME_VALUE || want == ICAL_DATETIMEDATE_VALUE ||
		want == ICAL_DATE_VALUE)
		return have == ICAL_DATETIME_VALUE || have == ICAL_DATE_VALUE ||
		       have == ICAL_DATETIMEDATE_VALUE;
	if (want == ICAL_TRIGGER_VALUE)
		return have == ICAL_TRIGGER_VALUE || have == ICAL_DURATION_VALUE;
	if (want == ICAL_X_VALUE)
		return have == ICAL_X_VALUE || have == ICAL_TEXT_VALUE;
	return have == want && have != ICAL_NO_VALUE;
}

icalproperty *
calendar_property(icalcomponent *c, icalproperty_kind kind)
{
	icalproperty *p = icalcomponent_get_first_property(c, kind);

	while (p != NULL && !calendar_is_sound(p))
		p = icalcomponent_get_next_property(c, kind);
	return p;
}

/* ---- Reading ---- */

static struct icaltimetype
observance_start(icalcomponent *c)
{
	icalproperty *p = calendar_property(c, ICAL_DTSTART_PROPERTY);
	struct icaltimetype t = icaltime_null_time();

	if (p != NULL)
		t = icalvalue_get_datetimedate(icalproperty_get_value(p));
	if (t.year < 1 || t.year > 9999 || t.month < 1 || t.month > 12 || t.day < 1 || t.day > 31) {
		t = icaltime_null_time();
		t.year = 1;
		t.month = t.day = 1;
	}
	return t;
}

static int
observance_offset(icalcomponent *c)
{
	icalproperty *p = calendar_property(c, ICAL_TZOFFSETTO_PROPERTY);
	int offset = p == NULL ? 0 : icalproperty_get_tzoffsetto(p);

	return offset > OFFSET_MAX || offset < -OFFSET_MAX ? 0 : offset;
}

/* It begins after that time, or its rule has ended before. */
static bool
holds_at(icalcomponent *c, struct icaltimetype at)
{
	icalproperty *p = calendar_property(c, ICAL_RRULE_PROPERTY);
	struct icalrecurrencetype r;

	if (zone_utc(observance_start(c)) > zone_utc(at))
		return false;
	if (p == NULL)
		return true;
	r = icalproperty_get_rrule(p);
	return icaltime_is_null_time(r.until) || zone_utc(r.until) >= zone_utc(at);
}

/* It recurs, or begins or is listed for that year. */
static bool
changes_in(icalcomponent *c, int year)
{
	icalproperty *p = icalcomponent_get_first_property(c, ICAL_RDATE_PROPERTY);
	unsigned n = 0;

	if (calendar_property(c, ICAL_RRULE_PROPERTY) != NULL || observance_start(c).year == year)
		return true;
	for (; p != NULL && n < OBSERVANCES_MAX; n++) {
		icalvalue *v = icalproperty_get_value(p);

		if (v != NULL && icalvalue_isa(v) == ICAL_DATETIME_VALUE &&
			icalvalue_get_datetimedate(v).year == year)
			return true;
		p = icalcomponent_get_next_property(c, ICAL_RDATE_PROPERTY);
	}
	return false;
}

/* By its rule, else by the date of its beginning. */
static struct zone_change
read_change(icalcomponent *c)
{
	struct icaltimetype start = observance_start(c);
	icalproperty *p = calendar_property(c, ICAL_RRULE_PROPERTY);
	struct zone_change change = { .month = start.month,
		.weekday = weekday_of(mf_date_days(start.year, start.month, start.day)),
		.week = start.day > 24 ? 5 : (start.day - 1) / 7 + 1,
		.hour = start.hour,
		.minute = start.minute,
		.second = start.second };
	struct icalrecurrencetype r;

	if (p == NULL)
		return change;
	r = icalproperty_get_rrule(p);
	if (r.by_month[0] >= 1 && r.by_month[0] <= 12)
		change.month = r.by_month[0];
	if (r.by_day[0] != ICAL_RECURRENCE_ARRAY_MAX) {
		int position = icalrecurrencetype_day_position(r.by_day[0]);
		int day = r.by_month_day[0];

		change.weekday = (int)icalrecurrencetype_day_day_of_week(r.by_day[0]) - 1;
		if (position != 0)
			change.week = position < 0 || position > 5 ? 5 : position;
		else if (day != ICAL_RECURRENCE_ARRAY_MAX) /* "SU on or after the 8th" */
			change.week = day < 1 || day > 24 ? 5 : (day - 1) / 7 + 1;
	}
	return change;
}

void
zone_read(icalcomponent *vtimezone, struct icaltimetype at, struct zone *out)
{
	icalcomponent *best[2] = { NULL, NULL }, *any = NULL, *c;
	unsigned n = 0;

	memset(out, 0, sizeof(*out));
	for (c = icalcomponent_get_first_component(vtimezone, ICAL_ANY_COMPONENT);
		c != NULL && n < OBSERVANCES_MAX;
		c = icalcomponent_get_next_component(vtimezone, ICAL_ANY_COMPONENT), n++) {
		int kind = icalcomponent_isa(c) == ICAL_XDAYLIGHT_COMPONENT;

		if (!kind && icalcomponent_isa(c) != ICAL_XSTANDARD_COMPONENT)
			continue;
		if (!kind || any == NULL)
			any = c;
		if (holds_at(c, at) &&
			(best[kind] == NULL || zone_utc(observance_start(c)) >=
						       zone_utc(observance_start(best[kind]))))
			best[kind] = c;
	}
	if (best[0] == NULL)
		best[0] = any;
	if (best[0] == NULL)
		return;
	out->standard = out->daylight = observance_offset(best[0]);
	if (best[1] == NULL || best[1] == best[0] || !changes_in(best[1], at.year))
		return;
	out->daylight = observance_offset(best[1]);
	out->to_standard = read_change(best[0]);
	out->to_daylight = read_change(best[1]);
}

static const char *
tzid_of(icalcomponent *vtimezone)
{
	icalproperty *p = calendar_property(vtimezone, ICAL_TZID_PROPERTY);
	const char *s = p == NULL ? NULL : icalproperty_get_tzid(p);

	return s == NULL ? "" : s;
}

bool
zone_find(icalcomponent *calendar, const char *tzid, struct icaltimetype at, struct zone *out)
{
	icalcomponent *c;
	icaltimezone *builtin;

	memset(out, 0, sizeof(*out));
	out->name = "UTC";
	if (tzid == NULL)
		return false;
	for (c = icalcomponent_get_first_component(calendar, ICAL_VTIMEZONE_COMPONENT); c != NULL;
		c = icalcomponent_get_next_component(calendar, ICAL_VTIMEZONE_COMPONENT)) {
		if (strcmp(tzid_of(c), tzid) != 0)
			continue;
		zone_read(c, at, out);
		out->name = tzid;
		return true;
	}
	builtin = strlen(tzid) < 100 ? icaltimezone_get_builtin_timezone(tzid) : NULL;
	c = builtin == NULL ? NULL : icaltimezone_get_component(builtin);
	if (c == NULL)
		return false;
	zone_read(c, at, out);
	out->name = tzid;
	return true;
}

/* ---- Using ---- */

/* Local seconds at which a change happens in a year. */
static int64_t
change_at(const struct zone_change *c, int year)
{
	int64_t first = mf_date_days(year, c->month, 1);
	int64_t next = mf_date_days(c->month == 12 ? year + 1 : year, c->month % 12 + 1, 1);
	int64_t day = first + (c->weekday - weekday_of(first) + 7) % 7 + 7 * (c->week - 1);

	while (day >= next)
		day -= 7;
	return day * DAY + c->hour * 3600 + c->minute * 60 + c->second;
}

int64_t
zone_to_utc(const struct zone *z, struct icaltimetype local)
{
	int64_t t = zone_utc(local), on, off;
	bool summer;

	if (z->to_daylight.month == 0 || z->to_standard.month == 0)
		return t - z->standard;
	on = change_at(&z->to_daylight, local.year);
	off = change_at(&z->to_standard, local.year);
	summer = on < off ? t >= on && t < off : t >= on || t < off;
	return t - (summer ? z->daylight : z->standard);
}

static void
put(uint8_t *p, uint32_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

/* Up to 31 characters as UTF-16; what is beyond the basic plane is left out. */
static void
put_name(uint8_t *p, const char *s)
{
	size_t n = 0, len = strlen(s);

	for (size_t i = 0; i < len && n < 31;) {
		unsigned char c = (unsigned char)s[i];
		size_t size = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
		uint32_t code = size == 1 ? c : c & (0x7fU >> size);

		for (size_t j = 1; j < size && i + j < len; j++)
			code = code << 6 | ((unsigned char)s[i + j] & 0x3fU);
		if (size < 4)
			put(p + 2 * n++, code, 2);
		i += size;
	}
}

/* SYSTEMTIME, relative: no year, the week in the place of the day. */
static void
put_change(uint8_t *p, const struct zone_change *c)
{
	if (c->month == 0)
		return;
	put(p + 2, (uint32_t)c->month, 2);
	put(p + 4, (uint32_t)c->weekday, 2);
	put(p + 6, (uint32_t)c->week, 2);
	put(p + 8, (uint32_t)c->hour, 2);
	put(p + 10, (uint32_t)c->minute, 2);
	put(p + 12, (uint32_t)c->second, 2);
}

const char *
zone_blob(struct mf_arena *a, const struct zone *z)
{
	const char *name = utf8_clean(a, z->name, strlen(z->name));
	uint8_t blob[172] = { 0 };

	put(blob, (uint32_t)(-z->standard / 60), 4);
	put_name(blob + 4, name);
	put_change(blob + 68, &z->to_standard);
	put_name(blob + 88, name);
	put_change(blob + 152, &z->to_daylight);
	put(blob + 168, (uint32_t)((z->standard - z->daylight) / 60), 4);
	return str_base64(a, blob, sizeof(blob));
}
