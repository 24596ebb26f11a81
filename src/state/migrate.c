/* Formats and the steps between them. */
#include "state/migrate.h"

#include <sys/stat.h>

#include "state/lmdb_env.h"
#include "state/store.h"

static bool
any_row(void *ctx, struct mf_bytes key, struct mf_bytes value)
{
	(void)key;
	(void)value;
	*(uint32_t *)ctx = UINT32_MAX;
	return false;
}

static enum mf_status
read_format(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	uint32_t *found = ctx;
	struct state_key k;
	struct mf_bytes v;

	(void)err;
	*found = 0;
	state_key_begin(&k, 0, STATE_SPACE_FORMAT);
	if (kv_get(t, state_key_view(&k), &v))
		*found = v.len == 4 ? state_key_read_u32(v, 0) : UINT32_MAX;
	else /* rows without a format are not ours */
		kv_scan(t, mf_bytes(NULL, 0), mf_bytes(NULL, 0), any_row, found);
	return MF_OK;
}

enum mf_status
state_format_read(struct kv *kv, uint32_t *out, struct mf_error *err)
{
	return kv_read(kv, read_format, out, err);
}

struct bringing {
	const struct state_migration *table;
	uint32_t from, to;
};

static const struct state_migration *
step_from(const struct state_migration *table, uint32_t from)
{
	for (; table != NULL && table->from != 0; table++)
		if (table->from == from)
			return table;
	return NULL;
}

static enum mf_status
bring(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct bringing *b = ctx;
	struct state_key k, v = { .len = 0 };
	enum mf_status st = read_format(t, &b->from, err);

	for (uint32_t at = b->from; st == MF_OK && at != 0 && at != b->to; at++) {
		const struct state_migration *step = step_from(b->table, at);

		if (step == NULL || at > b->to)
			return mf_fail(err, MF_UNSUPPORTED, "format %u", b->from);
		st = step->run(t, NULL, err);
	}
	if (st != MF_OK || b->from == b->to)
		return st;
	state_key_begin(&k, 0, STATE_SPACE_FORMAT);
	state_key_u32(&v, b->to);
	kv_put(t, state_key_view(&k), state_key_view(&v));
	return MF_OK;
}

static enum mf_status
keep_former(struct kv *kv, const char *keep, uint32_t from, struct mf_error *err)
{
	struct mf_arena *a = mf_arena_new();
	const char *copy = mf_printf(a, "%s-%u", keep, from);
	struct stat sb;
	enum mf_status st = MF_OK;

	if (stat(mf_printf(a, "%s/data.mdb", copy), &sb) != 0) {
		st = state_directory_make(copy, err);
		if (st == MF_OK)
			st = kv_copy(kv, copy, err);
	}
	mf_arena_free(a);
	return st;
}

enum mf_status
state_format_bring(struct kv *kv, const struct state_migration *table, uint32_t to,
	const char *keep, uint32_t *from, struct mf_error *err)
{
	struct bringing b = { .table = table, .to = to };
	enum mf_status st = state_format_read(kv, &b.from, err);

	if (st == MF_OK && keep != NULL && step_from(table, b.from) != NULL && b.from < to)
		st = keep_former(kv, keep, b.from, err);
	if (st == MF_OK && b.from != to) /* reads need no writer, nor a disk that can be written */
		st = kv_write(kv, bring, &b, err);
	*from = b.from;
	return st;
}
