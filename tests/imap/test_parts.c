/* imap: names, roles, dates, flags, sets, frames, structures: pure functions over tables. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "imap/cursor.h"
#include "imap/names.h"
#include "imap/reader.h"
#include "imap/structure.h"
#include "imap/values.h"

Test(parts, names)
{
	static const struct {
		const char *wire, *name;
		bool same; /* encodes to the same */
	} cases[] = {
		{ "INBOX", "INBOX", true },
		{ "&AMk-bauches", "Ébauches", true },
		{ "Entw&APw-rfe", "Entwürfe", true },
		{ "A&-B", "A&B", true },
		{ "&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-", "Отправленные", true },
		{ "&g0l6Pw-", "草稿", true },
		{ "&2D3eAA- x", "😀 x", true },
		{ "~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/台北/日本語", true },
		{ "&AMk", "&AMk", false },
		{ "&2D0-", "&2D0-", false },
		{ "&3gA-", "&3gA-", false },
		{ "&!-", "&!-", false },
		{ "&AAo-", "&AAo-", false },
		{ "caf\xc3\xa9", "café", false },
		{ "caf\xe9", "caf\xef\xbf\xbd", false },
		{ "", "", true },
	};
	struct mf_arena *a = mf_arena_new();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *name = imap_name_decode(a, cases[i].wire), *wire;

		cr_assert_str_eq(name, cases[i].name, "%s: %s", cases[i].wire, name);
		wire = imap_name_encode(a, cases[i].name);
		if (cases[i].same)
			cr_assert_str_eq(wire, cases[i].wire, "%s: %s", name, wire);
	}
	cr_assert_null(imap_name_encode(a, "a\nb"));
	cr_assert_null(imap_name_encode(a, "a\xff"));
	mf_arena_free(a);
}

Test(parts, roles)
{
	static const struct {
		const char *name;
		enum mf_role role;
	} cases[] = {
		{ "Trash", MF_ROLE_TRASH },
		{ "PAPIERKORB", MF_ROLE_TRASH },
		{ "Éléments supprimés", MF_ROLE_TRASH },
		{ "ÉLÉMENTS SUPPRIMÉS", MF_ROLE_TRASH },
		{ "Gelöschte Objekte", MF_ROLE_TRASH },
		{ "Отправленные", MF_ROLE_SENT },
		{ "ОТПРАВЛЕННЫЕ", MF_ROLE_SENT },
		{ "Απεσταλμένα", MF_ROLE_SENT },
		{ "Koš", MF_ROLE_TRASH },
		{ "İstenmeyen", MF_ROLE_NONE }, /* the dotted capital: one of those left out */
		{ "草稿箱", MF_ROLE_DRAFTS },
		{ "迷惑メール", MF_ROLE_JUNK },
		{ "Archive", MF_ROLE_ARCHIVE },
		{ "Outbox", MF_ROLE_OUTBOX },
		{ "Projects", MF_ROLE_NONE },
		{ "", MF_ROLE_NONE },
	};
	char lengthy[300];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_eq(imap_role_by_name(cases[i].name), cases[i].role, "%s", cases[i].name);
	memset(lengthy, 'a', sizeof(lengthy) - 1);
	lengthy[sizeof(lengthy) - 1] = '\0';
	cr_assert_eq(imap_role_by_name(lengthy), MF_ROLE_NONE);
	cr_assert_eq(imap_role_by_attribute(mf_bytes_str("\\trash")), MF_ROLE_TRASH);
	cr_assert_eq(imap_role_by_attribute(mf_bytes_str("\\HasChildren")), MF_ROLE_NONE);
	cr_assert_str_eq(imap_role_attribute(MF_ROLE_SENT), "\\Sent");
	cr_assert_null(imap_role_attribute(MF_ROLE_INBOX));
}

Test(parts, dates)
{
	static const struct {
		const char *text;
		int64_t date;
	} cases[] = {
		{ "01-Feb-2024 10:11:12 +0000", 1706782272 },
		{ " 1-Feb-2024 10:11:12 +0000", 1706782272 },
		{ "01-FEB-2024 12:11:12 +0200", 1706782272 },
		{ "01-Feb-2024 04:41:12 -0530", 1706782272 },
		{ "01-Foo-2024 10:11:12 +0000", 0 },
		{ "1-Feb-2024 10:11:12 +0000", 1706782272 },
		{ "01-Feb-2024 10:11:12", 1706782272 },
		{ "01-Feb-2024 10:11:12 +", 1706782272 },
		{ "31-Dec-1969 23:59:59 +0000", -1 },
		{ "01-Feb-2024 1x:11:12 +0000", 0 },
		{ "01/Feb/2024 10:11:12 +0000", 0 },
		{ "yesterday", 0 },
		{ "", 0 },
		{ "01-Feb-2024 10:11:12 +0000 and much more than any date can be", 0 },
	};
	char text[32];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_eq(imap_date_read(mf_bytes_str(cases[i].text)), cases[i].date, "%s",
			cases[i].text);
	imap_date_print(1706782272, text);
	cr_assert_str_eq(text, "01-Feb-2024 10:11:12 +0000");
	imap_day_print(1706782272, text);
	cr_assert_str_eq(text, "1-Feb-2024");
	imap_date_print(INT64_MAX, text);
	cr_assert_str_eq(text, "01-Jan-1970 00:00:00 +0000");
}

/* A lexer over a copy in memory of its own size, so that reading beyond it is seen. */
static struct imap_lex
lex(struct mf_arena *a, const char *text)
{
	return imap_lex_over(mf_bytes(mf_memdup(a, text, strlen(text)).data, strlen(text)));
}

Test(parts, flags)
{
	struct mf_arena *a = mf_arena_new();
	struct imap_lex x = lex(a, "(\\Seen zz \\Recent $forwarded aa zz \\Foo x]y) rest");
	struct imap_flags f;
	struct mf_buf out;

	imap_flags_read(&x, &f);
	cr_assert(!x.bad);
	cr_assert_eq(f.flags, MF_FLAG_SEEN | MF_FLAG_FORWARDED);
	cr_assert_eq(f.n, 3);
	cr_assert_str_eq(f.keywords[0], "aa");
	cr_assert_str_eq(f.keywords[1], "x]y");
	cr_assert_str_eq(f.keywords[2], "zz");
	cr_assert_null(f.keywords[3]);
	mf_buf_init(&out, 0);
	imap_flags_print(f.flags, &out);
	cr_assert_str_eq(mf_buf_str(&out), "\\Seen $Forwarded");
	mf_buf_deinit(&out);
	cr_assert(imap_keyword_valid("Green") && imap_keyword_valid("$MDNSent"));
	cr_assert(!imap_keyword_valid("a b") && !imap_keyword_valid("") &&
		  !imap_keyword_valid("$Forwarded") && !imap_keyword_valid("\\Seen") &&
		  !imap_keyword_valid("a\r\nb") && !imap_keyword_valid("\xc3\xa9"));
	mf_arena_free(a);
}

Test(parts, frames)
{
	static const struct {
		const char *text;
		size_t length; /* of the first answer; 0: not complete */
	} cases[] = {
		{ "* OK hi\r\n", 9 },
		{ "* OK hi {5}\r\nabcde\r\n", 13 },
		{ "* 1 FETCH ({5}\r\nabcde)\r\n* 2", 24 },
		{ "* 1 FETCH ({5}\r\nabcde", 0 },
		{ "* 1 FETCH ({2}\r\n\r\n{1}\r\nx)\r\n", 27 },
		{ "* 1 FETCH (~{3}\r\na\nb)\r\n", 23 },
		{ "* 1 FETCH {0}\r\n\r\n", 17 },
		{ "* 1 FETCH {}\r\n", 14 },
		{ "* 1 FETCH {99999999999999999999999}\r\n", 0 },
		{ "A1 NO text {3}\r\n", 16 },
		{ "+ idling {3}\r\n", 14 },
		{ "* x\n", 4 },
		{ "\r\n", 2 },
		{ "", 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_eq(imap_frame((const uint8_t *)cases[i].text, strlen(cases[i].text)),
			cases[i].length, "%s", cases[i].text);
}

Test(parts, words)
{
	struct mf_arena *a = mf_arena_new();
	struct imap_lex x =
		lex(a, "FOO (a (b \"c)\\\"\" {3}\r\n) ( ) BODY[1]<0>) \"q\\\\\\\"x\" NIL 42 z");
	struct mf_bytes b;

	cr_assert(!imap_lex_word(&x, "FO"));
	cr_assert(imap_lex_word(&x, "foo"));
	imap_lex_skip(&x);
	imap_lex_want(&x, ' ');
	b = imap_lex_string(&x);
	cr_assert_eq(b.len, 4);
	cr_assert_eq(memcmp(b.data, "q\\\"x", 4), 0);
	imap_lex_want(&x, ' ');
	cr_assert_null(imap_lex_string(&x).data);
	imap_lex_want(&x, ' ');
	cr_assert_eq(imap_lex_number(&x), 42);
	cr_assert(!x.bad);
	imap_lex_want(&x, '(');
	cr_assert(x.bad && !imap_lex_take(&x, ' '), "the first error stays");
	x = lex(a, "((((");
	imap_lex_skip(&x);
	cr_assert(x.bad);
	x = lex(a, "\"open");
	imap_lex_string(&x);
	cr_assert(x.bad);
	x = lex(a, "{10}\r\nabc");
	imap_lex_string(&x);
	cr_assert(x.bad);
	x = lex(a, "99999999999999999999999");
	imap_lex_number(&x);
	cr_assert(x.bad);
	mf_arena_free(a);
}

Test(parts, structures)
{
	struct mf_arena *a = mf_arena_new();
	struct mf_buf deep;
	const struct mf_part *p;
	struct imap_lex x =
		lex(a, "(((\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 3 1) \"ALTERNATIVE\")"
		       "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 9 (NIL) "
		       "((\"A\" \"B\" (\"X\" \"Y\") NIL NIL NIL 1)(\"C\" \"D\" NIL NIL NIL NIL NIL)"
		       " \"MIXED\") 3 \"md5\" (\"INLINE\" NIL) (\"de\" \"en\") \"loc\" 5 (6))"
		       " \"MIXED\" (\"BOUNDARY\" \"b\") NIL NIL NIL)");

	p = imap_structure_read(a, &x);
	cr_assert_not_null(p);
	cr_assert(imap_lex_end(&x));
	cr_assert_eq(p->n_children, 2);
	cr_assert_str_eq(p->params[0].name, "boundary");
	cr_assert_str_eq(p->children[0].children[0].section, "1.1");
	cr_assert_str_eq(p->children[1].location, "loc");
	cr_assert_str_eq(p->children[1].disposition, "inline");
	cr_assert_str_eq(p->children[1].children[0].section, "2");
	cr_assert_str_eq(p->children[1].children[0].children[1].section, "2.2");
	cr_assert(imap_structure_has(p, "2.HEADER") && imap_structure_has(p, "2.2.MIME") &&
		  imap_structure_has(p, "TEXT") && imap_structure_has(p, ""));
	cr_assert(!imap_structure_has(p, "3") && !imap_structure_has(p, "1.HEADER") &&
		  !imap_structure_has(p, "1.1.1") && !imap_structure_has(p, "2.3.MIME"));
	x = lex(a, "(\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\"");
	cr_assert_null(imap_structure_read(a, &x));
	/* Beyond the limit on depth: what is there so far, and the rest of the answer in step. */
	mf_buf_init(&deep, 0);
	for (int i = 0; i < 1000; i++)
		mf_buf_add_str(&deep, "(");
	mf_buf_add_str(&deep, "\"A\" \"B\" NIL NIL NIL NIL 1)");
	for (int i = 1; i < 1000; i++)
		mf_buf_add_str(&deep, " \"MIXED\")");
	x = lex(a, mf_buf_str(&deep));
	p = imap_structure_read(a, &x);
	cr_assert_not_null(p);
	cr_assert(imap_lex_end(&x));
	mf_buf_deinit(&deep);
	mf_arena_free(a);
}

Test(parts, cursors)
{
	struct imap_cursor c = { .uidvalidity = 0xdeadbeef,
		.uidnext = 5,
		.modseq = UINT64_C(0x123456789abcdef0),
		.count = 7 },
			   d;
	struct mf_buf b;

	mf_buf_init(&b, 0);
	imap_cursor_write(&c, &b);
	cr_assert(imap_cursor_read(&d, mf_buf_bytes(&b)));
	cr_assert(imap_cursor_same(&c, &d));
	for (size_t n = 0; n < b.len; n++)
		cr_assert(!imap_cursor_read(&d, mf_bytes(b.data, n)), "cut at %zu", n);
	b.data[0]++;
	cr_assert(!imap_cursor_read(&d, mf_buf_bytes(&b)), "another version");
	mf_buf_deinit(&b);
}

Test(parts, pieces)
{
	static const struct {
		const char *set;
		uint64_t most;
		const char *pieces;
	} cases[] = {
		{ "1:5,9", 0, "1:5,9|" },
		{ "1:5,9", 2, "1:2|3:4|5,9|" },
		{ "1:5,9", 5, "1:5|9|" },
		{ "1:5,9", 6, "1:5,9|" },
		{ "7", 1, "7|" },
		{ "", 3, "" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mf_session s = { .tag = 0 };
		struct mf_idset set;
		struct imap_pieces p = { .set = &set, .most = cases[i].most };

		mf_idset_init(&set);
		cr_assert(mf_idset_parse(&set, cases[i].set, strlen(cases[i].set), 100) ||
			  cases[i].set[0] == '\0');
		mf_buf_init(&s.out, 0);
		while (imap_put_piece(&s, &p))
			mf_buf_add_str(&s.out, "|");
		cr_assert_str_eq(mf_buf_str(&s.out), cases[i].pieces, "%s by %lu", cases[i].set,
			cases[i].most);
		mf_buf_deinit(&s.out);
		mf_idset_deinit(&set);
	}
}
