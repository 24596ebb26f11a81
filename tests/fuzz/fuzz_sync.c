/*
 * Sync and GetItemEstimate with any tree of their elements: each byte opens an element, writes a text,
 * or closes. So the schema's rules and what is behind them meet what raw WBXML seldom reaches. After each
 * request the phone's newest key must still be good.
 */
#include "fuzz/phone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char message[] =
	"From: Ben <ben@example.org>\nTo: anna@example.org\nSubject: Hello\n"
	"Date: Mon, 2 Mar 2026 10:00:00 +0000\nMessage-ID: <1@example.org>\nContent-Type: "
	"multipart/alternative; boundary=b\n\n--b\n\nHow are you?\n--b\nContent-Type: "
	"text/html\n\n<p>How are you?\n--b--\n";

static const uint16_t tags[] = { AirSync_Collections, AirSync_Collection, AirSync_SyncKey,
	AirSync_CollectionId, AirSync_Commands, AirSync_Add, AirSync_Change, AirSync_Delete,
	AirSync_Fetch, AirSync_ServerId, AirSync_ClientId, AirSync_ApplicationData, AirSync_Options,
	AirSync_FilterType, AirSync_WindowSize, AirSync_GetChanges, AirSync_DeletesAsMoves,
	AirSync_Conflict, AirSync_MIMESupport, AirSync_MIMETruncation, AirSync_MaxItems,
	AirSync_Class, AirSync_Supported, AirSync_ConversationMode, AirSync_Wait,
	AirSync_HeartbeatInterval, AirSync_Partial, AirSyncBase_BodyPreference,
	AirSyncBase_BodyPartPreference, AirSyncBase_Type, AirSyncBase_TruncationSize,
	AirSyncBase_AllOrNone, AirSyncBase_Preview, AirSyncBase_Body, AirSyncBase_Data,
	AirSyncBase_Attachments, AirSyncBase_Add, AirSyncBase_Content, AirSyncBase_DisplayName,
	AirSyncBase_Method, AirSyncBase_ClientId, Email_Read, Email_Flag, Email_Status,
	Email_FlagType, Email_Categories, Email_Category, Email_To, Email_Subject, Email2_Send,
	Email2_Sender, Email2_IsDraft, Email2_Bcc, Tasks_StartDate, Tasks_DueDate,
	GetItemEstimate_Collections, GetItemEstimate_Collection, GetItemEstimate_CollectionId };

enum { TAGS = sizeof(tags) / sizeof(tags[0]), OPEN_MAX = 30, ITEMS_MAX = 30 };

/* What an element may hold: the phone's key and ids, and what others would send. */
static void
write_text(struct wbxml_writer *w, unsigned what)
{
	static const char *const texts[] = { "0", "1", "2", "3", "4", "5", "8", "100", "512",
		"4294967296", "-1", "Email", "SMS", "c1", "c2", "Work", "a b", "x@example.org",
		"2026-03-02T10:00:00.000Z", "aGVsbG8=" };
	char id[40];

	if (what == 0)
		wbxml_text(w, fuzz_key);
	else if (what == 1)
		wbxml_text(w, fuzz_inbox);
	else if (what < 6) {
		snprintf(id, sizeof(id), "%s:%u", fuzz_inbox, what - 1);
		wbxml_text(w, id);
	} else
		wbxml_text(w, texts[what % (sizeof(texts) / sizeof(texts[0]))]);
}

static void
write_tree(struct wbxml_writer *w, const uint8_t *data, size_t size)
{
	unsigned open = 0;

	for (size_t i = 0; i < size; i++) {
		if (data[i] < TAGS && open < OPEN_MAX) {
			wbxml_open(w, tags[data[i]]);
			open++;
		} else if (data[i] >= 0xe0) {
			write_text(w, data[i] - 0xe0);
		} else if (data[i] >= 0x80 && open > 0) {
			wbxml_close(w);
			open--;
		}
	}
	for (; open > 0; open--)
		wbxml_close(w);
}

/* Sent twice, for answers may be lost. The key is learnt from both: a partial request that begins the folder finds
 * nothing cached the second time, and a phone that has sent the key 0 does not go back. */
static void
send(const struct ask *q)
{
	struct eas_request *r;

	fuzz_learn(fuzz_run(q, &r));
	ask_free(r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned added;
	struct wbxml_writer w;
	struct eas_request *r;
	struct mf_buf body;

	fuzz_begin();
	if (size < 2)
		return 0;
	bool estimate = (data[0] & 0x40) != 0;
	if ((data[0] & 0x20) != 0 && added++ < ITEMS_MAX)
		memory_add(fuzz_gateway.world, EAS_USER, "INBOX", mf_bytes_str(message), 0, 0);
	mf_buf_init(&body, 0);
	wbxml_begin(&w, &body);
	wbxml_open(&w, estimate ? GetItemEstimate_GetItemEstimate : AirSync_Sync);
	write_tree(&w, data + 1, size - 1);
	wbxml_close(&w);
	struct ask q = { .command = estimate ? "GetItemEstimate" : "Sync",
		.version = fuzz_versions[data[0] % 5],
		.body = mf_buf_bytes(&body) };
	send(&q);
	send(&q);
	const struct wbxml_node *c =
		fuzz_collection(fuzz_sync("16.1", "<WindowSize>512</WindowSize><Options/>", &r));
	const char *status = wbxml_child_value(c, AirSync_Status);
	must(status == NULL || strcmp(status, "1") == 0, "the newest key is good", NULL);
	ask_free(r);
	mf_buf_deinit(&body);
	return 0;
}
