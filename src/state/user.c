/* Users and the numbers they are known by. Knows nothing of logins or mail. */
#include "state/user.h"

#include <stdlib.h>

#include "base/clock.h"
#include "state/store.h"

/* Folder numbers begin at a random place: a phone that still has numbers of a deleted state then
 * names folders that do not exist, instead of others. */
enum { FOLDER_START_MAX = 9000 };

static struct mf_bytes
number_text(struct state_key *buf, uint32_t n)
{
	buf->len = 0;
	state_key_u32(buf, n);
	return state_key_view(buf);
}

static void
name_key(struct state_key *k, const char *name)
{
	state_key_begin(k, 0, STATE_SPACE_USER_NAME);
	state_key_bytes(k, name, strlen(name));
}

/* ---- The user's row ---- */

bool
user_row_decode(struct mf_bytes row, struct mf_arena *a, struct user_row *out)
{
	struct varint_reader c = codec_begin(row);

	out->name = codec_str(&c, a);
	out->created = (int64_t)varint_get_max(&c, INT64_MAX);
	out->last_device = (uint32_t)varint_get_max(&c, UINT32_MAX);
	out->last_folder = (uint32_t)varint_get_max(&c, UINT32_MAX);
	return codec_end(&c);
}

enum mf_status
user_row_load(struct kv_txn *t, uint32_t user, struct mf_arena *a, struct user_row *out,
	struct mf_error *err)
{
	struct state_key k;
	struct mf_bytes row;

	state_key_begin(&k, user, STATE_SPACE_USER);
	if (!kv_get(t, state_key_view(&k), &row))
		return mf_fail(err, MF_GONE, "state: no user %u", user);
	if (!user_row_decode(row, a, out))
		return state_broken(err, "the row", user);
	return MF_OK;
}

void
user_row_save(struct kv_txn *t, uint32_t user, const struct user_row *row)
{
	struct state_key k;
	struct mf_buf b;

	mf_buf_init(&b, 0);
	codec_add_str(&b, row->name);
	varint_put(&b, (uint64_t)row->created);
	varint_put(&b, row->last_device);
	varint_put(&b, row->last_folder);
	state_key_begin(&k, user, STATE_SPACE_USER);
	kv_put(t, state_key_view(&k), mf_buf_bytes(&b));
	mf_buf_deinit(&b);
}

/* ---- Numbers ---- */

struct lookup {
	const char *name;
	uint32_t number; /* out; 0: unknown */
};

static enum mf_status
lookup(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct lookup *l = ctx;
	struct state_key k;
	struct mf_bytes v;

	l->number = 0;
	name_key(&k, l->name);
	if (!kv_get(t, state_key_view(&k), &v))
		return MF_OK;
	if (v.len != 4 || (l->number = state_key_read_u32(v, 0)) == 0)
		return mf_fail(err, MF_BROKEN, "state: the number of a user makes no sense");
	return MF_OK;
}

static enum mf_status
create(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct lookup *l = ctx;
	struct state_key k, number;
	struct user_row row = { .name = l->name, .created = clock_wall() };
	struct mf_bytes last;
	enum mf_status st = lookup(t, l, err);

	if (st != MF_OK || l->number != 0)
		return st;
	row.last_folder = (uint32_t)state_random(FOLDER_START_MAX);
	state_key_begin(&k, 0, STATE_SPACE_LAST_USER);
	l->number = 1;
	if (kv_get(t, state_key_view(&k), &last)) {
		if (last.len != 4 || state_key_read_u32(last, 0) == UINT32_MAX)
			return mf_fail(err, MF_BROKEN, "state: no more numbers for users");
		l->number = state_key_read_u32(last, 0) + 1;
	}
	kv_put(t, state_key_view(&k), number_text(&number, l->number));
	name_key(&k, l->name);
	kv_put(t, state_key_view(&k), number_text(&number, l->number));
	user_row_save(t, l->number, &row);
	return MF_OK;
}

static enum mf_status
name_check(const char *name, struct mf_error *err)
{
	size_t len = strlen(name);

	if (len == 0 || len > STATE_USER_MAX)
		return mf_fail(err, MF_INVALID, "state: a user's name of %zu bytes", len);
	return MF_OK;
}

enum mf_status
state_user_find(struct state *st, enum state_store store, const char *name, uint32_t *out,
	struct mf_error *err)
{
	struct lookup l = { .name = name };
	enum mf_status status = name_check(name, err);

	if (status == MF_OK)
		status = kv_read(st->kv[store], lookup, &l, err);
	if (status == MF_OK && l.number == 0)
		status = mf_fail(err, MF_GONE, "state: the user was never seen");
	if (status == MF_OK)
		*out = l.number;
	return status;
}

enum mf_status
state_user_number(struct state *st, enum state_store store, const char *name, uint32_t *out,
	struct mf_error *err)
{
	struct lookup l = { .name = name };
	enum mf_status status = name_check(name, err);

	if (status == MF_OK)
		status = kv_read(st->kv[store], lookup, &l, err);
	if (status == MF_OK && l.number == 0)
		status = kv_write(st->kv[store], create, &l, err);
	if (status == MF_OK)
		*out = l.number;
	return status;
}

/* ---- All users ---- */

struct listing {
	struct mf_arena *a;
	uint32_t *numbers;
	size_t n, room;
	struct state_user *users;
};

static bool
list_name(void *ctx, struct mf_bytes key, struct mf_bytes value)
{
	struct listing *l = ctx;

	(void)key;
	if (value.len != 4)
		return true; /* verify tells */
	if (l->n == l->room) {
		uint32_t *more = mf_new_array(l->a, uint32_t, l->room = l->room * 2 + 64);

		if (l->n > 0)
			memcpy(more, l->numbers, l->n * sizeof(*more));
		l->numbers = more;
	}
	l->numbers[l->n++] = state_key_read_u32(value, 0);
	return true;
}

static int
by_number(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return (a > b) - (a < b);
}

static enum mf_status
list(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct listing *l = ctx;
	struct state_key k;
	struct user_row row;
	enum mf_status st = MF_OK;

	state_key_begin(&k, 0, STATE_SPACE_USER_NAME);
	kv_scan(t, state_key_view(&k), mf_bytes(NULL, 0), list_name, l);
	if (l->n > 0)
		qsort(l->numbers, l->n, sizeof(*l->numbers), by_number);
	l->users = mf_new_array(l->a, struct state_user, l->n);
	for (size_t i = 0; i < l->n && st == MF_OK; i++) {
		st = user_row_load(t, l->numbers[i], l->a, &row, err);
		if (st == MF_OK)
			l->users[i] = (struct state_user){
				.number = l->numbers[i], .name = row.name, .created = row.created
			};
	}
	return st;
}

enum mf_status
state_users(struct state *st, enum state_store store, struct mf_arena *a, struct state_user **out,
	size_t *n, struct mf_error *err)
{
	struct listing l = { .a = a };
	enum mf_status status = kv_read(st->kv[store], list, &l, err);

	if (status == MF_OK) {
		*out = l.users;
		*n = l.n;
	}
	return status;
}

/* ---- Some users ---- */

struct paging {
	const char *prefix, *after;
	size_t max;
	struct listing list; /* numbers in the order of names */
};

static bool
page_name(void *ctx, struct mf_bytes key, struct mf_bytes value)
{
	struct paging *p = ctx;

	list_name(&p->list, key, value);
	return p->list.n < p->max;
}

static enum mf_status
page(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct paging *p = ctx;
	struct listing *l = &p->list;
	struct state_key prefix, from;
	struct user_row row;
	enum mf_status st = MF_OK;

	name_key(&prefix, p->prefix);
	name_key(&from, p->after);
	state_key_u8(&from, 0); /* the first one behind it */
	kv_scan(t, state_key_view(&prefix),
		*p->after == '\0' ? mf_bytes(NULL, 0) : state_key_view(&from), page_name, p);
	l->users = mf_new_array(l->a, struct state_user, l->n);
	for (size_t i = 0; i < l->n && st == MF_OK; i++) {
		st = user_row_load(t, l->numbers[i], l->a, &row, err);
		if (st == MF_OK)
			l->users[i] = (struct state_user){
				.number = l->numbers[i], .name = row.name, .created = row.created
			};
	}
	return st;
}

enum mf_status
state_users_page(struct state *st, enum state_store store, const char *prefix, const char *after,
	size_t max, struct mf_arena *a, struct state_user **out, size_t *n, struct mf_error *err)
{
	struct paging p = { .prefix = prefix, .after = after, .max = max, .list.a = a };
	enum mf_status status;

	if (strlen(prefix) > STATE_USER_MAX || strlen(after) > STATE_USER_MAX)
		return mf_fail(err, MF_INVALID, "state: a user's name of too many bytes");
	status = kv_read(st->kv[store], page, &p, err);
	if (status == MF_OK) {
		*out = p.list.users;
		*n = p.list.n;
	}
	return status;
}

/* ---- Removal ---- */

static enum mf_status
forget(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct lookup *l = ctx;
	struct state_key k;
	enum mf_status st = lookup(t, l, err);

	if (st != MF_OK || l->number == 0)
		return st;
	name_key(&k, l->name);
	kv_delete(t, state_key_view(&k));
	k.len = 0;
	state_key_u32(&k, l->number);
	kv_delete_prefix(t, state_key_view(&k));
	return MF_OK;
}

struct following {
	uint32_t after;
	struct mf_arena *a;
	struct state_user *out;
};

static enum mf_status
follow(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct following *f = ctx;
	struct state_key k;
	struct mf_bytes v;
	uint32_t last;

	state_key_begin(&k, 0, STATE_SPACE_LAST_USER);
	last = kv_get(t, state_key_view(&k), &v) && v.len == 4 ? state_key_read_u32(v, 0) : 0;
	for (uint32_t n = f->after; n < last;) {
		struct user_row row;

		state_key_begin(&k, ++n, STATE_SPACE_USER);
		if (!kv_get(t, state_key_view(&k), &v) || !user_row_decode(v, f->a, &row))
			continue; /* removed, or verify tells */
		*f->out = (struct state_user){ n, row.name, row.created };
		return MF_OK;
	}
	return mf_fail(err, MF_GONE, "state: no more users");
}

enum mf_status
state_user_next(struct state *st, enum state_store store, uint32_t after, struct mf_arena *a,
	struct state_user *out, struct mf_error *err)
{
	struct following f = { .after = after, .a = a, .out = out };

	return kv_read(st->kv[store], follow, &f, err);
}

enum mf_status
state_user_remove(struct state *st, enum state_store store, const char *name, struct mf_error *err)
{
	struct lookup l = { .name = name };
	enum mf_status status = name_check(name, err);

	return status == MF_OK ? kv_write(st->kv[store], forget, &l, err) : status;
}
