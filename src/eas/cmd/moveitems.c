/*
 * MoveItems (MS-ASCMD 2.2.1.12): items to other folders, one call of the store for each pair of
 * folders, a status for each item. Knows the memory of moves; must not know elements of mail.
 *
 * A repetition after a lost answer finds its items gone and in the memory: it is told the same. The
 * device that moves is not told of the item again as new: what it holds of the destination is put
 * right here; all others learn of it by Sync.
 */
#include "eas/commands.h"

#include <stdlib.h>
#include <string.h>

#include "eas/empty_store.h"
#include "eas/folders.h"
#include "eas/map/folder.h"
#include "eas/map/ids.h"
#include "eas/status.h"
#include "mailferry/log.h"
#include "state/collection.h"
#include "state/device.h"
#include "state/move.h"
#include "sync/snapshot.h"

/* MS-ASCMD 2.2.3.177.10. */
enum { MOVE_SOURCE = 1, MOVE_DESTINATION = 2, MOVE_DONE = 3, MOVE_SAME = 4, MOVE_FAILED = 5 };

/* One Move of the request; its status is 0 as long as it is not known. */
struct one {
	const char *text; /* SrcMsgId */
	const struct state_folder *from, *to;
	uint64_t id, to_id; /* to_id 0: not known */
	unsigned status;
	bool moved; /* by this request */
	bool twin;  /* the request names it more than once */
};

struct moving {
	struct eas_request *r;
	struct state_folders folders;
	struct one *list;
	size_t n;
};

/* ---- In ---- */

/* What is wrong with a destination; the recipients take no items (MS-ASCMD 2.2.2). */
static unsigned
judge_destination(
	const struct moving *m, const struct state_folder *from, const struct state_folder *to)
{
	if (to != NULL && folder_is_recipients(to) && eas_folders_recipients(m->r))
		return EAS_INVALID_IDS_TOGETHER;
	if (to == NULL || !folder_holds_items(to) || strcmp(to->store, from->store) != 0)
		return MOVE_DESTINATION;
	return to == from ? MOVE_SAME : 0;
}

static void
read_one(const struct moving *m, const struct wbxml_node *node, struct one *out)
{
	uint32_t folder;
	out->text = wbxml_child_value(node, Move_SrcMsgId);
	out->from = folder_by_text(&m->folders, wbxml_child_value(node, Move_SrcFldId));
	out->to = folder_by_text(&m->folders, wbxml_child_value(node, Move_DstFldId));
	if (out->from == NULL || !folder_holds_items(out->from) ||
		!ids_item_parse(out->text, &folder, &out->id) || folder != out->from->number)
		out->status = MOVE_SOURCE;
	else
		out->status = judge_destination(m, out->from, out->to);
}

static int
by_item(const void *a, const void *b)
{
	const struct one *x = *(const struct one *const *)a, *y = *(const struct one *const *)b;
	if (x->from != y->from)
		return x->from->number < y->from->number ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* Few requests have any: the others need not be searched for them. */
static void
find_twins(struct moving *m)
{
	struct one **sorted = (struct one **)mf_alloc_array(m->r->arena, m->n, sizeof(*sorted));
	size_t n = 0;
	for (size_t i = 0; i < m->n; i++)
		if (m->list[i].status == 0)
			sorted[n++] = &m->list[i];
	qsort(sorted, n, sizeof(*sorted), by_item);
	for (size_t i = 1; i < n; i++)
		if (by_item(&sorted[i - 1], &sorted[i]) == 0)
			sorted[i - 1]->twin = sorted[i]->twin = true;
}

static void
read_all(struct moving *m)
{
	const struct wbxml_node *node = wbxml_child(m->r->root, Move_Move);
	for (const struct wbxml_node *n = node; n != NULL; n = wbxml_next(n))
		m->n++;
	m->list = mf_new_array(m->r->arena, struct one, m->n);
	for (size_t i = 0; i < m->n; i++, node = wbxml_next(node))
		read_one(m, node, &m->list[i]);
	find_twins(m);
}

/* ---- The memory ---- */

static struct state_move
memory_of(const struct moving *m, const struct one *x)
{
	return (struct state_move){ .from = x->from->number,
		.to = x->to->number,
		.epoch = x->from->epoch,
		.id = x->id,
		.to_epoch = x->to->epoch,
		.to_id = x->to_id,
		.device = m->r->device->number };
}

/* An item that is not in its folder: moved to that folder already, or gone. */
static void
remember(struct moving *m, struct one *x)
{
	struct mf_error err;
	struct state_move was = memory_of(m, x);
	x->status = MOVE_SOURCE;
	if (state_move_find(m->r->server->state, m->r->user_number, &was, &err) != MF_OK ||
		was.to != x->to->number || was.to_epoch != x->to->epoch)
		return;
	x->status = MOVE_DONE;
	x->to_id = was.to_id;
}

/* A failure here costs a repetition its answer, no more: the items have moved. */
static void
save(struct moving *m)
{
	struct mf_error err;
	struct state_move *moves = mf_new_array(m->r->arena, struct state_move, m->n);
	size_t n = 0;
	for (size_t i = 0; i < m->n; i++)
		if (m->list[i].moved)
			moves[n++] = memory_of(m, &m->list[i]);
	if (n > 0 &&
		state_move_save(m->r->server->state, m->r->user_number, moves, n, &err) != MF_OK)
		mf_log_error("event=move-forgotten items=%zu reason=%s", n, mf_log_value(err.text));
}

/* ---- Moving ---- */

static bool
same_way(const struct one *x, const struct one *y)
{
	return x->status == 0 && x->from == y->from && x->to == y->to;
}

/* The same item twice: to the same folder it is one move, to two folders it cannot go. */
static void
join_twins(struct moving *m, const struct one *x)
{
	for (struct one *y = m->list; x->twin && y < m->list + m->n; y++) {
		if (y == x || y->status != 0 || y->from != x->from || y->id != x->id)
			continue;
		y->status = y->to == x->to ? x->status : MOVE_FAILED;
		y->to_id = y->to == x->to ? x->to_id : 0;
	}
}

static void
settle(struct moving *m, struct one *x, const struct mf_move *move, enum mf_status whole)
{
	x->to_id = move->to;
	x->moved = move->status == MF_OK;
	if (whole == MF_INVALID)
		x->status = MOVE_DESTINATION;
	else if (move->status == MF_GONE && whole != MF_GONE)
		remember(m, x);
	else
		x->status = eas_status_at(EAS_AT_MOVE, move->status);
	join_twins(m, x);
}

static bool
listed(const struct mf_move *moves, size_t n, const struct one *x)
{
	for (size_t i = 0; x->twin && i < n; i++)
		if (moves[i].id == x->id)
			return true;
	return false;
}

/* Moves all items that go the same way as the first, in one call. */
static void
move_group(struct moving *m, size_t first)
{
	struct eas_request *r = m->r;
	struct mf_error err = { 0 };
	const struct one *like = &m->list[first];
	struct one **group = (struct one **)mf_alloc_array(r->arena, m->n, sizeof(*group));
	struct mf_move *moves = mf_new_array(r->arena, struct mf_move, m->n);
	size_t n = 0;
	for (size_t i = first; i < m->n; i++)
		if (same_way(&m->list[i], like) && !listed(moves, n, &m->list[i])) {
			group[n] = &m->list[i];
			moves[n++].id = m->list[i].id;
		}
	enum mf_status st =
		r->store_api->move(r->store, like->from->id, like->to->id, moves, n, &err);
	if (st != MF_OK)
		mf_log_info("event=move folder=%u to=%u status=%s reason=%s", like->from->number,
			like->to->number, mf_status_name(st), mf_log_value(err.text));
	for (size_t i = 0; i < n; i++)
		settle(m, group[i], &moves[i], st);
}

/* ---- What the mover holds ---- */

struct adopting {
	struct moving *m;
	const struct state_folder *to;
	struct sync_snapshot from, into; /* `from`: of the folder that `source` names */
	const struct state_folder *source;
};

/* What the device holds of a folder, as far as it is known: else nothing. */
static void
load_source(struct adopting *a, const struct state_folder *folder)
{
	struct eas_request *r = a->m->r;
	struct state_collection c;
	struct mf_error err;
	if (a->source == folder)
		return;
	sync_snapshot_deinit(&a->from);
	sync_snapshot_init(&a->from);
	a->source = folder;
	if (state_collection_load(r->server->state, r->user_number, r->device->number,
		    folder->number, r->arena, &c, &err) == MF_OK &&
		c.newest.key != 0)
		sync_snapshot_decode(&a->from, c.newest.content, &err);
}

/* The items that came here and that the device held where they were. False: none. */
static bool
adopt_items(struct adopting *a)
{
	bool any = false;
	for (size_t i = 0; i < a->m->n; i++) {
		const struct one *x = &a->m->list[i];
		if (!x->moved || x->to != a->to || x->to_id == 0)
			continue;
		load_source(a, x->from);
		const struct sync_mark *mark = sync_held_get(&a->from.held, x->id);
		if (mark == NULL)
			continue;
		sync_held_set(&a->into.held, x->to_id, sync_held_mark_of(&a->into.held, mark));
		mf_idset_remove(&a->into.adds, x->to_id);
		any = true;
	}
	return any;
}

/* The content of a generation with the new items; false: it stays as it is. */
static bool
adopt_generation(struct adopting *a, const struct state_generation *g, struct mf_bytes *out)
{
	struct mf_error err;
	struct mf_buf row;
	bool any = false;
	sync_snapshot_init(&a->into);
	mf_buf_init(&row, 0);
	if (g->key != 0 && sync_snapshot_decode(&a->into, g->content, &err) == MF_OK)
		any = adopt_items(a);
	if (any) {
		sync_snapshot_encode(&a->into, &row);
		*out = mf_memdup(a->m->r->arena, row.data, row.len);
	}
	sync_snapshot_deinit(&a->into);
	mf_buf_deinit(&row);
	return any;
}

/* Both generations: nobody knows yet which of them the device has. */
static enum mf_status
adopt_once(struct adopting *a, struct mf_error *err)
{
	struct eas_request *r = a->m->r;
	struct state_collection c;
	struct mf_bytes content[2];
	struct state_commit commits[2] = { 0 };
	size_t n = 0;
	enum mf_status st = state_collection_load(r->server->state, r->user_number,
		r->device->number, a->to->number, r->arena, &c, err);
	if (st != MF_OK)
		return st;
	const struct state_generation *generations[] = { &c.newest, &c.previous };
	for (size_t i = 0; i < 2; i++)
		if (adopt_generation(a, generations[i], &content[n])) {
			commits[n] = (struct state_commit){ .folder = a->to->number,
				.newest = c.newest.key,
				.base = generations[i]->key,
				.refreshed = &content[n] };
			n++;
		}
	st = state_collection_commit(
		r->server->state, r->user_number, r->device->number, commits, n, err);
	for (size_t i = 0; i < n && st == MF_OK; i++)
		st = commits[i].status;
	return st;
}

/* Without it the device would be told of items as new that it has put there itself. */
static void
adopt(struct moving *m, const struct state_folder *to)
{
	enum { TRIES = 3 };
	struct adopting a = { .m = m, .to = to };
	struct mf_error err = { 0 };
	enum mf_status st = MF_RESYNC;
	sync_snapshot_init(&a.from);
	for (int i = 0; i < TRIES && st == MF_RESYNC; i++)
		st = adopt_once(&a, &err);
	sync_snapshot_deinit(&a.from);
	if (st != MF_OK)
		mf_log_warning("event=move-echo folder=%u reason=%s", to->number,
			st == MF_RESYNC ? "busy" : mf_log_value(err.text));
}

static void
adopt_all(struct moving *m)
{
	for (size_t i = 0; i < m->n; i++) {
		bool first = m->list[i].moved;
		for (size_t k = 0; k < i && first; k++)
			first = !m->list[k].moved || m->list[k].to != m->list[i].to;
		if (first)
			adopt(m, m->list[i].to);
	}
}

/* ---- Out ---- */

static enum eas_verdict
answer(struct moving *m)
{
	struct eas_request *r = m->r;
	size_t moved = 0;
	eas_reply_begin(r, Move_MoveItems);
	for (size_t i = 0; i < m->n; i++) {
		const struct one *x = &m->list[i];
		wbxml_open(&r->writer, Move_Response);
		wbxml_element(&r->writer, Move_SrcMsgId, x->text);
		wbxml_number(&r->writer, Move_Status, x->status);
		if (x->status == MOVE_DONE && x->to_id != 0)
			wbxml_element(&r->writer, Move_DstMsgId,
				ids_item_print(r->arena, x->to->number, x->to_id));
		wbxml_close(&r->writer);
		moved += x->moved;
	}
	r->status = EAS_OK;
	r->items = moved;
	eas_note(r, "items=%zu moved=%zu", m->n, moved);
	return eas_reply_end(r);
}

enum eas_verdict
cmd_moveitems(struct eas_request *r)
{
	struct moving m = { .r = r };
	struct mf_error err = { 0 };
	enum mf_status st =
		state_folders_load(r->server->state, r->user_number, r->arena, &m.folders, &err);
	if (st != MF_OK)
		return eas_fail(r, st, &err);
	read_all(&m);
	for (size_t i = 0; i < m.n; i++)
		if (m.list[i].status == 0)
			move_group(&m, i);
	save(&m);
	adopt_all(&m);
	return answer(&m);
}
