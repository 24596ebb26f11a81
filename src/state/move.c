/*
 * The memory of moves. Knows no item; rows are in the order of their source. How many there are
 * stands in a row without fields, before them.
 */
#include "state/move.h"

#include <stdlib.h>

#include "base/clock.h"
#include "state/store.h"

enum { KEY_LEN = STATE_KEY_FIELDS + 4 + 8 + 8, MOVES_LEFT = STATE_MOVES_MAX * 3 / 4 };

static struct state_key
key_of(uint32_t user, const struct state_move *m)
{
	struct state_key k;

	state_key_of(&k, user, STATE_SPACE_MOVE, m->from);
	state_key_u64(&k, m->epoch);
	state_key_u64(&k, m->id);
	return k;
}

/* ---- The row: when, to, its epoch, its id, device ---- */

static bool
row_decode(struct mf_bytes row, struct state_move *m)
{
	struct varint_reader c = codec_begin(row);

	m->when = (int64_t)varint_get_max(&c, INT64_MAX);
	m->to = (uint32_t)varint_get_max(&c, UINT32_MAX);
	m->to_epoch = varint_get_max(&c, UINT64_MAX);
	m->to_id = varint_get_max(&c, UINT64_MAX);
	m->device = (uint32_t)varint_get_max(&c, UINT32_MAX);
	return codec_end(&c);
}

bool
move_row_ok(struct mf_bytes key, struct mf_bytes row)
{
	struct state_move m;

	return key.len == STATE_KEY_FIELDS ? row.len == 4
					   : key.len == KEY_LEN && row_decode(row, &m);
}

static void
row_save(struct kv_txn *t, uint32_t user, const struct state_move *m, int64_t now)
{
	struct state_key k = key_of(user, m);
	struct mf_buf b;

	mf_buf_init(&b, 0);
	varint_put(&b, (uint64_t)now);
	varint_put(&b, m->to);
	varint_put(&b, m->to_epoch);
	varint_put(&b, m->to_id);
	varint_put(&b, m->device);
	kv_put(t, state_key_view(&k), mf_buf_bytes(&b));
	mf_buf_deinit(&b);
}

static uint32_t
count_load(struct kv_txn *t, uint32_t user)
{
	struct state_key k;
	struct mf_bytes v;

	state_key_begin(&k, user, STATE_SPACE_MOVE);
	return kv_get(t, state_key_view(&k), &v) && v.len == 4 ? state_key_read_u32(v, 0) : 0;
}

static void
count_save(struct kv_txn *t, uint32_t user, uint32_t count)
{
	struct state_key k, v = { .len = 0 };

	state_key_begin(&k, user, STATE_SPACE_MOVE);
	state_key_u32(&v, count);
	if (count > 0)
		kv_put(t, state_key_view(&k), state_key_view(&v));
	else
		kv_delete(t, state_key_view(&k));
}

/* ---- Forgetting ---- */

struct remembered {
	uint8_t key[KEY_LEN];
	int64_t when;
};

struct all {
	struct remembered *moves;
	size_t n, room;
};

static bool
add_move(void *ctx, struct mf_bytes key, struct mf_bytes row)
{
	struct all *all = ctx;
	struct state_move m;

	if (key.len != KEY_LEN)
		return true;
	if (all->n == all->room)
		return false;
	memcpy(all->moves[all->n].key, key.data, KEY_LEN);
	all->moves[all->n++].when = row_decode(row, &m) ? m.when : 0;
	return true;
}

static int
newest_first(const void *x, const void *y)
{
	const struct remembered *a = x, *b = y;

	return (a->when < b->when) - (a->when > b->when);
}

/* Forgets what is older than `before` and what is beyond the newest `most`; returns what is left. */
static uint32_t
forget(struct kv_txn *t, uint32_t user, int64_t before, size_t most, struct mf_arena *a)
{
	struct all all = { .room = 2 * STATE_MOVES_MAX };
	struct state_key k;
	uint32_t left = 0;

	all.moves = mf_new_array(a, struct remembered, all.room);
	state_key_begin(&k, user, STATE_SPACE_MOVE);
	kv_scan(t, state_key_view(&k), mf_bytes(NULL, 0), add_move, &all);
	if (all.n > 0)
		qsort(all.moves, all.n, sizeof(*all.moves), newest_first);
	for (size_t i = 0; i < all.n; i++) {
		if (i < most && all.moves[i].when >= before)
			left++;
		else
			kv_delete(t, mf_bytes(all.moves[i].key, KEY_LEN));
	}
	return left;
}

struct collecting {
	uint32_t user;
	uint64_t removed;
};

static enum mf_status
collect(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct collecting *c = ctx;
	struct mf_arena *a = mf_arena_new();
	uint32_t count = count_load(t, c->user), left = 0;

	(void)err;
	if (count > 0) {
		left = forget(t, c->user, clock_wall() - STATE_MOVE_LIFE, STATE_MOVES_MAX, a);
		if (left != count)
			count_save(t, c->user, left);
	}
	c->removed = count - left;
	mf_arena_free(a);
	return MF_OK;
}

enum mf_status
move_collect(struct state *st, uint32_t user, uint64_t *removed, struct mf_error *err)
{
	struct collecting c = { .user = user };
	enum mf_status status = kv_write(st->kv[STATE_SYNC], collect, &c, err);

	*removed = c.removed;
	return status;
}

/* ---- Finding and remembering ---- */

struct moving {
	uint32_t user;
	struct state_move *found;
	const struct state_move *moves;
	size_t n;
};

static enum mf_status
find(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct moving *m = ctx;
	struct state_key k = key_of(m->user, m->found);
	struct mf_bytes row;

	if (!kv_get(t, state_key_view(&k), &row))
		return mf_fail(err, MF_GONE, "state: no such move");
	if (!row_decode(row, m->found))
		return state_broken(err, "a move", m->user);
	if (m->found->when < clock_wall() - STATE_MOVE_LIFE)
		return mf_fail(err, MF_GONE, "state: the move is too long ago");
	return MF_OK;
}

enum mf_status
state_move_find(struct state *st, uint32_t user, struct state_move *m, struct mf_error *err)
{
	struct moving x = { .user = user, .found = m };

	return kv_read(st->kv[STATE_SYNC], find, &x, err);
}

static enum mf_status
save(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct moving *m = ctx;
	uint32_t count = count_load(t, m->user);
	int64_t now = clock_wall();

	(void)err;
	for (size_t i = 0; i < m->n; i++) {
		struct state_key k = key_of(m->user, &m->moves[i]);

		count += kv_get(t, state_key_view(&k), NULL) ? 0 : 1;
		row_save(t, m->user, &m->moves[i], now);
	}
	if (count > STATE_MOVES_MAX) {
		struct mf_arena *a = mf_arena_new();

		count = forget(t, m->user, now - STATE_MOVE_LIFE, MOVES_LEFT, a);
		mf_arena_free(a);
	}
	count_save(t, m->user, count);
	return MF_OK;
}

enum mf_status
state_move_save(struct state *st, uint32_t user, const struct state_move *moves, size_t n,
	struct mf_error *err)
{
	/* A part at a time, so that `forget` always sees all rows at once. */
	for (size_t done = 0; done < n; done += STATE_MOVES_MAX) {
		struct moving x = { .user = user, .moves = moves + done };
		enum mf_status status;

		x.n = n - done < STATE_MOVES_MAX ? n - done : STATE_MOVES_MAX;
		status = kv_write(st->kv[STATE_SYNC], save, &x, err);
		if (status != MF_OK)
			return status;
	}
	return MF_OK;
}
