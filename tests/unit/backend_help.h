/* Opened backends on a mail server in memory, for tests. */
#ifndef TESTS_BACKEND_HELP_H
#define TESTS_BACKEND_HELP_H

#include <criterion/criterion.h>

#include "backend/auth.h"
#include "backend/builtin.h"
#include "backend/session.h"
#include "base/clock.h"
#include "conf/conf.h"
#include "memory/memory.h"

struct backend_help {
	struct conf_table tables[BACKENDS_MAX + 1];
	struct conf *conf;
	struct memory_world *world; /* with the user anna, password secret */
	struct backends *b;
};

/* `text`: settings besides the backend. */
static inline void
backend_help_open(struct backend_help *h, const char *text)
{
	struct mf_arena *a = mf_arena_new();
	struct mf_error err = { 0 };

	*h = (struct backend_help){ 0 };
	for (size_t i = 0; backend_builtin[i] != NULL; i++)
		h->tables[i] = (struct conf_table){ .name = backend_builtin[i]->name,
			.help = backend_builtin[i]->help,
			.rows = backend_builtin[i]->settings };
	text = mf_printf(a, "backends = {\"memory\"}\n%s\n", text);
	cr_assert_eq(conf_parse(text, h->tables, &h->conf, &err), MF_OK, "%s", err.text);
	h->world = memory_hold("default");
	memory_user(h->world, "anna", "secret");
	cr_assert_eq(backends_open(h->conf, &h->b, &err), MF_OK, "%s", err.text);
	mf_arena_free(a);
}

static inline void
backend_help_close(struct backend_help *h)
{
	backends_close(h->b);
	cr_assert_eq(memory_sessions(h->world), 0, "sessions were not logged out");
	memory_release(h->world);
	conf_free(h->conf);
}

static inline enum mf_status
backend_help_check(struct backend_help *h, const char *user, const char *password)
{
	struct mf_login who = { .user = user, .password = password };

	return backend_login_check(h->b, &who, NULL);
}

static inline enum mf_status
backend_help_get(struct backend_help *h, const char *user, const char *password, int wait_ms,
	struct mf_session **out)
{
	struct mf_login who = { .user = user, .password = password };
	const struct mf_backend_api *api;

	return backend_session_get(
		h->b, BACKEND_STORE, &who, clock_ms() + wait_ms, out, &api, NULL);
}

static inline uint64_t
backend_help_logins(struct backend_help *h)
{
	return memory_calls(h->world, MEMORY_LOGIN);
}

#endif
