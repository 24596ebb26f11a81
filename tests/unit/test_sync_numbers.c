/* Numbers that phones know to ids of the backend, and back. */
#include <criterion/criterion.h>

#include "sync/identity.h"
#include "sync/numbers.h"

#define G(n, id) ((uint64_t)(n) << 32 | (id))

/* The second generation: 5 was 2, 6 to 8 were 10 to 12, and 1 was the first generation's new 4. */
static const struct state_numbering_run runs[] = { { 2, 5, 1 }, { 10, 6, 3 }, { G(1, 4), 1, 1 } };
static const struct state_numbering second = { .generation = 2, .runs = runs, .n = 3 };

static const struct {
	uint64_t shown, id;
} pairs[] = { { 2, 5 }, { 10, 6 }, { 11, 7 }, { 12, 8 }, { G(1, 4), 1 }, { G(2, 2), 2 },
	{ G(2, 9), 9 }, { G(2, UINT32_MAX), UINT32_MAX } };

/* Numbers of items that are no more, or have another. */
static const uint64_t nobody[] = { 0, 1, 3, 9, 13, G(1, 3), G(1, 5), G(2, 0), G(2, 1), G(2, 5),
	G(2, 8), G(3, 1), UINT64_MAX };

static struct mf_arena *a;
static struct sync_numbers m;

static void
setup(void)
{
	a = mf_arena_new();
	sync_numbers_init(&m, &second, a);
}

static void
teardown(void)
{
	mf_arena_free(a);
}

Test(sync_numbers, one_by_one, .init = setup, .fini = teardown)
{
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		cr_assert_eq(sync_numbers_id(&m, pairs[i].shown), pairs[i].id, "%zu", i);
		cr_assert_eq(sync_numbers_shown(&m, pairs[i].id), pairs[i].shown, "%zu", i);
	}
	for (size_t i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++)
		cr_assert_eq(sync_numbers_id(&m, nobody[i]), 0, "%zu", i);
}

Test(sync_numbers, sets, .init = setup, .fini = teardown)
{
	struct mf_idset in, out, back;

	mf_idset_init(&in);
	mf_idset_init(&out);
	mf_idset_init(&back);
	mf_idset_add_range(&in, 1, 9);
	sync_numbers_showns(&m, &in, &out);
	for (uint64_t id = 1; id <= 9; id++)
		cr_assert(mf_idset_has(&out, sync_numbers_shown(&m, id)), "%d", (int)id);
	cr_assert_eq(mf_idset_count(&out), 9);
	sync_numbers_ids(&m, &out, &back);
	cr_assert_eq(mf_idset_count(&back), 9);
	for (uint64_t id = 1; id <= 9; id++)
		cr_assert(mf_idset_has(&back, id), "%d", (int)id);
	mf_idset_clear(&in);
	mf_idset_clear(&back);
	for (size_t i = 1; i < sizeof(nobody) / sizeof(nobody[0]); i++)
		mf_idset_add(&in, nobody[i]);
	sync_numbers_ids(&m, &in, &back);
	cr_assert_eq(back.n, 0, "nobody's numbers");
	mf_idset_clear(&in);
	mf_idset_clear(&back);
	mf_idset_add_range(&in, 1, UINT64_MAX);
	sync_numbers_ids(&m, &in, &back);
	cr_assert_eq(mf_idset_count(&back), UINT32_MAX, "all ids there can be");
	mf_idset_clear(&out);
	sync_numbers_showns(&m, &in, &out);
	cr_assert(mf_idset_has(&out, 2) && mf_idset_has(&out, G(2, 9)) && !mf_idset_has(&out, 1));
	mf_idset_deinit(&in);
	mf_idset_deinit(&out);
	mf_idset_deinit(&back);
}

Test(sync_numbers, the_first_generation_is_as_it_is)
{
	const struct state_numbering first = { .generation = 0 };
	struct sync_numbers plain;
	struct mf_arena *own = mf_arena_new();

	sync_numbers_init(&plain, &first, own);
	cr_assert_eq(sync_numbers_id(&plain, 17), 17);
	cr_assert_eq(sync_numbers_shown(&plain, UINT64_MAX), UINT64_MAX);
	cr_assert_eq(sync_numbers_shown(&plain, 0), 0);
	mf_arena_free(own);
}

static uint64_t
identity(const char *header, uint64_t size, int64_t date, const char *name)
{
	struct mf_item item = { .header = mf_bytes_str(header),
		.size = size,
		.date = date,
		.have = name == NULL ? 0 : MF_WANT_THREAD,
		.identity = name };

	return sync_identity(&item);
}

/* What makes an item the same, and what does not. */
Test(sync_numbers, identities)
{
	static const char plain[] = "From: a\r\nMessage-ID: <x@y>\r\nSubject: s\r\n\r\n";
	static const char folded[] = "message-id:\n  <x@y>\n\n";
	uint64_t x = identity(plain, 5, 7, NULL);

	cr_assert_neq(x, 0);
	cr_assert_eq(
		identity(folded, 5, 7, NULL), x, "whatever else is fetched, folded, in any case");
	cr_assert_eq(identity(plain, 5, 7, "M1"), x, "the server's name does not count");
	cr_assert_neq(identity(plain, 6, 7, NULL), x);
	cr_assert_neq(identity(plain, 5, 8, NULL), x);
	cr_assert_neq(identity("Message-ID: <x@z>\n\n", 5, 7, NULL), x);
	cr_assert_neq(identity("Subject: Message-ID: <x@y>\n\n", 5, 7, NULL), x);
	cr_assert_neq(identity("Subject: s\n\n", 5, 7, NULL), 0, "a nameless one");
	cr_assert_neq(
		identity("Subject: s\n\n", 5, 7, NULL), identity("Subject: t\n\n", 5, 7, NULL));
	cr_assert_eq(identity("X-Other: s\n\n", 5, 7, NULL), 0);
	cr_assert_eq(identity("", 5, 7, NULL), 0);
	cr_assert_eq(identity("Message-ID", 5, 7, NULL), 0);
	cr_assert_eq(identity("Message-ID: <x@y", 5, 7, NULL), 0);
	cr_assert_eq(identity("Message-ID: <>\n\n", 5, 7, ""), 0);
	cr_assert_neq(identity("\n", 5, 7, "M1"), 0);
	cr_assert_neq(identity("\n", 5, 7, "M1"), identity("\n", 5, 7, "M2"));
}
