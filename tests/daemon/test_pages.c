/* The pages by HTTP: who may see them, forms and their tokens, hostile names, limits. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "daemon/daemon.h"
#include "unit/http_client.h"

static struct daemon d;
static struct client_answer a;
static unsigned admin, self;
static char cookie[200], token[100];

/* The daemon with both pages, and two devices of u, one with a hostile type. */
static void
start(const char *more)
{
	static const char *const devices[] = { "--device D1 --type iPhone",
		"--device D2 --type <i>\"'&" };
	char text[1000], arguments[400];
	const char *out;

	daemon_init(&d);
	admin = d.more[0];
	self = d.more[1];
	setenv("MAILFERRY_NEW_PASSWORD", "administer", 1);
	cr_assert_eq(daemon_run(&d, "password", &out), 0, "%s", out);
	snprintf(text, sizeof(text), "%.*s\n", (int)strcspn(out, "\n"), out);
	daemon_write(&d, "hash", text);
	snprintf(text, sizeof(text),
		"admin_listen = {\"127.0.0.1:%u\"}\nself_listen = {\"127.0.0.1:%u\"}\n"
		"admin_password = \"<%s/hash\"\nlogins = {\"password\", \"application\"}\n%s",
		admin, self, d.dir, more);
	daemon_configure(&d, text);
	daemon_start(&d, -1);
	cr_assert(daemon_ready(&d), "%s", daemon_read(&d, "log"));
	for (size_t i = 0; i < 2; i++) {
		snprintf(arguments, sizeof(arguments),
			"probe http://127.0.0.1:%u --user u --password-file %%d/password %s "
			"folders",
			d.port, devices[i]);
		cr_assert_eq(daemon_run(&d, arguments, &out), 0, "%s", out);
	}
	cookie[0] = token[0] = '\0';
}

static void
stop(void)
{
	kill(d.pid, SIGTERM);
	cr_assert_eq(daemon_wait(&d, 10000), 0, "%s", daemon_read(&d, "log"));
	cr_assert_null(strstr(daemon_read(&d, "log"), "administer "), "a password in the log");
	cr_assert_null(strstr(daemon_read(&d, "log"), "secret"), "a password in the log");
	daemon_deinit(&d);
}

static void
ask(unsigned port, const char *method, const char *path, const char *headers, const char *body)
{
	static struct client c;
	char text[4000];

	client_open(&c, port);
	cr_assert_geq(c.fd, 0, "%u", port);
	snprintf(text, sizeof(text),
		"%s %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nCookie: %s\r\n%sContent-Length: "
		"%zu\r\n\r\n%s",
		method, path, port, cookie, headers, strlen(body), body);
	client_says(&c, text);
	client_answer(&c, &a, 20000);
	close(c.fd);
}

static void
take_cookie(void)
{
	const char *set = client_header(&a, "Set-Cookie");

	cr_assert_not_null(set, "%s", a.header);
	cr_assert_not_null(strstr(set, "HttpOnly; SameSite=Strict"), "%s", set);
	snprintf(cookie, sizeof(cookie), "%.*s", (int)strcspn(set, ";"), set);
}

static void
take_token(void)
{
	static const char before[] = "name=\"token\" value=\"";
	const char *at = strstr(a.body, before);

	cr_assert_not_null(at, "%s", a.body);
	snprintf(token, sizeof(token), "%.64s", at + strlen(before));
}

static bool
shows(const char *text)
{
	return strstr(a.body, text) != NULL;
}

/* A form with the token. */
static void
post(unsigned port, const char *path, const char *fields)
{
	char body[1000];

	snprintf(body, sizeof(body), "token=%s&%s", token, fields);
	ask(port, "POST", path, "", body);
}

static void
log_in_admin(void)
{
	ask(admin, "POST", "/login", "", "password=administer");
	cr_assert_eq(a.status, 303, "%d", a.status);
	take_cookie();
	ask(admin, "GET", "/", "", "");
	cr_assert_eq(a.status, 200);
	take_token();
}

Test(pages, who_may_see_what, .timeout = 90)
{
	static const char *const paths[] = { "/", "/users", "/user?name=u",
		"/device?user=u&id=D1" };
	static const struct {
		const char *method, *path, *body;
		int status;
	} others[] = {
		{ "GET", "/login", "", 200 },
		{ "GET", "/style.css", "", 200 },
		{ "GET", "/nothing", "", 404 },
		{ "GET", "/../etc/passwd", "", 404 },
		{ "POST", "/", "", 405 },
		{ "DELETE", "/users", "", 405 },
		{ "POST", "/login", "", 403 },
		{ "POST", "/login", "password=", 403 },
		{ "POST", "/login", "password=wrong", 403 },
		{ "POST", "/device", "user=u&id=D1&action=block", 303 },
		{ "POST", "/logout", "", 303 },
	};

	static struct client large;

	start("");
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		ask(admin, "GET", paths[i], "", "");
		cr_assert_eq(a.status, 303, "%s: %d", paths[i], a.status);
		cr_assert_str_eq(client_header(&a, "Location"), "login");
		cr_assert_eq(a.body_len, 0);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		ask(admin, others[i].method, others[i].path, "", others[i].body);
		cr_assert_eq(a.status, others[i].status, "%s %s: %d", others[i].method,
			others[i].path, a.status);
		cr_assert_null(client_header(&a, "Set-Cookie"));
		cr_assert_not_null(
			strstr(client_header(&a, "Content-Security-Policy"), "default-src 'none'"));
	}
	log_in_admin();
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		ask(admin, "GET", paths[i], "", "");
		cr_assert_eq(a.status, 200, "%s: %d", paths[i], a.status);
	}
	ask(admin, "GET", "/user?name=nobody", "", "");
	cr_assert_eq(a.status, 404);
	ask(admin, "GET", "/device?user=u", "", "");
	cr_assert_eq(a.status, 400);
	client_open(&large, admin);
	client_says(&large, "POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n");
	client_answer(&large, &a, 5000);
	cr_assert_eq(a.status, 413, "before it is read: %d", a.status);
	close(large.fd);
	/* an administrator is no user, and the other way round */
	ask(self, "GET", "/", "", "");
	cr_assert_eq(a.status, 303);
	post(admin, "/logout", "");
	cr_assert_eq(a.status, 303);
	ask(admin, "GET", "/", "", "");
	cr_assert_eq(a.status, 303, "logged out");
	stop();
}

Test(pages, nothing_without_the_token, .timeout = 90)
{
	static const struct {
		const char *what, *headers, *begin; /* of the body; NULL: the right token */
	} cases[] = {
		{ "no token", "", "" },
		{ "another token", "",
			"token=0000000000000000000000000000000000000000000000000000000000000000" },
		{ "another origin", "Origin: https://evil.example\r\n", NULL },
		{ "no origin that is told", "Origin: null\r\n", NULL },
		{ "another site", "Sec-Fetch-Site: cross-site\r\n", NULL },
	};
	const char *out;
	char body[500];

	start("");
	log_in_admin();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(body, sizeof(body), "%s%s&user=u&id=D1&action=block&confirm=D1",
			cases[i].begin == NULL ? "token=" : cases[i].begin,
			cases[i].begin == NULL ? token : "");
		ask(admin, "POST", "/device", cases[i].headers, body);
		cr_assert_eq(a.status, 403, "%s: %d", cases[i].what, a.status);
	}
	cr_assert_eq(daemon_run(&d, "devices -c %d/m.conf --json", &out), 0);
	cr_assert_null(strstr(out, "blocked"), "%s", out);
	stop();
}

Test(pages, blocks_and_wipes_with_confirmation, .timeout = 90)
{
	const char *out;

	start("remote_wipe = account\n");
	log_in_admin();
	post(admin, "/device", "user=u&id=D1&action=block");
	cr_assert_eq(a.status, 200);
	cr_assert(shows("kept out from its next request"), "%s", a.body);
	cr_assert_eq(daemon_run(&d, "device -c %d/m.conf show u D1", &out), 0);
	cr_assert_not_null(strstr(out, "by rule"), "not before it is confirmed: %s", out);
	post(admin, "/device", "user=u&id=D1&action=block&confirm=D1");
	cr_assert_eq(a.status, 303);
	cr_assert_eq(daemon_run(&d, "device -c %d/m.conf show u D1", &out), 0);
	cr_assert_not_null(strstr(out, "blocked"), "%s", out);
	post(admin, "/device", "user=u&id=D1&action=wipe-account&confirm=D2");
	cr_assert_eq(a.status, 400);
	cr_assert(shows("not the device"));
	post(admin, "/device", "user=u&id=D1&action=wipe&confirm=D1");
	cr_assert_eq(a.status, 400, "remote_wipe forbids it: %d", a.status);
	post(admin, "/device", "user=u&id=D1&action=wipe-account&confirm=D1");
	cr_assert_eq(a.status, 303);
	ask(admin, "GET", "/device?user=u&id=D1", "", "");
	cr_assert(shows("the account to be erased: asked"), "%s", a.body);
	post(admin, "/device", "user=u&id=D1&action=unwipe");
	post(admin, "/device", "user=u&id=D1&action=reset");
	post(admin, "/device", "user=u&id=D1&action=nonsense");
	cr_assert_eq(a.status, 400);
	post(admin, "/device", "user=u&id=D1&action=forget&confirm=D1");
	cr_assert_eq(a.status, 303);
	ask(admin, "GET", "/device?user=u&id=D1", "", "");
	cr_assert_eq(a.status, 404);
	cr_assert_not_null(strstr(daemon_read(&d, "log"), "action=wipe-account"));
	stop();
}

Test(pages, hostile_names_are_text, .timeout = 90)
{
	start("");
	log_in_admin();
	ask(admin, "GET", "/user?name=u", "", "");
	cr_assert(shows("&#60;i&#62;&#34;&#39;&#38;"), "%s", a.body);
	cr_assert(!shows("<i>"));
	ask(admin, "GET", "/users?begin=%22%3E%3Cscript%3E", "", "");
	cr_assert_eq(a.status, 200);
	cr_assert(!shows("<script>"));
	ask(admin, "GET", "/user?name=%3Cscript%3E", "", "");
	cr_assert(!shows("<script>"));
	stop();
}

/* Guessing ends after login_failures, also for the right password, and the log tells the address. */
Test(pages, guessing_ends, .timeout = 90)
{
	start("login_failures = 3\n");
	for (int i = 0; i < 3; i++) {
		ask(admin, "POST", "/login", "", "password=guess");
		cr_assert_eq(a.status, 403);
		ask(self, "POST", "/login", "", "user=u&password=guess");
		cr_assert_eq(a.status, 403);
	}
	ask(admin, "POST", "/login", "", "password=administer");
	cr_assert_eq(a.status, 503);
	cr_assert_str_eq(client_header(&a, "Retry-After"), "60");
	ask(self, "POST", "/login", "", "user=u&password=secret");
	cr_assert_eq(a.status, 503);
	cr_assert_not_null(
		strstr(daemon_read(&d, "log"), "page=self login=refused user=u peer=127.0.0.1"));
	stop();
}

static const char *
between(const char *before, char end)
{
	static char text[300];
	const char *at = strstr(a.body, before);

	cr_assert_not_null(at, "no %s in %s", before, a.body);
	at += strlen(before);
	snprintf(text, sizeof(text), "%.*s", (int)(strchr(at, end) - at), at);
	return text;
}

/* A user sees the own devices, makes a password for a new one with a profile, and takes it back. */
Test(pages, of_a_user, .timeout = 90)
{
	char password[40], profile[200], arguments[300];
	const char *out;

	start("public_url = \"https://mail.example.org\"\n");
	ask(self, "POST", "/login", "", "user=u&password=wrong");
	cr_assert_eq(a.status, 403);
	ask(self, "POST", "/login", "", "user=u&password=secret");
	cr_assert_eq(a.status, 303);
	take_cookie();
	ask(self, "GET", "/", "", "");
	cr_assert(shows("D1") && shows("D2") && !shows("<i>"), "%s", a.body);
	take_token();
	ask(admin, "GET", "/", "", "");
	cr_assert_eq(a.status, 303, "a user is no administrator");
	post(self, "/connect", "name=New&password=wrong");
	cr_assert_eq(a.status, 403);
	post(self, "/connect", "name=New&password=secret");
	cr_assert_eq(a.status, 200, "%s", a.body);
	snprintf(password, sizeof(password), "%s", between("class=\"secret\">", '<'));
	cr_assert_eq(strlen(password), 24);
	snprintf(profile, sizeof(profile), "/profile.mobileconfig?ticket=%s",
		between("profile.mobileconfig?ticket=", '"'));
	cr_assert(shows("<svg class=\"qr\""));
	/* the phone that reads the code has no session, and the profile is there once */
	cookie[0] = '\0';
	ask(self, "GET", profile, "", "");
	cr_assert_eq(a.status, 200);
	cr_assert_str_eq(client_header(&a, "Content-Type"), "application/x-apple-aspen-config");
	cr_assert(shows(password) && shows("mail.example.org"), "%s", a.body);
	ask(self, "GET", profile, "", "");
	cr_assert_eq(a.status, 404);
	daemon_write(&d, "new", password);
	snprintf(arguments, sizeof(arguments),
		"probe http://127.0.0.1:%u --user u --password-file %%d/new --device D3 folders",
		d.port);
	cr_assert_eq(daemon_run(&d, arguments, &out), 0, "%s", out);
	/* removing the device withdraws its password */
	ask(self, "POST", "/login", "", "user=u&password=secret");
	take_cookie();
	ask(self, "GET", "/", "", "");
	take_token();
	cr_assert(shows("D3"));
	post(self, "/remove", "id=D3");
	cr_assert_eq(a.status, 200);
	post(self, "/remove", "id=D3&confirm=D3");
	cr_assert_eq(a.status, 303);
	post(self, "/remove", "id=NONE&confirm=NONE");
	cr_assert_eq(a.status, 404);
	cr_assert_eq(daemon_run(&d, arguments, &out), 77, "%s", out);
	post(self, "/withdraw", "number=77");
	cr_assert_eq(a.status, 404);
	post(self, "/withdraw", "number=x");
	cr_assert_eq(a.status, 400);
	cr_assert_null(strstr(daemon_read(&d, "log"), password), "a password in the log");
	stop();
}

/* Pages are off without addresses, and a wrong configuration is told. */
Test(pages, settings, .timeout = 60)
{
	static const struct {
		const char *settings, *why;
	} cases[] = {
		{ "admin_listen = {\"127.0.0.1:1\"}\n", "mailferry password" },
		{ "admin_password = \"plain\"\n", "not a hash" },
	};
	const char *out;

	daemon_init(&d);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		daemon_configure(&d, cases[i].settings);
		cr_assert_eq(daemon_run(&d, "serve -c %d/m.conf", &out), 78, "%s", out);
		cr_assert_not_null(strstr(out, cases[i].why), "%s", out);
		cr_assert_eq(daemon_run(&d, "check -c %d/m.conf", &out), 1, "%s", out);
		cr_assert_not_null(strstr(out, cases[i].why), "%s", out);
	}
	setenv("MAILFERRY_NEW_PASSWORD", "short", 1);
	cr_assert_eq(daemon_run(&d, "password", &out), 64);
	setenv("MAILFERRY_NEW_PASSWORD", "long enough", 1);
	cr_assert_eq(daemon_run(&d, "password --json", &out), 0);
	cr_assert_not_null(strstr(out, "{\"hash\":\"$"), "%s", out);
	daemon_deinit(&d);
}
