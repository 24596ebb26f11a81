/* A calendar's text to components: decoded, unfolded, bounded before libical sees it. */
#include "mime/calendar_parse.h"

#include <string.h>

#include "base/str.h"
#include "mime/calendar_zone.h"
#include "mime/charset.h"
#include "mime/decode.h"
#include "mime/header.h"

enum {
	CALENDAR_MAX = 1 << 20,
	COMPONENTS_MAX = 2000,
	NESTING_MAX = 8, /* calendar, event, alarm is 3 */
};

/* Without folds, in place: "BEG" and "IN:" in two lines are one as well. */
static void
unfold(char *s)
{
	char *to = s;

	while (*s != '\0') {
		size_t end = s[0] == '\r' && s[1] == '\n' ? 2 : s[0] == '\n';

		if (end > 0 && (s[end] == ' ' || s[end] == '\t'))
			s += end + 1;
		else
			*to++ = *s++;
	}
	*to = '\0';
}

/* libical follows nesting with recursion: count the lines that open and close before it sees them. */
static bool
within_limits(const char *s)
{
	unsigned depth = 0, components = 0;

	for (; s != NULL && *s != '\0'; s = strchr(s, '\n')) {
		s += strspn(s, "\r\n");
		if (str_istarts(s, "BEGIN:") &&
			(++depth > NESTING_MAX || ++components > COMPONENTS_MAX))
			return false;
		if (str_istarts(s, "END:") && depth > 0)
			depth--;
	}
	return true;
}

/* The main event: the first without a RECURRENCE-ID, else the first. */
static icalcomponent *
find_event(icalcomponent *calendar)
{
	icalcomponent *first = icalcomponent_get_first_component(calendar, ICAL_VEVENT_COMPONENT);
	icalcomponent *c = first;

	while (c != NULL && calendar_property(c, ICAL_RECURRENCEID_PROPERTY) != NULL)
		c = icalcomponent_get_next_component(calendar, ICAL_VEVENT_COMPONENT);
	return c == NULL ? first : c;
}

static void
free_component(void *c)
{
	icalcomponent_free(c);
}

static icalcomponent *
parse(struct mf_arena *a, const struct mf_part *part, struct mf_bytes data, bool *too_large)
{
	const char *label = mime_param(a, part->params, part->n_params, "charset", NULL);
	icalcomponent *c;
	char *text;
	struct mf_buf b;

	mf_buf_init(&b, CALENDAR_MAX);
	mime_decode(mime_encoding_parse(part->encoding), data, &b);
	text = mime_charset_dup(a, label, "utf-8", b.data, b.len);
	unfold(text);
	*too_large = b.failed || !within_limits(text);
	mf_buf_deinit(&b);
	if (*too_large)
		return NULL;
	c = icalparser_parse_string(text);
	mf_on_free(a, free_component, c);
	if (c != NULL && icalcomponent_isa(c) == ICAL_XROOT_COMPONENT)
		c = icalcomponent_get_first_component(c, ICAL_VCALENDAR_COMPONENT);
	return c;
}

enum mf_status
calendar_parse(struct mf_arena *a, const struct mf_part *part, struct mf_bytes data,
	icalcomponent **calendar, icalcomponent **event, struct mf_error *err)
{
	bool too_large;

	*calendar = parse(a, part, data, &too_large);
	*event = NULL;
	if (too_large)
		return mf_fail(err, MF_TOO_LARGE, "mime: a calendar beyond reason");
	*event = *calendar == NULL ? NULL : find_event(*calendar);
	return *event != NULL ? MF_OK : mf_fail(err, MF_INVALID, "mime: no event in the calendar");
}
