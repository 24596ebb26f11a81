/*
 * Out-of-office replies over a real Dovecot with Pigeonhole: set, delivered to over LMTP, answered into
 * an SMTP server of few words; the user's own scripts; servers that are stopped, and that are none.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "conf/conf.h"
#include "fixture.h"
#include "mailferry/backend.h"
#include "mailferry/oof.h"

extern const struct mf_backend_api mf_backend_sieve;

enum { PATIENCE_S = 30, IN_TIME_S = 25 };

/* ---- Where the replies go ---- */

static struct sink {
	int listener;
	uint16_t port;
	pthread_mutex_t lock;
	char *mail[100]; /* whole messages */
	size_t n;
} sink = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void
take_mail(FILE *in)
{
	struct mf_buf b;
	char line[2000];

	mf_buf_init(&b, 0);
	while (fgets(line, sizeof(line), in) != NULL && strcmp(line, ".\r\n") != 0)
		mf_buf_add_str(&b, line);
	pthread_mutex_lock(&sink.lock);
	if (sink.n < 100)
		sink.mail[sink.n++] = strdup(mf_buf_str(&b));
	pthread_mutex_unlock(&sink.lock);
	mf_buf_deinit(&b);
}

static void *
swallow(void *arg)
{
	int fd;

	(void)arg;
	while ((fd = accept(sink.listener, NULL, NULL)) >= 0) {
		FILE *in = fdopen(fd, "r");
		char line[2000];

		dprintf(fd, "220 sink\r\n");
		while (fgets(line, sizeof(line), in) != NULL) {
			bool data = strncasecmp(line, "DATA", 4) == 0;

			dprintf(fd, data ? "354 go on\r\n" : "250 fine\r\n");
			if (data) {
				take_mail(in);
				dprintf(fd, "250 taken\r\n");
			}
			if (strncasecmp(line, "QUIT", 4) == 0)
				break;
		}
		fclose(in);
	}
	return NULL;
}

static void
listen_on(int *listener, uint16_t *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);

	*listener = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(bind(*listener, (struct sockaddr *)&at, len), 0);
	cr_assert_eq(listen(*listener, 10), 0);
	getsockname(*listener, (struct sockaddr *)&at, &len);
	*port = ntohs(at.sin_port);
}

/* The n-th reply, once it is there; NULL when it does not come. */
static const char *
reply(size_t n)
{
	const char *mail = NULL;

	for (int i = 0; i < PATIENCE_S * 20 && mail == NULL; i++) {
		pthread_mutex_lock(&sink.lock);
		mail = n < sink.n ? sink.mail[n] : NULL;
		pthread_mutex_unlock(&sink.lock);
		if (mail == NULL)
			usleep(50000);
	}
	return mail;
}

static size_t
replies(void)
{
	size_t n;

	pthread_mutex_lock(&sink.lock);
	n = sink.n;
	pthread_mutex_unlock(&sink.lock);
	return n;
}

/* ---- A Dovecot, and the backend on it ---- */

struct trip {
	struct dovecot dovecot;
	struct conf *conf;
	struct mf_backend *backend;
	struct mf_session *session;
	struct mf_arena *a;
	struct mf_error err;
	char user[100];
};

static enum mf_status
open_backend(struct trip *t, const char *settings)
{
	static struct conf_table tables[2];
	char text[1000];

	snprintf(text, sizeof(text), "sieve {\n%s}\n", settings);
	tables[0] = (struct conf_table){ .name = "sieve", .rows = mf_backend_sieve.settings };
	cr_assert_eq(conf_parse(text, tables, &t->conf, &t->err), MF_OK, "%s", t->err.text);
	return mf_backend_sieve.open(conf_section(t->conf, "sieve"), &t->backend, &t->err);
}

static enum mf_status
log_in(struct trip *t, const char *password)
{
	struct mf_login who = { .user = t->user, .password = password };
	enum mf_status st = mf_backend_sieve.login(t->backend, &who, &t->session, &t->err);

	cr_assert(strstr(t->err.text, password) == NULL, "%s", t->err.text);
	return st;
}

static void
begin_own(struct trip *t, const char *more)
{
	char path[300], options[400], password[130], settings[700];
	pthread_t thread;
	FILE *f;

	memset(t, 0, sizeof(*t));
	if (sink.listener == 0) {
		listen_on(&sink.listener, &sink.port);
		pthread_create(&thread, NULL, swallow, NULL);
		pthread_detach(thread);
	}
	snprintf(path, sizeof(path), "/tmp/mf-sieve-%d.conf", (int)getpid());
	f = fopen(path, "w");
	fprintf(f,
		"submission_host = 127.0.0.1:%u\nplugin {\n  sieve_vacation_min_period = 0\n}\n%s",
		sink.port, more);
	fclose(f);
	snprintf(options, sizeof(options), "--extra %s", path);
	dovecot_start(&t->dovecot, options);
	unlink(path);
	t->a = mf_arena_new();
	snprintf(t->user, sizeof(t->user), "%s", fixture_user("away"));
	snprintf(settings, sizeof(settings),
		"\turl = \"sieve://127.0.0.1:%u\"\n\tstarttls = required\n\tca_file = \"%s\"\n"
		"\tcommand_timeout = 3s\n\tconnect_timeout = 3s\n",
		t->dovecot.sieve, t->dovecot.ca);
	cr_assert_eq(open_backend(t, settings), MF_OK, "%s", t->err.text);
	snprintf(password, sizeof(password), "secret-%s", t->user);
	cr_assert_eq(log_in(t, password), MF_OK, "%s", t->err.text);
}

static void
begin(struct trip *t)
{
	begin_own(t, "");
}

static void
end(struct trip *t)
{
	if (t->session != NULL)
		mf_backend_sieve.logout(t->session);
	mf_backend_sieve.close(t->backend);
	conf_free(t->conf);
	mf_arena_free(t->a);
	if (t->dovecot.own)
		dovecot_end(&t->dovecot);
}

static enum mf_status
set(struct trip *t, const struct mf_oof *oof)
{
	static const char *known[] = { "ben@example.net", NULL };
	const char *own[] = { mf_printf(t->a, "%s@example.test", t->user), NULL };
	struct mf_oof_user user = { own, known };

	return mf_backend_sieve.oof->set(t->session, oof, &user, &t->err);
}

static struct mf_oof
get(struct trip *t)
{
	struct mf_oof oof;

	cr_assert_eq(mf_backend_sieve.oof->get(t->session, t->a, &oof, &t->err), MF_OK, "%s",
		t->err.text);
	return oof;
}

static struct mf_oof
away(void)
{
	struct mf_oof oof = { .state = MF_OOF_ON };

	oof.reply[MF_OOF_INTERNAL] = (struct mf_oof_reply){ true, false, "Dear colleague" };
	oof.reply[MF_OOF_KNOWN] = (struct mf_oof_reply){ true, false, "Dear friend" };
	oof.reply[MF_OOF_UNKNOWN] = (struct mf_oof_reply){ true, true, "<b>Dear stranger</b>" };
	return oof;
}

static void
deliver(struct trip *t, const char *from, const char *more)
{
	static unsigned count;
	const char *text = mf_printf(t->a,
		"From: %s\nTo: %s@example.test\nSubject: Hello\nMessage-ID: <%u-%d@x>\n%s\nHi\n",
		from, t->user, count++, (int)getpid(), more);

	dovecot_deliver(&t->dovecot, t->user, text, strlen(text));
}

static unsigned
count_mail(struct trip *t, const char *folder)
{
	struct imap_talk *talk = imap_talk_open(&t->dovecot, t->user);
	unsigned n = imap_talk_count(talk, folder);

	imap_talk_close(talk);
	return n;
}

/* Another client of ManageSieve: a script put and made active, through doveadm. */
static void
other_script(struct trip *t, const char *name, const char *script, bool active)
{
	char command[3000], path[100];
	FILE *f;

	snprintf(path, sizeof(path), "/tmp/mf-sieve-%d.sieve", (int)getpid());
	f = fopen(path, "w");
	fputs(script, f);
	fclose(f);
	snprintf(command, sizeof(command),
		"doveadm -c '%s/dovecot.conf' sieve put %s -u %s %s < %s", t->dovecot.dir,
		active ? "-a" : "", t->user, name, path);
	cr_assert_eq(system(command), 0, "%s", command);
	unlink(path);
}

static bool
script_is(struct trip *t, const char *verb, const char *what, bool *found)
{
	char command[600], line[1000];
	FILE *p;

	snprintf(command, sizeof(command), "doveadm -c '%s/dovecot.conf' sieve %s -u %s",
		t->dovecot.dir, verb, t->user);
	p = popen(command, "r");
	*found = false;
	while (fgets(line, sizeof(line), p) != NULL)
		*found = *found || strstr(line, what) != NULL;
	pclose(p);
	return *found;
}

/* ---- Replies ---- */

Test(sieve_oof, each_audience_has_its_own, .timeout = 120)
{
	struct trip t;
	struct mf_oof oof = away(), back;

	begin(&t);
	back = get(&t);
	cr_assert_eq(back.state, MF_OOF_OFF);
	cr_assert_str_eq(back.reply[0].text, "");
	cr_assert_eq(set(&t, &oof), MF_OK, "%s", t.err.text);
	back = get(&t);
	cr_assert_eq(back.state, MF_OOF_ON);
	for (int i = 0; i < MF_OOF_AUDIENCES; i++) {
		cr_assert_str_eq(back.reply[i].text, oof.reply[i].text);
		cr_assert_eq(back.reply[i].html, oof.reply[i].html);
		cr_assert(back.reply[i].enabled);
	}
	deliver(&t, "colleague@example.test", "");
	cr_assert(reply(0) != NULL && strstr(reply(0), "Dear colleague") != NULL);
	deliver(&t, "\"Ben\" <Ben@example.net>", "");
	cr_assert(reply(1) != NULL && strstr(reply(1), "Dear friend") != NULL);
	deliver(&t, "zoe@example.net", "");
	cr_assert(reply(2) != NULL && strstr(reply(2), "text/html") != NULL, "%s", reply(2));
	cr_assert(strstr(reply(2), "PGI+RGVhciBzdHJhbmdlcjwvYj4=") != NULL, "%s", reply(2));
	cr_assert(strstr(reply(2), "Auto-Submitted: auto-replied") != NULL);
	deliver(&t, "spam@example.com", "X-Spam-Flag: YES\n");
	/* Disabled audiences get none. */
	oof.reply[MF_OOF_UNKNOWN].enabled = false;
	oof.reply[MF_OOF_INTERNAL].text = "Colleagues only";
	cr_assert_eq(set(&t, &oof), MF_OK);
	deliver(&t, "other@example.net", "");
	deliver(&t, "other@example.test", "");
	cr_assert(reply(3) != NULL && strstr(reply(3), "Colleagues only") != NULL, "%s", reply(3));
	cr_assert_str_eq(get(&t).reply[MF_OOF_UNKNOWN].text, "<b>Dear stranger</b>");
	/* Off: the texts stay. */
	oof.state = MF_OOF_OFF;
	cr_assert_eq(set(&t, &oof), MF_OK);
	deliver(&t, "third@example.test", "");
	back = get(&t);
	cr_assert_eq(back.state, MF_OOF_OFF);
	cr_assert_str_eq(back.reply[0].text, "Colleagues only");
	cr_assert_eq(count_mail(&t, "INBOX"), 7);
	cr_assert_eq(replies(), 4);
	end(&t);
}

Test(sieve_oof, from_a_time_to_a_time, .timeout = 120)
{
	struct trip t;
	struct mf_oof oof = away(), back;
	int64_t now = time(NULL);

	begin(&t);
	oof.state = MF_OOF_TIMED;
	oof.start = now + 3600;
	oof.end = now + 7200;
	cr_assert_eq(set(&t, &oof), MF_OK, "%s", t.err.text);
	back = get(&t);
	cr_assert_eq(back.state, MF_OOF_TIMED);
	cr_assert(back.start == oof.start && back.end == oof.end);
	deliver(&t, "early@example.net", "");
	oof.start = now - 7200;
	oof.end = now - 3600;
	cr_assert_eq(set(&t, &oof), MF_OK);
	deliver(&t, "late@example.net", "");
	oof.start = now - 2 * 86400;
	oof.end = now + 2 * 86400;
	cr_assert_eq(set(&t, &oof), MF_OK);
	deliver(&t, "between@example.test", "");
	cr_assert(reply(0) != NULL && strstr(reply(0), "Dear colleague") != NULL);
	oof.start = now - 60;
	oof.end = now + 3600;
	oof.reply[0].text = "Today";
	cr_assert_eq(set(&t, &oof), MF_OK);
	deliver(&t, "between@example.test", "");
	cr_assert(reply(1) != NULL && strstr(reply(1), "Today") != NULL);
	cr_assert_eq(replies(), 2);
	end(&t);
}

/* ---- The user's own scripts ---- */

static const char filing[] =
	"require [\"fileinto\"];\n"
	"if header :contains \"subject\" \"hello\" { fileinto \"Archive\"; stop; }\n";

Test(sieve_oof, own_script_goes_on, .timeout = 120)
{
	struct trip t;
	struct mf_oof oof = away();
	bool found;

	begin(&t);
	other_script(&t, "rules", filing, true);
	cr_assert_eq(get(&t).state, MF_OOF_OFF);
	cr_assert_eq(set(&t, &oof), MF_OK, "%s", t.err.text);
	deliver(&t, "zoe@example.net", "");
	cr_assert(reply(0) != NULL, "a reply");
	cr_assert_eq(count_mail(&t, "Archive"), 1, "and filed");
	cr_assert(script_is(&t, "get rules", "stop; }", &found), "unchanged");
	cr_assert(script_is(&t, "list", "mailferry ACTIVE", &found));
	/* Again, and off: the user's script is active as before. */
	oof.reply[2].text = "Other";
	cr_assert_eq(set(&t, &oof), MF_OK);
	oof.state = MF_OOF_OFF;
	cr_assert_eq(set(&t, &oof), MF_OK);
	cr_assert(script_is(&t, "list", "rules ACTIVE", &found));
	deliver(&t, "new@example.net", "");
	cr_assert_eq(count_mail(&t, "Archive"), 2);
	cr_assert_eq(replies(), 1);
	end(&t);
}

Test(sieve_oof, other_tools, .timeout = 120)
{
	static const char theirs[] =
		"require [\"vacation\",\"fileinto\"];\nvacation :days 2 \"Gone fishing\";\n"
		"if header :contains \"subject\" \"x\" { fileinto \"Archive\"; }\n";
	struct trip t;
	struct mf_oof oof = away(), back;
	bool found;

	begin(&t);
	other_script(&t, "webmail", theirs, true);
	back = get(&t);
	cr_assert_eq(back.state, MF_OOF_ON, "read from their script");
	cr_assert_str_eq(back.reply[1].text, "Gone fishing");
	cr_assert_eq(set(&t, &oof), MF_REFUSED, "two replies would be one too many");
	oof.state = MF_OOF_OFF;
	cr_assert_eq(set(&t, &oof), MF_REFUSED, "theirs cannot be switched off from here");
	cr_assert(script_is(&t, "list", "webmail ACTIVE", &found));
	cr_assert(!script_is(&t, "list", "mailferry", &found));
	/* They change ours: what they wrote counts; with rules of theirs in it, it stays as it is. */
	other_script(&t, "webmail", filing, true);
	other_script(&t, "mailferry", "require \"vacation\"; vacation \"By hand\";", true);
	cr_assert_str_eq(get(&t).reply[0].text, "By hand");
	oof.state = MF_OOF_ON;
	cr_assert_eq(set(&t, &oof), MF_OK, "%s", t.err.text);
	cr_assert_str_eq(get(&t).reply[0].text, "Dear colleague");
	other_script(&t, "mailferry", theirs, true);
	cr_assert_eq(set(&t, &oof), MF_REFUSED);
	cr_assert(script_is(&t, "get mailferry", "fileinto", &found), "still theirs");
	end(&t);
}

Test(sieve_oof, poor_servers, .timeout = 120)
{
	struct trip t;
	struct mf_oof oof = away();

	begin_own(&t, "plugin {\n  sieve_extensions = -vacation -date -include\n}\n");
	cr_assert_eq(mf_backend_sieve.oof->get(t.session, t.a, &oof, &t.err), MF_UNSUPPORTED);
	end(&t);
	begin_own(&t, "plugin {\n  sieve_extensions = -date -include\n}\n");
	oof = away();
	cr_assert_eq(set(&t, &oof), MF_OK, "%s", t.err.text);
	oof.state = MF_OOF_OFF;
	cr_assert_eq(set(&t, &oof), MF_OK);
	oof.state = MF_OOF_TIMED;
	oof.end = oof.start + 3600;
	cr_assert_eq(set(&t, &oof), MF_REFUSED);
	oof.state = MF_OOF_ON;
	other_script(&t, "rules", filing, true);
	cr_assert_eq(set(&t, &oof), MF_REFUSED, "no include");
	end(&t);
}

/* ---- Hostile texts ---- */

Test(sieve_oof, hostile_texts, .timeout = 120)
{
	static char flood[MF_OOF_TEXT_MAX + 2];
	static const char *const texts[] = { "\"; discard; \"", "\\", "{10+}\r\nLOGOUT\r\n",
		"line\n.\n..\n. dots", "Grüße\xf0\x9f\x98\x80", "\x01\x02", flood };
	struct trip t;
	struct mf_oof oof = away();

	begin(&t);
	memset(flood, 'x', 10000);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		for (int k = 0; k < MF_OOF_AUDIENCES; k++)
			oof.reply[k] = (struct mf_oof_reply){ true, false, texts[i] };
		cr_assert_eq(set(&t, &oof), MF_OK, "%zu: %s", i, t.err.text);
		cr_assert_str_eq(get(&t).reply[0].text, texts[i]);
		deliver(&t, "a@example.net", "");
	}
	cr_assert_eq(count_mail(&t, "INBOX"), 7, "nothing was discarded");
	memset(flood, 'x', MF_OOF_TEXT_MAX + 1);
	cr_assert_eq(set(&t, &oof), MF_TOO_LARGE);
	cr_assert(mf_backend_sieve.usable(t.session));
	end(&t);
}

/* ---- Logins, and servers that are stopped ---- */

static int64_t
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

Test(sieve_oof, stopped_and_hanging, .timeout = 120)
{
	struct trip t;
	struct mf_oof oof = away();
	struct mf_session *first;
	char password[130];
	int64_t since;

	begin(&t);
	snprintf(password, sizeof(password), "secret-%s", t.user);
	first = t.session;
	t.session = NULL;
	cr_assert_eq(log_in(&t, "not-the-secret"), MF_AUTH);
	t.session = first;
	dovecot_do(&t.dovecot, "pause");
	since = seconds();
	cr_assert_eq(set(&t, &oof), MF_TEMPORARY);
	cr_assert(!mf_backend_sieve.usable(t.session));
	t.session = NULL;
	cr_assert_eq(log_in(&t, password), MF_TEMPORARY);
	cr_assert(seconds() - since < IN_TIME_S);
	mf_backend_sieve.logout(first);
	dovecot_do(&t.dovecot, "continue");
	cr_assert_eq(log_in(&t, password), MF_OK, "%s", t.err.text);
	dovecot_do(&t.dovecot, "stop");
	cr_assert_eq(set(&t, &oof), MF_TEMPORARY);
	mf_backend_sieve.logout(t.session);
	t.session = NULL;
	cr_assert_eq(log_in(&t, password), MF_TEMPORARY);
	dovecot_do(&t.dovecot, "start");
	cr_assert_eq(log_in(&t, password), MF_OK, "%s", t.err.text);
	cr_assert_eq(set(&t, &oof), MF_OK, "%s", t.err.text);
	end(&t);
}

/* ---- Servers that are none ---- */

struct impostor {
	const char *greeting, *answer;
	bool endless;
	int listener;
	uint16_t port;
};

static void *
pretend(void *arg)
{
	struct impostor *m = arg;
	int fd = accept(m->listener, NULL, NULL);
	FILE *in = fdopen(fd, "r");
	char line[3000];

	send(fd, m->greeting, strlen(m->greeting), MSG_NOSIGNAL);
	while (fgets(line, sizeof(line), in) != NULL) {
		const char *answer = strncmp(line, "AUTHENTICATE", 12) == 0 ? "OK\r\n" : m->answer;

		if (strstr(line, "+}") != NULL && strncmp(line, "AUTHENTICATE", 12) != 0)
			continue;
		do
			if (send(fd, answer, strlen(answer), MSG_NOSIGNAL) < 0)
				break;
		while (m->endless && answer == m->answer);
	}
	fclose(in);
	return NULL;
}

#define GOOD "\"SASL\" \"PLAIN\"\r\n\"SIEVE\" \"vacation include date relational\"\r\nOK\r\n"

Test(sieve_oof, servers_that_are_none, .timeout = 120)
{
	static const struct impostor cases[] = {
		{ .greeting = "220 smtp\r\n250 x\r\n", .answer = "" },
		{ .greeting = "BYE \"busy\"\r\n", .answer = "" },
		{ .greeting = "", .answer = "" },
		{ .greeting = GOOD, .answer = "{99999999}\r\n" },
		{ .greeting = GOOD, .answer = "{10}\r\nshort\r\n" },
		{ .greeting = GOOD, .answer = "\"unended\r\n" },
		{ .greeting = GOOD, .answer = "BYE\r\n" },
		{ .greeting = GOOD, .answer = "\"name\"\r\n", .endless = true },
		{ .greeting = GOOD, .answer = "x", .endless = true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct impostor m = cases[i];
		struct trip t = { .user = "anna" };
		pthread_t thread;
		char settings[300];
		int64_t since = seconds();
		enum mf_status st;

		listen_on(&m.listener, &m.port);
		cr_assert_eq(pthread_create(&thread, NULL, pretend, &m), 0);
		snprintf(settings, sizeof(settings),
			"\turl = \"sieve://127.0.0.1:%u\"\n\tcommand_timeout = 1s\n"
			"\tconnect_timeout = 1s\n",
			m.port);
		t.a = mf_arena_new();
		cr_assert_eq(open_backend(&t, settings), MF_OK);
		st = log_in(&t, "secret");
		if (st == MF_OK) {
			struct mf_oof oof;

			st = mf_backend_sieve.oof->get(t.session, t.a, &oof, &t.err);
		}
		cr_assert_eq(st, MF_TEMPORARY, "%zu: %s", i, mf_status_name(st));
		cr_assert(seconds() - since < IN_TIME_S, "%zu", i);
		end(&t);
		shutdown(m.listener, SHUT_RDWR);
		pthread_join(thread, NULL);
		close(m.listener);
	}
}
