/* What a device holds: runs over a table of marks. Knows neither LMDB nor ActiveSync. */
#include "sync/held.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

static void *
grow(void *p, size_t *cap, size_t need, size_t size)
{
	size_t n = *cap == 0 ? 8 : *cap;

	if (need <= *cap)
		return p;
	while (n < need)
		n *= 2;
	p = realloc(p, n * size);
	if (p == NULL) {
		fputs("out of memory\n", stderr);
		abort();
	}
	*cap = n;
	return p;
}

void
sync_held_init(struct sync_held *h)
{
	memset(h, 0, sizeof(*h));
}

void
sync_held_clear(struct sync_held *h)
{
	for (size_t i = 0; i < h->n_marks; i++)
		free((char *)h->marks[i].keywords);
	h->n_marks = h->n_runs = 0;
}

void
sync_held_deinit(struct sync_held *h)
{
	sync_held_clear(h);
	free(h->marks);
	free(h->runs);
	sync_held_init(h);
}

uint32_t
sync_held_mark_of(struct sync_held *h, const struct sync_mark *m)
{
	char *keywords;

	for (size_t i = 0; i < h->n_marks; i++)
		if (h->marks[i].flags == m->flags && strcmp(h->marks[i].keywords, m->keywords) == 0)
			return (uint32_t)i;
	if (h->n_marks >= SYNC_MARKS_MAX && m->keywords[0] != '\0') {
		struct sync_mark plain = { .flags = m->flags, .keywords = "" };

		return sync_held_mark_of(h, &plain);
	}
	h->marks = grow(h->marks, &h->cap_marks, h->n_marks + 1, sizeof(*h->marks));
	keywords = strdup(m->keywords);
	if (keywords == NULL)
		abort();
	h->marks[h->n_marks] = (struct sync_mark){ .flags = m->flags, .keywords = keywords };
	return (uint32_t)h->n_marks++;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool
sync_is_category(const char *keyword, size_t len)
{
	return len > 0 && keyword[0] != '$' && keyword[0] != '\\' &&
	       !(len == 4 && str_ieqn(keyword, "junk", 4)) &&
	       !(len == 7 && str_ieqn(keyword, "nonjunk", 7));
}

uint32_t
sync_held_mark(struct sync_held *h, uint32_t flags, const char *const *keywords, size_t n)
{
	const char *sorted[64];
	char joined[SYNC_KEYWORDS_MAX + 1];
	struct sync_mark m = { .flags = flags & SYNC_VISIBLE, .keywords = joined };
	size_t len = 0, count = 0;

	for (size_t i = 0; i < n && count < sizeof(sorted) / sizeof(sorted[0]); i++)
		if (sync_is_category(keywords[i], strlen(keywords[i])))
			sorted[count++] = keywords[i];
	if (count > 1)
		qsort(sorted, count, sizeof(*sorted), compare);
	for (size_t i = 0; i < count; i++) {
		size_t more = strlen(sorted[i]);

		if (len + more + 1 > SYNC_KEYWORDS_MAX)
			continue;
		memcpy(joined + len, sorted[i], more);
		joined[len + more] = '\n';
		len += more + 1;
	}
	joined[len] = '\0';
	return sync_held_mark_of(h, &m);
}

/* The first run whose last id is >= id. */
static size_t
find(const struct sync_held *h, uint64_t id)
{
	size_t low = 0, high = h->n_runs;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (h->runs[mid].last < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct sync_mark *
sync_held_get(const struct sync_held *h, uint64_t id)
{
	size_t at = find(h, id);

	if (at == h->n_runs || h->runs[at].first > id)
		return NULL;
	return &h->marks[h->runs[at].mark];
}

/* The runs being built by sync_held_apply. */
struct build {
	struct sync_run *runs;
	size_t n, cap;
};

static inline void
append(struct build *b, uint64_t first, uint64_t last, uint32_t mark)
{
	struct sync_run *tail = b->n > 0 ? &b->runs[b->n - 1] : NULL;

	if (tail != NULL && tail->mark == mark && tail->last + 1 == first) {
		tail->last = last;
		return;
	}
	if (b->n == b->cap)
		b->runs = grow(b->runs, &b->cap, b->n + 1, sizeof(*b->runs));
	b->runs[b->n++] = (struct sync_run){ .first = first, .last = last, .mark = mark };
}

/* Copies what the runs hold of the ids from `from` to `to`; *at is the first run that may matter. */
static void
copy_between(struct build *b, const struct sync_held *h, size_t *at, uint64_t from, uint64_t to)
{
	for (; *at < h->n_runs && h->runs[*at].first <= to; (*at)++) {
		const struct sync_run *r = &h->runs[*at];
		uint64_t first = r->first > from ? r->first : from;
		uint64_t last = r->last < to ? r->last : to;

		if (first <= last)
			append(b, first, last, r->mark);
		if (r->last > to)
			return;
	}
}

/* The same of all ids from `from` on: behind the first run they stay as they are. */
static void
copy_rest(struct build *b, const struct sync_held *h, size_t at, uint64_t from)
{
	const struct sync_run *r;
	size_t n;

	while (at < h->n_runs && h->runs[at].last < from)
		at++;
	if (at == h->n_runs)
		return;
	r = &h->runs[at++];
	append(b, r->first > from ? r->first : from, r->last, r->mark);
	n = h->n_runs - at;
	if (n == 0)
		return;
	b->runs = grow(b->runs, &b->cap, b->n + n, sizeof(*b->runs));
	memcpy(b->runs + b->n, h->runs + at, n * sizeof(*b->runs));
	b->n += n;
}

void
sync_held_apply(struct sync_held *h, const struct sync_entry *entries, size_t n)
{
	struct build b = { 0 };
	uint64_t done = 0; /* ids up to here are settled */
	size_t at = 0;

	if (n == 0)
		return;
	for (size_t i = 0; i < n; i++) {
		assert(entries[i].id > done);
		copy_between(&b, h, &at, done + 1, entries[i].id - 1);
		if (!entries[i].remove)
			append(&b, entries[i].id, entries[i].id, entries[i].mark);
		done = entries[i].id;
	}
	copy_rest(&b, h, at, done + 1);
	free(h->runs);
	h->runs = b.runs;
	h->n_runs = b.n;
	h->cap_runs = b.cap;
}

void
sync_held_set(struct sync_held *h, uint64_t id, uint32_t mark)
{
	struct sync_entry e = { .id = id, .mark = mark };

	if (h->n_runs > 0 && h->runs[h->n_runs - 1].last < id) { /* at the end: no pass */
		struct build b = { h->runs, h->n_runs, h->cap_runs };

		append(&b, id, id, mark);
		h->runs = b.runs;
		h->n_runs = b.n;
		h->cap_runs = b.cap;
		return;
	}
	sync_held_apply(h, &e, 1);
}

void
sync_held_remove(struct sync_held *h, uint64_t id)
{
	struct sync_entry e = { .id = id, .remove = true };

	if (sync_held_get(h, id) != NULL)
		sync_held_apply(h, &e, 1);
}

void
sync_held_ids(const struct sync_held *h, struct mf_idset *out)
{
	for (size_t i = 0, end; i < h->n_runs;
		i = end) { /* neighbours differ in their marks only */
		for (end = i + 1;
			end < h->n_runs && h->runs[end].first == h->runs[end - 1].last + 1;)
			end++;
		mf_idset_add_range(out, h->runs[i].first, h->runs[end - 1].last);
	}
}

uint64_t
sync_held_count(const struct sync_held *h)
{
	uint64_t n = 0;

	for (size_t i = 0; i < h->n_runs; i++)
		n += h->runs[i].last - h->runs[i].first + 1;
	return n;
}

/* The place of each mark in the row: those in use first come, first served. NULL without marks. */
static uint32_t *
renumber(const struct sync_held *h, uint32_t *used)
{
	uint32_t *place = h->n_marks == 0 ? NULL : malloc(h->n_marks * sizeof(*place));

	*used = 0;
	if (place == NULL)
		return NULL;
	for (size_t i = 0; i < h->n_marks; i++)
		place[i] = UINT32_MAX;
	for (size_t i = 0; i < h->n_runs; i++)
		if (place[h->runs[i].mark] == UINT32_MAX)
			place[h->runs[i].mark] = (*used)++;
	return place;
}

static void
encode_marks(const struct sync_held *h, const uint32_t *place, uint32_t used, struct mf_buf *out)
{
	uint32_t next = 0;

	varint_put(out, used);
	for (size_t i = 0; next < used; i++) { /* in the order of first use */
		const struct sync_mark *m = &h->marks[h->runs[i].mark];

		if (place[h->runs[i].mark] != next)
			continue;
		varint_put(out, m->flags);
		varint_put_bytes(out, mf_bytes_str(m->keywords));
		next++;
	}
}

void
sync_held_encode(const struct sync_held *h, struct mf_buf *out)
{
	uint32_t used, *place = renumber(h, &used);
	uint64_t at = 0;

	encode_marks(h, place, used, out);
	varint_put(out, h->n_runs);
	for (size_t i = 0; i < h->n_runs; i++) {
		const struct sync_run *r = &h->runs[i];

		varint_put(out, r->first - at);
		varint_put(out, (r->last - r->first) * used + place[r->mark]);
		at = r->last;
	}
	free(place);
}

static void
decode_marks(struct sync_held *h, struct varint_reader *r)
{
	uint64_t n = varint_get_max(r, SYNC_MARKS_MAX * 2);

	for (uint64_t i = 0; i < n && !r->failed; i++) {
		char keywords[SYNC_KEYWORDS_MAX + 1];
		struct sync_mark m = { .keywords = keywords };
		struct mf_bytes b;

		m.flags = (uint32_t)varint_get_max(r, UINT32_MAX);
		b = varint_get_bytes(r);
		if (b.len > SYNC_KEYWORDS_MAX)
			r->failed = true;
		if (r->failed)
			return;
		if (b.len > 0)
			memcpy(keywords, b.data, b.len);
		keywords[b.len] = '\0';
		if (sync_held_mark_of(h, &m) != i)
			r->failed = true;
	}
}

void
sync_held_decode(struct sync_held *h, struct varint_reader *r)
{
	struct build b = { 0 };
	uint64_t n, at = 0;

	sync_held_clear(h);
	decode_marks(h, r);
	n = varint_get(r);
	if (n > (uint64_t)(r->end - r->at) || (n > 0 && h->n_marks == 0))
		r->failed = true;
	if (!r->failed)
		b.runs = grow(b.runs, &b.cap, (size_t)n, sizeof(*b.runs));
	for (uint64_t i = 0; i < n && !r->failed; i++) {
		uint64_t gap = varint_get(r), packed = varint_get(r);
		uint64_t run = packed / h->n_marks;

		if (r->failed || gap == 0 || gap > UINT64_MAX - at || run > UINT64_MAX - at - gap) {
			r->failed = true;
			break;
		}
		append(&b, at + gap, at + gap + run, (uint32_t)(packed % h->n_marks));
		at += gap + run;
	}
	free(h->runs);
	h->runs = b.runs;
	h->n_runs = b.n;
	h->cap_runs = b.cap;
}
