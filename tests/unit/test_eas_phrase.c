/* Search strings: what each means, printed back. */
#include <criterion/criterion.h>

#include <string.h>

#include "eas/map/phrase.h"
#include "mailferry/buf.h"

static const char *const names[] = {
	[MF_QUERY_AND] = "and",
	[MF_QUERY_OR] = "or",
	[MF_QUERY_NOT] = "not",
	[MF_QUERY_TEXT] = "text",
	[MF_QUERY_BODY] = "body",
	[MF_QUERY_SUBJECT] = "subject",
	[MF_QUERY_FROM] = "from",
	[MF_QUERY_TO] = "to",
	[MF_QUERY_CC] = "cc",
	[MF_QUERY_BCC] = "bcc",
};

static void
print(const struct mf_query *q, struct mf_buf *out)
{
	mf_buf_printf(out, "%s(", names[q->kind]);
	mf_buf_add_str(out, q->text == NULL ? "" : q->text);
	for (size_t i = 0; i < q->n_children; i++) {
		mf_buf_add_str(out, i == 0 ? "" : " ");
		print(&q->children[i], out);
	}
	mf_buf_add_str(out, ")");
}

static const struct {
	const char *text, *meaning; /* NULL: nothing */
} cases[] = {
	{ "lunch", "text(lunch)" },
	{ "  two words ", "and(text(two) text(words))" },
	{ "\"two words\"", "text(two words)" },
	{ "from:\"Ada L\" OR to:ben", "or(from(Ada L) to(ben))" },
	{ "to:\"X\" OR cc:\"X\" OR from:\"X\" OR subject:\"X\" OR \"X\"",
		"or(to(X) cc(X) from(X) subject(X) text(X))" },
	{ "a b OR c AND d", "or(and(text(a) text(b)) and(text(c) text(d)))" },
	{ "Subject: lunch", "subject(lunch)" },
	{ "from:(ada OR ben) soup", "and(or(from(ada) from(ben)) text(soup))" },
	{ "NOT soup -bread", "and(not(text(soup)) not(text(bread)))" },
	{ "participants:ada", "or(from(ada) to(ada) cc(ada) bcc(ada))" },
	{ "wheel*", "text(wheel)" },
	{ "or and not", "and(text(or) text(and) text(not))" },
	{ "http://x 12:30", "and(text(http://x) text(12:30))" },
	{ "gr\xc3\xbc\xc3\x9f"
	  "e",
		"text(gr\xc3\xbc\xc3\x9f"
		"e)" },
	/* What is open is closed at the end. */
	{ "\"open", "text(open)" },
	{ "(a OR (b", "or(text(a) text(b))" },
	{ "a) b", "and(text(a) text(b))" },
	{ "{5}", "text({5})" },
	{ "\"a\r\nb\"", "text(a  b)" },
	{ "bcc:x body:y", "and(bcc(x) body(y))" },
	{ "OR OR a", "text(a)" },
	{ "- a", "and(text(-) text(a))" },
	{ "", NULL },
	{ " \t", NULL },
	{ "OR", NULL },
	{ "from:", NULL },
	{ "\"\"", NULL },
	{ "()", NULL },
	{ ")))", NULL },
	{ "***", NULL },
};

Test(eas_phrase, meanings)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mf_arena *a = mf_arena_new();
		const struct mf_query *q;
		struct mf_buf out;
		mf_buf_init(&out, 0);
		enum mf_status st = phrase_parse(a, cases[i].text, &q);
		cr_assert_eq(
			st, cases[i].meaning == NULL ? MF_INVALID : MF_OK, "%s", cases[i].text);
		if (st == MF_OK) {
			print(q, &out);
			cr_assert_str_eq(mf_buf_str(&out), cases[i].meaning, "%s", cases[i].text);
		}
		mf_buf_deinit(&out);
		mf_arena_free(a);
	}
}

/* The same piece many times: within the limits or over them, never worse. */
Test(eas_phrase, limits)
{
	static const struct {
		const char *piece;
		size_t times;
		enum mf_status status;
	} many[] = {
		{ "a ", PHRASE_TERMS_MAX, MF_OK },
		{ "a ", PHRASE_TERMS_MAX + 1, MF_TOO_LARGE },
		{ "a OR ", 10000, MF_TOO_LARGE },
		{ "(", PHRASE_DEPTH_MAX, MF_INVALID },
		{ "(", 10000, MF_TOO_LARGE },
		{ "a", PHRASE_TERM_MAX, MF_OK },
		{ "a", PHRASE_TERM_MAX + 1, MF_TOO_LARGE },
		{ "\"", 10000, MF_TOO_LARGE },
		{ "NOT ", 10000, MF_TOO_LARGE },
	};
	for (size_t i = 0; i < sizeof(many) / sizeof(*many); i++) {
		struct mf_arena *a = mf_arena_new();
		const struct mf_query *q;
		struct mf_buf text;
		mf_buf_init(&text, 0);
		for (size_t k = 0; k < many[i].times; k++)
			mf_buf_add_str(&text, many[i].piece);
		cr_assert_eq(phrase_parse(a, mf_buf_str(&text), &q), many[i].status, "%zu", i);
		mf_buf_deinit(&text);
		mf_arena_free(a);
	}
	struct mf_arena *a = mf_arena_new();
	const struct mf_query *q;
	cr_assert_eq(phrase_parse(a, NULL, &q), MF_INVALID);
	mf_arena_free(a);
}
