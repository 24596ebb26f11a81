/* FolderSync and Ping: which folders there are, and which of them stir. */
#include "client/sync.h"

void
client_hierarchy_build(const struct client_mailbox *m, struct mf_buf *out)
{
	struct wbxml_writer w;

	wbxml_begin(&w, out);
	wbxml_open(&w, FolderHierarchy_FolderSync);
	wbxml_element(&w, FolderHierarchy_SyncKey, m->key);
	wbxml_close(&w);
}

static void
take_folder(
	struct client_mailbox *m, const struct wbxml_node *n, struct client_hierarchy_result *out)
{
	const char *id = wbxml_child_value(n, FolderHierarchy_ServerId);
	bool known = id != NULL && client_folder_by_id(m, id) != NULL;

	if (id == NULL)
		return;
	if (n->tag == FolderHierarchy_Delete) {
		m->odd.deleted_unknown += !known;
		client_folder_remove(m, id);
		out->removed++;
		return;
	}
	if (n->tag != FolderHierarchy_Add && n->tag != FolderHierarchy_Update)
		return;
	client_folder_put(m, id, wbxml_child_value(n, FolderHierarchy_ParentId),
		wbxml_child_value(n, FolderHierarchy_DisplayName),
		client_number(n, FolderHierarchy_Type, 1));
	if (n->tag == FolderHierarchy_Add) {
		m->odd.added_twice += known;
		out->added++;
	} else {
		m->odd.changed_unknown += !known;
		out->changed++;
	}
}

/* The answer to key 0 is the whole hierarchy: a folder that it does not name is gone. A phone keeps
 * what it has of the others. */
static void
drop_unnamed(struct client_mailbox *m, const struct wbxml_node *changes)
{
	for (size_t i = m->n_folders; i-- > 0;) {
		bool named = false;

		for (const struct wbxml_node *n = changes == NULL ? NULL : changes->children;
			n != NULL && !named; n = n->next) {
			const char *id = wbxml_child_value(n, FolderHierarchy_ServerId);

			named = id != NULL && strcmp(id, m->folders[i]->id) == 0;
		}
		if (!named)
			client_folder_remove(m, m->folders[i]->id);
	}
}

enum mf_status
client_hierarchy_apply(struct client_mailbox *m, const struct client_answer *answer,
	struct client_hierarchy_result *out, struct mf_error *err)
{
	const struct wbxml_node *root = answer->root, *changes;
	const char *key = wbxml_child_value(root, FolderHierarchy_SyncKey);
	bool whole = strcmp(m->key, "0") == 0;
	struct client_oddities odd = m->odd;

	memset(out, 0, sizeof(*out));
	if (root == NULL || root->tag != FolderHierarchy_FolderSync)
		return mf_fail(err, MF_INVALID, "not an answer to FolderSync");
	out->status = client_number(root, FolderHierarchy_Status, 0);
	if (out->status != 1)
		return MF_OK;
	if (key == NULL)
		return mf_fail(err, MF_INVALID, "FolderSync: no SyncKey");
	changes = wbxml_child(root, FolderHierarchy_Changes);
	if (whole)
		drop_unnamed(m, changes);
	for (const struct wbxml_node *n = changes == NULL ? NULL : changes->children; n != NULL;
		n = n->next)
		take_folder(m, n, out);
	if (whole)
		m->odd = odd; /* after key 0, known folders come as additions */
	client_mailbox_set_key(m, key);
	return MF_OK;
}

enum mf_status
client_hierarchy_sync(struct client *c, struct client_mailbox *m,
	struct client_hierarchy_result *out, struct mf_error *err)
{
	struct client_request r = { .command = "FolderSync" };
	struct client_answer answer;
	struct mf_buf body;
	enum mf_status st;

	memset(out, 0, sizeof(*out));
	mf_buf_init(&body, 0);
	client_hierarchy_build(m, &body);
	r.body = mf_buf_bytes(&body);
	st = client_call(c, &r, &answer, err);
	mf_buf_deinit(&body);
	if (st == MF_OK)
		st = client_check_http(&answer, err);
	if (st == MF_OK)
		st = client_hierarchy_apply(m, &answer, out, err);
	return st;
}

void
client_ping_build(
	unsigned heartbeat_s, struct client_folder *const *folders, size_t n, struct mf_buf *out)
{
	struct wbxml_writer w;

	if (n == 0)
		return;
	wbxml_begin(&w, out);
	wbxml_open(&w, Ping_Ping);
	wbxml_number(&w, Ping_HeartbeatInterval, heartbeat_s);
	wbxml_open(&w, Ping_Folders);
	for (size_t i = 0; i < n; i++) {
		wbxml_open(&w, Ping_Folder);
		wbxml_element(&w, Ping_Id, folders[i]->id);
		wbxml_element(&w, Ping_Class, "Email");
		wbxml_close(&w);
	}
	wbxml_close(&w);
	wbxml_close(&w);
}

enum mf_status
client_ping_parse(struct mf_arena *a, const struct client_answer *answer,
	struct client_ping_result *out, struct mf_error *err)
{
	const struct wbxml_node *root = answer->root, *list;
	const char **changed;
	size_t n = 0;

	memset(out, 0, sizeof(*out));
	if (root == NULL || root->tag != Ping_Ping)
		return mf_fail(err, MF_INVALID, "not an answer to Ping");
	out->status = client_number(root, Ping_Status, 0);
	out->heartbeat = client_number(root, Ping_HeartbeatInterval, 0);
	out->max_folders = client_number(root, Ping_MaxFolders, 0);
	list = wbxml_child(root, Ping_Folders);
	for (const struct wbxml_node *f = wbxml_child(list, Ping_Folder); f != NULL;
		f = wbxml_next(f))
		n++;
	changed = mf_new_array(a, const char *, n + 1);
	n = 0;
	for (const struct wbxml_node *f = wbxml_child(list, Ping_Folder); f != NULL;
		f = wbxml_next(f))
		changed[n++] = mf_strdup(a, wbxml_value(f));
	out->changed = changed;
	return MF_OK;
}

enum mf_status
client_ping(struct client *c, struct mf_arena *a, unsigned heartbeat_s,
	struct client_folder *const *folders, size_t n, struct client_ping_result *out,
	struct mf_error *err)
{
	struct client_request r = { .command = "Ping", .wait_s = heartbeat_s };
	struct client_answer answer;
	struct mf_buf body;
	enum mf_status st;

	memset(out, 0, sizeof(*out));
	mf_buf_init(&body, 0);
	client_ping_build(heartbeat_s, folders, n, &body);
	r.body = mf_buf_bytes(&body);
	st = client_call(c, &r, &answer, err);
	mf_buf_deinit(&body);
	if (st == MF_OK)
		st = client_check_http(&answer, err);
	if (st == MF_OK)
		st = client_ping_parse(a, &answer, out, err);
	return st;
}
