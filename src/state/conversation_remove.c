/* Messages and folders taken out of the index of conversations. Names stay
 * behind, for moved mail comes back under them: conversation_sweep.c. */
#include <string.h>

#include "state/conversation_rows.h"

enum { CHUNKS_AT_ONCE = 64 };

struct removing {
	uint32_t user, folder;
	const struct mf_idset *ids; /* NULL: all */
	uint64_t from;		    /* the next chunk to look at */
	bool done;
	struct conversation_chunk chunks[CHUNKS_AT_ONCE];
	size_t n;
	uint32_t left[CHUNKS_AT_ONCE * CONVERSATION_CHUNK];
	size_t n_left;
	size_t ended; /* conversations that have lost their last message */
};

static bool
collect_chunk(void *ctx, struct mf_bytes key, struct mf_bytes row)
{
	struct removing *x = ctx;
	struct conversation_chunk *c = &x->chunks[x->n];

	if (x->n == CHUNKS_AT_ONCE)
		return false;
	c->number = state_key_read_u64(key, STATE_KEY_FIELDS + 4);
	if (!conversation_chunk_decode(row, c))
		memset(c->sets, 0, sizeof(c->sets));
	x->n++;
	return true;
}

static void
remove_member(struct removing *x, struct kv_txn *t, uint64_t id, uint32_t number)
{
	struct conversation_set_row row;
	uint32_t set = conversation_set_find(t, x->user, number, &row);
	struct state_key k;

	if (set == 0)
		return;
	conversation_member_key(&k, x->user, set, x->folder, id);
	kv_delete(t, state_key_view(&k));
	if (row.count <= 1) {
		conversation_set_delete(t, x->user, set);
		x->ended++;
	} else {
		row.count--;
		conversation_set_save(t, x->user, set, &row);
	}
	x->left[x->n_left++] = set;
}

static void
remove_of_chunk(struct removing *x, struct kv_txn *t, struct conversation_chunk *c)
{
	bool changed = false;

	for (unsigned i = 0; i < CONVERSATION_CHUNK; i++) {
		uint64_t id = c->number * CONVERSATION_CHUNK + i;

		if (c->sets[i] == 0 || (x->ids != NULL && !mf_idset_has(x->ids, id)))
			continue;
		remove_member(x, t, id, c->sets[i]);
		c->sets[i] = 0;
		changed = true;
	}
	if (changed || x->ids == NULL)
		conversation_chunk_save(t, x->user, x->folder, c);
}

static enum mf_status
remove_some(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct removing *x = ctx;
	struct state_key prefix, from;

	(void)err;
	x->n = x->n_left = x->ended = 0;
	state_key_of(&prefix, x->user, STATE_SPACE_CONVERSATION_CHUNK, x->folder);
	conversation_chunk_key(&from, x->user, x->folder, x->from);
	kv_scan(t, state_key_view(&prefix), state_key_view(&from), collect_chunk, x);
	for (size_t i = 0; i < x->n; i++)
		remove_of_chunk(x, t, &x->chunks[i]);
	conversation_sweep_note(t, x->user, x->ended);
	return MF_OK;
}

/* The chunk of the next id to remove that is not before x->from; false: there is none. */
static bool
skip_to_next(struct removing *x)
{
	uint64_t from = x->from * CONVERSATION_CHUNK;
	uint64_t id = x->ids == NULL ? from : mf_idset_next(x->ids, from == 0 ? 0 : from - 1);

	if (x->ids != NULL && id == 0)
		return false;
	x->from = id / CONVERSATION_CHUNK;
	return true;
}

static enum mf_status
remove_all(struct state *st, struct removing *x, void (*left)(void *ctx, uint32_t set), void *ctx,
	struct mf_error *err)
{
	while (skip_to_next(x)) {
		enum mf_status status = kv_write(st->kv[STATE_SYNC], remove_some, x, err);

		if (status != MF_OK)
			return status;
		for (size_t i = 0; left != NULL && i < x->n_left; i++)
			left(ctx, x->left[i]);
		if (x->n < CHUNKS_AT_ONCE)
			break;
		x->from = x->chunks[x->n - 1].number + 1;
	}
	return MF_OK;
}

enum mf_status
state_conversation_remove(struct state *st, uint32_t user, uint32_t folder,
	const struct mf_idset *ids, void (*left)(void *ctx, uint32_t set), void *ctx,
	struct mf_error *err)
{
	struct mf_arena *a = mf_arena_new();
	struct removing *x = mf_new(a, struct removing);
	enum mf_status status;

	x->user = user;
	x->folder = folder;
	x->ids = ids;
	status = remove_all(st, x, left, ctx, err);
	mf_arena_free(a);
	return status;
}

struct dropping {
	uint32_t user, folder;
};

static enum mf_status
drop_progress(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct dropping *d = ctx;
	struct state_key k;

	(void)err;
	state_key_of(&k, d->user, STATE_SPACE_CONVERSATION_FOLDER, d->folder);
	kv_delete(t, state_key_view(&k));
	return MF_OK;
}

enum mf_status
state_conversation_drop(struct state *st, uint32_t user, uint32_t folder, struct mf_error *err)
{
	struct dropping d = { .user = user, .folder = folder };
	enum mf_status status = state_conversation_remove(st, user, folder, NULL, NULL, NULL, err);

	return status != MF_OK ? status : kv_write(st->kv[STATE_SYNC], drop_progress, &d, err);
}
