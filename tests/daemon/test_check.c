/* `mailferry check`: what it finds, and that it changes nothing. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
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

/* The ways to log in: an issuer that is away, a master user who is none, roots that are none. */
Test(check, logins)
{
	daemon_init(&d);
	daemon_write(&d, "keys",
		"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
		"\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}");
	expect("oauth_jwks = \"/no/such\"\noauth_issuer = \"i\"\noauth_audience = {\"m\"}\n", CHECK,
		1, TEXTS("error    oauth           token: the issuer's keys cannot be had"));
	expect("oauth_introspection = \"http://127.0.0.1:1/\"\n", CHECK, 1,
		TEXTS("error    oauth           http://127.0.0.1:1/: ", "tokens for any purpose"));
	expect("oauth_jwks = \"/x\"\n", CHECK, 1, TEXTS("oauth_jwks needs oauth_issuer"));
	expect("login_map = {\"x\"}\n", CHECK, 1, TEXTS("error    logins          login_map: "));
	expect("client_certificates = \"/dev/null\"\n", CHECK, 1,
		TEXTS("error    client          /dev/null: holds no root"));
	expect("master_user = \"u\"\nmaster_password = \"secret\"\n",
		CHECK " --user u --password-file %d/password", 0,
		TEXTS("ok       memory          the master user u as u"));
	expect("master_user = \"x\"\nmaster_password = \"nothing\"\n",
		CHECK " --user u --password-file %d/password", 1,
		TEXTS("error    memory          x as u: "));
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

/* ---- A DNS server that knows two names and a service ---- */

static const struct {
	const char *name; /* labels with their lengths */
	unsigned type;
	const char *data;
	size_t len;
} zone[] = {
	{ "\14autodiscover\4good\4test", 1, "\177\0\0\1", 4 },
	{ "\15_autodiscover\4_tcp\4good\4test", 33, "\0\0\0\0\1\273\4mail\4good\4test\0", 22 },
	{ "\11localhost", 28, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16 },
};

static size_t
dns_reply(unsigned char *m, size_t len)
{
	const char *name = (const char *)m + 12;
	size_t n = strlen(name);
	unsigned type = m[12 + n + 2];

	m[2] = 0x81;
	m[3] = 0x83; /* no such name */
	len = 12 + n + 5;
	memset(m + 6, 0, 6);
	for (size_t i = 0; i < sizeof(zone) / sizeof(zone[0]); i++) {
		if (strcasecmp(zone[i].name, name) != 0)
			continue;
		m[3] = 0x80;
		if (zone[i].type != type)
			continue;
		m[7] = 1;
		memcpy(m + len, "\300\14\0\0\0\1\0\0\0\11\0", 12);
		m[len + 3] = (unsigned char)type;
		m[len + 11] = (unsigned char)zone[i].len;
		memcpy(m + len + 12, zone[i].data, zone[i].len);
		len += 12 + zone[i].len;
	}
	return len;
}

static void *
dns_run(void *ctx)
{
	int fd = *(int *)ctx;
	unsigned char m[600];
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	ssize_t n;

	while ((n = recvfrom(fd, m, sizeof(m) - 100, 0, (struct sockaddr *)&from, &from_len)) > 12)
		sendto(fd, m, dns_reply(m, (size_t)n), 0, (struct sockaddr *)&from, from_len);
	return NULL;
}

Test(check, autodiscover, .timeout = 120)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	char arguments[300], settings[200];
	pthread_t thread;

	cr_assert_eq(bind(fd, (struct sockaddr *)&in, len), 0);
	getsockname(fd, (struct sockaddr *)&in, &len);
	pthread_create(&thread, NULL, dns_run, &fd);
	daemon_init(&d);
	daemon_configure(&d, "");
	daemon_start(&d, -1);
	cr_assert(daemon_ready(&d), "%s", daemon_read(&d, "log"));
	snprintf(arguments, sizeof(arguments),
		"check --config %%d/m.conf --ca %%d/tls/ca.pem --resolver 127.0.0.1:%u "
		"--autodiscover good.test",
		(unsigned)ntohs(in.sin_port));
	snprintf(settings, sizeof(settings), "public_url = \"https://localhost:%u\"\n", d.tls_port);
	expect(settings, arguments, 1,
		TEXTS("advice   autodiscover    autodiscover.good.test. CNAME localhost.",
			"_autodiscover._tcp.good.test. SRV 0 0 ",
			"ok       autodiscover    autodiscover.good.test: 127.0.0.1",
			"server.pem does not hold autodiscover.good.test",
			"server.pem holds localhost", "ok       autodiscover    localhost: ::1",
			"error    autodiscover    https://autodiscover.good.test: ",
			"answers: {\"Protocol\":\"ActiveSync\",\"Url\":\"https://localhost:",
			"mail.good.test port 443, which is not where public_url leads"));
	strcpy(strstr(arguments, "good.test"), "none.test");
	expect("", arguments, 1,
		TEXTS("autodiscover.none.test. A (and AAAA)",
			"autodiscover.none.test has no address",
			"advice   autodiscover    _autodiscover._tcp.none.test: "));
	expect("", "check --config %d/m.conf --resolver nonsense -a good.test", 1,
		TEXTS("nonsense: not ADDRESS:PORT"));
	kill(d.pid, SIGTERM);
	cr_assert_eq(daemon_wait(&d, 10000), 0);
	d.pid = 0;
	daemon_deinit(&d);
	shutdown(fd, SHUT_RDWR);
	pthread_join(thread, NULL);
	close(fd);
}
