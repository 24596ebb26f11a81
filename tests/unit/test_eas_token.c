/* Requests with bearer tokens: the issuer is asked, remembered, away; the mail server has the last word. */
#include <criterion/criterion.h>
#include <string.h>

#include "eas/limits.h"
#include "eas/who.h"
#include "token/token.h"
#include "unit/eas_help.h"
#include "unit/fake_http.h"

static struct gateway g;

static void
begin(const char *url, const char *more)
{
	struct mf_error err = { 0 };
	char text[1000];

	gateway_open(&g);
	conf_free(g.conf);
	backends_close(g.backends);
	snprintf(text, sizeof(text),
		"backends = {\"memory\"}\noauth_introspection = \"%s/check\"\n%s"
		"memory { world = \"%s\" }\n",
		url, more, g.directory);
	must(conf_parse(text, g.tables, &g.conf, &err) == MF_OK, "conf", &err);
	must(backends_open(g.conf, &g.backends, &err) == MF_OK, "backends", &err);
	g.server.conf = conf_top(g.conf);
	g.server.backends = g.backends;
	must(eas_who_validate(g.server.conf, &err) == MF_OK, "validate", &err);
	must(tokens_open(g.server.conf, &g.server.tokens, &err) == MF_OK, "tokens", &err);
	g.server.limits = eas_limits_new(g.server.conf);
	memory_token(g.world, EAS_USER, "t.good");
}

static void
end(void)
{
	tokens_free(g.server.tokens);
	eas_limits_free(g.server.limits);
	gateway_close(&g);
}

static struct eas_request *
options(const char *token)
{
	struct ask q = { .method = "OPTIONS", .user = "" };
	struct eas_request *r = ask_new(&g, &q);

	ask_header(r, (struct eas_header *)(uintptr_t)r->headers, "Authorization",
		mf_printf(r->arena, "Bearer %s", token));
	must(eas_run(r) == EAS_DONE, "waits", NULL);
	return r;
}

static unsigned
status(const char *token)
{
	struct eas_request *r = options(token);
	unsigned http = r->answer.http_status;

	ask_free(r);
	return http;
}

#define ACTIVE(user) "{\"active\":true,\"email\":\"" user "\",\"exp\":9999999999,\"aud\":\"m\"}"

Test(eas_token, introspection, .timeout = 60)
{
	static const struct fake_reply replies[] = {
		{ 200, NULL, NULL, ACTIVE(EAS_USER) },
		{ 200, NULL, NULL, "{\"active\":false}" },
		{ 503, NULL, NULL, "" },
		{ 200, NULL, NULL, "<html>" },
		{ 302, "Location: http://127.0.0.1:1/\r\n", NULL, "" },
		{ 200, NULL, NULL, ACTIVE("nobody@example.org") },
		{ 200, NULL, NULL, "{\"active\":true,\"email\":\"" EAS_USER "\",\"aud\":\"x\"}" },
		{ 0, NULL, NULL, NULL },
	};
	struct fake_http *h = fake_start(replies, 8, 0);
	struct eas_request *r;

	begin(h->url, "oauth_client_id = \"mf\"\noauth_client_secret = \"s3\"\n"
		      "oauth_audience = {\"m\"}\n");
	r = options("t.good");
	cr_assert_eq(r->answer.http_status, 200);
	cr_assert_str_eq(r->user, EAS_USER);
	ask_free(r);
	cr_assert_eq(status("t.good"), 200); /* remembered */
	r = options("t.bad");
	cr_assert_eq(r->answer.http_status, 401);
	cr_assert_not_null(strstr(r->answer.headers[r->answer.n_headers - 1].value,
		"Bearer realm=\"Mailferry\", error=\"invalid_token\""));
	ask_free(r);
	cr_assert_eq(status("t.bad"), 401); /* remembered */
	cr_assert_eq(status("t.other"), 503, "the issuer is down");
	cr_assert_eq(status("t.other"), 503, "an answer that makes no sense");
	cr_assert_eq(status("t.other"), 503, "no redirects");
	cr_assert_eq(status("t.other"), 401, "a user whom the mail server does not know");
	cr_assert_eq(status("t.third"), 401, "another audience");
	cr_assert_eq(status("t.fourth"), 503, "the connection is cut");
	cr_assert_eq(status("t/\"bad\" letters"), 401, "not asked");
	fake_stop(h);
	cr_assert_eq(h->n_requests, 8, "%zu", h->n_requests);
	cr_assert_not_null(strstr(h->requests[0].head, "POST /check HTTP/1.1"));
	cr_assert_not_null(strstr(h->requests[0].head, "Authorization: Basic bWY6czM="));
	cr_assert_eq(memcmp(h->requests[0].body.data,
			     "token=t%2Egood&token_type_hint=access%5Ftoken", 45),
		0);
	fake_free(h);
	end();
}

Test(eas_token, limits, .timeout = 60)
{
	static const struct fake_reply replies[] = { { 200, NULL, NULL, "{\"active\":false}" } };
	struct fake_http *h = fake_start(replies, 1, 0);

	begin(h->url, "login_failures = 3\n");
	for (int i = 0; i < 3; i++) {
		char token[20];

		snprintf(token, sizeof(token), "guess%d", i);
		cr_assert_eq(status(token), 401);
	}
	cr_assert_eq(status("guess9"), 503);
	cr_assert_eq(status("guess1"), 401, "known, so that the phone asks for another");
	fake_stop(h);
	cr_assert_eq(h->n_requests, 3);
	fake_free(h);
	end();
}

Test(eas_token, by_master, .timeout = 60)
{
	static const struct fake_reply replies[] = { { 200, NULL, NULL, ACTIVE(EAS_USER) } };
	struct fake_http *h = fake_start(replies, 1, 0);

	begin(h->url, "oauth_login = master\nmaster_user = \"boss\"\nmaster_password = \"m\"\n");
	memory_user(g.world, "boss", "m");
	cr_assert_eq(status("unknown.to.the.mailserver"), 200);
	fake_stop(h);
	fake_free(h);
	end();
}

Test(eas_token, ways, .timeout = 60)
{
	struct eas_request *r;
	struct ask q = { .method = "OPTIONS" };

	begin("http://127.0.0.1:1", "logins = {\"token\"}\n"
				    "oauth_authorization_url = \"https://id.example/a\"\n");
	r = ask(&g, &q); /* the right password */
	cr_assert_eq(r->answer.http_status, 401);
	cr_assert_str_eq(answer_header(r, "WWW-Authenticate"),
		"Bearer realm=\"Mailferry\", authorization_uri=\"https://id.example/a\"");
	ask_free(r);
	end();
}

Test(eas_token, not_taken, .timeout = 60)
{
	begin("http://127.0.0.1:1", "logins = {\"password\"}\n");
	cr_assert_eq(status("t.good"), 401);
	end();
}

static const struct {
	const char *text, *why;
} settings[] = {
	{ "oauth_jwks = \"https://i/k\"\n", "oauth_issuer" },
	{ "oauth_jwks = \"https://i/k\"\noauth_issuer = \"i\"\n", "oauth_audience" },
	{ "oauth_jwks = \"http://i/k\"\noauth_issuer = \"i\"\noauth_audience = {\"m\"}\n",
		"https://" },
	{ "oauth_introspection = \"http://i/k\"\n", "https://" },
	{ "oauth_introspection = \"https://i/k\"\noauth_jwks = \"/x\"\n", "exclude" },
};

Test(eas_token, settings)
{
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		struct mf_error err = { 0 };
		struct tokens *t;
		struct conf *conf;

		cr_assert_eq(
			conf_parse(settings[i].text, NULL, &conf, &err), MF_OK, "%s", err.text);
		cr_assert_eq(tokens_open(conf_top(conf), &t, &err), MF_INVALID, "%zu", i);
		cr_assert_not_null(strstr(err.text, settings[i].why), "%s", err.text);
		conf_free(conf);
	}
}
