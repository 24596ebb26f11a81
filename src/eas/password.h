/*
 * Application passwords: made here, told to the user once, and recognised when a device comes with one.
 *
 * Twenty letters and digits that nobody chose (99 bits, so that a fast hash is enough), in groups of
 * four; case, blanks and dashes do not count. What logs in at the backends instead is the account's own
 * password, sealed under the application password, or a master user (setting master_user): then
 * nothing is kept but the hash. Whoever has the records alone has neither.
 */
#ifndef EAS_PASSWORD_H
#define EAS_PASSWORD_H

#include "state/password.h"

struct eas_password_order {
	const char *user;      /* as after the login check: backend_login_map, r->user */
	const char *name;      /* what people will call it; "" is fine */
	const char *device_id; /* the only device that may use it; "": the first that does */
	int64_t expires;       /* seconds since 1970; 0: never */
	const char *account; /* the account's password, which the caller has checked; NULL: a master
				* user will log in */
};

/* Makes one and keeps it; *text ("abcd-efgh-jkmn-pqrs-tuvw") is to be shown once and is wiped with the
 * arena, *number is its number. Errors as of state_password_add. Any thread. */
enum mf_status eas_password_issue(struct state *st, const struct eas_password_order *o,
	struct mf_arena *a, const char **text, uint32_t *number, struct mf_error *err);

/* What a password that a device sent turned out to be. */
struct eas_password {
	uint32_t number;
	const char
		*account; /* the account's password, in the arena; the caller wipes it. NULL: none
			      * was sealed */
	int64_t expires;  /* seconds since 1970; 0: never */
};

/* Finds the user's application password that `text` is. MF_GONE: none (not even of the form, or no such): it may be
 * the account's own password. MF_AUTH: one that has expired (MF_REASON_EXPIRED). */
enum mf_status eas_password_find(struct state *st, const char *user, const char *text,
	struct mf_arena *a, struct eas_password *out, struct mf_error *err);

#endif
