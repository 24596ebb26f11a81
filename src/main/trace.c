/* `mailferry trace` and `mailferry log`: what a running daemon is told. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "eas/trace.h"
#include "main/commands.h"
#include "main/control.h"
#include "main/tool.h"

enum { MINUTES = 30, MINUTES_MAX = 7 * 24 * 60, USER_MAX = 320 };

static const char *
directory_of(const struct tool *t)
{
	return mf_conf_string(t->top, "state_directory");
}

static int
end(const struct tool *t, enum mf_status st, const struct mf_error *err)
{
	if (st == MF_GONE)
		return tool_refuse(t, MAIN_UNAVAILABLE,
			"%s: start it first, or name its configuration by --config", err->text);
	return tool_end(t, st, err);
}

/* 0: what --minutes says makes no sense. */
static int64_t
until(const struct tool *t, uint32_t otherwise)
{
	const char *text = tool_option(t, 'm');
	uint32_t minutes = otherwise;

	if (text != NULL && (!str_to_u32(text, MINUTES_MAX, &minutes) || minutes == 0))
		return 0;
	return clock_wall() + (int64_t)minutes * 60;
}

static int
bad_minutes(const struct tool *t)
{
	return tool_refuse(t, MAIN_USAGE, "--minutes: from 1 to %d", MINUTES_MAX);
}

/* ---- trace ---- */

static void
drop(struct control *c, const char *user)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		if (user != NULL && strcmp(c->traces[i].user, user) != 0)
			c->traces[n++] = c->traces[i];
	c->n = n;
}

static int
start(struct tool *t)
{
	const char *user = tool_operand(t, 0);
	int64_t when = until(t, MINUTES);
	struct mf_error err = { .text = "" };
	struct control c;
	enum mf_status st;

	if (when == 0)
		return bad_minutes(t);
	if (strlen(user) > USER_MAX || strpbrk(user, "\r\n") != NULL || *user == '\0')
		return tool_refuse(t, MAIN_USAGE, "that is no user's name");
	control_read(directory_of(t), t->arena, &c);
	drop(&c, user);
	if (c.n == CONTROL_TRACES)
		return tool_refuse(t, MAIN_FAILED, "%d users are traced already: stop one first",
			CONTROL_TRACES);
	c.traces[c.n].user = user;
	c.traces[c.n++].until = when;
	st = control_tell(directory_of(t), &c, &err);
	if (st == MF_OK && !t->json)
		mf_buf_printf(&t->out, "until %s, in %s\n", tool_time(t->arena, when),
			eas_trace_folder(t->arena,
				control_trace_directory(t->arena, directory_of(t)), user));
	return end(t, st, &err);
}

static int
stop(struct tool *t)
{
	struct mf_error err = { .text = "" };
	struct control c;

	control_read(directory_of(t), t->arena, &c);
	drop(&c, tool_operand(t, 0));
	return end(t, control_tell(directory_of(t), &c, &err), &err);
}

static int
list(struct tool *t)
{
	struct control c;

	control_read(directory_of(t), t->arena, &c);
	if (t->json)
		mf_buf_add_str(&t->out, "[");
	for (size_t i = 0; i < c.n; i++) {
		if (!t->json) {
			mf_buf_printf(&t->out, "%-32s until %s\n", mf_log_value(c.traces[i].user),
				tool_time(t->arena, c.traces[i].until));
			continue;
		}
		mf_buf_add_str(&t->out, i == 0 ? "\n{" : ",\n{");
		tool_field(&t->out, "user", c.traces[i].user);
		tool_number(&t->out, "until", c.traces[i].until);
		mf_buf_add_str(&t->out, "}");
	}
	if (t->json)
		mf_buf_add_str(&t->out, "\n]\n");
	return MAIN_OK;
}

/* ---- The files ---- */

static int
is_text(const struct dirent *e)
{
	size_t len = strlen(e->d_name);

	return len > 4 && strcmp(e->d_name + len - 4, ".txt") == 0;
}

/* Calls fn for each file, oldest first; how many, -1: none could be looked for. */
static int
each(struct tool *t, int (*fn)(struct tool *t, const char *path))
{
	const char *folder = eas_trace_folder(
		t->arena, control_trace_directory(t->arena, directory_of(t)), tool_operand(t, 0));
	struct dirent **files;
	int n = scandir(folder, &files, is_text, alphasort), status = MAIN_OK;

	if (n < 0)
		return tool_refuse(t, MAIN_FAILED, "%s: %s%s", folder, strerror(errno),
			errno == ENOENT ? "\n  nothing was traced: `mailferry trace start USER`"
					: "");
	for (int i = 0; i < n; i++) {
		if (status == MAIN_OK)
			status = fn(t, mf_printf(t->arena, "%s/%s", folder, files[i]->d_name));
		free(files[i]);
	}
	free(files);
	return status;
}

static int
print_file(struct tool *t, const char *path)
{
	FILE *f = fopen(path, "re");
	char text[8192];
	size_t n;

	if (f == NULL)
		return tool_refuse(t, MAIN_FAILED, "%s: %s", path, strerror(errno));
	printf("======== %s\n", strrchr(path, '/') + 1);
	while ((n = fread(text, 1, sizeof(text), f)) > 0)
		fwrite(text, 1, n, stdout);
	fclose(f);
	return MAIN_OK;
}

static int
remove_file(struct tool *t, const char *path)
{
	return unlink(path) == 0 ? MAIN_OK
				 : tool_refuse(t, MAIN_FAILED, "%s: %s", path, strerror(errno));
}

static int
show(struct tool *t)
{
	return each(t, print_file);
}

static int
clear(struct tool *t)
{
	return each(t, remove_file);
}

int
main_trace(int argc, char **argv)
{
	static const struct tool_action actions[] = {
		{ "start", "USER", 1, 1, start, "writes the user's requests and answers to files",
			true },
		{ "stop", "[USER]", 0, 1, stop, "ends that of a user, or all", true },
		{ "list", "", 0, 0, list, "who is traced until when", true },
		{ "show", "USER", 1, 1, show, "prints what was written", true },
		{ "clear", "USER", 1, 1, clear, "removes what was written", true },
		{ 0 },
	};
	static const struct tool_option options[] = {
		{ 'm', "minutes", "N", "start: for so long (30)" },
		{ 0 },
	};
	static const struct tool_command command = { "trace", actions, options,
		"Files are in the folder trace of state_directory, for the daemon's user only. "
		"Passwords are\nnot in them, but what mail says is. USER is the name that the log "
		"shows." };

	return tool_main(&command, argc, argv);
}

/* ---- log ---- */

static const char *const levels[] = { "error", "warning", "info", "debug" };

static int
show_level(struct tool *t, const struct control *c)
{
	const char *level = c->level_set ? levels[c->level] : mf_conf_string(t->top, "log_level");

	if (t->json) {
		mf_buf_add_str(&t->out, "{");
		tool_field(&t->out, "level", level);
		tool_number(&t->out, "until", c->level_set ? c->level_until : 0);
		mf_buf_add_str(&t->out, "}\n");
	} else if (c->level_set && c->level_until != 0) {
		mf_buf_printf(&t->out, "%s until %s, then %s\n", level,
			tool_time(t->arena, c->level_until), mf_conf_string(t->top, "log_level"));
	} else {
		mf_buf_printf(&t->out, "%s\n", level);
	}
	return MAIN_OK;
}

static int
level(struct tool *t)
{
	const char *name = tool_operand(t, 0);
	int64_t when = tool_option(t, 'm') == NULL ? 0 : until(t, 1);
	struct mf_error err = { .text = "" };
	struct control c;

	control_read(directory_of(t), t->arena, &c);
	if (name == NULL)
		return show_level(t, &c);
	if (tool_option(t, 'm') != NULL && when == 0)
		return bad_minutes(t);
	c.level_set = strcmp(name, "default") != 0;
	if (c.level_set && !log_level_parse(name, &c.level))
		return tool_refuse(
			t, MAIN_USAGE, "%s: error, warning, info, debug or default", name);
	c.level_until = when;
	return end(t, control_tell(directory_of(t), &c, &err), &err);
}

int
main_log(int argc, char **argv)
{
	static const struct tool_action only[] = {
		{ NULL, "[LEVEL]", 0, 1, level,
			"shows or sets from which level on a running daemon logs: error, warning, "
			"info,\n  debug, or default: what the configuration says",
			true },
		{ 0 },
	};
	static const struct tool_option options[] = {
		{ 'm', "minutes", "N", "for so long; else until the daemon ends" },
		{ 0 },
	};
	static const struct tool_command command = { "log", only, options, NULL };

	return tool_main(&command, argc, argv);
}
