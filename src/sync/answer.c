/* Answers: chosen from a snapshot, taken into it, written as a row. Knows no elements. */
#include "sync/answer.h"

#include <stdlib.h>

enum { ROW_FORMAT = 3, ROW_FORMAT_OLDEST = 1, TOLD_MAX = 100000, RESPONSES_MAX = 100000 };

static void
put_mark(struct mf_buf *out, const struct sync_mark *m)
{
	varint_put(out, m->flags);
	varint_put_bytes(out, mf_bytes_str(m->keywords));
}

void
sync_answer_encode(const struct sync_answer *s, struct mf_buf *out)
{
	varint_put(out, ROW_FORMAT);
	varint_put(out, s->more);
	varint_put(out, s->n_told);
	for (size_t i = 0; i < s->n_told; i++) {
		varint_put(out, s->told[i].kind);
		varint_put(out, s->told[i].id);
		if (s->told[i].kind <= SYNC_TOLD_CHANGE)
			put_mark(out, &s->told[i].mark);
		if (s->told[i].kind == SYNC_TOLD_CHANGE)
			put_mark(out, &s->told[i].before);
	}
	varint_put(out, s->n_responses);
	for (size_t i = 0; i < s->n_responses; i++) {
		varint_put(out, s->responses[i].tag);
		varint_put(out, s->responses[i].status);
		varint_put_bytes(out, mf_bytes_str(s->responses[i].client_id));
		varint_put_bytes(out, mf_bytes_str(s->responses[i].server_id));
		varint_put(out, s->responses[i].fetch);
		varint_put_bytes(out, mf_bytes_str(s->responses[i].attached));
		varint_put_bytes(out, mf_bytes_str(s->responses[i].class));
	}
}

static const char *
get_string(struct mf_arena *a, struct varint_reader *r)
{
	struct mf_bytes b = varint_get_bytes(r);

	return mf_strndup(a, (const char *)b.data, b.len);
}

static struct sync_mark
get_mark(struct mf_arena *a, struct varint_reader *r)
{
	struct sync_mark m = { .flags = (uint32_t)varint_get_max(r, UINT32_MAX) };

	m.keywords = get_string(a, r);
	return m;
}

static void
get_told(struct mf_arena *a, struct varint_reader *r, struct sync_told *t)
{
	t->kind = (enum sync_told_kind)varint_get_max(r, SYNC_TOLD_SOFT_DELETE);
	t->id = varint_get(r);
	t->mark.keywords = t->before.keywords = "";
	if (t->kind <= SYNC_TOLD_CHANGE)
		t->mark = get_mark(a, r);
	if (t->kind == SYNC_TOLD_CHANGE)
		t->before = get_mark(a, r);
	if (t->id == 0)
		r->failed = true;
}

enum mf_status
sync_answer_decode(
	struct mf_arena *a, struct mf_bytes row, struct sync_answer *out, struct mf_error *err)
{
	struct varint_reader r;
	uint64_t format;

	varint_reader_init(&r, row);
	format = varint_get(&r);
	if (format < ROW_FORMAT_OLDEST || format > ROW_FORMAT)
		return mf_fail(err, MF_BROKEN, "state: an answer's row has an unknown format");
	out->more = varint_get_max(&r, 1) == 1;
	out->n_told = (size_t)varint_get_max(&r, row.len < TOLD_MAX ? row.len : TOLD_MAX);
	out->told = mf_new_array(a, struct sync_told, out->n_told);
	for (size_t i = 0; i < out->n_told && !r.failed; i++)
		get_told(a, &r, &out->told[i]);
	out->n_responses =
		(size_t)varint_get_max(&r, row.len < RESPONSES_MAX ? row.len : RESPONSES_MAX);
	out->responses = mf_new_array(a, struct sync_response, out->n_responses);
	for (size_t i = 0; i < out->n_responses && !r.failed; i++) {
		struct sync_response *s = &out->responses[i];

		s->tag = (uint16_t)varint_get_max(&r, UINT16_MAX);
		s->status = (unsigned)varint_get_max(&r, 1000);
		s->client_id = get_string(a, &r);
		s->server_id = get_string(a, &r);
		s->fetch = varint_get(&r);
		s->attached = format >= 2 ? get_string(a, &r) : "";
		s->class = format >= 3 ? get_string(a, &r) : "";
	}
	if (r.failed || r.at != r.end)
		return mf_fail(err, MF_BROKEN, "state: an answer's row is malformed");
	return MF_OK;
}

static void
pick_set(struct sync_answer *out, size_t window, const struct mf_idset *set,
	enum sync_told_kind kind)
{
	for (uint64_t id = mf_idset_prev(set, UINT64_MAX); id != 0 && out->n_told < window;
		id = mf_idset_prev(set, id)) {
		struct sync_told *t = &out->told[out->n_told++];

		t->kind = kind;
		t->id = id;
		t->mark.keywords = t->before.keywords = "";
	}
}

static void
pick_changes(struct sync_answer *out, size_t window, const struct sync_snapshot *s)
{
	for (size_t i = s->changed.n_runs; i > 0; i--) {
		const struct sync_run *r = &s->changed.runs[i - 1];

		for (uint64_t id = r->last; id >= r->first && out->n_told < window; id--) {
			const struct sync_mark *before = sync_held_get(&s->held, id);
			struct sync_told *t = &out->told[out->n_told++];

			t->kind = SYNC_TOLD_CHANGE;
			t->id = id;
			t->mark = s->changed.marks[r->mark];
			t->before = before != NULL ? *before : (struct sync_mark){ .keywords = "" };
		}
	}
}

void
sync_answer_pick(
	struct mf_arena *a, const struct sync_snapshot *s, size_t window, struct sync_answer *out)
{
	uint64_t pending = sync_snapshot_pending_count(s);

	if (pending < window)
		window = (size_t)pending;
	out->told = mf_new_array(a, struct sync_told, window);
	out->n_told = 0;
	pick_set(out, window, &s->gone, SYNC_TOLD_DELETE);
	pick_set(out, window, &s->aged_out, SYNC_TOLD_SOFT_DELETE);
	pick_changes(out, window, s);
	pick_set(out, window, &s->adds, SYNC_TOLD_ADD);
	out->more = pending > window;
}

size_t
sync_answer_after(
	const struct sync_snapshot *s, const struct sync_answer *answer, uint64_t *out, size_t max)
{
	uint64_t id = UINT64_MAX;
	size_t n = 0;

	for (size_t i = 0; i < answer->n_told; i++)
		if (answer->told[i].kind == SYNC_TOLD_ADD && answer->told[i].id < id)
			id = answer->told[i].id;
	while (n < max && (id = mf_idset_prev(&s->adds, id)) != 0)
		out[n++] = id;
	return n;
}

static int
by_id(const void *a, const void *b)
{
	uint64_t x = ((const struct sync_entry *)a)->id, y = ((const struct sync_entry *)b)->id;

	return x < y ? -1 : x > y;
}

static void
settle(struct sync_snapshot *s, const struct sync_told *t, struct sync_entry *e)
{
	e->id = t->id;
	e->remove = t->kind >= SYNC_TOLD_DELETE;
	if (!e->remove)
		e->mark = sync_held_mark_of(&s->held, &t->mark);
	if (t->kind == SYNC_TOLD_DELETE)
		mf_idset_remove(&s->gone, t->id);
	else if (t->kind == SYNC_TOLD_SOFT_DELETE)
		mf_idset_remove(&s->aged_out, t->id);
	else if (t->kind == SYNC_TOLD_CHANGE)
		sync_held_remove(&s->changed, t->id);
	else
		mf_idset_remove(&s->adds, t->id);
}

void
sync_answer_apply(struct sync_snapshot *s, const struct sync_answer *told)
{
	struct sync_entry *entries = calloc(told->n_told + 1, sizeof(*entries));

	if (entries == NULL)
		abort();
	for (size_t i = 0; i < told->n_told; i++)
		settle(s, &told->told[i], &entries[i]);
	qsort(entries, told->n_told, sizeof(*entries), by_id);
	sync_held_apply(&s->held, entries, told->n_told);
	free(entries);
}
