/* What the files of this layer share: the opened backends, and what each file keeps of its own. */
#ifndef BACKEND_OPENED_H
#define BACKEND_OPENED_H

#include "backend/auth.h"
#include "backend/session.h"
#include "base/digest.h"

struct opened {
	const struct mf_backend_api *api;
	struct mf_backend *handle;
};

struct backends {
	struct opened opened[BACKENDS_MAX];
	size_t n;
	const struct mf_conf *top;
	struct logins *logins;
	struct names *names;
	struct pool *pool;
};

/* Who serves a facet, and who checks logins: who serves the store, else the first. NULL: nobody. */
const struct opened *opened_facet(const struct backends *b, enum backend_facet facet);
const struct opened *opened_login(const struct backends *b);

/* ---- auth.c ---- */

/* LOGIN_STALE: was good until a while ago, and has to be asked for again. */
enum known { LOGIN_UNKNOWN, LOGIN_GOOD, LOGIN_BAD, LOGIN_STALE };

struct logins *logins_new(const struct mf_conf *top);
void logins_free(struct logins *l);

/* A keyed digest of name and credentials: they are compared, and kept, only as this. */
void logins_digest(struct logins *l, const struct mf_login *who, uint8_t out[DIGEST_SIZE]);
enum known logins_known(struct logins *l, const uint8_t digest[DIGEST_SIZE]);
/* Remembers MF_OK and MF_AUTH, nothing else. */
void logins_learn(struct logins *l, const char *user, const uint8_t digest[DIGEST_SIZE],
	enum mf_status status);

/* ---- names.c ---- */

struct names *names_new(const struct mf_conf *top);
void names_free(struct names *n);

/* ---- session.c ---- */

struct pool *pool_new(const struct mf_conf *top);
/* All sessions are back. */
void pool_free(struct pool *p);

/* A session that was logged in elsewhere (by a check) and is free: kept when there is room. */
void pool_donate(struct pool *p, const struct opened *at, const char *user,
	const uint8_t digest[DIGEST_SIZE], struct mf_session *s);

#endif
