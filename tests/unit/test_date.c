/* base/date: the calendar, against the C library's; numbers as text. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "mailferry/date.h"

static void
agrees(int64_t seconds)
{
	time_t t = (time_t)seconds;
	struct mf_date d = mf_date_of(seconds);
	struct tm tm;

	cr_assert_not_null(gmtime_r(&t, &tm));
	cr_assert(d.year == tm.tm_year + 1900 && d.month == tm.tm_mon + 1 && d.day == tm.tm_mday &&
			  d.hour == tm.tm_hour && d.minute == tm.tm_min && d.second == tm.tm_sec,
		"%" PRId64 ": %" PRId64 "-%d-%d %d:%d:%d", seconds, d.year, d.month, d.day, d.hour,
		d.minute, d.second);
	cr_assert_eq(mf_date_days(d.year, d.month, d.day) * 86400 + d.hour * 3600 + d.minute * 60 +
			     d.second,
		seconds);
}

Test(date, agrees_with_the_c_library)
{
	static const int64_t edges[] = { 0, -1, 1, 86399, 86400, -86400, -86401, 951782400,
		951868799, 951868800, 4107542400, -62135596800, -62167219201, 253402300799,
		253402300800 };

	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
		agrees(edges[i]);
	/* Every 7 hours and some of a thousand years. */
	for (int64_t t = -20000000000; t < 20000000000; t += 25200 * 211 + 1)
		agrees(t);
}

Test(date, takes_a_day_beyond_the_month)
{
	cr_assert_eq(mf_date_days(2023, 2, 29), mf_date_days(2023, 3, 1));
	cr_assert_eq(mf_date_days(2024, 2, 29) + 1, mf_date_days(2024, 3, 1));
}

Test(str, writes_decimal_numbers)
{
	static const uint64_t cases[] = { 0, 1, 9, 10, 99, 100, 4294967295, 4294967296,
		UINT64_MAX };
	char text[STR_DECIMAL_SIZE], right[32];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(right, sizeof(right), "%" PRIu64, cases[i]);
		cr_assert_eq(str_decimal(cases[i], text), strlen(right));
		cr_assert_str_eq(text, right);
	}
}
