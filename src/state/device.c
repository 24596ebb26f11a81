/* Devices of a user. Knows nothing of what they hold but where those rows are. */
#include "state/device.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "state/store.h"

enum {
	SEEN_EVERY = 300, /* seconds between two writes of last_seen */
	HELLO_EVERY = 30, /* ... of type, agent and version, which two applications of one phone may
			     tell in turn */
};

/* The rows that belong to a device besides its own: user, space, device. */
static const enum state_space belongings[] = { STATE_SPACE_HIERARCHY, STATE_SPACE_COLLECTION,
	STATE_SPACE_BLOB };

/* ---- The row ---- */

bool
device_row_decode(struct mf_bytes row, struct mf_arena *a, struct state_device *d)
{
	struct varint_reader c = codec_begin(row);
	struct mf_bytes digest;

	d->id = codec_str(&c, a);
	d->type = codec_str(&c, a);
	d->user_agent = codec_str(&c, a);
	d->version = (unsigned)varint_get_max(&c, UINT16_MAX);
	d->first_seen = (int64_t)varint_get_max(&c, INT64_MAX);
	d->last_seen = (int64_t)varint_get_max(&c, INT64_MAX);
	d->policy_key = (uint32_t)varint_get_max(&c, UINT32_MAX);
	d->policy_key_temporary = (uint32_t)varint_get_max(&c, UINT32_MAX);
	digest = codec_raw(&c, sizeof(d->policy_digest));
	if (digest.len == sizeof(d->policy_digest))
		memcpy(d->policy_digest, digest.data, digest.len);
	for (int i = 0; i < STATE_INFO_COUNT; i++)
		d->info[i] = codec_str(&c, a);
	return codec_end(&c);
}

static void
add_text(struct mf_buf *b, const char *s)
{
	size_t len = s == NULL ? 0 : strlen(s);

	if (len > STATE_DEVICE_TEXT_MAX)
		len = utf8_cut(s, len, STATE_DEVICE_TEXT_MAX);
	varint_put_bytes(b, mf_bytes(s, len));
}

static void
row_save(struct kv_txn *t, uint32_t user, const struct state_device *d)
{
	struct state_key k;
	struct mf_buf b;

	mf_buf_init(&b, 0);
	codec_add_str(&b, d->id);
	add_text(&b, d->type);
	add_text(&b, d->user_agent);
	varint_put(&b, d->version);
	varint_put(&b, (uint64_t)d->first_seen);
	varint_put(&b, (uint64_t)d->last_seen);
	varint_put(&b, d->policy_key);
	varint_put(&b, d->policy_key_temporary);
	mf_buf_add(&b, d->policy_digest, sizeof(d->policy_digest));
	for (int i = 0; i < STATE_INFO_COUNT; i++)
		add_text(&b, d->info[i]);
	state_key_of(&k, user, STATE_SPACE_DEVICE, d->number);
	kv_put(t, state_key_view(&k), mf_buf_bytes(&b));
	mf_buf_deinit(&b);
}

static enum mf_status
row_load(struct kv_txn *t, uint32_t user, uint32_t number, struct mf_arena *a,
	struct state_device *d, struct mf_error *err)
{
	struct state_key k;
	struct mf_bytes row;

	state_key_of(&k, user, STATE_SPACE_DEVICE, number);
	if (!kv_get(t, state_key_view(&k), &row))
		return mf_fail(err, MF_GONE, "state: user %u has no device %u", user, number);
	if (!device_row_decode(row, a, d))
		return state_broken(err, "a device", user);
	d->number = number;
	return MF_OK;
}

bool
device_exists(struct kv_txn *t, uint32_t user, uint32_t device)
{
	struct state_key k;

	state_key_of(&k, user, STATE_SPACE_DEVICE, device);
	return kv_get(t, state_key_view(&k), NULL);
}

/* ---- Finding and making ---- */

struct visit {
	uint32_t user;
	const struct state_hello *hello;
	struct mf_arena *a;
	struct state_device *device; /* out */
};

static void
id_key(struct state_key *k, uint32_t user, const char *id)
{
	state_key_begin(k, user, STATE_SPACE_DEVICE_ID);
	state_key_digest(k, id, strlen(id));
}

static enum mf_status
find(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct visit *v = ctx;
	struct state_key k;
	struct mf_bytes number;

	id_key(&k, v->user, v->hello->id);
	if (!kv_get(t, state_key_view(&k), &number))
		return mf_fail(err, MF_GONE, "state: the device was never seen");
	if (number.len != 4)
		return state_broken(err, "a device's number", v->user);
	return row_load(t, v->user, state_key_read_u32(number, 0), v->a, v->device, err);
}

static bool
count_row(void *ctx, struct mf_bytes key, struct mf_bytes value)
{
	(void)key;
	(void)value;
	return ++*(size_t *)ctx < STATE_DEVICES_MAX;
}

static enum mf_status
make(struct kv_txn *t, struct visit *v, struct mf_error *err)
{
	struct state_device *d = v->device;
	struct state_key k, number = { .len = 0 };
	struct user_row user;
	size_t count = 0;
	enum mf_status st = user_row_load(t, v->user, v->a, &user, err);

	if (st != MF_OK)
		return st;
	state_key_begin(&k, v->user, STATE_SPACE_DEVICE);
	kv_scan(t, state_key_view(&k), mf_bytes(NULL, 0), count_row, &count);
	if (count >= STATE_DEVICES_MAX || user.last_device == UINT32_MAX)
		return mf_fail(
			err, MF_REFUSED, "state: user %u has %zu devices already", v->user, count);
	*d = (struct state_device){ .number = ++user.last_device,
		.id = mf_strdup(v->a, v->hello->id) };
	d->first_seen = clock_wall();
	for (int i = 0; i < STATE_INFO_COUNT; i++)
		d->info[i] = "";
	user_row_save(t, v->user, &user);
	id_key(&k, v->user, v->hello->id);
	state_key_u32(&number, d->number);
	kv_put(t, state_key_view(&k), state_key_view(&number));
	return MF_OK;
}

/* Brings the device up to date with what the request told; true when that should be written. */
static bool
greet(struct state_device *d, const struct state_hello *h, struct mf_arena *a)
{
	int64_t now = clock_wall(), age = now >= d->last_seen ? now - d->last_seen : INT64_MAX;
	bool differs = false;

	if (h->type != NULL && *h->type != '\0' && strcmp(d->type, h->type) != 0) {
		d->type = mf_strdup(a, h->type);
		differs = true;
	}
	if (h->user_agent != NULL && *h->user_agent != '\0' &&
		strcmp(d->user_agent, h->user_agent) != 0) {
		d->user_agent = mf_strdup(a, h->user_agent);
		differs = true;
	}
	if (h->version != 0 && d->version != h->version) {
		d->version = h->version;
		differs = true;
	}
	if (age < (differs ? HELLO_EVERY : SEEN_EVERY))
		return false;
	d->last_seen = now;
	return true;
}

static enum mf_status
meet(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct visit *v = ctx;
	enum mf_status st = find(t, v, NULL);

	if (st == MF_GONE) {
		st = make(t, v, err);
		if (st == MF_OK) {
			v->device->type = v->device->user_agent = "";
			greet(v->device, v->hello, v->a);
			row_save(t, v->user, v->device);
		}
		return st;
	}
	if (st != MF_OK)
		return state_broken(err, "a device", v->user);
	if (greet(v->device, v->hello, v->a))
		row_save(t, v->user, v->device);
	return MF_OK;
}

static enum mf_status
id_check(const char *id, struct mf_error *err)
{
	size_t len = strlen(id);

	if (len == 0 || len > STATE_DEVICE_ID_MAX)
		return mf_fail(err, MF_INVALID, "state: a device id of %zu bytes", len);
	return MF_OK;
}

enum mf_status
state_device_load(struct state *st, uint32_t user, const struct state_hello *hello,
	struct mf_arena *a, struct state_device **out, struct mf_error *err)
{
	struct visit v = { .user = user, .hello = hello, .a = a };
	struct mf_error ignored;
	enum mf_status status = id_check(hello->id, err);

	if (status != MF_OK)
		return status;
	v.device = mf_new(a, struct state_device);
	status = kv_read(st->kv[STATE_SYNC], find, &v, &ignored);
	if (status == MF_GONE || (status == MF_OK && greet(v.device, hello, a)))
		status = kv_write(st->kv[STATE_SYNC], meet, &v, err);
	else if (status != MF_OK && err != NULL)
		*err = ignored;
	if (status == MF_OK)
		*out = v.device;
	return status;
}

enum mf_status
state_device_find(struct state *st, uint32_t user, const char *id, struct mf_arena *a,
	struct state_device **out, struct mf_error *err)
{
	struct state_hello hello = { .id = id };
	struct visit v = { .user = user, .hello = &hello, .a = a };
	enum mf_status status = id_check(id, err);

	if (status != MF_OK)
		return status;
	v.device = mf_new(a, struct state_device);
	status = kv_read(st->kv[STATE_SYNC], find, &v, err);
	if (status == MF_OK)
		*out = v.device;
	return status;
}

/* ---- Saving ---- */

struct saving {
	uint32_t user;
	const struct state_device *device;
	unsigned groups;
};

static void
merge(struct state_device *to, const struct state_device *from, unsigned groups)
{
	if ((groups & STATE_DEVICE_INFO) != 0)
		memcpy(to->info, from->info, sizeof(to->info));
	if ((groups & STATE_DEVICE_POLICY) != 0) {
		to->policy_key = from->policy_key;
		to->policy_key_temporary = from->policy_key_temporary;
		memcpy(to->policy_digest, from->policy_digest, sizeof(to->policy_digest));
	}
}

static enum mf_status
save(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct saving *s = ctx;
	struct mf_arena *a = mf_arena_new();
	struct state_device stored = { 0 };
	enum mf_status st = row_load(t, s->user, s->device->number, a, &stored, err);

	if (st == MF_OK) {
		merge(&stored, s->device, s->groups);
		row_save(t, s->user, &stored);
	}
	mf_arena_free(a);
	return st;
}

enum mf_status
state_device_save(struct state *st, uint32_t user, const struct state_device *d, unsigned groups,
	struct mf_error *err)
{
	struct saving s = { .user = user, .device = d, .groups = groups };

	return kv_write(st->kv[STATE_SYNC], save, &s, err);
}

/* ---- All devices ---- */

struct listing {
	uint32_t user;
	struct mf_arena *a;
	struct state_device *devices;
	size_t n;
	bool broken;
};

static bool
list_row(void *ctx, struct mf_bytes key, struct mf_bytes row)
{
	struct listing *l = ctx;
	struct state_device *d = &l->devices[l->n];

	if (key.len != STATE_KEY_FIELDS + 4 || !device_row_decode(row, l->a, d)) {
		l->broken = true;
		return false;
	}
	d->number = state_key_read_u32(key, STATE_KEY_FIELDS);
	return ++l->n < STATE_DEVICES_MAX;
}

static enum mf_status
list(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct listing *l = ctx;
	struct state_key k;

	state_key_begin(&k, l->user, STATE_SPACE_DEVICE);
	kv_scan(t, state_key_view(&k), mf_bytes(NULL, 0), list_row, l);
	return l->broken ? state_broken(err, "a device", l->user) : MF_OK;
}

enum mf_status
state_devices(struct state *st, uint32_t user, struct mf_arena *a, struct state_device **out,
	size_t *n, struct mf_error *err)
{
	struct listing l = { .user = user, .a = a };
	enum mf_status status;

	l.devices = mf_new_array(a, struct state_device, STATE_DEVICES_MAX);
	status = kv_read(st->kv[STATE_SYNC], list, &l, err);
	if (status == MF_OK) {
		*out = l.devices;
		*n = l.n;
	}
	return status;
}

/* ---- Removal ---- */

struct removal {
	uint32_t user, device;
	int64_t before;
	struct mf_arena *a;
	bool removed;
};

static void
remove_rows(struct kv_txn *t, const struct removal *r, const char *id)
{
	struct state_key k;

	id_key(&k, r->user, id);
	kv_delete(t, state_key_view(&k));
	state_key_of(&k, r->user, STATE_SPACE_DEVICE, r->device);
	kv_delete(t, state_key_view(&k));
	for (size_t i = 0; i < sizeof(belongings) / sizeof(belongings[0]); i++) {
		state_key_of(&k, r->user, belongings[i], r->device);
		kv_delete_prefix(t, state_key_view(&k));
	}
}

static enum mf_status
remove_device(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct removal *r = ctx;
	struct state_device d = { .id = "" };
	enum mf_status st = row_load(t, r->user, r->device, r->a, &d, err);

	r->removed = false;
	if (st == MF_GONE)
		return MF_OK;
	if (st == MF_OK && d.last_seen < r->before) {
		remove_rows(t, r, d.id);
		r->removed = true;
	}
	return st;
}

enum mf_status
device_remove_before(struct state *st, uint32_t user, uint32_t device, int64_t before,
	bool *removed, struct mf_error *err)
{
	struct removal r = { .user = user, .device = device, .before = before };
	enum mf_status status;

	r.a = mf_arena_new();
	status = kv_write(st->kv[STATE_SYNC], remove_device, &r, err);
	mf_arena_free(r.a);
	*removed = r.removed;
	return status;
}

enum mf_status
state_device_remove(struct state *st, uint32_t user, uint32_t device, struct mf_error *err)
{
	bool removed;

	return device_remove_before(st, user, device, INT64_MAX, &removed, err);
}
