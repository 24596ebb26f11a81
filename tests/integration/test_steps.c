/*
 * Exactly once, over a real Postfix: at every step of a mail's way the connection is cut, the gateway is
 * killed, or Postfix is, and the phone repeats what was not confirmed. What arrives is counted: once, apart
 * from the gap between the final dot and its answer, where the setting decides between twice and "perhaps".
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/mail.h"
#include "mta.h"
#include "phone.h"
#include "smtp_proxy.h"

enum { MAILS_MAX = 1000, CONTENT = 20000, TRIES = 30 };

enum victim { CONNECTION, GATEWAY, POSTFIX };
static const char *const victims[] = { "the connection", "the gateway", "Postfix" };

/* To the gateway the gap begins when it has written the dot: into a buffer, whatever the wire is doing. And
 * when it is killed, the gap ends only with its record of the answer. */
enum {
	MAYBE = 1 << 0, /* the gateway may not know: held, if it is to hold */
	TWICE = 1 << 1, /* the dot may have arrived: sent again, it arrives twice */
	TAKEN = 1 << 2, /* Postfix has certainly taken the mail there */
	FEW = 1 << 3,	/* also where every step would take too long */
};

static const struct row {
	struct smtp_step step;
	unsigned is;
} rows[] = {
	{ { "CONNECT", SMTP_BEFORE, 0 }, FEW },
	{ { "CONNECT", SMTP_TAKEN, 0 }, 0 },
	{ { "CONNECT", SMTP_TOLD, 0 }, 0 },
	{ { "EHLO", SMTP_BEFORE, 0 }, 0 },
	{ { "EHLO", SMTP_AFTER, 0 }, 0 },
	{ { "EHLO", SMTP_TAKEN, 0 }, 0 },
	{ { "EHLO", SMTP_TOLD, 0 }, 0 },
	{ { "MAIL", SMTP_BEFORE, 0 }, 0 },
	{ { "MAIL", SMTP_AFTER, 0 }, 0 },
	{ { "MAIL", SMTP_TAKEN, 0 }, FEW },
	{ { "MAIL", SMTP_TOLD, 0 }, 0 },
	{ { "RCPT", SMTP_BEFORE, 0 }, 0 },
	{ { "RCPT", SMTP_AFTER, 0 }, 0 },
	{ { "RCPT", SMTP_TAKEN, 0 }, 0 },
	{ { "RCPT", SMTP_TOLD, 0 }, 0 },
	{ { "DATA", SMTP_BEFORE, 0 }, 0 },
	{ { "DATA", SMTP_AFTER, 0 }, 0 },
	{ { "DATA", SMTP_TAKEN, 0 }, 0 },
	{ { "DATA", SMTP_TOLD, 0 }, MAYBE | FEW },
	{ { "CONTENT", SMTP_BEFORE, 0 }, MAYBE },
	{ { "CONTENT", SMTP_BEFORE, 100 }, MAYBE },
	{ { "CONTENT", SMTP_BEFORE, 5000 }, MAYBE },
	{ { "CONTENT", SMTP_BEFORE, CONTENT - 1000 }, MAYBE | FEW },
	{ { ".", SMTP_BEFORE, 0 }, MAYBE | FEW },
	{ { ".", SMTP_AFTER, 0 }, MAYBE | TWICE },
	{ { ".", SMTP_TAKEN, 0 }, MAYBE | TWICE | TAKEN | FEW },
	{ { ".", SMTP_TOLD, 0 }, TAKEN | FEW },
};

enum { ROWS = sizeof rows / sizeof *rows };

struct world {
	struct dovecot dovecot;
	struct mta mta;
	struct gateway gateway;
	struct smtp_proxy proxy;
	struct phone *phone;
	const char *sender, *receiver;
	bool hold;
	unsigned n; /* mails */
	struct sent {
		const struct row *row;
		enum victim victim;
		unsigned status; /* of the last answer */
		unsigned arrived, copies, notices;
	} mails[MAILS_MAX];
};

static void
kill_gateway(void *ctx)
{
	struct world *w = ctx;

	kill(w->gateway.pid, SIGKILL);
}

static void
kill_postfix(void *ctx)
{
	struct world *w = ctx;

	mta_do(&w->mta, "kill");
}

static void (*const acts[])(
	void *ctx) = { [CONNECTION] = NULL, [GATEWAY] = kill_gateway, [POSTFIX] = kill_postfix };

/* ---- One mail ---- */

static char *
message_of(const struct world *w, unsigned n)
{
	char *m = malloc(CONTENT + 2000), *p = m;

	p += sprintf(m,
		"From: <%s@example.test>\r\nTo: <%s@example.test>\r\nMessage-ID: "
		"<step-%u@steps>\r\n"
		"Subject: Step %u\r\n\r\n",
		w->sender, w->receiver, n, n);
	while (p - m < CONTENT)
		p += sprintf(p, ".A line that begins with a dot, and some more of it.\r\n");
	return m;
}

/* False: no answer came. */
static bool
try_send(struct world *w, unsigned n, unsigned *status)
{
	char id[40], *mime = message_of(w, n);
	struct mf_error err;

	snprintf(id, sizeof id, "step%u", n);
	struct client_sending s = { .client_id = id, .mime = mf_bytes_str(mime), .save = true };
	enum mf_status st = client_send(w->phone->client, &s, status, &err);
	free(mime);
	return st == MF_OK;
}

static bool
is_final(const struct world *w, unsigned status)
{
	return status == 1 || status == 118 || (w->hold && status == 120);
}

static void
send_through(struct world *w, const struct row *row, enum victim victim)
{
	struct sent *s = &w->mails[w->n];
	unsigned status = 0, tries = 0;

	cr_assert_lt(w->n, MAILS_MAX);
	*s = (struct sent){ .row = row, .victim = victim };
	smtp_proxy_arm(&w->proxy, &row->step, acts[victim], w);
	for (bool answered = false; !answered || !is_final(w, status); tries++) {
		cr_assert_lt(tries, TRIES, "mail %u, %s at %s %d: status %u", w->n, victims[victim],
			row->step.word, row->step.moment, status);
		answered = try_send(w, w->n, &status);
		if (tries > 0)
			continue;
		cr_assert(smtp_proxy_disarm(&w->proxy), "it never came to %s %d", row->step.word,
			row->step.moment);
		if (victim == GATEWAY) {
			gateway_kill(&w->gateway);
			gateway_again(&w->gateway);
		}
		if (victim == POSTFIX)
			mta_do(&w->mta, "again");
	}
	s->status = status;
	/* Whatever the outcome was: it stays. */
	cr_assert(try_send(w, w->n, &status));
	cr_assert_eq(status, s->status == 120 ? 120 : 118, "mail %u: then %u", w->n, status);
	w->n++;
}

/* ---- Counting ---- */

/* Counts "WHATstep-N@steps" in the headers of a folder. */
static void
count_in(struct world *w, const char *user, const char *folder, const char *what, size_t member)
{
	struct imap_talk *t = imap_talk_open(&w->dovecot, user);
	const char *at;

	imap_talk(t, "SELECT %s", folder);
	at = imap_talk_any(t, "FETCH 1:* BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]");
	while ((at = strstr(at, what)) != NULL) {
		unsigned long n = strtoul(at += strlen(what), NULL, 10);

		cr_assert_lt(n, w->n);
		++*(unsigned *)((char *)&w->mails[n] + member);
	}
	imap_talk_close(t);
}

static void
let_arrive(struct world *w)
{
	mta_do(&w->mta, "deliver");
	for (int i = 0; i < 1200 && mta_queue(&w->mta) > 0; i++) {
		struct timespec pause = { .tv_nsec = 100000000 };

		nanosleep(&pause, NULL);
	}
	cr_assert_eq(mta_queue(&w->mta), 0, "the queue is not empty");
	count_in(w, w->receiver, "INBOX", "<step-", offsetof(struct sent, arrived));
	count_in(w, w->sender, "Sent", "<step-", offsetof(struct sent, copies));
	count_in(w, w->sender, "INBOX", "<unknown.step-", offsetof(struct sent, notices));
}

static void
judge(const struct world *w, unsigned *twins)
{
	for (unsigned i = 0; i < w->n; i++) {
		const struct sent *s = &w->mails[i];
		unsigned is = s->row->is;
		bool held = s->status == 120;

		if (strcmp(s->row->step.word, ".") == 0 && s->victim == GATEWAY)
			is |= MAYBE | (s->row->step.moment == SMTP_BEFORE ? 0 : TWICE);
		unsigned least = held && !(is & TAKEN) ? 0 : 1,
			 most = (is & TWICE) && !w->hold ? 2 : 1;

		cr_assert(!held || (is & MAYBE), "mail %u: held, %s ended at %s %d", i,
			victims[s->victim], s->row->step.word, s->row->step.moment);
		cr_assert(s->arrived >= least && s->arrived <= most,
			"mail %u: %s ended at %s %d %u: arrived %u times, status %u", i,
			victims[s->victim], s->row->step.word, s->row->step.moment,
			s->row->step.bytes, s->arrived, s->status);
		cr_assert_eq(s->copies, held ? 0 : 1, "mail %u: %u copies", i, s->copies);
		cr_assert_eq(s->notices, held ? 1 : 0, "mail %u: %u notices", i, s->notices);
		*twins += s->arrived == 2;
	}
}

/* ---- Cases ---- */

/* False: Postfix cannot run here. */
static bool
begin(struct world *w, bool hold)
{
	char conf[900];

	*w = (struct world){ .hold = hold };
	w->sender = fixture_user("steps");
	w->receiver = fixture_user("target");
	dovecot_get(&w->dovecot);
	if (!mta_start(&w->mta, &w->dovecot, ""))
		return false;
	mta_do(&w->mta, "keep");
	smtp_proxy_start(&w->proxy, w->mta.plain);
	snprintf(conf, sizeof conf,
		"backends = {\"imap\", \"smtp\"}\nsend_unknown = %s\n"
		"imap {\n\turl = \"%s\"\n\tca_file = \"%s\"\n}\n"
		"smtp {\n\turl = \"smtp://127.0.0.1:%u\"\n\tauth = none\n}\n",
		hold ? "hold" : "again", dovecot_url(&w->dovecot, true), w->dovecot.ca,
		w->proxy.port);
	gateway_start(&w->gateway, &w->dovecot, conf);
	w->phone = phone_new(&w->gateway, w->sender, NULL, "phone1");
	phone_hierarchy(w->phone);
	return true;
}

static unsigned
finish(struct world *w)
{
	unsigned twins = 0;

	let_arrive(w);
	judge(w, &twins);
	phone_free(w->phone);
	gateway_end(&w->gateway);
	smtp_proxy_end(&w->proxy);
	mta_end(&w->mta);
	return twins;
}

/* All steps of what is quick to mend, some of the others; in long runs all, several times. */
static void
all_steps(struct world *w)
{
	const char *rounds = getenv("MAILFERRY_ROUNDS");
	unsigned n = rounds == NULL ? 1 : (unsigned)strtoul(rounds, NULL, 10);

	for (unsigned r = 0; r < n; r++)
		for (size_t i = 0; i < ROWS; i++)
			for (enum victim v = CONNECTION; v <= POSTFIX; v++)
				if (v == CONNECTION || (rows[i].is & FEW) || rounds != NULL)
					send_through(w, &rows[i], v);
	printf("%s: %u mails\n", w->hold ? "hold" : "again", w->n);
}

static struct world world;

Test(steps, sent_again, .timeout = 3600)
{
	if (!begin(&world, false))
		cr_skip_test("Postfix cannot run here");
	all_steps(&world);
	unsigned twins = finish(&world);
	cr_assert_geq(twins, 3, "Postfix had it, and it was sent again: %u times", twins);
}

Test(steps, held, .timeout = 3600)
{
	if (!begin(&world, true))
		cr_skip_test("Postfix cannot run here");
	all_steps(&world);
	cr_assert_eq(finish(&world), 0);
}
