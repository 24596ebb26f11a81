/*
 * What must not hurt a phone: the mail server gone, hanging and back, the gateway killed at any moment,
 * stopped while requests are under way, started again.
 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "phone.h"

static void
deliver_many(const struct dovecot *d, const char *user, unsigned first, unsigned n)
{
	char message[300];

	for (unsigned i = first; i < first + n; i++) {
		snprintf(message, sizeof message,
			"From: s@example.test\nSubject: Message %u\nMessage-ID: "
			"<%u@example.test>\n\nBody\n",
			i, i);
		dovecot_deliver(d, user, message, strlen(message));
	}
}

static void
pause_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

Test(survive, mail_server_stopped_and_back, .timeout = 240)
{
	struct dovecot d;
	struct gateway g;
	struct phone *p;
	struct imap_talk *t;
	int retry = -1;
	unsigned status;

	dovecot_start(&d, "");
	gateway_start(&g, &d, "");
	p = phone_new(&g, "anna", NULL, "phone1");
	deliver_many(&d, "anna", 1, 5);
	phone_hierarchy(p);
	cr_assert_eq(phone_sync(p, "inbox").added, 5, "all came");

	dovecot_do(&d, "stop");
	status = phone_http_status(p, &retry);
	cr_assert_eq(status, 503, "no server: 503, not %u", status);
	cr_assert_gt(retry, 0, "with Retry-After");
	dovecot_do(&d, "start");
	deliver_many(&d, "anna", 6, 2);
	phone_hierarchy(p);
	cr_assert_eq(phone_sync(p, "inbox").added, 2, "the same key continues");

	dovecot_do(&d, "kill");
	status = phone_http_status(p, &retry);
	cr_assert_eq(status, 503, "a killed server: 503, not %u", status);
	dovecot_do(&d, "start");
	t = imap_talk_open(&d, "anna");
	imap_talk(t, "SELECT INBOX");
	imap_talk(t, "STORE 1 +FLAGS (\\Seen)");
	cr_assert_eq(phone_sync(p, "inbox").changed, 1, "and the same key continues again");
	phone_agrees(p, "inbox", &g, t, "anna", "INBOX");
	imap_talk_close(t);
	phone_free(p);
	gateway_end(&g);
	dovecot_end(&d);
}

Test(survive, mail_server_hangs, .timeout = 240)
{
	struct dovecot d;
	struct gateway g;
	struct phone *p;
	int retry = -1;
	unsigned status;

	dovecot_start(&d, "");
	gateway_start(&g, &d, "imap {\n\tconnect_timeout = 2s\n\tcommand_timeout = 2s\n}\n");
	p = phone_new(&g, "anna", NULL, "phone1");
	deliver_many(&d, "anna", 1, 3);
	phone_hierarchy(p);
	dovecot_do(&d, "pause");
	status = phone_http_status(p, &retry);
	cr_assert_eq(status, 503, "a server that hangs: 503, not %u", status);
	cr_assert_gt(retry, 0, "with Retry-After");
	dovecot_do(&d, "continue");
	cr_assert_eq(phone_sync(p, "inbox").added, 3, "then it goes on");
	phone_free(p);
	gateway_end(&g);
	dovecot_end(&d);
}

/* A phone that synchronises again and again, whatever breaks. */
struct restless {
	struct phone *phone;
	pthread_t thread;
	volatile bool enough;
	unsigned answers, breaks;
};

static void *
synchronise(void *arg)
{
	struct restless *r = arg;

	while (!r->enough) {
		struct client_sync_result result;

		if (client_sync(r->phone->client, phone_folder(r->phone, "inbox"),
			    &r->phone->options, &result, NULL) == MF_OK) {
			r->answers++;
		} else {
			r->breaks++;
			pause_ms(20);
		}
	}
	return NULL;
}

Test(survive, killed_at_any_moment, .timeout = 280)
{
	struct dovecot d;
	struct gateway g;
	struct restless r = { 0 };
	struct imap_talk *t;
	const char *user = fixture_user("killed");
	unsigned next = 1;

	dovecot_get(&d);
	gateway_start(&g, &d, "");
	deliver_many(&d, user, next, 60);
	r.phone = phone_new(&g, user, NULL, "phone1");
	r.phone->options.window = 7;
	phone_hierarchy(r.phone);
	t = imap_talk_open(&d, user);
	pthread_create(&r.thread, NULL, synchronise, &r);
	for (unsigned i = 0; i < 12; i++) {
		pause_ms(15 + i * 23 % 120);
		gateway_kill(&g);
		deliver_many(&d, user, 100 + i * 10, 2);
		imap_talk(t, "SELECT INBOX");
		imap_talk(t, "STORE %u +FLAGS (%s)", i + 1, i % 3 == 0 ? "\\Deleted" : "\\Seen");
		imap_talk(t, "EXPUNGE");
		imap_talk(t, "UNSELECT");
		gateway_again(&g);
	}
	r.enough = true;
	pthread_join(r.thread, NULL);
	cr_assert_gt(r.answers, 0, "some requests were answered");
	phone_settle(r.phone, "inbox");
	phone_agrees(r.phone, "inbox", &g, t, user, "INBOX");
	imap_talk_close(t);
	phone_free(r.phone);
	gateway_end(&g);
	dovecot_end(&d);
}

Test(survive, stopped_with_requests_under_way, .timeout = 240)
{
	struct dovecot d;
	struct gateway g;
	struct restless r[6] = { 0 };
	struct imap_talk *t;
	const char *user = fixture_user("stopped");

	dovecot_get(&d);
	gateway_start(&g, &d, "");
	deliver_many(&d, user, 1, 80);
	for (size_t i = 0; i < 6; i++) {
		char device[20];

		snprintf(device, sizeof device, "phone%zu", i);
		r[i].phone = phone_new(&g, user, NULL, device);
		r[i].phone->options.window = 3;
		phone_hierarchy(r[i].phone);
		pthread_create(&r[i].thread, NULL, synchronise, &r[i]);
	}
	pause_ms(300);
	cr_assert_eq(gateway_stop(&g), 0, "SIGTERM ends it cleanly");
	gateway_again(&g);
	pause_ms(200);
	t = imap_talk_open(&d, user);
	for (size_t i = 0; i < 6; i++) {
		r[i].enough = true;
		pthread_join(r[i].thread, NULL);
		cr_assert_gt(r[i].answers, 0, "phone %zu got answers", i);
		phone_settle(r[i].phone, "inbox");
		phone_agrees(r[i].phone, "inbox", &g, t, user, "INBOX");
		phone_free(r[i].phone);
	}
	imap_talk_close(t);
	gateway_end(&g);
	dovecot_end(&d);
}
