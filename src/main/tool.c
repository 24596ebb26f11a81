/* The frame of the administrating commands. Knows no noun. */
#include "main/tool.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/log.h"
#include "base/str.h"
#include "base/utf8.h"
#include "main/commands.h"
#include "main/json.h"
#include "main/load.h"

enum { OPTIONS_MAX = 12 };

/* ---- What to do next ---- */

static const struct {
	enum mf_status status;
	int exit;
	const char *advice; /* NULL: the text says it */
} endings[] = {
	{ MF_GONE, MAIN_FAILED,
		"`mailferry user list` shows the users that were seen, `mailferry devices` their "
		"devices" },
	{ MF_REFUSED, MAIN_FAILED,
		"run it as root or as the user that the daemon runs as (sudo -u mailferry ...)" },
	{ MF_EXISTS, MAIN_FAILED, NULL },
	{ MF_INVALID, MAIN_CONFIG, NULL },
	{ MF_UNSUPPORTED, MAIN_FAILED, NULL },
	{ MF_BROKEN, MAIN_FAILED, "`mailferry state verify` tells more" },
	{ MF_TEMPORARY, MAIN_TEMPORARY, NULL },
	{ MF_AUTH, MAIN_DENIED, NULL },
};

int
tool_fail(const struct tool *t, const struct mf_error *err)
{
	fprintf(stderr, "mailferry %s: %s\n", t->command->name, err->text);
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		if (endings[i].status != err->status)
			continue;
		if (endings[i].advice != NULL)
			fprintf(stderr, "  %s\n", endings[i].advice);
		return endings[i].exit;
	}
	return MAIN_FAILED;
}

int
tool_refuse(const struct tool *t, int status, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "mailferry %s: ", t->command->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("\n", stderr);
	return status;
}

int
tool_end(const struct tool *t, enum mf_status st, const struct mf_error *err)
{
	return st == MF_OK ? MAIN_OK : tool_fail(t, err);
}

/* ---- Output ---- */

const char *
tool_time(struct mf_arena *a, int64_t when)
{
	time_t t = (time_t)when;
	char text[40] = "-";
	struct tm tm;

	if (when != 0 && gmtime_r(&t, &tm) != NULL)
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return mf_strdup(a, text);
}

void
tool_string(struct mf_buf *out, const char *value)
{
	struct mf_buf clean;

	mf_buf_init(&clean, 0);
	utf8_sanitise(&clean, value == NULL ? "" : value, value == NULL ? 0 : strlen(value));
	main_json_string(out, mf_buf_str(&clean), clean.len);
	mf_buf_deinit(&clean);
}

static void
field_name(struct mf_buf *out, const char *name)
{
	mf_buf_printf(
		out, "%s\"%s\":", out->len > 0 && out->data[out->len - 1] == '{' ? "" : ",", name);
}

void
tool_field(struct mf_buf *out, const char *name, const char *value)
{
	field_name(out, name);
	tool_string(out, value);
}

void
tool_number(struct mf_buf *out, const char *name, int64_t value)
{
	field_name(out, name);
	mf_buf_printf(out, "%" PRId64, value);
}

/* ---- Arguments ---- */

const char *
tool_operand(const struct tool *t, int i)
{
	return i < t->argc ? t->argv[i] : NULL;
}

const char *
tool_option(const struct tool *t, char letter)
{
	return t->values[letter - 'a'];
}

static void
print_option(FILE *f, const struct tool_option *o)
{
	char name[40];

	snprintf(name, sizeof(name), "--%s%s%s", o->name, o->value == NULL ? "" : " ",
		o->value == NULL ? "" : o->value);
	fprintf(f, "  -%c, %-18s %s\n", o->letter, name, o->help);
}

static const struct tool_option common[] = {
	{ 'c', "config", "FILE", "the configuration (/etc/mailferry/mailferry.conf)" },
	{ 'j', "json", NULL, "prints JSON" },
	{ 'h', "help", NULL, "this text" },
};

static int
usage(const struct tool_command *c, FILE *f, int status)
{
	const struct tool_action *a = c->actions;

	if (a->name == NULL) {
		fprintf(f, "usage: mailferry %s [options]%s%s\n\n  %s\n", c->name,
			*a->operands == '\0' ? "" : " ", a->operands, a->help);
	} else {
		fprintf(f, "usage: mailferry %s [options] ACTION [...]\n\nactions:\n", c->name);
		for (; a->run != NULL; a++)
			fprintf(f, "  %-8s %-14s %s\n", a->name, a->operands, a->help);
	}
	fputs("\noptions:\n", f);
	for (const struct tool_option *o = c->options; o != NULL && o->name != NULL; o++)
		print_option(f, o);
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		print_option(f, &common[i]);
	if (c->notes != NULL)
		fprintf(f, "\n%s\n", c->notes);
	return status;
}

static void
add_option(struct option *longs, char *letters, size_t i, const struct tool_option *o)
{
	longs[i] = (struct option){ o->name, o->value == NULL ? no_argument : required_argument,
		NULL, o->letter };
	snprintf(letters + strlen(letters), 3, "%c%s", o->letter, o->value == NULL ? "" : ":");
}

/* 0: go on; else end with this status less one. */
static int
read_options(struct tool *t, int argc, char **argv)
{
	struct option longs[OPTIONS_MAX + 4] = { { 0 } };
	char letters[3 * (OPTIONS_MAX + 4)] = "";
	size_t n = 0;
	int letter;

	for (; n < sizeof(common) / sizeof(common[0]); n++)
		add_option(longs, letters, n, &common[n]);
	for (const struct tool_option *o = t->command->options;
		o != NULL && o->name != NULL && n < OPTIONS_MAX; o++)
		add_option(longs, letters, n++, o);
	while ((letter = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (letter == 'h')
			return usage(t->command, stdout, MAIN_OK) + 1;
		if (letter < 'a' || letter > 'z')
			return usage(t->command, stderr, MAIN_USAGE) + 1;
		t->values[letter - 'a'] = optarg == NULL ? "" : optarg;
	}
	t->config = tool_option(t, 'c');
	t->json = tool_option(t, 'j') != NULL;
	t->argc = argc - optind;
	t->argv = argv + optind;
	return 0;
}

static const struct tool_action *
find_action(struct tool *t)
{
	const struct tool_action *a = t->command->actions;

	if (a->name != NULL) {
		if (t->argc == 0)
			return NULL;
		while (a->run != NULL && strcmp(a->name, t->argv[0]) != 0)
			a++;
		t->argc--;
		t->argv++;
	}
	return a->run != NULL && t->argc >= a->min && t->argc <= a->max ? a : NULL;
}

/* ---- Running ---- */

static enum mf_status
open_state(struct tool *t, struct mf_error *err)
{
	struct state_options o = { .directory = mf_conf_string(t->top, "state_directory"),
		.readers = (unsigned)mf_conf_number(t->top, "state_readers") };
	struct stat sb;

	/* A wrong path would else become a new, empty state. */
	if (stat(o.directory, &sb) != 0)
		return mf_fail(err, MF_INVALID,
			"state %s: there is none yet. Has the daemon run with this configuration? "
			"--config names another",
			o.directory);
	return state_open(&o, &t->state, err);
}

static int
run(struct tool *t, const struct tool_action *action)
{
	struct mf_error err = { .text = "" };
	int status;

	log_set_level(MF_LOG_WARNING);
	if (action->without != TOOL_WITHOUT_CONF) {
		if (main_load(main_config_path(t->config), &t->conf, &err) != MF_OK)
			return tool_fail(t, &err);
		t->top = conf_top(t->conf);
	}
	t->arena = mf_arena_new();
	mf_buf_init(&t->out, 0);
	if (action->without || open_state(t, &err) == MF_OK)
		status = action->run(t);
	else
		status = tool_fail(t, &err);
	fputs(mf_buf_str(&t->out), stdout);
	if (t->out.data != NULL)
		str_wipe(t->out.data, t->out.len); /* there may be a password in it */
	mf_buf_deinit(&t->out);
	mf_arena_free(t->arena);
	state_close(t->state);
	conf_free(t->conf);
	return status;
}

int
tool_main(const struct tool_command *command, int argc, char **argv)
{
	struct tool t = { .command = command };
	const struct tool_action *action;
	int end = read_options(&t, argc, argv);

	if (end != 0)
		return end - 1;
	action = find_action(&t);
	return action != NULL ? run(&t, action) : usage(command, stderr, MAIN_USAGE);
}
