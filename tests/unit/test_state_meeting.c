/* Requests of meetings that were told: found again, the newest of each, bounded. */
#include "state/meeting.h"
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

Test(state_meeting, found_again, .init = setup, .fini = teardown)
{
	static const struct state_meeting rows[] = {
		{ 1, 2, 50, 7, 2 },
		{ 1, 1, 90, 7, 4 }, /* an older sequence, late */
		{ 1, 2, 40, 8, 4 },
		{ 2, 0, -5, 9, 1 },
	};
	const struct state_meeting again = { 1, 2, 50, 7, 9 }, other = { 1, 2, 50, 8, 2 };
	struct state_meetings m;

	cr_assert_eq(state_meetings_load(st, user, a, &m, NULL), MF_OK);
	cr_assert_eq(m.n, 0);
	cr_assert_eq(state_meetings_save(st, user, rows, 4, NULL), MF_OK);
	cr_assert_eq(state_meetings_save(st, user, &again, 1, NULL), MF_OK);
	cr_assert_eq(state_meetings_load(st, user, a, &m, NULL), MF_OK);
	cr_assert_eq(m.n, 4);
	cr_assert_eq(state_meetings_find(&m, &again)->type, 2, "what was told stays");
	cr_assert_null(state_meetings_find(&m, &other));
	cr_assert_eq(state_meetings_newest(&m, 1)->stamp, 50);
	cr_assert_eq(state_meetings_newest(&m, 2)->stamp, -5);
	cr_assert_null(state_meetings_newest(&m, 3));
	cr_assert_not(state_meetings_add(&m, &again));
	cr_assert(state_meetings_add(&m, &other));
	cr_assert_eq(state_verify(st, NULL, NULL, NULL), MF_OK);
}

Test(state_meeting, the_oldest_are_forgotten, .init = setup, .fini = teardown)
{
	enum { MORE = STATE_MEETINGS_MAX + 3 };
	struct state_meeting *list = mf_new_array(a, struct state_meeting, MORE);
	struct state_meetings m;

	for (size_t i = 0; i < MORE; i++)
		list[i] = (struct state_meeting){ .name = i + 1, .stamp = 7 };
	cr_assert_eq(state_meetings_save(st, user, list, MORE, NULL), MF_OK);
	cr_assert_eq(state_meetings_load(st, user, a, &m, NULL), MF_OK);
	cr_assert_eq(m.n, STATE_MEETINGS_MAX);
	cr_assert_null(state_meetings_newest(&m, 3));
	cr_assert_not_null(state_meetings_newest(&m, 4));
	cr_assert_not_null(state_meetings_newest(&m, MORE));
	cr_assert_eq(state_verify(st, NULL, NULL, NULL), MF_OK);
}
