/*
 * What breaks at each place in turn, with the real daemon and a real Dovecot: the gateway is killed before
 * and after every write of its state, the IMAP connection is cut at every command. The phone then agrees
 * with the server, and nothing more is told.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cutter.h"
#include "phone.h"

TestSuite(faults, .timeout = 280);

struct day {
	struct dovecot dovecot;
	struct gateway gateway;
	struct phone *phone;
	struct imap_talk *talk;
	const char *user;
	unsigned mails;
};

static void
deliver(struct day *day)
{
	char message[300];

	day->mails++;
	snprintf(message, sizeof message,
		"From: s@example.test\nSubject: Message %u\nMessage-ID: "
		"<%u@example.test>\n\nBody\n",
		day->mails, day->mails);
	dovecot_deliver(&day->dovecot, day->user, message, strlen(message));
}

/* What both sides do before the n-th Sync. */
static void
stir(struct day *day, unsigned n)
{
	struct client_folder *inbox = phone_folder(day->phone, "inbox");
	const struct client_item **items = client_items_sorted(inbox);

	deliver(day);
	imap_talk(day->talk, "SELECT INBOX");
	imap_talk(day->talk, "STORE %u %cFLAGS (\\Seen)", 1 + n % 3, n % 2 ? '+' : '-');
	if (n % 4 == 1) {
		imap_talk(day->talk, "STORE 2 +FLAGS (\\Deleted)");
		imap_talk(day->talk, "EXPUNGE");
	}
	imap_talk(day->talk, "UNSELECT");
	if (inbox->n_items > 4) {
		client_edit_flag(inbox, items[0]->id, CLIENT_FLAGGED);
		if (n % 3 == 2)
			client_edit_delete(inbox, items[1]->id);
	}
	free(items);
}

static bool
try_sync(struct day *day)
{
	struct client_sync_result result;
	struct mf_error err;

	return client_sync(day->phone->client, phone_folder(day->phone, "inbox"),
		       &day->phone->options, &result, &err) == MF_OK &&
	       result.status != 16;
}

static void
begin(struct day *day, const char *name)
{
	day->user = fixture_user(name);
	day->phone = phone_new(&day->gateway, day->user, NULL, "phone1");
	day->talk = imap_talk_open(&day->dovecot, day->user);
	for (int i = 0; i < 6; i++)
		deliver(day);
	phone_hierarchy(day->phone);
	phone_settle(day->phone, "inbox");
}

static void
end(struct day *day)
{
	phone_settle(day->phone, "inbox");
	phone_agrees(day->phone, "inbox", &day->gateway, day->talk, day->user, "INBOX");
	imap_talk_close(day->talk);
	phone_free(day->phone);
	gateway_end(&day->gateway);
	dovecot_end(&day->dovecot);
}

Test(faults, killed_at_every_write)
{
	struct day day = { .mails = 0 };
	unsigned crashes = 0;

	dovecot_get(&day.dovecot);
	gateway_start(&day.gateway, &day.dovecot, "");
	begin(&day, "writes");
	for (unsigned n = 1; n <= 20; n++) {
		char fault[40];

		stir(&day, n);
		gateway_stop(&day.gateway);
		snprintf(fault, sizeof fault, "state:%s:%u", n % 2 ? "before" : "after",
			1 + n / 2 % 5);
		setenv("MAILFERRY_FAULT", fault, 1);
		gateway_again(&day.gateway);
		unsetenv("MAILFERRY_FAULT");
		crashes += !try_sync(&day);
		gateway_kill(&day.gateway);
		gateway_again(&day.gateway);
		phone_settle(day.phone, "inbox");
		if (n % 4 == 0)
			phone_agrees(day.phone, "inbox", &day.gateway, day.talk, day.user, "INBOX");
	}
	cr_assert_geq(crashes, 5, "only %u crashes", crashes);
	end(&day);
}

Test(faults, cut_at_every_command)
{
	struct day day = { .mails = 0 };
	struct cutter *wire;
	char more[100];
	unsigned cuts = 0, most = 0;

	dovecot_get(&day.dovecot);
	wire = cutter_start(
		(uint16_t)strtoul(strrchr(dovecot_url(&day.dovecot, false), ':') + 1, NULL, 10));
	snprintf(more, sizeof more, "imap {\n\turl = \"imap://127.0.0.1:%u\"\n}\n",
		cutter_port(wire));
	gateway_start(&day.gateway, &day.dovecot, more);
	begin(&day, "commands");
	for (unsigned n = 1; n <= 40; n++) {
		unsigned tries = 1;

		stir(&day, n);
		cutter_arm(wire, (n + 1) / 2, n % 2 == 0);
		while (!try_sync(&day))
			cr_assert_lt(tries++, 6, "cut %u: it does not recover", n);
		cuts += tries > 1;
		most = cutter_lines(wire) > most ? cutter_lines(wire) : most;
		cutter_arm(wire, 0, false);
		phone_settle(day.phone, "inbox");
		if (n % 8 == 0)
			phone_agrees(day.phone, "inbox", &day.gateway, day.talk, day.user, "INBOX");
	}
	cr_assert_geq(cuts, 8, "only %u cuts were felt", cuts);
	cr_assert_leq(most, 20, "a Sync has %u commands: not all were cut", most);
	end(&day);
	cutter_end(wire);
}
