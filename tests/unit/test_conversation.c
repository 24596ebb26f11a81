/* Names, facts and indexes of conversations, from headers alone. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/str.h"
#include "conversation/outgoing.h"
#include "mime/mime.h"

enum { EXAMPLE = 1237619066, DAY = 86400 }; /* 2009-03-21T07:04:26Z, MS-ASCON 4.1 */

static struct mf_arena *arena;

static void
setup(void)
{
	mime_init();
	arena = mf_arena_new();
}

static void
teardown(void)
{
	mf_arena_free(arena);
}

TestSuite(conversation, .init = setup, .fini = teardown);

static struct conversation_facts
facts_of(const char *header, const char *thread)
{
	struct mime_header h;
	struct conversation_facts f;

	mime_header_parse(arena, mf_bytes_str(header), &h);
	conversation_facts_read(arena, &h, thread, 1000, &f);
	return f;
}

static const char *
hex(const struct conversation_id *id)
{
	return str_hex(arena, id->bytes, sizeof(id->bytes));
}

Test(conversation, filetime)
{
	static const struct {
		int64_t seconds;
		uint64_t filetime;
	} rows[] = { { 0, 0x19db1ded53e8000 }, { EXAMPLE, 0x1c9a9f34534b900 },
		{ 4070908800, 0x22e5291fe9d4000 }, { -11644473600, 0 }, { -11644473601, 0 },
		{ INT64_MIN, 0 }, { INT64_MAX, UINT64_MAX } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_assert_eq(conversation_filetime(rows[i].seconds), rows[i].filetime, "%jd: %jx",
			(intmax_t)rows[i].seconds,
			(uintmax_t)conversation_filetime(rows[i].seconds));
}

Test(conversation, the_header_is_that_of_the_example)
{
	struct conversation_index x;

	conversation_index_begin(&x, EXAMPLE);
	cr_assert_str_eq(str_hex(arena, x.bytes, x.len), "01c9a9f345");
}

Test(conversation, levels)
{
	static const struct {
		int64_t after;
		const char *level;
	} rows[] = {
		{ -5, "00000000" },
		{ 0, "0000000d" },
		{ 1, "00000033" },
		{ 60, "000008fd" },
		{ 3600, "0002187e" },
		{ 100 * DAY, "13a52460" },
		{ 624 * DAY, "7a95d87e" },
		{ 651 * DAY,
			"7fe3b6c7" }, /* still fine: the mask says so, not the text's 625 days */
		{ 652 * DAY, "8400b00b" },
		{ 1000 * DAY, "86239b5a" },
		{ 6520 * DAY, "a806e06b" },
		{ INT64_MIN / 2, "00000000" },
	};
	struct conversation_id name = conversation_id_of_message("a@b");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conversation_index x;
		const char *got;

		conversation_index_begin(&x, EXAMPLE);
		conversation_index_extend(&x, EXAMPLE + rows[i].after, &name);
		got = str_hex(arena, x.bytes, x.len);
		cr_assert_eq(x.len, 10);
		cr_assert(strncmp(got + 10, rows[i].level, 8) == 0, "%jd: %s",
			(intmax_t)rows[i].after, got);
		cr_assert_eq(x.bytes[9], name.bytes[15], "the last byte is of the name");
	}
}

Test(conversation, levels_are_bounded)
{
	struct conversation_id name = conversation_id_of_message("a@b");
	struct conversation_index x;

	conversation_index_begin(&x, EXAMPLE);
	for (int i = 0; i < 1000; i++)
		conversation_index_extend(&x, EXAMPLE + i, &name);
	cr_assert_eq(x.len, CONVERSATION_INDEX_MAX);
}

Test(conversation, thread_index)
{
	static const struct {
		const char *name, *value, *index; /* index NULL: invalid */
	} rows[] = {
		{ "no level", "Acmp80XFu6RybUOZ1EyDKX1L2QTtLQ==", "01c9a9f345" },
		{ "two levels", "Acmp80XFu6RybUOZ1EyDKX1L2QTtLQAAESIzgABEVWY=",
			"01c9a9f34500001122338000445566" },
		{ "folded", "Acmp80XFu6RybUOZ1EyD\r\n KX1L2QTtLQAAESIzgABEVWY=",
			"01c9a9f34500001122338000445566" },
		{ "no padding", "Acmp80XFu6RybUOZ1EyDKX1L2QTtLQ", "01c9a9f345" },
		{ "empty", "", NULL },
		{ "one byte short", "Acmp80XFu6RybUOZ1EyDKX1L2QTt", NULL },
		{ "half a level", "Acmp80XFu6RybUOZ1EyDKX1L2QTtLQAA", NULL },
		{ "begins with 02", "Asmp80XFu6RybUOZ1EyDKX1L2QTtLQ==", NULL },
		{ "no GUID", "Acmp80XFAAAAAAAAAAAAAAAAAAAAAA==", NULL },
		{ "not base64", "Acmp80XFu6RybUOZ1E!DKX1L2QTtLQ==", NULL },
		{ "words", "This message has no index at all", NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conversation_index x;
		struct conversation_id guid;
		bool ok = thread_index_parse(mf_bytes_str(rows[i].value), &x, &guid);

		cr_assert_eq(ok, rows[i].index != NULL, "%s", rows[i].name);
		if (!ok)
			continue;
		cr_assert_str_eq(str_hex(arena, x.bytes, x.len), rows[i].index, "%s", rows[i].name);
		cr_assert_str_eq(hex(&guid), "bba4726d4399d44c83297d4bd904ed2d");
	}
}

Test(conversation, thread_index_there_and_back)
{
	struct conversation_id id = conversation_id_of_message("a@b"), guid;
	struct conversation_index x, back;
	const char *text;

	conversation_index_begin(&x, EXAMPLE);
	for (int i = 0; i <= CONVERSATION_LEVELS_MAX; i++) {
		text = thread_index_print(arena, &x, &id);
		cr_assert(thread_index_parse(mf_bytes_str(text), &back, &guid), "%d", i);
		cr_assert_eq(back.len, x.len);
		cr_assert_eq(memcmp(back.bytes, x.bytes, x.len), 0, "%d", i);
		cr_assert(conversation_id_same(&id, &guid));
		conversation_index_extend(&x, EXAMPLE + i * DAY, &id);
	}
}

/* Which of its headers gives a message its conversation. */
Test(conversation, id)
{
	static const struct {
		const char *name, *header, *thread;
		const char *message; /* the id is that of this message; NULL: see below */
	} rows[] = {
		{ "first of References",
			"Message-ID: <c@x>\r\nReferences: <a@x> <b@x>\r\nIn-Reply-To: "
			"<b@x>\r\n\r\n",
			"", "a@x" },
		{ "lone In-Reply-To", "Message-ID: <c@x>\r\nIn-Reply-To: <b@x>\r\n\r\n", "",
			"b@x" },
		{ "In-Reply-To of words",
			"Message-ID: <c@x>\r\nIn-Reply-To: Message from Bart <bart@x>\r\n\r\n", "",
			"c@x" },
		{ "In-Reply-To of words behind",
			"Message-ID: <c@x>\r\nIn-Reply-To: <b@x> from Bart\r\n\r\n", "", "c@x" },
		{ "In-Reply-To of two", "Message-ID: <c@x>\r\nIn-Reply-To: <a@x> <b@x>\r\n\r\n", "",
			"c@x" },
		{ "empty References, lone In-Reply-To",
			"Message-ID: <c@x>\r\nReferences: \r\nIn-Reply-To: <b@x>\r\n\r\n", "",
			"b@x" },
		{ "own", "Message-ID: <c@x>\r\n\r\n", "", "c@x" },
		{ "refers to itself", "Message-ID: <c@x>\r\nReferences: <c@x>\r\n\r\n", "", "c@x" },
		{ "refers to itself and another",
			"Message-ID: <c@x>\r\nReferences: <c@x> <a@x>\r\n\r\n", "", "a@x" },
		{ "invalid Thread-Index", "Message-ID: <c@x>\r\nThread-Index: AAAA\r\n\r\n", "",
			"c@x" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conversation_facts f = facts_of(rows[i].header, rows[i].thread);
		struct conversation_id want = conversation_id_of_message(rows[i].message);

		cr_assert_str_eq(hex(&f.id), hex(&want), "%s", rows[i].name);
	}
}

Test(conversation, id_of_servers_and_outlook)
{
	static const char header[] = "Message-ID: <c@x>\r\nReferences: <a@x>\r\n"
				     "Thread-Index: Acmp80XFu6RybUOZ1EyDKX1L2QTtLQ==\r\n\r\n";
	struct conversation_facts f = facts_of(header, ""), g = facts_of(header, "178"),
				  h = facts_of("Message-ID: <z@x>\r\n\r\n", "178");
	struct conversation_id names[CONVERSATION_NAMES_MAX];

	cr_assert_str_eq(hex(&f.id), "bba4726d4399d44c83297d4bd904ed2d");
	cr_assert(!conversation_id_same(&f.id, &g.id));
	cr_assert(conversation_id_same(&g.id, &h.id), "the server's thread comes first");
	cr_assert_eq(conversation_facts_names(&g, names), 4, "own, thread, GUID, parent");
	cr_assert_eq(conversation_facts_names(&h, names), 2);
}

/* It is a pure function: the same on every machine, for ever. */
Test(conversation, id_never_changes)
{
	struct conversation_id m = conversation_id_of_message("a@b"),
			       t = conversation_id_of_thread("a@b");

	cr_assert_str_eq(hex(&m), "8589c1385c99be4a0604d7eae752e65c");
	cr_assert_str_eq(hex(&t), "71b037adda358bbed269c1e4f219c565");
}

Test(conversation, messages_without_an_id)
{
	static const char *const headers[] = {
		"\r\n",
		"Date: Sat, 21 Mar 2009 07:04:26 +0000\r\n\r\n",
		"Date: Sat, 21 Mar 2009 07:04:26 +0000\r\nFrom: a@b\r\n\r\n",
		"Date: Sat, 21 Mar 2009 07:04:26 +0000\r\nFrom: a@b\r\nSubject: x\r\n\r\n",
		"Subject: x\r\n\r\n",
		"From: x\r\n\r\n",
	};
	size_t n = sizeof(headers) / sizeof(headers[0]);

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++) {
			struct conversation_facts f = facts_of(headers[i], ""),
						  g = facts_of(headers[j], "");

			cr_assert_eq(conversation_id_same(&f.id, &g.id), i == j, "%zu %zu", i, j);
		}
}

Test(conversation, ids_from_phones)
{
	struct conversation_id id;
	uint8_t raw[17] = { 0 };

	cr_assert(!conversation_id_read(mf_bytes(raw, 16), &id), "zeros");
	raw[15] = 1;
	cr_assert(conversation_id_read(mf_bytes(raw, 16), &id));
	cr_assert(!conversation_id_read(mf_bytes(raw, 15), &id));
	cr_assert(!conversation_id_read(mf_bytes(raw, 17), &id));
	cr_assert(!conversation_id_read(mf_bytes(NULL, 0), &id));
}

Test(conversation, dates)
{
	cr_assert_eq(facts_of("Date: Sat, 21 Mar 2009 07:04:26 +0000\r\n\r\n", "").date, EXAMPLE);
	cr_assert_eq(facts_of("Date: yesterday\r\n\r\n", "").date, 1000, "received");
	cr_assert_eq(facts_of("Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n\r\n", "").date, 0);
	cr_assert_eq(facts_of("Date: Thu, 1 Jan 2099 00:00:00 +0000\r\n\r\n", "").date, 4070908800);
}

Test(conversation, thousands_of_references)
{
	struct conversation_facts f;
	struct conversation_id first = conversation_id_of_message("0@x"),
			       last = conversation_id_of_message("4999@x");
	struct mf_buf b;

	mf_buf_init(&b, 0);
	mf_buf_add_str(&b, "Message-ID: <own@x>\r\nReferences:");
	for (int i = 0; i < 5000; i++)
		mf_buf_printf(&b, "\r\n <%d@x>", i);
	mf_buf_add_str(&b, "\r\n\r\n");
	f = facts_of(mf_buf_str(&b), "");
	mf_buf_deinit(&b);
	cr_assert_eq(f.n_parents, CONVERSATION_ANCESTORS_MAX);
	cr_assert(conversation_id_same(&f.id, &first), "the oldest names it");
	cr_assert(conversation_id_same(&f.parents[f.n_parents - 1], &last));
}

static struct conversation_index
index_of(const struct conversation_ancestor *chain, size_t n, int64_t date)
{
	struct conversation_facts f = { .own = conversation_id_of_message("own@x"), .date = date };
	struct conversation_index x;

	conversation_index_build(chain, n, &f, &x);
	return x;
}

Test(conversation, index_from_ancestors)
{
	struct conversation_ancestor chain[] = {
		{ .name = conversation_id_of_message("a@x"), .known = true, .date = EXAMPLE },
		{ .name = conversation_id_of_message("b@x"), .known = true, .date = EXAMPLE + 60 },
		{ .name = conversation_id_of_message("c@x"),
			.known = true,
			.date = EXAMPLE + 3600 },
	};
	struct conversation_index root = index_of(NULL, 0, EXAMPLE),
				  x = index_of(chain, 3, EXAMPLE + DAY), y;

	cr_assert_eq(root.len, 5);
	cr_assert_eq(x.len, 20);
	cr_assert_eq(memcmp(x.bytes, root.bytes, 5), 0);
	for (size_t n = 1; n < 3; n++) { /* each begins with those above it */
		y = index_of(chain, n, chain[n].date);
		cr_assert_eq(memcmp(x.bytes, y.bytes, 5 * n), 0, "%zu", n);
		cr_assert_eq(memcmp(x.bytes + 5 * n, y.bytes + 5 * n, 4), 0, "%zu", n);
	}
	chain[1].known = false; /* a gap has the date of the next one below */
	y = index_of(chain, 3, EXAMPLE + DAY);
	cr_assert_eq(y.len, 20);
	cr_assert_eq(memcmp(y.bytes + 5, x.bytes + 10, 4), 0);
	chain[0].known = chain[2].known = false;
	y = index_of(chain, 3, EXAMPLE);
	cr_assert_eq(memcmp(y.bytes, root.bytes, 5), 0, "of strangers, only its own date counts");
}

Test(conversation, index_continues_outlook)
{
	struct conversation_ancestor chain[] = {
		{ .name = conversation_id_of_message("a@x"), .known = true, .date = 5 },
		{ .name = conversation_id_of_message("b@x"), .known = true, .date = 6 },
		{ .name = conversation_id_of_message("c@x"), .known = true, .date = EXAMPLE + 60 },
	};
	struct conversation_index x;

	thread_index_parse(
		mf_bytes_str("Acmp80XFu6RybUOZ1EyDKX1L2QTtLQAAESIz"), &chain[1].index, NULL);
	x = index_of(chain, 3, EXAMPLE + 3600);
	cr_assert_eq(x.len, 20);
	cr_assert(strncmp(str_hex(arena, x.bytes, x.len), "01c9a9f3450000112233000008fd", 28) == 0);
}

/* ---- What we send ---- */

struct sent {
	const char *fields;
	struct mime_header header;
};

static struct sent
send(const char *message, const char *original, int64_t now)
{
	struct mime_header m, o;
	struct conversation_outgoing out = {
		.message = &m, .message_id = "new@x", .original_received = EXAMPLE, .now = now
	};
	struct sent sent;
	struct mf_buf b;

	mime_header_parse(arena, mf_bytes_str(message), &m);
	if (original != NULL) {
		mime_header_parse(arena, mf_bytes_str(original), &o);
		out.original = &o;
	}
	mf_buf_init(&b, 0);
	conversation_outgoing_add(arena, &out, &b);
	sent.fields = mf_strdup(arena, mf_buf_str(&b));
	mf_buf_add_str(&b, "Message-ID: <new@x>\r\n\r\n");
	mime_header_parse(arena, mf_memdup(arena, b.data, b.len), &sent.header);
	mf_buf_deinit(&b);
	return sent;
}

Test(conversation, a_reply_extends_the_original)
{
	static const char original[] =
		"Message-ID: <b@x>\r\nReferences: <a@x>\r\nSubject: Re: Tea\r\n"
		"Date: Sat, 21 Mar 2009 07:04:26 +0000\r\n\r\n";
	struct sent s = send("Subject: AW: Tea\r\n\r\n", original, EXAMPLE + 60);
	struct conversation_facts f, parent = facts_of(original, "");

	conversation_facts_read(arena, &s.header, "", 0, &f);
	cr_assert(strstr(s.fields, "References: <a@x>\r\n <b@x>\r\n") != NULL, "%s", s.fields);
	cr_assert(strstr(s.fields, "In-Reply-To: <b@x>\r\n") != NULL);
	cr_assert(strstr(s.fields, "Thread-Topic: Tea\r\n") != NULL);
	cr_assert(conversation_id_same(&f.guid, &parent.id), "its GUID is the conversation");
	cr_assert_eq(f.index.len, 15, "first message, original, this one");
}

Test(conversation, a_forward_of_outlooks_mail_extends_its_index)
{
	struct sent s = send("Subject: Fwd: Tea\r\n\r\n",
		"Message-ID: <b@x>\r\nThread-Topic: Coffee\r\n"
		"Thread-Index: Acmp80XFu6RybUOZ1EyDKX1L2QTtLQAAESIz\r\n\r\n",
		EXAMPLE + 60);
	struct conversation_facts f;

	conversation_facts_read(arena, &s.header, "", 0, &f);
	cr_assert(strstr(s.fields, "References: <b@x>\r\n") != NULL, "%s", s.fields);
	cr_assert(strstr(s.fields, "Thread-Topic: Coffee\r\n") != NULL);
	cr_assert_str_eq(hex(&f.guid), "bba4726d4399d44c83297d4bd904ed2d");
	cr_assert(strncmp(str_hex(arena, f.index.bytes, f.index.len),
			  "01c9a9f3450000112233000008fd", 28) == 0);
}

Test(conversation, a_new_mail_begins_one)
{
	struct sent s = send("Subject: Tea\r\n\r\n", NULL, EXAMPLE);
	struct conversation_facts f;
	struct conversation_id own = conversation_id_of_message("new@x");

	conversation_facts_read(arena, &s.header, "", 0, &f);
	cr_assert(strstr(s.fields, "References") == NULL);
	cr_assert(conversation_id_same(&f.id, &own));
	cr_assert_str_eq(str_hex(arena, f.index.bytes, f.index.len), "01c9a9f345");
}

Test(conversation, a_reply_that_the_phone_made_itself)
{
	struct sent s = send("Subject: Re: Tea\r\nReferences: <a@x> <b@x>\r\n\r\n", NULL, EXAMPLE);
	struct conversation_facts f;
	struct conversation_id a = conversation_id_of_message("a@x");

	conversation_facts_read(arena, &s.header, "", 0, &f);
	cr_assert(conversation_id_same(&f.guid, &a));
	cr_assert_eq(f.index.len, 15);
	s = send("Thread-Index: Acmp80XFu6RybUOZ1EyDKX1L2QTtLQ==\r\n\r\n", NULL, EXAMPLE);
	cr_assert(strstr(s.fields, "Thread-Index") == NULL, "a valid one stays as it is");
}

Test(conversation, references_of_what_we_send_are_bounded)
{
	struct sent s;
	struct mime_ids ids;
	struct mf_buf b;

	mf_buf_init(&b, 0);
	mf_buf_add_str(&b, "Message-ID: <own@x>\r\nReferences:");
	for (int i = 0; i < 450; i++)
		mf_buf_printf(&b, "\r\n <%d@x>", i);
	mf_buf_add_str(&b, "\r\n\r\n");
	s = send("\r\n", mf_buf_str(&b), EXAMPLE);
	mf_buf_deinit(&b);
	mime_ids_parse(arena, mime_header_raw(&s.header, "References"), &ids);
	cr_assert_eq(ids.n, 100);
	cr_assert_str_eq(ids.list[0], "0@x");
	cr_assert_str_eq(ids.list[1], "352@x");
	cr_assert_str_eq(ids.list[99], "own@x");
}

/* With a memo names are the same as without, also of ids that are too long for it, or share a place. */
Test(conversation, remembered_names_are_the_same)
{
	struct conversation_memo *memo = conversation_memo_new();
	char text[300];

	for (int turn = 0; turn < 2; turn++)
		for (int i = 0; i < 3000; i++) {
			struct conversation_id plain, kept;

			snprintf(text, sizeof(text), "%*d@example.test", i % 150 + 1, i);
			plain = conversation_id_of_message(text);
			kept = conversation_id_remembered(memo, text);
			cr_assert(conversation_id_same(&plain, &kept), "%s", text);
		}
	conversation_memo_free(memo);
}
