/* JWTs: signatures of each kind under keys made here, and every claim that may not hold. */
#include <criterion/criterion.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "token/jwt.h"

static struct mf_arena *a;

static const char *
url64(const void *data, size_t len)
{
	char *s = str_base64(a, data, len);

	for (char *p = s; *p != '\0'; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p == '=' ? '\0' : *p;
	return s;
}

static const char *
bignum(EVP_PKEY *k, const char *name, size_t width)
{
	BIGNUM *n = NULL;
	uint8_t bytes[1024];
	const char *s;

	cr_assert_eq(EVP_PKEY_get_bn_param(k, name, &n), 1);
	if (width == 0)
		width = (size_t)BN_num_bytes(n);
	cr_assert_gt(BN_bn2binpad(n, bytes, (int)width), 0);
	s = url64(bytes, width);
	BN_free(n);
	return s;
}

static const char *
rsa_jwk(EVP_PKEY *k, const char *kid)
{
	return mf_printf(a,
		"{\"kty\":\"RSA\",\"kid\":\"%s\",\"use\":\"sig\",\"n\":\"%s\",\"e\":\"%s\"}", kid,
		bignum(k, OSSL_PKEY_PARAM_RSA_N, 0), bignum(k, OSSL_PKEY_PARAM_RSA_E, 0));
}

static const char *
ec_jwk(EVP_PKEY *k, const char *kid, const char *crv, size_t width)
{
	return mf_printf(a,
		"{\"kty\":\"EC\",\"kid\":\"%s\",\"crv\":\"%s\",\"x\":\"%s\",\"y\":\"%s\"}", kid,
		crv, bignum(k, OSSL_PKEY_PARAM_EC_PUB_X, width),
		bignum(k, OSSL_PKEY_PARAM_EC_PUB_Y, width));
}

static const char *
ed_jwk(EVP_PKEY *k, const char *kid)
{
	uint8_t raw[32];
	size_t len = sizeof(raw);

	cr_assert_eq(EVP_PKEY_get_raw_public_key(k, raw, &len), 1);
	return mf_printf(a, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"%s\",\"x\":\"%s\"}",
		kid, url64(raw, len));
}

/* DER to the two numbers side by side. */
static size_t
to_raw(uint8_t *sig, size_t len, size_t width)
{
	const uint8_t *p = sig;
	ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &p, (long)len);

	BN_bn2binpad(ECDSA_SIG_get0_r(s), sig, (int)width);
	BN_bn2binpad(ECDSA_SIG_get0_s(s), sig + width, (int)width);
	ECDSA_SIG_free(s);
	return 2 * width;
}

static const char *
sign(EVP_PKEY *k, const char *digest, bool pss, size_t width, const char *header,
	const char *claims)
{
	const char *data =
		mf_printf(a, "%s.%s", url64(header, strlen(header)), url64(claims, strlen(claims)));
	uint8_t sig[1024];
	size_t len = sizeof(sig);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY_CTX *p;

	cr_assert_eq(EVP_DigestSignInit_ex(c, &p, digest, NULL, NULL, k, NULL), 1);
	if (pss) {
		EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_PSS_PADDING);
		EVP_PKEY_CTX_set_rsa_pss_saltlen(p, RSA_PSS_SALTLEN_DIGEST);
	}
	cr_assert_eq(EVP_DigestSign(c, sig, &len, (const uint8_t *)data, strlen(data)), 1);
	EVP_MD_CTX_free(c);
	if (width > 0)
		len = to_raw(sig, len, width);
	return mf_printf(a, "%s.%s", data, url64(sig, len));
}

static const char *const audiences[] = { "mailferry", "other", NULL };
static const struct token_policy policy = {
	.issuer = "https://id.example", .audiences = audiences, .scope = "", .user_claim = "email"
};

static enum mf_status
check(const struct jwk_set *set, const char *token, const struct token_policy *p,
	struct token_owner *owner)
{
	struct mf_error err = { 0 };
	struct jwt jwt;
	enum mf_status st = jwt_parse(a, token, &jwt, &err);

	return st == MF_OK ? jwt_check(a, &jwt, set, p, owner, &err) : st;
}

static const char *
good_claims(void)
{
	return mf_printf(a,
		"{\"iss\":\"https://id.example\",\"aud\":\"mailferry\",\"exp\":%lld,"
		"\"email\":\"anna@example.org\"}",
		(long long)clock_wall() + 600);
}

struct pair {
	const char *alg, *digest;
	bool pss;
	size_t width;
	EVP_PKEY *key;
};

Test(token_jwt, signatures, .timeout = 60)
{
	EVP_PKEY *rsa, *p256, *p384, *p521, *ed;
	struct jwk_set *set;
	struct token_owner owner;
	struct mf_error err = { 0 };
	const char *json;

	a = mf_arena_new();
	rsa = EVP_RSA_gen(2048);
	p256 = EVP_EC_gen("P-256");
	p384 = EVP_EC_gen("P-384");
	p521 = EVP_EC_gen("P-521");
	ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	json = mf_printf(a, "{\"keys\":[%s,%s,%s,%s,%s,{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}]}",
		rsa_jwk(rsa, "k"), ec_jwk(p256, "k", "P-256", 32), ec_jwk(p384, "k", "P-384", 48),
		ec_jwk(p521, "k", "P-521", 66), ed_jwk(ed, "k"));
	cr_assert_eq(
		jwk_set_parse(mf_bytes(json, strlen(json)), &set, &err), MF_OK, "%s", err.text);
	const struct pair pairs[] = {
		{ "RS256", "SHA256", false, 0, rsa },
		{ "RS384", "SHA384", false, 0, rsa },
		{ "RS512", "SHA512", false, 0, rsa },
		{ "PS256", "SHA256", true, 0, rsa },
		{ "PS384", "SHA384", true, 0, rsa },
		{ "PS512", "SHA512", true, 0, rsa },
		{ "ES256", "SHA256", false, 32, p256 },
		{ "ES384", "SHA384", false, 48, p384 },
		{ "ES512", "SHA512", false, 66, p521 },
		{ "EdDSA", NULL, false, 0, ed },
	};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		const struct pair *p = &pairs[i];
		const char *header = mf_printf(a, "{\"alg\":\"%s\",\"kid\":\"k\"}", p->alg);
		char *token = mf_strdup(
			a, sign(p->key, p->digest, p->pss, p->width, header, good_claims()));

		cr_assert_eq(check(set, token, &policy, &owner), MF_OK, "%s", p->alg);
		cr_assert_str_eq(owner.user, "anna@example.org");
		/* Without an id any key of the kind; another id is another key. */
		header = mf_printf(a, "{\"alg\":\"%s\"}", p->alg);
		cr_assert_eq(
			check(set, sign(p->key, p->digest, p->pss, p->width, header, good_claims()),
				&policy, &owner),
			MF_OK, "%s", p->alg);
		header = mf_printf(a, "{\"alg\":\"%s\",\"kid\":\"j\"}", p->alg);
		cr_assert_eq(
			check(set, sign(p->key, p->digest, p->pss, p->width, header, good_claims()),
				&policy, &owner),
			MF_AUTH, "%s", p->alg);
		/* A letter of the signature, of the claims. */
		size_t at = strlen(token) - 30;
		token[at] = token[at] == 'A' ? 'B' : 'A';
		cr_assert_eq(check(set, token, &policy, &owner), MF_AUTH, "%s", p->alg);
	}
	/* RS256's key is not to be used by another algorithm's name, nor none, nor a shared secret. */
	static const char *const names[] = { "none", "None", "HS256", "ES256", "PS256", "", "RS1" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *header = mf_printf(a, "{\"alg\":\"%s\",\"kid\":\"k\"}", names[i]);

		cr_assert_eq(check(set, sign(rsa, "SHA256", false, 0, header, good_claims()),
				     &policy, &owner),
			MF_AUTH, "%s", names[i]);
	}
	const char *unsigned_token = mf_printf(a, "%s.%s.", url64("{\"alg\":\"none\"}", 14),
		url64(good_claims(), strlen(good_claims())));
	cr_assert_eq(check(set, unsigned_token, &policy, &owner), MF_AUTH);
	/* A header that must be understood. */
	cr_assert_eq(check(set,
			     sign(rsa, "SHA256", false, 0,
				     "{\"alg\":\"RS256\",\"crit\":[\"b64\"],\"b64\":false}",
				     good_claims()),
			     &policy, &owner),
		MF_AUTH);
	jwk_set_free(set);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(p256);
	EVP_PKEY_free(p384);
	EVP_PKEY_free(p521);
	EVP_PKEY_free(ed);
	mf_arena_free(a);
}

/* NOW stands for the time of the check. */
static const struct {
	const char *name, *iss, *aud;
	int exp, nbf;
	const char *more;
	enum mf_status status;
} claims[] = {
	{ "good", "https://id.example", "\"mailferry\"", 600, 0, "", MF_OK },
	{ "of a list", "https://id.example", "[\"x\",\"other\"]", 600, -5, "", MF_OK },
	{ "within the leeway", "https://id.example", "\"other\"", -30, 30, "", MF_OK },
	{ "expired", "https://id.example", "\"mailferry\"", -61, 0, "", MF_AUTH },
	{ "not yet", "https://id.example", "\"mailferry\"", 600, 120, "", MF_AUTH },
	{ "issuer", "https://id.example/", "\"mailferry\"", 600, 0, "", MF_AUTH },
	{ "audience", "https://id.example", "\"mailferr\"", 600, 0, "", MF_AUTH },
	{ "audiences", "https://id.example", "[\"x\",7,null]", 600, 0, "", MF_AUTH },
	{ "audience of another kind", "https://id.example", "{\"mailferry\":1}", 600, 0, "",
		MF_AUTH },
	{ "repeated", "https://id.example", "\"x\",\"aud\":\"mailferry\"", 600, 0, "", MF_AUTH },
};

Test(token_jwt, claims)
{
	EVP_PKEY *k = EVP_EC_gen("P-256");
	struct jwk_set *set;
	struct token_owner owner;
	const char *json;
	static const char header[] = "{\"alg\":\"ES256\"}";

	a = mf_arena_new();
	json = mf_printf(a, "{\"keys\":[%s]}", ec_jwk(k, "k", "P-256", 32));
	cr_assert_eq(jwk_set_parse(mf_bytes(json, strlen(json)), &set, NULL), MF_OK);
	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
		const char *text = mf_printf(a,
			"{\"iss\":\"%s\",\"aud\":%s,\"exp\":%lld,\"nbf\":%lld,\"email\":\"a@b\"%s}",
			claims[i].iss, claims[i].aud, (long long)clock_wall() + claims[i].exp,
			(long long)clock_wall() + claims[i].nbf, claims[i].more);

		cr_assert_eq(
			check(set, sign(k, "SHA256", false, 32, header, text), &policy, &owner),
			claims[i].status, "%s", claims[i].name);
	}
	static const char *const never[] = {
		"{\"iss\":\"https://id.example\",\"aud\":\"mailferry\",\"email\":\"a@b\"}",
		"{\"iss\":\"https://"
		"id.example\",\"aud\":\"mailferry\",\"email\":\"a@b\",\"exp\":\"9999999999\"}",
		"{\"iss\":\"https://"
		"id.example\",\"aud\":\"mailferry\",\"email\":\"a@b\",\"exp\":-1}",
		"{\"iss\":\"https://id.example\",\"aud\":\"mailferry\",\"exp\":9999999999}",
		"{\"iss\":\"https://"
		"id.example\",\"aud\":\"mailferry\",\"exp\":9999999999,\"email\":7}",
		"{\"iss\":\"https://"
		"id.example\",\"aud\":\"mailferry\",\"exp\":9999999999,\"email\":\"\"}",
		"[1]",
		"\"x\"",
		"{",
		"",
	};
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		cr_assert_eq(
			check(set, sign(k, "SHA256", false, 32, header, never[i]), &policy, &owner),
			MF_AUTH, "%s", never[i]);
	/* Scopes. */
	struct token_policy scoped = policy;
	scoped.scope = "mail";
	static const struct {
		const char *scope;
		enum mf_status status;
	} scopes[] = {
		{ "\"scope\":\"openid mail x\"", MF_OK },
		{ "\"scp\":[\"x\",\"mail\"]", MF_OK },
		{ "\"scope\":\"openid mailx xmail\"", MF_AUTH },
		{ "\"scope\":7", MF_AUTH },
		{ "\"x\":1", MF_AUTH },
	};
	for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
		const char *text = mf_printf(a,
			"{\"iss\":\"https://id.example\",\"aud\":\"other\",\"exp\":%lld,"
			"\"email\":\"a@b\",%s}",
			(long long)clock_wall() + 600, scopes[i].scope);

		cr_assert_eq(
			check(set, sign(k, "SHA256", false, 32, header, text), &scoped, &owner),
			scopes[i].status, "%s", scopes[i].scope);
	}
	jwk_set_free(set);
	EVP_PKEY_free(k);
	mf_arena_free(a);
}

Test(token_jwt, malformed)
{
	static const char *const bad[] = { "", "a", "a.b", "a.b.c", "....", "..", "e30.e30.e30.e30",
		"e30.e30.e30", "eyJhbGciOiJSUzI1NiJ9.e30.", ".e30.e30",
		"eyJhbGciOiJSUzI1NiJ9=.e30.e30", "eyJhbGciOiJSUzI1NiJ9.e3 0.e30" };
	static const char no_point[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
				       "\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
				       "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}]}";
	static const char *const sets[] = { "", "{}", "[]", "{\"keys\":[]}", "{\"keys\":{}}",
		"{\"keys\":[{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}]}",
		"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}",
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}]}",
		no_point, "{\"keys\":[null,7,\"x\",[]]}" };
	struct jwk_set *set;
	struct jwt jwt;

	a = mf_arena_new();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_eq(jwt_parse(a, bad[i], &jwt, NULL), MF_AUTH, "%s", bad[i]);
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		cr_assert_eq(jwk_set_parse(mf_bytes(sets[i], strlen(sets[i])), &set, NULL),
			MF_INVALID, "%s", sets[i]);
	mf_arena_free(a);
}
