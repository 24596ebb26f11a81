/* imap: what is said to servers that behave: tokens, a large folder, several calls on one session. */
#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "fake.h"
#include "net/stream.h"

#define END                      \
	{                        \
		NULL, NULL, NULL \
	}

Test(talk, tokens)
{
	static const struct {
		const char *name;
		enum mf_status status;
		struct fake_step steps[6];
	} cases[] = {
		{ "XOAUTH2", MF_OK,
			{ { NULL, "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2] hi\r\n", NULL },
				/* user=anna ^A auth=Bearer tok ^A ^A */
				{ "AUTHENTICATE XOAUTH2 dXNlcj1hbm5hAWF1dGg9QmVhcmVyIHRvawEB",
					"$ OK [CAPABILITY IMAP4rev1] in\r\n", NULL },
				END } },
		{ "OAUTHBEARER, refused in JSON", MF_AUTH,
			{ { NULL,
				  "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2 "
				  "AUTH=OAUTHBEARER] "
				  "hi\r\n",
				  NULL },
				{ "AUTHENTICATE OAUTHBEARER "
				  "bixhPWFubmEsAWhvc3Q9MTI3LjAuMC4xAXBvcnQ9",
					"+ eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0=\r\n", NULL },
				{ "AQ==", "A1 NO [AUTHENTICATIONFAILED] no\r\n", NULL }, END } },
		{ "XOAUTH2 in two steps, refused", MF_AUTH,
			{ { NULL, "* OK [CAPABILITY IMAP4rev1 AUTH=XOAUTH2] hi\r\n", NULL },
				{ "AUTHENTICATE XOAUTH2", "+ \r\n", NULL },
				{ "dXNlcj1hbm5hAWF1dGg9QmVhcmVyIHRvawEB", "+ e30=\r\n", NULL },
				{ "", "A1 NO no\r\n", NULL }, END } },
		{ "no tokens", MF_REFUSED,
			{ { NULL, "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi\r\n", NULL }, END } },
	};
	const struct mf_login who = { .user = "anna", .token = "tok" };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fake *f = fake_start(cases[i].steps);
		struct fake_client c;

		fake_login_as(&c, f, "", &who);
		cr_assert_eq(c.status, cases[i].status, "%s: %s: %s (%s)", cases[i].name,
			mf_status_name(c.status), c.err.text, fake_complaint(f));
		fake_logout(&c);
		cr_assert_str_eq(fake_complaint(f), "", "%s: %s", cases[i].name, fake_complaint(f));
		fake_end(f);
	}
}

/* ---- Changes, call after call ---- */

static enum mf_status
log_event(void *ctx, const struct mf_event *e)
{
	if (e->kind == MF_EVENT_GONE)
		mf_buf_printf(ctx, "-%lu:%lu ", e->id, e->last);
	else
		mf_buf_printf(ctx, "%c%lu ", e->kind == MF_EVENT_ADDED ? '+' : '*', e->id);
	return MF_OK;
}

/* The events of each call, calls divided by "| ". */
static void
look(struct fake_client *c, unsigned times, struct mf_buf *log)
{
	struct mf_idset known;
	struct mf_buf cursor, next;

	mf_idset_init(&known);
	mf_idset_add_range(&known, 1, 30000);
	mf_buf_init(&cursor, 0);
	for (unsigned i = 0; i < times; i++) {
		struct mf_changes changes = { .folder = "INBOX",
			.cursor = mf_buf_bytes(&cursor),
			.known = &known,
			.event = log_event,
			.ctx = log };

		mf_buf_init(&next, 0);
		cr_assert_eq(c->store->changes(c->session, &changes, &next, &c->err), MF_OK, "%s",
			c->err.text);
		mf_buf_deinit(&cursor);
		cursor = next;
		mf_buf_add_str(log, "| ");
	}
	mf_buf_deinit(&cursor);
	mf_idset_deinit(&known);
}

#define DATE "INTERNALDATE \"01-Feb-2024 10:11:12 +0000\""
#define STATUS_IS(messages, uidnext, modseq)                                      \
	{                                                                         \
		"STATUS \"INBOX\"",                                               \
			"* STATUS INBOX (MESSAGES " messages " UIDNEXT " uidnext  \
			" UIDVALIDITY 7 HIGHESTMODSEQ " modseq ")\r\n$ OK x\r\n", \
			NULL                                                      \
	}
#define SELECT_HAS(messages)                                                                  \
	{                                                                                     \
		"SELECT \"INBOX\"",                                                           \
			"* " messages " EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n"                 \
			"* OK [UIDNEXT 30001] x\r\n* OK [HIGHESTMODSEQ 50] x\r\n$ OK in\r\n", \
			NULL                                                                  \
	}
#define LOGIN_WITH(caps)                                                                  \
	{ NULL, "* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] hi\r\n", NULL },          \
	{                                                                                 \
		"AUTHENTICATE PLAIN", "$ OK [CAPABILITY IMAP4rev1 " caps "] in\r\n", NULL \
	}

Test(talk, changes)
{
	static const struct {
		const char *name, *log;
		struct fake_step steps[20];
	} cases[] = {
		{ "a large folder stays selected", "+5 | | -9:10 *5 | ",
			{ LOGIN_WITH("QRESYNC UNSELECT"),
				{ "ENABLE QRESYNC", "* ENABLED QRESYNC\r\n$ OK x\r\n", NULL },
				SELECT_HAS("30000"),
				{ "UID FETCH 1:* (UID FLAGS INTERNALDATE)",
					"* 5 FETCH (UID 5 FLAGS () " DATE ")\r\n$ OK x\r\n", NULL },
				{ "NOOP", "$ OK x\r\n", NULL }, STATUS_IS("30000", "30001", "50"),
				{ "NOOP", "* VANISHED 9:10\r\n$ OK x\r\n", NULL },
				STATUS_IS("29998", "30001", "52"),
				{ "UID FETCH 1:* (UID FLAGS INTERNALDATE) (CHANGEDSINCE 50 "
				  "VANISHED)",
					"* VANISHED (EARLIER) 9:10\r\n"
					"* 5 FETCH (UID 5 FLAGS (\\Seen) " DATE
					" MODSEQ (51))\r\n$ OK x\r\n",
					NULL },
				END } },
		{ "a small one is closed for the look", "+5 | | ",
			{ LOGIN_WITH("QRESYNC UNSELECT"),
				{ "ENABLE QRESYNC", "* ENABLED QRESYNC\r\n$ OK x\r\n", NULL },
				SELECT_HAS("100"),
				{ "UID FETCH 1:*",
					"* 5 FETCH (UID 5 FLAGS () " DATE ")\r\n$ OK x\r\n", NULL },
				{ "UNSELECT", "$ OK x\r\n", NULL }, STATUS_IS("100", "30001", "50"),
				END } },
		{ "CONDSTORE: the count tells of deletions", "+5 | -1:4 -6:30000 | ",
			{ LOGIN_WITH("CONDSTORE UNSELECT"), SELECT_HAS("2"),
				{ "UID FETCH 1:*",
					"* 5 FETCH (UID 5 FLAGS () " DATE ")\r\n$ OK x\r\n", NULL },
				{ "UNSELECT", "$ OK x\r\n", NULL }, STATUS_IS("1", "30001", "51"),
				SELECT_HAS("1"),
				{ "UID FETCH 1:* (UID FLAGS INTERNALDATE) (CHANGEDSINCE 50)",
					"$ OK x\r\n", NULL },
				{ "UID SEARCH ALL", "* SEARCH 5\r\n$ OK x\r\n", NULL }, END } },
		{ "a restored folder is compared", "+5 | *5 -1:4 -6:30000 | ",
			{ LOGIN_WITH("CONDSTORE UNSELECT"), SELECT_HAS("1"),
				{ "UID FETCH 1:*",
					"* 5 FETCH (UID 5 FLAGS () " DATE ")\r\n$ OK x\r\n", NULL },
				{ "UNSELECT", "$ OK x\r\n", NULL }, STATUS_IS("1", "30001", "3"),
				SELECT_HAS("1"),
				{ "UID FETCH 1:30000 (UID FLAGS)",
					"* 1 FETCH (UID 5 FLAGS (\\Seen))\r\n$ OK x\r\n", NULL },
				{ "UID FETCH 30001:*",
					"* 1 FETCH (UID 5 FLAGS (\\Seen) " DATE ")\r\n$ OK x\r\n",
					NULL },
				END } },
		{ "ends in another order", "+5 | *5 -1:4 -6:30000 | ",
			{ LOGIN_WITH("UNSELECT"), SELECT_HAS("1"),
				{ "UID FETCH 1:*",
					"* 5 FETCH (UID 5 FLAGS () " DATE ")\r\n$ OK x\r\n", NULL },
				{ "UNSELECT", NULL, NULL }, { "SELECT", "A4 OK x\r\n", NULL },
				{ NULL,
					"* 1 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT "
					"30001] x\r\n"
					"A5 OK in\r\n",
					NULL },
				{ "UID FETCH 1:30000 (UID FLAGS)",
					"* 1 FETCH (UID 5 FLAGS (\\Seen))\r\n", NULL },
				{ "UID FETCH 30001:*", "$ OK x\r\nA6 OK x\r\n", NULL }, END } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fake *f = fake_start(cases[i].steps);
		struct fake_client c;
		struct mf_buf log;
		unsigned times = 0;

		for (const char *p = cases[i].log; *p != '\0'; p++)
			times += *p == '|';
		mf_buf_init(&log, 0);
		fake_login(&c, f, "");
		cr_assert_eq(c.status, MF_OK, "%s: %s (%s)", cases[i].name, c.err.text,
			fake_complaint(f));
		look(&c, times, &log);
		cr_assert_str_eq(
			mf_buf_str(&log), cases[i].log, "%s: %s", cases[i].name, mf_buf_str(&log));
		fake_logout(&c);
		cr_assert_str_eq(fake_complaint(f), "", "%s: %s", cases[i].name, fake_complaint(f));
		fake_end(f);
		mf_buf_deinit(&log);
	}
}

/* ---- Searching: words for servers that have better than TEXT ---- */

Test(talk, searches)
{
	static const struct {
		const char *name;
		enum mf_query_kind kind;
		const char *text;
		struct fake_step steps[8];
	} cases[] = {
		{ "plain", MF_QUERY_TEXT, "wheels",
			{ LOGIN_WITH("UNSELECT LITERAL+"), SELECT_HAS("3"),
				{ "UID SEARCH TEXT \"wheels\"", "* SEARCH 5\r\n$ OK x\r\n", NULL },
				END } },
		{ "an index", MF_QUERY_BODY, "wheels",
			{ LOGIN_WITH("UNSELECT LITERAL+ SEARCH=FUZZY"), SELECT_HAS("3"),
				{ "UID SEARCH FUZZY BODY \"wheels\"", "* SEARCH 5\r\n$ OK x\r\n",
					NULL },
				END } },
		{ "a phrase is exact", MF_QUERY_TEXT, "wheels turn",
			{ LOGIN_WITH("UNSELECT LITERAL+ SEARCH=FUZZY"), SELECT_HAS("3"),
				{ "UID SEARCH TEXT \"wheels turn\"", "* SEARCH 5\r\n$ OK x\r\n",
					NULL },
				END } },
		{ "an index is for free text", MF_QUERY_FROM, "ada",
			{ LOGIN_WITH("UNSELECT LITERAL+ SEARCH=FUZZY"), SELECT_HAS("3"),
				{ "UID SEARCH FROM \"ada\"", "* SEARCH 5\r\n$ OK x\r\n", NULL },
				END } },
		{ "Gmail", MF_QUERY_TEXT, "is:unread \" or\\",
			{ LOGIN_WITH("UNSELECT LITERAL+ X-GM-EXT-1"), SELECT_HAS("3"),
				{ "UID SEARCH X-GM-RAW \"\\\"is:unread   or \\\"\"",
					"* SEARCH 5\r\n$ OK x\r\n", NULL },
				END } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fake *f = fake_start(cases[i].steps);
		struct mf_query q = { .kind = cases[i].kind, .text = cases[i].text };
		struct fake_client c;
		struct mf_idset found;

		mf_idset_init(&found);
		fake_login(&c, f, "");
		cr_assert_eq(c.status, MF_OK, "%s: %s", cases[i].name, c.err.text);
		cr_assert_eq(c.store->search(c.session, "INBOX", &q, 0, &found, &c.err), MF_OK,
			"%s: %s (%s)", cases[i].name, c.err.text, fake_complaint(f));
		cr_assert(found.n > 0 && mf_idset_has(&found, 5), "%s", cases[i].name);
		mf_idset_deinit(&found);
		fake_logout(&c);
		cr_assert_str_eq(fake_complaint(f), "", "%s: %s", cases[i].name, fake_complaint(f));
		fake_end(f);
	}
}

/* A server that writes an answer in pieces and waits for each to be acknowledged (ours writes bytes) is not kept
 * waiting for the 40 ms that the kernel delays acknowledgements. The fastest of many rounds tells it on a busy machine
 * too; the kernel acknowledges the first pieces of a connection at once by itself. */
Test(talk, pieces_are_acknowledged)
{
	enum { ROUNDS = 40, WARM = 20, STEPS = 2 + 2 * ROUNDS };
	static struct fake_step steps[STEPS + 2] = { LOGIN_WITH("UNSELECT LITERAL+"),
		SELECT_HAS("3") };
	struct mf_query q = { .kind = MF_QUERY_TEXT, .text = "wheels" };
	long fastest = LONG_MAX;
	struct fake_client c;
	struct mf_idset found;
	struct fake *f;
	size_t n = 0;

	while (steps[n].want != NULL || steps[n].say != NULL)
		n++;
	for (size_t i = 0; i < ROUNDS; i++) {
		if (i > 0)
			steps[n++] = (struct fake_step){ "NOOP", "$ OK x\r\n", NULL };
		steps[n++] =
			(struct fake_step){ "UID SEARCH TEXT", "* SEARCH 5\r\n$ OK x\r\n", NULL };
	}
	f = fake_start(steps);
	mf_idset_init(&found);
	fake_login(&c, f, "");
	for (size_t i = 0; i < ROUNDS; i++) {
		int64_t began = net_stream_now();

		cr_assert_eq(c.store->search(c.session, "INBOX", &q, 0, &found, &c.err), MF_OK,
			"%zu: %s (%s)", i, c.err.text, fake_complaint(f));
		if (i >= WARM && net_stream_now() - began < fastest)
			fastest = net_stream_now() - began;
	}
	cr_assert_lt(fastest, 30, "%ld ms", fastest);
	mf_idset_deinit(&found);
	fake_logout(&c);
	fake_end(f);
}
