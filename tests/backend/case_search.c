/* Search: each kind of query over a few letters. */
#include "contract.h"

#include <string.h>

static const int64_t noon = 1707134400; /* 2024-02-05T12:00:00Z */
enum { DAY = 86400 };

static const struct {
	const char *message;
	uint32_t flags;
	int days;
} letters[] = {
	/* 0 */ {
		"From: Anna Arendt <anna@example.org>\r\nTo: Ben <ben@example.org>\r\n"
		"Cc: Cleo <cleo@example.org>\r\nSubject: Quarterly Report\r\nX-Kind: first\r\n\r\n"
		"The figures are good.\r\n",
		MF_FLAG_SEEN, 0 },
	/* 1 */
	{ "From: =?utf-8?q?J=C3=BCrgen?= <juergen@example.org>\r\n"
	  "To: Anna <anna@example.org>\r\nBcc: dora@example.org\r\n"
	  "Subject: =?utf-8?b?R3LDvMOfZSBhdXMgS8O2bG4=?=\r\nMIME-Version: 1.0\r\n"
	  "Content-Type: text/plain; charset=utf-8\r\n"
	  "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
	  "Sch=C3=B6ne Gr=C3=BC=C3=9Fe, das Wetter ist wun=\r\nderbar.\r\n",
		MF_FLAG_FLAGGED, 1 },
	/* 2 */
	{ "From: Ben <ben@example.org>\r\nTo: Anna <anna@example.org>\r\n"
	  "Subject: picture\r\nMIME-Version: 1.0\r\n"
	  "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
	  "Content-Type: text/plain; charset=utf-8\r\n"
	  "Content-Transfer-Encoding: base64\r\n\r\nVGhlIHBpY3R1cmUgb2YgdGhlIGhhcmJvdXI=\r\n"
	  "--b\r\nContent-Type: text/html; charset=iso-8859-1\r\n\r\n<p>ENGLISH "
	  "\xdcLANGUAGE</p>\r\n"
	  "--b--\r\n",
		MF_FLAG_SEEN | MF_FLAG_ANSWERED, 2 },
};

enum { LETTERS = sizeof(letters) / sizeof(letters[0]) };

static void
put_letters(struct bench *b, uint64_t *ids)
{
	for (int k = 0; k < LETTERS; k++)
		ids[k] = contract_put(b, b->inbox, mf_bytes_str(letters[k].message),
			letters[k].flags, noon + letters[k].days * DAY);
}

static void
expect(struct bench *b, const char *name, const struct mf_query *q, const uint64_t *ids,
	unsigned expected)
{
	struct mf_idset found;

	mf_idset_init(&found);
	mf_idset_add(&found, 4711);
	STATUS(b, b->store->search(b->s, b->inbox, q, 10000, &found, &b->err), MF_OK);
	for (int k = 0; k < LETTERS; k++)
		CHECK(b, mf_idset_has(&found, ids[k]) == ((expected >> k & 1) != 0),
			"%s: letter %d", name, k);
	CHECK(b, mf_idset_count(&found) == (uint64_t)__builtin_popcount(expected), "%s: %llu found",
		name, (unsigned long long)mf_idset_count(&found));
	mf_idset_deinit(&found);
}

static void
simple_queries(struct bench *b)
{
	static const struct {
		struct mf_query q;
		unsigned expected; /* bit k: letter k */
	} cases[] = {
		{ { .kind = MF_QUERY_AND }, 7 },
		{ { .kind = MF_QUERY_OR }, 0 },
		{ { .kind = MF_QUERY_FROM, .text = "anna" }, 1 },
		{ { .kind = MF_QUERY_FROM, .text = "ARENDT" }, 1 },
		{ { .kind = MF_QUERY_FROM, .text = "J\xc3\xbcrgen" }, 2 },
		{ { .kind = MF_QUERY_TO, .text = "anna@example.org" }, 6 },
		{ { .kind = MF_QUERY_CC, .text = "cleo" }, 1 },
		{ { .kind = MF_QUERY_BCC, .text = "dora" }, 2 },
		{ { .kind = MF_QUERY_SUBJECT, .text = "quarterly" }, 1 },
		{ { .kind = MF_QUERY_SUBJECT, .text = "uarterly Repor" }, 1 },
		{ { .kind = MF_QUERY_SUBJECT,
			  .text = "Gr\xc3\xbc\xc3\x9f"
				  "e aus K\xc3\xb6ln" },
			2 },
		{ { .kind = MF_QUERY_SUBJECT, .text = "report quarterly" }, 0 },
		{ { .kind = MF_QUERY_BODY, .text = "figures" }, 1 },
		{ { .kind = MF_QUERY_BODY, .text = "sch\xc3\xb6ne gr\xc3\xbc" }, 2 },
		{ { .kind = MF_QUERY_BODY, .text = "wunderbar" }, 2 },
		{ { .kind = MF_QUERY_BODY, .text = "harbour" }, 4 },
		{ { .kind = MF_QUERY_BODY, .text = "\xc3\x9cLANGUAGE" }, 4 },
		{ { .kind = MF_QUERY_BODY, .text = "Quarterly" }, 0 },
		{ { .kind = MF_QUERY_TEXT, .text = "Quarterly" }, 1 },
		{ { .kind = MF_QUERY_TEXT, .text = "harbour" }, 4 },
		{ { .kind = MF_QUERY_TEXT, .text = "example.org" }, 7 },
		{ { .kind = MF_QUERY_HEADER, .name = "X-Kind", .text = "fir" }, 1 },
		{ { .kind = MF_QUERY_HEADER, .name = "x-kind", .text = "" }, 1 },
		{ { .kind = MF_QUERY_HEADER, .name = "X-None", .text = "" }, 0 },
		{ { .kind = MF_QUERY_SET, .flag = MF_FLAG_SEEN }, 5 },
		{ { .kind = MF_QUERY_UNSET, .flag = MF_FLAG_SEEN }, 2 },
		{ { .kind = MF_QUERY_SET, .flag = MF_FLAG_FLAGGED }, 2 },
		{ { .kind = MF_QUERY_SET, .flag = MF_FLAG_ANSWERED }, 4 },
		{ { .kind = MF_QUERY_UNSET, .flag = MF_FLAG_FORWARDED }, 7 },
		{ { .kind = MF_QUERY_SINCE, .date = 1707134400 + DAY }, 6 },
		{ { .kind = MF_QUERY_SINCE, .date = 1707134400 + DAY + 3600 }, 6 },
		{ { .kind = MF_QUERY_BEFORE, .date = 1707134400 + DAY }, 1 },
		{ { .kind = MF_QUERY_BEFORE, .date = 1707134400 }, 0 },
		{ { .kind = MF_QUERY_LARGER, .size = 300 }, 6 },
		{ { .kind = MF_QUERY_LARGER, .size = 5000000000 }, 0 },
	};
	uint64_t ids[LETTERS];

	put_letters(b, ids);
	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++)
		expect(b,
			mf_printf(b->a, "query %zu (%s)", k,
				cases[k].q.text == NULL ? "" : cases[k].q.text),
			&cases[k].q, ids, cases[k].expected);
}

static void
combined_queries(struct bench *b)
{
	static const struct mf_query seen = { .kind = MF_QUERY_SET, .flag = MF_FLAG_SEEN };
	struct mf_query from_ben = { .kind = MF_QUERY_FROM, .text = "ben" };
	struct mf_query subject = { .kind = MF_QUERY_SUBJECT, .text = "report" };
	struct mf_query both[] = { seen, from_ben }, either[] = { from_ben, subject };
	struct mf_query and = { .kind = MF_QUERY_AND, .children = both, .n_children = 2 };
	struct mf_query or = { .kind = MF_QUERY_OR, .children = either, .n_children = 2 };
	struct mf_query not_seen = { .kind = MF_QUERY_NOT, .children = &seen, .n_children = 1 };
	struct mf_query not_or = { .kind = MF_QUERY_NOT, .children = & or, .n_children = 1 };
	struct mf_query three[] = { subject, not_seen, from_ben };
	struct mf_query or3 = { .kind = MF_QUERY_OR, .children = three, .n_children = 3 };
	struct mf_query deep[] = { or3, not_or };
	struct mf_query all = { .kind = MF_QUERY_AND, .children = deep, .n_children = 2 };
	struct mf_query one = { .kind = MF_QUERY_AND, .children = &subject, .n_children = 1 };
	struct mf_query none = { .kind = MF_QUERY_OR };
	struct mf_query not_none = { .kind = MF_QUERY_NOT, .children = &none, .n_children = 1 };
	uint64_t ids[LETTERS];

	put_letters(b, ids);
	expect(b, "and", &and, ids, 4);
	expect(b, "or", & or, ids, 5);
	expect(b, "not", &not_seen, ids, 2);
	expect(b, "not or", &not_or, ids, 2);
	expect(b, "or of three", &or3, ids, 7);
	expect(b, "and of or and not", &all, ids, 2);
	expect(b, "and of one", &one, ids, 1);
	expect(b, "not of nothing", &not_none, ids, 7);
}

const struct contract_case cases_search[] = {
	{ "search-simple", simple_queries, CAN_KEEP },
	{ "search-combined", combined_queries, CAN_KEEP },
	{ NULL, NULL, 0 },
};
