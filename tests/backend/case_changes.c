/* What happened since a cursor. */
#include "contract.h"

/* A poll that says no when nothing has happened: allowed to be missing, but told. */
static bool
tells(const struct bench *b)
{
	return (b->target->can & CAN_TELL) != 0;
}

#include <string.h>

enum { DAY = 86400 };
static const int64_t noon = 1707134400; /* 2024-02-05T12:00:00Z */

static struct contract_changes
since(struct bench *b, const char *folder, const struct contract_changes *then)
{
	struct contract_changes c = contract_changes(b, folder, then->cursor, &then->added, 0);

	NEED_OK(b, c.status);
	return c;
}

static bool
has(const struct mf_idset *s, uint64_t id)
{
	return mf_idset_has(s, id);
}

static void
empty_folder(struct bench *b)
{
	struct contract_changes c = contract_all(b, b->inbox), again;

	CHECK(b, c.n == 0, "%zu events", c.n);
	CHECK(b, !tells(b) || !contract_poll(b, b->inbox, c.cursor), "nothing has happened");
	again = since(b, b->inbox, &c);
	CHECK(b, again.n == 0, "%zu events", again.n);
}

static void
foreign_cursors(struct bench *b)
{
	static const struct {
		const char *data;
		size_t len;
	} cursors[] = { { "x", 1 }, { "\0", 1 }, { "garbage that is no cursor at all", 32 },
		{ "1:2:3", 5 }, { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12 },
		{ "{\"a\": [1, 2]}\r\n", 15 } };
	struct contract_changes c = contract_all(b, b->inbox);
	struct mf_idset known;
	uint8_t *cut = (uint8_t *)(uintptr_t)mf_memdup(b->a, c.cursor.data, c.cursor.len).data;

	mf_idset_init(&known);
	for (size_t i = 0; i < sizeof(cursors) / sizeof(cursors[0]); i++) {
		struct mf_bytes cursor = mf_bytes(cursors[i].data, cursors[i].len);
		struct contract_changes bad = contract_changes(b, b->inbox, cursor, &known, 0);

		STATUS(b, bad.status, MF_RESYNC);
		CHECK(b, contract_poll(b, b->inbox, cursor), "cursor %zu has changed", i);
	}
	/* Cut or longer than it was given: not taken for another position. */
	for (size_t len = 1; len < c.cursor.len; len++) {
		struct contract_changes bad =
			contract_changes(b, b->inbox, mf_bytes(cut, len), &known, 0);

		CHECK(b, bad.status == MF_RESYNC || bad.status == MF_OK, "%zu bytes: %s", len,
			mf_status_name(bad.status));
		b->err.status = MF_OK;
	}
	mf_idset_deinit(&known);
	CHECK(b, b->api->usable(b->s), "the session is none the worse");
}

static void
cursor_of_another_folder(struct bench *b)
{
	const char *one = contract_folder(b, "One"), *two = contract_folder(b, "Two");
	struct contract_changes c, other;

	contract_put_subject(b, one, "a");
	contract_put_subject(b, two, "b");
	c = contract_all(b, one);
	other = contract_changes(b, two, c.cursor, &c.added, 0);
	STATUS(b, other.status, MF_RESYNC);
}

static void
all_items(struct bench *b)
{
	uint64_t seen = contract_put_subject(b, b->inbox, "a");
	struct mf_bytes m = mf_bytes_str("Subject: old\r\n\r\nx\r\n");
	uint64_t old = contract_put(b, b->inbox, m, MF_FLAG_FLAGGED, noon);
	const struct mf_event *e;
	struct contract_changes c;

	contract_flag(b, b->inbox, seen, MF_FLAG_SEEN, 0);
	c = contract_all(b, b->inbox);
	CHECK(b, c.n == 2 && mf_idset_count(&c.added) == 2, "two added, nothing else");
	CHECK(b, old > seen, "ids ascend with arrival");
	NEED(b, has(&c.added, seen) && has(&c.added, old), "both");
	e = contract_event(&c, old);
	CHECK(b, e->flags == MF_FLAG_FLAGGED && e->date == noon, "flags %x, date %lld", e->flags,
		(long long)e->date);
	CHECK(b, contract_event(&c, seen)->flags == MF_FLAG_SEEN, "flags");
	CHECK(b, contract_event(&c, seen)->date > noon, "received now");
}

static void
only_recent_items(struct bench *b)
{
	struct mf_bytes m = mf_bytes_str("Subject: x\r\n\r\nx\r\n");
	uint64_t old = contract_put(b, b->inbox, m, 0, noon - 10 * DAY);
	uint64_t edge = contract_put(b, b->inbox, m, 0, noon);
	uint64_t recent = contract_put(b, b->inbox, m, 0, noon + 3 * DAY);
	struct contract_changes c = contract_changes(b, b->inbox, mf_bytes(NULL, 0), NULL, noon),
				next;
	struct mf_idset known;
	uint64_t late;

	NEED_OK(b, c.status);
	CHECK(b, !has(&c.added, old), "what is older is left out");
	CHECK(b, has(&c.added, edge) && has(&c.added, recent), "received then or later");

	/* With a cursor the date does not matter: whatever arrives is told. */
	late = contract_put(b, b->inbox, m, 0, noon - 20 * DAY);
	mf_idset_init(&known);
	mf_idset_copy(&known, &c.added);
	next = contract_changes(b, b->inbox, c.cursor, &known, noon);
	NEED_OK(b, next.status);
	CHECK(b, has(&next.added, late) && mf_idset_count(&next.added) == 1, "the old mail is new");
	mf_idset_deinit(&known);
}

static void
arrivals(struct bench *b)
{
	uint64_t a = contract_put_subject(b, b->inbox, "a");
	struct contract_changes first = contract_all(b, b->inbox), c, later;
	uint64_t x, y;

	CHECK(b, !tells(b) || !contract_poll(b, b->inbox, first.cursor), "nothing yet");
	x = contract_put_subject(b, b->inbox, "x");
	CHECK(b, contract_poll(b, b->inbox, first.cursor), "something arrived");
	y = contract_put_subject(b, b->inbox, "y");
	c = since(b, b->inbox, &first);
	CHECK(b, has(&c.added, x) && has(&c.added, y) && mf_idset_count(&c.added) == 2,
		"exactly the two new ones");
	CHECK(b, !has(&c.gone, a) && !has(&c.gone, x), "nothing is gone");
	CHECK(b, !tells(b) || !contract_poll(b, b->inbox, c.cursor), "all is told");

	/* An older cursor is as good as it was: a client may come back to it. */
	later = since(b, b->inbox, &first);
	CHECK(b, mf_idset_count(&later.added) == 2, "the same again from the older cursor");
}

static void
flags_change(struct bench *b)
{
	uint64_t a = contract_put_subject(b, b->inbox, "a");
	uint64_t x = contract_put_subject(b, b->inbox, "x");
	struct contract_changes first = contract_all(b, b->inbox), c;
	const struct mf_event *e;

	contract_flag(b, b->inbox, x, MF_FLAG_SEEN | MF_FLAG_FLAGGED, 0);
	CHECK(b, contract_poll(b, b->inbox, first.cursor), "flags are a change");
	c = since(b, b->inbox, &first);
	e = contract_event(&c, x);
	NEED(b, e != NULL && e->kind == MF_EVENT_FLAGS, "the flags are told");
	CHECK(b, e->flags == (MF_FLAG_SEEN | MF_FLAG_FLAGGED), "flags %x", e->flags);
	CHECK(b, mf_idset_count(&c.added) == 0 && !has(&c.gone, a) && !has(&c.gone, x),
		"and nothing else");
	contract_flag(b, b->inbox, x, 0, MF_FLAG_SEEN);
	c = contract_changes(b, b->inbox, c.cursor, &first.added, 0);
	NEED_OK(b, c.status);
	e = contract_event(&c, x);
	NEED(b, e != NULL, "and told again");
	CHECK(b, e->flags == MF_FLAG_FLAGGED, "flags %x", e->flags);
}

static void
keywords_change(struct bench *b)
{
	const char *const keywords[] = { "Green", "Work", NULL };
	uint64_t x = contract_put_subject(b, b->inbox, "x");
	struct contract_changes first = contract_all(b, b->inbox), c;
	struct mf_flag_change change = {
		.folder = b->inbox, .ids = &first.added, .add_keywords = keywords
	};
	const struct mf_event *e;

	NEED_OK(b, b->store->flag(b->s, &change, NULL, &b->err));
	c = since(b, b->inbox, &first);
	e = contract_event(&c, x);
	NEED(b, e != NULL, "keywords are a change");
	CHECK(b, e->n_keywords == 2, "%zu keywords", e->n_keywords);
	if (e->n_keywords == 2)
		CHECK(b,
			strcmp(e->keywords[0], "Green") == 0 && strcmp(e->keywords[1], "Work") == 0,
			"sorted: %s %s", e->keywords[0], e->keywords[1]);
}

static void
new_and_changed(struct bench *b)
{
	struct contract_changes first = contract_all(b, b->inbox), c;
	uint64_t x = contract_put_subject(b, b->inbox, "x");

	contract_flag(b, b->inbox, x, MF_FLAG_SEEN, 0);
	c = since(b, b->inbox, &first);
	CHECK(b, has(&c.added, x) && !has(&c.flagged, x), "once, as added");
	CHECK(b, contract_event(&c, x)->flags == MF_FLAG_SEEN, "with its flags of now");
}

static void
new_and_gone(struct bench *b)
{
	uint64_t a = contract_put_subject(b, b->inbox, "a");
	struct contract_changes first = contract_all(b, b->inbox), c;
	uint64_t x = contract_put_subject(b, b->inbox, "x"), y;

	contract_remove(b, b->inbox, x);
	c = since(b, b->inbox, &first);
	CHECK(b, contract_event(&c, x) == NULL, "never told as there");
	CHECK(b, !has(&c.gone, a), "the other one is there");
	y = contract_put_subject(b, b->inbox, "y");
	CHECK(b, y > x, "an id is not given twice");
	c = since(b, b->inbox, &first);
	CHECK(b, has(&c.added, y), "the next one is told");
}

static void
items_go(struct bench *b)
{
	uint64_t ids[6];
	struct contract_changes first, c;

	for (int i = 0; i < 6; i++)
		ids[i] = contract_put_subject(b, b->inbox, "x");
	first = contract_all(b, b->inbox);
	contract_remove(b, b->inbox, ids[1]);
	contract_remove(b, b->inbox, ids[2]);
	contract_remove(b, b->inbox, ids[5]);
	CHECK(b, contract_poll(b, b->inbox, first.cursor), "they went");
	c = since(b, b->inbox, &first);
	for (int i = 0; i < 6; i++)
		CHECK(b, has(&c.gone, ids[i]) == (i == 1 || i == 2 || i == 5), "item %d", i);
	CHECK(b, mf_idset_count(&c.added) == 0, "nothing is new");

	NEED_OK(b, b->store->empty(b->s, b->inbox, &b->err));
	c = since(b, b->inbox, &first);
	for (int i = 0; i < 6; i++)
		CHECK(b, has(&c.gone, ids[i]), "item %d", i);
}

/* Another client changes the folder while this session is looking at it. */
static void
another_client(struct bench *b)
{
	struct mf_session *mine = b->s, *other = contract_login(b);
	uint64_t a = contract_put_subject(b, b->inbox, "a");
	uint64_t x = contract_put_subject(b, b->inbox, "x"), n;
	struct contract_changes first = contract_all(b, b->inbox), c;

	b->s = other;
	contract_flag(b, b->inbox, a, MF_FLAG_ANSWERED, 0);
	contract_remove(b, b->inbox, x);
	n = contract_put_subject(b, b->inbox, "n");
	b->s = mine;
	CHECK(b, contract_poll(b, b->inbox, first.cursor), "it is seen");
	c = since(b, b->inbox, &first);
	CHECK(b, has(&c.added, n) && has(&c.gone, x), "what came and went");
	CHECK(b, contract_event(&c, a) != NULL && contract_event(&c, a)->flags == MF_FLAG_ANSWERED,
		"and what changed");
	b->api->logout(other);

	/* A session that was not there at the time sees the same. */
	other = contract_login(b);
	b->s = other;
	c = since(b, b->inbox, &first);
	CHECK(b, has(&c.added, n) && has(&c.gone, x) && contract_event(&c, a) != NULL,
		"a new session sees the same");
	b->s = mine;
	b->api->logout(other);
}

static void
many_items(struct bench *b)
{
	enum { MANY = 300 };
	struct contract_changes first, c;
	struct mf_idset half;
	uint64_t last = 0;

	for (int i = 0; i < MANY; i++) {
		uint64_t id = contract_put_subject(b, b->inbox, "x");

		CHECK(b, id > last, "ascending");
		last = id;
	}
	first = contract_all(b, b->inbox);
	CHECK(b, mf_idset_count(&first.added) == MANY, "all of them");
	mf_idset_init(&half);
	for (uint64_t id = 0, k = 0; (id = mf_idset_next(&first.added, id)) != 0; k++)
		if (k % 2 == 0)
			mf_idset_add(&half, id);
	NEED_OK(b, b->store->remove(b->s, b->inbox, &half, &b->err));
	c = since(b, b->inbox, &first);
	for (uint64_t id = 0; (id = mf_idset_next(&first.added, id)) != 0;)
		CHECK(b, has(&c.gone, id) == has(&half, id), "item %llu", (unsigned long long)id);
	mf_idset_deinit(&half);
}

static void
several_polls(struct bench *b)
{
	const char *one = contract_folder(b, "One"), *two = contract_folder(b, "Two");
	struct contract_changes c1 = contract_all(b, one), c2 = contract_all(b, two);
	struct mf_poll polls[] = { { .folder = one, .cursor = c1.cursor, .changed = true },
		{ .folder = "no such folder", .cursor = c1.cursor },
		{ .folder = two, .cursor = c2.cursor } };

	contract_put_subject(b, two, "x");
	NEED_OK(b, b->store->poll(b->s, polls, 3, &b->err));
	CHECK(b, (!tells(b) || !polls[0].changed) && polls[1].changed && polls[2].changed,
		"%d %d %d", polls[0].changed, polls[1].changed, polls[2].changed);
	STATUS(b, b->store->poll(b->s, polls, 0, &b->err), MF_OK);
}

const struct contract_case cases_changes[] = {
	{ "changes-empty-folder", empty_folder, 0 },
	{ "changes-foreign-cursors", foreign_cursors, 0 },
	{ "changes-cursor-of-another-folder", cursor_of_another_folder, CAN_FOLDERS },
	{ "changes-all-items", all_items, CAN_KEEP },
	{ "changes-only-recent-items", only_recent_items, CAN_KEEP },
	{ "changes-arrivals", arrivals, CAN_KEEP },
	{ "changes-flags", flags_change, CAN_KEEP },
	{ "changes-keywords", keywords_change, CAN_KEEP },
	{ "changes-new-and-changed", new_and_changed, CAN_KEEP },
	{ "changes-new-and-gone", new_and_gone, CAN_KEEP },
	{ "changes-items-go", items_go, CAN_KEEP },
	{ "changes-another-client", another_client, CAN_KEEP },
	{ "changes-many-items", many_items, CAN_KEEP },
	{ "changes-several-polls", several_polls, CAN_FOLDERS },
	{ NULL, NULL, 0 },
};
