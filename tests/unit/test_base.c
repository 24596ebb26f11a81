/* base: arenas, buffers, strings, UTF-8, id sets. */
#include <criterion/criterion.h>

#include "base/str.h"
#include "base/utf8.h"
#include "mailferry/error.h"
#include "mailferry/idset.h"
#include "mailferry/log.h"

static void
count(void *thing)
{
	(*(int *)thing)++;
}

Test(arena, reset_gives_back_everything)
{
	struct mf_arena *a = mf_arena_new();
	int calls = 0;

	for (int round = 1; round <= 3; round++) {
		mf_on_free(a, count, &calls);
		for (size_t size = 1; size < 300000; size = size * 3 + 1) {
			unsigned char *p = mf_alloc(a, size);

			for (size_t i = 0; i < size; i++)
				cr_assert_eq(p[i], 0);
			memset(p, 0xaa, size);
		}
		cr_assert_gt(mf_arena_used(a), 300000);
		mf_arena_reset(a);
		cr_assert_eq(calls, round);
		cr_assert_eq(mf_arena_used(a), 0);
	}
	mf_arena_free(a);
}

Test(arena, gives_zeroed_memory_and_runs_cleanups)
{
	struct mf_arena *a = mf_arena_new();
	int freed = 0;

	for (size_t size = 1; size < 100000; size = size * 3 + 1) {
		unsigned char *p = mf_alloc(a, size);

		cr_assert_eq((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < size; i++)
			cr_assert_eq(p[i], 0);
		memset(p, 0xff, size);
	}
	mf_on_free(a, count, &freed);
	mf_on_free(a, count, &freed);
	mf_on_free(a, count, NULL);
	cr_assert_str_eq(mf_printf(a, "%s-%d", "x", 7), "x-7");
	mf_arena_free(a);
	cr_assert_eq(freed, 2);
}

Test(buf, keeps_its_ceiling)
{
	struct mf_buf b;

	mf_buf_init(&b, 10);
	mf_buf_add_str(&b, "12345678");
	mf_buf_printf(&b, "%s", "901");
	cr_assert(b.failed);
	mf_buf_add_str(&b, "9");
	cr_assert_eq(b.len, 8);
	mf_buf_clear(&b);
	mf_buf_add_str(&b, "0123456789");
	cr_assert(!b.failed);
	mf_buf_consume(&b, 4);
	cr_assert_str_eq(mf_buf_str(&b), "456789");
	mf_buf_deinit(&b);
}

Test(str, base64_and_numbers)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "", "" },
		{ "Zg==", "f" },
		{ "Zg", "f" },
		{ "Zm8=", "fo" },
		{ "Zm9v", "foo" },
		{ "Zm9vYg", "foob" },
		{ " Zm9v\r\nYmE=", "fooba" },
	};
	static const char *const bad[] = { "Z", "Zg=", "Zg===", "Z=g=", "Zm9v!", "Zm9vY" };
	struct mf_arena *a = mf_arena_new();
	uint64_t n;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mf_bytes b = str_unbase64(a, cases[i].in, strlen(cases[i].in));

		cr_assert_eq(b.len, strlen(cases[i].out), "%s", cases[i].in);
		cr_assert_not_null(b.data);
		cr_assert_arr_eq(b.data, cases[i].out, b.len);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_null(str_unbase64(a, bad[i], strlen(bad[i])).data, "%s", bad[i]);
	cr_assert(str_to_u64("18446744073709551615", UINT64_MAX, &n) && n == UINT64_MAX);
	cr_assert(!str_to_u64("18446744073709551616", UINT64_MAX, &n));
	cr_assert(!str_to_u64("8", 7, &n));
	cr_assert(!str_to_u64("-1", 7, &n));
	cr_assert(!str_to_u64("", 7, &n));
	cr_assert_str_eq(str_unpercent(a, "a%20b+c%zz%4", 12), "a b c%zz%4");
	cr_assert_null(str_unpercent(a, "a%00b", 5));
	mf_arena_free(a);
}

Test(utf8, repairs_what_xml_cannot_hold)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "plain", "plain" },
		{ "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
		{ "a\x01"
		  "b",
			"ab" },
		{ "a\xff"
		  "b",
			"a\xef\xbf\xbd"
			"b" },
		{ "\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xef\xbf\xbf", "\xef\xbf\xbd" },
		{ "cut\xe2\x82", "cut\xef\xbf\xbd\xef\xbf\xbd" },
		{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
	};
	struct mf_arena *a = mf_arena_new();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *out = utf8_clean(a, cases[i].in, strlen(cases[i].in));

		cr_assert_str_eq(out, cases[i].out, "case %zu", i);
		cr_assert(utf8_valid_xml(out, strlen(out)));
	}
	cr_assert_eq(utf8_cut("gr\xc3\xbc", 4, 3), 2);
	cr_assert_eq(utf8_count("gr\xc3\xbc", 4), 3);
	mf_arena_free(a);
}

/* Random operations on ids 1 to 200, compared with an array of booleans. */
Test(idset, agrees_with_a_bitmap)
{
	struct mf_idset s, other, back;
	struct mf_buf b;
	bool in[202] = { false };
	unsigned seed = 7;

	mf_idset_init(&s);
	mf_idset_init(&other);
	mf_idset_init(&back);
	mf_buf_init(&b, 0);
	for (int round = 0; round < 20000; round++) {
		seed = seed * 1103515245 + 12345;
		uint64_t first = 1 + (seed >> 8) % 200;
		uint64_t last = first + (seed >> 16) % 12;
		unsigned op = (seed >> 24) % 5;

		if (last > 200)
			last = 200;
		mf_idset_clear(&other);
		mf_idset_add_range(&other, first, last);
		if (op == 0)
			mf_idset_add_range(&s, first, last);
		else if (op == 1)
			mf_idset_remove_range(&s, first, last);
		else if (op == 2)
			mf_idset_union(&s, &other);
		else if (op == 3)
			mf_idset_subtract(&s, &other);
		else if (round % 50 == 0)
			mf_idset_intersect(&s, &other);
		for (uint64_t i = 1; i <= 200; i++) {
			bool inside = i >= first && i <= last;

			if (op == 0 || op == 2)
				in[i] |= inside;
			else if (op == 1 || op == 3)
				in[i] &= !inside;
			else if (round % 50 == 0)
				in[i] &= inside;
			cr_assert_eq(mf_idset_has(&s, i), in[i]);
		}
		uint64_t n = 0;
		for (uint64_t i = mf_idset_next(&s, 0); i != 0; i = mf_idset_next(&s, i), n++)
			cr_assert(in[i]);
		cr_assert_eq(n, mf_idset_count(&s));
		for (uint64_t i = mf_idset_prev(&s, UINT64_MAX); i != 0; i = mf_idset_prev(&s, i))
			n--;
		cr_assert_eq(n, 0);
		mf_buf_clear(&b);
		mf_idset_encode(&s, &b);
		cr_assert_eq(mf_idset_decode(&back, b.data, b.len), b.len);
		cr_assert_eq(mf_idset_count(&back), mf_idset_count(&s));
		mf_buf_clear(&b);
		mf_idset_print(&s, &b);
		cr_assert(mf_idset_parse(&back, mf_buf_str(&b), b.len, 1000));
		cr_assert_eq(mf_idset_count(&back), mf_idset_count(&s));
	}
	mf_idset_deinit(&s);
	mf_idset_deinit(&other);
	mf_idset_deinit(&back);
	mf_buf_deinit(&b);
}

Test(idset, refuses_malformed_text)
{
	static const char *const bad[] = { "0", "1:", ":1", "1,,2", "1,", "a", "1:*", "1 2" };
	struct mf_idset s;

	mf_idset_init(&s);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert(!mf_idset_parse(&s, bad[i], strlen(bad[i]), 100), "%s", bad[i]);
	cr_assert(!mf_idset_parse(&s, "1,3,5", 5, 2));
	cr_assert(mf_idset_parse(&s, "9:7", 3, 2) && mf_idset_count(&s) == 3);
	mf_idset_deinit(&s);
}

Test(error, cannot_be_forged_into_two_lines)
{
	struct mf_error err;

	cr_assert_eq(mf_fail(&err, MF_GONE, "a\r\nb %d", 7), MF_GONE);
	cr_assert_str_eq(err.text, "a??b 7");
	cr_assert_str_eq(mf_log_value("x y\n"), "\"x y\\x0a\"");
}
