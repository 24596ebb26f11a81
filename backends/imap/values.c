/* Flags, dates, sets. Knows their spelling in IMAP, no command. */
#include "values.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "command.h"
#include "mailferry/date.h"

enum { PIECE_BYTES = 4000 };

static const struct {
	const char *word;
	uint32_t flag;
} flag_words[] = {
	{ "\\Seen", MF_FLAG_SEEN },
	{ "\\Flagged", MF_FLAG_FLAGGED },
	{ "\\Answered", MF_FLAG_ANSWERED },
	{ "$Forwarded", MF_FLAG_FORWARDED },
	{ "\\Draft", MF_FLAG_DRAFT },
	{ "\\Deleted", MF_FLAG_DELETED },
};

static uint32_t
flag_of(struct mf_bytes word)
{
	for (size_t i = 0; i < sizeof(flag_words) / sizeof(flag_words[0]); i++)
		if (imap_bytes_is(word, flag_words[i].word))
			return flag_words[i].flag;
	return 0;
}

static void
add_keyword(struct imap_flags *f, struct mf_bytes word, size_t *used)
{
	char *text = f->text + *used;
	size_t at = f->n;

	if (f->n == IMAP_KEYWORDS_MAX || word.len + 1 > sizeof(f->text) - *used ||
		word.data[0] == '\\')
		return;
	for (size_t i = 0; i < word.len; i++)
		if (word.data[i] >= 0x7f)
			return;
	memcpy(text, word.data, word.len);
	text[word.len] = '\0';
	while (at > 0 && strcmp(f->keywords[at - 1], text) > 0)
		at--;
	if (at > 0 && strcmp(f->keywords[at - 1], text) == 0)
		return;
	memmove(f->keywords + at + 1, f->keywords + at, (f->n - at) * sizeof(char *));
	f->keywords[at] = text;
	f->n++;
	*used += word.len + 1;
}

void
imap_flags_read(struct imap_lex *x, struct imap_flags *out)
{
	size_t used = 0;

	out->flags = 0;
	out->n = 0;
	imap_lex_want(x, '(');
	while (!x->bad && !imap_lex_take(x, ')')) {
		struct mf_bytes word = imap_lex_flag(x);
		uint32_t flag = x->bad ? 0 : flag_of(word);

		if (flag != 0)
			out->flags |= flag;
		else if (!x->bad)
			add_keyword(out, word, &used);
		imap_lex_take(x, ' ');
	}
	out->keywords[out->n] = NULL;
}

void
imap_flags_print(uint32_t flags, struct mf_buf *out)
{
	const char *between = "";

	for (size_t i = 0; i < sizeof(flag_words) / sizeof(flag_words[0]); i++) {
		if ((flags & flag_words[i].flag) == 0)
			continue;
		mf_buf_printf(out, "%s%s", between, flag_words[i].word);
		between = " ";
	}
}

bool
imap_keyword_valid(const char *keyword)
{
	if (keyword[0] == '\0' || strlen(keyword) > 200)
		return false;
	for (const char *p = keyword; *p != '\0'; p++)
		if (*p <= ' ' || (unsigned char)*p >= 0x7f || strchr("(){%*\"\\]", *p) != NULL)
			return false;
	return flag_of(mf_bytes_str(keyword)) == 0;
}

/* ---- Dates ---- */

static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
	"Oct", "Nov", "Dec" };

/* Two digits, or a blank and one (the day); -1: neither. */
static int
two(const char *p)
{
	if (p[1] < '0' || p[1] > '9' || (p[0] != ' ' && (p[0] < '0' || p[0] > '9')))
		return -1;
	return (p[0] == ' ' ? 0 : (p[0] - '0') * 10) + (p[1] - '0');
}

static int
month_of(const char *p)
{
	for (int i = 0; i < 12; i++)
		if (strncasecmp(p, months[i], 3) == 0)
			return i + 1;
	return 0;
}

/* "dd-mmm-yyyy hh:mm:ss +zzzz" (RFC 3501: date-time); some servers write days of one digit, or no zone. */
int64_t
imap_date_read(struct mf_bytes text)
{
	char copy[41] = " ", *p = copy + 1;
	int day, month, year, hour, minute, second, zone = 0;

	if (text.data == NULL || text.len < 19 || text.len >= sizeof(copy) - 1)
		return 0;
	memcpy(p, text.data, text.len);
	p[text.len] = '\0';
	p -= p[1] == '-';
	day = two(p);
	month = month_of(p + 3);
	year = two(p + 7) * 100 + two(p + 9);
	hour = two(p + 12);
	minute = two(p + 15);
	second = two(p + 18);
	if (day < 1 || month == 0 || year < 1 || hour < 0 || minute < 0 || second < 0 ||
		p[2] != '-' || p[6] != '-' || p[11] != ' ' || p[14] != ':' || p[17] != ':')
		return 0;
	if (strlen(p) >= 26 && two(p + 22) >= 0 && two(p + 24) >= 0)
		zone = two(p + 22) * 60 + two(p + 24);
	return mf_date_days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second -
	       (p[21] == '-' ? -zone : zone) * 60;
}

static void
split(int64_t date, struct tm *tm)
{
	time_t t = (time_t)date;

	if (date < 0 || date > INT64_C(253402300799)) /* 9999-12-31 */
		t = 0;
	gmtime_r(&t, tm);
}

void
imap_date_print(int64_t date, char *out)
{
	struct tm tm;

	split(date, &tm);
	snprintf(out, 32, "%02d-%s-%04d %02d:%02d:%02d +0000", tm.tm_mday % 100,
		months[tm.tm_mon % 12], (tm.tm_year + 1900) % 10000, tm.tm_hour % 100,
		tm.tm_min % 100, tm.tm_sec % 100);
}

void
imap_day_print(int64_t date, char *out)
{
	struct tm tm;

	split(date, &tm);
	snprintf(out, 32, "%d-%s-%04d", tm.tm_mday % 100, months[tm.tm_mon % 12],
		(tm.tm_year + 1900) % 10000);
}

/* ---- Sets ---- */

bool
imap_has_piece(const struct imap_pieces *p)
{
	return p->next < p->set->n && p->set->ranges[p->next].first <= UINT32_MAX &&
	       p->done < UINT32_MAX;
}

/* What is left of the range at hand, at most so many ids. */
static struct mf_idrange
take_range(struct imap_pieces *p, uint64_t most)
{
	struct mf_idrange r = p->set->ranges[p->next];

	if (p->done != 0)
		r.first = p->done + 1;
	if (r.last > UINT32_MAX)
		r.last = UINT32_MAX;
	if (most != 0 && r.last - r.first >= most)
		r.last = r.first + most - 1;
	p->done = r.last;
	if (r.last == p->set->ranges[p->next].last) {
		p->next++;
		p->done = 0;
	}
	return r;
}

bool
imap_put_piece(struct mf_session *s, struct imap_pieces *p)
{
	size_t from = s->out.len;
	uint64_t left = p->most;

	if (!imap_has_piece(p))
		return false;
	while (imap_has_piece(p) && s->out.len - from < PIECE_BYTES && (p->most == 0 || left > 0)) {
		struct mf_idrange r = take_range(p, left);

		left -= left == 0 ? 0 : r.last - r.first + 1;
		imap_put(s, s->out.len > from ? "," : "");
		imap_putf(s, r.last == r.first ? "%llu" : "%llu:%llu", (unsigned long long)r.first,
			(unsigned long long)r.last);
	}
	return true;
}
