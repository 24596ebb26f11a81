/* Numbers over generations of ids, and what items are recognised by: kept, replaced, one writer wins. */
#include "state/collection.h"
#include "state/numbering.h"
#include "state/user.h"
#include "state_help.h"

static struct state *st;
static struct mf_arena *a;
static const char *directory;
static uint32_t user;

static void
setup(void)
{
	directory = state_help_directory();
	st = state_help_open_at(directory, 0);
	a = mf_arena_new();
	cr_assert_eq(state_user_number(st, STATE_SYNC, "anna", &user, NULL), MF_OK);
}

static void
teardown(void)
{
	mf_arena_free(a);
	state_close(st);
	state_help_remove(directory);
}

static enum mf_status
save(uint64_t generation, const struct state_numbering_run *runs, size_t n,
	const struct state_identity *left, size_t n_left)
{
	const struct state_numbering s = { .folder = 3,
		.generation = generation,
		.cursor = mf_bytes_str("cursor"),
		.runs = runs,
		.n = n };

	return state_numbering_save(st, user, &s, left, n_left, NULL);
}

static size_t
identities(struct state_identity **out)
{
	size_t n;

	cr_assert_eq(state_identities_load(st, user, 3, a, out, &n, NULL), MF_OK);
	return n;
}

Test(state_numbering, generations, .init = setup, .fini = teardown)
{
	static const struct state_numbering_run runs[] = { { 1, 1, 4 }, { 7, 5, 1 },
		{ 1ULL << 32 | 9, 6, 2 } };
	static const struct state_identity left[] = { { 1, 11 }, { 7, 12 }, { 200, 13 } };
	struct state_numbering s, *all;
	struct state_identity *found;
	size_t n;

	cr_assert_eq(state_numbering_load(st, user, 3, a, &s, NULL), MF_GONE);
	cr_assert_eq(save(0, NULL, 0, NULL, 0), MF_OK);
	cr_assert_eq(save(0, NULL, 0, NULL, 0), MF_RESYNC, "somebody was faster");
	cr_assert_eq(state_numberings_load(st, user, a, &all, &n, NULL), MF_OK);
	cr_assert_eq(n, 0, "the first generation needs no numbers");
	cr_assert_eq(save(2, runs, 3, left, 3), MF_RESYNC, "none is left out");
	cr_assert_eq(save(1, runs, 3, left, 3), MF_OK);
	cr_assert_eq(save(1, runs, 3, left, 3), MF_RESYNC);
	cr_assert_eq(state_numberings_load(st, user, a, &all, &n, NULL), MF_OK);
	cr_assert_eq(n, 1);
	cr_assert_eq(all[0].folder, 3);
	cr_assert_eq(all[0].generation, 1);
	cr_assert_eq(all[0].n, 3);
	cr_assert_eq(memcmp(all[0].runs, runs, sizeof(runs)), 0);
	cr_assert_eq(identities(&found), 3);
	cr_assert_eq(memcmp(found, left, sizeof(left)), 0);
	cr_assert_eq(save(2, NULL, 0, left, 1), MF_OK);
	cr_assert_eq(identities(&found), 1, "they replace the others");
	cr_assert_eq(state_verify(st, NULL, NULL, NULL), MF_OK);
}

Test(state_numbering, without_a_first_one, .init = setup, .fini = teardown)
{
	cr_assert_eq(save(1, NULL, 0, NULL, 0), MF_OK, "ids of before are not known");
	cr_assert_eq(save(2, NULL, 0, NULL, 0), MF_OK);
}

Test(state_numbering, broken_rows_are_found, .init = setup, .fini = teardown)
{
	static const struct state_numbering_run runs[] = { { UINT64_MAX - 1, 5, 2 } };

	cr_assert_eq(save(1, runs, 1, NULL, 0), MF_OK);
	struct state_numbering s;
	enum mf_status status = state_numbering_load(st, user, 3, a, &s, NULL);
	cr_assert(status == MF_OK || status == MF_BROKEN);
}
