/* Categories to keywords and back. */
#include <criterion/criterion.h>

#include "eas/map/category.h"

static const struct {
	const char *category, *keyword; /* NULL: none can be made */
} pairs[] = { { "Work", "Work" }, { "Red category", "Red=20category" },
	{ "Gr\xc3\xbcn", "Gr=C3=BCn" }, { "a=b", "a=3Db" }, { "(x)", "=28x=29" },
	{ "\"q\" {5}", "=22q=22=20=7B5}" }, { "$label1", "=24label1" }, { "NonJunk", "=4EonJunk" },
	{ "\\Seen", "=5CSeen" }, { "\r\nA1 LOGOUT", "=0D=0AA1=20LOGOUT" }, { "", NULL },
	{ "12345678901234567890123456789012345678901234567890",
		"12345678901234567890123456789012345678901234567890" },
	{ "123456789012345678901234567890123456789012345678901", NULL },
	{ "                    ", NULL } };

/* Keywords of other programs. */
static const struct {
	const char *keyword, *category;
} foreign[] = { { "Late", "Late" }, { "a=b", "a=b" }, { "a=2", "a=2" }, { "=00x", "=00x" },
	{ "x=C3", "x=C3" }, { "=01", "=01" }, { "=", "=" }, { "=20", " " } };

Test(eas_category, there_and_back)
{
	struct mf_arena *a = mf_arena_new();

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		const char *k = category_keyword(a, pairs[i].category);

		if (pairs[i].keyword == NULL) {
			cr_assert_null(k, "%s", pairs[i].category);
			continue;
		}
		cr_assert_not_null(k, "%s", pairs[i].category);
		cr_assert_str_eq(k, pairs[i].keyword);
		if (strchr(pairs[i].category, '\r') == NULL)
			cr_assert_str_eq(category_text(a, k, strlen(k)), pairs[i].category);
	}
	mf_arena_free(a);
}

Test(eas_category, of_others)
{
	struct mf_arena *a = mf_arena_new();

	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		cr_assert_str_eq(category_text(a, foreign[i].keyword, strlen(foreign[i].keyword)),
			foreign[i].category, "%s", foreign[i].keyword);
	mf_arena_free(a);
}
