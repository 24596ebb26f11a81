/* Details of flags and verbs: one row a folder with, for each item, its number and the bytes. */
#include "state/flag.h"

#include "state/store.h"

struct access {
	enum state_space space;
	uint32_t user, folder;
	struct mf_arena *a;
	struct state_flags *out;
	const struct state_flag *changes;
	size_t n;
};

static struct state_key
key_of(const struct access *x)
{
	struct state_key k;

	state_key_of(&k, x->user, x->space, x->folder);
	return k;
}

/* The details are views into the row. */
static bool
row_decode(struct mf_bytes row, struct mf_arena *a, struct state_flags *out)
{
	struct varint_reader c = codec_begin(row);
	uint64_t n;

	varint_get(&c); /* once the folder's epoch */
	n = varint_get_max(&c, STATE_FLAGS_MAX);
	out->list = mf_new_array(a, struct state_flag, STATE_FLAGS_MAX);
	for (out->n = 0; out->n < n && !c.failed; out->n++) {
		out->list[out->n].id = varint_get(&c);
		out->list[out->n].details = varint_get_bytes(&c);
	}
	return codec_end(&c);
}

bool
flag_row_ok(struct mf_bytes row, struct mf_arena *a)
{
	struct state_flags f;

	return row_decode(row, a, &f);
}

static enum mf_status
load(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct access *x = ctx;
	struct state_key k = key_of(x);
	struct mf_bytes row;

	*x->out = (struct state_flags){ .n = 0 };
	if (!kv_get(t, state_key_view(&k), &row))
		return MF_OK;
	row = mf_memdup(x->a, row.data, row.len);
	if (!row_decode(row, x->a, x->out))
		return state_broken(err, "flags", x->user);
	return MF_OK;
}

enum mf_status
state_flags_load(struct state *st, uint32_t user, uint32_t folder, struct mf_arena *a,
	struct state_flags *out, struct mf_error *err)
{
	struct access x = { STATE_SPACE_FLAG, user, folder, .a = a, .out = out };

	return kv_read(st->kv[STATE_SYNC], load, &x, err);
}

enum mf_status
state_verbs_load(struct state *st, uint32_t user, uint32_t folder, struct mf_arena *a,
	struct state_flags *out, struct mf_error *err)
{
	struct access x = { STATE_SPACE_VERB, user, folder, .a = a, .out = out };

	return kv_read(st->kv[STATE_SYNC], load, &x, err);
}

static void
forget(struct state_flags *f, size_t at)
{
	memmove(f->list + at, f->list + at + 1, (--f->n - at) * sizeof(*f->list));
}

static void
change(struct state_flags *f, const struct state_flag *to)
{
	for (size_t i = f->n; i > 0; i--)
		if (f->list[i - 1].id == to->id)
			forget(f, i - 1);
	if (to->details.len == 0 || to->details.len > STATE_FLAG_BYTES)
		return;
	if (f->n == STATE_FLAGS_MAX)
		forget(f, 0);
	f->list[f->n++] = *to;
}

static void
row_save(struct kv_txn *t, const struct access *x, const struct state_flags *f)
{
	struct state_key k = key_of(x);
	struct mf_buf b;

	mf_buf_init(&b, 0);
	varint_put(&b, 0);
	varint_put(&b, f->n);
	for (size_t i = 0; i < f->n; i++) {
		varint_put(&b, f->list[i].id);
		varint_put_bytes(&b, f->list[i].details);
	}
	if (f->n > 0)
		kv_put(t, state_key_view(&k), mf_buf_bytes(&b));
	else
		kv_delete(t, state_key_view(&k));
	mf_buf_deinit(&b);
}

static enum mf_status
save(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct access *x = ctx;
	struct state_flags f;
	enum mf_status st;

	x->a = mf_arena_new();
	x->out = &f;
	st = load(t, x, err);
	if (st == MF_BROKEN) /* nothing that could be mended: begin again */
		f.n = 0;
	if (f.list == NULL)
		f.list = mf_new_array(x->a, struct state_flag, STATE_FLAGS_MAX);
	for (size_t i = 0; i < x->n; i++)
		change(&f, &x->changes[i]);
	row_save(t, x, &f);
	mf_arena_free(x->a);
	return MF_OK;
}

enum mf_status
state_flags_save(struct state *st, uint32_t user, uint32_t folder, const struct state_flag *changes,
	size_t n, struct mf_error *err)
{
	struct access x = { STATE_SPACE_FLAG, user, folder, .changes = changes, .n = n };

	return n == 0 ? MF_OK : kv_write(st->kv[STATE_SYNC], save, &x, err);
}

enum mf_status
state_verbs_save(struct state *st, uint32_t user, uint32_t folder, const struct state_flag *changes,
	size_t n, struct mf_error *err)
{
	struct access x = { STATE_SPACE_VERB, user, folder, .changes = changes, .n = n };

	return n == 0 ? MF_OK : kv_write(st->kv[STATE_SYNC], save, &x, err);
}

/* ---- Moving ---- */

struct moving {
	uint32_t user, from, to;
	const struct state_flag_move *moves;
	size_t n;
	bool any; /* something is kept of one of them */
};

/* One kind of details in both folders, as far as it can be read. */
struct pair {
	struct access from, to;
	struct state_flags left, come;
};

static void
load_kept(struct kv_txn *t, struct access *x, struct mf_arena *a, struct state_flags *out)
{
	struct mf_error err;

	x->a = a;
	x->out = out;
	if (load(t, x, &err) != MF_OK)
		out->n = 0;
	if (out->list == NULL)
		out->list = mf_new_array(a, struct state_flag, STATE_FLAGS_MAX);
}

/* Takes out of one folder what goes with the items, into the other. False: nothing does. */
static bool
take_along(const struct moving *m, struct pair *p)
{
	bool any = false;

	for (size_t i = 0; i < m->n; i++) {
		struct state_flag there = { .id = m->moves[i].to,
			.details = state_flag_find(&p->left, m->moves[i].id) };

		if (there.details.len == 0 || there.id == 0)
			continue;
		change(&p->left, &(struct state_flag){ .id = m->moves[i].id });
		change(&p->come, &there);
		any = true;
	}
	return any;
}

static enum mf_status
move_kind(struct kv_txn *t, struct moving *m, enum state_space space, bool write)
{
	struct mf_arena *a = mf_arena_new();
	struct pair p = { .from = { .space = space, .user = m->user, .folder = m->from },
		.to = { .space = space, .user = m->user, .folder = m->to } };
	bool any;

	load_kept(t, &p.from, a, &p.left);
	load_kept(t, &p.to, a, &p.come);
	any = p.left.n > 0 && take_along(m, &p);
	if (any && write) {
		row_save(t, &p.from, &p.left);
		row_save(t, &p.to, &p.come);
	}
	m->any |= any;
	mf_arena_free(a);
	return MF_OK;
}

static enum mf_status
look(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	(void)err;
	move_kind(t, ctx, STATE_SPACE_FLAG, false);
	return move_kind(t, ctx, STATE_SPACE_VERB, false);
}

static enum mf_status
move(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	(void)err;
	move_kind(t, ctx, STATE_SPACE_FLAG, true);
	return move_kind(t, ctx, STATE_SPACE_VERB, true);
}

enum mf_status
state_flags_move(struct state *st, uint32_t user, uint32_t from, uint32_t to,
	const struct state_flag_move *moves, size_t n, struct mf_error *err)
{
	struct moving m = { user, from, to, moves, n, false };
	enum mf_status s = kv_read(st->kv[STATE_SYNC], look, &m, err);

	return s != MF_OK || !m.any ? s : kv_write(st->kv[STATE_SYNC], move, &m, err);
}

struct mf_bytes
state_flag_find(const struct state_flags *f, uint64_t id)
{
	for (size_t i = f->n; i > 0; i--)
		if (f->list[i - 1].id == id)
			return f->list[i - 1].details;
	return mf_bytes(NULL, 0);
}
