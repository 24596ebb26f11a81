/* base/utf8: the fast way over plain text sees each odd byte, wherever it stands. */
#include <criterion/criterion.h>

#include "base/utf8.h"

enum { LEN = 200 }; /* more than is looked at at once */

Test(utf8, sees_each_byte_in_each_place)
{
	struct mf_buf out;

	mf_buf_init(&out, 0);
	for (unsigned c = 0; c < 256; c++) {
		bool plain = c < 0x80 && (c >= 0x20 || c == '\t' || c == '\n' || c == '\r');
		bool control = c < 0x20 && !plain;

		for (size_t at = 0; at < LEN; at++) {
			char text[LEN];

			memset(text, 'x', sizeof(text));
			text[at] = (char)c;
			cr_assert_eq(utf8_valid_xml(text, LEN), plain, "%02x at %zu", c, at);
			cr_assert_eq(utf8_valid(text, LEN), c < 0x80, "%02x at %zu", c, at);
			mf_buf_clear(&out);
			utf8_sanitise(&out, text, LEN);
			cr_assert_eq(out.len,
				plain	  ? LEN
				: control ? LEN - 1
					  : LEN + 2,
				"%02x at %zu", c, at);
			if (plain)
				cr_assert_eq(memcmp(out.data, text, LEN), 0);
			else if (!control)
				cr_assert_eq(memcmp(out.data + at, "\xef\xbf\xbd", 3), 0);
		}
	}
	mf_buf_deinit(&out);
}

/* Lines, and characters of two to four bytes, in every alignment; and each cut of it. */
Test(utf8, takes_text_in_each_alignment)
{
	static const char text[] = "xxxxxxx\r\nzo\xc3\xab \xe4\xbd\xa0\xe5\xa5\xbd xxxxxxxxxx "
				   "\xf0\x9f\x98\x80\r\n";
	size_t len = sizeof(text) - 1;
	struct mf_buf out;

	mf_buf_init(&out, 0);
	for (size_t from = 0; from <= 9; from++) {
		cr_assert(utf8_valid_xml(text + from, len - from));
		for (size_t n = 0; from + n <= len; n++) {
			bool whole = utf8_cut(text + from, len - from, n) == n;

			cr_assert_eq(
				utf8_valid(text + from, n), whole, "%zu bytes from %zu", n, from);
			mf_buf_clear(&out);
			utf8_sanitise(&out, text + from, n);
			cr_assert(utf8_valid_xml((const char *)out.data, out.len));
			if (whole)
				cr_assert_eq(out.len, n);
		}
	}
	mf_buf_deinit(&out);
}
