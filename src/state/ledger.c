/*
 * The ledger. Two kinds of rows: of a mail (its step and when it was first tried) and of a phone's try (which
 * mail, and when). Knows no message.
 */
#include "state/ledger.h"

#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "state/store.h"

enum { KIND_MAIL = 0, KIND_TRY = 1, COLLECT_MAX = 1000 };

struct mail_row {
	int64_t first;
	enum ledger_step step;
	struct mf_bytes note;
};

/* A step of before that meant as much as none: the final dot had not left. */
enum { STEP_STARTED = 1 };

struct try_row {
	int64_t when;
	uint8_t name[STATE_LEDGER_NAME_LEN];
};

static struct state_key
mail_key(uint32_t user, const struct ledger_entry *e)
{
	struct state_key k;

	state_key_begin(&k, user, STATE_SPACE_LEDGER);
	state_key_u8(&k, KIND_MAIL);
	state_key_bytes(&k, e->name, sizeof(e->name));
	return k;
}

static struct state_key
try_key(uint32_t user, const struct ledger_entry *e)
{
	struct state_key k;
	struct mf_buf b;

	mf_buf_init(&b, 0);
	mf_buf_add(&b, e->device, strlen(e->device) + 1);
	mf_buf_add_str(&b, e->client_id);
	state_key_begin(&k, user, STATE_SPACE_LEDGER);
	state_key_u8(&k, KIND_TRY);
	state_key_digest(&k, b.data, b.len);
	mf_buf_deinit(&b);
	return k;
}

static bool
mail_decode(struct mf_bytes row, struct mail_row *m)
{
	struct varint_reader c = codec_begin(row);

	m->first = (int64_t)varint_get_max(&c, INT64_MAX);
	m->step = (enum ledger_step)varint_get_max(&c, LEDGER_HELD);
	if ((int)m->step == STEP_STARTED)
		m->step = LEDGER_NONE;
	m->note = codec_rest(&c);
	return codec_end(&c) && m->note.len <= STATE_LEDGER_NOTE_MAX;
}

static bool
try_decode(struct mf_bytes row, struct try_row *t)
{
	struct varint_reader c = codec_begin(row);
	struct mf_bytes name;

	t->when = (int64_t)varint_get_max(&c, INT64_MAX);
	name = codec_raw(&c, STATE_LEDGER_NAME_LEN);
	if (!codec_end(&c) || name.len != STATE_LEDGER_NAME_LEN)
		return false;
	memcpy(t->name, name.data, name.len);
	return true;
}

bool
ledger_row_ok(struct mf_bytes key, struct mf_bytes row)
{
	struct mail_row m;
	struct try_row t;

	if (key.len != STATE_KEY_FIELDS + 1 + STATE_LEDGER_NAME_LEN)
		return false;
	return key.data[STATE_KEY_FIELDS] == KIND_MAIL ? mail_decode(row, &m) : try_decode(row, &t);
}

static void
mail_save(struct kv_txn *t, uint32_t user, const struct ledger_entry *e, enum ledger_step step)
{
	struct state_key k = mail_key(user, e);
	struct mf_buf b;

	mf_buf_init(&b, 0);
	varint_put(&b, (uint64_t)e->first);
	varint_put(&b, step);
	if (step == LEDGER_SENT)
		mf_buf_add(&b, e->note.data, e->note.len);
	kv_put(t, state_key_view(&k), mf_buf_bytes(&b));
	mf_buf_deinit(&b);
}

static void
try_save(struct kv_txn *t, uint32_t user, const struct ledger_entry *e)
{
	struct state_key k = try_key(user, e);
	struct mf_buf b;

	if (e->client_id[0] == '\0')
		return;
	mf_buf_init(&b, 0);
	varint_put(&b, (uint64_t)clock_wall());
	mf_buf_add(&b, e->name, sizeof(e->name));
	kv_put(t, state_key_view(&k), mf_buf_bytes(&b));
	mf_buf_deinit(&b);
}

/* ---- Beginning ---- */

struct work {
	uint32_t user;
	struct ledger_entry *e;
	const struct ledger_entry *known;
	struct mf_arena *a;
	enum ledger_step step;
	uint64_t removed;
};

/* A try whose mail never left may come again changed. */
static bool
was_sent(struct kv_txn *t, uint32_t user, const uint8_t *name)
{
	struct ledger_entry e = { .step = LEDGER_NONE };
	struct state_key k;
	struct mf_bytes row;
	struct mail_row was;

	memcpy(e.name, name, sizeof(e.name));
	k = mail_key(user, &e);
	return kv_get(t, state_key_view(&k), &row) && mail_decode(row, &was) &&
	       was.step >= LEDGER_SENT;
}

/* What the ClientId was used for, if it was. */
static enum mf_status
look_at_try(struct kv_txn *t, struct work *w, struct mf_error *err)
{
	struct state_key k = try_key(w->user, w->e);
	struct mf_bytes row;
	struct try_row was;

	w->e->same_client = w->e->other_mail = false;
	if (w->e->client_id[0] == '\0' || !kv_get(t, state_key_view(&k), &row))
		return MF_OK;
	if (!try_decode(row, &was))
		return state_broken(err, "a try to send", w->user);
	if (was.when < clock_wall() - STATE_LEDGER_LIFE)
		return MF_OK;
	if (memcmp(was.name, w->e->name, sizeof(was.name)) != 0)
		w->e->other_mail =
			(w->e->own_id || was.when >= clock_wall() - STATE_LEDGER_CLIENT_LIFE) &&
			was_sent(t, w->user, was.name);
	w->e->same_client = w->e->other_mail || memcmp(was.name, w->e->name, sizeof(was.name)) == 0;
	return MF_OK;
}

static enum mf_status
look_at_mail(struct kv_txn *t, struct work *w, struct mf_error *err)
{
	struct state_key k = mail_key(w->user, w->e);
	struct mf_bytes row;
	struct mail_row was;

	w->e->step = LEDGER_NONE;
	w->e->note = mf_bytes(NULL, 0);
	w->e->first = clock_wall();
	if (!kv_get(t, state_key_view(&k), &row))
		return MF_OK;
	if (!mail_decode(row, &was))
		return state_broken(err, "a sent mail", w->user);
	if (was.first < clock_wall() - STATE_LEDGER_LIFE)
		return MF_OK;
	w->e->step = was.step;
	w->e->first = was.first;
	w->e->note = mf_memdup(w->a, was.note.data, was.note.len);
	return MF_OK;
}

static enum mf_status
look(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct work *w = ctx;
	enum mf_status st = look_at_try(t, w, err);

	return st == MF_OK ? look_at_mail(t, w, err) : st;
}

static enum mf_status
remember_try(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct work *w = ctx;

	(void)err;
	try_save(t, w->user, w->e);
	return MF_OK;
}

enum mf_status
state_ledger_begin(struct state *st, uint32_t user, struct mf_arena *a, struct ledger_entry *e,
	struct mf_error *err)
{
	struct work w = { .user = user, .e = e, .a = a };
	enum mf_status status = kv_read(st->kv[STATE_RECORDS], look, &w, err);

	if (status != MF_OK || e->same_client || e->client_id[0] == '\0' || e->step < LEDGER_SENT)
		return status;
	return kv_write(st->kv[STATE_RECORDS], remember_try, &w, err);
}

/* ---- Steps ---- */

static enum mf_status
step(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct work *w = ctx;

	(void)err;
	if (w->step == LEDGER_NONE) {
		struct state_key mail = mail_key(w->user, w->known);
		struct state_key try = try_key(w->user, w->known);

		kv_delete(t, state_key_view(&mail));
		kv_delete(t, state_key_view(&try));
	} else {
		mail_save(t, w->user, w->known, w->step);
		try_save(t, w->user, w->known);
	}
	return MF_OK;
}

enum mf_status
state_ledger_step(struct state *st, uint32_t user, const struct ledger_entry *e,
	enum ledger_step to, struct mf_error *err)
{
	struct work w = { .user = user, .known = e, .step = to };

	return kv_write(st->kv[STATE_RECORDS], step, &w, err);
}

/* ---- Forgetting ---- */

struct old {
	int64_t before;
	uint8_t keys[COLLECT_MAX][STATE_KEY_FIELDS + 1 + STATE_LEDGER_NAME_LEN];
	size_t n;
};

static bool
add_old(void *ctx, struct mf_bytes key, struct mf_bytes row)
{
	struct old *o = ctx;
	struct varint_reader c = codec_begin(row);
	int64_t when = (int64_t)varint_get_max(&c, INT64_MAX); /* both kinds begin with it */

	if (key.len == sizeof(o->keys[0]) && when < o->before)
		memcpy(o->keys[o->n++], key.data, key.len);
	return o->n < COLLECT_MAX;
}

static enum mf_status
collect(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct work *w = ctx;
	struct mf_arena *a = mf_arena_new();
	struct old *o = mf_new(a, struct old);
	struct state_key k;

	(void)err;
	o->before = clock_wall() - STATE_LEDGER_LIFE;
	state_key_begin(&k, w->user, STATE_SPACE_LEDGER);
	kv_scan(t, state_key_view(&k), mf_bytes(NULL, 0), add_old, o);
	for (size_t i = 0; i < o->n; i++)
		kv_delete(t, mf_bytes(o->keys[i], sizeof(o->keys[i])));
	w->removed = o->n;
	mf_arena_free(a);
	return MF_OK;
}

enum mf_status
state_ledger_collect(struct state *st, uint32_t user, uint64_t *removed, struct mf_error *err)
{
	struct work w = { .user = user };
	enum mf_status status = MF_OK;

	*removed = 0;
	do {
		w.removed = 0;
		status = kv_write(st->kv[STATE_RECORDS], collect, &w, err);
		*removed += w.removed;
	} while (status == MF_OK && w.removed == COLLECT_MAX);
	return status;
}
