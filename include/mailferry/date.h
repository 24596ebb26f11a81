/*
 * The calendar: days and seconds since 1970-01-01 UTC to dates of the proleptic Gregorian calendar and back. As
 * gmtime_r and timegm, for any number of threads without a lock.
 */
#ifndef MAILFERRY_DATE_H
#define MAILFERRY_DATE_H

#include <stdint.h>

/* Days from 1970-01-01 to a date; month 1 to 12, day 1 and on (one beyond the month's end is a day of the
 * next). */
int64_t mf_date_days(int64_t year, int month, int day);

struct mf_date {
	int64_t year;
	int month, day; /* 1 and on */
	int hour, minute, second;
};

/* A moment in seconds since 1970, of any year that an int64_t of days can be in. */
struct mf_date mf_date_of(int64_t seconds);

#endif
