/* The index of conversations fed from a mail server, and rules carried out, on the memory backend. */
#include "memory/memory.h"
#include "base/clock.h"
#include "mime/mime.h"
#include "state/rule.h"
#include "state/user.h"
#include "state_help.h"
#include "sync/conversations.h"

static char directory[64];
static struct state *st;
static struct mf_arena *arena;
static struct memory_world *world;
static struct mf_backend *backend;
static struct mf_session *session;
static struct state_folders folders;
static struct sync_mailbox mailbox;

static enum mf_status
take_folder(void *ctx, const struct mf_folder *f)
{
	struct mf_folder **next = ctx;

	*(*next)++ = (struct mf_folder){ .id = mf_strdup(arena, f->id),
		.parent = mf_strdup(arena, f->parent),
		.name = mf_strdup(arena, f->name),
		.class = f->class,
		.role = f->role,
		.flags = f->flags,
		.identity = mf_strdup(arena, f->identity),
		.epoch = f->epoch };
	return MF_OK;
}

/* What FolderSync does. */
static void
list_folders(void)
{
	struct mf_folder *list = mf_new_array(arena, struct mf_folder, 100), *next = list;

	cr_assert_eq(mf_backend_memory.store->folders(session, take_folder, &next, NULL), MF_OK);
	cr_assert_eq(state_folders_reconcile(st, mailbox.user, "memory", list,
			     (size_t)(next - list), arena, &folders, NULL),
		MF_OK);
}

static void
open_state(void)
{
	st = state_help_open(directory);
	mailbox = (struct sync_mailbox){ .state = st,
		.name = "anna",
		.store = "memory",
		.api = mf_backend_memory.store,
		.session = session,
		.folders = &folders,
		.until = clock_ms() + 60000 };
	cr_assert_eq(state_user_number(st, STATE_SYNC, "anna", &mailbox.user, NULL), MF_OK);
	list_folders();
}

static void
setup(void)
{
	struct mf_login who = { .user = "anna", .password = "secret" };

	mime_init();
	arena = mf_arena_new();
	strcpy(directory, state_help_directory());
	world = memory_hold(directory);
	memory_user(world, "anna", "secret");
	memory_folder(world, "anna", "Lists");
	backend = memory_open(directory);
	cr_assert_eq(mf_backend_memory.login(backend, &who, &session, NULL), MF_OK);
	open_state();
}

static void
teardown(void)
{
	state_help_verify(st);
	state_close(st);
	mf_backend_memory.logout(session);
	mf_backend_memory.close(backend);
	memory_release(world);
	state_help_remove(directory);
	mf_arena_free(arena);
}

TestSuite(sync_conversations, .init = setup, .fini = teardown);

static uint64_t
deliver(const char *folder, const char *id, const char *references)
{
	const char *text = mf_printf(arena,
		"From: ben@example.org\nMessage-ID: <%s>\nReferences: %s\nSubject: x\n\ntext\n", id,
		references);

	return memory_add(world, "anna", folder, mf_bytes_str(text), 0, 0);
}

static struct sync_conversations_done
tend(void)
{
	struct sync_conversations_done done;
	struct mf_error err = { 0 };

	cr_assert_eq(sync_conversations_tend(&mailbox, &done, &err), MF_OK, "%s", err.text);
	cr_assert(done.complete);
	return done;
}

static size_t
members(const char *message_id)
{
	struct conversation_id id = conversation_id_of_message(message_id);
	struct state_conversation_member *list;
	size_t n = 0;

	state_conversation_members(st, mailbox.user, &id, SIZE_MAX, arena, &list, &n, NULL);
	return n;
}

static size_t
count(const char *folder)
{
	struct mf_idset ids;
	size_t n;

	mf_idset_init(&ids);
	memory_ids(world, "anna", folder, &ids);
	n = (size_t)mf_idset_count(&ids);
	mf_idset_deinit(&ids);
	return n;
}

static enum mf_status
always_move(const char *message_id, const char *folder, size_t *moved)
{
	struct conversation_id id = conversation_id_of_message(message_id);

	return sync_conversations_move(
		&mailbox, &id, state_folder_by_id(&folders, "memory", folder), moved, NULL);
}

static size_t
rules(void)
{
	uint32_t user;
	struct state_rule *list;
	size_t n = 0;

	if (state_user_find(st, STATE_RECORDS, "anna", &user, NULL) == MF_OK)
		state_rules_load(st, user, arena, &list, &n, NULL);
	return n;
}

/* The user's hand, in another client. */
static void
move(const char *from, const char *to, uint64_t id)
{
	struct mf_move one = { .id = id };

	cr_assert_eq(mf_backend_memory.store->move(session, from, to, &one, 1, NULL), MF_OK);
	cr_assert_eq(one.status, MF_OK);
}

static uint64_t
only(const char *folder)
{
	struct mf_idset ids;
	uint64_t id;

	mf_idset_init(&ids);
	memory_ids(world, "anna", folder, &ids);
	id = mf_idset_max(&ids);
	mf_idset_deinit(&ids);
	return id;
}

static void
follow_everything(void)
{
	uint64_t a = deliver("INBOX", "a@x", ""), b = deliver("INBOX", "b@x", "<a@x>");

	deliver("Sent", "c@x", "<a@x> <b@x>");
	deliver("Lists", "other@x", "");
	cr_assert_eq(tend().indexed, 4);
	cr_assert_eq(members("a@x"), 3);
	cr_assert_eq(tend().indexed, 0, "nothing is read twice");
	cr_assert_eq(memory_calls(world, MEMORY_FETCH), 3, "one question a folder");
	move("INBOX", "Lists", b);
	memory_expunge(world, "anna", "INBOX", a);
	tend();
	cr_assert_eq(members("a@x"), 2);
	memory_new_epoch(world, "anna", "Lists");
	tend();
	cr_assert_eq(members("a@x"), 2, "UIDVALIDITY");
	memory_folder_drop(world, "anna", "Lists");
	list_folders();
	tend();
	cr_assert_eq(members("a@x"), 1);
	cr_assert_eq(members("other@x"), 0);
}

Test(sync_conversations, follow)
{
	follow_everything();
}

Test(sync_conversations, follow_on_poor_servers)
{
	memory_capabilities(world, 0);
	follow_everything();
}

Test(sync_conversations, a_rename_costs_nothing)
{
	const char *id;

	deliver("Lists", "a@x", "");
	tend();
	cr_assert_eq(mf_backend_memory.store->folder_rename(
			     session, "Lists", NULL, "Renamed", arena, &id, NULL),
		MF_OK);
	list_folders();
	cr_assert_eq(tend().indexed, 0);
	cr_assert_eq(members("a@x"), 1);
}

Test(sync_conversations, it_stops_in_time_and_goes_on)
{
	struct sync_conversations_done done;
	struct mf_error err;

	for (int i = 0; i < 3000; i++)
		deliver(i < 2000 ? "INBOX" : "Lists", mf_printf(arena, "%d@x", i), "<root@x>");
	mailbox.until = clock_ms();
	cr_assert_eq(sync_conversations_tend(&mailbox, &done, &err), MF_OK);
	cr_assert_not(done.complete);
	mailbox.until = clock_ms() + 60000;
	memory_fail(world, MEMORY_FETCH, 2, MF_TEMPORARY, 0);
	cr_assert_eq(sync_conversations_tend(&mailbox, &done, &err), MF_TEMPORARY);
	cr_assert_eq(members("root@x"), 2000, "what was read stays");
	cr_assert_eq(tend().indexed, 1000);
	cr_assert_eq(members("root@x"), 3000);
}

/* In the middle of a folder, between two of the batches that go into the index by turns. */
Test(sync_conversations, it_stops_within_a_folder)
{
	enum { MANY = 5000, TURNS = 1000 };
	struct sync_conversations_done done = { .complete = false };
	size_t indexed = 0;

	for (int i = 0; i < MANY; i++)
		deliver("INBOX", mf_printf(arena, "%d@x", i), "<root@x>");
	for (int i = 0; i < TURNS && !done.complete; i++) {
		mailbox.until = clock_ms() + 30;
		cr_assert_eq(sync_conversations_tend(&mailbox, &done, NULL), MF_OK);
		indexed += done.indexed;
		if (indexed > 0)
			cr_assert_eq(members("root@x"), indexed, "after %d turns", i + 1);
	}
	cr_assert(done.complete);
	cr_assert_eq(indexed, MANY, "each once");
	cr_assert_eq(tend().indexed, 0);
}

Test(sync_conversations, the_state_is_lost)
{
	struct state_conversation_shown before, after;
	struct conversation_facts f = { .own = conversation_id_of_message("new@x"),
		.id = conversation_id_of_message("b@x"),
		.n_parents = 1,
		.date = 1000000 };

	f.parents = &f.id;
	deliver("INBOX", "a@x", "");
	deliver("INBOX", "b@x", "<a@x>");
	deliver("Lists", "c@x", "<b@x>");
	tend();
	cr_assert_eq(state_conversation_show(st, mailbox.user, &f, &before, NULL), MF_OK);
	state_close(st);
	state_help_remove(mf_printf(arena, "%s/sync", directory));
	open_state();
	cr_assert_eq(members("a@x"), 0);
	tend();
	cr_assert_eq(members("a@x"), 3);
	cr_assert_eq(state_conversation_show(st, mailbox.user, &f, &after, NULL), MF_OK);
	cr_assert(conversation_id_same(&before.id, &after.id));
	cr_assert_eq(before.index.len, 15);
	cr_assert_eq(memcmp(before.index.bytes, after.index.bytes, before.index.len), 0);
}

Test(sync_conversations, unreadable_messages_belong_to_nothing)
{
	memory_damage(world, "anna", "INBOX", deliver("INBOX", "a@x", ""), "broken");
	memory_damage(world, "anna", "INBOX", deliver("INBOX", "b@x", ""), "broken");
	deliver("INBOX", "c@x", "");
	tend();
	tend();
	cr_assert_eq(members("c@x"), 1);
}

Test(sync_conversations, ignore)
{
	size_t moved;

	deliver("INBOX", "a@x", "");
	deliver("Lists", "b@x", "<a@x>");
	deliver("Sent", "c@x", "<a@x>");
	cr_assert_eq(always_move("nobody@x", "Trash", &moved), MF_GONE);
	cr_assert_eq(always_move("b@x", "Trash", &moved), MF_OK, "by any name");
	cr_assert_eq(moved, 2);
	cr_assert_eq(count("Trash"), 2);
	cr_assert_eq(count("Sent"), 1, "what was sent stays");
	/* Mail that comes later, whatever folder it comes to, with or without a phone. */
	deliver("INBOX", "d@x", "<b@x>");
	deliver("Lists", "e@x", "<d@x>");
	deliver("INBOX", "z@x", "");
	cr_assert_eq(tend().moved, 2);
	cr_assert_eq(count("Trash"), 4);
	cr_assert_eq(count("INBOX"), 1);
	cr_assert_eq(tend().moved, 0);
	deliver("Sent", "f@x", "<e@x>");
	cr_assert_eq(tend().moved, 0);
	cr_assert_eq(members("a@x"), 6);
}

Test(sync_conversations, the_rule_outlives_the_state)
{
	size_t moved;

	deliver("INBOX", "a@x", "");
	always_move("a@x", "Lists", &moved);
	state_close(st);
	state_help_remove(mf_printf(arena, "%s/sync", directory));
	deliver("INBOX", "b@x", "<a@x>");
	open_state();
	cr_assert_eq(tend().moved, 1);
	cr_assert_eq(count("Lists"), 2);
	cr_assert_eq(rules(), 1);
}

Test(sync_conversations, the_destination_is_renamed_and_deleted)
{
	const char *id;
	size_t moved;

	deliver("INBOX", "a@x", "");
	always_move("a@x", "Lists", &moved);
	mf_backend_memory.store->folder_rename(session, "Lists", NULL, "Other", arena, &id, NULL);
	list_folders();
	deliver("INBOX", "b@x", "<a@x>");
	cr_assert_eq(tend().moved, 1);
	cr_assert_eq(count("Other"), 2);
	memory_folder_drop(world, "anna", "Other");
	list_folders();
	deliver("INBOX", "c@x", "<a@x>");
	cr_assert_eq(tend().moved, 0, "nowhere to go: it stays");
	cr_assert_eq(count("INBOX"), 1);
}

Test(sync_conversations, sent_may_be_the_destination)
{
	size_t moved;

	deliver("INBOX", "a@x", "");
	cr_assert_eq(always_move("a@x", "Sent", &moved), MF_OK);
	cr_assert_eq(count("Sent"), 1);
}

Test(sync_conversations, moved_back_by_hand)
{
	size_t moved;

	deliver("INBOX", "a@x", "");
	always_move("a@x", "Lists", &moved);
	deliver("INBOX", "b@x", "<a@x>");
	tend();
	cr_assert_eq(count("Lists"), 2);
	move("Lists", "INBOX", only("Lists"));
	cr_assert_eq(tend().moved, 0, "what the user moves stays");
	cr_assert_eq(rules(), 1, "but one message is not the conversation");
	deliver("INBOX", "c@x", "<a@x>");
	cr_assert_eq(tend().moved, 1);
	while (count("Lists") > 0)
		move("Lists", "INBOX", only("Lists"));
	cr_assert_eq(tend().moved, 0);
	cr_assert_eq(rules(), 0, "undone");
	deliver("INBOX", "d@x", "<a@x>");
	cr_assert_eq(tend().moved, 0);
	cr_assert_eq(count("INBOX"), 4);
}

Test(sync_conversations, an_empty_trash_undoes_nothing)
{
	size_t moved;

	deliver("INBOX", "a@x", "");
	deliver("INBOX", "b@x", "<a@x>");
	always_move("a@x", "Trash", &moved);
	while (count("Trash") > 0)
		memory_expunge(world, "anna", "Trash", only("Trash"));
	tend();
	deliver("INBOX", "c@x", "<b@x> <a@x>");
	cr_assert_eq(tend().moved, 1);
	cr_assert_eq(rules(), 1);
}

Test(sync_conversations, two_rules_of_conversations_that_join)
{
	size_t moved;

	deliver("INBOX", "a@x", "");
	deliver("INBOX", "b@x", "");
	always_move("a@x", "Lists", &moved);
	clock_shift(10);
	always_move("b@x", "Trash", &moved);
	deliver("INBOX", "ab@x", "<a@x> <b@x>");
	cr_assert_eq(tend().moved, 1);
	cr_assert_eq(count("Trash"), 2, "the later rule counts");
	for (int i = 0; i < 3; i++)
		cr_assert_eq(tend().moved, 0, "and nothing goes to and fro");
	clock_shift(0);
}

Test(sync_conversations, some_cannot_be_moved)
{
	size_t moved;

	deliver("INBOX", "a@x", "");
	deliver("Lists", "b@x", "<a@x>");
	tend();
	memory_fail(world, MEMORY_MOVE_ITEM, 1, MF_REFUSED, 0);
	cr_assert_eq(always_move("a@x", "Trash", &moved), MF_REFUSED);
	cr_assert_eq(moved, 1);
	cr_assert_eq(rules(), 1);
}
