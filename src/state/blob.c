/* Small named things of a device. Knows nothing of what they are. */
#include "state/blob.h"

#include "state/store.h"

struct access {
	uint32_t user, device;
	enum state_blob which;
	struct mf_arena *a;
	struct mf_bytes value; /* in or out */
	bool same;	       /* out: this value is what is stored */
};

static struct state_key
key_of(const struct access *x)
{
	struct state_key k;

	state_key_of(&k, x->user, STATE_SPACE_BLOB, x->device);
	state_key_u8(&k, (uint8_t)x->which);
	return k;
}

static enum mf_status
load(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct access *x = ctx;
	struct state_key k = key_of(x);
	struct mf_bytes v;

	(void)err;
	if (kv_get(t, state_key_view(&k), &v))
		x->value = mf_memdup(x->a, v.data, v.len);
	return MF_OK;
}

enum mf_status
state_blob_load(struct state *st, uint32_t user, uint32_t device, enum state_blob which,
	struct mf_arena *a, struct mf_bytes *out, struct mf_error *err)
{
	struct access x = { .user = user, .device = device, .which = which, .a = a };
	enum mf_status status = kv_read(st->kv[STATE_SYNC], load, &x, err);

	*out = x.value;
	return status;
}

static enum mf_status
compare(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct access *x = ctx;
	struct state_key k = key_of(x);
	struct mf_bytes v;

	if (!device_exists(t, x->user, x->device))
		return mf_fail(err, MF_GONE, "state: the device was removed");
	if (!kv_get(t, state_key_view(&k), &v))
		x->same = x->value.len == 0;
	else
		x->same = v.len == x->value.len && v.len > 0 &&
			  memcmp(v.data, x->value.data, v.len) == 0;
	return MF_OK;
}

void
blob_put(struct kv_txn *t, uint32_t user, uint32_t device, int which, struct mf_bytes value)
{
	const struct access x = { .user = user, .device = device, .which = (enum state_blob)which };
	struct state_key k = key_of(&x);

	if (value.len > 0)
		kv_put(t, state_key_view(&k), value);
	else
		kv_delete(t, state_key_view(&k));
}

static enum mf_status
save(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct access *x = ctx;
	enum mf_status st = compare(t, x, err);

	if (st == MF_OK && !x->same)
		blob_put(t, x->user, x->device, (int)x->which, x->value);
	return st;
}

enum mf_status
state_blob_save(struct state *st, uint32_t user, uint32_t device, enum state_blob which,
	struct mf_bytes value, struct mf_error *err)
{
	struct access x = { .user = user, .device = device, .which = which, .value = value };
	enum mf_status status;

	if (value.len > STATE_BLOB_MAX)
		return mf_fail(
			err, MF_TOO_LARGE, "state: %zu bytes to keep for a device", value.len);
	status = kv_read(st->kv[STATE_SYNC], compare, &x, err);
	if (status != MF_OK || x.same)
		return status;
	return kv_write(st->kv[STATE_SYNC], save, &x, err);
}
