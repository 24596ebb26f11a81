/* Sets of a few places each, found by digest; the one that ends first gives way. */
#include "token/memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/seal.h"
#include "base/str.h"

enum { SETS = 2048, WAYS = 4 };

struct place {
	uint8_t digest[SEAL_KEY];
	char *user; /* NULL: nobody's */
	int64_t expires;
	int64_t until; /* clock_ms; 0: free */
};

struct shelf {
	int64_t life_ms;
	struct place places[SETS][WAYS];
};

struct token_memory {
	uint8_t key[SEAL_KEY];
	pthread_mutex_t lock; /* of the shelves */
	struct shelf good, bad;
};

struct token_memory *
token_memory_new(int64_t good_ms, int64_t bad_ms)
{
	struct token_memory *m = calloc(1, sizeof(*m));

	if (m == NULL)
		abort();
	seal_random(m->key, sizeof(m->key));
	m->good.life_ms = good_ms;
	m->bad.life_ms = bad_ms;
	pthread_mutex_init(&m->lock, NULL);
	return m;
}

void
token_memory_free(struct token_memory *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < SETS; i++)
		for (size_t k = 0; k < WAYS; k++)
			free(m->good.places[i][k].user);
	pthread_mutex_destroy(&m->lock);
	str_wipe(m->key, sizeof(m->key));
	free(m);
}

static void
digest(const struct token_memory *m, const char *token, uint8_t out[SEAL_KEY])
{
	seal_key(token, "token", m->key, sizeof(m->key), out);
}

static struct place *
set_of(struct shelf *s, const uint8_t *sum)
{
	return s->places[(size_t)(sum[0] | sum[1] << 8) % SETS];
}

static struct place *
find(struct shelf *s, const uint8_t *sum)
{
	struct place *set = set_of(s, sum);

	for (size_t i = 0; i < WAYS; i++)
		if (set[i].until > clock_ms() &&
			seal_equal(set[i].digest, sum, sizeof(set[i].digest)))
			return &set[i];
	return NULL;
}

enum mf_status
token_memory_find(
	struct token_memory *m, const char *token, struct mf_arena *a, struct token_owner *out)
{
	uint8_t sum[SEAL_KEY];
	const struct place *p;
	enum mf_status st = MF_GONE;

	digest(m, token, sum);
	pthread_mutex_lock(&m->lock);
	p = find(&m->good, sum);
	if (p != NULL && p->expires > clock_wall()) {
		*out = (struct token_owner){ mf_strdup(a, p->user), p->expires };
		st = MF_OK;
	} else if (p != NULL || find(&m->bad, sum) != NULL) {
		st = MF_AUTH;
	}
	pthread_mutex_unlock(&m->lock);
	return st;
}

/* Its own place, or that of the one which ends first. */
static struct place *
place_for(struct shelf *s, const uint8_t *sum)
{
	struct place *set = set_of(s, sum), *p = find(s, sum), *first = set;

	for (size_t i = 0; i < WAYS; i++)
		if (set[i].until < first->until)
			first = &set[i];
	return p != NULL ? p : first;
}

static void
keep(struct shelf *s, const uint8_t *sum, const struct token_owner *owner)
{
	struct place *p = place_for(s, sum);

	if (s->life_ms == 0)
		return;
	free(p->user);
	*p = (struct place){ .until = clock_ms() + s->life_ms };
	memcpy(p->digest, sum, sizeof(p->digest));
	if (owner == NULL)
		return;
	p->user = strdup(owner->user);
	p->expires = owner->expires;
	if (p->user == NULL)
		abort();
}

void
token_memory_learn(struct token_memory *m, const char *token, const struct token_owner *owner)
{
	uint8_t sum[SEAL_KEY];

	digest(m, token, sum);
	pthread_mutex_lock(&m->lock);
	keep(owner != NULL ? &m->good : &m->bad, sum, owner);
	pthread_mutex_unlock(&m->lock);
}
