/* Dates by arithmetic: years begin in March, so that the leap day is the last. Knows no spelling. */
#include "mailferry/date.h"

enum {
	DAY = 86400,
	ERA_YEARS = 400,
	ERA_DAYS = 146097,
	EPOCH = 719468 /* 1970-01-01 from 0000-03-01 */
};

int64_t
mf_date_days(int64_t y, int m, int d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = (y >= 0 ? y : y - (ERA_YEARS - 1)) / ERA_YEARS;
	yoe = y - era * ERA_YEARS;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * ERA_DAYS + yoe * 365 + yoe / 4 - yoe / 100 + doy - EPOCH;
}

struct mf_date
mf_date_of(int64_t seconds)
{
	int64_t days = (seconds >= 0 ? seconds : seconds - (DAY - 1)) / DAY;
	int rest = (int)(seconds - days * DAY);
	int64_t z = days + EPOCH, era = (z >= 0 ? z : z - (ERA_DAYS - 1)) / ERA_DAYS;
	int64_t doe = z - era * ERA_DAYS;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int doy = (int)(doe - (365 * yoe + yoe / 4 - yoe / 100)), mp = (5 * doy + 2) / 153;
	int month = mp < 10 ? mp + 3 : mp - 9;

	return (struct mf_date){ .year = yoe + era * ERA_YEARS + (month <= 2),
		.month = month,
		.day = doy - (153 * mp + 2) / 5 + 1,
		.hour = rest / 3600,
		.minute = rest / 60 % 60,
		.second = rest % 60 };
}
