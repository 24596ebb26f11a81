/*
 * A request of SendMail, SmartReply or SmartForward: before 14.0 the mail is the body and the rest stands in
 * the query (MS-ASCMD 2.2.1.17); from 14.0 on it is WBXML. Knows elements; must not know how mail is sent.
 */
#include "eas/cmd/send_request.h"

#include <string.h>

#include "eas/map/datetime.h"
#include "eas/map/folder.h"
#include "eas/map/ids.h"
#include "eas/meeting.h"
#include "eas/schema.h"
#include "eas/status.h"

/* Where the source is, as the phone says. */
struct source_names {
	const char *folder, *item, *long_id, *instance;
};

/* An occurrence must be one of a meeting that recurs (MS-ASCMD 2.2.1.19). */
static unsigned
check_instance(struct eas_request *r, const struct source_names *names, struct send_job *job)
{
	struct meeting_item *item = mf_new(r->arena, struct meeting_item);
	struct mf_error err = { 0 };
	int64_t when;
	if (names->instance == NULL)
		return EAS_OK;
	if (!datetime_parse(names->instance, &when))
		return EAS_INVALID_DATE;
	enum mf_status st = meeting_item_read(r, job->source->id, job->source_id, item, &err);
	if (st != MF_OK)
		return st == MF_INVALID ? EAS_ITEM_NOT_FOUND : eas_status_at(EAS_AT_SEND, st);
	job->one = true;
	job->instance = when;
	return item->meeting.recurs ? EAS_OK : EAS_NO_RECURRENCE;
}

static unsigned
find_source(struct eas_request *r, const struct source_names *names, struct send_job *job)
{
	struct state_folders *f = mf_new(r->arena, struct state_folders);
	const char *item = names->item != NULL ? names->item : names->long_id;
	struct ids_file meant;
	uint32_t said;
	struct mf_error err;
	if (item == NULL)
		return EAS_ITEM_NOT_FOUND;
	if (names->long_id != NULL &&
		(names->item != NULL || names->folder != NULL || names->instance != NULL))
		return EAS_INVALID_IDS_TOGETHER;
	if (state_folders_load(r->server->state, r->user_number, r->arena, f, &err) != MF_OK)
		return EAS_RETRY_LATER;
	if (!ids_long_parse(item, &meant))
		return EAS_ITEM_NOT_FOUND;
	if (names->folder != NULL &&
		(!state_folder_parse(names->folder, &said) || said != meant.folder))
		return EAS_ITEM_NOT_FOUND;
	job->source_id = meant.id;
	job->source = state_folder_by_number(f, meant.folder);
	return job->source == NULL || !folder_holds_items(job->source)
		       ? EAS_ITEM_NOT_FOUND
		       : check_instance(r, names, job);
}

static void
read_query(struct eas_request *r, struct send_job *job, struct source_names *names)
{
	job->mime = r->body;
	job->save = r->save_in_sent;
	names->folder = r->param_collection_id;
	names->item = r->param_item_id;
	names->long_id = r->param_long_id;
}

/* What the user wrote with it; false: neither plain text nor HTML (MS-ASAIRS 2.2.2.9). */
static bool
write_text(const struct wbxml_node *body, struct mf_buf *out)
{
	const char *type = wbxml_child_value(body, AirSyncBase_Type);
	const struct wbxml_node *data = wbxml_child(body, AirSyncBase_Data);
	bool html = type != NULL && strcmp(type, "2") == 0;
	if (body != NULL && (data == NULL || type == NULL || (!html && strcmp(type, "1") != 0)))
		return false;
	mf_buf_printf(out,
		"MIME-Version: 1.0\r\nContent-Type: text/%s; charset=utf-8\r\n"
		"Content-Transfer-Encoding: 8bit\r\n\r\n",
		html ? "html" : "plain");
	if (data != NULL)
		mf_buf_add(out, wbxml_data(data).data, wbxml_data(data).len);
	return true;
}

/* A forward to people whose mail the phone leaves to us (16.0: Forwardees). False: it cannot be read. */
static bool
write_for(struct eas_request *r, const struct wbxml_node *forwardees, const struct wbxml_node *body,
	struct mf_bytes *out)
{
	struct mf_buf b;
	struct mime_addresses to = { .n = 0 };
	const struct wbxml_node *n = wbxml_child(forwardees, ComposeMail_Forwardee);
	to.list = mf_new_array(r->arena, struct mime_address, MIME_ADDRESSES_MAX);
	for (; n != NULL && to.n < MIME_ADDRESSES_MAX; n = wbxml_next(n)) {
		const char *name = wbxml_child_value(n, ComposeMail_Name);
		const char *addr = wbxml_child_value(n, ComposeMail_Email);
		if (addr != NULL && *addr != '\0')
			to.list[to.n++] = (struct mime_address){ name == NULL ? "" : name, addr };
	}
	mf_buf_init(&b, 0);
	mime_field_add_addresses(&b, "To", &to);
	bool good = write_text(body, &b);
	*out = mf_memdup(r->arena, b.data, b.len);
	mf_buf_deinit(&b);
	return good;
}

/* A mail of the phone's, or what to make one of, and nothing of both (MS-ASCMD 2.2.3.169). */
static unsigned
read_mail(struct eas_request *r, struct send_job *job)
{
	static const uint16_t of_mail[] = { ComposeMail_Mime, ComposeMail_SaveInSentItems,
		ComposeMail_ReplaceMime, RightsManagement_TemplateID };
	const struct wbxml_node *mime = wbxml_child(r->root, ComposeMail_Mime);
	const bool may_write = job->kind == SEND_FORWARD && r->version >= EAS_16_0;
	const struct wbxml_node *forwardees =
		may_write ? wbxml_child(r->root, ComposeMail_Forwardees) : NULL;
	const struct wbxml_node *body = may_write ? wbxml_child(r->root, AirSyncBase_Body) : NULL;
	if (forwardees == NULL && body == NULL) {
		if (mime == NULL)
			return EAS_FORWARD_PARAMETERS;
		job->mime = wbxml_data(mime);
		return EAS_OK;
	}
	for (size_t i = 0; i < sizeof(of_mail) / sizeof(of_mail[0]); i++)
		if (wbxml_child(r->root, of_mail[i]) != NULL)
			return EAS_FORWARD_COMBINATION;
	job->save = true; /* the phone has nothing to keep */
	return forwardees != NULL && write_for(r, forwardees, body, &job->mime)
		       ? EAS_OK
		       : EAS_FORWARD_PARAMETERS;
}

/* Who asks for a template wants its protection, which nobody here can give: sent without it, the mail would be open to all
 * (MS-ASRM 3.2.5.1). The template of zeros is "no restriction" (MS-ASRM 2.2.2.4). */
static bool
wants_protection(const struct wbxml_node *root)
{
	const char *template = wbxml_child_value(root, RightsManagement_TemplateID);
	return template != NULL && strspn(template, "0-") < strlen(template);
}

static unsigned
read_elements(struct eas_request *r, struct send_job *job, struct source_names *names)
{
	const struct wbxml_node *source = wbxml_child(r->root, ComposeMail_Source);
	const char *account = wbxml_child_value(r->root, ComposeMail_AccountId);
	if (account != NULL && *account != '\0')
		return EAS_ACCOUNT_ID;
	if (wants_protection(r->root))
		return EAS_IRM_DISABLED;
	job->client_id = wbxml_child_value(r->root, ComposeMail_ClientId);
	job->save = schema_bool(r->root, ComposeMail_SaveInSentItems, false);
	job->replace = schema_bool(r->root, ComposeMail_ReplaceMime, false);
	names->folder = wbxml_child_value(source, ComposeMail_FolderId);
	names->item = wbxml_child_value(source, ComposeMail_ItemId);
	names->long_id = wbxml_child_value(source, ComposeMail_LongId);
	names->instance = wbxml_child_value(source, ComposeMail_InstanceId);
	return read_mail(r, job);
}

/* MS-ASCMD 2.2.1.17.1: success has no body. */
static enum eas_verdict
answer(struct eas_request *r, unsigned status)
{
	if (status != EAS_OK)
		return eas_fail_status(r, status, "not sent");
	r->status = EAS_OK;
	r->answer.http_status = 200;
	return EAS_DONE;
}

enum eas_verdict
send_command(struct eas_request *r, enum send_kind kind)
{
	struct send_job *job = mf_new(r->arena, struct send_job);
	struct source_names names = { .folder = NULL };
	unsigned status = EAS_OK;
	job->kind = kind;
	job->client_id = "";
	job->own_store = true;
	if (r->root == NULL)
		read_query(r, job, &names);
	else
		status = read_elements(r, job, &names);
	if (status == EAS_OK && kind != SEND_NEW)
		status = find_source(r, &names, job);
	if (status != EAS_OK)
		return answer(r, status);
	if (send_run(r, job, &status) == EAS_WAIT)
		return EAS_WAIT;
	return answer(r, status);
}
