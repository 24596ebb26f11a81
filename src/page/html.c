/* Escaping. The only place where text becomes markup. */
#include "page/html.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/utf8.h"

/* U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069: a name that has them shows as another. */
static bool
turns(const uint8_t *s, size_t len)
{
	if (len < 3 || s[0] != 0xe2)
		return false;
	return (s[1] == 0x80 && (s[2] == 0x8e || s[2] == 0x8f || (s[2] >= 0xaa && s[2] <= 0xae))) ||
	       (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9);
}

void
html_text(struct mf_buf *b, const char *s)
{
	struct mf_buf clean;

	if (s == NULL)
		return;
	mf_buf_init(&clean, 0);
	utf8_sanitise(&clean, s, strlen(s));
	for (size_t i = 0; i < clean.len; i++) {
		uint8_t c = clean.data[i];

		if (strchr("<>&\"'", c) != NULL && c != '\0') {
			mf_buf_printf(b, "&#%d;", c);
		} else if (turns(clean.data + i, clean.len - i)) {
			mf_buf_add_str(b, "\xef\xbf\xbd");
			i += 2;
		} else {
			mf_buf_add_byte(b, c < 0x20 || c == 0x7f ? ' ' : c);
		}
	}
	mf_buf_deinit(&clean);
}

void
html_add(struct mf_buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	for (; *fmt != '\0'; fmt++) {
		if (*fmt != '%') {
			mf_buf_add_byte(b, (uint8_t)*fmt);
			continue;
		}
		fmt++;
		if (*fmt == 's')
			html_text(b, va_arg(ap, const char *));
		else if (*fmt == 'm')
			mf_buf_add_str(b, va_arg(ap, const char *));
		else if (*fmt == 'd')
			mf_buf_printf(b, "%" PRId64, va_arg(ap, int64_t));
		else
			mf_buf_add_byte(b, (uint8_t)*fmt);
	}
	va_end(ap);
}

const char *
html_query(struct mf_arena *a, const char *s)
{
	char *out = mf_alloc(a, 3 * strlen(s) + 1);
	size_t n = 0;

	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (isalnum(c) || strchr("-_.~", c) != NULL)
			out[n++] = (char)c;
		else
			n += (size_t)sprintf(out + n, "%%%02X", c);
	}
	return out;
}

const char *
html_ago(struct mf_arena *a, int64_t when)
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = { { 86400, "day" }, { 3600, "hour" }, { 60, "minute" }, { 1, "second" } };
	int64_t ago = clock_wall() - when;

	if (when == 0)
		return "never";
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (ago >= units[i].seconds) {
			int64_t n = ago / units[i].seconds;

			return mf_printf(
				a, "%" PRId64 " %s%s ago", n, units[i].name, n == 1 ? "" : "s");
		}
	return "now";
}

const char *
html_time(struct mf_arena *a, int64_t when)
{
	time_t t = (time_t)when;
	char text[40] = "never";
	struct tm tm;

	if (when != 0 && gmtime_r(&t, &tm) != NULL)
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &tm);
	return mf_strdup(a, text);
}
