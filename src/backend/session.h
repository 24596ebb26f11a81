/*
 * Sessions, reused: a login is expensive, so a session that is put back waits some minutes for the
 * same user. Per user and backend at most so many, and so many in all; who comes when all are busy
 * waits until its deadline. All calls from any thread; a session belongs to one caller at a time.
 */
#ifndef BACKEND_SESSION_H
#define BACKEND_SESSION_H

#include "backend/registry.h"

/* A session of the backend that serves `facet`, logged in as `who` (as it came from the phone; its
 * name is mapped by backend_login_map). *api is that backend's.
 * MF_UNSUPPORTED: no backend has the facet. MF_AUTH: wrong credentials (as the login check would say,
 * from its cache if it knows). MF_TEMPORARY: backend down, or all sessions busy until `deadline`
 * (clock_ms). */
enum mf_status backend_session_get(struct backends *b, enum backend_facet facet,
	const struct mf_login *who, int64_t deadline, struct mf_session **out,
	const struct mf_backend_api **api, struct mf_error *err);

/* Back from the caller; one that is not usable any more is logged out. NULL is fine. */
void backend_session_put(struct backends *b, struct mf_session *s);

/* Logs out what was idle for too long. Done by get and put now and then; a timer may call it too, so
 * that connections also end when nobody comes. now: clock_ms. Returns when (clock_ms) to call it
 * again, INT64_MAX when no session is idle. */
int64_t backend_sessions_reap(struct backends *b, int64_t now);

/* Logs out the idle sessions of a user of every backend (its device was wiped, its password changed);
 * those in use are logged out when they are put back. */
void backend_sessions_drop(struct backends *b, const char *user);

struct backend_session_stats {
	size_t busy, idle, waiting;
	uint64_t logins, reused;
};
void backend_session_stats(struct backends *b, struct backend_session_stats *out);

#endif
