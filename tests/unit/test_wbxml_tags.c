/* wbxml/tags: the table itself. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "wbxml/token.h"
#include "wbxml/wbxml.h"

static const struct {
	uint16_t tag;
	const char *ns, *name;
} rows[] = {
#define TAG(page, token, ns, name) { (page) << 8 | (token), #ns, #name },
#include "wbxml/tags.def"
};

enum { N_ROWS = sizeof(rows) / sizeof(rows[0]) };

Test(wbxml_tags, are_586_on_25_pages)
{
	unsigned pages = 0;

	cr_assert_eq(N_ROWS, 586);
	for (unsigned page = 0; page < 256; page++)
		pages += wbxml_page_name((uint8_t)page) != NULL;
	cr_assert_eq(pages, 25);
	cr_assert_null(wbxml_page_name(3), "AirNotify is no longer in use");
}

Test(wbxml_tags, have_numbers_from_the_specification)
{
	cr_assert_eq(AirSync_Sync, 0x0005);
	cr_assert_eq(AirSync_HeartbeatInterval, 0x0029);
	cr_assert_eq(Email_DateReceived, 0x020f);
	cr_assert_eq(FolderHierarchy_FolderSync, 0x0716);
	cr_assert_eq(Ping_Ping, 0x0d05);
	cr_assert_eq(AirSyncBase_Body, 0x110a);
	cr_assert_eq(ComposeMail_Mime, 0x1510);
	cr_assert_eq(Email2_IsDraft, 0x1615, "there is a gap before it");
	cr_assert_eq(Find_Find, 0x1905);
}

Test(wbxml_tags, are_found_both_ways)
{
	for (size_t i = 0; i < N_ROWS; i++) {
		char colon[40];

		snprintf(colon, sizeof(colon), "%s:", rows[i].ns);
		cr_assert_str_eq(wbxml_tag_name(rows[i].tag), rows[i].name);
		cr_assert_str_eq(wbxml_page_name((uint8_t)(rows[i].tag >> 8)), rows[i].ns);
		cr_assert_eq(wbxml_tag_find(rows[i].ns, rows[i].name), rows[i].tag, "%s:%s",
			rows[i].ns, rows[i].name);
		cr_assert_eq(wbxml_tag_find(colon, rows[i].name), rows[i].tag);
		cr_assert_geq(rows[i].tag & 0xff, WBXML_TOKEN_FIRST);
		cr_assert_leq(rows[i].tag & 0xff, WBXML_TOKEN_LAST);
		for (size_t j = 0; j < i; j++)
			cr_assert_neq(rows[i].tag, rows[j].tag, "%s twice", rows[i].name);
	}
}

Test(wbxml_tags, that_do_not_exist_have_no_name)
{
	static const struct {
		const char *ns, *name;
	} bad[] = {
		{ "AirSync", "sync" },
		{ "AirSync", "" },
		{ "AirSync", "Body" },
		{ "", "Sync" },
		{ ":", "Sync" },
		{ "AirSync::", "Sync" },
		{ "AirSyncBas", "Body" },
		{ "AirNotify", "Notify" },
	};
	unsigned named = 0;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_eq(wbxml_tag_find(bad[i].ns, bad[i].name), 0, "case %zu", i);
	for (unsigned tag = 0; tag <= UINT16_MAX; tag++)
		named += wbxml_tag_name((uint16_t)tag) != NULL;
	cr_assert_eq(named, N_ROWS);
	cr_assert_eq(wbxml_page_find("gal"), 16);
	cr_assert_eq(wbxml_page_find("nothing"), -1);
}
