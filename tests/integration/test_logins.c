/* Ways to log in, through the daemon, at a real Dovecot: application passwords that seal the account's, and
 * those behind which the master user logs in. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "phone.h"

static struct dovecot d;
static struct gateway g;

/* What the program prints; its exit status must be that. */
static const char *__attribute__((format(printf, 2, 3))) run(int status, const char *fmt, ...)
{
	static char out[2000];
	char arguments[400], command[1000];
	size_t n;
	va_list ap;
	FILE *f;
	int got;

	va_start(ap, fmt);
	vsnprintf(arguments, sizeof arguments, fmt, ap);
	va_end(ap);
	snprintf(command, sizeof command, "%s apppassword -c %s/mailferry.conf %s", MAILFERRY,
		g.dir, arguments);
	f = popen(command, "r");
	n = fread(out, 1, sizeof out - 1, f);
	out[n] = '\0';
	out[strcspn(out, "\n")] = '\0';
	got = pclose(f);
	cr_assert(WIFEXITED(got) && WEXITSTATUS(got) == status, "%s: %d %s", command, got, out);
	return out;
}

static unsigned
http_status(const char *user, const char *password, const char *device)
{
	struct phone *p = phone_new(&g, user, password, device);
	unsigned status = phone_http_status(p, NULL);

	phone_free(p);
	return status;
}

static const char message[] = "From: a@example.test\nSubject: one\n\nx\n";

static void
use(const char *user, const char *password)
{
	struct phone *p;

	dovecot_deliver(&d, user, message, sizeof message - 1);
	p = phone_new(&g, user, password, "one");
	phone_hierarchy(p);
	phone_sync(p, "inbox");
	cr_assert_eq(phone_folder(p, "inbox")->n_items, 1);
	phone_free(p);
	cr_assert_eq(http_status(user, password, "two"), 401, "another device");
	cr_assert_eq(http_status(user, password, "one"), 200);
	run(0, "remove %s 1", user);
	cr_assert_eq(http_status(user, password, "one"), 401, "withdrawn");
}

Test(logins, sealed, .timeout = 120)
{
	const char *user = fixture_user("sealed");
	char secret[100];

	dovecot_get(&d);
	gateway_start(&g, &d, "");
	setenv("MAILFERRY_PROBE_PASSWORD", "nonsense", 1);
	run(77, "add %s", user);
	snprintf(secret, sizeof secret, "secret-%s", user);
	setenv("MAILFERRY_PROBE_PASSWORD", secret, 1);
	snprintf(secret, sizeof secret, "%s", run(0, "add --name phone %s", user));
	use(user, secret);
	gateway_end(&g);
	dovecot_end(&d);
}

Test(logins, by_master, .timeout = 120)
{
	const char *user = fixture_user("mastered");
	char secret[100];

	dovecot_get(&d);
	gateway_start(&g, &d,
		"logins = {\"application\"}\nmaster_user = \"master\"\n"
		"master_password = \"secret-master\"\n");
	snprintf(secret, sizeof secret, "%s", run(0, "add %s", user));
	use(user, secret);
	cr_assert_eq(http_status(user, NULL, "one"), 401, "the account's own stays out");
	gateway_end(&g);
	dovecot_end(&d);
}
