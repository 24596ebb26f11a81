/*
 * What a phone does all day, against the real daemon and the shared Dovecot: log in, see the folders,
 * synchronise everything, then only what changed, in both directions.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

TestSuite(sync, .init = start, .fini = stop, .timeout = 240);

static void
append_many(struct imap_talk *t, const char *folder, unsigned first, unsigned n)
{
	char message[400];

	for (unsigned i = first; i < first + n; i++) {
		snprintf(message, sizeof message,
			"From: Sender %u <s%u@example.test>\nTo: me@example.test\nSubject: Message "
			"%u\n"
			"Date: Thu, 01 Feb 2024 10:%02u:%02u +0000\nMessage-ID: "
			"<%u@example.test>\n\nBody %u\n",
			i % 7, i % 7, i, i / 60 % 60, i % 60, i, i);
		imap_talk_append(
			t, folder, i % 3 == 0 ? "\\Seen" : "", NULL, message, strlen(message));
	}
}

/* The server's id of the item with this subject. */
static const char *
item_of(struct phone *p, const char *folder, const char *subject)
{
	struct client_folder *f = phone_folder(p, folder);
	const struct client_item **items = client_items_sorted(f);
	const char *id = NULL;

	for (size_t i = 0; i < f->n_items; i++)
		if (strcmp(items[i]->subject, subject) == 0)
			id = items[i]->id;
	free(items);
	cr_assert_not_null(id, "%s holds \"%s\"", folder, subject);
	return id;
}

Test(sync, options_need_no_device)
{
	const char *user = fixture_user("options");
	struct phone *p = phone_new(&gateway, user, NULL, NULL);
	struct client_answer answer;
	struct mf_arena *arena = mf_arena_new();
	const char *versions, *commands;

	cr_assert_eq(client_ask_options(p->client, &answer, NULL), MF_OK, "OPTIONS is answered");
	cr_assert_eq(answer.http_status, 200, "with 200");
	versions = client_answer_header(arena, &answer, "MS-ASProtocolVersions");
	commands = client_answer_header(arena, &answer, "MS-ASProtocolCommands");
	cr_assert_str_eq(versions, "12.1,14.0,14.1,16.0,16.1", "ascending versions");
	cr_assert_not_null(strstr(commands, "FolderSync"), "commands are told: %s", commands);
	mf_arena_free(arena);
	phone_free(p);
}

Test(sync, wrong_password_reaches_the_backend_once)
{
	const char *user = fixture_user("wrong");
	struct phone *p = phone_new(&gateway, user, "secret-nonsense", "phone1");
	struct phone *right = phone_new(&gateway, user, NULL, "phone1");
	char failure[200];

	for (int i = 0; i < 4; i++)
		cr_assert_eq(phone_http_status(p, NULL), 401, "try %d is refused", i);
	snprintf(failure, sizeof failure, "static(%s,", user);
	cr_assert_eq(dovecot_log_count(&dovecot, failure), 1, "Dovecot was asked once");
	cr_assert_eq(phone_http_status(right, NULL), 200, "the right password is taken at once");
	phone_free(p);
	phone_free(right);
}

Test(sync, folders)
{
	static const struct {
		const char *name;
		unsigned type;
	} cases[] = { { "Drafts", 3 }, { "Trash", 4 }, { "Sent", 5 }, { "Junk", 12 },
		{ "Projekte", 12 }, { "Größe & Maß", 12 }, { "日本語", 12 } };
	const char *user = fixture_user("folders");
	struct imap_talk *t = imap_talk_open(&dovecot, user);
	struct phone *p = phone_new(&gateway, user, NULL, "phone1");
	struct client_hierarchy_result r;
	struct client_folder *f;
	char *id;

	imap_talk(t, "CREATE \"Projekte\"");
	imap_talk(t, "CREATE \"Projekte/Gr&APYA3w-e &- Ma&AN8-\"");
	imap_talk(t, "CREATE \"&ZeVnLIqe-\"");
	phone_hierarchy(p);
	f = client_folder_find(p->mailbox, "inbox");
	cr_assert(f != NULL && f->type == 2, "there is an Inbox");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		f = client_folder_find(p->mailbox, cases[i].name);
		cr_assert_not_null(f, "%s is told", cases[i].name);
		cr_assert_eq(f->type, cases[i].type, "%s has type %u", cases[i].name, f->type);
	}
	cr_assert_str_eq(phone_folder(p, "Größe & Maß")->parent, phone_folder(p, "Projekte")->id,
		"the folder lies below its parent");

	r = phone_hierarchy(p);
	cr_assert_eq(r.added + r.changed + r.removed, 0, "nothing new, nothing told");
	id = strdup(phone_folder(p, "日本語")->id);
	imap_talk(t, "RENAME \"&ZeVnLIqe-\" \"Japan\"");
	imap_talk(t, "DELETE \"Projekte/Gr&APYA3w-e &- Ma&AN8-\"");
	imap_talk(t, "CREATE \"Neu\"");
	phone_hierarchy(p);
	cr_assert_not_null(client_folder_find(p->mailbox, "Japan"), "the new name is told");
	cr_assert_null(client_folder_find(p->mailbox, "日本語"), "the old name is gone");
	cr_assert_null(client_folder_find(p->mailbox, "Größe & Maß"), "the deleted folder is gone");
	cr_assert_not_null(client_folder_find(p->mailbox, "Neu"), "the created folder is told");
	free(id);
	imap_talk_close(t);
	phone_free(p);
}

Test(sync, everything_then_only_what_changed)
{
	static const unsigned windows[] = { 512, 100, 25, 1 };
	const char *user = fixture_user("second");
	struct imap_talk *t = imap_talk_open(&dovecot, user);

	append_many(t, "INBOX", 1, 130);
	for (size_t i = 0; i < sizeof windows / sizeof windows[0]; i++) {
		char device[20];
		struct phone *p;
		struct client_sync_result r;

		snprintf(device, sizeof device, "phone%zu", i);
		p = phone_new(&gateway, user, NULL, device);
		p->options.window = windows[i];
		phone_hierarchy(p);
		r = phone_sync(p, "inbox");
		cr_assert_eq(r.added, 130, "window %u: all came", windows[i]);
		r = phone_sync(p, "inbox");
		cr_assert_eq(
			r.added + r.changed + r.deleted, 0, "window %u: then nothing", windows[i]);
		phone_agrees(p, "inbox", &gateway, t, user, "INBOX");
		phone_free(p);
	}
	imap_talk_close(t);
}

Test(sync, changes_come_from_the_server)
{
	const char *user = fixture_user("server");
	struct imap_talk *t = imap_talk_open(&dovecot, user);
	struct phone *p = phone_new(&gateway, user, NULL, "phone1");
	struct client_sync_result r;

	append_many(t, "INBOX", 1, 20);
	phone_hierarchy(p);
	phone_sync(p, "inbox");

	append_many(t, "INBOX", 100, 3);
	imap_talk(t, "SELECT INBOX");
	imap_talk(t, "STORE 1:2 +FLAGS (\\Seen)");
	imap_talk(t, "STORE 6 -FLAGS (\\Seen)");
	imap_talk(t, "STORE 7 +FLAGS (\\Flagged)");
	imap_talk(t, "STORE 10:13 +FLAGS (\\Deleted)");
	imap_talk(t, "EXPUNGE");
	imap_talk(t, "UNSELECT");
	r = phone_sync(p, "inbox");
	cr_assert_eq(r.added, 3, "three new ones, not %zu", r.added);
	cr_assert_eq(r.changed, 4, "four changed ones, not %zu", r.changed);
	cr_assert_eq(r.deleted, 4, "four deleted ones, not %zu", r.deleted);
	phone_agrees(p, "inbox", &gateway, t, user, "INBOX");

	imap_talk(t, "SELECT INBOX");
	imap_talk(t, "STORE 1:* +FLAGS (\\Deleted)");
	imap_talk(t, "EXPUNGE");
	imap_talk(t, "UNSELECT");
	phone_sync(p, "inbox");
	cr_assert_eq(phone_folder(p, "inbox")->n_items, 0, "an emptied folder is empty");
	phone_free(p);
	imap_talk_close(t);
}

Test(sync, changes_come_from_the_phone)
{
	const char *user = fixture_user("client");
	struct imap_talk *t = imap_talk_open(&dovecot, user);
	struct phone *p = phone_new(&gateway, user, NULL, "phone1");
	struct phone *other = phone_new(&gateway, user, NULL, "phone2");
	struct client_folder *inbox;
	struct client_sync_result r;

	append_many(t, "INBOX", 1, 12);
	phone_hierarchy(p);
	phone_hierarchy(other);
	phone_sync(p, "inbox");
	phone_sync(other, "inbox");
	inbox = phone_folder(p, "inbox");

	client_edit_read(inbox, item_of(p, "inbox", "Message 1"), true);
	client_edit_read(inbox, item_of(p, "inbox", "Message 3"), false);
	client_edit_flag(inbox, item_of(p, "inbox", "Message 5"), CLIENT_FLAGGED);
	client_edit_delete(inbox, item_of(p, "inbox", "Message 7"));
	r = phone_sync(p, "inbox");
	cr_assert_eq(r.refused, 0, "the server takes the changes");
	r = phone_sync(p, "inbox");
	cr_assert_eq(r.added + r.changed + r.deleted, 0, "what the phone did does not come back");
	phone_agrees(p, "inbox", &gateway, t, user, "INBOX");
	cr_assert_eq(imap_talk_count(t, "INBOX"), 11, "the deleted one left the Inbox");
	cr_assert_eq(imap_talk_count(t, "Trash"), 1, "for the Trash");

	p->options.delete_for_good = true;
	client_edit_delete(inbox, item_of(p, "inbox", "Message 8"));
	phone_sync(p, "inbox");
	cr_assert_eq(imap_talk_count(t, "INBOX"), 10, "deleted for good");
	cr_assert_eq(imap_talk_count(t, "Trash"), 1, "without a copy");

	r = phone_sync(other, "inbox");
	cr_assert_eq(r.changed, 3, "another phone is told three changes, not %zu", r.changed);
	cr_assert_eq(r.deleted, 2, "and two deletions, not %zu", r.deleted);
	phone_agrees(other, "inbox", &gateway, t, user, "INBOX");
	phone_free(p);
	phone_free(other);
	imap_talk_close(t);
}

Test(sync, https)
{
	const char *user = fixture_user("https");
	struct phone *p = phone_new_tls(&gateway, user, "phone1", dovecot.ca);
	struct phone *wary = phone_new_tls(&gateway, user, "phone2", NULL);

	dovecot_deliver(&dovecot, user, "Subject: Secure\n\nx\n", strlen("Subject: Secure\n\nx\n"));
	phone_hierarchy(p);
	cr_assert_eq(phone_sync(p, "inbox").added, 1, "mail comes over HTTPS");
	cr_assert_eq(phone_http_status(wary, NULL), 0, "an unknown authority is not trusted");
	phone_free(p);
	phone_free(wary);
}

/* A folder whose messages all have new UIDs: it was made anew from copies, in another order. */
Test(sync, uids_begin_anew)
{
	const char *user = fixture_user("anew");
	struct imap_talk *t = imap_talk_open(&dovecot, user);
	struct phone *p = phone_new(&gateway, user, NULL, "phone1");
	struct client_sync_result r;
	char *before, *after;

	imap_talk(t, "CREATE Work");
	append_many(t, "Work", 1, 20);
	phone_hierarchy(p);
	cr_assert_eq(phone_sync(p, "Work").added, 20, "all came");
	before = strdup(item_of(p, "Work", "Message 15"));

	imap_talk(t, "CREATE Copy");
	imap_talk(t, "SELECT Work");
	imap_talk(t, "COPY 11:20 Copy");
	imap_talk(t, "COPY 3:10 Copy");
	append_many(t, "Copy", 21, 1);
	imap_talk(t, "UNSELECT");
	imap_talk(t, "DELETE Work");
	imap_talk(t, "RENAME Copy Work");
	r = phone_sync(p, "Work");
	cr_assert_eq(r.added, 1, "only the new one comes: %u", (unsigned)r.added);
	cr_assert_eq(r.deleted, 2, "only those that are gone go: %u", (unsigned)r.deleted);
	cr_assert_eq(r.changed, 0, "nothing else: %u", (unsigned)r.changed);
	after = strdup(item_of(p, "Work", "Message 15"));
	cr_assert_str_eq(before, after, "it is called as before");
	imap_talk(t, "SELECT Work");
	imap_talk(t, "STORE 5 +FLAGS (\\Flagged)"); /* message 15 */
	imap_talk(t, "UNSELECT");
	cr_assert_eq(phone_sync(p, "Work").changed, 1, "and followed under that name");
	phone_agrees(p, "Work", &gateway, t, user, "Work");
	free(before);
	free(after);
	phone_free(p);
	imap_talk_close(t);
}
