/*
 * Items of a folder's picture: a hash table with open addressing, each item one block of memory that
 * holds its strings, and the user's queued edits.
 */
#include <stdlib.h>

#include "base/str.h"
#include "client/client.h"
#include "client/mailbox.h"
#include "client/memory.h"

enum { SLOTS_FIRST = 64 };

static size_t
hash(const char *s)
{
	size_t h = 14695981039346656037U;

	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 1099511628211U;
	return h ^ h >> 32;
}

/* The slot of id, or the empty one where it would go. n_slots is a power of two, never full. */
static size_t
slot_of(const struct client_folder *f, const char *id)
{
	size_t i = hash(id) & (f->n_slots - 1);

	while (f->slots[i] != NULL && strcmp(f->slots[i]->id, id) != 0)
		i = (i + 1) & (f->n_slots - 1);
	return i;
}

static void
grow(struct client_folder *f)
{
	struct client_item **old = f->slots;
	size_t n_old = f->n_slots;

	f->n_slots = n_old == 0 ? SLOTS_FIRST : n_old * 2;
	f->slots = client_zalloc(f->n_slots * sizeof(struct client_item *));
	for (size_t i = 0; i < n_old; i++)
		if (old[i] != NULL)
			f->slots[slot_of(f, old[i]->id)] = old[i];
	free(old);
}

const struct client_item *
client_item_find(const struct client_folder *f, const char *id)
{
	return f->n_slots == 0 ? NULL : f->slots[slot_of(f, id)];
}

/* Closes the gap: what probed past the slot moves up. */
static void
slot_clear(struct client_folder *f, size_t gap)
{
	size_t mask = f->n_slots - 1;

	f->slots[gap] = NULL;
	for (size_t i = (gap + 1) & mask; f->slots[i] != NULL; i = (i + 1) & mask) {
		struct client_item *item = f->slots[i];

		f->slots[i] = NULL;
		f->slots[slot_of(f, item->id)] = item;
	}
}

bool
client_item_remove(struct client_folder *f, const char *id)
{
	size_t i = f->n_slots == 0 ? 0 : slot_of(f, id);

	if (f->n_slots == 0 || f->slots[i] == NULL)
		return false;
	free(f->slots[i]);
	slot_clear(f, i);
	f->n_items--;
	return true;
}

void
client_folder_reset(struct client_folder *f)
{
	for (size_t i = 0; i < f->n_slots; i++) {
		free(f->slots[i]);
		f->slots[i] = NULL;
	}
	f->n_items = 0;
	f->more = false;
	client_edits_clear(f);
	client_folder_set_key(f, "0");
}

/* ---- What ApplicationData tells ---- */

static void
take_string(const char **where, const struct wbxml_node *data, uint16_t tag)
{
	const char *s = wbxml_child_value(data, tag);

	if (s != NULL)
		*where = s;
}

static void
take_body(struct client_item *item, const struct wbxml_node *data, bool keep)
{
	const struct wbxml_node *body = wbxml_child(data, AirSyncBase_Body);
	uint64_t size = 0;

	item->native_body_type =
		(uint8_t)client_number(data, AirSyncBase_NativeBodyType, item->native_body_type);
	if (body == NULL)
		return;
	item->body_type = (uint8_t)client_number(body, AirSyncBase_Type, 0);
	item->truncated = client_number(body, AirSyncBase_Truncated, 0) == 1;
	if (!str_to_u64(wbxml_child_value(body, AirSyncBase_EstimatedDataSize), UINT64_MAX, &size))
		size = 0;
	item->body_size = size;
	item->body = keep ? wbxml_data(wbxml_child(body, AirSyncBase_Data)) : mf_bytes(NULL, 0);
}

static void
take_flag(struct client_item *item, const struct wbxml_node *data)
{
	const struct wbxml_node *flag = wbxml_child(data, Email_Flag);

	if (flag != NULL)
		item->flag = (uint8_t)client_number(flag, Email_Status, CLIENT_UNFLAGGED);
}

static void
take_attachments(struct client_item *item, const struct wbxml_node *data)
{
	const struct wbxml_node *list = wbxml_child(data, AirSyncBase_Attachments);

	if (list == NULL)
		return;
	item->attachments = 0;
	for (const struct wbxml_node *n = list->children; n != NULL; n = n->next)
		item->attachments++;
}

static void
take_conversation(struct client_item *item, const struct wbxml_node *data)
{
	struct mf_bytes id = wbxml_data(wbxml_child(data, Email2_ConversationId));

	if (id.len != sizeof(item->conversation))
		return;
	memcpy(item->conversation, id.data, id.len);
	item->has_conversation = true;
}

/* Copies *s behind the others, and points *s there. */
static char *
place(char *at, const char **s)
{
	size_t len = strlen(*s) + 1;

	memcpy(at, *s, len);
	*s = at;
	return at + len;
}

/* One block for the item and all that it points to. */
static struct client_item *
pack(const struct client_item *loose)
{
	struct client_item *item;
	size_t size = sizeof(*item) + strlen(loose->id) + strlen(loose->subject) +
		      strlen(loose->from) + strlen(loose->to) + strlen(loose->date) +
		      strlen(loose->message_class) + 6 + loose->body.len;
	char *at;

	item = client_realloc(NULL, size);
	*item = *loose;
	at = (char *)(item + 1);
	at = place(at, &item->id);
	at = place(at, &item->subject);
	at = place(at, &item->from);
	at = place(at, &item->to);
	at = place(at, &item->date);
	at = place(at, &item->message_class);
	if (loose->body.len > 0)
		memcpy(at, loose->body.data, loose->body.len);
	item->body.data = loose->body.len > 0 ? (const uint8_t *)at : NULL;
	return item;
}

void
client_item_put(struct client_folder *f, const char *id, const struct wbxml_node *data, bool keep)
{
	struct client_item loose = {
		.id = id, .subject = "", .from = "", .to = "", .date = "", .message_class = ""
	};
	struct client_item **slot, *packed;

	if (f->n_items * 2 >= f->n_slots)
		grow(f);
	slot = &f->slots[slot_of(f, id)];
	if (*slot != NULL)
		loose = **slot;
	take_string(&loose.subject, data, Email_Subject);
	take_string(&loose.from, data, Email_From);
	take_string(&loose.to, data, Email_To);
	take_string(&loose.date, data, Email_DateReceived);
	take_string(&loose.message_class, data, Email_MessageClass);
	loose.read = client_number(data, Email_Read, loose.read) == 1;
	loose.importance = (uint8_t)client_number(data, Email_Importance, loose.importance);
	take_flag(&loose, data);
	take_attachments(&loose, data);
	take_body(&loose, data, keep);
	take_conversation(&loose, data);
	f->n_items += *slot == NULL;
	packed = pack(&loose);
	free(*slot); /* what loose points to, perhaps: not before */
	*slot = packed;
}

static int
newer_first(const void *a, const void *b)
{
	const struct client_item *x = *(const struct client_item *const *)a;
	const struct client_item *y = *(const struct client_item *const *)b;
	int by_date = strcmp(y->date, x->date);

	return by_date != 0 ? by_date : strcmp(x->id, y->id);
}

const struct client_item **
client_items_sorted(const struct client_folder *f)
{
	const struct client_item **all = client_zalloc(f->n_items * sizeof(struct client_item *));
	size_t n = 0;

	for (size_t i = 0; i < f->n_slots; i++)
		if (f->slots[i] != NULL)
			all[n++] = f->slots[i];
	qsort(all, n, sizeof(struct client_item *), newer_first);
	return all;
}
