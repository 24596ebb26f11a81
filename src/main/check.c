/*
 * `mailferry check`: is this configuration good, from end to end? It changes nothing: it makes no
 * directory, listens nowhere and sends no mail. Each finding is a line (or a JSON object) with what
 * to do about it; the exit status is 0 when nothing is an error.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "eas/access.h"
#include "eas/policy.h"
#include "main/check.h"
#include "main/commands.h"
#include "main/json.h"
#include "main/load.h"
#include "main/password.h"
#include "main/tool.h"
#include "page/page.h"

#define PASSWORD_ENV "MAILFERRY_PROBE_PASSWORD"

void
check_say(struct check *c, enum check_result result, const char *what, const char *fmt, ...)
{
	static const char *const names[] = { "ok", "advice", "warning", "error" };
	char text[800];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->errors += result == CHECK_ERROR;
	if (!c->json) {
		mf_buf_printf(&c->out, "%-8s %-15s %s\n", names[result], what, text);
		return;
	}
	mf_buf_printf(&c->out,
		"%s\n{\"result\":\"%s\",\"what\":\"%s\",\"text\":", c->findings++ == 0 ? "" : ",",
		names[result], what);
	main_json_string(&c->out, text, strlen(text));
	mf_buf_add_str(&c->out, "}");
}

static void
check_policies(struct check *c)
{
	struct eas_policies *p = NULL;
	struct mf_error err = { .text = "" };

	if (eas_policies_open(c->conf, &p, &err) != MF_OK)
		check_say(c, CHECK_ERROR, "policy", "%s", err.text);
	if (eas_access_validate(conf_top(c->conf), &err) != MF_OK)
		check_say(c, CHECK_ERROR, "access", "%s", err.text);
	if (page_validate(conf_top(c->conf), &err) != MF_OK)
		check_say(c, CHECK_ERROR, "pages", "%s", err.text);
	eas_policies_free(p);
}

/* Everything after the configuration itself, in the order in which serve needs it. */
static void
check_all(struct check *c)
{
	check_tls(c);
	check_listen(c);
	check_directories(c);
	check_limits(c);
	check_logins(c);
	check_backends(c);
	if (c->autodiscover != NULL)
		check_autodiscover(c);
}

static void
check(struct check *c, const char *path)
{
	struct mf_error err = { .text = "" };
	struct conf *conf = NULL;

	log_set_level(MF_LOG_ERROR);
	if (main_load(path, &conf, &err) == MF_OK) {
		c->conf = conf;
		check_say(c, CHECK_OK, "configuration", "%s",
			path == NULL ? "from the environment alone" : path);
		check_policies(c);
		check_all(c);
	} else {
		check_say(c, CHECK_ERROR, "configuration", "%s", err.text);
	}
	conf_free(conf);
}

static int
print_defaults(struct tool *t)
{
	struct conf_table tables[MAIN_TABLES_MAX];

	main_tables(tables);
	conf_print_defaults(&t->out, tables);
	return MAIN_OK;
}

static int
run(struct tool *t)
{
	char password[MAIN_SECRET_MAX] = "";
	struct check c = { .user = tool_option(t, 'u'),
		.password = password,
		.autodiscover = tool_option(t, 'a'),
		.resolver = tool_option(t, 'r'),
		.ca_file = tool_option(t, 'k'),
		.json = t->json };

	if (tool_option(t, 'd') != NULL)
		return print_defaults(t);
	if (c.user != NULL && !main_password(tool_option(t, 'p'), PASSWORD_ENV, c.user, password))
		return MAIN_USAGE;
	mf_buf_init(&c.out, 0);
	check(&c, main_config_path(t->config));
	if (c.json)
		mf_buf_printf(&t->out, "{\"errors\":%u,\"findings\":[%s\n]}\n", c.errors,
			mf_buf_str(&c.out));
	else
		mf_buf_add_str(&t->out, mf_buf_str(&c.out));
	mf_buf_deinit(&c.out);
	str_wipe(password, sizeof(password));
	return c.errors == 0 ? MAIN_OK : MAIN_FAILED;
}

int
main_check(int argc, char **argv)
{
	static const struct tool_action actions[] = {
		{ .operands = "",
			.run = run,
			.help = "is this configuration good, from end to end? Changes nothing",
			.without = TOOL_WITHOUT_CONF },
		{ 0 },
	};
	static const struct tool_option options[] = {
		{ 'u', "user", "USER", "logs in to the backends as this user" },
		{ 'p', "password-file", "F", "its first line is the password" },
		{ 'a', "autodiscover", "DOMAIN",
			"the DNS records of a domain, and what they lead to" },
		{ 'r', "resolver", "A:PORT", "asks this DNS server, not the system's" },
		{ 'k', "ca", "FILE", "roots for what answers by HTTPS, not the system's" },
		{ 'd', "defaults", NULL, "prints all settings with their defaults, and ends" },
		{ 0 },
	};
	static const struct tool_command command = { "check", actions, options,
		"Without --password-file " PASSWORD_ENV " is the password, or it is asked for.\n"
		"exit status: 0 no errors, 1 errors, 64 wrong arguments" };

	return tool_main(&command, argc, argv);
}
