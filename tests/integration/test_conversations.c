/* Conversations over a real Dovecot: ids on the phone, a conversation ignored, mail that comes later. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "phone.h"

static struct dovecot d;
static struct gateway g;

static void
deliver(const char *user, const char *id, const char *references)
{
	char text[400];
	int len = snprintf(text, sizeof(text),
		"From: ben@example.org\r\nMessage-ID: <%s@x>\r\nReferences: %s\r\n"
		"Date: Sat, 21 Mar 2009 07:04:26 +0000\r\nSubject: %s\r\n\r\nText.\r\n",
		id, references, id);

	dovecot_deliver(&d, user, text, (size_t)len);
}

static const struct client_item *
item_of(struct phone *p, const char *subject)
{
	struct client_folder *f = phone_folder(p, "inbox");
	const struct client_item **items = client_items_sorted(f), *found = NULL;

	for (size_t i = 0; i < f->n_items; i++)
		if (strcmp(items[i]->subject, subject) == 0)
			found = items[i];
	free(items);
	cr_assert_not_null(found, "%s is there", subject);
	cr_assert(found->has_conversation);
	return found;
}

/* Ignores the conversation of a message, as a phone does; false: refused. */
static bool
ignore(struct phone *p, const struct client_item *item)
{
	struct mf_arena *a = mf_arena_new();
	struct client_answer answer = { 0 };
	struct mf_error err = { 0 };
	const char *xml = mf_printf(a,
		"<ItemOperations xmlns=\"ItemOperations\"><Move><ConversationId>base64:%s"
		"</ConversationId><DstFldId>%s</DstFldId><Options><MoveAlways/></Options></Move>"
		"</ItemOperations>",
		str_base64(a, item->conversation, sizeof(item->conversation)),
		phone_folder(p, "trash")->id);
	const struct wbxml_node *move;
	bool ok;

	cr_assert_eq(client_call_xml(p->client, "ItemOperations", xml, &answer, &err), MF_OK, "%s",
		err.text);
	move = wbxml_child(wbxml_child(answer.root, ItemOperations_Response), ItemOperations_Move);
	ok = move != NULL && strcmp(wbxml_child_value(move, ItemOperations_Status), "1") == 0;
	mf_arena_free(a);
	return ok;
}

Test(conversations, ignored, .timeout = 120)
{
	const char *user = fixture_user("threads");
	struct imap_talk *t;
	struct phone *p;

	dovecot_get(&d);
	gateway_start(&g, &d, "");
	t = imap_talk_open(&d, user);
	deliver(user, "a", "");
	deliver(user, "b", "<a@x>");
	deliver(user, "z", "");
	p = phone_new(&g, user, NULL, "threads1");
	phone_hierarchy(p);
	phone_sync(p, "inbox");
	cr_assert_eq(memcmp(item_of(p, "a")->conversation, item_of(p, "b")->conversation, 16), 0);
	cr_assert_neq(memcmp(item_of(p, "a")->conversation, item_of(p, "z")->conversation, 16), 0);
	cr_assert(ignore(p, item_of(p, "b")));
	cr_assert_eq(imap_talk_count(t, "INBOX"), 1);
	cr_assert_eq(imap_talk_count(t, "Trash"), 2);
	deliver(user, "c", "<b@x>");
	deliver(user, "y", "<z@x>");
	phone_sync(p, "inbox");
	cr_assert_eq(imap_talk_count(t, "INBOX"), 2);
	cr_assert_eq(imap_talk_count(t, "Trash"), 3);
	cr_assert_eq(phone_folder(p, "inbox")->n_items, 2);
	phone_free(p);
	imap_talk_close(t);
	gateway_end(&g);
	dovecot_end(&d);
}

/* ---- The state is lost ---- */

enum { SHOWN_MAX = 200 };

struct shown {
	char server_id[64];
	uint8_t conversation[16];
};

static size_t
show(struct phone *p, struct shown *out)
{
	struct client_folder *f;
	const struct client_item **items;
	size_t n = 0;

	p->options.window = 25;
	phone_hierarchy(p);
	phone_sync(p, "inbox");
	f = phone_folder(p, "inbox");
	items = client_items_sorted(f);
	for (; n < f->n_items && n < SHOWN_MAX; n++) {
		cr_assert(items[n]->has_conversation);
		snprintf(out[n].server_id, sizeof out[n].server_id, "%s",
			strchr(items[n]->id, ':')); /* the folder's id may be another */
		memcpy(out[n].conversation, items[n]->conversation, 16);
	}
	free(items);
	return n;
}

/* While the demonstration's threads are on their way to a phone and into the index: the process dies, and its state
 * goes. Every message has the id that it had, on another gateway, too. */
Test(conversations, the_state_is_lost_in_the_middle, .timeout = 240)
{
	static struct shown before[SHOWN_MAX], after[SHOWN_MAX];
	char state[200];
	struct phone *p;
	size_t n, threads = 0;

	dovecot_start(&d, "");
	dovecot_fill(&d, "demo", "contrib/demo/messages");
	gateway_start(&g, &d, "");
	p = phone_new(&g, "demo", NULL, "lost1");
	n = show(p, before);
	gateway_kill(&g);
	snprintf(state, sizeof state, "%s/state/sync", g.dir);
	fixture_rmdir(state);
	gateway_again(&g);
	phone_free(p);
	p = phone_new(&g, "demo", NULL, "lost2");
	cr_assert_eq(show(p, after), n);
	cr_assert_gt(n, 100);
	for (size_t i = 0; i < n; i++) {
		cr_assert_str_eq(before[i].server_id, after[i].server_id);
		cr_assert_eq(memcmp(before[i].conversation, after[i].conversation, 16), 0, "%s",
			before[i].server_id);
		for (size_t k = 0; k < i; k++)
			threads += memcmp(after[i].conversation, after[k].conversation, 16) == 0;
	}
	cr_assert_gt(threads, 10);
	phone_free(p);
	gateway_end(&g);
	dovecot_end(&d);
}

/* No phone is near, no credentials of the user are known: the master user comes round. */
Test(conversations, moved_by_the_master_user, .timeout = 180)
{
	const char *user = fixture_user("rounds");
	struct imap_talk *t;
	struct phone *p;

	dovecot_get(&d);
	gateway_start(&g, &d,
		"master_user = master\nmaster_password = secret-master\nbackground_every = 1s\n");
	t = imap_talk_open(&d, user);
	deliver(user, "a", "");
	p = phone_new(&g, user, NULL, "rounds1");
	phone_hierarchy(p);
	phone_sync(p, "inbox");
	cr_assert(ignore(p, item_of(p, "a")));
	phone_free(p);
	gateway_stop(&g);
	deliver(user, "b", "<a@x>");
	gateway_again(&g);
	for (int i = 0; i < 600 && imap_talk_count(t, "Trash") < 2; i++)
		usleep(100000);
	cr_assert_eq(imap_talk_count(t, "Trash"), 2);
	cr_assert_eq(imap_talk_count(t, "INBOX"), 0);
	imap_talk_close(t);
	gateway_end(&g);
	dovecot_end(&d);
}

/* The Ping is over, no request runs: the watcher and the credentials are still there. */
Test(conversations, moved_while_nobody_waits, .timeout = 120)
{
	const char *user = fixture_user("tended");
	struct client_ping_result result = { 0 };
	struct mf_arena *a = mf_arena_new();
	struct client_folder *inbox;
	struct mf_error err = { 0 };
	struct imap_talk *t;
	struct phone *p;

	dovecot_get(&d);
	gateway_start(&g, &d, "heartbeat_min = 1s\n");
	t = imap_talk_open(&d, user);
	deliver(user, "a", "");
	p = phone_new(&g, user, NULL, "tended1");
	phone_hierarchy(p);
	phone_sync(p, "inbox");
	cr_assert(ignore(p, item_of(p, "a")));
	phone_sync(p, "inbox");
	inbox = phone_folder(p, "inbox");
	cr_assert_eq(client_ping(p->client, a, 1, &inbox, 1, &result, &err), MF_OK, "%s", err.text);
	cr_assert_eq(result.status, 1);
	deliver(user, "b", "<a@x>");
	for (int i = 0; i < 300 && imap_talk_count(t, "Trash") < 2; i++)
		usleep(100000);
	cr_assert_eq(imap_talk_count(t, "Trash"), 2, "the rule works in the background");
	cr_assert_eq(imap_talk_count(t, "INBOX"), 0);
	mf_arena_free(a);
	phone_free(p);
	imap_talk_close(t);
	gateway_end(&g);
	dovecot_end(&d);
}
