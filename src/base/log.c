/* The log: formats one line and writes it with one write(2). Knows no protocol. */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 2048, CONTEXT_MAX = 400, VALUE_MAX = 200, VALUES = 8 };

static const char *const level_names[] = { "error", "warning", "info", "debug" };

static _Atomic int log_level = MF_LOG_INFO;
static _Atomic int log_fd = STDERR_FILENO;
static _Atomic bool log_timestamps = true;
static _Thread_local char log_context[CONTEXT_MAX + 2];

bool
log_level_parse(const char *name, enum mf_log_level *out)
{
	for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
		if (strcasecmp(name, level_names[i]) == 0) {
			*out = (enum mf_log_level)i;
			return true;
		}
	}
	return false;
}

void
log_set_level(enum mf_log_level level)
{
	atomic_store(&log_level, (int)level);
}

void
log_set_timestamps(bool on)
{
	atomic_store(&log_timestamps, on);
}

void
log_set_fd(int fd)
{
	atomic_store(&log_fd, fd);
}

void
log_set_context(const char *context)
{
	if (context == NULL || context[0] == '\0')
		log_context[0] = '\0';
	else
		snprintf(log_context, sizeof(log_context), "%.*s ", CONTEXT_MAX, context);
}

bool
mf_log_enabled(enum mf_log_level level)
{
	return (int)level <= atomic_load_explicit(&log_level, memory_order_relaxed);
}

static size_t
stamp(char *line, size_t size)
{
	struct timespec ts;
	struct tm tm;
	size_t n;

	if (!atomic_load(&log_timestamps))
		return 0;
	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	n = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &tm);
	return n + (size_t)snprintf(line + n, size - n, ".%03ldZ ", ts.tv_nsec / 1000000);
}

/* Lines of one event stay one line, whatever a caller passed. */
static void
flatten(char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			s[i] = '?';
}

void
mf_log(enum mf_log_level level, const char *fmt, ...)
{
	char line[LINE_MAX_BYTES];
	size_t n;
	int more;
	va_list ap;
	ssize_t written;

	if (!mf_log_enabled(level))
		return;
	n = stamp(line, sizeof(line));
	n += (size_t)snprintf(
		line + n, sizeof(line) - n, "level=%s %s", level_names[level], log_context);
	va_start(ap, fmt);
	more = vsnprintf(line + n, sizeof(line) - n, fmt, ap);
	va_end(ap);
	n += more < 0 ? 0 : (size_t)more;
	if (n > sizeof(line) - 2)
		n = sizeof(line) - 2;
	flatten(line, n);
	line[n++] = '\n';
	written = write(atomic_load(&log_fd), line, n);
	(void)written; /* a log that cannot be written has nowhere to say so */
}

static size_t
escape(char *to, size_t size, const char *s)
{
	size_t n = 0;

	for (; *s != '\0' && n + 5 < size; s++) {
		unsigned char c = (unsigned char)*s;

		if (c < 0x20 || c == 0x7f)
			n += (size_t)snprintf(to + n, size - n, "\\x%02x", c);
		else if (c == '"' || c == '\\')
			n += (size_t)snprintf(to + n, size - n, "\\%c", c);
		else
			to[n++] = (char)c;
	}
	if (*s != '\0')
		n += (size_t)snprintf(to + n, size - n, "...");
	return n;
}

const char *
mf_log_value(const char *s)
{
	static _Thread_local char values[VALUES][VALUE_MAX + 8];
	static _Thread_local unsigned next;
	char *to = values[next++ % VALUES];
	bool quote;
	size_t n;

	if (s == NULL)
		return "-";
	quote = s[0] == '\0' || strpbrk(s, " =\"\t") != NULL;
	if (quote)
		to[0] = '"';
	n = quote + escape(to + quote, VALUE_MAX, s);
	if (quote)
		to[n++] = '"';
	to[n] = '\0';
	return to;
}
