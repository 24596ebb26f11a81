/* Starts, stops and kills a real Postfix. Knows contrib/tools/postfix and its `ports` file. */
#include "mta.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { CANNOT = 77 };

__attribute__((format(printf, 1, 2))) static int
run(const char *fmt, ...)
{
	char command[1000];
	va_list ap;
	int status;

	va_start(ap, fmt);
	if (vsnprintf(command, sizeof command, fmt, ap) >= (int)sizeof command)
		fixture_die("a command is too long");
	va_end(ap);
	status = system(command);
	status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	if (status != 0 && status != CANNOT)
		fixture_die("`%s` ended with %d", command, status);
	return status;
}

static void
value(const char *text, const char *name, char *out, size_t size)
{
	char needle[32];
	const char *at;

	snprintf(needle, sizeof needle, "\n%s=", name);
	at = strstr(text, needle);
	if (at == NULL)
		fixture_die("no %s in the ports file", name);
	at += strlen(needle);
	snprintf(out, size, "%.*s", (int)strcspn(at, "\n"), at);
}

static uint16_t
port(const char *text, const char *name)
{
	char number[16];

	value(text, name, number, sizeof number);
	return (uint16_t)strtoul(number, NULL, 10);
}

static void
abandon(void *thing)
{
	struct mta *m = thing;

	run("tail -n 20 '%s' >&2; %s/contrib/tools/postfix remove '%s'", m->log, SOURCE_DIR,
		m->dir);
}

bool
mta_start(struct mta *m, const struct dovecot *d, const char *options)
{
	char path[200], *text;

	*m = (struct mta){ .smtp = 0 };
	fixture_mkdir(m->dir, sizeof m->dir);
	if (run("%s/contrib/tools/postfix start '%s' '%s' %s", SOURCE_DIR, m->dir, d->dir,
		    options) == CANNOT) {
		fixture_rmdir(m->dir);
		return false;
	}
	fixture_at_end(abandon, m, sizeof *m);
	snprintf(path, sizeof path, "%s/ports", m->dir);
	text = fixture_read(path, NULL);
	m->smtp = port(text, "SMTP");
	m->smtps = port(text, "SMTPS");
	m->plain = port(text, "PLAIN");
	value(text, "CA", m->ca, sizeof m->ca);
	value(text, "LOG", m->log, sizeof m->log);
	free(text);
	return true;
}

void
mta_do(struct mta *m, const char *verb)
{
	run("%s/contrib/tools/postfix %s '%s'", SOURCE_DIR, verb, m->dir);
}

unsigned
mta_queue(struct mta *m)
{
	char command[400];
	unsigned n = 0;
	int c;

	snprintf(
		command, sizeof command, "%s/contrib/tools/postfix queue '%s'", SOURCE_DIR, m->dir);
	FILE *f = popen(command, "r");

	if (f == NULL)
		fixture_die("%s", command);
	while ((c = getc(f)) != EOF)
		n += c == '\n';
	pclose(f);
	return n;
}

size_t
mta_log_count(const struct mta *m, const char *text)
{
	char *log = fixture_read(m->log, NULL);
	size_t n = 0;

	for (const char *p = log; (p = strstr(p, text)) != NULL; p += strlen(text))
		n++;
	free(log);
	return n;
}

void
mta_end(struct mta *m)
{
	fixture_ended(m);
	mta_do(m, "remove");
}
