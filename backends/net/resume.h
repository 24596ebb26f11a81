/*
 * TLS sessions of a server that the next connections resume: a login then needs no certificate, no
 * signature to check. One store for each endpoint: what it holds was made with that endpoint's name,
 * certificates to trust and `verify`, and is good for no other. It says nothing of a user: each connection
 * still logs in.
 */
#ifndef NET_RESUME_H
#define NET_RESUME_H

#include <openssl/ssl.h>
#include <stdbool.h>

struct net_resume;

/* Keeps the sessions of ctx's connections from now on; verify: only those whose certificate was found
 * good. Never NULL. Free it after the last connection of ctx. */
struct net_resume *net_resume_new(SSL_CTX *ctx, bool verify);
void net_resume_free(struct net_resume *r);

/* Gives a connection that is about to begin a session, when there is a fresh one: of TLS 1.3
 * each is given once (RFC 8446, appendix C.4), older ones again. Any thread. */
void net_resume_give(struct net_resume *r, SSL *ssl);

/* Forgets all: a handshake failed, perhaps over them. Any thread. */
void net_resume_forget(struct net_resume *r);

#endif
