/*
 * Is there anything that a Ping tells? While it waits, a request keeps a cursor a folder. When something stirs, the
 * cursor says whether it was in this folder; only then the snapshot is read from the state and brought up to
 * date. Where the watcher says what came, the snapshot alone may do.
 */
#include "eas/cmd/ping.h"

#include <string.h>

#include "base/clock.h"
#include "eas/conversations.h"
#include "eas/empty_store.h"
#include "eas/folders.h"
#include "eas/map/folder.h"
#include "state/device.h"
#include "state/hierarchy.h"
#include "state/numbering.h"
#include "sync/details.h"

enum {
	HIERARCHY_LOOK_MS = 60 * 1000, /* the list of folders is asked for at most that often */
	RULES_MS = 1000,	       /* rules are carried out before a look, within that time */
};

/* Does the device still hold the hierarchy as it is? */
static enum mf_status
hierarchy_same(
	struct eas_request *r, const struct state_folders *folders, bool *out, struct mf_error *err)
{
	struct state_hierarchies stored;
	struct state_hierarchy view;
	enum mf_status st = state_hierarchy_load(
		r->server->state, r->user_number, r->device->number, r->arena, &stored, err);

	if (st != MF_OK)
		return st;
	folder_view(r->arena, folders, eas_folders_recipients(r), &view);
	*out = stored.newest.key != 0 && view.n == stored.newest.n;
	for (size_t i = 0; *out && i < view.n; i++) {
		const struct state_held *a = &view.held[i], *b = &stored.newest.held[i];

		*out = a->number == b->number && a->parent == b->parent && a->type == b->type &&
		       strcmp(a->name, b->name) == 0;
	}
	return MF_OK;
}

static void
snapshot_free(void *thing)
{
	sync_snapshot_deinit(thing);
}

static uint32_t
filter_of(struct eas_request *r, struct mf_bytes options)
{
	static const struct wbxml_node none;
	const struct sync_asked asked = { .node = &none };
	struct sync_options o;

	return sync_options_read(r, &asked, options, &o) ? o.filter : 0;
}

bool
ping_wants_changes(const struct eas_request *r)
{
	return mf_conf_bool(r->server->conf, "ping_changes");
}

/* Soft deletes wake nobody, whatever is set. */
static bool
has_news(const struct eas_request *r, const struct sync_snapshot *s)
{
	return s->adds.n > 0 || (ping_wants_changes(r) && (s->gone.n > 0 || s->changed.n_runs > 0));
}

/* What the device would get from a Sync now. */
static enum mf_status
look_closely(struct eas_request *r, struct ping_folder *f, const struct state_folder *sf,
	const struct state_collection *stored, struct mf_error *err)
{
	struct sync_snapshot *s = mf_new(r->arena, struct sync_snapshot);
	struct sync_source source = { eas_store_of(r, sf), eas_session_of(r, sf), sf->id, false };
	struct sync_scope scope = { .filter = filter_of(r, stored->options), .now = clock_wall() };
	enum mf_status st;

	sync_snapshot_init(s);
	mf_on_free(r->arena, snapshot_free, s);
	st = sync_snapshot_decode(s, stored->newest.content, err);
	if (st == MF_OK)
		st = sync_engine_refresh(&source, s, &scope, err);
	if (st == MF_OK && ping_wants_changes(r))
		st = sync_details_refresh(r->server->state, r->user_number, sf->number, s, err);
	/* New ids, a damaged row: the next Sync says so. */
	f->changed = st == MF_RESYNC || st == MF_BROKEN || (st == MF_OK && has_news(r, s));
	if (st == MF_RESYNC || st == MF_BROKEN)
		return MF_OK;
	mf_buf_clear(&f->cursor);
	mf_buf_add(&f->cursor, s->cursor.data, s->cursor.len);
	f->key = stored->newest.key;
	return st;
}

static enum mf_status
look_at(struct eas_request *r, struct ping_folder *f, const struct state_folder *sf,
	struct mf_error *err)
{
	struct state_collection stored;
	struct mf_poll poll = { .folder = sf->id, .cursor = mf_buf_bytes(&f->cursor) };
	enum mf_status st = state_collection_load(r->server->state, r->user_number,
		r->device->number, f->number, r->arena, &stored, err);

	/* Never synchronised: there is nothing that it could lack. Nor does new mail in Sent wake a phone
	 * for the sake of its recipients. */
	if (st != MF_OK || stored.newest.key == 0 || folder_is_recipients(sf))
		return st;
	if (f->key == stored.newest.key && f->cursor.len > 0) {
		st = eas_store_of(r, sf)->poll(r->store, &poll, 1, err);
		if (st != MF_OK || !poll.changed)
			return st;
	}
	return look_closely(r, f, sf, &stored, err);
}

/* Mail that a rule moves away is nothing that the device would get. */
static void
move_away(struct eas_request *r)
{
	if (sync_conversations_ruled(r->server->state, r->user))
		eas_conversations_tend(r, RULES_MS);
}

enum mf_status
ping_look(struct eas_request *r, struct ping *p, unsigned *status, struct mf_error *err)
{
	struct state_folders folders;
	bool again = (r->wait.stirred & EAS_STIR_FOLDERS) != 0 ||
		     clock_ms() - p->listed >= HIERARCHY_LOOK_MS;
	bool same = true;
	enum mf_status st;

	move_away(r);
	if (again) {
		st = eas_folders_refresh(r, &folders, err);
		p->listed = clock_ms();
	} else {
		st = state_folders_load(r->server->state, r->user_number, r->arena, &folders, err);
	}
	if (st == MF_OK)
		st = hierarchy_same(r, &folders, &same, err);
	if (st != MF_OK)
		return st;
	*status = same ? 0 : EAS_PING_HIERARCHY;
	for (size_t i = 0; i < p->n && *status != EAS_PING_HIERARCHY; i++) {
		const struct state_folder *sf =
			state_folder_by_number(&folders, p->folders[i].number);

		if (sf == NULL) {
			*status = EAS_PING_HIERARCHY;
			break;
		}
		st = look_at(r, &p->folders[i], sf, err);
		if (st == MF_GONE)
			*status = EAS_PING_HIERARCHY;
		else if (st != MF_OK)
			return st;
		else if (p->folders[i].changed)
			*status = EAS_PING_CHANGES;
	}
	return MF_OK;
}

/* ---- Without the mail server ---- */

/* Does the device know the folder's items by the backend's ids, of this epoch? */
static bool
is_plain(struct eas_request *r, uint32_t folder, uint64_t epoch)
{
	struct state_numbering n;
	struct mf_error err;

	return epoch != 0 &&
	       state_numbering_load(r->server->state, r->user_number, folder, r->arena, &n, &err) ==
		       MF_OK &&
	       n.generation == 0 && n.epoch == epoch;
}

/* Something that its next Sync adds: nothing that it holds, and within its window. What is older may still belong to
 * a conversation within: a look says so. */
static bool
is_news(const struct sync_snapshot *s, const struct sync_scope *scope, const struct mf_arrival *a)
{
	int64_t since = sync_scope_since(scope);

	return sync_held_get(&s->held, a->id) == NULL && (since == 0 || a->date >= since);
}

static void
look_told(struct eas_request *r, struct ping_folder *f)
{
	struct sync_snapshot *s = mf_new(r->arena, struct sync_snapshot);
	struct state_collection stored;
	struct sync_scope scope = { .now = clock_wall() };
	struct mf_error err;

	sync_snapshot_init(s);
	mf_on_free(r->arena, snapshot_free, s);
	if (state_collection_load(r->server->state, r->user_number, r->device->number, f->number,
		    r->arena, &stored, &err) != MF_OK ||
		stored.newest.key == 0 ||
		sync_snapshot_decode(s, stored.newest.content, &err) != MF_OK)
		return;
	scope.filter = filter_of(r, stored.options);
	for (size_t i = 0; i < r->wait.n_arrived && !f->changed; i++) {
		const struct mf_arrival *a = &r->wait.arrived[i];

		f->changed = strcmp(a->folder, f->watched) == 0 &&
			     is_plain(r, f->number, a->epoch) && is_news(s, &scope, a);
	}
}

bool
ping_look_told(struct eas_request *r, struct ping *p)
{
	struct state_folders folders;
	struct mf_error err;
	bool news = false;

	if (sync_conversations_ruled(r->server->state, r->user) ||
		state_folders_load(r->server->state, r->user_number, r->arena, &folders, &err) !=
			MF_OK)
		return false;
	for (size_t i = 0; i < p->n; i++) {
		struct ping_folder *f = &p->folders[i];
		const struct state_folder *sf = state_folder_by_number(&folders, f->number);

		if (f->watched == NULL || sf == NULL || strcmp(sf->id, f->watched) != 0 ||
			folder_is_recipients(sf))
			continue;
		look_told(r, f);
		news = news || f->changed;
	}
	return news;
}
