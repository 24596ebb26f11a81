/*
 * Settings, as rows of a table. The parser, the range checks, `mailferry check --defaults`, the
 * environment's overrides and the test of conf/mailferry.conf all come from these rows.
 *
 * A backend brings its own rows; they stand in the section that has the backend's name:
 *
 *	imap {
 *		url = "imaps://mail.example.org"
 *	}
 *
 * Values are read once at start and never change while a section is in use (a reload makes new
 * sections), so reading them needs no lock. Strings live as long as the section.
 */
#ifndef MAILFERRY_CONF_H
#define MAILFERRY_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mf_setting_type {
	MF_SETTING_BOOL,     /* yes, no, true, false, on, off */
	MF_SETTING_NUMBER,   /* within min and max */
	MF_SETTING_DURATION, /* "90s", "15m", "12h", "30d"; in seconds, within min and max */
	MF_SETTING_SIZE,     /* "256k", "50M", "1G"; in bytes, within min and max */
	MF_SETTING_STRING,
	MF_SETTING_SECRET, /* a string that is never printed; may be read from a file: "</path" */
	MF_SETTING_CHOICE, /* one of `choices` */
	MF_SETTING_LIST,   /* strings: {"a", "b"} */
	/* The former name of a setting; `value` is its name now, in the same table. Still taken, with a
	 * warning in the log and in `mailferry check`; not printed, and nobody asks for it. */
	MF_SETTING_RENAMED,
};

struct mf_setting {
	const char *name; /* NULL ends a table */
	enum mf_setting_type type;
	/* The default as it would stand in the file, strings without quotes, lists as {} or
	 * {"a", "b"}; NULL: required. */
	const char *value;
	int64_t min, max;	    /* of numbers, durations and sizes; both 0: no limits */
	const char *const *choices; /* of MF_SETTING_CHOICE, NULL at the end */
	const char *help;	    /* one sentence */
};

/* The values of one section. Asking for a name or type that the table lacks is an assertion. */
struct mf_conf;

bool mf_conf_bool(const struct mf_conf *c, const char *name);
int64_t mf_conf_number(const struct mf_conf *c, const char *name); /* numbers, durations, sizes */
const char *mf_conf_string(const struct mf_conf *c, const char *name); /* "" when empty */
/* The strings of a list, NULL at the end. */
const char *const *mf_conf_list(const struct mf_conf *c, const char *name);

#endif
