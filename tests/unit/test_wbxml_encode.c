/* wbxml/encode: bytes as the specification wants them, and the way back. */
#include "wbxml_help.h"

static const uint16_t all_tags[] = {
#define TAG(page, token, ns, name) ns##_##name,
#include "wbxml/tags.def"
};

enum { N_TAGS = sizeof(all_tags) / sizeof(all_tags[0]) };

static void
folder_sync(struct wbxml_writer *w)
{
	wbxml_open(w, FolderHierarchy_FolderSync);
	wbxml_element(w, FolderHierarchy_SyncKey, "0");
	wbxml_close(w);
}

static void
pages(struct wbxml_writer *w)
{
	wbxml_open(w, AirSync_Sync);
	wbxml_element(w, AirSyncBase_Type, "2");
	wbxml_number(w, AirSyncBase_EstimatedDataSize, -70000);
	wbxml_empty(w, AirSync_MoreAvailable);
	wbxml_element(w, AirSync_Status, NULL);
	wbxml_element(w, AirSync_Status, "");
	wbxml_close(w);
}

static void
empty_containers(struct wbxml_writer *w)
{
	wbxml_open(w, AirSync_Sync);
	wbxml_open(w, AirSync_Collections);
	wbxml_open(w, Email_Flag);
	wbxml_close(w);
	wbxml_close(w);
	wbxml_close(w);
}

static void
opaque(struct wbxml_writer *w)
{
	wbxml_open(w, ComposeMail_SendMail);
	wbxml_open(w, ComposeMail_Mime);
	wbxml_opaque(w, "\0\1", 2);
	wbxml_close(w);
	wbxml_open(w, ComposeMail_Mime);
	wbxml_opaque(w, NULL, 0);
	wbxml_close(w);
	wbxml_open(w, ComposeMail_Mime);
	wbxml_opaque_begin(w, 3);
	mf_buf_add_str(w->out, "abc");
	wbxml_close(w);
	wbxml_close(w);
}

static void
repaired(struct wbxml_writer *w)
{
	wbxml_open(w, AirSync_Sync);
	wbxml_text_n(w,
		"a\0b\x01"
		"c",
		5);
	wbxml_text(w, "\xff");
	wbxml_close(w);
}

static void
rewound(struct wbxml_writer *w)
{
	struct wbxml_mark m;

	wbxml_open(w, AirSync_Sync);
	m = wbxml_mark(w);
	wbxml_open(w, Email_Flag);
	wbxml_element(w, AirSyncBase_Type, "1");
	wbxml_rewind(w, &m);
	wbxml_element(w, AirSync_Status, "1");
	m = wbxml_mark(w);
	wbxml_element(w, Email_Subject, "x");
	wbxml_rewind(w, &m);
	wbxml_close(w);
}

static void
rewound_to_nothing(struct wbxml_writer *w)
{
	struct wbxml_mark m;

	wbxml_open(w, AirSync_Sync);
	m = wbxml_mark(w);
	wbxml_element(w, AirSync_Status, "1");
	wbxml_rewind(w, &m);
	wbxml_close(w);
}

Test(wbxml_encode, writes_exact_bytes)
{
	static const struct {
		const char *name;
		void (*write)(struct wbxml_writer *w);
		const char *hex;
	} cases[] = {
		{ "FolderSync", folder_sync, "03 01 6a 00 00 07 56 52 03 30 00 01 01" },
		{ "pages", pages,
			"03 01 6a 00 45 00 11 46 03 32 00 01 4c 03 2d 37 30 30 30 30 00 01 00 00 "
			"14 "
			"0e 0e 01" },
		{ "empty containers", empty_containers, "03 01 6a 00 45 5c 00 02 3a 01 01" },
		{ "opaque", opaque,
			"03 01 6a 00 00 15 45 50 c3 02 00 01 01 50 c3 00 01 50 c3 03 61 62 63 01 "
			"01" },
		{ "repaired", repaired, "03 01 6a 00 45 03 61 62 63 00 03 ef bf bd 00 01" },
		{ "rewound", rewound, "03 01 6a 00 45 4e 03 31 00 01 01" },
		{ "rewound to nothing", rewound_to_nothing, "03 01 6a 00 05" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wbxml_writer w;
		struct mf_buf b;

		mf_buf_init(&b, 0);
		wbxml_begin(&w, &b);
		cases[i].write(&w);
		cr_assert_eq(w.depth, 0, "%s", cases[i].name);
		assert_bytes(&b, cases[i].hex, cases[i].name);
		mf_buf_deinit(&b);
	}
}

Test(wbxml_encode, writes_lengths_in_the_fewest_bytes)
{
	static const struct {
		size_t len;
		const char *hex;
	} cases[] = {
		{ 0, "03 01 6a 00 45 c3 00" },
		{ 0x7f, "03 01 6a 00 45 c3 7f" },
		{ 0x80, "03 01 6a 00 45 c3 81 00" },
		{ 0x3fff, "03 01 6a 00 45 c3 ff 7f" },
		{ 0x4000, "03 01 6a 00 45 c3 81 80 00" },
		{ UINT32_MAX, "03 01 6a 00 45 c3 8f ff ff ff 7f" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wbxml_writer w;
		struct mf_buf b;

		mf_buf_init(&b, 0);
		wbxml_begin(&w, &b);
		wbxml_open(&w, AirSync_Sync);
		wbxml_opaque_begin(&w, cases[i].len);
		assert_bytes(&b, cases[i].hex, "length");
		mf_buf_deinit(&b);
	}
}

/* A buffer that is full says so once; what is rewound is forgiven, what came before is not. */
Test(wbxml_encode, rewinds_over_a_full_buffer)
{
	struct wbxml_writer w;
	struct wbxml_mark m;
	struct mf_buf b;

	mf_buf_init(&b, 20);
	wbxml_begin(&w, &b);
	wbxml_open(&w, AirSync_Sync);
	wbxml_element(&w, AirSync_Status, "1");
	m = wbxml_mark(&w);
	wbxml_element(&w, AirSync_ServerId, "much too long for it");
	cr_assert(b.failed);
	wbxml_rewind(&w, &m);
	cr_assert(!b.failed);
	wbxml_close(&w);
	assert_bytes(&b, "03 01 6a 00 45 4e 03 31 00 01 01", "rewound");
	mf_buf_deinit(&b);
}

/* Each tag of the table: empty, with text, with opaque data and as a container, and read back. */
Test(wbxml_encode, round_trips_each_tag)
{
	struct mf_arena *a = mf_arena_new();
	const struct wbxml_node *n;
	struct wbxml_node *root;
	struct wbxml_writer w;
	struct mf_buf b;

	mf_buf_init(&b, 0);
	wbxml_begin(&w, &b);
	wbxml_open(&w, AirSync_Sync);
	for (size_t i = 0; i < N_TAGS; i++) {
		wbxml_empty(&w, all_tags[i]);
		wbxml_number(&w, all_tags[i], (int64_t)i);
		wbxml_open(&w, all_tags[i]);
		wbxml_opaque(&w, &i, sizeof(i));
		wbxml_close(&w);
		wbxml_open(&w, all_tags[i]);
		wbxml_empty(&w, all_tags[(i * 7) % N_TAGS]);
		wbxml_close(&w);
	}
	wbxml_close(&w);
	cr_assert_eq(
		wbxml_decode(a, mf_buf_bytes(&b), &wbxml_limits_default, true, &root, NULL), MF_OK);
	n = root->children;
	for (size_t i = 0; i < N_TAGS; i++) {
		for (int k = 0; k < 4; k++, n = n->next) {
			cr_assert_eq(n->tag, all_tags[i], "tag %04x", all_tags[i]);
			cr_assert_eq(n->text != NULL, k == 1);
			cr_assert_eq(n->opaque.data != NULL, k == 2);
			cr_assert_eq(n->children != NULL, k == 3);
			if (k == 1)
				cr_assert_str_eq(n->text, mf_printf(a, "%zu", i));
			if (k == 2)
				cr_assert_eq(memcmp(n->opaque.data, &i, sizeof(i)), 0);
			if (k == 3)
				cr_assert_eq(n->children->tag, all_tags[(i * 7) % N_TAGS]);
		}
	}
	cr_assert_null(n);
	mf_buf_deinit(&b);
	mf_arena_free(a);
}
