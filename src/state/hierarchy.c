/* What devices hold of the folder hierarchy. Knows nothing of folders but what a device was told. */
#include "state/hierarchy.h"

#include <assert.h>
#include <stdlib.h>

#include "state/slots.h"
#include "state/store.h"

/* ---- The row: key, count, then per folder: number (as a difference), parent, type, name ---- */

static int
by_number(const void *x, const void *y)
{
	const struct state_held *a = x, *b = y;

	return (a->number > b->number) - (a->number < b->number);
}

static void
row_encode(struct mf_buf *b, const struct state_hierarchy *h, struct mf_arena *a)
{
	struct state_held *sorted = mf_new_array(a, struct state_held, h->n);
	uint32_t last = 0;

	if (h->n > 0) {
		memcpy(sorted, h->held, h->n * sizeof(*sorted));
		qsort(sorted, h->n, sizeof(*sorted), by_number);
	}
	slots_row_begin(b, h->key);
	varint_put(b, h->n);
	for (size_t i = 0; i < h->n; i++) {
		varint_put(b, sorted[i].number - last);
		varint_put(b, sorted[i].parent);
		varint_put(b, sorted[i].type);
		codec_add_str(b, sorted[i].name);
		last = sorted[i].number;
	}
}

static bool
row_decode(struct mf_bytes row, struct mf_arena *a, struct state_hierarchy *out)
{
	struct varint_reader c = codec_begin(row);
	uint32_t last = 0;

	out->n = (size_t)varint_get_max(&c, row.len); /* each takes more than a byte */
	out->held = mf_new_array(a, struct state_held, out->n);
	for (size_t i = 0; i < out->n && !c.failed; i++) {
		struct state_held *h = &out->held[i];

		h->number = last += (uint32_t)varint_get_max(&c, UINT32_MAX - last);
		h->parent = (uint32_t)varint_get_max(&c, UINT32_MAX);
		h->type = (uint8_t)varint_get_max(&c, UINT8_MAX);
		h->name = codec_str(&c, a);
	}
	return codec_end(&c);
}

bool
hierarchy_row_ok(struct mf_bytes row, struct mf_arena *a)
{
	struct state_hierarchy h;

	return row.len >= SLOT_KEY_LEN && state_key_read_u64(row, 0) != 0 &&
	       row_decode(mf_bytes(row.data + SLOT_KEY_LEN, row.len - SLOT_KEY_LEN), a, &h);
}

/* ---- Loading ---- */

struct loading {
	uint32_t user, device;
	struct mf_arena *a;
	struct state_hierarchies *out;
};

static bool
load_slot(const struct slots *s, int slot, struct mf_arena *a, struct state_hierarchy *out)
{
	if (slot < 0)
		return true;
	out->key = s->key[slot];
	return row_decode(s->row[slot], a, out);
}

static enum mf_status
load(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct loading *l = ctx;
	struct state_key k;
	struct slots s;

	state_key_of(&k, l->user, STATE_SPACE_HIERARCHY, l->device);
	slots_read(t, &k, &s);
	if (!load_slot(&s, s.newest, l->a, &l->out->newest) ||
		!load_slot(&s, s.previous, l->a, &l->out->previous))
		return state_broken(err, "a hierarchy", l->user);
	return MF_OK;
}

enum mf_status
state_hierarchy_load(struct state *st, uint32_t user, uint32_t device, struct mf_arena *a,
	struct state_hierarchies *out, struct mf_error *err)
{
	struct loading l = { .user = user, .device = device, .a = a, .out = out };

	*out = (struct state_hierarchies){ 0 };
	return kv_read(st->kv[STATE_SYNC], load, &l, err);
}

/* ---- Committing ---- */

struct committing {
	uint32_t user, device;
	uint64_t newest, base;
	struct mf_bytes row;
};

static enum mf_status
commit(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct committing *c = ctx;
	struct state_key k;

	if (!device_exists(t, c->user, c->device))
		return mf_fail(err, MF_GONE, "state: the device was removed");
	state_key_of(&k, c->user, STATE_SPACE_HIERARCHY, c->device);
	return slots_commit(t, &k, c->newest, c->base, c->row, err);
}

enum mf_status
state_hierarchy_commit(struct state *st, uint32_t user, uint32_t device, uint64_t newest,
	uint64_t base, const struct state_hierarchy *next, struct mf_error *err)
{
	struct committing c = { .user = user, .device = device, .newest = newest, .base = base };
	struct mf_arena *a = mf_arena_new();
	struct mf_buf b;
	enum mf_status status;

	assert(next->key > newest);
	mf_buf_init(&b, 0);
	row_encode(&b, next, a);
	c.row = mf_buf_bytes(&b);
	status = kv_write(st->kv[STATE_SYNC], commit, &c, err);
	mf_buf_deinit(&b);
	mf_arena_free(a);
	return status;
}

const struct state_held *
state_hierarchy_find(const struct state_hierarchy *h, uint32_t number)
{
	struct state_held key = { .number = number };

	return h->n == 0 ? NULL : bsearch(&key, h->held, h->n, sizeof(key), by_number);
}
