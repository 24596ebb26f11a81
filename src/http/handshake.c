/* Knows GnuTLS's form of a certificate; where the files are, server.c knows. */
#include "http/handshake.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct shown {
	gnutls_pcert_st chain[HTTP_CHAIN_MAX];
	unsigned n;
	gnutls_privkey_t key;
	struct shown *older;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct shown *newest; /* under the lock */

static gnutls_datum_t
datum(const char *pem)
{
	return (gnutls_datum_t){ (unsigned char *)(uintptr_t)pem, (unsigned)strlen(pem) };
}

static void
release(struct shown *s)
{
	for (unsigned i = 0; i < s->n; i++)
		gnutls_pcert_deinit(&s->chain[i]);
	gnutls_privkey_deinit(s->key);
	free(s);
}

enum mf_status
http_handshake_use(const struct http_certificate *c, struct mf_error *err)
{
	struct shown *s = calloc(1, sizeof(*s));
	gnutls_datum_t chain = datum(c->chain_pem), key = datum(c->key_pem);
	unsigned n = HTTP_CHAIN_MAX;
	int rc;

	if (s == NULL || gnutls_privkey_init(&s->key) != 0)
		abort();
	rc = gnutls_pcert_list_import_x509_raw(s->chain, &n, &chain, GNUTLS_X509_FMT_PEM, 0);
	if (rc == 0) {
		s->n = n;
		rc = gnutls_privkey_import_x509_raw(s->key, &key, GNUTLS_X509_FMT_PEM, NULL, 0);
	}
	if (rc != 0) {
		release(s);
		return mf_fail(err, MF_INVALID, "certificate or key: %s", gnutls_strerror(rc));
	}
	pthread_mutex_lock(&lock);
	s->older = newest;
	newest = s;
	pthread_mutex_unlock(&lock);
	return MF_OK;
}

void
http_handshake_forget(void)
{
	pthread_mutex_lock(&lock);
	while (newest != NULL) {
		struct shown *older = newest->older;

		release(newest);
		newest = older;
	}
	pthread_mutex_unlock(&lock);
}

int
http_handshake_certificate(gnutls_session_t session, const gnutls_datum_t *req_ca_dn, int nreqs,
	const gnutls_pk_algorithm_t *pk_algos, int pk_algos_length, gnutls_pcert_st **pcert,
	unsigned int *pcert_length, gnutls_privkey_t *key)
{
	(void)session;
	(void)req_ca_dn;
	(void)nreqs;
	(void)pk_algos;
	(void)pk_algos_length;
	pthread_mutex_lock(&lock);
	struct shown *s = newest;
	pthread_mutex_unlock(&lock);
	if (s == NULL)
		return -1;
	*pcert = s->chain;
	*pcert_length = s->n;
	*key = s->key;
	return 0;
}
