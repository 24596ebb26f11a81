/*
 * mime on whole messages: what is shown of each file of tests/data/messages, and what must hold for all
 * of them and for a few that are made here because they are large.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <time.h>

#include "mime/mime.h"
#include "mime_help.h"

static struct mf_bytes
read_message(struct mf_arena *a, const char *name)
{
	char path[512];
	struct mf_buf b;
	struct mf_bytes data;
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), TEST_DATA "/messages/%s", name);
	f = fopen(path, "rb");
	cr_assert_not_null(f, "%s", path);
	mf_buf_init(&b, 0);
	do {
		uint8_t *p = mf_buf_reserve(&b, 65536);

		n = fread(p, 1, 65536, f);
		mf_buf_commit(&b, n);
	} while (n > 0);
	fclose(f);
	data = mf_memdup(a, b.data, b.len);
	mf_buf_deinit(&b);
	return data;
}

struct shown {
	const char *file;
	const char *subject; /* NULL: not checked */
	const char *text;    /* what the plain body begins with; NULL: not checked */
	const char *class;
	const char *attachments; /* their names, joined by "|" */
	unsigned native, codepage;
};

#define NOTE "IPM.Note"

static const struct shown table[] = {
	{ "charset-utf8", "Grüße aus Köln", "Grüße aus Köln. Наздар! こんにちは 👋\r\n", NOTE, "", 1,
		65001 },
	{ "charset-latin1", "Café", "Le café est prêt.\r\n", NOTE, "", 1, 28591 },
	{ "charset-latin1-euro", NULL, "Only 5 € – “cheap”", NOTE, "", 1, 28591 },
	{ "charset-windows1251", "Москва", "Привет из Москвы", NOTE, "", 1, 1251 },
	{ "charset-koi8r", "Привет", "Привет, как дела?", NOTE, "", 1, 20866 },
	{ "charset-iso8859-2", NULL, "Zażółć gęślą jaźń", NOTE, "", 1, 28592 },
	{ "charset-iso2022jp", "会議のお知らせ", "明日の会議は十時からです。", NOTE, "", 1, 50220 },
	{ "charset-iso2022jp-nec", "①②", "① one ｱｲｳｴｵ", NOTE, "", 1, 50220 },
	{ "charset-iso2022jp-raw", "会議", "会議は中止です", NOTE, "", 1, 65001 },
	{ "charset-shiftjis", "日本語", "日本語の本文です", NOTE, "", 1, 932 },
	{ "charset-gb2312-gbk", "镕基你好", "朱镕基，你好", NOTE, "", 1, 936 },
	{ "charset-big5", "繁體中文", "這是一封信", NOTE, "", 1, 950 },
	{ "charset-hz", NULL, "中文 and ASCII ~\r\n", NOTE, "", 1, 52936 },
	{ "charset-euckr", "안녕하세요", "안녕하세요 똠방각하", NOTE, "", 1, 949 },
	{ "charset-utf7", "Hi Mom ☺!", "Hi Mom ☺!", NOTE, "", 1, 65000 },
	{ "charset-utf16", NULL, "Sechzehn Bit: äöü €\r\n", NOTE, "", 1, 1200 },
	{ "charset-utf16-lie", NULL, "This is plain ASCII.", NOTE, "", 1, 1200 },
	{ "charset-wrong-utf8", "grün", "grün und weiß", NOTE, "", 1, 65001 },
	{ "charset-wrong-latin1", "grün", "grün und weiß", NOTE, "", 1, 28591 },
	{ "charset-missing-utf8", "Schöne Grüße", "Schöne Grüße ohne", NOTE, "", 1, 65001 },
	{ "charset-missing-latin1", "Schöne Grüße", "Schöne Grüße ohne", NOTE, "", 1, 65001 },
	{ "charset-unknown", "Zork über alles", "Zork über alles", NOTE, "", 1, 65001 },
	{ "charset-hostile", "aüb", "aüb", NOTE, "", 1, 65001 },
	{ "charset-utf8-broken", NULL, "ok äö bad \xef\xbf\xbd(", NOTE, "", 1, 65001 },
	{ "charset-xml", "abcd e \xef\xbf\xbd\xef\xbf\xbd",
		"abcd\xef\xbf\xbd\xef\xbf\xbd"
		"ef",
		NOTE, "", 1, 65001 },
	{ "words-split", "Grüße 👋", NULL, NOTE, "", 1, 65001 },
	{ "words-broken", "with blanks in it prefüxpost ü =?utf-8?Q?open end", NULL, NOTE, "", 1,
		65001 },
	{ "words-adjacent", "onetwo three four five", NULL, NOTE, "", 1, 65001 },
	{ "words-nocharset", "grünschön =?utf-8?X?no?= =?=?=", NULL, NOTE, "", 1, 65001 },
	{ "words-question", "really?a?=?=", NULL, NOTE, "", 1, 65001 },
	{ "words-mixed", "ééПривет€", NULL, NOTE, "", 1, 65001 },
	{ "headers-8bit", "Übergröße ☃", "RFC 6532.", NOTE, "", 1, 65001 },
	{ "headers-latin1", "Übergröße", "Ü", NOTE, "", 1, 28591 },
	{ "headers-missing", NULL, "Only a body, not a single field.", NOTE, "", 1, 65001 },
	{ "headers-only", "Only a header", "", NOTE, "", 1, 65001 },
	{ "headers-broken", "blank before the colon folded first folded second", "body", NOTE, "",
		1, 65001 },
	{ "headers-nul", "before", "body", NOTE, "", 1, 65001 },
	{ "headers-cr", "Only carriage returns", "body one\r\nbody two\r\n", NOTE, "", 1, 65001 },
	{ "headers-lf", "Only line feeds", "first\r\n\r\nsecond", NOTE, "", 2, 65001 },
	{ "headers-mixed-eol", "mixed", "line one\r\nline two\r\nline three\r\nline four\r\n", NOTE,
		"", 1, 65001 },
	{ "base64-broken", NULL, "Hello, world. No padding", NOTE, "", 1, 65001 },
	{ "base64-footer", NULL, "Hello list.\r\n", NOTE, "", 1, 65001 },
	{ "base64-padded-pieces", NULL, "Hello, world.", NOTE, "", 1, 65001 },
	{ "base64-lie", NULL, "This is (not) base64, is it?", NOTE, "", 1, 65001 },
	{ "qp-broken", NULL, "grün =ZZ =4 softbreak trailing blanks\r\n=== end", NOTE, "", 1,
		65001 },
	{ "uuencode", NULL, "", NOTE, "hello.txt", 0, 65001 },
	{ "uuencode-inline", NULL, "See below\r\n\r\nbegin 644 hello.txt", NOTE, "", 1, 65001 },
	{ "encoding-unknown", NULL, "taken as it is", NOTE, "", 1, 65001 },
	{ "flowed", NULL,
		"This paragraph was broken for transport.\r\n\r\n> A quoted paragraph.\r\n"
		">> deeper \r\n> shallower\r\n>not a quote\r\n-- \r\nsignature\r\n",
		NOTE, "", 1, 65001 },
	{ "flowed-delsp", NULL, "日本語の文章\r\n", NOTE, "", 1, 65001 },
	{ "alternative", NULL, "Plain text", NOTE, "", 2, 65001 },
	{ "alternative-html-first", NULL, "plain", NOTE, "", 2, 65001 },
	{ "related", NULL, "Plain text", NOTE, "logo.png*|paper.pdf", 2, 65001 },
	{ "related-start", NULL, "Look: [a picture]", NOTE, "image.gif*", 2, 65001 },
	{ "mixed-texts", NULL, "before\r\nafter é\r\nfooter", NOTE, "photo.jpg", 2, 20127 },
	{ "mixed-many-texts", NULL, NULL, NOTE,
		"text.html|text-2.txt|text-3.html|text-4.txt|text-5.html|text-6.txt", 2, 65001 },
	{ "text-attachment", NULL, "The message", NOTE, "notes.txt|log.txt", 1, 65001 },
	{ "attachment-only", NULL, "", NOTE, "only.png", 0, 65001 },
	{ "html-only", NULL, "Привет", NOTE, "", 2, 65001 },
	{ "html-hostile", NULL,
		"one\r\n\r\ntwo\r\n\r\nx\r\n* a\r\n* b\r\n  1. c\r\n  2. d\r\n1\t2\r\n3\r\n&< €",
		NOTE, "", 2, 65001 },
	{ "html-preheader", NULL, "Save 20%\r\nView in browser <https://track.", NOTE, "", 2,
		65001 },
	{ "multipart-empty", NULL, "no boundary here", NOTE, "", 1, 65001 },
	{ "multipart-noboundary", NULL, "--m\r\n\r\nguess me", NOTE, "", 1, 65001 },
	{ "multipart-unclosed", NULL, "text", NOTE, "attachment.zip", 1, 65001 },
	{ "multipart-prefix", NULL, "inner plain", NOTE, "text.txt", 2, 65001 },
	{ "multipart-same", NULL, "lost?", NOTE, "", 1, 65001 },
	{ "digest", NULL, "", NOTE, "message.eml|message-2.eml", 0, 65001 },
	{ "forwarded", NULL, "see attached", NOTE, "Die Änderung.eml", 1, 65001 },
	{ "appledouble", NULL, "a file from a Mac", NOTE, "mac.jpg", 1, 65001 },
	{ "tnef", NULL, "text beside", NOTE, "winmail.dat", 1, 65001 },
	{ "smime-signed", NULL, "signed text", "IPM.Note.SMIME.MultipartSigned", "smime.p7s", 1,
		65001 },
	{ "smime-encrypted", NULL, "", "IPM.Note.SMIME", "smime.p7m", 0, 65001 },
	{ "smime-octet", NULL, "", "IPM.Note.SMIME", "smime.p7m", 0, 65001 },
	{ "pgp-signed", NULL, "signed text", NOTE, "attachment.asc", 1, 65001 },
	{ "pgp-encrypted", NULL, "", NOTE, "attachment.asc|encrypted.asc", 0, 65001 },
	{ "report-failed", NULL, "For people.", "REPORT.IPM.Note.NDR", "message.txt|text-2.txt", 1,
		65001 },
	{ "report-delayed", NULL, "For people.", "REPORT.IPM.Note.DELAYED",
		"message.txt|text-2.txt", 1, 65001 },
	{ "report-delivered", NULL, "For people.", "REPORT.IPM.Note.DR", "message.txt|text-2.txt",
		1, 65001 },
	{ "report-read", NULL, "For people.", "REPORT.IPM.Note.IPNRN", "message.txt|text-2.txt", 1,
		65001 },
	{ "report-notread", NULL, "For people.", "REPORT.IPM.Note.IPNNRN", "message.txt|text-2.txt",
		1, 65001 },
	{ "calendar-request", NULL, "You are invited.", "IPM.Schedule.Meeting.Request", "", 1,
		65001 },
	{ "calendar-cancel", NULL, NULL, "IPM.Schedule.Meeting.Canceled", "", 1, 65001 },
	{ "calendar-accept", NULL, NULL, "IPM.Schedule.Meeting.Resp.Pos", "", 1, 65001 },
	{ "calendar-decline", NULL, NULL, "IPM.Schedule.Meeting.Resp.Neg", "", 1, 65001 },
	{ "calendar-tentative", NULL, NULL, "IPM.Schedule.Meeting.Resp.Tent", "", 1, 65001 },
	{ "calendar-alone", NULL, "", NOTE, "text.ics", 0, 65001 },
	{ "names-rfc2231", NULL, "x", NOTE,
		"€ rates.txt|café.txt|long name.txt|Anhänge.pdf|äöü.txt|unquoted name.txt|"
		"windows.doc|passwd|quo_te.txt|bogus'x.txt|roh-ä.txt|attachment-12.bin",
		1, 65001 },
	{ "types-broken", NULL, "one\r\ntwo\r\nthree\r\nfour", NOTE, "text.txt", 1, 65001 },
};

/* Names joined by "|"; inline ones with "*". */
static const char *
attachment_names(struct mf_arena *a, const struct mime_structure *s)
{
	const char *all = "";

	for (size_t i = 0; i < s->n_attachments; i++)
		all = mf_printf(a, "%s%s%s%s", all, i > 0 ? "|" : "", s->attachments[i].name,
			s->attachments[i].is_inline ? "*" : "");
	return all;
}

static void
check_text(struct mf_arena *a, const struct mime_message *m, const struct mime_structure *s,
	const struct shown *want)
{
	struct mime_piece pieces[MIME_TEXTS_MAX];
	struct mime_body body;

	for (size_t i = 0; i < s->plain.n; i++)
		pieces[i] = (struct mime_piece){ s->plain.parts[i],
			mime_message_part(m, s->plain.parts[i]), false };
	mime_body_render(a, pieces, s->plain.n, MIME_PLAIN, SIZE_MAX, &body);
	cr_assert(strncmp(body.text, want->text, strlen(want->text)) == 0, "%s: body is <%s>",
		want->file, body.text);
	if (*want->text == '\0')
		cr_assert_eq(body.len, 0, "%s: body is <%s>", want->file, body.text);
}

static void
check_shown(const struct shown *want)
{
	struct mf_arena *a = mf_arena_new();
	struct mime_structure s;
	struct mime_message m;
	const char *class;

	cr_assert_eq(mime_message_parse(
			     a, read_message(a, mf_printf(a, "%s.eml", want->file)), &m, NULL),
		MF_OK);
	mime_structure_read(a, m.root, &m.header, &s);
	if (want->subject != NULL)
		cr_assert_str_eq(mime_header_text(a, &m.header, "subject", s.charset),
			want->subject, "%s: %s", want->file,
			mime_header_text(a, &m.header, "subject", s.charset));
	if (want->text != NULL)
		check_text(a, &m, &s, want);
	class = s.message_class;
	if (s.class_detail != NULL)
		class = mime_class_refine(a, &s, mime_message_part(&m, s.class_detail));
	cr_assert_str_eq(class, want->class, "%s: %s", want->file, class);
	cr_assert_str_eq(attachment_names(a, &s), want->attachments, "%s: %s", want->file,
		attachment_names(a, &s));
	cr_assert_eq(s.native, want->native, "%s: native %d", want->file, s.native);
	cr_assert_eq(s.codepage, want->codepage, "%s: code page %u", want->file, s.codepage);
	mf_arena_free(a);
}

Test(mime_messages, are_shown_as_meant)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		check_shown(&table[i]);
}

Test(mime_messages, keep_every_promise_whatever_they_hold)
{
	struct mf_arena *a = mf_arena_new();
	DIR *dir = opendir(TEST_DATA "/messages");
	struct dirent *e;
	unsigned n = 0;

	cr_assert_not_null(dir);
	while ((e = readdir(dir)) != NULL) {
		size_t len = strlen(e->d_name);
		struct mf_bytes raw;

		if (len < 4 || strcmp(e->d_name + len - 4, ".eml") != 0)
			continue;
		raw = read_message(a, e->d_name);
		mime_exercise(raw);
		for (size_t cut = 1; cut < raw.len && cut < 2000; cut += raw.len / 12 + 1)
			mime_exercise(mf_bytes(raw.data, cut));
		n++;
	}
	closedir(dir);
	mf_arena_free(a);
	cr_assert_geq(n, 60, "only %u messages", n);
}

/* Nesting and repetition beyond reason; each must be over in a second or two, sanitizers included. */

static void
deep_multipart(struct mf_buf *b)
{
	for (int i = 0; i < 200; i++)
		mf_buf_printf(
			b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i);
	mf_buf_add_str(b, "\r\ndeep\r\n");
	for (int i = 199; i >= 0; i--)
		mf_buf_printf(b, "--b%d--\r\n", i);
}

static void
deep_messages(struct mf_buf *b)
{
	for (int i = 0; i < 200; i++)
		mf_buf_add_str(b, "Content-Type: message/rfc822\r\n\r\n");
}

static void
many_parts(struct mf_buf *b)
{
	mf_buf_add_str(b, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
	for (int i = 0; i < 20000; i++)
		mf_buf_add_str(b, "--b\r\nContent-Type: image/png\r\n\r\nx\r\n");
}

static void
many_boundaries(struct mf_buf *b)
{
	mf_buf_add_str(b, "Content-Type: multipart/mixed; boundary=\"-\"\r\n\r\n");
	for (int i = 0; i < 100000; i++)
		mf_buf_add_str(b, "-----");
}

static void
deep_html(struct mf_buf *b)
{
	mf_buf_add_str(b, "Content-Type: text/html\r\n\r\n");
	for (int i = 0; i < 20000; i++)
		mf_buf_add_str(b, "<b><div><table><tr><td><font></i></p>");
	mf_buf_add_str(b, "deep");
}

static void
html_comment(struct mf_buf *b)
{
	mf_buf_add_str(b, "Content-Type: text/html\r\n\r\n<!--");
	for (int i = 0; i < 200000; i++)
		mf_buf_add_str(b, "<!-- - ");
}

static void
many_params(struct mf_buf *b)
{
	mf_buf_add_str(b, "Content-Type: text/plain");
	for (int i = 0; i < 20000; i++)
		mf_buf_printf(b, "; name*%d*=%%41%%", i);
	mf_buf_add_str(b, "\r\n\r\nx");
}

static void
many_angles(struct mf_buf *b)
{
	mf_buf_add_str(b, "To: ");
	for (int i = 0; i < 50000; i++)
		mf_buf_add_str(b, "<a<b@c \"x> (y,");
	mf_buf_add_str(b, "\r\n\r\nx");
}

Test(mime_messages, beyond_reason_are_bounded)
{
	static const struct {
		const char *name;
		void (*make)(struct mf_buf *b);
	} rows[] = {
		{ "200 multiparts deep", deep_multipart },
		{ "200 messages deep", deep_messages },
		{ "20,000 parts", many_parts },
		{ "half a megabyte of boundaries", many_boundaries },
		{ "160,000 open elements", deep_html },
		{ "200,000 comments", html_comment },
		{ "20,000 parameters", many_params },
		{ "50,000 brackets", many_angles },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		clock_t begin = clock();
		struct mf_buf b;

		mf_buf_init(&b, 0);
		rows[i].make(&b);
		mime_exercise(mf_buf_bytes(&b));
		mf_buf_deinit(&b);
		cr_assert_lt((double)(clock() - begin) / CLOCKS_PER_SEC, 20, "%s: %.1f s",
			rows[i].name, (double)(clock() - begin) / CLOCKS_PER_SEC);
	}
}

Test(mime_messages, deep_text_is_not_lost)
{
	struct mf_arena *a = mf_arena_new();
	struct mf_buf html, text;

	mf_buf_init(&html, 0);
	mf_buf_init(&text, 0);
	for (int i = 0; i < 3000; i++)
		mf_buf_add_str(&html, "<div><b>");
	mf_buf_add_str(&html, "still here");
	cr_assert(mime_html_to_text(&text, (const char *)html.data, html.len, 1000, true));
	cr_assert_str_eq(mf_buf_str(&text), "still here\n", "<%s>", mf_buf_str(&text));
	mf_buf_deinit(&text);
	mf_buf_deinit(&html);
	mf_arena_free(a);
}
