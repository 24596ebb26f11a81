/*
 * What leaves, what is reported, and what is known of the outcome, against a server of few words that
 * answers each command well unless a rule says otherwise.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "fake.h"

static enum mf_status
begin(struct trip *t, const struct fake_rule *rules, const char *ehlo, const char *more)
{
	*t = (struct trip){ .server = { .rules = rules, .ehlo = ehlo } };
	return fake_begin(t, more);
}

struct reader {
	const char *text;
	size_t at, piece;
};

static ssize_t
read_text(void *ctx, void *data, size_t size)
{
	struct reader *r = ctx;
	size_t left = strlen(r->text + r->at);
	size_t n = left < r->piece ? left : r->piece;

	n = n < size ? n : size;
	memcpy(data, r->text + r->at, n);
	r->at += n;
	return (ssize_t)n;
}

static const char letter[] = "Subject: x\r\n\r\n.\r\n..two\r\nplain\r\n";

static enum mf_status
submit(struct trip *t, struct mf_recipient *to, size_t n, uint64_t size, enum mf_sent *sent)
{
	struct reader r = { .text = letter, .piece = 3 };
	struct mf_envelope e = { .from = "anna@example.org", .to = to, .n_to = n, .size = size };

	return mf_backend_smtp.submit->submit(t->session, &e, read_text, &r, sent, &t->err);
}

Test(smtp_submit, content_and_envelope)
{
	const char *const servers[] = { fake_ehlo_all, fake_ehlo_old };

	for (size_t i = 0; i < 2; i++) {
		static const struct fake_rule rules[] = { { "nobody", "550 5.1.1 who?\r\n" },
			{ NULL, NULL } };
		struct mf_recipient to[] = { { .address = "ben@example.org" },
			{ .address = "nobody@example.org" },
			{ .address = "x@y>\r\nRCPT TO:<evil@example.org" } };
		enum mf_sent sent;
		struct trip t;

		cr_assert_eq(begin(&t, rules, servers[i], ""), MF_OK, "%s", t.err.text);
		cr_assert_eq(submit(&t, to, 3, strlen(letter), &sent), MF_OK, "%s", t.err.text);
		cr_assert_eq(sent, MF_SENT_YES);
		cr_assert(to[0].accepted && !to[1].accepted && !to[2].accepted);
		cr_assert_str_eq(to[1].reply, "550 5.1.1 who?");
		cr_assert(mf_backend_smtp.usable(t.session), "it can be used again");
		cr_assert_eq(submit(&t, to, 1, strlen(letter), &sent), MF_OK, "%s", t.err.text);
		fake_end(&t);
		cr_assert_str_eq(t.server.content, "Subject: x\r\n\r\n..\r\n...two\r\nplain\r\n"
						   "Subject: x\r\n\r\n..\r\n...two\r\nplain\r\n");
		cr_assert_null(strstr(t.server.commands, "evil"), "an address is no command");
	}
}

/* With a relay account, or without a login, the server knows no user. */
Test(smtp_submit, whose_mail_it_is)
{
	static const struct {
		const char *settings;
		bool as_user;
	} rows[] = { { "", true }, { "user = relay\npassword = x\n", false },
		{ "auth = none\n", false } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trip t;

		cr_assert_eq(
			begin(&t, NULL, fake_ehlo_all, rows[i].settings), MF_OK, "%s", t.err.text);
		cr_assert_eq(mf_backend_smtp.submit->as_user(t.session), rows[i].as_user, "%zu", i);
		cr_assert(mf_backend_smtp.submit->eight_bit(t.session));
		fake_end(&t);
	}
}

/* Local parts may be quoted, with blanks in them; what would end the path or the command is no address. */
Test(smtp_submit, quoted_addresses)
{
	static const struct {
		const char *address;
		bool good;
	} rows[] = {
		{ "\"john doe\"@example.org", true },
		{ "\"a\\\"b c\"@example.org", true },
		{ "john doe@example.org", false },
		{ "\"open @example.org", false },
		{ "\"a\\\" b@example.org", false },
		{ "\"x\" y@example.org", false },
		{ "\"a> SIZE=1\"@example.org", false },
		{ "\"a\\>\"@example.org", false },
		{ "\"a\r\nDATA\"@example.org", false },
		{ "\"a\\\r\n\"@example.org", false },
	};
	struct trip t;

	cr_assert_eq(begin(&t, NULL, fake_ehlo_all, ""), MF_OK, "%s", t.err.text);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mf_recipient to[] = { { .address = rows[i].address },
			{ .address = "ben@example.org" } };
		enum mf_sent sent;

		cr_assert_eq(submit(&t, to, 2, strlen(letter), &sent), MF_OK, "%s", t.err.text);
		cr_assert_eq(to[0].accepted, rows[i].good, "%s", rows[i].address);
	}
	fake_end(&t);
	cr_assert_not_null(strstr(t.server.commands, "RCPT TO:<\"john doe\"@example.org>"));
	cr_assert_null(strstr(t.server.commands, "SIZE=1\""));
}

/* What stands at `on` goes wrong: what is known of the mail? */
static const struct {
	const char *name;
	struct fake_rule rules[2];
	enum mf_status status;
	enum mf_sent sent;
} faults[] = {
	{ "hangs up at the sender", { { "MAIL FROM", NULL } }, MF_TEMPORARY, MF_SENT_NOT },
	{ "hangs up at a recipient", { { "RCPT TO", NULL } }, MF_TEMPORARY, MF_SENT_NOT },
	{ "hangs up at DATA", { { "DATA", NULL } }, MF_TEMPORARY, MF_SENT_NOT },
	{ "hangs up after the dot", { { ".", NULL } }, MF_TEMPORARY, MF_SENT_UNKNOWN },
	{ "talks nonsense after the dot", { { ".", "hm\r\n" } }, MF_TEMPORARY, MF_SENT_UNKNOWN },
	{ "sender refused", { { "MAIL FROM", "550 no\r\n" } }, MF_REFUSED, MF_SENT_NOT },
	{ "sender later", { { "MAIL FROM", "451 later\r\n" } }, MF_TEMPORARY, MF_SENT_NOT },
	{ "recipient refused", { { "RCPT TO", "550 no\r\n" } }, MF_REFUSED, MF_SENT_NOT },
	{ "recipient later", { { "RCPT TO", "450 later\r\n" } }, MF_TEMPORARY, MF_SENT_NOT },
	{ "DATA refused", { { "DATA", "554 no\r\n" } }, MF_REFUSED, MF_SENT_NOT },
	{ "content refused", { { ".", "554 spam\r\n" } }, MF_REFUSED, MF_SENT_NOT },
	{ "content too large", { { ".", "552 quota\r\n" } }, MF_TOO_LARGE, MF_SENT_NOT },
	{ "content later", { { ".", "451-a\r\n451 later\r\n" } }, MF_TEMPORARY, MF_SENT_NOT },
};

Test(smtp_submit, faults)
{
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
		struct mf_recipient to[] = { { .address = "ben@example.org" } };
		enum mf_sent sent;
		enum mf_status st;
		struct trip t;

		cr_assert_eq(
			begin(&t, faults[i].rules, fake_ehlo_all, ""), MF_OK, "%s", t.err.text);
		st = submit(&t, to, 1, strlen(letter), &sent);
		cr_assert_eq(st, faults[i].status, "%s: %s", faults[i].name, t.err.text);
		cr_assert_eq(sent, faults[i].sent, "%s", faults[i].name);
		cr_assert(!to[0].accepted, "%s", faults[i].name);
		fake_end(&t);
	}
}

/* A server that says nothing any more: in the end that is known as well as a hang-up. */
Test(smtp_submit, silence)
{
	static const struct {
		const char *on;
		enum mf_sent sent;
	} rows[] = { { "MAIL FROM", MF_SENT_NOT }, { "DATA", MF_SENT_NOT },
		{ ".", MF_SENT_UNKNOWN } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct fake_rule rules[] = { { rows[i].on, "" }, { NULL, NULL } };
		struct mf_recipient to[] = { { .address = "ben@example.org" } };
		enum mf_sent sent;
		struct trip t;

		cr_assert_eq(begin(&t, rules, fake_ehlo_all,
				     "\tcommand_timeout = 1s\n\tdata_timeout = 1s\n"),
			MF_OK, "%s", t.err.text);
		cr_assert_eq(submit(&t, to, 1, strlen(letter), &sent), MF_TEMPORARY, "%s: %s",
			rows[i].on, t.err.text);
		cr_assert_eq(sent, rows[i].sent, "%s", rows[i].on);
		cr_assert(!mf_backend_smtp.usable(t.session));
		fake_end(&t);
	}
}

/* What MAIL FROM says of the mail, as far as the server knows it. */
Test(smtp_submit, parameters)
{
	static const struct {
		const char *ehlo;
		bool eight_bit, utf8;
		enum mf_status is;
		const char *line;
	} rows[] = {
		{ fake_ehlo_all, false, false, MF_OK, "MAIL FROM:<anna@example.org> SIZE=31\r\n" },
		{ fake_ehlo_all, true, false, MF_OK,
			"MAIL FROM:<anna@example.org> SIZE=31 BODY=8BITMIME\r\n" },
		{ fake_ehlo_all, true, true, MF_OK,
			"MAIL FROM:<anna@example.org> SIZE=31 BODY=8BITMIME SMTPUTF8\r\n" },
		{ fake_ehlo_old, true, false, MF_OK, "MAIL FROM:<anna@example.org>\r\n" },
		{ fake_ehlo_old, true, true, MF_REFUSED, NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct mf_recipient to[] = { { .address = "ben@example.org" },
			{ .address = rows[i].utf8 ? "j\xc3\xb6rg@example.org" : "x@example.org" } };
		struct reader r = { .text = letter, .piece = 100 };
		struct mf_envelope e = { .from = "anna@example.org",
			.to = to,
			.n_to = 2,
			.size = strlen(letter),
			.eight_bit = rows[i].eight_bit,
			.utf8 = rows[i].utf8 };
		enum mf_sent sent;
		struct trip t;

		cr_assert_eq(begin(&t, NULL, rows[i].ehlo, ""), MF_OK, "%s", t.err.text);
		cr_assert_eq(
			mf_backend_smtp.submit->submit(t.session, &e, read_text, &r, &sent, &t.err),
			rows[i].is, "row %zu: %s", i, t.err.text);
		fake_end(&t);
		if (rows[i].line != NULL)
			cr_assert(strstr(t.server.commands, rows[i].line) != NULL &&
					  to[0].accepted && to[1].accepted,
				"row %zu: %s", i, t.server.commands);
		else
			cr_assert_null(strstr(t.server.commands, "MAIL"));
	}
}

Test(smtp_submit, reader_that_ends_early)
{
	struct mf_recipient to[] = { { .address = "ben@example.org" } };
	enum mf_sent sent;
	struct trip t;

	cr_assert_eq(begin(&t, NULL, fake_ehlo_all, ""), MF_OK, "%s", t.err.text);
	cr_assert_eq(submit(&t, to, 1, 500, &sent), MF_INVALID);
	cr_assert_eq(sent, MF_SENT_NOT);
	cr_assert(!mf_backend_smtp.usable(t.session), "half a message: only hanging up helps");
	fake_end(&t);
	cr_assert_null(strstr(t.server.commands, "\r\n.\r\n"), "no final dot");
}

Test(smtp_submit, size)
{
	struct mf_recipient to[] = { { .address = "ben@example.org" } };
	enum mf_sent sent;
	struct trip t;

	cr_assert_eq(begin(&t, NULL, fake_ehlo_all, ""), MF_OK, "%s", t.err.text);
	cr_assert_eq(mf_backend_smtp.submit->limit(t.session), 1000);
	cr_assert_eq(submit(&t, to, 1, 1001, &sent), MF_TOO_LARGE);
	cr_assert_eq(sent, MF_SENT_NOT);
	fake_end(&t);
	cr_assert_null(strstr(t.server.commands, "MAIL"), "refused before anything is sent");
}

Test(smtp_submit, login)
{
	static const struct fake_rule wrong[] = { { "AUTH", "535 5.7.8 no\r\n" }, { NULL, NULL } };
	static const struct fake_rule busy[] = { { "AUTH", "454 busy\r\n" }, { NULL, NULL } };
	struct trip t;

	cr_assert_eq(begin(&t, wrong, fake_ehlo_all, ""), MF_AUTH);
	fake_end(&t);
	cr_assert_eq(begin(&t, busy, fake_ehlo_all, ""), MF_TEMPORARY);
	fake_end(&t);
	cr_assert_eq(begin(&t, wrong, fake_ehlo_all, "\tuser = \"r\"\n\tpassword = \"p\"\n"),
		MF_TEMPORARY, "a relay account's password is not the user's");
	fake_end(&t);
	cr_assert_eq(begin(&t, NULL, fake_ehlo_all, "\tstarttls = \"required\"\n"), MF_TEMPORARY);
	fake_end(&t);
	cr_assert_null(strstr(t.server.commands, "AUTH"), "nothing is told without TLS");
}
