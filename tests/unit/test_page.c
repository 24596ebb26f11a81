/* page: escaping, forms, sessions, charts, codes. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/clock.h"
#include "page/chart.h"
#include "page/form.h"
#include "page/html.h"
#include "page/page.h"
#include "page/qr.h"
#include "page/session.h"

static struct mf_arena *a;

static void
setup(void)
{
	a = mf_arena_new();
}

static void
teardown(void)
{
	mf_arena_free(a);
}

TestSuite(page, .init = setup, .fini = teardown);

Test(page, text_is_escaped)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "plain", "plain" },
		{ NULL, "" },
		{ "<script>alert('x')</script>",
			"&#60;script&#62;alert(&#39;x&#39;)&#60;/script&#62;" },
		{ "\" onload=\"x", "&#34; onload=&#34;x" },
		{ "a&amp;b", "a&#38;amp;b" },
		{ "\xc3\xa9", "\xc3\xa9" },
		{ "\xff", "\xef\xbf\xbd" },
		{ "a\tb", "a b" },
		{ "exe\xe2\x80\xae"
		  "gpj.",
			"exe\xef\xbf\xbdgpj." },
		{ "\xe2\x81\xa6x\xe2\x81\xa9", "\xef\xbf\xbdx\xef\xbf\xbd" },
		{ "\xe2\x82\xac", "\xe2\x82\xac" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mf_buf b;

		mf_buf_init(&b, 0);
		html_text(&b, cases[i].in);
		cr_assert_str_eq(mf_buf_str(&b), cases[i].out, "case %zu", i);
		mf_buf_clear(&b);
		html_add(&b, "<p a=\"%s\">%d%%%m</p>", cases[i].in, (int64_t)-5, "<br>");
		cr_assert(strncmp(mf_buf_str(&b), "<p a=\"", 6) == 0);
		cr_assert_not_null(strstr(mf_buf_str(&b), "\">-5%<br></p>"));
		mf_buf_deinit(&b);
	}
	cr_assert_str_eq(html_query(a, "a b&c=d\xc3\xa9/.."), "a%20b%26c%3Dd%C3%A9%2F..");
}

Test(page, fields)
{
	static const struct {
		const char *text, *name, *value;
	} cases[] = {
		{ "a=1&b=2", "b", "2" },
		{ "a=1&a=2", "a", "1" },
		{ "a=x%20y+z", "a", "x y z" },
		{ "ab=1", "a", NULL },
		{ "a", "a", NULL },
		{ "a=", "a", "" },
		{ "", "a", NULL },
		{ "&&=&a=1&", "a", "1" },
		{ "a=%00", "a", NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *got =
			form_field(a, cases[i].text, strlen(cases[i].text), cases[i].name);

		if (cases[i].value == NULL)
			cr_assert_null(got, "%s", cases[i].text);
		else
			cr_assert_str_eq(
				got == NULL ? "(none)" : got, cases[i].value, "%s", cases[i].text);
	}
}

Test(page, cookies_and_origins)
{
	static const struct {
		struct eas_header h[2];
		const char *cookie; /* of the name s */
		bool same;
	} cases[] = {
		{ { { "Cookie", "s=1" }, { "Host", "h" } }, "1", true },
		{ { { "Cookie", "x=2; s=1 ; ss=3" }, { "Host", "h" } }, "1 ", true },
		{ { { "Cookie", "ss=3" }, { "Host", "h" } }, NULL, true },
		{ { { "Origin", "https://h" }, { "Host", "h" } }, NULL, true },
		{ { { "Origin", "https://evil" }, { "Host", "h" } }, NULL, false },
		{ { { "Origin", "null" }, { "Host", "h" } }, NULL, false },
		{ { { "Sec-Fetch-Site", "cross-site" }, { "Host", "h" } }, NULL, false },
		{ { { "Sec-Fetch-Site", "same-site" }, { "Host", "h" } }, NULL, false },
		{ { { "Sec-Fetch-Site", "same-origin" }, { "Host", "h" } }, NULL, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct eas_request r = { .arena = a, .headers = cases[i].h, .n_headers = 2 };
		const char *cookie = form_cookie(&r, "s");

		cr_assert_eq(cookie == NULL, cases[i].cookie == NULL, "case %zu", i);
		if (cookie != NULL)
			cr_assert_str_eq(cookie, cases[i].cookie);
		cr_assert_eq(form_same_origin(&r), cases[i].same, "case %zu", i);
	}
}

Test(page, sessions)
{
	struct sessions *s = sessions_new();
	struct session one, other, found;

	session_begin(s, "anna", a, &one);
	session_begin(s, "ben", a, &other);
	cr_assert_str_neq(one.name, other.name);
	cr_assert_str_neq(one.name, one.token);
	cr_assert(session_find(s, one.name, a, &found));
	cr_assert_str_eq(found.user, "anna");
	cr_assert_str_eq(found.token, one.token);
	cr_assert(!session_find(s, NULL, a, &found));
	cr_assert(!session_find(s, "", a, &found));
	cr_assert(!session_find(s, one.token, a, &found));
	session_end(s, one.name);
	cr_assert(!session_find(s, one.name, a, &found));
	clock_skip(SESSION_IDLE - 10);
	cr_assert(session_find(s, other.name, a, &found), "used: it goes on");
	clock_skip(SESSION_IDLE - 10);
	cr_assert(session_find(s, other.name, a, &found));
	clock_skip(SESSION_IDLE + 10);
	cr_assert(!session_find(s, other.name, a, &found), "idle: it is over");
	session_begin(s, "anna", a, &one);
	for (int i = 0; i < SESSION_LIFE / SESSION_IDLE * 2 + 1; i++) {
		clock_skip(SESSION_IDLE / 2);
		session_find(s, one.name, a, &found);
	}
	cr_assert(!session_find(s, one.name, a, &found), "not for ever");
	session_begin(s, "first", a, &one);
	clock_skip(1);
	for (int i = 0; i < SESSIONS_MAX; i++)
		session_begin(s, "many", a, &other);
	cr_assert(!session_find(s, one.name, a, &found), "the oldest gives way");
	cr_assert(session_find(s, other.name, a, &found));
	sessions_free(s);
}

Test(page, tickets)
{
	struct sessions *s = sessions_new();
	const char *one = ticket_new(s, "profile", 7, a), *two;
	size_t len = 0;

	cr_assert_null(ticket_take(s, NULL, a, &len));
	cr_assert_null(ticket_take(s, "x", a, &len));
	cr_assert_str_eq(ticket_take(s, one, a, &len), "profile");
	cr_assert_eq(len, 7);
	cr_assert_null(ticket_take(s, one, a, &len), "once");
	two = ticket_new(s, "profile", 7, a);
	clock_skip(TICKET_LIFE + 1);
	cr_assert_null(ticket_take(s, two, a, &len), "in time");
	for (int i = 0; i < TICKETS_MAX + 5; i++)
		two = ticket_new(s, "more", 4, a);
	cr_assert_str_eq(ticket_take(s, two, a, &len), "more");
	sessions_free(s);
}

Test(page, charts_and_codes)
{
	static const int64_t up[4] = { 0, 1, 7, 3 }, down[4] = { 0, 0, 5, 0 };
	struct chart c = { .id = "c",
		.title = "A <chart>",
		.names = { "up", "down" },
		.values = { up, down },
		.n = 4,
		.began = 0,
		.step = 3600 };
	struct mf_buf b;
	char text[4000];

	mf_buf_init(&b, 0);
	chart_write(&b, &c);
	cr_assert_not_null(strstr(mf_buf_str(&b), "A &#60;chart&#62;"));
	cr_assert_not_null(strstr(mf_buf_str(&b), "<title>02:00: 12</title>"));
	cr_assert_not_null(strstr(mf_buf_str(&b), ">20</text>"), "the scale's end");
	cr_assert_not_null(strstr(mf_buf_str(&b), "<td class=\"n\">7</td>"), "and as a table");
	mf_buf_clear(&b);
	cr_assert(qr_write(&b, "https://mail.example.org/x", "code"));
	cr_assert_not_null(strstr(mf_buf_str(&b), "aria-label=\"code\""));
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	cr_assert(!qr_write(&b, text, "too long"));
	mf_buf_deinit(&b);
}
