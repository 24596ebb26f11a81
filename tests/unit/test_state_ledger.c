/* The ledger of sent mail: its steps, tries with other ClientIds, its life. */
#include <string.h>

#include "base/clock.h"
#include "state/ledger.h"
#include "state/user.h"
#include "state_help.h"

static struct state *st;
static const char *directory;
static uint32_t user;

static void
setup(void)
{
	directory = state_help_directory();
	st = state_help_open_at(directory, 0);
	cr_assert_eq(state_user_number(st, STATE_RECORDS, "anna", &user, NULL), MF_OK);
}

static void
teardown(void)
{
	state_help_verify(st);
	state_close(st);
	state_help_remove(directory);
}

static struct ledger_entry
begin(char mail, const char *client_id, bool hold)
{
	struct ledger_entry e = { .device = "D", .client_id = client_id };

	memset(e.name, mail, sizeof(e.name));
	cr_assert_eq(state_ledger_begin(st, user, &e, hold, NULL), MF_OK);
	return e;
}

static void
step(struct ledger_entry *e, enum ledger_step to)
{
	cr_assert_eq(state_ledger_step(st, user, e, to, NULL), MF_OK);
}

Test(state_ledger, every_step_is_found_again, .init = setup, .fini = teardown)
{
	static const struct {
		enum ledger_step left, found, found_then;
		bool hold;
	} rows[] = {
		{ LEDGER_NONE, LEDGER_NONE, LEDGER_STARTED, false },
		{ LEDGER_STARTED, LEDGER_STARTED, LEDGER_STARTED, false },
		{ LEDGER_ENDING, LEDGER_ENDING, LEDGER_STARTED, false },
		{ LEDGER_ENDING, LEDGER_ENDING, LEDGER_ENDING, true },
		{ LEDGER_SENT, LEDGER_SENT, LEDGER_SENT, false },
		{ LEDGER_DONE, LEDGER_DONE, LEDGER_DONE, false },
		{ LEDGER_HELD, LEDGER_HELD, LEDGER_HELD, true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct ledger_entry e = begin((char)('a' + i), "", rows[i].hold), again;

		cr_assert_eq(e.step, LEDGER_NONE, "row %zu: new", i);
		step(&e, rows[i].left);
		state_close(st);
		st = state_help_open(directory);
		again = begin((char)('a' + i), "", rows[i].hold);
		cr_assert_eq(again.step, rows[i].found, "row %zu", i);
		again = begin((char)('a' + i), "", rows[i].hold);
		cr_assert_eq(again.step, rows[i].found_then, "row %zu, once more", i);
	}
}

Test(state_ledger, client_ids, .init = setup, .fini = teardown)
{
	struct ledger_entry e = begin('a', "one", false), again;

	cr_assert(!e.same_client && !e.other_mail);
	again = begin('b', "one", false);
	cr_assert(!again.other_mail, "the first never left: it may come again changed");
	e = begin('a', "one", false);
	step(&e, LEDGER_DONE);
	again = begin('a', "one", false);
	cr_assert(again.same_client && !again.other_mail && again.step == LEDGER_DONE);
	again = begin('c', "one", false);
	cr_assert(again.same_client && again.other_mail, "used for another mail that was sent");
	again = begin('a', "two", false);
	cr_assert(!again.same_client && again.step == LEDGER_DONE, "the mail is known by itself");
	cr_assert_eq(again.first, e.first);
}

Test(state_ledger, life, .init = setup, .fini = teardown)
{
	struct ledger_entry e = begin('a', "one", false);
	uint64_t removed;

	step(&e, LEDGER_DONE);
	clock_skip(STATE_LEDGER_LIFE - 100);
	e = begin('a', "one", false);
	cr_assert(e.step == LEDGER_DONE && e.same_client, "known for all its life");
	cr_assert_eq(state_ledger_collect(st, user, &removed, NULL), MF_OK);
	cr_assert_eq(removed, 0);
	clock_skip(2 * STATE_LEDGER_LIFE);
	cr_assert_eq(begin('b', "", false).step, LEDGER_NONE);
	cr_assert_eq(state_ledger_collect(st, user, &removed, NULL), MF_OK);
	cr_assert_eq(removed, 2, "the mail and its try, not the new one");
	cr_assert_eq(begin('a', "one", false).step, LEDGER_NONE);
}
