/* wbxml/decode: what is read, what is refused, and at which limit. */
#include "wbxml_help.h"

#include "mailferry/error.h"

static enum mf_status
decode(struct mf_arena *a, const char *hex, bool strict, struct wbxml_node **root)
{
	struct mf_error err = { .text = "" };
	enum mf_status st =
		wbxml_decode(a, unhex(a, hex), &wbxml_limits_default, strict, root, &err);

	cr_assert_eq(st == MF_OK, *root != NULL, "%s", hex);
	cr_assert_eq(st == MF_OK, err.text[0] == '\0', "%s: %s", hex, err.text);
	return st;
}

/* A FolderSync request with key 0, and a Sync of one collection, as phones send them. */
Test(wbxml_decode, reads_real_requests)
{
	struct mf_arena *a = mf_arena_new();
	struct wbxml_node *root;
	const struct wbxml_node *n;

	cr_assert_eq(decode(a, "03 01 6a 00 00 07 56 52 03 30 00 01 01", true, &root), MF_OK);
	cr_assert_eq(root->tag, FolderHierarchy_FolderSync);
	cr_assert_str_eq(wbxml_child_value(root, FolderHierarchy_SyncKey), "0");
	cr_assert_null(root->children->next);

	cr_assert_eq(decode(a,
			     "03 01 6a 00 45 5c 4f 4b 03 31 32 00 01 52 03 35 00 01 1e 13 55 03 35 "
			     "30 00 01 57 00 11 45 46 03 32 00 01 01 01 01 01 01",
			     true, &root),
		MF_OK);
	n = wbxml_child(wbxml_child(root, AirSync_Collections), AirSync_Collection);
	cr_assert_str_eq(wbxml_child_value(n, AirSync_SyncKey), "12");
	cr_assert_str_eq(wbxml_child_value(n, AirSync_CollectionId), "5");
	cr_assert_str_eq(wbxml_child_value(n, AirSync_DeletesAsMoves), "", "empty, but there");
	cr_assert_null(wbxml_child_value(n, AirSync_Class));
	n = wbxml_child(wbxml_child(n, AirSync_Options), AirSyncBase_BodyPreference);
	cr_assert_str_eq(wbxml_child_value(n, AirSyncBase_Type), "2");
	mf_arena_free(a);
}

Test(wbxml_decode, walks_siblings)
{
	struct mf_arena *a = mf_arena_new();
	struct wbxml_node *root;
	const struct wbxml_node *n;

	/* Ping > Folders > Folder, Status, Folder */
	cr_assert_eq(decode(a, "03 01 6a 00 00 0d 45 49 4a 03 31 00 01 47 01 4a 03 32 00 01 01 01",
			     true, &root),
		MF_OK);
	n = wbxml_child(root->children, Ping_Folder);
	cr_assert_str_eq(wbxml_value(n), "1");
	n = wbxml_next(n);
	cr_assert_str_eq(wbxml_value(n), "2");
	cr_assert_null(wbxml_next(n));
	cr_assert_null(wbxml_child(NULL, Ping_Folder));
	cr_assert_null(wbxml_value(NULL));
	cr_assert_null(wbxml_data(NULL).data);
	mf_arena_free(a);
}

Test(wbxml_decode, joins_and_repairs_text)
{
	static const struct {
		const char *hex, *text;
	} cases[] = {
		{ "03 01 6a 00 45 03 61 62 00 01", "ab" },
		{ "03 01 6a 00 45 03 61 00 03 62 00 03 00 03 63 64 65 66 00 03 67 00 01",
			"abcdefg" },
		{ "03 01 6a 00 45 03 61 00 00 11 0a 03 62 00 01", "ab" },
		{ "03 01 6a 00 45 03 00 01", "" },
		{ "03 01 6a 00 45 03 61 ff 62 00 01", "a\xef\xbf\xbd"
						      "b" },
		{ "03 01 6a 00 45 03 61 07 62 00 01", "ab" },
		{ "03 01 6a 00 45 03 c3 a4 0d 0a 00 01", "\xc3\xa4\r\n" },
		{ "03 01 6a 00 45 01", NULL },
		{ "03 01 6a 00 05", NULL },
		{ "02 01 6a 00 05", NULL },
		{ "03 04 6a 00 05", NULL },
		{ "03 01 80 6a 80 80 00 05", NULL },
	};
	struct mf_arena *a = mf_arena_new();
	struct wbxml_node *root;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert_eq(decode(a, cases[i].hex, true, &root), MF_OK, "%s", cases[i].hex);
		if (cases[i].text == NULL)
			cr_assert_null(root->text, "%s", cases[i].hex);
		else
			cr_assert_str_eq(root->text, cases[i].text, "%s", cases[i].hex);
	}
	mf_arena_free(a);
}

Test(wbxml_decode, views_opaque_data)
{
	struct mf_arena *a = mf_arena_new();
	struct mf_bytes in = unhex(a, "03 01 6a 00 45 4b c3 03 00 ff 01 01 4c c3 00 01 01");
	struct wbxml_node *root, *n;

	cr_assert_eq(wbxml_decode(a, in, &wbxml_limits_default, true, &root, NULL), MF_OK);
	n = root->children;
	cr_assert_eq(n->opaque.data, in.data + 8, "a view, not a copy");
	cr_assert_eq(n->opaque.len, 3);
	cr_assert_null(n->text);
	cr_assert_eq(wbxml_data(n).len, 3);
	cr_assert_eq(n->next->opaque.len, 0);
	cr_assert_not_null(n->next->opaque.data, "there, though empty");
	mf_arena_free(a);
}

Test(wbxml_decode, refuses_what_is_malformed)
{
	static const struct {
		const char *hex, *why;
	} cases[] = {
		{ "", "cut short" },
		{ "03", "cut short" },
		{ "03 01 6a", "cut short" },
		{ "03 01 6a 00", "cut short" },
		{ "00 01 6a 00 05", "not WBXML" },
		{ "04 01 6a 00 05", "not WBXML" },
		{ "3c 3f 78 6d 6c", "not WBXML" },
		{ "03 00 00 6a 02 58 00 05", "public identifier" },
		{ "03 01 04 00 05", "not UTF-8" },
		{ "03 01 6a 02 58 00 05", "string table" },
		{ "03 01 6a 00 45", "cut short" },
		{ "03 01 6a 00 45 4b 01", "cut short" },
		{ "03 01 6a 00 45 03 61", "without its end" },
		{ "03 01 6a 00 45 03", "without its end" },
		{ "03 01 6a 00 45 c3", "cut short" },
		{ "03 01 6a 00 45 c3 05 61 01", "more than there are" },
		{ "03 01 6a 00 45 c3 8f ff ff ff 7f 61 01", "more than there are" },
		{ "03 01 6a 00 45 c3 90 80 80 80 00 01", "32 bits" },
		{ "03 01 6a 00 45 c3 80 80 80 80 80 00 01", "32 bits" },
		{ "03 01 6a 00 45 c3 80", "cut short" },
		{ "03 01 6a 00 05 05", "after the root" },
		{ "03 01 6a 00 05 00", "after the root" },
		{ "03 01 6a 00 45 01 01", "after the root" },
		{ "03 01 6a 00 01", "outside of the root" },
		{ "03 01 6a 00 03 61 00", "outside of the root" },
		{ "03 01 6a 00 c3 01 61", "outside of the root" },
		{ "03 01 6a 00 00", "cut short" },
		{ "03 01 6a 00 45 02 41 01", "an entity" },
		{ "03 01 6a 00 45 04 00 01", "a literal tag" },
		{ "03 01 6a 00 45 44 00 01", "a literal tag" },
		{ "03 01 6a 00 45 84 00 01", "a literal tag" },
		{ "03 01 6a 00 45 c4 00 01", "a literal tag" },
		{ "03 01 6a 00 43 00 01 05", "a processing instruction" },
		{ "03 01 6a 00 45 83 00 01", "the string table" },
		{ "03 01 6a 00 45 40 61 00 01", "an extension" },
		{ "03 01 6a 00 45 41 61 00 01", "an extension" },
		{ "03 01 6a 00 45 42 61 00 01", "an extension" },
		{ "03 01 6a 00 45 80 00 01", "an extension" },
		{ "03 01 6a 00 45 81 00 01", "an extension" },
		{ "03 01 6a 00 45 82 00 01", "an extension" },
		{ "03 01 6a 00 45 c0 01", "an extension" },
		{ "03 01 6a 00 45 c1 01", "an extension" },
		{ "03 01 6a 00 45 c2 01", "an extension" },
		{ "03 01 6a 00 85 01", "attributes" },
		{ "03 01 6a 00 c5 05 01 01", "attributes" },
	};
	struct mf_arena *a = mf_arena_new();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (int strict = 0; strict <= 1; strict++) {
			struct mf_error err = { .text = "" };
			struct wbxml_node *root;

			cr_assert_eq(wbxml_decode(a, unhex(a, cases[i].hex), &wbxml_limits_default,
					     strict, &root, &err),
				MF_INVALID, "%s", cases[i].hex);
			cr_assert_eq(err.status, MF_INVALID);
			cr_assert_null(root);
			cr_assert_not_null(
				strstr(err.text, cases[i].why), "%s: %s", cases[i].hex, err.text);
		}
	}
	mf_arena_free(a);
}

Test(wbxml_decode, keeps_unknown_tags_only_when_tolerant)
{
	static const struct {
		const char *hex;
		uint16_t tag;
	} cases[] = {
		{ "03 01 6a 00 00 03 05", 0x0305 },
		{ "03 01 6a 00 00 1a 45 03 61 00 01", 0x1a05 },
		{ "03 01 6a 00 00 ff 3f", 0xff3f },
		{ "03 01 6a 00 11", 0x0011 },
		{ "03 01 6a 00 00 19 23", 0x1923 },
	};
	struct mf_arena *a = mf_arena_new();
	struct wbxml_node *root;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert_eq(decode(a, cases[i].hex, true, &root), MF_INVALID);
		cr_assert_eq(decode(a, cases[i].hex, false, &root), MF_OK);
		cr_assert_eq(root->tag, cases[i].tag);
		cr_assert_null(wbxml_tag_name(root->tag));
	}
	mf_arena_free(a);
}

static enum mf_status
decode_within(struct mf_bytes in, struct wbxml_limits limits)
{
	struct mf_arena *a = mf_arena_new();
	struct wbxml_node *root;
	enum mf_status st = wbxml_decode(a, in, &limits, true, &root, NULL);

	mf_arena_free(a);
	return st;
}

Test(wbxml_decode, stops_at_its_limits)
{
	static const struct {
		const char *hex;
		struct wbxml_limits fits; /* exactly */
	} cases[] = {
		{ "03 01 6a 00 45 4b 4c 03 61 62 63 00 01 01 01", { 15, 3, 3, 3 } },
		{ "03 01 6a 00 45 4b 4c 03 61 00 03 62 63 00 01 01 01", { 17, 3, 3, 3 } },
		{ "03 01 6a 00 45 4b 0c 01 4c 03 61 62 63 00 01 01", { 16, 3, 4, 3 } },
	};
	struct mf_arena *a = mf_arena_new();

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mf_bytes in = unhex(a, cases[i].hex);
		struct wbxml_limits l = cases[i].fits;

		cr_assert_eq(decode_within(in, l), MF_OK, "case %zu", i);
		l.bytes--;
		cr_assert_eq(decode_within(in, l), MF_TOO_LARGE, "case %zu", i);
		l = cases[i].fits, l.depth--;
		cr_assert_eq(decode_within(in, l), MF_TOO_LARGE, "case %zu", i);
		l = cases[i].fits, l.elements--;
		cr_assert_eq(decode_within(in, l), MF_TOO_LARGE, "case %zu", i);
		l = cases[i].fits, l.string--;
		cr_assert_eq(decode_within(in, l), MF_TOO_LARGE, "case %zu", i);
		l = cases[i].fits, l.depth = 0;
		cr_assert_eq(decode_within(in, l), MF_TOO_LARGE, "case %zu", i);
	}
	mf_arena_free(a);
}

/* A repair must not carry a text over its limit. */
Test(wbxml_decode, counts_repaired_text)
{
	struct mf_arena *a = mf_arena_new();
	struct wbxml_limits l = wbxml_limits_default;

	l.string = 6;
	cr_assert_eq(decode_within(unhex(a, "03 01 6a 00 45 03 ff ff 00 01"), l), MF_OK);
	cr_assert_eq(decode_within(unhex(a, "03 01 6a 00 45 03 ff ff ff 00 01"), l), MF_TOO_LARGE);
	mf_arena_free(a);
}

/* 400,000 strings of one byte in one element take linear time and memory. */
Test(wbxml_decode, joins_many_strings_in_linear_time, .timeout = 10)
{
	enum { STRINGS = 400000 };
	struct mf_arena *a = mf_arena_new();
	struct wbxml_node *root;
	struct wbxml_writer w;
	struct mf_buf b;

	mf_buf_init(&b, 0);
	wbxml_begin(&w, &b);
	wbxml_open(&w, AirSync_Sync);
	for (int i = 0; i < STRINGS; i++)
		wbxml_text(&w, "x");
	wbxml_close(&w);
	cr_assert_eq(
		wbxml_decode(a, mf_buf_bytes(&b), &wbxml_limits_default, true, &root, NULL), MF_OK);
	cr_assert_eq(strlen(root->text), STRINGS);
	cr_assert_lt(mf_arena_used(a), 8 * STRINGS);
	mf_buf_deinit(&b);
	mf_arena_free(a);
}

/* Whatever prefix of a document arrives, it is refused without a read past its end. */
Test(wbxml_decode, refuses_each_prefix)
{
	static const char hex[] =
		"03 01 6a 00 45 5c 4f 4b 03 31 32 00 01 52 03 35 00 01 57 00 11 45 "
		"46 c3 02 61 62 01 01 01 01 01 01";
	struct mf_arena *a = mf_arena_new();
	struct mf_bytes all = unhex(a, hex);
	struct wbxml_node *root;

	for (size_t n = 0; n <= all.len; n++) {
		struct mf_bytes cut = mf_bytes(malloc(n == 0 ? 1 : n), n);

		memcpy((void *)(uintptr_t)cut.data, all.data, n);
		cr_assert_eq(
			wbxml_decode(a, cut, &wbxml_limits_default, true, &root, NULL) == MF_OK,
			n == all.len, "%zu bytes", n);
		free((void *)(uintptr_t)cut.data);
	}
	mf_arena_free(a);
}
