/*
 * The environment: overrides of settings for containers, and the few variables that systemd sets.
 * The only file that reads it.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "conf/value.h"
#include "mailferry/log.h"

#define PREFIX "MAILFERRY_"

const char *
conf_environment(const char *name)
{
	const char *value = getenv(name);

	return value == NULL || value[0] == '\0' ? NULL : value;
}

/* MAILFERRY_IMAP_URL of section imap, setting url. */
static const char *
variable(const struct mf_conf *c, const struct mf_setting *s, char *to, size_t size)
{
	snprintf(to, size, PREFIX "%s%s%s", c->table->name, c->table->name[0] == '\0' ? "" : "_",
		s->name);
	for (char *p = to; *p != '\0'; p++)
		*p = (char)(*p == '-' ? '_' : toupper((unsigned char)*p));
	return to;
}

enum mf_status
conf_environment_apply(struct mf_conf *c, struct mf_error *err)
{
	char name[200];
	struct mf_error why;

	for (int i = 0; c->table->rows != NULL && c->table->rows[i].name != NULL; i++) {
		const char *value = getenv(variable(c, &c->table->rows[i], name, sizeof(name)));

		if (value != NULL &&
			conf_value_set_all(c, conf_row_now(c, i), value, &why) != MF_OK)
			return mf_fail(err, MF_INVALID, "environment: %s %s", name, why.text);
	}
	return MF_OK;
}

/* Read elsewhere, by their names. */
static const char *const others[] = { PREFIX "CONFIG", PREFIX "PROBE_PASSWORD",
	PREFIX "NEW_PASSWORD" };

static bool
known(const struct mf_conf *const *sections, size_t n, const char *name, size_t len)
{
	char other[200];

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strlen(others[i]) == len && memcmp(others[i], name, len) == 0)
			return true;
	for (size_t k = 0; k < n; k++) {
		const struct mf_setting *rows = sections[k]->table->rows;

		for (size_t i = 0; rows != NULL && rows[i].name != NULL; i++) {
			variable(sections[k], &rows[i], other, sizeof(other));
			if (strlen(other) == len && memcmp(other, name, len) == 0)
				return true;
		}
	}
	return false;
}

/* Not an error: Kubernetes sets MAILFERRY_PORT and others by itself for a service of this name. */
void
conf_environment_warn(const struct mf_conf *const *sections, size_t n)
{
	for (char **e = environ; e != NULL && *e != NULL; e++) {
		size_t len = strcspn(*e, "=");
		char name[100];

		if (!str_starts(*e, PREFIX) || known(sections, n, *e, len))
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)len, *e);
		mf_log_warning("environment=%s ignored=\"no such setting\"", mf_log_value(name));
	}
}
