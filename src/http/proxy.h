/*
 * The PROXY protocol, versions 1 and 2: what a load balancer says in front of a connection's bytes about
 * the client behind it. Pure: whose word is believed, the door knows.
 */
#ifndef HTTP_PROXY_H
#define HTTP_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/peer.h"

/* A header that is longer is refused: addresses, and room for what proxies add about TLS. */
enum { HTTP_PROXY_MAX = 2048 };

enum http_proxy_verdict {
	HTTP_PROXY_MORE, /* it is not whole yet */
	HTTP_PROXY_DONE,
	HTTP_PROXY_BAD, /* it is none, or malformed: the connection is to be closed */
};

struct http_proxied {
	size_t len; /* of the header: what follows is the connection's own */
	char peer
		[HTTP_PEER_MAX]; /* the client's address; "": the proxy speaks for itself (health checks) or
				   * does not know */
	bool tls;		 /* the client came to the proxy by TLS (version 2 only) */
};

/* The first bytes of a connection. *out is set when it is HTTP_PROXY_DONE. */
enum http_proxy_verdict http_proxy_parse(const uint8_t *data, size_t len, struct http_proxied *out);

#endif
