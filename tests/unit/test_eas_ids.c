/* The spelling of ServerId and FileReference. */
#include <criterion/criterion.h>

#include "eas/map/ids.h"

Test(eas_ids, items_go_there_and_back)
{
	struct mf_arena *a = mf_arena_new();
	uint32_t folder;
	uint64_t id;

	cr_assert_str_eq(ids_item_print(a, 5, 1234), "5:1234");
	cr_assert(ids_item_parse(ids_item_print(a, UINT32_MAX, UINT64_MAX), &folder, &id));
	cr_assert_eq(folder, UINT32_MAX);
	cr_assert_eq(id, UINT64_MAX);
	mf_arena_free(a);
}

Test(eas_ids, malformed_items)
{
	static const char *const bad[] = { "", ":", "5", "5:", ":5", "0:1", "1:0", "05:1", "5:01",
		"5:1:1", "5:1 ", " 5:1", "-5:1", "5:+1", "4294967296:1", "1:18446744073709551616",
		"5:99999999999999999999999999", "x:1", "5:x", NULL };
	uint32_t folder;
	uint64_t id;

	cr_assert(!ids_item_parse(NULL, &folder, &id));
	for (size_t i = 0; bad[i] != NULL; i++)
		cr_assert(!ids_item_parse(bad[i], &folder, &id), "%s", bad[i]);
}

Test(eas_ids, files_go_there_and_back)
{
	static const struct {
		const char *section;
		unsigned inner;
		int64_t date;
		uint64_t size;
		const char *text;
	} rows[] = {
		{ "2.1", 0, 0x65a1b2c3, 0x4d2, "5:1234:2.1:65a1b2c3-4d2" },
		{ "", 0, 0, 0, "5:1234::0-0" },
		{ "2", 3, 1, 2, "5:1234:2!3:1-2" },
		{ "1", 0, -1, UINT64_MAX, "5:1234:1:ffffffffffffffff-ffffffffffffffff" },
	};
	struct mf_arena *a = mf_arena_new();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mf_item item = { .id = 1234, .date = rows[i].date, .size = rows[i].size };
		struct ids_file f;
		const char *text = ids_file_print(a, 5, &item, rows[i].section, rows[i].inner);

		cr_assert_str_eq(text, rows[i].text);
		cr_assert(ids_file_parse(text, &f), "%s", text);
		cr_assert_eq(f.folder, 5);
		cr_assert_str_eq(f.section, rows[i].section);
		cr_assert_eq(f.inner, rows[i].inner);
		cr_assert(ids_file_matches(&f, &item));
		item.size++;
		cr_assert(!ids_file_matches(&f, &item), "another message");
	}
	mf_arena_free(a);
}

Test(eas_ids, malformed_files)
{
	static const char *const bad[] = { "", "5:1", "5:1:2", "5:1:2:", "5:1:2:1", "5:1:2:1-",
		"5:1:2:-1", "5:1:2:1-2x", "5:1:2:X-2", "5:1:2:1-2:3", "5:1:HEADER:1-2",
		"5:1:2!:1-2", "5:1:2!0:1-2", "5:1:2!9999999:1-2", "5:1:2!3-1:1-2",
		"5:1:2:11111111111111111-2",
		"5:1:1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1.1:1-2", NULL };
	struct ids_file f;

	cr_assert(!ids_file_parse(NULL, &f));
	for (size_t i = 0; bad[i] != NULL; i++)
		cr_assert(!ids_file_parse(bad[i], &f), "%s", bad[i]);
}

Test(eas_ids, long_ids)
{
	static const char *const bad[] = { "", "5", "5:0", "5:1234:2:1-1", "5:1234:2!1:1-1",
		"5:1234:", "5:1234::", "5:1234::1-", "05:1::1-1" };
	struct mf_arena *a = mf_arena_new();
	struct mf_item item = { .id = 1234, .date = 1700000000, .size = 77 };
	struct ids_file f;

	cr_assert(ids_long_parse(ids_file_print(a, 5, &item, "", 0), &f));
	cr_assert(f.folder == 5 && f.id == 1234 && ids_file_matches(&f, &item));
	item.size++;
	cr_assert(!ids_file_matches(&f, &item), "another message");
	cr_assert(ids_long_parse("5:1234", &f), "a ServerId");
	cr_assert(ids_file_matches(&f, &item), "by its id");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert(!ids_long_parse(bad[i], &f), "%s", bad[i]);
	cr_assert(!ids_long_parse(NULL, &f));
	mf_arena_free(a);
}
