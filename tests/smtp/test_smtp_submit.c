/*
 * What leaves, what is reported, and what is known of the outcome, against a server of few words that
 * answers each command well unless a rule says otherwise.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conf/conf.h"
#include "mailferry/backend.h"

extern const struct mf_backend_api mf_backend_smtp;

/* For lines that hold `on` ("." is the final dot): another reply; NULL hangs up instead. */
struct rule {
	const char *on, *reply;
};

struct server {
	const struct rule *rules;
	const char *ehlo;
	int listener;
	uint16_t port;
	char commands[4000], content[4000];
};

static const char ehlo_all[] = "250-fake\r\n250-PIPELINING\r\n250-SIZE 1000\r\n"
			       "250-AUTH PLAIN LOGIN\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n";
static const char ehlo_old[] = "250-fake\r\n250 AUTH LOGIN\r\n";

static const char *
good_reply(const struct server *s, const char *line, bool *data)
{
	if (strncasecmp(line, "EHLO", 4) == 0)
		return s->ehlo;
	if (strncasecmp(line, "AUTH LOGIN", 10) == 0)
		return "334 VXNlcm5hbWU6\r\n";
	if (strncmp(line, "YW5uYQ==", 8) == 0)
		return "334 UGFzc3dvcmQ6\r\n";
	if (strncasecmp(line, "AUTH", 4) == 0 || strncmp(line, "c2VjcmV0", 8) == 0)
		return "235 welcome\r\n";
	*data = strncasecmp(line, "DATA", 4) == 0;
	return *data ? "354 go on\r\n" : "250 fine\r\n";
}

static void
talk(struct server *s, FILE *in, int out)
{
	char line[2000];
	bool data = false, next = false;

	if (write(out, "220 fake\r\n", 10) != 10)
		return;
	while (fgets(line, sizeof(line), in) != NULL) {
		bool dot = data && strcmp(line, ".\r\n") == 0;
		const char *reply;

		if (data && !dot) {
			strcat(s->content, line);
			continue;
		}
		strcat(s->commands, line);
		next = false;
		reply = dot ? "250 taken\r\n" : good_reply(s, line, &next);
		for (const struct rule *r = s->rules; r != NULL && r->on != NULL; r++)
			if (strcmp(r->on, ".") == 0 ? dot : !dot && strstr(line, r->on) != NULL) {
				reply = r->reply;
				next = false;
			}
		data = next;
		if (reply == NULL || write(out, reply, strlen(reply)) < 0)
			return;
	}
}

static void *
serve(void *arg)
{
	struct server *s = arg;
	int fd = accept(s->listener, NULL, NULL);
	FILE *in = fdopen(fd, "r");

	talk(s, in, fd);
	fclose(in);
	return NULL;
}

struct trip {
	struct server server;
	pthread_t thread;
	struct conf *conf;
	struct mf_backend *backend;
	struct mf_session *session;
	struct mf_error err;
};

static enum mf_status
begin(struct trip *t, const struct rule *rules, const char *ehlo, const char *more)
{
	static struct conf_table tables[2];
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct mf_login who = { .user = "anna", .password = "secret" };
	socklen_t len = sizeof(at);
	char text[300];

	*t = (struct trip){ .server = { .rules = rules, .ehlo = ehlo } };
	t->server.listener = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(bind(t->server.listener, (struct sockaddr *)&at, len), 0);
	cr_assert_eq(listen(t->server.listener, 1), 0);
	getsockname(t->server.listener, (struct sockaddr *)&at, &len);
	snprintf(text, sizeof(text), "smtp {\n\turl = \"smtp://127.0.0.1:%u\"\n%s}\n",
		ntohs(at.sin_port), more);
	tables[0] = (struct conf_table){ .name = "smtp", .rows = mf_backend_smtp.settings };
	cr_assert_eq(conf_parse(text, tables, &t->conf, &t->err), MF_OK, "%s", t->err.text);
	cr_assert_eq(mf_backend_smtp.open(conf_section(t->conf, "smtp"), &t->backend, &t->err),
		MF_OK, "%s", t->err.text);
	pthread_create(&t->thread, NULL, serve, &t->server);
	return mf_backend_smtp.login(t->backend, &who, &t->session, &t->err);
}

static void
end(struct trip *t)
{
	if (t->session != NULL)
		mf_backend_smtp.logout(t->session);
	pthread_join(t->thread, NULL);
	close(t->server.listener);
	mf_backend_smtp.close(t->backend);
	conf_free(t->conf);
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
	const char *const servers[] = { ehlo_all, ehlo_old };

	for (size_t i = 0; i < 2; i++) {
		static const struct rule rules[] = { { "nobody", "550 5.1.1 who?\r\n" },
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
		end(&t);
		cr_assert_str_eq(t.server.content, "Subject: x\r\n\r\n..\r\n...two\r\nplain\r\n"
						   "Subject: x\r\n\r\n..\r\n...two\r\nplain\r\n");
		cr_assert_null(strstr(t.server.commands, "evil"), "an address is no command");
	}
}

/* What stands at `on` goes wrong: what is known of the mail? */
static const struct {
	const char *name;
	struct rule rules[2];
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

		cr_assert_eq(begin(&t, faults[i].rules, ehlo_all, ""), MF_OK, "%s", t.err.text);
		st = submit(&t, to, 1, strlen(letter), &sent);
		cr_assert_eq(st, faults[i].status, "%s: %s", faults[i].name, t.err.text);
		cr_assert_eq(sent, faults[i].sent, "%s", faults[i].name);
		cr_assert(!to[0].accepted, "%s", faults[i].name);
		end(&t);
	}
}

Test(smtp_submit, reader_that_ends_early)
{
	struct mf_recipient to[] = { { .address = "ben@example.org" } };
	enum mf_sent sent;
	struct trip t;

	cr_assert_eq(begin(&t, NULL, ehlo_all, ""), MF_OK, "%s", t.err.text);
	cr_assert_eq(submit(&t, to, 1, 500, &sent), MF_INVALID);
	cr_assert_eq(sent, MF_SENT_NOT);
	cr_assert(!mf_backend_smtp.usable(t.session), "half a message: only hanging up helps");
	end(&t);
	cr_assert_null(strstr(t.server.commands, "\r\n.\r\n"), "no final dot");
}

Test(smtp_submit, size)
{
	struct mf_recipient to[] = { { .address = "ben@example.org" } };
	enum mf_sent sent;
	struct trip t;

	cr_assert_eq(begin(&t, NULL, ehlo_all, ""), MF_OK, "%s", t.err.text);
	cr_assert_eq(mf_backend_smtp.submit->limit(t.session), 1000);
	cr_assert_eq(submit(&t, to, 1, 1001, &sent), MF_TOO_LARGE);
	cr_assert_eq(sent, MF_SENT_NOT);
	end(&t);
	cr_assert_null(strstr(t.server.commands, "MAIL"), "refused before anything is sent");
}

Test(smtp_submit, login)
{
	static const struct rule wrong[] = { { "AUTH", "535 5.7.8 no\r\n" }, { NULL, NULL } };
	static const struct rule busy[] = { { "AUTH", "454 busy\r\n" }, { NULL, NULL } };
	struct trip t;

	cr_assert_eq(begin(&t, wrong, ehlo_all, ""), MF_AUTH);
	end(&t);
	cr_assert_eq(begin(&t, busy, ehlo_all, ""), MF_TEMPORARY);
	end(&t);
	cr_assert_eq(begin(&t, wrong, ehlo_all, "\tuser = \"r\"\n\tpassword = \"p\"\n"),
		MF_TEMPORARY, "a relay account's password is not the user's");
	end(&t);
	cr_assert_eq(begin(&t, NULL, ehlo_all, "\tstarttls = \"required\"\n"), MF_TEMPORARY);
	end(&t);
	cr_assert_null(strstr(t.server.commands, "AUTH"), "nothing is told without TLS");
}
