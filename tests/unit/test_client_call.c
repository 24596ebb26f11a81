/* client: queries, one exchange, many at once. */
#include <criterion/criterion.h>

#include "client/client.h"
#include "client/loop.h"
#include "client/query.h"
#include "fake_http.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

Test(client_query, has_the_specifications_forms)
{
	static const struct client_options example = { .device_id = "v140Device",
		.device_type = "SmartPhone",
		.version = "14.0",
		.policy_key = "0" };
	static const struct client_options full = { .user = "a b@example.org",
		.device_id = "d/1",
		.device_type = "T&T",
		.version = "16.1",
		.policy_key = "1307199584" };
	static const struct client_request sync = { .command = "Sync" };
	static const struct client_request send = { .command = "SmartReply",
		.collection_id = "5",
		.item_id = "5:9",
		.save_in_sent = true,
		.accept_multipart = true };
	static const struct client_request find = { .command = "Find" };
	struct mf_arena *a = mf_arena_new();

	/* The example of MS-ASHTTP 2.2.1.1.1.1. */
	cr_assert_str_eq(
		client_query_base64(a, &example, &sync), "jAAJBAp2MTQwRGV2aWNlAApTbWFydFBob25l");
	cr_assert_str_eq(client_query_plain(a, &example, &sync),
		"Cmd=Sync&User=&DeviceId=v140Device&DeviceType=SmartPhone");
	cr_assert_str_eq(client_query_plain(a, &full, &send),
		"Cmd=SmartReply&User=a%20b%40example.org&DeviceId=d%2F1&DeviceType=T%26T"
		"&CollectionId=5&ItemId=5%3A9&SaveInSent=T");
	/* version, command, locale, "d/1", policy key 0x4dea4860, "T&T", 1 "5", 3 "5:9", 7 03, 8 user */
	cr_assert_str_eq(client_query_base64(a, &full, &send),
		"oQMJBANkLzEEYEjqTQNUJlQBATUDAzU6OQcBAwgPYSBiQGV4YW1wbGUub3Jn");
	cr_assert_null(client_query_base64(a, &full, &find), "it has no code");
	cr_assert_eq(client_query_version("14.1"), 141);
	cr_assert_eq(client_query_version("17.0"), 0);
	mf_arena_free(a);
}

static struct client *
client_to(const struct fake_http *h)
{
	struct client_options o = { .url = h->url,
		.user = "bob",
		.password = "secret",
		.device_id = "dev1",
		.version = "14.1",
		.timeout_s = 2 };

	return client_new(&o);
}

Test(client_call, sends_what_a_phone_sends, .timeout = 20)
{
	static const struct fake_reply replies[] = { { 200, "X-MS-RP: 12.1,16.1\r\nx-two:  b \r\n",
		"<FolderSync xmlns='FolderHierarchy'><Status>1</Status></FolderSync>", NULL } };
	static const char *const wanted[] = {
		("POST /Microsoft-Server-ActiveSync?Cmd=FolderSync&User=bob&DeviceId=dev1&"
		 "DeviceType=Mailferry HTTP/1.1\r\n"),
		"\r\nAuthorization: Basic Ym9iOnNlY3JldA==\r\n",
		"\r\nMS-ASProtocolVersion: 14.1\r\n",
		"\r\nX-MS-PolicyKey: 77\r\n",
		"\r\nContent-Type: application/vnd.ms-sync.wbxml\r\n",
		"\r\nContent-Length: 13\r\n",
	};
	struct fake_http *h = fake_start(replies, COUNT(replies), 0);
	struct client *c = client_to(h);
	struct mf_arena *a = mf_arena_new();
	struct client_answer answer;
	struct mf_error err = { .text = "" };

	client_set_policy_key(c, "77");
	cr_assert_eq(
		client_call_xml(c, "FolderSync",
			"<FolderSync xmlns='FolderHierarchy'><SyncKey>0</SyncKey></FolderSync>",
			&answer, &err),
		MF_OK, "%s", err.text);
	cr_assert_eq(answer.http_status, 200);
	cr_assert_eq(client_check_http(&answer, &err), MF_OK);
	cr_assert_eq(answer.root->tag, FolderHierarchy_FolderSync);
	cr_assert_eq(client_number(answer.root, FolderHierarchy_Status, 0), 1);
	cr_assert_str_eq(client_answer_header(a, &answer, "x-ms-rp"), "12.1,16.1");
	cr_assert_str_eq(client_answer_header(a, &answer, "X-Two"), "b ");
	cr_assert_null(client_answer_header(a, &answer, "X"));
	cr_assert_geq(answer.total_us, answer.first_byte_us);
	client_free(c);
	fake_stop(h);
	for (size_t i = 0; i < COUNT(wanted); i++)
		cr_assert_not_null(strstr(h->requests[0].head, wanted[i]), "%s in %s", wanted[i],
			h->requests[0].head);
	cr_assert_null(strstr(h->requests[0].head, "Expect"));
	cr_assert_eq(h->requests[0].body.len, 13);
	fake_free(h);
	mf_arena_free(a);
}

Test(client_call, tells_failures_apart, .timeout = 30)
{
	static const struct {
		struct fake_reply reply;
		enum mf_status call, check;
	} cases[] = {
		{ { 200, NULL, NULL, NULL }, MF_OK, MF_OK },
		{ { 401, NULL, NULL, "no" }, MF_OK, MF_AUTH },
		{ { 403, NULL, NULL, NULL }, MF_OK, MF_REFUSED },
		{ { 449, NULL, NULL, NULL }, MF_OK, MF_REFUSED },
		{ { 500, NULL, NULL, NULL }, MF_OK, MF_TEMPORARY },
		{ { 501, NULL, NULL, NULL }, MF_OK, MF_UNSUPPORTED },
		{ { 503, "Retry-After: 5\r\n", NULL, NULL }, MF_OK, MF_TEMPORARY },
		{ { 418, NULL, NULL, NULL }, MF_OK, MF_BROKEN },
		{ { 200, "Content-Type: application/vnd.ms-sync.wbxml\r\n", NULL, "<html>" },
			MF_INVALID, MF_OK },
		{ { 200, "Content-Type: text/html\r\n", NULL, "<html>" }, MF_OK, MF_OK },
		{ { 0, NULL, NULL, NULL }, MF_TEMPORARY, MF_OK },
		{ { 1, NULL, NULL, NULL }, MF_TEMPORARY, MF_OK },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fake_http *h = fake_start(&cases[i].reply, 1, 0);
		struct client *c = client_to(h);
		struct client_request r = { .command = "Sync" };
		struct client_answer answer;
		struct mf_error err = { .text = "" };

		cr_assert_eq(client_call(c, &r, &answer, &err), cases[i].call, "case %zu: %s", i,
			err.text);
		cr_assert_eq(err.text[0] == '\0', cases[i].call == MF_OK, "case %zu", i);
		if (cases[i].call == MF_OK)
			cr_assert_eq(
				client_check_http(&answer, &err), cases[i].check, "case %zu", i);
		cr_assert_null(answer.root);
		client_free(c);
		fake_stop(h);
		fake_free(h);
	}
}

Test(client_call, bounds_an_answer_and_reports_refusal, .timeout = 20)
{
	static const struct fake_reply replies[] = { { 200, NULL, NULL, "0123456789abcdef" } };
	struct fake_http *h = fake_start(replies, 1, 0);
	struct client_options o = { .url = h->url, .answer_max = 10 };
	struct client *c = client_new(&o);
	struct client_request r = { .command = "Sync" };
	struct client_answer answer;
	struct mf_error err;

	cr_assert_eq(client_call(c, &r, &answer, &err), MF_TOO_LARGE);
	fake_stop(h);
	cr_assert_null(strstr(h->requests[0].head, "Authorization"), "no user, no credentials");
	cr_assert_eq(client_call(c, &r, &answer, &err), MF_TEMPORARY, "nobody listens now");
	cr_assert_not_null(strstr(err.text, h->url), "%s", err.text);
	client_free(c);
	fake_free(h);
}

Test(client_call, asks_for_options_and_other_paths, .timeout = 20)
{
	static const struct fake_reply replies[] = { { 200, "MS-ASProtocolVersions: 12.1,14.0\r\n",
		NULL, NULL } };
	struct fake_http *h = fake_start(replies, 1, 0);
	struct mf_arena *a = mf_arena_new();
	struct client_options o = { .url = mf_printf(a, "%s/eas", h->url), .base64 = true };
	struct client *c = client_new(&o);
	struct client_request r = { .command = "Sync" };
	struct client_answer answer;

	cr_assert_eq(client_ask_options(c, &answer, NULL), MF_OK);
	cr_assert_str_eq(client_answer_header(a, &answer, "MS-ASProtocolVersions"), "12.1,14.0");
	cr_assert_eq(client_call(c, &r, &answer, NULL), MF_OK);
	client_free(c);
	fake_stop(h);
	cr_assert_not_null(strstr(h->requests[0].head, "OPTIONS /eas HTTP/1.1\r\n"));
	cr_assert_not_null(
		strstr(h->requests[1].head, "POST /eas?oQAJBA5tYWls"), "%s", h->requests[1].head);
	cr_assert_null(strstr(h->requests[1].head, "MS-ASProtocolVersion"));
	cr_assert_null(strstr(h->requests[1].head, "Content-Type"), "no body");
	fake_free(h);
	mf_arena_free(a);
}

static void
collect(void *ctx, const char *text, size_t len)
{
	mf_buf_add(ctx, text, len);
}

Test(client_call, traces_both_directions_without_secrets, .timeout = 20)
{
	static const struct fake_reply replies[] = { { 200, NULL,
		"<Settings xmlns='Settings'><Status>1</Status></Settings>", NULL } };
	struct fake_http *h = fake_start(replies, 1, 0);
	struct client_options o = {
		.url = h->url, .user = "bob", .password = "hunter2", .trace = collect
	};
	struct client_answer answer;
	struct mf_buf trace;
	struct client *c;

	mf_buf_init(&trace, 0);
	o.trace_ctx = &trace;
	c = client_new(&o);
	cr_assert_eq(client_call_xml(c, "Settings",
			     "<Settings xmlns='Settings'><DevicePassword><Set><Password>swordfish"
			     "</Password></Set></DevicePassword></Settings>",
			     &answer, NULL),
		MF_OK);
	client_free(c);
	fake_stop(h);
	cr_assert_not_null(strstr(mf_buf_str(&trace), "> POST Settings, version 16.1"));
	cr_assert_not_null(strstr(mf_buf_str(&trace), "< HTTP 200"));
	cr_assert_not_null(strstr(mf_buf_str(&trace), "<Password>***</Password>"));
	cr_assert_not_null(strstr(mf_buf_str(&trace), "<Status>1</Status>"));
	cr_assert_null(strstr(mf_buf_str(&trace), "swordfish"));
	cr_assert_null(strstr(mf_buf_str(&trace), "hunter2"));
	fake_free(h);
	mf_buf_deinit(&trace);
}

/* ---- Many at once ---- */

enum { MANY = 60 };

struct tally {
	struct client_loop *loop;
	struct client_request request;
	size_t done, ok, again;
};

static void
count_done(void *ctx, struct client *c, enum mf_status status, const struct client_answer *answer,
	const struct mf_error *err)
{
	struct tally *t = ctx;

	(void)err;
	t->done++;
	t->ok += status == MF_OK && answer->http_status == 200 && answer->root != NULL;
	if (t->again > 0) {
		t->again--;
		client_loop_start(t->loop, c, &t->request, count_done, t);
	}
}

/* All requests are under way at the same time: the server answers none before all are in. */
Test(client_loop, runs_many_clients_in_one_thread, .timeout = 30)
{
	static const struct fake_reply replies[] = { { 200, NULL,
		"<Ping xmlns='Ping'><Status>1</Status></Ping>", NULL } };
	struct fake_http *h = fake_start(replies, 1, MANY);
	struct tally t = {
		.loop = client_loop_new(), .request = { .command = "Ping" }, .again = MANY / 2
	};
	struct client *clients[MANY];

	for (size_t i = 0; i < MANY; i++) {
		clients[i] = client_to(h);
		client_loop_start(t.loop, clients[i], &t.request, count_done, &t);
	}
	cr_assert_eq(client_loop_run(t.loop, 10000), 0);
	cr_assert_eq(t.done, MANY + MANY / 2);
	cr_assert_eq(t.ok, t.done);
	client_loop_free(t.loop);
	for (size_t i = 0; i < MANY; i++)
		client_free(clients[i]);
	fake_stop(h);
	cr_assert_eq(h->n_requests, MANY + MANY / 2);
	fake_free(h);
}

Test(client_loop, waits_no_longer_than_told, .timeout = 20)
{
	static const struct fake_reply replies[] = { { 1, NULL, NULL, NULL } };
	struct fake_http *h = fake_start(replies, 1, 0);
	struct tally t = { .loop = client_loop_new(), .request = { .command = "Ping" } };
	struct client *a = client_to(h), *b = client_to(h);

	client_loop_start(t.loop, a, &t.request, count_done, &t);
	client_loop_start(t.loop, b, &t.request, count_done, &t);
	cr_assert_eq(client_loop_run(t.loop, 100), 2);
	client_loop_cancel(t.loop, a);
	client_loop_cancel(t.loop, a);
	cr_assert_eq(client_loop_run(t.loop, 0), 1);
	cr_assert_eq(client_loop_run(t.loop, -1), 0, "its own time-out ends the other");
	cr_assert_eq(t.done, 1);
	cr_assert_eq(t.ok, 0);
	client_loop_start(t.loop, a, &t.request, count_done, &t);
	client_loop_free(t.loop);
	client_free(a);
	client_free(b);
	fake_stop(h);
	fake_free(h);
}
