/* Addresses: those to listen at, and those of peers that are trusted to tell the client's. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/log.h"
#include "conf/conf.h"
#include "http/peer.h"
#include "http/server.h"

Test(http_peer, bad_addresses)
{
	static const struct http_route routes[] = { { 0 } };
	static struct eas_server eas;
	static const char *const bad[] = { "nowhere", "127.0.0.1:99999", "::1:80", "[::1]",
		"x y:80", "unix:relative", "unix:/no/such/dir/s", "192.0.2.1:80", "127.0.0.1:-1",
		"" };

	log_set_level(MF_LOG_ERROR);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct mf_error err = { 0 };
		struct http_server *server = NULL;
		struct conf *conf = NULL;
		char text[200];

		snprintf(text, sizeof(text), "backends = {}\nlisten = {\"%s\"}\n", bad[i]);
		cr_assert_eq(conf_parse(text, NULL, &conf, &err), MF_OK);
		cr_assert_eq(http_server_open(conf_top(conf), &http_public, routes, &eas, NULL,
				     &server, &err),
			MF_INVALID, "%s", bad[i]);
		conf_free(conf);
	}
}

Test(http_peer, trust)
{
	static const char *const list[] = { "10.0.0.0/8", "2001:db8::/33", "192.0.2.1", NULL };
	static const char *const bad[] = { "10.0.0.0/33", "x", "::/129", "1.2.3", "", "1.2.3.4/" };
	static const struct {
		const char *peer, *forwarded, *client;
	} cases[] = {
		{ "9.9.9.9", "1.1.1.1", "9.9.9.9" },
		{ "10.1.2.3", "1.1.1.1", "1.1.1.1" },
		{ "10.1.2.3", "5.5.5.5, 1.1.1.1, 192.0.2.1", "1.1.1.1" },
		{ "10.1.2.3", "10.0.0.9,10.0.0.8", "10.0.0.9" },
		{ "2001:db8:7fff::1", "2001:db8:8000::1, 10.9.9.9", "2001:db8:8000::1" },
		{ "10.1.2.3", "nonsense", "10.1.2.3" },
		{ "10.1.2.3", "1.1.1.1, <script>", "10.1.2.3" },
		{ "10.1.2.3", " , ,", "10.1.2.3" },
		{ "10.1.2.3", "", "10.1.2.3" },
	};
	struct mf_arena *arena = mf_arena_new();
	struct http_trust t;

	cr_assert_eq(http_trust_parse_list(arena, "x", list, &t, NULL), MF_OK);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct eas_header h = { "x-forwarded-for", cases[i].forwarded };

		cr_assert_str_eq(http_peer_client(arena, &t, cases[i].peer, &h, 1), cases[i].client,
			"%s", cases[i].forwarded);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *one[] = { bad[i], NULL };

		cr_assert_eq(
			http_trust_parse_list(arena, "x", one, &t, NULL), MF_INVALID, "%s", bad[i]);
	}
	mf_arena_free(arena);
}
