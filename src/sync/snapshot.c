/* A generation's content, its row, and how events change it. Knows neither LMDB nor ActiveSync. */
#include "sync/snapshot.h"

#include <stdlib.h>
#include <string.h>

enum { ROW_FORMAT = 1, CURSOR_MAX = 64 << 10 };

void
sync_snapshot_init(struct sync_snapshot *s)
{
	memset(s, 0, sizeof(*s));
	mf_buf_init(&s->cursor, 0);
	sync_held_init(&s->held);
	sync_held_init(&s->changed);
	mf_idset_init(&s->adds);
	mf_idset_init(&s->gone);
	mf_idset_init(&s->aged_out);
}

static void
forget_client_adds(struct sync_snapshot *s)
{
	for (size_t i = 0; i < s->n_client_adds; i++)
		free(s->client_adds[i].client_id);
	free(s->client_adds);
	s->client_adds = NULL;
	s->n_client_adds = 0;
}

void
sync_snapshot_deinit(struct sync_snapshot *s)
{
	mf_buf_deinit(&s->cursor);
	sync_held_deinit(&s->held);
	sync_held_deinit(&s->changed);
	mf_idset_deinit(&s->adds);
	mf_idset_deinit(&s->gone);
	mf_idset_deinit(&s->aged_out);
	forget_client_adds(s);
}

void
sync_snapshot_encode(const struct sync_snapshot *s, struct mf_buf *out)
{
	varint_put(out, ROW_FORMAT);
	varint_put_bytes(out, mf_buf_bytes(&s->cursor));
	varint_put(out, s->filter);
	varint_put(out, s->conversations);
	varint_put(out, (uint64_t)s->aged);
	sync_held_encode(&s->held, out);
	mf_idset_encode(&s->adds, out);
	mf_idset_encode(&s->gone, out);
	mf_idset_encode(&s->aged_out, out);
	sync_held_encode(&s->changed, out);
	varint_put(out, s->n_client_adds);
	for (size_t i = 0; i < s->n_client_adds; i++) {
		varint_put_bytes(out, mf_bytes_str(s->client_adds[i].client_id));
		varint_put(out, s->client_adds[i].id);
	}
}

static void
decode_set(struct mf_idset *set, struct varint_reader *r)
{
	size_t n = r->failed ? 0 : mf_idset_decode(set, r->at, (size_t)(r->end - r->at));

	if (n == 0)
		r->failed = true;
	r->at += n;
}

static void
decode_client_adds(struct sync_snapshot *s, struct varint_reader *r)
{
	uint64_t n = varint_get_max(r, SYNC_CLIENT_ADDS_MAX);

	for (uint64_t i = 0; i < n && !r->failed; i++) {
		struct mf_bytes b = varint_get_bytes(r);
		uint64_t id = varint_get(r);
		char *name = strndup((const char *)b.data, b.len);

		if (name != NULL && !r->failed)
			sync_snapshot_client_add(s, name, id);
		free(name);
	}
}

enum mf_status
sync_snapshot_decode(struct sync_snapshot *s, struct mf_bytes row, struct mf_error *err)
{
	struct varint_reader r;
	struct mf_bytes cursor;

	varint_reader_init(&r, row);
	if (varint_get(&r) != ROW_FORMAT)
		return mf_fail(err, MF_BROKEN, "state: a collection's row has an unknown format");
	cursor = varint_get_bytes(&r);
	mf_buf_clear(&s->cursor);
	mf_buf_add(&s->cursor, cursor.data, cursor.len);
	s->filter = (uint32_t)varint_get_max(&r, 100);
	s->conversations = varint_get_max(&r, 1) == 1;
	s->aged = (int64_t)varint_get_max(&r, INT64_MAX);
	sync_held_decode(&s->held, &r);
	decode_set(&s->adds, &r);
	decode_set(&s->gone, &r);
	decode_set(&s->aged_out, &r);
	sync_held_decode(&s->changed, &r);
	forget_client_adds(s);
	decode_client_adds(s, &r);
	if (r.failed || r.at != r.end || cursor.len > CURSOR_MAX)
		return mf_fail(err, MF_BROKEN, "state: a collection's row is malformed");
	return MF_OK;
}

static void
event_gone(struct sync_snapshot *s, uint64_t first, uint64_t last)
{
	struct mf_idset range, held;

	mf_idset_init(&range);
	mf_idset_init(&held);
	mf_idset_add_range(&range, first, last);
	sync_held_ids(&s->held, &held);
	mf_idset_intersect(&held, &range);
	mf_idset_union(&s->gone, &held);
	mf_idset_subtract(&s->adds, &range);
	mf_idset_subtract(&s->aged_out, &range);
	for (uint64_t id = mf_idset_next(&held, 0); s->changed.n_runs > 0 && id != 0;
		id = mf_idset_next(&held, id))
		sync_held_remove(&s->changed, id);
	mf_idset_deinit(&range);
	mf_idset_deinit(&held);
}

static void
event_flags(struct sync_snapshot *s, const struct mf_event *e, const struct sync_mark *has)
{
	uint32_t index = sync_held_mark(&s->changed, e->flags, e->keywords, e->n_keywords);
	const struct sync_mark *now = &s->changed.marks[index];

	if (has->flags == now->flags && strcmp(has->keywords, now->keywords) == 0)
		sync_held_remove(&s->changed, e->id);
	else
		sync_held_set(&s->changed, e->id, index);
}

void
sync_snapshot_event(struct sync_snapshot *s, const struct mf_event *e, int64_t since)
{
	const struct sync_mark *has;

	if (e->kind == MF_EVENT_GONE) {
		event_gone(s, e->id, e->last);
		return;
	}
	has = sync_held_get(&s->held, e->id);
	if (has != NULL)
		event_flags(s, e, has);
	else if (e->kind == MF_EVENT_ADDED && (since == 0 || e->date >= since))
		mf_idset_add(&s->adds, e->id);
}

void
sync_snapshot_known(const struct sync_snapshot *s, struct mf_idset *out)
{
	sync_held_ids(&s->held, out);
	mf_idset_union(out, &s->adds);
	mf_idset_subtract(out, &s->gone);
}

void
sync_snapshot_restart(struct sync_snapshot *s)
{
	mf_buf_clear(&s->cursor);
	sync_held_clear(&s->changed);
	mf_idset_clear(&s->adds);
	mf_idset_clear(&s->gone);
	mf_idset_clear(&s->aged_out);
}

bool
sync_snapshot_pending(const struct sync_snapshot *s)
{
	return s->adds.n > 0 || s->gone.n > 0 || s->aged_out.n > 0 || s->changed.n_runs > 0;
}

uint64_t
sync_snapshot_pending_count(const struct sync_snapshot *s)
{
	return mf_idset_count(&s->adds) + mf_idset_count(&s->gone) + mf_idset_count(&s->aged_out) +
	       sync_held_count(&s->changed);
}

void
sync_snapshot_relist(
	struct sync_snapshot *s, const struct mf_idset *in_window, const struct mf_idset *exists)
{
	struct mf_idset held, left;

	mf_idset_init(&held);
	mf_idset_init(&left);
	sync_held_ids(&s->held, &held);
	mf_idset_copy(&s->adds, in_window);
	mf_idset_subtract(&s->adds, &held);
	mf_idset_copy(&left, &held);
	mf_idset_subtract(&left, in_window);
	mf_idset_copy(&s->aged_out, &left);
	mf_idset_intersect(&s->aged_out, exists);
	mf_idset_copy(&s->gone, &left);
	mf_idset_subtract(&s->gone, exists);
	for (uint64_t id = mf_idset_next(&left, 0); s->changed.n_runs > 0 && id != 0;
		id = mf_idset_next(&left, id))
		sync_held_remove(&s->changed, id);
	mf_idset_deinit(&held);
	mf_idset_deinit(&left);
}

void
sync_snapshot_client_add(struct sync_snapshot *s, const char *client_id, uint64_t id)
{
	struct sync_client_add *list;

	if (s->n_client_adds == SYNC_CLIENT_ADDS_MAX) {
		free(s->client_adds[0].client_id);
		memmove(s->client_adds, s->client_adds + 1, --s->n_client_adds * sizeof(*list));
	}
	list = realloc(s->client_adds, (s->n_client_adds + 1) * sizeof(*list));
	if (list == NULL)
		abort();
	s->client_adds = list;
	list[s->n_client_adds].client_id = strdup(client_id);
	if (list[s->n_client_adds].client_id == NULL)
		abort();
	list[s->n_client_adds++].id = id;
}

uint64_t
sync_snapshot_client_added(const struct sync_snapshot *s, const char *client_id)
{
	for (size_t i = s->n_client_adds; i > 0; i--)
		if (strcmp(s->client_adds[i - 1].client_id, client_id) == 0)
			return s->client_adds[i - 1].id;
	return 0;
}
