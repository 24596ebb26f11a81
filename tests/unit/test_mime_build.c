/* mime: header fields written, raw headers edited. */
#include <criterion/criterion.h>

#include "mime/mime.h"
#include "mime_help.h"

TestSuite(mime_build, .init = mime_init, .fini = mime_deinit);

#define N(rows) (sizeof(rows) / sizeof((rows)[0]))

Test(mime_build, text_survives_the_way_there_and_back)
{
	static const char folded[] = "a very long subject that has to be folded because it has far "
				     "more than seventy-eight "
				     "characters in it, ends in ümläuts and has no sense";
	static const char ascii[] = "plain words plain words plain words plain words plain words "
				    "plain words plain words";
	static const char *const rows[] = { "plain", "Grüße aus Köln", "", "=?utf-8?Q?x?=", folded,
		ascii, "👋 emoji", "ααααααααααααααααααααααααααααααααααααααααααααααααααααααααααααα" };
	struct mf_arena *a = mf_arena_new();

	for (size_t i = 0; i < N(rows); i++) {
		struct mime_header h;
		struct mf_buf b;
		size_t line = 0;

		mf_buf_init(&b, 0);
		mime_field_add_text(&b, "Subject", rows[i]);
		for (size_t j = 0; j < b.len; j++) {
			line = b.data[j] == '\n' ? 0 : line + 1;
			cr_assert_leq(line, 79, "%s", mf_buf_str(&b));
			cr_assert_lt(b.data[j], 128);
		}
		mime_header_parse(a, mf_buf_bytes(&b), &h);
		cr_assert_eq(h.n, 1);
		cr_assert_str_eq(
			mime_header_text(a, &h, "Subject", NULL), rows[i], "%s", mf_buf_str(&b));
		mf_buf_deinit(&b);
	}
	mf_arena_free(a);
}

Test(mime_build, addresses_survive_the_way_there_and_back)
{
	static const char raw[] = "\"Muster, Anna\" <a@b.c>, \"Jörg \\\"X\\\"\" <j@b.c>, p@b.c";
	struct mf_arena *a = mf_arena_new();
	struct mime_addresses list;
	struct mime_header h;
	struct mf_buf b;

	mf_buf_init(&b, 0);
	mime_addresses_parse(a, mf_bytes_str(raw), NULL, &list);
	mime_field_add_addresses(&b, "To", &list);
	mime_header_parse(a, mf_buf_bytes(&b), &h);
	mime_header_addresses(a, &h, "To", NULL, &list);
	cr_assert_str_eq(mime_addresses_full(a, &list, 1000), raw, "%s", mf_buf_str(&b));
	mf_buf_deinit(&b);
	mf_arena_free(a);
}

Test(mime_build, no_value_begins_a_field)
{
	static const struct mime_address evil = { "x\r\nBcc: y", "a@b\r\nBcc: c@d" };
	struct mime_addresses list = { (struct mime_address *)&evil, 1 };
	const char *ids[] = { "a@b>\r\nBcc: x" };
	struct mf_arena *a = mf_arena_new();
	struct mime_header h;
	struct mf_buf b;

	mf_buf_init(&b, 0);
	mime_field_add_text(&b, "Subject", "x\r\nBcc: y\n\nbody");
	mime_field_add_addresses(&b, "To", &list);
	mime_field_add_ids(&b, "References", &(struct mime_ids){ ids, 1 });
	mime_field_add_date(&b, "Date", 1795170030);
	mime_header_parse(a, mf_buf_bytes(&b), &h);
	cr_assert_eq(h.n, 4, "%s", mf_buf_str(&b));
	cr_assert_null(mime_header_find(&h, "Bcc"));
	cr_assert_str_eq(mime_header_text(a, &h, "Date", NULL), "Fri, 20 Nov 2026 10:20:30 +0000");
	mf_buf_deinit(&b);
	mf_arena_free(a);
}

Test(mime_build, edits_touch_nothing_else)
{
	static const struct {
		const char *raw, *add, *want;
		size_t size;
	} rows[] = {
		{ "A: 1\r\nBcc: x,\r\n y\r\nB: 2\r\n\r\nbody", "", "A: 1\r\nB: 2\r\n\r\n", 27 },
		{ "bcc: x\nA: 1\n\nbody", "D: 4\r\n", "D: 4\r\nA: 1\n\n", 13 },
		{ "Bcc : x\r\nbad line\r\nBccX: 1\r\n\r\n", "", "bad line\r\nBccX: 1\r\n\r\n", 30 },
		{ "A: 1", "", "A: 1\r\n\r\n", 4 },
		{ "A: 1\r\nBcc: x", "", "A: 1\r\n\r\n", 12 },
		{ "\r\nbody", "A: 1\r\n", "A: 1\r\n\r\n", 2 },
		{ "", "", "\r\n", 0 },
	};
	const char *const remove[] = { "Bcc", NULL };

	for (size_t i = 0; i < N(rows); i++) {
		struct mime_edit edit = { remove, mf_bytes_str(rows[i].add) };
		struct mf_buf b;
		size_t n;

		mf_buf_init(&b, 0);
		n = mime_header_edit(&b, mf_bytes_str(rows[i].raw), &edit);
		cr_assert_str_eq(mf_buf_str(&b), rows[i].want, "%zu: <%s>", i, mf_buf_str(&b));
		cr_assert_eq(n, rows[i].size, "%zu: %zu", i, n);
		mf_buf_deinit(&b);
	}
}
