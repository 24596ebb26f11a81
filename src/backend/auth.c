/*
 * The login check and its memory. Knows credentials for the length of a call, and keeps none: only
 * digests under a key that was drawn at the start of the process, compared in constant time.
 */
#include "backend/auth.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "backend/opened.h"
#include "base/clock.h"
#include "base/str.h"

enum {
	BUCKETS = 4096, /* a power of 2 */
	GOOD_MAX = 100000,
	BAD_MAX = 20000, /* apart, so that a flood of wrong passwords does not push out good ones */
	PATIENCE_MS = 250,
	KNOWN_MS =
		24 * 3600 *
		1000, /* behind its end a good answer still tells an old friend from a stranger */
};

/* What was learnt of one pair of name and credentials. */
struct answer {
	uint8_t digest[DIGEST_SIZE];
	uint8_t user[DIGEST_SIZE]; /* digest of the name */
	bool good;
	enum mf_reason reason; /* of a bad one */
	int64_t until;	       /* clock_ms */
	SLIST_ENTRY(answer) bucket;
	TAILQ_ENTRY(answer) age;
};
TAILQ_HEAD(answer_list, answer);

/* A check under way; who asks the same meanwhile waits for it. */
struct trial {
	uint8_t digest[DIGEST_SIZE];
	unsigned askers;
	int64_t began; /* clock_ms */
	bool done;
	enum mf_status status;
	struct mf_error err;
	SLIST_ENTRY(trial) next;
};

/* The answers of one kind: the oldest, which end first, in front. */
struct memory {
	struct answer_list answers;
	size_t n, max;
	int64_t life_ms;
};

struct logins {
	EVP_MAC *hmac;
	uint8_t key[DIGEST_SIZE];
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t tried;
	SLIST_HEAD(, answer) buckets[BUCKETS];
	struct memory good, bad;
	SLIST_HEAD(, trial) trials;
	size_t asking, asking_max; /* calls that wait for a backend's word */
	struct backend_login_stats stats;
};

/* ---- Digests ---- */

static void
mac_field(EVP_MAC_CTX *mac, const char *s)
{
	uint64_t len = s != NULL ? strlen(s) : UINT64_MAX; /* NULL is not "" */
	int ok = EVP_MAC_update(mac, (const uint8_t *)&len, sizeof(len));

	if (s != NULL)
		ok &= EVP_MAC_update(mac, (const uint8_t *)s, len);
	if (!ok)
		abort();
}

static void
mac_fields(struct logins *l, const char *const *fields, size_t n, uint8_t out[DIGEST_SIZE])
{
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(
					OSSL_MAC_PARAM_DIGEST, (char[]){ "SHA256" }, 0),
		OSSL_PARAM_construct_end() };
	EVP_MAC_CTX *mac = EVP_MAC_CTX_new(l->hmac);
	size_t len = 0;

	if (mac == NULL || !EVP_MAC_init(mac, l->key, sizeof(l->key), params))
		abort();
	for (size_t i = 0; i < n; i++)
		mac_field(mac, fields[i]);
	if (!EVP_MAC_final(mac, out, &len, DIGEST_SIZE) || len != DIGEST_SIZE)
		abort();
	EVP_MAC_CTX_free(mac);
}

void
logins_digest(struct logins *l, const struct mf_login *who, uint8_t out[DIGEST_SIZE])
{
	const char *const fields[] = { who->user, who->password, who->token, who->master };

	mac_fields(l, fields, sizeof(fields) / sizeof(fields[0]), out);
}

static bool
equal(const uint8_t *x, const uint8_t *y)
{
	return CRYPTO_memcmp(x, y, DIGEST_SIZE) == 0;
}

/* ---- The memory; the lock is held ---- */

static size_t
bucket_of(const uint8_t *digest)
{
	return (size_t)(digest[0] | digest[1] << 8) & (BUCKETS - 1);
}

static void
forget(struct logins *l, struct memory *m, struct answer *a)
{
	SLIST_REMOVE(&l->buckets[bucket_of(a->digest)], a, answer, bucket);
	TAILQ_REMOVE(&m->answers, a, age);
	m->n--;
	free(a);
}

static void
forget_old(struct logins *l, struct memory *m, int64_t now)
{
	struct answer *a, *next;

	for (a = TAILQ_FIRST(&m->answers); a != NULL; a = next) {
		next = TAILQ_NEXT(a, age);
		if (a->until + (a->good ? KNOWN_MS : 0) > now && m->n < m->max)
			break;
		forget(l, m, a);
	}
}

static struct answer *
find(struct logins *l, const uint8_t *digest)
{
	struct answer *a;

	SLIST_FOREACH(a, &l->buckets[bucket_of(digest)], bucket)
	{
		if (equal(a->digest, digest))
			return a;
	}
	return NULL;
}

static enum known
known(struct logins *l, const uint8_t *digest)
{
	const struct answer *a = find(l, digest);
	int64_t now = clock_ms();

	if (a == NULL || a->until + (a->good ? KNOWN_MS : 0) <= now)
		return LOGIN_UNKNOWN;
	if (a->until <= now)
		return LOGIN_STALE;
	l->stats.cached++;
	return a->good ? LOGIN_GOOD : LOGIN_BAD;
}

static void
learn(struct logins *l, const char *user, const uint8_t *digest, bool good, enum mf_reason reason)
{
	struct memory *m = good ? &l->good : &l->bad;
	struct answer *a = find(l, digest);
	int64_t now = clock_ms();

	if (a != NULL)
		forget(l, a->good ? &l->good : &l->bad, a);
	forget_old(l, m, now);
	if (m->life_ms == 0)
		return;
	a = calloc(1, sizeof(*a));
	if (a == NULL)
		abort();
	memcpy(a->digest, digest, DIGEST_SIZE);
	mac_fields(l, &user, 1, a->user);
	a->good = good;
	a->reason = reason;
	a->until = now + m->life_ms;
	SLIST_INSERT_HEAD(&l->buckets[bucket_of(digest)], a, bucket);
	TAILQ_INSERT_TAIL(&m->answers, a, age);
	m->n++;
}

enum known
logins_known(struct logins *l, const uint8_t digest[DIGEST_SIZE])
{
	enum known k;

	pthread_mutex_lock(&l->lock);
	k = known(l, digest);
	pthread_mutex_unlock(&l->lock);
	return k;
}

void
logins_learn(struct logins *l, const char *user, const uint8_t digest[DIGEST_SIZE],
	enum mf_status status)
{
	if (status != MF_OK && status != MF_AUTH)
		return;
	pthread_mutex_lock(&l->lock);
	learn(l, user, digest, status == MF_OK, MF_REASON_NONE);
	pthread_mutex_unlock(&l->lock);
}

static void
memory_forget_user(struct logins *l, struct memory *m, const uint8_t *user)
{
	struct answer *a, *next;

	for (a = TAILQ_FIRST(&m->answers); a != NULL; a = next) {
		next = TAILQ_NEXT(a, age);
		if (equal(a->user, user))
			forget(l, m, a);
	}
}

void
backend_login_forget(struct backends *b, const char *user)
{
	struct logins *l = b->logins;
	uint8_t digest[DIGEST_SIZE];

	mac_fields(l, &user, 1, digest);
	pthread_mutex_lock(&l->lock);
	memory_forget_user(l, &l->good, digest);
	memory_forget_user(l, &l->bad, digest);
	pthread_mutex_unlock(&l->lock);
}

/* The lock is held. */
static enum mf_status
fail_as_before(struct logins *l, const uint8_t *digest, struct mf_error *err)
{
	const struct answer *a = find(l, digest);

	mf_fail(err, MF_AUTH, "wrong credentials, as a moment ago");
	if (err != NULL && a != NULL)
		err->reason = a->reason;
	return MF_AUTH;
}

/* ---- Checking ---- */

/* Asks the backend; the session that comes of it is kept for the request that follows. */
static enum mf_status
ask(struct backends *b, const struct mf_login *who, const uint8_t *digest, struct mf_error *err)
{
	const struct opened *at = opened_login(b);
	struct mf_session *s;
	enum mf_status st = at->api->login(at->handle, who, &s, err);

	if (st == MF_OK)
		pool_donate(b->pool, at, who->user, digest, s);
	return st;
}

static struct trial *
trial_find(struct logins *l, const uint8_t *digest)
{
	struct trial *t;

	SLIST_FOREACH(t, &l->trials, next)
	{
		if (equal(t->digest, digest))
			return t;
	}
	return NULL;
}

static struct trial *
trial_begin(struct logins *l, const uint8_t *digest)
{
	struct trial *t = calloc(1, sizeof(*t));

	if (t == NULL)
		abort();
	memcpy(t->digest, digest, DIGEST_SIZE);
	t->began = clock_ms();
	SLIST_INSERT_HEAD(&l->trials, t, next);
	return t;
}

/* The lock is held, and released while the backend is asked. */
static void
trial_run(struct backends *b, struct trial *t, const struct mf_login *who)
{
	struct logins *l = b->logins;

	pthread_mutex_unlock(&l->lock);
	t->status = ask(b, who, t->digest, &t->err);
	pthread_mutex_lock(&l->lock);
	if (t->status == MF_OK || t->status == MF_AUTH)
		learn(l, who->user, t->digest, t->status == MF_OK, t->err.reason);
	l->stats.good += t->status == MF_OK;
	l->stats.bad += t->status == MF_AUTH;
	l->stats.unknown += t->status != MF_OK && t->status != MF_AUTH;
	SLIST_REMOVE(&l->trials, t, trial, next);
	t->done = true;
	pthread_cond_broadcast(&l->tried);
}

/* Mail servers take seconds over wrong passwords, by design. While they do, more strangers are sent
 * away, so that workers stay free for those whose login is remembered; as long as answers are quick, a
 * crowd (after a restart) just waits for its turn. The lock is held, and released meanwhile. */
static bool
take_turn(struct logins *l)
{
	int64_t until = clock_ms() + PATIENCE_MS, now;
	struct timespec ts = { .tv_sec = until / 1000, .tv_nsec = until % 1000 * 1000000 };

	while (l->asking >= l->asking_max) {
		const struct trial *t, *oldest = NULL;

		now = clock_ms();
		SLIST_FOREACH(t, &l->trials, next)
		oldest = t; /* they are added in front */
		if (now >= until || (oldest != NULL && now - oldest->began > PATIENCE_MS))
			return false;
		pthread_cond_timedwait(&l->tried, &l->lock, &ts);
	}
	l->asking++;
	return true;
}

/* The lock is held. One of those who ask the same asks the backend. */
static enum mf_status
trial_share(
	struct backends *b, const uint8_t *digest, const struct mf_login *who, struct mf_error *err)
{
	struct logins *l = b->logins;
	struct trial *t = trial_find(l, digest);
	enum mf_status st;

	if (t != NULL) {
		t->askers++;
		while (!t->done)
			pthread_cond_wait(&l->tried, &l->lock);
	} else {
		t = trial_begin(l, digest);
		t->askers++;
		trial_run(b, t, who);
	}
	st = t->status;
	if (st != MF_OK && err != NULL)
		*err = t->err;
	if (--t->askers == 0)
		free(t);
	return st;
}

/* The lock is held. Who had to wait may find that somebody else has asked meanwhile. */
static enum mf_status
ask_in_turn(
	struct backends *b, const uint8_t *digest, const struct mf_login *who, struct mf_error *err)
{
	struct logins *l = b->logins;
	enum mf_status st;
	enum known k;

	if (!take_turn(l))
		return mf_fail(err, MF_TEMPORARY, "too many logins are being checked");
	k = known(l, digest);
	if (k == LOGIN_UNKNOWN || k == LOGIN_STALE)
		st = trial_share(b, digest, who, err);
	else
		st = k == LOGIN_GOOD ? MF_OK : fail_as_before(l, digest, err);
	l->asking--;
	pthread_cond_broadcast(&l->tried);
	return st;
}

enum mf_status
backend_login_check(struct backends *b, const struct mf_login *who, struct mf_error *err)
{
	struct logins *l = b->logins;
	struct mf_arena *a = mf_arena_new();
	struct mf_login mapped = *who;
	uint8_t digest[DIGEST_SIZE];
	enum mf_status st = backend_login_map(b, who->user, a, &mapped.user, err);

	if (st == MF_OK) {
		logins_digest(l, &mapped, digest);
		pthread_mutex_lock(&l->lock);
		switch (known(l, digest)) {
		case LOGIN_GOOD:
			break;
		case LOGIN_BAD:
			st = fail_as_before(l, digest, err);
			break;
		case LOGIN_STALE:
			st = trial_share(b, digest, &mapped, err);
			break;
		case LOGIN_UNKNOWN:
			st = ask_in_turn(b, digest, &mapped, err);
			break;
		}
		pthread_mutex_unlock(&l->lock);
	}
	mf_arena_free(a);
	return st;
}

enum mf_status
backend_login_remembered(struct backends *b, const struct mf_login *who)
{
	static const enum mf_status told[] = { [LOGIN_UNKNOWN] = MF_GONE,
		[LOGIN_GOOD] = MF_OK,
		[LOGIN_BAD] = MF_AUTH,
		[LOGIN_STALE] = MF_TEMPORARY };
	struct mf_arena *a = mf_arena_new();
	struct mf_login mapped = *who;
	uint8_t digest[DIGEST_SIZE];
	enum mf_status st = backend_login_map(b, who->user, a, &mapped.user, NULL);

	if (st == MF_OK) {
		logins_digest(b->logins, &mapped, digest);
		st = told[logins_known(b->logins, digest)];
	} else {
		st = MF_AUTH; /* a name that nobody can have */
	}
	mf_arena_free(a);
	return st;
}

void
backend_login_stats(struct backends *b, struct backend_login_stats *out)
{
	pthread_mutex_lock(&b->logins->lock);
	*out = b->logins->stats;
	pthread_mutex_unlock(&b->logins->lock);
}

/* ---- Beginning and end ---- */

struct logins *
logins_new(const struct mf_conf *top)
{
	struct logins *l = calloc(1, sizeof(*l));
	pthread_condattr_t attr;

	if (l == NULL || (l->hmac = EVP_MAC_fetch(NULL, "HMAC", NULL)) == NULL ||
		RAND_bytes(l->key, sizeof(l->key)) != 1)
		abort();
	l->good.max = GOOD_MAX;
	l->good.life_ms = mf_conf_number(top, "auth_cache") * 1000;
	l->bad.max = BAD_MAX;
	l->bad.life_ms = mf_conf_number(top, "auth_cache_failures") * 1000;
	TAILQ_INIT(&l->good.answers);
	TAILQ_INIT(&l->bad.answers);
	pthread_mutex_init(&l->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&l->tried, &attr);
	pthread_condattr_destroy(&attr);
	l->asking_max = ((size_t)mf_conf_number(top, "workers") + 1) / 2;
	return l;
}

void
logins_free(struct logins *l)
{
	forget_old(l, &l->good, INT64_MAX);
	forget_old(l, &l->bad, INT64_MAX);
	pthread_cond_destroy(&l->tried);
	pthread_mutex_destroy(&l->lock);
	str_wipe(l->key, sizeof(l->key));
	EVP_MAC_free(l->hmac);
	free(l);
}
