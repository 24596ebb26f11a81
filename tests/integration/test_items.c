/*
 * Attachments, moves and folders, through the real daemon and the shared Dovecot: every byte of what is
 * large, in constant memory; hundreds of items in one request; ids that stay.
 */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "client/mail.h"
#include "cutter.h"
#include "phone.h"

static struct dovecot dovecot;
static struct gateway gateway;

static void
start(void)
{
	dovecot_get(&dovecot);
	gateway_start(&gateway, &dovecot, "");
}

static void
stop(void)
{
	gateway_end(&gateway);
	dovecot_end(&dovecot);
}

TestSuite(items, .init = start, .fini = stop, .timeout = 240);

/* Greatest anonymous memory so far would be VmHWM with the libraries; what stays is what counts. */
static double
memory_mb(pid_t pid)
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

/* A message with one attachment of that many bytes, base64; its digest. */
static void
append_large(struct imap_talk *t, size_t bytes, uint8_t digest[DIGEST_SIZE])
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t *data = malloc(bytes);
	char *message = malloc(bytes * 3 / 2 + 1000), *at = message;
	uint32_t seed = 1;

	cr_assert_eq(bytes % 57, 0, "whole lines");
	for (size_t i = 0; i < bytes; i++)
		data[i] = (uint8_t)((seed = seed * 1664525 + 1013904223) >> 24);
	digest_sha256(data, bytes, digest);
	at += sprintf(at, "Subject: Large\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; "
			  "boundary=A\r\n\r\n--A\r\n\r\nText.\r\n--A\r\nContent-Type: "
			  "application/zip\r\nContent-Disposition: attachment; filename=l.zip\r\n"
			  "Content-Transfer-Encoding: base64\r\n\r\n");
	for (size_t i = 0; i < bytes; i += 3) {
		uint32_t group = (uint32_t)data[i] << 16 | (uint32_t)data[i + 1] << 8 | data[i + 2];

		for (int shift = 18; shift >= 0; shift -= 6)
			*at++ = digits[group >> shift & 63];
		if ((i + 3) % 57 == 0)
			at += sprintf(at, "\r\n");
	}
	at += sprintf(at, "--A--\r\n");
	imap_talk_append(t, "INBOX", "", NULL, message, (size_t)(at - message));
	free(message);
	free(data);
}

static const char *
reference_of(struct phone *p, struct mf_arena *a, const char *item)
{
	struct client_wish wish = { .folder_id = phone_folder(p, "inbox")->id,
		.item_id = item,
		.body_type = 1,
		.truncation = 100,
		.mime_support = -1 };
	struct client_answer answer;
	struct client_fetched got;
	struct mf_error err = { 0 };

	cr_assert_eq(client_fetch(p->client, &wish, &answer, &got, &err), MF_OK, "%s", err.text);
	cr_assert_eq(got.status, 1, "the item is there");
	return mf_strdup(a,
		wbxml_child_value(wbxml_child(wbxml_child(got.properties, AirSyncBase_Attachments),
					  AirSyncBase_Attachment),
			AirSyncBase_FileReference));
}

static const char *
first_item(struct phone *p, struct mf_arena *a, const char *folder)
{
	const struct client_item **items = client_items_sorted(phone_folder(p, folder));
	const char *id = mf_strdup(a, items[0]->id);

	free(items);
	return id;
}

/* The second part of a multipart answer. */
static struct mf_bytes
part_one(struct mf_bytes body)
{
	uint32_t words[5];

	cr_assert(body.len > sizeof(words), "an answer in parts");
	memcpy(words, body.data, sizeof(words));
	cr_assert_eq(words[0], 2, "two parts");
	cr_assert_eq((size_t)words[3] + words[4], body.len, "nothing is behind the last");
	return mf_bytes(body.data + words[3], words[4]);
}

/* False: the connection broke. */
static bool
ask_for_file(struct phone *p, const char *reference, bool parts, struct client_answer *answer)
{
	struct client_request r = { .command = "ItemOperations", .accept_multipart = parts };
	struct mf_error err = { 0 };
	struct mf_buf body;
	char xml[500];

	mf_buf_init(&body, 0);
	snprintf(xml, sizeof xml,
		"<ItemOperations xmlns=\"ItemOperations\" xmlns:b=\"AirSyncBase\"><Fetch>"
		"<Store>Mailbox</Store><b:FileReference>%s</b:FileReference></Fetch>"
		"</ItemOperations>",
		reference);
	cr_assert_eq(wbxml_from_xml(xml, strlen(xml), &body, &err), MF_OK, "%s", err.text);
	r.body = mf_buf_bytes(&body);
	enum mf_status st = client_call(p->client, &r, answer, &err);
	mf_buf_deinit(&body);
	return st == MF_OK;
}

static struct mf_bytes
fetch_parts(struct phone *p, const char *reference)
{
	struct client_answer answer = { 0 };

	ask_for_file(p, reference, true, &answer);
	cr_assert_eq(answer.http_status, 200, "HTTP 200");
	return part_one(answer.body);
}

Test(items, large_attachment_in_constant_memory)
{
	enum { BYTES = 57 * 300000 };
	const char *user = fixture_user("large");
	struct imap_talk *t = imap_talk_open(&dovecot, user);
	struct mf_arena *a = mf_arena_new();
	struct client_wish wish = { .mime_support = -1 };
	struct client_answer answer;
	struct client_fetched got;
	struct mf_error err = { 0 };
	uint8_t want[DIGEST_SIZE], has[DIGEST_SIZE];
	struct phone *p = phone_new(&gateway, user, NULL, "phone1");
	struct mf_bytes part;
	double before;

	append_large(t, BYTES, want);
	phone_hierarchy(p);
	phone_sync(p, "inbox");
	wish.file_reference = reference_of(p, a, first_item(p, a, "inbox"));
	before = memory_mb(gateway.pid);
	part = fetch_parts(p, wish.file_reference);
	cr_assert_eq(part.len, BYTES, "all bytes");
	digest_sha256(part.data, part.len, has);
	cr_assert_eq(memcmp(has, want, sizeof has), 0, "every byte in parts");
	cr_assert_eq(client_fetch(p->client, &wish, &answer, &got, &err), MF_OK, "%s", err.text);
	cr_assert_eq(got.data.len, BYTES, "all bytes inline");
	digest_sha256(got.data.data, got.data.len, has);
	cr_assert_eq(memcmp(has, want, sizeof has), 0, "every byte inline");
	printf("memory: %.1f MB, then %.1f MB\n", before, memory_mb(gateway.pid));
#ifndef __SANITIZE_ADDRESS__
	cr_assert(memory_mb(gateway.pid) - before < 8, "memory stays flat");
#endif
	mf_arena_free(a);
	phone_free(p);
	imap_talk_close(t);
}

static unsigned
open_files(const struct gateway *g)
{
	char path[64];
	unsigned n = 0;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)g->pid);
	DIR *d = opendir(path);
	cr_assert_not_null(d, "its descriptors");
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

/* What was open for the requests that broke off is closed; a few connections stay in pools. */
static void
require_closed(const struct gateway *g, unsigned before)
{
	for (int i = 0; i < 600 && open_files(g) > before + 4; i++)
		usleep(100000);
	cr_assert_leq(open_files(g), before + 4, "descriptors stay open");
}

static void
require_file(struct phone *p, const char *reference, size_t bytes, const uint8_t *digest)
{
	struct mf_bytes part = fetch_parts(p, reference);
	uint8_t has[DIGEST_SIZE];

	cr_assert_eq(part.len, bytes, "all bytes");
	digest_sha256(part.data, part.len, has);
	cr_assert_eq(memcmp(has, digest, sizeof has), 0, "every byte");
}

/* A message with an attachment in a mailbox of its own, and a phone that knows it. */
static const char *
phone_with_file(struct phone *p, struct mf_arena *a, const char *user, size_t bytes,
	uint8_t digest[DIGEST_SIZE])
{
	struct imap_talk *t = imap_talk_open(&dovecot, user);

	append_large(t, bytes, digest);
	imap_talk_close(t);
	phone_hierarchy(p);
	phone_sync(p, "inbox");
	return reference_of(p, a, first_item(p, a, "inbox"));
}

/* The mail server's connection ends in the middle of an attachment: nothing that looks like a whole one is
 * told, and the next fetch gets all of it. */
Test(items, mail_server_cut_in_mid_stream)
{
	enum { BYTES = 57 * 40000 };
	static const uint64_t at[] = { 400, 20000, 300000, 1500000, 3000000, 3120000 };
	const char *user = fixture_user("cutserver");
	struct mf_arena *a = mf_arena_new();
	struct gateway g;
	uint8_t want[DIGEST_SIZE];
	char more[100];
	unsigned broken = 0;
	struct cutter *wire = cutter_start(
		(uint16_t)strtoul(strrchr(dovecot_url(&dovecot, false), ':') + 1, NULL, 10));

	snprintf(more, sizeof more, "imap {\n\turl = \"imap://127.0.0.1:%u\"\n}\n",
		cutter_port(wire));
	gateway_start(&g, &dovecot, more);
	struct phone *p = phone_new(&g, user, NULL, "phone1");
	const char *reference = phone_with_file(p, a, user, BYTES, want);
	unsigned before = open_files(&g);

	for (size_t i = 0; i < 2 * sizeof at / sizeof at[0]; i++) {
		bool parts = i % 2 == 0;
		struct client_answer answer = { 0 };

		cutter_arm_bytes(wire, at[i / 2]);
		bool got = ask_for_file(p, reference, parts, &answer);
		cutter_arm_bytes(wire, 0);
		if (got && answer.http_status == 200 && answer.body.len > BYTES) {
			/* asked once more by itself, where nothing had come yet */
			cr_assert_leq(at[i / 2], 20000, "cut at %zu", (size_t)at[i / 2]);
		} else {
			cr_assert(!got || answer.http_status == 503 || answer.body.len < 500,
				"cut at %zu: HTTP %u, %zu bytes", (size_t)at[i / 2],
				answer.http_status, answer.body.len);
			broken++;
		}
		require_file(p, reference, BYTES, want);
	}
	cr_assert_geq(broken, 8, "%u were cut", broken);
	require_closed(&g, before);
	phone_free(p);
	mf_arena_free(a);
	gateway_end(&g);
	cutter_end(wire);
}

/* The phone's connection ends in the middle of the answer: a client sees that it is not whole, and the gateway
 * keeps nothing of it. */
Test(items, phone_cut_in_mid_stream)
{
	enum { BYTES = 57 * 200000 };
	const char *user = fixture_user("cutphone");
	struct mf_arena *a = mf_arena_new();
	struct cutter *wire = cutter_start(gateway.port);
	struct gateway far = gateway;
	uint8_t want[DIGEST_SIZE];

	snprintf(far.url, sizeof far.url, "http://127.0.0.1:%u", cutter_port(wire));
	struct phone *p = phone_new(&far, user, NULL, "phone1");
	const char *reference = phone_with_file(p, a, user, BYTES, want);
	unsigned before = open_files(&gateway);

	for (unsigned i = 0; i < 20; i++) {
		struct client_answer answer = { 0 };

		cutter_arm_bytes(wire, 1000 + i * 550000);
		cr_assert(!ask_for_file(p, reference, i % 2 == 0, &answer),
			"cut %u: HTTP %u, %zu bytes", i, answer.http_status, answer.body.len);
	}
	cutter_arm_bytes(wire, 0);
	require_file(p, reference, BYTES, want);
	require_closed(&gateway, before);
	phone_free(p);
	mf_arena_free(a);
	cutter_end(wire);
}

Test(items, hundreds_of_moves)
{
	enum { N = 300 };
	const char *user = fixture_user("moves");
	struct imap_talk *t = imap_talk_open(&dovecot, user);
	struct phone *p = phone_new(&gateway, user, NULL, "phone1");
	struct client_folder *inbox, *work;
	const struct client_item **items;
	struct client_answer answer;
	struct mf_error err = { 0 };
	struct mf_buf xml;
	unsigned done = 0;

	imap_talk(t, "CREATE Work");
	for (int i = 0; i < N; i++) {
		static const char message[] = "Subject: One of many\r\n\r\nText.\r\n";

		imap_talk_append(t, "INBOX", i % 2 == 0 ? "\\Seen $Label1" : "", NULL, message,
			strlen(message));
	}
	phone_hierarchy(p);
	phone_sync(p, "inbox");
	phone_sync(p, "Work");
	inbox = phone_folder(p, "inbox");
	work = phone_folder(p, "Work");
	items = client_items_sorted(inbox);
	mf_buf_init(&xml, 0);
	mf_buf_add_str(&xml, "<MoveItems xmlns=\"Move\">");
	for (int i = 0; i < N; i++)
		mf_buf_printf(&xml,
			"<Move><SrcMsgId>%s</SrcMsgId><SrcFldId>%s</SrcFldId><DstFldId>%s"
			"</DstFldId></Move>",
			items[i]->id, inbox->id, work->id);
	mf_buf_add_str(&xml, "</MoveItems>");
	for (int again = 0; again < 2; again++) {
		cr_assert_eq(
			client_call_xml(p->client, "MoveItems", mf_buf_str(&xml), &answer, &err),
			MF_OK, "%s", err.text);
		done = 0;
		for (const struct wbxml_node *n = wbxml_child(answer.root, Move_Response);
			n != NULL; n = wbxml_next(n))
			done += client_number(n, Move_Status, 0) == 3 &&
				wbxml_child(n, Move_DstMsgId) != NULL;
		cr_assert_eq(done, N, "try %d: all have moved and have an id", again);
	}
	cr_assert_eq(imap_talk_count(t, "INBOX"), 0, "the Inbox is empty");
	cr_assert_eq(imap_talk_count(t, "Work"), N, "nothing moved twice");
	cr_assert_eq(phone_sync(p, "Work").added, 0, "the mover is not told of its own move");
	free(items);
	mf_buf_deinit(&xml);
	phone_free(p);
	imap_talk_close(t);
}

static unsigned
edit(struct phone *p, struct mf_arena *a, const char *command, const char **key, const char *rest)
{
	struct client_answer answer;
	struct mf_error err = { 0 };
	const char *xml = mf_printf(a, "<%s xmlns=\"FolderHierarchy\"><SyncKey>%s</SyncKey>%s</%s>",
		command, *key, rest, command);
	const char *next;

	cr_assert_eq(
		client_call_xml(p->client, command, xml, &answer, &err), MF_OK, "%s", err.text);
	next = wbxml_child_value(answer.root, FolderHierarchy_SyncKey);
	if (next != NULL)
		*key = mf_strdup(a, next);
	return client_number(answer.root, FolderHierarchy_Status, 0);
}

/* Children keep their ids, too; hostile names are refused and harm nothing. */
Test(items, renamed_folders_keep_their_ids)
{
	static const char *const bad[] = { "a/b/c", "*", "%", "#shared", "~root", "tab\tin it" };
	const char *user = fixture_user("renames");
	struct imap_talk *t = imap_talk_open(&dovecot, user);
	struct phone *p = phone_new(&gateway, user, NULL, "phone1");
	struct mf_arena *a = mf_arena_new();
	const char *key, *one, *two;

	imap_talk(t, "CREATE One");
	imap_talk(t, "CREATE One/Two");
	phone_hierarchy(p);
	one = mf_strdup(a, phone_folder(p, "One")->id);
	two = mf_strdup(a, phone_folder(p, "Two")->id);
	key = mf_strdup(a, p->mailbox->key);
	cr_assert_eq(edit(p, a, "FolderUpdate", &key,
			     mf_printf(a,
				     "<ServerId>%s</ServerId><ParentId>0</ParentId>"
				     "<DisplayName>Größe 日本 😀 &amp; %%</DisplayName>",
				     one)),
		10, "no percent sign in names");
	cr_assert_eq(edit(p, a, "FolderUpdate", &key,
			     mf_printf(a,
				     "<ServerId>%s</ServerId><ParentId>0</ParentId>"
				     "<DisplayName>Größe 日本 😀 &amp;</DisplayName>",
				     one)),
		1, "renamed");
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		cr_assert_eq(edit(p, a, "FolderCreate", &key,
				     mf_printf(a,
					     "<ParentId>0</ParentId><DisplayName>%s</DisplayName>"
					     "<Type>12</Type>",
					     bad[i])),
			10, "\"%s\" is no name", bad[i]);
	phone_free(p);
	p = phone_new(&gateway, user, NULL, "phone2");
	phone_hierarchy(p);
	cr_assert_str_eq(phone_folder(p, "Größe 日本 😀 &")->id, one, "the id stays");
	cr_assert_str_eq(phone_folder(p, "Two")->id, two, "the child's, too");
	mf_arena_free(a);
	phone_free(p);
	imap_talk_close(t);
}
