/* The ledger of sent mail: its steps, tries with other ClientIds, its life. */
#include <string.h>

#include "base/clock.h"
#include "state/ledger.h"
#include "state/user.h"
#include "state_help.h"

static struct state *st;
static const char *directory;
static uint32_t user;
static struct mf_arena *arena;

static void
setup(void)
{
	arena = mf_arena_new();
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
	mf_arena_free(arena);
}

static struct ledger_entry
begin(char mail, const char *client_id)
{
	struct ledger_entry e = { .device = "D", .client_id = client_id };

	memset(e.name, mail, sizeof(e.name));
	cr_assert_eq(state_ledger_begin(st, user, arena, &e, NULL), MF_OK);
	return e;
}

static void
step(struct ledger_entry *e, enum ledger_step to)
{
	cr_assert_eq(state_ledger_step(st, user, e, to, NULL), MF_OK);
}

Test(state_ledger, every_step_is_found_again, .init = setup, .fini = teardown)
{
	static const enum ledger_step steps[] = { LEDGER_NONE, LEDGER_ENDING, LEDGER_SENT,
		LEDGER_DONE, LEDGER_HELD };

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		struct ledger_entry e = begin((char)('a' + i), "one"), again;

		cr_assert_eq(e.step, LEDGER_NONE, "step %d: new", steps[i]);
		e.note = mf_bytes_str("tell");
		step(&e, LEDGER_ENDING);
		step(&e, steps[i]);
		state_close(st);
		st = state_help_open(directory);
		for (int n = 0; n < 2; n++) {
			again = begin((char)('a' + i), "");
			cr_assert_eq(again.step, steps[i], "step %d", steps[i]);
			cr_assert_eq(again.note.len, steps[i] == LEDGER_SENT ? 4 : 0,
				"the note goes with what is sent and not done");
		}
		cr_assert_eq(begin((char)('a' + i), "one").same_client, steps[i] != LEDGER_NONE,
			"step %d", steps[i]);
		step(&again, LEDGER_NONE);
		step(&e, LEDGER_NONE);
	}
}

Test(state_ledger, client_ids, .init = setup, .fini = teardown)
{
	struct ledger_entry e = begin('a', "one"), again;

	cr_assert(!e.same_client && !e.other_mail);
	step(&e, LEDGER_ENDING);
	again = begin('b', "one");
	cr_assert(!again.other_mail, "the first never left: it may come again changed");
	e = begin('a', "one");
	step(&e, LEDGER_DONE);
	again = begin('a', "one");
	cr_assert(again.same_client && !again.other_mail && again.step == LEDGER_DONE);
	again = begin('c', "one");
	cr_assert(again.same_client && again.other_mail, "used for another mail that was sent");
	clock_skip(STATE_LEDGER_CLIENT_LIFE + 10);
	again = begin('c', "one");
	cr_assert(!again.same_client && !again.other_mail, "the phone counts from one again");
	again = begin('a', "one");
	cr_assert(again.same_client && again.step == LEDGER_DONE, "the mail itself stays known");
	struct ledger_entry own = { .device = "D", .client_id = "one", .own_id = true };
	memset(own.name, 'c', sizeof(own.name));
	cr_assert_eq(state_ledger_begin(st, user, arena, &own, NULL), MF_OK);
	cr_assert(own.other_mail, "ours never begin anew");
	again = begin('a', "two");
	cr_assert(!again.same_client && again.step == LEDGER_DONE, "the mail is known by itself");
	cr_assert_eq(again.first, e.first);
	cr_assert(begin('a', "two").same_client, "and so is the new ClientId then");
}

Test(state_ledger, life, .init = setup, .fini = teardown)
{
	struct ledger_entry e = begin('a', "one");
	uint64_t removed;

	step(&e, LEDGER_DONE);
	clock_skip(STATE_LEDGER_LIFE - 100);
	e = begin('a', "one");
	cr_assert(e.step == LEDGER_DONE && e.same_client, "known for all its life");
	cr_assert_eq(state_ledger_collect(st, user, &removed, NULL), MF_OK);
	cr_assert_eq(removed, 0);
	clock_skip(2 * STATE_LEDGER_LIFE);
	e = begin('b', "");
	cr_assert_eq(e.step, LEDGER_NONE);
	step(&e, LEDGER_ENDING);
	cr_assert_eq(state_ledger_collect(st, user, &removed, NULL), MF_OK);
	cr_assert_eq(removed, 2, "the mail and its try, not the new one");
	cr_assert_eq(begin('a', "one").step, LEDGER_NONE);
}
