/* Times to seconds, strictly: what is spelt otherwise is an error of the client. */
#include "eas/map/datetime.h"

#include <string.h>
#include <time.h>

/* d is a digit, everything else itself. */
static bool
has_shape(const char *s, const char *shape)
{
	if (s == NULL || strlen(s) != strlen(shape))
		return false;
	for (; *s != '\0'; s++, shape++)
		if (*shape == 'd' ? *s < '0' || *s > '9' : *s != *shape)
			return false;
	return true;
}

static int
number(const char *s, int digits)
{
	int n = 0;
	while (digits-- > 0)
		n = n * 10 + (*s++ - '0');
	return n;
}

/* sep: characters between the numbers of a date, and of a time. */
static bool
parse(const char *s, int sep, int64_t *out)
{
	const char *time = s + 9 + 2 * sep;
	struct tm tm = { .tm_year = number(s, 4) - 1900,
		.tm_mon = number(s + 4 + sep, 2) - 1,
		.tm_mday = number(s + 6 + 2 * sep, 2),
		.tm_hour = number(time, 2),
		.tm_min = number(time + 2 + sep, 2),
		.tm_sec = number(time + 4 + 2 * sep, 2) };
	struct tm same = tm;
	*out = (int64_t)timegm(&same);
	/* What timegm had to mend (the 31st of June) is no time. */
	return same.tm_mon == tm.tm_mon && same.tm_mday == tm.tm_mday &&
	       same.tm_hour == tm.tm_hour && same.tm_min == tm.tm_min && same.tm_sec == tm.tm_sec;
}

bool
datetime_parse(const char *s, int64_t *out)
{
	return has_shape(s, "dddd-dd-ddTdd:dd:dd.dddZ") && parse(s, 1, out);
}

bool
datetime_compact_parse(const char *s, int64_t *out)
{
	return has_shape(s, "ddddddddTddddddZ") && parse(s, 0, out);
}

const char *
datetime_compact_print(struct mf_arena *a, int64_t when)
{
	time_t t = (time_t)when;
	struct tm tm;
	char text[40] = "";
	if (gmtime_r(&t, &tm) != NULL)
		strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", &tm);
	return mf_strdup(a, text);
}
