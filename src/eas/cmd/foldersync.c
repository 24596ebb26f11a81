/*
 * FolderSync (MS-ASCMD 2.2.1.5): the hierarchy, whole or what changed since the device's key.
 *
 * Key 0 gives the whole hierarchy and changes nothing else: the keys of collections stay valid (some
 * clients begin each refresh with it). As long as a device's hierarchy stays the same its key does
 * too, so that a repetition costs no write. A key is valid until its successor is used: an answer
 * that was lost is computed again from the older key.
 */
#include "eas/commands.h"

#include <string.h>

#include "eas/folders.h"
#include "eas/map/folder.h"
#include "state/device.h"
#include "state/hierarchy.h"

/* Another request of the same device may commit at the same moment: then once more, from the start. */
enum { TRIES = 3 };

struct foldersync {
	uint64_t key; /* the client's; 0: everything */
	struct state_hierarchies stored;
	const struct state_hierarchy *base; /* what the device holds */
	struct state_hierarchy view;	    /* what it is to hold, with its new key */
};

static bool
same(const struct state_held *a, const struct state_held *b)
{
	return a->number == b->number && a->parent == b->parent && a->type == b->type &&
	       strcmp(a->name, b->name) == 0;
}

static bool
same_all(const struct state_hierarchy *a, const struct state_hierarchy *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!same(&a->held[i], &b->held[i]))
			return false;
	return true;
}

/* MF_RESYNC: a key that is not (or no longer) known. */
static enum mf_status
choose_base(struct eas_request *r, struct foldersync *f, struct mf_error *err)
{
	static const struct state_hierarchy nothing;
	enum mf_status st = state_hierarchy_load(
		r->server->state, r->user_number, r->device->number, r->arena, &f->stored, err);
	if (st != MF_OK)
		return st;
	f->base = NULL;
	if (f->key == 0)
		f->base = &nothing;
	else if (f->key == f->stored.newest.key)
		f->base = &f->stored.newest;
	else if (f->key == f->stored.previous.key)
		f->base = &f->stored.previous;
	if (f->base == NULL)
		return mf_fail(err, MF_RESYNC, "FolderSync: the key is unknown");
	return MF_OK;
}

/* Gives the view a key, a new one when the device's newest does not stand for the same. With key 0
 * the newest generation stays valid too: this answer may get lost. */
static enum mf_status
commit(struct eas_request *r, struct foldersync *f, struct mf_error *err)
{
	const struct state_hierarchy *newest = &f->stored.newest;
	if (newest->key != 0 && same_all(newest, &f->view)) {
		f->view.key = newest->key;
		return MF_OK;
	}
	f->view.key = state_generation_next(newest->key);
	return state_hierarchy_commit(r->server->state, r->user_number, r->device->number,
		newest->key, f->key == 0 ? newest->key : f->key, &f->view, err);
}

static enum mf_status
update(struct eas_request *r, struct foldersync *f, struct mf_error *err)
{
	struct state_folders folders;
	enum mf_status st = choose_base(r, f, err);
	if (st == MF_OK)
		st = eas_folders_refresh(r, &folders, err);
	if (st != MF_OK)
		return st;
	folder_view(r->arena, &folders, eas_folders_recipients(r), &f->view);
	st = commit(r, f, err);
	for (int i = 1; st == MF_RESYNC && i < TRIES; i++) {
		st = choose_base(r, f, err);
		if (st != MF_OK)
			return st;
		st = commit(r, f, err);
	}
	if (st == MF_RESYNC)
		return mf_fail(err, MF_TEMPORARY, "FolderSync: too many at once");
	return st;
}

/* ---- The answer ---- */

static void
write_id(struct eas_request *r, uint16_t tag, uint32_t number)
{
	wbxml_number(&r->writer, tag, number);
}

static void
write_folder(struct eas_request *r, uint16_t tag, const struct state_held *h)
{
	wbxml_open(&r->writer, tag);
	write_id(r, FolderHierarchy_ServerId, h->number);
	write_id(r, FolderHierarchy_ParentId, h->parent);
	wbxml_element(&r->writer, FolderHierarchy_DisplayName, h->name);
	wbxml_number(&r->writer, FolderHierarchy_Type, h->type);
	wbxml_close(&r->writer);
}

/* How an entry of one side looks on the other: 0 where the change is not of that kind. */
static uint16_t
change_of(const struct state_held *h, const struct state_hierarchy *other, bool to)
{
	const struct state_held *there = state_hierarchy_find(other, h->number);
	if (there == NULL)
		return to ? FolderHierarchy_Add : FolderHierarchy_Delete;
	return to && !same(h, there) ? FolderHierarchy_Update : 0;
}

static unsigned
count_changes(const struct foldersync *f)
{
	unsigned n = 0;
	for (size_t i = 0; i < f->view.n; i++)
		n += change_of(&f->view.held[i], f->base, true) != 0;
	for (size_t i = 0; i < f->base->n; i++)
		n += change_of(&f->base->held[i], &f->view, false) != 0;
	return n;
}

static void
write_changes(struct eas_request *r, const struct foldersync *f)
{
	const struct state_held **now = folder_order(r->arena, &f->view);
	const struct state_held **before = folder_order(r->arena, f->base);
	for (size_t i = 0; i < f->view.n; i++)
		if (change_of(now[i], f->base, true) == FolderHierarchy_Update)
			write_folder(r, FolderHierarchy_Update, now[i]);
	for (size_t i = f->base->n; i-- > 0;)
		if (change_of(before[i], &f->view, false) != 0) {
			wbxml_open(&r->writer, FolderHierarchy_Delete);
			write_id(r, FolderHierarchy_ServerId, before[i]->number);
			wbxml_close(&r->writer);
		}
	for (size_t i = 0; i < f->view.n; i++)
		if (change_of(now[i], f->base, true) == FolderHierarchy_Add)
			write_folder(r, FolderHierarchy_Add, now[i]);
}

/* MS-ASHTTP 3.2.5.1: a client that begins afresh is told what there is. */
static void
tell_server(struct eas_request *r)
{
	const char *versions = eas_version_list(r->arena);
	eas_answer_header(r, "X-MS-RP", versions);
	eas_answer_header(r, "MS-ASProtocolVersions", versions);
	eas_answer_header(r, "MS-ASProtocolCommands", eas_command_list(r->arena));
}

static enum eas_verdict
answer(struct eas_request *r, const struct foldersync *f)
{
	unsigned n = count_changes(f);
	if (f->key == 0)
		tell_server(r);
	eas_note(r, "key=%s folders=%zu changes=%u", f->key == 0 ? "0" : "known", f->view.n, n);
	eas_reply_begin(r, FolderHierarchy_FolderSync);
	eas_reply_status(r, EAS_OK);
	wbxml_element(
		&r->writer, FolderHierarchy_SyncKey, state_generation_print(r->arena, f->view.key));
	wbxml_open(&r->writer, FolderHierarchy_Changes);
	wbxml_number(&r->writer, FolderHierarchy_Count, n);
	write_changes(r, f);
	wbxml_close(&r->writer);
	return eas_reply_end(r);
}

enum eas_verdict
cmd_foldersync(struct eas_request *r)
{
	struct mf_error err = { 0 };
	struct foldersync f = { 0 };
	const char *key = wbxml_child_value(r->root, FolderHierarchy_SyncKey);
	if (!state_generation_parse(key, &f.key))
		return eas_fail_status(r, EAS_FOLDER_KEY, "not a key");
	enum mf_status st = update(r, &f, &err);
	return st == MF_OK ? answer(r, &f) : eas_fail(r, st, &err);
}
