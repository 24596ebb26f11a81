/* Knows the two forms of the header (proxy-protocol.txt, 2.1 and 2.2); no socket. */
#include "http/proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

enum {
	V1_MAX = 107, /* with CR LF */
	V2_FIXED = 16,
	V2_TCP4 = 0x11,
	V2_TCP6 = 0x21,
	V2_TCP4_LEN = 12,
	V2_TCP6_LEN = 36,
	TLV_SSL = 0x20,
	TLV_CLIENT_SSL = 0x01
};

static const uint8_t signature[] = { 0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49,
	0x54, 0x0a };
static const char word[] = "PROXY ";

/* Both as far as they go. */
static bool
agrees(const uint8_t *data, size_t len, const void *with, size_t n)
{
	return memcmp(data, with, len < n ? len : n) == 0;
}

/* ---- Version 1: a line of text ---- */

/* The next word of *line, ended in place; one blank stands between two. NULL: none. */
static char *
next(char **line)
{
	char *begin = *line, *end = strchr(begin, ' ');

	if (*begin == '\0' || *begin == ' ')
		return NULL;
	*line = end == NULL ? begin + strlen(begin) : end + 1;
	if (end != NULL)
		*end = '\0';
	return begin;
}

static bool
print_address(int family, const char *text, char out[HTTP_PEER_MAX])
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	bool six = family == AF_INET6;

	if (inet_pton(family, text, six ? (void *)&in6.sin6_addr : (void *)&in.sin_addr) != 1)
		return false;
	http_peer_print(six ? (struct sockaddr *)&in6 : (struct sockaddr *)&in, out, HTTP_PEER_MAX);
	return true;
}

static bool
parse_line(char *line, struct http_proxied *out)
{
	char *kind = next(&line), *from, *to, *ports[2];
	char ignored[HTTP_PEER_MAX];
	uint32_t port;
	int family;

	if (kind != NULL && strcmp(kind, "UNKNOWN") == 0)
		return true; /* whatever follows */
	if (kind == NULL || (strcmp(kind, "TCP4") != 0 && strcmp(kind, "TCP6") != 0))
		return false;
	family = kind[3] == '4' ? AF_INET : AF_INET6;
	from = next(&line);
	to = next(&line);
	ports[0] = next(&line);
	ports[1] = next(&line);
	return from != NULL && to != NULL && ports[0] != NULL && ports[1] != NULL &&
	       *line == '\0' && print_address(family, to, ignored) &&
	       print_address(family, from, out->peer) && str_to_u32(ports[0], 65535, &port) &&
	       str_to_u32(ports[1], 65535, &port);
}

static enum http_proxy_verdict
parse_v1(const uint8_t *data, size_t len, struct http_proxied *out)
{
	size_t max = len < V1_MAX ? len : V1_MAX;
	const uint8_t *end = memchr(data, '\n', max);
	char line[V1_MAX];
	size_t n = end == NULL ? 0 : (size_t)(end - data);

	if (end == NULL)
		return len < V1_MAX ? HTTP_PROXY_MORE : HTTP_PROXY_BAD;
	out->len = n + 1;
	if (data[n - 1] != '\r' || memchr(data, '\0', n) != NULL)
		return HTTP_PROXY_BAD;
	memcpy(line, data, n - 1);
	line[n - 1] = '\0';
	return parse_line(line + sizeof(word) - 1, out) ? HTTP_PROXY_DONE : HTTP_PROXY_BAD;
}

/* ---- Version 2: bytes ---- */

/* Type, length, value, one behind another. */
static bool
parse_tlvs(const uint8_t *data, size_t len, struct http_proxied *out)
{
	while (len > 0) {
		size_t n = len < 3 ? len : (size_t)(data[1] << 8 | data[2]);

		if (len < 3 || n > len - 3)
			return false;
		if (data[0] == TLV_SSL && n >= 5)
			out->tls = (data[3] & TLV_CLIENT_SSL) != 0;
		data += 3 + n;
		len -= 3 + n;
	}
	return true;
}

static bool
parse_addresses(uint8_t family, const uint8_t *data, size_t len, struct http_proxied *out)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	size_t used = 0;

	if (family == V2_TCP4 && len >= V2_TCP4_LEN) {
		memcpy(&in.sin_addr, data, sizeof(in.sin_addr));
		http_peer_print((struct sockaddr *)&in, out->peer, sizeof(out->peer));
		used = V2_TCP4_LEN;
	} else if (family == V2_TCP6 && len >= V2_TCP6_LEN) {
		memcpy(&in6.sin6_addr, data, sizeof(in6.sin6_addr));
		http_peer_print((struct sockaddr *)&in6, out->peer, sizeof(out->peer));
		used = V2_TCP6_LEN;
	} else {
		return family != V2_TCP4 && family != V2_TCP6; /* others tell no address */
	}
	return parse_tlvs(data + used, len - used, out);
}

static enum http_proxy_verdict
parse_v2(const uint8_t *data, size_t len, struct http_proxied *out)
{
	size_t rest;

	if (len < V2_FIXED)
		return HTTP_PROXY_MORE;
	rest = (size_t)(data[14] << 8 | data[15]);
	if (data[12] >> 4 != 2 || (data[12] & 0xf) > 1 || V2_FIXED + rest > HTTP_PROXY_MAX)
		return HTTP_PROXY_BAD;
	if (len < V2_FIXED + rest)
		return HTTP_PROXY_MORE;
	out->len = V2_FIXED + rest;
	if ((data[12] & 0xf) == 0) /* LOCAL: the proxy itself */
		return HTTP_PROXY_DONE;
	return parse_addresses(data[13], data + V2_FIXED, rest, out) ? HTTP_PROXY_DONE
								     : HTTP_PROXY_BAD;
}

enum http_proxy_verdict
http_proxy_parse(const uint8_t *data, size_t len, struct http_proxied *out)
{
	*out = (struct http_proxied){ .len = 0 };
	if (len == 0)
		return HTTP_PROXY_MORE;
	if (agrees(data, len, signature, sizeof(signature)))
		return parse_v2(data, len, out);
	if (agrees(data, len, word, sizeof(word) - 1))
		return len < sizeof(word) ? HTTP_PROXY_MORE : parse_v1(data, len, out);
	return HTTP_PROXY_BAD;
}
