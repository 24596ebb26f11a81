/*
 * Dates of mail: RFC 5322's, the obsolete forms, and what software writes instead. One pass over
 * tokens, each of which says by its looks what it is. Knows no field.
 */
#include <ctype.h>
#include <string.h>

#include "mailferry/date.h"
#include "mime/header.h"

enum { DATE_MAX = 200, UNSET = -1 };

struct date {
	int year, month, day; /* month 1..12; UNSET */
	int hour, minute, second;
	int zone;	/* minutes east of UTC */
	bool year_long; /* with four digits */
};

/* The field without comments, NUL-terminated, at most DATE_MAX - 1 bytes. */
static void
copy_plain(struct mf_bytes raw, char *out)
{
	size_t n = 0;
	int depth = 0;

	for (size_t i = 0; i < raw.len && n < DATE_MAX - 1; i++) {
		uint8_t c = raw.data[i];

		if (c == '(')
			depth++;
		else if (c == ')' && depth > 0)
			depth--;
		else if (depth == 0)
			out[n++] = c < ' ' || c > '~' ? ' ' : (char)c;
	}
	out[n] = '\0';
}

/* Up to max digits at *s. */
static int
number(const char **s, int max, int *digits)
{
	int n = 0;

	for (*digits = 0; *digits < max && isdigit((unsigned char)**s); (*s)++, (*digits)++)
		n = n * 10 + (**s - '0');
	return n;
}

/* Three letters as a number, whatever their case. */
#define LETTERS(a, b, c) ((unsigned)(a) << 16 | (unsigned)(b) << 8 | (unsigned)(c))

static int
month_of(const char *s)
{
	static const unsigned names[] = { LETTERS('j', 'a', 'n'), LETTERS('f', 'e', 'b'),
		LETTERS('m', 'a', 'r'), LETTERS('a', 'p', 'r'), LETTERS('m', 'a', 'y'),
		LETTERS('j', 'u', 'n'), LETTERS('j', 'u', 'l'), LETTERS('a', 'u', 'g'),
		LETTERS('s', 'e', 'p'), LETTERS('o', 'c', 't'), LETTERS('n', 'o', 'v'),
		LETTERS('d', 'e', 'c') };
	unsigned word = LETTERS(s[0] | 32, s[1] | 32, s[2] | 32);

	for (int i = 0; i < 12; i++)
		if (word == names[i])
			return i + 1;
	/* A few that mail in other languages has. */
	return word == LETTERS('m', 'a', 'i')	? 5
	       : word == LETTERS('o', 'k', 't') ? 10
	       : word == LETTERS('d', 'e', 'z') ? 12
						: 0;
}

static void
read_word(const char **s, struct date *d)
{
	static const struct {
		char name[5];
		int minutes;
	} zones[] = { { "EST", -300 }, { "EDT", -240 }, { "CST", -360 }, { "CDT", -300 },
		{ "MST", -420 }, { "MDT", -360 }, { "PST", -480 }, { "PDT", -420 }, { "CET", 60 },
		{ "CEST", 120 }, { "MET", 60 }, { "MEST", 120 }, { "BST", 60 }, { "EET", 120 },
		{ "EEST", 180 }, { "MSK", 180 }, { "JST", 540 }, { "HST", -600 }, { "AKST", -540 },
		{ "AKDT", -480 } };
	const char *word = *s;
	int month;
	size_t len;

	while (isalpha((unsigned char)**s))
		(*s)++;
	len = (size_t)(*s - word);
	if (len >= 3 && d->month == UNSET && (month = month_of(word)) > 0) {
		d->month = month;
		return;
	}
	if (len == 2 && d->hour != UNSET && (word[1] | 32) == 'm') {
		if ((word[0] | 32) == 'p' && d->hour < 12)
			d->hour += 12;
		else if ((word[0] | 32) == 'a' && d->hour == 12)
			d->hour = 0;
	}
	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++)
		if (zones[i].name[0] == (word[0] & ~32) && strlen(zones[i].name) == len &&
			strncasecmp(word, zones[i].name, len) == 0)
			d->zone = zones[i].minutes;
}

/* +0100, -05:30, +1 behind the time. */
static void
read_zone(const char **s, struct date *d)
{
	int sign = **s == '-' ? -1 : 1, digits, n, minutes = 0;

	(*s)++;
	n = number(s, 4, &digits);
	if (digits == 0)
		return;
	if (digits > 2) {
		minutes = n % 100;
		n /= 100;
	} else if (**s == ':') {
		(*s)++;
		minutes = number(s, 2, &digits);
	}
	if (n < 24 && minutes < 60)
		d->zone = sign * (n * 60 + minutes);
}

/* hh:mm[:ss[.fraction]]; the hour is read already. */
static void
read_time(const char **s, int hour, struct date *d)
{
	int digits;

	d->hour = hour;
	(*s)++;
	d->minute = number(s, 2, &digits);
	if (**s == ':' || **s == '.') {
		(*s)++;
		d->second = number(s, 2, &digits);
	}
	if (**s == '.' || **s == ',') {
		(*s)++;
		number(s, 9, &digits);
	}
}

/* 10/31/2026, 31.10.2026, 2026-10-31: the first number is read already. */
static void
read_numeric(const char **s, int first, int digits_first, struct date *d)
{
	char mark = **s;
	int digits, second, third;

	(*s)++;
	second = number(s, 4, &digits);
	if (**s == mark)
		(*s)++;
	third = number(s, 4, &digits);
	if (digits_first == 4) {
		d->year = first;
		d->month = second;
		d->day = third;
		d->year_long = true;
		return;
	}
	d->year = third;
	d->year_long = digits == 4;
	d->month = mark == '/' ? first : second;
	d->day = mark == '/' ? second : first;
	if (d->month > 12) {
		int t = d->month;

		d->month = d->day;
		d->day = t;
	}
}

static bool
numeric_ahead(const char *s)
{
	const char *p = s + 1;
	size_t n = strspn(p, "0123456789");

	return strchr("/-.", *s) != NULL && n > 0 && n < 3 && p[n] == *s &&
	       isdigit((unsigned char)p[n + 1]);
}

static void
read_number(const char **s, struct date *d)
{
	int digits, n = number(s, 9, &digits);

	if (**s == ':' && d->hour == UNSET && isdigit((unsigned char)(*s)[1])) {
		read_time(s, n, d);
	} else if (**s != '\0' && numeric_ahead(*s) && d->month == UNSET && d->day == UNSET) {
		read_numeric(s, n, digits, d);
	} else if (digits >= 3) {
		if (d->year == UNSET) {
			d->year = digits == 3 ? n + 1900 : n;
			d->year_long = true;
		}
	} else if (d->day == UNSET) {
		d->day = n;
	} else if (d->year == UNSET) {
		d->year = n;
	}
}

static bool
finish(struct date *d, int64_t *out)
{
	if (d->year == UNSET || d->month == UNSET || d->day == UNSET)
		return false;
	if (!d->year_long)
		d->year += d->year < 50 ? 2000 : 1900;
	if (d->hour == UNSET)
		d->hour = 0;
	if (d->year < 1900 || d->year > 9999 || d->month < 1 || d->month > 12 || d->day < 1 ||
		d->day > 31 || d->hour > 24 || d->minute > 59 || d->second > 61)
		return false;
	*out = mf_date_days(d->year, d->month, d->day) * 86400 + d->hour * 3600 + d->minute * 60 +
	       d->second - d->zone * 60;
	return true;
}

bool
mime_date_parse(struct mf_bytes raw, int64_t *out)
{
	struct date d = { .year = UNSET, .month = UNSET, .day = UNSET, .hour = UNSET };
	char text[DATE_MAX] = "";
	const char *s = text;

	copy_plain(raw, text);
	while (*s != '\0') {
		if (isdigit((unsigned char)*s))
			read_number(&s, &d);
		else if (isalpha((unsigned char)*s))
			read_word(&s, &d);
		else if (d.hour != UNSET && (*s == '+' || *s == '-') &&
			 isdigit((unsigned char)s[1]))
			read_zone(&s, &d);
		else
			s++;
	}
	return finish(&d, out);
}

bool
mime_header_date(const struct mime_header *h, const char *name, int64_t *out)
{
	const struct mime_field *f = mime_header_find(h, name);

	return f != NULL && mime_date_parse(f->value, out);
}
