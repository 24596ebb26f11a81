/* Digests of flags' details in marks. Must not know what the details say. */
#include "sync/details.h"

#include <string.h>

uint32_t
sync_details_mark(struct mf_bytes details)
{
	uint32_t hash =
		2166136261u; /* FNV-1a: it need only differ, nobody gains by making it not */

	if (details.len == 0)
		return 0;
	for (size_t i = 0; i < details.len; i++)
		hash = (hash ^ details.data[i]) * 16777619u;
	hash = (hash ^ hash >> 16) << 16;
	return hash == 0 ? 1u << 16 : hash;
}

/* The device should have this digest with the item. */
static void
settle(struct sync_snapshot *s, uint64_t id, uint32_t digest)
{
	const struct sync_mark *held = sync_held_get(&s->held, id);
	const struct sync_mark *now = sync_held_get(&s->changed, id);
	struct sync_mark want;

	if (held == NULL || mf_idset_has(&s->gone, id) || mf_idset_has(&s->aged_out, id))
		return;
	want = now != NULL ? *now : *held;
	want.flags = (want.flags & ~SYNC_DETAILS) | digest;
	if (want.flags != held->flags || strcmp(want.keywords, held->keywords) != 0)
		sync_held_set(&s->changed, id, sync_held_mark_of(&s->changed, &want));
	else if (now != NULL)
		sync_held_remove(&s->changed, id);
}

/* Items that the device holds with details. */
static void
with_details(const struct sync_held *h, struct mf_idset *out)
{
	bool any = false;

	for (size_t i = 0; i < h->n_marks; i++)
		any = any || (h->marks[i].flags & SYNC_DETAILS) != 0;
	for (size_t i = 0; any && i < h->n_runs; i++)
		if ((h->marks[h->runs[i].mark].flags & SYNC_DETAILS) != 0)
			mf_idset_add_range(out, h->runs[i].first, h->runs[i].last);
}

void
sync_details_settle(struct sync_snapshot *s, const struct state_flags *flags)
{
	struct mf_idset forgotten;

	mf_idset_init(&forgotten);
	with_details(&s->held, &forgotten);
	for (size_t i = 0; i < flags->n; i++) {
		settle(s, flags->list[i].id, sync_details_mark(flags->list[i].details));
		mf_idset_remove(&forgotten, flags->list[i].id);
	}
	for (uint64_t id = mf_idset_next(&forgotten, 0); id != 0;
		id = mf_idset_next(&forgotten, id))
		settle(s, id, 0);
	mf_idset_deinit(&forgotten);
}

enum mf_status
sync_details_refresh(struct state *st, uint32_t user, uint32_t folder, struct sync_snapshot *s,
	struct mf_error *err)
{
	struct mf_arena *a = mf_arena_new();
	struct state_flags flags;
	enum mf_status status = state_flags_load(st, user, folder, a, &flags, err);

	if (status == MF_BROKEN) { /* as good as none: they are written anew with the next flag */
		flags.n = 0;
		status = MF_OK;
	}
	if (status == MF_OK)
		sync_details_settle(s, &flags);
	mf_arena_free(a);
	return status;
}
