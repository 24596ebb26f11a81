/* backend: the pool of sessions. */
#include <pthread.h>
#include <unistd.h>

#include "backend_help.h"

static struct mf_session *
get(struct backend_help *h, const char *user)
{
	struct mf_session *s = NULL;

	cr_assert_eq(backend_help_get(h, user, "secret", 0, &s), MF_OK);
	return s;
}

static struct backend_session_stats
stats(struct backend_help *h)
{
	struct backend_session_stats s;

	backend_session_stats(h->b, &s);
	return s;
}

Test(backend_session, is_used_again)
{
	struct backend_help h;
	struct mf_session *one, *two;

	backend_help_open(&h, "");
	one = get(&h, "anna");
	two = get(&h, "anna");
	cr_assert_neq(one, two);
	cr_assert_eq(stats(&h).busy, 2);
	backend_session_put(h.b, two);
	backend_session_put(h.b, one);
	backend_session_put(h.b, NULL);
	cr_assert_eq(stats(&h).idle, 2);
	cr_assert_eq(get(&h, "anna"), one, "the newest first");
	cr_assert_eq(get(&h, "anna"), two);
	cr_assert_eq(backend_help_logins(&h), 2);
	cr_assert_eq(stats(&h).reused, 2);
	backend_session_put(h.b, one);
	backend_session_put(h.b, two);
	backend_help_close(&h);
}

Test(backend_session, is_not_anothers)
{
	struct backend_help h;
	struct mf_session *annas, *berts, *s;

	backend_help_open(&h, "");
	memory_user(h.world, "bert", "secret");
	annas = get(&h, "anna");
	backend_session_put(h.b, annas);
	berts = get(&h, "bert");
	cr_assert_neq(annas, berts);
	backend_session_put(h.b, berts);
	cr_assert_eq(backend_help_get(&h, "anna", "guess", 0, &s), MF_AUTH);
	memory_user(h.world, "anna", "new");
	cr_assert_eq(backend_help_get(&h, "anna", "new", 0, &s), MF_OK);
	cr_assert_neq(s, annas, "logged in with the old password");
	backend_session_put(h.b, s);
	backend_help_close(&h);
}

Test(backend_session, unusable_ones_are_dropped)
{
	struct backend_help h;
	struct mf_session *s;

	backend_help_open(&h, "");
	s = get(&h, "anna");
	memory_drop(h.world);
	backend_session_put(h.b, s);
	cr_assert_eq(stats(&h).idle, 0, "lost while it was busy");
	backend_session_put(h.b, get(&h, "anna"));
	memory_drop(h.world);
	s = get(&h, "anna");
	cr_assert_eq(backend_help_logins(&h), 3, "lost while it was idle");
	cr_assert_eq(memory_sessions(h.world), 1);
	backend_session_put(h.b, s);
	backend_help_close(&h);
}

Test(backend_session, failures_count_nothing)
{
	struct backend_help h;
	struct mf_session *s;

	backend_help_open(&h, "session_limit = 1");
	memory_down(h.world, true);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(backend_help_get(&h, "anna", "secret", 0, &s), MF_TEMPORARY);
	memory_down(h.world, false);
	s = get(&h, "anna");
	backend_session_put(h.b, s);
	cr_assert_eq(stats(&h).busy, 0);
	backend_help_close(&h);
}

/* ---- Limits ---- */

struct waiter {
	struct backend_help *h;
	int wait_ms;
	enum mf_status status;
	struct mf_session *session;
	int64_t took;
};

static void *
wait_for_session(void *arg)
{
	struct waiter *w = arg;
	int64_t began = clock_ms();

	w->status = backend_help_get(w->h, "anna", "secret", w->wait_ms, &w->session);
	w->took = clock_ms() - began;
	return NULL;
}

Test(backend_session, waits_when_all_are_busy)
{
	struct backend_help h;
	struct mf_session *one;
	struct waiter w = { .h = &h, .wait_ms = 100 };
	pthread_t thread;

	backend_help_open(&h, "session_limit = 1");
	one = get(&h, "anna");
	wait_for_session(&w);
	cr_assert_eq(w.status, MF_TEMPORARY);
	cr_assert(w.took >= 95 && w.took < 5000, "%ld", (long)w.took);
	w.wait_ms = 20000;
	cr_assert_eq(pthread_create(&thread, NULL, wait_for_session, &w), 0);
	while (stats(&h).waiting == 0)
		usleep(1000);
	backend_session_put(h.b, one);
	pthread_join(thread, NULL);
	cr_assert_eq(w.status, MF_OK);
	cr_assert_eq(w.session, one);
	cr_assert_lt(w.took, 10000);
	backend_session_put(h.b, one);
	backend_help_close(&h);
}

Test(backend_session, who_waits_is_woken_by_a_failed_login_too)
{
	struct backend_help h;
	struct mf_session *one;
	struct waiter w = { .h = &h, .wait_ms = 20000 };
	pthread_t thread;

	backend_help_open(&h, "session_limit = 1\nsession_idle = 0");
	one = get(&h, "anna");
	cr_assert_eq(pthread_create(&thread, NULL, wait_for_session, &w), 0);
	while (stats(&h).waiting == 0)
		usleep(1000);
	memory_drop(h.world);
	backend_session_put(h.b, one); /* logged out: room, but no session */
	pthread_join(thread, NULL);
	cr_assert_eq(w.status, MF_OK);
	cr_assert_lt(w.took, 10000);
	backend_session_put(h.b, w.session);
	backend_help_close(&h);
}

Test(backend_session, idle_ones_make_room)
{
	struct backend_help h;
	struct mf_session *s, *other;
	const char *user[] = { "u0", "u1", "u2" };

	backend_help_open(&h, "session_limit = 1\nsession_total = 2");
	for (int i = 0; i < 3; i++)
		memory_user(h.world, user[i], "secret");
	for (int i = 0; i < 3; i++)
		backend_session_put(h.b, get(&h, user[i]));
	cr_assert_eq(memory_sessions(h.world), 2);
	s = get(&h, "u2");
	other = get(&h, "u1");
	cr_assert_eq(backend_help_logins(&h), 3, "the oldest made room");
	cr_assert_eq(backend_help_get(&h, "u0", "secret", 0, &(struct mf_session *){ NULL }),
		MF_TEMPORARY, "over session_total");
	backend_session_put(h.b, s);
	backend_session_put(h.b, other);
	/* The same user with another password: its idle session makes room. */
	memory_user(h.world, "u1", "new");
	cr_assert_eq(backend_help_get(&h, "u1", "new", 0, &s), MF_OK);
	cr_assert_eq(memory_sessions(h.world), 2);
	backend_session_put(h.b, s);
	backend_help_close(&h);
}

/* ---- Ends ---- */

Test(backend_session, idle_ones_end)
{
	struct backend_help h;
	struct mf_session *busy;
	int64_t now, next;

	backend_help_open(&h, "session_idle = 60s");
	cr_assert_eq(backend_sessions_reap(h.b, clock_ms()), INT64_MAX);
	busy = get(&h, "anna");
	backend_session_put(h.b, get(&h, "anna"));
	now = clock_ms();
	next = backend_sessions_reap(h.b, now + 59000);
	cr_assert(next > now + 59000 && next <= now + 60000);
	cr_assert_eq(memory_sessions(h.world), 2);
	cr_assert_eq(backend_sessions_reap(h.b, next), INT64_MAX);
	cr_assert_eq(memory_sessions(h.world), 1);
	backend_session_put(h.b, busy);
	backend_help_close(&h);
}

Test(backend_session, idle_ones_end_when_others_come)
{
	struct backend_help h;

	backend_help_open(&h, "session_idle = 1s");
	memory_user(h.world, "bert", "secret");
	backend_session_put(h.b, get(&h, "anna"));
	usleep(2100000);
	backend_session_put(h.b, get(&h, "bert"));
	cr_assert_eq(memory_sessions(h.world), 1);
	backend_help_close(&h);
}

Test(backend_session, drop_of_a_user)
{
	struct backend_help h;
	struct mf_session *busy, *berts;

	backend_help_open(&h, "");
	memory_user(h.world, "bert", "secret");
	busy = get(&h, "anna");
	backend_session_put(h.b, get(&h, "anna"));
	backend_session_put(h.b, berts = get(&h, "bert"));
	backend_sessions_drop(h.b, "anna");
	backend_sessions_drop(h.b, "nobody");
	cr_assert_eq(memory_sessions(h.world), 2, "the idle one ends at once");
	backend_session_put(h.b, busy);
	cr_assert_eq(memory_sessions(h.world), 1, "the busy one when it comes back");
	cr_assert_eq(get(&h, "bert"), berts);
	backend_session_put(h.b, berts);
	backend_session_put(h.b, get(&h, "anna"));
	cr_assert_eq(stats(&h).idle, 2);
	backend_help_close(&h);
}
