/*
 * Attachments that a draft was added with: the client called them by names of its own and is told their
 * FileReferences. The draft was composed with them behind everything else (map/draft.h), so they are the
 * last ones of the item.
 */
#include <string.h>

#include "eas/cmd/sync.h"
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

static enum mf_status
take(void *ctx, const struct mf_item *item)
{
	struct writing *x = ctx;
	struct wbxml_writer *w = &x->r->writer;
	struct mf_arena *a = x->r->arena;
	struct mime_header header;
	struct mime_structure s;
	size_t n = count(x->names), first;

	mime_header_parse(a, item->header, &header);
	mime_structure_read(a, item->structure, &header, &s);
	if (s.n_attachments < n)
		return MF_OK;
	first = s.n_attachments - n;
	wbxml_open(w, AirSync_ApplicationData);
	wbxml_open(w, AirSyncBase_Attachments);
	for (size_t i = 0; i < n; i++) {
		const char *end = strchr(x->names, '\n');

		wbxml_open(w, AirSyncBase_Attachment);
		wbxml_element(
			w, AirSyncBase_ClientId, mf_strndup(a, x->names, (size_t)(end - x->names)));
		wbxml_element(w, AirSyncBase_FileReference,
			ids_file_print(a, x->c->folder->number, item,
				s.attachments[first + i].part->section, 0));
		wbxml_close(w);
		x->names = end + 1;
	}
	wbxml_close(w);
	wbxml_close(w);
	return MF_OK;
}

enum mf_status
sync_attached_write(struct eas_request *r, const struct sync_collection *c,
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

	if (s->attached[0] == '\0' || s->status != EAS_OK ||
		!ids_item_parse(s->server_id, &folder, &id))
		return MF_OK;
	return c->source.api->fetch(c->source.session, &f, err);
}
