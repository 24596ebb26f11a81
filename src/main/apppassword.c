/*
 * `mailferry apppassword`: passwords for single devices, issued, listed, withdrawn. Works on the records
 * directly, beside a running daemon, which sees it with the device's next request.
 */
#include <stdio.h>
#include <string.h>

#include "backend/auth.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "eas/password.h"
#include "eas/who.h"
#include "main/commands.h"
#include "main/password.h"
#include "main/tool.h"

#define PASSWORD_ENV "MAILFERRY_PROBE_PASSWORD"

enum { DAY = 24 * 3600, DAYS_MAX = 36500 };

/* What an action needs besides the state. */
struct job {
	struct tool *tool;
	struct backends *backends;
	const char *user; /* as after the login check */
};

/* ---- add ---- */

/* What logs in at the mail server: the master user, or the account with its own password. */
static enum mf_status
log_in(const struct job *j, struct mf_login *who, struct mf_error *err)
{
	const struct mf_conf *top = j->tool->top;

	if (eas_who_has_master(top)) {
		who->master = mf_conf_string(top, "master_user");
		who->password = mf_conf_string(top, "master_password");
	}
	return backend_login_check(j->backends, who, err);
}

/* When it ends; 0: never. */
static enum mf_status
read_end(const struct tool *t, int64_t *out, struct mf_error *err)
{
	const char *text = tool_option(t, 'e');
	uint32_t days;

	*out = 0;
	if (text == NULL)
		return MF_OK;
	if (!str_to_u32(text, DAYS_MAX, &days) || days == 0)
		return mf_fail(err, MF_EXISTS, "--days %s: from 1 to %d", text, DAYS_MAX);
	*out = clock_wall() + (int64_t)days * DAY;
	return MF_OK;
}

static const char *
option(const struct tool *t, char letter)
{
	const char *value = tool_option(t, letter);

	return value == NULL ? "" : value;
}

static enum mf_status
issue(const struct job *j, const struct mf_login *who, int64_t expires, struct mf_error *err)
{
	struct tool *t = j->tool;
	struct eas_password_order o = { .user = j->user,
		.name = option(t, 'n'),
		.device_id = option(t, 'd'),
		.expires = expires,
		.account = who->master == NULL ? who->password : NULL };
	const char *text = NULL;
	uint32_t number = 0;
	enum mf_status st = eas_password_issue(t->state, &o, t->arena, &text, &number, err);

	if (st == MF_OK && t->json)
		mf_buf_printf(&t->out, "{\"number\":%u,\"password\":\"%s\"}\n", number, text);
	else if (st == MF_OK)
		mf_buf_printf(&t->out, "%s\n", text);
	return st;
}

static enum mf_status
add(struct job *j, struct mf_error *err)
{
	char password[MAIN_SECRET_MAX] = "";
	struct mf_login who = { .user = j->user, .password = password };
	int64_t expires;
	enum mf_status st = read_end(j->tool, &expires, err);

	if (st == MF_OK && !eas_who_has_master(j->tool->top) &&
		!main_password(tool_option(j->tool, 'p'), PASSWORD_ENV, j->user, password))
		st = mf_fail(err, MF_AUTH, "the account's password is wanted");
	if (st == MF_OK)
		st = log_in(j, &who, err);
	if (st == MF_OK)
		st = issue(j, &who, expires, err);
	str_wipe(password, sizeof(password));
	return st;
}

/* ---- list ---- */

/* "2026-11-27" */
static const char *
day(struct mf_arena *a, int64_t when, const char *otherwise)
{
	return when == 0 ? otherwise : mf_strndup(a, tool_time(a, when), strlen("2026-11-27"));
}

static void
print_line(struct tool *t, const struct state_password *p)
{
	mf_buf_printf(&t->out, "%-4u %s  used %-10s  expires %-10s  %-8s  device %s  %s\n",
		p->number, day(t->arena, p->created, "-"), day(t->arena, p->used, "never"),
		day(t->arena, p->expires, "never"), p->sealed.len > 0 ? "sealed" : "master",
		*p->device_id == '\0' ? "-" : mf_log_value(p->device_id), mf_log_value(p->name));
}

static void
print_json(struct mf_buf *b, const struct state_password *p)
{
	mf_buf_add_str(b, "{");
	tool_number(b, "number", p->number);
	tool_number(b, "created", p->created);
	tool_number(b, "used", p->used);
	tool_number(b, "expires", p->expires);
	mf_buf_printf(b, ",\"sealed\":%s", p->sealed.len > 0 ? "true" : "false");
	tool_field(b, "device", p->device_id);
	tool_field(b, "name", p->name);
	mf_buf_add_str(b, "}");
}

static enum mf_status
list(struct job *j, struct mf_error *err)
{
	struct tool *t = j->tool;
	struct state_password *all = NULL;
	size_t n = 0;
	enum mf_status st = state_passwords_load(t->state, j->user, t->arena, &all, &n, err);

	if (st != MF_OK)
		return st;
	for (size_t i = 0; i < n && !t->json; i++)
		print_line(t, &all[i]);
	if (!t->json)
		return MF_OK;
	mf_buf_add_str(&t->out, "[");
	for (size_t i = 0; i < n; i++) {
		mf_buf_add_str(&t->out, i == 0 ? "\n" : ",\n");
		print_json(&t->out, &all[i]);
	}
	mf_buf_add_str(&t->out, "\n]\n");
	return MF_OK;
}

/* ---- remove ---- */

static enum mf_status
drop(struct job *j, struct mf_error *err)
{
	uint32_t number;

	if (!str_to_u32(tool_operand(j->tool, 1), UINT32_MAX, &number))
		return mf_fail(
			err, MF_EXISTS, "%s: not a number of the list", tool_operand(j->tool, 1));
	return state_password_remove(j->tool->state, j->user, number, err);
}

/* ---- The command ---- */

/* With the backends open and the user's name mapped. Wrong arguments are told by MF_EXISTS, which nothing else here
 * is. */
static int
with_user(struct tool *t, enum mf_status (*action)(struct job *j, struct mf_error *err))
{
	struct job j = { .tool = t };
	struct mf_error err = { .text = "" };
	enum mf_status st = eas_who_validate(t->top, &err);

	log_set_level(MF_LOG_ERROR);
	if (st == MF_OK)
		st = backends_open(t->conf, &j.backends, &err);
	if (st == MF_OK)
		st = backend_login_map(j.backends, tool_operand(t, 0), t->arena, &j.user, &err);
	if (st == MF_OK)
		st = action(&j, &err);
	backends_close(j.backends);
	return st == MF_EXISTS ? tool_refuse(t, MAIN_USAGE, "%s", err.text) : tool_end(t, st, &err);
}

static int
run_add(struct tool *t)
{
	return with_user(t, add);
}

static int
run_list(struct tool *t)
{
	return with_user(t, list);
}

static int
run_remove(struct tool *t)
{
	return with_user(t, drop);
}

int
main_apppassword(int argc, char **argv)
{
	static const struct tool_action actions[] = {
		{ "add", "USER", 1, 1, run_add, "issues one and prints it: it is shown this once",
			false },
		{ "list", "USER", 1, 1, run_list, "the user's, with what uses them", false },
		{ "remove", "USER NUMBER", 2, 2, run_remove,
			"withdraws one: it is refused from now on", false },
		{ 0 },
	};
	static const struct tool_option options[] = {
		{ 'n', "name", "TEXT", "what the list shall call it" },
		{ 'd', "device", "ID",
			"the only device that may use it; else the first that does" },
		{ 'e', "days", "N", "it expires after so many days" },
		{ 'p', "password-file", "F", "its first line is the account's password" },
		{ 0 },
	};
	static const struct tool_command command = { "apppassword", actions, options,
		"Without --password-file " PASSWORD_ENV
		" is the account's password, or it is asked for;\n"
		"where there is a master_user, none is wanted." };

	return tool_main(&command, argc, argv);
}
