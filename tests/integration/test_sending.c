/*
 * Exactly once: the real daemon is ended at every write of its state while it sends, started again, and the
 * phone repeats what was not confirmed. What the mail server got is counted.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/mail.h"
#include "phone.h"

/* A submission server that takes everything and counts. One connection at a time is enough. */
struct sink {
	int listener;
	uint16_t port;
	pthread_t thread;
	pthread_mutex_t lock;
	unsigned mails;
	unsigned pause_ms; /* before a mail is taken */
	char last[8000];
};

static void
take_mail(struct sink *s, FILE *in, FILE *out)
{
	char line[2000], mail[8000] = "";

	while (fgets(line, sizeof line, in) != NULL && strcmp(line, ".\r\n") != 0)
		strcat(mail, line);
	if (feof(in))
		return;
	usleep(s->pause_ms * 1000);
	pthread_mutex_lock(&s->lock);
	s->mails++;
	strcpy(s->last, mail);
	pthread_mutex_unlock(&s->lock);
	fputs("250 taken\r\n", out);
}

static void
talk(struct sink *s, FILE *in, FILE *out)
{
	char line[2000];

	fputs("220 sink\r\n", out);
	while (fflush(out) == 0 && fgets(line, sizeof line, in) != NULL) {
		bool data = strncasecmp(line, "DATA", 4) == 0;

		fputs(data ? "354 go on\r\n" : "250 fine\r\n", out);
		fflush(out);
		if (data)
			take_mail(s, in, out);
	}
}

static void *
serve_one(void *arg)
{
	struct sink *s = ((void **)arg)[0];
	int fd = (int)(intptr_t)((void **)arg)[1];
	FILE *in = fdopen(fd, "r"), *out = fdopen(dup(fd), "w");

	free(arg);
	talk(s, in, out);
	fclose(in);
	fclose(out);
	return NULL;
}

static void *
serve(void *arg)
{
	struct sink *s = arg;
	int fd;

	while ((fd = accept(s->listener, NULL, NULL)) >= 0) {
		void **both = malloc(2 * sizeof *both);
		pthread_t t;

		both[0] = s;
		both[1] = (void *)(intptr_t)fd;
		pthread_create(&t, NULL, serve_one, both);
		pthread_detach(t);
	}
	return NULL;
}

static void
sink_start(struct sink *s)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;

	*s = (struct sink){ .lock = PTHREAD_MUTEX_INITIALIZER };
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(s->listener, (struct sockaddr *)&at, len), 0);
	cr_assert_eq(listen(s->listener, 10), 0);
	getsockname(s->listener, (struct sockaddr *)&at, &len);
	s->port = ntohs(at.sin_port);
	pthread_create(&s->thread, NULL, serve, s);
}

static unsigned
sink_mails(struct sink *s)
{
	pthread_mutex_lock(&s->lock);
	unsigned n = s->mails;
	pthread_mutex_unlock(&s->lock);
	return n;
}

/* The gateway between the shared Dovecot and a sink. */
struct scene {
	struct dovecot dovecot;
	struct gateway gateway;
	struct sink sink;
};

static struct scene scene; /* stands until the end of the program */

static void
scene_open(struct scene *s, unsigned pause_ms)
{
	char more[700];

	dovecot_get(&s->dovecot);
	sink_start(&s->sink);
	s->sink.pause_ms = pause_ms;
	snprintf(more, sizeof more,
		"backends = {\"imap\", \"smtp\"}\nsend_from = any\nimap {\n\turl = "
		"\"%s\"\n\tca_file = \"%s\"\n}\n"
		"smtp {\n\turl = \"smtp://127.0.0.1:%u\"\n\tauth = \"none\"\n}\n",
		dovecot_url(&s->dovecot, true), s->dovecot.ca, s->sink.port);
	gateway_start(&s->gateway, &s->dovecot, more);
}

static void
scene_close(struct scene *s)
{
	gateway_end(&s->gateway);
	shutdown(s->sink.listener, SHUT_RDWR);
	close(s->sink.listener);
	pthread_join(s->sink.thread, NULL);
}

static unsigned
copies_of(const char *user)
{
	struct imap_talk *t = imap_talk_open(&scene.dovecot, user);
	unsigned n = imap_talk_count(t, "Sent");

	imap_talk_close(t);
	return n;
}

/* One try; false when no answer came. */
static bool
try_send(struct phone *p, unsigned number, unsigned *status)
{
	char id[40], mime[400];
	struct mf_error err;

	snprintf(id, sizeof id, "try%u", number);
	snprintf(mime, sizeof mime,
		"From: a@example.test\r\nTo: b@example.test\r\nMessage-ID: <%u@once>\r\n"
		"Subject: Once\r\n\r\n.\r\nText\r\n",
		number);
	struct client_sending s = { .client_id = id, .mime = mf_bytes_str(mime), .save = true };
	return client_send(p->client, &s, status, &err) == MF_OK;
}

Test(sending, killed_at_every_write, .timeout = 240)
{
	struct gateway *g = &scene.gateway;
	struct sink *sink = &scene.sink;
	struct phone *p;
	const char *user = fixture_user("sender");
	unsigned expected = 0, twins = 0, crashes = 0;

	scene_open(&scene, 0);
	p = phone_new(g, user, NULL, "phone1");
	phone_hierarchy(p);
	for (unsigned n = 1; n <= 16; n++) {
		char fault[40];
		unsigned status = 0, before = sink_mails(sink);
		size_t again = gateway_log_count(g, "send=again");

		gateway_stop(g);
		snprintf(fault, sizeof fault, "state:%s:%u", n % 2 ? "before" : "after",
			(n + 1) / 2);
		setenv("MAILFERRY_FAULT", fault, 1);
		gateway_again(g);
		unsetenv("MAILFERRY_FAULT");
		bool answered = try_send(p, n, &status);
		gateway_kill(g);
		gateway_again(g);
		crashes += !answered;
		cr_assert(!answered || status == 1, "%s: status %u", fault, status);
		cr_assert(try_send(p, n, &status), "%s: a repetition is answered", fault);
		cr_assert(status == 1 || status == 118, "%s: then %u", fault, status);
		again = gateway_log_count(g, "send=again") - again;
		expected += 1;
		twins += again > 0 && sink_mails(sink) - before == 2;
		cr_assert_eq(sink_mails(sink), expected + twins, "%s: %u mails, not %u + %u", fault,
			sink_mails(sink), expected, twins);
		cr_assert_not_null(strstr(sink->last, "\r\n\r\n..\r\nText\r\n"), "%s", sink->last);
	}
	cr_assert_geq(crashes, 6, "only %u crashes", crashes);
	cr_assert_leq(twins, 2, "%u twins: only the gap behind the dot may make them", twins);
	cr_assert_eq(copies_of(user), 16, "one copy each, not %u", copies_of(user));
	phone_free(p);
	scene_close(&scene);
}

/* ---- Twins ---- */

struct twin {
	struct phone *phone;
	pthread_t thread;
	const char *client_id;
	unsigned status;
};

static void *
send_twin(void *arg)
{
	struct twin *t = arg;
	struct client_sending s = { .client_id = t->client_id,
		.mime = mf_bytes_str("From: a@example.test\r\nTo: b@example.test\r\n"
				     "Message-ID: <twin@once>\r\nSubject: Twin\r\n\r\nText\r\n"),
		.save = true };
	struct mf_error err;

	if (client_send(t->phone->client, &s, &t->status, &err) != MF_OK)
		t->status = 0;
	return NULL;
}

/* A repetition while the first is under way waits for its outcome: with the same ClientId 118, with another
 * (some phones make one for each try) success. */
Test(sending, repetitions_wait, .timeout = 120)
{
	static const char *const ids[] = { "one", "one", "two" };
	struct gateway *g = &scene.gateway;
	struct sink *sink = &scene.sink;
	struct twin twins[3];
	unsigned ones = 0, repeats = 0;
	const char *user = fixture_user("twin");

	scene_open(&scene, 1500);
	for (size_t i = 0; i < 3; i++) {
		twins[i] = (struct twin){ .phone = phone_new(g, user, NULL, "phone1"),
			.client_id = ids[i] };
		phone_hierarchy(twins[i].phone);
	}
	for (size_t i = 0; i < 3; i++)
		pthread_create(&twins[i].thread, NULL, send_twin, &twins[i]);
	for (size_t i = 0; i < 3; i++) {
		pthread_join(twins[i].thread, NULL);
		ones += twins[i].status == 1;
		repeats += twins[i].status == 118;
	}
	cr_assert_eq(
		ones + repeats, 3, "%u %u %u", twins[0].status, twins[1].status, twins[2].status);
	cr_assert_eq(repeats, 1, "one of those with the same ClientId: %u %u %u", twins[0].status,
		twins[1].status, twins[2].status);
	cr_assert_eq(sink_mails(sink), 1, "%u mails", sink_mails(sink));
	cr_assert_eq(copies_of(user), 1, "one copy each, not %u", copies_of(user));
	for (size_t i = 0; i < 3; i++)
		phone_free(twins[i].phone);
	scene_close(&scene);
}

/* The disk takes no more: nothing leaves without its record, and what left with one is not sent again. */
Test(sending, disk_is_full, .timeout = 240)
{
	struct gateway *g = &scene.gateway;
	struct sink *sink = &scene.sink;
	struct phone *p;
	const char *user = fixture_user("full");

	scene_open(&scene, 0);
	p = phone_new(g, user, NULL, "phone1");
	phone_hierarchy(p);
	for (unsigned n = 1; n <= 6; n++) {
		char fault[40];
		unsigned status = 0, before = sink_mails(sink), then = 0;

		gateway_stop(g);
		snprintf(fault, sizeof fault, "state:full:%u", n);
		setenv("MAILFERRY_FAULT", fault, 1);
		gateway_again(g);
		unsetenv("MAILFERRY_FAULT");
		bool answered = try_send(p, n, &status);
		cr_assert(!answered || status == 1 || (status == 111 && sink_mails(sink) == before),
			"%s: status %u after %u mails", fault, status, sink_mails(sink) - before);
		for (int i = 0; i < 10 && then != 1 && then != 118; i++)
			try_send(p, n, &then);
		cr_assert(then == 1 || then == 118, "%s: then %u", fault, then);
		cr_assert_eq(sink_mails(sink), before + 1, "%s: %u mails", fault,
			sink_mails(sink) - before);
	}
	cr_assert_geq(gateway_log_count(g, "write failed"), 3, "some writes were to fail");
	cr_assert_eq(copies_of(user), 6, "one copy each, not %u", copies_of(user));
	phone_free(p);
	scene_close(&scene);
}

/* ---- Drafts ---- */

/* One Sync of the drafts with that command under that key; false: no answer came. The new key, when there
 * is one, goes to key. */
static bool
sync_drafts(struct phone *p, const char *command, char *key, unsigned *status)
{
	struct client_answer answer;
	struct mf_error err;
	char xml[1500];

	snprintf(xml, sizeof xml,
		"<Sync xmlns=\"AirSync\" xmlns:e=\"Email\" "
		"xmlns:e2=\"Email2\"><Collections><Collection>"
		"<SyncKey>%s</SyncKey><CollectionId>%s</CollectionId>%s</Collection></"
		"Collections></Sync>",
		key, phone_folder(p, "drafts")->id, command);
	if (client_call_xml(p->client, "Sync", xml, &answer, &err) != MF_OK)
		return false;
	const struct wbxml_node *c =
		wbxml_child(wbxml_child(answer.root, AirSync_Collections), AirSync_Collection);
	const struct wbxml_node *responses = wbxml_child(c, AirSync_Responses);
	const struct wbxml_node *one = wbxml_child(responses, AirSync_Add);

	if (one == NULL)
		one = wbxml_child(responses, AirSync_Change);
	*status = one == NULL ? client_number(c, AirSync_Status, 1)
			      : client_number(one, AirSync_Status, 0);
	if (wbxml_child_value(c, AirSync_SyncKey) != NULL)
		snprintf(key, 80, "%s", wbxml_child_value(c, AirSync_SyncKey));
	return true;
}

/* A draft is sent by Sync, new or changed, and the daemon dies at each write: once, and no draft stays. */
Test(sending, drafts_killed_at_every_write, .timeout = 240)
{
	struct gateway *g = &scene.gateway;
	struct sink *sink = &scene.sink;
	const char *user = fixture_user("drafts");
	unsigned twins = 0, crashes = 0;

	scene_open(&scene, 0);
	struct phone *p = phone_new(g, user, NULL, "phone1");
	phone_hierarchy(p);
	for (unsigned n = 1; n <= 16; n++) {
		char fault[40], key[80] = "0", old[80], command[700], item[100] = "";
		unsigned status = 0, before = sink_mails(sink);
		size_t again = gateway_log_count(g, "send=again");

		cr_assert(sync_drafts(p, "", key, &status));
		if (n > 8) { /* an older draft, changed and sent */
			struct imap_talk *t = imap_talk_open(&scene.dovecot, user);
			char draft[200];

			snprintf(draft, sizeof draft,
				"From: a@example.test\r\nSubject: Old %u\r\n\r\nText\r\n", n);
			imap_talk_append(t, "Drafts", "\\Draft", NULL, draft, strlen(draft));
			imap_talk_close(t);
			phone_folder(p, "drafts");
			client_folder_reset(phone_folder(p, "drafts"));
			phone_sync(p, "drafts");
			struct client_folder *f = phone_folder(p, "drafts");
			const struct client_item **items = client_items_sorted(f);
			cr_assert_eq(f->n_items, 1);
			snprintf(item, sizeof item, "%s", items[0]->id);
			snprintf(key, sizeof key, "%s", f->key);
			free(items);
		}
		if (n > 8)
			snprintf(command, sizeof command,
				"<Commands><Change><ServerId>%s</ServerId><e2:Send/"
				"><ApplicationData>"
				"<e:To>b@example.test</e:To></ApplicationData></Change></Commands>",
				item);
		else
			snprintf(command, sizeof command,
				"<Commands><Add><ClientId>d%u</ClientId><e2:Send/><ApplicationData>"
				"<e:To>b@example.test</e:To><e:Subject>New %u</e:Subject>"
				"</ApplicationData></Add></Commands>",
				n, n);
		gateway_stop(g);
		snprintf(fault, sizeof fault, "state:%s:%u", n % 2 ? "before" : "after",
			((n - 1) % 8 + 2) / 2);
		setenv("MAILFERRY_FAULT", fault, 1);
		gateway_again(g);
		unsetenv("MAILFERRY_FAULT");
		snprintf(old, sizeof old, "%s", key);
		bool answered = sync_drafts(p, command, key, &status);
		gateway_kill(g);
		gateway_again(g);
		crashes += !answered;
		snprintf(key, sizeof key, "%s", old); /* its answer was lost in any case */
		cr_assert(sync_drafts(p, command, key, &status), "%s", fault);
		cr_assert_eq(status, 1, "%u, %s: status %u", n, fault, status);
		again = gateway_log_count(g, "send=again") - again;
		twins += again > 0 && sink_mails(sink) - before == 2;
		cr_assert_eq(sink_mails(sink) - before, again > 0 ? sink_mails(sink) - before : 1,
			"%u, %s: %u mails", n, fault, sink_mails(sink) - before);
		cr_assert_leq(sink_mails(sink) - before, 1 + (again > 0), "%u, %s: %u mails", n,
			fault, sink_mails(sink) - before);
		struct imap_talk *t = imap_talk_open(&scene.dovecot, user);
		cr_assert_eq(imap_talk_count(t, "Drafts"), 0, "%u, %s: a draft stays", n, fault);
		imap_talk_close(t);
	}
	cr_assert_geq(crashes, 6, "only %u crashes", crashes);
	cr_assert_leq(twins, 4, "%u twins: only the gap behind the dot may make them", twins);
	cr_assert_eq(copies_of(user), 16, "one copy each, not %u", copies_of(user));
	phone_free(p);
	scene_close(&scene);
}
