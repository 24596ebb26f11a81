/*
 * What attachments and moves cost, against the IMAP server's own part of it: BODY[2] read and thrown
 * away; UID MOVE of the same messages.
 *
 *	bench_items [MB] [COUNT] [EMPTY]	an attachment of that size (50), that many messages to move
 *						(1000), that many to empty a folder of (100000)
 *
 * Prints one line a figure. Only ratios within one run mean anything.
 */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/mail.h"
#include "phone.h"

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double
peak_mb(pid_t pid)
{
	char path[64];
	char *text;
	const char *at;
	double mb;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	text = fixture_read(path, NULL);
	at = strstr(text, "VmHWM:");
	mb = at != NULL ? strtod(at + strlen("VmHWM:"), NULL) / 1024 : 0;
	free(text);
	return mb;
}

static void
append_large(struct imap_talk *t, size_t bytes)
{
	size_t lines = bytes / 57;
	char *message = malloc(lines * 78 + 1000), *at = message;

	at += sprintf(at, "Subject: Large\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; "
			  "boundary=A\r\n\r\n--A\r\n\r\nText.\r\n--A\r\nContent-Type: "
			  "application/zip\r\nContent-Disposition: attachment; filename=l.zip\r\n"
			  "Content-Transfer-Encoding: base64\r\n\r\n");
	for (size_t i = 0; i < lines; i++, at += 78) {
		memset(at, 'A' + (int)(i % 26), 76);
		at[76] = '\r';
		at[77] = '\n';
	}
	at += sprintf(at, "--A--\r\n");
	imap_talk_append(t, "INBOX", "", NULL, message, (size_t)(at - message));
	free(message);
}

/* Until the tag's line, which is the last that comes; the bytes. */
static size_t
discard(int fd, const char *tag)
{
	static char data[1 << 18];
	char tail[200] = "";
	size_t total = 0;

	for (;;) {
		ssize_t n = read(fd, data, sizeof(data));
		size_t new = n > 0 && (size_t)n < sizeof(tail) ? (size_t)n : sizeof(tail);

		if (n <= 0)
			fixture_die("the IMAP server is gone");
		total += (size_t)n;
		memmove(tail, tail + new, sizeof(tail) - new);
		memcpy(tail + sizeof(tail) - new, data + (size_t)n - new, new);
		if (memmem(tail, sizeof(tail), tag, strlen(tag)) != NULL)
			return total;
	}
}

static double
raw_read(const struct dovecot *d, const char *user)
{
	int fd = fixture_connect(d->imap);
	double begin;

	dprintf(fd, "a LOGIN %s secret-%s\r\nb SELECT INBOX\r\n", user, user);
	discard(fd, "b OK");
	begin = now();
	dprintf(fd, "c UID FETCH 1 BODY.PEEK[2]\r\n");
	discard(fd, "c OK");
	close(fd);
	return now() - begin;
}

static size_t
request(char *out, size_t size, const char *user, const char *reference, bool parts)
{
	char xml[500], who[200];
	unsigned char basic[400];
	struct mf_error err = { 0 };
	struct mf_buf body;
	size_t n;

	snprintf(who, sizeof who, "%s:secret-%s", user, user);
	EVP_EncodeBlock(basic, (unsigned char *)who, (int)strlen(who));
	mf_buf_init(&body, 0);
	snprintf(xml, sizeof xml,
		"<ItemOperations xmlns=\"ItemOperations\" xmlns:b=\"AirSyncBase\"><Fetch>"
		"<Store>Mailbox</Store><b:FileReference>%s</b:FileReference></Fetch>"
		"</ItemOperations>",
		reference);
	wbxml_from_xml(xml, strlen(xml), &body, &err);
	n = (size_t)snprintf(out, size,
		"POST /Microsoft-Server-ActiveSync?Cmd=ItemOperations&User=%s&DeviceId=phone1"
		"&DeviceType=Test HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic %s\r\n"
		"MS-ASProtocolVersion: 16.1\r\nContent-Type: application/vnd.ms-sync.wbxml\r\n"
		"MS-ASAcceptMultiPart: %s\r\nContent-Length: %zu\r\n\r\n",
		user, basic, parts ? "T" : "F", body.len);
	memcpy(out + n, body.data, body.len);
	n += body.len;
	mf_buf_deinit(&body);
	return n;
}

/* The answer is read and thrown away, as the raw read's is. */
static double
fetch(struct gateway *g, const char *user, const char *reference, bool parts, size_t *bytes)
{
	static char data[1 << 18];
	size_t len = request(data, sizeof(data), user, reference, parts), got = 0, all = 0;
	int fd = fixture_connect(g->port);
	double begin = now();

	if (write(fd, data, len) != (ssize_t)len)
		fixture_die("the request cannot be sent");
	while (all == 0 || got < all) {
		ssize_t n = read(fd, data, sizeof(data) - 1);

		if (n <= 0)
			fixture_die("the gateway is gone");
		if (all == 0) { /* the headers come at once */
			data[n] = '\0';
			const char *length = strstr(data, "Content-Length: ");
			const char *end = strstr(data, "\r\n\r\n");

			if (strncmp(data, "HTTP/1.1 200", 12) != 0 || length == NULL || end == NULL)
				fixture_die("no attachment: %.60s", data);
			*bytes = strtoul(length + strlen("Content-Length: "), NULL, 10);
			all = (size_t)(end - data) + 4 + *bytes;
		}
		got += (size_t)n;
	}
	close(fd);
	return now() - begin;
}

static const char *
reference_of(struct phone *p, struct mf_arena *a)
{
	const struct client_item **items = client_items_sorted(phone_folder(p, "inbox"));
	struct client_wish wish = { .folder_id = phone_folder(p, "inbox")->id,
		.item_id = items[0]->id,
		.mime_support = -1 };
	struct client_answer answer;
	struct client_fetched got;
	struct mf_error err = { 0 };

	if (client_fetch(p->client, &wish, &answer, &got, &err) != MF_OK)
		fixture_die("no item: %s", err.text);
	free(items);
	return mf_strdup(a,
		wbxml_child_value(wbxml_child(wbxml_child(got.properties, AirSyncBase_Attachments),
					  AirSyncBase_Attachment),
			AirSyncBase_FileReference));
}

static void
attachment(struct dovecot *d, struct gateway *g, size_t mb)
{
	const char *user = fixture_user("bench-file");
	struct imap_talk *t = imap_talk_open(d, user);
	struct mf_arena *a = mf_arena_new();
	struct phone *p = phone_new(g, user, NULL, "phone1");
	const char *reference;
	double raw = 1e9, memory;
	size_t bytes;

	append_large(t, mb << 20);
	imap_talk_close(t);
	phone_hierarchy(p);
	phone_sync(p, "inbox");
	reference = reference_of(p, a);
	for (int i = 0; i < 3; i++) {
		double one = raw_read(d, user);

		raw = one < raw ? one : raw;
	}
	printf("raw read of %zu MB: %.3f s\n", mb, raw);
	memory = peak_mb(g->pid);
	for (int parts = 1; parts >= 0; parts--) {
		double best = 1e9;

		for (int i = 0; i < 3; i++) {
			double one = fetch(g, user, reference, parts, &bytes);

			best = one < best ? one : best;
		}
		printf("%s: %.3f s, x%.2f; %.1f MB of memory more, %zu bytes\n",
			parts ? "in parts" : "inline", best, best / raw, peak_mb(g->pid) - memory,
			bytes);
	}
	phone_free(p);
	mf_arena_free(a);
}

static void
moves(struct dovecot *d, struct gateway *g, unsigned count)
{
	static const char message[] = "Subject: One of many\r\n\r\nText.\r\n";
	const char *user = fixture_user("bench-move");
	struct imap_talk *t = imap_talk_open(d, user);
	struct phone *p = phone_new(g, user, NULL, "phone1");
	const struct client_item **items;
	struct client_answer answer;
	struct mf_error err = { 0 };
	struct mf_buf xml;
	double raw, begin;

	imap_talk(t, "CREATE Work");
	imap_talk(t, "CREATE Raw");
	for (unsigned i = 0; i < count; i++) {
		imap_talk_append(t, "INBOX", "", NULL, message, sizeof(message) - 1);
		imap_talk_append(t, "Raw", "", NULL, message, sizeof(message) - 1);
	}
	phone_hierarchy(p);
	phone_sync(p, "inbox");
	phone_sync(p, "Work");
	begin = now();
	imap_talk(t, "SELECT Raw");
	imap_talk(t, "UID MOVE 1:* Work");
	raw = now() - begin;
	items = client_items_sorted(phone_folder(p, "inbox"));
	mf_buf_init(&xml, 0);
	mf_buf_add_str(&xml, "<MoveItems xmlns=\"Move\">");
	for (unsigned i = 0; i < count; i++)
		mf_buf_printf(&xml,
			"<Move><SrcMsgId>%s</SrcMsgId><SrcFldId>%s</SrcFldId><DstFldId>%s"
			"</DstFldId></Move>",
			items[i]->id, phone_folder(p, "inbox")->id, phone_folder(p, "Work")->id);
	mf_buf_add_str(&xml, "</MoveItems>");
	if (client_call_xml(p->client, "MoveItems", mf_buf_str(&xml), &answer, &err) != MF_OK ||
		answer.http_status != 200)
		fixture_die("no move: HTTP %u %s", answer.http_status, err.text);
	printf("moving %u: raw %.3f s, MoveItems %.3f s, x%.2f\n", count, raw,
		(double)answer.total_us / 1e6, (double)answer.total_us / 1e6 / raw);
	free(items);
	mf_buf_deinit(&xml);
	phone_free(p);
	imap_talk_close(t);
}

/* A folder of many messages is emptied: what the gateway needs for that. */
static void
emptying(struct dovecot *d, struct gateway *g, unsigned count)
{
	static const char message[] = "Subject: One of many\r\n\r\nText.\r\n";
	const char *user = fixture_user("bench-empty");
	struct imap_talk *t = imap_talk_open(d, user);
	struct phone *p = phone_new(g, user, NULL, "phone1");
	struct client_answer answer;
	struct mf_error err = { 0 };
	struct mf_arena *a = mf_arena_new();
	unsigned n = 20; /* a server may limit how often one message is copied */
	double memory;

	imap_talk(t, "CREATE Many");
	for (unsigned i = 0; i < n; i++)
		imap_talk_append(t, "Many", "", NULL, message, sizeof(message) - 1);
	imap_talk(t, "SELECT Many");
	for (; n < count; n += n < count - n ? n : count - n)
		imap_talk(t, "COPY 1:%u Many", n < count - n ? n : count - n);
	imap_talk(t, "CLOSE");
	phone_hierarchy(p);
	memory = peak_mb(g->pid);
	if (client_call_xml(p->client, "ItemOperations",
		    mf_printf(a,
			    "<ItemOperations xmlns=\"ItemOperations\" xmlns:s=\"AirSync\">"
			    "<EmptyFolderContents><s:CollectionId>%s</s:CollectionId>"
			    "</EmptyFolderContents></ItemOperations>",
			    phone_folder(p, "Many")->id),
		    &answer, &err) != MF_OK ||
		answer.http_status != 200 || imap_talk_count(t, "Many") != 0)
		fixture_die("not emptied: HTTP %u %s", answer.http_status, err.text);
	printf("emptying %u: %.3f s; %.1f MB of memory more\n", count,
		(double)answer.total_us / 1e6, peak_mb(g->pid) - memory);
	mf_arena_free(a);
	phone_free(p);
	imap_talk_close(t);
}

int
main(int argc, char **argv)
{
	struct dovecot dovecot;
	struct gateway gateway;
	char settings[200];

	setvbuf(stdout, NULL, _IOLBF, 0);
	dovecot_start(&dovecot, "--format mdbox");
	snprintf(settings, sizeof settings, "imap {\n\turl = \"%s\"\n}\n",
		dovecot_url(&dovecot, false)); /* as the raw read: without TLS */
	gateway_start(&gateway, &dovecot, settings);
	attachment(&dovecot, &gateway, argc > 1 ? (size_t)atoi(argv[1]) : 50);
	moves(&dovecot, &gateway, argc > 2 ? (unsigned)atoi(argv[2]) : 1000);
	emptying(&dovecot, &gateway, argc > 3 ? (unsigned)atoi(argv[3]) : 100000);
	gateway_end(&gateway);
	dovecot_end(&dovecot);
	return 0;
}
