/* What devices hold of folders. Knows which generation is which; their content is src/sync's. */
#include "state/collection.h"

#include <assert.h>

#include "state/slots.h"
#include "state/store.h"

enum { SLOT_OPTIONS = SLOTS, KEY_LEN = STATE_KEY_FIELDS + 4 + 4 + 1 };

static struct state_key
prefix_of(uint32_t user, uint32_t device, uint32_t folder)
{
	struct state_key k;

	state_key_of(&k, user, STATE_SPACE_COLLECTION, device);
	state_key_u32(&k, folder);
	return k;
}

static struct state_key
options_key(uint32_t user, uint32_t device, uint32_t folder)
{
	struct state_key k = prefix_of(user, device, folder);

	state_key_u8(&k, SLOT_OPTIONS);
	return k;
}

/* ---- The row: key, digest, content, answer ---- */

static void
row_encode(struct mf_buf *b, const struct state_generation *g)
{
	slots_row_begin(b, g->key);
	mf_buf_add(b, g->digest, sizeof(g->digest));
	varint_put_bytes(b, g->content);
	mf_buf_add(b, g->answer.data, g->answer.len);
}

/* out views the row. */
static bool
row_decode(struct mf_bytes row, struct state_generation *out)
{
	struct varint_reader c = codec_begin(row);
	struct mf_bytes digest = codec_raw(&c, STATE_REQUEST_DIGEST);

	if (digest.len == STATE_REQUEST_DIGEST)
		memcpy(out->digest, digest.data, digest.len);
	out->content = varint_get_bytes(&c);
	out->answer = codec_rest(&c);
	return codec_end(&c);
}

bool
collection_row_ok(struct mf_bytes key, struct mf_bytes row)
{
	struct state_generation g;

	if (key.len != KEY_LEN || key.data[KEY_LEN - 1] > SLOT_OPTIONS)
		return false;
	if (key.data[KEY_LEN - 1] == SLOT_OPTIONS)
		return row.len > 0;
	return row.len >= SLOT_KEY_LEN && state_key_read_u64(row, 0) != 0 &&
	       row_decode(mf_bytes(row.data + SLOT_KEY_LEN, row.len - SLOT_KEY_LEN), &g);
}

/* ---- Loading ---- */

struct loading {
	uint32_t user, device, folder;
	struct mf_arena *a;
	struct state_collection *out;
};

static bool
load_slot(const struct slots *s, int slot, struct mf_arena *a, struct state_generation *out)
{
	if (slot < 0)
		return true;
	if (!row_decode(s->row[slot], out))
		return false;
	out->key = s->key[slot];
	out->content = mf_memdup(a, out->content.data, out->content.len);
	out->answer = mf_memdup(a, out->answer.data, out->answer.len);
	return true;
}

static enum mf_status
load(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct loading *l = ctx;
	struct state_key k = prefix_of(l->user, l->device, l->folder);
	struct mf_bytes options;
	struct slots s;

	slots_read(t, &k, &s);
	if (!load_slot(&s, s.newest, l->a, &l->out->newest) ||
		!load_slot(&s, s.previous, l->a, &l->out->previous))
		return state_broken(err, "a collection", l->user);
	k = options_key(l->user, l->device, l->folder);
	if (kv_get(t, state_key_view(&k), &options))
		l->out->options = mf_memdup(l->a, options.data, options.len);
	return MF_OK;
}

enum mf_status
state_collection_load(struct state *st, uint32_t user, uint32_t device, uint32_t folder,
	struct mf_arena *a, struct state_collection *out, struct mf_error *err)
{
	struct loading l = { .user = user, .device = device, .folder = folder, .a = a, .out = out };

	*out = (struct state_collection){ 0 };
	return kv_read(st->kv[STATE_SYNC], load, &l, err);
}

/* ---- Committing ---- */

struct committing {
	uint32_t user, device;
	struct state_commit *commits;
	size_t n;
	const struct state_keep *keep;
};

static enum mf_status
commit_next(struct kv_txn *t, const struct committing *c, const struct state_commit *one)
{
	struct state_key k = prefix_of(c->user, c->device, one->folder);
	struct mf_buf b;
	enum mf_status st;

	mf_buf_init(&b, 0);
	row_encode(&b, one->next);
	st = slots_commit(t, &k, one->newest, one->base, mf_buf_bytes(&b), NULL);
	mf_buf_deinit(&b);
	return st;
}

/* Rewrites the row of `base` with its digest and answer as they are. */
static enum mf_status
commit_refreshed(struct kv_txn *t, const struct committing *c, const struct state_commit *one)
{
	struct state_key k = prefix_of(c->user, c->device, one->folder);
	struct state_generation g = { .key = one->base };
	struct slots s;
	struct mf_buf b;
	int slot;

	slots_read(t, &k, &s);
	if (s.newest < 0 || s.key[s.newest] != one->newest)
		return MF_RESYNC;
	slot = s.key[s.newest] == one->base ? s.newest : s.previous;
	if (slot < 0 || s.key[slot] != one->base || !row_decode(s.row[slot], &g))
		return MF_RESYNC;
	g.content = *one->refreshed;
	mf_buf_init(&b, 0);
	row_encode(&b, &g);
	state_key_u8(&k, (uint8_t)slot);
	kv_put(t, state_key_view(&k), mf_buf_bytes(&b));
	mf_buf_deinit(&b);
	return MF_OK;
}

static void
commit_options(struct kv_txn *t, const struct committing *c, const struct state_commit *one)
{
	struct state_key k = options_key(c->user, c->device, one->folder);

	if (one->options->len > 0)
		kv_put(t, state_key_view(&k), *one->options);
	else
		kv_delete(t, state_key_view(&k));
}

static enum mf_status
commit(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct committing *c = ctx;

	if (!device_exists(t, c->user, c->device))
		return mf_fail(err, MF_GONE, "state: the device was removed");
	for (size_t i = 0; i < c->n; i++) {
		struct state_commit *one = &c->commits[i];

		one->status = MF_OK;
		if (one->next != NULL)
			one->status = commit_next(t, c, one);
		else if (one->refreshed != NULL)
			one->status = commit_refreshed(t, c, one);
		if (one->status == MF_OK && one->options != NULL)
			commit_options(t, c, one);
		if (one->status == MF_OK)
			identities_put(t, c->user, one->folder, one->identities, one->n_identities);
	}
	if (c->keep != NULL)
		blob_put(t, c->user, c->device, (int)c->keep->which, c->keep->value);
	return MF_OK;
}

enum mf_status
state_collection_commit(struct state *st, uint32_t user, uint32_t device,
	struct state_commit *commits, size_t n, struct mf_error *err)
{
	return state_collection_commit_with(st, user, device, commits, n, NULL, err);
}

enum mf_status
state_collection_commit_with(struct state *st, uint32_t user, uint32_t device,
	struct state_commit *commits, size_t n, const struct state_keep *keep, struct mf_error *err)
{
	struct committing c = {
		.user = user, .device = device, .commits = commits, .n = n, .keep = keep
	};

	for (size_t i = 0; i < n; i++)
		assert(commits[i].next == NULL || commits[i].next->key > commits[i].newest);
	assert(keep == NULL || keep->value.len <= STATE_BLOB_MAX);
	return n == 0 && keep == NULL ? MF_OK : kv_write(st->kv[STATE_SYNC], commit, &c, err);
}

/* ---- Forgetting ---- */

static enum mf_status
drop(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct loading *l = ctx;
	struct state_key k;

	(void)err;
	if (l->folder != 0)
		k = prefix_of(l->user, l->device, l->folder);
	else
		state_key_of(&k, l->user, STATE_SPACE_COLLECTION, l->device);
	kv_delete_prefix(t, state_key_view(&k));
	return MF_OK;
}

enum mf_status
state_collection_drop(
	struct state *st, uint32_t user, uint32_t device, uint32_t folder, struct mf_error *err)
{
	struct loading l = { .user = user, .device = device, .folder = folder };

	return kv_write(st->kv[STATE_SYNC], drop, &l, err);
}
