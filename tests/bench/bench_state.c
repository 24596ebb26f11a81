/*
 * What the state costs: one line a figure. Durable writes are the disk's; compare them with what a
 * plain fdatasync takes there. Usage: bench_state [DIRECTORY] (default: the current one).
 */
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "state/collection.h"
#include "state/device.h"
#include "state/folder.h"
#include "state/user.h"

enum {
	CONTENT = 20000,
	USERS = 2000,
	FOLDERS = 200,
	WRITES = 500,
	EACH = 50,
	READS = 20000,
	THREADS_MAX = 64
};

static struct state *st;
static uint32_t users[USERS], devices[USERS];
static uint8_t content[CONTENT];

static void
must(enum mf_status status, const struct mf_error *err)
{
	if (status == MF_OK)
		return;
	fprintf(stderr, "bench_state: %s\n", err->text);
	exit(1);
}

static void
commit(int i, uint64_t key, size_t len)
{
	struct state_generation g = { .key = key, .content = mf_bytes(content, len) };
	struct state_commit c = { .folder = 1, .newest = key - 1, .base = key - 1, .next = &g };
	struct mf_error err;

	must(state_collection_commit(st, users[i], devices[i], &c, 1, &err), &err);
}

/* ---- Durable writes, by one and by many ---- */

static void
fdatasync_alone(const char *dir)
{
	char path[300];
	int64_t began;
	int fd;

	snprintf(path, sizeof(path), "%s/plain", dir);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	began = clock_us();
	for (int i = 0; i < WRITES; i++) {
		if (pwrite(fd, content, CONTENT, (off_t)i * CONTENT) != CONTENT ||
			fdatasync(fd) != 0)
			exit(1);
	}
	printf("plain pwrite and fdatasync of 20 KB   %8.3f ms\n",
		(double)(clock_us() - began) / WRITES / 1000);
	close(fd);
	unlink(path);
}

static void *
write_many(void *arg)
{
	int me = (int)(intptr_t)arg;

	for (uint64_t k = 1; k <= EACH; k++)
		commit(me, k, CONTENT);
	return NULL;
}

static void
writers(int n)
{
	pthread_t threads[THREADS_MAX];
	struct kv_stats before, after;
	int64_t began = clock_us();
	double ms;

	kv_stats(state_kv(st, STATE_SYNC), &before, NULL);
	for (intptr_t i = 0; i < n; i++) {
		if (pthread_create(&threads[i], NULL, write_many, (void *)i) != 0)
			exit(1);
	}
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	ms = (double)(clock_us() - began) / 1000;
	kv_stats(state_kv(st, STATE_SYNC), &after, NULL);
	printf("%2d writers of 20 KB: a write           %8.3f ms, %.1f in a group\n", n,
		ms / n / EACH,
		(double)(after.writes - before.writes) / (double)(after.commits - before.commits));
	for (int i = 0; i < n; i++)
		must(state_collection_drop(st, users[i], devices[i], 1, NULL), NULL);
}

/* ---- Reads, and what is written seldom ---- */

static void
reads(void)
{
	struct state_hello h = { .id = "phone", .type = "t", .user_agent = "a", .version = 141 };
	struct mf_error err;
	int64_t began = clock_us();

	for (int i = 0; i < READS; i++) {
		struct mf_arena *a = mf_arena_new();
		struct state_collection c;

		must(state_collection_load(
			     st, users[i % USERS], devices[i % USERS], 1, a, &c, &err),
			&err);
		mf_arena_free(a);
	}
	printf("load of a collection                  %8.3f us\n",
		(double)(clock_us() - began) / READS);
	began = clock_us();
	for (int i = 0; i < READS; i++) {
		struct mf_arena *a = mf_arena_new();
		struct state_device *d;

		must(state_device_load(st, users[i % USERS], &h, a, &d, &err), &err);
		mf_arena_free(a);
	}
	printf("load of a device                      %8.3f us\n",
		(double)(clock_us() - began) / READS);
}

static void
folders(void)
{
	struct mf_arena *a = mf_arena_new();
	struct mf_folder *list = mf_new_array(a, struct mf_folder, FOLDERS);
	struct state_folders out;
	struct mf_error err;
	int64_t began;

	for (int i = 0; i < FOLDERS; i++)
		list[i] = (struct mf_folder){ .id = mf_printf(a, "Folder/%d", i),
			.name = mf_printf(a, "%d", i),
			.identity = mf_printf(a, "identity%d", i),
			.epoch = 1700000000 + (uint64_t)i };
	must(state_folders_reconcile(st, users[0], "imap", list, FOLDERS, a, &out, &err), &err);
	began = clock_us();
	for (int i = 0; i < 200; i++) {
		struct mf_arena *b = mf_arena_new();

		must(state_folders_reconcile(st, users[0], "imap", list, FOLDERS, b, &out, &err),
			&err);
		mf_arena_free(b);
	}
	printf("reconciling 200 folders, unchanged    %8.3f us\n",
		(double)(clock_us() - began) / 200);
	mf_arena_free(a);
}

static void
fill(void)
{
	struct state_hello h = { .id = "phone", .type = "t", .user_agent = "a", .version = 141 };
	struct mf_arena *a = mf_arena_new();
	struct state_device *d;
	struct mf_error err;
	int64_t began = clock_us();

	for (int i = 0; i < USERS; i++) {
		must(state_user_number(st, STATE_SYNC, mf_printf(a, "user%d@example.org", i),
			     &users[i], &err),
			&err);
		must(state_device_load(st, users[i], &h, a, &d, &err), &err);
		devices[i] = d->number;
	}
	printf("a new user with a new device          %8.3f ms\n",
		(double)(clock_us() - began) / USERS / 1000);
	mf_arena_free(a);
}

static void
size(void)
{
	struct kv_stats s, before;
	struct mf_error err;

	must(kv_stats(state_kv(st, STATE_SYNC), &before, &err), &err);
	for (int i = 0; i < USERS; i++)
		commit(i, 1, 200);
	must(kv_stats(state_kv(st, STATE_SYNC), &s, &err), &err);
	printf("a generation of 200 bytes takes       %8.0f bytes\n",
		(double)(s.bytes_used - before.bytes_used) / USERS);
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
main(int argc, char **argv)
{
	static const int counts[] = { 1, 2, 8, 32, THREADS_MAX };
	char dir[200];
	struct state_options o = { .directory = dir };
	struct mf_error err;

	snprintf(dir, sizeof(dir), "%s/bench-state-XXXXXX", argc > 1 ? argv[1] : ".");
	if (mkdtemp(dir) == NULL)
		return perror(dir), 1;
	must(state_open(&o, &st, &err), &err);
	fdatasync_alone(dir);
	fill();
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		writers(counts[i]);
	size();
	reads();
	folders();
	state_close(st);
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}
