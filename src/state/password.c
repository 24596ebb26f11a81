/* Rows of application passwords. Knows no password: hashes and sealed bytes come and go as they are. */
#include "state/password.h"

#include <string.h>

#include "base/clock.h"
#include "state/device.h"
#include "state/store.h"
#include "state/user.h"

enum { USED_COARSE = 300 /* seconds */ };

/* Row 0 of a user holds the number that was given last. */
static struct state_key
key_of(uint32_t user, uint32_t number)
{
	struct state_key k;

	state_key_of(&k, user, STATE_SPACE_PASSWORD, number);
	return k;
}

static void
read_fixed(struct varint_reader *c, uint8_t *out, size_t len)
{
	struct mf_bytes raw = codec_raw(c, len);

	if (raw.len == len)
		memcpy(out, raw.data, len);
}

static bool
row_decode(struct mf_bytes row, struct mf_arena *a, struct state_password *out)
{
	struct varint_reader c = codec_begin(row);
	struct mf_bytes sealed;

	out->created = (int64_t)varint_get_max(&c, INT64_MAX);
	out->used = (int64_t)varint_get_max(&c, INT64_MAX);
	out->expires = (int64_t)varint_get_max(&c, INT64_MAX);
	out->name = codec_str(&c, a);
	out->device_id = codec_str(&c, a);
	read_fixed(&c, out->salt, sizeof(out->salt));
	read_fixed(&c, out->hash, sizeof(out->hash));
	sealed = codec_rest(&c);
	out->sealed = sealed.len > 0 ? mf_memdup(a, sealed.data, sealed.len) : mf_bytes(NULL, 0);
	return codec_end(&c);
}

static void
row_save(struct kv_txn *t, uint32_t user, const struct state_password *p)
{
	struct state_key k = key_of(user, p->number);
	struct mf_buf b;

	mf_buf_init(&b, 0);
	varint_put(&b, (uint64_t)p->created);
	varint_put(&b, (uint64_t)p->used);
	varint_put(&b, (uint64_t)p->expires);
	codec_add_str(&b, p->name);
	codec_add_str(&b, p->device_id);
	mf_buf_add(&b, p->salt, sizeof(p->salt));
	mf_buf_add(&b, p->hash, sizeof(p->hash));
	mf_buf_add(&b, p->sealed.data, p->sealed.len);
	kv_put(t, state_key_view(&k), mf_buf_bytes(&b));
	mf_buf_deinit(&b);
}

bool
password_row_ok(struct mf_bytes key, struct mf_bytes row, struct mf_arena *a)
{
	struct state_password p;

	if (key.len != STATE_KEY_FIELDS + 4)
		return false;
	if (state_key_read_u32(key, STATE_KEY_FIELDS) == 0)
		return row.len == 4;
	return row_decode(row, a, &p);
}

struct access {
	uint32_t user, number;
	const char *device_id;
	struct mf_arena *a;
	struct state_password *all, *one;
	size_t n;
};

static bool
take(void *ctx, struct mf_bytes key, struct mf_bytes row)
{
	struct access *x = ctx;
	struct state_password *p = &x->all[x->n];

	p->number = key.len == STATE_KEY_FIELDS + 4 ? state_key_read_u32(key, STATE_KEY_FIELDS) : 0;
	if (p->number != 0 && row_decode(row, x->a, p))
		x->n++;
	return x->n < STATE_PASSWORDS_MAX;
}

static enum mf_status
load(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct access *x = ctx;
	struct state_key prefix;

	(void)err;
	x->n = 0;
	x->all = mf_new_array(x->a, struct state_password, STATE_PASSWORDS_MAX);
	state_key_begin(&prefix, x->user, STATE_SPACE_PASSWORD);
	kv_scan(t, state_key_view(&prefix), mf_bytes(NULL, 0), take, x);
	return MF_OK;
}

enum mf_status
state_passwords_load(struct state *st, const char *user, struct mf_arena *a,
	struct state_password **out, size_t *n, struct mf_error *err)
{
	struct access x = { .a = a };
	enum mf_status status = state_user_find(st, STATE_RECORDS, user, &x.user, err);

	if (status == MF_OK)
		status = kv_read(st->kv[STATE_RECORDS], load, &x, err);
	*out = x.all;
	*n = x.n;
	return status == MF_GONE ? MF_OK : status;
}

/* ---- Adding ---- */

static enum mf_status
add(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct access *x = ctx;
	struct state_key last = key_of(x->user, 0);
	uint8_t stored[4];
	struct mf_bytes row;

	load(t, ctx, err);
	if (x->n >= STATE_PASSWORDS_MAX)
		return mf_fail(err, MF_REFUSED, "state: the user has %d application passwords",
			STATE_PASSWORDS_MAX);
	x->one->number = 1 + (kv_get(t, state_key_view(&last), &row) && row.len == 4
					     ? (uint32_t)state_key_read_u32(row, 0)
					     : 0);
	for (int i = 0; i < 4; i++)
		stored[i] = (uint8_t)(x->one->number >> (24 - 8 * i));
	kv_put(t, state_key_view(&last), mf_bytes(stored, sizeof(stored)));
	row_save(t, x->user, x->one);
	return MF_OK;
}

enum mf_status
state_password_add(
	struct state *st, const char *user, struct state_password *p, struct mf_error *err)
{
	struct access x = { .one = p };
	enum mf_status status;

	if (strlen(p->name) > STATE_PASSWORD_NAME_MAX ||
		strlen(p->device_id) > STATE_DEVICE_ID_MAX ||
		p->sealed.len > STATE_PASSWORD_SEALED_MAX)
		return mf_fail(
			err, MF_INVALID, "state: an application password's text is too long");
	p->created = clock_wall();
	status = state_user_number(st, STATE_RECORDS, user, &x.user, err);
	if (status != MF_OK)
		return status;
	x.a = mf_arena_new();
	status = kv_write(st->kv[STATE_RECORDS], add, &x, err);
	mf_arena_free(x.a);
	return status;
}

/* ---- One that is there ---- */

static enum mf_status
find(struct kv_txn *t, struct access *x, struct state_password *out, struct mf_error *err)
{
	struct state_key k = key_of(x->user, x->number);
	struct mf_bytes row;

	if (x->number == 0 || !kv_get(t, state_key_view(&k), &row))
		return mf_fail(err, MF_GONE, "state: no application password %u", x->number);
	out->number = x->number;
	return row_decode(row, x->a, out) ? MF_OK
					  : state_broken(err, "an application password", x->user);
}

static bool
bound_elsewhere(const struct state_password *p, const char *device_id)
{
	return *p->device_id != '\0' && *device_id != '\0' && strcmp(p->device_id, device_id) != 0;
}

static bool
changes(const struct state_password *p, const char *device_id, int64_t now)
{
	return p->used + USED_COARSE <= now || (*p->device_id == '\0' && *device_id != '\0');
}

static enum mf_status
look(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct access *x = ctx;

	return find(t, x, x->one, err);
}

static enum mf_status
use(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct access *x = ctx;
	enum mf_status status = find(t, x, x->one, err);

	if (status != MF_OK)
		return status;
	if (bound_elsewhere(x->one, x->device_id))
		return mf_fail(err, MF_REFUSED, "an application password of another device");
	if (*x->one->device_id == '\0')
		x->one->device_id = x->device_id;
	x->one->used = clock_wall();
	row_save(t, x->user, x->one);
	return MF_OK;
}

enum mf_status
state_password_use(struct state *st, const char *user, uint32_t number, const char *device_id,
	struct mf_error *err)
{
	struct state_password p = { .name = "", .device_id = "" };
	struct access x = { .number = number, .device_id = device_id, .one = &p };
	enum mf_status status = state_user_find(st, STATE_RECORDS, user, &x.user, err);

	if (status != MF_OK)
		return status;
	x.a = mf_arena_new();
	status = kv_read(st->kv[STATE_RECORDS], look, &x, err);
	if (status == MF_OK && bound_elsewhere(&p, device_id))
		status = mf_fail(err, MF_REFUSED, "an application password of another device");
	if (status == MF_OK && changes(&p, device_id, clock_wall()))
		status = kv_write(st->kv[STATE_RECORDS], use, &x, err);
	mf_arena_free(x.a);
	return status;
}

static enum mf_status
drop(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct access *x = ctx;
	struct state_key k = key_of(x->user, x->number);

	if (x->number == 0 || !kv_get(t, state_key_view(&k), NULL))
		return mf_fail(err, MF_GONE, "state: no application password %u", x->number);
	kv_delete(t, state_key_view(&k));
	return MF_OK;
}

enum mf_status
state_password_remove(struct state *st, const char *user, uint32_t number, struct mf_error *err)
{
	struct access x = { .number = number };
	enum mf_status status = state_user_find(st, STATE_RECORDS, user, &x.user, err);

	return status == MF_OK ? kv_write(st->kv[STATE_RECORDS], drop, &x, err) : status;
}
