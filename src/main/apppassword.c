/*
 * `mailferry apppassword`: passwords for single devices, issued, listed, withdrawn. Works on the records
 * directly, beside a running daemon, which sees it with the device's next request.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "backend/auth.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "eas/password.h"
#include "eas/who.h"
#include "main/commands.h"
#include "main/json.h"
#include "main/load.h"
#include "main/password.h"

#define PASSWORD_ENV "MAILFERRY_PROBE_PASSWORD"

enum { DAY = 24 * 3600, DAYS_MAX = 36500 };

struct job {
	const char *config, *file, *name, *device, *days, *user, *number;
	bool json;
	struct conf *conf;
	struct state *state;
	struct backends *backends;
	struct mf_arena *arena;
};

/* ---- add ---- */

/* What logs in at the mail server: the master user, or the account with its own password. */
static enum mf_status
log_in(const struct job *j, struct mf_login *who, struct mf_error *err)
{
	const struct mf_conf *top = conf_top(j->conf);
	enum mf_status st;

	if (eas_who_has_master(top)) {
		who->master = mf_conf_string(top, "master_user");
		who->password = mf_conf_string(top, "master_password");
	}
	st = backend_login_check(j->backends, who, err);
	return st;
}

static enum mf_status
issue(const struct job *j, const struct mf_login *who, struct mf_error *err)
{
	struct eas_password_order o = { .user = j->user, .name = j->name, .device_id = j->device };
	const char *text = NULL;
	uint32_t number = 0, days;
	enum mf_status st;

	if (j->days != NULL) {
		if (!str_to_u32(j->days, DAYS_MAX, &days) || days == 0)
			return mf_fail(
				err, MF_INVALID, "--days %s: from 1 to %d", j->days, DAYS_MAX);
		o.expires = clock_wall() + (int64_t)days * DAY;
	}
	o.account = who->master == NULL ? who->password : NULL;
	st = eas_password_issue(j->state, &o, j->arena, &text, &number, err);
	if (st != MF_OK)
		return st;
	if (j->json)
		printf("{\"number\":%u,\"password\":\"%s\"}\n", number, text);
	else
		printf("%s\n", text);
	return MF_OK;
}

static enum mf_status
add(struct job *j, struct mf_error *err)
{
	char password[MAIN_SECRET_MAX] = "";
	struct mf_login who = { .user = j->user, .password = password };
	enum mf_status st;

	if (!eas_who_has_master(conf_top(j->conf)) &&
		!main_password(j->file, PASSWORD_ENV, j->user, password))
		return mf_fail(err, MF_AUTH, "the account's password is wanted");
	st = log_in(j, &who, err);
	if (st == MF_OK)
		st = issue(j, &who, err);
	str_wipe(password, sizeof(password));
	return st;
}

/* ---- list ---- */

static const char *
day(const struct job *j, int64_t when, const char *otherwise)
{
	time_t t = (time_t)when;
	struct tm tm;

	if (when == 0)
		return otherwise;
	gmtime_r(&t, &tm);
	return mf_printf(j->arena, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

static void
print_line(const struct job *j, const struct state_password *p)
{
	printf("%-4u %s  used %-10s  expires %-10s  %-8s  device %s  %s\n", p->number,
		day(j, p->created, "-"), day(j, p->used, "never"), day(j, p->expires, "never"),
		p->sealed.len > 0 ? "sealed" : "master",
		*p->device_id == '\0' ? "-" : mf_log_value(p->device_id), mf_log_value(p->name));
}

static void
print_json(struct mf_buf *b, const struct state_password *p)
{
	mf_buf_printf(b,
		"{\"number\":%u,\"created\":%lld,\"used\":%lld,\"expires\":%lld,\"sealed\":%s,"
		"\"device\":",
		p->number, (long long)p->created, (long long)p->used, (long long)p->expires,
		p->sealed.len > 0 ? "true" : "false");
	main_json_string(b, p->device_id, strlen(p->device_id));
	mf_buf_add_str(b, ",\"name\":");
	main_json_string(b, p->name, strlen(p->name));
	mf_buf_add_str(b, "}");
}

static enum mf_status
list(struct job *j, struct mf_error *err)
{
	struct state_password *all = NULL;
	struct mf_buf out;
	size_t n = 0;
	enum mf_status st = state_passwords_load(j->state, j->user, j->arena, &all, &n, err);

	if (st != MF_OK)
		return st;
	mf_buf_init(&out, 0);
	for (size_t i = 0; i < n; i++) {
		mf_buf_add_str(&out, i == 0 ? "\n" : ",\n");
		print_json(&out, &all[i]);
		if (!j->json)
			print_line(j, &all[i]);
	}
	if (j->json)
		printf("[%s\n]\n", mf_buf_str(&out));
	mf_buf_deinit(&out);
	return MF_OK;
}

/* ---- remove ---- */

static enum mf_status
drop(struct job *j, struct mf_error *err)
{
	uint32_t number;

	if (!str_to_u32(j->number, UINT32_MAX, &number))
		return mf_fail(err, MF_INVALID, "%s: not a number of the list", j->number);
	return state_password_remove(j->state, j->user, number, err);
}

/* ---- The command ---- */

static const struct {
	const char *name;
	int operands; /* behind the name */
	enum mf_status (*run)(struct job *j, struct mf_error *err);
	const char *help;
} actions[] = {
	{ "add", 1, add, "USER         issues one and prints it: it is shown this once" },
	{ "list", 1, list, "USER         the user's, with what uses them" },
	{ "remove", 2, drop, "USER NUMBER  withdraws one: it is refused from now on" },
};

static int
usage(FILE *f, int status)
{
	fputs("usage: mailferry apppassword [options] ACTION USER [NUMBER]\n\nactions:\n", f);
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		fprintf(f, "  %-7s %s\n", actions[i].name, actions[i].help);
	fputs("\n  -c, --config FILE      the configuration (/etc/mailferry/mailferry.conf)\n"
	      "  -n, --name TEXT        what the list shall call it\n"
	      "  -d, --device ID        the only device that may use it; else the first that does\n"
	      "  -e, --days N           it expires after so many days\n"
	      "  -p, --password-file F  its first line is the account's password; else\n"
	      "                         " PASSWORD_ENV ", else a question; not asked for\n"
	      "                         where there is a master_user\n"
	      "  -j, --json             answers as JSON\n"
	      "  -h, --help             this text\n",
		f);
	return status;
}

static enum mf_status
open_all(struct job *j, struct mf_error *err)
{
	struct state_options o = { .directory =
					   mf_conf_string(conf_top(j->conf), "state_directory"),
		.readers = (unsigned)mf_conf_number(conf_top(j->conf), "state_readers") };
	enum mf_status st = eas_who_validate(conf_top(j->conf), err);

	if (st == MF_OK)
		st = state_open(&o, &j->state, err);
	if (st == MF_OK)
		st = backends_open(j->conf, &j->backends, err);
	return st;
}

static int
exit_status(enum mf_status st)
{
	switch (st) {
	case MF_OK:
		return MAIN_OK;
	case MF_AUTH:
		return MAIN_DENIED;
	case MF_TEMPORARY:
		return MAIN_TEMPORARY;
	case MF_INVALID:
		return MAIN_USAGE;
	default:
		return MAIN_FAILED;
	}
}

static int
run(struct job *j, enum mf_status (*action)(struct job *j, struct mf_error *err))
{
	struct mf_error err = { .text = "" };
	enum mf_status st;

	log_set_level(MF_LOG_ERROR);
	if (main_load(main_config_path(j->config), &j->conf, &err) != MF_OK) {
		fprintf(stderr, "mailferry apppassword: %s\n", err.text);
		return MAIN_CONFIG;
	}
	j->arena = mf_arena_new();
	st = open_all(j, &err);
	if (st == MF_OK)
		st = backend_login_map(j->backends, j->user, j->arena, &j->user, &err);
	if (st == MF_OK)
		st = action(j, &err);
	if (st != MF_OK)
		fprintf(stderr, "mailferry apppassword: %s\n", err.text);
	backends_close(j->backends);
	state_close(j->state);
	mf_arena_free(j->arena);
	conf_free(j->conf);
	return exit_status(st);
}

int
main_apppassword(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "name", required_argument, NULL, 'n' },
		{ "device", required_argument, NULL, 'd' },
		{ "days", required_argument, NULL, 'e' },
		{ "password-file", required_argument, NULL, 'p' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct job j = { .name = "", .device = "" };
	const char **const texts[] = { ['c'] = &j.config,
		['n'] = &j.name,
		['d'] = &j.device,
		['e'] = &j.days,
		['p'] = &j.file };
	int letter;

	while ((letter = getopt_long(argc, argv, "c:n:d:e:p:jh", longs, NULL)) != -1) {
		if (letter == 'h')
			return usage(stdout, MAIN_OK);
		if (letter == '?')
			return usage(stderr, MAIN_USAGE);
		if (letter == 'j')
			j.json = true;
		else
			*texts[letter] = optarg;
	}
	for (size_t i = 0; optind < argc && i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(argv[optind], actions[i].name) == 0 &&
			argc - optind == actions[i].operands + 1) {
			j.user = argv[optind + 1];
			j.number = argv[optind + actions[i].operands];
			return run(&j, actions[i].run);
		}
	return usage(stderr, MAIN_USAGE);
}
