/* `mailferry check`: what it finds, and that it changes nothing. */
#include <criterion/criterion.h>
#include <signal.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "unit/http_client.h"

static struct daemon d;

static void
expect(const char *settings, const char *arguments, int status, const char *const *texts)
{
	const char *out;

	daemon_configure(&d, settings);
	cr_assert_eq(daemon_run(&d, arguments, &out), status, "%s", out);
	for (; *texts != NULL; texts++)
		cr_assert_not_null(strstr(out, *texts), "no \"%s\" in: %s", *texts, out);
	cr_assert_null(strstr(out, "secret"), "%s", out);
}

#define CHECK	   "check --config %d/m.conf"
#define TEXTS(...) ((const char *const[]){ __VA_ARGS__, NULL })

Test(check, good)
{
	char path[100];

	daemon_init(&d);
	expect("", CHECK, 0,
		TEXTS("ok       configuration", "ok       certificate     ", "localhost", "HTTPS",
			"will be made", "advice   login"));
	snprintf(path, sizeof(path), "%s/state", d.dir);
	cr_assert_neq(access(path, F_OK), 0, "check makes nothing");
	expect("", CHECK " --user u --password-file %d/password", 0,
		TEXTS("login as u", " folders"));
	expect("", CHECK " --json", 0, TEXTS("{\"errors\":0,\"findings\":[", "\"result\":\"ok\""));
	daemon_deinit(&d);
}

Test(check, bad)
{
	daemon_init(&d);
	daemon_write(&d, "file", "");
	daemon_write(&d, "wrong", "wrong\n");
	expect("nonsense = 1\n", CHECK, 1, TEXTS("error    configuration", "m.conf:9:"));
	expect("nonsense = 1\n", CHECK " --json", 1, TEXTS("{\"errors\":1,"));
	expect("spool_directory = \"/no/such\"\n", CHECK, 1, TEXTS("error    spool"));
	expect("heartbeat_min = 59m\nheartbeat_max = 60s\n", CHECK, 1,
		TEXTS("heartbeat_min is above"));
	expect("", CHECK " --user u --password-file %d/wrong", 1, TEXTS("error    memory"));
	expect("", CHECK " --user u --password-file %d/missing", 64,
		TEXTS("missing: No such file"));
	expect("", CHECK " more", 64, TEXTS("usage:"));
	daemon_deinit(&d);
}

Test(check, certificates)
{
	static const struct {
		const char *certificate, *key, *text;
		int status;
	} cases[] = {
		{ "server.pem", "server.key", "ok       certificate", 0 },
		{ "expired.pem", "expired.key", "expired on 20", 1 },
		{ "server.pem", "name.key", "is not the key of", 1 },
		{ "server.key", "server.key", "holds no certificate", 1 },
		{ "server.pem", "server.pem", "holds no key", 1 },
		{ "missing", "server.key", "No such file", 1 },
	};
	char text[600];
	const char *out;

	daemon_init(&d);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text),
			"listen_tls = {\"127.0.0.1:1\"}\nbackends = {\"memory\"}\n"
			"state_directory = \"%s/state\"\n"
			"tls_certificate = \"%s/tls/%s\"\ntls_key = \"%s/tls/%s\"\n",
			d.dir, d.dir, cases[i].certificate, d.dir, cases[i].key);
		daemon_write(&d, "m.conf", text);
		cr_assert_eq(
			daemon_run(&d, CHECK, &out), cases[i].status, "%s: %s", cases[i].text, out);
		cr_assert_not_null(strstr(out, cases[i].text), "%s: %s", cases[i].text, out);
	}
	daemon_deinit(&d);
}

/* The defaults are a configuration that loads. */
Test(check, defaults)
{
	const char *out;

	daemon_init(&d);
	cr_assert_eq(daemon_run(&d, "check --defaults", &out), 0);
	daemon_write(&d, "defaults.conf", out);
	setenv("MAILFERRY_BACKENDS", "memory", 1);
	setenv("MAILFERRY_STATE_DIRECTORY", d.dir, 1);
	cr_assert_eq(daemon_run(&d, "check --config %d/defaults.conf", &out), 0, "%s", out);
	setenv("MAILFERRY_WORKERS", "many", 1);
	cr_assert_eq(daemon_run(&d, "check --config %d/defaults.conf", &out), 1);
	cr_assert_not_null(strstr(out, "MAILFERRY_WORKERS must be a whole number"), "%s", out);
	daemon_deinit(&d);
}
