/* mime: Outlook's compressed RTF, and the HTML that is wrapped in it. */
#include <criterion/criterion.h>
#include <string.h>

#include "mime/rtf.h"
#include "mime_help.h"

#define N(rows) (sizeof(rows) / sizeof((rows)[0]))

/* The examples of MS-OXRTFCP 4.1.1 and 4.1.2, and what is cut or none. */
Test(mime_rtf, is_decompressed)
{
	static const struct {
		const char *data;
		size_t len;
		const char *plain; /* NULL: refused */
	} rows[] = {
		{ "\x2d\0\0\0\x2b\0\0\0LZFu\xf1\xc5\xc7\xa7\x03\0\x0a\0rcpg125B2\x0a\xf3 hel\x09\0 "
		  "bw\x05\xb0ld}\x0a\x80\x0f\xa0",
			49, "{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n" },
		{ "\x1a\0\0\0\x1c\0\0\0LZFu\xe2\xd4KQA\0\x04 WXYZ\x0dn}\x01\x0e\xb0", 30,
			"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}" },
		{ "\x1a\0\0\0\x1c\0\0\0LZFu\xe2\xd4KQA\0\x04 WX", 22, "{\\rtf1 WX" },
		{ "\x11\0\0\0\x05\0\0\0MELA\0\0\0\0{abc}", 21, "{abc}" },
		{ "\x11\0\0\0\x02\0\0\0MELA\0\0\0\0{abc}", 21, "{a" },
		{ "\x0c\0\0\0\0\0\0\0MELA\0\0\0\0", 16, "" },
		{ "\x0c\0\0\0\0\0\0\0MELB\0\0\0\0", 16, NULL },
		{ "\x0c\0\0\0\0\0\0\0MELA\0\0\0", 15, NULL },
	};

	for (size_t i = 0; i < N(rows); i++) {
		struct mf_buf b;
		struct mf_error err = { 0 };
		enum mf_status st;

		mf_buf_init(&b, 0);
		st = mime_rtf_decompress(mf_bytes(rows[i].data, rows[i].len), 1000, &b, &err);
		cr_assert_eq(st, rows[i].plain == NULL ? MF_INVALID : MF_OK, "row %zu", i);
		if (rows[i].plain != NULL)
			cr_assert_str_eq(mf_buf_str(&b), rows[i].plain, "row %zu", i);
		mf_buf_deinit(&b);
	}
}

Test(mime_rtf, is_never_more_than_wanted)
{
	/* Each reference repeats the 17 characters before it. */
	uint8_t bomb[16 + 17 * 4000] = "\xff\xff\xff\x7f\xff\xff\xff\x7fLZFu";
	struct mf_buf b;
	struct mf_error err = { 0 };

	for (size_t i = 16; i < sizeof(bomb); i += 17) {
		bomb[i] = 0xff;
		for (size_t k = 1; k < 17; k += 2)
			bomb[i + k + 1] = 0x0f; /* from the ring's beginning, 17 bytes */
	}
	mf_buf_init(&b, 0);
	cr_assert_eq(mime_rtf_decompress(mf_bytes(bomb, sizeof(bomb)), 5000, &b, &err), MF_OK);
	cr_assert_leq(b.len, 5000);
	mf_buf_deinit(&b);
}

Test(mime_rtf, is_read)
{
	static const struct {
		const char *rtf, *html, *text;
	} rows[] = {
		{ "{\\rtf1\\ansi\\ansicpg1252\\fromhtml1 \\deff0{\\fonttbl{\\f0\\fswiss "
		  "Arial;}{\\f1\\fmodern\\fcharset204 Courier;}}{\\colortbl;\\red0\\green0\\blue0;}"
		  "\r\n{\\*\\generator Something;}{\\*\\htmltag64 <html>}\\uc1\\pard\\plain "
		  "{\\*\\htmltag84 <b>}\\htmlrtf {\\b\\htmlrtf0 bold & \\'e4 {\\f1 \\'ff}"
		  "{\\*\\htmltag92 </b>}\\htmlrtf }\\htmlrtf0 {\\*\\htmltag84 &nbsp;}\\u8364 ?"
		  "\\u-10179 ?\\u-8704 ?{\\*\\mhtmltag148 <img src=\"x\">}"
		  "{\\*\\htmltag148 <img src=\"cid:a\\{1\\}\">}\\htmlrtf \\par\\htmlrtf0 "
		  "{\\*\\htmltag58 </html>\\par }}",
			"<html><b>bold & \xc3\xa4 \xd1\x8f</b>&nbsp;\xe2\x82\xac\xf0\x9f\x98\x80"
			"<img src=\"cid:a{1}\"></html>\r\n",
			NULL },
		{ "{\\rtf1\\ansi\\ansicpg1251{\\fonttbl{\\f0 A;}}{\\info{\\author X}}"
		  "{\\stylesheet S;}{\\*\\unknown no}\\'cf\\'f0\\par second\\line"
		  "{\\pict 0011{\\bin3 }}}x}}\\tab\\lquote q\\rquote\\~\\endash\\{\\}\\\\}",
			NULL,
			"\xd0\x9f\xd1\x80\r\nsecond\r\n\t\xe2\x80\x98q\xe2\x80\x99\xc2\xa0\xe2\x80"
			"\x93"
			"{}\\" },
		{ "{\\rtf1 {\\uc2\\u1055 ab}c\\u1088\\'3fd}", NULL,
			"\xd0\x9f"
			"c\xd1\x80"
			"d" },
		{ "{\\rtf1 \\'zz\\'4", NULL, "4" },
		{ "{\\rtf1}}}}}after", NULL, "after" },
		{ "no rtf", NULL, NULL },
		{ "", NULL, NULL },
	};
	struct mf_arena *a = mf_arena_new();

	for (size_t i = 0; i < N(rows); i++) {
		struct mime_rtf out;

		mime_rtf_read(a, mf_bytes_str(rows[i].rtf), &out);
		cr_assert_eq(out.html == NULL, rows[i].html == NULL, "row %zu", i);
		cr_assert_eq(out.text == NULL, rows[i].text == NULL, "row %zu: %s", i,
			out.text == NULL ? "none" : out.text);
		if (rows[i].html != NULL)
			cr_assert_str_eq(out.html, rows[i].html, "row %zu: %s", i, out.html);
		if (rows[i].text != NULL)
			cr_assert_str_eq(out.text, rows[i].text, "row %zu: %s", i, out.text);
	}
	mf_arena_free(a);
}

/* Groups beyond the bound are left out, what comes behind them is not. */
Test(mime_rtf, depth_is_bounded)
{
	struct mf_arena *a = mf_arena_new();
	struct mf_buf b;
	struct mime_rtf out;

	mf_buf_init(&b, 0);
	mf_buf_add_str(&b, "{\\rtf1 a");
	for (int i = 0; i < 100000; i++)
		mf_buf_add_byte(&b, '{');
	mf_buf_add_str(&b, "deep");
	for (int i = 0; i < 100000; i++)
		mf_buf_add_byte(&b, '}');
	mf_buf_add_str(&b, "b}");
	mime_rtf_read(a, mf_buf_bytes(&b), &out);
	cr_assert_str_eq(out.text, "ab");
	mf_buf_deinit(&b);
	mf_arena_free(a);
}
