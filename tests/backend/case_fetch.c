/* Fetching and streaming: what comes, in which pieces, and what does not. */
#include "contract.h"

#include <string.h>

static const int64_t noon = 1707134400; /* 2024-02-05T12:00:00Z */

static const char letter[] = "From: Anna <anna@example.org>\r\n"
			     "To: Ben <ben@example.org>,\r\n"
			     "\tCleo <cleo@example.org>\r\n"
			     "Subject: Fetching\r\n"
			     "Received: one\r\n"
			     "received:two\r\n"
			     "X-Empty:\r\n"
			     "Date: Mon, 05 Feb 2024 10:11:12 +0000\r\n"
			     "\r\n"
			     "The first line.\r\n"
			     "The second line.\r\n";

static uint64_t
put_letter(struct bench *b)
{
	return contract_put(b, b->inbox, mf_bytes_str(letter), MF_FLAG_SEEN, noon);
}

static const char *
text(struct bench *b, struct mf_bytes data)
{
	return mf_strndup(b->a, (const char *)data.data, data.len);
}

static void
what_was_wanted(struct bench *b)
{
	uint64_t id = put_letter(b);
	const struct mf_item *i =
		contract_fetch_one(b, b->inbox, id, MF_WANT_FLAGS | MF_WANT_DATE, NULL, 0);

	CHECK(b, (i->have & (MF_WANT_FLAGS | MF_WANT_DATE)) == (MF_WANT_FLAGS | MF_WANT_DATE),
		"have %x", i->have);
	CHECK(b, i->flags == MF_FLAG_SEEN && i->date == noon, "flags %x date %lld", i->flags,
		(long long)i->date);
	CHECK(b, i->n_sections == 0 && i->damaged == NULL, "nothing else");

	i = contract_fetch_one(b, b->inbox, id, MF_WANT_SIZE | MF_WANT_STRUCTURE, NULL, 0);
	CHECK(b, i->size == strlen(letter), "size %llu", (unsigned long long)i->size);
	NEED(b, i->structure != NULL, "a structure");
	CHECK(b, strcmp(i->structure->type, "text") == 0, "of type %s", i->structure->type);

	i = contract_fetch_one(b, b->inbox, id,
		MF_WANT_FLAGS | MF_WANT_DATE | MF_WANT_SIZE | MF_WANT_HEADER | MF_WANT_STRUCTURE |
			MF_WANT_PREVIEW | MF_WANT_THREAD,
		NULL, 0);
	CHECK(b, (i->have & 31) == 31, "have %x", i->have);
	CHECK(b, (i->have & MF_WANT_PREVIEW) == 0 || i->preview != NULL, "a preview, if any");
	CHECK(b, (i->have & MF_WANT_THREAD) == 0 || (i->thread != NULL && i->identity != NULL),
		"thread and identity, if any");
}

static void
whole_header(struct bench *b)
{
	uint64_t id = put_letter(b);
	const struct mf_item *i = contract_fetch_one(b, b->inbox, id, MF_WANT_HEADER, NULL, 0);
	size_t n = (size_t)(strstr(letter, "\r\n\r\n") + 4 - letter);

	CHECK(b, contract_equal(i->header, mf_bytes(letter, n)), "%s", contract_show(b, i->header));
}

static void
header_fields(struct bench *b)
{
	static const struct {
		const char *fields[4];
		const char *expected;
	} cases[] = {
		{ { "Subject", NULL }, "Subject: Fetching\r\n\r\n" },
		{ { "subject", "X-None", NULL }, "Subject: Fetching\r\n\r\n" },
		{ { "to", NULL },
			"To: Ben <ben@example.org>,\r\n\tCleo <cleo@example.org>\r\n\r\n" },
		{ { "Received", NULL }, "Received: one\r\nreceived:two\r\n\r\n" },
		{ { "X-Empty", NULL }, "X-Empty:\r\n\r\n" },
		{ { "X-None", NULL }, "\r\n" },
	};
	uint64_t id = put_letter(b);

	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		struct contract_items items = contract_fetch(
			b, b->inbox, &id, 1, MF_WANT_HEADER, cases[k].fields, NULL, 0);

		NEED(b, items.n == 1, "the item");
		CHECK(b, contract_equal(items.list[0].header, mf_bytes_str(cases[k].expected)),
			"%s: %s", cases[k].fields[0], contract_show(b, items.list[0].header));
	}
}

static void
sections(struct bench *b)
{
	static const struct {
		struct mf_section_want want;
		const char *expected;
		bool cut;
	} cases[] = {
		{ { .section = "TEXT" }, "The first line.\r\nThe second line.\r\n", false },
		{ { .section = "1" }, "The first line.\r\nThe second line.\r\n", false },
		{ { .section = "1", .max = 9 }, "The first", true },
		{ { .section = "1", .offset = 4, .max = 5 }, "first", true },
		{ { .section = "1", .offset = 21 }, "second line.\r\n", false },
		{ { .section = "1", .offset = 21, .max = 14 }, "second line.\r\n", false },
		{ { .section = "1", .offset = 21, .max = 13 }, "second line.\r", true },
		{ { .section = "1", .max = 1000000 }, "The first line.\r\nThe second line.\r\n",
			false },
		{ { .section = "1", .offset = 35 }, "", false },
		{ { .section = "1", .offset = 4000000000 }, "", false },
		{ { .section = "HEADER", .max = 11 }, "From: Anna ", true },
		{ { .section = "", .offset = 6, .max = 4 }, "Anna", true },
	};
	uint64_t id = put_letter(b);

	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		const struct mf_item *i = contract_fetch_one(b, b->inbox, id, 0, &cases[k].want, 1);
		const struct mf_section *s = i->sections;

		NEED(b, i->n_sections == 1, "case %zu: %zu sections", k, i->n_sections);
		CHECK(b, strcmp(s->section, cases[k].want.section) == 0, "case %zu: named %s", k,
			s->section);
		CHECK(b, contract_equal(s->data, mf_bytes_str(cases[k].expected)), "case %zu: %s",
			k, contract_show(b, s->data));
		CHECK(b, s->cut == cases[k].cut, "case %zu: cut %d", k, s->cut);
	}
}

/* In the order asked, without those that the item does not have, the same one twice. */
static void
several_sections(struct bench *b)
{
	static const struct mf_section_want want[] = { { .section = "TEXT", .max = 3 },
		{ .section = "2" }, { .section = "HEADER", .offset = 6, .max = 4 },
		{ .section = "1.1" }, { .section = "1", .offset = 4, .max = 5 },
		{ .section = "1", .offset = 10, .max = 4 }, { .section = "7.7.MIME" } };
	static const char *const expected[][2] = { { "TEXT", "The" }, { "HEADER", "Anna" },
		{ "1", "first" }, { "1", "line" } };
	uint64_t id = put_letter(b);
	const struct mf_item *i = contract_fetch_one(
		b, b->inbox, id, MF_WANT_FLAGS, want, sizeof(want) / sizeof(want[0]));

	NEED(b, i->n_sections == 4, "%zu sections", i->n_sections);
	for (size_t k = 0; k < 4; k++)
		CHECK(b,
			strcmp(i->sections[k].section, expected[k][0]) == 0 &&
				strcmp(text(b, i->sections[k].data), expected[k][1]) == 0,
			"section %zu: %s %s", k, i->sections[k].section,
			contract_show(b, i->sections[k].data));
}

static void
most_sections(struct bench *b)
{
	struct mf_section_want want[MF_SECTIONS_MAX];
	uint64_t id = put_letter(b);
	const struct mf_item *i;

	memset(want, 0, sizeof(want));
	for (unsigned k = 0; k < MF_SECTIONS_MAX; k++) {
		strcpy(want[k].section, "1");
		want[k].offset = k;
		want[k].max = 1;
	}
	i = contract_fetch_one(b, b->inbox, id, MF_WANT_STRUCTURE, want, MF_SECTIONS_MAX);
	NEED(b, i->n_sections == MF_SECTIONS_MAX, "%zu sections", i->n_sections);
	for (unsigned k = 0; k < MF_SECTIONS_MAX; k++)
		CHECK(b,
			i->sections[k].data.len == 1 &&
				i->sections[k].data.data[0] ==
					(uint8_t) "The first line.\r\nThe "[k],
			"byte %u", k);
}

/* Each item chooses for itself. */
static size_t
choose_by_size(void *ctx, const struct mf_item *item, struct mf_section_want *out)
{
	++*(unsigned *)ctx;
	if (item->size > 300)
		return 0;
	strcpy(out[0].section, "TEXT");
	return 1;
}

struct seen {
	struct bench *b;
	unsigned chosen, items, with_section;
};

static enum mf_status
see(void *ctx, const struct mf_item *item)
{
	struct seen *s = ctx;

	s->items++;
	s->with_section += item->n_sections == 1;
	CHECK(s->b, (item->n_sections == 1) == (item->size <= 300), "%llu bytes, %zu sections",
		(unsigned long long)item->size, item->n_sections);
	return MF_OK;
}

static size_t
choose_and_count(void *ctx, const struct mf_item *item, struct mf_section_want *out)
{
	return choose_by_size(&((struct seen *)ctx)->chosen, item, out);
}

static void
items_choose(struct bench *b)
{
	struct seen s = { .b = b };
	char *big = mf_alloc(b->a, 2000);
	uint64_t ids[20];
	struct mf_fetch f = { .folder = b->inbox,
		.ids = ids,
		.n = 20,
		.want = MF_WANT_SIZE,
		.choose = choose_and_count,
		.item = see,
		.ctx = &s };

	memset(big, 'x', 900);
	for (unsigned k = 0; k < 20; k++)
		ids[k] = k % 3 == 0 ? contract_put_subject(b, b->inbox, big)
				    : contract_put_subject(b, b->inbox, "small");
	STATUS(b, b->store->fetch(b->s, &f, &b->err), MF_OK);
	CHECK(b, s.chosen == 20 && s.items == 20, "%u chosen, %u items", s.chosen, s.items);
	CHECK(b, s.with_section == 13, "%u with a section", s.with_section);
}

static void
missing_items(struct bench *b)
{
	uint64_t a = put_letter(b), gone = put_letter(b), c = put_letter(b);
	uint64_t ids[] = { c, 4000000000, gone, a, UINT64_MAX, c + 1 };
	struct contract_items items;

	contract_remove(b, b->inbox, gone);
	items = contract_fetch(b, b->inbox, ids, 6, MF_WANT_FLAGS, NULL, NULL, 0);
	CHECK(b, items.n == 2, "%zu items", items.n);
	CHECK(b, contract_item(&items, a) != NULL && contract_item(&items, c) != NULL, "both");
	items = contract_fetch(b, b->inbox, &gone, 1, MF_WANT_STRUCTURE, NULL, NULL, 0);
	CHECK(b, items.n == 0, "none");
	items = contract_fetch(b, b->inbox, ids, 0, MF_WANT_FLAGS, NULL, NULL, 0);
	CHECK(b, items.n == 0, "none asked for, none come");
}

/* Another session removes an item that this one has seen. */
static void
vanished_item(struct bench *b)
{
	static const struct mf_section_want whole = { .section = "" };
	uint64_t a = put_letter(b), x = put_letter(b), ids[] = { a, x };
	struct mf_session *mine = b->s;
	struct contract_items items =
		contract_fetch(b, b->inbox, ids, 2, MF_WANT_FLAGS, NULL, NULL, 0);

	CHECK(b, items.n == 2, "%zu items", items.n);
	b->s = contract_login(b);
	contract_remove(b, b->inbox, a);
	b->api->logout(b->s);
	b->s = mine;
	items = contract_fetch(b, b->inbox, ids, 2, MF_WANT_HEADER, NULL, &whole, 1);
	CHECK(b, contract_item(&items, x) != NULL, "the other one comes");
	CHECK(b,
		contract_item(&items, a) == NULL || contract_item(&items, a)->damaged != NULL ||
			contract_item(&items, a)->n_sections == 1,
		"left out, or still whole");
}

static void
many_items(struct bench *b)
{
	enum { MANY = 250 };
	static const struct mf_section_want want = { .section = "1" };
	uint64_t ids[MANY];
	struct contract_items items;

	for (int k = 0; k < MANY; k++)
		ids[MANY - 1 - k] =
			contract_put_subject(b, b->inbox, mf_printf(b->a, "Number%d", k));
	items = contract_fetch(
		b, b->inbox, ids, MANY, MF_WANT_HEADER | MF_WANT_STRUCTURE, NULL, &want, 1);
	NEED(b, items.n == MANY, "%zu items", items.n);
	for (int k = 0; k < MANY; k++) {
		const struct mf_item *i = contract_item(&items, ids[MANY - 1 - k]);
		const char *line = mf_printf(b->a, "The text of Number%d.\r\n", k);

		NEED(b, i != NULL && i->n_sections == 1, "item %d", k);
		CHECK(b, contract_equal(i->sections[0].data, mf_bytes_str(line)),
			"its own text: %s", contract_show(b, i->sections[0].data));
		CHECK(b,
			strstr(text(b, i->header), mf_printf(b->a, "Subject: Number%d\r\n", k)) !=
				NULL,
			"its own header");
	}
}

/* A damaged item comes with what is known, and does not stop the others. */
static void
damaged_item(struct bench *b)
{
	static const struct mf_section_want whole = { .section = "" };
	uint64_t ids[3];
	struct contract_items items;

	for (int k = 0; k < 3; k++)
		ids[k] = put_letter(b);
	b->target->damage(b, b->inbox, ids[1]);
	items = contract_fetch(
		b, b->inbox, ids, 3, MF_WANT_FLAGS | MF_WANT_HEADER, NULL, &whole, 1);
	NEED(b, items.n == 3, "%zu items", items.n);
	for (int k = 0; k < 3; k++) {
		const struct mf_item *i = contract_item(&items, ids[k]);

		NEED(b, i != NULL, "item %d", k);
		CHECK(b, (i->damaged != NULL) == (k == 1), "item %d: damaged %s", k,
			i->damaged == NULL ? "not" : i->damaged);
		CHECK(b, k == 1 || i->n_sections == 1, "item %d is whole", k);
	}
	CHECK(b, contract_item(&items, ids[1])->damaged[0] != '\0', "with a reason");
	CHECK(b, b->api->usable(b->s), "the session is none the worse");
}

/* ---- Streaming ---- */

struct sink {
	struct mf_buf data;
	size_t largest;
};

static enum mf_status
pour(void *ctx, const void *data, size_t len)
{
	struct sink *s = ctx;

	mf_buf_add(&s->data, data, len);
	if (len > s->largest)
		s->largest = len;
	return MF_OK;
}

static enum mf_status
stream(struct bench *b, uint64_t id, struct mf_section_want want, struct sink *sink)
{
	mf_buf_clear(&sink->data);
	return b->store->stream(b->s, b->inbox, id, &want, pour, sink, &b->err);
}

static void
streams(struct bench *b)
{
	uint64_t id = put_letter(b);
	struct sink s = { .largest = 0 };

	mf_buf_init(&s.data, 0);
	STATUS(b, stream(b, id, (struct mf_section_want){ .section = "" }, &s), MF_OK);
	CHECK(b, contract_equal(mf_buf_bytes(&s.data), mf_bytes_str(letter)), "the whole item");
	STATUS(b,
		stream(b, id, (struct mf_section_want){ .section = "TEXT", .offset = 4, .max = 5 },
			&s),
		MF_OK);
	CHECK(b, strcmp(mf_buf_str(&s.data), "first") == 0, "%s", mf_buf_str(&s.data));
	STATUS(b, stream(b, id, (struct mf_section_want){ .section = "1", .offset = 21 }, &s),
		MF_OK);
	CHECK(b, strcmp(mf_buf_str(&s.data), "second line.\r\n") == 0, "to the end");
	STATUS(b, stream(b, id, (struct mf_section_want){ .section = "1", .offset = 99999 }, &s),
		MF_OK);
	CHECK(b, s.data.len == 0, "nothing behind the end");
	STATUS(b, stream(b, id, (struct mf_section_want){ .section = "2" }, &s), MF_GONE);
	STATUS(b, stream(b, id + 1, (struct mf_section_want){ .section = "" }, &s), MF_GONE);
	STATUS(b, stream(b, UINT64_MAX, (struct mf_section_want){ .section = "" }, &s), MF_GONE);
	CHECK(b, s.data.len == 0, "and nothing was written");
	contract_remove(b, b->inbox, id);
	STATUS(b, stream(b, id, (struct mf_section_want){ .section = "" }, &s), MF_GONE);
	CHECK(b, b->api->usable(b->s), "the session is none the worse");
	mf_buf_deinit(&s.data);
}

/* 3 MB in pieces: nobody holds all of it. */
static void
streams_in_pieces(struct bench *b)
{
	enum { LINES = 40000, LINE = 78, MOST = 1 << 20 };
	static const char head[] = "Subject: Large\r\n\r\n";
	struct mf_bytes tail;
	struct sink s = { .largest = 0 };
	struct mf_buf m;
	uint64_t id;

	mf_buf_init(&m, 0);
	mf_buf_add_str(&m, head);
	for (int k = 0; k < LINES; k++)
		mf_buf_printf(&m, "%076d\r\n", k);
	tail = mf_bytes(m.data + strlen(head), m.len - strlen(head));
	id = contract_put(b, b->inbox, mf_buf_bytes(&m), 0, 0);
	mf_buf_init(&s.data, 0);
	STATUS(b, stream(b, id, (struct mf_section_want){ .section = "TEXT" }, &s), MF_OK);
	CHECK(b, contract_equal(mf_buf_bytes(&s.data), tail), "byte for byte");
	CHECK(b, s.largest <= MOST, "a piece of %zu bytes", s.largest);
	STATUS(b,
		stream(b, id,
			(struct mf_section_want){
				.section = "TEXT", .offset = 1000000, .max = 1500000 },
			&s),
		MF_OK);
	CHECK(b, contract_equal(mf_buf_bytes(&s.data), mf_bytes(tail.data + 1000000, 1500000)),
		"from the middle");
	mf_buf_deinit(&s.data);
	mf_buf_deinit(&m);
}

const struct contract_case cases_fetch[] = {
	{ "fetch-what-was-wanted", what_was_wanted, CAN_KEEP },
	{ "fetch-whole-header", whole_header, CAN_KEEP },
	{ "fetch-header-fields", header_fields, CAN_KEEP },
	{ "fetch-sections", sections, CAN_KEEP },
	{ "fetch-several-sections", several_sections, CAN_KEEP },
	{ "fetch-most-sections", most_sections, CAN_KEEP },
	{ "fetch-items-choose", items_choose, CAN_KEEP },
	{ "fetch-missing-items", missing_items, CAN_KEEP },
	{ "fetch-vanished-item", vanished_item, CAN_KEEP },
	{ "fetch-many-items", many_items, CAN_KEEP },
	{ "fetch-damaged-item", damaged_item, CAN_DAMAGE },
	{ "stream", streams, CAN_KEEP },
	{ "stream-in-pieces", streams_in_pieces, CAN_KEEP },
	{ NULL, NULL, 0 },
};
