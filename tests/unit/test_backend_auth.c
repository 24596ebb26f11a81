/* backend: the login check's memory, shared tries, names. */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "backend_help.h"

Test(backend_auth, asks_once)
{
	struct backend_help h;
	struct mf_session *s;

	backend_help_open(&h, "");
	for (int i = 0; i < 3; i++)
		cr_assert_eq(backend_help_check(&h, "anna", "secret"), MF_OK);
	cr_assert_eq(backend_help_logins(&h), 1);
	cr_assert_eq(backend_help_get(&h, "anna", "secret", 0, &s), MF_OK);
	cr_assert_eq(backend_help_logins(&h), 1, "the check's session is used");
	backend_session_put(h.b, s);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(backend_help_check(&h, "anna", "wrong"), MF_AUTH);
	cr_assert_eq(backend_help_logins(&h), 2);
	cr_assert_eq(backend_help_get(&h, "anna", "wrong", 0, &s), MF_AUTH);
	cr_assert_eq(backend_help_logins(&h), 2, "known to be wrong");
	cr_assert_eq(backend_help_check(&h, "anna", "secret"), MF_OK, "not the other's fault");
	cr_assert_eq(backend_help_check(&h, "nobody", "secret"), MF_AUTH);
	backend_help_close(&h);
}

Test(backend_auth, every_part_of_the_credentials_counts)
{
	static const struct {
		const char *name;
		struct mf_login who;
		enum mf_status status;
	} cases[] = {
		{ "password", { "anna", "secret", NULL, NULL }, MF_OK },
		{ "token", { "anna", NULL, "t", NULL }, MF_OK },
		{ "password as token", { "anna", NULL, "secret", NULL }, MF_AUTH },
		{ "token as password", { "anna", "t", NULL, NULL }, MF_AUTH },
		{ "nothing", { "anna", NULL, NULL, NULL }, MF_AUTH },
		{ "empty", { "anna", "", NULL, NULL }, MF_AUTH },
		{ "divided otherwise", { "annas", "ecret", NULL, NULL }, MF_AUTH },
		{ "master", { "anna", "key", NULL, "root" }, MF_OK },
		{ "master's password alone", { "anna", "key", NULL, NULL }, MF_AUTH },
	};
	struct backend_help h;

	backend_help_open(&h, "");
	memory_token(h.world, "anna", "t");
	memory_user(h.world, "root", "key");
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
			cr_assert_eq(backend_login_check(h.b, &cases[i].who, NULL), cases[i].status,
				"%s", cases[i].name);
	}
	backend_help_close(&h);
}

Test(backend_auth, a_backend_that_is_down_says_nothing)
{
	struct backend_help h;
	struct backend_login_stats stats;

	backend_help_open(&h, "");
	memory_down(h.world, true);
	for (int i = 0; i < 2; i++)
		cr_assert_eq(backend_help_check(&h, "anna", "secret"), MF_TEMPORARY);
	memory_down(h.world, false);
	cr_assert_eq(backend_help_check(&h, "anna", "secret"), MF_OK);
	memory_down(h.world, true);
	cr_assert_eq(backend_help_check(&h, "anna", "secret"), MF_OK, "remembered");
	backend_login_stats(h.b, &stats);
	cr_assert_eq(stats.unknown, 2);
	cr_assert_eq(stats.good, 1);
	cr_assert_eq(stats.cached, 1);
	backend_help_close(&h);
}

Test(backend_auth, lives_are_settings)
{
	struct backend_help h;
	uint64_t before;

	backend_help_open(&h, "auth_cache = 2s\nauth_cache_failures = 1s\nsession_idle = 0");
	cr_assert_eq(backend_help_check(&h, "anna", "secret"), MF_OK);
	cr_assert_eq(backend_help_check(&h, "anna", "new"), MF_AUTH);
	memory_user(h.world, "anna", "new");
	usleep(1200000);
	cr_assert_eq(backend_help_check(&h, "anna", "new"), MF_OK, "bad for one second");
	before = backend_help_logins(&h);
	cr_assert_eq(backend_help_check(&h, "anna", "secret"), MF_OK, "good for two seconds");
	cr_assert_eq(backend_help_logins(&h), before);
	usleep(1200000);
	cr_assert_eq(backend_help_check(&h, "anna", "secret"), MF_AUTH);
	backend_help_close(&h);

	/* Asking again does not make it longer. */
	backend_help_open(&h, "auth_cache_failures = 1s");
	cr_assert_eq(backend_help_check(&h, "anna", "new"), MF_AUTH);
	memory_user(h.world, "anna", "new");
	for (int i = 0; i < 6; i++) {
		struct mf_session *s = NULL;

		usleep(200000);
		backend_help_check(&h, "anna", "new");
		if (backend_help_get(&h, "anna", "new", 0, &s) == MF_OK)
			backend_session_put(h.b, s);
	}
	cr_assert_eq(backend_help_check(&h, "anna", "new"), MF_OK);
	backend_help_close(&h);

	backend_help_open(&h, "auth_cache = 0\nauth_cache_failures = 0");
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(backend_help_check(&h, "anna", "secret"), MF_OK);
		cr_assert_eq(backend_help_check(&h, "anna", "no"), MF_AUTH);
	}
	cr_assert_eq(backend_help_logins(&h), 4, "no memory at all");
	backend_help_close(&h);
}

/* Whose time is over is asked for again, but no stranger. */
Test(backend_auth, old_friends_are_told_from_strangers)
{
	struct backend_help h;
	const struct mf_login good = { .user = "anna", .password = "secret" },
			      bad = { .user = "anna", .password = "wrong" };
	uint64_t before;

	backend_help_open(&h, "auth_cache = 1s\nauth_cache_failures = 1s\nsession_idle = 0");
	cr_assert_eq(backend_login_remembered(h.b, &good), MF_GONE);
	cr_assert_eq(backend_help_check(&h, "anna", "secret"), MF_OK);
	cr_assert_eq(backend_help_check(&h, "anna", "wrong"), MF_AUTH);
	usleep(1200000);
	cr_assert_eq(backend_login_remembered(h.b, &good), MF_TEMPORARY);
	cr_assert_eq(backend_login_remembered(h.b, &bad), MF_GONE);
	before = backend_help_logins(&h);
	cr_assert_eq(backend_help_check(&h, "anna", "secret"), MF_OK);
	cr_assert_eq(backend_help_logins(&h), before + 1);
	cr_assert_eq(backend_login_remembered(h.b, &good), MF_OK);
	memory_user(h.world, "anna", "changed");
	usleep(1200000);
	cr_assert_eq(backend_help_check(&h, "anna", "secret"), MF_AUTH);
	cr_assert_eq(backend_login_remembered(h.b, &good), MF_AUTH);
	usleep(1200000);
	cr_assert_eq(backend_login_remembered(h.b, &good), MF_GONE, "a stranger now");
	backend_login_forget(h.b, "anna");
	cr_assert_eq(backend_login_remembered(h.b, &good), MF_GONE);
	backend_help_close(&h);
}

Test(backend_auth, a_session_tells_too)
{
	struct backend_help h;
	struct mf_session *s;

	backend_help_open(&h, "session_idle = 0");
	cr_assert_eq(backend_help_check(&h, "anna", "secret"), MF_OK);
	memory_user(h.world, "anna", "changed");
	cr_assert_eq(backend_help_get(&h, "anna", "secret", 0, &s), MF_AUTH);
	cr_assert_eq(backend_help_check(&h, "anna", "secret"), MF_AUTH, "no longer good");
	backend_help_close(&h);
}

Test(backend_auth, forgets_on_request)
{
	struct backend_help h;

	backend_help_open(&h, "");
	memory_user(h.world, "bert", "secret");
	cr_assert_eq(backend_help_check(&h, "anna", "secret"), MF_OK);
	cr_assert_eq(backend_help_check(&h, "anna", "no"), MF_AUTH);
	cr_assert_eq(backend_help_check(&h, "bert", "secret"), MF_OK);
	backend_login_forget(h.b, "anna");
	cr_assert_eq(backend_help_check(&h, "anna", "secret"), MF_OK);
	cr_assert_eq(backend_help_check(&h, "anna", "no"), MF_AUTH);
	cr_assert_eq(backend_help_check(&h, "bert", "secret"), MF_OK);
	cr_assert_eq(backend_help_logins(&h), 5);
	backend_help_close(&h);
}

/* ---- Many at once ---- */

enum { ASKERS = 12 };

static void *
ask(void *arg)
{
	struct backend_help *h = arg;

	return (void *)(intptr_t)backend_help_check(h, "anna", "wrong");
}

Test(backend_auth, equal_checks_share_one_try)
{
	struct backend_help h;
	pthread_t threads[ASKERS];
	void *result;

	backend_help_open(&h, "");
	memory_delay(h.world, MEMORY_LOGIN, 200);
	for (int i = 0; i < ASKERS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, ask, &h), 0);
	for (int i = 0; i < ASKERS; i++) {
		pthread_join(threads[i], &result);
		cr_assert_eq((intptr_t)result, MF_AUTH);
	}
	cr_assert_eq(backend_help_logins(&h), 1);
	backend_help_close(&h);
}

/* ---- Names ---- */

Test(backend_auth, names)
{
	static const struct {
		const char *settings, *sent, *mapped; /* NULL: refused */
	} cases[] = {
		{ "", "anna", "anna" },
		{ "", "anna@Example.ORG", "anna@example.org" },
		{ "", "Anna@b@Example.org", "Anna@b@example.org" },
		{ "", "CORP\\anna", "anna" },
		{ "", "\\anna", "anna" },
		{ "", "example.org\\anna", "anna@example.org" },
		{ "", "CORP\\anna@example.org", "anna@example.org" },
		{ "", "example.net\\anna@example.org", "anna@example.org" },
		{ "", "", NULL },
		{ "", "CORP\\", NULL },
		{ "", "@example.org", NULL },
		{ "", "an\nna", NULL },
		{ "", "an\x7fna", NULL },
		{ "", "an\xff", NULL },
		{ "", "Änne", "Änne" },
		{ "default_domain = \"example.org\"", "anna", "anna@example.org" },
		{ "default_domain = \"example.org\"", "CORP\\anna", "anna@example.org" },
		{ "default_domain = \"example.org\"", "anna@other.org", "anna@other.org" },
		{ "strip_domain = yes", "anna@other.org", "anna" },
		{ "strip_domain = yes", "other.org\\anna", "anna" },
		{ "strip_domain = yes\ndefault_domain = \"a.b\"", "anna@other.org", "anna@a.b" },
		{ "login_map = {\"anna=a.s@b.c\"}", "ANNA", "a.s@b.c" },
		{ "login_map = {\"anna=a.s@b.c\"}", "annas", "annas" },
		{ "login_map = {\"anna=a.s@b.c\"}", "CORP\\anna", "a.s@b.c" },
		{ "login_map = {\"*@old=*@new\"}", "anna@Old", "anna@new" },
		{ "login_map = {\"*@old=*@new\", \"anna@new=x\"}", "anna@old", "x" },
		{ "login_map = {\"OLD\\\\*=*@old.org\"}", "old\\anna", "anna@old.org" },
		{ "login_map = {\"OLD\\\\*=*@old.org\"}", "NEW\\anna", "anna" },
		{ "login_map = {\"all=one@b\", \"p-*-s=*\"}", "p-anna-s", "anna" },
		{ "login_map = {\"p-*-s=*\"}", "p-s", "p-s" },
		{ "login_map = {\"*=*\"}", "anna", "anna" },
		{ "login_map = {\"a*=b*\", \"b*=a*\"}", "anna", NULL },
		{ "login_map = {\"*=*x\"}", "anna", NULL },
		{ "strip_domain = yes\nlogin_map = {\"*@old=*.old\"}", "anna@old", "anna.old" },
		{ "default_domain = \"b.c\"\nlogin_map = {\"anna@b.c=eve@b.c\"}", "anna",
			"eve@b.c" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mf_arena *a = mf_arena_new();
		struct backend_help h;
		const char *out = NULL, *again = NULL;
		enum mf_status st;

		backend_help_open(&h, cases[i].settings);
		st = backend_login_map(h.b, cases[i].sent, a, &out, NULL);
		cr_assert_eq(st, cases[i].mapped != NULL ? MF_OK : MF_INVALID, "%s", cases[i].sent);
		if (cases[i].mapped != NULL) {
			cr_assert_str_eq(out, cases[i].mapped);
			cr_assert_eq(backend_login_map(h.b, out, a, &again, NULL), MF_OK);
			cr_assert_str_eq(again, out, "mapped again");
		} else {
			cr_assert_eq(backend_help_check(&h, cases[i].sent, "x"), MF_INVALID);
			cr_assert_eq(backend_help_logins(&h), 0, "%s was asked for", cases[i].sent);
		}
		backend_help_close(&h);
		mf_arena_free(a);
	}
}

Test(backend_auth, maps_that_make_no_sense)
{
	static const char *const bad[] = { "anna", "=b", "a=", "*=", "**=*", "a=*", "*=**" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct mf_error err = { 0 };
		struct conf *conf;
		char text[100];

		snprintf(text, sizeof(text), "login_map = {\"%s\"}\n", bad[i]);
		cr_assert_eq(conf_parse(text, NULL, &conf, &err), MF_OK, "%s", err.text);
		cr_assert_eq(
			backend_names_validate(conf_top(conf), &err), MF_INVALID, "%s", bad[i]);
		conf_free(conf);
	}
}

Test(backend_auth, names_of_any_length)
{
	struct backend_help h;
	struct mf_arena *a = mf_arena_new();
	char name[BACKEND_USER_MAX + 2];
	const char *out;

	backend_help_open(&h, "default_domain = \"example.org\"");
	memset(name, 'x', sizeof(name));
	name[BACKEND_USER_MAX + 1] = '\0';
	cr_assert_eq(backend_login_map(h.b, name, a, &out, NULL), MF_INVALID);
	name[BACKEND_USER_MAX] = '\0';
	cr_assert_eq(backend_login_map(h.b, name, a, &out, NULL), MF_INVALID, "with the domain");
	name[BACKEND_USER_MAX - 12] = '\0';
	cr_assert_eq(backend_login_map(h.b, name, a, &out, NULL), MF_OK);
	cr_assert_eq(backend_login_map(h.b, NULL, a, &out, NULL), MF_INVALID);
	backend_help_close(&h);
	mf_arena_free(a);
}

/* ---- Many strangers at once ---- */

static struct backend_help crowd;
static _Atomic int refused, wrong;

static void *
guess(void *arg)
{
	char password[20];
	enum mf_status st;

	snprintf(password, sizeof(password), "guess%d", (int)(intptr_t)arg);
	st = backend_help_check(&crowd, "anna", password);
	refused += st == MF_TEMPORARY;
	wrong += st == MF_AUTH;
	return NULL;
}

/* A server that takes its time over wrong passwords never has more than half of the workers wait. */
Test(backend_auth, strangers_do_not_take_all_workers, .timeout = 60)
{
	enum { GUESSERS = 20, SLOW_MS = 2000 };
	pthread_t threads[GUESSERS];
	int64_t began;

	backend_help_open(&crowd, "workers = 8\n");
	cr_assert_eq(backend_help_check(&crowd, "anna", "secret"), MF_OK);
	memory_delay(crowd.world, MEMORY_LOGIN, SLOW_MS);
	began = clock_ms();
	for (int i = 0; i < GUESSERS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, guess, (void *)(intptr_t)i), 0);
	cr_assert_eq(backend_help_check(&crowd, "anna", "secret"), MF_OK, "remembered");
	for (int i = 0; i < GUESSERS; i++)
		pthread_join(threads[i], NULL);
	cr_assert_eq(wrong, 4, "%d were asked about", wrong);
	cr_assert_eq(refused, GUESSERS - 4);
	cr_assert_lt(clock_ms() - began, 2 * SLOW_MS);
	memory_delay(crowd.world, MEMORY_LOGIN, 0);
	cr_assert_eq(
		backend_help_check(&crowd, "anna", "another"), MF_AUTH, "places are given back");
	/* One that is quick has a crowd wait for its turn, and turns nobody away. */
	memory_delay(crowd.world, MEMORY_LOGIN, 1);
	refused = wrong = 0;
	for (int i = 0; i < GUESSERS; i++)
		cr_assert_eq(
			pthread_create(&threads[i], NULL, guess, (void *)(intptr_t)(100 + i)), 0);
	for (int i = 0; i < GUESSERS; i++)
		pthread_join(threads[i], NULL);
	cr_assert_gt(wrong, 4, "%d", wrong);
	backend_help_close(&crowd);
}
