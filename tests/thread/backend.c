/* Threads that log in, check and drop, on a server that goes away at times: no session has two
 * owners, none is left over. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "backend/auth.h"
#include "backend/builtin.h"
#include "backend/session.h"
#include "base/clock.h"
#include "conf/conf.h"
#include "memory/memory.h"

enum { THREADS = 6, ROUNDS = 2000, USERS = 3 };

static struct backends *b;
static struct memory_world *world;
static _Atomic unsigned wrong, got, refused;
static _Atomic(struct mf_session *) owned[THREADS];

static void
expect(bool good, const char *what)
{
	if (!good && wrong++ < 5)
		fprintf(stderr, "wrong: %s\n", what);
}

static void
use(int me, const struct mf_login *who)
{
	const struct mf_backend_api *api;
	struct mf_session *s;
	enum mf_status st =
		backend_session_get(b, BACKEND_STORE, who, clock_ms() + 10000, &s, &api, NULL);

	expect(st == MF_OK || st == MF_TEMPORARY, "status of get");
	if (st != MF_OK) {
		refused++;
		return;
	}
	got++;
	for (int i = 0; i < THREADS; i++)
		expect(owned[i] != s, "a session with two owners");
	owned[me] = s;
	sched_yield();
	owned[me] = NULL;
	backend_session_put(b, s);
}

static void *
run(void *arg)
{
	static const char *const users[USERS] = { "u0", "u1", "u2" };
	int me = (int)(intptr_t)arg;
	unsigned seed = (unsigned)me + 1;

	for (int i = 0; i < ROUNDS; i++) {
		struct mf_login who = { .user = users[rand_r(&seed) % USERS],
			.password = "secret" };
		struct mf_login guess = { .user = who.user, .password = "guess" };
		enum mf_status st;

		use(me, &who);
		st = backend_login_check(b, &who, NULL);
		expect(st == MF_OK || st == MF_TEMPORARY, "status of a good login");
		st = backend_login_check(b, &guess, NULL);
		expect(st == MF_AUTH || st == MF_TEMPORARY, "status of a bad login");
		if (rand_r(&seed) % 50 == 0)
			backend_sessions_drop(b, who.user);
		if (rand_r(&seed) % 50 == 0)
			backend_login_forget(b, who.user);
		if (rand_r(&seed) % 50 == 0)
			backend_sessions_reap(b, clock_ms() + 3600000);
		if (rand_r(&seed) % 100 == 0)
			memory_drop(world);
		if (rand_r(&seed) % 200 == 0) {
			memory_down(world, true);
			memory_down(world, false);
		}
	}
	return NULL;
}

int
main(void)
{
	struct conf_table tables[BACKENDS_MAX + 1] = { 0 };
	struct conf *conf;
	struct mf_error err;
	pthread_t threads[THREADS];

	for (size_t i = 0; backend_builtin[i] != NULL; i++)
		tables[i] = (struct conf_table){ .name = backend_builtin[i]->name,
			.help = backend_builtin[i]->help,
			.rows = backend_builtin[i]->settings };
	if (conf_parse("backends = {\"memory\"}\nsession_limit = 2\nsession_total = 4\n"
		       "memory { users = {\"u0:secret\", \"u1:secret\", \"u2:secret\"} }",
		    tables, &conf, &err) != MF_OK ||
		backends_open(conf, &b, &err) != MF_OK)
		return fprintf(stderr, "%s\n", err.text), 1;
	world = memory_hold("default");
	for (intptr_t i = 0; i < THREADS; i++) {
		if (pthread_create(&threads[i], NULL, run, (void *)i) != 0)
			return 1;
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	backends_close(b);
	expect(memory_sessions(world) == 0, "sessions left over");
	memory_release(world);
	conf_free(conf);
	expect(got > refused, "the server was hardly ever there");
	printf("%u sessions, %u refused, %u wrong\n", got, refused, wrong);
	return wrong != 0;
}
