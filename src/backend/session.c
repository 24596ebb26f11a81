/*
 * The pool of sessions. Knows who may use which and when to log out; no protocol. One lock guards it;
 * logins and logouts, which talk to servers, are done outside.
 */
#include "backend/session.h"

#include <assert.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "backend/opened.h"
#include "base/clock.h"

enum { REAP_EVERY_MS = 1000 };

/* A session: at its user (`busy` by pointer), or idle in its place and among all the idle ones. */
struct pooled {
	struct mf_session *session;
	const struct opened *at;
	struct place *place;	     /* NULL: about to be logged out */
	uint8_t digest[DIGEST_SIZE]; /* of the credentials: only who has the same may use it */
	unsigned generation;	     /* of its place when it was logged in */
	int64_t idle_since;
	TAILQ_ENTRY(pooled) oldest; /* pool.idle */
	TAILQ_ENTRY(pooled) newest; /* place.idle */
	struct pooled *next;	    /* among those to be logged out */
};
TAILQ_HEAD(pooled_list, pooled);

/* A user at a backend; exists while it has sessions or somebody waits for one. */
struct place {
	const struct opened *at;
	char *user;
	size_t count;		 /* sessions, busy and idle, and logins under way */
	unsigned holders;	 /* calls that look at it now */
	unsigned generation;	 /* sessions of older ones are not used again */
	struct pooled_list idle; /* the newest first */
};

struct pool {
	size_t limit, total_limit;
	int64_t idle_ms;
	pthread_mutex_t lock;	 /* of all below */
	pthread_cond_t freed;	 /* something came back; on the monotonic clock */
	void *places;		 /* tree of struct place */
	void *busy;		 /* tree of struct pooled by session */
	struct pooled_list idle; /* the oldest first */
	size_t total, n_idle, n_waiting;
	uint64_t logins, reused;
	int64_t reaped;
};

/* ---- Places ---- */

static int
place_compare(const void *x, const void *y)
{
	const struct place *a = x, *b = y;

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return strcmp(a->user, b->user);
}

static struct place *
place_find(struct pool *p, const struct opened *at, const char *user)
{
	struct place key = { .at = at, .user = (char *)(uintptr_t)user };
	struct place **found = tfind(&key, &p->places, place_compare);

	return found != NULL ? *found : NULL;
}

/* To be given back by place_release. */
static struct place *
place_hold(struct pool *p, const struct opened *at, const char *user)
{
	struct place *l = place_find(p, at, user);

	if (l == NULL) {
		l = calloc(1, sizeof(*l));
		if (l == NULL || (l->user = strdup(user)) == NULL)
			abort();
		l->at = at;
		TAILQ_INIT(&l->idle);
		if (tsearch(l, &p->places, place_compare) == NULL)
			abort();
	}
	l->holders++;
	assert(l->holders > 0);
	return l;
}

static void
place_free_unused(struct pool *p, struct place *l)
{
	if (l->holders > 0 || l->count > 0)
		return;
	tdelete(l, &p->places, place_compare);
	free(l->user);
	free(l);
}

static void
place_release(struct pool *p, struct place *l)
{
	l->holders--;
	place_free_unused(p, l);
}

/* ---- Sessions ---- */

static int
session_compare(const void *x, const void *y)
{
	const struct pooled *a = x, *b = y;

	return (a->session > b->session) - (a->session < b->session);
}

static void
busy_add(struct pool *p, struct pooled *s)
{
	if (tsearch(s, &p->busy, session_compare) == NULL)
		abort();
}

static struct pooled *
busy_take(struct pool *p, struct mf_session *session)
{
	struct pooled key = { .session = session },
		      **found = tfind(&key, &p->busy, session_compare);
	struct pooled *s = found != NULL ? *found : NULL;

	assert(s != NULL); /* put twice, or not ours */
	tdelete(s, &p->busy, session_compare);
	return s;
}

static void
idle_add(struct pool *p, struct pooled *s)
{
	s->idle_since = clock_ms();
	TAILQ_INSERT_TAIL(&p->idle, s, oldest);
	TAILQ_INSERT_HEAD(&s->place->idle, s, newest);
	p->n_idle++;
}

static void
idle_take(struct pool *p, struct pooled *s)
{
	TAILQ_REMOVE(&p->idle, s, oldest);
	TAILQ_REMOVE(&s->place->idle, s, newest);
	p->n_idle--;
}

static bool
good(const struct pooled *s)
{
	return s->generation == s->place->generation && s->at->api->usable(s->session);
}

/* Gives up a session that is in no list: it goes to the victims, which are logged out later. */
static void
give_up(struct pool *p, struct pooled *s, struct pooled **victims)
{
	struct place *l = s->place;

	assert(l != NULL && l->count > 0);
	l->count--;
	p->total--;
	s->place = NULL;
	s->next = *victims;
	*victims = s;
	place_free_unused(p, l);
	if (p->n_waiting > 0)
		pthread_cond_broadcast(&p->freed);
}

/* Without the lock. */
static void
log_out(struct pooled *victims)
{
	while (victims != NULL) {
		struct pooled *next = victims->next;

		victims->at->api->logout(victims->session);
		free(victims);
		victims = next;
	}
}

/* Gives up what was idle for too long by `now`. */
static void
reap(struct pool *p, int64_t now, struct pooled **victims)
{
	struct pooled *s;

	while ((s = TAILQ_FIRST(&p->idle)) != NULL && s->idle_since + p->idle_ms <= now) {
		idle_take(p, s);
		give_up(p, s, victims);
	}
	p->reaped = now;
}

/* Done by whoever comes by. */
static void
reap_now_and_then(struct pool *p, struct pooled **victims)
{
	int64_t now = clock_ms();

	if (now - p->reaped >= REAP_EVERY_MS)
		reap(p, now, victims);
}

/* ---- Getting ---- */

/* An idle session of this place with these credentials, newest first; unusable ones are given up. */
static struct pooled *
idle_find(struct pool *p, struct place *l, const uint8_t *digest, struct pooled **victims)
{
	struct pooled *s, *next;

	for (s = TAILQ_FIRST(&l->idle); s != NULL; s = next) {
		next = TAILQ_NEXT(s, newest);
		if (CRYPTO_memcmp(s->digest, digest, DIGEST_SIZE) != 0)
			continue;
		idle_take(p, s);
		if (good(s))
			return s;
		give_up(p, s, victims);
	}
	return NULL;
}

/* Room for one more session at this place; an idle one that serves nobody here makes it. */
static bool
make_room(struct pool *p, struct place *l, struct pooled **victims)
{
	struct pooled *s;

	if (l->count >= p->limit) {
		if ((s = TAILQ_LAST(&l->idle, pooled_list)) == NULL)
			return false;
		idle_take(p, s);
		give_up(p, s, victims);
	}
	if (p->total >= p->total_limit) {
		if ((s = TAILQ_FIRST(&p->idle)) == NULL)
			return false;
		idle_take(p, s);
		give_up(p, s, victims);
	}
	return true;
}

/* False when the deadline has passed. */
static bool
wait_for_room(struct pool *p, int64_t deadline)
{
	struct timespec ts = { .tv_sec = deadline / 1000, .tv_nsec = deadline % 1000 * 1000000 };
	int rc;

	p->n_waiting++;
	rc = pthread_cond_timedwait(&p->freed, &p->lock, &ts);
	p->n_waiting--;
	return rc != ETIMEDOUT;
}

/* Logs in without the lock; the place is counted already. */
static enum mf_status
log_in(struct pool *p, struct place *l, const struct mf_login *who, struct pooled *s,
	struct pooled **victims, struct mf_error *err)
{
	enum mf_status st;

	l->count++;
	p->total++;
	p->logins++;
	s->generation = l->generation;
	pthread_mutex_unlock(&p->lock);
	log_out(*victims);
	*victims = NULL;
	st = s->at->api->login(s->at->handle, who, &s->session, err);
	pthread_mutex_lock(&p->lock);
	if (st == MF_OK)
		return st;
	l->count--;
	p->total--;
	if (p->n_waiting > 0)
		pthread_cond_broadcast(&p->freed);
	return st;
}

static struct pooled *
pooled_new(const struct opened *at, struct place *l, const uint8_t *digest)
{
	struct pooled *s = calloc(1, sizeof(*s));

	if (s == NULL)
		abort();
	s->at = at;
	s->place = l;
	memcpy(s->digest, digest, DIGEST_SIZE);
	return s;
}

static enum mf_status
take(struct pool *p, struct place *l, const struct mf_login *who, const uint8_t *digest,
	int64_t deadline, struct pooled **out, struct pooled **victims, struct mf_error *err)
{
	enum mf_status st;

	while ((*out = idle_find(p, l, digest, victims)) == NULL) {
		if (make_room(p, l, victims)) {
			*out = pooled_new(l->at, l, digest);
			st = log_in(p, l, who, *out, victims, err);
			if (st != MF_OK)
				free(*out);
			return st;
		}
		if (!wait_for_room(p, deadline))
			return mf_fail(err, MF_TEMPORARY,
				"%s: all sessions are busy (%zu of the user, %zu in all)",
				l->at->api->name, l->count, p->total);
	}
	p->reused++;
	return MF_OK;
}

static enum mf_status
pool_get(struct pool *p, const struct opened *at, const struct mf_login *who, const uint8_t *digest,
	int64_t deadline, struct mf_session **out, struct mf_error *err)
{
	struct pooled *s, *victims = NULL;
	struct place *l;
	enum mf_status st;

	pthread_mutex_lock(&p->lock);
	reap_now_and_then(p, &victims);
	l = place_hold(p, at, who->user);
	st = take(p, l, who, digest, deadline, &s, &victims, err);
	if (st == MF_OK) {
		busy_add(p, s);
		*out = s->session;
	}
	place_release(p, l);
	pthread_mutex_unlock(&p->lock);
	log_out(victims);
	return st;
}

/* `who` is mapped. What the backend that checks logins answers is remembered with the checks. */
static enum mf_status
get(struct backends *b, const struct opened *at, const struct mf_login *who, int64_t deadline,
	struct mf_session **out, struct mf_error *err)
{
	bool checks = at == opened_login(b);
	uint8_t digest[DIGEST_SIZE];
	enum mf_status st;

	logins_digest(b->logins, who, digest);
	if (checks && logins_known(b->logins, digest) == LOGIN_BAD)
		return mf_fail(
			err, MF_AUTH, "%s: wrong credentials, as a moment ago", at->api->name);
	st = pool_get(b->pool, at, who, digest, deadline, out, err);
	if (checks && st == MF_AUTH)
		logins_learn(b->logins, who->user, digest, st);
	return st;
}

enum mf_status
backend_session_get(struct backends *b, enum backend_facet facet, const struct mf_login *who,
	int64_t deadline, struct mf_session **out, const struct mf_backend_api **api,
	struct mf_error *err)
{
	const struct opened *at = opened_facet(b, facet);
	struct mf_login mapped = *who;
	struct mf_arena *a;
	enum mf_status st;

	if (at == NULL)
		return mf_fail(err, MF_UNSUPPORTED, "no backend serves this");
	a = mf_arena_new();
	st = backend_login_map(b, who->user, a, &mapped.user, err);
	if (st == MF_OK)
		st = get(b, at, &mapped, deadline, out, err);
	if (st == MF_OK)
		*api = at->api;
	mf_arena_free(a);
	return st;
}

/* ---- Putting back ---- */

/* The session is in no list; it becomes idle, or one of the victims. */
static void
settle(struct pool *p, struct pooled *s, struct pooled **victims)
{
	if (p->idle_ms == 0 || !good(s)) {
		give_up(p, s, victims);
		return;
	}
	idle_add(p, s);
	if (p->n_waiting > 0)
		pthread_cond_broadcast(&p->freed);
}

void
backend_session_put(struct backends *b, struct mf_session *session)
{
	struct pool *p = b->pool;
	struct pooled *victims = NULL;

	if (session == NULL)
		return;
	pthread_mutex_lock(&p->lock);
	settle(p, busy_take(p, session), &victims);
	reap_now_and_then(p, &victims);
	pthread_mutex_unlock(&p->lock);
	log_out(victims);
}

void
pool_donate(struct pool *p, const struct opened *at, const char *user,
	const uint8_t digest[DIGEST_SIZE], struct mf_session *session)
{
	struct pooled *s, *victims = NULL;
	struct place *l;

	pthread_mutex_lock(&p->lock);
	l = place_hold(p, at, user);
	s = pooled_new(at, l, digest);
	s->session = session;
	s->generation = l->generation;
	if (make_room(p, l, &victims)) {
		l->count++;
		p->total++;
		settle(p, s, &victims);
	} else {
		s->next = victims;
		victims = s;
	}
	place_release(p, l);
	pthread_mutex_unlock(&p->lock);
	log_out(victims);
}

int64_t
backend_sessions_reap(struct backends *b, int64_t now)
{
	struct pool *p = b->pool;
	struct pooled *victims = NULL, *first;
	int64_t next;

	pthread_mutex_lock(&p->lock);
	reap(p, now, &victims);
	first = TAILQ_FIRST(&p->idle);
	next = first != NULL ? first->idle_since + p->idle_ms : INT64_MAX;
	pthread_mutex_unlock(&p->lock);
	log_out(victims);
	return next;
}

void
backend_sessions_drop(struct backends *b, const char *user)
{
	struct pool *p = b->pool;
	struct pooled *s, *victims = NULL;

	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < b->n; i++) {
		struct place *l = place_find(p, &b->opened[i], user);

		if (l == NULL)
			continue;
		l->holders++;
		l->generation++;
		while ((s = TAILQ_FIRST(&l->idle)) != NULL) {
			idle_take(p, s);
			give_up(p, s, &victims);
		}
		place_release(p, l);
	}
	pthread_mutex_unlock(&p->lock);
	log_out(victims);
}

void
backend_session_stats(struct backends *b, struct backend_session_stats *out)
{
	struct pool *p = b->pool;

	pthread_mutex_lock(&p->lock);
	*out = (struct backend_session_stats){ .busy = p->total - p->n_idle,
		.idle = p->n_idle,
		.waiting = p->n_waiting,
		.logins = p->logins,
		.reused = p->reused };
	pthread_mutex_unlock(&p->lock);
}

/* ---- The pool ---- */

struct pool *
pool_new(const struct mf_conf *top)
{
	struct pool *p = calloc(1, sizeof(*p));
	pthread_condattr_t attr;

	if (p == NULL)
		abort();
	p->limit = (size_t)mf_conf_number(top, "session_limit");
	p->total_limit = (size_t)mf_conf_number(top, "session_total");
	p->idle_ms = mf_conf_number(top, "session_idle") * 1000;
	p->reaped = clock_ms();
	TAILQ_INIT(&p->idle);
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->freed, &attr);
	pthread_condattr_destroy(&attr);
	return p;
}

void
pool_free(struct pool *p)
{
	struct pooled *victims = NULL;

	reap(p, INT64_MAX, &victims);
	log_out(victims);
	assert(p->total == 0); /* all sessions were put back */
	pthread_cond_destroy(&p->freed);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
