/* The user's queued changes, and two pictures compared. */
#include <stdlib.h>

#include "client/mailbox.h"
#include "client/memory.h"

static void
add(struct client_folder *f, enum client_edit_kind kind, const char *id, uint8_t value)
{
	f->edits = client_realloc(f->edits, (f->n_edits + 1) * sizeof(*f->edits));
	f->edits[f->n_edits++] =
		(struct client_edit){ .kind = kind, .id = client_copy(id), .value = value };
}

void
client_edit_read(struct client_folder *f, const char *id, bool read)
{
	add(f, CLIENT_EDIT_READ, id, read);
}

void
client_edit_flag(struct client_folder *f, const char *id, enum client_flag flag)
{
	add(f, CLIENT_EDIT_FLAG, id, (uint8_t)flag);
}

void
client_edit_delete(struct client_folder *f, const char *id)
{
	add(f, CLIENT_EDIT_DELETE, id, 0);
}

static void
apply(struct client_folder *f, const struct client_edit *e)
{
	struct client_item *item = (struct client_item *)(uintptr_t)client_item_find(f, e->id);

	if (item == NULL)
		return;
	if (e->kind == CLIENT_EDIT_READ)
		item->read = e->value == 1;
	else if (e->kind == CLIENT_EDIT_FLAG)
		item->flag = e->value;
	else
		client_item_remove(f, e->id);
}

/* Drops the first n. */
static void
drop(struct client_folder *f, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(f->edits[i].id);
	f->n_edits -= n;
	f->n_sent = 0;
	if (f->n_edits > 0)
		memmove(f->edits, f->edits + n, f->n_edits * sizeof(*f->edits));
}

void
client_edits_settle(struct client_folder *f)
{
	for (size_t i = 0; i < f->n_sent; i++)
		if (!f->edits[i].refused)
			apply(f, &f->edits[i]);
	drop(f, f->n_sent);
}

void
client_edits_clear(struct client_folder *f)
{
	drop(f, f->n_edits);
}

static bool
item_differs(const struct client_item *x, const struct client_item *y, struct mf_buf *out)
{
	if (y == NULL)
		mf_buf_printf(out, "%s is only in the first", x->id);
	else if (x->read != y->read)
		mf_buf_printf(out, "%s: read is %d and %d", x->id, x->read, y->read);
	else if (x->flag != y->flag)
		mf_buf_printf(out, "%s: flag is %d and %d", x->id, x->flag, y->flag);
	else if (strcmp(x->subject, y->subject) != 0)
		mf_buf_printf(out, "%s: subject is '%s' and '%s'", x->id, x->subject, y->subject);
	else
		return false;
	return true;
}

bool
client_folder_differs(
	const struct client_folder *a, const struct client_folder *b, struct mf_buf *out)
{
	for (size_t i = 0; i < a->n_slots; i++)
		if (a->slots[i] != NULL &&
			item_differs(a->slots[i], client_item_find(b, a->slots[i]->id), out))
			return true;
	for (size_t i = 0; i < b->n_slots; i++) {
		if (b->slots[i] == NULL || client_item_find(a, b->slots[i]->id) != NULL)
			continue;
		mf_buf_printf(out, "%s is only in the second", b->slots[i]->id);
		return true;
	}
	return false;
}
