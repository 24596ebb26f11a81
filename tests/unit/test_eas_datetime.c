/* Times as phones spell them: exact, or refused. */
#include <criterion/criterion.h>

#include "eas/map/datetime.h"

Test(eas_datetime, spellings)
{
	static const struct {
		const char *text;
		bool (*parse)(const char *s, int64_t *out);
		bool good;
		int64_t is;
	} rows[] = {
		{ "1970-01-01T00:00:00.000Z", datetime_parse, true, 0 },
		{ "2010-04-08T18:16:00.000Z", datetime_parse, true, 1270750560 },
		{ "2024-02-29T23:59:59.999Z", datetime_parse, true, 1709251199 },
		{ "2023-02-29T23:59:59.999Z", datetime_parse, false, 0 },
		{ "2010-04-31T18:16:00.000Z", datetime_parse, false, 0 },
		{ "2010-13-01T18:16:00.000Z", datetime_parse, false, 0 },
		{ "2010-04-08T24:16:00.000Z", datetime_parse, false, 0 },
		{ "2010-04-08T18:60:00.000Z", datetime_parse, false, 0 },
		{ "2010-04-08T18:16:00Z", datetime_parse, false, 0 },
		{ "2010-04-08T18:16:00.000", datetime_parse, false, 0 },
		{ "20100408T181600Z", datetime_parse, false, 0 },
		{ "tomorrow", datetime_parse, false, 0 },
		{ "", datetime_parse, false, 0 },
		{ NULL, datetime_parse, false, 0 },
		{ "20161010T100000Z", datetime_compact_parse, true, 1476093600 },
		{ "20161310T100000Z", datetime_compact_parse, false, 0 },
		{ "20161010T100000", datetime_compact_parse, false, 0 },
		{ "2016-10-10T10:00:00.000Z", datetime_compact_parse, false, 0 },
		{ NULL, datetime_compact_parse, false, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int64_t out = 0;

		cr_assert_eq(rows[i].parse(rows[i].text, &out), rows[i].good, "row %zu: %s", i,
			rows[i].text);
		if (rows[i].good)
			cr_assert_eq(out, rows[i].is, "row %zu: %lld", i, (long long)out);
	}
}

Test(eas_datetime, printed)
{
	static const char *const texts[] = { "19700101T000000Z", "20161010T100000Z",
		"20240229T235959Z" };
	struct mf_arena *a = mf_arena_new();

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		int64_t when = 0;

		cr_assert(datetime_compact_parse(texts[i], &when));
		cr_assert_str_eq(datetime_compact_print(a, when), texts[i]);
	}
	mf_arena_free(a);
}
