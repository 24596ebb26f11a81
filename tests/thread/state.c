/* Many threads that read and write one state, while its map grows: what was committed is there. */
#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state/collection.h"
#include "state/device.h"
#include "state/move.h"
#include "state/user.h"

enum { THREADS = 6, ROUNDS = 60, CONTENT = 100000 };

static struct state *st;
static uint32_t shared_user, shared_device;
static _Atomic unsigned wrong, faster;

static void
expect(bool good, const char *what)
{
	if (!good && wrong++ < 5)
		fprintf(stderr, "wrong: %s\n", what);
}

static uint32_t
device_of(uint32_t user, const char *id, struct mf_arena *a)
{
	struct state_hello h = { .id = id, .version = 141 };
	struct state_device *d;

	if (state_device_load(st, user, &h, a, &d, NULL) != MF_OK)
		abort();
	return d->number;
}

/* One step of a collection; false when another thread was faster. */
static bool
step(uint32_t user, uint32_t device, struct mf_arena *a)
{
	struct state_collection held;
	struct state_generation next = { 0 };
	struct state_commit c = { .folder = 1, .next = &next };

	expect(state_collection_load(st, user, device, 1, a, &held, NULL) == MF_OK, "load");
	if (held.newest.key != 0)
		expect(held.newest.content.len == CONTENT &&
				held.newest.content.data[CONTENT - 1] == (uint8_t)held.newest.key,
			"content of another key");
	next.key = held.newest.key + 1;
	next.content = mf_bytes(memset(mf_alloc(a, CONTENT), (int)next.key, CONTENT), CONTENT);
	c.newest = c.base = held.newest.key;
	expect(state_collection_commit(st, user, device, &c, 1, NULL) == MF_OK, "commit");
	return c.status == MF_OK;
}

static void *
run(void *arg)
{
	struct mf_arena *a = mf_arena_new();
	const char *name = mf_printf(a, "user%d", (int)(intptr_t)arg % (THREADS / 2));
	struct state_move m = { .from = 1, .epoch = 1, .to = 2 };
	uint32_t user, device;

	if (state_user_number(st, STATE_SYNC, name, &user, NULL) != MF_OK)
		abort();
	device = device_of(user, mf_printf(a, "%p", arg), a);
	for (int i = 0; i < ROUNDS; i++) {
		struct mf_arena *round = mf_arena_new();

		expect(step(user, device, round), "its own device, but another was faster");
		while (!step(shared_user, shared_device, round))
			faster++;
		m.id = (uint64_t)i + 1;
		expect(state_move_save(st, user, &m, 1, NULL) == MF_OK, "move");
		expect(state_move_find(st, user, &m, NULL) == MF_OK, "move found");
		mf_arena_free(round);
	}
	mf_arena_free(a);
	return NULL;
}

static int
remove_one(const char *path, const struct stat *sb, int type, struct FTW *ftw)
{
	(void)sb;
	(void)type;
	(void)ftw;
	return remove(path);
}

int
main(void)
{
	char dir[] = "/tmp/mailferry-state-XXXXXX";
	struct state_options o = { .directory = dir, .map_size = 1 << 20 };
	struct mf_arena *a = mf_arena_new();
	struct state_collection held;
	pthread_t threads[THREADS];

	if (mkdtemp(dir) == NULL || state_open(&o, &st, NULL) != MF_OK ||
		state_user_number(st, STATE_SYNC, "shared", &shared_user, NULL) != MF_OK)
		return 1;
	shared_device = device_of(shared_user, "shared", a);
	for (intptr_t i = 0; i < THREADS; i++) {
		if (pthread_create(&threads[i], NULL, run, (void *)i) != 0)
			return 1;
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	expect(state_collection_load(st, shared_user, shared_device, 1, a, &held, NULL) == MF_OK &&
			held.newest.key == THREADS * ROUNDS,
		"a step was lost or made twice");
	mf_arena_free(a);
	state_close(st);
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	printf("%d steps, %u that were too slow, %u wrong\n", 2 * THREADS * ROUNDS, faster, wrong);
	return wrong != 0;
}
