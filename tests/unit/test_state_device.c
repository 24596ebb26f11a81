/* state: users, devices, blobs, moves, and what is collected. */
#include "base/clock.h"
#include "state/blob.h"
#include "state/collection.h"
#include "state/device.h"
#include "state/folder.h"
#include "state/hierarchy.h"
#include "state/move.h"
#include "state/user.h"
#include "state_help.h"

enum { DAY = 24 * 3600 };

struct world {
	char *dir;
	struct state *st;
	struct mf_arena *a;
	uint32_t user;
};

static struct world
world(void)
{
	struct world w = { .dir = state_help_directory(), .a = mf_arena_new() };

	w.st = state_help_open(w.dir);
	cr_assert_eq(state_user_number(w.st, STATE_SYNC, "anna@example.org", &w.user, NULL), MF_OK);
	return w;
}

static void
world_end(struct world *w)
{
	state_help_verify(w->st);
	state_close(w->st);
	mf_arena_free(w->a);
	state_help_remove(w->dir);
}

static struct state_device *
device(struct world *w, const char *id)
{
	struct state_hello h = {
		.id = id, .type = "Phone", .user_agent = "Agent/1", .version = 141
	};
	struct state_device *d = NULL;
	struct mf_error err = { 0 };

	cr_assert_eq(state_device_load(w->st, w->user, &h, w->a, &d, &err), MF_OK, "%s", err.text);
	return d;
}

static uint64_t
writes(struct world *w)
{
	struct kv_stats s;

	cr_assert_eq(kv_stats(state_kv(w->st, STATE_SYNC), &s, NULL), MF_OK);
	return s.writes;
}

/* ---- Users ---- */

Test(state_user, numbers_are_given_once)
{
	struct world w = world();
	struct state_user *users;
	char name[STATE_USER_MAX + 2];
	uint32_t b, c, again;
	size_t n;

	cr_assert_eq(state_user_number(w.st, STATE_SYNC, "b", &b, NULL), MF_OK);
	cr_assert_neq(b, w.user);
	cr_assert_eq(state_user_remove(w.st, STATE_SYNC, "b", NULL), MF_OK);
	cr_assert_eq(state_user_remove(w.st, STATE_SYNC, "b", NULL), MF_OK);
	cr_assert_eq(state_user_find(w.st, STATE_SYNC, "b", &again, NULL), MF_GONE);
	cr_assert_eq(state_user_number(w.st, STATE_SYNC, "c", &c, NULL), MF_OK);
	cr_assert_gt(c, b, "a number was given twice");
	cr_assert_eq(state_user_number(w.st, STATE_SYNC, "c", &again, NULL), MF_OK);
	cr_assert_eq(again, c);
	cr_assert_eq(state_users(w.st, STATE_SYNC, w.a, &users, &n, NULL), MF_OK);
	cr_assert_eq(n, 2);
	cr_assert_str_eq(users[0].name, "anna@example.org");
	cr_assert_eq(users[1].number, c);
	cr_assert_eq(state_user_next(w.st, STATE_SYNC, w.user, w.a, users, NULL), MF_OK);
	cr_assert_eq(users[0].number, c, "the removed one is passed over");
	cr_assert_str_eq(users[0].name, "c");
	cr_assert_eq(state_user_next(w.st, STATE_SYNC, c, w.a, users, NULL), MF_GONE);
	cr_assert_eq(state_users(w.st, STATE_RECORDS, w.a, &users, &n, NULL), MF_OK);
	cr_assert_eq(n, 0);
	memset(name, 'x', sizeof(name));
	name[STATE_USER_MAX + 1] = '\0';
	cr_assert_eq(state_user_number(w.st, STATE_SYNC, name, &c, NULL), MF_INVALID);
	cr_assert_eq(state_user_number(w.st, STATE_SYNC, "", &c, NULL), MF_INVALID);
	name[STATE_USER_MAX] = '\0';
	cr_assert_eq(state_user_number(w.st, STATE_SYNC, name, &c, NULL), MF_OK);
	world_end(&w);
}

/* ---- Devices ---- */

Test(state_device, remembers_what_it_told)
{
	struct world w = world();
	struct state_device *d = device(&w, "one"), *other, *found;

	cr_assert_eq(d->policy_key, 0);
	cr_assert_str_eq(d->info[STATE_INFO_MODEL], "");
	d->info[STATE_INFO_MODEL] = "Modèle";
	d->info[STATE_INFO_ENABLE_OUTBOUND_SMS] = "1";
	d->policy_key_temporary = 77;
	other = device(&w, "one"); /* another request of the same device */
	other->policy_key = 4000000000u;
	memset(other->policy_digest, 0xab, sizeof(other->policy_digest));
	cr_assert_eq(state_device_save(w.st, w.user, d, STATE_DEVICE_INFO, NULL), MF_OK);
	cr_assert_eq(state_device_save(w.st, w.user, other, STATE_DEVICE_POLICY, NULL), MF_OK);
	cr_assert_eq(state_device_find(w.st, w.user, "one", w.a, &found, NULL), MF_OK);
	cr_assert_eq(found->number, d->number);
	cr_assert_str_eq(found->info[STATE_INFO_MODEL], "Modèle");
	cr_assert_str_eq(found->info[STATE_INFO_ENABLE_OUTBOUND_SMS], "1");
	cr_assert_eq(found->policy_key, 4000000000u);
	cr_assert_eq(found->policy_key_temporary, 0, "only the groups named are written");
	cr_assert_eq(found->policy_digest[15], 0xab);
	cr_assert_str_eq(found->type, "Phone");
	cr_assert_str_eq(found->user_agent, "Agent/1");
	cr_assert_eq(found->version, 141);
	cr_assert_eq(state_device_find(w.st, w.user, "two", w.a, &found, NULL), MF_GONE);
	world_end(&w);
}

Test(state_device, ids_of_any_kind)
{
	static const size_t lengths[] = { 1, 32, 511, 999, STATE_DEVICE_ID_MAX };
	struct world w = world();
	struct state_hello h = { .id = "" };
	struct state_device *d;
	char id[STATE_DEVICE_ID_MAX + 2];

	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		memset(id, 0xf0, sizeof(id));
		id[lengths[i]] = '\0';
		d = device(&w, id);
		cr_assert_eq(d->number, i + 1);
		cr_assert_str_eq(d->id, id);
		cr_assert_eq(device(&w, id)->number, i + 1);
	}
	cr_assert_eq(state_device_load(w.st, w.user, &h, w.a, &d, NULL), MF_INVALID);
	memset(id, 'x', sizeof(id));
	id[STATE_DEVICE_ID_MAX + 1] = '\0';
	h.id = id;
	cr_assert_eq(state_device_load(w.st, w.user, &h, w.a, &d, NULL), MF_INVALID);
	world_end(&w);
}

Test(state_device, long_texts_are_cut)
{
	struct world w = world();
	struct state_device *d = device(&w, "one"), *found;
	char text[2 * STATE_DEVICE_TEXT_MAX];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i % 2 == 0 ? 0xa9 : 0xc3);
	text[0] = 'x'; /* so that the limit is within a character */
	text[sizeof(text) - 1] = '\0';
	d->info[STATE_INFO_OS] = text;
	cr_assert_eq(state_device_save(w.st, w.user, d, STATE_DEVICE_INFO, NULL), MF_OK);
	cr_assert_eq(state_device_find(w.st, w.user, "one", w.a, &found, NULL), MF_OK);
	cr_assert_eq(strlen(found->info[STATE_INFO_OS]), STATE_DEVICE_TEXT_MAX - 1);
	world_end(&w);
}

Test(state_device, is_seldom_written)
{
	static const struct {
		const char *name;
		int64_t later;
		const char *agent;
		unsigned version;
		uint64_t writes;
	} cases[] = {
		{ "at once", 0, "Agent/1", 141, 0 },
		{ "a minute later", 60, "Agent/1", 141, 0 },
		{ "five minutes later", 300, "Agent/1", 141, 1 },
		{ "another agent, a minute later", 60, "Agent/2", 141, 1 },
		{ "another version, at once", 0, "Agent/2", 160, 0 },
		{ "another version, a minute later", 60, "Agent/2", 160, 1 },
		{ "no agent, no version", 60, "", 0, 0 },
		{ "the clock was set back", -2 * DAY, "Agent/2", 160, 1 },
	};
	struct world w = world();

	device(&w, "one");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct state_hello h = { .id = "one",
			.type = "Phone",
			.user_agent = cases[i].agent,
			.version = cases[i].version };
		uint64_t before = writes(&w);
		struct state_device *d;
		static int64_t shift;

		clock_shift(shift += cases[i].later);
		cr_assert_eq(state_device_load(w.st, w.user, &h, w.a, &d, NULL), MF_OK);
		cr_assert_eq(writes(&w) - before, cases[i].writes, "%s", cases[i].name);
		if (h.version != 0)
			cr_assert_eq(d->version, h.version, "%s", cases[i].name);
	}
	clock_shift(0);
	world_end(&w);
}

Test(state_device, not_too_many)
{
	struct world w = world();
	struct state_hello h = { .id = "one too many" };
	struct state_device *d, *all;
	size_t n;

	for (int i = 0; i < STATE_DEVICES_MAX; i++)
		device(&w, mf_printf(w.a, "%d", i));
	cr_assert_eq(state_device_load(w.st, w.user, &h, w.a, &d, NULL), MF_REFUSED);
	cr_assert_eq(state_devices(w.st, w.user, w.a, &all, &n, NULL), MF_OK);
	cr_assert_eq(n, STATE_DEVICES_MAX);
	cr_assert_eq(state_device_remove(w.st, w.user, all[5].number, NULL), MF_OK);
	cr_assert_eq(state_device_load(w.st, w.user, &h, w.a, &d, NULL), MF_OK);
	cr_assert_eq(d->number, STATE_DEVICES_MAX + 1, "numbers are not given again");
	world_end(&w);
}

/* ---- What a device owns ---- */

static void
fill(struct world *w, uint32_t dev)
{
	struct state_generation g = { .key = state_generation_first(),
		.content = mf_bytes_str("c") };
	struct mf_bytes options = mf_bytes_str("o");
	struct state_commit c = { .folder = 3, .next = &g, .options = &options };
	struct state_held held = { .number = 3, .name = "n" };
	struct state_hierarchy h = { .key = state_generation_first(), .held = &held, .n = 1 };

	cr_assert_eq(state_collection_commit(w->st, w->user, dev, &c, 1, NULL), MF_OK);
	cr_assert_eq(state_hierarchy_commit(w->st, w->user, dev, 0, 0, &h, NULL), MF_OK);
	cr_assert_eq(state_blob_save(w->st, w->user, dev, STATE_BLOB_PING, mf_bytes_str("p"), NULL),
		MF_OK);
}

/* How many of the three kinds of rows a device has. */
static int
filled(struct world *w, uint32_t dev)
{
	struct state_collection c;
	struct state_hierarchies h;
	struct mf_bytes blob;

	cr_assert_eq(state_collection_load(w->st, w->user, dev, 3, w->a, &c, NULL), MF_OK);
	cr_assert_eq(state_hierarchy_load(w->st, w->user, dev, w->a, &h, NULL), MF_OK);
	cr_assert_eq(
		state_blob_load(w->st, w->user, dev, STATE_BLOB_PING, w->a, &blob, NULL), MF_OK);
	return (c.newest.key != 0 && c.options.len > 0) + (h.newest.key != 0) + (blob.len > 0);
}

Test(state_device, is_removed_with_all_it_has)
{
	struct world w = world();
	struct state_device *one = device(&w, "one"), *two = device(&w, "two"), *found;
	struct state_generation g = { .key = state_generation_first() };
	struct state_commit c = { .folder = 3, .next = &g };
	uint32_t old = one->number;

	fill(&w, one->number);
	fill(&w, two->number);
	cr_assert_eq(state_device_remove(w.st, w.user, old, NULL), MF_OK);
	cr_assert_eq(state_device_remove(w.st, w.user, old, NULL), MF_OK);
	cr_assert_eq(filled(&w, old), 0);
	cr_assert_eq(filled(&w, two->number), 3);
	/* A request that is still under way leaves nothing behind. */
	cr_assert_eq(state_collection_commit(w.st, w.user, old, &c, 1, NULL), MF_GONE);
	cr_assert_eq(state_device_save(w.st, w.user, one, STATE_DEVICE_INFO, NULL), MF_GONE);
	cr_assert_eq(state_blob_save(w.st, w.user, old, STATE_BLOB_PING, mf_bytes_str("p"), NULL),
		MF_GONE);
	cr_assert_eq(state_device_find(w.st, w.user, "one", w.a, &found, NULL), MF_GONE);
	cr_assert_neq(device(&w, "one")->number, old);
	world_end(&w);
}

Test(state_blob, keeps_and_replaces)
{
	struct world w = world();
	uint32_t dev = device(&w, "one")->number;
	struct mf_bytes got, big = mf_bytes(mf_alloc(w.a, STATE_BLOB_MAX + 1), STATE_BLOB_MAX);
	uint64_t before;

	cr_assert_eq(state_blob_load(w.st, w.user, dev, STATE_BLOB_PING, w.a, &got, NULL), MF_OK);
	cr_assert_eq(got.len, 0);
	cr_assert_eq(state_blob_save(w.st, w.user, dev, STATE_BLOB_PING, big, NULL), MF_OK);
	cr_assert_eq(state_blob_save(
			     w.st, w.user, dev, STATE_BLOB_SYNC_REQUEST, mf_bytes_str("s"), NULL),
		MF_OK);
	before = writes(&w);
	cr_assert_eq(state_blob_save(w.st, w.user, dev, STATE_BLOB_PING, big, NULL), MF_OK);
	cr_assert_eq(writes(&w), before, "an equal value was written");
	cr_assert_eq(state_blob_load(w.st, w.user, dev, STATE_BLOB_PING, w.a, &got, NULL), MF_OK);
	cr_assert_eq(got.len, STATE_BLOB_MAX);
	big.len++;
	cr_assert_eq(state_blob_save(w.st, w.user, dev, STATE_BLOB_PING, big, NULL), MF_TOO_LARGE);
	cr_assert_eq(state_blob_save(w.st, w.user, dev, STATE_BLOB_PING, mf_bytes(NULL, 0), NULL),
		MF_OK);
	cr_assert_eq(state_blob_load(w.st, w.user, dev, STATE_BLOB_PING, w.a, &got, NULL), MF_OK);
	cr_assert_eq(got.len, 0);
	cr_assert_eq(state_blob_load(w.st, w.user, dev, STATE_BLOB_SYNC_REQUEST, w.a, &got, NULL),
		MF_OK);
	cr_assert_eq(got.len, 1);
	world_end(&w);
}

/* ---- Moves ---- */

static enum mf_status
moved(struct world *w, uint64_t epoch, uint64_t id, struct state_move *out)
{
	*out = (struct state_move){ .from = 2, .epoch = epoch, .id = id };
	return state_move_find(w->st, w->user, out, NULL);
}

Test(state_move, is_remembered_for_a_while)
{
	struct world w = world();
	struct state_move *many = mf_new_array(w.a, struct state_move, STATE_MOVES_MAX), m;
	struct state_collected done;

	for (uint32_t i = 0; i < STATE_MOVES_MAX; i++)
		many[i] = (struct state_move){ .from = 2,
			.epoch = 9,
			.id = i + 1,
			.to = 5,
			.to_epoch = 10,
			.to_id = 1000 + i,
			.device = 3 };
	cr_assert_eq(state_move_save(w.st, w.user, many, 10, NULL), MF_OK);
	cr_assert_eq(state_move_save(w.st, w.user, many, 10, NULL), MF_OK);
	cr_assert_eq(moved(&w, 9, 10, &m), MF_OK);
	cr_assert_eq(m.to, 5);
	cr_assert_eq(m.to_id, 1009);
	cr_assert_eq(m.to_epoch, 10);
	cr_assert_eq(m.device, 3);
	cr_assert_eq(moved(&w, 8, 10, &m), MF_GONE, "of another epoch");
	cr_assert_eq(moved(&w, 9, 11, &m), MF_GONE);

	clock_shift(60);
	cr_assert_eq(state_move_save(w.st, w.user, many + 10, STATE_MOVES_MAX - 10, NULL), MF_OK);
	cr_assert_eq(moved(&w, 9, 1, &m), MF_OK, "there is room for all");
	m = (struct state_move){ .from = 2, .epoch = 9, .id = 99999, .to = 5 };
	clock_shift(120);
	cr_assert_eq(state_move_save(w.st, w.user, &m, 1, NULL), MF_OK);
	cr_assert_eq(moved(&w, 9, 1, &m), MF_GONE, "the oldest make place");
	cr_assert_eq(moved(&w, 9, 99999, &m), MF_OK);

	clock_shift(STATE_MOVE_LIFE + 200);
	cr_assert_eq(moved(&w, 9, 99999, &m), MF_GONE, "too old");
	cr_assert_eq(state_collect(w.st, 0, &done, NULL), MF_OK);
	cr_assert_eq(done.moves, STATE_MOVES_MAX * 3 / 4);
	cr_assert_eq(state_collect(w.st, 0, &done, NULL), MF_OK);
	cr_assert_eq(done.moves, 0);
	clock_shift(0);
	world_end(&w);
}

/* ---- Collecting ---- */

Test(state_collect, takes_the_dead_and_leaves_the_living)
{
	struct world w = world();
	struct state_device *dead = device(&w, "dead"), *live, *found;
	struct mf_folder list[] = { { .id = "INBOX", .name = "Inbox" },
		{ .id = "A", .name = "A" } };
	struct state_folders folders;
	struct state_generation g = { .key = state_generation_first() };
	struct state_commit c = { .next = &g };
	struct state_collection held;
	struct state_collected done;
	struct state_stats stats;
	uint32_t gone, inbox;
	int64_t now = clock_wall();

	cr_assert_eq(
		state_folders_reconcile(w.st, w.user, "s", list, 2, w.a, &folders, NULL), MF_OK);
	inbox = folders.folders[0].number;
	gone = folders.folders[1].number;
	cr_assert_eq(
		state_folders_reconcile(w.st, w.user, "s", list, 1, w.a, &folders, NULL), MF_OK);
	fill(&w, dead->number);
	clock_shift(100 * DAY);
	live = device(&w, "live");
	for (c.folder = 0; c.folder != gone;) {
		c.folder = c.folder == inbox ? gone : inbox;
		cr_assert_eq(
			state_collection_commit(w.st, w.user, live->number, &c, 1, NULL), MF_OK);
	}
	cr_assert_eq(state_stats(w.st, &stats, NULL), MF_OK);
	cr_assert_eq(stats.devices, 2);
	cr_assert_eq(stats.collections, 3);
	cr_assert_eq(state_collect(w.st, now - DAY, &done, NULL), MF_OK);
	cr_assert_eq(done.devices + done.folders, 0, "too early");
	cr_assert_eq(state_collect(w.st, now + DAY, &done, NULL), MF_OK);
	cr_assert_eq(done.devices, 1);
	cr_assert_eq(done.folders, 1);
	cr_assert_eq(state_device_find(w.st, w.user, "dead", w.a, &found, NULL), MF_GONE);
	cr_assert_eq(filled(&w, dead->number), 0);
	cr_assert_eq(state_device_find(w.st, w.user, "live", w.a, &found, NULL), MF_OK);
	cr_assert_eq(
		state_collection_load(w.st, w.user, live->number, gone, w.a, &held, NULL), MF_OK);
	cr_assert_eq(held.newest.key, 0);
	cr_assert_eq(
		state_collection_load(w.st, w.user, live->number, inbox, w.a, &held, NULL), MF_OK);
	cr_assert_eq(held.newest.key, g.key);
	cr_assert_eq(state_stats(w.st, &stats, NULL), MF_OK);
	cr_assert_eq(stats.users, 1);
	cr_assert_eq(stats.devices, 1);
	cr_assert_eq(stats.folders, 1);
	cr_assert_eq(stats.collections, 1);
	clock_shift(0);
	world_end(&w);
}
