/* One request's way: credentials, query, versions, bodies, failures. */
#include <criterion/criterion.h>

#include "backend/session.h"
#include "eas/commands.h"
#include "eas_help.h"
#include "state/device.h"

static struct gateway g;

static void
setup(void)
{
	gateway_open(&g);
}

static void
teardown(void)
{
	gateway_close(&g);
}

TestSuite(eas_dispatch, .init = setup, .fini = teardown);

#define FOLDERSYNC "<FolderSync xmlns=\"FolderHierarchy\"><SyncKey>0</SyncKey></FolderSync>"
#define QUERY(cmd) "Cmd=" cmd "&User=anna&DeviceId=d&DeviceType=t"

static const struct {
	const char *name;
	struct ask ask;
	unsigned http, status;
} cases[] = {
	{ "as it should be", { .command = "FolderSync", .version = "14.1", .xml = FOLDERSYNC }, 200,
		1 },
	{ "letter case", { .query = "cmd=foldersync&DEVICEID=d&devicetype=t", .xml = FOLDERSYNC },
		200, 1 },
	{ "base64", { .query = "jQkJBAFkAAF0", .xml = FOLDERSYNC }, 200, 1 },
	{ "no version is 12.1", { .command = "FolderSync", .xml = FOLDERSYNC }, 200, 1 },
	/* Credentials come first. */
	{ "no credentials", { .query = "!", .user = "" }, 401, 0 },
	{ "wrong password", { .command = "FolderSync", .password = "x", .xml = FOLDERSYNC }, 401,
		0 },
	{ "unknown user", { .command = "FolderSync", .user = "eve", .xml = FOLDERSYNC }, 401, 0 },
	{ "no such path", { .path = "/other", .user = "" }, 404, 0 },
	{ "method", { .method = "GET" }, 501, 0 },
	/* The query. */
	{ "no query", { .query = "" }, 400, 0 },
	{ "no base64", { .query = "!!!" }, 400, 0 },
	{ "no command", { .query = "DeviceId=d&DeviceType=t" }, 400, 0 },
	{ "empty command", { .query = QUERY("") }, 400, 0 },
	{ "unknown command", { .command = "FolderDance", .version = "14.1" }, 501, 0 },
	{ "unknown code", { .query = "jQUJBAFkAAF0", .xml = FOLDERSYNC }, 501, 0 },
	{ "unknown version", { .command = "FolderSync", .version = "13.0", .xml = FOLDERSYNC }, 400,
		0 },
	{ "version before command", { .command = "FolderDance", .version = "x" }, 400, 0 },
	{ "no device, 14.1",
		{ .query = "Cmd=FolderSync&DeviceType=t", .version = "14.1", .xml = FOLDERSYNC },
		200, 108 },
	{ "no device, 12.1",
		{ .query = "Cmd=FolderSync&DeviceType=t", .version = "12.1", .xml = FOLDERSYNC },
		400, 108 },
	{ "no device type",
		{ .query = "Cmd=FolderSync&DeviceId=d", .version = "16.1", .xml = FOLDERSYNC }, 200,
		109 },
	/* The body. */
	{ "no body, 14.0", { .command = "FolderSync", .version = "14.0" }, 200, 101 },
	{ "no body, 12.1", { .command = "FolderSync", .version = "12.1" }, 400, 101 },
	{ "not WBXML, 16.0",
		{ .command = "FolderSync", .version = "16.0", .body = { (const uint8_t *)"x", 1 } },
		200, 102 },
	{ "not WBXML, 12.1",
		{ .command = "FolderSync", .version = "12.1", .body = { (const uint8_t *)"x", 1 } },
		400, 102 },
	{ "text",
		{ .command = "FolderSync",
			.version = "14.1",
			.type = "text/plain",
			.body = { (const uint8_t *)"hello", 5 } },
		200, 101 },
	{ "cut short",
		{ .command = "FolderSync",
			.version = "14.1",
			.body = { (const uint8_t *)"\3\1\x6a\0\0\7\x56\x52\3", 9 } },
		200, 102 },
	{ "another root",
		{ .command = "FolderSync", .version = "14.1", .xml = "<Ping xmlns=\"Ping\"/>" },
		200, 10 },
	{ "no key",
		{ .command = "FolderSync",
			.version = "12.1",
			.xml = "<FolderSync xmlns=\"FolderHierarchy\"/>" },
		200, 10 },
};

Test(eas_dispatch, table)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct eas_request *r = ask(&g, &cases[i].ask);
		cr_assert_eq(r->answer.http_status, cases[i].http, "%s: HTTP %u", cases[i].name,
			r->answer.http_status);
		cr_assert_eq(r->status, cases[i].status, "%s: status %u: %s", cases[i].name,
			r->status, answer_xml(r));
		cr_assert_eq(r->answer.content_type != NULL, r->answer.body.len > 0, "%s",
			cases[i].name);
		ask_free(r);
	}
}

Test(eas_dispatch, options)
{
	struct ask q = { .method = "OPTIONS" };
	struct eas_request *r = ask(&g, &q);
	cr_assert_eq(r->answer.http_status, 200);
	cr_assert_eq(r->answer.body.len, 0);
	cr_assert_str_eq(answer_header(r, "MS-ASProtocolVersions"), "12.1,14.0,14.1,16.0,16.1");
	cr_assert_str_eq(answer_header(r, "MS-ASProtocolCommands"), eas_command_list(r->arena));
	cr_assert_str_eq(answer_header(r, "Allow"), "OPTIONS,POST");
	cr_assert_str_eq(answer_header(r, "Public"), "OPTIONS,POST");
	cr_assert_not_null(answer_header(r, "MS-Server-ActiveSync"));
	cr_assert_not_null(answer_header(r, "Cache-Control"));
	ask_free(r);
	q.password = "wrong";
	r = ask(&g, &q);
	cr_assert_eq(r->answer.http_status, 401);
	cr_assert(str_starts(answer_header(r, "WWW-Authenticate"), "Basic realm="));
	cr_assert_null(answer_header(r, "MS-ASProtocolCommands"));
	ask_free(r);
}

/* Both forms of the query are of one device. */
Test(eas_dispatch, one_device)
{
	const char *queries[] = { "Cmd=FolderSync&DeviceId=6F24CAD599A5BF1A690246B8C68FAE8D&"
				  "DeviceType=SP",
		"oQkJBBBvJMrVmaW/GmkCRrjGj66NAAJTUA==" };
	uint32_t number = 0;
	for (int i = 0; i < 2; i++) {
		struct ask q = { .query = queries[i], .version = "16.1", .xml = FOLDERSYNC };
		struct eas_request *r = ask(&g, &q);
		cr_assert_eq(r->status, 1);
		cr_assert(i == 0 || r->device->number == number);
		number = r->device->number;
		ask_free(r);
	}
}

/* A mail server that is down is never a wrong password and never an empty success. */
Test(eas_dispatch, backend_down)
{
	const char *versions[] = { "12.1", "16.1" };
	memory_down(g.world, true);
	for (int i = 0; i < 2; i++) {
		struct ask q = {
			.command = "FolderSync", .version = versions[i], .xml = FOLDERSYNC
		};
		struct eas_request *r = ask(&g, &q);
		cr_assert_eq(r->answer.http_status, 503);
		cr_assert_not_null(answer_header(r, "Retry-After"));
		cr_assert_null(answer_header(r, "WWW-Authenticate"));
		ask_free(r);
	}
	memory_down(g.world, false);
	struct ask q = { .command = "FolderSync", .version = "14.1", .xml = FOLDERSYNC };
	struct eas_request *r = ask(&g, &q);
	cr_assert_eq(r->status, 1);
	ask_free(r);
}

/* The children of Collection of a Sync of the Inbox; gives the new key. */
static void
sync_inbox(const char *id, char key[32])
{
	char text[300];
	snprintf(text, sizeof(text),
		"<Sync xmlns=\"AirSync\"><Collections><Collection><SyncKey>%s</SyncKey>"
		"<CollectionId>%s</CollectionId></Collection></Collections></Sync>",
		key, id);
	struct ask q = { .command = "Sync", .version = "14.1", .xml = text };
	struct eas_request *r = ask(&g, &q);
	const struct wbxml_node *c =
		wbxml_child(wbxml_child(answer_root(r), AirSync_Collections), AirSync_Collection);
	if (c != NULL)
		snprintf(key, 32, "%s", wbxml_child_value(c, AirSync_SyncKey));
	ask_free(r);
}

static void
find_inbox(char id[16])
{
	struct ask q = { .command = "FolderSync", .version = "14.1", .xml = FOLDERSYNC };
	struct eas_request *r = ask(&g, &q);
	const struct wbxml_node *n = wbxml_child(
		wbxml_child(answer_root(r), FolderHierarchy_Changes), FolderHierarchy_Add);
	for (; n != NULL; n = wbxml_next(n))
		if (strcmp(wbxml_child_value(n, FolderHierarchy_Type), "2") == 0)
			snprintf(id, 16, "%s", wbxml_child_value(n, FolderHierarchy_ServerId));
	ask_free(r);
}

/* A request that waits holds no session, and goes on when something stirs. */
Test(eas_dispatch, waiting)
{
	char id[16] = "", key[32] = "0", text[400];
	find_inbox(id);
	sync_inbox(id, key);
	sync_inbox(id, key);
	snprintf(text, sizeof(text),
		"<Sync xmlns=\"AirSync\"><Collections><Collection><SyncKey>%s</SyncKey>"
		"<CollectionId>%s</CollectionId></Collection></Collections>"
		"<HeartbeatInterval>120</HeartbeatInterval></Sync>",
		key, id);
	struct ask q = { .command = "Sync", .version = "14.1", .xml = text };
	struct eas_request *r = ask_new(&g, &q);
	struct backend_session_stats stats;
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(eas_run(r), EAS_WAIT);
		cr_assert_null(r->store);
		backend_session_stats(g.backends, &stats);
		cr_assert_eq(stats.busy, 0);
	}
	memory_add(g.world, EAS_USER, "INBOX", mf_bytes_str("Subject: x\n\ny\n"), 0, 0);
	r->wait.stirred = true;
	cr_assert_eq(eas_run(r), EAS_DONE);
	cr_assert_eq(r->items, 1, "%s", answer_xml(r));
	ask_free(r);
}

/* A login that nobody remembers is not asked for among the other requests, where its caller has another place. */
Test(eas_dispatch, strangers_step_aside)
{
	static const struct {
		const char *password;
		enum eas_aside aside;
		unsigned status;
	} logins[] = {
		{ "aside-good", EAS_ASIDE_NOW, 200 },
		{ "aside-wrong", EAS_ASIDE_NOW, 401 },
		{ "aside-other", EAS_ASIDE_CROWDED, 503 },
	};
	memory_user(g.world, "aside", "aside-good");
	for (size_t i = 0; i < sizeof(logins) / sizeof(*logins); i++) {
		struct ask q = {
			.method = "OPTIONS", .user = "aside", .password = logins[i].password
		};
		struct eas_request *r = ask_new(&g, &q);
		r->aside = EAS_ASIDE_OFFERED;
		cr_assert_eq(eas_run(r), EAS_ASIDE, "%s", q.password);
		cr_assert_null(r->login.password, "it is kept meanwhile");
		r->aside = logins[i].aside;
		cr_assert_eq(eas_run(r), EAS_DONE);
		cr_assert_eq(r->answer.http_status, logins[i].status, "%s: %u", q.password,
			r->answer.http_status);
		cr_assert((answer_header(r, "Retry-After") != NULL) == (logins[i].status == 503));
		ask_free(r);
	}
	for (size_t i = 0; i < 2; i++) { /* both are remembered now */
		struct ask q = {
			.method = "OPTIONS", .user = "aside", .password = logins[i].password
		};
		struct eas_request *r = ask_new(&g, &q);
		r->aside = EAS_ASIDE_OFFERED;
		cr_assert_eq(eas_run(r), EAS_DONE);
		cr_assert_eq(r->answer.http_status, logins[i].status);
		ask_free(r);
	}
}

/* Nothing of the password stays in the request. */
Test(eas_dispatch, wiped)
{
	struct ask q = { .method = "OPTIONS" };
	struct eas_request *r = ask(&g, &q);
	const char *password = r->login.password;
	cr_assert_str_eq(password, EAS_PASSWORD);
	eas_request_deinit(r);
	cr_assert_eq(*password, '\0');
	cr_assert_null(r->login.password);
	mf_arena_free(r->arena);
}

/* MS-ASCMD 2.2.2, status 177; up to 12.1 it is 403. Those that are known go on. */
Test(eas_dispatch, devices_are_bounded)
{
	static const struct {
		const char *version;
		unsigned device, http, status;
	} last[] = {
		{ "14.1", STATE_DEVICES_MAX, 200, 177 },
		{ "16.1", STATE_DEVICES_MAX, 200, 177 },
		{ "12.1", STATE_DEVICES_MAX, 403, 177 },
		{ "14.1", 0, 200, 1 },
	};
	memory_user(g.world, "many", "many-secret");
	for (unsigned i = 0; i < STATE_DEVICES_MAX + sizeof(last) / sizeof(*last); i++) {
		bool full = i >= STATE_DEVICES_MAX;
		const unsigned at = full ? i - STATE_DEVICES_MAX : 0;
		char query[100];
		snprintf(query, sizeof(query), "Cmd=FolderSync&DeviceType=x&DeviceId=many%u",
			full ? last[at].device : i);
		struct ask q = { .query = query,
			.version = full ? last[at].version : "14.1",
			.user = "many",
			.password = "many-secret",
			.xml = "<FolderSync "
			       "xmlns=\"FolderHierarchy\"><SyncKey>0</SyncKey></FolderSync>" };
		struct eas_request *r = ask(&g, &q);
		cr_assert_eq(r->answer.http_status, full ? last[at].http : 200, "%s: %u", query,
			r->answer.http_status);
		cr_assert_eq(r->status, full ? last[at].status : 1, "%s: %u", query, r->status);
		ask_free(r);
	}
}

/* MS-ASHTTP 2.2.1.1.1.1.2, and MS-ASCMD for Find. GetHierarchy has no number. */
Test(eas_dispatch, codes_of_commands)
{
	static const struct {
		unsigned code;
		const char *name;
	} codes[] = { { 0, "Sync" }, { 1, "SendMail" }, { 2, "SmartForward" }, { 3, "SmartReply" },
		{ 4, "GetAttachment" }, { 9, "FolderSync" }, { 10, "FolderCreate" },
		{ 11, "FolderDelete" }, { 12, "FolderUpdate" }, { 13, "MoveItems" },
		{ 14, "GetItemEstimate" }, { 15, "MeetingResponse" }, { 16, "Search" },
		{ 17, "Settings" }, { 18, "Ping" }, { 19, "ItemOperations" }, { 20, "Provision" },
		{ 21, "ResolveRecipients" }, { 22, "ValidateCert" }, { 23, "Find" } };
	size_t known = 0;
	for (unsigned code = 0; code < 256; code++)
		known += eas_command_by_code(code) != NULL;
	cr_assert_eq(known, sizeof(codes) / sizeof(*codes), "%zu codes", known);
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		const struct eas_command *c = eas_command_by_code(codes[i].code);
		cr_assert(
			c != NULL && strcmp(c->name, codes[i].name) == 0, "code %u", codes[i].code);
		cr_assert_eq(c, eas_command_find(codes[i].name));
	}
}

/* Each row of the table is whole, and the table is all that OPTIONS tells. */
Test(eas_commands, table)
{
	struct mf_arena *a = mf_arena_new();
	for (size_t i = 0; i < eas_commands_n; i++) {
		const struct eas_command *c = &eas_commands[i];
		cr_assert_eq(eas_command_find(c->name), c);
		cr_assert_eq(eas_command_by_code(c->code), c->code == EAS_NO_CODE ? NULL : c,
			"%s: its code is another's", c->name);
		cr_assert(c->run != NULL && c->first <= c->last, "%s", c->name);
		cr_assert(c->root == 0 || wbxml_tag_name(c->root) != NULL, "%s", c->name);
		cr_assert_not_null(strstr(eas_command_list(a), c->name), "%s", c->name);
	}
	cr_assert_null(eas_command_find("Options"));
	cr_assert_null(eas_command_find(NULL));
	mf_arena_free(a);
}
