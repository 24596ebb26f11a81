/* Numbers of items over generations of ids, and the digests to recognise items by. */
#include "state/numbering.h"

#include <stdlib.h>

#include "state/store.h"

enum { CHUNK = 64, DIGEST_LEN = 8, CURSOR_MAX = 64 << 10 };

/* ---- A folder's numbering: generation, cursor, runs ---- */

static void
row_encode(struct mf_buf *b, const struct state_numbering *s)
{
	uint64_t at = 0;

	varint_put(b, s->generation);
	varint_put(b, s->epoch);
	varint_put_bytes(b, s->cursor);
	varint_put(b, s->n);
	for (size_t i = 0; i < s->n; i++) {
		varint_put(b, s->runs[i].shown - at);
		varint_put(b, s->runs[i].id);
		varint_put(b, s->runs[i].n);
		at = s->runs[i].shown + s->runs[i].n;
	}
}

/* The cursor is a view into the row. */
static bool
row_decode(struct mf_bytes row, struct mf_arena *a, struct state_numbering *out)
{
	struct varint_reader c = codec_begin(row);
	struct state_numbering_run *runs;
	uint64_t at = 0;

	out->generation = varint_get_max(&c, UINT32_MAX >> 1);
	out->epoch = varint_get(&c);
	out->cursor = varint_get_bytes(&c);
	out->n = (size_t)varint_get_max(&c, row.len);
	out->runs = runs = mf_new_array(a, struct state_numbering_run, out->n);
	for (size_t i = 0; i < out->n && !c.failed; i++) {
		runs[i].shown = at + varint_get_max(&c, UINT64_MAX - at);
		runs[i].id = varint_get(&c);
		runs[i].n = varint_get_max(&c, UINT64_MAX - runs[i].shown);
		at = runs[i].shown + runs[i].n;
	}
	return codec_end(&c) && out->cursor.len <= CURSOR_MAX;
}

bool
numbering_row_ok(struct mf_bytes row, struct mf_arena *a)
{
	struct state_numbering s;

	return row_decode(row, a, &s);
}

struct access {
	uint32_t user, folder;
	struct mf_arena *a;
	struct state_numbering *list;
	size_t n, max;
	struct state_identity *identities;
	bool broken;
};

static enum mf_status
load(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct access *x = ctx;
	struct state_key k;
	struct mf_bytes row;

	state_key_of(&k, x->user, STATE_SPACE_NUMBERING, x->folder);
	if (!kv_get(t, state_key_view(&k), &row))
		return MF_GONE;
	row = mf_memdup(x->a, row.data, row.len);
	return row_decode(row, x->a, x->list) ? MF_OK : state_broken(err, "a numbering", x->user);
}

enum mf_status
state_numbering_load(struct state *st, uint32_t user, uint32_t folder, struct mf_arena *a,
	struct state_numbering *out, struct mf_error *err)
{
	struct access x = { .user = user, .folder = folder, .a = a, .list = out };

	*out = (struct state_numbering){ .folder = folder };
	return kv_read(st->kv[STATE_SYNC], load, &x, err);
}

static bool
add_later(void *ctx, struct mf_bytes key, struct mf_bytes row)
{
	struct access *x = ctx;
	struct state_numbering one = { .folder = 0 };

	if (key.len != STATE_KEY_FIELDS + 4 || row.len == 0 || row.data[0] == 0)
		return true; /* of the first generation: nothing to know */
	row = mf_memdup(x->a, row.data, row.len);
	if (!row_decode(row, x->a, &one)) {
		x->broken = true;
		return true;
	}
	one.folder = state_key_read_u32(key, STATE_KEY_FIELDS);
	if (x->n == x->max) {
		struct state_numbering *more;

		x->max = 2 * x->max + 4;
		more = mf_new_array(x->a, struct state_numbering, x->max);
		for (size_t i = 0; i < x->n; i++)
			more[i] = x->list[i];
		x->list = more;
	}
	x->list[x->n++] = one;
	return true;
}

static enum mf_status
load_all(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct access *x = ctx;
	struct state_key k;

	state_key_begin(&k, x->user, STATE_SPACE_NUMBERING);
	kv_scan(t, state_key_view(&k), mf_bytes(NULL, 0), add_later, x);
	return x->broken ? state_broken(err, "a numbering", x->user) : MF_OK;
}

enum mf_status
state_numberings_load(struct state *st, uint32_t user, struct mf_arena *a,
	struct state_numbering **out, size_t *n, struct mf_error *err)
{
	struct access x = { .user = user, .a = a };
	enum mf_status status = kv_read(st->kv[STATE_SYNC], load_all, &x, err);

	*out = x.list;
	*n = x.n;
	return status;
}

/* ---- Identities: rows of 64 neighbours, a bit for each that is there and its digest ---- */

struct chunk {
	uint64_t digests[CHUNK]; /* 0: none */
};

static struct state_key
chunk_key(uint32_t user, uint32_t folder, uint64_t number)
{
	struct state_key k;

	state_key_of(&k, user, STATE_SPACE_IDENTITY, folder);
	state_key_u64(&k, number);
	return k;
}

static bool
chunk_decode(struct mf_bytes row, struct chunk *out)
{
	size_t at = DIGEST_LEN;
	uint64_t there;

	*out = (struct chunk){ { 0 } };
	if (row.len < DIGEST_LEN || row.len % DIGEST_LEN != 0)
		return false;
	there = state_key_read_u64(row, 0);
	for (unsigned i = 0; i < CHUNK && at + DIGEST_LEN <= row.len; i++)
		if ((there >> i & 1) != 0) {
			out->digests[i] = state_key_read_u64(row, at);
			at += DIGEST_LEN;
		}
	return at == row.len;
}

bool
identity_row_ok(struct mf_bytes key, struct mf_bytes row)
{
	struct chunk c;

	return key.len == STATE_KEY_FIELDS + 4 + 8 && chunk_decode(row, &c);
}

static void
chunk_save(struct kv_txn *t, const struct state_key *key, const struct chunk *c)
{
	struct state_key row = { .len = 0 }, digests = { .len = 0 };
	uint8_t all[DIGEST_LEN * (CHUNK + 1)];
	uint64_t there = 0;
	size_t len = DIGEST_LEN;

	for (unsigned i = 0; i < CHUNK; i++) {
		if (c->digests[i] == 0)
			continue;
		there |= 1ULL << i;
		digests.len = 0;
		state_key_u64(&digests, c->digests[i]);
		memcpy(all + len, digests.data, DIGEST_LEN);
		len += DIGEST_LEN;
	}
	state_key_u64(&row, there);
	memcpy(all, row.data, DIGEST_LEN);
	if (there != 0)
		kv_put(t, state_key_view(key), mf_bytes(all, len));
	else
		kv_delete(t, state_key_view(key));
}

void
identities_put(struct kv_txn *t, uint32_t user, uint32_t folder, const struct state_identity *list,
	size_t n)
{
	for (size_t i = 0; i < n;) {
		uint64_t number = list[i].shown / CHUNK;
		struct state_key k = chunk_key(user, folder, number);
		struct chunk old = { { 0 } }, now;
		struct mf_bytes row;

		if (kv_get(t, state_key_view(&k), &row))
			chunk_decode(row, &old);
		now = old;
		for (; i < n && list[i].shown / CHUNK == number; i++)
			now.digests[list[i].shown % CHUNK] = list[i].digest;
		if (memcmp(&now, &old, sizeof(now)) != 0)
			chunk_save(t, &k, &now);
	}
}

static bool
add_chunk(void *ctx, struct mf_bytes key, struct mf_bytes row)
{
	struct access *x = ctx;
	uint64_t first;
	struct chunk c;

	if (!identity_row_ok(key, row) || !chunk_decode(row, &c))
		return true; /* not recognised, then */
	first = state_key_read_u64(key, STATE_KEY_FIELDS + 4) * CHUNK;
	if (x->n + CHUNK > x->max) {
		struct state_identity *more;

		x->max = 2 * x->max + CHUNK;
		more = mf_new_array(x->a, struct state_identity, x->max);
		if (x->n > 0)
			memcpy(more, x->identities, x->n * sizeof(*more));
		x->identities = more;
	}
	for (unsigned i = 0; i < CHUNK; i++)
		if (c.digests[i] != 0)
			x->identities[x->n++] = (struct state_identity){ first + i, c.digests[i] };
	return true;
}

static enum mf_status
load_identities(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct access *x = ctx;
	struct state_key k;

	(void)err;
	state_key_of(&k, x->user, STATE_SPACE_IDENTITY, x->folder);
	kv_scan(t, state_key_view(&k), mf_bytes(NULL, 0), add_chunk, x);
	return MF_OK;
}

enum mf_status
state_identities_load(struct state *st, uint32_t user, uint32_t folder, struct mf_arena *a,
	struct state_identity **out, size_t *n, struct mf_error *err)
{
	struct access x = { .user = user, .folder = folder, .a = a };
	enum mf_status status = kv_read(st->kv[STATE_SYNC], load_identities, &x, err);

	*out = x.identities;
	*n = x.n;
	return status;
}

/* ---- The next generation ---- */

struct saving {
	uint32_t user;
	const struct state_numbering *next;
	const struct state_identity *left;
	size_t n;
};

static enum mf_status
save(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	const struct saving *s = ctx;
	struct state_key k, identities;
	struct mf_bytes row;
	struct mf_buf b;
	uint64_t expected = s->next->generation <= 1 ? s->next->generation : 0;

	state_key_of(&k, s->user, STATE_SPACE_NUMBERING, s->next->folder);
	if (kv_get(t, state_key_view(&k), &row)) {
		struct varint_reader c = codec_begin(row);

		expected = varint_get(&c) + 1;
	}
	if (s->next->generation != expected)
		return mf_fail(err, MF_RESYNC, "state: a folder was numbered by another request");
	mf_buf_init(&b, 0);
	row_encode(&b, s->next);
	kv_put(t, state_key_view(&k), mf_buf_bytes(&b));
	mf_buf_deinit(&b);
	if (s->next->generation == 0)
		return MF_OK;
	state_key_of(&identities, s->user, STATE_SPACE_IDENTITY, s->next->folder);
	kv_delete_prefix(t, state_key_view(&identities));
	identities_put(t, s->user, s->next->folder, s->left, s->n);
	return MF_OK;
}

enum mf_status
state_numbering_save(struct state *st, uint32_t user, const struct state_numbering *next,
	const struct state_identity *left, size_t n, struct mf_error *err)
{
	struct saving s = { .user = user, .next = next, .left = left, .n = n };

	return kv_write(st->kv[STATE_SYNC], save, &s, err);
}
