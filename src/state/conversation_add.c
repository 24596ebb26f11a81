/*
 * Messages taken into the index of conversations: names looked up, sets made, grown and joined. Knows no
 * backend.
 */
#include <stdlib.h>
#include <string.h>

#include "state/conversation_cache.h"

struct adding {
	uint32_t user, folder;
	struct state_conversation_item *items;
	size_t n;
	const struct state_conversation_folder *progress;
	/* Of the transaction: */
	struct kv_txn *t;
	struct conversation_cache *cache;
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
static struct conversation_cached_set *
join(struct adding *x, struct conversation_cached_set *one, struct conversation_cached_set *two)
{
	struct conversation_cached_set *to = one, *from = two;
	struct conversation_set_row gone = { 0 };

	if (one->row.count < two->row.count ||
		(one->row.count == two->row.count && two->number < one->number)) {
		to = two;
		from = one;
	}
	move_members(x, from->number, to->number);
	to->row.count += from->row.count;
	if (older(from->row.date, &from->row.oldest, &to->row)) {
		to->row.id = from->row.id;
		to->row.date = from->row.date;
		to->row.oldest = from->row.oldest;
	}
	gone.joined = to->number;
	from->row = gone;
	from->dirty = to->dirty = true;
	return to;
}

/* ---- One message ---- */

/* The one set of all these names; NULL: there is none yet. has_own: the first of them has one. */
static struct conversation_cached_set *
set_of_names(struct adding *x, struct conversation_cached_name **names, size_t n, bool *has_own)
{
	struct conversation_cached_set *set = NULL;

	for (size_t i = 0; i < n; i++) {
		struct conversation_cached_set *has =
			names[i]->there ? conversation_cache_find(x->cache, names[i]->row.set)
					: NULL;

		if (i == 0)
			*has_own = has != NULL;
		if (set == NULL)
			set = has;
		else if (has != NULL && has != set)
			set = join(x, set, has);
	}
	return set;
}

static struct conversation_cached_set *
set_new(struct adding *x)
{
	struct conversation_cached_set *set = conversation_cache_set(x->cache, ++x->last);

	memset(&set->row, 0, sizeof(set->row));
	set->row.date = INT64_MAX;
	set->there = true;
	return set;
}

static void
set_own_name(struct conversation_cached_name *own, const struct conversation_facts *f, uint32_t set)
{
	own->there = own->dirty = true;
	own->row.set = set;
	if (own->row.known && own->row.date <= f->date)
		return; /* of two with one id the older counts */
	own->row.known = true;
	own->row.date = f->date;
	own->row.index = f->index;
	own->row.sure = f->n_parents > 0;
	if (f->n_parents > 0)
		own->row.parent = f->parents[f->n_parents - 1];
}

/* The names of others keep what is known of their messages. above: what the References say stands over this one,
 * none: nothing; of several the smallest counts, so that the order in which mail comes does not. */
static void
set_name(struct conversation_cached_name *name, uint32_t set, const struct conversation_id *above)
{
	struct conversation_name_row *row = &name->row;
	bool better = above != NULL && !row->sure &&
		      (conversation_id_none(&row->parent) ||
			      memcmp(above->bytes, row->parent.bytes, sizeof(above->bytes)) < 0);

	if (better)
		row->parent = *above;
	name->dirty = name->dirty || better || row->set != set;
	name->there = true;
	row->set = set;
}

static void
grow(struct conversation_cached_set *set, const struct conversation_facts *f)
{
	struct conversation_set_row *row = &set->row;
	int64_t date = f->date < 0 ? 0 : f->date;

	row->count++;
	set->dirty = true;
	if (row->count == 1 || older(date, &f->own, row)) {
		row->id = f->id;
		row->date = date;
		row->oldest = f->own;
	}
}

static void
set_names(const struct conversation_facts *f, struct conversation_cached_name **names, size_t n,
	uint32_t set)
{
	size_t parents = n - f->n_parents;

	for (size_t i = 1; i < parents; i++)
		set_name(names[i], set, NULL);
	for (size_t i = 0; i < f->n_parents; i++)
		set_name(names[parents + i], set, i > 0 ? &f->parents[i - 1] : NULL);
}

static void
add_item(struct adding *x, struct state_conversation_item *item)
{
	const struct conversation_facts *f = item->facts;
	struct conversation_id ids[CONVERSATION_NAMES_MAX];
	struct conversation_cached_name *names[CONVERSATION_NAMES_MAX];
	struct conversation_cached_set *set;
	uint32_t *place = chunk_place(x, item->id);
	size_t n = conversation_facts_names(f, ids);
	bool has_own = false;
	struct state_key k;

	item->known = false;
	if (*place != 0 && conversation_cache_find(x->cache, *place) != NULL)
		return;
	conversation_cache_trim(x->cache);
	for (size_t i = 0; i < n; i++)
		names[i] = conversation_cache_name(x->cache, &ids[i]);
	set = set_of_names(x, names, n, &has_own);
	if (set == NULL)
		set = set_new(x);
	item->known = has_own && names[0]->row.known;
	grow(set, f);
	if (!item->known || names[0]->row.set != set->number || f->date < names[0]->row.date)
		set_own_name(names[0], f, set->number);
	set_names(f, names, n, set->number);
	conversation_member_key(&k, x->user, set->number, x->folder, item->id);
	kv_put(x->t, state_key_view(&k), mf_bytes(NULL, 0));
	*place = set->number;
}

static enum mf_status
add(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct adding *x = ctx;

	(void)err;
	x->t = t;
	x->chunk_open = false;
	x->cache = conversation_cache_new(t, x->user);
	numbers_load(x);
	for (size_t i = 0; i < x->n; i++)
		add_item(x, &x->items[i]);
	conversation_cache_flush(x->cache);
	conversation_cache_free(x->cache);
	chunk_close(x);
	numbers_save(x);
	if (x->progress != NULL)
		conversation_folder_save(t, x->user, x->folder, x->progress);
	return MF_OK;
}

struct state_conversation_adding {
	struct adding adding;
	struct kv *kv;
	struct kv_job *job;
};

struct state_conversation_adding *
state_conversation_add_begin(struct state *st, uint32_t user, uint32_t folder,
	struct state_conversation_item *items, size_t n,
	const struct state_conversation_folder *progress, struct mf_error *err)
{
	struct state_conversation_adding *x = calloc(1, sizeof(*x));

	if (x == NULL)
		abort();
	x->adding = (struct adding){
		.user = user, .folder = folder, .items = items, .n = n, .progress = progress
	};
	x->kv = st->kv[STATE_SYNC];
	x->job = kv_write_begin(x->kv, add, &x->adding, err);
	return x;
}

enum mf_status
state_conversation_add_end(struct state_conversation_adding *x)
{
	enum mf_status st = x == NULL ? MF_OK : kv_write_end(x->kv, x->job);

	free(x);
	return st;
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
