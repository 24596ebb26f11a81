/* Addresses of clients and of the proxies before them. Pure functions. */
#include "http/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

enum { HOPS_MAX = 50 };

static const unsigned char mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

void
http_peer_print(const struct sockaddr *sa, char *out, size_t size)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)sa;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)sa;

	snprintf(out, size, "unix");
	if (sa->sa_family == AF_INET)
		inet_ntop(AF_INET, &in->sin_addr, out, (socklen_t)size);
	else if (sa->sa_family == AF_INET6 && memcmp(&in6->sin6_addr, mapped, 12) == 0)
		inet_ntop(AF_INET, (const char *)&in6->sin6_addr + 12, out, (socklen_t)size);
	else if (sa->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &in6->sin6_addr, out, (socklen_t)size);
}

static bool
parse_address(const char *text, unsigned char out[16], bool *v4)
{
	memcpy(out, mapped, 12);
	*v4 = inet_pton(AF_INET, text, out + 12) == 1;
	return *v4 || inet_pton(AF_INET6, text, out) == 1;
}

static bool
parse_network(const char *text, struct http_network *out)
{
	char address[64];
	const char *slash = strchr(text, '/');
	size_t n = slash == NULL ? strlen(text) : (size_t)(slash - text);
	uint32_t bits;
	bool v4;

	if (n >= sizeof(address))
		return false;
	memcpy(address, text, n);
	address[n] = '\0';
	if (!parse_address(address, out->address, &v4))
		return false;
	out->bits = 128;
	if (slash == NULL)
		return true;
	if (!str_to_u32(slash + 1, v4 ? 32 : 128, &bits))
		return false;
	out->bits = bits + (v4 ? 96 : 0);
	return true;
}

enum mf_status
http_trust_parse_list(struct mf_arena *a, const char *setting, const char *const *list,
	struct http_trust *out, struct mf_error *err)
{
	size_t n = 0;

	while (list[n] != NULL)
		n++;
	*out = (struct http_trust){ .networks = mf_new_array(a, struct http_network, n) };
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i], "unix") == 0)
			out->local = true;
		else if (parse_network(list[i], &out->networks[out->n]))
			out->n++;
		else
			return mf_fail(err, MF_INVALID,
				"%s: \"%s\" is neither an address nor a network", setting, list[i]);
	}
	return MF_OK;
}

enum mf_status
http_trust_parse(struct mf_arena *a, const struct mf_conf *conf, const char *setting,
	struct http_trust *out, struct mf_error *err)
{
	return http_trust_parse_list(a, setting, mf_conf_list(conf, setting), out, err);
}

static bool
contains(const struct http_network *net, const unsigned char address[16])
{
	unsigned whole = net->bits / 8, rest = net->bits % 8;

	if (memcmp(net->address, address, whole) != 0)
		return false;
	return rest == 0 || (net->address[whole] ^ address[whole]) >> (8 - rest) == 0;
}

bool
http_trusted(const struct http_trust *t, const char *peer)
{
	unsigned char address[16];
	bool v4;

	if (strcmp(peer, "unix") == 0)
		return t->local;
	if (!parse_address(peer, address, &v4))
		return false;
	for (size_t i = 0; i < t->n; i++)
		if (contains(&t->networks[i], address))
			return true;
	return false;
}

/* The last hop of a list of addresses; *len shrinks to what stands before it. */
static const char *
last_hop(struct mf_arena *a, const char *list, size_t *len)
{
	size_t end = *len, begin;

	while (end > 0 && strchr(" \t", list[end - 1]) != NULL)
		end--;
	begin = end;
	while (begin > 0 && list[begin - 1] != ',')
		begin--;
	*len = begin > 0 ? begin - 1 : 0;
	while (begin < end && strchr(" \t", list[begin]) != NULL)
		begin++;
	return mf_strndup(a, list + begin, end - begin);
}

const char *
http_peer_client(struct mf_arena *a, const struct http_trust *t, const char *peer,
	const struct eas_header *headers, size_t n)
{
	unsigned hops = 0;

	for (size_t i = n; i-- > 0;) {
		const char *list = headers[i].value;
		size_t len = strlen(list);

		if (!str_ieq(headers[i].name, "X-Forwarded-For"))
			continue;
		while (len > 0 && http_trusted(t, peer) && hops++ < HOPS_MAX) {
			const char *hop = last_hop(a, list, &len);
			unsigned char address[16];
			bool v4;

			if (!parse_address(hop, address, &v4))
				return mf_strdup(a, peer);
			peer = hop;
		}
	}
	return mf_strdup(a, peer);
}

bool
http_peer_forwarded_tls(
	const struct http_trust *t, const char *peer, const struct eas_header *headers, size_t n)
{
	if (!http_trusted(t, peer))
		return false;
	for (size_t i = 0; i < n; i++)
		if (str_ieq(headers[i].name, "X-Forwarded-Proto"))
			return str_ieq(headers[i].value, "https");
	return false;
}
