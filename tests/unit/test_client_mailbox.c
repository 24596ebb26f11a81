/* client: the picture of a mailbox, and what answers make of it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/sync.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* An answer made of XML; lives as long as the arena. "": an empty one. */
static struct client_answer
answer_of(struct mf_arena *a, const char *xml)
{
	struct client_answer answer = { .http_status = 200 };
	struct mf_error err = { .text = "" };
	struct mf_buf b;

	if (*xml == '\0')
		return answer;
	mf_buf_init(&b, 0);
	cr_assert_eq(wbxml_from_xml(xml, strlen(xml), &b, &err), MF_OK, "%s: %s", err.text, xml);
	answer.body = mf_memdup(a, b.data, b.len);
	mf_buf_deinit(&b);
	cr_assert_eq(wbxml_decode(a, answer.body, &wbxml_limits_default, true, &answer.root, NULL),
		MF_OK);
	return answer;
}

/* What client_sync_build writes, as XML. */
static const char *
request_of(struct mf_arena *a, struct client_folder *f, const struct client_sync_options *o)
{
	struct wbxml_node *root;
	struct mf_buf b, xml;
	const char *s;

	mf_buf_init(&b, 0);
	mf_buf_init(&xml, 0);
	client_sync_build(&f, 1, o, &b);
	cr_assert_eq(
		wbxml_decode(a, mf_buf_bytes(&b), &wbxml_limits_default, true, &root, NULL), MF_OK);
	wbxml_dump(root, false, &xml);
	s = mf_strdup(a, mf_buf_str(&xml));
	mf_buf_deinit(&b);
	mf_buf_deinit(&xml);
	return s;
}

static struct client_sync_result
apply_with(struct mf_arena *a, struct client_folder *f, const struct client_sync_options *o,
	const char *inside)
{
	struct client_answer answer = answer_of(
		a, mf_printf(a,
			   "<Sync xmlns='AirSync' xmlns:e='Email' xmlns:b='AirSyncBase' "
			   "xmlns:e2='Email2'><Collections><Collection>"
			   "<CollectionId>%s</CollectionId>%s</Collection></Collections></Sync>",
			   f->id, inside));
	struct client_sync_result result;
	struct mf_error err;

	cr_assert_eq(client_sync_apply(&f, 1, o, &answer, &result, &err), MF_OK);
	return result;
}

static struct client_sync_result
apply(struct mf_arena *a, struct client_folder *f, const char *inside)
{
	return apply_with(a, f, &client_sync_defaults, inside);
}

/* Random additions and removals, compared with an array of booleans. */
Test(client_items, agree_with_an_array)
{
	enum { IDS = 3000 };
	struct client_mailbox *m = client_mailbox_new();
	struct client_folder *f = client_folder_put(m, "1", "0", "Inbox", 2);
	static bool in[IDS];
	unsigned seed = 3;
	size_t n = 0;

	for (int round = 0; round < 50000; round++) {
		unsigned i = (seed = seed * 1103515245 + 12345) >> 8, op = i >> 16 & 3;
		char id[16];

		i %= IDS;
		snprintf(id, sizeof(id), "5:%u", i);
		cr_assert_eq(client_item_find(f, id) != NULL, in[i]);
		if (op == 0) {
			cr_assert_eq(client_item_remove(f, id), in[i]);
			n -= in[i];
			in[i] = false;
		} else {
			client_item_put(f, id, NULL, false);
			n += !in[i];
			in[i] = true;
		}
		cr_assert_eq(f->n_items, n);
	}
	client_mailbox_free(m);
}

Test(client_folders, follow_the_hierarchy)
{
	struct mf_arena *a = mf_arena_new();
	struct client_mailbox *m = client_mailbox_new();
	struct client_hierarchy_result r;
	struct client_answer answer;
	struct client_folder *inbox;

	answer = answer_of(a,
		"<FolderSync "
		"xmlns='FolderHierarchy'><Status>1</Status><SyncKey>1</SyncKey><Changes>"
		"<Count>2</Count><Add><ServerId>a</ServerId><ParentId>0</ParentId><DisplayName>In"
		"</DisplayName><Type>2</Type></Add><Add><ServerId>b</ServerId><ParentId>a</"
		"ParentId>"
		"<DisplayName>Work</DisplayName><Type>12</Type></Add></Changes></FolderSync>");
	cr_assert_eq(client_hierarchy_apply(m, &answer, &r, NULL), MF_OK);
	cr_assert_eq(r.status, 1);
	cr_assert_eq(r.added, 2);
	cr_assert_str_eq(m->key, "1");
	inbox = client_folder_find(m, "INBOX");
	cr_assert_str_eq(inbox->id, "a");
	cr_assert_eq(client_folder_find(m, "in"), inbox);
	cr_assert_eq(client_folder_find(m, "a"), inbox);
	cr_assert_str_eq(client_folder_find(m, "work")->parent, "a");
	cr_assert_null(client_folder_find(m, "nothing"));

	answer = answer_of(a,
		"<FolderSync "
		"xmlns='FolderHierarchy'><Status>1</Status><SyncKey>2</SyncKey><Changes>"
		"<Update><ServerId>a</ServerId><ParentId>0</ParentId><DisplayName>Inbox</"
		"DisplayName>"
		"<Type>2</Type></Update><Delete><ServerId>b</ServerId></Delete><Delete><ServerId>x"
		"</ServerId></Delete></Changes></FolderSync>");
	client_folder_set_key(inbox, "77");
	cr_assert_eq(client_hierarchy_apply(m, &answer, &r, NULL), MF_OK);
	cr_assert_eq(r.changed, 1);
	cr_assert_eq(r.removed, 2);
	cr_assert_eq(m->odd.deleted_unknown, 1);
	cr_assert_str_eq(inbox->name, "Inbox");
	cr_assert_str_eq(inbox->key, "77", "a rename keeps what was synchronised");
	cr_assert_eq(m->n_folders, 1);

	answer =
		answer_of(a, "<FolderSync xmlns='FolderHierarchy'><Status>9</Status></FolderSync>");
	cr_assert_eq(client_hierarchy_apply(m, &answer, &r, NULL), MF_OK);
	cr_assert_eq(r.status, 9);
	cr_assert_str_eq(m->key, "2", "a failure changes nothing");
	answer = answer_of(a, "");
	cr_assert_eq(client_hierarchy_apply(m, &answer, &r, NULL), MF_INVALID);
	client_mailbox_free(m);
	mf_arena_free(a);
}

/* Key 0 again, as the Gmail application does it at every refresh: items stay. */
Test(client_folders, survive_a_first_sync_again)
{
	struct mf_arena *a = mf_arena_new();
	struct client_mailbox *m = client_mailbox_new();
	struct client_folder *f = client_folder_put(m, "a", "0", "Inbox", 2);
	struct client_hierarchy_result r;
	struct client_answer answer = answer_of(a,
		"<FolderSync "
		"xmlns='FolderHierarchy'><Status>1</Status><SyncKey>1</SyncKey><Changes>"
		"<Count>1</Count><Add><ServerId>a</ServerId><ParentId>0</"
		"ParentId><DisplayName>Inbox"
		"</DisplayName><Type>2</Type></Add></Changes></FolderSync>");

	client_folder_put(m, "gone", "0", "Gone", 12);
	client_item_put(f, "a:1", NULL, false);
	cr_assert_eq(client_hierarchy_apply(m, &answer, &r, NULL), MF_OK);
	cr_assert_eq(m->n_folders, 1);
	cr_assert_eq(client_folder_by_id(m, "a")->n_items, 1);
	cr_assert_eq(m->odd.added_twice, 0);
	client_mailbox_free(m);
	mf_arena_free(a);
}

Test(client_sync, asks_for_a_key_first)
{
	struct mf_arena *a = mf_arena_new();
	struct client_mailbox *m = client_mailbox_new();
	struct client_folder *f = client_folder_put(m, "5", "0", "Inbox", 2);
	struct client_sync_options o = client_sync_defaults;

	client_edit_read(f, "5:1", true);
	cr_assert_str_eq(request_of(a, f, &o), "<Sync xmlns=\"AirSync\">\n"
					       "  <Collections>\n"
					       "    <Collection>\n"
					       "      <SyncKey>0</SyncKey>\n"
					       "      <CollectionId>5</CollectionId>\n"
					       "    </Collection>\n"
					       "  </Collections>\n"
					       "</Sync>\n");
	apply(a, f, "<SyncKey>1</SyncKey><Status>1</Status>");
	cr_assert_str_eq(f->key, "1");
	cr_assert_eq(f->n_edits, 1, "it was not sent yet");
	o.mime_support = 2;
	o.conversation_mode = 1;
	o.conflict = 1;
	o.window_all = 50;
	o.heartbeat_s = 60;
	o.fetch = (const char *const[]){ "5:9", NULL };
	cr_assert_str_eq(request_of(a, f, &o),
		"<Sync xmlns=\"AirSync\" xmlns:email=\"Email\" xmlns:airsyncbase=\"AirSyncBase\">\n"
		"  <Collections>\n"
		"    <Collection>\n"
		"      <SyncKey>1</SyncKey>\n"
		"      <CollectionId>5</CollectionId>\n"
		"      <DeletesAsMoves/>\n"
		"      <GetChanges>1</GetChanges>\n"
		"      <WindowSize>100</WindowSize>\n"
		"      <ConversationMode>1</ConversationMode>\n"
		"      <Options>\n"
		"        <FilterType>0</FilterType>\n"
		"        <MIMESupport>2</MIMESupport>\n"
		"        <airsyncbase:BodyPreference>\n"
		"          <airsyncbase:Type>1</airsyncbase:Type>\n"
		"          <airsyncbase:TruncationSize>512</airsyncbase:TruncationSize>\n"
		"        </airsyncbase:BodyPreference>\n"
		"        <Conflict>1</Conflict>\n"
		"      </Options>\n"
		"      <Commands>\n"
		"        <Change>\n"
		"          <ServerId>5:1</ServerId>\n"
		"          <ApplicationData>\n"
		"            <email:Read>1</email:Read>\n"
		"          </ApplicationData>\n"
		"        </Change>\n"
		"        <Fetch>\n"
		"          <ServerId>5:9</ServerId>\n"
		"        </Fetch>\n"
		"      </Commands>\n"
		"    </Collection>\n"
		"  </Collections>\n"
		"  <HeartbeatInterval>60</HeartbeatInterval>\n"
		"  <WindowSize>50</WindowSize>\n"
		"</Sync>\n");
	client_mailbox_free(m);
	mf_arena_free(a);
}

#define ADD_ONE                                                                                  \
	"<SyncKey>2</SyncKey><Status>1</Status><MoreAvailable/><Commands><Add><ServerId>5:1"     \
	"</ServerId><ApplicationData><e:Subject>One</e:Subject><e:From>f</e:From><e:To>t</e:To>" \
	"<e:DateReceived>2024-01-02T00:00:00.000Z</e:DateReceived><e:Read>0</e:Read>"            \
	"<e:Importance>2</e:Importance><e:Flag><e:Status>2</e:Status></e:Flag><b:Attachments>"   \
	"<b:Attachment/><b:Attachment/></b:Attachments><b:Body><b:Type>1</b:Type>"               \
	"<b:EstimatedDataSize>9000</b:EstimatedDataSize><b:Truncated>1</b:Truncated>"            \
	"<b:Data>Hello</b:Data></b:Body><b:NativeBodyType>2</b:NativeBodyType>"                  \
	"<e2:ConversationId>base64:AAECAwQFBgcICQoLDA0ODw==</e2:ConversationId>"                 \
	"</ApplicationData></Add></Commands>"

Test(client_sync, takes_items)
{
	struct mf_arena *a = mf_arena_new();
	struct client_mailbox *m = client_mailbox_new();
	struct client_folder *f = client_folder_put(m, "5", "0", "Inbox", 2);
	struct client_sync_options keep = client_sync_defaults;
	struct client_sync_result r;
	const struct client_item *item;

	keep.keep_bodies = true;
	r = apply_with(a, f, &keep, ADD_ONE);
	cr_assert_eq(r.status, 1);
	cr_assert_eq(r.added, 1);
	cr_assert(r.more && f->more);
	cr_assert_str_eq(f->key, "2");
	item = client_item_find(f, "5:1");
	cr_assert_str_eq(item->subject, "One");
	cr_assert_str_eq(item->date, "2024-01-02T00:00:00.000Z");
	cr_assert(!item->read && item->truncated && item->has_conversation);
	cr_assert_eq(item->flag, CLIENT_FLAGGED);
	cr_assert_eq(item->importance, 2);
	cr_assert_eq(item->attachments, 2);
	cr_assert_eq(item->body_type, 1);
	cr_assert_eq(item->native_body_type, 2);
	cr_assert_eq(item->body_size, 9000);
	cr_assert_eq(item->conversation[15], 15);
	cr_assert(item->body.len == 5 && memcmp(item->body.data, "Hello", 5) == 0);

	/* A change tells only what is new. */
	r = apply(a, f,
		"<SyncKey>3</SyncKey><Status>1</Status><Commands><Change><ServerId>5:1</ServerId>"
		"<ApplicationData><e:Read>1</e:Read><e:Flag/></ApplicationData></Change></"
		"Commands>");
	cr_assert_eq(r.changed, 1);
	cr_assert(!r.more && !f->more);
	item = client_item_find(f, "5:1");
	cr_assert(item->read);
	cr_assert_eq(item->flag, CLIENT_UNFLAGGED);
	cr_assert_str_eq(item->subject, "One");
	cr_assert_eq(item->body.len, 5);
	client_mailbox_free(m);
	mf_arena_free(a);
}

Test(client_sync, counts_what_must_not_happen)
{
	struct mf_arena *a = mf_arena_new();
	struct client_mailbox *m = client_mailbox_new();
	struct client_folder *f = client_folder_put(m, "5", "0", "Inbox", 2);
	struct client_sync_result r;

	apply(a, f, ADD_ONE);
	apply(a, f, ADD_ONE);
	r = apply(a, f,
		"<SyncKey>4</SyncKey><Status>1</Status><Commands><Change><ServerId>5:7</ServerId>"
		"<ApplicationData/></Change><Delete><ServerId>5:8</ServerId></Delete><SoftDelete>"
		"<ServerId>5:1</ServerId></SoftDelete></Commands>");
	cr_assert_eq(r.changed, 1);
	cr_assert_eq(r.deleted, 1);
	cr_assert_eq(r.soft_deleted, 1);
	cr_assert_eq(f->odd.added_twice, 1);
	cr_assert_eq(f->odd.changed_unknown, 1);
	cr_assert_eq(f->odd.deleted_unknown, 1);
	cr_assert_eq(f->n_items, 0);
	client_mailbox_free(m);
	mf_arena_free(a);
}

/* An edit waits until an answer is applied; a lost answer means the same request again. */
Test(client_sync, sends_edits_until_they_are_answered)
{
	struct mf_arena *a = mf_arena_new();
	struct client_mailbox *m = client_mailbox_new();
	struct client_folder *f = client_folder_put(m, "5", "0", "Inbox", 2);
	struct client_sync_result r;
	const char *sent;

	apply(a, f, ADD_ONE);
	client_item_put(f, "5:2", NULL, false);
	client_item_put(f, "5:3", NULL, false);
	client_edit_read(f, "5:1", true);
	client_edit_flag(f, "5:1", CLIENT_COMPLETE);
	client_edit_delete(f, "5:2");
	client_edit_delete(f, "5:3");
	sent = request_of(a, f, &client_sync_defaults);
	cr_assert_not_null(strstr(sent, "<email:Status>1</email:Status>"));
	cr_assert_str_eq(request_of(a, f, &client_sync_defaults), sent);
	cr_assert(!client_item_find(f, "5:1")->read, "not before the server took it");
	client_edit_read(f, "5:1", false); /* after the request was built */

	r = apply(a, f,
		"<SyncKey>3</SyncKey><Status>1</Status><Responses><Delete><ServerId>5:3</ServerId>"
		"<Status>8</Status></Delete></Responses>");
	cr_assert_eq(r.refused, 1);
	cr_assert_eq(r.refused_status, 8);
	cr_assert(client_item_find(f, "5:1")->read);
	cr_assert_eq(client_item_find(f, "5:1")->flag, CLIENT_COMPLETE);
	cr_assert_null(client_item_find(f, "5:2"));
	cr_assert_not_null(client_item_find(f, "5:3"));
	cr_assert_eq(f->n_edits, 1);
	sent = request_of(a, f, &client_sync_defaults);
	cr_assert_not_null(strstr(sent, "<email:Read>0</email:Read>"));

	r = apply(a, f, "<SyncKey>9</SyncKey><Status>3</Status>");
	cr_assert_eq(r.status, 3);
	cr_assert_str_eq(f->key, "3", "a failed collection keeps its key");
	cr_assert_eq(f->n_edits, 1);
	client_folder_reset(f);
	cr_assert_str_eq(f->key, "0");
	cr_assert_eq(f->n_items, 0);
	cr_assert_eq(f->n_edits, 0);
	client_mailbox_free(m);
	mf_arena_free(a);
}

Test(client_sync, knows_other_answers)
{
	static const struct {
		const char *xml;
		enum mf_status st;
		unsigned status;
	} cases[] = {
		{ "", MF_OK, 1 },
		{ "<Sync xmlns='AirSync'><Status>13</Status></Sync>", MF_OK, 13 },
		{ "<Ping xmlns='Ping'/>", MF_INVALID, 0 },
		{ "<Sync xmlns='AirSync'><Collections><Collection><CollectionId>6</CollectionId>"
		  "</Collection></Collections></Sync>",
			MF_INVALID, 0 },
	};
	struct mf_arena *a = mf_arena_new();
	struct client_mailbox *m = client_mailbox_new();
	struct client_folder *f = client_folder_put(m, "5", "0", "Inbox", 2);

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct client_answer answer = answer_of(a, cases[i].xml);
		struct client_sync_result r;

		cr_assert_eq(client_sync_apply(&f, 1, &client_sync_defaults, &answer, &r, NULL),
			cases[i].st, "case %zu", i);
		if (cases[i].st == MF_OK)
			cr_assert_eq(r.status, cases[i].status, "case %zu", i);
		cr_assert_eq(r.empty, i == 0);
	}
	client_mailbox_free(m);
	mf_arena_free(a);
}

Test(client_mailbox, is_compared)
{
	struct mf_arena *a = mf_arena_new();
	struct client_mailbox *m = client_mailbox_new();
	struct client_folder *f = client_folder_put(m, "5", "0", "Inbox", 2),
			     *g = client_folder_put(m, "6", "0", "Other", 12);
	const struct client_item **sorted;
	struct mf_buf out;

	mf_buf_init(&out, 0);
	apply(a, f, ADD_ONE);
	apply(a, g, ADD_ONE);
	cr_assert(!client_folder_differs(f, g, &out));
	client_item_put(g, "6:1", NULL, false);
	cr_assert(client_folder_differs(f, g, &out));
	cr_assert_str_eq(mf_buf_str(&out), "6:1 is only in the second");
	mf_buf_clear(&out);
	cr_assert(client_folder_differs(g, f, &out));
	cr_assert_str_eq(mf_buf_str(&out), "6:1 is only in the first");
	sorted = client_items_sorted(g);
	cr_assert_str_eq(sorted[0]->id, "5:1", "newest first");
	free(sorted);
	client_item_remove(g, "6:1");
	apply(a, g,
		"<SyncKey>3</SyncKey><Status>1</Status><Commands><Change><ServerId>5:1</ServerId>"
		"<ApplicationData><e:Read>1</e:Read></ApplicationData></Change></Commands>");
	mf_buf_clear(&out);
	cr_assert(client_folder_differs(f, g, &out));
	cr_assert_str_eq(mf_buf_str(&out), "5:1: read is 0 and 1");
	mf_buf_deinit(&out);
	client_mailbox_free(m);
	mf_arena_free(a);
}
