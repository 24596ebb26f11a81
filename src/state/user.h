/*
 * Users: a login name becomes a number that is never given again. The other calls of the state take
 * the number. Names are what the login check settled on (one spelling a mailbox), at most
 * STATE_USER_MAX bytes.
 */
#ifndef STATE_USER_H
#define STATE_USER_H

#include "state/state.h"

enum { STATE_USER_MAX = 320 };

struct state_user {
	uint32_t number;
	const char *name;
	int64_t created; /* seconds since 1970 */
};

/* The user's number in one of the stores, given on first sight. */
enum mf_status state_user_number(struct state *st, enum state_store store, const char *name,
	uint32_t *out, struct mf_error *err);

/* The same without giving one: MF_GONE when the user was never seen. */
enum mf_status state_user_find(struct state *st, enum state_store store, const char *name,
	uint32_t *out, struct mf_error *err);

/* All users in the order of their numbers. */
enum mf_status state_users(struct state *st, enum state_store store, struct mf_arena *a,
	struct state_user **out, size_t *n, struct mf_error *err);

/* The user with the smallest number above `after`; its name is in the arena. MF_GONE: there is none. */
enum mf_status state_user_next(struct state *st, enum state_store store, uint32_t after,
	struct mf_arena *a, struct state_user *out, struct mf_error *err);
/* At most `max` users whose names begin with `prefix`, behind the name `after` ("": from the first), in the
 * order of names: for showing them page by page. */
enum mf_status state_users_page(struct state *st, enum state_store store, const char *prefix,
	const char *after, size_t max, struct mf_arena *a, struct state_user **out, size_t *n,
	struct mf_error *err);

/* Forgets all that a store holds of a user (phones start afresh); the number is not given again.
 * MF_OK when there was nothing. */
enum mf_status state_user_remove(
	struct state *st, enum state_store store, const char *name, struct mf_error *err);

#endif
