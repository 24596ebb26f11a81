/* Rows of the conversations' index to structs and back. Knows no rule of threading. */
#include "state/conversation_rows.h"

#include <string.h>

enum {
	CURSOR_MAX = 64 << 10,
	NAME_KNOWN = 1,
	NAME_HAS_PARENT = 2,
	NAME_SURE = 4,
};

static int64_t
bounded_date(int64_t date)
{
	return date < 0 ? 0 : date;
}

/* ---- Names ---- */

static struct state_key
name_key(uint32_t user, const struct conversation_id *name)
{
	struct state_key k;

	state_key_begin(&k, user, STATE_SPACE_CONVERSATION_NAME);
	state_key_bytes(&k, name->bytes, sizeof(name->bytes));
	return k;
}

static bool
name_decode(struct mf_bytes row, struct conversation_name_row *out)
{
	struct varint_reader c = codec_begin(row);
	uint64_t flags;
	struct mf_bytes b;

	memset(out, 0, sizeof(*out));
	out->set = (uint32_t)varint_get_max(&c, UINT32_MAX);
	flags = varint_get_max(&c, NAME_KNOWN | NAME_HAS_PARENT | NAME_SURE);
	out->known = (flags & NAME_KNOWN) != 0;
	out->sure = (flags & NAME_SURE) != 0;
	if ((flags & NAME_HAS_PARENT) != 0) {
		b = codec_raw(&c, sizeof(out->parent.bytes));
		if (!c.failed)
			memcpy(out->parent.bytes, b.data, b.len);
	}
	if (!out->known)
		return codec_end(&c);
	out->date = (int64_t)varint_get_max(&c, INT64_MAX);
	b = codec_rest(&c);
	if (b.len > sizeof(out->index.bytes))
		return false;
	if (b.len > 0)
		memcpy(out->index.bytes, b.data, b.len);
	out->index.len = b.len;
	return codec_end(&c);
}

bool
conversation_name_load(struct kv_txn *t, uint32_t user, const struct conversation_id *name,
	struct conversation_name_row *out)
{
	struct state_key k = name_key(user, name);
	struct mf_bytes row;

	return kv_get(t, state_key_view(&k), &row) && name_decode(row, out);
}

void
conversation_name_save(struct kv_txn *t, uint32_t user, const struct conversation_id *name,
	const struct conversation_name_row *row)
{
	struct state_key k = name_key(user, name);
	bool parent = !conversation_id_none(&row->parent);
	struct mf_buf b;

	mf_buf_init(&b, 0);
	varint_put(&b, row->set);
	varint_put(&b, (row->known ? NAME_KNOWN : 0) | (parent ? NAME_HAS_PARENT : 0) |
			       (row->sure ? NAME_SURE : 0));
	if (parent)
		mf_buf_add(&b, row->parent.bytes, sizeof(row->parent.bytes));
	if (row->known) {
		varint_put(&b, (uint64_t)bounded_date(row->date));
		mf_buf_add(&b, row->index.bytes, row->index.len);
	}
	kv_put(t, state_key_view(&k), mf_buf_bytes(&b));
	mf_buf_deinit(&b);
}

/* ---- Sets ---- */

static bool
set_decode(struct mf_bytes row, struct conversation_set_row *out)
{
	struct varint_reader c = codec_begin(row);
	struct mf_bytes id, oldest;

	memset(out, 0, sizeof(*out));
	out->joined = (uint32_t)varint_get_max(&c, UINT32_MAX);
	if (out->joined != 0)
		return codec_end(&c);
	out->count = varint_get(&c);
	out->date = (int64_t)varint_get_max(&c, INT64_MAX);
	id = codec_raw(&c, sizeof(out->id.bytes));
	oldest = codec_raw(&c, sizeof(out->oldest.bytes));
	if (!codec_end(&c))
		return false;
	memcpy(out->id.bytes, id.data, id.len);
	memcpy(out->oldest.bytes, oldest.data, oldest.len);
	return true;
}

bool
conversation_set_load(
	struct kv_txn *t, uint32_t user, uint32_t set, struct conversation_set_row *out)
{
	struct state_key k;
	struct mf_bytes row;

	state_key_of(&k, user, STATE_SPACE_CONVERSATION_SET, set);
	return kv_get(t, state_key_view(&k), &row) && set_decode(row, out);
}

void
conversation_set_save(
	struct kv_txn *t, uint32_t user, uint32_t set, const struct conversation_set_row *row)
{
	struct state_key k;
	struct mf_buf b;

	mf_buf_init(&b, 0);
	varint_put(&b, row->joined);
	if (row->joined == 0) {
		varint_put(&b, row->count);
		varint_put(&b, (uint64_t)bounded_date(row->date));
		mf_buf_add(&b, row->id.bytes, sizeof(row->id.bytes));
		mf_buf_add(&b, row->oldest.bytes, sizeof(row->oldest.bytes));
	}
	state_key_of(&k, user, STATE_SPACE_CONVERSATION_SET, set);
	kv_put(t, state_key_view(&k), mf_buf_bytes(&b));
	mf_buf_deinit(&b);
}

void
conversation_set_delete(struct kv_txn *t, uint32_t user, uint32_t set)
{
	struct state_key k;

	state_key_of(&k, user, STATE_SPACE_CONVERSATION_SET, set);
	kv_delete(t, state_key_view(&k));
}

uint32_t
conversation_set_find(
	struct kv_txn *t, uint32_t user, uint32_t set, struct conversation_set_row *out)
{
	struct conversation_set_row row;

	for (int i = 0; i < CONVERSATION_JOINS_MAX && set != 0; i++) {
		if (!conversation_set_load(t, user, set, &row))
			return 0;
		if (row.joined == 0) {
			if (out != NULL)
				*out = row;
			return set;
		}
		set = row.joined;
	}
	return 0;
}

/* ---- Members and chunks ---- */

void
conversation_member_key(
	struct state_key *k, uint32_t user, uint32_t set, uint32_t folder, uint64_t id)
{
	state_key_of(k, user, STATE_SPACE_CONVERSATION_MEMBER, set);
	state_key_u32(k, folder);
	state_key_u64(k, id);
}

void
conversation_chunk_key(struct state_key *k, uint32_t user, uint32_t folder, uint64_t number)
{
	state_key_of(k, user, STATE_SPACE_CONVERSATION_CHUNK, folder);
	state_key_u64(k, number);
}

bool
conversation_chunk_decode(struct mf_bytes row, struct conversation_chunk *out)
{
	struct varint_reader c = codec_begin(row);

	memset(out->sets, 0, sizeof(out->sets));
	while (!c.failed && c.at < c.end) {
		uint64_t place = varint_get_max(&c, CONVERSATION_CHUNK - 1);
		uint64_t set = varint_get_max(&c, UINT32_MAX);

		if (!c.failed)
			out->sets[place] = (uint32_t)set;
	}
	return codec_end(&c);
}

void
conversation_chunk_load(struct kv_txn *t, uint32_t user, uint32_t folder, uint64_t number,
	struct conversation_chunk *out)
{
	struct state_key k;
	struct mf_bytes row;

	memset(out, 0, sizeof(*out));
	out->number = number;
	conversation_chunk_key(&k, user, folder, number);
	if (kv_get(t, state_key_view(&k), &row) && !conversation_chunk_decode(row, out))
		memset(out->sets, 0, sizeof(out->sets));
}

void
conversation_chunk_save(
	struct kv_txn *t, uint32_t user, uint32_t folder, const struct conversation_chunk *c)
{
	struct state_key k;
	struct mf_buf b;

	mf_buf_init(&b, 0);
	for (unsigned i = 0; i < CONVERSATION_CHUNK; i++)
		if (c->sets[i] != 0) {
			varint_put(&b, i);
			varint_put(&b, c->sets[i]);
		}
	conversation_chunk_key(&k, user, folder, c->number);
	if (b.len > 0)
		kv_put(t, state_key_view(&k), mf_buf_bytes(&b));
	else
		kv_delete(t, state_key_view(&k));
	mf_buf_deinit(&b);
}

/* ---- Folders ---- */

void
state_conversation_folder_init(struct state_conversation_folder *f)
{
	memset(f, 0, sizeof(*f));
	mf_idset_init(&f->known);
	mf_idset_init(&f->wanted);
}

void
state_conversation_folder_deinit(struct state_conversation_folder *f)
{
	mf_idset_deinit(&f->known);
	mf_idset_deinit(&f->wanted);
}

static bool
take_ids(struct varint_reader *c, struct mf_idset *out)
{
	size_t n = c->failed ? 0 : mf_idset_decode(out, c->at, (size_t)(c->end - c->at));

	if (n == 0)
		c->failed = true;
	c->at += n;
	return !c->failed;
}

static bool
folder_decode(struct mf_bytes row, struct mf_arena *a, struct state_conversation_folder *out)
{
	struct varint_reader c = codec_begin(row);
	struct mf_bytes cursor;

	cursor = varint_get_bytes(&c);
	if (c.failed || cursor.len > CURSOR_MAX)
		return false;
	out->cursor = mf_memdup(a, cursor.data, cursor.len);
	return take_ids(&c, &out->known) && take_ids(&c, &out->wanted) && codec_end(&c);
}

struct loading {
	uint32_t user, folder;
	struct mf_arena *a;
	struct state_conversation_folder *out;
};

static enum mf_status
load_folder(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct loading *l = ctx;
	struct state_key k;
	struct mf_bytes row;

	(void)err;
	state_key_of(&k, l->user, STATE_SPACE_CONVERSATION_FOLDER, l->folder);
	mf_idset_clear(&l->out->known);
	mf_idset_clear(&l->out->wanted);
	l->out->cursor = mf_bytes(NULL, 0);
	if (!kv_get(t, state_key_view(&k), &row) || folder_decode(row, l->a, l->out))
		return MF_OK;
	mf_idset_clear(&l->out->known);
	mf_idset_clear(&l->out->wanted);
	l->out->cursor = mf_bytes(NULL, 0);
	return MF_OK;
}

enum mf_status
state_conversation_folder_load(struct state *st, uint32_t user, uint32_t folder, struct mf_arena *a,
	struct state_conversation_folder *out, struct mf_error *err)
{
	struct loading l = { .user = user, .folder = folder, .a = a, .out = out };

	return kv_read(st->kv[STATE_SYNC], load_folder, &l, err);
}

void
conversation_folder_save(
	struct kv_txn *t, uint32_t user, uint32_t folder, const struct state_conversation_folder *f)
{
	struct state_key k;
	struct mf_buf b;

	mf_buf_init(&b, 0);
	varint_put_bytes(&b, f->cursor);
	mf_idset_encode(&f->known, &b);
	mf_idset_encode(&f->wanted, &b);
	state_key_of(&k, user, STATE_SPACE_CONVERSATION_FOLDER, folder);
	kv_put(t, state_key_view(&k), mf_buf_bytes(&b));
	mf_buf_deinit(&b);
}

/* ---- For state_verify ---- */

static bool
folder_ok(struct mf_bytes row)
{
	struct state_conversation_folder f;
	struct mf_arena *a = mf_arena_new();
	bool ok;

	state_conversation_folder_init(&f);
	ok = folder_decode(row, a, &f);
	state_conversation_folder_deinit(&f);
	mf_arena_free(a);
	return ok;
}

bool
conversation_row_ok(struct mf_bytes key, struct mf_bytes row)
{
	struct conversation_name_row name;
	struct conversation_set_row set;
	struct conversation_chunk chunk;
	size_t fields = key.len - STATE_KEY_FIELDS;

	switch (key.data[STATE_KEY_FIELDS - 1]) {
	case STATE_SPACE_CONVERSATION_NAME:
		return fields == CONVERSATION_ID_LEN && name_decode(row, &name);
	case STATE_SPACE_CONVERSATION_SET:
		return fields == 4 && set_decode(row, &set);
	case STATE_SPACE_CONVERSATION_MEMBER:
		return fields == 4 + 4 + 8 && row.len == 0;
	case STATE_SPACE_CONVERSATION_SWEEP:
		return conversation_sweep_row_ok(key, row);
	case STATE_SPACE_CONVERSATION_CHUNK:
		return fields == 4 + 8 && conversation_chunk_decode(row, &chunk);
	default:
		return fields == 4 && folder_ok(row);
	}
}
