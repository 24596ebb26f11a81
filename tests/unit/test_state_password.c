/* Rows of application passwords: added, bound to a device, removed; never a number twice. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/clock.h"
#include "state/device.h"
#include "state/password.h"
#include "unit/state_help.h"

static struct state_password
sample(const char *name)
{
	struct state_password p = { .name = name, .device_id = "", .expires = 77 };

	memset(p.salt, 'S', sizeof(p.salt));
	memset(p.hash, 'H', sizeof(p.hash));
	p.sealed = mf_bytes("sealed\0bytes", 12);
	return p;
}

Test(state_password, life)
{
	char *dir = state_help_directory();
	struct state *st = state_help_open(dir);
	struct mf_arena *a = mf_arena_new();
	struct state_password first = sample("phone"), second = sample("tablet"), *all;
	struct mf_error err = { 0 };
	size_t n = 9;

	cr_assert_eq(state_passwords_load(st, "anna", a, &all, &n, &err), MF_OK);
	cr_assert_eq(n, 0);
	cr_assert_eq(state_password_add(st, "anna", &first, &err), MF_OK, "%s", err.text);
	cr_assert_eq(state_password_add(st, "anna", &second, &err), MF_OK);
	cr_assert_eq(first.number, 1);
	cr_assert_eq(second.number, 2);
	cr_assert_eq(state_passwords_load(st, "anna", a, &all, &n, &err), MF_OK);
	cr_assert_eq(n, 2);
	cr_assert_str_eq(all[1].name, "tablet");
	cr_assert_eq(all[1].expires, 77);
	cr_assert_eq(all[1].used, 0);
	cr_assert_eq(all[0].created, first.created);
	cr_assert_eq(memcmp(all[0].salt, first.salt, sizeof(first.salt)), 0);
	cr_assert_eq(memcmp(all[0].hash, first.hash, sizeof(first.hash)), 0);
	cr_assert_eq(all[0].sealed.len, 12);
	cr_assert_eq(memcmp(all[0].sealed.data, "sealed\0bytes", 12), 0);
	/* Another user has none of them. */
	cr_assert_eq(state_passwords_load(st, "ben", a, &all, &n, &err), MF_OK);
	cr_assert_eq(n, 0);
	cr_assert_eq(state_password_remove(st, "ben", 1, &err), MF_GONE);
	/* The last number is not given again. */
	cr_assert_eq(state_password_remove(st, "anna", 2, &err), MF_OK);
	cr_assert_eq(state_password_remove(st, "anna", 2, &err), MF_GONE);
	cr_assert_eq(state_password_remove(st, "anna", 0, &err), MF_GONE);
	cr_assert_eq(state_password_add(st, "anna", &second, &err), MF_OK);
	cr_assert_eq(second.number, 3);
	state_help_verify(st);
	mf_arena_free(a);
	state_close(st);
	state_help_remove(dir);
}

Test(state_password, binding)
{
	char *dir = state_help_directory();
	struct state *st = state_help_open(dir);
	struct mf_arena *a = mf_arena_new();
	struct state_password p = sample("phone"), *all;
	struct mf_error err = { 0 };
	struct kv_stats before, after;
	size_t n;

	cr_assert_eq(state_password_use(st, "anna", 1, "DEV", &err), MF_GONE);
	cr_assert_eq(state_password_add(st, "anna", &p, &err), MF_OK);
	/* One that does not say who it is binds nothing. */
	cr_assert_eq(state_password_use(st, "anna", 1, "", &err), MF_OK);
	cr_assert_eq(state_password_use(st, "anna", 1, "DEV", &err), MF_OK, "%s", err.text);
	cr_assert_eq(state_password_use(st, "anna", 1, "OTHER", &err), MF_REFUSED);
	cr_assert_eq(state_password_use(st, "anna", 1, "", &err), MF_OK);
	/* What changes nothing is not written. */
	cr_assert_eq(kv_stats(state_kv(st, STATE_RECORDS), &before, &err), MF_OK);
	cr_assert_eq(state_password_use(st, "anna", 1, "DEV", &err), MF_OK);
	cr_assert_eq(kv_stats(state_kv(st, STATE_RECORDS), &after, &err), MF_OK);
	cr_assert_eq(before.writes, after.writes);
	cr_assert_eq(state_passwords_load(st, "anna", a, &all, &n, &err), MF_OK);
	cr_assert_str_eq(all[0].device_id, "DEV");
	cr_assert(all[0].used >= clock_wall() - 60);
	state_help_verify(st);
	mf_arena_free(a);
	state_close(st);
	state_help_remove(dir);
}

Test(state_password, limits)
{
	char *dir = state_help_directory(), *large = malloc(STATE_DEVICE_ID_MAX + 2);
	struct state *st = state_help_open(dir);
	struct state_password p = sample("phone");
	struct mf_error err = { 0 };

	memset(large, 'x', STATE_DEVICE_ID_MAX + 1);
	large[STATE_DEVICE_ID_MAX + 1] = '\0';
	p.device_id = large;
	cr_assert_eq(state_password_add(st, "anna", &p, &err), MF_INVALID);
	p = sample(large);
	cr_assert_eq(state_password_add(st, "anna", &p, &err), MF_INVALID);
	p = sample("phone");
	p.sealed.len = STATE_PASSWORD_SEALED_MAX + 1;
	cr_assert_eq(state_password_add(st, "anna", &p, &err), MF_INVALID);
	for (int i = 0; i < STATE_PASSWORDS_MAX; i++) {
		p = sample("phone");
		cr_assert_eq(state_password_add(st, "anna", &p, &err), MF_OK, "%d", i);
	}
	cr_assert_eq(state_password_add(st, "anna", &p, &err), MF_REFUSED);
	free(large);
	state_close(st);
	state_help_remove(dir);
}
