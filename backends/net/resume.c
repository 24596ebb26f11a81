/* Sessions to resume, the newest first, few and not old. Knows no connection. */
#include "net/resume.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

/* A certificate that expires is noticed so much later at most. */
enum { KEEP = 32, KEEP_S = 600 };

struct net_resume {
	pthread_mutex_t lock;
	bool verify;
	unsigned n;
	SSL_SESSION *kept[KEEP]; /* the oldest first */
};

/* Of a session: when the server's certificate was looked at, by time(). Resuming does not look again, and
 * OpenSSL's own time begins anew with each ticket. */
static int checked_at;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
make_index(void)
{
	checked_at = SSL_SESSION_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	if (checked_at < 0)
		abort();
}

/* The reference becomes ours; the oldest makes room. */
static void
put(struct net_resume *r, SSL_SESSION *session)
{
	SSL_SESSION *gone = NULL;

	pthread_mutex_lock(&r->lock);
	if (r->n == KEEP) {
		gone = r->kept[0];
		r->n--;
		for (unsigned i = 0; i < r->n; i++)
			r->kept[i] = r->kept[i + 1];
	}
	r->kept[r->n++] = session;
	pthread_mutex_unlock(&r->lock);
	SSL_SESSION_free(gone);
}

/* OpenSSL has a new session; 1: its reference is ours. */
static int
keep(SSL *ssl, SSL_SESSION *session)
{
	struct net_resume *r = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	if (r->verify && SSL_get_verify_result(ssl) != X509_V_OK)
		return 0;
	/* A session that came of a resumed one has its time, copied with it. */
	if (SSL_session_reused(ssl) != 1 &&
		SSL_SESSION_set_ex_data(session, checked_at, (void *)(intptr_t)time(NULL)) != 1)
		return 0;
	put(r, session);
	return 1;
}

struct net_resume *
net_resume_new(SSL_CTX *ctx, bool verify)
{
	struct net_resume *r = calloc(1, sizeof(*r));

	if (r == NULL)
		abort();
	pthread_once(&once, make_index);
	pthread_mutex_init(&r->lock, NULL);
	r->verify = verify;
	SSL_CTX_set_app_data(ctx, r);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, keep);
	return r;
}

void
net_resume_free(struct net_resume *r)
{
	if (r == NULL)
		return;
	net_resume_forget(r);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

/* The newest, taken out; NULL: none. */
static SSL_SESSION *
take(struct net_resume *r)
{
	SSL_SESSION *s = NULL;

	pthread_mutex_lock(&r->lock);
	if (r->n > 0)
		s = r->kept[--r->n];
	pthread_mutex_unlock(&r->lock);
	return s;
}

static bool
fresh(const SSL_SESSION *s)
{
	int64_t now = time(NULL), age = now - (intptr_t)SSL_SESSION_get_ex_data(s, checked_at);

	return SSL_SESSION_is_resumable(s) == 1 && age >= 0 && age < KEEP_S &&
	       now - SSL_SESSION_get_time(s) < SSL_SESSION_get_timeout(s);
}

void
net_resume_give(struct net_resume *r, SSL *ssl)
{
	SSL_SESSION *s = take(r);

	if (s != NULL && fresh(s) && SSL_set_session(ssl, s) == 1 &&
		SSL_SESSION_get_protocol_version(s) < TLS1_3_VERSION)
		put(r, s);
	else
		SSL_SESSION_free(s);
}

void
net_resume_forget(struct net_resume *r)
{
	SSL_SESSION *s;

	while ((s = take(r)) != NULL)
		SSL_SESSION_free(s);
}
