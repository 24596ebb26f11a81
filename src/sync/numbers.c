/* Numbers to ids and back: binary search over runs. Knows neither state nor backends. */
#include "sync/numbers.h"

#include <stdlib.h>
#include <string.h>

static int
by_id(const void *x, const void *y)
{
	uint64_t a = ((const struct state_numbering_run *)x)->id,
		 b = ((const struct state_numbering_run *)y)->id;

	return (a > b) - (a < b);
}

void
sync_numbers_init(struct sync_numbers *m, const struct state_numbering *n, struct mf_arena *a)
{
	*m = (struct sync_numbers){ n->generation, n->runs, NULL, n->n };
	m->by_id = mf_new_array(a, struct state_numbering_run, n->n);
	if (n->n == 0)
		return;
	memcpy(m->by_id, n->runs, n->n * sizeof(*m->by_id));
	qsort(m->by_id, m->n, sizeof(*m->by_id), by_id);
}

static uint64_t
start(const struct state_numbering_run *r, bool ids)
{
	return ids ? r->id : r->shown;
}

/* The first run that ends behind `at`; n: none does. */
static size_t
find(const struct state_numbering_run *runs, size_t n, uint64_t at, bool ids)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (start(&runs[mid], ids) + runs[mid].n - 1 < at)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static uint64_t
through_runs(const struct state_numbering_run *runs, size_t n, uint64_t at, bool ids)
{
	size_t i = find(runs, n, at, ids);

	if (i == n || start(&runs[i], ids) > at)
		return 0;
	return start(&runs[i], !ids) + (at - start(&runs[i], ids));
}

static uint64_t
base(const struct sync_numbers *m)
{
	return m->generation << STATE_NUMBERING_BITS;
}

uint64_t
sync_numbers_shown(const struct sync_numbers *m, uint64_t id)
{
	uint64_t shown = id == 0 ? 0 : through_runs(m->by_id, m->n, id, true);

	return id == 0 || shown != 0 ? shown : base(m) + id;
}

uint64_t
sync_numbers_id(const struct sync_numbers *m, uint64_t shown)
{
	uint64_t id = shown == 0 ? 0 : through_runs(m->by_shown, m->n, shown, false);

	if (shown == 0 || id != 0)
		return id;
	id = shown - base(m);
	/* An older generation's that is no more, or an item that is shown otherwise. */
	if (shown <= base(m) || (m->generation > 0 && id > UINT32_MAX) ||
		through_runs(m->by_id, m->n, id, true) != 0)
		return 0;
	return id;
}

/* What the runs say of first to last. */
static void
add_runs(const struct state_numbering_run *runs, size_t n, uint64_t first, uint64_t last, bool ids,
	struct mf_idset *out)
{
	for (size_t i = find(runs, n, first, ids); i < n && start(&runs[i], ids) <= last; i++) {
		uint64_t from = start(&runs[i], ids), to = from + runs[i].n - 1;
		uint64_t other = start(&runs[i], !ids);

		from = from > first ? from : first;
		to = to < last ? to : last;
		mf_idset_add_range(out, other + (from - start(&runs[i], ids)),
			other + (to - start(&runs[i], ids)));
	}
}

/* Without those ids that runs show. */
static void
subtract_runs(const struct sync_numbers *m, struct mf_idset *ids)
{
	struct mf_idset taken;

	mf_idset_init(&taken);
	for (size_t i = 0; i < m->n; i++)
		mf_idset_add_range(&taken, m->by_id[i].id, m->by_id[i].id + m->by_id[i].n - 1);
	mf_idset_subtract(ids, &taken);
	mf_idset_deinit(&taken);
}

void
sync_numbers_ids(const struct sync_numbers *m, const struct mf_idset *in, struct mf_idset *out)
{
	struct mf_idset plain;
	uint64_t low = base(m) + 1, high = m->generation > 0 ? base(m) + UINT32_MAX : UINT64_MAX;

	mf_idset_init(&plain);
	for (size_t i = 0; i < in->n; i++) {
		uint64_t first = in->ranges[i].first, last = in->ranges[i].last;

		add_runs(m->by_shown, m->n, first, last, false, out);
		first = first > low ? first : low;
		last = last < high ? last : high;
		if (first <= last)
			mf_idset_add_range(&plain, first - base(m), last - base(m));
	}
	subtract_runs(m, &plain);
	mf_idset_union(out, &plain);
	mf_idset_deinit(&plain);
}

void
sync_numbers_showns(const struct sync_numbers *m, const struct mf_idset *in, struct mf_idset *out)
{
	struct mf_idset plain;

	mf_idset_init(&plain);
	mf_idset_copy(&plain, in);
	subtract_runs(m, &plain);
	for (size_t i = 0; i < in->n; i++)
		add_runs(m->by_id, m->n, in->ranges[i].first, in->ranges[i].last, true, out);
	for (size_t i = 0; i < plain.n; i++) {
		uint64_t last = plain.ranges[i].last;

		if (last > UINT64_MAX - base(m))
			last = UINT64_MAX - base(m);
		mf_idset_add_range(out, base(m) + plain.ranges[i].first, base(m) + last);
	}
	mf_idset_deinit(&plain);
}
