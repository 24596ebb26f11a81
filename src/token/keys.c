/* Knows when keys are to be read anew; must not know what is checked by them. */
#include "token/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "mailferry/log.h"
#include "token/fetch.h"

enum { LIFE_MS = 3600 * 1000, UNKNOWN_MS = 60 * 1000, RETRY_MS = 10 * 1000 };

enum { FILE_MAX = 256 * 1024, WAITERS_MAX = 8 };

struct token_keys {
	const char *where, *ca_file;
	pthread_rwlock_t lock; /* of set; held for reading while it is used */
	struct jwk_set *set;
	pthread_mutex_t turn; /* of the dates; whoever has it may load */
	_Atomic int
		waiters; /* for the first keys: an issuer that is slow must not take all workers */
	int64_t loaded, tried; /* clock_ms; 0: never */
	struct mf_error last;
};

struct token_keys *
token_keys_new(const char *where, const char *ca_file)
{
	struct token_keys *k = calloc(1, sizeof(*k));

	if (k == NULL)
		abort();
	k->where = where;
	k->ca_file = ca_file;
	pthread_rwlock_init(&k->lock, NULL);
	pthread_mutex_init(&k->turn, NULL);
	return k;
}

void
token_keys_free(struct token_keys *k)
{
	if (k == NULL)
		return;
	jwk_set_free(k->set);
	pthread_rwlock_destroy(&k->lock);
	pthread_mutex_destroy(&k->turn);
	free(k);
}

static enum mf_status
read_file(const char *path, struct mf_buf *out, struct mf_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 1;

	if (fd < 0)
		return mf_fail(err, MF_TEMPORARY, "%s: %s", path, strerror(errno));
	while (n > 0 && out->len < FILE_MAX) {
		n = read(fd, mf_buf_reserve(out, 4096), 4096);
		if (n > 0)
			mf_buf_commit(out, (size_t)n);
	}
	close(fd);
	return n == 0 ? MF_OK : mf_fail(err, MF_TEMPORARY, "%s: cannot be read", path);
}

static enum mf_status
load(const struct token_keys *k, struct jwk_set **out, struct mf_error *err)
{
	struct token_request r = { .url = k->where, .ca_file = k->ca_file };
	struct mf_buf text;
	struct mf_error why = { .text = "" };
	enum mf_status st;

	mf_buf_init(&text, 0);
	st = *k->where == '/' ? read_file(k->where, &text, err) : token_fetch(&r, &text, err);
	if (st == MF_OK && jwk_set_parse(mf_buf_bytes(&text), out, &why) != MF_OK)
		st = mf_fail(err, MF_TEMPORARY, "%s: %s", k->where, why.text);
	mf_buf_deinit(&text);
	return st;
}

/* `turn` is held. */
static void
renew(struct token_keys *k)
{
	struct jwk_set *fresh = NULL, *former;

	k->tried = clock_ms();
	if (load(k, &fresh, &k->last) != MF_OK) {
		mf_log_warning("token=keys why=%s", mf_log_value(k->last.text));
		return;
	}
	pthread_rwlock_wrlock(&k->lock);
	former = k->set;
	k->set = fresh;
	pthread_rwlock_unlock(&k->lock);
	jwk_set_free(former);
	k->loaded = clock_ms();
}

static bool
has(struct token_keys *k, const char *kid)
{
	bool found;

	pthread_rwlock_rdlock(&k->lock);
	found = k->set != NULL && (kid == NULL || jwk_set_has(k->set, kid));
	pthread_rwlock_unlock(&k->lock);
	return found;
}

/* How long after the last try the next is due. */
static int64_t
pause_of(struct token_keys *k, const char *kid)
{
	if (k->loaded == 0 || k->tried > k->loaded)
		return RETRY_MS; /* the last one failed */
	return has(k, kid) ? LIFE_MS : UNKNOWN_MS;
}

static bool
wait_turn(struct token_keys *k)
{
	bool may = k->waiters++ < WAITERS_MAX;

	if (may)
		pthread_mutex_lock(&k->turn);
	k->waiters--;
	return may;
}

/* One thread loads. Others use what is there meanwhile, and wait only when nothing is. */
static void
renew_when_due(struct token_keys *k, const char *kid)
{
	if (pthread_mutex_trylock(&k->turn) != 0) {
		if (has(k, NULL) || !wait_turn(k))
			return;
	}
	if (k->tried == 0 || clock_ms() - k->tried >= pause_of(k, kid))
		renew(k);
	pthread_mutex_unlock(&k->turn);
}

enum mf_status
token_keys_use(struct token_keys *k, const char *kid,
	void (*use)(void *ctx, const struct jwk_set *set), void *ctx, struct mf_error *err)
{
	enum mf_status st = MF_OK;

	renew_when_due(k, kid);
	pthread_rwlock_rdlock(&k->lock);
	if (k->set != NULL)
		use(ctx, k->set);
	else
		st = mf_fail(err, MF_TEMPORARY, "token: the issuer's keys cannot be had");
	pthread_rwlock_unlock(&k->lock);
	return st;
}
