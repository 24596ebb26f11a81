/* sync: what a device holds, and how events change what it is still to be told. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "sync/snapshot.h"

enum { IDS = 120 };

static unsigned seed = 11;

static unsigned
rnd(unsigned n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 12) % n;
}

/* Random sets and removals, many at once, against an array. */
Test(held, agrees_with_an_array)
{
	static const char *const keywords[] = { "b", "a" };
	struct sync_held h, back;
	struct mf_buf row;
	int model[IDS + 1];

	memset(model, -1, sizeof(model));
	sync_held_init(&h);
	sync_held_init(&back);
	mf_buf_init(&row, 0);
	for (int round = 0; round < 3000; round++) {
		struct sync_entry entries[IDS];
		struct varint_reader r;
		size_t n = 0;

		for (uint64_t id = 1; id <= IDS; id++) {
			unsigned what = rnd(20);

			if (what > 4)
				continue;
			entries[n].id = id;
			entries[n].remove = what == 0;
			entries[n].mark = sync_held_mark(&h, what % 3, keywords, what % 3);
			model[id] = entries[n].remove ? -1 : (int)(what % 3);
			n++;
		}
		sync_held_apply(&h, entries, n);
		mf_buf_clear(&row);
		sync_held_encode(&h, &row);
		varint_reader_init(&r, mf_buf_bytes(&row));
		sync_held_decode(&back, &r);
		cr_assert(!r.failed && r.at == r.end);
		for (uint64_t id = 1; id <= IDS; id++) {
			const struct sync_mark *m = sync_held_get(&h, id);
			const struct sync_mark *b = sync_held_get(&back, id);

			cr_assert_eq(m != NULL, model[id] >= 0);
			cr_assert_eq(b != NULL, model[id] >= 0);
			if (m == NULL)
				continue;
			cr_assert_eq(m->flags, (uint32_t)model[id]);
			cr_assert_eq(b->flags, (uint32_t)model[id]);
			cr_assert_str_eq(m->keywords, model[id] == 0   ? ""
						      : model[id] == 1 ? "b\n"
								       : "a\nb\n");
			cr_assert_str_eq(b->keywords, m->keywords);
		}
	}
	sync_held_deinit(&h);
	sync_held_deinit(&back);
	mf_buf_deinit(&row);
}

Test(held, is_small)
{
	struct sync_held h;
	struct mf_buf row;

	sync_held_init(&h);
	mf_buf_init(&row, 0);
	for (uint64_t id = 1; id <= 10000; id++)
		sync_held_set(&h, id, sync_held_mark(&h, id % 2, NULL, 0));
	cr_assert_eq(sync_held_count(&h), 10000);
	sync_held_encode(&h, &row);
	cr_assert_leq(row.len, 20100); /* the worst case: no two neighbours alike */
	sync_held_deinit(&h);
	mf_buf_deinit(&row);
}

Test(held, refuses_any_cut_row)
{
	struct sync_held h, back;
	struct mf_buf row;

	sync_held_init(&h);
	sync_held_init(&back);
	mf_buf_init(&row, 0);
	for (uint64_t id = 1; id < 40; id += 3)
		sync_held_set(&h, id, sync_held_mark(&h, (uint32_t)id % 4, NULL, 0));
	sync_held_encode(&h, &row);
	for (size_t len = 0; len < row.len; len++) {
		struct varint_reader r;

		varint_reader_init(&r, mf_bytes(row.data, len));
		sync_held_decode(&back, &r);
		cr_assert(r.failed, "cut at %zu", len);
	}
	sync_held_deinit(&h);
	sync_held_deinit(&back);
	mf_buf_deinit(&row);
}

static void
event(struct sync_snapshot *s, enum mf_event_kind kind, uint64_t id, uint64_t last, uint32_t flags)
{
	struct mf_event e = { .kind = kind, .id = id, .last = last, .flags = flags, .date = 1000 };

	sync_snapshot_event(s, &e, 0);
}

Test(snapshot, tells_only_what_differs)
{
	struct sync_snapshot s;

	sync_snapshot_init(&s);
	event(&s, MF_EVENT_ADDED, 1, 0, 0);
	event(&s, MF_EVENT_ADDED, 2, 0, 0);
	cr_assert_eq(mf_idset_count(&s.adds), 2);
	event(&s, MF_EVENT_FLAGS, 2, 0, MF_FLAG_SEEN); /* not sent yet: nothing to change */
	cr_assert_eq(s.changed.n_runs, 0);
	sync_held_set(&s.held, 1, sync_held_mark(&s.held, 0, NULL, 0));
	mf_idset_remove(&s.adds, 1);
	event(&s, MF_EVENT_FLAGS, 1, 0, MF_FLAG_SEEN);
	cr_assert_eq(sync_held_count(&s.changed), 1);
	event(&s, MF_EVENT_FLAGS, 1, 0, 0); /* and back again */
	cr_assert_eq(sync_held_count(&s.changed), 0);
	event(&s, MF_EVENT_FLAGS, 1, 0, MF_FLAG_SEEN);
	event(&s, MF_EVENT_GONE, 1, 5, 0);
	cr_assert_eq(mf_idset_count(&s.gone), 1, "only what the device holds");
	cr_assert_eq(mf_idset_count(&s.adds), 0);
	cr_assert_eq(sync_held_count(&s.changed), 0);
	cr_assert_eq(sync_snapshot_pending_count(&s), 1);
	sync_snapshot_deinit(&s);
}

Test(snapshot, leaves_out_what_is_older_than_the_window)
{
	struct sync_snapshot s;
	struct mf_event e = { .kind = MF_EVENT_ADDED, .id = 3, .date = 999 };

	sync_snapshot_init(&s);
	sync_snapshot_event(&s, &e, 1000);
	cr_assert(!sync_snapshot_pending(&s));
	e.date = 1000;
	sync_snapshot_event(&s, &e, 1000);
	cr_assert(sync_snapshot_pending(&s));
	sync_snapshot_deinit(&s);
}

Test(snapshot, relists_for_another_window)
{
	struct sync_snapshot s;
	struct mf_idset in_window, exists;
	uint32_t mark;

	sync_snapshot_init(&s);
	mf_idset_init(&in_window);
	mf_idset_init(&exists);
	mark = sync_held_mark(&s.held, 0, NULL, 0);
	for (uint64_t id = 1; id <= 6; id++)
		sync_held_set(&s.held, id, mark);
	mf_idset_add_range(&exists, 2, 9);
	mf_idset_add_range(&in_window, 5, 9);
	sync_snapshot_relist(&s, &in_window, &exists);
	cr_assert(mf_idset_count(&s.gone) == 1 && mf_idset_has(&s.gone, 1));
	cr_assert(mf_idset_count(&s.aged_out) == 3 && mf_idset_has(&s.aged_out, 4));
	cr_assert(mf_idset_count(&s.adds) == 3 && mf_idset_has(&s.adds, 7));
	sync_snapshot_deinit(&s);
	mf_idset_deinit(&in_window);
	mf_idset_deinit(&exists);
}

Test(snapshot, comes_back_from_its_row)
{
	struct sync_snapshot s, back;
	struct mf_buf row;
	struct mf_error err;

	sync_snapshot_init(&s);
	sync_snapshot_init(&back);
	mf_buf_init(&row, 0);
	mf_buf_add_str(&s.cursor, "cursor");
	s.filter = 3;
	s.aged = 20000;
	event(&s, MF_EVENT_ADDED, 7, 0, 0);
	sync_held_set(&s.held, 9, sync_held_mark(&s.held, MF_FLAG_SEEN, NULL, 0));
	event(&s, MF_EVENT_FLAGS, 9, 0, 0);
	for (int i = 0; i < SYNC_CLIENT_ADDS_MAX + 3; i++) {
		char name[16];

		snprintf(name, sizeof(name), "c%d", i);
		sync_snapshot_client_add(&s, name, (uint64_t)i + 1);
	}
	sync_snapshot_encode(&s, &row);
	cr_assert_eq(sync_snapshot_decode(&back, mf_buf_bytes(&row), &err), MF_OK);
	cr_assert_eq(back.filter, 3);
	cr_assert_eq(back.aged, 20000);
	cr_assert(mf_idset_has(&back.adds, 7));
	cr_assert_eq(sync_held_get(&back.held, 9)->flags, MF_FLAG_SEEN);
	cr_assert_eq(sync_held_get(&back.changed, 9)->flags, 0);
	cr_assert_eq(sync_snapshot_client_added(&back, "c4"), 5);
	cr_assert_eq(sync_snapshot_client_added(&back, "c1"), 0, "the oldest are forgotten");
	for (size_t len = 0; len < row.len; len++)
		cr_assert_eq(sync_snapshot_decode(&back, mf_bytes(row.data, len), &err), MF_BROKEN);
	sync_snapshot_deinit(&s);
	sync_snapshot_deinit(&back);
	mf_buf_deinit(&row);
}
