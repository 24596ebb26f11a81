/* The program's output, its exit status, and that text of mail cannot command a terminal. */
#include <criterion/criterion.h>
#include <sys/wait.h>

#include "fake_http.h"
#include "mailferry/arena.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define FOLDERS                                                                               \
	"<FolderSync xmlns='FolderHierarchy'><Status>1</Status><SyncKey>1</SyncKey><Changes>" \
	"<Count>2</Count><Add><ServerId>5</ServerId><ParentId>0</ParentId><DisplayName>Inbox" \
	"</DisplayName><Type>2</Type></Add><Add><ServerId>6</ServerId><ParentId>5</ParentId>" \
	"<DisplayName>Work \"x\"</DisplayName><Type>12</Type></Add></Changes></FolderSync>"
#define SYNC(inside)                                                                \
	"<Sync xmlns='AirSync' xmlns:e='Email' xmlns:b='AirSyncBase'><Collections>" \
	"<Collection><CollectionId>5</CollectionId><Status>1</Status>" inside       \
	"</Collection></Collections></Sync>"
#define ITEM                                                                                      \
	"<Add><ServerId>5:1</ServerId><ApplicationData><e:From>bob</e:From><e:Subject>Hi&#155;2J" \
	"&#9;there</e:Subject><e:DateReceived>2024-05-21T08:01:02.000Z</e:DateReceived>"          \
	"<e:Read>0</e:Read></ApplicationData></Add>"

/* The server's answers, as elements of a table of them. */
#define REPLY_FOLDERS                    \
	{                                \
		200, NULL, FOLDERS, NULL \
	}
#define REPLY_FIRST_KEY                                       \
	{                                                     \
		200, NULL, SYNC("<SyncKey>1</SyncKey>"), NULL \
	}
#define REPLY_ONE_ITEM                                                                     \
	{                                                                                  \
		200, NULL, SYNC("<SyncKey>2</SyncKey><Commands>" ITEM "</Commands>"), NULL \
	}
#define REPLY_NOTHING                 \
	{                             \
		200, NULL, NULL, NULL \
	}
#define REPLY_UNSUPPORTED             \
	{                             \
		501, NULL, NULL, NULL \
	}
#define REPLY_FETCHED                          \
	{                                      \
		200, NULL, SYNC(FETCHED), NULL \
	}
#define FETCHED                                                                            \
	"<SyncKey>3</SyncKey><Responses><Fetch><ServerId>5:1</ServerId><Status>1</Status>" \
	"<ApplicationData><e:From>bob</e:From><e:Subject>Hi</e:Subject><b:Body><b:Type>1"  \
	"</b:Type><b:Data>line 1&#13;\nline 2 &#155;</b:Data></b:Body></ApplicationData>"  \
	"</Fetch></Responses>"

struct run {
	struct mf_buf out; /* both streams */
	int status;
	struct fake_http *h;
};

/* Runs `mailferry probe` against these replies. */
static struct run
probe(const struct fake_reply *replies, size_t n, const char *arguments)
{
	struct run r = { .h = fake_start(replies, n, 0) };
	char command[1000];
	FILE *f;
	int c, status;

	snprintf(command, sizeof(command),
		"MAILFERRY_PROBE_PASSWORD=secret " MAILFERRY " probe %s --user bob %s 2>&1",
		r.h->url, arguments);
	f = popen(command, "r");
	cr_assert_not_null(f);
	mf_buf_init(&r.out, 0);
	while ((c = fgetc(f)) != EOF)
		mf_buf_add_byte(&r.out, (uint8_t)c);
	status = pclose(f);
	r.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	mf_buf_str(&r.out);
	fake_stop(r.h);
	return r;
}

static void
end(struct run *r)
{
	fake_free(r->h);
	mf_buf_deinit(&r->out);
}

Test(probe, shows_what_it_got, .timeout = 60)
{
	static const struct {
		struct fake_reply replies[8];
		const char *arguments, *out;
	} cases[] = {
		{ { { 200, "MS-ASProtocolVersions: 12.1,16.1\r\n", NULL, NULL } }, "options",
			"MS-ASProtocolVersions  12.1,16.1\nMS-ASProtocolCommands  (not told)\n"
			"MS-Server-ActiveSync   (not told)\n" },
		{ { REPLY_FOLDERS }, "folders",
			"ID       TYPE        NAME\n5        inbox       Inbox\n"
			"6        folder      Inbox/Work \"x\"\n" },
		{ { REPLY_FOLDERS }, "--json folders",
			"{\"folders\":[{\"id\":\"5\",\"parent\":\"0\",\"name\":\"Inbox\",\"type\":"
			"2},"
			"{\"id\":\"6\",\"parent\":\"5\",\"name\":\"Work "
			"\\\"x\\\"\",\"type\":12}]}\n" },
		{ { REPLY_FOLDERS, REPLY_FIRST_KEY, REPLY_ONE_ITEM, REPLY_NOTHING }, "sync --again",
			"5:1          2024-05-21 08:01 N   bob                            Hi?2J "
			"there\n"
			"first Sync: 1 added, 0 changed, 0 deleted\n"
			"second Sync: 0 added, 0 changed, 0 deleted (an empty answer)\n"
			"4 exchanges, " },
		{ { REPLY_FOLDERS, REPLY_FIRST_KEY, REPLY_ONE_ITEM }, "sync INBOX --all --json",
			"{\"folder\":\"5\",\"items\":[{\"id\":\"5:1\",\"date\":"
			"\"2024-05-21T08:01:02.000Z\",\"from\":\"bob\",\"to\":\"\",\"subject\":"
			"\"Hi\xc2\x9b"
			"2J\\u0009there\",\"read\":false,\"flag\":0,\"attachments\":0,\"size\":0,"
			"\"truncated\":false}],\"first\":{\"status\":1,\"added\":1," },
		{ { REPLY_FOLDERS, REPLY_UNSUPPORTED, REPLY_FIRST_KEY, REPLY_ONE_ITEM,
			  REPLY_FETCHED },
			"show 5 5:1", "From: bob\nSubject: Hi\n\nline 1\nline 2 ?\n" },
		{ { { 200, NULL, "<Ping xmlns='Ping'><Status>3</Status></Ping>", NULL } },
			"raw Ping </dev/null",
			"<Ping xmlns=\"Ping\">\n  <Status>3</Status>\n</Ping>\n" },
		{ { REPLY_FOLDERS, REPLY_FIRST_KEY, REPLY_ONE_ITEM,
			  { 200, NULL,
				  "<Ping xmlns='Ping'><Status>2</Status><Folders><Folder>5</Folder>"
				  "</Folders></Ping>",
				  NULL } },
			"ping --heartbeat 1", "status 2, changed: Inbox\n" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct run r = probe(cases[i].replies, COUNT(cases[i].replies), cases[i].arguments);

		cr_assert_eq(r.status, 0, "%s: %s", cases[i].arguments, r.out.data);
		cr_assert_eq(strncmp((const char *)r.out.data, cases[i].out, strlen(cases[i].out)),
			0, "%s:\n%s", cases[i].arguments, r.out.data);
		end(&r);
	}
}

Test(probe, provisions_when_it_has_to, .timeout = 60)
{
	static const struct fake_reply replies[] = {
		{ 200, NULL,
			"<FolderSync xmlns='FolderHierarchy'><Status>142</Status></FolderSync>",
			NULL },
		{ 200, NULL,
			"<Provision "
			"xmlns='Provision'><Status>1</Status><Policies><Policy><PolicyType>"
			"MS-EAS-Provisioning-WBXML</PolicyType><Status>1</Status><PolicyKey>7</"
			"PolicyKey>"
			"</Policy></Policies></Provision>",
			NULL },
		{ 200, NULL,
			"<Provision "
			"xmlns='Provision'><Status>1</Status><Policies><Policy><PolicyType>"
			"MS-EAS-Provisioning-WBXML</PolicyType><Status>1</Status><PolicyKey>8</"
			"PolicyKey>"
			"</Policy></Policies></Provision>",
			NULL },
		REPLY_FOLDERS,
	};
	struct run r = probe(replies, COUNT(replies), "folders");

	cr_assert_eq(r.status, 0, "%s", r.out.data);
	cr_assert_eq(r.h->n_requests, 4);
	cr_assert_not_null(strstr(r.h->requests[3].head, "X-MS-PolicyKey: 8\r\n"));
	end(&r);
}

Test(probe, tells_failures_by_its_exit_status, .timeout = 60)
{
	static const struct {
		struct fake_reply reply;
		const char *arguments;
		int status;
		const char *why;
	} cases[] = {
		{ { 401, NULL, NULL, NULL }, "folders", 77, "password" },
		{ { 503, NULL, NULL, NULL }, "folders", 75, "busy" },
		{ { 0, NULL, NULL, NULL }, "folders", 75, "127.0.0.1" },
		{ { 404, NULL, NULL, NULL }, "folders", 1, "no ActiveSync" },
		{ { 200, NULL, FOLDERS, NULL }, "sync nowhere", 1, "no folder nowhere" },
		{ { 200, NULL, FOLDERS, NULL }, "", 64, "usage" },
		{ { 200, NULL, FOLDERS, NULL }, "dance", 64, "no action dance" },
		{ { 200, NULL, FOLDERS, NULL }, "show 5", 64, "show FOLDER ITEM" },
		{ { 200, NULL, FOLDERS, NULL }, "folders --window many", 64, "a number" },
		{ { 200, NULL, FOLDERS, NULL }, "folders --windows", 64, "windows" },
		{ { 200, NULL, FOLDERS, NULL }, "folders --password-file /nowhere", 64,
			"no password" },
		{ { 200, NULL, FOLDERS, NULL }, "--help", 0, "exit status" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct run r = probe(&cases[i].reply, 1, cases[i].arguments);

		cr_assert_eq(r.status, cases[i].status, "%s: %d %s", cases[i].arguments, r.status,
			r.out.data);
		cr_assert_not_null(strstr((const char *)r.out.data, cases[i].why), "%s: %s",
			cases[i].arguments, r.out.data);
		end(&r);
	}
}

Test(probe, traces_without_the_password, .timeout = 60)
{
	struct run r = probe(&(struct fake_reply)REPLY_FOLDERS, 1, "--trace folders");

	cr_assert_eq(r.status, 0);
	cr_assert_not_null(strstr((const char *)r.out.data, "> POST FolderSync"));
	cr_assert_not_null(strstr((const char *)r.out.data, "< HTTP 200"));
	cr_assert_null(strstr((const char *)r.out.data, "secret"));
	cr_assert_not_null(strstr(r.h->requests[0].head, "Basic Ym9iOnNlY3JldA=="));
	end(&r);
}
