/*
 * `mailferry check`: is this configuration good, from end to end? It changes nothing: it makes no
 * directory, listens nowhere and sends no mail. Each finding is a line (or a JSON object) with what
 * to do about it; the exit status is 0 when nothing is an error.
 */
#include <getopt.h>
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

static int
check(struct check *c, const char *path)
{
	struct mf_error err = { .text = "" };
	struct conf *conf = NULL;

	log_set_level(MF_LOG_ERROR);
	mf_buf_init(&c->out, 0);
	if (main_load(path, &conf, &err) == MF_OK) {
		c->conf = conf;
		check_say(c, CHECK_OK, "configuration", "%s",
			path == NULL ? "from the environment alone" : path);
		check_policies(c);
		check_all(c);
	} else {
		check_say(c, CHECK_ERROR, "configuration", "%s", err.text);
	}
	if (c->json)
		printf("{\"errors\":%u,\"findings\":[%s\n]}\n", c->errors, mf_buf_str(&c->out));
	else
		fputs(mf_buf_str(&c->out), stdout);
	mf_buf_deinit(&c->out);
	conf_free(conf);
	return c->errors == 0 ? MAIN_OK : MAIN_FAILED;
}

static int
print_defaults(void)
{
	struct conf_table tables[MAIN_TABLES_MAX];
	struct mf_buf out;

	main_tables(tables);
	mf_buf_init(&out, 0);
	conf_print_defaults(&out, tables);
	fputs(mf_buf_str(&out), stdout);
	mf_buf_deinit(&out);
	return MAIN_OK;
}

static int
usage(FILE *f, int status)
{
	fputs("usage: mailferry check [options]\n\n"
	      "  -c, --config FILE      the configuration (/etc/mailferry/mailferry.conf)\n"
	      "  -u, --user USER        logs in to the backends as this user\n"
	      "  -p, --password-file F  its first line is the password; else " PASSWORD_ENV
	      ",\n                         else a question\n"
	      "  -a, --autodiscover D   the DNS records that phones of the domain D need, whether\n"
	      "                         they are there, and whether what they lead to answers\n"
	      "      --resolver A:PORT  asks this DNS server, not the system's\n"
	      "      --ca FILE          roots for what answers by HTTPS, not the system's\n"
	      "  -j, --json             findings as JSON\n"
	      "  -d, --defaults         prints all settings with their defaults, and ends\n"
	      "  -h, --help             this text\n\n"
	      "exit status: 0 no errors, 1 errors, 64 wrong arguments\n",
		f);
	return status;
}

int
main_check(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "user", required_argument, NULL, 'u' },
		{ "password-file", required_argument, NULL, 'p' },
		{ "autodiscover", required_argument, NULL, 'a' },
		{ "resolver", required_argument, NULL, 'r' },
		{ "ca", required_argument, NULL, 'C' },
		{ "json", no_argument, NULL, 'j' },
		{ "defaults", no_argument, NULL, 'd' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct check c = { .conf = NULL };
	const char *path = NULL, *file = NULL;
	char password[MAIN_SECRET_MAX];
	int letter, status;

	while ((letter = getopt_long(argc, argv, "c:u:p:a:jdh", longs, NULL)) != -1) {
		switch (letter) {
		case 'c':
			path = optarg;
			break;
		case 'u':
			c.user = optarg;
			break;
		case 'p':
			file = optarg;
			break;
		case 'a':
			c.autodiscover = optarg;
			break;
		case 'r':
			c.resolver = optarg;
			break;
		case 'C':
			c.ca_file = optarg;
			break;
		case 'j':
			c.json = true;
			break;
		case 'd':
			return print_defaults();
		case 'h':
			return usage(stdout, MAIN_OK);
		default:
			return usage(stderr, MAIN_USAGE);
		}
	}
	if (optind < argc)
		return usage(stderr, MAIN_USAGE);
	if (c.user != NULL && !main_password(file, PASSWORD_ENV, c.user, password))
		return MAIN_USAGE;
	c.password = password;
	status = check(&c, main_config_path(path));
	str_wipe(password, sizeof(password));
	return status;
}
