/* imap: what a watcher makes of what servers say while it waits: numbers, refusals, goodbyes, nonsense. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake.h"
#include "push/loop.h"

#define END                      \
	{                        \
		NULL, NULL, NULL \
	}
#define GREET(caps)                                                                       \
	{ NULL, "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\r\n", NULL },          \
	{                                                                                 \
		"AUTHENTICATE PLAIN", "$ OK [CAPABILITY IMAP4rev1 " caps "] in\r\n", NULL \
	}
#define INBOX(caps)                                                                           \
	GREET(caps),                                                                          \
		{ "EXAMINE INBOX",                                                            \
			"* 3 EXISTS\r\n* OK [UIDNEXT 9] x\r\n* OK [UIDVALIDITY 5] x\r\n$ OK " \
			"[READ-ONLY] x\r\n",                                                  \
			NULL },                                                               \
		LIST("* LIST () \"/\" INBOX\r\n"),                                            \
	{                                                                                     \
		"NOOP", "$ OK x\r\n", NULL                                                    \
	}
#define LIST(lines)                                         \
	{                                                   \
		"LIST \"\" \"*\"", lines "$ OK x\r\n", NULL \
	}
/* What came is asked for: an IDLE ends, the answer, and the next one. */
#define ASKED(from, lines)                                                               \
	{ "DONE", NULL, NULL },                                                          \
		{ "UID FETCH " from ":* (UID INTERNALDATE)", lines "$ OK x\r\n", NULL }, \
	{                                                                                \
		"NOOP", "$ OK x\r\n", NULL                                               \
	}

/* Lines without end, and literals that are none. */
static char *
nonsense(void)
{
	size_t len = 300000;
	char *text = malloc(len + 200);

	cr_assert_not_null(text);
	memset(text, 'x', len);
	text[0] = '*';
	text[1] = ' ';
	strcpy(text + len, "\r\n* 99999999999999999999999 EXISTS\r\n* STATUS (\r\n* STATUS "
			   "\"a\\\r\n* )\r\n*\r\n\r\n"
			   "* VANISHED 1:,\r\n* OK [UIDNEXT\r\nW\r\nWx OK\r\n* ID (\"name\" NIL "
			   "\"\r\n* X {3}\r\nabc\r\n");
	return text;
}

/* ---- The watch ---- */

struct listener {
	struct mf_loop *loop;
	struct mf_backend *backend;
	struct mf_watch *watch;
	pthread_mutex_t lock;
	char told[1000];
};

static void
told(void *ctx, enum mf_stir what, const char *folder)
{
	static const char *const names[] = { "ready", "again", "new", "changed", "folders",
		"blind" };
	struct listener *l = ctx;
	struct mf_arrival came[100];
	size_t len, n = what == MF_STIR_NEW && folder != NULL
				? mf_backend_imap.watch->arrived(l->watch, came, 100)
				: 0;

	pthread_mutex_lock(&l->lock);
	len = strlen(l->told);
	len += (size_t)snprintf(l->told + len, sizeof(l->told) - len, "%s%s%s", names[what],
		folder != NULL ? ":" : "", folder != NULL ? folder : "");
	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(l->told + len, sizeof(l->told) - len, "=%d.%d@%d",
			(int)came[i].epoch, (int)came[i].id, (int)(came[i].date % 1000));
	snprintf(l->told + len, sizeof(l->told) - len, " ");
	pthread_mutex_unlock(&l->lock);
}

struct step {
	struct mf_loop_task task;
	struct listener *l;
	_Atomic int done;
};

static void
begin(struct mf_loop_task *task)
{
	struct step *s = (struct step *)task;
	const struct mf_login who = { .user = "anna", .password = "secret" };
	const char *const folders[] = { "INBOX", "Work" };
	struct mf_error err;

	mf_backend_imap.watch->start(
		s->l->backend, s->l->loop, &who, told, s->l, &s->l->watch, &err);
	mf_backend_imap.watch->folders(s->l->watch, folders, 1 + (s->l->told[0] == 'W'));
	s->l->told[0] = '\0';
	s->done = 1;
}

static void
stop(struct mf_loop_task *task)
{
	struct step *s = (struct step *)task;

	mf_backend_imap.watch->stop(s->l->watch);
	s->done = 1;
}

static void
on_loop(struct listener *l, void (*run)(struct mf_loop_task *))
{
	struct step s = { .task = { .run = run }, .l = l };

	mf_loop_post(l->loop, &s.task);
	while (s.done == 0)
		usleep(1000);
}

static void *
thread(void *arg)
{
	loop_run(arg);
	return NULL;
}

static void
wait_for(struct listener *l, const char *expected, const char *name)
{
	bool same = false;
	char last[1000];

	for (int i = 0; i < 20000 && !same; i++) {
		pthread_mutex_lock(&l->lock);
		same = strcmp(l->told, expected) == 0;
		memcpy(last, l->told, sizeof(last));
		pthread_mutex_unlock(&l->lock);
		usleep(1000);
	}
	cr_assert(same, "%s: told \"%s\", expected \"%s\"", name, last, expected);
}

Test(watch, tells_what_servers_say)
{
	static const struct {
		const char *name, *settings, *told;
		bool work; /* another folder is wanted, too */
		struct fake_step steps[16];
	} rows[] = {
		{ "numbers of an Inbox that idles", "watch = idle\n",
			"ready changed:INBOX changed:INBOX changed:INBOX new:INBOX=5.9@1 "
			"new:INBOX=5.12@2=5.13@3 ",
			false,
			{ INBOX("IDLE"),
				{ "IDLE",
					"+ idling\r\n* 4 EXISTS\r\n* 1 RECENT\r\n* 2 EXPUNGE\r\n"
					"* 3 EXISTS\r\n* 1 FETCH (FLAGS ())\r\n* VANISHED 5:6\r\n"
					"* OK Still here\r\n* 2 EXISTS\r\n",
					NULL },
				ASKED("9", "* 2 FETCH (UID 9 INTERNALDATE \"01-Jan-1970 00:00:01 "
					   "+0000\")\r\n"),
				{ "UID FETCH 10:* (UID INTERNALDATE)",
					"* 3 FETCH (INTERNALDATE \"01-Jan-1970 00:00:02 +0000\" "
					"UID "
					"12)\r\n"
					"* 4 FETCH (UID 13 INTERNALDATE \"01-Jan-1970 00:00:03 "
					"+0000\")\r\n$ OK x\r\n",
					NULL },
				{ "NOOP", "$ OK x\r\n", NULL }, { "IDLE", "+ idling\r\n", NULL },
				END } },
		{ "what came is not to be had, or was there before", "watch = idle\n",
			"ready new:INBOX new:INBOX ", false,
			{ INBOX("IDLE"), { "IDLE", "+ idling\r\n* 4 EXISTS\r\n", NULL },
				{ "DONE", NULL, NULL },
				{ "UID FETCH 9:*", "$ NO not now\r\n", NULL },
				{ "NOOP", "$ OK x\r\n", NULL },
				{ "IDLE", "+ idling\r\n* 5 EXISTS\r\n", NULL },
				ASKED("10", "* 5 FETCH (UID 9 INTERNALDATE \"01-Jan-1970 00:00:01 "
					    "+0000\")\r\n"),
				{ "IDLE", "+ idling\r\n", NULL }, END } },
		{ "another list of folders, asked for now and then",
			"watch = idle\nwatch_poll = 10s\n", "ready folders ", false,
			{ INBOX("IDLE"), { "IDLE", "+ idling\r\n", NULL }, { "DONE", NULL, NULL },
				LIST("* LIST () \"/\" INBOX\r\n* LIST () \"/\" New\r\n"),
				{ "NOOP", "$ OK x\r\n", NULL }, { "IDLE", "+ idling\r\n", NULL },
				END } },
		{ "the same list, with new mail in it", "watch = idle\nwatch_poll = 10s\n",
			"ready changed:INBOX ", false,
			{ INBOX("IDLE"), { "IDLE", "+ idling\r\n", NULL }, { "DONE", NULL, NULL },
				LIST("* LIST (\\Marked) \"/\" INBOX\r\n"),
				{ "NOOP", "$ OK x\r\n", NULL },
				{ "IDLE", "+ idling\r\n* VANISHED 1\r\n", NULL }, END } },
		{ "another folder is asked for before it is said to be watched", "watch = idle\n",
			"ready ", true,
			{ GREET("IDLE"), { "EXAMINE INBOX", "* 3 EXISTS\r\n$ OK x\r\n", NULL },
				{ "STATUS \"Work\"",
					"* STATUS Work (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 3)\r\n$ "
					"OK x\r\n",
					NULL },
				LIST(""), { "NOOP", "$ OK x\r\n", NULL },
				{ "IDLE", "+ idling\r\n", NULL }, END } },
		{ "NOTIFY", "watch = notify\n", "ready new:INBOX changed:INBOX new:Work folders ",
			true,
			{ GREET("NOTIFY"),
				{ "NOTIFY SET STATUS (mailboxes (INBOX \"Work\")",
					"* STATUS INBOX (MESSAGES 1 UIDNEXT 5 UIDVALIDITY 1)\r\n"
					"* STATUS Work (MESSAGES 1 UIDNEXT 5 UIDVALIDITY 1)\r\n$ "
					"OK x\r\n",
					NULL },
				{ "NOOP",
					"$ OK x\r\n* STATUS INBOX (MESSAGES 2 UIDNEXT 6 "
					"UIDVALIDITY 1)\r\n"
					"* STATUS INBOX (UIDVALIDITY 1 HIGHESTMODSEQ 77)\r\n"
					"* STATUS Work (MESSAGES 2 UIDNEXT 6 UIDVALIDITY 1)\r\n"
					"* LIST () \"/\" New\r\n",
					NULL },
				END } },
		{ "NOTIFY is refused", "watch = notify\n", "ready new:INBOX ", false,
			{ GREET("NOTIFY IDLE"), { "NOTIFY SET", "$ BAD what\r\n", NULL },
				{ "EXAMINE INBOX", "* 3 EXISTS\r\n$ OK x\r\n", NULL }, LIST(""),
				{ "NOOP", "$ OK x\r\n", NULL },
				{ "IDLE", "+ idling\r\n* 4 EXISTS\r\n", NULL }, END } },
		{ "a wrong password", "", "blind ", false,
			{ { NULL, "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\r\n", NULL },
				{ "AUTHENTICATE PLAIN", "$ NO [AUTHENTICATIONFAILED] no\r\n",
					NULL },
				END } },
		{ "goodbye, and again", "watch = idle\n", "ready again again ", false,
			{ INBOX("IDLE"), { "IDLE", "+ idling\r\n* BYE for now\r\n", NULL },
				{ NULL, FAKE_CLOSE, NULL }, END } },
		{ "nonsense", "watch = idle\n", "ready changed:INBOX new:INBOX ", false,
			{ INBOX("IDLE"), { "IDLE", "* 4 EXISTS\r\n", nonsense }, ASKED("9", ""),
				{ "IDLE", "+ idling\r\n", NULL }, END } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fake *f = fake_start(rows[i].steps);
		struct listener l = { .told = "" };
		struct fake_client c;
		struct mf_error err;
		pthread_t t;

		fake_login(&c, f, rows[i].settings);
		mf_backend_imap.logout(c.session); /* one at a time */
		c.session = NULL;
		l.backend = c.backend;
		pthread_mutex_init(&l.lock, NULL);
		cr_assert_eq(loop_new(2, &l.loop, &err), MF_OK);
		cr_assert_eq(pthread_create(&t, NULL, thread, l.loop), 0);
		if (rows[i].work)
			l.told[0] = 'W';
		on_loop(&l, begin);
		wait_for(&l, rows[i].told, rows[i].name);
		on_loop(&l, stop);
		loop_stop(l.loop);
		pthread_join(t, NULL);
		loop_free(l.loop);
		fake_logout(&c);
		fake_end(f);
	}
}
