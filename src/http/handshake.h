/*
 * Which certificate a TLS handshake shows: the newest that was loaded, so that one can be replaced
 * without a restart. One for the process.
 */
#ifndef HTTP_HANDSHAKE_H
#define HTTP_HANDSHAKE_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include "http/certificate.h"

/* From now on handshakes show this. Those before stay in memory: a handshake may still use them. */
enum mf_status http_handshake_use(const struct http_certificate *c, struct mf_error *err);
/* When no handshake is possible any more. */
void http_handshake_forget(void);

/* The library's callback. */
int http_handshake_certificate(gnutls_session_t session, const gnutls_datum_t *req_ca_dn, int nreqs,
	const gnutls_pk_algorithm_t *pk_algos, int pk_algos_length, gnutls_pcert_st **pcert,
	unsigned int *pcert_length, gnutls_privkey_t *key);

#endif
