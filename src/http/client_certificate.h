/*
 * Certificates of clients: asked for in the handshake when there are roots to check them by, wanted of
 * nobody (MS-ASHTTP 2.2.1.1.2.2: without one the handshake is completed all the same); or shown by a trusted proxy in
 * a header (setting client_certificate_header). One set of roots for the process, which can be replaced while it runs.
 */
#ifndef HTTP_CLIENT_CERTIFICATE_H
#define HTTP_CLIENT_CERTIFICATE_H

#include <gnutls/gnutls.h>

#include "mailferry/arena.h"
#include "mailferry/conf.h"
#include "mailferry/error.h"

/* Reads the file of the setting client_certificates: roots, and lists of revoked certificates if it has
 * any, all in PEM; nothing is done when the setting is empty. MF_INVALID: nothing that can be used; the
 * former roots stay. */
enum mf_status http_client_roots_load(const struct mf_conf *conf, struct mf_error *err);
/* The text that was read first, for the library; NULL: no certificates are asked for. Lives until
 * http_client_roots_forget. */
const char *http_client_roots_pem(void);
/* When no connection is left. */
void http_client_roots_forget(void);

/* The user's name that the client's certificate holds (setting client_certificate_name), to be freed; NULL:
 * it showed none, or none that is good. Why, is logged. */
char *http_client_certified(gnutls_session_t session, const struct mf_conf *conf, const char *peer);

/* The same for a certificate that a proxy shows, which has ended TLS: PEM, with its line ends, with blanks in their
 * place, or percent-encoded (nginx, Apache), or base64 of DER (HAProxy, Caddy; between colons: RFC 9440). Whether it
 * leads to one of our roots is looked at here, not believed. */
char *http_client_shown(const char *text, const struct mf_conf *conf, const char *peer);

#endif
