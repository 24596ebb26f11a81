/*
 * The client's commands in Sync: Delete, Fetch and Add of one collection, and Change by sync_changes.c. All of
 * a kind go to the store together; each has a status of its own. Must not know keys.
 */
#include <string.h>

#include "base/str.h"
#include "eas/cmd/sync_batch.h"
#include "eas/map/folder.h"
#include "eas/map/ids.h"

void
sync_batch_respond(
	struct sync_batch *b, const struct wbxml_node *command, unsigned status, uint64_t fetch)
{
	struct sync_response *s = &b->responses[b->n_responses++];
	const char *client_id = wbxml_child_value(command, AirSync_ClientId);
	const char *server_id = wbxml_child_value(command, AirSync_ServerId);

	s->tag = command->tag;
	s->status = status;
	s->client_id = client_id == NULL ? "" : client_id;
	s->server_id = server_id == NULL ? "" : server_id;
	s->fetch = fetch;
	s->attached = s->class = "";
}

/* ---- Deleting ---- */

static void
settle_delete(struct sync_batch *b, uint64_t id)
{
	struct sync_snapshot *s = &b->c->snapshot;

	sync_held_remove(&s->held, id);
	sync_held_remove(&s->changed, id);
	mf_idset_remove(&s->gone, id);
	mf_idset_remove(&s->adds, id);
	mf_idset_remove(&s->aged_out, id);
}

/* The folder for deleted items; NULL: the item is removed for good (it lies there already, or the
 * client asked for it, or there is no such folder). */
static enum mf_status
trash(struct sync_batch *b, const struct state_folder **out, struct mf_error *err)
{
	struct state_folders all;
	enum mf_status st;

	*out = NULL;
	if (!b->c->asked->deletes_as_moves || b->c->folder->role == MF_ROLE_TRASH)
		return MF_OK;
	st = state_folders_load(b->r->server->state, b->r->user_number, b->r->arena, &all, err);
	if (st == MF_OK)
		*out = state_folder_by_role(&all, MF_ROLE_TRASH);
	if (*out != NULL && !folder_holds_items(*out))
		*out = NULL;
	return st;
}

static enum mf_status
delete_move(struct sync_batch *b, const struct state_folder *to, struct mf_error *err)
{
	struct mf_move *moves = mf_new_array(b->r->arena, struct mf_move, b->n);
	enum mf_status st;

	for (size_t i = 0; i < b->n; i++)
		moves[i].id = b->list[i].id;
	st = b->c->source.api->move(
		b->c->source.session, b->c->source.folder, to->id, moves, b->n, err);
	for (size_t i = 0; i < b->n && st == MF_OK; i++) {
		if (moves[i].status == MF_OK || moves[i].status == MF_GONE)
			settle_delete(b, b->list[i].id);
		else
			b->list[i].status = eas_status_at(EAS_AT_SYNC_ITEM, moves[i].status);
	}
	return st;
}

static enum mf_status
delete_remove(struct sync_batch *b, struct mf_error *err)
{
	struct mf_idset ids;
	enum mf_status st;

	mf_idset_init(&ids);
	for (size_t i = 0; i < b->n; i++)
		mf_idset_add(&ids, b->list[i].id);
	st = b->c->source.api->remove(b->c->source.session, b->c->source.folder, &ids, err);
	for (size_t i = 0; i < b->n && st == MF_OK; i++)
		settle_delete(b, b->list[i].id);
	mf_idset_deinit(&ids);
	return st;
}

static enum mf_status
run_deletes(struct sync_batch *b, struct mf_error *err)
{
	const struct state_folder *to;
	enum mf_status st;

	if (b->n == 0)
		return MF_OK;
	st = trash(b, &to, err);
	if (st == MF_OK)
		st = to != NULL ? delete_move(b, to, err) : delete_remove(b, err);
	if (st == MF_TEMPORARY || st == MF_BROKEN)
		return st;
	for (size_t i = 0; i < b->n; i++) {
		if (st != MF_OK)
			b->list[i].status = eas_status_at(EAS_AT_SYNC_ITEM, st);
		if (b->list[i].status != EAS_OK)
			sync_batch_respond(b, b->list[i].node, b->list[i].status, 0);
	}
	return MF_OK;
}

/* ---- All of them ---- */

/* Collects the commands of one kind; those with an id that cannot be are answered at once. */
static void
collect(struct sync_batch *b, uint16_t tag)
{
	const struct wbxml_node *n = b->c->asked->commands->children;

	b->n = 0;
	for (; n != NULL; n = n->next) {
		struct sync_change *ch = &b->list[b->n];
		const char *id = wbxml_child_value(n, AirSync_ServerId);
		uint32_t folder;

		if (n->tag != tag)
			continue;
		memset(ch, 0, sizeof(*ch));
		ch->node = n;
		ch->status = EAS_OK;
		if (ids_item_parse(id, &folder, &ch->id) && folder == b->c->folder->number)
			b->n++;
		else
			sync_batch_respond(b, n, EAS_SYNC_NOT_FOUND, 0);
	}
}

static void
collect_fetches(struct sync_batch *b)
{
	collect(b, AirSync_Fetch);
	for (size_t i = 0; i < b->n; i++)
		sync_batch_respond(b, b->list[i].node, EAS_OK, b->list[i].id);
}

/* The class of what is added to a folder of mail; "" for mail (MS-ASCMD 2.2.3.27.6). */
static const char *
foreign_class(const struct wbxml_node *add)
{
	static const char *const classes[] = { "Tasks", "Calendar", "Contacts", "SMS", "Notes" };
	const char *class = wbxml_child_value(add, AirSync_Class);

	for (size_t i = 0; class != NULL && i < sizeof(classes) / sizeof(classes[0]); i++)
		if (str_ieq(class, classes[i]))
			return classes[i];
	return "";
}

/* Mail is not made by Add (MS-ASCMD 2.2.3.7.2): it arrives. Drafts are. */
static enum mf_status
run_adds(struct sync_batch *b, struct mf_error *err)
{
	const struct wbxml_node *n = wbxml_child(b->c->asked->commands, AirSync_Add);
	enum mf_status st = MF_OK;

	for (; n != NULL && st == MF_OK; n = wbxml_next(n)) {
		sync_batch_respond(b, n, EAS_SYNC_CONVERSION, 0);
		b->responses[b->n_responses - 1].attached = sync_attached_names(b->r->arena, n);
		b->responses[b->n_responses - 1].class = foreign_class(n);
		if (sync_draft_is(b->r, b->c, n))
			st = sync_draft_save(
				b->r, b->c, n, 0, &b->responses[b->n_responses - 1], err);
	}
	return st;
}

/* Changes of drafts' content. */
static enum mf_status
run_drafts(struct sync_batch *b, struct mf_error *err)
{
	enum mf_status st = MF_OK;

	for (size_t i = 0; i < b->n && st == MF_OK; i++) {
		struct sync_change *ch = &b->list[i];

		if (!ch->draft || ch->status != EAS_OK)
			continue;
		sync_batch_respond(b, ch->node, EAS_OK, 0);
		st = sync_draft_save(
			b->r, b->c, ch->node, ch->id, &b->responses[b->n_responses - 1], err);
		if (b->responses[b->n_responses - 1].status == EAS_OK &&
			sync_attached_names(b->r->arena, ch->node)[0] == '\0')
			b->n_responses--; /* told by what it becomes */
	}
	return st;
}

enum mf_status
sync_commands_run(struct eas_request *r, struct sync_collection *c, struct mf_error *err)
{
	struct sync_batch b = { .r = r, .c = c };
	enum mf_status st;
	size_t count = 0;

	for (const struct wbxml_node *n = c->asked->commands->children; n != NULL; n = n->next)
		count++;
	b.list = mf_new_array(r->arena, struct sync_change, count + 1);
	b.responses = mf_new_array(r->arena, struct sync_response, count);
	collect(&b, AirSync_Change);
	for (size_t i = 0; i < b.n; i++)
		sync_change_read(&b, &b.list[i]);
	st = sync_changes_run(&b, err);
	if (st == MF_OK)
		st = run_drafts(&b, err);
	if (st == MF_OK) {
		collect(&b, AirSync_Delete);
		st = run_deletes(&b, err);
	}
	if (st == MF_OK)
		st = run_adds(&b, err);
	if (st != MF_OK)
		return st;
	collect_fetches(&b);
	c->answer.responses = b.responses;
	c->answer.n_responses = b.n_responses;
	return MF_OK;
}
