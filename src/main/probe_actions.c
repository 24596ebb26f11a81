/* What `mailferry probe` can do: a table of actions. */
#include <stdio.h>

#include "client/mail.h"
#include "main/probe.h"

enum { XML_MAX = 16 << 20 };

/* ---- Getting to the folders ---- */

static bool
must_provision(enum mf_status st, const struct mf_error *err, unsigned status)
{
	return (st == MF_REFUSED && strstr(err->text, "HTTP 449") != NULL) ||
	       (status >= 140 && status <= 144);
}

static enum mf_status
provision(struct probe *p, struct mf_error *err)
{
	struct client_provision_result r;
	enum mf_status st = client_provision(p->client, &r, err);

	if (st != MF_OK)
		return st;
	if (r.wipe)
		return mf_fail(err, MF_REFUSED, "the server asks to wipe this device");
	if (r.status != 1)
		return mf_fail(err, MF_REFUSED, "Provision: status %u", r.status);
	return MF_OK;
}

static enum mf_status
hierarchy(struct probe *p, struct mf_error *err)
{
	struct client_hierarchy_result r;
	enum mf_status st = client_hierarchy_sync(p->client, p->mailbox, &r, err);

	if (must_provision(st, err, r.status)) {
		st = provision(p, err);
		if (st == MF_OK)
			st = client_hierarchy_sync(p->client, p->mailbox, &r, err);
	}
	if (st == MF_OK && r.status != 1)
		return mf_fail(err, MF_REFUSED, "FolderSync: status %u", r.status);
	return st;
}

static enum mf_status
open_folder(struct probe *p, const char *name, struct client_folder **out, struct mf_error *err)
{
	enum mf_status st = hierarchy(p, err);

	if (st != MF_OK)
		return st;
	*out = client_folder_find(p->mailbox, name);
	if (*out == NULL)
		return mf_fail(err, MF_GONE, "there is no folder %s", name);
	return MF_OK;
}

/* ---- The actions ---- */

static enum mf_status
run_options(struct probe *p, struct mf_error *err)
{
	struct client_answer answer;
	enum mf_status st = client_ask_options(p->client, &answer, err);

	if (st == MF_OK)
		st = client_check_http(&answer, err);
	if (st == MF_OK)
		probe_print_options(p, &answer);
	return st;
}

static enum mf_status
run_folders(struct probe *p, struct mf_error *err)
{
	enum mf_status st = hierarchy(p, err);

	if (st == MF_OK)
		probe_print_folders(p);
	return st;
}

/* One window, or all of them. With key 0 the first exchange only fetches a key. */
static enum mf_status
sync_folder(struct probe *p, struct client_folder *f, struct client_sync_result *out,
	struct mf_error *err)
{
	enum mf_status st;

	if (p->all)
		st = client_sync_all(p->client, f, &p->sync, out, err);
	else
		st = client_sync(p->client, f, &p->sync, out, err);
	if (st == MF_OK && out->status != 1)
		return mf_fail(err, MF_REFUSED, "Sync: status %u", out->status);
	return st;
}

static enum mf_status
run_sync(struct probe *p, struct mf_error *err)
{
	struct client_sync_result first, second;
	struct client_folder *f;
	enum mf_status st = open_folder(p, p->n_args > 0 ? p->args[0] : "inbox", &f, err);

	p->sync.keep_bodies = p->json;
	if (st == MF_OK && !p->all)
		st = sync_folder(p, f, &first, err);
	if (st == MF_OK)
		st = sync_folder(p, f, &first, err);
	if (st == MF_OK && p->again)
		st = sync_folder(p, f, &second, err);
	if (st == MF_OK)
		probe_print_items(p, f, &first, p->again ? &second : NULL);
	return st;
}

/* Where ItemOperations does not exist: synchronises until the item is known, then fetches it by Sync. */
static enum mf_status
show_by_sync(struct probe *p, struct client_folder *f, const char *id, struct client_answer *answer,
	struct mf_error *err)
{
	const char *const fetch[] = { id, NULL };
	struct client_request r = { .command = "Sync" };
	struct client_sync_result result;
	struct mf_buf body;
	enum mf_status st;

	p->sync.truncation = 512;
	st = client_sync_all(p->client, f, &p->sync, &result, err);
	if (st != MF_OK)
		return st;
	if (client_item_find(f, id) == NULL)
		return mf_fail(err, MF_GONE, "there is no item %s", id);
	p->sync.fetch = fetch;
	p->sync.no_changes = true;
	p->sync.truncation = -1;
	mf_buf_init(&body, 0);
	client_sync_build(&f, 1, &p->sync, &body);
	r.body = mf_buf_bytes(&body);
	st = client_call(p->client, &r, answer, err);
	mf_buf_deinit(&body);
	return st == MF_OK ? client_check_http(answer, err) : st;
}

static const struct wbxml_node *
fetched_by_sync(const struct wbxml_node *root)
{
	const struct wbxml_node *n = wbxml_child(root, AirSync_Collections);

	n = wbxml_child(wbxml_child(n, AirSync_Collection), AirSync_Responses);
	return wbxml_child(wbxml_child(n, AirSync_Fetch), AirSync_ApplicationData);
}

static enum mf_status
run_show(struct probe *p, struct mf_error *err)
{
	struct client_wish wish = { .item_id = p->args[1],
		.body_type = p->sync.body_type,
		.truncation = -1,
		.mime_support = p->sync.body_type == 4 ? 2 : -1 };
	const struct wbxml_node *properties;
	struct client_answer answer;
	struct client_fetched got;
	struct client_folder *f;
	enum mf_status st = open_folder(p, p->args[0], &f, err);

	if (st != MF_OK)
		return st;
	wish.folder_id = f->id;
	p->sync.mime_support = wish.mime_support;
	st = client_fetch(p->client, &wish, &answer, &got, err);
	properties = got.properties;
	if (st == MF_UNSUPPORTED) {
		st = show_by_sync(p, f, p->args[1], &answer, err);
		if (st == MF_OK)
			properties = fetched_by_sync(answer.root);
	}
	if (st == MF_OK && properties == NULL)
		return mf_fail(err, MF_GONE, "the server does not give the item %s (status %u)",
			p->args[1], got.status);
	if (st == MF_OK)
		probe_print_item(p, p->args[1], properties);
	return st;
}

static enum mf_status
run_ping(struct probe *p, struct mf_error *err)
{
	struct mf_arena *a = mf_arena_new();
	struct client_ping_result result;
	struct client_sync_result synced;
	struct client_folder *f;
	enum mf_status st = open_folder(p, p->n_args > 0 ? p->args[0] : "inbox", &f, err);

	p->all = true;
	if (st == MF_OK)
		st = sync_folder(p, f, &synced, err);
	if (st == MF_OK)
		st = client_ping(p->client, a, p->heartbeat_s, &f, 1, &result, err);
	if (st == MF_OK)
		probe_print_ping(p, &result);
	mf_arena_free(a);
	return st;
}

static enum mf_status
run_raw(struct probe *p, struct mf_error *err)
{
	struct client_answer answer;
	struct mf_buf xml;
	enum mf_status st = MF_OK;
	size_t n = 1;

	mf_buf_init(&xml, XML_MAX);
	while (n > 0 && mf_buf_reserve(&xml, 65536) != NULL) {
		n = fread(xml.data + xml.len, 1, 65536, stdin);
		mf_buf_commit(&xml, n);
	}
	if (xml.len == 0) {
		struct client_request r = { .command = p->args[0] };

		st = client_call(p->client, &r, &answer, err);
	} else {
		st = client_call_xml(p->client, p->args[0], mf_buf_str(&xml), &answer, err);
	}
	mf_buf_deinit(&xml);
	if (st == MF_OK && answer.root != NULL)
		wbxml_dump(answer.root, false, &p->out);
	else if (st == MF_OK)
		mf_buf_add(&p->out, answer.body.data, answer.body.len);
	return st == MF_OK ? client_check_http(&answer, err) : st;
}

const struct probe_action probe_actions[] = {
	{ "options", run_options, 0, 0, "options", "protocol versions and commands" },
	{ "folders", run_folders, 0, 0, "folders", "the folders with their ids" },
	{ "sync", run_sync, 0, 1, "sync [FOLDER]",
		"the messages of a folder (inbox); N is new, F flagged, A has attachments" },
	{ "show", run_show, 2, 2, "show FOLDER ITEM", "one message" },
	{ "ping", run_ping, 0, 1, "ping [FOLDER]", "waits until the folder changes" },
	{ "raw", run_raw, 1, 1, "raw COMMAND",
		"sends the XML of standard input, shows the answer" },
};
const size_t probe_actions_n = sizeof(probe_actions) / sizeof(probe_actions[0]);
