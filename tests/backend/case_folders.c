/* Folders: the listing, making, renaming, deleting, and calls that name one that is not there. */
#include "contract.h"

#include <string.h>

static void
check_row(struct bench *b, const struct contract_folders *f, size_t i)
{
	const struct mf_folder *row = &f->list[i];

	CHECK(b, row->id[0] != '\0' && row->name[0] != '\0', "folder %zu has an id and a name", i);
	CHECK(b, row->class == MF_CLASS_MAIL, "%s is for mail", row->name);
	CHECK(b, row->identity != NULL, "%s: an identity or \"\"", row->name);
	for (size_t k = 0; k < i; k++) {
		CHECK(b, strcmp(f->list[k].id, row->id) != 0, "%s is unique", row->id);
		CHECK(b,
			row->identity[0] == '\0' || strcmp(f->list[k].identity, row->identity) != 0,
			"the identity of %s is unique", row->id);
	}
	if (row->parent == NULL)
		return;
	for (size_t k = 0; k < i; k++)
		if (strcmp(f->list[k].id, row->parent) == 0)
			return;
	CHECK(b, false, "%s comes before its parent", row->name);
}

static void
listing(struct bench *b)
{
	struct contract_folders f = contract_folders(b);
	unsigned inboxes = 0;

	for (size_t i = 0; i < f.n; i++) {
		check_row(b, &f, i);
		inboxes += f.list[i].role == MF_ROLE_INBOX;
	}
	CHECK(b, inboxes == 1, "%u Inboxes", inboxes);
	CHECK(b, contract_find(&f, b->inbox) != NULL, "%s is there", b->inbox);
}

static void
roles(struct bench *b)
{
	static const enum mf_role wanted[] = { MF_ROLE_DRAFTS, MF_ROLE_SENT, MF_ROLE_TRASH,
		MF_ROLE_JUNK };
	struct contract_folders f = contract_folders(b);

	for (size_t k = 0; k < sizeof(wanted) / sizeof(wanted[0]); k++) {
		unsigned n = 0;

		for (size_t i = 0; i < f.n; i++)
			n += f.list[i].role == wanted[k];
		CHECK(b, n == 1, "%u folders of role %d", n, wanted[k]);
	}
}

static enum mf_status
create(struct bench *b, const char *parent, const char *name, const char **id)
{
	*id = NULL;
	return b->store->folder_create(b->s, parent, name, MF_ROLE_NONE, b->a, id, &b->err);
}

static enum mf_status
rename_to(
	struct bench *b, const char *folder, const char *parent, const char *name, const char **id)
{
	*id = NULL;
	return b->store->folder_rename(b->s, folder, parent, name, b->a, id, &b->err);
}

static void
is_listed(struct bench *b, const char *id, const char *parent, const char *name)
{
	struct contract_folders f = contract_folders(b);
	const struct mf_folder *row = contract_find(&f, id);

	NEED(b, row != NULL, "%s is listed", id);
	for (size_t i = 0; i < f.n; i++)
		check_row(b, &f, i);
	CHECK(b, strcmp(row->name, name) == 0, "is called %s, not %s", row->name, name);
	if (parent == NULL)
		CHECK(b, row->parent == NULL, "%s is at the top", name);
	else
		CHECK(b, row->parent != NULL && strcmp(row->parent, parent) == 0, "%s is in %s",
			name, parent);
}

static void
creating(struct bench *b)
{
	const char *top, *child, *deep, *none;

	STATUS(b, create(b, NULL, "Projects", &top), MF_OK);
	is_listed(b, top, NULL, "Projects");
	STATUS(b, create(b, top, "2024", &child), MF_OK);
	is_listed(b, child, top, "2024");
	STATUS(b, create(b, child, "deep", &deep), MF_OK);
	is_listed(b, deep, child, "deep");
	STATUS(b, create(b, NULL, "Projects", &none), MF_EXISTS);
	STATUS(b, create(b, top, "2024", &none), MF_EXISTS);
	STATUS(b, create(b, NULL, "INBOX", &none), MF_EXISTS);
	STATUS(b, create(b, "no such folder", "x", &none), MF_GONE);
	STATUS(b, create(b, NULL, "", &none), MF_INVALID);
	STATUS(b, b->store->folder_create(b->s, NULL, "Old", MF_ROLE_ARCHIVE, b->a, &none, &b->err),
		MF_OK);
}

static void
renaming(struct bench *b)
{
	const char *old, *child, *id, *none;

	STATUS(b, create(b, NULL, "Old", &old), MF_OK);
	STATUS(b, create(b, old, "Child", &child), MF_OK);
	contract_put_subject(b, child, "stays");
	STATUS(b, rename_to(b, old, NULL, "New", &id), MF_OK);
	NEED(b, id != NULL, "a new id");
	is_listed(b, id, NULL, "New");
	STATUS(b, rename_to(b, "no such folder", NULL, "x", &none), MF_GONE);
	if (strcmp(old, id) != 0)
		STATUS(b, rename_to(b, old, NULL, "y", &none), MF_GONE);
	STATUS(b, create(b, id, "Child", &none), MF_EXISTS);
	STATUS(b, rename_to(b, b->inbox, NULL, "x", &none), MF_REFUSED);
	STATUS(b, create(b, NULL, "Taken", &none), MF_OK);
	STATUS(b, rename_to(b, id, NULL, "Taken", &none), MF_EXISTS);
	STATUS(b, rename_to(b, id, "no such folder", "x", &none), MF_GONE);
	is_listed(b, id, NULL, "New");
}

/* The folder of that name below a parent. */
static const struct mf_folder *
below(const struct contract_folders *f, const char *parent, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->list[i].parent != NULL && strcmp(f->list[i].parent, parent) == 0 &&
			strcmp(f->list[i].name, name) == 0)
			return &f->list[i];
	return NULL;
}

static void
moving(struct bench *b)
{
	const char *a, *child, *target, *moved, *none;
	const struct mf_folder *row;
	struct contract_folders f;
	const char *identity;

	STATUS(b, create(b, NULL, "A", &a), MF_OK);
	STATUS(b, create(b, a, "Child", &child), MF_OK);
	STATUS(b, create(b, NULL, "Target", &target), MF_OK);
	contract_put_subject(b, child, "comes along");
	f = contract_folders(b);
	identity = contract_find(&f, child)->identity;

	STATUS(b, rename_to(b, a, a, "Self", &none), MF_INVALID);
	STATUS(b, rename_to(b, a, child, "Self", &none), MF_INVALID);
	STATUS(b, rename_to(b, a, target, "B", &moved), MF_OK);
	is_listed(b, moved, target, "B");
	f = contract_folders(b);
	row = below(&f, moved, "Child");
	NEED(b, row != NULL, "what was below moves along");
	CHECK(b, strcmp(row->identity, identity) == 0, "and keeps its identity");
	CHECK(b, contract_all(b, row->id).n == 1, "and its items");
	STATUS(b, rename_to(b, moved, NULL, "Back", &moved), MF_OK);
	is_listed(b, moved, NULL, "Back");
}

static void
deleting(struct bench *b)
{
	const char *top, *child, *deep, *beside;
	struct contract_folders f;

	STATUS(b, create(b, NULL, "Top", &top), MF_OK);
	STATUS(b, create(b, top, "Child", &child), MF_OK);
	STATUS(b, create(b, child, "Deep", &deep), MF_OK);
	STATUS(b, create(b, NULL, "Topmost", &beside), MF_OK);
	contract_put_subject(b, child, "goes along");
	STATUS(b, b->store->folder_delete(b->s, top, &b->err), MF_OK);
	f = contract_folders(b);
	CHECK(b, contract_find(&f, top) == NULL, "the folder is gone");
	CHECK(b, contract_find(&f, child) == NULL && contract_find(&f, deep) == NULL,
		"and what was below");
	CHECK(b, contract_find(&f, beside) != NULL, "its neighbour is not");
	STATUS(b, b->store->folder_delete(b->s, top, &b->err), MF_GONE);
	STATUS(b, b->store->folder_delete(b->s, "no such folder", &b->err), MF_GONE);
	STATUS(b, b->store->folder_delete(b->s, b->inbox, &b->err), MF_REFUSED);
}

/* A new folder of an old name is another folder: its epoch tells, and old cursors do not fit. */
static void
deleting_and_making_again(struct bench *b)
{
	const char *id = contract_folder(b, "Again"), *again;
	struct contract_changes before, after;
	struct contract_folders f;
	uint64_t epoch, then = 0, now = 0;

	contract_put_subject(b, id, "one");
	before = contract_all(b, id);
	f = contract_folders(b);
	epoch = contract_find(&f, id)->epoch;
	if (b->store->epoch != NULL) {
		NEED_OK(b, b->store->epoch(b->s, id, &then, &b->err));
		CHECK(b, then != 0 && (epoch == 0 || then == epoch), "the epoch as it is listed");
		STATUS(b, b->store->epoch(b->s, "no such folder", &now, &b->err), MF_GONE);
	}
	NEED_OK(b, b->store->folder_delete(b->s, id, &b->err));
	CHECK(b, contract_poll(b, id, before.cursor), "a folder that is gone has changed");
	again = contract_folder(b, "Again");
	contract_put_subject(b, again, "two");
	CHECK(b, contract_poll(b, again, before.cursor), "another epoch is a change");
	after = contract_changes(b, again, before.cursor, &before.added, 0);
	STATUS(b, after.status, MF_RESYNC);
	CHECK(b, after.n == 0, "no events with MF_RESYNC");
	f = contract_folders(b);
	CHECK(b, epoch == 0 || contract_find(&f, again)->epoch != epoch, "the epoch is another");
	if (b->store->epoch != NULL) {
		NEED_OK(b, b->store->epoch(b->s, again, &now, &b->err));
		CHECK(b, now != then, "and asked for as well");
	}
}

/* ---- Folders that are not there ---- */

static enum mf_status
never_item(void *ctx, const struct mf_item *item)
{
	(void)item;
	++*(unsigned *)ctx;
	return MF_OK;
}

static enum mf_status
never_write(void *ctx, const void *data, size_t len)
{
	(void)data;
	(void)len;
	++*(unsigned *)ctx;
	return MF_OK;
}

static void
calls_without_folder(struct bench *b, const char *folder)
{
	struct mf_section_want whole = { .section = "" };
	struct mf_query all = { .kind = MF_QUERY_AND };
	uint64_t id = 1;
	unsigned calls = 0;
	struct mf_fetch fetch = { .folder = folder,
		.ids = &id,
		.n = 1,
		.want = MF_WANT_FLAGS,
		.item = never_item,
		.ctx = &calls };
	struct contract_reader r = { .data = mf_bytes_str("Subject: x\r\n\r\ny\r\n") };
	struct mf_put put = { .folder = folder, .read = contract_read, .ctx = &r };
	struct mf_move move = { .id = 1 };
	struct mf_flag_change flag = { .folder = folder, .add = MF_FLAG_SEEN };
	struct contract_changes c;
	struct mf_idset one, found;

	mf_idset_init(&one);
	mf_idset_init(&found);
	mf_idset_add(&one, 1);
	flag.ids = &one;
	put.size = r.data.len;
	c = contract_changes(b, folder, mf_bytes(NULL, 0), NULL, 0);
	STATUS(b, c.status, MF_GONE);
	CHECK(b, contract_poll(b, folder, mf_bytes(NULL, 0)), "it has changed");
	STATUS(b, b->store->fetch(b->s, &fetch, &b->err), MF_GONE);
	STATUS(b, b->store->stream(b->s, folder, 1, &whole, never_write, &calls, &b->err), MF_GONE);
	STATUS(b, b->store->put(b->s, &put, &id, &b->err), MF_GONE);
	contract_again(b);
	STATUS(b, b->store->flag(b->s, &flag, &found, &b->err), MF_GONE);
	STATUS(b, b->store->move(b->s, folder, b->inbox, &move, 1, &b->err), MF_GONE);
	CHECK(b, move.status == MF_GONE && move.to == 0, "the item of a folder that is gone");
	STATUS(b, b->store->remove(b->s, folder, &one, &b->err), MF_GONE);
	STATUS(b, b->store->empty(b->s, folder, &b->err), MF_GONE);
	STATUS(b, b->store->search(b->s, folder, &all, 0, &found, &b->err), MF_GONE);
	CHECK(b, calls == 0 && c.n == 0, "no callbacks");
	CHECK(b, b->api->usable(b->s), "the session stays usable");
	mf_idset_deinit(&one);
	mf_idset_deinit(&found);
}

static void
no_such_folder(struct bench *b)
{
	calls_without_folder(b, "no such folder");
}

static void
folder_that_went(struct bench *b)
{
	const char *id = contract_folder(b, "Gone");
	struct mf_session *other = contract_login(b);

	/* This session knows it well; another one deletes it. */
	contract_put_subject(b, id, "one");
	contract_all(b, id);
	NEED_OK(b, b->store->folder_delete(other, id, &b->err));
	b->api->logout(other);
	calls_without_folder(b, id);
}

const struct contract_case cases_folders[] = {
	{ "folders-listing", listing, 0 },
	{ "folders-roles", roles, CAN_ROLES },
	{ "folders-creating", creating, CAN_FOLDERS },
	{ "folders-renaming", renaming, CAN_FOLDERS },
	{ "folders-moving", moving, CAN_FOLDERS },
	{ "folders-deleting", deleting, CAN_FOLDERS },
	{ "folders-deleting-and-making-again", deleting_and_making_again, CAN_FOLDERS },
	{ "no-such-folder", no_such_folder, 0 },
	{ "folder-that-went", folder_that_went, CAN_FOLDERS },
	{ NULL, NULL, 0 },
};
