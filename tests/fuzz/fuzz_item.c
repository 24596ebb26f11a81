/*
 * A raw message from anybody, as Sync and ItemOperations show it: whatever it holds, it is told once, as
 * a valid item with all that every item has, and its body is not longer than was asked for. The first
 * byte chooses the version, the second how the body is wanted.
 */
#include "fuzz/phone.h"

#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PREFER(type, more) "<b:BodyPreference><b:Type>" type "</b:Type>" more "</b:BodyPreference>"

static const struct {
	const char *options;
	size_t most; /* bytes of Data; 0: any */
} wishes[] = {
	{ "", 0 },
	{ "<Options>" PREFER("1", "") "</Options>", 0 },
	{ "<Options>" PREFER("1", "<b:TruncationSize>500</b:TruncationSize>") "</Options>", 500 },
	{ "<Options>" PREFER("2", "<b:Preview>100</b:Preview>") "</Options>", 0 },
	{ "<Options>" PREFER("2", "<b:TruncationSize>77</b:TruncationSize>") "</Options>", 77 },
	{ "<Options>" PREFER("2", "<b:TruncationSize>50</b:TruncationSize>"
				  "<b:AllOrNone>1</b:AllOrNone>") "</Options>",
		50 },
	{ "<Options><MIMESupport>2</MIMESupport>" PREFER("4", "") "</Options>", 0 },
	{ "<Options><MIMESupport>2</MIMESupport><MIMETruncation>1</MIMETruncation>" PREFER(
		  "4", "") "</Options>",
		4096 },
	{ "<Options>" PREFER("1", "") "<b:BodyPartPreference><b:Type>2</b:Type>"
				      "<b:TruncationSize>100</b:TruncationSize><b:Preview>20</"
				      "b:Preview></b:BodyPartPreference></Options>",
		0 },
};

static void
check_node(const struct wbxml_node *n)
{
	const char *s = n->text == NULL ? "" : wbxml_value(n);

	must(n->opaque.len > 0 || utf8_valid_xml(s, strlen(s)), "text is valid", NULL);
	for (const struct wbxml_node *c = n->children; c != NULL; c = c->next)
		check_node(c);
}

/* Has what every item has (MS-ASEMAIL 2.2.2), once each. */
static void
check_data(const struct wbxml_node *data, size_t most)
{
	static const uint16_t always[] = { Email_Subject, Email_DateReceived, Email_Importance,
		Email_Read, Email_MessageClass, Email_InternetCPID, Email_Flag,
		AirSyncBase_NativeBodyType };
	const struct wbxml_node *body = wbxml_child(data, AirSyncBase_Body);
	const char *text = wbxml_child_value(body, AirSyncBase_Data);

	must(data != NULL, "there is an item", NULL);
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++) {
		size_t n = 0;

		for (const struct wbxml_node *c = data->children; c != NULL; c = c->next)
			n += c->tag == always[i];
		must(n == 1, wbxml_tag_name(always[i]), NULL);
	}
	must(most == 0 || text == NULL || strlen(text) <= most, "the body is cut", NULL);
	check_node(data);
}

static void
fetch(const char *version, const char *id)
{
	char text[500];
	struct eas_request *r;
	struct ask q = { .command = "ItemOperations", .version = version, .xml = text };

	snprintf(text, sizeof(text),
		"<ItemOperations xmlns=\"ItemOperations\" xmlns:a=\"AirSync\"><Fetch>"
		"<Store>Mailbox</Store><a:CollectionId>%s</a:CollectionId><a:ServerId>%s</"
		"a:ServerId>"
		"</Fetch></ItemOperations>",
		fuzz_inbox, id);
	const struct wbxml_node *root = fuzz_run(&q, &r);
	const struct wbxml_node *f =
		wbxml_child(wbxml_child(root, ItemOperations_Response), ItemOperations_Fetch);
	must(strcmp(wbxml_child_value(f, ItemOperations_Status), "1") == 0, "it is there", NULL);
	check_data(wbxml_child(f, ItemOperations_Properties), 0);
	ask_free(r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct eas_request *r;
	char id[64];

	fuzz_begin();
	if (size < 3)
		return 0;
	const char *version = fuzz_versions[data[0] % 5];
	size_t wish = data[1] % (sizeof(wishes) / sizeof(wishes[0]));
	uint64_t item = memory_add(
		fuzz_gateway.world, EAS_USER, "INBOX", mf_bytes(data + 2, size - 2), 0, 0);
	const struct wbxml_node *c = fuzz_collection(fuzz_sync(version, wishes[wish].options, &r));
	const struct wbxml_node *add = wbxml_child(wbxml_child(c, AirSync_Commands), AirSync_Add);
	must(add != NULL && wbxml_next(add) == NULL, "it is told once", NULL);
	check_data(wbxml_child(add, AirSync_ApplicationData), wishes[wish].most);
	snprintf(id, sizeof(id), "%s", wbxml_child_value(add, AirSync_ServerId));
	ask_free(r);
	fetch(version, id);
	memory_expunge(fuzz_gateway.world, EAS_USER, "INBOX", item);
	c = fuzz_collection(fuzz_sync(version, "", &r));
	must(wbxml_child(wbxml_child(c, AirSync_Commands), AirSync_Delete) != NULL,
		"its end is told", NULL);
	ask_free(r);
	return 0;
}
