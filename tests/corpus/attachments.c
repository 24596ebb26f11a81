/*
 * Attachments of real mail, as a phone gets them through the daemon from Dovecot, against GMime's reading of the same
 * messages: the digest of each must be that of a part of the message. Attached messages must stand in it as they are.
 * Two of a hundred may differ: broken messages are read in several ways.
 */
#include <gmime/gmime.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "client/mail.h"
#include "phone.h"

enum { PARTS_MAX = 1000, METHOD_MESSAGE = 5 };

struct digests {
	uint8_t list[PARTS_MAX][DIGEST_SIZE];
	size_t n;
};

static size_t messages, files, inner, wrong;

/* ---- The other reading ---- */

static void
add_part(GMimeObject *parent, GMimeObject *part, gpointer ctx)
{
	struct digests *d = ctx;

	(void)parent;
	if (!GMIME_IS_PART(part) || d->n == PARTS_MAX)
		return;
	GMimeDataWrapper *content = g_mime_part_get_content(GMIME_PART(part));
	GMimeStream *memory = g_mime_stream_mem_new();

	if (content != NULL)
		g_mime_data_wrapper_write_to_stream(content, memory);
	GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(memory));
	digest_sha256(bytes->data, bytes->len, d->list[d->n++]);
	g_object_unref(memory);
}

static void
read_parts(struct mf_bytes raw, struct digests *out)
{
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer((const char *)raw.data, raw.len);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);

	out->n = 0;
	if (message != NULL) {
		g_mime_message_foreach(message, add_part, out);
		g_object_unref(message);
	}
	g_object_unref(parser);
	g_object_unref(stream);
}

static bool
is_part(const struct digests *d, struct mf_bytes data)
{
	uint8_t digest[DIGEST_SIZE];

	digest_sha256(data.data, data.len, digest);
	for (size_t i = 0; i < d->n; i++)
		if (memcmp(d->list[i], digest, DIGEST_SIZE) == 0)
			return true;
	return false;
}

/* ---- The phone's ---- */

static void
fetch(struct phone *p, const struct client_wish *wish, struct client_answer *answer,
	struct client_fetched *out)
{
	struct mf_error err = { .text = "" };

	if (client_fetch(p->client, wish, answer, out, &err) != MF_OK || out->status != 1)
		fixture_die("no %s: status %u %s",
			wish->item_id == NULL ? wish->file_reference : wish->item_id, out->status,
			err.text);
}

static void
check_file(struct phone *p, const struct wbxml_node *attachment, const char *subject,
	struct mf_bytes raw, const struct digests *d)
{
	struct client_wish wish = { .file_reference = wbxml_child_value(
					    attachment, AirSyncBase_FileReference),
		.mime_support = -1 };
	const char *method = wbxml_child_value(attachment, AirSyncBase_Method);
	struct client_answer answer = { 0 };
	struct client_fetched got;
	bool right;

	fetch(p, &wish, &answer, &got);
	if (atoi(method) == METHOD_MESSAGE) {
		inner++;
		right = memmem(raw.data, raw.len, got.data.data, got.data.len) != NULL;
	} else {
		files++;
		right = is_part(d, got.data);
	}
	if (!right && ++wrong < 40)
		printf("differs: %s of %zu bytes, in: %s\n",
			wbxml_child_value(attachment, AirSyncBase_DisplayName), got.data.len,
			subject);
}

static void
check_item(struct phone *p, const struct client_folder *f, const struct client_item *item)
{
	struct client_wish wish = { .folder_id = f->id,
		.item_id = item->id,
		.body_type = 4,
		.truncation = -1,
		.mime_support = 2 };
	struct client_answer answer = { 0 };
	struct client_fetched got;
	struct mf_arena *a = mf_arena_new();
	struct digests *d = calloc(1, sizeof(*d));
	const struct wbxml_node *list, *one;
	struct mf_bytes raw, *copies;
	size_t n = 0;

	fetch(p, &wish, &answer, &got);
	raw = mf_memdup(a, got.data.data, got.data.len);
	read_parts(raw, d);
	list = wbxml_child(got.properties, AirSyncBase_Attachments);
	/* The answer goes with the next one: what is needed of it is kept as a document of its own. */
	copies = mf_new_array(a, struct mf_bytes, PARTS_MAX);
	for (one = wbxml_child(list, AirSyncBase_Attachment); one != NULL && n < PARTS_MAX;
		one = wbxml_next(one)) {
		struct wbxml_writer w;
		struct mf_buf b;

		mf_buf_init(&b, 0);
		wbxml_begin(&w, &b);
		wbxml_copy(&w, one);
		copies[n++] = mf_memdup(a, b.data, b.len);
		mf_buf_deinit(&b);
	}
	for (size_t i = 0; i < n; i++) {
		struct wbxml_node *root;
		struct mf_error err;

		if (wbxml_decode(a, copies[i], &wbxml_limits_default, false, &root, &err) != MF_OK)
			fixture_die("%s", err.text);
		check_file(p, root, item->subject, raw, d);
	}
	messages++;
	free(d);
	mf_arena_free(a);
}

int
main(void)
{
	static const char *const folders[] = { "inbox", "Junk" };
	struct dovecot dovecot;
	struct gateway gateway;
	struct phone *p;

	g_mime_init();
	dovecot_start(&dovecot, "");
	dovecot_fill(&dovecot, "demo", "contrib/tools/corpus maildir");
	gateway_start(&gateway, &dovecot, "");
	p = phone_new(&gateway, "demo", NULL, "phone1");
	phone_hierarchy(p);
	for (int i = 0; i < 2; i++) {
		struct client_folder *f = phone_folder(p, folders[i]);
		const struct client_item **items;

		phone_sync(p, folders[i]);
		items = client_items_sorted(f);
		for (size_t k = 0; k < f->n_items; k++)
			if (items[k]->attachments > 0)
				check_item(p, f, items[k]);
		free(items);
	}
	printf("%zu messages: %zu files, %zu messages in them; %zu differ\n", messages, files,
		inner, wrong);
	phone_free(p);
	gateway_end(&gateway);
	dovecot_end(&dovecot);
	return files == 0 || wrong * 50 > files + inner;
}
