/* Recovery passwords: kept, read, replaced and cleared; the rows alone, another device's place or another secret open none. */
#include <criterion/criterion.h>
#include <string.h>

#include "conf/conf.h"
#include "eas/recovery.h"
#include "state/recovery.h"
#include "unit/state_help.h"

static struct conf *
with(const char *text)
{
	static const struct conf_table none[] = { { 0 } };
	struct mf_error err = { 0 };
	struct conf *c = NULL;

	cr_assert_eq(conf_parse(text, none, &c, &err), MF_OK, "%s", err.text);
	return c;
}

Test(eas_recovery, life)
{
	char *dir = state_help_directory();
	struct state *st = state_help_open(dir);
	struct mf_arena *a = mf_arena_new();
	struct conf *right = with("recovery_secret = \"nobody guesses this one\"\n"),
		    *wrong = with("recovery_secret = \"nor is this one guessed\"\n"),
		    *none = with("recovery_secret = \"short\"\n");
	const struct mf_conf *conf = conf_top(right);
	struct mf_error err = { 0 };
	struct mf_bytes row;
	char *text;

	cr_assert(eas_recovery_possible(conf));
	cr_assert_not(eas_recovery_possible(conf_top(none)));
	cr_assert_eq(eas_recovery_find(st, conf, "anna", "D1", a, &text, &err), MF_GONE);
	cr_assert_eq(eas_recovery_keep(st, conf_top(none), "anna", "D1", "1234", &err), MF_REFUSED);
	cr_assert_eq(
		eas_recovery_keep(st, conf, "anna", "D1", "first", &err), MF_OK, "%s", err.text);
	cr_assert_eq(eas_recovery_keep(st, conf, "anna", "D1", "pass word", &err), MF_OK);
	cr_assert_eq(
		eas_recovery_find(st, conf, "anna", "D1", a, &text, &err), MF_OK, "%s", err.text);
	cr_assert_str_eq(text, "pass word");
	cr_assert_eq(eas_recovery_find(st, conf, "anna", "D2", a, &text, &err), MF_GONE);
	cr_assert_eq(eas_recovery_find(st, conf, "ben", "D1", a, &text, &err), MF_GONE);
	cr_assert_null(text);
	cr_assert_eq(
		eas_recovery_find(st, conf_top(wrong), "anna", "D1", a, &text, &err), MF_REFUSED);
	cr_assert_null(text);
	/* What is kept does not show it, and opens for nobody else. */
	cr_assert_eq(state_recovery_load(st, "anna", "D1", a, &row, &err), MF_OK);
	cr_assert_null(memmem(row.data, row.len, "pass word", 9));
	cr_assert_eq(state_recovery_save(st, "anna", "D2", row, &err), MF_OK);
	cr_assert_eq(state_recovery_save(st, "ben", "D1", row, &err), MF_OK);
	cr_assert_eq(eas_recovery_find(st, conf, "anna", "D2", a, &text, &err), MF_REFUSED);
	cr_assert_eq(eas_recovery_find(st, conf, "ben", "D1", a, &text, &err), MF_REFUSED);
	state_help_verify(st);
	/* An empty one clears it. */
	cr_assert_eq(eas_recovery_keep(st, conf, "anna", "D1", "", &err), MF_OK);
	cr_assert_eq(eas_recovery_find(st, conf, "anna", "D1", a, &text, &err), MF_GONE);
	cr_assert_eq(state_recovery_save(st, "anna", "", row, &err), MF_INVALID);
	row.len = STATE_RECOVERY_MAX + 1;
	cr_assert_eq(state_recovery_save(st, "anna", "D1", row, &err), MF_INVALID);
	conf_free(right);
	conf_free(wrong);
	conf_free(none);
	mf_arena_free(a);
	state_close(st);
	state_help_remove(dir);
}
