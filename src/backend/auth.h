/*
 * The login check: are these credentials good at the mail server? Answers are remembered for a short
 * while under a keyed hash, good and bad ones, so that a phone that asks every second costs nothing,
 * and one with a wrong password costs one try upstream. A backend that is down is no answer and is
 * not remembered. Identical checks at the same time share one try; at most half of the workers wait for
 * such tries at once (MF_TEMPORARY beyond), so that strangers cannot keep the remembered ones out. Who was good within
 * the last day is no stranger, and asked for at once when his time is over.
 *
 * Names. Phones send `user`, `user@domain` or `DOMAIN\user`. The part before a backslash is dropped,
 * or becomes the domain where it has a dot and the name has no other. Then the settings strip_domain
 * and default_domain say what the backends are asked for, and login_map's rules change what they fit,
 * before and after. Mapping a mapped name changes nothing.
 */
#ifndef BACKEND_AUTH_H
#define BACKEND_AUTH_H

#include "backend/registry.h"

/* Checks `who` (as it came from the phone) with the backend that serves the store. MF_OK, MF_AUTH,
 * MF_TEMPORARY; MF_INVALID: no name that could be asked for (control characters, too long). */
enum mf_status backend_login_check(
	struct backends *b, const struct mf_login *who, struct mf_error *err);

/* Whether the answer is remembered: MF_OK or MF_AUTH; when the backend would be asked, MF_TEMPORARY for who was good
 * a while ago, else MF_GONE. */
enum mf_status backend_login_remembered(struct backends *b, const struct mf_login *who);

enum { BACKEND_USER_MAX = 320 };

/* The name that backends and the state use: mapped, domain in lower case. MF_INVALID as above. */
enum mf_status backend_login_map(struct backends *b, const char *user, struct mf_arena *a,
	const char **out, struct mf_error *err);

/* Whether the rules of login_map can be read. MF_INVALID names the one that cannot. */
enum mf_status backend_names_validate(const struct mf_conf *top, struct mf_error *err);

/* Forgets what is remembered of a user (by its mapped name). */
void backend_login_forget(struct backends *b, const char *user);

struct backend_login_stats {
	uint64_t good, bad, unknown; /* answers from upstream */
	uint64_t cached;	     /* from memory */
};
void backend_login_stats(struct backends *b, struct backend_login_stats *out);

#endif
