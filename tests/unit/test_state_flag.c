/* Details of follow-up flags: kept, bounded, of flags and of verbs apart. */
#include "state/flag.h"
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

static struct mf_bytes
find(uint32_t folder, uint64_t id)
{
	struct state_flags f;

	cr_assert_eq(state_flags_load(st, user, folder, a, &f, NULL), MF_OK);
	return state_flag_find(&f, id);
}

static void
save(uint32_t folder, uint64_t id, struct mf_bytes details)
{
	const struct state_flag f = { .id = id, .details = details };

	cr_assert_eq(state_flags_save(st, user, folder, &f, 1, NULL), MF_OK);
}

Test(state_flag, kept_replaced_forgotten, .init = setup, .fini = teardown)
{
	cr_assert_eq(find(1, 5).len, 0);
	save(1, 5, mf_bytes_str("one"));
	save(1, 6, mf_bytes_str("two"));
	cr_assert_eq(memcmp(find(1, 5).data, "one", 3), 0);
	save(1, 5, mf_bytes_str("three"));
	cr_assert_eq(memcmp(find(1, 5).data, "three", 5), 0);
	cr_assert_eq(memcmp(find(1, 6).data, "two", 3), 0);
	cr_assert_eq(find(2, 5).len, 0, "another folder");
	save(1, 5, mf_bytes(NULL, 0));
	cr_assert_eq(find(1, 5).len, 0);
	cr_assert_eq(state_verify(st, NULL, NULL, NULL), MF_OK);
}

Test(state_flag, verbs_are_others, .init = setup, .fini = teardown)
{
	const struct state_flag verb = { .id = 5, .details = mf_bytes_str("reply") };
	struct state_flags f;

	save(1, 5, mf_bytes_str("flag"));
	cr_assert_eq(state_verbs_save(st, user, 1, &verb, 1, NULL), MF_OK);
	cr_assert_eq(find(1, 5).len, 4);
	cr_assert_eq(state_verbs_load(st, user, 1, a, &f, NULL), MF_OK);
	cr_assert_eq(state_flag_find(&f, 5).len, 5);
	cr_assert_eq(state_verify(st, NULL, NULL, NULL), MF_OK);
}

Test(state_flag, bounded, .init = setup, .fini = teardown)
{
	struct state_flag list[STATE_FLAGS_MAX + 1];
	static uint8_t large[STATE_FLAG_BYTES + 1];

	for (size_t i = 0; i < STATE_FLAGS_MAX + 1; i++)
		list[i] = (struct state_flag){ .id = i + 1, .details = mf_bytes_str("x") };
	cr_assert_eq(state_flags_save(st, user, 1, list, STATE_FLAGS_MAX + 1, NULL), MF_OK);
	cr_assert_eq(find(1, 1).len, 0, "the oldest");
	cr_assert_eq(find(1, 2).len, 1);
	cr_assert_eq(find(1, STATE_FLAGS_MAX + 1).len, 1);
	save(1, 2, mf_bytes(large, sizeof(large)));
	cr_assert_eq(find(1, 2).len, 0, "too large to keep");
}

Test(state_flag, goes_with_its_item, .init = setup, .fini = teardown)
{
	static const struct state_flag_move moves[] = { { 5, 50 }, { 6, 0 }, { 7, 70 } };
	const struct state_flag verb = { .id = 7, .details = mf_bytes_str("verb") };
	struct state_flags f;

	save(1, 5, mf_bytes_str("five"));
	save(1, 6, mf_bytes_str("six"));
	save(1, 8, mf_bytes_str("eight"));
	save(2, 50, mf_bytes_str("of something that was there before"));
	cr_assert_eq(state_verbs_save(st, user, 1, &verb, 1, NULL), MF_OK);
	cr_assert_eq(state_flags_move(st, user, 1, 2, moves, 3, NULL), MF_OK);
	cr_assert_eq(find(1, 5).len, 0);
	cr_assert_eq(memcmp(find(2, 50).data, "five", 4), 0);
	cr_assert_eq(find(1, 6).len, 3, "nobody knows where it is");
	cr_assert_eq(find(1, 8).len, 5);
	cr_assert_eq(find(2, 70).len, 0);
	cr_assert_eq(state_verbs_load(st, user, 2, a, &f, NULL), MF_OK);
	cr_assert_eq(state_flag_find(&f, 70).len, 4);
	cr_assert_eq(state_verbs_load(st, user, 1, a, &f, NULL), MF_OK);
	cr_assert_eq(f.n, 0);
	/* A second time nothing is there to go. */
	cr_assert_eq(state_flags_move(st, user, 1, 2, moves, 3, NULL), MF_OK);
	cr_assert_eq(find(2, 50).len, 4);
	cr_assert_eq(state_verify(st, NULL, NULL, NULL), MF_OK);
}
