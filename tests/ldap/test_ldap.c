/*
 * Logins, certificates, limits and deadlines, with contrib/tools/slapd; and what a server may do that
 * is none: hang, talk nonsense, never end.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "conf/conf.h"
#include "fixture.h"
#include "mailferry/backend.h"
#include "mailferry/directory.h"
#include "slapd.h"

extern const struct mf_backend_api mf_backend_ldap;

/* Longer than any deadline of the settings below, even on a busy machine. */
enum { IN_TIME_SECONDS = 25 };

struct trip {
	struct conf *conf;
	struct mf_backend *backend;
	struct mf_session *session;
	struct mf_error err;
	size_t found;
	bool more;
};

static enum mf_status
configure(struct trip *t, const char *settings)
{
	static struct conf_table tables[2];
	char text[1500];

	*t = (struct trip){ .found = 0 };
	snprintf(text, sizeof(text), "ldap {\n%s\tconnect_timeout = 2s\n\ttimeout = 2s\n%s}\n",
		strstr(settings, "base =") != NULL ? "" : "\tbase = \"dc=example,dc=org\"\n",
		settings);
	tables[0] = (struct conf_table){ .name = "ldap", .rows = mf_backend_ldap.settings };
	cr_assert_eq(conf_parse(text, tables, &t->conf, &t->err), MF_OK, "%s", t->err.text);
	return mf_backend_ldap.open(conf_section(t->conf, "ldap"), &t->backend, &t->err);
}

static enum mf_status
log_in(struct trip *t, const char *user, const char *password)
{
	struct mf_login who = { .user = user, .password = password };
	enum mf_status st = mf_backend_ldap.login(t->backend, &who, &t->session, &t->err);

	cr_assert_eq((st == MF_OK), (t->session != NULL));
	if (password != NULL && password[0] != '\0')
		cr_assert(strstr(t->err.text, password) == NULL, "%s", t->err.text);
	return st;
}

static enum mf_status
begin(struct trip *t, const char *settings)
{
	cr_assert_eq(configure(t, settings), MF_OK, "%s", t->err.text);
	return log_in(t, "ada", "secret-ada");
}

static enum mf_status
count(void *ctx, const struct mf_person *p)
{
	(void)p;
	++*(size_t *)ctx;
	return MF_OK;
}

static enum mf_status
find(struct trip *t, const char *text)
{
	struct mf_people_find f = { .text = text, .max = 1000, .person = count, .ctx = &t->found };

	t->found = 0;
	return mf_backend_ldap.directory->find(t->session, &f, &t->more, &t->err);
}

static void
end(struct trip *t)
{
	if (t->session != NULL)
		mf_backend_ldap.logout(t->session);
	mf_backend_ldap.close(t->backend);
	conf_free(t->conf);
}

static const char *
ldaps(const struct slapd *d, const char *more)
{
	static char text[900];

	snprintf(text, sizeof(text), "\turl = \"ldaps://127.0.0.1:%u\"\n\tca_file = \"%s\"\n%s",
		d->ldaps, d->ca, more);
	return text;
}

static const char *
plain(unsigned port, const char *more)
{
	static char text[900];

	snprintf(text, sizeof(text), "\turl = \"ldap://127.0.0.1:%u\"\n%s", port, more);
	return text;
}

/* ---- A real server ---- */

/* Each way to the server: encrypted or not, by any name, refused where it must be. */
static void
try_certificate(const char *cert, enum mf_status verified)
{
	static const char *const insecure = "\tverify = no\n";
	struct slapd d;
	struct trip t;
	char options[40], more[400];

	snprintf(options, sizeof(options), "--cert %s", cert);
	slapd_start(&d, options);
	cr_assert_eq(begin(&t, ldaps(&d, "")), verified, "%s: %s", cert, t.err.text);
	end(&t);
	cr_assert_eq(begin(&t, ldaps(&d, insecure)), MF_OK, "%s unverified: %s", cert, t.err.text);
	end(&t);
	snprintf(more, sizeof(more), "\tstarttls = required\n\tca_file = \"%s\"\n", d.ca);
	cr_assert_eq(begin(&t, plain(d.ldap, more)), verified, "%s STARTTLS: %s", cert, t.err.text);
	if (verified == MF_OK)
		cr_assert_eq(find(&t, "ada"), MF_OK);
	end(&t);
	slapd_end(&d);
}

Test(ldap, certificates)
{
	try_certificate("server", MF_OK);
	try_certificate("name", MF_TEMPORARY);
	try_certificate("expired", MF_TEMPORARY);
	try_certificate("stranger", MF_TEMPORARY);
}

Test(ldap, sockets_and_failover)
{
	struct slapd d;
	struct trip t;
	char text[500];

	slapd_start(&d, "");
	snprintf(text, sizeof(text), "\turl = \"%s\"\n", d.socket);
	cr_assert_eq(begin(&t, text), MF_OK, "%s", t.err.text);
	cr_assert_eq(find(&t, "ada"), MF_OK);
	cr_assert_eq(t.found, 2);
	end(&t);
	snprintf(
		text, sizeof(text), "\turl = \"ldap://127.0.0.1:1 ldap://127.0.0.1:%u\"\n", d.ldap);
	cr_assert_eq(begin(&t, text), MF_OK, "the second: %s", t.err.text);
	end(&t);
	slapd_end(&d);
}

/* A service's wrong password is nothing that the user could mend. */
Test(ldap, who_asks)
{
	static const char own[] = "\tbind_dn = \"uid={name},dc=example,dc=org\"\n";
	struct slapd d;
	struct trip t;

	slapd_start(&d, "--no-anonymous");
	cr_assert_eq(begin(&t, plain(d.ldap, "")), MF_OK);
	cr_assert_eq(find(&t, "ada"), MF_TEMPORARY, "nobody may read anonymously");
	end(&t);
	cr_assert_eq(begin(&t, plain(d.ldap, "\tbind_dn = \"cn=admin,dc=example,dc=org\"\n"
					     "\tbind_password = \"secret-admin\"\n")),
		MF_OK);
	cr_assert_eq(find(&t, "ada"), MF_OK);
	cr_assert_eq(t.found, 2);
	end(&t);
	cr_assert_eq(begin(&t, plain(d.ldap, "\tbind_dn = \"cn=admin,dc=example,dc=org\"\n"
					     "\tbind_password = \"not-the-secret\"\n")),
		MF_TEMPORARY);
	end(&t);
	cr_assert_eq(configure(&t, plain(d.ldap, own)), MF_OK);
	cr_assert_eq(log_in(&t, "ada", "not-the-secret"), MF_AUTH);
	cr_assert_eq(log_in(&t, "nobody", "not-the-secret"), MF_AUTH);
	cr_assert_eq(log_in(&t, "ada", ""), MF_UNSUPPORTED, "an empty password logs nobody in");
	cr_assert_eq(log_in(&t, "ada,dc=example,dc=org+uid=ada", "secret-ada"), MF_AUTH);
	cr_assert_eq(log_in(&t, "ada@example.org", "secret-ada"), MF_OK, "%s", t.err.text);
	end(&t);
	slapd_end(&d);
}

Test(ldap, limits_of_the_server)
{
	struct slapd d;
	struct trip t;

	slapd_start(&d, "--sizelimit 20");
	cr_assert_eq(begin(&t, plain(d.ldap, "\tpage_size = 7\n")), MF_OK);
	cr_assert_eq(find(&t, "clone"), MF_OK, "%s", t.err.text);
	cr_assert(t.found > 0 && t.found <= 21 && t.more, "%zu", t.found);
	end(&t);
	cr_assert_eq(begin(&t, plain(d.ldap, "\tpage_size = 0\n")), MF_OK);
	cr_assert_eq(find(&t, "clone"), MF_OK, "%s", t.err.text);
	cr_assert(t.found > 0 && t.more, "%zu", t.found);
	end(&t);
	cr_assert_eq(begin(&t, plain(d.ldap, "\tsize_limit = 5\n")), MF_OK);
	cr_assert_eq(find(&t, "clone"), MF_OK);
	cr_assert(t.found == 5 && t.more, "%zu", t.found);
	end(&t);
	cr_assert_eq(
		begin(&t, plain(d.ldap, "\tbase = \"ou=nowhere,dc=example,dc=org\"\n")), MF_OK);
	cr_assert_eq(find(&t, "clone"), MF_TEMPORARY, "a base that is not there");
	end(&t);
	slapd_end(&d);
}

static int64_t
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

Test(ldap, stopped_and_hanging)
{
	struct slapd d;
	struct trip t, other;
	int64_t since;

	slapd_start(&d, "");
	cr_assert_eq(begin(&t, ldaps(&d, "")), MF_OK);
	cr_assert(mf_backend_ldap.usable(t.session));
	slapd_do(&d, "pause");
	since = seconds();
	cr_assert_eq(find(&t, "ada"), MF_TEMPORARY);
	cr_assert(!mf_backend_ldap.usable(t.session));
	cr_assert_eq(begin(&other, ldaps(&d, "")), MF_TEMPORARY, "a login hangs");
	cr_assert(seconds() - since < IN_TIME_SECONDS, "%d s", (int)(seconds() - since));
	end(&other);
	end(&t);
	slapd_do(&d, "continue");
	cr_assert_eq(begin(&t, ldaps(&d, "")), MF_OK, "%s", t.err.text);
	slapd_do(&d, "kill");
	cr_assert_eq(find(&t, "ada"), MF_TEMPORARY);
	cr_assert(!mf_backend_ldap.usable(t.session));
	cr_assert_eq(begin(&other, ldaps(&d, "")), MF_TEMPORARY, "nobody listens");
	end(&other);
	end(&t);
	slapd_do(&d, "start");
	cr_assert_eq(begin(&t, ldaps(&d, "")), MF_OK, "%s", t.err.text);
	cr_assert_eq(find(&t, "ada"), MF_OK);
	end(&t);
	slapd_end(&d);
}

/* An idle session whose server has gone is found out before it is used. */
Test(ldap, gone_while_idle)
{
	struct slapd d;
	struct trip t;

	slapd_start(&d, "");
	cr_assert_eq(begin(&t, plain(d.ldap, "")), MF_OK);
	slapd_do(&d, "stop");
	for (int i = 0; i < 200 && mf_backend_ldap.usable(t.session); i++)
		usleep(50000);
	cr_assert(!mf_backend_ldap.usable(t.session));
	end(&t);
	slapd_end(&d);
}

/* ---- Servers that are none ---- */

enum manner {
	SILENT,	     /* takes everything, says nothing */
	NONSENSE,    /* another protocol */
	HUGE,	     /* announces two gigabytes */
	ENDLESS,     /* finds people for ever */
	REFERRING,   /* refers for ever */
	WRONG_PAGES, /* empty pages, each with another behind it */
	HALF,	     /* half an entry */
};

struct impostor {
	enum manner manner;
	int listener;
	uint16_t port;
	pthread_t thread;
};

/* The next request's id: 30 LEN 02 01 ID ..., as the library sends it. 0: it hung up. */
static unsigned
next_request(int fd)
{
	uint8_t data[2000];
	ssize_t n = read(fd, data, sizeof(data));

	for (ssize_t i = 1; i + 2 < n && i < 8; i++)
		if (data[i] == 0x02 && data[i + 1] == 0x01)
			return data[i + 2];
	return 0;
}

static bool
say(int fd, const void *data, size_t len)
{
	return send(fd, data, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static void
answer_search(const struct impostor *m, int fd, uint8_t id)
{
	/* An entry "cn=x" with mail=x@y and sn=ada; a reference; a result with a page control. */
	const uint8_t entry[] = { 0x30, 0x28, 0x02, 0x01, id, 0x64, 0x23, 0x04, 0x04, 'c', 'n', '=',
		'x', 0x30, 0x1b, 0x30, 0x0d, 0x04, 0x04, 'm', 'a', 'i', 'l', 0x31, 0x05, 0x04, 0x03,
		'x', '@', 'y', 0x30, 0x0a, 0x04, 0x02, 's', 'n', 0x31, 0x04, 0x04, 0x02, 'a', 'd' };
	const uint8_t reference[] = { 0x30, 0x0f, 0x02, 0x01, id, 0x73, 0x0a, 0x04, 0x08, 'l', 'd',
		'a', 'p', ':', '/', '/', 'x' };
	const uint8_t page[] = { 0x30, 0x33, 0x02, 0x01, id, 0x65, 0x07, 0x0a, 0x01, 0x00, 0x04,
		0x00, 0x04, 0x00, 0xa0, 0x25, 0x30, 0x23, 0x04, 0x16, '1', '.', '2', '.', '8', '4',
		'0', '.', '1', '1', '3', '5', '5', '6', '.', '1', '.', '4', '.', '3', '1', '9',
		0x04, 0x09, 0x30, 0x07, 0x02, 0x01, 0x00, 0x04, 0x02, 'c', 'c' };

	switch (m->manner) {
	case ENDLESS:
		while (say(fd, entry, sizeof(entry)))
			;
		break;
	case REFERRING:
		while (say(fd, reference, sizeof(reference)))
			;
		break;
	case WRONG_PAGES:
		say(fd, page, sizeof(page));
		break;
	case HALF:
		say(fd, entry, 20);
		break;
	default:
		break;
	}
}

static void *
serve(void *arg)
{
	struct impostor *m = arg;
	static const char smtp[] = "220 mail.example.org ESMTP\r\n";
	static const uint8_t huge[] = { 0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0x02, 0x01, 0x01 };
	int fd = accept(m->listener, NULL, NULL);
	unsigned id;

	for (bool bound = false; (id = next_request(fd)) != 0; bound = true) {
		const uint8_t good[] = { 0x30, 0x0c, 0x02, 0x01, (uint8_t)id, 0x61, 0x07, 0x0a,
			0x01, 0x00, 0x04, 0x00, 0x04, 0x00 };

		if (m->manner == NONSENSE)
			say(fd, smtp, sizeof(smtp) - 1);
		else if (m->manner == HUGE)
			say(fd, huge, sizeof(huge));
		else if (m->manner != SILENT && !bound)
			say(fd, good, sizeof(good));
		else if (bound)
			answer_search(m, fd, (uint8_t)id);
	}
	close(fd);
	return NULL;
}

static void
pretend(struct impostor *m, enum manner manner)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);

	*m = (struct impostor){ .manner = manner, .listener = socket(AF_INET, SOCK_STREAM, 0) };
	cr_assert_eq(bind(m->listener, (struct sockaddr *)&at, len), 0);
	cr_assert_eq(listen(m->listener, 1), 0);
	getsockname(m->listener, (struct sockaddr *)&at, &len);
	m->port = ntohs(at.sin_port);
	cr_assert_eq(pthread_create(&m->thread, NULL, serve, m), 0);
}

Test(ldap, servers_that_are_none, .timeout = 150)
{
	static const struct {
		enum manner manner;
		enum mf_status login, find;
	} cases[] = { { SILENT, MF_TEMPORARY, MF_OK }, { NONSENSE, MF_TEMPORARY, MF_OK },
		{ HUGE, MF_TEMPORARY, MF_OK }, { ENDLESS, MF_OK, MF_OK },
		{ REFERRING, MF_OK, MF_TEMPORARY }, { WRONG_PAGES, MF_OK, MF_TEMPORARY },
		{ HALF, MF_OK, MF_TEMPORARY } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct impostor m;
		struct trip t;
		int64_t since = seconds();

		pretend(&m, cases[i].manner);
		cr_assert_eq(
			begin(&t, plain(m.port, "")), cases[i].login, "%zu: %s", i, t.err.text);
		if (cases[i].login == MF_OK) {
			enum mf_status st = find(&t, "ad");

			cr_assert_eq(
				st, cases[i].find, "%zu: %s %s", i, mf_status_name(st), t.err.text);
			cr_assert(t.found <= 500, "%zu: %zu", i, t.found);
		}
		end(&t);
		cr_assert(seconds() - since < IN_TIME_SECONDS, "%zu: %d s", i,
			(int)(seconds() - since));
		shutdown(m.listener, SHUT_RDWR);
		pthread_join(m.thread, NULL);
		close(m.listener);
	}
}

/* TLS that never comes, over both ways. */
Test(ldap, silent_tls)
{
	static const char *const ways[] = { "ldaps", "ldap" };

	for (size_t i = 0; i < 2; i++) {
		struct impostor m;
		struct trip t;
		int64_t since = seconds();
		char text[200];

		pretend(&m, SILENT);
		snprintf(text, sizeof(text), "\turl = \"%s://127.0.0.1:%u\"\n%s", ways[i], m.port,
			i == 0 ? "" : "\tstarttls = required\n");
		cr_assert_eq(begin(&t, text), MF_TEMPORARY, "%s", ways[i]);
		end(&t);
		cr_assert(seconds() - since < IN_TIME_SECONDS, "%d s", (int)(seconds() - since));
		shutdown(m.listener, SHUT_RDWR);
		pthread_join(m.thread, NULL);
		close(m.listener);
	}
}

/* ---- The configuration ---- */

Test(ldap, settings_are_checked)
{
	static const char *const wrong[] = { "\turl = \"http://x\"\n", "\turl = \"\"\n",
		"\tbase = \"\"\n", "\tfilter = \"x=y\"\n", "\taddress = {}\n",
		"\turl = \"ldaps://x\"\n\tstarttls = required\n" };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct trip t;

		cr_assert_eq(configure(&t, wrong[i]), MF_INVALID, "%s", wrong[i]);
		conf_free(t.conf);
	}
}
