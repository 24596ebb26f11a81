/* Submission: what was sent arrives, and the outcome is never in doubt without need. */
#include "contract.h"

#include <string.h>
#include <unistd.h>

static const char letter[] = "From: a@example.org\r\nTo: b@example.org\r\nSubject: Sent\r\n"
			     "Message-ID: <sent@example.org>\r\n\r\n.\r\n..dots\r\nend\r\n";

struct sending {
	struct mf_envelope envelope;
	struct mf_recipient to[2];
	struct contract_reader reader;
	enum mf_sent sent;
};

static struct sending *
sending(struct bench *b, size_t n_to, const char *second)
{
	struct sending *s = mf_new(b->a, struct sending);

	s->to[0].address = b->colleague;
	s->to[1].address = second;
	s->reader = (struct contract_reader){ .data = mf_bytes_str(letter), .piece = 5 };
	s->envelope = (struct mf_envelope){
		.from = "a@example.org", .to = s->to, .n_to = n_to, .size = strlen(letter)
	};
	s->sent = MF_SENT_UNKNOWN;
	return s;
}

static enum mf_status
submit(struct bench *b, struct sending *s)
{
	return b->api->submit->submit(
		b->s, &s->envelope, contract_read, &s->reader, &s->sent, &b->err);
}

/* Letters in the colleague's Inbox, once at least `n` are there or some seconds have gone by. */
static struct contract_changes
arrived(struct bench *b, size_t n)
{
	struct mf_login who = { .user = b->colleague_user, .password = b->colleague_password };
	struct mf_session *mine = b->s;
	struct contract_changes c;

	b->s = NULL;
	NEED_OK(b, b->api->login(b->backend, &who, &b->s, &b->err));
	for (int tries = 0;; tries++) {
		c = contract_all(b, b->inbox);
		if (c.n >= n || tries == 50)
			break;
		usleep(100000);
	}
	if (c.n > 0)
		CHECK(b,
			strstr((const char *)contract_message(b, b->inbox, c.list[0].id).data,
				"\r\n\r\n.\r\n..dots\r\nend\r\n") != NULL,
			"the text is as it was");
	b->api->logout(b->s);
	b->s = mine;
	return c;
}

static void
arrives(struct bench *b)
{
	struct sending *s = sending(b, 1, NULL);

	CHECK(b, arrived(b, 0).n == 0, "nothing yet");
	STATUS(b, submit(b, s), MF_OK);
	CHECK(b, s->sent == MF_SENT_YES && s->to[0].accepted, "accepted");
	CHECK(b, arrived(b, 1).n == 1, "it arrives once");
}

static void
some_recipients(struct bench *b)
{
	struct sending *s = sending(b, 2, "nobody-at-all@example.org");

	STATUS(b, submit(b, s), MF_OK);
	CHECK(b, s->sent == MF_SENT_YES, "sent");
	CHECK(b, s->to[0].accepted && !s->to[1].accepted, "one of two accepted");
	CHECK(b, s->to[1].reply[0] != '\0', "with the server's words");
	CHECK(b, arrived(b, 1).n == 1, "it arrives");
}

static void
no_recipient(struct bench *b)
{
	struct sending *s = sending(b, 1, NULL);

	s->to[0].address = "nobody-at-all@example.org";
	STATUS(b, submit(b, s), MF_REFUSED);
	CHECK(b, s->sent == MF_SENT_NOT && !s->to[0].accepted, "certainly not sent");
	CHECK(b, arrived(b, 0).n == 0, "nothing arrives");
}

static void
broken_reader(struct bench *b)
{
	struct sending *s = sending(b, 1, NULL);

	s->reader.stop = 20;
	s->reader.fails = true;
	CHECK(b, submit(b, s) != MF_OK, "it cannot be sent");
	CHECK(b, s->sent == MF_SENT_NOT, "certainly not sent");
	b->err.status = MF_OK;
	contract_again(b);
	CHECK(b, arrived(b, 0).n == 0, "nothing arrives");
	s = sending(b, 1, NULL);
	STATUS(b, submit(b, s), MF_OK);
}

static void
hostile_addresses(struct bench *b)
{
	static const char *const bad[] = { "a@example.org>\r\nDATA\r\n", "", "a b@example.org",
		"<a@example.org>", "@" };

	for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
		struct sending *s = sending(b, 1, NULL);
		enum mf_status st;

		s->to[0].address = bad[k];
		st = submit(b, s);
		CHECK(b, st == MF_REFUSED || st == MF_INVALID, "address %zu: %s", k,
			mf_status_name(st));
		CHECK(b, s->sent == MF_SENT_NOT, "address %zu: not sent", k);
		b->err.status = MF_OK;
		contract_again(b);
	}
	CHECK(b, arrived(b, 0).n == 0, "nothing arrives");
}

const struct contract_case cases_submit[] = {
	{ "submit-arrives", arrives, CAN_SUBMIT },
	{ "submit-some-recipients", some_recipients, CAN_SUBMIT },
	{ "submit-no-recipient", no_recipient, CAN_SUBMIT },
	{ "submit-broken-reader", broken_reader, CAN_SUBMIT },
	{ "submit-hostile-addresses", hostile_addresses, CAN_SUBMIT },
	{ NULL, NULL, 0 },
};
