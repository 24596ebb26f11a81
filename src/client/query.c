/* The query of a request's URL. Knows the codes of MS-ASHTTP 2.2.1.1.1.1. */
#include "client/query.h"

#include "base/str.h"

static const struct {
	const char *name;
	uint8_t code;
} commands[] = {
	{ "Sync", 0 },
	{ "SendMail", 1 },
	{ "SmartForward", 2 },
	{ "SmartReply", 3 },
	{ "GetAttachment", 4 },
	{ "FolderSync", 9 },
	{ "FolderCreate", 10 },
	{ "FolderDelete", 11 },
	{ "FolderUpdate", 12 },
	{ "MoveItems", 13 },
	{ "GetItemEstimate", 14 },
	{ "MeetingResponse", 15 },
	{ "Search", 16 },
	{ "Settings", 17 },
	{ "Ping", 18 },
	{ "ItemOperations", 19 },
	{ "Provision", 20 },
	{ "ResolveRecipients", 21 },
	{ "ValidateCert", 22 },
};

enum {
	TAG_ATTACHMENT_NAME,
	TAG_COLLECTION_ID,
	TAG_ITEM_ID = 3,
	TAG_LONG_ID,
	TAG_OCCURRENCE = 6,
	TAG_OPTIONS,
	TAG_USER
};
enum { OPTION_SAVE_IN_SENT = 1, OPTION_MULTIPART = 2 };
enum { LOCALE = 0x0409 };

/* The parameters that both forms have. */
struct parameter {
	const char *name;
	uint8_t tag;
	const char *value;
};

enum { PARAMETERS = 5 };

static void
parameters(const struct client_request *r, struct parameter out[PARAMETERS])
{
	out[0] = (struct parameter){ "AttachmentName", TAG_ATTACHMENT_NAME, r->attachment_name };
	out[1] = (struct parameter){ "CollectionId", TAG_COLLECTION_ID, r->collection_id };
	out[2] = (struct parameter){ "ItemId", TAG_ITEM_ID, r->item_id };
	out[3] = (struct parameter){ "LongId", TAG_LONG_ID, r->long_id };
	out[4] = (struct parameter){ "Occurrence", TAG_OCCURRENCE, r->occurrence };
}

static void
put_percent(struct mf_buf *b, const char *s)
{
	for (; *s != '\0'; s++) {
		bool plain = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
			     (*s >= '0' && *s <= '9') || strchr("-._~", *s) != NULL;

		if (plain)
			mf_buf_add_byte(b, (uint8_t)*s);
		else
			mf_buf_printf(b, "%%%02X", (unsigned)(unsigned char)*s);
	}
}

static void
put_plain(struct mf_buf *b, const char *name, const char *value)
{
	if (value == NULL)
		return;
	mf_buf_printf(b, "%s%s=", b->len == 0 ? "" : "&", name);
	put_percent(b, value);
}

char *
client_query_plain(
	struct mf_arena *a, const struct client_options *o, const struct client_request *r)
{
	struct parameter p[PARAMETERS];
	struct mf_buf b;
	char *query;

	mf_buf_init(&b, 0);
	parameters(r, p);
	put_plain(&b, "Cmd", r->command);
	put_plain(&b, "User", o->user == NULL ? "" : o->user);
	put_plain(&b, "DeviceId", o->device_id);
	put_plain(&b, "DeviceType", o->device_type);
	for (size_t i = 0; i < PARAMETERS; i++)
		put_plain(&b, p[i].name, p[i].value);
	put_plain(&b, "SaveInSent", r->save_in_sent ? "T" : NULL);
	query = mf_strndup(a, mf_buf_str(&b), b.len);
	mf_buf_deinit(&b);
	return query;
}

/* A length byte and the bytes; a field that is too long fails the buffer. */
static void
put_field(struct mf_buf *b, const char *s)
{
	size_t len = strlen(s);

	if (len > UINT8_MAX)
		b->failed = true;
	mf_buf_add_byte(b, (uint8_t)len);
	mf_buf_add(b, s, len);
}

static void
put_policy_key(struct mf_buf *b, const char *key)
{
	uint32_t n = 0;

	if (!str_to_u32(key, UINT32_MAX, &n) || n == 0) {
		mf_buf_add_byte(b, 0);
		return;
	}
	mf_buf_add_byte(b, sizeof(n));
	for (unsigned i = 0; i < sizeof(n); i++)
		mf_buf_add_byte(b, (uint8_t)(n >> 8 * i));
}

static void
put_parameters(struct mf_buf *b, const struct client_options *o, const struct client_request *r)
{
	struct parameter p[PARAMETERS];
	unsigned options = (r->save_in_sent ? OPTION_SAVE_IN_SENT : 0) |
			   (r->accept_multipart ? OPTION_MULTIPART : 0);

	parameters(r, p);
	for (size_t i = 0; i < PARAMETERS; i++) {
		if (p[i].value == NULL)
			continue;
		mf_buf_add_byte(b, p[i].tag);
		put_field(b, p[i].value);
	}
	if (options != 0) {
		uint8_t bytes[] = { TAG_OPTIONS, 1, (uint8_t)options };

		mf_buf_add(b, bytes, sizeof(bytes));
	}
	if (o->user != NULL) {
		mf_buf_add_byte(b, TAG_USER);
		put_field(b, o->user);
	}
}

static int
command_code(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, name) == 0)
			return commands[i].code;
	return -1;
}

char *
client_query_base64(
	struct mf_arena *a, const struct client_options *o, const struct client_request *r)
{
	int code = command_code(r->command);
	char *query = NULL;
	struct mf_buf b;

	if (code < 0)
		return NULL;
	mf_buf_init(&b, 0);
	mf_buf_add_byte(&b, (uint8_t)client_query_version(o->version));
	mf_buf_add_byte(&b, (uint8_t)code);
	mf_buf_add_byte(&b, LOCALE & 0xff);
	mf_buf_add_byte(&b, LOCALE >> 8);
	put_field(&b, o->device_id);
	put_policy_key(&b, o->policy_key);
	put_field(&b, o->device_type);
	put_parameters(&b, o, r);
	if (!b.failed)
		query = str_base64(a, b.data, b.len);
	mf_buf_deinit(&b);
	return query;
}

unsigned
client_query_version(const char *version)
{
	static const struct {
		const char *name;
		unsigned number;
	} versions[] = { { "2.5", 25 }, { "12.0", 120 }, { "12.1", 121 }, { "14.0", 140 },
		{ "14.1", 141 }, { "16.0", 160 }, { "16.1", 161 } };

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		if (strcmp(versions[i].name, version) == 0)
			return versions[i].number;
	return 0;
}
