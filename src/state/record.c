/* Rows of decisions. Knows nothing of what follows from them. */
#include "state/record.h"

#include <string.h>

#include "base/clock.h"
#include "state/device.h"
#include "state/store.h"
#include "state/user.h"

struct access {
	uint32_t user;
	const char *id;
	struct state_record *record; /* of a load */
	enum state_approval approval;
	struct state_wipe wipe;
};

const char *
state_approval_name(enum state_approval approval)
{
	static const char *const names[] = { "by rule", "allowed", "blocked", "waiting" };

	return names[approval];
}

const char *
state_wipe_kind_name(enum state_wipe_kind kind)
{
	static const char *const names[] = { "none", "account", "device" };

	return names[kind];
}

const char *
state_wipe_stage_name(enum state_wipe_stage stage)
{
	static const char *const names[] = { "asked", "sent", "done", "failed" };

	return names[stage];
}

static struct state_key
key_of(const struct access *x, enum state_space space)
{
	struct state_key k;

	state_key_begin(&k, x->user, space);
	state_key_digest(&k, x->id, strlen(x->id));
	return k;
}

static void
read_wipe(struct mf_bytes row, struct state_wipe *out)
{
	struct varint_reader c = codec_begin(row);
	struct state_wipe w = { .kind = (enum state_wipe_kind)varint_get_max(
					&c, STATE_WIPE_DEVICE) };

	w.stage = (enum state_wipe_stage)varint_get_max(&c, STATE_WIPE_FAILED);
	w.asked = (int64_t)varint_get_max(&c, INT64_MAX);
	w.changed = (int64_t)varint_get_max(&c, INT64_MAX);
	codec_rest(&c); /* the device's id, for people */
	if (codec_end(&c))
		*out = w;
}

static enum mf_status
load(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct access *x = ctx;
	struct state_key k = key_of(x, STATE_SPACE_APPROVAL);
	struct mf_bytes row;

	(void)err;
	if (kv_get(t, state_key_view(&k), &row) && row.len > 0 &&
		row.data[0] <= STATE_APPROVAL_WAITING)
		x->record->approval = (enum state_approval)row.data[0];
	k = key_of(x, STATE_SPACE_WIPE);
	if (kv_get(t, state_key_view(&k), &row))
		read_wipe(row, &x->record->wipe);
	return MF_OK;
}

static enum mf_status
id_check(const char *id, struct mf_error *err)
{
	size_t len = strlen(id);

	return len > 0 && len <= STATE_DEVICE_ID_MAX
		       ? MF_OK
		       : mf_fail(err, MF_INVALID, "state: a device id of %zu bytes", len);
}

enum mf_status
state_record_load(struct state *st, const char *user, const char *device_id,
	struct state_record *out, struct mf_error *err)
{
	struct access x = { .id = device_id, .record = out };
	enum mf_status status = id_check(device_id, err);

	*out = (struct state_record){ .device_id = device_id };
	if (status == MF_OK)
		status = state_user_find(st, STATE_RECORDS, user, &x.user, err);
	if (status != MF_OK)
		return status == MF_GONE ? MF_OK : status;
	return kv_read(st->kv[STATE_RECORDS], load, &x, err);
}

static uint32_t
decisions_read(struct kv_txn *t)
{
	struct state_key k;
	struct mf_bytes row;

	state_key_begin(&k, 0, STATE_SPACE_DECISIONS);
	return kv_get(t, state_key_view(&k), &row) && row.len == 4 ? state_key_read_u32(row, 0) : 0;
}

static void
decisions_count(struct kv_txn *t)
{
	struct state_key k, v = { .len = 0 };

	state_key_begin(&k, 0, STATE_SPACE_DECISIONS);
	state_key_u32(&v, decisions_read(t) + 1);
	kv_put(t, state_key_view(&k), state_key_view(&v));
}

static enum mf_status
load_decisions(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	(void)err;
	*(uint32_t *)ctx = decisions_read(t);
	return MF_OK;
}

enum mf_status
state_decisions(struct state *st, uint32_t *out, struct mf_error *err)
{
	return kv_read(st->kv[STATE_RECORDS], load_decisions, out, err);
}

static enum mf_status
save_approval(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	const struct access *x = ctx;
	struct state_key k = key_of(x, STATE_SPACE_APPROVAL);
	struct mf_buf b;

	(void)err;
	decisions_count(t);
	mf_buf_init(&b, 0);
	mf_buf_add_byte(&b, (uint8_t)x->approval);
	mf_buf_add_str(&b, x->id);
	if (x->approval == STATE_APPROVAL_NONE)
		kv_delete(t, state_key_view(&k));
	else
		kv_put(t, state_key_view(&k), mf_buf_bytes(&b));
	mf_buf_deinit(&b);
	return MF_OK;
}

static enum mf_status
save_wipe(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	const struct access *x = ctx;
	struct state_key k = key_of(x, STATE_SPACE_WIPE);
	struct state_wipe stored = { .kind = STATE_WIPE_NONE };
	struct mf_bytes row;
	struct mf_buf b;

	(void)err;
	decisions_count(t);
	if (kv_get(t, state_key_view(&k), &row))
		read_wipe(row, &stored);
	if (x->wipe.kind == STATE_WIPE_NONE) {
		kv_delete(t, state_key_view(&k));
		return MF_OK;
	}
	mf_buf_init(&b, 0);
	varint_put(&b, x->wipe.kind);
	varint_put(&b, x->wipe.stage);
	varint_put(
		&b, (uint64_t)(x->wipe.stage == STATE_WIPE_ASKED ? x->wipe.changed : stored.asked));
	varint_put(&b, (uint64_t)x->wipe.changed);
	mf_buf_add_str(&b, x->id);
	kv_put(t, state_key_view(&k), mf_buf_bytes(&b));
	mf_buf_deinit(&b);
	return MF_OK;
}

static enum mf_status
save(struct state *st, const char *user, struct access *x, kv_fn *fn, struct mf_error *err)
{
	enum mf_status status = id_check(x->id, err);

	if (status == MF_OK)
		status = state_user_number(st, STATE_RECORDS, user, &x->user, err);
	return status == MF_OK ? kv_write(st->kv[STATE_RECORDS], fn, x, err) : status;
}

enum mf_status
state_approval_save(struct state *st, const char *user, const char *device_id,
	enum state_approval approval, struct mf_error *err)
{
	struct access x = { .id = device_id, .approval = approval };

	return save(st, user, &x, save_approval, err);
}

enum mf_status
state_wipe_save(struct state *st, const char *user, const char *device_id,
	enum state_wipe_kind kind, enum state_wipe_stage stage, struct mf_error *err)
{
	struct access x = { .id = device_id,
		.wipe = { .kind = kind, .stage = stage, .changed = clock_wall() } };

	return save(st, user, &x, save_wipe, err);
}
