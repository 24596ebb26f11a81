/* Application passwords: how they look, who recognises them, and that the rows alone open nothing. */
#include <criterion/criterion.h>
#include <ctype.h>
#include <string.h>

#include "base/clock.h"
#include "base/seal.h"
#include "eas/password.h"
#include "unit/state_help.h"

Test(eas_password, life)
{
	char *dir = state_help_directory();
	struct state *st = state_help_open(dir);
	struct mf_arena *a = mf_arena_new();
	struct eas_password_order o = { .user = "anna", .name = "", .device_id = "" };
	struct eas_password found;
	struct state_password *all;
	struct mf_error err = { 0 };
	const char *sealed, *bare;
	char changed[64];
	uint32_t number;
	size_t n;

	o.account = "the account's own";
	cr_assert_eq(eas_password_issue(st, &o, a, &sealed, &number, &err), MF_OK, "%s", err.text);
	cr_assert_eq(strlen(sealed), 24, "%s", sealed);
	cr_assert_eq(strspn(sealed, "abcdefghjkmnpqrstuvwxyz23456789-"), 24, "%s", sealed);
	o.account = NULL;
	cr_assert_eq(eas_password_issue(st, &o, a, &bare, &number, &err), MF_OK);
	cr_assert_str_neq(sealed, bare);
	cr_assert_eq(number, 2);

	cr_assert_eq(eas_password_find(st, "anna", sealed, a, &found, &err), MF_OK, "%s", err.text);
	cr_assert_eq(found.number, 1);
	cr_assert_str_eq(found.account, "the account's own");
	cr_assert_eq(eas_password_find(st, "anna", bare, a, &found, &err), MF_OK);
	cr_assert_eq(found.number, 2);
	cr_assert_null(found.account);
	/* As people type it. */
	for (n = 0; sealed[n] != '\0'; n++)
		changed[n] = sealed[n] == '-' ? ' ' : (char)toupper(sealed[n]);
	changed[n] = '\0';
	cr_assert_eq(eas_password_find(st, "anna", changed, a, &found, &err), MF_OK, "%s", changed);
	/* Not as they mistype it, not for another user. */
	strcpy(changed, sealed);
	changed[0] = changed[0] == 'a' ? 'b' : 'a';
	cr_assert_eq(eas_password_find(st, "anna", changed, a, &found, &err), MF_GONE);
	changed[23] = '\0';
	cr_assert_eq(eas_password_find(st, "anna", changed, a, &found, &err), MF_GONE);
	cr_assert_eq(eas_password_find(st, "ben", sealed, a, &found, &err), MF_GONE);
	cr_assert_eq(eas_password_find(st, "anna", "", a, &found, &err), MF_GONE);
	/* Neither password stands in the rows. */
	cr_assert_eq(state_passwords_load(st, "anna", a, &all, &n, &err), MF_OK);
	cr_assert_null(memmem(all[0].sealed.data, all[0].sealed.len, "account", 7));
	cr_assert_eq(all[1].sealed.len, 0);
	mf_arena_free(a);
	state_close(st);
	state_help_remove(dir);
}

Test(eas_password, expires)
{
	char *dir = state_help_directory();
	struct state *st = state_help_open(dir);
	struct mf_arena *a = mf_arena_new();
	struct eas_password_order o = {
		.user = "anna", .name = "", .device_id = "", .expires = clock_wall() + 100
	};
	struct eas_password found;
	struct mf_error err = { 0 };
	const char *text;
	uint32_t number;

	cr_assert_eq(eas_password_issue(st, &o, a, &text, &number, &err), MF_OK);
	cr_assert_eq(eas_password_find(st, "anna", text, a, &found, &err), MF_OK);
	clock_skip(101);
	cr_assert_eq(eas_password_find(st, "anna", text, a, &found, &err), MF_AUTH);
	cr_assert_eq(err.reason, MF_REASON_EXPIRED);
	mf_arena_free(a);
	state_close(st);
	state_help_remove(dir);
}

Test(seal, opens_for_the_key_only)
{
	struct mf_arena *a = mf_arena_new();
	uint8_t key[SEAL_KEY], other[SEAL_KEY];
	struct mf_buf b, again;

	mf_buf_init(&b, 0);
	mf_buf_init(&again, 0);
	seal_key("secret", "test", "salt", 4, key);
	seal_key("secret", "other", "salt", 4, other);
	seal_close(&b, key, "anna", mf_bytes("plain text", 10));
	seal_close(&again, key, "anna", mf_bytes("plain text", 10));
	cr_assert_eq(b.len, 10 + SEAL_NONCE + SEAL_TAG);
	cr_assert_neq(memcmp(b.data, again.data, b.len), 0, "the same bytes twice");
	cr_assert_str_eq(seal_open(a, key, "anna", mf_buf_bytes(&b)), "plain text");
	cr_assert_null(seal_open(a, other, "anna", mf_buf_bytes(&b)));
	cr_assert_null(seal_open(a, key, "ben", mf_buf_bytes(&b)));
	for (size_t i = 0; i < b.len; i++) {
		b.data[i] ^= 1;
		cr_assert_null(seal_open(a, key, "anna", mf_buf_bytes(&b)), "byte %zu", i);
		b.data[i] ^= 1;
	}
	for (size_t n = 0; n < b.len; n++)
		cr_assert_null(seal_open(a, key, "anna", mf_bytes(b.data, n)), "%zu bytes", n);
	mf_buf_deinit(&b);
	mf_buf_deinit(&again);
	mf_arena_free(a);
}
