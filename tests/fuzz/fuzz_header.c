/* A request's target and header lines from a stranger: what is let through has one length, and clean text;
 * what a chain of proxies tells is an address. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "http/framing.h"
#include "http/peer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADERS = 50, LIMIT = 1 << 20 };

/* "Name: value" lines behind the first, which is the target. */
static size_t
split(char *text, struct eas_header *out)
{
	size_t n = 0;

	for (char *line = strchr(text, '\n'); line != NULL && n < HEADERS;) {
		char *next = strchr(line + 1, '\n'), *colon;

		*line++ = '\0';
		if (next != NULL)
			*next = '\0';
		colon = strchr(line, ':');
		if (colon != NULL) {
			*colon = '\0';
			out[n++] = (struct eas_header){ line, colon + 1 + strspn(colon + 1, " ") };
		}
		line = next;
	}
	return n;
}

static unsigned
count(const struct eas_header *h, size_t n, const char *name)
{
	unsigned found = 0;

	for (size_t i = 0; i < n; i++)
		found += str_ieq(h[i].name, name);
	return found;
}

static void
require_sane(const struct eas_header *h, size_t n, const struct http_framing *f)
{
	if (count(h, n, "Content-Length") + count(h, n, "Transfer-Encoding") > 1 ||
		count(h, n, "Authorization") > 1 || count(h, n, "Host") > 1)
		abort();
	if (f->length > LIMIT || (f->chunked && f->length > 0))
		abort();
	for (size_t i = 0; i < n; i++)
		if (strpbrk(h[i].name, " \t\r\n:") != NULL ||
			strpbrk(h[i].value, "\r\n\x7f") != NULL)
			abort();
}

static void
require_address(struct mf_arena *a, const struct eas_header *h, size_t n)
{
	static const char *const list[] = { "10.0.0.0/8", "unix", NULL };
	unsigned char address[16];
	struct http_trust t;
	const char *peer;

	if (http_trust_parse_list(a, "x", list, &t, NULL) != MF_OK)
		abort();
	peer = http_peer_client(a, &t, "10.1.2.3", h, n);
	if (inet_pton(AF_INET, peer, address) != 1 && inet_pton(AF_INET6, peer, address) != 1)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mf_arena *a = mf_arena_new();
	char *text = mf_strndup(a, (const char *)data, size);
	struct eas_header headers[HEADERS];
	struct http_framing framing;
	size_t n = split(text, headers);
	const char *query = NULL, *why, *path;

	if (http_framing_check(headers, n, true, LIMIT, &framing, &why) == 0)
		require_sane(headers, n, &framing);
	else if (why == NULL)
		abort();
	require_address(a, headers, n);
	path = http_target_split(text, &query);
	if (path != NULL && (path[0] != '/' || strchr(path, '?') != NULL || query == NULL))
		abort();
	http_method_valid(text);
	mf_arena_free(a);
	return 0;
}
