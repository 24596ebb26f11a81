/* The query in its three forms, and credentials. */
#include <criterion/criterion.h>
#include <stddef.h>
#include <string.h>

#include "base/str.h"
#include "eas/login.h"
#include "eas/query.h"
#include "mailferry/buf.h"

/* What a case expects: NULL is "not there". */
struct want {
	const char *query;
	enum mf_status status;
	int code;
	unsigned version;
	const char *command, *device, *type, *user, *key, *collection, *item;
	bool save, multipart;
};

static const struct want cases[] = {
	/* The example of MS-ASHTTP 2.2.1.1.1.1. */
	{ "jAAJBAp2MTQwRGV2aWNlAApTbWFydFBob25l", MF_OK, 0, 140, NULL, "v140Device", "SmartPhone",
		NULL, NULL, NULL, NULL, false, false },
	/* Plain: any order, any letter case, escapes, unknown parameters. */
	{ "Cmd=Sync&User=rmjones&DeviceId=v140Device&DeviceType=SmartPhone", MF_OK, -1, 0, "Sync",
		"v140Device", "SmartPhone", "rmjones", NULL, NULL, NULL, false, false },
	{ "devicetype=SP&DEVICEID=a&x=1&&user=a%40b.c&cMd=Ping", MF_OK, -1, 0, "Ping", "a", "SP",
		"a@b.c", NULL, NULL, NULL, false, false },
	{ "Cmd=SmartReply&DeviceId=a&DeviceType=b&CollectionId=5&ItemId=5%3A12&SaveInSent=T", MF_OK,
		-1, 0, "SmartReply", "a", "b", NULL, NULL, "5", "5:12", true, false },
	{ "Cmd=SendMail&SaveInSent=F&DeviceId=", MF_OK, -1, 0, "SendMail", "", NULL, NULL, NULL,
		NULL, NULL, false, false },
	/* Of repeated ones the first counts. */
	{ "Cmd=A&Cmd=B&DeviceId=1&DeviceId=2", MF_OK, -1, 0, "A", "1", NULL, NULL, NULL, NULL, NULL,
		false, false },
	/* Broken escapes stay as they are; NUL does not end a value. */
	{ "Cmd=A%2&User=%zz%", MF_OK, -1, 0, "A%2", NULL, NULL, "%zz%", NULL, NULL, NULL, false,
		false },
	{ "Cmd=A&DeviceId=a%00b", MF_OK, -1, 0, "A", "610062", NULL, NULL, NULL, NULL, NULL, false,
		false },
	/* A GUID is the same in both forms: 16 raw bytes here, digits there. */
	{ "Cmd=A&DeviceId=6f24cad599a5bf1a690246b8c68fae8d", MF_OK, -1, 0, "A",
		"6F24CAD599A5BF1A690246B8C68FAE8D", NULL, NULL, NULL, NULL, NULL, false, false },
	{ "oQkJBBBvJMrVmaW/GmkCRrjGj66NAAJTUA==", MF_OK, 9, 161, NULL,
		"6F24CAD599A5BF1A690246B8C68FAE8D", "SP", NULL, NULL, NULL, NULL, false, false },
	/* The same with '/' and '=' escaped, and a policy key of 4 bytes. */
	{ "oQkJBBBvJMrVmaW%2FGmkCRrjGj66NAAJTUA%3D%3D", MF_OK, 9, 161, NULL,
		"6F24CAD599A5BF1A690246B8C68FAE8D", "SP", NULL, NULL, NULL, NULL, false, false },
	/* Version 141, command 3, key 0x01020304, CollectionId 5, ItemId 5:12, Options 3, User u. */
	{ "jQMJBAFhBAQDAgECU1ABATUDBDU6MTIHAQMIAXU=", MF_OK, 3, 141, NULL, "a", "SP", "u",
		"16909060", "5", "5:12", true, true },
	/* base64 of plain text: "Cmd=Sync&User=a&DeviceId=v&DeviceType=SP" */
	{ "Q21kPVN5bmMmVXNlcj1hJkRldmljZUlkPXYmRGV2aWNlVHlwZT1TUA==", MF_OK, -1, 0, "Sync", "v",
		"SP", "a", NULL, NULL, NULL, false, false },
	/* Unknown version byte: text, that says nothing. */
	{ "ggAJBAp2MTQwRGV2aWNlAApTbWFydFBob25l", MF_OK, -1, 0, NULL, NULL, NULL, NULL, NULL, NULL,
		NULL, false, false },
	/* Not to be read. */
	{ "", MF_INVALID, -1, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, false },
	{ "!!!!", MF_INVALID, -1, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, false },
	{ "jAAJB", MF_INVALID, -1, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, false },
	{ "jAAJBAp2MTQw", MF_INVALID, 0, 140, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false,
		false },
	/* A policy key of 3 bytes; a parameter cut short. */
	{ "jAAJBAFhAwEBAQJTUA==", MF_INVALID, 0, 140, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
		false, false },
	{ "jAAJBAFhAAJTUAEF", MF_INVALID, 0, 140, NULL, "a", "SP", NULL, NULL, NULL, NULL, false,
		false },
};

static bool
equal(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static const char *
difference(const struct want *w, const struct eas_query *q)
{
	if (q->code != w->code || q->version != w->version)
		return "code or version";
	if (!equal(q->command, w->command))
		return "command";
	if (!equal(q->device_id, w->device) || !equal(q->device_type, w->type))
		return "device";
	if (!equal(q->user, w->user) || !equal(q->policy_key, w->key))
		return "user or key";
	if (!equal(q->collection_id, w->collection) || !equal(q->item_id, w->item))
		return "parameters";
	if (q->save_in_sent != w->save || q->accept_multipart != w->multipart)
		return "options";
	return NULL;
}

Test(eas_query, table)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mf_arena *a = mf_arena_new();
		struct eas_query q;
		enum mf_status st = query_parse(a, cases[i].query, &q, NULL);
		cr_assert_eq(st, cases[i].status, "%s: %s", cases[i].query, mf_status_name(st));
		const char *what = difference(&cases[i], &q);
		cr_assert(what == NULL, "%s: %s differs", cases[i].query, what);
		mf_arena_free(a);
	}
}

/* The locale of the example: little-endian, US English. */
Test(eas_query, locale)
{
	struct mf_arena *a = mf_arena_new();
	struct eas_query q;
	cr_assert_eq(query_parse(a, "jAAJBAp2MTQwRGV2aWNlAApTbWFydFBob25l", &q, NULL), MF_OK);
	cr_assert_eq(q.locale, 0x0409);
	mf_arena_free(a);
}

/* A binary table with one parameter behind the fixed fields. */
static enum mf_status
parse_parameter(struct mf_arena *a, int tag, const char *value, struct eas_query *q)
{
	struct mf_buf b;
	mf_buf_init(&b, 0);
	mf_buf_add(&b,
		"\x8d\x00\x09\x04\x01"
		"d\x00\x02SP",
		10);
	mf_buf_add_byte(&b, (uint8_t)tag);
	mf_buf_add_byte(&b, (uint8_t)strlen(value));
	mf_buf_add_str(&b, value);
	enum mf_status st = query_parse(a, str_base64(a, b.data, b.len), q, NULL);
	mf_buf_deinit(&b);
	return st;
}

/* MS-ASHTTP 2.2.1.1.1.1.3: each tag is one parameter, and says the same as its name in plain text; others say
 * nothing. Values of 0 to 255 bytes. */
Test(eas_query, tags)
{
	static const struct {
		int tag;
		const char *name;
		size_t offset;
	} tags[] = {
		{ 0, "AttachmentName", offsetof(struct eas_query, attachment_name) },
		{ 1, "CollectionId", offsetof(struct eas_query, collection_id) },
		{ 3, "ItemId", offsetof(struct eas_query, item_id) },
		{ 4, "LongId", offsetof(struct eas_query, long_id) },
		{ 6, "Occurrence", offsetof(struct eas_query, occurrence) },
		{ 8, "User", offsetof(struct eas_query, user) },
	};
	char longest[256];
	memset(longest, 'x', 255);
	longest[255] = '\0';
	const char *const values[] = { "", "v", longest };
	for (int tag = 0; tag < 256; tag++)
		for (size_t v = 0; v < 3; v++) {
			struct mf_arena *a = mf_arena_new();
			struct eas_query q, plain;
			cr_assert_eq(parse_parameter(a, tag, values[v], &q), MF_OK, "tag %d", tag);
			cr_assert_str_eq(q.device_id, "d");
			for (size_t i = 0; i < sizeof(tags) / sizeof(*tags); i++) {
				const char *got = *(const char **)((char *)&q + tags[i].offset);
				cr_assert(equal(got, tag == tags[i].tag ? values[v] : NULL),
					"tag %d: %s is %s", tag, tags[i].name, got);
				if (tag != tags[i].tag)
					continue;
				cr_assert_eq(query_parse(a,
						     mf_printf(a, "Cmd=Sync&%s=%s", tags[i].name,
							     values[v]),
						     &plain, NULL),
					MF_OK);
				cr_assert(equal(*(const char **)((char *)&plain + tags[i].offset),
						  got),
					"%s in plain text", tags[i].name);
			}
			mf_arena_free(a);
		}
}

/* The same section: bits of Options; others mean nothing, and one byte it is. */
Test(eas_query, options)
{
	static const struct {
		const char *value;
		bool save, multipart;
	} options[] = {
		{ "\x01", true, false },
		{ "\x02", false, true },
		{ "\x03", true, true },
		{ "\xfc", false, false },
		{ "\xff", true, true },
		{ "", false, false },
	};
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
		struct mf_arena *a = mf_arena_new();
		struct eas_query q;
		cr_assert_eq(parse_parameter(a, 7, options[i].value, &q), MF_OK);
		cr_assert(q.save_in_sent == options[i].save &&
				  q.accept_multipart == options[i].multipart,
			"options %zu", i);
		mf_arena_free(a);
	}
}

static enum mf_status
parse_repeated(const char *head, const char *piece, size_t times)
{
	struct mf_arena *a = mf_arena_new();
	struct mf_buf b;
	struct eas_query q;
	mf_buf_init(&b, 0);
	mf_buf_add_str(&b, head);
	for (size_t i = 0; i < times; i++)
		mf_buf_add_str(&b, piece);
	enum mf_status st = query_parse(a, mf_buf_str(&b), &q, NULL);
	mf_buf_deinit(&b);
	mf_arena_free(a);
	return st;
}

Test(eas_query, limits)
{
	cr_assert_eq(parse_repeated("Cmd=A&DeviceId=", "x", QUERY_DEVICE_ID), MF_OK);
	cr_assert_eq(parse_repeated("Cmd=A&DeviceId=", "x", QUERY_DEVICE_ID + 1), MF_TOO_LARGE);
	cr_assert_eq(parse_repeated("Cmd=A&DeviceId=", "%ff", QUERY_DEVICE_ID), MF_OK);
	cr_assert_eq(parse_repeated("", "a=b&", QUERY_PARAMETERS), MF_OK);
	cr_assert_eq(parse_repeated("", "a=b&", QUERY_PARAMETERS + 1), MF_TOO_LARGE);
	cr_assert_eq(parse_repeated("Cmd=", "x", QUERY_MAX), MF_TOO_LARGE);
}

static const struct {
	const char *plain; /* encoded as base64 behind "Basic " */
	size_t len;
	const char *user, *password; /* NULL: refused */
} logins[] = {
	{ "user:secret", 11, "user", "secret" },
	{ "user:", 5, "user", "" },
	{ "a@b.c:x:y:", 10, "a@b.c", "x:y:" },
	{ "DOM\\u:p", 7, "DOM\\u", "p" },
	{ "j\xc3\xb6:\xc3\xa4", 6, "j\xc3\xb6", "\xc3\xa4" },
	{ "j\xf6:\xe4", 4, "j\xc3\xb6", "\xc3\xa4" },
	{ ":secret", 7, NULL, NULL },
	{ "nothing", 7, NULL, NULL },
	{ "us\0er:p", 7, NULL, NULL },
	{ "", 0, NULL, NULL },
};

Test(eas_login, table)
{
	for (size_t i = 0; i < sizeof(logins) / sizeof(*logins); i++) {
		struct mf_arena *a = mf_arena_new();
		struct mf_login login;
		const char *header =
			mf_printf(a, "bAsic %s", str_base64(a, logins[i].plain, logins[i].len));
		cr_assert_eq(login_parse(a, header, &login), logins[i].user != NULL, "%s",
			logins[i].plain);
		cr_assert(equal(login.user, logins[i].user), "user of %s", logins[i].plain);
		cr_assert(equal(login.password, logins[i].password), "password of %s",
			logins[i].plain);
		mf_arena_free(a);
	}
}

Test(eas_login, other_schemes)
{
	struct mf_arena *a = mf_arena_new();
	struct mf_login login;
	cr_assert_not(login_parse(a, NULL, &login));
	cr_assert_not(login_parse(a, "Bearer ", &login));
	cr_assert(login_parse(a, "bearer  abc.d", &login));
	cr_assert_str_eq(login.token, "abc.d");
	cr_assert_null(login.user);
	cr_assert_not(login_parse(a, "Basic", &login));
	cr_assert_not(login_parse(a, "Basic ???", &login));
	mf_arena_free(a);
}
