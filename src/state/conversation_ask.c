/* What the index of conversations knows. Reads only. */
#include <stdlib.h>
#include <string.h>

#include "state/conversation_rows.h"

/* ---- ConversationId and ConversationIndex ---- */

struct showing {
	uint32_t user;
	const struct conversation_facts *facts;
	struct state_conversation_shown *out;
	struct conversation_ancestor chain[CONVERSATION_ANCESTORS_MAX]; /* filled from its end */
	size_t first;							/* of chain */
};

static void
show_id(struct showing *s, struct kv_txn *t)
{
	struct conversation_id names[CONVERSATION_NAMES_MAX];
	size_t n = conversation_facts_names(s->facts, names);
	struct conversation_name_row name;
	struct conversation_set_row set;

	s->out->id = s->facts->id;
	for (size_t i = 0; i < n; i++)
		if (conversation_name_load(t, s->user, &names[i], &name) &&
			conversation_set_find(t, s->user, name.set, &set) != 0) {
			s->out->id = set.id;
			return;
		}
}

static bool
in_chain(const struct showing *s, const struct conversation_id *name)
{
	for (size_t i = s->first; i < CONVERSATION_ANCESTORS_MAX; i++)
		if (conversation_id_same(&s->chain[i].name, name))
			return true;
	return conversation_id_same(&s->facts->own, name);
}

/* Adds an ancestor; gives the next above it as the index knows it, none when it does not. */
static struct conversation_id
climb(struct showing *s, struct kv_txn *t, const struct conversation_id *name)
{
	struct conversation_ancestor *a = &s->chain[--s->first];
	struct conversation_name_row row;

	memset(a, 0, sizeof(*a));
	a->name = *name;
	if (!conversation_name_load(t, s->user, name, &row))
		return (struct conversation_id){ 0 };
	a->known = row.known;
	a->date = row.date;
	a->index = row.index;
	return row.known && !row.sure ? (struct conversation_id){ 0 } : row.parent;
}

/* What stands before an ancestor in the References of the message itself. */
static struct conversation_id
before_in_references(const struct conversation_facts *f, const struct conversation_id *name)
{
	for (size_t i = 1; i < f->n_parents; i++)
		if (conversation_id_same(&f->parents[i], name))
			return f->parents[i - 1];
	return (struct conversation_id){ 0 };
}

/* From the parent upwards: what the index knows counts, so that the index of a message begins with that of its
 * parent; where it knows nothing, the References of this one. A message that is there and names no parent is the
 * first. */
static void
show_index(struct showing *s, struct kv_txn *t)
{
	const struct conversation_facts *f = s->facts;
	struct conversation_id name = { 0 };

	if (f->n_parents > 0)
		name = f->parents[f->n_parents - 1];
	s->first = CONVERSATION_ANCESTORS_MAX;
	while (!conversation_id_none(&name) && s->first > 0 && !in_chain(s, &name)) {
		struct conversation_id above = climb(s, t, &name);

		if (s->chain[s->first].index.len > 0)
			break;
		if (conversation_id_none(&above) && !s->chain[s->first].known)
			above = before_in_references(f, &name);
		name = above;
	}
	conversation_index_build(
		s->chain + s->first, CONVERSATION_ANCESTORS_MAX - s->first, f, &s->out->index);
}

static enum mf_status
show(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct showing *s = ctx;

	(void)err;
	show_id(s, t);
	if (s->facts->index.len > 0)
		s->out->index = s->facts->index;
	else
		show_index(s, t);
	return MF_OK;
}

enum mf_status
state_conversation_show(struct state *st, uint32_t user, const struct conversation_facts *facts,
	struct state_conversation_shown *out, struct mf_error *err)
{
	struct showing s; /* 55 KB of which little is used: not zeroed */

	s.user = user;
	s.facts = facts;
	s.out = out;
	return kv_read(st->kv[STATE_SYNC], show, &s, err);
}

/* ---- Sets and members ---- */

struct asking {
	uint32_t user, folder;
	const struct conversation_id *names;
	size_t n;
	uint32_t *sets;
	const struct mf_idset *ids;
	struct mf_idset *out;
	struct state_conversation_member *members;
	size_t n_members, max;
	struct mf_arena *a;
};

static enum mf_status
find_sets(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct asking *x = ctx;
	struct conversation_name_row row;

	(void)err;
	for (size_t i = 0; i < x->n; i++)
		x->sets[i] = conversation_name_load(t, x->user, &x->names[i], &row)
				     ? conversation_set_find(t, x->user, row.set, NULL)
				     : 0;
	return MF_OK;
}

enum mf_status
state_conversation_sets(struct state *st, uint32_t user, const struct conversation_id *names,
	size_t n, uint32_t *out, struct mf_error *err)
{
	struct asking x = { .user = user, .names = names, .n = n, .sets = out };

	return kv_read(st->kv[STATE_SYNC], find_sets, &x, err);
}

static enum mf_status
set_now(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct asking *x = ctx;

	(void)err;
	*x->sets = conversation_set_find(t, x->user, *x->sets, NULL);
	return MF_OK;
}

enum mf_status
state_conversation_set_now(struct state *st, uint32_t user, uint32_t *set, struct mf_error *err)
{
	struct asking x = { .user = user, .sets = set };

	return kv_read(st->kv[STATE_SYNC], set_now, &x, err);
}

static bool
take_member(void *ctx, struct mf_bytes key, struct mf_bytes row)
{
	struct asking *x = ctx;

	(void)row;
	if (x->n_members == x->max || key.len != STATE_KEY_FIELDS + 4 + 4 + 8)
		return x->n_members < x->max;
	x->members[x->n_members].folder = state_key_read_u32(key, STATE_KEY_FIELDS + 4);
	x->members[x->n_members++].id = state_key_read_u64(key, STATE_KEY_FIELDS + 8);
	return true;
}

static enum mf_status
find_members(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct asking *x = ctx;
	struct conversation_name_row name;
	struct conversation_set_row row;
	struct state_key prefix;
	uint32_t set;

	if (!conversation_name_load(t, x->user, x->names, &name) ||
		(set = conversation_set_find(t, x->user, name.set, &row)) == 0)
		return mf_fail(err, MF_GONE, "state: no such conversation");
	if (x->max > row.count)
		x->max = (size_t)row.count;
	x->members = mf_new_array(x->a, struct state_conversation_member, x->max);
	state_key_of(&prefix, x->user, STATE_SPACE_CONVERSATION_MEMBER, set);
	kv_scan(t, state_key_view(&prefix), mf_bytes(NULL, 0), take_member, x);
	return MF_OK;
}

enum mf_status
state_conversation_members(struct state *st, uint32_t user, const struct conversation_id *name,
	size_t max, struct mf_arena *a, struct state_conversation_member **out, size_t *n,
	struct mf_error *err)
{
	struct asking x = { .user = user, .names = name, .max = max, .a = a };
	enum mf_status status = kv_read(st->kv[STATE_SYNC], find_members, &x, err);

	*out = x.members;
	*n = x.n_members;
	return status;
}

static bool
take_sibling(void *ctx, struct mf_bytes key, struct mf_bytes row)
{
	struct asking *x = ctx;

	(void)row;
	if (key.len == STATE_KEY_FIELDS + 4 + 4 + 8)
		mf_idset_add(x->out, state_key_read_u64(key, STATE_KEY_FIELDS + 8));
	return true;
}

static int
by_number(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return (a > b) - (a < b);
}

/* The sets of x->ids, in the order of their numbers, with repeats. */
static void
sets_of_ids(struct asking *x, struct kv_txn *t)
{
	struct conversation_chunk chunk = { .number = UINT64_MAX };

	for (uint64_t id = mf_idset_next(x->ids, 0); id != 0; id = mf_idset_next(x->ids, id)) {
		uint32_t set;

		if (chunk.number != id / CONVERSATION_CHUNK)
			conversation_chunk_load(
				t, x->user, x->folder, id / CONVERSATION_CHUNK, &chunk);
		set = conversation_set_find(t, x->user, chunk.sets[id % CONVERSATION_CHUNK], NULL);
		if (set != 0)
			x->sets[x->n++] = set;
	}
	qsort(x->sets, x->n, sizeof(*x->sets), by_number);
}

static enum mf_status
find_siblings(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct asking *x = ctx;
	struct state_key prefix;

	(void)err;
	x->n = 0;
	sets_of_ids(x, t);
	for (size_t i = 0; i < x->n; i++) {
		if (i > 0 && x->sets[i] == x->sets[i - 1])
			continue;
		state_key_of(&prefix, x->user, STATE_SPACE_CONVERSATION_MEMBER, x->sets[i]);
		state_key_u32(&prefix, x->folder);
		kv_scan(t, state_key_view(&prefix), mf_bytes(NULL, 0), take_sibling, x);
	}
	return MF_OK;
}

enum mf_status
state_conversation_siblings(struct state *st, uint32_t user, uint32_t folder,
	const struct mf_idset *ids, struct mf_idset *out, struct mf_error *err)
{
	struct asking x = { .user = user, .folder = folder, .ids = ids, .out = out };
	enum mf_status status;

	mf_idset_union(out, ids);
	x.a = mf_arena_new();
	x.sets = mf_new_array(x.a, uint32_t, (size_t)mf_idset_count(ids) + 1);
	status = kv_read(st->kv[STATE_SYNC], find_siblings, &x, err);
	mf_arena_free(x.a);
	return status;
}

struct listing {
	uint32_t user;
	struct mf_arena *a;
	uint32_t *list;
	size_t n;
};

static bool
take_folder(void *ctx, struct mf_bytes key, struct mf_bytes row)
{
	struct listing *l = ctx;

	(void)row;
	if (l->n < STATE_FOLDERS_MAX && key.len == STATE_KEY_FIELDS + 4)
		l->list[l->n++] = state_key_read_u32(key, STATE_KEY_FIELDS);
	return true;
}

static enum mf_status
list_folders(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct listing *l = ctx;
	struct state_key prefix;

	(void)err;
	l->list = mf_new_array(l->a, uint32_t, STATE_FOLDERS_MAX);
	state_key_begin(&prefix, l->user, STATE_SPACE_CONVERSATION_FOLDER);
	kv_scan(t, state_key_view(&prefix), mf_bytes(NULL, 0), take_folder, l);
	return MF_OK;
}

enum mf_status
state_conversation_folders(struct state *st, uint32_t user, struct mf_arena *a, uint32_t **out,
	size_t *n, struct mf_error *err)
{
	struct listing l = { .user = user, .a = a };
	enum mf_status status = kv_read(st->kv[STATE_SYNC], list_folders, &l, err);

	*out = l.list;
	*n = l.n;
	return status;
}
