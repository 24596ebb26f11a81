/* The newest requests of meetings: one row a user, in the order in which they were heard of. */
#include "state/meeting.h"

#include <string.h>

#include "state/store.h"

struct access {
	uint32_t user;
	struct mf_arena *a;
	struct state_meetings *out;
	const struct state_meeting_request *requests;
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
		m->first = (int64_t)varint_get(&c);
		m->last = (int64_t)varint_get(&c);
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
	struct access x = { user, .a = a, .out = out };

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
		varint_put(&b, (uint64_t)x->out->list[i].first);
		varint_put(&b, (uint64_t)x->out->list[i].last);
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
		any |= state_meetings_take(&m, &x->requests[i]);
	if (any)
		row_save(t, x);
	mf_arena_free(x->a);
	return MF_OK;
}

enum mf_status
state_meetings_save(struct state *st, uint32_t user, const struct state_meeting_request *requests,
	size_t n, struct mf_error *err)
{
	struct access x = { user, .requests = requests, .n = n };

	return n == 0 ? MF_OK : kv_write(st->kv[STATE_SYNC], save, &x, err);
}

static struct state_meeting *
find(const struct state_meetings *m, uint64_t name)
{
	for (size_t i = m->n; i > 0; i--)
		if (m->list[i - 1].name == name)
			return &m->list[i - 1];
	return NULL;
}

const struct state_meeting *
state_meetings_find(const struct state_meetings *m, uint64_t name)
{
	return find(m, name);
}

static void
add(struct state_meetings *m, const struct state_meeting *one)
{
	if (m->n == STATE_MEETINGS_MAX)
		memmove(m->list, m->list + 1, --m->n * sizeof(*m->list));
	m->list[m->n++] = *one;
}

bool
state_meetings_take(struct state_meetings *m, const struct state_meeting_request *request)
{
	struct state_meeting *known = find(m, request->name);
	const struct state_meeting one = { request->name, request->sequence, request->stamp,
		request->stamp };
	const struct state_meeting before = known == NULL ? (struct state_meeting){ 0 } : *known;

	if (known == NULL) {
		add(m, &one);
		return true;
	}
	if (request->sequence < known->sequence)
		return false;
	if (request->sequence > known->sequence)
		*known = one;
	known->first = request->stamp < known->first ? request->stamp : known->first;
	known->last = request->stamp > known->last ? request->stamp : known->last;
	return memcmp(&before, known, sizeof(before)) != 0;
}
