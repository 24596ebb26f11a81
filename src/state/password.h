/*
 * Application passwords: a user's second passwords, each for one device. Kept in the records as a
 * salted hash, beside what logs in at the backends instead (sealed under the password itself, so that
 * nobody who has the rows can open it), or nothing where a master user does.
 *
 * This layer keeps rows; how a password is made, hashed and sealed, eas/password.h knows.
 */
#ifndef STATE_PASSWORD_H
#define STATE_PASSWORD_H

#include "state/state.h"

enum {
	STATE_PASSWORDS_MAX = 50, /* of a user */
	STATE_PASSWORD_NAME_MAX = 200,
	STATE_PASSWORD_SEALED_MAX = 8192,
	STATE_PASSWORD_SALT = 16,
	STATE_PASSWORD_HASH = 32
};

struct state_password {
	uint32_t number;       /* within the user's; never given again */
	const char *name;      /* what people call it: "Anna's phone" */
	const char *device_id; /* the only device that may use it; "": the first that does */
	int64_t created, used; /* seconds since 1970; used: 0 never, else a few minutes coarse */
	int64_t expires;       /* the same; 0: never */
	uint8_t salt[STATE_PASSWORD_SALT], hash[STATE_PASSWORD_HASH];
	struct mf_bytes sealed; /* empty: there is a master user */
};

/* Adds one; its number and the time of creation are set here. `user` is the name (as after the login
 * check). MF_REFUSED: the user has STATE_PASSWORDS_MAX already; MF_INVALID: a text over its limit. */
enum mf_status state_password_add(
	struct state *st, const char *user, struct state_password *p, struct mf_error *err);

/* All of a user's, in the order in which they were made, in the arena; none for an unknown user. */
enum mf_status state_passwords_load(struct state *st, const char *user, struct mf_arena *a,
	struct state_password **out, size_t *n, struct mf_error *err);

/* It was used now, by this device ("": by one that did not say). The first device that says is the only
 * one from then on: MF_REFUSED when it is another's already. MF_GONE: removed meanwhile. Written only
 * when something changes. */
enum mf_status state_password_use(struct state *st, const char *user, uint32_t number,
	const char *device_id, struct mf_error *err);

/* MF_GONE: the user has none with this number. */
enum mf_status state_password_remove(
	struct state *st, const char *user, uint32_t number, struct mf_error *err);

#endif
