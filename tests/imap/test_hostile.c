/* imap: servers that lie, stall, hang up, flood and cheat. The answer is a status, in time; never a
 * crash, never a hang, never a wrong password told to the user. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fake.h"

#define GREETING                                                                    \
	{                                                                           \
		NULL, "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\r\n", NULL \
	}
#define IN(caps)                                                                          \
	{                                                                                 \
		"AUTHENTICATE PLAIN", "$ OK [CAPABILITY IMAP4rev1 " caps "] in\r\n", NULL \
	}
#define END                      \
	{                        \
		NULL, NULL, NULL \
	}
#define STEPS_MOST 20

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static char *
repeat(const char *head, const char *unit, size_t n, const char *tail)
{
	size_t len = strlen(unit);
	char *text = malloc(strlen(head) + n * len + strlen(tail) + 1), *p = text;

	cr_assert_not_null(text);
	p = stpcpy(p, head);
	for (size_t i = 0; i < n; i++)
		p = stpcpy(p, unit);
	strcpy(p, tail);
	return text;
}

/* ---- Logging in ---- */

Test(hostile, logins)
{
	static const struct {
		const char *name, *settings;
		enum mf_status status;
		struct fake_step steps[6];
	} cases[] = {
		{ "hangs up at once", "", MF_TEMPORARY, { { NULL, FAKE_CLOSE, NULL } } },
		{ "says nothing", "", MF_TEMPORARY, { { NULL, FAKE_STALL, NULL } } },
		{ "drips", "", MF_TEMPORARY, { { NULL, FAKE_DRIP, NULL } } },
		{ "floods", "", MF_TEMPORARY, { GREETING, { "AUTH", FAKE_FLOOD, NULL } } },
		{ "BYE instead of a greeting", "", MF_TEMPORARY,
			{ { NULL, "* BYE too many connections\r\n", NULL } } },
		{ "logged in already", "", MF_TEMPORARY,
			{ { NULL, "* PREAUTH [CAPABILITY IMAP4rev1] welcome\r\n", NULL } } },
		{ "no IMAP", "", MF_TEMPORARY,
			{ { NULL, "HTTP/1.1 400 Bad Request\r\n\r\n", NULL } } },
		{ "binary", "", MF_TEMPORARY, { { NULL, "\x16\x03\x01\x02\xff\n\n\n", NULL } } },
		{ "wrong, with a code", "", MF_AUTH,
			{ GREETING, { "AUTH", "$ NO [AUTHENTICATIONFAILED] no\r\n", NULL }, END } },
		{ "wrong, without", "", MF_AUTH,
			{ GREETING, { "AUTH", "$ NO Login failed.\r\n", NULL }, END } },
		{ "wrong, an alert", "", MF_AUTH,
			{ GREETING, { "AUTH", "$ NO [ALERT] Invalid credentials\r\n", NULL },
				END } },
		{ "expired", "", MF_AUTH,
			{ GREETING, { "AUTH", "$ NO [EXPIRED] no\r\n", NULL }, END } },
		{ "unavailable", "", MF_TEMPORARY,
			{ GREETING, { "AUTH", "$ NO [UNAVAILABLE] later\r\n", NULL }, END } },
		{ "limit", "", MF_TEMPORARY,
			{ GREETING, { "AUTH", "$ NO [LIMIT] many\r\n", NULL }, END } },
		{ "in use", "", MF_TEMPORARY,
			{ GREETING, { "AUTH", "$ NO [INUSE] x\r\n", NULL }, END } },
		{ "ask the administrator", "", MF_REFUSED,
			{ GREETING, { "AUTH", "$ NO [CONTACTADMIN] x\r\n", NULL }, END } },
		{ "server bug", "", MF_TEMPORARY,
			{ GREETING, { "AUTH", "$ NO [SERVERBUG] x\r\n", NULL }, END } },
		{ "too many, in words", "", MF_TEMPORARY,
			{ GREETING,
				{ "AUTH", "$ NO [ALERT] Too many simultaneous connections.\r\n",
					NULL },
				END } },
		{ "not this user", "", MF_REFUSED,
			{ GREETING, { "AUTH", "$ NO [AUTHORIZATIONFAILED] x\r\n", NULL }, END } },
		{ "BAD", "", MF_TEMPORARY, { GREETING, { "AUTH", "$ BAD what?\r\n", NULL }, END } },
		{ "BYE", "", MF_TEMPORARY,
			{ GREETING, { "AUTH", "* BYE down\r\n", NULL },
				{ NULL, FAKE_CLOSE, NULL } } },
		{ "challenges without end", "", MF_TEMPORARY,
			{ GREETING, { "AUTH", "+ \r\n+ \r\n+ \r\n+ \r\n+ \r\n", NULL },
				{ NULL, FAKE_STALL, NULL } } },
		{ "another's tag", "", MF_TEMPORARY,
			{ GREETING, { "AUTH", "A77 OK in\r\n", NULL },
				{ NULL, FAKE_STALL, NULL } } },
		{ "no way to log in", "", MF_REFUSED,
			{ { NULL, "* OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi\r\n", NULL },
				END } },
		{ "STARTTLS stripped", "starttls = required\n", MF_TEMPORARY, { GREETING, END } },
		{ "STARTTLS refused", "starttls = required\n", MF_TEMPORARY,
			{ { NULL, "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n", NULL },
				{ "STARTTLS", "$ NO not now\r\n", NULL }, END } },
		{ "plain text before TLS", "starttls = required\nverify = no\n", MF_TEMPORARY,
			{ { NULL, "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n", NULL },
				{ "STARTTLS", "$ OK go\r\n* OK [CAPABILITY IMAP4rev1] x\r\n",
					NULL },
				{ NULL, FAKE_STALL, NULL } } },
		{ "no TLS after STARTTLS", "starttls = required\n", MF_TEMPORARY,
			{ { NULL, "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n", NULL },
				{ "STARTTLS", "$ OK go\r\n", NULL }, { NULL, FAKE_STALL, NULL } } },
		{ "PREAUTH before STARTTLS", "starttls = required\n", MF_TEMPORARY,
			{ { NULL, "* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] hi\r\n", NULL },
				END } },
		{ "LOGIN in quotes", "auth = login\n", MF_OK,
			{ GREETING, { "LOGIN anna \"secret \\\"x\\\\\"", "$ OK in\r\n", NULL },
				{ "CAPABILITY", "* CAPABILITY IMAP4rev1\r\n$ OK\r\n", NULL },
				END } },
		{ "PLAIN in two steps", "", MF_OK,
			{ { NULL, "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n", NULL },
				{ "AUTHENTICATE PLAIN", "+ \r\n", NULL },
				{ "AGFubmEAc2VjcmV0ICJ4XA==", "A1 OK [CAPABILITY IMAP4rev1] in\r\n",
					NULL },
				END } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fake *f = fake_start(cases[i].steps);
		struct fake_client c;
		double start = now();

		fake_login(&c, f, cases[i].settings);
		cr_assert_eq(c.status, cases[i].status, "%s: %s: %s (%s)", cases[i].name,
			mf_status_name(c.status), c.err.text, fake_complaint(f));
		cr_assert_lt(now() - start, 2.5, "%s: in time", cases[i].name);
		cr_assert_null(strstr(c.err.text, "secret"), "%s: %s", cases[i].name, c.err.text);
		fake_logout(&c);
		cr_assert_str_eq(fake_complaint(f), "", "%s: %s", cases[i].name, fake_complaint(f));
		fake_end(f);
	}
}

/* ---- Calls ---- */

static enum mf_status
any_folder(void *ctx, const struct mf_folder *folder)
{
	mf_buf_printf(ctx, "%s ", folder->id);
	return MF_OK;
}

static enum mf_status
any_event(void *ctx, const struct mf_event *e)
{
	mf_buf_printf(ctx, "%c%lu ", "+*-"[e->kind], e -> id);
	return MF_OK;
}

static enum mf_status
any_item(void *ctx, const struct mf_item *item)
{
	mf_buf_printf(ctx, "%lu", item->id);
	if (item->damaged != NULL)
		mf_buf_add_str(ctx, "!");
	for (size_t i = 0; i < item->n_sections; i++)
		mf_buf_printf(
			ctx, "=%.*s", (int)item->sections[i].data.len, item->sections[i].data.data);
	mf_buf_add_str(ctx, " ");
	return MF_OK;
}

static size_t
text_part(void *ctx, const struct mf_item *item, struct mf_section_want *out)
{
	(void)ctx;
	(void)item;
	strcpy(out[0].section, "1");
	return 1;
}

static enum mf_status
any_bytes(void *ctx, const void *data, size_t len)
{
	struct mf_buf *got = ctx;

	mf_buf_add(got, data, len);
	return MF_OK;
}

static enum mf_status
run_stream(struct fake_client *c, struct mf_buf *log)
{
	struct mf_section_want what = { .section = "2" };
	struct mf_buf got;
	enum mf_status status;

	mf_buf_init(&got, 0);
	status = c->store->stream(c->session, "INBOX", 3, &what, any_bytes, &got, &c->err);
	if (got.len > 20)
		mf_buf_printf(log, "%zu", got.len);
	else
		mf_buf_add(log, got.data, got.len);
	mf_buf_deinit(&got);
	return status;
}

enum call {
	FOLDERS,
	CHANGES,
	FETCH,
	BODIES,
	STREAM,
	SEARCH,
	FLAG,
	MOVE,
	REMOVE,
	EMPTY,
	PUT,
	CREATE
};

struct part {
	const char *data;
	size_t left;
};

static ssize_t
read_part(void *ctx, void *data, size_t size)
{
	struct part *p = ctx;

	if (size > p->left)
		size = p->left;
	memcpy(data, p->data, size);
	p->data += size;
	p->left -= size;
	return (ssize_t)size;
}

static enum mf_status
run_moves(struct fake_client *c, struct mf_buf *log)
{
	struct mf_move moves[3] = { { .id = 1 }, { .id = 2 }, { .id = 9 } };
	enum mf_status status = c->store->move(c->session, "INBOX", "Trash", moves, 3, &c->err);

	for (size_t i = 0; i < 3; i++)
		mf_buf_printf(log, "%s:%lu ", mf_status_name(moves[i].status), moves[i].to);
	return status;
}

static enum mf_status
run_call(struct fake_client *c, enum call call, struct mf_buf *log)
{
	static const uint64_t ids[] = { 3, 2, 1 };
	struct mf_idset set, found;
	struct mf_buf next;
	struct mf_changes changes = {
		.folder = "INBOX", .known = &set, .event = any_event, .ctx = log
	};
	struct mf_fetch fetch = { .folder = "INBOX",
		.ids = ids,
		.n = 3,
		.want = MF_WANT_SIZE,
		.choose = call == BODIES ? text_part : NULL,
		.item = any_item,
		.ctx = log };
	struct mf_query query = { .kind = MF_QUERY_TEXT, .text = "x" };
	struct mf_flag_change flag = { .folder = "INBOX", .ids = &set, .add = MF_FLAG_SEEN };
	struct part part = { "From: x\r\n\r\n", 11 };
	struct mf_put put = { .folder = "INBOX", .read = read_part, .ctx = &part, .size = 11 };
	struct mf_arena *a = mf_arena_new();
	const char *id = "";
	uint64_t uid = 0;
	enum mf_status status = MF_BROKEN;

	mf_idset_init(&set);
	mf_idset_init(&found);
	mf_idset_add_range(&set, 1, 3);
	mf_buf_init(&next, 0);
	switch (call) {
	case FOLDERS:
		status = c->store->folders(c->session, any_folder, log, &c->err);
		break;
	case CHANGES:
		status = c->store->changes(c->session, &changes, &next, &c->err);
		break;
	case FETCH:
	case BODIES:
		status = c->store->fetch(c->session, &fetch, &c->err);
		break;
	case STREAM:
		status = run_stream(c, log);
		break;
	case SEARCH:
		status = c->store->search(c->session, "INBOX", &query, 0, &found, &c->err);
		mf_idset_print(&found, log);
		break;
	case FLAG:
		status = c->store->flag(c->session, &flag, &found, &c->err);
		mf_idset_print(&found, log);
		break;
	case MOVE:
		status = run_moves(c, log);
		break;
	case REMOVE:
		status = c->store->remove(c->session, "INBOX", &set, &c->err);
		break;
	case EMPTY:
		status = c->store->empty(c->session, "INBOX", &c->err);
		break;
	case PUT:
		status = c->store->put(c->session, &put, &uid, &c->err);
		mf_buf_printf(log, "%lu", uid);
		break;
	case CREATE:
		status = c->store->folder_create(
			c->session, NULL, "x", MF_ROLE_NONE, a, &id, &c->err);
		mf_buf_add_str(log, id);
		break;
	}
	mf_idset_deinit(&set);
	mf_idset_deinit(&found);
	mf_buf_deinit(&next);
	mf_arena_free(a);
	return status;
}

#define SELECTED                                                                               \
	{                                                                                      \
		"SELECT \"INBOX\"",                                                            \
			"* 3 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 4] x\r\n"       \
			"* OK [PERMANENTFLAGS (\\Seen \\Deleted \\*)] x\r\n$ OK [READ-WRITE] " \
			"in\r\n",                                                              \
			NULL                                                                   \
	}

static char *
deep_list(void)
{
	return repeat("* LIST ", "(", 200000, "\r\n");
}

static char *
deep_namespace(void)
{
	return repeat("* NAMESPACE ", "(", 30000, "\r\n");
}

static char *
long_list(void)
{
	return repeat("* LIST (", "\\X ", 100000, ") \"/\" a\r\n");
}

static char *
deep_structure(void)
{
	char *open = repeat("* 1 FETCH (UID 1 RFC822.SIZE 5 BODYSTRUCTURE ", "(", 100000, "");
	char *text = repeat(open, ")", 100000, ")\r\n");

	free(open);
	return text;
}

static char *
large_line(void)
{
	return repeat("* 3 FETCH (UID 3 BODY[1] \"", "0123456789", 30000,
		"\")\r\n* 2 FETCH (UID 2 BODY[1] \"two\")\r\n");
}

static char *
large_literal(void)
{
	return repeat("* 3 FETCH (UID 3 BODYSTRUCTURE (\"text\" \"plain\" NIL NIL NIL \"7bit\" 9 1)"
		      " BODY[1] {300000}\r\n",
		"0123456789", 30000, ")\r\n* 2 FETCH (UID 2 BODY[1] \"two\")\r\n");
}

struct call_case {
	const char *name;
	enum call call;
	const char *caps, *settings;
	enum mf_status status;
	const char *log; /* what came of it; NULL: whatever */
	bool usable;
	struct fake_step steps[STEPS_MOST];
};

static void
run_cases(const struct call_case *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct call_case *k = &cases[i];
		struct fake_step steps[STEPS_MOST + 2] = { GREETING };
		char in[300];
		struct fake_client c;
		struct mf_buf log;
		struct fake *f;
		double start = now();

		snprintf(in, sizeof(in), "$ OK [CAPABILITY IMAP4rev1%s] in\r\n", k->caps);
		steps[1] = (struct fake_step){ "AUTHENTICATE PLAIN", in, NULL };
		memcpy(steps + 2, k->steps, sizeof(k->steps));
		f = fake_start(steps);
		mf_buf_init(&log, 0);
		fake_login(&c, f, k->settings);
		cr_assert_eq(c.status, MF_OK, "%s: %s", k->name, c.err.text);
		cr_assert_eq(run_call(&c, k->call, &log), k->status, "%s: not %s: %s (%s)", k->name,
			mf_status_name(k->status), c.err.text, fake_complaint(f));
		cr_assert_lt(now() - start, 4.5, "%s: in time", k->name);
		if (k->log != NULL)
			cr_assert_str_eq(
				mf_buf_str(&log), k->log, "%s: %s", k->name, mf_buf_str(&log));
		cr_assert_eq(mf_backend_imap.usable(c.session), k->usable, "%s: usable", k->name);
		fake_logout(&c);
		cr_assert_str_eq(fake_complaint(f), "", "%s: %s", k->name, fake_complaint(f));
		fake_end(f);
		mf_buf_deinit(&log);
	}
}

Test(hostile, folders)
{
	static const struct call_case cases[] = {
		{ "hangs up", FOLDERS, "", "", MF_TEMPORARY, "", false,
			{ { "LIST", FAKE_CLOSE, NULL } } },
		{ "stalls", FOLDERS, "", "", MF_TEMPORARY, "", false,
			{ { "LIST", FAKE_STALL, NULL } } },
		{ "half a line", FOLDERS, "", "", MF_TEMPORARY, "", false,
			{ { "LIST", "* LIST (\\No", NULL }, { NULL, FAKE_CLOSE, NULL } } },
		{ "half a literal", FOLDERS, "", "", MF_TEMPORARY, "", false,
			{ { "LIST", "* LIST () \"/\" {20}\r\nabc", NULL },
				{ NULL, FAKE_CLOSE, NULL } } },
		{ "a literal of 4 GB", FOLDERS, "", "", MF_TEMPORARY, "", false,
			{ { "LIST", "* LIST () \"/\" {4294967295}\r\nabc", NULL },
				{ NULL, FAKE_STALL, NULL } } },
		{ "a literal beyond all numbers", FOLDERS, "", "", MF_TEMPORARY, "", false,
			{ { "LIST", "* LIST () \"/\" {99999999999999999999999}\r\nabc", NULL },
				{ NULL, FAKE_STALL, NULL } } },
		{ "nonsense is left out", FOLDERS, "", "", MF_OK, "INBOX a ", true,
			{ { "LIST",
				  "* LIST () \"/\" inbox\r\n* LIST (\r\n* LIST\r\n* LIST () NIL\r\n"
				  "* LIST () \"/\" \"\"\r\n* LIST () \"/\" {3}\r\na\nb\r\n"
				  "* LIST () \"//\" a\r\n* 5\r\n*\r\n* \r\n* FOO ((((\r\n",
				  NULL },
				{ "LSUB", "$ NO no\r\nA2 OK\r\n", NULL }, END } },
		{ "no Inbox", FOLDERS, "", "", MF_OK, "INBOX ", true,
			{ { "LIST", NULL, NULL }, { "LSUB", "A2 OK\r\n$ OK\r\n", NULL }, END } },
		{ "parents that are not listed", FOLDERS, "", "", MF_OK, "INBOX a a/b a/b/c ", true,
			{ { "LIST", "* LIST () \"/\" a/b/c\r\n* LIST (\\Noselect) \"/\" z\r\n",
				  NULL },
				{ "LSUB", "A2 OK\r\n$ OK\r\n", NULL }, END } },
		{ "too many", FOLDERS, "", "max_folders = 2\n", MF_OK, "INBOX a ", true,
			{ { "LIST",
				  "* LIST () \"/\" a\r\n* LIST () \"/\" b\r\n* LIST () \"/\" c\r\n",
				  NULL },
				{ "LSUB", "A2 OK\r\n$ OK\r\n", NULL }, END } },
		{ "deep", FOLDERS, "", "", MF_OK, "INBOX ", true,
			{ { "LIST", NULL, deep_list }, { "LSUB", "A2 OK\r\n$ OK\r\n", NULL },
				END } },
		{ "long", FOLDERS, "", "max_line = 64k\n", MF_OK, "INBOX ", true,
			{ { "LIST", NULL, long_list }, { "LSUB", "A2 OK\r\n$ OK\r\n", NULL },
				END } },
		{ "NAMESPACE, deep", FOLDERS, " NAMESPACE", "", MF_OK, "INBOX ", true,
			{ { "NAMESPACE", "$ OK\r\n", deep_namespace }, { "LIST", NULL, NULL },
				{ "LSUB", "A3 OK\r\n$ OK\r\n", NULL }, END } },
		{ "NAMESPACE of nonsense", FOLDERS, " NAMESPACE", "", MF_OK, "INBOX ", true,
			{ { "NAMESPACE", "* NAMESPACE ((\"\" \"/\") foo\r\n$ OK\r\n", NULL },
				{ "LIST", NULL, NULL }, { "LSUB", "A3 OK\r\n$ OK\r\n", NULL },
				END } },
		{ "NAMESPACE without any", FOLDERS, " NAMESPACE", "", MF_OK, "INBOX ", true,
			{ { "NAMESPACE", "$ OK x\r\n", NULL }, { "LIST", NULL, NULL },
				{ "LSUB", "A3 OK\r\n$ OK\r\n", NULL }, END } },
		{ "NAMESPACE refused", FOLDERS, " NAMESPACE", "", MF_OK, "INBOX ", true,
			{ { "NAMESPACE", "$ NO x\r\n", NULL }, { "LIST", NULL, NULL },
				{ "LSUB", "A3 OK\r\n$ OK\r\n", NULL }, END } },
		{ "noise around NAMESPACE", FOLDERS, " NAMESPACE", "", MF_OK, "INBOX INBOX.a ",
			true,
			{ { "NAMESPACE",
				  "* 5 EXISTS\r\n* VANISHED 1:5\r\n* ESEARCH (TAG \"x\") ALL 1\r\n"
				  "* NAMESPACE ((\"INBOX.\" \".\")) NIL NIL\r\n* OK [FOO (((] "
				  "x\r\n$ OK x\r\n",
				  NULL },
				{ "LIST", "* LIST () \".\" INBOX.a\r\n", NULL },
				{ "LSUB", "A3 OK\r\n$ OK\r\n", NULL }, END } },
		{ "BYE in the middle", FOLDERS, "", "", MF_TEMPORARY, "", false,
			{ { "LIST", "* LIST () \"/\" a\r\n* BYE shutting down\r\n", NULL },
				{ NULL, FAKE_CLOSE, NULL } } },
	};

	run_cases(cases, sizeof(cases) / sizeof(cases[0]));
}

Test(hostile, content)
{
	static const struct call_case cases[] = {
		{ "no folder, in so many words", CHANGES, "", "", MF_GONE, "", true,
			{ { "SELECT", "$ NO [NONEXISTENT] x\r\n", NULL }, END } },
		{ "no folder, in none", CHANGES, "", "", MF_GONE, "", true,
			{ { "SELECT", "$ NO no\r\n", NULL }, { "LIST", "$ OK\r\n", NULL }, END } },
		{ "a folder that cannot be opened now is not gone", CHANGES, "", "", MF_TEMPORARY,
			"", true,
			{ { "SELECT", "$ NO no\r\n", NULL },
				{ "LIST", "* LIST () \"/\" INBOX\r\n$ OK\r\n", NULL }, END } },
		{ "UIDs that come twice, backwards, or not at all", CHANGES, "", "", MF_OK,
			"+1 +3 ", true,
			{ SELECTED,
				{ "UID FETCH 1:*",
					"* 1 FETCH (UID 1 FLAGS () INTERNALDATE \"01-Feb-2024 "
					"10:11:12 +0000\")\r\n"
					"* 1 FETCH (FLAGS (\\Seen))\r\n"
					"* 3 FETCH (UID 3 FLAGS () INTERNALDATE \"01-Feb-2024 "
					"10:11:12 +0000\")\r\n"
					"* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n"
					"* 2 FETCH (UID 2 FLAGS () INTERNALDATE \"01-Feb-2024 "
					"10:11:12 +0000\")\r\n"
					"* 0 FETCH (UID 0 FLAGS ())\r\n* 9 FETCH (UID 99999999999 "
					"FLAGS ())\r\n"
					"* 4 FETCH (UID 4 FLAGS (\\Seen))\r\n$ OK\r\n",
					NULL },
				END } },
		{ "NO to the fetch", CHANGES, "", "", MF_REFUSED, "", true,
			{ SELECTED, { "UID FETCH", "$ NO no\r\n", NULL }, END } },
		{ "half the messages, then the end", CHANGES, "", "", MF_TEMPORARY, "+1 ", false,
			{ SELECTED,
				{ "UID FETCH",
					"* 1 FETCH (UID 1 FLAGS () INTERNALDATE \"01-Feb-2024 "
					"10:11:12 +0000\")\r\n"
					"* 2 FETCH (UID 2 FLAGS (",
					NULL },
				{ NULL, FAKE_CLOSE, NULL } } },
		{ "sizes", FETCH, "", "", MF_OK, "1 3 ", true,
			{ SELECTED,
				{ "UID FETCH 1:3 (UID RFC822.SIZE)",
					"* 1 FETCH (RFC822.SIZE 5 UID 1)\r\n* 3 FETCH (UID 3)\r\n"
					"* 3 FETCH (UID 3 RFC822.SIZE 5 X-FOO (a (b) \"c)\"))\r\n"
					"* 3 FETCH (UID 3 RFC822.SIZE 6)\r\n* 7 FETCH (UID 7 "
					"RFC822.SIZE 6)\r\n"
					"$ OK\r\n",
					NULL },
				END } },
		{ "a bad message costs no other", FETCH, "", "", MF_OK, "1 3 2! ", true,
			{ SELECTED,
				{ "UID FETCH 1:3",
					"* 1 FETCH (UID 1 RFC822.SIZE 5)\r\n$ NO bad\r\n", NULL },
				{ "UID FETCH 2 ", NULL, NULL },
				{ "UID FETCH 3 ",
					"A4 NO bad\r\n* 3 FETCH (UID 3 RFC822.SIZE 5)\r\n$ OK\r\n",
					NULL },
				{ "UID FETCH 2 ", "$ NO bad\r\n", NULL }, END } },
		{ "deep structure", FETCH, "", "", MF_OK, "1 ", true,
			{ SELECTED, { "UID FETCH", "$ OK\r\n", deep_structure }, END } },
		{ "bodies", BODIES, "", "", MF_OK, "1=one 2=two 3= ", true,
			{ SELECTED,
				{ "UID FETCH 1:3 (UID RFC822.SIZE)",
					"* 1 FETCH (UID 1 RFC822.SIZE 5)\r\n* 2 FETCH (UID 2 "
					"RFC822.SIZE 5)\r\n"
					"* 3 FETCH (UID 3 RFC822.SIZE 5)\r\n$ OK\r\n",
					NULL },
				{ "UID FETCH 1:3 (UID BODYSTRUCTURE BODY.PEEK[1])",
					"* 1 FETCH (BODY[1] {3}\r\none UID 1)\r\n"
					"* 2 FETCH (UID 2 BODY[9] \"nine\" BODY[1] \"two\" BODY[1] "
					"\"again\")\r\n"
					"* 3 FETCH (UID 3 BODY[1] {0}\r\n)\r\n$ OK\r\n",
					NULL },
				END } },
		{ "a body over the limits is damage, not a break", BODIES, "",
			"max_content = 64k\n", MF_OK, "2=two 3! ", true,
			{ SELECTED,
				{ "UID FETCH 1:3",
					"* 2 FETCH (UID 2 RFC822.SIZE 5)\r\n* 3 FETCH (UID 3 "
					"RFC822.SIZE 5)\r\n"
					"$ OK\r\n",
					NULL },
				{ "UID FETCH 2:3", "$ OK\r\n", large_literal }, END } },
		{ "so is a line", BODIES, "", "max_line = 64k\n", MF_OK, "2=two 3! ", true,
			{ SELECTED,
				{ "UID FETCH 1:3",
					"* 2 FETCH (UID 2 RFC822.SIZE 5)\r\n* 3 FETCH (UID 3 "
					"RFC822.SIZE 5)\r\n"
					"$ OK\r\n",
					NULL },
				{ "UID FETCH 2:3", "$ OK\r\n", large_line }, END } },
		{ "a literal cut off", BODIES, "", "", MF_TEMPORARY, "", false,
			{ SELECTED,
				{ "UID FETCH 1:3", "* 2 FETCH (UID 2 RFC822.SIZE 5)\r\n$ OK\r\n",
					NULL },
				{ "UID FETCH 2", "* 2 FETCH (UID 2 BODY[1] {10}\r\nabc", NULL },
				{ NULL, FAKE_CLOSE, NULL } } },
		{ "vanished between", BODIES, "", "", MF_OK, "1=one ", true,
			{ SELECTED,
				{ "UID FETCH 1:3",
					"* 1 FETCH (UID 1 RFC822.SIZE 5)\r\n* 2 FETCH (UID 2 "
					"RFC822.SIZE 5)\r\n"
					"$ OK\r\n",
					NULL },
				{ "UID FETCH 1:2", "* 1 FETCH (UID 1 BODY[1] \"one\")\r\n$ OK\r\n",
					NULL },
				END } },
	};

	run_cases(cases, sizeof(cases) / sizeof(cases[0]));
}

#define TWO_PARTS                                                                       \
	"* 3 FETCH (UID 3 BODYSTRUCTURE ((\"text\" \"plain\" NIL NIL NIL \"7bit\" 9 1)" \
	"(\"a\" \"b\" NIL NIL NIL \"base64\" 9) \"mixed\"))\r\n$ OK\r\n"
#define STRUCTURE                                                  \
	{                                                          \
		"UID FETCH 3 (UID BODYSTRUCTURE)", TWO_PARTS, NULL \
	}
#define CONTENT(words)                                        \
	{                                                     \
		"UID FETCH 3 (UID BODY.PEEK[2])", words, NULL \
	}

static char *
large_part(void)
{
	return repeat("* 3 FETCH (UID 3 BODY[2] {300000}\r\n", "0123456789", 30000, ")\r\n");
}

Test(hostile, streams)
{
	static const struct call_case cases[] = {
		{ "a literal", STREAM, "", "", MF_OK, "abc", true,
			{ SELECTED, STRUCTURE,
				CONTENT("* 2 EXISTS\r\n* 3 FETCH (FLAGS () BODY[2] "
					"{3}\r\nabc UID 3)\r\n$ OK\r\n"),
				END } },
		{ "a quoted string", STREAM, "", "", MF_OK, "a\"c", true,
			{ SELECTED, STRUCTURE,
				CONTENT("* 3 FETCH (UID 3 BODY[2] \"a\\\"c\")\r\n$ OK\r\n"),
				END } },
		{ "one that fits into no memory", STREAM, "", "max_content = 64k\n", MF_OK,
			"300000", true,
			{ SELECTED, STRUCTURE,
				{ "UID FETCH 3 (UID BODY.PEEK[2])", "$ OK\r\n", large_part },
				END } },
		{ "told twice", STREAM, "", "", MF_OK, "abc", true,
			{ SELECTED, STRUCTURE,
				CONTENT("* 3 FETCH (UID 3 BODY[2] {3}\r\nabc)\r\n"
					"* 3 FETCH (UID 3 BODY[2] {3}\r\ndef)\r\n$ OK\r\n"),
				END } },
		{ "other literals before", STREAM, "", "", MF_OK, "abc", true,
			{ SELECTED, STRUCTURE,
				CONTENT("* 3 FETCH (UID 3 BODY[1] {3}\r\nxyz X {2}\r\nno BODY[2] "
					"{3}\r\nabc)\r\n$ OK\r\n"),
				END } },
		{ "of another message", STREAM, "", "", MF_GONE, "", true,
			{ SELECTED, STRUCTURE,
				CONTENT("* 2 FETCH (UID 2 BODY[2] {3}\r\nabc)\r\n$ OK\r\n"),
				END } },
		{ "of another message, as it turns out", STREAM, "", "", MF_TEMPORARY, NULL, true,
			{ SELECTED, STRUCTURE,
				CONTENT("* 2 FETCH (BODY[2] {3}\r\nabc UID 2)\r\n$ OK\r\n"),
				END } },
		{ "from another place", STREAM, "", "", MF_GONE, "", true,
			{ SELECTED, STRUCTURE,
				CONTENT("* 3 FETCH (UID 3 BODY[2]<5> {3}\r\nabc)\r\n$ OK\r\n"),
				END } },
		{ "cut off", STREAM, "", "", MF_TEMPORARY, "abc", false,
			{ SELECTED, STRUCTURE, CONTENT("* 3 FETCH (UID 3 BODY[2] {10}\r\nabc"),
				{ NULL, FAKE_CLOSE, NULL } } },
		{ "no such section", STREAM, "", "", MF_GONE, "", true,
			{ SELECTED,
				{ "UID FETCH 3 (UID BODYSTRUCTURE)",
					"* 3 FETCH (UID 3 BODYSTRUCTURE (\"text\" \"plain\" NIL "
					"NIL "
					"NIL \"7bit\" 9 1))\r\n$ OK\r\n",
					NULL },
				CONTENT("* 3 FETCH (UID 3 BODY[2] {3}\r\nabc)\r\n$ OK\r\n"),
				END } },
		{ "vanished", STREAM, "", "", MF_GONE, "", true,
			{ SELECTED, { "UID FETCH 3 (UID BODYSTRUCTURE)", "$ OK\r\n", NULL },
				CONTENT("$ OK\r\n"), END } },
	};

	run_cases(cases, sizeof(cases) / sizeof(cases[0]));
}

Test(hostile, writing)
{
	static const struct call_case cases[] = {
		{ "search", SEARCH, "", "", MF_OK, "1:2,5", true,
			{ SELECTED,
				{ "UID SEARCH TEXT \"x\"", "* SEARCH 5 1 2 1 0\r\n$ OK\r\n", NULL },
				END } },
		{ "extended search", SEARCH, " ESEARCH", "", MF_OK, "1:2,5", true,
			{ SELECTED,
				{ "UID SEARCH RETURN (ALL) TEXT",
					"* ESEARCH (TAG \"A3\") UID COUNT 3 ALL 5,2:1\r\n$ OK\r\n",
					NULL },
				END } },
		{ "a search of nothing", SEARCH, " ESEARCH", "", MF_OK, "", true,
			{ SELECTED,
				{ "UID SEARCH", "* ESEARCH (TAG \"A3\") UID\r\n$ OK\r\n", NULL },
				END } },
		{ "a search that takes too long", SEARCH, "", "", MF_TEMPORARY, "", false,
			{ SELECTED, { "UID SEARCH", FAKE_STALL, NULL } } },
		{ "flags", FLAG, "", "", MF_OK, "1:2", true,
			{ SELECTED, { "UID STORE 1:3 +FLAGS.SILENT (\\Seen)", "$ OK\r\n", NULL },
				{ "UID SEARCH UID 1:3", "* SEARCH 1 2 7\r\n$ OK\r\n", NULL },
				END } },
		{ "a read-only folder", FLAG, "", "", MF_REFUSED, "", true,
			{ { "SELECT", "* 3 EXISTS\r\n* OK [UIDNEXT 4] x\r\n$ OK [READ-ONLY] in\r\n",
				  NULL },
				END } },
		{ "moving", MOVE, " MOVE UIDPLUS", "", MF_OK, "ok:11 ok:10 gone:0 ", true,
			{ SELECTED,
				{ "UID MOVE 1:2,9 \"Trash\"",
					"* OK [COPYUID 5 2:1 10:11] x\r\n* 1 EXPUNGE\r\n"
					"* 1 EXPUNGE\r\n$ OK done\r\n",
					NULL },
				END } },
		{ "moving half of it", MOVE, " MOVE UIDPLUS", "", MF_TOO_LARGE,
			"ok:11 too-large:0 too-large:0 ", true,
			{ SELECTED,
				{ "UID MOVE 1:2,9 \"Trash\"",
					"* OK [COPYUID 5 1 11] x\r\n* 1 EXPUNGE\r\n$ NO "
					"[OVERQUOTA] full\r\n",
					NULL },
				{ "LIST", "* LIST () \"/\" Trash\r\n$ OK\r\n", NULL }, END } },
		{ "moving nowhere", MOVE, " MOVE UIDPLUS", "", MF_INVALID,
			"invalid:0 invalid:0 invalid:0 ", true,
			{ SELECTED, { "UID MOVE", "$ NO [TRYCREATE] no\r\n", NULL },
				{ "LIST", "$ OK\r\n", NULL }, END } },
		{ "lost in the middle of a move", MOVE, " MOVE UIDPLUS", "", MF_TEMPORARY,
			"temporary:0 temporary:0 temporary:0 ", false,
			{ SELECTED, { "UID MOVE", FAKE_CLOSE, NULL } } },
		{ "a COPYUID of nonsense", MOVE, " MOVE UIDPLUS", "", MF_OK, "ok:11 gone:0 gone:0 ",
			true,
			{ SELECTED,
				{ "UID MOVE",
					"* OK [COPYUID 5 1,0:99999999999 11:4294967295] x\r\n"
					"* OK [COPYUID 5 9] x\r\n$ OK done\r\n",
					NULL },
				END } },
		{ "moving without MOVE and UIDPLUS spares what others marked", MOVE, "", "", MF_OK,
			"ok:0 ok:0 gone:0 ", true,
			{ SELECTED, { "UID SEARCH UID 1:2,9", "* SEARCH 1 2\r\n$ OK\r\n", NULL },
				{ "UID COPY 1:2 \"Trash\"", "$ OK\r\n", NULL },
				{ "UID STORE 1:2 +FLAGS.SILENT (\\Deleted)", "$ OK\r\n", NULL },
				{ "UID SEARCH DELETED", "* SEARCH 1 2 3\r\n$ OK\r\n", NULL },
				{ "UID STORE 3 -FLAGS.SILENT (\\Deleted)", "$ OK\r\n", NULL },
				{ "EXPUNGE", "* 1 EXPUNGE\r\n* 1 EXPUNGE\r\n$ OK\r\n", NULL },
				{ "UID STORE 3 +FLAGS.SILENT (\\Deleted)", "$ OK\r\n", NULL },
				END } },
		{ "a copy that fails removes nothing", MOVE, "", "", MF_TOO_LARGE,
			"too-large:0 too-large:0 gone:0 ", true,
			{ SELECTED, { "UID SEARCH UID 1:2,9", "* SEARCH 1 2\r\n$ OK\r\n", NULL },
				{ "UID COPY", "$ NO [OVERQUOTA] full\r\n", NULL },
				{ "LIST", "* LIST () \"/\" Trash\r\n$ OK\r\n", NULL }, END } },
		{ "removing", REMOVE, " UIDPLUS", "", MF_OK, "", true,
			{ SELECTED, { "UID STORE 1:3 +FLAGS.SILENT (\\Deleted)", "$ OK\r\n", NULL },
				{ "UID EXPUNGE 1:3", "$ OK\r\n", NULL }, END } },
		{ "a message", PUT, "", "", MF_OK, "12", true,
			{ { "APPEND \"INBOX\" () {11}", "+ go\r\n", NULL }, { "x", NULL, NULL },
				{ "", NULL, NULL }, { "", "A2 OK [APPENDUID 5 12] x\r\n", NULL },
				END } },
		{ "a message that is refused before it is sent", PUT, "", "", MF_TOO_LARGE, "0",
			true, { { "APPEND", "$ NO [OVERQUOTA] full\r\n", NULL }, END } },
		{ "a message to a folder that is none", PUT, "", "", MF_GONE, "0", true,
			{ { "APPEND", "$ NO [TRYCREATE] x\r\n", NULL },
				{ "LIST", "$ OK\r\n", NULL }, END } },
		{ "lost after the message", PUT, " LITERAL+", "", MF_TEMPORARY, "0", false,
			{ { "APPEND \"INBOX\" () {11+}", NULL, NULL },
				{ "x", FAKE_CLOSE, NULL } } },
		{ "a folder, with noise", CREATE, "", "", MF_OK, "x", true,
			{ { "LIST", "* LIST () \"/\" INBOX\r\n$ OK\r\n", NULL },
				{ "LSUB", "$ OK\r\n", NULL },
				{ "CREATE",
					"* 5 FETCH (FLAGS ((((\r\n* STATUS x (\r\n* BAD x\r\n$ "
					"OK x\r\n",
					NULL },
				{ "SUBSCRIBE", "$ NO no\r\n", NULL }, END } },
		{ "a folder that cannot be", CREATE, "", "", MF_INVALID, "", true,
			{ { "LIST", "$ OK\r\n", NULL }, { "LSUB", "$ OK\r\n", NULL },
				{ "CREATE", "$ NO [CANNOT] x\r\n", NULL }, END } },
		{ "lost while a folder is made", CREATE, "", "", MF_TEMPORARY, "", false,
			{ { "LIST", "$ OK\r\n", NULL }, { "LSUB", "$ OK\r\n", NULL },
				{ "CREATE", FAKE_CLOSE, NULL } } },
		{ "a stall while a folder is made", CREATE, "", "", MF_TEMPORARY, "", false,
			{ { "LIST", "$ OK\r\n", NULL }, { "LSUB", "$ OK\r\n", NULL },
				{ "CREATE", FAKE_STALL, NULL } } },
		{ "a tag that makes no sense", CREATE, "", "", MF_TEMPORARY, "", false,
			{ { "LIST", "$ OK\r\n", NULL }, { "LSUB", "$ OK\r\n", NULL },
				{ "CREATE", "xx OK\r\n", NULL }, { NULL, FAKE_STALL, NULL } } },
	};

	run_cases(cases, sizeof(cases) / sizeof(cases[0]));
}
