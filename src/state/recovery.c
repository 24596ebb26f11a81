/* One row a device. Knows no password. */
#include "state/recovery.h"

#include <string.h>

#include "state/device.h"
#include "state/store.h"
#include "state/user.h"

struct access {
	uint32_t user;
	const char *id;
	struct mf_arena *a;
	struct mf_bytes row;
	bool found;
};

static struct state_key
key_of(const struct access *x)
{
	struct state_key k;

	state_key_begin(&k, x->user, STATE_SPACE_RECOVERY);
	state_key_digest(&k, x->id, strlen(x->id));
	return k;
}

static enum mf_status
save(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	const struct access *x = ctx;
	struct state_key k = key_of(x);

	(void)err;
	if (x->row.len == 0)
		kv_delete(t, state_key_view(&k));
	else
		kv_put(t, state_key_view(&k), x->row);
	return MF_OK;
}

static enum mf_status
load(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct access *x = ctx;
	struct state_key k = key_of(x);
	struct mf_bytes row;

	(void)err;
	x->found = kv_get(t, state_key_view(&k), &row);
	if (x->found)
		x->row = mf_memdup(x->a, row.data, row.len);
	return MF_OK;
}

enum mf_status
state_recovery_save(struct state *st, const char *user, const char *device_id,
	struct mf_bytes sealed, struct mf_error *err)
{
	struct access x = { .id = device_id, .row = sealed };
	size_t len = strlen(device_id);
	enum mf_status status;

	if (len == 0 || len > STATE_DEVICE_ID_MAX || sealed.len > STATE_RECOVERY_MAX)
		return mf_fail(
			err, MF_INVALID, "state: a recovery password of %zu bytes", sealed.len);
	status = state_user_number(st, STATE_RECORDS, user, &x.user, err);
	return status == MF_OK ? kv_write(st->kv[STATE_RECORDS], save, &x, err) : status;
}

enum mf_status
state_recovery_load(struct state *st, const char *user, const char *device_id, struct mf_arena *a,
	struct mf_bytes *out, struct mf_error *err)
{
	struct access x = { .id = device_id, .a = a };
	enum mf_status status = state_user_find(st, STATE_RECORDS, user, &x.user, err);

	if (status == MF_OK)
		status = kv_read(st->kv[STATE_RECORDS], load, &x, err);
	if (status == MF_GONE || (status == MF_OK && !x.found))
		status = mf_fail(err, MF_GONE, "no recovery password is kept");
	*out = x.row;
	return status;
}
