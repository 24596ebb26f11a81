/*
 * Chains of certificates, by libcrypto. Nothing is fetched from anywhere: what a certificate says about
 * where its issuer or its CRL is comes from the sender, and would be a way to send us anywhere.
 */
#include "eas/map/certificate.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"

/* MS-ASCMD 2.2.3.177.18. 12 (another address) and 14 (a server out of reach) are never found: no
 * address comes with the request, and no server is asked. */
enum {
	CERTIFICATE_GOOD = 1,
	CERTIFICATE_SIGNATURE = 3,
	CERTIFICATE_UNTRUSTED = 4,
	CERTIFICATE_CHAIN = 5,
	CERTIFICATE_NOT_FOR_MAIL = 6,
	CERTIFICATE_EXPIRED = 7,
	CERTIFICATE_CHAIN_EXPIRED = 8,
	CERTIFICATE_CHAIN_PURPOSE = 9,
	CERTIFICATE_FORMAT = 10,
	CERTIFICATE_NOT_CA = 11,
	CERTIFICATE_REVOKED = 13,
	CERTIFICATE_CHAIN_REVOKED = 15,
	CERTIFICATE_NO_CRL = 16,
	CERTIFICATE_UNKNOWN = 17,
};

enum { DEPTH_MAX = 10 };

/* What is wrong, at the certificate itself and at one of its issuers. */
static const struct {
	int error;
	unsigned leaf, issuer;
} meanings[] = {
	{ X509_V_OK, CERTIFICATE_GOOD, CERTIFICATE_GOOD },
	{ X509_V_ERR_CERT_SIGNATURE_FAILURE, CERTIFICATE_SIGNATURE, CERTIFICATE_SIGNATURE },
	{ X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE, CERTIFICATE_SIGNATURE,
		CERTIFICATE_SIGNATURE },
	{ X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY, CERTIFICATE_SIGNATURE,
		CERTIFICATE_SIGNATURE },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, CERTIFICATE_UNTRUSTED, CERTIFICATE_UNTRUSTED },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, CERTIFICATE_UNTRUSTED,
		CERTIFICATE_UNTRUSTED },
	{ X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, CERTIFICATE_UNTRUSTED,
		CERTIFICATE_UNTRUSTED },
	{ X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, CERTIFICATE_UNTRUSTED, CERTIFICATE_UNTRUSTED },
	{ X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, CERTIFICATE_UNTRUSTED, CERTIFICATE_UNTRUSTED },
	{ X509_V_ERR_CERT_UNTRUSTED, CERTIFICATE_UNTRUSTED, CERTIFICATE_UNTRUSTED },
	{ X509_V_ERR_CERT_REJECTED, CERTIFICATE_UNTRUSTED, CERTIFICATE_UNTRUSTED },
	{ X509_V_ERR_CERT_CHAIN_TOO_LONG, CERTIFICATE_CHAIN, CERTIFICATE_CHAIN },
	{ X509_V_ERR_INVALID_PURPOSE, CERTIFICATE_NOT_FOR_MAIL, CERTIFICATE_CHAIN_PURPOSE },
	{ X509_V_ERR_CERT_HAS_EXPIRED, CERTIFICATE_EXPIRED, CERTIFICATE_CHAIN_EXPIRED },
	{ X509_V_ERR_CERT_NOT_YET_VALID, CERTIFICATE_EXPIRED, CERTIFICATE_CHAIN_EXPIRED },
	{ X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD, CERTIFICATE_FORMAT, CERTIFICATE_FORMAT },
	{ X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD, CERTIFICATE_FORMAT, CERTIFICATE_FORMAT },
	{ X509_V_ERR_INVALID_EXTENSION, CERTIFICATE_FORMAT, CERTIFICATE_FORMAT },
	{ X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, CERTIFICATE_FORMAT, CERTIFICATE_FORMAT },
	{ X509_V_ERR_INVALID_CA, CERTIFICATE_NOT_CA, CERTIFICATE_NOT_CA },
	{ X509_V_ERR_INVALID_NON_CA, CERTIFICATE_NOT_CA, CERTIFICATE_NOT_CA },
	{ X509_V_ERR_PATH_LENGTH_EXCEEDED, CERTIFICATE_NOT_CA, CERTIFICATE_NOT_CA },
	{ X509_V_ERR_KEYUSAGE_NO_CERTSIGN, CERTIFICATE_NOT_CA, CERTIFICATE_NOT_CA },
	{ X509_V_ERR_CERT_REVOKED, CERTIFICATE_REVOKED, CERTIFICATE_CHAIN_REVOKED },
	{ X509_V_ERR_UNABLE_TO_GET_CRL, CERTIFICATE_NO_CRL, CERTIFICATE_NO_CRL },
	{ X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER, CERTIFICATE_NO_CRL, CERTIFICATE_NO_CRL },
	{ X509_V_ERR_CRL_SIGNATURE_FAILURE, CERTIFICATE_NO_CRL, CERTIFICATE_NO_CRL },
	{ X509_V_ERR_CRL_HAS_EXPIRED, CERTIFICATE_NO_CRL, CERTIFICATE_NO_CRL },
	{ X509_V_ERR_CRL_NOT_YET_VALID, CERTIFICATE_NO_CRL, CERTIFICATE_NO_CRL },
};

static unsigned
meaning(int error, int depth)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
		if (meanings[i].error == error)
			return depth == 0 ? meanings[i].leaf : meanings[i].issuer;
	return CERTIFICATE_UNKNOWN;
}

struct certificate_trust {
	X509_STORE *store;
	STACK_OF(X509) * between;
};

static bool
load(X509_STORE *store, const char *where)
{
	struct stat st;
	if (*where == '\0')
		return X509_STORE_set_default_paths(store) == 1;
	if (stat(where, &st) != 0)
		return false;
	return S_ISDIR(st.st_mode) ? X509_STORE_load_path(store, where) == 1
				   : X509_STORE_load_file(store, where) == 1;
}

enum mf_status
certificate_trust_open(const char *where, struct certificate_trust **out, struct mf_error *err)
{
	struct certificate_trust *t = OPENSSL_zalloc(sizeof(*t));
	*out = t;
	if (t != NULL) {
		t->store = X509_STORE_new();
		t->between = sk_X509_new_null();
	}
	if (t != NULL && t->store != NULL && t->between != NULL && load(t->store, where))
		return MF_OK;
	ERR_clear_error();
	certificate_trust_close(t);
	*out = NULL;
	return mf_fail(err, MF_BROKEN, "certificates: cannot read %s",
		*where == '\0' ? "the system's" : where);
}

void
certificate_trust_close(struct certificate_trust *t)
{
	if (t == NULL)
		return;
	X509_STORE_free(t->store);
	sk_X509_pop_free(t->between, X509_free);
	OPENSSL_free(t);
}

static X509 *
decode(struct mf_bytes der)
{
	const unsigned char *p = der.data;
	if (der.len == 0 || der.len > CERTIFICATE_MAX)
		return NULL;
	X509 *x = d2i_X509(NULL, &p, (long)der.len);
	if (x != NULL && p == der.data + der.len)
		return x;
	X509_free(x);
	ERR_clear_error();
	return NULL;
}

bool
certificate_trust_add(struct certificate_trust *t, struct mf_bytes der)
{
	X509 *x = decode(der);
	if (x == NULL)
		return false;
	if (sk_X509_push(t->between, x) > 0)
		return true;
	X509_free(x);
	return false;
}

/* Lists that are not there are no fault unless the phone says so; those that are there always count. */
static int
forgive_no_list(int good, X509_STORE_CTX *ctx)
{
	int error = X509_STORE_CTX_get_error(ctx);
	if (good || meaning(error, 0) != CERTIFICATE_NO_CRL)
		return good;
	X509_STORE_CTX_set_error(ctx, X509_V_OK);
	return 1;
}

static unsigned
verify(X509_STORE_CTX *ctx, bool revoked)
{
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	X509_VERIFY_PARAM_set_depth(param, DEPTH_MAX);
	X509_VERIFY_PARAM_set_time(param, (time_t)clock_wall());
	if (X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SMIME_SIGN) != 1)
		return CERTIFICATE_UNKNOWN;
	if (!revoked)
		X509_STORE_CTX_set_verify_cb(ctx, forgive_no_list);
	int good = X509_verify_cert(ctx);
	if (good == 1)
		return CERTIFICATE_GOOD;
	return good < 0 ? CERTIFICATE_UNKNOWN
			: meaning(X509_STORE_CTX_get_error(ctx),
				  X509_STORE_CTX_get_error_depth(ctx));
}

/* Something that begins as a certificate, in DER or as its text: what is signed there, nobody can tell. */
static bool
is_remnant(struct mf_bytes der)
{
	static const unsigned char begin[] = { 0x30, 0x82 }, text[] = { 'M', 'I', 'I' };
	return (der.len > sizeof(begin) && memcmp(der.data, begin, sizeof(begin)) == 0) ||
	       (der.len > sizeof(text) && memcmp(der.data, text, sizeof(text)) == 0);
}

unsigned
certificate_check(struct certificate_trust *t, struct mf_bytes der, bool revoked)
{
	X509 *x = decode(der);
	if (x == NULL)
		return is_remnant(der) ? CERTIFICATE_SIGNATURE : CERTIFICATE_FORMAT;
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	unsigned status = CERTIFICATE_UNKNOWN;
	if (ctx != NULL && X509_STORE_CTX_init(ctx, t->store, x, t->between) == 1)
		status = verify(ctx, revoked);
	X509_STORE_CTX_free(ctx);
	X509_free(x);
	ERR_clear_error();
	return status;
}
