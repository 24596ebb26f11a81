/* wbxml/dump and wbxml/xml: XML for people, and back. */
#include "wbxml_help.h"

static enum mf_status
from_xml(const char *xml, struct mf_buf *out, struct mf_error *err)
{
	mf_buf_clear(out);
	return wbxml_from_xml(xml, strlen(xml), out, err);
}

static const char *
dump(struct mf_arena *a, struct mf_bytes in, bool hide)
{
	struct wbxml_node *root;
	struct mf_buf out;
	const char *xml;

	cr_assert_eq(wbxml_decode(a, in, &wbxml_limits_default, false, &root, NULL), MF_OK);
	mf_buf_init(&out, 0);
	wbxml_dump(root, hide, &out);
	xml = mf_strndup(a, mf_buf_str(&out), out.len);
	mf_buf_deinit(&out);
	return xml;
}

static const struct {
	const char *hex, *xml;
} pairs[] = {
	{ "03 01 6a 00 00 07 56 52 03 30 00 01 01", "<FolderSync xmlns=\"FolderHierarchy\">\n"
						    "  <SyncKey>0</SyncKey>\n"
						    "</FolderSync>\n" },
	{ "03 01 6a 00 45 57 00 11 45 46 03 32 00 01 01 01 00 02 3a 01",
		"<Sync xmlns=\"AirSync\" xmlns:email=\"Email\" xmlns:airsyncbase=\"AirSyncBase\">\n"
		"  <Options>\n"
		"    <airsyncbase:BodyPreference>\n"
		"      <airsyncbase:Type>2</airsyncbase:Type>\n"
		"    </airsyncbase:BodyPreference>\n"
		"  </Options>\n"
		"  <email:Flag/>\n"
		"</Sync>\n" },
	{ "03 01 6a 00 05", "<Sync xmlns=\"AirSync\"/>\n" },
	{ "03 01 6a 00 45 03 3c 61 26 3e 22 0d 0a 5d 5d 3e 00 01",
		"<Sync xmlns=\"AirSync\">&lt;a&amp;&gt;\"&#13;\n]]&gt;</Sync>\n" },
	{ "03 01 6a 00 45 03 20 20 00 01", "<Sync xmlns=\"AirSync\">  </Sync>\n" },
	{ "03 01 6a 00 45 c3 03 00 ff 01 01", "<Sync xmlns=\"AirSync\">base64:AP8B</Sync>\n" },
	{ "03 01 6a 00 45 c3 00 01", "<Sync xmlns=\"AirSync\">base64:</Sync>\n" },
	{ "03 01 6a 00 45 03 62 61 73 65 36 34 3a 00 01",
		"<Sync xmlns=\"AirSync\">text:base64:</Sync>\n" },
	{ "03 01 6a 00 45 03 74 65 78 74 3a 62 61 73 65 36 34 3a 00 01",
		"<Sync xmlns=\"AirSync\">text:text:base64:</Sync>\n" },
	{ "03 01 6a 00 45 03 74 65 78 74 3a 61 00 01", "<Sync xmlns=\"AirSync\">text:a</Sync>\n" },
	{ "03 01 6a 00 45 03 61 00 0e 4e 03 62 00 01 01",
		"<Sync xmlns=\"AirSync\">a<Status/><Status>b</Status></Sync>\n" },
	{ "03 01 6a 00 00 1a 45 00 ff 3f 00 00 05 01",
		"<unknown:T1A05 xmlns:airsync=\"AirSync\" xmlns:unknown=\"Unknown\">\n"
		"  <unknown:TFF3F/>\n"
		"  <airsync:Sync/>\n"
		"</unknown:T1A05>\n" },
};

Test(wbxml_xml, shows_and_reads_back)
{
	struct mf_arena *a = mf_arena_new();
	struct mf_error err = { .text = "" };
	struct mf_buf out;

	mf_buf_init(&out, 0);
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		cr_assert_str_eq(
			dump(a, unhex(a, pairs[i].hex), true), pairs[i].xml, "case %zu", i);
		cr_assert_eq(from_xml(pairs[i].xml, &out, &err), MF_OK, "%s", err.text);
		assert_bytes(&out, pairs[i].hex, pairs[i].xml);
	}
	mf_buf_deinit(&out);
	mf_arena_free(a);
}

/* Other XML of the same meaning: prefixes and layout are the author's. */
Test(wbxml_xml, reads_any_spelling)
{
	static const char *const same[] = {
		"<Ping xmlns='Ping'><HeartbeatInterval>80</HeartbeatInterval></Ping>",
		"<?xml version='1.0' encoding='utf-8'?>\n<p:Ping xmlns:p='Ping:'>\n"
		"<p:HeartbeatInterval>80</p:HeartbeatInterval>\n\n</p:Ping>\n",
		"<Ping xmlns='PING:'><!-- why -->\n\t<HeartbeatInterval>8<![CDATA[0]]>"
		"</HeartbeatInterval></Ping>",
		"<Ping xmlns='Ping'><x:HeartbeatInterval xmlns:x='ping'>&#56;0"
		"</x:HeartbeatInterval></Ping>",
	};
	struct mf_error err = { .text = "" };
	struct mf_buf out;

	mf_buf_init(&out, 0);
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		cr_assert_eq(from_xml(same[i], &out, &err), MF_OK, "%s", err.text);
		assert_bytes(&out, "03 01 6a 00 00 0d 45 48 03 38 30 00 01 01", same[i]);
	}
	mf_buf_deinit(&out);
}

Test(wbxml_xml, refuses_with_line_and_reason)
{
	static const struct {
		const char *xml, *why;
	} cases[] = {
		{ "", "line 1: no element found" },
		{ "<Sync", "line 1" },
		{ "<Sync/>", "no such element" },
		{ "<Sync xmlns='AirSink'/>", "no such element" },
		{ "<Sync xmlns='AirSync'>\n<Synk/></Sync>",
			"line 2: no such element: AirSync?Synk" },
		{ "<Sync xmlns='AirSync' a='b'/>", "an attribute: a" },
		{ "<!DOCTYPE Sync [<!ENTITY a 'b'>]><Sync xmlns='AirSync'>&a;</Sync>",
			"a document type" },
		{ "<Sync xmlns='AirSync'>base64:!</Sync>", "no base64" },
		{ "<T0005 xmlns='Unknown'/><T0005/>", "line 1" },
		{ "<T0004 xmlns='Unknown'/>", "no such element" },
		{ "<T00050 xmlns='Unknown'/>", "no such element" },
		{ "<TABCX xmlns='Unknown'/>", "no such element" },
		{ "<Sync xmlns='AirSyncAirSyncAirSyncAirSyncAirSyncAirSync'/>", "no such element" },
	};
	struct mf_buf out;

	mf_buf_init(&out, 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mf_error err = { .text = "" };

		cr_assert_eq(from_xml(cases[i].xml, &out, &err), MF_INVALID, "%s", cases[i].xml);
		cr_assert_not_null(
			strstr(err.text, cases[i].why), "%s: %s", cases[i].xml, err.text);
	}
	mf_buf_deinit(&out);
}

Test(wbxml_xml, refuses_deep_nesting)
{
	struct mf_error err = { .text = "" };
	struct mf_buf xml, out;

	mf_buf_init(&xml, 0);
	mf_buf_init(&out, 0);
	for (int deep = 0; deep <= 1; deep++) {
		mf_buf_clear(&xml);
		mf_buf_add_str(&xml, "<Sync xmlns='AirSync'>");
		for (int i = 1; i < WBXML_DEPTH_MAX + deep; i++)
			mf_buf_add_str(&xml, "<Add>");
		for (int i = 1; i < WBXML_DEPTH_MAX + deep; i++)
			mf_buf_add_str(&xml, "</Add>");
		mf_buf_add_str(&xml, "</Sync>");
		cr_assert_eq(from_xml(mf_buf_str(&xml), &out, &err), deep ? MF_INVALID : MF_OK);
	}
	cr_assert_not_null(strstr(err.text, "nested too deep"));
	mf_buf_deinit(&xml);
	mf_buf_deinit(&out);
}

Test(wbxml_xml, hides_secrets)
{
	static const char xml[] =
		"<Settings "
		"xmlns='Settings'><DevicePassword><Set><Password>swordfish</Password></Set>"
		"</DevicePassword><Search xmlns='Search'><Password>swordfish</Password></Search>"
		"<Password xmlns='ItemOperations'>base64:c3dvcmRmaXNo</Password>"
		"<Password/></Settings>";
	struct mf_arena *a = mf_arena_new();
	struct mf_buf out;
	const char *hidden, *shown;

	mf_buf_init(&out, 0);
	cr_assert_eq(from_xml(xml, &out, NULL), MF_OK);
	hidden = dump(a, mf_buf_bytes(&out), true);
	shown = dump(a, mf_buf_bytes(&out), false);
	cr_assert_null(strstr(hidden, "swordfish"));
	cr_assert_null(strstr(hidden, "base64"));
	cr_assert_not_null(strstr(hidden, "<Password>***</Password>"));
	cr_assert_not_null(strstr(hidden, "<Password/>"), "empty stays empty");
	cr_assert_not_null(strstr(shown, "<Password>swordfish</Password>"));
	mf_buf_deinit(&out);
	mf_arena_free(a);
}

Test(wbxml_xml, keeps_a_buffers_ceiling)
{
	struct mf_arena *a = mf_arena_new();
	struct wbxml_node *root;
	struct mf_buf out;

	cr_assert_eq(
		wbxml_decode(a, unhex(a, pairs[1].hex), &wbxml_limits_default, true, &root, NULL),
		MF_OK);
	mf_buf_init(&out, 40);
	wbxml_dump(root, true, &out);
	cr_assert(out.failed);
	cr_assert_leq(out.len, 40);
	wbxml_dump(NULL, true, &out);
	mf_buf_deinit(&out);
	mf_arena_free(a);
}
