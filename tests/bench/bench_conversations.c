/*
 * What the index of conversations costs: time and bytes a message, and look-ups. Threads as in real mail: one to
 * forty messages (a third stand alone), replies naming all their ancestors. Usage: bench_conversations [DIRECTORY]
 * [MESSAGES]
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "mime/mime.h"
#include "state/conversation.h"
#include "state/user.h"

enum { BATCH = STATE_CONVERSATION_BATCH, FOLDERS = 20, LOOKUPS = 100000, LIVE = 5000 };

static struct state *st;
static uint32_t user;

static void
must(enum mf_status status, const struct mf_error *err)
{
	if (status == MF_OK)
		return;
	fprintf(stderr, "bench_conversations: %s\n", err->text);
	exit(1);
}

/* Message n belongs to one of LIVE threads that change as time goes by; depth is its place there. */
struct place {
	uint32_t thread, depth;
};

static struct place *places;

static void
plan(size_t n)
{
	static struct place live[LIVE];
	uint32_t next = 0;

	srand(1);
	places = calloc(n, sizeof(*places));
	for (size_t i = 0; i < n; i++) {
		struct place *p = &live[rand() % LIVE];

		if (p->depth == 0 || rand() % 3 == 0)
			*p = (struct place){ .thread = ++next };
		places[i] = *p;
		if (++p->depth == 40)
			p->depth = 0;
	}
}

static struct conversation_facts *
message(struct mf_arena *a, size_t i)
{
	const struct place *p = &places[i];
	struct conversation_facts *f = mf_new(a, struct conversation_facts);
	struct mime_header h;
	struct mf_buf b;

	mf_buf_init(&b, 0);
	mf_buf_printf(&b,
		"Date: Sat, 21 Mar 2009 07:%02u:26 +0000\r\nFrom: somebody@example.org\r\n"
		"Message-ID: <%u.%u.message@mail.example.org>\r\n",
		p->depth, p->thread, p->depth);
	for (uint32_t d = 0; d < p->depth; d++)
		mf_buf_printf(&b, "%s<%u.%u.message@mail.example.org>",
			d == 0 ? "References: " : "\r\n ", p->thread, d);
	mf_buf_add_str(&b, "\r\n\r\n");
	mime_header_parse(a, mf_memdup(a, b.data, b.len), &h);
	conversation_facts_read(a, &h, "", 0, f);
	mf_buf_deinit(&b);
	return f;
}

static void
build(size_t n)
{
	struct state_conversation_item items[BATCH];
	struct mf_error err = { 0 };
	int64_t parsing = 0, writing = 0, began;

	for (size_t at = 0; at < n; at += BATCH) {
		struct mf_arena *a = mf_arena_new();
		size_t many = n - at < BATCH ? n - at : BATCH;

		began = clock_us();
		for (size_t i = 0; i < many; i++)
			items[i] = (struct state_conversation_item){ .id = at + i + 1,
				.facts = message(a, at + i) };
		parsing += clock_us() - began;
		began = clock_us();
		must(state_conversation_add(st, user, (uint32_t)(at / BATCH % FOLDERS) + 1, items,
			     many, NULL, &err),
			&err);
		writing += clock_us() - began;
		mf_arena_free(a);
	}
	printf("%8zu messages: header to names    %8.2f us each\n", n, (double)parsing / (double)n);
	printf("%8zu messages: into the index     %8.2f us each\n", n, (double)writing / (double)n);
}

static void
look_up(size_t n)
{
	struct state_conversation_shown shown;
	struct state_conversation_member *list;
	struct mf_error err = { 0 };
	int64_t began, show = 0, members = 0;
	size_t found;

	for (size_t i = 0; i < LOOKUPS; i++) {
		struct mf_arena *a = mf_arena_new();
		struct conversation_facts *f = message(a, (size_t)rand() % n);

		began = clock_us();
		must(state_conversation_show(st, user, f, &shown, &err), &err);
		show += clock_us() - began;
		began = clock_us();
		must(state_conversation_members(
			     st, user, &shown.id, SIZE_MAX, a, &list, &found, &err),
			&err);
		members += clock_us() - began;
		mf_arena_free(a);
	}
	printf("id and index of a message            %8.2f us\n", (double)show / LOOKUPS);
	printf("members of a conversation            %8.2f us\n", (double)members / LOOKUPS);
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
	char dir[300];
	struct state_options o = { .directory = dir };
	struct state_stats stats;
	struct mf_error err = { 0 };
	size_t n = argc > 2 ? (size_t)strtoul(argv[2], NULL, 10) : 1000000;
	double each;

	mime_init();
	snprintf(dir, sizeof(dir), "%s/bench-conversations-XXXXXX", argc > 1 ? argv[1] : ".");
	if (mkdtemp(dir) == NULL)
		return 1;
	must(state_open(&o, &st, &err), &err);
	must(state_user_number(st, STATE_SYNC, "anna", &user, &err), &err);
	plan(n);
	build(n);
	look_up(n);
	must(state_stats(st, &stats, &err), &err);
	each = (double)stats.store[STATE_SYNC].bytes_used / (double)n;
	printf("state: %.1f MB, %.0f bytes a message\n",
		(double)stats.store[STATE_SYNC].bytes_used / 1e6, each);
	state_close(st);
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return each <= 250 || n < 1000000 ? 0 : 1;
}
