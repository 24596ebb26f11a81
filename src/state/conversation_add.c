/*
 * Messages taken into the index of conversations: names looked up, sets made, grown and joined. Knows no
 * backend.
 */
#include <stdlib.h>
#include <string.h>

#include "state/conversation_rows.h"

struct adding {
	uint32_t user, folder;
	struct state_conversation_item *items;
	size_t n;
	const struct state_conversation_folder *progress;
	/* Of the transaction: */
	struct kv_txn *t;
	uint32_t last, last_stored; /* the greatest set number */
	struct conversation_chunk chunk;
	bool chunk_open;
};

/* ---- The numbers of sets ---- */

static void
numbers_load(struct adding *x)
{
	struct state_key k;
	struct mf_bytes v;

	state_key_begin(&k, x->user, STATE_SPACE_CONVERSATION_LAST);
	x->last = kv_get(x->t, state_key_view(&k), &v) && v.len == 4 ? state_key_read_u32(v, 0) : 0;
	x->last_stored = x->last;
}

static void
numbers_save(struct adding *x)
{
	struct state_key k, v = { .len = 0 };

	if (x->last == x->last_stored)
		return;
	state_key_begin(&k, x->user, STATE_SPACE_CONVERSATION_LAST);
	state_key_u32(&v, x->last);
	kv_put(x->t, state_key_view(&k), state_key_view(&v));
}

/* ---- Chunks: items come in the order of their ids, so each is read and written once ---- */

static void
chunk_close(struct adding *x)
{
	if (x->chunk_open)
		conversation_chunk_save(x->t, x->user, x->folder, &x->chunk);
	x->chunk_open = false;
}

static uint32_t *
chunk_place(struct adding *x, uint64_t id)
{
	if (!x->chunk_open || x->chunk.number != id / CONVERSATION_CHUNK) {
		chunk_close(x);
		conversation_chunk_load(
			x->t, x->user, x->folder, id / CONVERSATION_CHUNK, &x->chunk);
		x->chunk_open = true;
	}
	return &x->chunk.sets[id % CONVERSATION_CHUNK];
}

/* ---- Joining ---- */

struct members {
	uint8_t (*places)[12]; /* folder and id as in the key; malloc */
	size_t n, cap;
};

static bool
collect_member(void *ctx, struct mf_bytes key, struct mf_bytes row)
{
	struct members *m = ctx;

	(void)row;
	if (m->n == m->cap) {
		size_t cap = m->cap == 0 ? 64 : m->cap * 2;
		void *p = realloc(m->places, cap * sizeof(*m->places));

		if (p == NULL)
			abort();
		m->places = p;
		m->cap = cap;
	}
	memcpy(m->places[m->n++], key.data + STATE_KEY_FIELDS + 4, sizeof(*m->places));
	return true;
}

static void
move_members(struct adding *x, uint32_t from, uint32_t to)
{
	struct members m = { 0 };
	struct state_key prefix, k;

	state_key_of(&prefix, x->user, STATE_SPACE_CONVERSATION_MEMBER, from);
	kv_scan(x->t, state_key_view(&prefix), mf_bytes(NULL, 0), collect_member, &m);
	for (size_t i = 0; i < m.n; i++) {
		state_key_of(&k, x->user, STATE_SPACE_CONVERSATION_MEMBER, from);
		state_key_bytes(&k, m.places[i], sizeof(m.places[i]));
		kv_delete(x->t, state_key_view(&k));
		state_key_of(&k, x->user, STATE_SPACE_CONVERSATION_MEMBER, to);
		state_key_bytes(&k, m.places[i], sizeof(m.places[i]));
		kv_put(x->t, state_key_view(&k), mf_bytes(NULL, 0));
	}
	free(m.places);
}

static bool
older(int64_t date, const struct conversation_id *name, const struct conversation_set_row *than)
{
	if (date != than->date)
		return date < than->date;
	return memcmp(name->bytes, than->oldest.bytes, sizeof(name->bytes)) < 0;
}

/* The smaller set (the later one among equals) is moved into the other: so that each message is moved
 * log2(n) times at most. */
static uint32_t
join(struct adding *x, uint32_t one, uint32_t two)
{
	struct conversation_set_row a, b, gone = { 0 };
	uint32_t from, to;

	if (!conversation_set_load(x->t, x->user, one, &a) ||
		!conversation_set_load(x->t, x->user, two, &b))
		return one;
	if (a.count < b.count || (a.count == b.count && two < one)) {
		struct conversation_set_row other = a;

		a = b;
		b = other;
		from = one;
		to = two;
	} else {
		from = two;
		to = one;
	}
	move_members(x, from, to);
	a.count += b.count;
	if (older(b.date, &b.oldest, &a)) {
		a.id = b.id;
		a.date = b.date;
		a.oldest = b.oldest;
	}
	gone.joined = to;
	conversation_set_save(x->t, x->user, from, &gone);
	conversation_set_save(x->t, x->user, to, &a);
	return to;
}

/* ---- One message ---- */

/* The one set of all these names, made when there is none. sets: out, what each name has now. */
static uint32_t
set_of_names(struct adding *x, const struct conversation_id *names, size_t n, uint32_t *sets,
	struct conversation_name_row *own, bool *own_there)
{
	uint32_t set = 0;

	for (size_t i = 0; i < n; i++) {
		struct conversation_name_row row = { 0 };
		bool there = conversation_name_load(x->t, x->user, &names[i], &row);
		uint32_t has = there ? conversation_set_find(x->t, x->user, row.set, NULL) : 0;

		sets[i] = has != 0 ? row.set : 0;
		if (i == 0) {
			*own = row;
			*own_there = there;
		}
		if (set == 0)
			set = has;
		else if (has != 0 && has != set)
			set = join(x, set, conversation_set_find(x->t, x->user, has, NULL));
	}
	return set != 0 ? set : ++x->last;
}

static void
save_own_name(struct adding *x, const struct conversation_facts *f, uint32_t set,
	const struct conversation_name_row *before)
{
	struct conversation_name_row row = { .set = set,
		.known = true,
		.date = f->date,
		.index = f->index,
		.parent = before->parent };

	if (before->known && before->date <= f->date) { /* of two with one id the older counts */
		row = *before;
		row.set = set;
	} else if (f->n_parents > 0) {
		row.parent = f->parents[f->n_parents - 1];
		row.sure = true;
	}
	conversation_name_save(x->t, x->user, &f->own, &row);
}

/* The names of others keep what is known of their messages. above: what the References say stands over this one,
 * none: nothing; of several the smallest counts, so that the order in which mail comes does not. */
static void
save_name(struct adding *x, const struct conversation_id *name, uint32_t set,
	const struct conversation_id *above)
{
	struct conversation_name_row row = { 0 };
	bool changed, better;

	if (!conversation_name_load(x->t, x->user, name, &row))
		memset(&row, 0, sizeof(row));
	changed = row.set != set;
	better = above != NULL && !row.sure &&
		 (conversation_id_none(&row.parent) ||
			 memcmp(above->bytes, row.parent.bytes, sizeof(above->bytes)) < 0);
	if (better)
		row.parent = *above;
	row.set = set;
	if (changed || better)
		conversation_name_save(x->t, x->user, name, &row);
}

static void
grow(struct adding *x, uint32_t set, const struct conversation_facts *f)
{
	struct conversation_set_row row;

	if (!conversation_set_load(x->t, x->user, set, &row))
		row = (struct conversation_set_row){ .date = INT64_MAX };
	row.count++;
	if (row.count == 1 || older(f->date < 0 ? 0 : f->date, &f->own, &row)) {
		row.id = f->id;
		row.date = f->date < 0 ? 0 : f->date;
		row.oldest = f->own;
	}
	conversation_set_save(x->t, x->user, set, &row);
}

static void
add_item(struct adding *x, struct state_conversation_item *item)
{
	const struct conversation_facts *f = item->facts;
	struct conversation_id names[CONVERSATION_NAMES_MAX];
	uint32_t sets[CONVERSATION_NAMES_MAX], set, *place = chunk_place(x, item->id);
	size_t n = conversation_facts_names(f, names);
	struct conversation_name_row own = { 0 };
	bool own_there = false;
	struct state_key k;

	item->known = false;
	if (*place != 0 && conversation_set_find(x->t, x->user, *place, NULL) != 0)
		return;
	set = set_of_names(x, names, n, sets, &own, &own_there);
	item->known = own_there && own.known && sets[0] != 0;
	grow(x, set, f);
	if (!item->known || own.set != set || f->date < own.date)
		save_own_name(x, f, set, &own);
	for (size_t i = 1; i < n - f->n_parents; i++)
		save_name(x, &names[i], set, NULL);
	for (size_t i = 0; i < f->n_parents; i++)
		save_name(x, &f->parents[i], set, i > 0 ? &f->parents[i - 1] : NULL);
	conversation_member_key(&k, x->user, set, x->folder, item->id);
	kv_put(x->t, state_key_view(&k), mf_bytes(NULL, 0));
	*place = set;
}

static enum mf_status
add(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct adding *x = ctx;

	(void)err;
	x->t = t;
	x->chunk_open = false;
	numbers_load(x);
	for (size_t i = 0; i < x->n; i++)
		add_item(x, &x->items[i]);
	chunk_close(x);
	numbers_save(x);
	if (x->progress != NULL)
		conversation_folder_save(t, x->user, x->folder, x->progress);
	return MF_OK;
}

enum mf_status
state_conversation_add(struct state *st, uint32_t user, uint32_t folder,
	struct state_conversation_item *items, size_t n,
	const struct state_conversation_folder *progress, struct mf_error *err)
{
	struct adding x = {
		.user = user, .folder = folder, .items = items, .n = n, .progress = progress
	};

	return kv_write(st->kv[STATE_SYNC], add, &x, err);
}

enum mf_status
state_conversation_progress(struct state *st, uint32_t user, uint32_t folder,
	const struct state_conversation_folder *progress, struct mf_error *err)
{
	return state_conversation_add(st, user, folder, NULL, 0, progress, err);
}
