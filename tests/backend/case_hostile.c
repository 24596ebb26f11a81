/* Names and texts that would break a protocol if they were not passed on safely. */
#include "contract.h"

#include <string.h>

static const char *
flood(struct bench *b, size_t n)
{
	char *s = mf_alloc(b->a, n + 1);

	memset(s, 'x', n);
	return s;
}

enum { NAMES = 30 };

static size_t
hostile_names(struct bench *b, const char **out)
{
	const char *const names[] = { "a\r\nX LOGOUT\r\n", "a\nb", "a\rb", "quote\"quote",
		"back\\slash", "{10}", "{10+}", "(paren", "[bracket]", "a%b", "a*b", "&", "&-",
		"&AOk-", "caf\xc3\xa9", "\xe6\x97\xa5\xe6\x9c\xac", "\xf0\x9f\x98\x80", "\xff\xfe",
		"a\x01z", "a\x7fz", " blank ", "~", "-", "..", "a/b", "a.b", "a\tb", "NIL",
		"$(reboot)" };
	size_t n = sizeof(names) / sizeof(names[0]);

	memcpy(out, names, sizeof(names));
	out[n] = flood(b, 10000);
	return n + 1;
}

static size_t
count_folders(struct bench *b)
{
	return contract_folders(b).n;
}

/* A name is taken as it is, or refused; never half, never as something else. */
static void
create_hostile(struct bench *b, const char *name)
{
	size_t before = count_folders(b);
	struct contract_folders f;
	const char *id = NULL;
	enum mf_status st;

	st = b->store->folder_create(b->s, NULL, name, MF_ROLE_NONE, b->a, &id, &b->err);
	CHECK(b, st == MF_OK || st == MF_INVALID, "\"%.40s\": %s (%s)", name, mf_status_name(st),
		b->err.text);
	CHECK(b, b->api->usable(b->s), "\"%.40s\": the session stays usable", name);
	contract_again(b);
	b->err.status = MF_OK;
	if (st != MF_OK) {
		CHECK(b, count_folders(b) == before, "\"%.40s\": nothing was made", name);
		return;
	}
	f = contract_folders(b);
	CHECK(b, f.n == before + 1, "\"%.40s\": %zu new folders", name, f.n - before);
	NEED(b, contract_find(&f, id) != NULL, "\"%.40s\" is listed", name);
	CHECK(b, strcmp(contract_find(&f, id)->name, name) == 0, "\"%.40s\" is called \"%s\"", name,
		contract_find(&f, id)->name);
	contract_put_subject(b, id, "x");
	CHECK(b, contract_all(b, id).n == 1, "\"%.40s\" holds an item", name);
	CHECK(b, contract_poll(b, id, mf_bytes("x", 1)), "\"%.40s\" can be polled", name);
	NEED_OK(b, b->store->folder_delete(b->s, id, &b->err));
	CHECK(b, count_folders(b) == before, "\"%.40s\" is deleted", name);
}

static void
folder_names(struct bench *b)
{
	const char *names[NAMES];
	size_t n = hostile_names(b, names);

	for (size_t k = 0; k < n; k++)
		create_hostile(b, names[k]);
	CHECK(b, strlen(names[n - 1]) == 10000 && n == NAMES, "the long one is among them");
}

static void
names_that_nobody_has(struct bench *b)
{
	static const char *const never[] = { "a\r\nX LOGOUT\r\n", "\xff\xfe", "a\x01z", "" };
	const char *id = NULL;

	for (size_t k = 0; k < sizeof(never) / sizeof(never[0]); k++)
		STATUS(b,
			b->store->folder_create(
				b->s, NULL, never[k], MF_ROLE_NONE, b->a, &id, &b->err),
			MF_INVALID);
	STATUS(b,
		b->store->folder_create(
			b->s, NULL, flood(b, 10000), MF_ROLE_NONE, b->a, &id, &b->err),
		MF_INVALID);
}

static void
rename_hostile(struct bench *b)
{
	const char *id = contract_folder(b, "Fine"), *names[NAMES];
	size_t n = hostile_names(b, names), before = count_folders(b);

	for (size_t k = 0; k < n; k++) {
		const char *to = NULL;
		enum mf_status st =
			b->store->folder_rename(b->s, id, NULL, names[k], b->a, &to, &b->err);

		CHECK(b, st == MF_OK || st == MF_INVALID, "\"%.40s\": %s (%s)", names[k],
			mf_status_name(st), b->err.text);
		contract_again(b);
		b->err.status = MF_OK;
		CHECK(b, count_folders(b) == before, "\"%.40s\": as many folders", names[k]);
		if (st == MF_OK)
			id = to;
	}
}

/* Folder ids that nobody gave out: no such folder, whatever is in them. */
static void
folder_ids(struct bench *b)
{
	const char *names[NAMES];
	size_t n = hostile_names(b, names);
	struct mf_query all = { .kind = MF_QUERY_AND };
	struct mf_idset ids;

	mf_idset_init(&ids);
	mf_idset_add(&ids, 1);
	for (size_t k = 0; k < n; k++) {
		struct contract_changes c =
			contract_changes(b, names[k], mf_bytes(NULL, 0), NULL, 0);
		struct mf_move m = { .id = 1 };

		STATUS(b, c.status, MF_GONE);
		CHECK(b, contract_poll(b, names[k], mf_bytes("x", 1)), "it has changed");
		STATUS(b, b->store->empty(b->s, names[k], &b->err), MF_GONE);
		STATUS(b, b->store->remove(b->s, names[k], &ids, &b->err), MF_GONE);
		STATUS(b, b->store->search(b->s, names[k], &all, 0, &ids, &b->err), MF_GONE);
		mf_idset_add(&ids, 1);
		STATUS(b, b->store->move(b->s, names[k], b->inbox, &m, 1, &b->err), MF_GONE);
		STATUS(b, b->store->folder_delete(b->s, names[k], &b->err), MF_GONE);
		NEED(b, b->api->usable(b->s), "\"%.40s\": the session stays usable", names[k]);
	}
	mf_idset_deinit(&ids);
}

static void
search_texts(struct bench *b)
{
	static const enum mf_query_kind kinds[] = { MF_QUERY_SUBJECT, MF_QUERY_TEXT, MF_QUERY_FROM,
		MF_QUERY_HEADER };
	const char *texts[NAMES];
	size_t n = hostile_names(b, texts);
	struct mf_idset found;

	contract_put_subject(b, b->inbox, "x");
	mf_idset_init(&found);
	for (size_t k = 0; k < n; k++)
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
			struct mf_query q = {
				.kind = kinds[i], .text = texts[k], .name = "Subject"
			};
			enum mf_status st =
				b->store->search(b->s, b->inbox, &q, 10000, &found, &b->err);

			CHECK(b, st == MF_OK || st == MF_INVALID || st == MF_UNSUPPORTED,
				"\"%.40s\": %s (%s)", texts[k], mf_status_name(st), b->err.text);
			CHECK(b, st != MF_OK || found.n == 0 || strlen(texts[k]) == 1,
				"\"%.40s\" finds nothing", texts[k]);
			contract_again(b);
		}
	b->err.status = MF_OK;
	contract_all(b, b->inbox);
	mf_idset_deinit(&found);
}

static void
search_field_names(struct bench *b)
{
	static const char *const names[] = { "a\r\nX LOGOUT\r\n", "a b", "", "{5}", "\"", "a:b",
		"\xff" };
	struct mf_idset found;

	contract_put_subject(b, b->inbox, "x");
	mf_idset_init(&found);
	for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
		struct mf_query q = { .kind = MF_QUERY_HEADER, .text = "q", .name = names[k] };
		enum mf_status st = b->store->search(b->s, b->inbox, &q, 10000, &found, &b->err);

		CHECK(b, st == MF_OK || st == MF_INVALID, "\"%s\": %s", names[k],
			mf_status_name(st));
		contract_again(b);
	}
	b->err.status = MF_OK;
	contract_all(b, b->inbox);
	mf_idset_deinit(&found);
}

/* Sections that are none, and names of fields that are none. */
static void
sections_and_fields(struct bench *b)
{
	static const struct mf_section_want wants[] = { { .section = "9999999999.1" },
		{ .section = "1..2" }, { .section = ".1" }, { .section = "0" },
		{ .section = "1.HEADER" }, { .section = "5.MIME" } };
	const char *const fields[] = { "Subject", "X-None", NULL };
	uint64_t id = contract_put_subject(b, b->inbox, "x");
	size_t n = sizeof(wants) / sizeof(wants[0]);
	struct contract_items items =
		contract_fetch(b, b->inbox, &id, 1, MF_WANT_HEADER, fields, wants, n);

	NEED(b, items.n == 1, "the item comes");
	CHECK(b, items.list[0].n_sections == 0, "%zu sections", items.list[0].n_sections);
	CHECK(b, contract_equal(items.list[0].header, mf_bytes_str("Subject: x\r\n\r\n")), "%s",
		contract_show(b, items.list[0].header));
	CHECK(b, b->api->usable(b->s), "the session stays usable");
}

const struct contract_case cases_hostile[] = {
	{ "hostile-folder-names", folder_names, CAN_FOLDERS | CAN_KEEP },
	{ "hostile-names-that-nobody-has", names_that_nobody_has, CAN_FOLDERS },
	{ "hostile-renames", rename_hostile, CAN_FOLDERS },
	{ "hostile-folder-ids", folder_ids, 0 },
	{ "hostile-search-texts", search_texts, CAN_KEEP },
	{ "hostile-search-field-names", search_field_names, CAN_KEEP },
	{ "hostile-sections-and-fields", sections_and_fields, CAN_KEEP },
	{ NULL, NULL, 0 },
};
