/* Moving items: each has a status of its own, and keeps what it has. */
#include "contract.h"

#include <string.h>

static const int64_t noon = 1707134400; /* 2024-02-05T12:00:00Z */
static const char small[] = "Subject: small\r\n\r\nText.\r\n";

static size_t
count(struct bench *b, const char *folder)
{
	return contract_all(b, folder).n;
}

static void
moves_with_everything(struct bench *b)
{
	const char *to = contract_folder(b, "There");
	const char *const keywords[] = { "Green", NULL };
	uint64_t id = contract_put(b, b->inbox, mf_bytes_str(small), MF_FLAG_FLAGGED, noon);
	struct mf_move m = { .id = id, .status = MF_BROKEN, .to = 99 };
	struct mf_flag_change flag = { .folder = b->inbox, .add_keywords = keywords };
	const struct mf_item *i;
	struct contract_changes c;
	struct mf_idset ids;

	mf_idset_init(&ids);
	mf_idset_add(&ids, id);
	flag.ids = &ids;
	NEED_OK(b, b->store->flag(b->s, &flag, NULL, &b->err));
	STATUS(b, b->store->move(b->s, b->inbox, to, &m, 1, &b->err), MF_OK);
	CHECK(b, m.status == MF_OK, "status %s", mf_status_name(m.status));
	CHECK(b, count(b, b->inbox) == 0, "it is not here any more");
	c = contract_all(b, to);
	NEED(b, c.n == 1, "it is there");
	CHECK(b, m.to == 0 || m.to == c.list[0].id, "under the id that was told");
	i = contract_fetch_one(
		b, to, c.list[0].id, MF_WANT_FLAGS | MF_WANT_DATE | MF_WANT_THREAD, NULL, 0);
	CHECK(b, i->flags == MF_FLAG_FLAGGED && i->date == noon, "flags %x, date %lld", i->flags,
		(long long)i->date);
	CHECK(b, i->n_keywords == 1 && contract_has_keyword(i, "Green"), "%zu keywords",
		i->n_keywords);
	CHECK(b, contract_equal(contract_message(b, to, i->id), mf_bytes_str(small)),
		"byte for byte");
	mf_idset_deinit(&ids);
}

static const char *
identity(struct bench *b, const char *folder, uint64_t id)
{
	const struct mf_item *i = contract_fetch_one(b, folder, id, MF_WANT_THREAD, NULL, 0);

	return (i->have & MF_WANT_THREAD) != 0 ? i->identity : "";
}

static void
identities_stay(struct bench *b)
{
	const char *to = contract_folder(b, "There");
	uint64_t id = contract_put(b, b->inbox, mf_bytes_str(small), 0, 0);
	const char *before = identity(b, b->inbox, id);
	struct mf_move m = { .id = id };
	struct contract_changes c;

	NEED_OK(b, b->store->move(b->s, b->inbox, to, &m, 1, &b->err));
	c = contract_all(b, to);
	NEED(b, c.n == 1, "it is there");
	CHECK(b, strcmp(before, identity(b, to, c.list[0].id)) == 0, "the identity stays");
}

static void
each_has_its_status(struct bench *b)
{
	const char *to = contract_folder(b, "There");
	uint64_t a = contract_put_subject(b, b->inbox, "a");
	uint64_t gone = contract_put_subject(b, b->inbox, "gone");
	uint64_t c = contract_put_subject(b, b->inbox, "c");
	uint64_t stays = contract_put_subject(b, b->inbox, "stays");
	struct mf_move m[] = { { .id = c, .status = MF_BROKEN }, { .id = gone },
		{ .id = 4000000000, .to = 5 }, { .id = a, .status = MF_BROKEN },
		{ .id = 1ULL << 40, .to = 5 } };
	static const enum mf_status expected[] = { MF_OK, MF_GONE, MF_GONE, MF_OK, MF_GONE };
	struct contract_changes left, there;

	contract_remove(b, b->inbox, gone);
	STATUS(b, b->store->move(b->s, b->inbox, to, m, 5, &b->err), MF_OK);
	for (int k = 0; k < 5; k++) {
		CHECK(b, m[k].status == expected[k], "item %d: %s", k, mf_status_name(m[k].status));
		CHECK(b, m[k].status == MF_OK || m[k].to == 0, "item %d: no new id", k);
	}
	left = contract_all(b, b->inbox);
	CHECK(b, left.n == 1 && mf_idset_has(&left.added, stays), "the other one stays");
	there = contract_all(b, to);
	CHECK(b, there.n == 2, "two arrived");
	if (m[0].to != 0 && m[3].to != 0) {
		CHECK(b,
			strstr((const char *)contract_message(b, to, m[0].to).data, "Subject: c") !=
				NULL,
			"the ids are told in the order asked");
		CHECK(b,
			strstr((const char *)contract_message(b, to, m[3].to).data, "Subject: a") !=
				NULL,
			"the ids are told in the order asked");
	}
	/* Once more: they are gone. */
	STATUS(b, b->store->move(b->s, b->inbox, to, m, 1, &b->err), MF_OK);
	CHECK(b, m[0].status == MF_GONE, "moved already: %s", mf_status_name(m[0].status));
	STATUS(b, b->store->move(b->s, b->inbox, to, m, 0, &b->err), MF_OK);
}

/* What another client has marked \Deleted is not removed along the way. */
static void
marked_items_stay(struct bench *b)
{
	const char *to = contract_folder(b, "There");
	uint64_t a = contract_put_subject(b, b->inbox, "a");
	uint64_t marked = contract_put_subject(b, b->inbox, "marked");
	struct mf_move m = { .id = a };
	struct contract_changes c;

	contract_flag(b, b->inbox, marked, MF_FLAG_DELETED, 0);
	STATUS(b, b->store->move(b->s, b->inbox, to, &m, 1, &b->err), MF_OK);
	c = contract_all(b, b->inbox);
	CHECK(b, c.n == 1 && mf_idset_has(&c.added, marked), "%zu left", c.n);
}

static void
no_destination(struct bench *b)
{
	uint64_t a = contract_put_subject(b, b->inbox, "a");
	struct mf_move m[] = { { .id = a, .to = 7 }, { .id = 4000000000, .to = 7 } };

	STATUS(b, b->store->move(b->s, b->inbox, "no such folder", m, 2, &b->err), MF_INVALID);
	for (int k = 0; k < 2; k++)
		CHECK(b, m[k].status != MF_OK && m[k].to == 0, "item %d: %s", k,
			mf_status_name(m[k].status));
	CHECK(b, count(b, b->inbox) == 1, "nothing has moved");
	CHECK(b, b->api->usable(b->s), "the session stays usable");
}

/* What moves is gone here and new there, seen by cursors. */
static void
seen_by_changes(struct bench *b)
{
	const char *to = contract_folder(b, "There");
	uint64_t a = contract_put_subject(b, b->inbox, "a");
	struct contract_changes here = contract_all(b, b->inbox), there = contract_all(b, to), c;
	struct mf_move m = { .id = a };

	NEED_OK(b, b->store->move(b->s, b->inbox, to, &m, 1, &b->err));
	CHECK(b, contract_poll(b, b->inbox, here.cursor) && contract_poll(b, to, there.cursor),
		"both have changed");
	c = contract_changes(b, b->inbox, here.cursor, &here.added, 0);
	NEED_OK(b, c.status);
	CHECK(b, mf_idset_has(&c.gone, a), "gone here");
	c = contract_changes(b, to, there.cursor, &there.added, 0);
	NEED_OK(b, c.status);
	CHECK(b, mf_idset_count(&c.added) == 1, "new there");
}

static void
many_at_once(struct bench *b)
{
	enum { MANY = 200 };
	const char *to = contract_folder(b, "There");
	struct mf_move m[MANY];
	unsigned moved = 0;

	for (int k = 0; k < MANY; k++)
		m[MANY - 1 - k] = (struct mf_move){ .id = contract_put_subject(b, b->inbox, "x") };
	STATUS(b, b->store->move(b->s, b->inbox, to, m, MANY, &b->err), MF_OK);
	for (int k = 0; k < MANY; k++)
		moved += m[k].status == MF_OK;
	CHECK(b, moved == MANY, "%u moved", moved);
	CHECK(b, count(b, b->inbox) == 0 && count(b, to) == MANY, "all of them");
}

const struct contract_case cases_move[] = {
	{ "move-with-everything", moves_with_everything, CAN_KEEP | CAN_FOLDERS },
	{ "move-identities-stay", identities_stay, CAN_KEEP | CAN_FOLDERS },
	{ "move-each-has-its-status", each_has_its_status, CAN_KEEP | CAN_FOLDERS },
	{ "move-marked-items-stay", marked_items_stay, CAN_KEEP | CAN_FOLDERS },
	{ "move-no-destination", no_destination, CAN_KEEP },
	{ "move-seen-by-changes", seen_by_changes, CAN_KEEP | CAN_FOLDERS },
	{ "move-many-at-once", many_at_once, CAN_KEEP | CAN_FOLDERS },
	{ NULL, NULL, 0 },
};
