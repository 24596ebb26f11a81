/* The memory backend's other side: what tests can do to a world (memory/memory.h). */
#include <criterion/criterion.h>

#include <string.h>
#include <time.h>

#include "memory/memory.h"

struct bench {
	struct memory_world *world;
	struct mf_backend *backend;
	struct mf_session *session;
	struct mf_error err;
};

static struct mf_session *
login(struct bench *b, enum mf_status expected)
{
	struct mf_login who = { .user = "anna", .password = "secret" };
	struct mf_session *s = NULL;
	enum mf_status st = mf_backend_memory.login(b->backend, &who, &s, &b->err);

	cr_assert_eq(st, expected, "login: %s", mf_status_name(st));
	return s;
}

static struct bench
begin(void)
{
	struct bench b = { .world = memory_hold("unit") };

	memory_user(b.world, "anna", "secret");
	b.backend = memory_open("unit");
	b.session = login(&b, MF_OK);
	return b;
}

static void
end(struct bench *b)
{
	mf_backend_memory.logout(b->session);
	mf_backend_memory.close(b->backend);
	memory_release(b->world);
}

static uint64_t
add(struct bench *b)
{
	return memory_add(
		b->world, "anna", "INBOX", mf_bytes_str("Subject: x\n\ntext\n"), 0, 1000000);
}

static enum mf_status
empty(struct bench *b)
{
	return mf_backend_memory.store->empty(b->session, "Junk", &b->err);
}

static enum mf_status
count_folder(void *ctx, const struct mf_folder *f)
{
	(void)f;
	++*(unsigned *)ctx;
	return MF_OK;
}

static enum mf_status
folders(struct bench *b)
{
	unsigned n = 0;

	return mf_backend_memory.store->folders(b->session, count_folder, &n, &b->err);
}

Test(memory, a_world_outlives_a_backend)
{
	struct bench b = begin();
	struct mf_arena *a = mf_arena_new();
	const struct mf_item *i;
	uint64_t id = add(&b);

	mf_backend_memory.logout(b.session);
	mf_backend_memory.close(b.backend);
	b.backend = memory_open("unit");
	b.session = login(&b, MF_OK);
	i = memory_item(b.world, "anna", "INBOX", id, a);
	cr_assert_not_null(i);
	cr_assert_eq(i->size, strlen("Subject: x\r\n\r\ntext\r\n"), "bare LF become CRLF");
	cr_assert_eq(i->date, 1000000);
	cr_assert_null(memory_item(b.world, "anna", "INBOX", id + 1, a));
	mf_arena_free(a);
	end(&b);
}

Test(memory, the_nth_call_fails)
{
	struct bench b = begin();

	memory_fail(b.world, MEMORY_EMPTY, 2, MF_REFUSED, 0);
	memory_fail(b.world, MEMORY_EMPTY, 3, MF_TEMPORARY, 0);
	cr_assert_eq(empty(&b), MF_OK);
	cr_assert_eq(folders(&b), MF_OK, "other calls are other calls");
	cr_assert_eq(empty(&b), MF_REFUSED);
	cr_assert_eq(b.err.status, MF_REFUSED);
	cr_assert_eq(empty(&b), MF_TEMPORARY);
	cr_assert_eq(empty(&b), MF_OK, "and only these");
	memory_fail(b.world, MEMORY_EMPTY, 0, MF_BROKEN, 0);
	cr_assert_eq(empty(&b), MF_BROKEN);
	cr_assert_eq(empty(&b), MF_BROKEN, "each one");
	cr_assert_eq(memory_calls(b.world, MEMORY_EMPTY), 6, "all are counted");
	memory_reset(b.world);
	cr_assert_eq(empty(&b), MF_OK);
	cr_assert_eq(memory_calls(b.world, MEMORY_EMPTY), 1);
	end(&b);
}

Test(memory, late_failures_have_done_their_work)
{
	struct bench b = begin();
	struct mf_idset ids;

	add(&b);
	mf_idset_init(&ids);
	memory_fail(b.world, MEMORY_EMPTY, 1, MF_TEMPORARY, MEMORY_LATE | MEMORY_CUT);
	cr_assert_eq(mf_backend_memory.store->empty(b.session, "INBOX", &b.err), MF_TEMPORARY);
	memory_ids(b.world, "anna", "INBOX", &ids);
	cr_assert_eq(ids.n, 0, "it is empty");
	cr_assert(!mf_backend_memory.usable(b.session), "and the session cut");
	cr_assert_eq(folders(&b), MF_TEMPORARY);
	mf_idset_deinit(&ids);
	end(&b);
}

Test(memory, sessions_are_lost)
{
	struct bench b = begin();
	struct mf_session *old = b.session;

	memory_drop(b.world);
	cr_assert(!mf_backend_memory.usable(old));
	cr_assert_eq(folders(&b), MF_TEMPORARY);
	b.session = login(&b, MF_OK);
	cr_assert_eq(folders(&b), MF_OK);
	cr_assert_eq(memory_sessions(b.world), 2);
	mf_backend_memory.logout(old);
	cr_assert_eq(memory_sessions(b.world), 1);

	memory_down(b.world, true);
	cr_assert_eq(folders(&b), MF_TEMPORARY);
	cr_assert_null(login(&b, MF_TEMPORARY));
	memory_down(b.world, false);
	cr_assert_eq(folders(&b), MF_TEMPORARY, "what was lost stays lost");
	mf_backend_memory.logout(b.session);
	b.session = login(&b, MF_OK);
	cr_assert_eq(folders(&b), MF_OK);
	end(&b);
}

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

Test(memory, calls_are_delayed)
{
	struct bench b = begin();
	int64_t began = now_ms();

	memory_delay(b.world, MEMORY_FOLDERS, 60);
	cr_assert_eq(folders(&b), MF_OK);
	cr_assert_geq(now_ms() - began, 60);
	memory_delay(b.world, MEMORY_FOLDERS, 0);
	cr_assert_eq(folders(&b), MF_OK);
	end(&b);
}

Test(memory, a_move_stops_in_the_middle)
{
	struct bench b = begin();
	struct mf_move moves[3];
	struct mf_idset ids;

	mf_idset_init(&ids);
	for (int i = 0; i < 3; i++)
		moves[i] = (struct mf_move){ .id = add(&b) };
	memory_fail(b.world, MEMORY_MOVE_ITEM, 2, MF_TEMPORARY, 0);
	cr_assert_eq(mf_backend_memory.store->move(b.session, "INBOX", "Archive", moves, 3, &b.err),
		MF_TEMPORARY);
	cr_assert_eq(moves[0].status, MF_OK);
	cr_assert_eq(moves[1].status, MF_TEMPORARY);
	cr_assert_eq(moves[2].status, MF_TEMPORARY);
	memory_ids(b.world, "anna", "Archive", &ids);
	cr_assert_eq(mf_idset_count(&ids), 1);
	mf_idset_deinit(&ids);
	end(&b);
}

Test(memory, capabilities_go)
{
	struct bench b = begin();
	struct mf_move m = { .id = add(&b) };

	cr_assert_eq(
		mf_backend_memory.store->move(b.session, "INBOX", "Archive", &m, 1, &b.err), MF_OK);
	cr_assert_neq(m.to, 0);
	memory_capabilities(b.world, MEMORY_ALL_CAPABILITIES & ~(unsigned)MEMORY_MOVE_IDS);
	m.id = add(&b);
	cr_assert_eq(
		mf_backend_memory.store->move(b.session, "INBOX", "Archive", &m, 1, &b.err), MF_OK);
	cr_assert_eq(m.status, MF_OK);
	cr_assert_eq(m.to, 0, "the server does not say");
	end(&b);
}

static enum mf_status
ignore(void *ctx, const struct mf_event *e)
{
	(void)ctx;
	(void)e;
	return MF_OK;
}

Test(memory, epochs_change)
{
	struct bench b = begin();
	struct mf_changes c = { .folder = "INBOX", .event = ignore };
	struct mf_buf cursor, next;

	add(&b);
	mf_buf_init(&cursor, 0);
	mf_buf_init(&next, 0);
	cr_assert_eq(mf_backend_memory.store->changes(b.session, &c, &cursor, &b.err), MF_OK);
	c.cursor = mf_buf_bytes(&cursor);
	cr_assert_eq(mf_backend_memory.store->changes(b.session, &c, &next, &b.err), MF_OK);
	memory_new_epoch(b.world, "anna", "INBOX");
	cr_assert_eq(mf_backend_memory.store->changes(b.session, &c, &next, &b.err), MF_RESYNC);
	mf_buf_deinit(&cursor);
	mf_buf_deinit(&next);
	end(&b);
}

Test(memory, call_names)
{
	for (int call = 0; call < MEMORY_CALLS; call++)
		cr_assert_eq((int)memory_call_find(memory_call_name((enum memory_call)call)), call,
			"%d", call);
	cr_assert_eq(memory_call_find("no such call"), MEMORY_CALLS);
}

Test(memory, tokens_and_masters)
{
	struct bench b = begin();
	struct mf_login token = { .user = "anna", .token = "t0k3n" };
	struct mf_login master = { .user = "anna", .password = "master's", .master = "admin" };
	struct mf_session *s;

	cr_assert_eq(mf_backend_memory.login(b.backend, &token, &s, &b.err), MF_AUTH);
	memory_token(b.world, "anna", "t0k3n");
	cr_assert_eq(mf_backend_memory.login(b.backend, &token, &s, &b.err), MF_OK);
	mf_backend_memory.logout(s);
	cr_assert_eq(mf_backend_memory.login(b.backend, &master, &s, &b.err), MF_AUTH);
	memory_user(b.world, "admin", "master's");
	cr_assert_eq(mf_backend_memory.login(b.backend, &master, &s, &b.err), MF_OK);
	mf_backend_memory.logout(s);
	end(&b);
}
