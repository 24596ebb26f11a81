/* Prints the tables as a configuration file in which everything is a comment: the defaults. */
#include <stdio.h>
#include <string.h>

#include "conf/conf.h"

enum { WIDTH = 96 };

static const char preamble[] =
	"# Mailferry's configuration. Every setting stands here with its default; take away the # "
	"to\n"
	"# change one. Durations are \"90s\", \"15m\", \"12h\" or \"30d\", sizes \"256k\", \"50M\" "
	"or \"1G\".\n"
	"# A secret may stand in a file of its own: password = \"</etc/mailferry/password\".\n"
	"# include(\"other.conf\") reads another file, ${NAME} in double quotes is a variable of "
	"the\n"
	"# environment. MAILFERRY_LISTEN in the environment sets listen, MAILFERRY_IMAP_URL sets "
	"url\n"
	"# of the section imap. `mailferry check` tests what is written here.\n"
	"# This file is the output of `mailferry check --defaults`.\n";

/* The sentence as comment lines, broken at blanks. */
static void
print_help(struct mf_buf *out, const char *indent, const char *help)
{
	size_t column = 0;

	while (*help != '\0') {
		size_t n = strcspn(help, " ");

		if (column > 0 && column + 1 + n > WIDTH) {
			mf_buf_add_str(out, "\n");
			column = 0;
		}
		mf_buf_printf(out, column == 0 ? "%s# " : " ", indent);
		mf_buf_add(out, help, n);
		column += n + 1;
		help += n + (help[n] == ' ');
	}
	mf_buf_add_str(out, "\n");
}

static void
print_value(struct mf_buf *out, const struct mf_setting *s)
{
	bool quote = s->type == MF_SETTING_STRING || s->type == MF_SETTING_SECRET;
	const char *value = s->value == NULL ? "" : s->value;

	if (s->type == MF_SETTING_LIST && value[0] == '\0')
		value = "{}";
	mf_buf_printf(out, quote ? "\"%s\"" : "%s", value);
}

static void
print_rows(struct mf_buf *out, const char *indent, const struct mf_setting *rows)
{
	for (; rows != NULL && rows->name != NULL; rows++) {
		if (rows->type == MF_SETTING_RENAMED)
			continue;
		mf_buf_add_str(out, "\n");
		print_help(out, indent, rows->help);
		mf_buf_printf(out, "%s#%s = ", indent, rows->name);
		print_value(out, rows);
		mf_buf_add_str(out, rows->value == NULL ? "  # required\n" : "\n");
	}
}

/* A section with a title exists as soon as it is written: it is a comment as a whole. */
static void
print_sections(struct mf_buf *out, const struct conf_table *t)
{
	for (; t != NULL && t->name != NULL; t++) {
		mf_buf_add_str(out, "\n");
		print_help(out, "", t->help == NULL ? t->name : t->help);
		mf_buf_printf(out, t->titled ? "#%s \"NAME\" {\n" : "%s {\n", t->name);
		print_rows(out, "\t", t->rows);
		mf_buf_add_str(out, t->titled ? "#}\n" : "}\n");
	}
}

void
conf_print_defaults(struct mf_buf *out, const struct conf_table *sections)
{
	mf_buf_add_str(out, preamble);
	print_rows(out, "", conf_settings);
	print_sections(out, conf_own_tables);
	print_sections(out, sections);
}
