/*
 * Push: mail that arrives ends a Ping and a waiting Sync, by NOTIFY and by IDLE, in the Inbox and beside
 * it; over a mail server that is killed meanwhile; and what happened between is not lost.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "pinging.h"

/* The same by both ways of watching. */
static void
mail_ends_a_ping(const char *settings, int inbox_within, int other_within)
{
	struct dovecot d;
	struct gateway g;
	struct imap_talk *t;
	const char *user = fixture_user("push");
	struct pinging p = { .folders = { "inbox", "Work" }, .heartbeat = 120 };
	const char *work = "Subject: work\r\n\r\nx\r\n";
	int64_t began;

	dovecot_get(&d);
	gateway_start(&g, &d, settings);
	t = imap_talk_open(&d, user);
	imap_talk(t, "CREATE Work");
	p.phone = phone_new(&g, user, NULL, "phone1");
	phone_hierarchy(p.phone);
	deliver(&d, user, "before");
	phone_sync(p.phone, "inbox");
	phone_sync(p.phone, "Work");

	for (int i = 0; i < 2; i++) { /* again, over the watcher that lingers */
		ping_begin(&p);
		began = now_ms();
		deliver(&d, user, "wake up");
		ping_end(&p, "inbox");
		cr_assert_lt(p.ended - began, inbox_within, "took %d ms", (int)(p.ended - began));
		cr_assert_eq(phone_sync(p.phone, "inbox").added, 1);
	}

	ping_begin(&p);
	imap_talk(t, "SELECT INBOX");
	imap_talk(t, "STORE 1 +FLAGS (\\Seen)"); /* wakes nobody */
	pause_ms(1000);
	began = now_ms();
	imap_talk_append(t, "Work", "", NULL, work, strlen(work));
	ping_end(&p, "Work");
	cr_assert_lt(p.ended - began, other_within, "took %d ms", (int)(p.ended - began));
	imap_talk_close(t);
	phone_free(p.phone);
	gateway_end(&g);
	dovecot_end(&d);
}

Test(push, by_notify, .timeout = 120)
{
	mail_ends_a_ping("imap {\n\twatch = notify\n}\n", 5000, 5000);
}

Test(push, by_idle, .timeout = 120)
{
	mail_ends_a_ping("imap {\n\twatch = idle\n\twatch_poll = 10s\n}\n", 5000, 15000);
}

/*
 * A session of Dovecot that goes to sleep forgets the mail of the half second before (it collects events
 * that long, and drops them). Deliveries in just that time, one each 40 ms, are told all the same.
 */
enum { SLEEPERS = 16 };

Test(push, over_a_server_that_falls_asleep, .timeout = 180)
{
	struct pinging p[SLEEPERS];
	struct dovecot d;
	struct gateway g;
	int64_t began[SLEEPERS];

	dovecot_start(&d, "--hibernate 2");
	gateway_start(&g, &d, "imap {\n\twatch = idle\n\twatch_hibernation = 2s\n}\n");
	for (int i = 0; i < SLEEPERS; i++) {
		char user[20];

		snprintf(user, sizeof user, "sleeper%d", i);
		p[i] = (struct pinging){ .folders = { "inbox" }, .heartbeat = 120 };
		p[i].phone = phone_new(&g, user, NULL, "phone1");
		phone_hierarchy(p[i].phone);
		deliver(&d, user, "before");
		phone_sync(p[i].phone, "inbox");
	}
	for (int i = 0; i < SLEEPERS; i++) {
		ping_start(&p[i]);
		began[i] = now_ms();
		pause_ms(60);
	}
	for (int i = 0; i < SLEEPERS; i++) {
		int64_t at = began[i] + 1450 + i * 40;
		char user[20];

		snprintf(user, sizeof user, "sleeper%d", i);
		if (at > now_ms())
			pause_ms((long)(at - now_ms()));
		deliver(&d, user, "good night");
	}
	for (int i = 0; i < SLEEPERS; i++) {
		ping_end(&p[i], "inbox");
		cr_assert_lt(p[i].ended - began[i], 20000, "sleeper%d: %d ms", i,
			(int)(p[i].ended - began[i]));
		phone_free(p[i].phone);
	}
	gateway_end(&g);
	dovecot_end(&d);
}

/* The server dies under a Ping; mail comes before the watcher is back; it is told all the same. */
Test(push, over_a_killed_server, .timeout = 180)
{
	struct dovecot d;
	struct gateway g;
	struct pinging p = { .folders = { "inbox" }, .heartbeat = 120 };

	dovecot_start(&d, "");
	gateway_start(&g, &d, "");
	p.phone = phone_new(&g, "anna", NULL, "phone1");
	phone_hierarchy(p.phone);
	deliver(&d, "anna", "before");
	phone_sync(p.phone, "inbox");
	ping_begin(&p);
	dovecot_do(&d, "kill");
	pause_ms(500);
	dovecot_do(&d, "start");
	deliver(&d, "anna", "while nobody watched");
	ping_end(&p, "inbox");
	cr_assert_eq(phone_sync(p.phone, "inbox").added, 1);
	phone_free(p.phone);
	gateway_end(&g);
	dovecot_end(&d);
}

/* ---- A server that hangs ---- */

struct delivery {
	const struct dovecot *dovecot;
	pthread_t thread;
};

static void *
deliver_late(void *arg)
{
	deliver(((struct delivery *)arg)->dovecot, "anna", "while it hung");
	return NULL;
}

/* The server hangs under a Ping, for longer than one of its commands may take, with mail on its way: nobody is
 * told anything, and of the mail once it goes on. */
Test(push, over_a_hanging_server, .timeout = 180)
{
	struct dovecot d;
	struct gateway g;
	struct pinging p = { .folders = { "inbox", "Work" }, .heartbeat = 120 };
	struct delivery late = { .dovecot = &d };
	struct imap_talk *t;
	int64_t went_on;

	dovecot_start(&d, "");
	gateway_start(&g, &d,
		"imap {\n\twatch = idle\n\twatch_poll = 10s\n\tconnect_timeout = 2s\n"
		"\tcommand_timeout = 2s\n}\n");
	t = imap_talk_open(&d, "anna");
	imap_talk(t, "CREATE Work");
	imap_talk_close(t);
	p.phone = phone_new(&g, "anna", NULL, "phone1");
	phone_hierarchy(p.phone);
	deliver(&d, "anna", "before");
	phone_sync(p.phone, "inbox");
	phone_sync(p.phone, "Work");
	ping_begin(&p);
	dovecot_do(&d, "pause");
	cr_assert_eq(pthread_create(&late.thread, NULL, deliver_late, &late), 0);
	pause_ms(13000); /* over a check of the other folder, too */
	went_on = now_ms();
	dovecot_do(&d, "continue");
	pthread_join(late.thread, NULL);
	ping_end(&p, "inbox");
	cr_assert_geq(p.ended, went_on, "answered while the server hung");
	cr_assert_eq(phone_sync(p.phone, "inbox").added, 1);
	phone_free(p.phone);
	gateway_end(&g);
	dovecot_end(&d);
}

/* ---- Out of descriptors ---- */

/* So many more than it has open now. */
static void
allow_descriptors(const struct gateway *g, rlim_t more)
{
	struct rlimit files = { .rlim_cur = more };
	char path[60];
	DIR *open_now;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)g->pid);
	open_now = opendir(path);
	cr_assert_not_null(open_now);
	for (const struct dirent *e; (e = readdir(open_now)) != NULL;)
		files.rlim_cur += e->d_name[0] != '.';
	closedir(open_now);
	files.rlim_max = files.rlim_cur;
	cr_assert_eq(prlimit(g->pid, RLIMIT_NOFILE, &files, NULL), 0);
}

/* Until it is 200; meanwhile only what says that trying again helps. */
static void
await_answer(struct phone *p)
{
	unsigned status = 0;

	for (int i = 0; i < 60 && status != 200; i++) {
		status = phone_http_status(p, NULL);
		cr_assert(status == 0 || status == 503 || status == 200, "status %u", status);
		if (status != 200)
			pause_ms(500);
	}
	cr_assert_eq(status, 200);
}

/* Connections take all of them under a Ping: mail that comes then is told when they are gone at the latest, and
 * others are served again. */
Test(push, out_of_descriptors, .timeout = 180)
{
	enum { ROOM = 20, HELD = 60 };
	struct dovecot d;
	struct gateway g;
	const char *user = fixture_user("full");
	struct pinging p = { .folders = { "inbox" }, .heartbeat = 120 };
	struct phone *other;
	int held[HELD];

	dovecot_get(&d);
	gateway_start(&g, &d, "");
	p.phone = phone_new(&g, user, NULL, "phone1");
	phone_hierarchy(p.phone);
	deliver(&d, user, "before");
	phone_sync(p.phone, "inbox");
	ping_begin(&p);
	allow_descriptors(&g, ROOM);
	for (int i = 0; i < HELD; i++)
		held[i] = fixture_connect(g.port);
	for (int i = 0; i < 200 && gateway_log_count(&g, "http=accept") == 0; i++)
		pause_ms(100);
	cr_assert_gt(gateway_log_count(&g, "http=accept"), 0, "it had enough");
	deliver(&d, user, "no room");
	pause_ms(1500);
	for (int i = 0; i < HELD; i++)
		close(held[i]);
	ping_end(&p, "inbox");
	other = phone_new(&g, fixture_user("fuller"), NULL, "phone2");
	await_answer(other);
	cr_assert_eq(phone_sync(p.phone, "inbox").added, 1);
	phone_free(other);
	phone_free(p.phone);
	gateway_end(&g);
	dovecot_end(&d);
}

/* ---- A changed password ---- */

/* Of demo, the only one of the file; in place, so that it stays readable for Dovecot. secret-demo is good for
 * the test's own sessions still. */
static void
set_password(const struct dovecot *d, const char *password)
{
	char path[300], *old, *rest;
	size_t len;
	FILE *f;

	snprintf(path, sizeof path, "%s/.users", d->mail);
	old = fixture_read(path, &len);
	rest = strchr(strchr(old, '}'), ':');
	f = fopen(path, "w");
	cr_assert_not_null(f);
	fprintf(f, "demo:{PLAIN}%s%s", password, rest);
	cr_assert_eq(fclose(f), 0);
	free(old);
	pause_ms(2000); /* Dovecot looks at it once a second */
}

/* The watcher's next look at the other folder is refused: it tries no more with the old one, and the phone is
 * served with the new one. */
Test(push, a_password_that_changes, .timeout = 240)
{
	struct dovecot d;
	struct gateway g;
	struct pinging p = { .folders = { "inbox", "Work" }, .heartbeat = 120 };
	struct phone *old;
	struct imap_talk *t;

	dovecot_start(&d, "");
	gateway_start(&g, &d, "imap {\n\twatch = idle\n\twatch_poll = 10s\n}\n");
	t = imap_talk_open(&d, "demo");
	imap_talk(t, "CREATE Work");
	imap_talk_close(t);
	deliver(&d, "demo", "before");
	set_password(&d, "first-word");
	old = p.phone = phone_new(&g, "demo", "first-word", "phone1");
	phone_hierarchy(p.phone);
	phone_sync(p.phone, "inbox");
	phone_sync(p.phone, "Work");
	ping_begin(&p);
	set_password(&d, "second-word");
	for (int i = 0; i < 600 && gateway_log_count(&g, "event=watch-denied") == 0; i++)
		pause_ms(100);
	cr_assert_eq(gateway_log_count(&g, "event=watch-denied"), 1);
	deliver(&d, "demo", "over the session that it has, or asked for the password");
	ping_join(&p);
	cr_assert(p.st == MF_AUTH || (p.st == MF_OK && p.status == 2), "%d", (int)p.st);
	pause_ms(21000); /* two looks more */
	cr_assert_leq(gateway_log_count(&g, "event=watch-unchecked"), 1);
	cr_assert_eq(gateway_log_count(&g, "event=watch-denied"), 1);

	p.phone = phone_new(&g, "demo", "second-word", "phone2");
	phone_hierarchy(p.phone);
	phone_sync(p.phone, "inbox");
	phone_sync(p.phone, "Work");
	ping_begin(&p);
	deliver(&d, "demo", "with the new one");
	ping_end(&p, "inbox");
	cr_assert_eq(gateway_log_count(&g, "first-word") + gateway_log_count(&g, "second-word"), 0);
	phone_free(old);
	phone_free(p.phone);
	gateway_end(&g);
	dovecot_end(&d);
}

/* Beyond waiting_limit_user: 503, and when to come again; who waits already is left alone. */
Test(push, too_many_of_a_user, .timeout = 120)
{
	struct dovecot d;
	struct gateway g;
	const char *user = fixture_user("many");
	struct pinging p = { .folders = { "inbox" }, .heartbeat = 120 };
	struct phone *other;
	struct client_ping_result result = { 0 };
	struct client_folder *inbox;
	struct mf_arena *a = mf_arena_new();
	struct mf_error err = { .text = "" };

	dovecot_get(&d);
	gateway_start(&g, &d, "waiting_limit_user = 1\n");
	p.phone = phone_new(&g, user, NULL, "phone1");
	phone_hierarchy(p.phone);
	deliver(&d, user, "before");
	phone_sync(p.phone, "inbox");
	other = phone_new(&g, user, NULL, "phone2");
	phone_hierarchy(other);
	phone_sync(other, "inbox");
	ping_begin(&p);
	inbox = phone_folder(other, "inbox");
	cr_assert_eq(client_ping(other->client, a, 120, &inbox, 1, &result, &err), MF_TEMPORARY,
		"it waited: %s", err.text);
	cr_assert_eq(gateway_log_count(&g, "too many requests wait"), 1);
	deliver(&d, user, "wake up");
	ping_end(&p, "inbox");
	cr_assert_eq(phone_sync(p.phone, "inbox").added, 1);
	mf_arena_free(a);
	phone_free(other);
	phone_free(p.phone);
	gateway_end(&g);
	dovecot_end(&d);
}

/* SIGTERM answers who waits, well formed; nothing is lost until the next process is there. */
Test(push, the_gateway_stops_under_a_ping, .timeout = 120)
{
	struct dovecot d;
	struct gateway g;
	const char *user = fixture_user("stop");
	struct pinging p = { .folders = { "inbox" }, .heartbeat = 120 };
	int64_t began;

	dovecot_get(&d);
	gateway_start(&g, &d, "");
	p.phone = phone_new(&g, user, NULL, "phone1");
	phone_hierarchy(p.phone);
	deliver(&d, user, "before");
	phone_sync(p.phone, "inbox");
	ping_begin(&p);
	began = now_ms();
	cr_assert_eq(gateway_stop(&g), 0);
	cr_assert_lt(now_ms() - began, 10000, "who waits does not hold up the end");
	ping_join(&p);
	cr_assert_eq(p.st, MF_OK);
	cr_assert_eq(p.status, 1, "status %u", p.status);

	/* What came meanwhile is told at once, by what the new process remembers of the phone's Ping. */
	deliver(&d, user, "while no gateway ran");
	gateway_again(&g);
	p.folders[0] = NULL;
	began = now_ms();
	ping_start(&p);
	ping_end(&p, "inbox");
	cr_assert_lt(p.ended - began, 20000, "took %d ms", (int)(p.ended - began));
	cr_assert_eq(phone_sync(p.phone, "inbox").added, 1);
	phone_free(p.phone);
	gateway_end(&g);
	dovecot_end(&d);
}
