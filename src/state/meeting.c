/* Requests of meetings: one row a user, in the order in which they were told. */
#include "state/meeting.h"

#include <string.h>

#include "state/store.h"

struct access {
	uint32_t user;
	struct mf_arena *a;
	struct state_meetings *out;
	const struct state_meeting *told;
	size_t n;
};

static struct state_key
key_of(const struct access *x)
{
	struct state_key k;

	state_key_begin(&k, x->user, STATE_SPACE_MEETING);
	return k;
}

static void
none(struct mf_arena *a, struct state_meetings *out)
{
	out->list = mf_new_array(a, struct state_meeting, STATE_MEETINGS_MAX);
	out->n = 0;
}

static bool
row_decode(struct mf_bytes row, struct mf_arena *a, struct state_meetings *out)
{
	struct varint_reader c = codec_begin(row);
	uint64_t n = varint_get_max(&c, STATE_MEETINGS_MAX);

	none(a, out);
	for (; out->n < n && !c.failed; out->n++) {
		struct state_meeting *m = &out->list[out->n];

		m->name = varint_get(&c);
		m->sequence = (uint32_t)varint_get_max(&c, UINT32_MAX);
		m->stamp = (int64_t)varint_get(&c);
		m->times = (uint32_t)varint_get_max(&c, UINT32_MAX);
		m->type = (uint8_t)varint_get_max(&c, UINT8_MAX);
	}
	return codec_end(&c);
}

bool
meeting_row_ok(struct mf_bytes row, struct mf_arena *a)
{
	struct state_meetings m;

	return row_decode(row, a, &m);
}

static enum mf_status
load(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct access *x = ctx;
	struct state_key k = key_of(x);
	struct mf_bytes row;

	none(x->a, x->out);
	if (!kv_get(t, state_key_view(&k), &row) || row_decode(row, x->a, x->out))
		return MF_OK;
	return state_broken(err, "meetings", x->user);
}

enum mf_status
state_meetings_load(struct state *st, uint32_t user, struct mf_arena *a, struct state_meetings *out,
	struct mf_error *err)
{
	struct access x = { .user = user, .a = a, .out = out };

	return kv_read(st->kv[STATE_SYNC], load, &x, err);
}

static void
row_save(struct kv_txn *t, const struct access *x)
{
	struct state_key k = key_of(x);
	struct mf_buf b;

	mf_buf_init(&b, 0);
	varint_put(&b, x->out->n);
	for (size_t i = 0; i < x->out->n; i++) {
		varint_put(&b, x->out->list[i].name);
		varint_put(&b, x->out->list[i].sequence);
		varint_put(&b, (uint64_t)x->out->list[i].stamp);
		varint_put(&b, x->out->list[i].times);
		varint_put(&b, x->out->list[i].type);
	}
	kv_put(t, state_key_view(&k), mf_buf_bytes(&b));
	mf_buf_deinit(&b);
}

static enum mf_status
save(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct access *x = ctx;
	struct state_meetings m;
	bool any = false;

	x->a = mf_arena_new();
	x->out = &m;
	if (load(t, x, err) != MF_OK) /* nothing that could be mended: begin again */
		m.n = 0;
	for (size_t i = 0; i < x->n; i++)
		any |= state_meetings_add(&m, &x->told[i]);
	if (any)
		row_save(t, x);
	mf_arena_free(x->a);
	return MF_OK;
}

enum mf_status
state_meetings_save(struct state *st, uint32_t user, const struct state_meeting *told, size_t n,
	struct mf_error *err)
{
	struct access x = { .user = user, .told = told, .n = n };

	return n == 0 ? MF_OK : kv_write(st->kv[STATE_SYNC], save, &x, err);
}

bool
state_meetings_add(struct state_meetings *m, const struct state_meeting *told)
{
	if (state_meetings_find(m, told) != NULL)
		return false;
	if (m->n == STATE_MEETINGS_MAX)
		memmove(m->list, m->list + 1, --m->n * sizeof(*m->list));
	m->list[m->n++] = *told;
	return true;
}

const struct state_meeting *
state_meetings_find(const struct state_meetings *m, const struct state_meeting *request)
{
	for (size_t i = m->n; i > 0; i--) {
		const struct state_meeting *x = &m->list[i - 1];

		if (x->name == request->name && x->sequence == request->sequence &&
			x->stamp == request->stamp && x->times == request->times)
			return x;
	}
	return NULL;
}

const struct state_meeting *
state_meetings_newest(const struct state_meetings *m, uint64_t name)
{
	const struct state_meeting *newest = NULL;

	for (size_t i = 0; i < m->n; i++) {
		const struct state_meeting *x = &m->list[i];

		if (x->name == name &&
			(newest == NULL || x->sequence > newest->sequence ||
				(x->sequence == newest->sequence && x->stamp >= newest->stamp)))
			newest = x;
	}
	return newest;
}
