/* Sync: a request from folders and options, an answer into folders. */
#include "client/sync.h"

const struct client_sync_options client_sync_defaults = {
	.window = 100,
	.filter = 0,
	.body_type = 1,
	.truncation = 512,
	.mime_support = -1,
	.conversation_mode = -1,
	.conflict = -1,
};

/* ---- The request ---- */

static void
put_options(struct wbxml_writer *w, const struct client_sync_options *o)
{
	wbxml_open(w, AirSync_Options);
	if (o->filter >= 0)
		wbxml_number(w, AirSync_FilterType, o->filter);
	if (o->mime_support >= 0)
		wbxml_number(w, AirSync_MIMESupport, o->mime_support);
	if (o->body_type != 0) {
		wbxml_open(w, AirSyncBase_BodyPreference);
		wbxml_number(w, AirSyncBase_Type, o->body_type);
		if (o->truncation >= 0)
			wbxml_number(w, AirSyncBase_TruncationSize, o->truncation);
		wbxml_close(w);
	}
	if (o->conflict >= 0)
		wbxml_number(w, AirSync_Conflict, o->conflict);
	wbxml_close(w);
}

static void
put_edit(struct wbxml_writer *w, const struct client_edit *e)
{
	wbxml_open(w, e->kind == CLIENT_EDIT_DELETE ? AirSync_Delete : AirSync_Change);
	wbxml_element(w, AirSync_ServerId, e->id);
	if (e->kind != CLIENT_EDIT_DELETE)
		wbxml_open(w, AirSync_ApplicationData);
	if (e->kind == CLIENT_EDIT_READ)
		wbxml_number(w, Email_Read, e->value);
	if (e->kind == CLIENT_EDIT_FLAG) {
		wbxml_open(w, Email_Flag);
		if (e->value != CLIENT_UNFLAGGED) {
			wbxml_number(w, Email_Status, e->value);
			wbxml_element(w, Email_FlagType, "for follow up");
		}
		wbxml_close(w);
	}
	if (e->kind != CLIENT_EDIT_DELETE)
		wbxml_close(w);
	wbxml_close(w);
}

static void
put_commands(struct wbxml_writer *w, struct client_folder *f, const struct client_sync_options *o)
{
	f->n_sent = f->n_edits;
	if (f->n_edits == 0 && (o->fetch == NULL || o->fetch[0] == NULL))
		return;
	wbxml_open(w, AirSync_Commands);
	for (size_t i = 0; i < f->n_edits; i++)
		put_edit(w, &f->edits[i]);
	for (size_t i = 0; o->fetch != NULL && o->fetch[i] != NULL; i++) {
		wbxml_open(w, AirSync_Fetch);
		wbxml_element(w, AirSync_ServerId, o->fetch[i]);
		wbxml_close(w);
	}
	wbxml_close(w);
}

/* With key 0 the request only asks for a first key. */
static void
put_collection(struct wbxml_writer *w, struct client_folder *f, const struct client_sync_options *o)
{
	f->n_sent = 0;
	wbxml_open(w, AirSync_Collection);
	wbxml_element(w, AirSync_SyncKey, f->key);
	wbxml_element(w, AirSync_CollectionId, f->id);
	if (strcmp(f->key, "0") != 0) {
		if (o->delete_for_good)
			wbxml_number(w, AirSync_DeletesAsMoves, 0);
		else
			wbxml_empty(w, AirSync_DeletesAsMoves);
		wbxml_number(w, AirSync_GetChanges, o->no_changes ? 0 : 1);
		if (o->window != 0)
			wbxml_number(w, AirSync_WindowSize, o->window);
		if (o->conversation_mode >= 0)
			wbxml_number(w, AirSync_ConversationMode, o->conversation_mode);
		put_options(w, o);
		put_commands(w, f, o);
	}
	wbxml_close(w);
}

void
client_sync_build(struct client_folder *const *folders, size_t n,
	const struct client_sync_options *o, struct mf_buf *out)
{
	struct wbxml_writer w;

	wbxml_begin(&w, out);
	wbxml_open(&w, AirSync_Sync);
	wbxml_open(&w, AirSync_Collections);
	for (size_t i = 0; i < n; i++)
		put_collection(&w, folders[i], o);
	wbxml_close(&w);
	if (o->wait_min != 0)
		wbxml_number(&w, AirSync_Wait, o->wait_min);
	if (o->heartbeat_s != 0)
		wbxml_number(&w, AirSync_HeartbeatInterval, o->heartbeat_s);
	if (o->window_all != 0)
		wbxml_number(&w, AirSync_WindowSize, o->window_all);
	wbxml_close(&w);
}

/* ---- The answer ---- */

static void
take_command(struct client_folder *f, const struct wbxml_node *n, bool keep,
	struct client_sync_result *out)
{
	const char *id = wbxml_child_value(n, AirSync_ServerId);
	const struct wbxml_node *data = wbxml_child(n, AirSync_ApplicationData);
	bool known = id != NULL && client_item_find(f, id) != NULL;

	if (id == NULL)
		return;
	switch (n->tag) {
	case AirSync_Add:
		out->added++;
		f->odd.added_twice += known;
		client_item_put(f, id, data, keep);
		break;
	case AirSync_Change:
		out->changed++;
		f->odd.changed_unknown += !known;
		if (known)
			client_item_put(f, id, data, keep);
		break;
	case AirSync_Delete:
	case AirSync_SoftDelete:
		out->deleted += n->tag == AirSync_Delete;
		out->soft_deleted += n->tag == AirSync_SoftDelete;
		f->odd.deleted_unknown += !client_item_remove(f, id);
		break;
	default:
		break;
	}
}

static void
take_response(struct client_folder *f, const struct wbxml_node *n, bool keep,
	struct client_sync_result *out)
{
	const char *id = wbxml_child_value(n, AirSync_ServerId);
	unsigned status = client_number(n, AirSync_Status, 0);
	const struct wbxml_node *data = wbxml_child(n, AirSync_ApplicationData);

	if (id == NULL)
		return;
	if (n->tag == AirSync_Fetch && status == 1) {
		out->fetched++;
		if (client_item_find(f, id) != NULL)
			client_item_put(f, id, data, keep);
	}
	if (status == 1)
		return;
	out->refused++;
	out->refused_status = status;
	for (size_t i = 0; n->tag != AirSync_Fetch && i < f->n_sent; i++)
		if ((f->edits[i].kind == CLIENT_EDIT_DELETE) == (n->tag == AirSync_Delete) &&
			strcmp(f->edits[i].id, id) == 0)
			f->edits[i].refused = true;
}

/* Responses name only what was refused (and what was fetched or added): the other edits that were sent
 * now hold. */
static void
take_collection(struct client_folder *f, const struct wbxml_node *c, bool keep,
	struct client_sync_result *out)
{
	const struct wbxml_node *list = wbxml_child(c, AirSync_Responses);
	const char *key = wbxml_child_value(c, AirSync_SyncKey);

	for (const struct wbxml_node *n = list == NULL ? NULL : list->children; n != NULL;
		n = n->next)
		take_response(f, n, keep, out);
	client_edits_settle(f);
	list = wbxml_child(c, AirSync_Commands);
	for (const struct wbxml_node *n = list == NULL ? NULL : list->children; n != NULL;
		n = n->next)
		take_command(f, n, keep, out);
	f->more = wbxml_child(c, AirSync_MoreAvailable) != NULL;
	out->more |= f->more;
	if (key != NULL)
		client_folder_set_key(f, key);
}

static struct client_folder *
find_folder(struct client_folder *const *folders, size_t n, const char *id)
{
	for (size_t i = 0; id != NULL && i < n; i++)
		if (strcmp(folders[i]->id, id) == 0)
			return folders[i];
	return NULL;
}

enum mf_status
client_sync_apply(struct client_folder *const *folders, size_t n,
	const struct client_sync_options *o, const struct client_answer *answer,
	struct client_sync_result *out, struct mf_error *err)
{
	const struct wbxml_node *root = answer->root, *c;

	memset(out, 0, sizeof(*out));
	out->empty = answer->body.len == 0;
	out->status = 1;
	if (out->empty)
		return MF_OK;
	if (root == NULL || root->tag != AirSync_Sync)
		return mf_fail(err, MF_INVALID, "not an answer to Sync");
	out->status = client_number(root, AirSync_Status, 1);
	c = wbxml_child(wbxml_child(root, AirSync_Collections), AirSync_Collection);
	for (; c != NULL; c = wbxml_next(c)) {
		const char *id = wbxml_child_value(c, AirSync_CollectionId);
		struct client_folder *f = find_folder(folders, n, id);
		unsigned status = client_number(c, AirSync_Status, 1);

		if (f == NULL)
			return mf_fail(err, MF_INVALID, "Sync: a collection not asked for: %s",
				id == NULL ? "" : id);
		if (status == 1)
			take_collection(f, c, o->keep_bodies, out);
		else
			out->status = status;
	}
	return MF_OK;
}

/* ---- Both ---- */

enum mf_status
client_sync_many(struct client *c, struct client_folder *const *folders, size_t n,
	const struct client_sync_options *o, struct client_sync_result *out, struct mf_error *err)
{
	struct client_request r = { .command = "Sync",
		.wait_s = o->wait_min * 60 + o->heartbeat_s };
	struct client_answer answer;
	struct mf_buf body;
	enum mf_status st;

	memset(out, 0, sizeof(*out));
	mf_buf_init(&body, 0);
	client_sync_build(folders, n, o, &body);
	r.body = mf_buf_bytes(&body);
	st = client_call(c, &r, &answer, err);
	mf_buf_deinit(&body);
	if (st == MF_OK)
		st = client_check_http(&answer, err);
	if (st == MF_OK)
		st = client_sync_apply(folders, n, o, &answer, out, err);
	return st;
}

enum mf_status
client_sync(struct client *c, struct client_folder *f, const struct client_sync_options *o,
	struct client_sync_result *out, struct mf_error *err)
{
	return client_sync_many(c, &f, 1, o, out, err);
}

static void
sum(struct client_sync_result *all, const struct client_sync_result *one)
{
	all->status = one->status;
	all->empty = one->empty;
	all->more = one->more;
	all->added += one->added;
	all->changed += one->changed;
	all->deleted += one->deleted;
	all->soft_deleted += one->soft_deleted;
	all->fetched += one->fetched;
	all->refused += one->refused;
	if (one->refused > 0)
		all->refused_status = one->refused_status;
}

enum mf_status
client_sync_all(struct client *c, struct client_folder *f, const struct client_sync_options *o,
	struct client_sync_result *out, struct mf_error *err)
{
	struct client_sync_result one = { .status = 1 };
	bool first = true;

	memset(out, 0, sizeof(*out));
	while (first || one.more) {
		enum mf_status st;

		first = strcmp(f->key, "0") == 0;
		st = client_sync(c, f, o, &one, err);
		if (st != MF_OK)
			return st;
		sum(out, &one);
		if (one.status != 1)
			return MF_OK;
		if (first && strcmp(f->key, "0") == 0)
			return mf_fail(err, MF_BROKEN, "Sync: no key for a first Sync");
		if (one.more && one.added + one.changed + one.deleted + one.soft_deleted == 0)
			return mf_fail(err, MF_BROKEN, "Sync: MoreAvailable without any item");
	}
	return MF_OK;
}
