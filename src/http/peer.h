/* Who is at the other end: addresses as text, and whose word on forwarded addresses is believed. */
#ifndef HTTP_PEER_H
#define HTTP_PEER_H

#include <stdbool.h>
#include <sys/socket.h>

#include "eas/request.h"
#include "mailferry/error.h"

enum { HTTP_PEER_MAX = 64 };

/* "192.0.2.1", "2001:db8::1" (mapped IPv4 as IPv4), "unix". */
void http_peer_print(const struct sockaddr *sa, char *out, size_t size);

struct http_network {
	unsigned char address[16]; /* IPv6, or IPv4 mapped */
	unsigned bits;		   /* of 128 */
};

struct http_trust {
	struct http_network *networks;
	size_t n;
	bool local; /* "unix": what comes through our own sockets */
};

/* Parses a setting that is a list of addresses and networks; the result is in the arena. MF_INVALID names
 * the setting and the bad one. */
enum mf_status http_trust_parse(struct mf_arena *a, const struct mf_conf *conf, const char *setting,
	struct http_trust *out, struct mf_error *err);
/* The same of a list. */
enum mf_status http_trust_parse_list(struct mf_arena *a, const char *setting,
	const char *const *list, struct http_trust *out, struct mf_error *err);
bool http_trusted(const struct http_trust *t, const char *peer);

/* The client that a chain of trusted proxies tells of (X-Forwarded-For, read from its end to the
 * first address that is not trusted), or the peer itself. In the arena. */
const char *http_peer_client(struct mf_arena *a, const struct http_trust *t, const char *peer,
	const struct eas_header *headers, size_t n);

/* Whether a trusted proxy says that its client came by HTTPS. */
bool http_peer_forwarded_tls(
	const struct http_trust *t, const char *peer, const struct eas_header *headers, size_t n);

#endif
