/* Putting, flagging and removing items. */
#include "contract.h"

#include <string.h>
#include <time.h>

static const int64_t noon = 1707134400; /* 2024-02-05T12:00:00Z */
static const char small[] = "Subject: small\r\n\r\nText.\r\n";

static uint64_t
put_small(struct bench *b)
{
	return contract_put(b, b->inbox, mf_bytes_str(small), 0, 0);
}

/* ---- Putting ---- */

static void
put_keeps_everything(struct bench *b)
{
	const char *const keywords[] = { "Green", "$Label1" };
	struct contract_reader r = { .data = mf_bytes_str(small), .piece = 7 };
	struct mf_put p = { .folder = b->inbox,
		.read = contract_read,
		.ctx = &r,
		.size = strlen(small),
		.flags = MF_FLAG_SEEN | MF_FLAG_FLAGGED | MF_FLAG_ANSWERED | MF_FLAG_FORWARDED |
			 MF_FLAG_DRAFT,
		.keywords = keywords,
		.n_keywords = 2,
		.date = noon };
	struct contract_changes c;
	const struct mf_item *i;
	uint64_t id = 77;

	STATUS(b, b->store->put(b->s, &p, &id, &b->err), MF_OK);
	c = contract_all(b, b->inbox);
	NEED(b, c.n == 1, "one item");
	CHECK(b, id == 0 || id == c.list[0].id, "its id is %llu, not %llu",
		(unsigned long long)c.list[0].id, (unsigned long long)id);
	i = contract_fetch_one(
		b, b->inbox, c.list[0].id, MF_WANT_FLAGS | MF_WANT_DATE | MF_WANT_SIZE, NULL, 0);
	CHECK(b, i->flags == p.flags, "flags %x instead of %x", i->flags, p.flags);
	CHECK(b, i->date == noon, "date %lld", (long long)i->date);
	CHECK(b,
		i->n_keywords == 2 && contract_has_keyword(i, "Green") &&
			contract_has_keyword(i, "$Label1"),
		"%zu keywords", i->n_keywords);
	CHECK(b, contract_equal(contract_message(b, b->inbox, i->id), mf_bytes_str(small)),
		"byte for byte");
}

static void
put_dates_it_now(struct bench *b)
{
	int64_t before = time(NULL);
	const struct mf_item *i = contract_fetch_one(
		b, b->inbox, put_small(b), MF_WANT_DATE | MF_WANT_FLAGS, NULL, 0);

	CHECK(b, i->date >= before - 5 && i->date <= time(NULL) + 5, "date %lld",
		(long long)i->date);
	CHECK(b, i->flags == 0 && i->n_keywords == 0, "no flags");
}

static enum mf_status
put_broken(struct bench *b, struct contract_reader r)
{
	struct mf_put p = {
		.folder = b->inbox, .read = contract_read, .ctx = &r, .size = r.data.len
	};
	uint64_t id = 0;

	return b->store->put(b->s, &p, &id, &b->err);
}

/* All or nothing. */
static void
put_of_a_broken_reader(struct bench *b)
{
	struct mf_bytes m = mf_bytes_str(small);
	struct contract_changes c;
	struct mf_buf big;

	mf_buf_init(&big, 0);
	mf_buf_add_str(&big, "X: y\r\n\r\n");
	for (int k = 0; k < 5000; k++)
		mf_buf_printf(&big, "%060d", k);
	STATUS(b, put_broken(b, (struct contract_reader){ .data = m, .stop = 10 }), MF_INVALID);
	contract_again(b);
	STATUS(b, put_broken(b, (struct contract_reader){ .data = m, .stop = 10, .fails = true }),
		MF_INVALID);
	contract_again(b);
	STATUS(b,
		put_broken(b,
			(struct contract_reader){
				.data = mf_buf_bytes(&big), .stop = 200000, .fails = true }),
		MF_INVALID);
	contract_again(b);
	STATUS(b, put_broken(b, (struct contract_reader){ .data = mf_bytes("", 0) }), MF_INVALID);
	contract_again(b);
	c = contract_all(b, b->inbox);
	CHECK(b, c.n == 0, "%zu items", c.n);
	put_small(b);
	c = contract_all(b, b->inbox);
	CHECK(b, c.n == 1, "%zu items", c.n);
	mf_buf_deinit(&big);
}

/* ---- Flags ---- */

static enum mf_status
change(struct bench *b, struct mf_idset *ids, uint32_t add, uint32_t remove,
	const char *const *add_keywords, const char *const *remove_keywords, struct mf_idset *found)
{
	struct mf_flag_change c = { .folder = b->inbox,
		.ids = ids,
		.add = add,
		.remove = remove,
		.add_keywords = add_keywords,
		.remove_keywords = remove_keywords };

	return b->store->flag(b->s, &c, found, &b->err);
}

static void
expect_flags(struct bench *b, uint64_t id, uint32_t flags, const char *keyword)
{
	const struct mf_item *i = contract_fetch_one(b, b->inbox, id, MF_WANT_FLAGS, NULL, 0);

	CHECK(b, i->flags == flags, "flags %x instead of %x", i->flags, flags);
	CHECK(b, i->n_keywords == (keyword != NULL), "%zu keywords", i->n_keywords);
	CHECK(b, keyword == NULL || contract_has_keyword(i, keyword), "the keyword %s", keyword);
}

static void
flag_adds_and_removes(struct bench *b)
{
	uint64_t x = put_small(b), y = put_small(b), z = put_small(b);
	const char *const green[] = { "Green", NULL }, *const red[] = { "Red", NULL };
	struct mf_idset ids, found;

	mf_idset_init(&ids);
	mf_idset_init(&found);
	mf_idset_add(&ids, x);
	mf_idset_add(&ids, z);
	mf_idset_add(&found, 4711);
	STATUS(b, change(b, &ids, MF_FLAG_SEEN | MF_FLAG_FLAGGED, 0, green, NULL, &found), MF_OK);
	CHECK(b, mf_idset_count(&found) == 2 && mf_idset_has(&found, x) && mf_idset_has(&found, z),
		"found is replaced by those that are there");
	expect_flags(b, x, MF_FLAG_SEEN | MF_FLAG_FLAGGED, "Green");
	expect_flags(b, y, 0, NULL);
	expect_flags(b, z, MF_FLAG_SEEN | MF_FLAG_FLAGGED, "Green");
	/* Both ways at once; what is not named stays. */
	STATUS(b, change(b, &ids, MF_FLAG_ANSWERED, MF_FLAG_SEEN, red, green, NULL), MF_OK);
	expect_flags(b, x, MF_FLAG_ANSWERED | MF_FLAG_FLAGGED, "Red");
	STATUS(b, change(b, &ids, MF_FLAG_FORWARDED, 0, NULL, NULL, NULL), MF_OK);
	STATUS(b, change(b, &ids, 0, MF_FLAG_ANSWERED | MF_FLAG_FLAGGED, NULL, red, NULL), MF_OK);
	expect_flags(b, x, MF_FLAG_FORWARDED, NULL);
	/* Nothing to do is no error. */
	STATUS(b, change(b, &ids, 0, 0, NULL, NULL, &found), MF_OK);
	mf_idset_clear(&ids);
	STATUS(b, change(b, &ids, MF_FLAG_SEEN, 0, NULL, NULL, &found), MF_OK);
	CHECK(b, found.n == 0, "nothing asked, nothing found");
	mf_idset_deinit(&ids);
	mf_idset_deinit(&found);
}

static void
flag_ignores_what_is_not_there(struct bench *b)
{
	uint64_t x = put_small(b), gone = put_small(b);
	struct mf_idset ids, found;

	contract_remove(b, b->inbox, gone);
	mf_idset_init(&ids);
	mf_idset_init(&found);
	mf_idset_add_range(&ids, 1, 4000000000);
	mf_idset_add(&ids, UINT64_MAX - 1);
	STATUS(b, change(b, &ids, MF_FLAG_SEEN, 0, NULL, NULL, &found), MF_OK);
	CHECK(b, mf_idset_count(&found) == 1 && mf_idset_has(&found, x), "%llu found",
		(unsigned long long)mf_idset_count(&found));
	mf_idset_clear(&ids);
	mf_idset_add(&ids, gone);
	STATUS(b, change(b, &ids, MF_FLAG_SEEN, 0, NULL, NULL, &found), MF_OK);
	CHECK(b, found.n == 0, "nothing");
	mf_idset_clear(&ids);
	mf_idset_add(&ids, 1ULL << 40);
	STATUS(b, change(b, &ids, MF_FLAG_SEEN, 0, NULL, NULL, &found), MF_OK);
	CHECK(b, found.n == 0, "nothing");
	mf_idset_deinit(&ids);
	mf_idset_deinit(&found);
}

static void
flag_refuses_bad_keywords(struct bench *b)
{
	static const char *const bad[] = { "", "two words", "a\r\nX LOGOUT", "(", "a{10}", "\\Seen",
		"\"", "caf\xc3\xa9", "*", "%", "a]", "\x01" };
	uint64_t x = put_small(b);
	struct mf_idset ids;

	mf_idset_init(&ids);
	mf_idset_add(&ids, x);
	for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
		const char *const keywords[] = { "Good", bad[k], NULL };

		STATUS(b, change(b, &ids, MF_FLAG_SEEN, 0, keywords, NULL, NULL), MF_INVALID);
		STATUS(b, change(b, &ids, MF_FLAG_SEEN, 0, NULL, keywords, NULL), MF_INVALID);
	}
	expect_flags(b, x, 0, NULL);
	mf_idset_deinit(&ids);
}

/* ---- Removing ---- */

static void
remove_is_idempotent(struct bench *b)
{
	uint64_t x = put_small(b), y = put_small(b), z = put_small(b);
	struct contract_changes c;
	struct mf_idset ids;

	/* What another client has marked is not ours to remove. */
	contract_flag(b, b->inbox, z, MF_FLAG_DELETED, 0);
	mf_idset_init(&ids);
	mf_idset_add(&ids, x);
	STATUS(b, b->store->remove(b->s, b->inbox, &ids, &b->err), MF_OK);
	STATUS(b, b->store->remove(b->s, b->inbox, &ids, &b->err), MF_OK);
	mf_idset_add_range(&ids, 4000000, 5000000);
	mf_idset_add(&ids, 1ULL << 40);
	STATUS(b, b->store->remove(b->s, b->inbox, &ids, &b->err), MF_OK);
	mf_idset_clear(&ids);
	STATUS(b, b->store->remove(b->s, b->inbox, &ids, &b->err), MF_OK);
	c = contract_all(b, b->inbox);
	CHECK(b, c.n == 2 && mf_idset_has(&c.added, y) && mf_idset_has(&c.added, z),
		"the others are there: %zu", c.n);
	CHECK(b, contract_event(&c, z)->flags == MF_FLAG_DELETED, "one still marked");
	mf_idset_deinit(&ids);
}

static void
empty_removes_all(struct bench *b)
{
	struct contract_changes c;

	STATUS(b, b->store->empty(b->s, b->inbox, &b->err), MF_OK);
	for (int k = 0; k < 20; k++)
		put_small(b);
	STATUS(b, b->store->empty(b->s, b->inbox, &b->err), MF_OK);
	c = contract_all(b, b->inbox);
	CHECK(b, c.n == 0, "%zu items", c.n);
	put_small(b);
	c = contract_all(b, b->inbox);
	CHECK(b, c.n == 1, "and takes new ones");
}

static void
empty_folder_of_a_tree(struct bench *b)
{
	const char *top = contract_folder(b, "Top"), *child = NULL;
	struct contract_changes c;

	NEED_OK(b,
		b->store->folder_create(b->s, top, "Child", MF_ROLE_NONE, b->a, &child, &b->err));
	contract_put_subject(b, top, "x");
	contract_put_subject(b, child, "y");
	STATUS(b, b->store->empty(b->s, top, &b->err), MF_OK);
	c = contract_all(b, top);
	CHECK(b, c.n == 0, "%zu items", c.n);
	c = contract_all(b, child);
	CHECK(b, c.n == 1, "what is below stays");
}

/* ---- The calls on an empty folder ---- */

static void
nothing_there(struct bench *b)
{
	struct mf_section_want whole = { .section = "" };
	struct mf_move move = { .id = 5, .status = MF_OK, .to = 9 };
	uint64_t ids[] = { 1, 2, 3 };
	struct mf_idset set, found;
	struct mf_query all = { .kind = MF_QUERY_AND };
	struct contract_items items;

	mf_idset_init(&set);
	mf_idset_init(&found);
	mf_idset_add_range(&set, 1, 10);
	mf_idset_add(&found, 3);
	STATUS(b, change(b, &set, MF_FLAG_SEEN, 0, NULL, NULL, &found), MF_OK);
	CHECK(b, found.n == 0, "nothing found");
	mf_idset_add(&found, 3);
	STATUS(b, b->store->search(b->s, b->inbox, &all, 0, &found, &b->err), MF_OK);
	CHECK(b, found.n == 0, "nothing found");
	STATUS(b, b->store->remove(b->s, b->inbox, &set, &b->err), MF_OK);
	STATUS(b, b->store->empty(b->s, b->inbox, &b->err), MF_OK);
	STATUS(b, b->store->move(b->s, b->inbox, b->inbox, &move, 1, &b->err), MF_OK);
	CHECK(b, move.status == MF_GONE && move.to == 0, "nothing to move");
	STATUS(b, b->store->stream(b->s, b->inbox, 1, &whole, NULL, NULL, &b->err), MF_GONE);
	items = contract_fetch(b, b->inbox, ids, 3, MF_WANT_HEADER, NULL, &whole, 1);
	CHECK(b, items.n == 0, "nothing to fetch");
	mf_idset_deinit(&set);
	mf_idset_deinit(&found);
}

static void
null_refuses(struct bench *b)
{
	struct contract_reader r = { .data = mf_bytes_str(small) };
	struct mf_put p = {
		.folder = b->inbox, .read = contract_read, .ctx = &r, .size = strlen(small)
	};
	struct mf_recipient to = { .address = "a@example.org", .accepted = true };
	struct mf_envelope e = { .from = "b@example.org", .to = &to, .n_to = 1, .size = p.size };
	enum mf_sent sent = MF_SENT_YES;
	const char *id;
	uint64_t item;

	STATUS(b, b->store->put(b->s, &p, &item, &b->err), MF_REFUSED);
	STATUS(b, b->store->folder_create(b->s, NULL, "x", MF_ROLE_NONE, b->a, &id, &b->err),
		MF_REFUSED);
	STATUS(b, b->store->folder_rename(b->s, b->inbox, NULL, "x", b->a, &id, &b->err),
		MF_REFUSED);
	STATUS(b, b->store->folder_delete(b->s, b->inbox, &b->err), MF_REFUSED);
	STATUS(b, b->api->submit->submit(b->s, &e, contract_read, &r, &sent, &b->err), MF_REFUSED);
	CHECK(b, sent == MF_SENT_NOT && !to.accepted, "and says so");
	CHECK(b, b->api->submit->limit(b->s) == 0, "no limit");
}

const struct contract_case cases_items[] = {
	{ "put-keeps-everything", put_keeps_everything, CAN_KEEP },
	{ "put-dates-it-now", put_dates_it_now, CAN_KEEP },
	{ "put-of-a-broken-reader", put_of_a_broken_reader, CAN_KEEP },
	{ "flag-adds-and-removes", flag_adds_and_removes, CAN_KEEP },
	{ "flag-ignores-what-is-not-there", flag_ignores_what_is_not_there, CAN_KEEP },
	{ "flag-refuses-bad-keywords", flag_refuses_bad_keywords, CAN_KEEP },
	{ "remove-is-idempotent", remove_is_idempotent, CAN_KEEP },
	{ "empty-removes-all", empty_removes_all, CAN_KEEP },
	{ "empty-folder-of-a-tree", empty_folder_of_a_tree, CAN_FOLDERS },
	{ "nothing-there", nothing_there, 0 },
	{ "null-refuses", null_refuses, CAN_NULL },
	{ NULL, NULL, 0 },
};
