/*
 * Names of conversations that are no more. They stay behind when the last message goes, for it may only be on its
 * way to another folder; later they say nothing and are swept out, some thousands of rows at a time. Names
 * in conversations that live stay: who answers to a message that is gone still belongs there.
 */
#include <string.h>

#include "state/conversation_rows.h"

enum {
	ENDED_MIN =
		500, /* conversations that ended since the last sweep: fewer are not worth one */
	ROWS_MAX = 4000, /* looked at in one transaction */
};

enum phase { IDLE, NAMES, SETS, PHASES };

/* The row: how many conversations have ended, and how far a sweep is. */
struct progress {
	uint64_t ended;
	enum phase phase;
	struct mf_bytes at; /* the last key looked at; empty: none */
};

static struct state_key
progress_key(uint32_t user)
{
	struct state_key k;

	state_key_begin(&k, user, STATE_SPACE_CONVERSATION_SWEEP);
	return k;
}

static bool
decode(struct mf_bytes row, struct progress *out)
{
	struct varint_reader c = codec_begin(row);

	out->ended = varint_get(&c);
	out->phase = (enum phase)varint_get_max(&c, PHASES - 1);
	out->at = varint_get_bytes(&c);
	return codec_end(&c) && out->at.len <= KV_KEY_MAX;
}

bool
conversation_sweep_row_ok(struct mf_bytes key, struct mf_bytes row)
{
	struct progress p;

	return key.len == STATE_KEY_FIELDS && decode(row, &p);
}

static struct progress
load(struct kv_txn *t, uint32_t user)
{
	struct state_key k = progress_key(user);
	struct progress p = { 0 };
	struct mf_bytes row;

	if (!kv_get(t, state_key_view(&k), &row) || !decode(row, &p))
		p = (struct progress){ 0 };
	return p;
}

static void
save(struct kv_txn *t, uint32_t user, const struct progress *p)
{
	struct state_key k = progress_key(user);
	struct mf_buf b;

	mf_buf_init(&b, 0);
	varint_put(&b, p->ended);
	varint_put(&b, p->phase);
	varint_put_bytes(&b, p->at);
	kv_put(t, state_key_view(&k), mf_buf_bytes(&b));
	mf_buf_deinit(&b);
}

void
conversation_sweep_note(struct kv_txn *t, uint32_t user, size_t ended)
{
	struct progress p = load(t, user);

	if (ended == 0)
		return;
	p.ended += ended;
	save(t, user, &p);
}

/* ---- One step ---- */

struct sweeping {
	uint32_t user;
	bool more;
	size_t gone;
	struct kv_txn *t;
	/* Of the transaction: the rows seen, and which of them are dead. */
	uint8_t keys[ROWS_MAX][STATE_KEY_FIELDS + CONVERSATION_ID_LEN];
	bool dead[ROWS_MAX];
	size_t n;
};

static bool
collect(void *ctx, struct mf_bytes key, struct mf_bytes row)
{
	struct sweeping *x = ctx;

	(void)row;
	if (x->n == ROWS_MAX)
		return false;
	if (key.len <= sizeof(x->keys[0]))
		memcpy(x->keys[x->n++], key.data, key.len);
	return true;
}

static bool
is_dead(struct sweeping *x, enum phase phase, const uint8_t *key)
{
	struct conversation_name_row name;
	struct conversation_set_row set;
	struct conversation_id id;
	uint32_t number;

	if (phase == NAMES) {
		memcpy(id.bytes, key + STATE_KEY_FIELDS, sizeof(id.bytes));
		return conversation_name_load(x->t, x->user, &id, &name) &&
		       conversation_set_find(x->t, x->user, name.set, NULL) == 0;
	}
	number = state_key_read_u32(mf_bytes(key, STATE_KEY_FIELDS + 4), STATE_KEY_FIELDS);
	return conversation_set_load(x->t, x->user, number, &set) && set.joined != 0 &&
	       conversation_set_find(x->t, x->user, number, NULL) == 0;
}

static void
sweep_rows(struct sweeping *x, struct progress *p)
{
	struct state_key prefix;
	size_t len = STATE_KEY_FIELDS + (p->phase == NAMES ? CONVERSATION_ID_LEN : 4);

	state_key_begin(&prefix, x->user,
		p->phase == NAMES ? STATE_SPACE_CONVERSATION_NAME : STATE_SPACE_CONVERSATION_SET);
	kv_scan(x->t, state_key_view(&prefix), p->at, collect, x);
	for (size_t i = 0; i < x->n; i++)
		x->dead[i] = is_dead(x, p->phase, x->keys[i]);
	for (size_t i = 0; i < x->n; i++)
		if (x->dead[i]) {
			kv_delete(x->t, mf_bytes(x->keys[i], len));
			x->gone++;
		}
	if (x->n == ROWS_MAX)
		p->at = mf_bytes(x->keys[x->n - 1], len);
	else
		*p = (struct progress){ .ended = p->ended,
			.phase = p->phase == NAMES ? SETS : IDLE };
}

static enum mf_status
step(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct sweeping *x = ctx;
	struct progress p = load(t, x->user);
	uint8_t at[KV_KEY_MAX];

	(void)err;
	x->t = t;
	x->n = x->gone = 0;
	x->more = false;
	if (p.phase == IDLE && p.ended < ENDED_MIN)
		return MF_OK;
	if (p.phase == IDLE)
		p = (struct progress){ .phase = NAMES };
	if (p.at.len > 0) /* the row is written while it is in use */
		memcpy(at, p.at.data, p.at.len);
	p.at = mf_bytes(at, p.at.len);
	sweep_rows(x, &p);
	x->more = p.phase != IDLE;
	save(t, x->user, &p);
	return MF_OK;
}

enum mf_status
state_conversation_sweep(
	struct state *st, uint32_t user, bool *more, size_t *gone, struct mf_error *err)
{
	struct mf_arena *a = mf_arena_new();
	struct sweeping *x = mf_new(a, struct sweeping);
	enum mf_status status;

	x->user = user;
	status = kv_write(st->kv[STATE_SYNC], step, x, err);
	*more = status == MF_OK && x->more;
	*gone = status == MF_OK ? x->gone : 0;
	mf_arena_free(a);
	return status;
}
