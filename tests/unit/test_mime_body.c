/* mime: transfer decoding, charsets, bodies, HTML and text. */
#include <criterion/criterion.h>
#include <iconv.h>

#include "mime/charset_table.h"
#include "mime_help.h"

#define N(rows) (sizeof(rows) / sizeof((rows)[0]))

static struct mf_part
text_part(const char *subtype, const char *encoding, uint64_t size)
{
	static const struct mf_param utf8 = { "charset", "utf-8" };

	return (struct mf_part){ .section = "1",
		.type = "text",
		.subtype = subtype,
		.params = &utf8,
		.n_params = 1,
		.content_id = "",
		.description = "",
		.encoding = encoding,
		.disposition = "",
		.location = "",
		.size = size };
}

Test(mime_decode, decodes)
{
	static const struct {
		enum mime_encoding encoding;
		const char *in, *want;
	} rows[] = {
		{ MIME_ENCODING_NONE, "as\r\nis=", "as\r\nis=" },
		{ MIME_ENCODING_BASE64, "", "" },
		{ MIME_ENCODING_BASE64, "SGVsbG8=", "Hello" },
		{ MIME_ENCODING_BASE64, "SGVsbG8", "Hello" },
		{ MIME_ENCODING_BASE64, "SGVs\r\nbG8h\r\n", "Hello!" },
		{ MIME_ENCODING_BASE64, "S!G.V*s bG8=", "Hello" },
		{ MIME_ENCODING_BASE64, "SGVsbG8=LCB5b3U=", "Hello, you" },
		{ MIME_ENCODING_BASE64, "SGVsbG8=\n--\nlist", "Hello" },
		{ MIME_ENCODING_BASE64, "SGVsbG8h\n____\nlist", "Hello!" },
		{ MIME_ENCODING_BASE64, "S", "" },
		{ MIME_ENCODING_QP, "a=3Db=3d", "a=b=" },
		{ MIME_ENCODING_QP, "soft=\r\nbreak", "softbreak" },
		{ MIME_ENCODING_QP, "soft= \t\r\nbreak", "softbreak" },
		{ MIME_ENCODING_QP, "soft=\nbreak", "softbreak" },
		{ MIME_ENCODING_QP, "trailing \t\r\nnext", "trailing\r\nnext" },
		{ MIME_ENCODING_QP, "in the  middle", "in the  middle" },
		{ MIME_ENCODING_QP, "bad=ZZ=4", "bad=ZZ" },
		{ MIME_ENCODING_QP, "bad=4Z", "bad=4Z" },
		{ MIME_ENCODING_QP, "end=", "end" },
		{ MIME_ENCODING_QP, "kept=20\r\n", "kept \r\n" },
		{ MIME_ENCODING_QP, "cr\rmiddle", "cr\rmiddle" },
		{ MIME_ENCODING_UU, "text\nbegin 644 x\n%2&5L;&\\\n`\nend\nafter", "Hello" },
		{ MIME_ENCODING_UU, "no begin\n%2&5L;&\\\n", "" },
	};

	for (size_t i = 0; i < N(rows); i++) {
		struct mf_buf b;

		mf_buf_init(&b, 0);
		mime_decode(rows[i].encoding, mf_bytes_str(rows[i].in), &b);
		cr_assert_str_eq(mf_buf_str(&b), rows[i].want, "<%s> gives <%s>", rows[i].in,
			mf_buf_str(&b));
		mf_buf_deinit(&b);
	}
}

/* What is decoded in blocks against what is decoded byte by byte: lines of every length, with what does not
 * belong there at every place. */
Test(mime_decode, blocks_are_as_single_bytes)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	static const char *const odd[] = { "", "\r\n", "\n", " ", "=", "==", "-", "\r", "\xff", "@",
		"[", "`", "{", "\t", ".", "\r\n\r\n" };
	uint32_t seed = 1;

	for (size_t i = 0; i < 20000; i++) {
		size_t len = i % 151, at = i % 149, cut = i % 97;
		struct mime_decoder d;
		struct mf_buf in, whole, single;

		mf_buf_init(&in, 0);
		mf_buf_init(&whole, 0);
		mf_buf_init(&single, 0);
		for (size_t k = 0; k < len; k++) {
			seed = seed * 1103515245 + 12345;
			if (k == at)
				mf_buf_add_str(
					&in, odd[(seed >> 8) % (sizeof(odd) / sizeof(odd[0]))]);
			if (k % 76 == 75)
				mf_buf_add_str(&in, "\r\n");
			mf_buf_add_byte(&in, (uint8_t)alphabet[(seed >> 16) % 64]);
		}
		cut = cut < in.len ? cut : in.len;
		mime_decoder_init(&d, MIME_ENCODING_BASE64);
		mime_decoder_push(&d, in.data, cut, &whole);
		mime_decoder_push(&d, in.data + cut, in.len - cut, &whole);
		mime_decoder_end(&d, &whole);
		mime_decoder_init(&d, MIME_ENCODING_BASE64);
		for (size_t k = 0; k < in.len; k++)
			mime_decoder_push(&d, in.data + k, 1, &single);
		mime_decoder_end(&d, &single);
		cr_assert_eq(whole.len, single.len, "%zu: %s", i, mf_buf_str(&in));
		cr_assert_eq(whole.len == 0 ? 0 : memcmp(whole.data, single.data, whole.len), 0,
			"%zu: %s", i, mf_buf_str(&in));
		mf_buf_deinit(&in);
		mf_buf_deinit(&whole);
		mf_buf_deinit(&single);
	}
}

Test(mime_decode, names_are_known)
{
	cr_assert_eq(mime_encoding_parse("BASE64"), MIME_ENCODING_BASE64);
	cr_assert_eq(mime_encoding_parse(" Quoted-Printable (x)"), MIME_ENCODING_QP);
	cr_assert_eq(mime_encoding_parse("x-uuencode"), MIME_ENCODING_UU);
	cr_assert_eq(mime_encoding_parse("base641"), MIME_ENCODING_NONE);
	cr_assert_eq(mime_encoding_parse("8bit"), MIME_ENCODING_NONE);
	cr_assert_eq(mime_encoding_parse(NULL), MIME_ENCODING_NONE);
}

Test(mime_decode, a_ceiling_keeps_what_fits)
{
	struct mf_buf b;

	mf_buf_init(&b, 5);
	mime_decode(MIME_ENCODING_BASE64, mf_bytes_str("SGVsbG8="), &b);
	cr_assert(!b.failed);
	cr_assert_str_eq(mf_buf_str(&b), "Hello");
	mime_decode(MIME_ENCODING_BASE64, mf_bytes_str("SGVsbG8="), &b);
	cr_assert(b.failed);
	mf_buf_deinit(&b);
}

Test(mime_decode, the_estimate_is_near)
{
	struct mf_buf b;

	mf_buf_init(&b, 0);
	for (size_t size = 0; size < 10000; size += 777) {
		uint64_t guess = mime_decoded_estimate(MIME_ENCODING_BASE64, b.len);
		uint64_t exact = mime_decoded_length(MIME_ENCODING_BASE64, mf_buf_bytes(&b));

		cr_assert_leq(guess > exact ? guess - exact : exact - guess, 3, "%zu", b.len);
		for (size_t i = 0; i < 10; i++) {
			for (size_t j = 0; j < 76; j++)
				mf_buf_add_byte(&b, 'A');
			mf_buf_add_str(&b, "\r\n");
		}
	}
	mf_buf_deinit(&b);
}

Test(mime_charset, the_table_is_sorted_and_known_to_iconv)
{
	for (size_t i = 0; i < charset_rows_n; i++) {
		iconv_t cd = iconv_open("UTF-8", charset_rows[i].iconv);

		cr_assert(cd != (iconv_t)-1, "iconv does not know %s", charset_rows[i].iconv);
		iconv_close(cd);
		if (i > 0)
			cr_assert_lt(strcmp(charset_rows[i - 1].label, charset_rows[i].label), 0,
				"%s", charset_rows[i].label);
		cr_assert_eq(charset_find(charset_rows[i].label), &charset_rows[i]);
	}
	cr_assert_str_eq(mime_charset_name(" \"GB2312\""), "GB18030");
	cr_assert_str_eq(mime_charset_name("x-other"), "x-other");
	cr_assert_null(mime_charset_name(""));
	cr_assert_eq(mime_charset_codepage("Shift_JIS"), 932);
	cr_assert_eq(mime_charset_codepage("x-other"), 65001);
	cr_assert_eq(mime_charset_codepage(NULL), 65001);
}

Test(mime_charset, cut_data_lose_only_their_last_character)
{
	static const struct {
		const char *label, *data;
		size_t len;
		const char *want;
	} rows[] = {
		{ "utf-8", "\xc3\xa4\xc3", 3, "ä" },
		{ "utf-8", "\xf0\x9f\x91", 3, "" },
		{ NULL, "\xc3\xa4\xe2\x82", 4, "ä" },
		{ "gb2312", "\xd6\xd0\xce", 3, "中" },
		{ "shift_jis", "\x93\xfa\x96", 3, "日" },
		{ "utf-16le", "a\0b", 3, "a" },
		{ "utf-8", "a\xff", 2, "aÿ" },
	};

	for (size_t i = 0; i < N(rows); i++) {
		struct mf_buf b;

		mf_buf_init(&b, 0);
		mime_charset_to_utf8(&b, rows[i].label, NULL, rows[i].data, rows[i].len, true);
		cr_assert_str_eq(mf_buf_str(&b), rows[i].want, "%zu: <%s>", i, mf_buf_str(&b));
		mf_buf_deinit(&b);
	}
}

Test(mime_body, is_cut_between_characters)
{
	static const char text[] = "äöü\r\nline two\r\n";
	struct mf_arena *a = mf_arena_new();
	struct mf_part part = text_part("plain", "8bit", sizeof(text) - 1);
	struct mime_piece piece = { &part, mf_bytes_str(text), false };
	struct mime_body body;

	for (size_t max = 0; max < 30; max++) {
		mime_body_render(a, &piece, 1, MIME_PLAIN, max, &body);
		cr_assert_leq(body.len, max);
		cr_assert(body.len + 2 >= (max < sizeof(text) - 1 ? max : sizeof(text) - 1));
		cr_assert_eq(body.truncated, body.len < sizeof(text) - 1, "%zu", max);
		cr_assert(body.len == 0 || body.text[body.len - 1] != '\r');
		cr_assert(utf8_valid(body.text, body.len));
	}
	cr_assert_eq(body.size, sizeof(text) - 1);
	cr_assert(!body.estimated);
	mf_arena_free(a);
}

Test(mime_body, a_cut_piece_has_an_estimated_size)
{
	struct mf_arena *a = mf_arena_new();
	struct mf_part part = text_part("plain", "7bit", 100000);
	char data[1000];
	struct mime_piece piece = { &part, mf_bytes(data, sizeof(data)), true };
	struct mime_body body;

	memset(data, 'x', sizeof(data));
	mime_body_render(a, &piece, 1, MIME_PLAIN, 500, &body);
	cr_assert_eq(body.len, 500);
	cr_assert(body.truncated && body.estimated);
	cr_assert(body.size > 90000 && body.size < 110000, "%zu", (size_t)body.size);
	mf_arena_free(a);
}

Test(mime_body, the_size_to_fetch_follows_the_size_wanted)
{
	struct mf_part plain = text_part("plain", "7bit", 100000);
	struct mf_part base64 = text_part("plain", "base64", 100000);
	struct mf_part html = text_part("html", "7bit", 1000000);
	struct mf_part little = text_part("html", "7bit", 3000);

	cr_assert_geq(mime_body_fetch_size(&plain, MIME_PLAIN, 5120), 5120);
	cr_assert_leq(mime_body_fetch_size(&plain, MIME_PLAIN, 5120), 5400);
	cr_assert_geq(mime_body_fetch_size(&base64, MIME_PLAIN, 5120), 6990);
	cr_assert_leq(mime_body_fetch_size(&base64, MIME_PLAIN, 5120), 7400);
	cr_assert_gt(mime_body_fetch_size(&html, MIME_PLAIN, 5120), 40000);
	cr_assert_eq(mime_body_fetch_size(&little, MIME_PLAIN, 500), 0);
	cr_assert_eq(mime_body_fetch_size(&plain, MIME_HTML, SIZE_MAX), 0);
}

Test(mime_body, html_is_not_cut_within_a_tag)
{
	static const char html[] =
		"<p>text</p><a href=\"https://example.org/\">link</a> &amp; more";
	struct mf_arena *a = mf_arena_new();
	struct mf_part part = text_part("html", "7bit", sizeof(html) - 1);
	struct mime_piece piece = { &part, mf_bytes_str(html), false };
	struct mime_body body;

	mime_body_render(a, &piece, 1, MIME_HTML, 20, &body);
	cr_assert_str_eq(body.text, "<p>text</p>");
	mime_body_render(a, &piece, 1, MIME_HTML, 52, &body);
	cr_assert_str_eq(body.text, "<p>text</p><a href=\"https://example.org/\">link</a> ");
	mf_arena_free(a);
}

Test(mime_body, html_says_utf8)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{ "<meta charset=iso-8859-1>x", "<meta charset=utf-8>x" },
		{ "<META http-equiv='x' content='text/html; charset = koi8-r'>x",
			"<META http-equiv='x' content='text/html; charset = utf-8'>x" },
		{ "<?xml version=\"1.0\" encoding=\"latin1\"?><p>x",
			"<?xml version=\"1.0\" encoding=\"utf-8\"?><p>x" },
		{ "<p>charset=latin1</p>", "<p>charset=latin1</p>" },
		{ "<meta charset='a'><meta charset='b'>",
			"<meta charset='utf-8'><meta charset='utf-8'>" },
		{ "<meta charset", "<meta charset" },
	};
	struct mf_arena *a = mf_arena_new();

	for (size_t i = 0; i < N(rows); i++) {
		struct mf_part part = text_part("html", "7bit", strlen(rows[i].in));
		struct mime_piece piece = { &part, mf_bytes_str(rows[i].in), false };
		struct mime_body body;

		mime_body_render(a, &piece, 1, MIME_HTML, SIZE_MAX, &body);
		cr_assert_str_eq(body.text, rows[i].want, "<%s>", body.text);
	}
	mf_arena_free(a);
}

Test(mime_body, pieces_are_joined)
{
	static const char one[] = "<html><body><p>one</p></body></html>", two[] = "two <&>",
			  three[] = "<html><body><p>three</p></body></html>";
	struct mf_arena *a = mf_arena_new();
	struct mf_part html = text_part("html", "7bit", 0), plain = text_part("plain", "7bit", 0);
	struct mime_piece pieces[] = { { &html, mf_bytes_str(one), false },
		{ &plain, mf_bytes_str(two), false }, { &html, mf_bytes_str(three), false } };
	struct mime_body body;

	mime_body_render(a, pieces, 3, MIME_PLAIN, SIZE_MAX, &body);
	cr_assert_str_eq(body.text, "one\r\n\r\ntwo <&>\r\nthree\r\n", "<%s>", body.text);
	mime_body_render(a, pieces, 3, MIME_HTML, SIZE_MAX, &body);
	cr_assert_str_eq(body.text,
		"<html><body><p>one</p>\r\n<br>\r\ntwo &lt;&amp;&gt;\r\n\r\n<br>\r\n<p>three</p>"
		"</body></html>",
		"<%s>", body.text);
	mime_body_render(a, NULL, 0, MIME_HTML, SIZE_MAX, &body);
	cr_assert_eq(body.len, 0);
	mf_arena_free(a);
}

Test(mime_body, previews_are_short_and_on_one_line)
{
	static const struct {
		const char *subtype, *in, *want;
	} rows[] = {
		{ "plain", "", "" },
		{ "plain", "one\r\n\r\n  two\tthree", "one two three" },
		{ "plain", "äöüäöüäöüäöüäöüäöü and so on", "äöüäöüäöüäöüäöüäöü a" },
		{ "html", "<style>p{}</style><p>one <a href='https://x.y/'>two</a></p>",
			"one two" },
	};
	struct mf_arena *a = mf_arena_new();

	for (size_t i = 0; i < N(rows); i++) {
		struct mf_part part = text_part(rows[i].subtype, "7bit", strlen(rows[i].in));
		struct mime_piece piece = { &part, mf_bytes_str(rows[i].in), false };

		cr_assert_str_eq(
			mime_body_preview(a, &piece, 1, 20), rows[i].want, "%s", rows[i].in);
	}
	mf_arena_free(a);
}

Test(mime_body, html_becomes_text)
{
	static const struct {
		const char *html, *want;
	} rows[] = {
		{ "", "" },
		{ "plain", "plain\n" },
		{ "<p>one</p><p>two</p>", "one\n\ntwo\n" },
		{ "<div>one</div><div>two</div>", "one\ntwo\n" },
		{ "one<br>two<br><br>three", "one\ntwo\n\nthree\n" },
		{ "one<br><br><br><br><br><br><p>two</p><br><br><br>", "one\n\n\ntwo\n" },
		{ "<ul><li><br>one</ul>", "* one\n" },
		{ "one<!-- no --> two <!-- never ends <b>three</b> <!--nor this> four",
			"one two three four\n" },
		{ "<p><a href=\"https://a.example/x\"><img src=\"a.png\"></a></p>",
			"<https://a.example/x>\n" },
		{ "Text<a href=\"https://a.example/x\"><img src=\"a.png\"></a>", "Text\n" },
		{ "<a href=\"mailto:a@b.example?subject=Remove%20me\">Remove</a>",
			"Remove <a@b.example>\n" },
		{ "a  b\n\tc", "a b c\n" },
		{ "a&nbsp;&amp;&#8364;", "a &€\n" },
		{ "<b>bo</b>ld <i>it</i>", "bold it\n" },
		{ "<ul><li>a</li><li><p>b</p></li></ul>c", "* a\n* b\nc\n" },
		{ "<ol><li>a<li>b<ul><li>c</ul></ol>", "1. a\n2. b\n  * c\n" },
		{ "<a href='https://x.y/z'>text</a>", "text <https://x.y/z>\n" },
		{ "<a href='https://x.y/'>https://x.y</a>", "https://x.y\n" },
		{ "<a href='mailto:a@b.c'>Anna</a>", "Anna <a@b.c>\n" },
		{ "<a href='mailto:a@b.c'>a@b.c</a>", "a@b.c\n" },
		{ "<a href='javascript:x'>js</a><a href='#top'>top</a>", "jstop\n" },
		{ "<table><tr><td>a</td><td>b</td></tr><tr><td>c</table>", "a\tb\nc\n" },
		{ "<table><tr><td>a<td>&nbsp;<td> b</table>", "a\tb\n" },
		{ "a<blockquote>b<br>c<blockquote>d</blockquote></blockquote>e",
			"a\n> b\n> c\n> > d\ne\n" },
		{ "<pre>a\n  b</pre>", "a\n  b\n" },
		{ "a<hr>b", "a\n----------------------------------------\nb\n" },
		{ "<img alt=' pic '><img alt=''><img>", "[pic]\n" },
		{ "<script>x</script><style>y</style><title>z</title>a", "a\n" },
		{ "<!-- c -->a", "a\n" },
		{ "<p>a<p></p><p></p><p>b", "a\n\nb\n" },
		{ "<h1>T</h1>x", "T\n\nx\n" },
		{ "a\xe2\x80\x8c\xc2\xa0\xcd\x8f z", "a z\n" },
		{ "<x-unknown>a</x-unknown>", "a\n" },
		{ "a<", "a<\n" },
		{ "a<b", "a\n" },
		{ "1 < 2 <3 </3", "1 < 2 <3 </3\n" },
		{ "a<![if !supportLists]>b<![endif]> c<?xml:x y?></ p></>", "ab c\n" },
		{ "<a href=\"http://x.y/?a>b\">t</a>", "t <http://x.y/?ab>\n" },
		{ "<a href=http://x.y/>t</a>", "t <http://x.y/>\n" },
		{ "<a title=href\n HREF = 'http://x.y/?a=1&amp;b=2'>t</a>",
			"t <http://x.y/?a=1&b=2>\n" },
		{ "<p title=\"never ends>text</p>more", "text\n\nmore\n" },
		{ "&lt;&GT;&nosuch;&amp &#65&#x42;&#0;&#xd800;&#99999999999;c",
			"<&GT;&nosuch;&amp ABc\n" },
		{ "<style>p > a {}</p></style>t<script>if (a</b/) '</p>'</SCRIPT>u", "tu\n" },
		{ "a<script>never ends <b>text</b> more", "a\n" },
		{ "<title>never ends<p>text", "text\n" },
		{ "<p>a <font>b<div>c</font></div>d", "a b\n\nc\nd\n" },
		{ "<table><tr><td><p>a</td></p><td>b</tr></table></td></div>c", "a\n\nb\nc\n" },
		{ "<ul><li><p>a</ul></p><ul><li>b</li></li></ul>", "* a\n* b\n" },
		{ "<dl><dt>a<dd>b<dt>c<dd>d</dl>e", "a\n  b\nc\n  d\ne\n" },
		{ "<a name=x/>a<a href='http://x.y'>b<a href='http://z.y'>c",
			"ab <http://x.y>c <http://z.y>\n" },
		{ "<o:p>a</o:p><p/>b<hr/>", "a\n\nb\n----------------------------------------\n" },
		{ "<xml><w:View>x</w:View><p>y</p></xml>z", "z\n" },
	};

	for (size_t i = 0; i < N(rows); i++) {
		struct mf_buf b;

		mf_buf_init(&b, 0);
		cr_assert(
			mime_html_to_text(&b, rows[i].html, strlen(rows[i].html), SIZE_MAX, true));
		cr_assert_str_eq(mf_buf_str(&b), rows[i].want, "<%s> gives <%s>", rows[i].html,
			mf_buf_str(&b));
		mf_buf_deinit(&b);
	}
}

/* What never ends, many times: the time is linear, the depth bounded. */
Test(mime_body, html_to_text_is_linear)
{
	static const char *const pieces[] = { "<p title=\"", "<!--", "<!-- >", "<script>",
		"<style></x>", "<blockquote>", "<a href='", "<table><tr><td><p>", "&#", "&amp",
		"</", "<![", "<li>a", "<title>", "= \"'" };

	for (size_t i = 0; i < N(pieces); i++) {
		struct mf_buf html, text;

		mf_buf_init(&html, 0);
		mf_buf_init(&text, 0);
		for (int n = 0; n < 150000; n++)
			mf_buf_add_str(&html, pieces[i]);
		mime_html_to_text(&text, (const char *)html.data, html.len, SIZE_MAX, true);
		cr_assert_leq(text.len, html.len * 12, "%s", pieces[i]);
		mf_buf_deinit(&text);
		mf_buf_deinit(&html);
	}
}

Test(mime_body, html_to_text_stops)
{
	struct mf_buf html, text;

	mf_buf_init(&html, 0);
	mf_buf_init(&text, 0);
	for (int i = 0; i < 10000; i++)
		mf_buf_add_str(&html, "<p>some words</p>");
	cr_assert(!mime_html_to_text(&text, (const char *)html.data, html.len, 1000, true));
	cr_assert(text.len > 1000 && text.len < 1100, "%zu", text.len);
	mf_buf_deinit(&text);
	mf_buf_deinit(&html);
}

Test(mime_body, text_becomes_html)
{
#define QUOTE                                                                             \
	"<blockquote type=\"cite\" style=\"margin:0 0 0 .8ex;border-left:1px #ccc solid;" \
	"padding-left:1ex\">"
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "" },
		{ "a", "a\r\n" },
		{ "a\nb\r\nc\n", "a<br>\r\nb<br>\r\nc\r\n" },
		{ "<&\">", "&lt;&amp;&quot;&gt;\r\n" },
		{ "a  b", "a &nbsp;b\r\n" },
		{ "see http://x.y/z?a=1&b=2.", "see <a href=\"http://x.y/z?a=1&amp;b=2\">"
					       "http://x.y/z?a=1&amp;b=2</a>.\r\n" },
		{ "(https://x.y)", "(<a href=\"https://x.y\">https://x.y</a>)\r\n" },
		{ "javascript://x http:// a:b", "javascript://x http:// a:b\r\n" },
		{ "> q\n>> d\nend", QUOTE "q" QUOTE "d</blockquote>\r\n</blockquote>\r\nend\r\n" },
	};

	for (size_t i = 0; i < N(rows); i++) {
		struct mf_buf b;

		mf_buf_init(&b, 0);
		mime_text_to_html(&b, rows[i].text, strlen(rows[i].text));
		cr_assert_str_eq(mf_buf_str(&b), rows[i].want, "<%s> gives <%s>", rows[i].text,
			mf_buf_str(&b));
		mf_buf_deinit(&b);
	}
}
