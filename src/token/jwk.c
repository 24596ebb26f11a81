/* Knows libcrypto's form of keys; must not know what is signed. */
#include "token/jwk.h"

#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "token/claims.h"

enum { KEYS_MAX = 64, RSA_BITS_MIN = 2048, RSA_BITS_MAX = 16384, NUMBER_MAX = 4096 };

static const struct algorithm {
	const char *name, *type; /* type: of the key, as libcrypto has it */
	const char *digest;	 /* NULL: the signature's own */
	bool pss;
	const char *group; /* of an elliptic curve */
	size_t raw;	   /* length of its two numbers */
} algorithms[] = {
	{ "RS256", "RSA", "SHA256", false, NULL, 0 },
	{ "RS384", "RSA", "SHA384", false, NULL, 0 },
	{ "RS512", "RSA", "SHA512", false, NULL, 0 },
	{ "PS256", "RSA", "SHA256", true, NULL, 0 },
	{ "PS384", "RSA", "SHA384", true, NULL, 0 },
	{ "PS512", "RSA", "SHA512", true, NULL, 0 },
	{ "ES256", "EC", "SHA256", false, "prime256v1", 64 },
	{ "ES384", "EC", "SHA384", false, "secp384r1", 96 },
	{ "ES512", "EC", "SHA512", false, "secp521r1", 132 },
	{ "EdDSA", "ED25519", NULL, false, NULL, 0 },
};

static const struct {
	const char *crv, *group;
	size_t bytes;
} curves[] = {
	{ "P-256", "prime256v1", 32 },
	{ "P-384", "secp384r1", 48 },
	{ "P-521", "secp521r1", 66 },
};

struct key {
	char *kid, *alg; /* NULL: not told */
	const char *group;
	EVP_PKEY *pkey;
};

struct jwk_set {
	struct key keys[KEYS_MAX];
	size_t n;
};

static const char *
text(const json_t *j, const char *name)
{
	const char *s = json_string_value(json_object_get(j, name));

	return s == NULL ? "" : s;
}

static struct mf_bytes
number(struct mf_arena *a, const json_t *j, const char *name)
{
	const char *s = text(j, name);

	return strlen(s) > NUMBER_MAX ? mf_bytes(NULL, 0) : str_unbase64(a, s, strlen(s));
}

/* ---- Keys ---- */

static EVP_PKEY *
from_params(const char *type, OSSL_PARAM_BLD *bld)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *k = NULL;

	if (params == NULL || ctx == NULL)
		abort();
	if (EVP_PKEY_fromdata_init(ctx) != 1 ||
		EVP_PKEY_fromdata(ctx, &k, EVP_PKEY_PUBLIC_KEY, params) != 1)
		k = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return k;
}

static EVP_PKEY *
rsa_key(struct mf_arena *a, const json_t *j)
{
	struct mf_bytes n = number(a, j, "n"), e = number(a, j, "e");
	BIGNUM *bn, *be;
	OSSL_PARAM_BLD *bld;
	EVP_PKEY *k = NULL;

	if (n.len < RSA_BITS_MIN / 8 || n.len > RSA_BITS_MAX / 8 || e.len == 0 || e.len > 8)
		return NULL;
	bn = BN_bin2bn(n.data, (int)n.len, NULL);
	be = BN_bin2bn(e.data, (int)e.len, NULL);
	bld = OSSL_PARAM_BLD_new();
	if (bn == NULL || be == NULL || bld == NULL)
		abort();
	if (BN_num_bits(bn) >= RSA_BITS_MIN && BN_is_odd(bn) && BN_is_odd(be) &&
		BN_num_bits(be) > 1 &&
		OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, bn) == 1 &&
		OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, be) == 1)
		k = from_params("RSA", bld);
	OSSL_PARAM_BLD_free(bld);
	BN_free(bn);
	BN_free(be);
	return k;
}

static EVP_PKEY *
ec_key(struct mf_arena *a, const json_t *j, const char **group)
{
	struct mf_bytes x = number(a, j, "x"), y = number(a, j, "y");
	uint8_t point[1 + 2 * 66] = { POINT_CONVERSION_UNCOMPRESSED };
	OSSL_PARAM_BLD *bld;
	EVP_PKEY *k = NULL;
	size_t i = 0;

	while (i < sizeof(curves) / sizeof(*curves) && strcmp(curves[i].crv, text(j, "crv")) != 0)
		i++;
	if (i == sizeof(curves) / sizeof(*curves) || x.data == NULL || y.data == NULL ||
		x.len != curves[i].bytes || y.len != curves[i].bytes)
		return NULL;
	memcpy(point + 1, x.data, x.len);
	memcpy(point + 1 + x.len, y.data, y.len);
	bld = OSSL_PARAM_BLD_new();
	if (bld == NULL)
		abort();
	if (OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, curves[i].group, 0) ==
			1 &&
		OSSL_PARAM_BLD_push_octet_string(
			bld, OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * x.len) == 1)
		k = from_params("EC", bld);
	OSSL_PARAM_BLD_free(bld);
	*group = curves[i].group;
	return k;
}

static EVP_PKEY *
okp_key(struct mf_arena *a, const json_t *j)
{
	struct mf_bytes x = number(a, j, "x");

	if (strcmp(text(j, "crv"), "Ed25519") != 0 || x.len != 32)
		return NULL;
	return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x.data, x.len);
}

/* Neither use nor key_ops says that it is for something else. */
static bool
verifies(const json_t *j)
{
	const json_t *ops = json_object_get(j, "key_ops"), *one;
	bool found = !json_is_array(ops);
	size_t i;

	json_array_foreach(ops, i, one)
	{
		found = found ||
			strcmp(json_is_string(one) ? json_string_value(one) : "", "verify") == 0;
	}
	return found && (*text(j, "use") == '\0' || strcmp(text(j, "use"), "sig") == 0);
}

static char *
copy(const json_t *j, const char *name)
{
	const char *s = json_string_value(json_object_get(j, name));

	return s == NULL ? NULL : strdup(s);
}

static void
add(struct jwk_set *s, struct mf_arena *a, const json_t *j)
{
	struct key *k = &s->keys[s->n];
	const char *kty = text(j, "kty");

	*k = (struct key){ .kid = NULL };
	if (!verifies(j))
		return;
	if (strcmp(kty, "RSA") == 0)
		k->pkey = rsa_key(a, j);
	else if (strcmp(kty, "EC") == 0)
		k->pkey = ec_key(a, j, &k->group);
	else if (strcmp(kty, "OKP") == 0)
		k->pkey = okp_key(a, j);
	if (k->pkey == NULL)
		return;
	k->kid = copy(j, "kid");
	k->alg = copy(j, "alg");
	s->n++;
}

enum mf_status
jwk_set_parse(struct mf_bytes json, struct jwk_set **out, struct mf_error *err)
{
	json_t *j = token_json(json.data, json.len);
	struct jwk_set *s = calloc(1, sizeof(*s));
	struct mf_arena *a = mf_arena_new();
	const json_t *one;
	size_t i;

	if (s == NULL)
		abort();
	json_array_foreach(json_object_get(j, "keys"), i, one)
	{
		if (s->n < KEYS_MAX)
			add(s, a, one);
	}
	json_decref(j);
	mf_arena_free(a);
	ERR_clear_error();
	*out = s;
	if (s->n > 0)
		return MF_OK;
	jwk_set_free(s);
	*out = NULL;
	return mf_fail(err, MF_INVALID, "no JWK set with a key that verifies");
}

void
jwk_set_free(struct jwk_set *s)
{
	for (size_t i = 0; s != NULL && i < s->n; i++) {
		free(s->keys[i].kid);
		free(s->keys[i].alg);
		EVP_PKEY_free(s->keys[i].pkey);
	}
	free(s);
}

bool
jwk_set_has(const struct jwk_set *s, const char *kid)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->keys[i].kid != NULL && strcmp(s->keys[i].kid, kid) == 0)
			return true;
	return false;
}

/* ---- Signatures ---- */

/* A JWS has the two numbers of an ECDSA signature side by side; libcrypto wants them in DER. */
static struct mf_bytes
to_der(struct mf_arena *a, struct mf_bytes raw)
{
	int half = (int)raw.len / 2, n;
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(raw.data, half, NULL), *s = BN_bin2bn(raw.data + half, half, NULL);
	struct mf_bytes out = { NULL, 0 };
	unsigned char *der = NULL;

	if (sig == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(sig, r, s) != 1)
		abort();
	n = i2d_ECDSA_SIG(sig, &der);
	if (n > 0)
		out = mf_memdup(a, der, (size_t)n);
	OPENSSL_free(der);
	ECDSA_SIG_free(sig);
	return out;
}

static bool
check(const struct algorithm *alg, EVP_PKEY *pkey, struct mf_bytes data, struct mf_bytes signature)
{
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY_CTX *p = NULL;
	bool ok;

	if (c == NULL)
		abort();
	ok = EVP_DigestVerifyInit_ex(c, &p, alg->digest, NULL, NULL, pkey, NULL) == 1;
	if (ok && alg->pss) /* the salt is as long as the digest: RFC 7518, 3.5 */
		ok = EVP_PKEY_CTX_set_rsa_padding(p, RSA_PKCS1_PSS_PADDING) == 1 &&
		     EVP_PKEY_CTX_set_rsa_pss_saltlen(p, RSA_PSS_SALTLEN_DIGEST) == 1;
	ok = ok && EVP_DigestVerify(c, signature.data, signature.len, data.data, data.len) == 1;
	EVP_MD_CTX_free(c);
	ERR_clear_error();
	return ok;
}

static bool
serves(const struct key *k, const struct algorithm *alg, const char *kid)
{
	if (kid != NULL && (k->kid == NULL || strcmp(k->kid, kid) != 0))
		return false;
	if (k->alg != NULL && strcmp(k->alg, alg->name) != 0)
		return false;
	if (alg->group != NULL && (k->group == NULL || strcmp(k->group, alg->group) != 0))
		return false;
	return EVP_PKEY_is_a(k->pkey, alg->type) == 1;
}

bool
jwk_verify(const struct jwk_set *s, const char *alg, const char *kid, struct mf_bytes data,
	struct mf_bytes signature)
{
	const struct algorithm *found = NULL;
	struct mf_arena *a;
	bool ok = false;

	for (size_t i = 0; i < sizeof(algorithms) / sizeof(*algorithms); i++)
		if (strcmp(algorithms[i].name, alg) == 0)
			found = &algorithms[i];
	if (found == NULL || (found->raw != 0 && signature.len != found->raw))
		return false;
	a = mf_arena_new();
	if (found->raw != 0)
		signature = to_der(a, signature);
	for (size_t i = 0; !ok && i < s->n; i++)
		ok = serves(&s->keys[i], found, kid) &&
		     check(found, s->keys[i].pkey, data, signature);
	mf_arena_free(a);
	return ok;
}
