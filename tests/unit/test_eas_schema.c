/* The rules of requests and the numbers of statuses. */
#include <criterion/criterion.h>

#include "eas/commands.h"
#include "eas/schema.h"
#include "eas_help.h"

#define SYNC(x)	      "<Sync xmlns=\"AirSync\">" x "</Sync>"
#define COLLECTION(x) SYNC("<Collections><Collection>" x "</Collection></Collections>")
#define KEY	      "<SyncKey>1</SyncKey><CollectionId>5</CollectionId>"
#define PROVISION(x)  "<Provision xmlns=\"Provision\">" x "</Provision>"
#define ESTIMATE(x)                                                              \
	"<GetItemEstimate xmlns=\"GetItemEstimate\"><Collections><Collection>" x \
	"</Collection></Collections></GetItemEstimate>"
#define BODY(x)                                                                \
	COLLECTION(KEY "<Options><b:BodyPreference xmlns:b=\"AirSyncBase\">" x \
		       "</b:BodyPreference></Options>")

static const struct {
	const char *command, *xml;
	enum eas_version version;
	unsigned status; /* 0: fits */
} cases[] = {
	{ "Sync", COLLECTION(KEY), EAS_14_1, 0 },
	{ "Sync", SYNC("<Partial/>"), EAS_14_1, 0 },
	{ "Sync", SYNC("<Wait>x</Wait>"), EAS_14_1, 4 },
	{ "Sync", SYNC("<Wait>1</Wait><Wait>2</Wait>"), EAS_14_1, 4 },
	{ "Sync", COLLECTION("<SyncKey>1</SyncKey>"), EAS_14_1, 4 },
	{ "Sync", COLLECTION("<CollectionId>5</CollectionId>"), EAS_12_1, 4 },
	{ "Sync", COLLECTION("<SyncKey>1</SyncKey><CollectionId/>"), EAS_14_1, 4 },
	{ "Sync", COLLECTION(KEY KEY), EAS_14_1, 4 },
	{ "Sync", COLLECTION(KEY "<Supported/><DeletesAsMoves/><GetChanges/><Options/>"), EAS_14_1,
		0 },
	{ "Sync", COLLECTION(KEY "<Options/><GetChanges/><DeletesAsMoves/><Supported/>"), EAS_14_1,
		4 },
	{ "ItemOperations",
		"<ItemOperations xmlns=\"ItemOperations\" xmlns:b=\"AirSyncBase\"><Fetch>"
		"<Store>Mailbox</Store><Options><b:BodyPreference><b:AllOrNone/><b:Type>1</b:Type>"
		"</b:BodyPreference></Options></Fetch></ItemOperations>",
		EAS_14_1, 2 },
	{ "Sync", COLLECTION(KEY "<GetChanges>2</GetChanges>"), EAS_14_1, 4 },
	{ "Sync", COLLECTION(KEY "<Options><MIMESupport>3</MIMESupport></Options>"), EAS_14_1, 4 },
	{ "Sync", COLLECTION(KEY "<Options><MIMETruncation>9</MIMETruncation></Options>"), EAS_14_1,
		4 },
	{ "Sync",
		COLLECTION(
			KEY "<Options><MIMETruncation>8</MIMETruncation><MIMESupport/></Options>"),
		EAS_14_1, 0 },
	{ "Sync", COLLECTION(KEY "<Options><Conflict>256</Conflict></Options>"), EAS_14_1, 4 },
	{ "Sync", COLLECTION(KEY "<WindowSize>-1</WindowSize>"), EAS_14_1, 4 },
	{ "Sync", COLLECTION(KEY "<WindowSize>4294967296</WindowSize>"), EAS_14_1, 0 },
	{ "Sync", COLLECTION(KEY "<WindowSize>5x</WindowSize>"), EAS_14_1, 4 },
	{ "Sync", BODY("<b:Type>1</b:Type><b:TruncationSize>4294967296</b:TruncationSize>"),
		EAS_14_1, 4 },
	{ "Sync", COLLECTION(KEY "<WindowSize/>"), EAS_14_1, 0 },
	{ "Sync", COLLECTION(KEY "<MaxItems>5</MaxItems><Wait>7</Wait>"), EAS_14_1, 0 },
	{ "Sync", BODY("<b:Type>1</b:Type><b:TruncationSize>500</b:TruncationSize>"), EAS_14_1, 0 },
	{ "Sync", BODY("<b:TruncationSize>500</b:TruncationSize>"), EAS_14_1, 4 },
	{ "Sync", COLLECTION(KEY "<Commands><Delete/></Commands>"), EAS_14_1, 4 },
	{ "Sync", COLLECTION(KEY "<Commands><Delete><ServerId>5:1</ServerId></Delete></Commands>"),
		EAS_14_1, 0 },
	{ "Sync", COLLECTION(KEY "<Commands><Change><ServerId>1</ServerId></Change></Commands>"),
		EAS_14_1, 4 },
	{ "Sync", "<Ping xmlns=\"Ping\"/>", EAS_14_1, 4 },
	{ "FolderSync", "<FolderSync xmlns=\"FolderHierarchy\"/>", EAS_16_1, 10 },
	{ "FolderSync", "<FolderSync xmlns=\"FolderHierarchy\"><SyncKey/></FolderSync>", EAS_16_1,
		0 },
	{ "GetItemEstimate",
		ESTIMATE("<a:SyncKey xmlns:a=\"AirSync\">1</a:SyncKey>"
			 "<CollectionId>5</CollectionId>"),
		EAS_14_1, 0 },
	{ "GetItemEstimate", ESTIMATE("<CollectionId>5</CollectionId>"), EAS_14_1, 103 },
	{ "GetItemEstimate", "<GetItemEstimate xmlns=\"GetItemEstimate\"/>", EAS_14_1, 103 },
	{ "Provision", PROVISION("<Policies><Policy/></Policies>"), EAS_14_1, 2 },
	{ "Provision", PROVISION("<RemoteWipe><Status>1</Status></RemoteWipe>"), EAS_14_1, 0 },
	{ "Settings",
		"<Settings xmlns=\"Settings\"><UserInformation><Get/></UserInformation></Settings>",
		EAS_14_1, 0 },
	{ "Settings", "<Settings xmlns=\"Settings\"><UserInformation/></Settings>", EAS_14_1, 2 },
};

/* A server with all settings at their defaults: that is where the limits come from. */
static const struct eas_server *
server(void)
{
	static struct conf_table tables[] = { { .name = NULL } };
	static struct eas_server one;
	struct conf *conf;
	struct mf_error err = { 0 };
	if (one.conf == NULL) {
		cr_assert_eq(
			conf_parse("backends = {}", tables, &conf, &err), MF_OK, "%s", err.text);
		one.conf = conf_top(conf);
	}
	return &one;
}

static struct wbxml_node *
parse(struct mf_arena *a, const char *xml)
{
	struct mf_buf b;
	struct mf_error err = { 0 };
	struct wbxml_node *root = NULL;
	mf_buf_init(&b, 0);
	cr_assert_eq(wbxml_from_xml(xml, strlen(xml), &b, &err), MF_OK, "%s: %s", xml, err.text);
	struct mf_bytes copy = mf_memdup(a, b.data, b.len);
	mf_buf_deinit(&b);
	cr_assert_eq(wbxml_decode(a, copy, &wbxml_limits_default, true, &root, NULL), MF_OK);
	return root;
}

Test(eas_schema, rules)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mf_arena *a = mf_arena_new();
		struct mf_error err = { 0 };
		unsigned status = 0;
		struct eas_request r = { .arena = a,
			.server = server(),
			.command = eas_command_find(cases[i].command),
			.version = cases[i].version,
			.root = parse(a, cases[i].xml) };
		enum mf_status st = schema_check(&r, &status, &err);
		cr_assert_eq(st, cases[i].status == 0 ? MF_OK : MF_INVALID, "%s: %s", cases[i].xml,
			err.text);
		cr_assert(st == MF_OK || status == cases[i].status, "%s: %u", cases[i].xml, status);
		mf_arena_free(a);
	}
}

/* A request with more Commands than anybody may send, and one just within. */
Test(eas_schema, counts)
{
	for (unsigned n = 2000; n <= 2001; n++) {
		struct mf_arena *a = mf_arena_new();
		struct mf_buf b;
		unsigned status;
		mf_buf_init(&b, 0);
		mf_buf_add_str(
			&b, "<Sync xmlns=\"AirSync\"><Collections><Collection>" KEY "<Commands>");
		for (unsigned i = 0; i < n; i++)
			mf_buf_add_str(&b, "<Fetch><ServerId>1</ServerId></Fetch>");
		mf_buf_add_str(&b, "</Commands></Collection></Collections></Sync>");
		struct eas_request r = { .arena = a,
			.server = server(),
			.command = eas_command_find("Sync"),
			.version = EAS_16_1,
			.root = parse(a, mf_buf_str(&b)) };
		cr_assert_eq(
			schema_check(&r, &status, NULL), n == 2000 ? MF_OK : MF_INVALID, "%u", n);
		mf_buf_deinit(&b);
		mf_arena_free(a);
	}
}

Test(eas_schema, values)
{
	struct mf_arena *a = mf_arena_new();
	const struct wbxml_node *c =
		parse(a, "<Sync xmlns=\"AirSync\"><GetChanges/><DeletesAsMoves>0</DeletesAsMoves>"
			 "<WindowSize>25</WindowSize><Wait/></Sync>");
	cr_assert(schema_bool(c, AirSync_GetChanges, false));
	cr_assert_not(schema_bool(c, AirSync_DeletesAsMoves, true));
	cr_assert(schema_bool(c, AirSync_ConversationMode, true));
	cr_assert_eq(schema_number(c, AirSync_WindowSize, 100), 25);
	cr_assert_eq(schema_number(c, AirSync_Wait, 7), 7);
	cr_assert_eq(schema_number(c, AirSync_HeartbeatInterval, 8), 8);
	c = parse(a, "<Sync xmlns=\"AirSync\"><WindowSize>18446744073709551617</WindowSize>"
		     "<Wait>-5</Wait><HeartbeatInterval>4294967297</HeartbeatInterval></Sync>");
	cr_assert_eq(schema_number(c, AirSync_WindowSize, 100), UINT64_MAX);
	cr_assert_eq(schema_u32(c, AirSync_WindowSize, 100), UINT32_MAX);
	cr_assert_eq(schema_u32(c, AirSync_Wait, 7), 7);
	cr_assert_eq(schema_u32(c, AirSync_HeartbeatInterval, 7), UINT32_MAX);
	cr_assert_eq(schema_number(c, AirSync_HeartbeatInterval, 7), UINT32_MAX + UINT64_C(2));
	mf_arena_free(a);
}

/* What the specification names instead of a Status below 14.0. */
static const struct {
	unsigned status, http;
} twins[] = { { 101, 400 }, { 103, 400 }, { 106, 400 }, { 110, 500 }, { 111, 503 }, { 112, 403 },
	{ 113, 507 }, { 125, 403 }, { 126, 403 }, { 137, 501 }, { 138, 400 }, { 141, 449 },
	{ 142, 449 }, { 143, 449 }, { 144, 449 }, { 102, 400 }, { 108, 400 }, { 129, 403 } };

Test(eas_status, http)
{
	for (size_t i = 0; i < sizeof(twins) / sizeof(*twins); i++)
		cr_assert_eq(
			eas_status_http(twins[i].status), twins[i].http, "%u", twins[i].status);
}

static const struct {
	enum eas_place place;
	enum mf_status st;
	unsigned status;
} places[] = {
	{ EAS_AT_SYNC, MF_INVALID, EAS_SYNC_PROTOCOL },
	{ EAS_AT_SYNC_COLLECTION, MF_GONE, EAS_SYNC_HIERARCHY },
	{ EAS_AT_SYNC_COLLECTION, MF_RESYNC, EAS_SYNC_KEY },
	{ EAS_AT_SYNC_COLLECTION, MF_TEMPORARY, EAS_SYNC_RETRY },
	{ EAS_AT_SYNC_ITEM, MF_GONE, EAS_SYNC_NOT_FOUND },
	{ EAS_AT_SYNC_ITEM, MF_TOO_LARGE, EAS_SYNC_CANNOT },
	{ EAS_AT_FOLDERSYNC, MF_RESYNC, EAS_FOLDER_KEY },
	{ EAS_AT_FOLDERCREATE, MF_EXISTS, EAS_FOLDER_EXISTS },
	{ EAS_AT_FOLDERDELETE, MF_GONE, EAS_FOLDER_NOT_FOUND },
	{ EAS_AT_MOVE, MF_OK, 3 },
	{ EAS_AT_PING, MF_TEMPORARY, 8 },
	{ EAS_AT_PROVISION, MF_INVALID, EAS_PROVISION_PROTOCOL },
};

Test(eas_status, places)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		cr_assert_eq(
			eas_status_at(places[i].place, places[i].st), places[i].status, "%zu", i);
	for (int place = 0; place < EAS_PLACES; place++)
		for (int st = MF_OK; st <= MF_BROKEN; st++)
			cr_assert_neq(eas_status_at((enum eas_place)place, (enum mf_status)st), 0,
				"place %d has no number for %s", place,
				mf_status_name((enum mf_status)st));
}
