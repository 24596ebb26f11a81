/* state: generations of collections and hierarchies, their keys, and a stop at every write. */
#include <sys/wait.h>

#include "state/blob.h"
#include "state/collection.h"
#include "state/device.h"
#include "state/hierarchy.h"
#include "state/keys.h"
#include "state/user.h"
#include "state_help.h"

struct world {
	char *dir;
	struct state *st;
	struct mf_arena *a;
	uint32_t user, device;
};

static void
world_meet(struct world *w)
{
	struct state_hello h = { .id = "phone", .version = 161 };
	struct state_device *d;

	cr_assert_eq(state_user_number(w->st, STATE_SYNC, "u", &w->user, NULL), MF_OK);
	cr_assert_eq(state_device_load(w->st, w->user, &h, w->a, &d, NULL), MF_OK);
	w->device = d->number;
}

static struct world
world(void)
{
	struct world w = { .dir = state_help_directory(), .a = mf_arena_new() };

	w.st = state_help_open(w.dir);
	world_meet(&w);
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

/* ---- Keys ---- */

Test(state_generation, keys)
{
	static const struct {
		const char *text;
		bool good;
	} cases[] = { { "0", true }, { "1000000000", true }, { "1999999999", true },
		{ "18446744073709551615", true }, { "18446744073709551616", false }, { "1", false },
		{ "999999999", false }, { "00", false }, { "01000000000", false }, { "", false },
		{ "-1", false }, { "{abc}1", false }, { " 1000000000", false } };
	struct mf_arena *a = mf_arena_new();
	uint64_t key = state_generation_first(), next = state_generation_next(key), got;

	cr_assert_eq(next, key + 1000000000);
	cr_assert(key >= 1000000000 && key < 2000000000);
	cr_assert_neq(key, state_generation_first(), "no chance in it");
	cr_assert_neq(state_generation_next(0), 0);
	cr_assert_neq(state_generation_next(UINT64_MAX), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_assert_eq(state_generation_parse(cases[i].text, &got), cases[i].good, "%s",
			cases[i].text);
		if (cases[i].good)
			cr_assert_str_eq(state_generation_print(a, got), cases[i].text);
	}
	mf_arena_free(a);
}

/* ---- Collections ---- */

/* One step: newest and base are generations by their order (0: none), next too. */
Test(state_collection, generations)
{
	static const struct {
		const char *name;
		uint64_t newest, base, next;
		enum mf_status status;
		uint64_t then_newest, then_previous;
	} steps[] = {
		{ "the first", 0, 0, 1, MF_OK, 1, 0 },
		{ "the second keeps the first", 1, 1, 2, MF_OK, 2, 1 },
		{ "the third lets the first go", 2, 2, 3, MF_OK, 3, 2 },
		{ "the third's answer was lost", 3, 2, 4, MF_OK, 4, 2 },
		{ "and again", 4, 2, 5, MF_OK, 5, 2 },
		{ "another was faster", 4, 4, 6, MF_RESYNC, 5, 2 },
		{ "of one that is gone", 5, 3, 6, MF_RESYNC, 5, 2 },
		{ "goes on", 5, 5, 6, MF_OK, 6, 5 },
		{ "starts afresh", 6, 0, 7, MF_OK, 7, 0 },
		{ "believes it is the first", 0, 0, 8, MF_RESYNC, 7, 0 },
		{ "after that", 7, 7, 8, MF_OK, 8, 7 },
	};
	struct world w = world();

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		const char *content = mf_printf(w.a, "content %d", (int)steps[i].next);
		struct state_generation next = { .key = steps[i].next,
			.content = mf_bytes_str(content),
			.answer = mf_bytes_str(i % 2 == 0 ? "" : content) };
		struct state_commit c = { .folder = 12,
			.newest = steps[i].newest,
			.base = steps[i].base,
			.next = &next };
		struct state_collection got;

		memset(next.digest, (int)steps[i].next, sizeof(next.digest));
		cr_assert_eq(state_collection_commit(w.st, w.user, w.device, &c, 1, NULL), MF_OK);
		cr_assert_eq(c.status, steps[i].status, "%s", steps[i].name);
		cr_assert_eq(
			state_collection_load(w.st, w.user, w.device, 12, w.a, &got, NULL), MF_OK);
		cr_assert_eq(got.newest.key, steps[i].then_newest, "%s", steps[i].name);
		cr_assert_eq(got.previous.key, steps[i].then_previous, "%s", steps[i].name);
		content = mf_printf(w.a, "content %d", (int)got.newest.key);
		cr_assert_eq(got.newest.content.len, strlen(content));
		cr_assert_str_eq((const char *)got.newest.content.data, content);
		cr_assert_eq(got.newest.digest[31], got.newest.key);
		if (got.previous.key != 0)
			cr_assert_eq(got.previous.digest[0], got.previous.key);
	}
	world_end(&w);
}

Test(state_collection, several_at_once_with_options)
{
	struct world w = world();
	struct mf_bytes big = mf_bytes(mf_alloc(w.a, 200000), 200000), none = mf_bytes(NULL, 0);
	struct mf_bytes options = mf_bytes_str("window=5");
	struct state_generation g = { .key = 5000000000u, .content = big, .answer = big };
	struct state_commit c[] = { { .folder = 1, .next = &g, .options = &options },
		{ .folder = 2, .newest = 3, .base = 3, .next = &g, .options = &options },
		{ .folder = 3, .options = &options }, { .folder = 4, .next = &g } };
	struct state_collection got;

	cr_assert_eq(state_collection_commit(w.st, w.user, w.device, c, 4, NULL), MF_OK);
	cr_assert_eq(c[0].status, MF_OK);
	cr_assert_eq(c[1].status, MF_RESYNC);
	cr_assert_eq(c[2].status, MF_OK);
	cr_assert_eq(c[3].status, MF_OK);
	cr_assert_eq(state_collection_load(w.st, w.user, w.device, 1, w.a, &got, NULL), MF_OK);
	cr_assert_eq(got.newest.content.len, big.len);
	cr_assert_eq(got.newest.answer.len, big.len);
	cr_assert_eq(got.options.len, options.len);
	cr_assert_eq(state_collection_load(w.st, w.user, w.device, 2, w.a, &got, NULL), MF_OK);
	cr_assert_eq(got.newest.key + got.options.len, 0, "nothing of the slower one");
	cr_assert_eq(state_collection_load(w.st, w.user, w.device, 3, w.a, &got, NULL), MF_OK);
	cr_assert_eq(got.options.len, options.len);
	c[0] = (struct state_commit){ .folder = 1, .options = &none };
	cr_assert_eq(state_collection_commit(w.st, w.user, w.device, c, 1, NULL), MF_OK);
	cr_assert_eq(state_collection_load(w.st, w.user, w.device, 1, w.a, &got, NULL), MF_OK);
	cr_assert_eq(got.options.len, 0);
	cr_assert_eq(got.newest.key, g.key);

	cr_assert_eq(state_collection_drop(w.st, w.user, w.device, 1, NULL), MF_OK);
	cr_assert_eq(state_collection_load(w.st, w.user, w.device, 1, w.a, &got, NULL), MF_OK);
	cr_assert_eq(got.newest.key, 0);
	cr_assert_eq(state_collection_load(w.st, w.user, w.device, 4, w.a, &got, NULL), MF_OK);
	cr_assert_eq(got.newest.key, g.key);
	cr_assert_eq(state_collection_drop(w.st, w.user, w.device, 0, NULL), MF_OK);
	cr_assert_eq(state_collection_load(w.st, w.user, w.device, 4, w.a, &got, NULL), MF_OK);
	cr_assert_eq(got.newest.key, 0);
	world_end(&w);
}

/* ---- Hierarchies ---- */

Test(state_collection, content_brought_up_to_date_in_place)
{
	static const struct {
		uint64_t newest, base;
		enum mf_status status;
	} steps[] = { { 2, 2, MF_OK }, { 2, 1, MF_OK }, { 1, 1, MF_RESYNC }, { 2, 3, MF_RESYNC } };
	struct world w = world();
	struct state_generation g = { .content = mf_bytes_str("old"),
		.answer = mf_bytes_str("told") };
	struct mf_bytes fresh = mf_bytes_str("fresh");

	for (g.key = 1; g.key <= 2; g.key++) {
		struct state_commit c = {
			.folder = 3, .newest = g.key - 1, .base = g.key - 1, .next = &g
		};

		cr_assert_eq(state_collection_commit(w.st, w.user, w.device, &c, 1, NULL), MF_OK);
	}
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct state_commit c = { .folder = 3,
			.newest = steps[i].newest,
			.base = steps[i].base,
			.refreshed = &fresh };
		struct state_collection got;
		struct state_generation *one;

		cr_assert_eq(state_collection_commit(w.st, w.user, w.device, &c, 1, NULL), MF_OK);
		cr_assert_eq(c.status, steps[i].status, "step %zu", i);
		cr_assert_eq(
			state_collection_load(w.st, w.user, w.device, 3, w.a, &got, NULL), MF_OK);
		one = steps[i].base == 1 ? &got.previous : &got.newest;
		cr_assert(got.newest.key == 2 && got.previous.key == 1);
		cr_assert(one->content.len == 5 && memcmp(one->content.data, "fresh", 5) == 0);
		cr_assert(one->answer.len == 4 && memcmp(one->answer.data, "told", 4) == 0);
	}
	world_end(&w);
}

Test(state_hierarchy, generations)
{
	struct world w = world();
	struct state_held first[] = { { .number = 900, .parent = 0, .type = 1, .name = "Ärger" },
		{ .number = 7, .parent = 0, .type = 2, .name = "Inbox" },
		{ .number = 4000000000u, .parent = 900, .type = 12, .name = "" } };
	struct state_hierarchy next = { .key = 1, .held = first, .n = 3 };
	struct state_hierarchies got;

	cr_assert_eq(state_hierarchy_load(w.st, w.user, w.device, w.a, &got, NULL), MF_OK);
	cr_assert_eq(got.newest.key + got.previous.key, 0);
	cr_assert_eq(state_hierarchy_commit(w.st, w.user, w.device, 0, 0, &next, NULL), MF_OK);
	next = (struct state_hierarchy){ .key = 2 };
	cr_assert_eq(state_hierarchy_commit(w.st, w.user, w.device, 0, 0, &next, NULL), MF_RESYNC);
	cr_assert_eq(state_hierarchy_commit(w.st, w.user, w.device, 1, 1, &next, NULL), MF_OK);
	cr_assert_eq(state_hierarchy_load(w.st, w.user, w.device, w.a, &got, NULL), MF_OK);
	cr_assert_eq(got.newest.key, 2);
	cr_assert_eq(got.newest.n, 0);
	cr_assert(state_hierarchy_find(&got.newest, 7) == NULL);
	cr_assert_eq(got.previous.key, 1);
	cr_assert_eq(got.previous.n, 3);
	cr_assert_eq(got.previous.held[0].number, 7);
	cr_assert_eq(state_hierarchy_find(&got.previous, 4000000000u)->parent, 900);
	cr_assert_str_eq(state_hierarchy_find(&got.previous, 900)->name, "Ärger");
	cr_assert_eq(state_hierarchy_find(&got.previous, 900)->type, 1);
	cr_assert_eq(
		state_hierarchy_commit(w.st, w.user, w.device + 1, 0, 0, &next, NULL), MF_GONE);
	world_end(&w);
}

/* ---- A stop at every write ---- */

enum { STEPS = 6 };

/* Six generations, each with another row beside it that must never be newer than what is promised. */
static void
life(struct world *w, int promise)
{
	struct state_collection held;
	struct state_generation next = { 0 };

	for (uint64_t step = 1; step <= STEPS; step++) {
		struct state_commit c = { .folder = 1, .next = &next };

		if (state_collection_load(w->st, w->user, w->device, 1, w->a, &held, NULL) != MF_OK)
			_exit(1);
		next.key = step;
		next.content = mf_bytes(mf_alloc(w->a, step * 3000), step * 3000);
		c.newest = c.base = held.newest.key;
		if (held.newest.key >= step)
			continue;
		if (state_collection_commit(w->st, w->user, w->device, &c, 1, NULL) != MF_OK ||
			c.status != MF_OK)
			_exit(2);
		if (write(promise, &step, sizeof(step)) != sizeof(step))
			_exit(3);
	}
}

/* Lives in a process of its own until the fault; returns the last key that it promised. */
static uint64_t
live_until(const char *dir, unsigned n, bool after, int *status)
{
	uint64_t promised = 0, step;
	int pipe_of[2];
	pid_t pid;

	cr_assert_eq(pipe(pipe_of), 0);
	pid = fork();
	if (pid == 0) {
		struct world w = { .a = mf_arena_new() };

		w.st = state_help_open(dir);
		world_meet(&w);
		state_fault_after(n, after);
		life(&w, pipe_of[1]);
		_exit(0);
	}
	close(pipe_of[1]);
	while (read(pipe_of[0], &step, sizeof(step)) == sizeof(step))
		promised = step;
	close(pipe_of[0]);
	cr_assert_eq(waitpid(pid, status, 0), pid);
	return promised;
}

Test(state_fault, stops_at_every_write)
{
	for (unsigned n = 1; n <= STEPS + 1; n++) {
		for (int after = 0; after < 2; after++) {
			struct world w = { .dir = state_help_directory(), .a = mf_arena_new() };
			struct state_collection got;
			uint64_t promised;
			int status;

			w.st = state_help_open(w.dir);
			world_meet(&w);
			state_close(w.st);
			promised = live_until(w.dir, n, after != 0, &status);
			cr_assert(WIFEXITED(status));
			cr_assert_eq(WEXITSTATUS(status), n <= STEPS ? 42 : 0, "%u: %d", n, status);
			cr_assert_eq(promised, n - 1);

			w.st = state_help_open(w.dir);
			state_help_verify(w.st);
			world_meet(&w);
			cr_assert_eq(
				state_collection_load(w.st, w.user, w.device, 1, w.a, &got, NULL),
				MF_OK);
			cr_assert_eq(got.newest.key, n <= STEPS ? promised + (after != 0) : STEPS);
			cr_assert_eq(got.newest.content.len, got.newest.key * 3000);
			cr_assert_eq(
				got.previous.key, got.newest.key == 0 ? 0 : got.newest.key - 1);
			world_end(&w);
		}
	}
}

/* ---- Rows that make no sense ---- */

static enum mf_status
spoil(struct kv_txn *t, void *ctx, struct mf_error *err)
{
	struct world *w = ctx;
	struct state_key k;

	(void)err;
	state_key_begin(&k, w->user, STATE_SPACE_COLLECTION);
	state_key_u32(&k, w->device);
	state_key_u32(&k, 1);
	state_key_u8(&k, 0);
	kv_put(t, state_key_view(&k), mf_bytes_str("12345678nonsense"));
	state_key_begin(&k, w->user, STATE_SPACE_HIERARCHY);
	state_key_u32(&k, w->device);
	state_key_u8(&k, 0);
	kv_put(t, state_key_view(&k), mf_bytes_str("12345678\x7f\x01"));
	state_key_begin(&k, w->user, STATE_SPACE_LEDGER); /* in the wrong store */
	kv_put(t, state_key_view(&k), mf_bytes_str("x"));
	return MF_OK;
}

static void
count_problem(void *ctx, const char *line)
{
	cr_assert(strstr(line, "makes no sense") != NULL);
	++*(int *)ctx;
}

Test(state_verify, finds_spoilt_rows)
{
	struct world w = world();
	struct state_collection c;
	struct state_hierarchies h;
	struct mf_error err;
	int problems = 0;

	cr_assert_eq(kv_write(state_kv(w.st, STATE_SYNC), spoil, &w, NULL), MF_OK);
	cr_assert_eq(state_verify(w.st, count_problem, &problems, &err), MF_BROKEN);
	cr_assert_eq(problems, 3);
	cr_assert_eq(state_collection_load(w.st, w.user, w.device, 1, w.a, &c, &err), MF_BROKEN);
	cr_assert_eq(state_hierarchy_load(w.st, w.user, w.device, w.a, &h, &err), MF_BROKEN);
	/* What a phone starts afresh heals itself. */
	cr_assert_eq(state_collection_drop(w.st, w.user, w.device, 1, NULL), MF_OK);
	cr_assert_eq(state_collection_load(w.st, w.user, w.device, 1, w.a, &c, &err), MF_OK);
	state_close(w.st);
	mf_arena_free(w.a);
	state_help_remove(w.dir);
}
