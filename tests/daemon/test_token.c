/* Bearer tokens at the running daemon, with an issuer on loopback: its keys, their rotation, and what forgers try. */
#include <criterion/criterion.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <signal.h>
#include <time.h>

#include "base/str.h"
#include "daemon/daemon.h"
#include "unit/fake_http.h"
#include "unit/http_client.h"

static struct daemon d;
static struct mf_arena *a;
static EVP_PKEY *one, *two;

/* ---- The issuer's side ---- */

static const char *
url64(const void *data, size_t len)
{
	char *s = str_base64(a, data, len);

	for (char *p = s; *p != '\0'; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p == '=' ? '\0' : *p;
	return s;
}

static const char *
number(EVP_PKEY *k, const char *name)
{
	BIGNUM *n = NULL;
	uint8_t bytes[600];
	const char *s;

	cr_assert_eq(EVP_PKEY_get_bn_param(k, name, &n), 1);
	s = url64(bytes, (size_t)BN_bn2bin(n, bytes));
	BN_free(n);
	return s;
}

static const char *
jwks(EVP_PKEY *k, const char *kid)
{
	return mf_printf(a,
		"{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"%s\",\"use\":\"sig\",\"alg\":\"RS256\","
		"\"n\":\"%s\","
		"\"e\":\"%s\"}]}",
		kid, number(k, OSSL_PKEY_PARAM_RSA_N), number(k, OSSL_PKEY_PARAM_RSA_E));
}

static const char *
signed_by(EVP_PKEY *k, const char *data)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	uint8_t sig[600];
	size_t len = sizeof(sig);

	cr_assert_eq(EVP_DigestSignInit_ex(c, NULL, "SHA256", NULL, NULL, k, NULL), 1);
	cr_assert_eq(EVP_DigestSign(c, sig, &len, (const uint8_t *)data, strlen(data)), 1);
	EVP_MD_CTX_free(c);
	return url64(sig, len);
}

/* What a forger does who has nothing but the public key: uses it as the secret of an HMAC. */
static const char *
signed_with_public(EVP_PKEY *k, const char *data)
{
	BIO *b = BIO_new(BIO_s_mem());
	uint8_t mac[64];
	unsigned len = 0;
	char *pem;
	long n;

	PEM_write_bio_PUBKEY(b, k);
	n = BIO_get_mem_data(b, &pem);
	HMAC(EVP_sha256(), pem, (int)n, (const uint8_t *)data, strlen(data), mac, &len);
	BIO_free(b);
	return url64(mac, len);
}

enum by { BY_ONE, BY_TWO, BY_PUBLIC, BY_NOBODY };

static const char *
token(const char *alg, const char *kid, enum by by, const char *claims)
{
	const char *header =
		mf_printf(a, "{\"typ\":\"JWT\",\"alg\":\"%s\",\"kid\":\"%s\"}", alg, kid);
	const char *data =
		mf_printf(a, "%s.%s", url64(header, strlen(header)), url64(claims, strlen(claims)));

	return mf_printf(a, "%s.%s", data,
		by == BY_NOBODY	  ? ""
		: by == BY_PUBLIC ? signed_with_public(one, data)
				  : signed_by(by == BY_ONE ? one : two, data));
}

static const char *
claims(const char *iss, const char *aud, const char *sub, int seconds)
{
	return mf_printf(a, "{\"iss\":\"%s\",\"aud\":\"%s\",\"sub\":\"%s\",\"exp\":%lld}", iss, aud,
		sub, (long long)time(NULL) + seconds);
}

/* ---- The phone's side ---- */

static int
status(const char *bearer)
{
	static struct client c;
	static struct client_answer answer;

	client_open(&c, d.port);
	client_says(&c, "OPTIONS /Microsoft-Server-ActiveSync HTTP/1.1\r\nHost: x\r\n"
			"Authorization: Bearer ");
	client_says(&c, bearer);
	client_says(&c, "\r\n\r\n");
	client_answer(&c, &answer, 30000);
	close(c.fd);
	cr_assert(answer.status != 401 || strstr(answer.header, "error=\"invalid_token\"") != NULL,
		"%s", answer.header);
	return answer.status;
}

static void
start(const char *settings)
{
	daemon_init(&d);
	daemon_configure(&d, settings);
	daemon_start(&d, -1);
	cr_assert(daemon_ready(&d), "%s", daemon_read(&d, "log"));
}

static void
stop(const char *never)
{
	kill(d.pid, SIGTERM);
	cr_assert_eq(daemon_wait(&d, 20000), 0, "%s", daemon_read(&d, "log"));
	cr_assert_null(strstr(daemon_read(&d, "log"), never), "a token in the log");
	daemon_deinit(&d);
}

#define MASTER                                                                      \
	"oauth_login = master\nmaster_user = \"u\"\nmaster_password = \"secret\"\n" \
	"oauth_user_claim = \"sub\"\nlogin_failures = 1000\n"

#define ISS "https://id.example"

static void
forgeries(void)
{
	const char *good = claims(ISS, "mf", "u", 600);
	const struct {
		const char *name, *token;
		int status;
	} cases[] = {
		{ "good", token("RS256", "1", BY_ONE, good), 200 },
		{ "another issuer",
			token("RS256", "1", BY_ONE, claims("https://id.test", "mf", "u", 600)),
			401 },
		{ "another audience", token("RS256", "1", BY_ONE, claims(ISS, "web", "u", 600)),
			401 },
		{ "expired", token("RS256", "1", BY_ONE, claims(ISS, "mf", "u", -600)), 401 },
		{ "no signature", token("none", "1", BY_NOBODY, good), 401 },
		{ "none, in capitals", token("NONE", "1", BY_NOBODY, good), 401 },
		{ "an empty signature", token("RS256", "1", BY_NOBODY, good), 401 },
		{ "HMAC with the public key", token("HS256", "1", BY_PUBLIC, good), 401 },
		{ "another key under this name", token("RS256", "1", BY_TWO, good), 401 },
		{ "another algorithm", token("PS256", "1", BY_ONE, good), 401 },
		{ "a key that nobody has", token("RS256", "9", BY_TWO, good), 401 },
		{ "nobody's", token("RS256", "1", BY_ONE, claims(ISS, "mf", "ghost", 600)), 401 },
		{ "no token", "abc", 401 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int got = status(cases[i].token);

		cr_assert_eq(got, cases[i].status, "%s: %d\n%s", cases[i].name, got,
			daemon_read(&d, "log"));
	}
}

/* The issuer has other keys from now on: they are asked for again within a minute or so of the first unknown one. */
static void
rotation(void)
{
	const char *old = token("RS256", "1", BY_ONE, claims(ISS, "mf", "u", 601));
	int got = 0;

	for (int i = 0; i < 300 && got != 200; i++) {
		got = status(token("RS256", "2", BY_TWO, claims(ISS, "mf", "u", 600 + i)));
		if (got != 200)
			usleep(500000);
	}
	cr_assert_eq(got, 200, "the new key: %d\n%s", got, daemon_read(&d, "log"));
	cr_assert_eq(status(old), 401, "a key that was withdrawn");
}

Test(token, by_keys, .timeout = 240)
{
	struct fake_reply replies[2] = { { .status = 200 }, { .status = 200 } };
	struct fake_http *issuer;

	a = mf_arena_new();
	one = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	two = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	replies[0].raw = jwks(one, "1");
	replies[1].raw = jwks(two, "2");
	issuer = fake_start(replies, 2, 0);
	start(mf_printf(a,
		MASTER "oauth_jwks = \"%s/keys\"\noauth_issuer = \"" ISS "\"\n"
		       "oauth_audience = {\"mf\"}\n",
		issuer->url));
	forgeries();
	cr_assert_eq(issuer->n_requests, 1, "%zu", issuer->n_requests);
	rotation();
	cr_assert_eq(issuer->n_requests, 2, "%zu", issuer->n_requests);
	stop(token("RS256", "1", BY_ONE, ""));
	fake_stop(issuer);
	fake_free(issuer);
	EVP_PKEY_free(one);
	EVP_PKEY_free(two);
	mf_arena_free(a);
}

#define ACTIVE "{\"active\":true,\"sub\":\"u\",\"aud\":\"mf\",\"exp\":9999999999}"

/* The issuer is asked about each token once; while it cannot say, nobody is told that a token is wrong. */
Test(token, by_asking, .timeout = 120)
{
	static const struct fake_reply replies[] = { { 200, NULL, NULL, ACTIVE },
		{ 200, NULL, NULL, "{\"active\":false}" }, { 0, NULL, NULL, NULL },
		{ 500, NULL, NULL, "" }, { 200, NULL, NULL, ACTIVE } };
	struct fake_http *issuer = fake_start(replies, 5, 0);

	a = mf_arena_new();
	start(mf_printf(a, MASTER "oauth_introspection = \"%s/ask\"\n", issuer->url));
	cr_assert_eq(status("t0ken-good"), 200, "%s", daemon_read(&d, "log"));
	cr_assert_eq(status("t0ken-good"), 200);
	cr_assert_eq(status("t0ken-bad"), 401);
	cr_assert_eq(status("t0ken-bad"), 401);
	cr_assert_eq(status("t0ken-later"), 503, "the issuer hangs up");
	cr_assert_eq(status("t0ken-later"), 503, "the issuer fails");
	cr_assert_eq(status("t0ken-later"), 200);
	cr_assert_eq(issuer->n_requests, 5, "%zu", issuer->n_requests);
	stop("t0ken");
	fake_stop(issuer);
	fake_free(issuer);
	mf_arena_free(a);
}
