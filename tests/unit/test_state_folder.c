/* state: which folder is which. */
#include "base/clock.h"
#include "state/folder.h"
#include "state/user.h"
#include "state_help.h"

/* A folder as known and as listed: what the cases need of it. */
struct f {
	const char *id, *parent, *identity;
	uint64_t epoch;
	enum mf_class class;
};

enum { MOST = 6 };

static size_t
count(const struct f *f)
{
	size_t n = 0;

	while (n < MOST && f[n].id != NULL)
		n++;
	return n;
}

static void
list_of(const struct f *f, struct mf_folder *out)
{
	for (size_t i = 0; i < count(f); i++)
		out[i] = (struct mf_folder){ .id = f[i].id,
			.parent = f[i].parent,
			.name = f[i].id,
			.class = f[i].class,
			.identity = f[i].identity,
			.epoch = f[i].epoch };
}

/* "1:INBOX 2:A/gone 3:B<1" : number, id, gone, parent. */
static const char *
shown(struct mf_arena *a, const struct state_folders *f)
{
	const char *out = "";

	for (size_t i = 0; i < f->n; i++) {
		const struct state_folder *x = &f->folders[i];

		out = mf_printf(a, "%s%s%u:%s%s", out, i > 0 ? " " : "", x->number, x->id,
			x->gone != 0 ? "/gone" : "");
		if (x->parent != 0)
			out = mf_printf(a, "%s<%u", out, x->parent);
	}
	return out;
}

Test(state_folder, match)
{
	static const struct {
		const char *name;
		struct f before[MOST], after[MOST];
		const char *result;
	} cases[] = {
		{ "all new", { { .id = NULL } },
			{ { .id = "INBOX" }, { .id = "A" }, { .id = "A/B", .parent = "A" } },
			"1:INBOX 2:A 3:A/B<2" },
		{ "nothing happened", { { .id = "INBOX" }, { .id = "A" } },
			{ { .id = "A" }, { .id = "INBOX" } }, "1:INBOX 2:A" },
		{ "one goes, one comes", { { .id = "INBOX" }, { .id = "A" } },
			{ { .id = "INBOX" }, { .id = "B" } }, "1:INBOX 2:A/gone 3:B" },
		{ "renamed, by identity",
			{ { .id = "INBOX", .identity = "i" }, { .id = "A", .identity = "x" } },
			{ { .id = "INBOX", .identity = "i" }, { .id = "B", .identity = "x" } },
			"1:INBOX 2:B" },
		{ "deleted, another renamed to its name",
			{ { .id = "A", .identity = "x" }, { .id = "B", .identity = "y" } },
			{ { .id = "A", .identity = "y" } }, "1:A/gone 2:A" },
		{ "names exchanged",
			{ { .id = "A", .identity = "x" }, { .id = "B", .identity = "y" } },
			{ { .id = "A", .identity = "y" }, { .id = "B", .identity = "x" } },
			"1:B 2:A" },
		{ "made anew with another identity", { { .id = "A", .identity = "x" } },
			{ { .id = "A", .identity = "z" } }, "1:A" },
		{ "identity now known", { { .id = "A" } }, { { .id = "A", .identity = "x" } },
			"1:A" },
		{ "identity no longer told", { { .id = "A", .identity = "x" } }, { { .id = "A" } },
			"1:A" },
		{ "renamed, by epoch", { { .id = "INBOX", .epoch = 5 }, { .id = "A", .epoch = 6 } },
			{ { .id = "INBOX", .epoch = 5 }, { .id = "B", .epoch = 6 } },
			"1:INBOX 2:B" },
		{ "epochs that say nothing",
			{ { .id = "INBOX", .epoch = 1 }, { .id = "A", .epoch = 1 } },
			{ { .id = "INBOX", .epoch = 1 }, { .id = "B", .epoch = 1 } },
			"1:INBOX 2:A/gone 3:B" },
		{ "unknown epochs", { { .id = "INBOX" }, { .id = "A" } },
			{ { .id = "INBOX" }, { .id = "B" } }, "1:INBOX 2:A/gone 3:B" },
		{ "renamed, and another made under its name",
			{ { .id = "INBOX", .epoch = 5 }, { .id = "A", .epoch = 6 } },
			{ { .id = "INBOX", .epoch = 5 }, { .id = "A", .epoch = 7 },
				{ .id = "B", .epoch = 6 } },
			"1:INBOX 2:B 3:A" },
		{ "names exchanged, by epoch",
			{ { .id = "A", .epoch = 5 }, { .id = "B", .epoch = 6 } },
			{ { .id = "A", .epoch = 6 }, { .id = "B", .epoch = 5 } }, "1:B 2:A" },
		{ "an epoch copied", { { .id = "INBOX", .epoch = 5 }, { .id = "A", .epoch = 6 } },
			{ { .id = "INBOX", .epoch = 5 }, { .id = "B", .epoch = 6 },
				{ .id = "C", .epoch = 6 } },
			"1:INBOX 2:A/gone 3:B 4:C" },
		{ "same epoch, other identity",
			{ { .id = "INBOX", .identity = "i", .epoch = 5 },
				{ .id = "A", .identity = "x", .epoch = 6 } },
			{ { .id = "INBOX", .identity = "i", .epoch = 5 },
				{ .id = "B", .identity = "y", .epoch = 6 } },
			"1:INBOX 2:A/gone 3:B" },
		{ "UIDVALIDITY changed", { { .id = "A", .epoch = 5 } },
			{ { .id = "A", .epoch = 9 } }, "1:A" },
		{ "another class", { { .id = "A" } }, { { .id = "A", .class = MF_CLASS_CALENDAR } },
			"1:A/gone 2:A" },
		{ "moved below", { { .id = "A", .identity = "x" }, { .id = "B", .identity = "y" } },
			{ { .id = "A", .identity = "x" },
				{ .id = "A/B", .parent = "A", .identity = "y" } },
			"1:A 2:A/B<1" },
		{ "a twin in the list", { { .id = "A" } }, { { .id = "A" }, { .id = "A" } },
			"1:A" },
		{ "a parent that is not listed", { { .id = NULL } },
			{ { .id = "A/B", .parent = "A" } }, "1:A/B" },
		{ "its own parent", { { .id = NULL } }, { { .id = "A", .parent = "A" } }, "1:A" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mf_arena *a = mf_arena_new();
		struct state_folders none = { 0 }, before, after, again;
		struct mf_folder list[MOST];
		uint32_t next = 1;

		list_of(cases[i].before, list);
		state_folders_match(
			&none, "s", list, count(cases[i].before), 50, &next, a, &before);
		list_of(cases[i].after, list);
		state_folders_match(
			&before, "s", list, count(cases[i].after), 60, &next, a, &after);
		cr_assert_str_eq(shown(a, &after), cases[i].result, "%s: %s", cases[i].name,
			shown(a, &after));
		state_folders_match(&after, "s", list, count(cases[i].after), 70, &next, a, &again);
		cr_assert(!again.changed, "%s: not settled", cases[i].name);
		mf_arena_free(a);
	}
}

Test(state_folder, a_folder_that_returns_gets_its_number_back)
{
	struct mf_arena *a = mf_arena_new();
	struct state_folders f = { 0 };
	static const struct f there[MOST] = { { .id = "INBOX" }, { .id = "A" } },
			      away[MOST] = { { .id = "INBOX" } };
	struct mf_folder list[MOST];
	uint32_t next = 1;

	list_of(there, list);
	state_folders_match(&f, "s", list, 2, 50, &next, a, &f);
	list_of(away, list);
	state_folders_match(&f, "s", list, 1, 60, &next, a, &f);
	state_folders_match(&f, "s", list, 1, 70, &next, a, &f);
	cr_assert_eq(f.folders[1].gone, 60);
	list_of(there, list);
	state_folders_match(&f, "other", list, 2, 75, &next, a, &f);
	cr_assert_str_eq(shown(a, &f), "1:INBOX 2:A/gone 3:INBOX 4:A");
	state_folders_match(&f, "s", list, 2, 80, &next, a, &f);
	cr_assert_str_eq(shown(a, &f), "1:INBOX 2:A 3:INBOX 4:A");
	mf_arena_free(a);
}

Test(state_folder, many)
{
	enum { N = STATE_FOLDERS_MAX + 100 };
	struct mf_arena *a = mf_arena_new();
	struct mf_folder *list = mf_new_array(a, struct mf_folder, N);
	struct state_folders f = { 0 }, moved;
	uint32_t next = 1;
	int64_t began = clock_ms();

	for (size_t i = 0; i < N; i++)
		list[i] = (struct mf_folder){
			.id = mf_printf(a, "%zu", i), .name = "x", .epoch = i + 1
		};
	state_folders_match(&f, "s", list, N, 50, &next, a, &f);
	cr_assert_eq(f.n, STATE_FOLDERS_MAX);
	for (size_t i = 0; i < N; i++)
		list[i].id = mf_printf(a, "new/%zu", i);
	state_folders_match(&f, "s", list, N, 50, &next, a, &moved);
	cr_assert_eq(moved.n, f.n, "all were renamed");
	cr_assert_lt(clock_ms() - began, 5000);
	mf_arena_free(a);
}

Test(state_folder, reconcile)
{
	char *dir = state_help_directory();
	struct state *st = state_help_open(dir);
	struct mf_arena *a = mf_arena_new();
	struct mf_folder list[] = {
		{ .id = "INBOX", .name = "Inbox", .role = MF_ROLE_INBOX, .epoch = 4 },
		{ .id = "Work", .name = "Work", .identity = "w" },
		{ .id = "Work/1", .parent = "Work", .name = "1", .flags = MF_FOLDER_NO_CHILDREN },
	};
	struct state_folders f, loaded;
	struct kv_stats before, after;
	struct mf_error err;
	uint32_t user, inbox, work;

	cr_assert_eq(state_folders_reconcile(st, 99, "imap", list, 3, a, &f, &err), MF_GONE);
	cr_assert_eq(state_user_number(st, STATE_SYNC, "u", &user, NULL), MF_OK);
	cr_assert_eq(state_folders_reconcile(st, user, "imap", list, 3, a, &f, &err), MF_OK);
	cr_assert(f.changed);
	cr_assert_eq(f.n, 3);
	inbox = state_folder_by_role(&f, MF_ROLE_INBOX)->number;
	work = state_folder_by_id(&f, "imap", "Work")->number;
	cr_assert(state_folder_by_id(&f, "dav", "Work") == NULL);
	cr_assert_eq(state_folder_by_id(&f, "imap", "Work/1")->parent, work);

	kv_stats(state_kv(st, STATE_SYNC), &before, NULL);
	cr_assert_eq(state_folders_reconcile(st, user, "imap", list, 3, a, &f, &err), MF_OK);
	cr_assert(!f.changed);
	kv_stats(state_kv(st, STATE_SYNC), &after, NULL);
	cr_assert_eq(before.writes, after.writes, "nothing new, but written");

	cr_assert_eq(state_folders_reconcile(st, user, "imap", list, 0, a, &f, &err), MF_TEMPORARY);
	list[1] = (struct mf_folder){ .id = "Play", .name = "Play", .identity = "w" };
	cr_assert_eq(state_folders_reconcile(st, user, "imap", list, 2, a, &f, &err), MF_OK);
	state_close(st);
	st = state_help_open(dir);
	cr_assert_eq(state_folders_load(st, user, a, &loaded, &err), MF_OK);
	cr_assert_eq(loaded.n, 3);
	for (size_t i = 0; i < 3; i++)
		cr_assert(state_folder_same(&loaded.folders[i], &f.folders[i]), "%zu", i);
	cr_assert_eq(state_folder_by_number(&loaded, work)->epoch, 0);
	cr_assert_str_eq(state_folder_by_number(&loaded, work)->name, "Play");
	cr_assert_eq(state_folder_by_number(&loaded, inbox)->epoch, 4);
	cr_assert_eq(state_folder_by_number(&loaded, inbox)->role, MF_ROLE_INBOX);
	cr_assert(state_folder_by_number(&loaded, work + 1) == NULL, "gone");
	state_help_verify(st);
	state_close(st);
	mf_arena_free(a);
	state_help_remove(dir);
}

Test(state_folder, numbers_as_text)
{
	static const struct {
		const char *text;
		uint32_t number; /* 0: refused */
	} cases[] = { { "1", 1 }, { "4294967295", UINT32_MAX }, { "4294967296", 0 }, { "0", 0 },
		{ "01", 0 }, { "", 0 }, { "-1", 0 }, { "1x", 0 }, { " 1", 0 }, { NULL, 0 } };
	struct mf_arena *a = mf_arena_new();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t n = 0;

		cr_assert_eq(state_folder_parse(cases[i].text, &n), cases[i].number != 0, "%zu", i);
		cr_assert_eq(n, cases[i].number);
		if (n != 0)
			cr_assert_str_eq(state_folder_print(a, n), cases[i].text);
	}
	mf_arena_free(a);
}
