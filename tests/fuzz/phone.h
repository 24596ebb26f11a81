/*
 * A phone for fuzz targets: a gateway on a mailbox in memory, its Inbox, and the newest key. Every answer
 * must decode, none may be an error of the server, and the key must stay good.
 */
#ifndef FUZZ_PHONE_H
#define FUZZ_PHONE_H

#include "eas/commands.h"
#include "unit/eas_help.h"

static const char *const fuzz_versions[] = { "12.1", "14.0", "14.1", "16.0", "16.1" };

static struct gateway fuzz_gateway;
static char fuzz_key[32] = "0", fuzz_inbox[16] = "0";

static inline void
fuzz_finish(void)
{
	gateway_close(&fuzz_gateway);
}

static inline void
fuzz_keep(char *to, size_t size, const char *value)
{
	if (value != NULL && *value != '\0')
		snprintf(to, size, "%s", value);
}

static inline const struct wbxml_node *
fuzz_collection(const struct wbxml_node *root)
{
	return wbxml_child(wbxml_child(root, AirSync_Collections), AirSync_Collection);
}

/* Remembers the Inbox's newest key, as a phone does. */
static inline void
fuzz_learn(const struct wbxml_node *root)
{
	for (const struct wbxml_node *c = fuzz_collection(root); c != NULL; c = wbxml_next(c)) {
		const char *status = wbxml_child_value(c, AirSync_Status);

		if (strcmp(wbxml_child_value(c, AirSync_CollectionId), fuzz_inbox) == 0 &&
			status != NULL && strcmp(status, "1") == 0)
			fuzz_keep(
				fuzz_key, sizeof(fuzz_key), wbxml_child_value(c, AirSync_SyncKey));
	}
}

/* Runs it to its end; the answer's root, NULL without one, lives until ask_free(*out). */
static inline const struct wbxml_node *
fuzz_run(const struct ask *q, struct eas_request **out)
{
	struct eas_request *r = *out = ask_new(&fuzz_gateway, q);

	while (eas_run(r) == EAS_WAIT)
		r->wait.ended = true;
	must(r->answer.http_status >= 200 && r->answer.http_status != 500, "HTTP status", NULL);
	return answer_root(r);
}

/* A Sync of the Inbox from the newest key; xml: what stands behind the id. */
static inline const struct wbxml_node *
fuzz_sync(const char *version, const char *xml, struct eas_request **out)
{
	char text[2000];
	struct ask q = { .command = "Sync", .version = version, .xml = text };

	snprintf(text, sizeof(text),
		"<Sync xmlns=\"AirSync\" xmlns:b=\"AirSyncBase\"><Collections><Collection>"
		"<SyncKey>%s</SyncKey><CollectionId>%s</CollectionId>%s"
		"</Collection></Collections></Sync>",
		fuzz_key, fuzz_inbox, xml);
	const struct wbxml_node *root = fuzz_run(&q, out);
	fuzz_learn(root);
	return root;
}

/* The first time: a gateway, the hierarchy, the Inbox begun. */
static inline void
fuzz_begin(void)
{
	struct ask q = { .command = "FolderSync",
		.version = "14.1",
		.xml = "<FolderSync xmlns=\"FolderHierarchy\"><SyncKey>0</SyncKey></FolderSync>" };
	struct eas_request *r;

	if (fuzz_gateway.conf != NULL)
		return;
	gateway_open(&fuzz_gateway);
	atexit(fuzz_finish);
	const struct wbxml_node *n = wbxml_child(
		wbxml_child(fuzz_run(&q, &r), FolderHierarchy_Changes), FolderHierarchy_Add);
	for (; n != NULL; n = wbxml_next(n))
		if (strcmp(wbxml_child_value(n, FolderHierarchy_Type), "2") == 0)
			fuzz_keep(fuzz_inbox, sizeof(fuzz_inbox),
				wbxml_child_value(n, FolderHierarchy_ServerId));
	ask_free(r);
	fuzz_sync("14.1", "", &r);
	must(strcmp(fuzz_key, "0") != 0, "the Inbox begins", NULL);
	ask_free(r);
}

#endif
