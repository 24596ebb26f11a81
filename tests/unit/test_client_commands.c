/* client: the commands over a connection, against a server that answers from a list. */
#include <criterion/criterion.h>

#include "client/mail.h"
#include "client/sync.h"
#include "fake_http.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define SYNC(inside)                                                      \
	"<Sync xmlns='AirSync' xmlns:e='Email'><Collections><Collection>" \
	"<CollectionId>5</CollectionId>" inside "</Collection></Collections></Sync>"
#define ADD(id) "<Add><ServerId>" id "</ServerId><ApplicationData/></Add>"

static struct client *
client_to(const struct fake_http *h, const char *version)
{
	struct client_options o = {
		.url = h->url, .user = "bob", .version = version, .timeout_s = 5
	};

	return client_new(&o);
}

/* The n-th request's body as XML. */
static const char *
asked(struct mf_arena *a, const struct fake_http *h, size_t n)
{
	struct wbxml_node *root;
	struct mf_buf xml;
	const char *s;

	cr_assert_lt(n, h->n_requests);
	cr_assert_eq(wbxml_decode(a, h->requests[n].body, &wbxml_limits_default, true, &root, NULL),
		MF_OK);
	mf_buf_init(&xml, 0);
	wbxml_dump(root, false, &xml);
	s = mf_strdup(a, mf_buf_str(&xml));
	mf_buf_deinit(&xml);
	return s;
}

Test(client_commands, synchronise_all_in_windows, .timeout = 20)
{
	static const struct fake_reply replies[] = {
		{ 200, NULL, SYNC("<SyncKey>1</SyncKey><Status>1</Status>"), NULL },
		{ 200, NULL,
			SYNC("<SyncKey>2</SyncKey><Status>1</Status><MoreAvailable/><Commands>" ADD(
				"5:1") ADD("5:2") "</Commands>"),
			NULL },
		{ 200, NULL,
			SYNC("<SyncKey>3</SyncKey><Status>1</Status><Commands>" ADD(
				"5:3") "</Commands>"),
			NULL },
		{ 200, NULL, NULL, NULL },
		{ 503, NULL, NULL, NULL },
	};
	struct fake_http *h = fake_start(replies, COUNT(replies), 0);
	struct client *c = client_to(h, "16.1");
	struct mf_arena *a = mf_arena_new();
	struct client_mailbox *m = client_mailbox_new();
	struct client_folder *f = client_folder_put(m, "5", "0", "Inbox", 2);
	struct client_sync_result r;
	struct mf_error err;

	cr_assert_eq(client_sync_all(c, f, &client_sync_defaults, &r, &err), MF_OK);
	cr_assert_eq(r.added, 3);
	cr_assert_eq(f->n_items, 3);
	cr_assert_str_eq(f->key, "3");
	cr_assert_eq(client_sync_all(c, f, &client_sync_defaults, &r, &err), MF_OK);
	cr_assert(r.empty);
	cr_assert_eq(client_sync_all(c, f, &client_sync_defaults, &r, &err), MF_TEMPORARY);
	cr_assert_str_eq(f->key, "3");
	client_mailbox_free(m);
	client_free(c);
	fake_stop(h);
	cr_assert_eq(h->n_requests, 5);
	cr_assert_not_null(strstr(asked(a, h, 2), "<SyncKey>2</SyncKey>"));
	fake_free(h);
	mf_arena_free(a);
}

Test(client_commands, notice_a_server_without_progress, .timeout = 20)
{
	static const struct fake_reply cases[] = {
		{ 200, NULL, SYNC("<SyncKey>2</SyncKey><Status>1</Status><MoreAvailable/>"), NULL },
		{ 200, NULL, SYNC("<SyncKey>0</SyncKey><Status>1</Status>"), NULL },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fake_http *h = fake_start(&cases[i], 1, 0);
		struct client *c = client_to(h, "16.1");
		struct client_mailbox *m = client_mailbox_new();
		struct client_folder *f = client_folder_put(m, "5", "0", "Inbox", 2);
		struct client_sync_result r;

		cr_assert_eq(client_sync_all(c, f, &client_sync_defaults, &r, NULL), MF_BROKEN,
			"%zu", i);
		client_mailbox_free(m);
		client_free(c);
		fake_stop(h);
		fake_free(h);
	}
}

Test(client_commands, provision_in_two_steps, .timeout = 20)
{
#define POLICY(more)                                                                    \
	"<Provision xmlns='Provision'><Status>1</Status><Policies><Policy><PolicyType>" \
	"MS-EAS-Provisioning-WBXML</PolicyType>" more "</Policy></Policies></Provision>"
	static const struct fake_reply replies[] = {
		{ 200, NULL, POLICY("<Status>1</Status><PolicyKey>11</PolicyKey>"), NULL },
		{ 200, NULL, POLICY("<Status>1</Status><PolicyKey>22</PolicyKey>"), NULL },
		{ 200, NULL, POLICY("<Status>2</Status>"), NULL },
		{ 200, NULL,
			"<Provision xmlns='Provision'><Status>1</Status><RemoteWipe/></Provision>",
			NULL },
	};
	struct fake_http *h = fake_start(replies, COUNT(replies), 0);
	struct client *c = client_to(h, "14.1");
	struct mf_arena *a = mf_arena_new();
	struct client_provision_result r;

	cr_assert_eq(client_provision(c, &r, NULL), MF_OK);
	cr_assert_eq(r.policy_status, 1);
	cr_assert_str_eq(client_policy_key(c), "22");
	cr_assert_eq(client_provision(c, &r, NULL), MF_OK);
	cr_assert_eq(r.policy_status, 2, "no policy ends it");
	cr_assert_eq(client_provision(c, &r, NULL), MF_OK);
	cr_assert(r.wipe);
	client_free(c);
	fake_stop(h);
	cr_assert_eq(h->n_requests, 4);
	cr_assert_not_null(strstr(asked(a, h, 0), "<settings:DeviceInformation>"));
	cr_assert_not_null(strstr(asked(a, h, 1), "<PolicyKey>11</PolicyKey>"));
	cr_assert_not_null(strstr(h->requests[1].head, "X-MS-PolicyKey: 11\r\n"));
	cr_assert_null(strstr(asked(a, h, 1), "DeviceInformation"));
	fake_free(h);
	mf_arena_free(a);
}

Test(client_commands, send_mail_as_each_version_wants, .timeout = 20)
{
	static const struct fake_reply replies[] = {
		{ 200, NULL, NULL, NULL },
		{ 200, NULL, "<SendMail xmlns='ComposeMail'><Status>118</Status></SendMail>",
			NULL },
		{ 200, NULL, NULL, NULL },
	};
	struct fake_http *h = fake_start(replies, COUNT(replies), 0);
	struct client *now = client_to(h, "16.1"), *old = client_to(h, "12.1");
	struct mf_arena *a = mf_arena_new();
	struct client_sending s = {
		.client_id = "id-1", .mime = mf_bytes_str("Subject: x\r\n\r\n"), .save = true
	};
	unsigned status;

	cr_assert_eq(client_send(now, &s, &status, NULL), MF_OK);
	cr_assert_eq(status, 1);
	cr_assert_eq(client_send(now, &s, &status, NULL), MF_OK);
	cr_assert_eq(status, 118);
	s.command = "SmartForward";
	s.folder_id = "5";
	s.item_id = "5:1";
	cr_assert_eq(client_send(old, &s, &status, NULL), MF_OK);
	cr_assert_eq(status, 1);
	s.command = "Sync";
	cr_assert_eq(client_send(now, &s, &status, NULL), MF_INVALID);
	client_free(now);
	client_free(old);
	fake_stop(h);
	cr_assert_str_eq(asked(a, h, 0), "<SendMail xmlns=\"ComposeMail\">\n"
					 "  <ClientId>id-1</ClientId>\n"
					 "  <SaveInSentItems/>\n"
					 "  <Mime>base64:U3ViamVjdDogeA0KDQo=</Mime>\n"
					 "</SendMail>\n");
	cr_assert_not_null(strstr(h->requests[2].head, "Cmd=SmartForward"));
	cr_assert_not_null(
		strstr(h->requests[2].head, "CollectionId=5&ItemId=5%3A1&SaveInSent=T "));
	cr_assert_not_null(strstr(h->requests[2].head, "Content-Type: message/rfc822\r\n"));
	cr_assert_eq(memcmp(h->requests[2].body.data, "Subject: x\r\n\r\n", 14), 0);
	fake_free(h);
	mf_arena_free(a);
}

Test(client_commands, fetch_items_and_attachments, .timeout = 20)
{
#define FETCHED(inside)                                                                   \
	"<ItemOperations xmlns='ItemOperations' xmlns:b='AirSyncBase'><Status>1</Status>" \
	"<Response><Fetch><Status>1</Status><Properties>" inside                          \
	"</Properties></Fetch></Response></ItemOperations>"
	static const struct fake_reply replies[] = {
		{ 200, NULL,
			FETCHED("<b:Body><b:Type>4</b:Type><b:Truncated>1</b:Truncated><b:Data>"
				"MIME</b:Data></b:Body>"),
			NULL },
		{ 200, NULL,
			FETCHED("<b:ContentType>image/png</b:ContentType><Data>iVBORw==</Data>"),
			NULL },
		{ 200, NULL,
			"<ItemOperations xmlns='ItemOperations'><Status>1</Status><Response><Fetch>"
			"<Status>6</Status></Fetch></Response></ItemOperations>",
			NULL },
	};
	struct fake_http *h = fake_start(replies, COUNT(replies), 0);
	struct client *c = client_to(h, "16.1");
	struct mf_arena *a = mf_arena_new();
	struct client_wish item = { .folder_id = "5",
		.item_id = "5:1",
		.body_type = 4,
		.truncation = 100,
		.mime_support = 2 };
	struct client_wish file = { .file_reference = "5:1:2", .mime_support = -1, .range = "0-3" };
	struct client_answer answer;
	struct client_fetched got;

	cr_assert_eq(client_fetch(c, &item, &answer, &got, NULL), MF_OK);
	cr_assert_eq(got.status, 1);
	cr_assert_eq(got.body_type, 4);
	cr_assert(got.truncated);
	cr_assert(got.data.len == 4 && memcmp(got.data.data, "MIME", 4) == 0);
	cr_assert_eq(client_fetch(c, &file, &answer, &got, NULL), MF_OK);
	cr_assert_str_eq(got.content_type, "image/png");
	cr_assert(got.data.len == 4 && memcmp(got.data.data, "\x89PNG", 4) == 0);
	cr_assert_eq(client_fetch(c, &file, &answer, &got, NULL), MF_OK);
	cr_assert_eq(got.status, 6);
	cr_assert_null(got.properties);
	client_free(c);
	fake_stop(h);
	cr_assert_not_null(strstr(asked(a, h, 0), "<airsync:ServerId>5:1</airsync:ServerId>"));
	cr_assert_not_null(strstr(asked(a, h, 0), "<airsyncbase:TruncationSize>100</airsyncbase:"));
	cr_assert_not_null(strstr(asked(a, h, 1), "<Range>0-3</Range>"));
	fake_free(h);
	mf_arena_free(a);
}

Test(client_commands, ping_and_move, .timeout = 20)
{
	static const struct fake_reply replies[] = {
		{ 200, NULL,
			"<Ping xmlns='Ping'><Status>2</Status><Folders><Folder>5</Folder>"
			"<Folder>7</Folder></Folders></Ping>",
			NULL },
		{ 200, NULL,
			"<Ping xmlns='Ping'><Status>5</Status><HeartbeatInterval>60"
			"</HeartbeatInterval></Ping>",
			NULL },
		{ 200, NULL,
			"<MoveItems "
			"xmlns='Move'><Response><SrcMsgId>5:1</SrcMsgId><Status>3</Status>"
			"<DstMsgId>6:9</DstMsgId></Response></MoveItems>",
			NULL },
	};
	struct fake_http *h = fake_start(replies, COUNT(replies), 0);
	struct client *c = client_to(h, "14.0");
	struct mf_arena *a = mf_arena_new();
	struct client_mailbox *m = client_mailbox_new();
	struct client_folder *f = client_folder_put(m, "5", "0", "Inbox", 2);
	struct client_ping_result r;
	const char *new_id;
	unsigned status;

	cr_assert_eq(client_ping(c, a, 1, &f, 1, &r, NULL), MF_OK);
	cr_assert_eq(r.status, 2);
	cr_assert_str_eq(r.changed[0], "5");
	cr_assert_str_eq(r.changed[1], "7");
	cr_assert_null(r.changed[2]);
	cr_assert_eq(client_ping(c, a, 1, NULL, 0, &r, NULL), MF_OK);
	cr_assert_eq(r.status, 5);
	cr_assert_eq(r.heartbeat, 60);
	cr_assert_eq(client_move(c, a, "5:1", "5", "6", &status, &new_id, NULL), MF_OK);
	cr_assert_eq(status, 3);
	cr_assert_str_eq(new_id, "6:9");
	client_mailbox_free(m);
	client_free(c);
	fake_stop(h);
	cr_assert_not_null(strstr(asked(a, h, 0), "<HeartbeatInterval>1</HeartbeatInterval>"));
	cr_assert_eq(h->requests[1].body.len, 0, "the server remembers the folders");
	fake_free(h);
	mf_arena_free(a);
}
