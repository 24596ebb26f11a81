/*
 * Knows which folders a phone cannot do without; must not know what a device holds, or elements.
 */
#include "eas/folders.h"

#include "base/str.h"
#include "eas/folders_recognise.h"
#include "eas/map/folder.h"
#include "mailferry/log.h"

/* A phone without one of these shows no account, or deletes for good. */
static const struct required {
	enum mf_role role;
	const char *name; /* of the one that we make */
	const char *id;	  /* of its virtual stand-in */
	bool make;
} required[] = {
	{ MF_ROLE_INBOX, "Inbox", "inbox", false },
	{ MF_ROLE_DRAFTS, "Drafts", "drafts", true },
	{ MF_ROLE_TRASH, "Trash", "trash", true },
	{ MF_ROLE_SENT, "Sent", "sent", true },
	{ MF_ROLE_OUTBOX, "Outbox", "outbox", false },
};

enum { REQUIRED = sizeof(required) / sizeof(*required) };

/* Phones know it since 14.0 (MS-ASCNTC 3.1.4.4). */
bool
eas_folders_recipients(const struct eas_request *r)
{
	return r->version >= EAS_14_0 && mf_conf_bool(r->server->conf, "recipient_cache");
}

struct list {
	struct mf_arena *arena;
	struct mf_folder *folders;
	size_t n, room;
};

static void
grow(struct list *l)
{
	size_t room = l->room == 0 ? 64 : 2 * l->room;
	struct mf_folder *bigger = mf_new_array(l->arena, struct mf_folder, room);
	for (size_t i = 0; i < l->n; i++)
		bigger[i] = l->folders[i];
	l->folders = bigger;
	l->room = room;
}

static enum mf_status
collect(void *ctx, const struct mf_folder *f)
{
	struct list *l = ctx;
	if (l->n == STATE_FOLDERS_MAX)
		return MF_OK;
	if (l->n == l->room)
		grow(l);
	l->folders[l->n] = *f;
	l->folders[l->n].id = mf_strdup(l->arena, f->id);
	l->folders[l->n].parent = mf_strdup(l->arena, f->parent);
	l->folders[l->n].name = mf_strdup(l->arena, f->name);
	l->folders[l->n].identity = mf_strdup(l->arena, f->identity == NULL ? "" : f->identity);
	l->n++;
	return MF_OK;
}

static enum mf_status
list_folders(struct eas_request *r, struct list *l, struct mf_error *err)
{
	l->n = 0;
	return r->store_api->folders(r->store, collect, l, err);
}

/* The folder of a role. A server without special uses may have it under its plain name: then it is
 * given the role. */
static bool
find_role(struct list *l, const struct required *q)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->folders[i].role == q->role)
			return true;
	for (size_t i = 0; i < l->n; i++) {
		struct mf_folder *f = &l->folders[i];
		if (f->parent == NULL && f->role == MF_ROLE_NONE && str_ieq(f->name, q->name) &&
			!(f->flags & MF_FOLDER_NO_ITEMS)) {
			f->role = q->role;
			return true;
		}
	}
	return false;
}

/* Makes what is missing; *made when anything was. Only a server that is down is a failure. */
static enum mf_status
make_missing(struct eas_request *r, struct list *l, bool *made, struct mf_error *err)
{
	for (size_t i = 0; i < REQUIRED; i++) {
		const char *id;
		if (!required[i].make || find_role(l, &required[i]))
			continue;
		if (r->store_api->folder_create == NULL)
			return MF_OK;
		enum mf_status st = r->store_api->folder_create(
			r->store, NULL, required[i].name, required[i].role, r->arena, &id, err);
		if (st == MF_TEMPORARY || st == MF_AUTH || st == MF_BROKEN)
			return st;
		if (st == MF_OK)
			mf_log_info("made_folder=%s", required[i].name);
		else
			mf_log_info(
				"made_folder=%s failed=%s", required[i].name, mf_status_name(st));
		*made = *made || st == MF_OK;
	}
	return MF_OK;
}

/* What is still missing is shown, and is empty. */
static void
list_virtual(struct list *real, struct list *out)
{
	for (size_t i = 0; i < REQUIRED; i++) {
		const struct mf_folder stand_in = { .id = required[i].id,
			.name = required[i].name,
			.role = required[i].role,
			.flags = MF_FOLDER_NO_ITEMS | MF_FOLDER_NO_CHILDREN,
			.identity = "",
			.epoch = 1 };
		if (!find_role(real, &required[i]))
			collect(out, &stand_in);
	}
	collect(out, &(struct mf_folder){ .id = FOLDER_RECIPIENTS_ID,
			     .name = "RecipientInfo",
			     .class = MF_CLASS_CONTACTS,
			     .flags = MF_FOLDER_NO_CHILDREN,
			     .identity = "",
			     .epoch = 1 });
}

enum mf_status
eas_folders_refresh(struct eas_request *r, struct state_folders *out, struct mf_error *err)
{
	struct list real = { .arena = r->arena }, virtual = { .arena = r->arena };
	bool made = false;
	enum mf_status st = list_folders(r, &real, err);
	if (st == MF_OK)
		st = make_missing(r, &real, &made, err);
	if (st == MF_OK && made)
		st = list_folders(r, &real, err);
	if (st == MF_OK)
		st = eas_folders_recognise(r, real.folders, real.n, err);
	if (st != MF_OK)
		return st;
	list_virtual(&real, &virtual);
	struct state *state = r->server->state;
	st = state_folders_reconcile(state, r->user_number, FOLDER_VIRTUAL_STORE, virtual.folders,
		virtual.n, r->arena, out, err);
	if (st == MF_OK)
		st = state_folders_reconcile(state, r->user_number, r->store_name, real.folders,
			real.n, r->arena, out, err);
	return st;
}
