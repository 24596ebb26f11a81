/* mime: fields, text, addresses, dates, ids, parameters: tables of what comes in and what must be shown. */
#include <criterion/criterion.h>

#include "mime_help.h"

#define N(rows) (sizeof(rows) / sizeof((rows)[0]))

Test(mime_header, text_is_decoded)
{
	static const struct {
		const char *raw, *charset, *want;
	} rows[] = {
		{ "", NULL, "" },
		{ "  plain  ", NULL, "plain" },
		{ "folded\r\n text\r\n\tmore", NULL, "folded text more" },
		{ "folded\n text", NULL, "folded text" },
		{ "=?utf-8?Q?=C3=A4?=", NULL, "ä" },
		{ "=?UTF-8?b?w6Q=?=", NULL, "ä" },
		{ "=?utf-8?Q?a?= =?utf-8?Q?b?=", NULL, "ab" },
		{ "=?utf-8?Q?a?=\r\n =?utf-8?Q?b?=", NULL, "ab" },
		{ "=?utf-8?Q?a?= b =?utf-8?Q?c?=", NULL, "a b c" },
		{ "=?utf-8?Q?a_?= =?utf-8?Q?_b?=", NULL, "a  b" },
		{ "(=?iso-8859-1?Q?a?=)", NULL, "(a)" },
		{ "=?iso-8859-15?Q?=A4?=", NULL, "€" },
		{ "=?us-ascii?Q?gr=FCn?=", NULL, "grün" },
		{ "=?us-ascii?Q?gr=C3=BCn?=", NULL, "grün" },
		{ "=?iso-8859-1?Q?gr=C3=BCn?=", NULL, "grün" },
		{ "gr\xfcn", NULL, "grün" },
		{ "gr\xc3\xbcn", NULL, "grün" },
		{ "\xd0\xd2\xc9\xd7\xc5\xd4", "koi8-r", "привет" },
		{ "\xe9\xed", "windows-1255", "ים" }, /* iconv holds the last letter back */
		{ "\xd6\xd0\xce\xc4", "gb2312", "中文" },
		{ "=?gb2312?B?1tDOxA==?=", NULL, "中文" },
		{ "=?utf-8?B?RWluIFRleHQ?=", NULL, "Ein Text" },
		{ "=?utf-8?B?RWlu\r\n IFRleHQ=?=", NULL, "Ein Text" },
		{ "no word: =?utf-8? and =? and ?=", NULL, "no word: =?utf-8? and =? and ?=" },
		{ "a=?b", NULL, "a=?b" },
		{ "tab\tand\x01 control", NULL, "tab and control" },
		{ "=?utf-8?Q?line=0D=0AX-Forged:_yes?=", NULL, "line X-Forged: yes" },
		{ "=?utf-8?Q?nul=00byte?=", NULL, "nulbyte" },
	};
	struct mf_arena *a = mf_arena_new();

	for (size_t i = 0; i < N(rows); i++) {
		const char *got = mime_text_decode(a, mf_bytes_str(rows[i].raw), rows[i].charset);

		cr_assert_str_eq(got, rows[i].want, "%zu: <%s> gives <%s>", i, rows[i].raw, got);
	}
	mf_arena_free(a);
}

Test(mime_header, addresses_are_understood)
{
	static const struct {
		const char *raw, *full, *display;
	} rows[] = {
		{ "", "", "" },
		{ "a@b.c", "a@b.c", "a@b.c" },
		{ "<a@b.c>", "a@b.c", "a@b.c" },
		{ "Anna <a@b.c>", "\"Anna\" <a@b.c>", "Anna" },
		{ "a@b.c (Anna)", "\"Anna\" <a@b.c>", "Anna" },
		{ "\"Anna, B.\" <a@b.c>, Bert <b@b.c>", "\"Anna, B.\" <a@b.c>, \"Bert\" <b@b.c>",
			"Anna, B.;Bert" },
		{ "\"An\\\"na\" <a@b.c>", "\"An\\\"na\" <a@b.c>", "An\"na" },
		{ "\"a@b.c\" <a@b.c>", "a@b.c", "a@b.c" },
		{ "=?utf-8?Q?J=C3=B6rg?= <j@b.c>", "\"Jörg\" <j@b.c>", "Jörg" },
		{ "\"=?utf-8?Q?J=C3=B6rg?=\" <j@b.c>", "\"Jörg\" <j@b.c>", "Jörg" },
		{ "=?utf-8?Q?M=C3=BCller,_J?= <j@b.c>", "\"Müller, J\" <j@b.c>", "Müller, J" },
		{ "=?utf-8?Q?M=C3=BCller=2C?= =?utf-8?Q?_J?= <j@b.c>", "\"Müller, J\" <j@b.c>",
			"Müller, J" },
		{ "Team: a@b.c, B <b@b.c>;", "a@b.c, \"B\" <b@b.c>", "a@b.c;B" },
		{ "undisclosed-recipients:;", "\"undisclosed-recipients\"",
			"undisclosed-recipients" },
		{ "a@b.c; d@e.f", "a@b.c, d@e.f", "a@b.c;d@e.f" },
		{ "\"Anna <a@b.c>, \"Bert\" <b@b.c>", "\"Anna\" <a@b.c>, \"Bert\" <b@b.c>",
			"Anna;Bert" },
		{ "Anna a@b.c", "\"Anna\" <a@b.c>", "Anna" },
		{ "a @ b.c", "a@b.c", "a@b.c" },
		{ "<<a@b.c>>", "a@b.c", "a@b.c" },
		{ "<a@b.c", "a@b.c", "a@b.c" },
		{ "<a@b.c> <d@e.f>", "a@b.c, d@e.f", "a@b.c;d@e.f" },
		{ "Anna <work> <a@b.c>", "\"Anna <work>\" <a@b.c>", "Anna <work>" },
		{ "<@x.y,@z:a@b.c>", "a@b.c", "a@b.c" },
		{ "<mailto:a@b.c>", "a@b.c", "a@b.c" },
		{ "\"john doe\"@b.c", "\"john doe\"@b.c", "\"john doe\"@b.c" },
		{ "'Anna' <a@b.c>", "\"Anna\" <a@b.c>", "Anna" },
		{ "=?utf-8?Q?Anna_=3Ca=40b.c=3E?=", "\"Anna\" <a@b.c>", "Anna" },
		{ "root", "root", "root" },
		{ "Anna Muster", "\"Anna Muster\"", "Anna Muster" },
		{ ",,, ,a@b.c,,", "a@b.c", "a@b.c" },
		{ "Anna\r\n <a@b.c>,\r\n\tb@b.c", "\"Anna\" <a@b.c>, b@b.c", "Anna;b@b.c" },
		{ "J\xfcrgen <j@b.c>", "\"Jürgen\" <j@b.c>", "Jürgen" },
		{ "j\xc3\xbcrgen@b.c", "jürgen@b.c", "jürgen@b.c" },
		{ "Anna (the (nested) boss) <a@b.c>", "\"Anna\" <a@b.c>", "Anna" },
		{ "<a@b.c> (only a comment)", "\"only a comment\" <a@b.c>", "only a comment" },
	};
	struct mf_arena *a = mf_arena_new();

	for (size_t i = 0; i < N(rows); i++) {
		struct mime_addresses list;
		const char *full, *display;

		mime_addresses_parse(a, mf_bytes_str(rows[i].raw), NULL, &list);
		full = mime_addresses_full(a, &list, 10000);
		display = mime_addresses_display(a, &list, 10000);
		cr_assert_str_eq(full, rows[i].full, "<%s> gives <%s>", rows[i].raw, full);
		cr_assert_str_eq(display, rows[i].display, "<%s> gives <%s>", rows[i].raw, display);
	}
	mf_arena_free(a);
}

Test(mime_header, address_lists_are_cut_between_addresses)
{
	struct mf_arena *a = mf_arena_new();
	struct mime_addresses list;

	mime_addresses_parse(a, mf_bytes_str("a@b.c, d@e.f, g@h.i"), NULL, &list);
	cr_assert_str_eq(mime_addresses_full(a, &list, 12), "a@b.c, d@e.f");
	cr_assert_str_eq(mime_addresses_full(a, &list, 11), "a@b.c");
	cr_assert_str_eq(mime_addresses_full(a, &list, 4), "");
	mf_arena_free(a);
}

Test(mime_header, dates_are_read)
{
	enum { DAY = 1795132800 }; /* 2026-11-20 00:00:00 UTC */
	static const struct {
		const char *raw;
		int64_t want; /* 0: unreadable */
	} rows[] = {
		{ "Fri, 20 Nov 2026 10:20:30 +0000", DAY + 37230 },
		{ "Fri, 20 Nov 2026 10:20:30 +0100", DAY + 33630 },
		{ "Fri, 20 Nov 2026 10:20:30 -0530 (comment (nested))", DAY + 57030 },
		{ "20 Nov 2026 10:20 GMT", DAY + 37200 },
		{ "20 Nov 26 10:20:30 UT", DAY + 37230 },
		{ "20 Nov 2026 10:20:30", DAY + 37230 },
		{ "20 Nov 2026 10:20:30 EST", DAY + 55230 },
		{ "20 Nov 2026 10:20:30 CET", DAY + 33630 },
		{ "20 Nov 2026", DAY },
		{ "20-Nov-2026 10:20:30 +0000", DAY + 37230 },
		{ "Fri Nov 20 10:20:30 2026", DAY + 37230 },
		{ "Fri Nov 20 10:20:30 GMT 2026", DAY + 37230 },
		{ "2026-11-20T10:20:30Z", DAY + 37230 },
		{ "2026-11-20 10:20:30.123+01:00", DAY + 33630 },
		{ "11/20/2026 10:20:30 PM", DAY + 80430 },
		{ "20.11.2026 10:20", DAY + 37200 },
		{ "Friday, November 20, 2026 10:20:30 AM", DAY + 37230 },
		{ "Fri, 20 Nov 2026 10:20:30 +0000 (GMT)\r\n", DAY + 37230 },
		{ "Fri,20 Nov 2026 10:20:60 +0000", DAY + 37260 },
		{ "1 Jan 1970 00:00:01 +0000", 1 },
		{ "29 Feb 2024 00:00:00 +0000", 1709164800 },
		{ "Thu, 1 Jan 98 12:00:00 +0000", 883656000 },
		{ "", 0 },
		{ "yesterday", 0 },
		{ "99 Nov 2026 10:20:30 +0000", 0 },
		{ "20 Nov 2026 99:20:30 +0000", 0 },
		{ "20 Nov 99999999999999999999", 0 },
		{ "Nov", 0 },
	};

	for (size_t i = 0; i < N(rows); i++) {
		int64_t got = 0;
		bool ok = mime_date_parse(mf_bytes_str(rows[i].raw), &got);

		cr_assert_eq(ok, rows[i].want != 0, "<%s>", rows[i].raw);
		cr_assert_eq(got, rows[i].want, "<%s> gives %lld", rows[i].raw, (long long)got);
	}
}

Test(mime_header, ids_are_found)
{
	static const struct {
		const char *raw, *want;
	} rows[] = {
		{ "", "" },
		{ "<a@b>", "a@b" },
		{ "<a@b> <c@d>\r\n <e@f>", "a@b|c@d|e@f" },
		{ "<a@b><c@d>,<a@b>", "a@b|c@d" },
		{ "Your message of Friday <a@b>", "a@b" },
		{ "Message from Bart", "" },
		{ "a@b", "a@b" },
		{ "a@b and words", "" },
		{ "<a\r\n @b>", "a@b" },
		{ "<a@b", "" },
		{ "<>", "" },
		{ "<no-at>", "no-at" },
	};
	struct mf_arena *a = mf_arena_new();

	for (size_t i = 0; i < N(rows); i++) {
		const char *got = "";
		struct mime_ids ids;

		mime_ids_parse(a, mf_bytes_str(rows[i].raw), &ids);
		for (size_t j = 0; j < ids.n; j++)
			got = mf_printf(a, "%s%s%s", got, j > 0 ? "|" : "", ids.list[j]);
		cr_assert_str_eq(got, rows[i].want, "<%s> gives <%s>", rows[i].raw, got);
	}
	mf_arena_free(a);
}

Test(mime_header, the_newest_ids_are_kept)
{
	struct mf_arena *a = mf_arena_new();
	struct mime_ids ids;
	struct mf_buf b;

	mf_buf_init(&b, 0);
	for (int i = 0; i < MIME_IDS_MAX + 10; i++)
		mf_buf_printf(&b, "<%d@x> ", i);
	mime_ids_parse(a, mf_buf_bytes(&b), &ids);
	cr_assert_eq(ids.n, MIME_IDS_MAX);
	cr_assert_str_eq(ids.list[0], "10@x");
	mf_buf_deinit(&b);
	mf_arena_free(a);
}

Test(mime_header, parameters_are_read)
{
	static const struct {
		const char *raw, *name, *want; /* want NULL: there is none */
	} rows[] = {
		{ "text/plain; charset=utf-8", "charset", "utf-8" },
		{ "text/plain; CharSet=\"utf-8\"", "charset", "utf-8" },
		{ "text/plain;charset = utf-8 ; format=flowed", "charset", "utf-8" },
		{ "text/plain; charset=utf-8; format=flowed", "format", "flowed" },
		{ "text/plain; charset", "charset", NULL },
		{ "text/plain; ; ; name=x", "name", "x" },
		{ "text/plain (comment); charset=x (other)", "charset", "x (other)" },
		{ "a/b; name=a b c.txt", "name", "a b c.txt" },
		{ "a/b; name=\"a;b\\\"c\"", "name", "a;b\"c" },
		{ "a/b; name=\"C:\\dir\\x.txt\"", "name", "C:\\dir\\x.txt" },
		{ "a/b; name*=utf-8''%C3%A4", "name", "ä" },
		{ "a/b; name*=utf-8'de'%C3%A4; name=plain", "name", "ä" },
		{ "a/b; name*0=a; name*1=b; name*2=c", "name", "abc" },
		{ "a/b; name*2=c; name*0=a; name*1=b", "name", "abc" },
		{ "a/b; name*0*=utf-8''%C3; name*1*=%A4; name*2=\"%41\"", "name", "ä%41" },
		{ "a/b; name*0=a; name*2=c", "name", "a" },
		{ "a/b; name*=%41%42", "name", "AB" },
		{ "a/b; name*=iso-8859-1''%E4", "name", "ä" },
		{ "a/b; name=\"=?iso-8859-1?Q?=E4?=\"", "name", "ä" },
		{ "a/b; name==?iso-8859-1?Q?=E4?=", "name", "ä" },
		{ "a/b; name=\"\xe4.txt\"", "name", "ä.txt" },
		{ "a/b; name=\"open", "name", "open" },
		{ "a/b; name=\"\"", "name", "" },
		{ "a/b; other=x", "name", NULL },
	};
	struct mf_arena *a = mf_arena_new();

	for (size_t i = 0; i < N(rows); i++) {
		struct mime_content_type t;
		const char *got;

		mime_content_type_parse(a, mf_bytes_str(rows[i].raw), &t);
		got = mime_param(a, t.params, t.n_params, rows[i].name, NULL);
		cr_assert_eq(got == NULL, rows[i].want == NULL, "<%s>", rows[i].raw);
		if (got != NULL)
			cr_assert_str_eq(got, rows[i].want, "<%s> gives <%s>", rows[i].raw, got);
	}
	mf_arena_free(a);
}

Test(mime_header, content_types_are_read)
{
	static const struct {
		const char *raw, *want;
	} rows[] = {
		{ "", "text/plain" },
		{ "TEXT/HTML; charset=x", "text/html" },
		{ "text", "text/plain" },
		{ "text / html", "text/html" },
		{ "(c) text/html", "text/html" },
		{ "/", "text/plain" },
		{ "image", "application/octet-stream" },
		{ "multipart/mixed;boundary=x", "multipart/mixed" },
		{ "application/vnd.ms-excel", "application/vnd.ms-excel" },
		{ "te xt/html", "application/octet-stream" },
	};
	struct mf_arena *a = mf_arena_new();

	for (size_t i = 0; i < N(rows); i++) {
		struct mime_content_type t;
		const char *got;

		mime_content_type_parse(a, mf_bytes_str(rows[i].raw), &t);
		got = mf_printf(a, "%s/%s", t.type, t.subtype);
		cr_assert_str_eq(got, rows[i].want, "<%s> gives <%s>", rows[i].raw, got);
	}
	mf_arena_free(a);
}

Test(mime_header, importance_is_read)
{
	static const struct {
		const char *raw;
		enum mime_importance want;
	} rows[] = {
		{ "Subject: x\r\n", MIME_IMPORTANCE_NORMAL },
		{ "Importance: high\r\n", MIME_IMPORTANCE_HIGH },
		{ "IMPORTANCE: Low\r\n", MIME_IMPORTANCE_LOW },
		{ "Importance: normal\r\nX-Priority: 1\r\n", MIME_IMPORTANCE_NORMAL },
		{ "X-Priority: 1 (Highest)\r\n", MIME_IMPORTANCE_HIGH },
		{ "X-Priority: 3\r\nPriority: urgent\r\n", MIME_IMPORTANCE_NORMAL },
		{ "X-Priority: 5\r\n", MIME_IMPORTANCE_LOW },
		{ "X-MSMail-Priority: High\r\n", MIME_IMPORTANCE_HIGH },
		{ "Priority: non-urgent\r\n", MIME_IMPORTANCE_LOW },
		{ "Priority: urgent\r\n", MIME_IMPORTANCE_HIGH },
	};
	struct mf_arena *a = mf_arena_new();

	for (size_t i = 0; i < N(rows); i++) {
		struct mime_header h;

		mime_header_parse(a, mf_bytes_str(rows[i].raw), &h);
		cr_assert_eq(mime_header_importance(&h), rows[i].want, "<%s>", rows[i].raw);
	}
	mf_arena_free(a);
}

Test(mime_header, topics_lose_their_prefixes)
{
	static const struct {
		const char *subject, *want;
	} rows[] = {
		{ "", "" },
		{ "Hello", "Hello" },
		{ "Re: Hello", "Hello" },
		{ "RE: AW: Fwd: Hello", "Hello" },
		{ "Re[2]: Hello", "Hello" },
		{ "Re(3): Hello", "Hello" },
		{ "Re : Hello", "Hello" },
		{ "回复：你好", "你好" },
		{ "Reading: a book", "Reading: a book" },
		{ "Re", "Re" },
		{ "Re:", "" },
	};

	for (size_t i = 0; i < N(rows); i++)
		cr_assert_str_eq(
			mime_subject_topic(rows[i].subject), rows[i].want, "<%s>", rows[i].subject);
}

Test(mime_header, fields_are_split)
{
	static const char raw[] = "One: 1\r\nTwo : 2\r\n more\r\nno colon\r\n: empty\r\n"
				  "one: second\r\nThree:\r\n\r\nbody: no\r\n";
	struct mf_arena *a = mf_arena_new();
	struct mime_header h;

	mime_header_parse(a, mf_bytes_str(raw), &h);
	cr_assert_eq(h.n, 4);
	cr_assert_eq(h.size, strlen(raw) - strlen("body: no\r\n"));
	cr_assert_eq(mime_header_raw(&h, "ONE").len, 1);
	cr_assert_eq(*mime_header_raw(&h, "one").data, '1');
	cr_assert_str_eq(mime_header_text(a, &h, "two", NULL), "2 more");
	cr_assert_str_eq(mime_header_text(a, &h, "three", NULL), "");
	cr_assert_null(mime_header_text(a, &h, "body", NULL));
	cr_assert_null(mime_header_raw(&h, "four").data);
	mf_arena_free(a);
}
