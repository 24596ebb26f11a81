/* Folders of the picture. Items are in items.c. */
#include "client/mailbox.h"

#include <stdlib.h>

#include "base/str.h"
#include "client/memory.h"

static const struct {
	unsigned type;
	const char *name;
} types[] = {
	{ 2, "inbox" },
	{ 3, "drafts" },
	{ 4, "deleted" },
	{ 5, "sent" },
	{ 6, "outbox" },
	{ 7, "tasks" },
	{ 8, "calendar" },
	{ 9, "contacts" },
	{ 10, "notes" },
	{ 11, "journal" },
	{ 1, "folder" },
	{ 12, "folder" },
	{ 13, "calendar" },
	{ 14, "contacts" },
	{ 15, "tasks" },
	{ 16, "journal" },
	{ 17, "notes" },
	{ 19, "recipients" },
};

struct client_mailbox *
client_mailbox_new(void)
{
	struct client_mailbox *m = client_zalloc(sizeof(*m));

	m->key = client_copy("0");
	return m;
}

static void
folder_free(struct client_folder *f)
{
	client_folder_reset(f);
	free(f->slots);
	free(f->edits);
	free(f->key);
	free(f->id);
	free(f->parent);
	free(f->name);
	free(f);
}

void
client_mailbox_free(struct client_mailbox *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->n_folders; i++)
		folder_free(m->folders[i]);
	free(m->folders);
	free(m->key);
	free(m);
}

static void
set(char **where, const char *s)
{
	char *copy = client_copy(s);

	free(*where);
	*where = copy;
}

void
client_folder_set_key(struct client_folder *f, const char *key)
{
	set(&f->key, key);
}

void
client_mailbox_set_key(struct client_mailbox *m, const char *key)
{
	set(&m->key, key);
}

struct client_folder *
client_folder_by_id(const struct client_mailbox *m, const char *id)
{
	for (size_t i = 0; i < m->n_folders; i++)
		if (strcmp(m->folders[i]->id, id) == 0)
			return m->folders[i];
	return NULL;
}

const char *
client_folder_type_name(unsigned type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].type == type)
			return types[i].name;
	return "unknown";
}

struct client_folder *
client_folder_find(const struct client_mailbox *m, const char *name)
{
	struct client_folder *f = client_folder_by_id(m, name);

	for (size_t i = 0; f == NULL && i < m->n_folders; i++)
		if (str_ieq(m->folders[i]->name, name))
			f = m->folders[i];
	for (size_t i = 0; f == NULL && i < m->n_folders; i++)
		if (str_ieq(client_folder_type_name(m->folders[i]->type), name))
			f = m->folders[i];
	return f;
}

struct client_folder *
client_folder_put(struct client_mailbox *m, const char *id, const char *parent, const char *name,
	unsigned type)
{
	struct client_folder *f = client_folder_by_id(m, id);

	if (f == NULL) {
		f = client_zalloc(sizeof(*f));
		f->id = client_copy(id);
		f->key = client_copy("0");
		m->folders = client_realloc(m->folders, (m->n_folders + 1) * sizeof(*m->folders));
		m->folders[m->n_folders++] = f;
	}
	set(&f->parent, parent);
	set(&f->name, name);
	f->type = type;
	return f;
}

void
client_folder_remove(struct client_mailbox *m, const char *id)
{
	for (size_t i = 0; i < m->n_folders; i++) {
		if (strcmp(m->folders[i]->id, id) != 0)
			continue;
		folder_free(m->folders[i]);
		m->n_folders--;
		memmove(m->folders + i, m->folders + i + 1,
			(m->n_folders - i) * sizeof(*m->folders));
		return;
	}
}
