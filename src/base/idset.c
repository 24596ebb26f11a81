/* Sets of ids as ranges. Knows no protocol but the text form of a sequence set. */
#include "mailferry/idset.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/varint.h"

void
mf_idset_init(struct mf_idset *s)
{
	memset(s, 0, sizeof(*s));
}

void
mf_idset_deinit(struct mf_idset *s)
{
	free(s->ranges);
	mf_idset_init(s);
}

void
mf_idset_clear(struct mf_idset *s)
{
	s->n = 0;
}

static void
need(struct mf_idset *s, size_t n)
{
	struct mf_idrange *ranges;
	size_t cap = s->cap == 0 ? 8 : s->cap;

	if (n <= s->cap)
		return;
	while (cap < n)
		cap *= 2;
	ranges = realloc(s->ranges, cap * sizeof(*ranges));
	if (ranges == NULL) {
		fputs("out of memory\n", stderr);
		abort();
	}
	s->ranges = ranges;
	s->cap = cap;
}

void
mf_idset_copy(struct mf_idset *to, const struct mf_idset *from)
{
	need(to, from->n);
	if (from->n > 0)
		memcpy(to->ranges, from->ranges, from->n * sizeof(*from->ranges));
	to->n = from->n;
}

/* The index of the first range whose last id is >= id; n when there is none. */
static size_t
find(const struct mf_idset *s, uint64_t id)
{
	size_t low = 0, high = s->n;

	if (s->n > 0 && s->ranges[s->n - 1].last < id)
		return s->n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (s->ranges[mid].last < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Replaces the ranges [at, end) by count new ones. */
static void
splice(struct mf_idset *s, size_t at, size_t end, const struct mf_idrange *with, size_t count)
{
	size_t tail = s->n - end;

	need(s, at + count + tail);
	if (tail > 0)
		memmove(s->ranges + at + count, s->ranges + end, tail * sizeof(*s->ranges));
	if (count > 0)
		memcpy(s->ranges + at, with, count * sizeof(*with));
	s->n = at + count + tail;
}

void
mf_idset_add_range(struct mf_idset *s, uint64_t first, uint64_t last)
{
	struct mf_idrange r = { first, last };
	size_t at, end;

	assert(first > 0 && first <= last);
	at = find(s, first - 1); /* a neighbour joins too */
	for (end = at; end < s->n; end++) {
		if (last != UINT64_MAX && s->ranges[end].first > last + 1)
			break;
		if (s->ranges[end].first < r.first)
			r.first = s->ranges[end].first;
		if (s->ranges[end].last > r.last)
			r.last = s->ranges[end].last;
	}
	splice(s, at, end, &r, 1);
}

void
mf_idset_add(struct mf_idset *s, uint64_t id)
{
	mf_idset_add_range(s, id, id);
}

void
mf_idset_remove_range(struct mf_idset *s, uint64_t first, uint64_t last)
{
	struct mf_idrange rest[2];
	size_t at, end, count = 0;

	assert(first > 0 && first <= last);
	at = find(s, first);
	for (end = at; end < s->n && s->ranges[end].first <= last; end++) {
		if (s->ranges[end].first < first)
			rest[count++] = (struct mf_idrange){ s->ranges[end].first, first - 1 };
		if (s->ranges[end].last > last)
			rest[count++] = (struct mf_idrange){ last + 1, s->ranges[end].last };
	}
	splice(s, at, end, rest, count);
}

void
mf_idset_remove(struct mf_idset *s, uint64_t id)
{
	mf_idset_remove_range(s, id, id);
}

void
mf_idset_union(struct mf_idset *s, const struct mf_idset *other)
{
	struct mf_idset all;
	size_t i = 0, j = 0;

	if (other->n == 0)
		return;
	mf_idset_init(&all);
	need(&all, s->n + other->n);
	while (i < s->n || j < other->n) {
		bool mine =
			j == other->n || (i < s->n && s->ranges[i].first <= other->ranges[j].first);
		struct mf_idrange r = mine ? s->ranges[i++] : other->ranges[j++];

		mf_idset_add_range(&all, r.first, r.last);
	}
	mf_idset_deinit(s);
	*s = all;
}

/* Both walk the two sets once: keep is what of s lies outside (subtract) or inside (intersect). */
void
mf_idset_subtract(struct mf_idset *s, const struct mf_idset *other)
{
	struct mf_idset kept;
	size_t j = 0;

	if (other->n == 0)
		return;
	mf_idset_init(&kept);
	for (size_t i = 0; i < s->n; i++) {
		uint64_t first = s->ranges[i].first, last = s->ranges[i].last;
		bool rest = true;

		while (j < other->n && other->ranges[j].last < first)
			j++;
		for (size_t k = j; rest && k < other->n && other->ranges[k].first <= last; k++) {
			if (other->ranges[k].first > first)
				mf_idset_add_range(&kept, first, other->ranges[k].first - 1);
			rest = other->ranges[k].last < last;
			first = other->ranges[k].last + 1;
		}
		if (rest)
			mf_idset_add_range(&kept, first, last);
	}
	mf_idset_deinit(s);
	*s = kept;
}

void
mf_idset_intersect(struct mf_idset *s, const struct mf_idset *other)
{
	struct mf_idset kept;
	size_t i = 0, j = 0;

	mf_idset_init(&kept);
	while (i < s->n && j < other->n) {
		const struct mf_idrange *a = &s->ranges[i], *b = &other->ranges[j];
		uint64_t first = a->first > b->first ? a->first : b->first;
		uint64_t last = a->last < b->last ? a->last : b->last;

		if (first <= last)
			mf_idset_add_range(&kept, first, last);
		if (a->last < b->last)
			i++;
		else
			j++;
	}
	mf_idset_deinit(s);
	*s = kept;
}

bool
mf_idset_has(const struct mf_idset *s, uint64_t id)
{
	size_t at = find(s, id);

	return at < s->n && s->ranges[at].first <= id;
}

uint64_t
mf_idset_count(const struct mf_idset *s)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += s->ranges[i].last - s->ranges[i].first + 1;
	return n;
}

uint64_t
mf_idset_max(const struct mf_idset *s)
{
	return s->n == 0 ? 0 : s->ranges[s->n - 1].last;
}

uint64_t
mf_idset_prev(const struct mf_idset *s, uint64_t below)
{
	size_t at = find(s, below);

	if (at < s->n && s->ranges[at].first < below)
		return below - 1;
	return at == 0 ? 0 : s->ranges[at - 1].last;
}

uint64_t
mf_idset_next(const struct mf_idset *s, uint64_t above)
{
	size_t at;

	if (above == UINT64_MAX)
		return 0;
	at = find(s, above + 1);
	if (at == s->n)
		return 0;
	return s->ranges[at].first > above ? s->ranges[at].first : above + 1;
}

void
mf_idset_print(const struct mf_idset *s, struct mf_buf *out)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct mf_idrange *r = &s->ranges[i];

		mf_buf_printf(out, "%s%llu", i == 0 ? "" : ",", (unsigned long long)r->first);
		if (r->last > r->first)
			mf_buf_printf(out, ":%llu", (unsigned long long)r->last);
	}
}

static bool
number(const char **p, const char *end, uint64_t *out)
{
	uint64_t n = 0;
	const char *start = *p;

	for (; *p < end && **p >= '0' && **p <= '9'; (*p)++) {
		if (n > (UINT64_MAX - 9) / 10)
			return false;
		n = n * 10 + (uint64_t)(**p - '0');
	}
	*out = n;
	return *p > start && n > 0;
}

bool
mf_idset_parse(struct mf_idset *s, const char *text, size_t len, size_t max_ranges)
{
	const char *p = text, *end = text + len;

	mf_idset_clear(s);
	for (size_t count = 0; p < end; count++) {
		uint64_t first, last;

		if (count == max_ranges || !number(&p, end, &first))
			return false;
		last = first;
		if (p < end && *p == ':' && (p++, !number(&p, end, &last)))
			return false;
		mf_idset_add_range(s, first < last ? first : last, first < last ? last : first);
		if (p < end && (*p++ != ',' || p == end))
			return false;
	}
	return true;
}

void
mf_idset_encode(const struct mf_idset *s, struct mf_buf *out)
{
	uint64_t at = 0;

	varint_put(out, s->n);
	for (size_t i = 0; i < s->n; i++) {
		varint_put(out, s->ranges[i].first - at);
		varint_put(out, s->ranges[i].last - s->ranges[i].first);
		at = s->ranges[i].last;
	}
}

size_t
mf_idset_decode(struct mf_idset *s, const uint8_t *data, size_t len)
{
	struct varint_reader r;
	uint64_t n, at = 0;

	mf_idset_clear(s);
	varint_reader_init(&r, mf_bytes(data, len));
	n = varint_get_max(&r, len);
	for (uint64_t i = 0; i < n && !r.failed; i++) {
		uint64_t gap = varint_get(&r), run = varint_get(&r);

		if (r.failed || gap == 0 || gap > UINT64_MAX - at || run > UINT64_MAX - at - gap)
			return 0;
		mf_idset_add_range(s, at + gap, at + gap + run);
		at += gap + run;
	}
	return r.failed ? 0 : (size_t)(r.at - data);
}
