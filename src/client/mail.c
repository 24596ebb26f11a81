/* Sending, fetching and moving messages. */
#include "client/mail.h"

#include "base/str.h"

enum { VERSION_14_0 = 140 };

/* Calls with what was written to body, which is freed. */
static enum mf_status
call(struct client *c, struct client_request *r, struct mf_buf *body, struct client_answer *answer,
	struct mf_error *err)
{
	enum mf_status st;

	r->body = mf_buf_bytes(body);
	st = client_call(c, r, answer, err);
	mf_buf_deinit(body);
	return st == MF_OK ? client_check_http(answer, err) : st;
}

/* ---- Sending ---- */

static void
put_sending(struct wbxml_writer *w, const struct client_sending *s, uint16_t root)
{
	wbxml_open(w, root);
	wbxml_element(w, ComposeMail_ClientId, s->client_id);
	if (s->save)
		wbxml_empty(w, ComposeMail_SaveInSentItems);
	if (s->item_id != NULL) {
		wbxml_open(w, ComposeMail_Source);
		wbxml_element(w, ComposeMail_FolderId, s->folder_id);
		wbxml_element(w, ComposeMail_ItemId, s->item_id);
		wbxml_close(w);
	}
	if (s->replace_mime)
		wbxml_empty(w, ComposeMail_ReplaceMime);
	wbxml_open(w, ComposeMail_Mime);
	wbxml_opaque(w, s->mime.data, s->mime.len);
	wbxml_close(w);
	wbxml_close(w);
}

static enum mf_status
send_old(struct client *c, const struct client_sending *s, struct client_request *r,
	struct client_answer *answer, struct mf_error *err)
{
	enum mf_status st;

	r->content_type = "message/rfc822";
	r->body = s->mime;
	r->collection_id = s->folder_id;
	r->item_id = s->item_id;
	r->save_in_sent = s->save;
	st = client_call(c, r, answer, err);
	return st == MF_OK ? client_check_http(answer, err) : st;
}

enum mf_status
client_send(
	struct client *c, const struct client_sending *s, unsigned *status, struct mf_error *err)
{
	struct client_request r = { .command = s->command == NULL ? "SendMail" : s->command };
	uint16_t root = wbxml_tag_find("ComposeMail", r.command);
	struct client_answer answer;
	struct wbxml_writer w;
	struct mf_buf body;
	enum mf_status st;

	*status = 0;
	if (root == 0)
		return mf_fail(err, MF_INVALID, "%s sends no mail", r.command);
	if (client_version(c) < VERSION_14_0) {
		st = send_old(c, s, &r, &answer, err);
	} else {
		mf_buf_init(&body, 0);
		wbxml_begin(&w, &body);
		put_sending(&w, s, root);
		st = call(c, &r, &body, &answer, err);
	}
	if (st == MF_OK)
		*status = answer.body.len == 0 ? 1
					       : client_number(answer.root, ComposeMail_Status, 0);
	return st;
}

/* ---- Fetching ---- */

static void
put_wish(struct wbxml_writer *w, const struct client_wish *wish)
{
	wbxml_open(w, ItemOperations_Fetch);
	wbxml_element(w, ItemOperations_Store, "Mailbox");
	if (wish->file_reference != NULL) {
		wbxml_element(w, AirSyncBase_FileReference, wish->file_reference);
	} else if (wish->long_id != NULL) {
		wbxml_element(w, Search_LongId, wish->long_id);
	} else {
		wbxml_element(w, AirSync_CollectionId, wish->folder_id);
		wbxml_element(w, AirSync_ServerId, wish->item_id);
	}
	if (wish->body_type != 0 || wish->mime_support >= 0 || wish->range != NULL) {
		wbxml_open(w, ItemOperations_Options);
		if (wish->mime_support >= 0)
			wbxml_number(w, AirSync_MIMESupport, wish->mime_support);
		if (wish->range != NULL)
			wbxml_element(w, ItemOperations_Range, wish->range);
		if (wish->body_type != 0) {
			wbxml_open(w, AirSyncBase_BodyPreference);
			wbxml_number(w, AirSyncBase_Type, wish->body_type);
			if (wish->truncation >= 0)
				wbxml_number(w, AirSyncBase_TruncationSize, wish->truncation);
			wbxml_close(w);
		}
		wbxml_close(w);
	}
	wbxml_close(w);
}

/* An attachment's data travels in base64 (MS-ASCMD 2.2.3.39.2), decoded here in place: the answer is ours. */
static struct mf_bytes
attachment_data(const struct wbxml_node *properties)
{
	const struct wbxml_node *n = wbxml_child(properties, ItemOperations_Data);
	struct mf_bytes data = wbxml_data(n), decoded;
	struct mf_arena *a;

	if (n == NULL || n->opaque.data != NULL || data.len == 0)
		return data;
	a = mf_arena_new();
	decoded = str_unbase64(a, (const char *)data.data, data.len);
	if (decoded.len > 0)
		memcpy((uint8_t *)(uintptr_t)data.data, decoded.data, decoded.len);
	data.len = decoded.len;
	mf_arena_free(a);
	return data;
}

static enum mf_status
take_fetch(const struct wbxml_node *root, bool attachment, struct client_fetched *out,
	struct mf_error *err)
{
	const struct wbxml_node *fetch, *body;

	if (root == NULL || root->tag != ItemOperations_ItemOperations)
		return mf_fail(err, MF_INVALID, "not an answer to ItemOperations");
	out->status = client_number(root, ItemOperations_Status, 0);
	fetch = wbxml_child(wbxml_child(root, ItemOperations_Response), ItemOperations_Fetch);
	if (fetch == NULL)
		return MF_OK;
	out->status = client_number(fetch, ItemOperations_Status, 0);
	out->properties = wbxml_child(fetch, ItemOperations_Properties);
	body = wbxml_child(out->properties, AirSyncBase_Body);
	out->body_type = client_number(body, AirSyncBase_Type, 0);
	out->truncated = client_number(body, AirSyncBase_Truncated, 0) == 1;
	out->data = attachment ? attachment_data(out->properties)
			       : wbxml_data(wbxml_child(body, AirSyncBase_Data));
	if (wbxml_child(out->properties, AirSyncBase_ContentType) != NULL)
		out->content_type = wbxml_child_value(out->properties, AirSyncBase_ContentType);
	return MF_OK;
}

enum mf_status
client_fetch(struct client *c, const struct client_wish *wish, struct client_answer *answer,
	struct client_fetched *out, struct mf_error *err)
{
	struct client_request r = { .command = "ItemOperations" };
	struct wbxml_writer w;
	struct mf_buf body;
	enum mf_status st;

	memset(out, 0, sizeof(*out));
	out->content_type = "";
	mf_buf_init(&body, 0);
	wbxml_begin(&w, &body);
	wbxml_open(&w, ItemOperations_ItemOperations);
	put_wish(&w, wish);
	wbxml_close(&w);
	st = call(c, &r, &body, answer, err);
	if (st == MF_OK)
		st = take_fetch(answer->root, wish->file_reference != NULL, out, err);
	return st;
}

/* ---- Moving ---- */

enum mf_status
client_move(struct client *c, struct mf_arena *a, const char *item_id, const char *from_folder,
	const char *to_folder, unsigned *status, const char **new_id, struct mf_error *err)
{
	struct client_request r = { .command = "MoveItems" };
	struct client_answer answer;
	const struct wbxml_node *response;
	struct wbxml_writer w;
	struct mf_buf body;
	enum mf_status st;

	*status = 0;
	*new_id = NULL;
	mf_buf_init(&body, 0);
	wbxml_begin(&w, &body);
	wbxml_open(&w, Move_MoveItems);
	wbxml_open(&w, Move_Move);
	wbxml_element(&w, Move_SrcMsgId, item_id);
	wbxml_element(&w, Move_SrcFldId, from_folder);
	wbxml_element(&w, Move_DstFldId, to_folder);
	wbxml_close(&w);
	wbxml_close(&w);
	st = call(c, &r, &body, &answer, err);
	if (st != MF_OK)
		return st;
	response = wbxml_child(answer.root, Move_Response);
	if (response == NULL)
		return mf_fail(err, MF_INVALID, "not an answer to MoveItems");
	*status = client_number(response, Move_Status, 0);
	*new_id = mf_strdup(a, wbxml_child_value(response, Move_DstMsgId));
	return MF_OK;
}
