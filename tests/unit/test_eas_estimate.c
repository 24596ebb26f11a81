/* GetItemEstimate against the memory backend: it tells what the next Sync tells. */
#include <criterion/criterion.h>

#include "eas_help.h"

static struct gateway g;
static char inbox[16], drafts[16], outbox[16];

#define MESSAGE "From: ben@example.org\nSubject: %d\nMessage-ID: <%d@example.org>\n\nHello\n"

static void
deliver(int n, int64_t date)
{
	char text[200];
	snprintf(text, sizeof(text), MESSAGE, n, n);
	memory_add(g.world, EAS_USER, "INBOX", mf_bytes_str(text), 0, date);
}

static void
learn_ids(const struct wbxml_node *root)
{
	const struct wbxml_node *n =
		wbxml_child(wbxml_child(root, FolderHierarchy_Changes), FolderHierarchy_Add);
	for (; n != NULL; n = wbxml_next(n)) {
		int type = atoi(wbxml_child_value(n, FolderHierarchy_Type));
		char *to = type == 2 ? inbox : type == 3 ? drafts : type == 6 ? outbox : NULL;
		if (to != NULL)
			snprintf(to, 16, "%s", wbxml_child_value(n, FolderHierarchy_ServerId));
	}
}

static void
setup(void)
{
	gateway_open(&g);
	struct ask q = { .command = "FolderSync",
		.version = "14.1",
		.xml = "<FolderSync xmlns=\"FolderHierarchy\"><SyncKey>0</SyncKey></FolderSync>" };
	struct eas_request *r = ask(&g, &q);
	learn_ids(answer_root(r));
	ask_free(r);
	cr_assert(*inbox != '\0' && *drafts != '\0' && *outbox != '\0');
}

static void
teardown(void)
{
	gateway_close(&g);
}

TestSuite(eas_estimate, .init = setup, .fini = teardown);

/* One Sync of a folder; key is brought up to date. Gives the number of Adds. */
static unsigned
sync_folder(const char *id, char key[32], const char *more)
{
	char xml[600];
	snprintf(xml, sizeof(xml),
		"<Sync xmlns=\"AirSync\"><Collections><Collection><SyncKey>%s</SyncKey>"
		"<CollectionId>%s</CollectionId>%s</Collection></Collections></Sync>",
		key, id, more);
	struct ask q = { .command = "Sync", .version = "14.1", .xml = xml };
	struct eas_request *r = ask(&g, &q);
	const struct wbxml_node *root = answer_root(r);
	const struct wbxml_node *c =
		wbxml_child(wbxml_child(root, AirSync_Collections), AirSync_Collection);
	const struct wbxml_node *n = wbxml_child(wbxml_child(c, AirSync_Commands), AirSync_Add);
	unsigned adds = 0;
	cr_assert(root == NULL || strcmp(wbxml_child_value(c, AirSync_Status), "1") == 0, "%s",
		answer_xml(r));
	if (root != NULL)
		snprintf(key, 32, "%s", wbxml_child_value(c, AirSync_SyncKey));
	for (; n != NULL; n = wbxml_next(n))
		adds++;
	ask_free(r);
	return adds;
}

/* The estimate, or its Status as a negative number. */
static int
estimate(const char *version, const char *id, const char *key, const char *more)
{
	char xml[600];
	snprintf(xml, sizeof(xml),
		"<GetItemEstimate xmlns=\"GetItemEstimate\" xmlns:a=\"AirSync\"><Collections>"
		"<Collection><a:SyncKey>%s</a:SyncKey><CollectionId>%s</CollectionId>%s"
		"</Collection></Collections></GetItemEstimate>",
		key, id, more);
	struct ask q = { .command = "GetItemEstimate", .version = version, .xml = xml };
	struct eas_request *r = ask(&g, &q);
	cr_assert_eq(r->answer.http_status, 200);
	const struct wbxml_node *n = wbxml_child(answer_root(r), GetItemEstimate_Response);
	int result = -atoi(wbxml_child_value(n, GetItemEstimate_Status));
	n = wbxml_child(n, GetItemEstimate_Collection);
	cr_assert_str_eq(wbxml_child_value(n, GetItemEstimate_CollectionId), id);
	if (result == -1)
		result = atoi(wbxml_child_value(n, GetItemEstimate_Estimate));
	ask_free(r);
	return result;
}

Test(eas_estimate, as_sync)
{
	char key[32] = "0";
	for (int i = 0; i < 5; i++)
		deliver(i, 0);
	sync_folder(inbox, key, "");
	cr_assert_eq(estimate("14.1", inbox, key, ""), 5);
	cr_assert_eq(estimate("14.1", inbox, key, ""), 5);
	cr_assert_eq(sync_folder(inbox, key, "<WindowSize>2</WindowSize>"), 2);
	cr_assert_eq(estimate("14.1", inbox, key, ""), 3);
	cr_assert_eq(sync_folder(inbox, key, ""), 3);
	cr_assert_eq(estimate("14.1", inbox, key, ""), 0);
	memory_flag(g.world, EAS_USER, "INBOX", 1, MF_FLAG_SEEN, 0, NULL);
	memory_expunge(g.world, EAS_USER, "INBOX", 2);
	deliver(9, 0);
	cr_assert_eq(estimate("16.1", inbox, key, ""), 3);
}

/* FilterType: of the request in both shapes, else the stored one. */
Test(eas_estimate, filters)
{
	char key[32] = "0";
	int64_t now = clock_wall();
	deliver(1, now);
	deliver(2, now - 10 * 24 * 3600);
	deliver(3, now - 300 * 24 * 3600);
	sync_folder(inbox, key, "<Options><FilterType>2</FilterType></Options>");
	cr_assert_eq(estimate("14.1", inbox, key, ""), 1);
	cr_assert_eq(estimate("14.1", inbox, key,
			     "<a:Options><a:FilterType>5</a:FilterType></a:Options>"),
		2);
	cr_assert_eq(estimate("12.1", inbox, key, "<a:FilterType>0</a:FilterType>"), 3);
	cr_assert_eq(estimate("14.1", inbox, key, ""), 1);
}

Test(eas_estimate, statuses)
{
	char key[32] = "0";
	sync_folder(inbox, key, "");
	cr_assert_eq(estimate("14.1", inbox, "0", ""), -3);
	cr_assert_eq(estimate("14.1", inbox, "4711", ""), -4);
	cr_assert_eq(estimate("14.1", inbox, "x", ""), -4);
	cr_assert_eq(estimate("14.1", drafts, "0", ""), -3);
	cr_assert_eq(estimate("14.1", "999999", key, ""), -2);
	cr_assert_eq(estimate("14.1", "INBOX", key, ""), -2);
}

/* What is shown but cannot hold mail is empty, however often it is asked for. */
Test(eas_estimate, always_empty)
{
	char key[32] = "0";
	sync_folder(outbox, key, "");
	cr_assert_eq(sync_folder(outbox, key, ""), 0);
	cr_assert_eq(sync_folder(outbox, key, ""), 0);
	cr_assert_eq(estimate("14.1", outbox, key, ""), 0);
}

Test(eas_estimate, backend_down)
{
	char key[32] = "0", xml[400];
	sync_folder(inbox, key, "");
	snprintf(xml, sizeof(xml),
		"<GetItemEstimate xmlns=\"GetItemEstimate\" xmlns:a=\"AirSync\"><Collections>"
		"<Collection><a:SyncKey>%s</a:SyncKey><CollectionId>%s</CollectionId>"
		"</Collection></Collections></GetItemEstimate>",
		key, inbox);
	memory_fail(g.world, MEMORY_CHANGES, 1, MF_TEMPORARY, 0);
	struct ask q = { .command = "GetItemEstimate", .version = "14.1", .xml = xml };
	struct eas_request *r = ask(&g, &q);
	cr_assert_eq(r->answer.http_status, 503);
	ask_free(r);
	cr_assert_eq(estimate("14.1", inbox, key, ""), 0);
}
