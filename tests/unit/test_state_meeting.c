/* The newest requests of meetings: taken in in any order, bounded, kept. */
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

Test(state_meeting, taken_in_in_any_order, .init = setup, .fini = teardown)
{
	static const struct {
		struct state_meeting_request in;
		bool new;
		struct state_meeting after;
	} rows[] = {
		{ { 1, 2, 50 }, true, { 1, 2, 50, 50 } },
		{ { 1, 2, 50 }, false, { 1, 2, 50, 50 } },
		{ { 1, 1, 90 }, false, { 1, 2, 50, 50 } }, /* an older sequence, late */
		{ { 1, 2, 40 }, true, { 1, 2, 40, 50 } },
		{ { 1, 2, 60 }, true, { 1, 2, 40, 60 } },
		{ { 1, 3, 30 }, true, { 1, 3, 30, 30 } },
		{ { 2, 0, -5 }, true, { 2, 0, -5, -5 } },
	};
	struct state_meetings m;

	cr_assert_eq(state_meetings_load(st, user, a, &m, NULL), MF_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct state_meeting *found;

		cr_assert_eq(state_meetings_take(&m, &rows[i].in), rows[i].new, "row %zu", i);
		cr_assert_eq(state_meetings_save(st, user, &rows[i].in, 1, NULL), MF_OK);
		found = state_meetings_find(&m, rows[i].in.name);
		cr_assert(found != NULL && memcmp(found, &rows[i].after, sizeof(*found)) == 0,
			"row %zu", i);
		cr_assert_eq(state_meetings_load(st, user, a, &m, NULL), MF_OK);
		found = state_meetings_find(&m, rows[i].in.name);
		cr_assert(found != NULL && found->sequence == rows[i].after.sequence &&
				  found->first == rows[i].after.first &&
				  found->last == rows[i].after.last,
			"row %zu, stored", i);
	}
	cr_assert_null(state_meetings_find(&m, 3));
	cr_assert_eq(state_verify(st, NULL, NULL, NULL), MF_OK);
}

Test(state_meeting, the_oldest_are_forgotten, .init = setup, .fini = teardown)
{
	enum { MORE = STATE_MEETINGS_MAX + 3 };
	struct state_meeting_request *list = mf_new_array(a, struct state_meeting_request, MORE);
	struct state_meetings m;

	for (size_t i = 0; i < MORE; i++)
		list[i] = (struct state_meeting_request){ .name = i + 1, .stamp = 7 };
	cr_assert_eq(state_meetings_save(st, user, list, MORE, NULL), MF_OK);
	cr_assert_eq(state_meetings_load(st, user, a, &m, NULL), MF_OK);
	cr_assert_eq(m.n, STATE_MEETINGS_MAX);
	cr_assert_null(state_meetings_find(&m, 3));
	cr_assert_not_null(state_meetings_find(&m, 4));
	cr_assert_not_null(state_meetings_find(&m, MORE));
	cr_assert_eq(state_verify(st, NULL, NULL, NULL), MF_OK);
}
