/* The folders of a user, in the store. Which one is which is decided in folder_match.c. */
#include "state/folder.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/str.h"
#include "state/store.h"

/* ---- The row ---- */

bool
folder_row_decode(struct mf_bytes row, struct mf_arena *a, struct state_folder *f)
{
	struct varint_reader c = codec_begin(row);

	f->parent = (uint32_t)varint_get_max(&c, UINT32_MAX);
	f->class = (enum mf_class)varint_get_max(&c, MF_CLASS_NOTES);
	f->role = (enum mf_role)varint_get_max(&c, UINT8_MAX);
	f->flags = (unsigned)varint_get_max(&c, UINT32_MAX);
	f->store = codec_str(&c, a);
	f->id = codec_str(&c, a);
	f->name = codec_str(&c, a);
	f->identity = codec_str(&c, a);
	f->epoch = varint_get_max(&c, UINT64_MAX);
	f->gone = (int64_t)varint_get_max(&c, INT64_MAX);
	return codec_end(&c);
}

static void
row_save(struct kv_txn *t, uint32_t user, const struct state_folder *f)
{
	struct state_key k;
	struct mf_buf b;

	mf_buf_init(&b, 0);
	varint_put(&b, f->parent);
	varint_put(&b, f->class);
	varint_put(&b, f->role);
	varint_put(&b, f->flags);
	codec_add_str(&b, f->store);
	codec_add_str(&b, f->id);
	codec_add_str(&b, f->name);
	codec_add_str(&b, f->identity);
	varint_put(&b, f->epoch);
	varint_put(&b, (uint64_t)f->gone);
	state_key_of(&k, user, STATE_SPACE_FOLDER, f->number);
	kv_put(t, state_key_view(&k), mf_buf_bytes(&b));
	mf_buf_deinit(&b);
}

/* ---- Loading ---- */

struct loading {
	uint32_t user;
	struct mf_arena *a;
	struct state_folders *out;
	size_t room;
	bool broken;
};

static bool
add_row(void *ctx, struct mf_bytes key, struct mf_bytes row)
{
	struct loading *l = ctx;
	struct state_folders *f = l->out;

	if (f->n == l->room) {
		struct state_folder *more =
			mf_new_array(l->a, struct state_folder, l->room = l->room * 2 + 32);

		if (f->n > 0)
			memcpy(more, f->folders, f->n * sizeof(*more));
		f->folders = more;
	}
	l->broken =
		key.len != STATE_KEY_FIELDS + 4 || !folder_row_decode(row, l->a, &f->folders[f->n]);
	if (l->broken)
		return false;
	f->folders[f->n++].number = state_key_read_u32(key, STATE_KEY_FIELDS);
	return true;
}

static enum mf_status
load(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct loading *l = ctx;
	struct state_key k;

	*l->out = (struct state_folders){ 0 };
	l->room = 0;
	state_key_begin(&k, l->user, STATE_SPACE_FOLDER);
	kv_scan(t, state_key_view(&k), mf_bytes(NULL, 0), add_row, l);
	return l->broken ? state_broken(err, "a folder", l->user) : MF_OK;
}

enum mf_status
state_folders_load(struct state *st, uint32_t user, struct mf_arena *a, struct state_folders *out,
	struct mf_error *err)
{
	struct loading l = { .user = user, .a = a, .out = out };

	return kv_read(st->kv[STATE_SYNC], load, &l, err);
}

/* ---- Reconciling ---- */

struct reconciling {
	uint32_t user;
	const char *store;
	const struct mf_folder *list;
	size_t n;
	struct mf_arena *a;
	struct state_folders *out;
	bool write;
};

static bool
knows_some(const struct state_folders *known, const char *store)
{
	for (size_t i = 0; i < known->n; i++) {
		if (known->folders[i].gone == 0 && strcmp(known->folders[i].store, store) == 0)
			return true;
	}
	return false;
}

/* Writes the rows that differ; out has known's folders first. */
static void
write_rows(struct kv_txn *t, const struct reconciling *r, const struct state_folders *known)
{
	for (size_t i = 0; i < r->out->n; i++) {
		if (i >= known->n || !state_folder_same(&known->folders[i], &r->out->folders[i]))
			row_save(t, r->user, &r->out->folders[i]);
	}
}

static enum mf_status
reconcile(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct reconciling *r = ctx;
	struct state_folders known;
	struct loading l = { .user = r->user, .a = r->a, .out = &known };
	struct user_row user;
	uint32_t next;
	enum mf_status st = user_row_load(t, r->user, r->a, &user, err);

	if (st != MF_OK || (st = load(t, &l, err)) != MF_OK)
		return st;
	if (r->n == 0 && knows_some(&known, r->store))
		return mf_fail(err, MF_TEMPORARY, "%s: lists no folders at all any more", r->store);
	next = user.last_folder + 1;
	state_folders_match(&known, r->store, r->list, r->n, clock_wall(), &next, r->a, r->out);
	if (!r->write || !r->out->changed)
		return MF_OK;
	write_rows(t, r, &known);
	if (next != user.last_folder + 1) {
		user.last_folder = next - 1;
		user_row_save(t, r->user, &user);
	}
	return MF_OK;
}

enum mf_status
state_folders_reconcile(struct state *st, uint32_t user, const char *store,
	const struct mf_folder *list, size_t n, struct mf_arena *a, struct state_folders *out,
	struct mf_error *err)
{
	struct reconciling r = {
		.user = user, .store = store, .list = list, .n = n, .a = a, .out = out
	};
	enum mf_status status = kv_read(st->kv[STATE_SYNC], reconcile, &r, err);

	if (status != MF_OK || !out->changed)
		return status;
	r.write = true;
	return kv_write(st->kv[STATE_SYNC], reconcile, &r, err);
}

struct refound {
	uint32_t user, number;
	const char *id;
	struct mf_arena *a;
};

static enum mf_status
set_id(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	const struct refound *x = ctx;
	struct state_folder f = { .number = x->number };
	struct state_key k;
	struct mf_bytes row;

	state_key_of(&k, x->user, STATE_SPACE_FOLDER, x->number);
	if (!kv_get(t, state_key_view(&k), &row))
		return mf_fail(err, MF_GONE, "state: no folder %u", x->number);
	if (!folder_row_decode(row, x->a, &f))
		return state_broken(err, "a folder", x->user);
	f.id = x->id;
	row_save(t, x->user, &f);
	return MF_OK;
}

enum mf_status
state_folder_found(
	struct state *st, uint32_t user, uint32_t number, const char *id, struct mf_error *err)
{
	struct refound x = { .user = user, .number = number, .id = id, .a = mf_arena_new() };
	enum mf_status status = kv_write(st->kv[STATE_SYNC], set_id, &x, err);

	mf_arena_free(x.a);
	return status;
}

/* ---- Finding ---- */

const struct state_folder *
state_folder_by_number(const struct state_folders *f, uint32_t number)
{
	size_t low = 0, high = f->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (f->folders[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == f->n || f->folders[low].number != number || f->folders[low].gone != 0)
		return NULL;
	return &f->folders[low];
}

const struct state_folder *
state_folder_by_id(const struct state_folders *f, const char *store, const char *id)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct state_folder *x = &f->folders[i];

		if (x->gone == 0 && strcmp(x->id, id) == 0 && strcmp(x->store, store) == 0)
			return x;
	}
	return NULL;
}

const struct state_folder *
state_folder_by_role(const struct state_folders *f, enum mf_role role)
{
	for (size_t i = 0; i < f->n; i++) {
		if (f->folders[i].gone == 0 && f->folders[i].role == role)
			return &f->folders[i];
	}
	return NULL;
}

const char *
state_folder_print(struct mf_arena *a, uint32_t number)
{
	return mf_printf(a, "%u", number);
}

bool
state_folder_parse(const char *text, uint32_t *out)
{
	return text != NULL && text[0] != '0' && str_to_u32(text, UINT32_MAX, out);
}

/* ---- Forgetting ---- */

struct collecting {
	uint32_t user;
	int64_t before;
	struct mf_arena *a;
	uint32_t *devices;
	size_t n_devices;
	uint64_t removed;
};

static bool
add_device(void *ctx, struct mf_bytes key, struct mf_bytes row)
{
	struct collecting *c = ctx;

	(void)row;
	if (key.len == STATE_KEY_FIELDS + 4 && c->n_devices < STATE_DEVICES_MAX)
		c->devices[c->n_devices++] = state_key_read_u32(key, STATE_KEY_FIELDS);
	return true;
}

static void
remove_folder(struct kv_txn *t, const struct collecting *c, uint32_t folder)
{
	struct state_key k;

	state_key_of(&k, c->user, STATE_SPACE_FOLDER, folder);
	kv_delete(t, state_key_view(&k));
	state_key_of(&k, c->user, STATE_SPACE_FLAG, folder);
	kv_delete(t, state_key_view(&k));
	state_key_of(&k, c->user, STATE_SPACE_VERB, folder);
	kv_delete(t, state_key_view(&k));
	state_key_of(&k, c->user, STATE_SPACE_NUMBERING, folder);
	kv_delete(t, state_key_view(&k));
	state_key_of(&k, c->user, STATE_SPACE_IDENTITY, folder);
	kv_delete_prefix(t, state_key_view(&k));
	for (size_t i = 0; i < c->n_devices; i++) {
		state_key_of(&k, c->user, STATE_SPACE_COLLECTION, c->devices[i]);
		state_key_u32(&k, folder);
		kv_delete_prefix(t, state_key_view(&k));
	}
}

static enum mf_status
collect(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct collecting *c = ctx;
	struct state_folders known;
	struct loading l = { .user = c->user, .a = c->a, .out = &known };
	struct state_key k;
	enum mf_status st = load(t, &l, err);

	if (st != MF_OK)
		return st;
	c->removed = 0;
	c->n_devices = 0;
	c->devices = mf_new_array(c->a, uint32_t, STATE_DEVICES_MAX);
	state_key_begin(&k, c->user, STATE_SPACE_DEVICE);
	kv_scan(t, state_key_view(&k), mf_bytes(NULL, 0), add_device, c);
	for (size_t i = 0; i < known.n; i++) {
		if (known.folders[i].gone == 0 || known.folders[i].gone >= c->before)
			continue;
		remove_folder(t, c, known.folders[i].number);
		c->removed++;
	}
	return MF_OK;
}

enum mf_status
folder_collect(
	struct state *st, uint32_t user, int64_t before, uint64_t *removed, struct mf_error *err)
{
	struct collecting c = { .user = user, .before = before };
	enum mf_status status;

	c.a = mf_arena_new();
	status = kv_write(st->kv[STATE_SYNC], collect, &c, err);
	mf_arena_free(c.a);
	*removed = c.removed;
	return status;
}
