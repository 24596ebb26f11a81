/*
 * What a phone is told of a draft that it added, and could not know: the conversation that it belongs to, and the
 * FileReferences of attachments, which the phone called by names of its own. The draft was composed with them
 * behind everything else (map/draft.h), so they are the last ones of the item.
 */
#include <string.h>

#include "eas/cmd/sync.h"
#include "eas/map/conversation.h"
#include "eas/map/ids.h"
#include "mime/header.h"

const char *
sync_attached_names(struct mf_arena *a, const struct wbxml_node *command)
{
	const struct wbxml_node *data = wbxml_child(command, AirSync_ApplicationData);
	const struct wbxml_node *n =
		wbxml_child(wbxml_child(data, AirSyncBase_Attachments), AirSyncBase_Add);
	struct mf_buf b;
	const char *names;

	mf_buf_init(&b, 0);
	for (; n != NULL; n = wbxml_next(n)) {
		const char *name = wbxml_child_value(n, AirSyncBase_ClientId);
		bool odd = name == NULL || strchr(name, '\n') != NULL;

		mf_buf_printf(&b, "%s\n", odd ? "" : name);
	}
	names = mf_strdup(a, mf_buf_str(&b));
	mf_buf_deinit(&b);
	return names;
}

struct writing {
	struct eas_request *r;
	const struct sync_collection *c;
	const char *names;
};

static size_t
count(const char *names)
{
	size_t n = 0;

	for (; (names = strchr(names, '\n')) != NULL; names++)
		n++;
	return n;
}

static void
write_attachments(struct writing *x, const struct mf_item *item, const struct mime_structure *s)
{
	struct wbxml_writer *w = &x->r->writer;
	struct mf_arena *a = x->r->arena;
	const char *name = x->names;
	size_t n = count(name);

	if (n == 0 || s->n_attachments < n)
		return;
	wbxml_open(w, AirSyncBase_Attachments);
	for (size_t i = s->n_attachments - n; i < s->n_attachments; i++) {
		const char *end = strchr(name, '\n');

		wbxml_open(w, AirSyncBase_Attachment);
		wbxml_element(w, AirSyncBase_ClientId, mf_strndup(a, name, (size_t)(end - name)));
		wbxml_element(w, AirSyncBase_FileReference,
			ids_file_print(
				a, x->c->folder->number, item, s->attachments[i].part->section, 0));
		wbxml_close(w);
		name = end + 1;
	}
	wbxml_close(w);
}

static enum mf_status
take(void *ctx, const struct mf_item *item)
{
	struct writing *x = ctx;
	struct wbxml_writer *w = &x->r->writer;
	struct mf_arena *a = x->r->arena;
	struct mime_header header;
	struct mime_structure s;

	mime_header_parse(a, item->header, &header);
	mime_structure_read(a, item->structure, &header, &s);
	wbxml_open(w, AirSync_ApplicationData);
	write_attachments(x, item, &s);
	conversation_write(w, a, x->r->server->state, x->r->user_number, &header, item);
	wbxml_close(w);
	return MF_OK;
}

enum mf_status
sync_added_write(struct eas_request *r, const struct sync_collection *c,
	const struct sync_response *s, struct mf_error *err)
{
	struct writing x = { .r = r, .c = c, .names = s->attached };
	uint32_t folder;
	uint64_t id;
	struct mf_fetch f = { .folder = c->source.folder,
		.ids = &id,
		.n = 1,
		.want = EMAIL_WANT,
		.fields = email_fields,
		.item = take,
		.ctx = &x };

	if (s->status != EAS_OK || !ids_item_parse(s->server_id, &folder, &id))
		return MF_OK;
	return c->source.api->fetch(c->source.session, &f, err);
}
