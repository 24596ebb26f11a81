/*
 * A device with good credentials and any body: schema, commands, state, on a mailbox in memory. The
 * first byte chooses the command, the second the version. Nobody can guess keys and ids: "@F" and
 * "@K" in the body become the hierarchy's and the Inbox's newest key, "@I" the Inbox's id.
 */
#include "eas/commands.h"
#include "unit/eas_help.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const versions[] = { "12.1", "14.0", "14.1", "16.0", "16.1" };

static const char message[] = "From: Ben <ben@example.org>\nTo: anna@example.org\nSubject: Hello\n"
			      "Date: Mon, 2 Mar 2026 10:00:00 +0000\nMessage-ID: <1@example.org>\n"
			      "\nHow are you?\n";

static struct gateway g;
static char hierarchy_key[32] = "0", inbox_key[32] = "0", inbox[16] = "0";

static void
finish(void)
{
	gateway_close(&g);
}

static void
keep(char *to, size_t size, const char *value)
{
	if (value != NULL && *value != '\0')
		snprintf(to, size, "%s", value);
}

/* Remembers keys, and the Inbox's id, as a phone does. */
static void
learn(const struct wbxml_node *root)
{
	const struct wbxml_node *changes = wbxml_child(root, FolderHierarchy_Changes);
	const struct wbxml_node *n = wbxml_child(changes, FolderHierarchy_Add);
	const struct wbxml_node *c =
		wbxml_child(wbxml_child(root, AirSync_Collections), AirSync_Collection);
	keep(hierarchy_key, sizeof(hierarchy_key),
		wbxml_child_value(root, FolderHierarchy_SyncKey));
	for (; n != NULL; n = wbxml_next(n))
		if (strcmp(wbxml_child_value(n, FolderHierarchy_Type), "2") == 0)
			keep(inbox, sizeof(inbox), wbxml_child_value(n, FolderHierarchy_ServerId));
	for (; c != NULL; c = wbxml_next(c))
		if (strcmp(wbxml_child_value(c, AirSync_CollectionId), inbox) == 0)
			keep(inbox_key, sizeof(inbox_key), wbxml_child_value(c, AirSync_SyncKey));
}

static void
run(const struct ask *q)
{
	struct eas_request *r = ask_new(&g, q);
	if (eas_run(r) == EAS_WAIT) {
		r->wait.ended = true;
		must(eas_run(r) == EAS_DONE, "a request waits for ever", NULL);
	}
	/* GetAttachment has no other word for what is not there (MS-ASCMD 2.2.1.7). */
	must(r->answer.http_status >= 200 &&
			(r->answer.http_status != 500 || strcmp(q->command, "GetAttachment") == 0),
		"HTTP status", NULL);
	const struct wbxml_node *root = answer_root(r);
	if (root != NULL)
		learn(root);
	ask_free(r);
}

static void
begin(void)
{
	static bool begun;
	if (begun)
		return;
	begun = true;
	gateway_open(&g);
	atexit(finish);
	for (int i = 0; i < 5; i++)
		memory_add(g.world, EAS_USER, "INBOX", mf_bytes_str(message), 0, 0);
	struct ask q = { .command = "FolderSync",
		.version = "14.1",
		.xml = "<FolderSync xmlns=\"FolderHierarchy\"><SyncKey>0</SyncKey></FolderSync>" };
	run(&q);
}

static const char *
stand_in(const uint8_t *at, size_t left)
{
	if (left < 2 || at[0] != '@')
		return NULL;
	return at[1] == 'F'   ? hierarchy_key
	       : at[1] == 'K' ? inbox_key
	       : at[1] == 'I' ? inbox
			      : NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	begin();
	if (size < 2)
		return 0;
	struct mf_buf body;
	mf_buf_init(&body, 0);
	for (size_t i = 2; i < size; i++) {
		const char *text = stand_in(data + i, size - i);
		if (text == NULL) {
			mf_buf_add_byte(&body, data[i]);
			continue;
		}
		mf_buf_add_str(&body, text);
		i++;
	}
	struct ask q = { .command = eas_commands[data[0] % eas_commands_n].name,
		.version = versions[data[1] % 5],
		.body = mf_buf_bytes(&body) };
	run(&q);
	mf_buf_deinit(&body);
	return 0;
}
