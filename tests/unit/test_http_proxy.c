/* Headers of the PROXY protocol, whole, in pieces, and malformed. */
#include <criterion/criterion.h>
#include <string.h>

#include "http/proxy.h"

#define V2(command, family) "\r\n\r\n\0\r\nQUIT\n" command family
#define TCP4		    "\xc0\x00\x02\x01\x0a\x00\x00\x01\x30\x39\x01\xbb"
#define TCP6                                         \
	"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x05" \
	"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x06\x30\x39\x01\xbb"
#define LINE_MAX                                                 \
	"PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff " \
	"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"
#define BYTES(s) s, sizeof(s) - 1

static const struct {
	const char *name, *data;
	size_t len;
	enum http_proxy_verdict verdict;
	const char *peer;
	bool tls;
} cases[] = {
	{ "TCP4", BYTES("PROXY TCP4 192.0.2.1 10.0.0.1 12345 443\r\n"), HTTP_PROXY_DONE,
		"192.0.2.1", false },
	{ "TCP6", BYTES("PROXY TCP6 2001:db8::5 2001:db8::6 12345 443\r\n"), HTTP_PROXY_DONE,
		"2001:db8::5", false },
	{ "unknown", BYTES("PROXY UNKNOWN\r\n"), HTTP_PROXY_DONE, "", false },
	{ "longest", BYTES(LINE_MAX), HTTP_PROXY_DONE, "", false },
	{ "too long", BYTES("PROXY UNKNOWN x" LINE_MAX), HTTP_PROXY_BAD, "", false },
	{ "no CR", BYTES("PROXY UNKNOWN\n"), HTTP_PROXY_BAD, "", false },
	{ "wrong family", BYTES("PROXY TCP4 2001:db8::5 10.0.0.1 1 2\r\n"), HTTP_PROXY_BAD, "",
		false },
	{ "no ports", BYTES("PROXY TCP4 192.0.2.1 10.0.0.1\r\n"), HTTP_PROXY_BAD, "", false },
	{ "port", BYTES("PROXY TCP4 192.0.2.1 10.0.0.1 65536 443\r\n"), HTTP_PROXY_BAD, "", false },
	{ "more words", BYTES("PROXY TCP4 192.0.2.1 10.0.0.1 1 443 5\r\n"), HTTP_PROXY_BAD, "",
		false },
	{ "two blanks", BYTES("PROXY TCP4  192.0.2.1 10.0.0.1 1 443\r\n"), HTTP_PROXY_BAD, "",
		false },
	{ "a name", BYTES("PROXY TCP4 localhost 10.0.0.1 1 443\r\n"), HTTP_PROXY_BAD, "", false },
	{ "NUL", BYTES("PROXY TCP4 192.0.2.1\0 10.0.0.1 1 443\r\n"), HTTP_PROXY_BAD, "", false },
	{ "kind", BYTES("PROXY TCP5 192.0.2.1 10.0.0.1 1 443\r\n"), HTTP_PROXY_BAD, "", false },
	{ "lower case", BYTES("proxy TCP4 192.0.2.1 10.0.0.1 1 443\r\n"), HTTP_PROXY_BAD, "",
		false },
	{ "HTTP", BYTES("POST / HTTP/1.1\r\n"), HTTP_PROXY_BAD, "", false },
	{ "TLS", BYTES("\x16\x03\x01\x02"), HTTP_PROXY_BAD, "", false },
	{ "v2 TCP4", BYTES(V2("\x21", "\x11") "\x00\x0c" TCP4), HTTP_PROXY_DONE, "192.0.2.1",
		false },
	{ "v2 TCP6", BYTES(V2("\x21", "\x21") "\x00\x24" TCP6), HTTP_PROXY_DONE, "2001:db8::5",
		false },
	{ "v2 TLS",
		BYTES(V2("\x21", "\x11") "\x00\x17" TCP4 "\x04\x00\x00"
					 "\x20\x00\x05\x01\0\0\0\0"),
		HTTP_PROXY_DONE, "192.0.2.1", true },
	{ "v2 local", BYTES(V2("\x20", "\x11") "\x00\x0c" TCP4), HTTP_PROXY_DONE, "", false },
	{ "v2 unspecified",
		BYTES(V2("\x21", "\x00") "\x00\x02"
					 "xx"),
		HTTP_PROXY_DONE, "", false },
	{ "v2 command", BYTES(V2("\x22", "\x11") "\x00\x0c" TCP4), HTTP_PROXY_BAD, "", false },
	{ "v3", BYTES(V2("\x31", "\x11") "\x00\x0c" TCP4), HTTP_PROXY_BAD, "", false },
	{ "v2 short",
		BYTES(V2("\x21", "\x11") "\x00\x04"
					 "abcd"),
		HTTP_PROXY_BAD, "", false },
	{ "v2 huge", BYTES(V2("\x21", "\x11") "\xff\xff" TCP4), HTTP_PROXY_BAD, "", false },
	{ "v2 broken rest", BYTES(V2("\x21", "\x11") "\x00\x0f" TCP4 "\x20\x00\x05"),
		HTTP_PROXY_BAD, "", false },
	{ "v2 broken end", BYTES(V2("\x21", "\x11") "\x00\x0d" TCP4 "\x20"), HTTP_PROXY_BAD, "",
		false },
};

Test(http_proxy, headers)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_proxied p;
		char with[600];

		memcpy(with, cases[i].data, cases[i].len);
		memset(with + cases[i].len, 'G', 20);
		cr_assert_eq(http_proxy_parse((const uint8_t *)with, cases[i].len + 20, &p),
			cases[i].verdict, "%s", cases[i].name);
		if (cases[i].verdict != HTTP_PROXY_DONE)
			continue;
		cr_assert_eq(p.len, cases[i].len, "%s: %zu", cases[i].name, p.len);
		cr_assert_str_eq(p.peer, cases[i].peer, "%s: %s", cases[i].name, p.peer);
		cr_assert_eq(p.tls, cases[i].tls, "%s", cases[i].name);
		for (size_t n = 0; n < cases[i].len; n++)
			cr_assert_eq(http_proxy_parse((const uint8_t *)cases[i].data, n, &p),
				HTTP_PROXY_MORE, "%s: %zu bytes", cases[i].name, n);
	}
}
