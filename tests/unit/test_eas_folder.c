/* What phones see of a hierarchy: types, parents, order. */
#include <criterion/criterion.h>
#include <string.h>

#include "eas/map/folder.h"

#define F(number, parent, role, name)                                                          \
	{                                                                                      \
		(number), (parent), MF_CLASS_MAIL, (role), 0, "imap", (name), (name), "", 1, 0 \
	}

static const struct state_held *
view(struct mf_arena *a, struct state_folder *list, size_t n, struct state_hierarchy *out)
{
	struct state_folders folders = { .folders = list, .n = n };
	folder_view(a, &folders, false, out);
	return out->held;
}

Test(eas_folder, roles)
{
	struct mf_arena *a = mf_arena_new();
	struct state_hierarchy h;
	struct state_folder list[] = { F(1, 0, MF_ROLE_INBOX, "INBOX"),
		F(2, 0, MF_ROLE_SENT, "Sent"), F(3, 0, MF_ROLE_SENT, "Gesendet"),
		F(4, 0, MF_ROLE_JUNK, "Junk"), F(5, 0, MF_ROLE_NONE, "") };
	static const uint8_t types[] = { 2, 5, 12, 12, 12 };
	static const char *const names[] = { "Inbox", "Sent", "Gesendet", "Junk", "Folder 5" };
	const struct state_held *held = view(a, list, 5, &h);
	for (size_t i = 0; i < 5; i++) {
		cr_assert_eq(held[i].type, types[i], "%s: %u", names[i], held[i].type);
		cr_assert_str_eq(held[i].name, names[i]);
	}
	mf_arena_free(a);
}

/* What is not shown hands its children to its parent; what is gone leaves them at the top. */
Test(eas_folder, hidden_parents)
{
	struct mf_arena *a = mf_arena_new();
	struct state_hierarchy h;
	struct state_folder list[] = { F(1, 0, MF_ROLE_NONE, "a"), F(2, 0, MF_ROLE_NONE, "gone"),
		F(3, 1, MF_ROLE_NONE, "calendar"), F(4, 3, MF_ROLE_NONE, "b"),
		F(5, 2, MF_ROLE_NONE, "orphan") };
	list[1].gone = 1;
	list[2].class = MF_CLASS_CALENDAR;
	const struct state_held *held = view(a, list, 5, &h);
	cr_assert_eq(h.n, 3);
	cr_assert_eq(held[1].number, 4);
	cr_assert_eq(held[1].parent, 1);
	cr_assert_eq(held[2].parent, 0);
	mf_arena_free(a);
}

/* Children before their parents by number; and a circle, which ends nowhere but here. */
Test(eas_folder, order)
{
	struct mf_arena *a = mf_arena_new();
	struct state_hierarchy h;
	struct state_folder list[] = { F(1, 3, MF_ROLE_NONE, "c"), F(2, 0, MF_ROLE_NONE, "a"),
		F(3, 2, MF_ROLE_NONE, "b"), F(4, 5, MF_ROLE_NONE, "x"),
		F(5, 4, MF_ROLE_NONE, "y") };
	static const uint32_t order[] = { 2, 3, 1, 4, 5 };
	view(a, list, 5, &h);
	const struct state_held **sorted = folder_order(a, &h);
	for (size_t i = 0; i < 5; i++)
		cr_assert_eq(sorted[i]->number, order[i], "%zu: %u", i, sorted[i]->number);
	mf_arena_free(a);
}

Test(eas_folder, holds_items)
{
	struct state_folder f = F(1, 0, MF_ROLE_NONE, "a");
	cr_assert(folder_holds_items(&f));
	f.flags = MF_FOLDER_NO_ITEMS;
	cr_assert_not(folder_holds_items(&f));
	f.flags = 0;
	f.store = FOLDER_VIRTUAL_STORE;
	cr_assert_not(folder_holds_items(&f));
}

/* A long name is cut between characters. */
Test(eas_folder, long_names)
{
	struct mf_arena *a = mf_arena_new();
	struct state_hierarchy h;
	char name[1002] = "x";
	for (int i = 0; i < 500; i++)
		strcat(name, "\xc3\xa4");
	struct state_folder list[] = { F(1, 0, MF_ROLE_NONE, name) };
	const struct state_held *held = view(a, list, 1, &h);
	cr_assert_eq(strlen(held[0].name), FOLDER_NAME_MAX - 1);
	mf_arena_free(a);
}
