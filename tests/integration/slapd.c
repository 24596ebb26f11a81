/* Knows contrib/tools/slapd and the lines of its `ports` file. */
#include "slapd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "people.h"

static void
tool(const struct slapd *d, const char *verb, const char *options)
{
	char command[1000];

	snprintf(command, sizeof(command), SOURCE_DIR "/contrib/tools/slapd %s '%s/slapd' %s", verb,
		d->dir, options);
	if (system(command) != 0)
		fixture_die("`%s` failed", command);
}

static void
end(void *d)
{
	slapd_end(d);
}

static void
read_ports(struct slapd *d)
{
	char path[200], line[400];
	FILE *f;

	snprintf(path, sizeof(path), "%s/slapd/ports", d->dir);
	f = fopen(path, "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "LDAP=", 5) == 0)
			d->ldap = (uint16_t)atoi(line + 5);
		if (strncmp(line, "LDAPS=", 6) == 0)
			d->ldaps = (uint16_t)atoi(line + 6);
		if (strncmp(line, "CA=", 3) == 0)
			snprintf(d->ca, sizeof(d->ca), "%.190s", line + 3);
		if (strncmp(line, "SOCKET=", 7) == 0)
			snprintf(d->socket, sizeof(d->socket), "%.190s", line + 7);
	}
	if (f == NULL || d->ldap == 0)
		fixture_die("%s: no ports", path);
	fclose(f);
}

void
slapd_start(struct slapd *d, const char *options)
{
	char path[200], all[400];

	memset(d, 0, sizeof(*d));
	fixture_mkdir(d->dir, sizeof(d->dir));
	fixture_at_end(end, d, sizeof *d);
	snprintf(path, sizeof(path), "%s/people.ldif", d->dir);
	people_ldif(path);
	snprintf(all, sizeof(all), "--ldif '%s' %s", path, options);
	tool(d, "start", all);
	read_ports(d);
}

void
slapd_do(struct slapd *d, const char *verb)
{
	tool(d, verb, "");
}

void
slapd_end(struct slapd *d)
{
	fixture_ended(d);
	tool(d, "remove", "");
	fixture_rmdir(d->dir);
}
