/* The index of conversations: joining, growing, leaving, losing. */
#include "mime/mime.h"
#include "state/conversation.h"
#include "state/rule.h"
#include "state/user.h"
#include "state_help.h"

static struct state *st;
static struct mf_arena *arena;
static char directory[64];
static uint32_t user;

static void
setup(void)
{
	mime_init();
	strcpy(directory, state_help_directory());
	st = state_help_open(directory);
	arena = mf_arena_new();
	cr_assert_eq(state_user_number(st, STATE_SYNC, "anna", &user, NULL), MF_OK);
}

static void
teardown(void)
{
	state_help_verify(st);
	state_close(st);
	state_help_remove(directory);
	mf_arena_free(arena);
}

TestSuite(state_conversation, .init = setup, .fini = teardown);

static struct conversation_facts *
facts(const char *id, const char *references, int64_t date)
{
	struct conversation_facts *f = mf_new(arena, struct conversation_facts);
	struct mime_header h;

	mime_header_parse(arena,
		mf_bytes_str(mf_printf(
			arena, "Message-ID: <%s>\r\nReferences: %s\r\n\r\n", id, references)),
		&h);
	conversation_facts_read(arena, &h, "", date, f);
	return f;
}

static bool
add(uint32_t folder, uint64_t id, const struct conversation_facts *f)
{
	struct state_conversation_item item = { .id = id, .facts = f };

	cr_assert_eq(state_conversation_add(st, user, folder, &item, 1, NULL, NULL), MF_OK);
	return item.known;
}

static void
take_out(uint32_t folder, uint64_t first, uint64_t last)
{
	struct mf_idset ids;

	mf_idset_init(&ids);
	mf_idset_add_range(&ids, first, last);
	cr_assert_eq(state_conversation_remove(st, user, folder, &ids, NULL, NULL, NULL), MF_OK);
	mf_idset_deinit(&ids);
}

static size_t
members(const char *message_id)
{
	struct conversation_id id = conversation_id_of_message(message_id);
	struct state_conversation_member *list;
	size_t n;

	if (state_conversation_members(st, user, &id, SIZE_MAX, arena, &list, &n, NULL) == MF_GONE)
		return 0;
	for (size_t i = 1; i < n; i++)
		cr_assert(list[i - 1].folder < list[i].folder ||
				  (list[i - 1].folder == list[i].folder &&
					  list[i - 1].id < list[i].id),
			"in order, each once");
	return n;
}

static struct state_conversation_shown
show(const struct conversation_facts *f)
{
	struct state_conversation_shown s;

	cr_assert_eq(state_conversation_show(st, user, f, &s, NULL), MF_OK);
	return s;
}

static bool
shown_as(const struct conversation_facts *f, const char *message_id)
{
	struct conversation_id id = conversation_id_of_message(message_id);
	struct state_conversation_shown s = show(f);

	return conversation_id_same(&s.id, &id);
}

/* More names than are kept at once within one transaction: written, forgotten and read again on the way. The even ones
 * are a chain, the odd ones too; the last message joins them. Two such halves are under way at once. */
Test(state_conversation, many_names_in_one_go)
{
	enum { MANY = 2000 };
	struct state_conversation_item *items =
		mf_new_array(arena, struct state_conversation_item, MANY);
	struct state_conversation_adding *first, *second;
	struct mf_error errs[2];

	for (int i = 0; i < MANY; i++) {
		char *refs = mf_printf(arena, "<%d-a@x> <%d-b@x> <%d-c@x> <%d@x>", i, i, i, i - 2);

		items[i] = (struct state_conversation_item){ .id = (uint64_t)i + 1,
			.facts = facts(mf_printf(arena, "%d@x", i), refs, i + 1) };
	}
	first = state_conversation_add_begin(st, user, 1, items, MANY / 2, NULL, &errs[0]);
	second = state_conversation_add_begin(
		st, user, 1, items + MANY / 2, MANY / 2, NULL, &errs[1]);
	cr_assert_eq(state_conversation_add_end(first), MF_OK);
	cr_assert_eq(state_conversation_add_end(second), MF_OK);
	cr_assert_eq(state_conversation_add_end(NULL), MF_OK);
	cr_assert_eq(members("0@x"), MANY / 2);
	cr_assert_eq(members("1999@x"), MANY / 2);
	cr_assert_eq(members("777-b@x"), MANY / 2);
	cr_assert_eq(state_conversation_add(st, user, 2, items, MANY, NULL, NULL), MF_OK);
	cr_assert_eq(members("0@x"), MANY, "all at once, in another folder");
	cr_assert(items[0].known && items[MANY - 1].known);
	add(1, MANY + 1, facts("last@x", "<1998@x> <1999@x>", 1));
	cr_assert_eq(members("3@x"), 2 * MANY + 1);
}

Test(state_conversation, a_thread_over_folders)
{
	cr_assert_not(add(1, 10, facts("a@x", "", 100)));
	cr_assert_not(add(1, 11, facts("b@x", "<a@x>", 200)));
	cr_assert_not(add(2, 5, facts("c@x", "<a@x> <b@x>", 300)));
	cr_assert_not(add(1, 12, facts("other@x", "", 400)));
	cr_assert_eq(members("a@x"), 3);
	cr_assert_eq(members("c@x"), 3, "by any name");
	cr_assert_eq(members("other@x"), 1);
	cr_assert_eq(members("nobody@x"), 0);
}

Test(state_conversation, the_same_again_changes_nothing)
{
	for (int i = 0; i < 3; i++)
		add(1, 10, facts("a@x", "", 100));
	cr_assert_eq(members("a@x"), 1);
	cr_assert(add(2, 10, facts("a@x", "", 100)), "a copy elsewhere is known");
	cr_assert_eq(members("a@x"), 2);
}

/* A late message joins two conversations: they behave as one, and new mail has the id of the oldest. */
Test(state_conversation, joined_by_a_late_message)
{
	struct conversation_facts *reply = facts("b2@x", "<b1@x>", 400);

	add(1, 1, facts("a1@x", "", 100));
	add(1, 2, facts("b1@x", "", 200));
	add(1, 3, reply);
	cr_assert(shown_as(reply, "b1@x"));
	cr_assert_eq(members("a1@x"), 1);
	add(1, 4, facts("late@x", "<a1@x> <b1@x>", 150));
	cr_assert_eq(members("a1@x"), 4);
	cr_assert_eq(members("b1@x"), 4, "what a phone holds still leads to all");
	cr_assert(shown_as(reply, "a1@x"), "new mail has the oldest member's");
	cr_assert(shown_as(facts("new@x", "<b2@x>", 500), "a1@x"), "also when it is not indexed");
}

/* Whatever the order, the result is the same. */
Test(state_conversation, in_any_order)
{
	static const struct {
		const char *id, *references;
		int64_t date;
	} mail[] = { { "a@x", "", 1 }, { "b@x", "<a@x>", 2 }, { "c@x", "<b@x>", 3 },
		{ "d@x", "<c@x>", 4 }, { "e@x", "<gone@x> <d@x>", 5 } };
	static const int orders[][5] = { { 0, 1, 2, 3, 4 }, { 4, 3, 2, 1, 0 }, { 2, 0, 4, 1, 3 },
		{ 0, 2, 4, 3, 1 } };
	struct state_conversation_shown first[5];

	for (uint32_t o = 0; o < 4; o++) {
		cr_assert_eq(
			state_user_number(st, STATE_SYNC, mf_printf(arena, "u%u", o), &user, NULL),
			MF_OK);
		for (int i = 0; i < 5; i++)
			add(1, (uint64_t)orders[o][i] + 1,
				facts(mail[orders[o][i]].id, mail[orders[o][i]].references,
					mail[orders[o][i]].date));
		cr_assert_eq(members("gone@x"), 5, "order %u", o);
		for (int i = 0; i < 5; i++) {
			struct state_conversation_shown s =
				show(facts(mail[i].id, mail[i].references, mail[i].date));

			if (o == 0)
				first[i] = s;
			cr_assert_eq(s.index.len, 5 + 5 * (size_t)i, "order %u mail %d: %zu", o, i,
				s.index.len);
			cr_assert(conversation_id_same(&s.id, &first[i].id), "order %u", o);
			cr_assert_eq(memcmp(s.index.bytes, first[i].index.bytes, s.index.len), 0,
				"order %u mail %d", o, i);
		}
	}
}

Test(state_conversation, loops_end)
{
	struct conversation_facts *a = facts("a@x", "<b@x>", 1), *b = facts("b@x", "<a@x>", 2),
				  *c = facts("c@x", "<c@x> <a@x> <b@x> <a@x>", 3);

	add(1, 1, a);
	add(1, 2, b);
	add(1, 3, c);
	cr_assert_eq(members("a@x"), 3);
	cr_assert_leq(show(a).index.len, 15);
	cr_assert_leq(show(c).index.len, 15);
}

Test(state_conversation, moved_and_expunged)
{
	add(1, 1, facts("a@x", "", 1));
	add(1, 2, facts("b@x", "<a@x>", 2));
	take_out(1, 1, 1);
	cr_assert(add(2, 7, facts("a@x", "", 1)), "moved");
	cr_assert_eq(members("a@x"), 2);
	take_out(1, 1, 1000000);
	cr_assert_eq(members("b@x"), 1);
	take_out(2, 1, UINT64_MAX);
	cr_assert_eq(members("a@x"), 0);
	cr_assert_not(add(1, 3, facts("c@x", "<a@x>", 3)));
	cr_assert_eq(members("a@x"), 1, "and begins again");
}

static size_t
sweep(void)
{
	size_t all = 0, gone;
	bool more = true;

	while (more) {
		cr_assert_eq(state_conversation_sweep(st, user, &more, &gone, NULL), MF_OK);
		all += gone;
	}
	return all;
}

/* Two names each (itself and its parent that never came), and one conversation whose members had sets of their
 * own once. */
Test(state_conversation, dead_names_are_swept)
{
	enum { MANY = 3000 };

	add(1, MANY + 1, facts("keep@x", "<gone@x>", 1));
	add(1, MANY + 2, facts("one@x", "", 1));
	add(1, MANY + 3, facts("two@x", "", 2));
	add(1, MANY + 4, facts("late@x", "<one@x> <two@x>", 3));
	take_out(1, MANY + 2, MANY + 4);
	cr_assert_eq(sweep(), 0, "one is not worth it");
	for (uint64_t i = 1; i <= MANY; i++)
		add(1, i,
			facts(mf_printf(arena, "%u@x", (unsigned)i),
				mf_printf(arena, "<p%u@x>", (unsigned)i), 1));
	take_out(1, 1, MANY);
	cr_assert_eq(sweep(), 2 * MANY + 3 + 1);
	cr_assert_eq(sweep(), 0);
	cr_assert_eq(members("keep@x"), 1);
	add(1, MANY + 9, facts("more@x", "<gone@x>", 2));
	cr_assert_eq(members("keep@x"), 2, "what others are known by stays");
	cr_assert(!add(2, 1, facts("1@x", "<p1@x>", 1)), "as if it had never been there");
}

Test(state_conversation, a_folder_leaves)
{
	enum { EACH = 5000 };
	struct state_conversation_item *items =
		mf_new_array(arena, struct state_conversation_item, EACH);

	for (uint32_t folder = 1; folder <= 2; folder++) {
		for (uint64_t i = 0; i < EACH; i++) {
			items[i].id = i * 7 + folder;
			items[i].facts =
				facts(mf_printf(arena, "%u.%llu@x", folder, (unsigned long long)i),
					"<root@x>", 5);
		}
		cr_assert_eq(
			state_conversation_add(st, user, folder, items, EACH, NULL, NULL), MF_OK);
	}
	cr_assert_eq(members("root@x"), 10000);
	cr_assert_eq(state_conversation_drop(st, user, 1, NULL), MF_OK);
	cr_assert_eq(members("root@x"), 5000);
}

Test(state_conversation, siblings)
{
	struct mf_idset ids, out;
	struct mf_buf b;

	add(1, 1, facts("a@x", "", 1));
	add(1, 70, facts("b@x", "<a@x>", 2));
	add(2, 71, facts("c@x", "<a@x>", 3));
	add(1, 200, facts("d@x", "<a@x>", 4));
	add(1, 201, facts("z@x", "", 5));
	mf_idset_init(&ids);
	mf_idset_init(&out);
	mf_idset_add(&ids, 70);
	mf_idset_add(&ids, 999);
	cr_assert_eq(state_conversation_siblings(st, user, 1, &ids, &out, NULL), MF_OK);
	mf_buf_init(&b, 0);
	mf_idset_print(&out, &b);
	cr_assert_str_eq(mf_buf_str(&b), "1,70,200,999");
	mf_buf_deinit(&b);
	mf_idset_deinit(&ids);
	mf_idset_deinit(&out);
}

Test(state_conversation, users_are_strangers)
{
	uint32_t other;
	struct conversation_id id = conversation_id_of_message("a@x");
	struct state_conversation_member *list;
	size_t n;

	add(1, 1, facts("a@x", "", 1));
	cr_assert_eq(state_user_number(st, STATE_SYNC, "bert", &other, NULL), MF_OK);
	cr_assert_eq(
		state_conversation_members(st, other, &id, 10, arena, &list, &n, NULL), MF_GONE);
}

Test(state_conversation, progress)
{
	struct state_conversation_folder f, g;

	state_conversation_folder_init(&f);
	state_conversation_folder_init(&g);
	f.cursor = mf_bytes_str("cursor");
	mf_idset_add_range(&f.known, 1, 10);
	mf_idset_add(&f.wanted, 12);
	cr_assert_eq(state_conversation_progress(st, user, 3, &f, NULL), MF_OK);
	cr_assert_eq(state_conversation_folder_load(st, user, 3, arena, &g, NULL), MF_OK);
	cr_assert_eq(g.cursor.len, 6);
	cr_assert_eq(mf_idset_count(&g.known), 10);
	cr_assert(mf_idset_has(&g.wanted, 12));
	cr_assert_eq(state_conversation_folder_load(st, user, 4, arena, &g, NULL), MF_OK);
	cr_assert_eq(g.cursor.len + g.known.n + g.wanted.n, 0);
	state_conversation_folder_deinit(&f);
	state_conversation_folder_deinit(&g);
}

Test(state_conversation, rules)
{
	uint32_t records;
	struct state_rule rule = { .store = "imap", .id = "Lists", .identity = "", .created = 5 },
			  *rules;
	size_t n;

	cr_assert_eq(state_user_number(st, STATE_RECORDS, "anna", &records, NULL), MF_OK);
	for (int i = 0; i < STATE_RULES_MAX + 10; i++) {
		rule.conversation = conversation_id_of_message(mf_printf(arena, "%d@x", i));
		rule.created = i;
		cr_assert_eq(state_rule_save(st, records, &rule, NULL), MF_OK);
	}
	cr_assert_eq(state_rules_load(st, records, arena, &rules, &n, NULL), MF_OK);
	cr_assert_eq(n, STATE_RULES_MAX, "%zu", n);
	for (size_t i = 0; i < n; i++)
		cr_assert_geq(rules[i].created, 10, "the oldest are forgotten");
	cr_assert_eq(state_rule_remove(st, records, &rule.conversation, NULL), MF_OK);
	cr_assert_eq(state_rule_remove(st, records, &rule.conversation, NULL), MF_GONE);
}
