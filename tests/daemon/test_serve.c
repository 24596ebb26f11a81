/* The daemon from start to stop. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/un.h>

#include "daemon/daemon.h"
#include "unit/http_client.h"

#define OPTIONS                                                                \
	"OPTIONS /Microsoft-Server-ActiveSync HTTP/1.1\r\nHost: localhost\r\n" \
	"Authorization: Basic dTpzZWNyZXQ=\r\n\r\n"

static struct daemon d;
static struct client c;
static struct client_answer a;

static void
start(const char *more)
{
	daemon_init(&d);
	daemon_configure(&d, more);
	daemon_start(&d, -1);
	cr_assert(daemon_ready(&d), "%s", daemon_read(&d, "log"));
}

static void
stop(int sig)
{
	kill(d.pid, sig);
	cr_assert_eq(daemon_wait(&d, 10000), 0, "%s", daemon_read(&d, "log"));
	cr_assert_not_null(
		strstr(daemon_read(&d, "log"), "stop=done"), "%s", daemon_read(&d, "log"));
	cr_assert_null(strstr(daemon_read(&d, "log"), "secret"), "a password in the log");
	daemon_deinit(&d);
}

Test(serve, plain_and_tls)
{
	const char *out;
	char arguments[300];

	start("");
	client_open(&c, d.port);
	client_says(&c, OPTIONS);
	client_answer(&c, &a, 5000);
	cr_assert_eq(a.status, 200);
	cr_assert_str_eq(client_header(&a, "MS-ASProtocolVersions"), "12.1,14.0,14.1,16.0,16.1");
	close(c.fd);
	snprintf(arguments, sizeof(arguments),
		"probe https://localhost:%u --user u --password-file %%d/password --ca "
		"%%d/tls/ca.pem folders",
		d.tls_port);
	cr_assert_eq(daemon_run(&d, arguments, &out), 0, "%s", out);
	cr_assert_not_null(strstr(out, "Inbox"), "%s", out);
	/* old protocols are not spoken, and no certificate is made up */
	snprintf(arguments, sizeof(arguments),
		"probe https://localhost:%u --user u --password-file %%d/password folders",
		d.tls_port);
	cr_assert_neq(daemon_run(&d, arguments, &out), 0);
	stop(SIGTERM);
}

/* Rows of text that no client should send over TLS: nothing breaks, others are served. */
Test(serve, garbage_on_tls)
{
	static const char *const garbage[] = { "GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\xff\xff\x01",
		"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03", "" };
	const char *out;
	char arguments[300];

	start("");
	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
		client_open(&c, d.tls_port);
		client_says(&c, garbage[i]);
		shutdown(c.fd, SHUT_WR);
		cr_assert(client_closed(&c, 5000), "garbage %zu", i);
		close(c.fd);
	}
	snprintf(arguments, sizeof(arguments),
		"probe https://localhost:%u --user u --password-file %%d/password --ca "
		"%%d/tls/ca.pem folders",
		d.tls_port);
	cr_assert_eq(daemon_run(&d, arguments, &out), 0, "%s", out);
	stop(SIGINT);
}

static _Atomic bool enough;
static _Atomic int answered, broken;

static void *
hammer(void *arg)
{
	static _Thread_local struct client mine;
	static _Thread_local struct client_answer answer;

	(void)arg;
	while (!enough) {
		client_open(&mine, d.port);
		if (mine.fd < 0)
			break;
		/* one request a connection: what was accepted must be answered */
		client_says(&mine, OPTIONS);
		client_answer(&mine, &answer, 5000);
		answered += answer.status == 200;
		broken += answer.status != 200 && answer.status != 0;
		close(mine.fd);
	}
	return NULL;
}

Test(serve, stops_under_load)
{
	pthread_t threads[6];

	start("log_level = warning\nstop_timeout = 8s\n");
	for (int i = 0; i < 6; i++)
		pthread_create(&threads[i], NULL, hammer, NULL);
	usleep(700000);
	kill(d.pid, SIGTERM);
	cr_assert_eq(daemon_wait(&d, 10000), 0, "%s", daemon_read(&d, "log"));
	enough = true;
	for (int i = 0; i < 6; i++)
		pthread_join(threads[i], NULL);
	cr_assert_gt(answered, 20);
	cr_assert_eq(broken, 0);
	cr_assert_str_eq(daemon_read(&d, "log"), "", "a stop is no reason for warnings");
	daemon_start(&d, -1); /* and again with the same state */
	cr_assert(daemon_ready(&d));
	daemon_deinit(&d);
}

Test(serve, tells_systemd)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct timeval patience = { 10, 0 };
	char text[100] = "";
	const char *log;

	daemon_init(&d);
	daemon_configure(&d, "");
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/notify", d.dir);
	cr_assert_eq(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setenv("NOTIFY_SOCKET", sun.sun_path, 1);
	setenv("WATCHDOG_USEC", "400000", 1); /* for any process: WATCHDOG_PID is not set */
	daemon_start(&d, -1);
	unsetenv("WATCHDOG_USEC");
	cr_assert_gt(recv(fd, text, sizeof(text) - 1, 0), 0);
	cr_assert_str_eq(text, "READY=1");
	cr_assert_geq(client_connect(d.port), 0, "ready means ready");
	for (int i = 0; i < 3; i++) { /* it says that it lives, again and again */
		memset(text, 0, sizeof(text));
		cr_assert_gt(recv(fd, text, sizeof(text) - 1, 0), 0);
		cr_assert_str_eq(text, "WATCHDOG=1");
	}
	kill(d.pid, SIGHUP);
	kill(d.pid, SIGUSR1);
	usleep(300000);
	log = daemon_read(&d, "log");
	cr_assert_not_null(strstr(log, "stats connections="), "%s", log);
	cr_assert_not_null(strstr(log, "signal=HUP"), "%s", log);
	kill(d.pid, SIGTERM);
	do {
		memset(text, 0, sizeof(text));
		cr_assert_gt(recv(fd, text, sizeof(text) - 1, 0), 0);
	} while (strcmp(text, "WATCHDOG=1") == 0);
	cr_assert_str_eq(text, "STOPPING=1");
	cr_assert_eq(daemon_wait(&d, 10000), 0);
	daemon_deinit(&d);
	close(fd);
}

Test(serve, takes_sockets_from_systemd)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert_eq(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	cr_assert_eq(listen(fd, 100), 0);
	getsockname(fd, (struct sockaddr *)&in, &len);
	daemon_init(&d);
	daemon_configure(&d, "");
	daemon_start(&d, fd);
	client_open(&c, ntohs(in.sin_port)); /* before it is ready: nothing is lost */
	client_says(&c, OPTIONS);
	client_answer(&c, &a, 10000);
	cr_assert_eq(a.status, 200, "%s", daemon_read(&d, "log"));
	cr_assert_lt(client_connect(d.port), 0, "instead of those in the configuration");
	close(c.fd);
	stop(SIGTERM);
	close(fd);
}

Test(serve, one_daemon_a_state)
{
	char text[300];
	const char *out;

	start("");
	cr_assert_eq(daemon_run(&d, "serve --config %d/m.conf", &out), 78, "%s", out);
	cr_assert_not_null(strstr(out, "already in use"), "%s", out);
	snprintf(text, sizeof(text),
		"listen = {\"127.0.0.1:0\"}\nbackends = {\"memory\"}\nstate_directory = "
		"\"%s/state\"\n",
		d.dir);
	daemon_write(&d, "second.conf", text);
	cr_assert_eq(daemon_run(&d, "serve --config %d/second.conf", &out), 1, "%s", out);
	cr_assert_not_null(strstr(out, "another mailferry"), "%s", out);
	stop(SIGTERM);
}

Test(serve, wrong_starts)
{
	static const struct {
		const char *what, *settings;
		int status;
		const char *why;
	} cases[] = {
		{ "unknown setting", "lisen = {}\n", 78, "m.conf:9: no such option 'lisen'" },
		{ "range", "workers = 0\n", 78, "m.conf:9: workers must be 1 to 4096" },
		{ "include", "include(\"tls.conf\")\n", 78, "cannot include tls.conf" },
		{ "no such directory", "spool_directory = \"/no/such\"\n", 78, "/no/such" },
		{ "priorities", "tls_priorities = \"NONSENSE\"\n", 78, "tls_priorities" },
		{ "proxy", "trusted_proxies = {\"proxy\"}\n", 78, "trusted_proxies" },
	};
	const char *out;

	daemon_init(&d);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		daemon_configure(&d, cases[i].settings);
		cr_assert_eq(daemon_run(&d, "serve --config %d/m.conf", &out), cases[i].status,
			"%s: %s", cases[i].what, out);
		cr_assert_not_null(strstr(out, cases[i].why), "%s: %s", cases[i].what, out);
	}
	cr_assert_eq(daemon_run(&d, "serve --config /no/such", &out), 78);
	cr_assert_not_null(strstr(out, "/no/such: No such file"), "%s", out);
	cr_assert_eq(daemon_run(&d, "serve --nonsense", &out), 64);
	cr_assert_eq(daemon_run(&d, "serve more", &out), 64);
	cr_assert_eq(daemon_run(&d, "nonsense", &out), 64);
	cr_assert_eq(daemon_run(&d, "", &out), 64);
	cr_assert_eq(daemon_run(&d, "help", &out), 0);
	cr_assert_eq(daemon_run(&d, "version", &out), 0);
	daemon_deinit(&d);
}

/* The subject of the certificate that the daemon shows. */
static const char *
shown_subject(void)
{
	char command[400];

	snprintf(command, sizeof(command),
		"echo | openssl s_client -connect 127.0.0.1:%u 2>/dev/null | grep -m1 '^subject' "
		"> %s/subject || true",
		d.tls_port, d.dir);
	cr_assert_eq(system(command), 0);
	return daemon_read(&d, "subject");
}

static void
new_certificate(const char *name)
{
	char command[600];

	snprintf(command, sizeof(command),
		"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
		"-subj /CN=%s -keyout %s/tls/server.key -out %s/tls/server.pem 2>/dev/null",
		name, d.dir, d.dir);
	cr_assert_eq(system(command), 0);
}

/* SIGHUP brings in a new certificate; rubbish in its place changes nothing. */
Test(serve, certificate_reloaded, .timeout = 60)
{
	daemon_init(&d);
	daemon_configure(&d, "");
	daemon_start(&d, -1);
	cr_assert(daemon_ready(&d), "%s", daemon_read(&d, "log"));
	new_certificate("second.example.org");
	cr_assert_null(strstr(shown_subject(), "second.example.org"), "not asked for yet");
	kill(d.pid, SIGHUP);
	usleep(300000);
	cr_assert_not_null(
		strstr(shown_subject(), "second.example.org"), "%s", daemon_read(&d, "log"));
	daemon_write(&d, "tls/server.pem", "rubbish\n");
	kill(d.pid, SIGHUP);
	usleep(300000);
	cr_assert_not_null(
		strstr(shown_subject(), "second.example.org"), "%s", daemon_read(&d, "log"));
	cr_assert_not_null(strstr(daemon_read(&d, "log"), "reloaded=nothing"));
	kill(d.pid, SIGTERM);
	cr_assert_eq(daemon_wait(&d, 10000), 0);
	daemon_deinit(&d);
}

/* What a scanner of the port sees: versions and ciphers of today, and nothing older. */
Test(serve, tls_of_today, .timeout = 60)
{
	static const struct {
		const char *options;
		bool taken;
	} cases[] = {
		{ "-tls1_3", true },
		{ "-tls1_2", true },
		{ "-tls1_2 -cipher ECDHE+AESGCM", true },
		{ "-tls1_2 -cipher ECDHE+CHACHA20", true },
		{ "-tls1_1 -cipher ALL:@SECLEVEL=0", false },
		{ "-tls1 -cipher ALL:@SECLEVEL=0", false },
		{ "-tls1_2 -cipher ECDHE+AES:!AESGCM:!AESCCM", false }, /* CBC */
		{ "-tls1_2 -cipher kRSA", false },
		{ "-tls1_2 -cipher DHE:!ECDHE", false },
		{ "-tls1_3 -groups X25519", true },
		{ "-tls1_3 -groups P-256", true },
		{ "-tls1_3 -groups ffdhe2048", false }, /* costs the server more than the client */
		{ "-tls1_3 -groups ffdhe8192", false },
	};
	char command[400];

	start("");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(command, sizeof(command),
			"echo | timeout 20 openssl s_client %s -connect 127.0.0.1:%u 2>&1 | "
			"grep -q 'BEGIN CERTIFICATE'",
			cases[i].options, d.tls_port);
		cr_assert_eq(system(command) == 0, cases[i].taken, "%s", cases[i].options);
	}
	stop(SIGTERM);
}

/* A client that wants another handshake within a connection (which would cost the server more than itself) is hung
 * up on. */
Test(serve, no_renegotiation, .timeout = 60)
{
	char command[400];

	start("");
	snprintf(command, sizeof(command),
		"(sleep 1; echo R; sleep 2; printf 'GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'; "
		"sleep 2) | "
		"timeout 20 openssl s_client -tls1_2 -connect 127.0.0.1:%u > %s/reneg 2>&1",
		d.tls_port, d.dir);
	cr_assert(system(command) != -1);
	cr_assert_not_null(
		strstr(daemon_read(&d, "reneg"), "RENEGOTIATING"), "%s", daemon_read(&d, "reneg"));
	cr_assert_null(
		strstr(daemon_read(&d, "reneg"), "HTTP/1.1"), "%s", daemon_read(&d, "reneg"));
	stop(SIGTERM);
}

/* What an administrator decides, beside the running daemon. */
Test(serve, devices, .timeout = 60)
{
	static const struct {
		const char *arguments;
		int status;
		const char *has;
	} steps[] = {
		{ "device -c %d/m.conf list nobody", 1, "never seen" },
		{ "device -c %d/m.conf block u DEV1", 0, "" },
		{ "device -c %d/m.conf wipe u DEV1", 77, "remote_wipe = no" },
		{ "device -c %d/wipe.conf wipe u DEV1", 64, "--confirm DEV1" },
		{ "device -c %d/wipe.conf --confirm DEV2 wipe u DEV1", 64, "--confirm DEV1" },
		{ "device -c %d/wipe.conf --confirm DEV1 wipe u DEV1", 0, "" },
		{ "device -c %d/m.conf unwipe u DEV1", 0, "" },
		{ "device -c %d/m.conf reset u DEV1", 0, "" },
		{ "device -c %d/m.conf forget u DEV1", 1, "mailferry device:" },
		{ "device -c %d/m.conf nonsense u", 64, "usage:" },
		{ "device --help", 0, "actions:" },
	};
	const char *out;
	char text[300];

	daemon_init(&d);
	daemon_configure(&d, "");
	snprintf(text, sizeof(text),
		"state_directory = \"%s/state\"\nbackends = {\"memory\"}\nremote_wipe = device\n",
		d.dir);
	daemon_write(&d, "wipe.conf", text);
	daemon_start(&d, -1);
	cr_assert(daemon_ready(&d), "%s", daemon_read(&d, "log"));
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		cr_assert_eq(daemon_run(&d, steps[i].arguments, &out), steps[i].status, "%s: %s",
			steps[i].arguments, out);
		cr_assert_not_null(strstr(out, steps[i].has), "%s: %s", steps[i].arguments, out);
	}
	kill(d.pid, SIGTERM);
	cr_assert_eq(daemon_wait(&d, 10000), 0);
	daemon_deinit(&d);
}

/* Application passwords and profiles from the command line, beside the running daemon. */
Test(serve, application_passwords, .timeout = 120)
{
	static const struct {
		const char *arguments;
		int status;
		const char *has;
	} steps[] = {
		{ "apppassword -c %d/m.conf -p %d/wrong add u", 77, "mailferry apppassword:" },
		{ "apppassword -c %d/m.conf -p %d/password --days 0 add u", 64, "--days 0" },
		{ "apppassword -c %d/m.conf -p %d/password -n phone -d DEV1 --days 30 add u", 0,
			"-" },
		{ "apppassword -c %d/m.conf list u", 0, "device DEV1  phone" },
		{ "apppassword -c %d/m.conf --json list u", 0,
			"\"sealed\":true,\"device\":\"DEV1\",\"name\":\"phone\"}" },
		{ "apppassword -c %d/m.conf list nobody", 0, "" },
		{ "apppassword -c %d/m.conf remove u 7", 1, "no application password 7" },
		{ "apppassword -c %d/m.conf remove u x", 64, "not a number" },
		{ "apppassword -c %d/m.conf remove u 1", 0, "" },
		{ "apppassword -c %d/m.conf -p %d/password --json add u", 0,
			"{\"number\":2,\"password\":\"" },
		{ "apppassword -c %d/m.conf nonsense u", 64, "usage:" },
		{ "apppassword --help", 0, "actions:" },
		{ "profile -c %d/m.conf u", 64, "public_url" },
		{ "profile -c %d/m.conf --url https://m.example u", 64, "--address" },
		{ "profile -c %d/m.conf --url https://m.example -a u@m.example u", 0,
			"<key>Host</key><string>m.example</string>" },
		{ "profile -c %d/m.conf --url https://m.example -p %d/password u@m.example", 0,
			"<key>Password</key><string>secret</string>" },
		{ "profile -c %d/m.conf --json --url https://m.example -a u@m.example u", 0,
			"{\"profile\":\"<?xml" },
		{ "profile --help", 0, "usage:" },
		{ "profile", 64, "usage:" },
	};
	const char *out;

	daemon_init(&d);
	daemon_configure(&d, "");
	daemon_write(&d, "wrong", "wrong\n");
	daemon_start(&d, -1);
	cr_assert(daemon_ready(&d), "%s", daemon_read(&d, "log"));
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		cr_assert_eq(daemon_run(&d, steps[i].arguments, &out), steps[i].status, "%s: %s",
			steps[i].arguments, out);
		cr_assert_not_null(strstr(out, steps[i].has), "%s: %s", steps[i].arguments, out);
	}
	kill(d.pid, SIGTERM);
	cr_assert_eq(daemon_wait(&d, 10000), 0);
	daemon_deinit(&d);
}

/* "Uid:\t65534\t65534..." and the like, of the running daemon. */
static const char *
status_line(const char *name)
{
	static char line[300];
	char path[60];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)d.pid);
	f = fopen(path, "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, name, strlen(name)) == 0)
			break;
	if (f != NULL)
		fclose(f);
	return line;
}

/* Started as root it becomes somebody else, for good, and still has its certificate and its port. */
Test(serve, gives_up_root, .timeout = 120)
{
	char command[300], path[60];
	const char *options = getenv("ASAN_OPTIONS");
	const char *out;

	if (geteuid() != 0)
		cr_skip_test("not root");
	daemon_init(&d);
	snprintf(command, sizeof(command), "chmod 711 %s && chmod 700 %s/tls", d.dir, d.dir);
	cr_assert_eq(system(command), 0);
	daemon_configure(&d, "run_as = \"nobody\"\nspool_directory = \"/tmp\"\n");
	/* The leak checker cannot look at a process that gave up its rights. */
	snprintf(command, sizeof(command), "%s%sdetect_leaks=0", options == NULL ? "" : options,
		options == NULL ? "" : ":");
	setenv("ASAN_OPTIONS", command, 1);
	daemon_start(&d, -1);
	/* The port is bound while it is still root's. */
	for (int i = 0; i < 400 && strstr(daemon_read(&d, "log"), "start=done") == NULL; i++)
		usleep(50000);
	cr_assert_not_null(
		strstr(daemon_read(&d, "log"), "start=done"), "%s", daemon_read(&d, "log"));
	cr_assert_str_eq(status_line("Uid:"), "Uid:\t65534\t65534\t65534\t65534\n");
	cr_assert_str_eq(status_line("Gid:"), "Gid:\t65534\t65534\t65534\t65534\n");
	cr_assert_null(strstr(status_line("Groups:"), "\t0 "), "%s", status_line("Groups:"));
	cr_assert_str_eq(status_line("CapEff:"), "CapEff:\t0000000000000000\n");
	cr_assert_str_eq(status_line("NoNewPrivs:"), "NoNewPrivs:\t1\n");
	snprintf(path, sizeof(path), "/proc/%d/limits", (int)d.pid);
	snprintf(command, sizeof(command), "grep -q 'Max core file size  *0  *0 ' %s", path);
	cr_assert_eq(system(command), 0);
	cr_assert_not_null(strstr(shown_subject(), "CN"), "HTTPS works");
	/* Keys that root alone can read are read again all the same; rubbish is told, and changes nothing. */
	new_certificate("third.example.org");
	kill(d.pid, SIGHUP);
	for (int i = 0; i < 200 && strstr(daemon_read(&d, "log"), "reloaded=cert") == NULL; i++)
		usleep(50000);
	cr_assert_not_null(
		strstr(shown_subject(), "third.example.org"), "%s", daemon_read(&d, "log"));
	daemon_write(&d, "tls/server.key", "rubbish\n");
	kill(d.pid, SIGHUP);
	for (int i = 0; i < 200 && strstr(daemon_read(&d, "log"), "reloaded=nothing") == NULL; i++)
		usleep(50000);
	cr_assert_not_null(strstr(daemon_read(&d, "log"), "holds no key"));
	snprintf(command, sizeof(command), "rm %s/tls/server.key", d.dir);
	cr_assert_eq(system(command), 0);
	kill(d.pid, SIGHUP);
	for (int i = 0; i < 200 && strstr(daemon_read(&d, "log"), "No such file") == NULL; i++)
		usleep(50000);
	cr_assert_not_null(strstr(daemon_read(&d, "log"), "No such file"));
	cr_assert_not_null(strstr(shown_subject(), "third.example.org"), "the former still shows");
	kill(d.pid, SIGTERM);
	cr_assert_eq(daemon_wait(&d, 10000), 0, "%s", daemon_read(&d, "log"));
	new_certificate("fourth.example.org");
	daemon_configure(&d, "run_as = \"no-such-user\"\n");
	cr_assert_eq(daemon_run(&d, "serve --config %d/m.conf", &out), 78, "%s", out);
	cr_assert_not_null(strstr(out, "no user no-such-user"), "%s", out);
	daemon_deinit(&d);
}
