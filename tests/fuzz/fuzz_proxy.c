/* A PROXY header: whatever comes, a header that is taken is whole and names an address or nothing. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "http/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_proxied p, again;
	unsigned char address[16];

	if (http_proxy_parse(data, size, &p) != HTTP_PROXY_DONE)
		return 0;
	if (p.len > size || p.len > HTTP_PROXY_MAX ||
		http_proxy_parse(data, p.len, &again) != HTTP_PROXY_DONE || again.len != p.len)
		abort();
	if (p.peer[0] != '\0' && inet_pton(AF_INET, p.peer, address) != 1 &&
		inet_pton(AF_INET6, p.peer, address) != 1)
		abort();
	return 0;
}
