/* Certificates made here, judged by map/certificate and by ValidateCert. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "eas/map/certificate.h"
#include "mailferry/arena.h"

enum { DAY = 86400 };

/* ---- Making them ---- */

struct made {
	EVP_PKEY *key;
	X509 *cert;
};

static void
extend(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	cr_assert_not_null(e);
	X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
}

/* from and to: days from now. usage: extendedKeyUsage, NULL without. issuer NULL: signs itself. */
static struct made
make(const char *name, const struct made *issuer, bool ca, int from, int to, const char *usage)
{
	static long serial;
	struct made m = { EVP_EC_gen("P-256"), X509_new() };
	const struct made *by = issuer == NULL ? &m : issuer;
	X509_set_version(m.cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(m.cert), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(m.cert), (long)from * DAY);
	X509_gmtime_adj(X509_getm_notAfter(m.cert), (long)to * DAY);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(m.cert), "CN", MBSTRING_UTF8,
		(const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(m.cert, X509_get_subject_name(by->cert));
	X509_set_pubkey(m.cert, m.key);
	extend(m.cert, by->cert, NID_basic_constraints, ca ? "critical,CA:TRUE" : "CA:FALSE");
	if (usage != NULL)
		extend(m.cert, by->cert, NID_ext_key_usage, usage);
	cr_assert_gt(X509_sign(m.cert, by->key, EVP_sha256()), 0);
	return m;
}

static void
unmake(struct made *m)
{
	EVP_PKEY_free(m->key);
	X509_free(m->cert);
}

static struct mf_bytes
der_of(struct mf_arena *a, const struct made *m)
{
	unsigned char *der = NULL;
	int len = i2d_X509(m->cert, &der);
	cr_assert_gt(len, 0);
	struct mf_bytes copy = mf_memdup(a, der, (size_t)len);
	OPENSSL_free(der);
	return copy;
}

/* ---- The cast ---- */

enum who {
	ROOT,
	MIDDLE,
	OLD_MIDDLE,
	GOOD,
	VIA_MIDDLE,
	VIA_OLD,
	EXPIRED,
	EARLY,
	SERVER_ONLY,
	REVOKED,
	STRANGER,
	BY_LEAF,
	CAST
};

static struct made cast[CAST];
static char where[] = "/tmp/mailferry-roots-XXXXXX";
static struct mf_arena *arena;

static X509_CRL *
make_crl(int last, int next)
{
	X509_CRL *crl = X509_CRL_new();
	X509_REVOKED *entry = X509_REVOKED_new();
	ASN1_TIME *t = ASN1_TIME_new();
	X509_CRL_set_version(crl, 1);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(cast[ROOT].cert));
	X509_gmtime_adj(t, (long)last * DAY);
	X509_CRL_set1_lastUpdate(crl, t);
	X509_REVOKED_set_revocationDate(entry, t);
	X509_gmtime_adj(t, (long)next * DAY);
	X509_CRL_set1_nextUpdate(crl, t);
	X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(cast[REVOKED].cert));
	X509_CRL_add0_revoked(crl, entry);
	X509_CRL_sign(crl, cast[ROOT].key, EVP_sha256());
	ASN1_TIME_free(t);
	return crl;
}

/* The root, and its list of what it has revoked. */
static void
write_roots(bool with_crl)
{
	FILE *f = fopen(where, "w");
	cr_assert_not_null(f);
	PEM_write_X509(f, cast[ROOT].cert);
	if (with_crl) {
		X509_CRL *crl = make_crl(-1, 10);
		PEM_write_X509_CRL(f, crl);
		X509_CRL_free(crl);
	}
	fclose(f);
}

static void
setup(void)
{
	int fd = mkstemp(where);
	cr_assert_geq(fd, 0);
	close(fd);
	arena = mf_arena_new();
	cast[ROOT] = make("root", NULL, true, -100, 100, NULL);
	cast[MIDDLE] = make("middle", &cast[ROOT], true, -50, 50, NULL);
	cast[OLD_MIDDLE] = make("old middle", &cast[ROOT], true, -50, -1, NULL);
	cast[GOOD] = make("good", &cast[ROOT], false, -10, 10, "emailProtection");
	cast[VIA_MIDDLE] = make("via", &cast[MIDDLE], false, -10, 10, "emailProtection");
	cast[VIA_OLD] = make("via old", &cast[OLD_MIDDLE], false, -10, 10, NULL);
	cast[EXPIRED] = make("expired", &cast[ROOT], false, -10, -1, NULL);
	cast[EARLY] = make("early", &cast[ROOT], false, 1, 10, NULL);
	cast[SERVER_ONLY] = make("server", &cast[ROOT], false, -10, 10, "serverAuth");
	cast[REVOKED] = make("revoked", &cast[ROOT], false, -10, 10, NULL);
	cast[STRANGER] = make("stranger", NULL, false, -10, 10, NULL);
	cast[BY_LEAF] = make("by leaf", &cast[GOOD], false, -5, 5, NULL);
	write_roots(true);
}

static void
teardown(void)
{
	unlink(where);
	for (int i = 0; i < CAST; i++)
		unmake(&cast[i]);
	mf_arena_free(arena);
}

TestSuite(eas_certificate, .init = setup, .fini = teardown);

static const struct {
	const char *name;
	enum who who;
	int between; /* enum who, -1: none */
	bool crl;    /* CheckCRL */
	unsigned status;
} cases[] = {
	{ "good", GOOD, -1, false, 1 },
	{ "good, lists asked for and there", GOOD, -1, true, 1 },
	{ "by way of another", VIA_MIDDLE, MIDDLE, false, 1 },
	{ "no list of the other's", VIA_MIDDLE, MIDDLE, true, 16 },
	{ "the other is missing", VIA_MIDDLE, -1, false, 4 },
	{ "the other has expired", VIA_OLD, OLD_MIDDLE, false, 8 },
	{ "expired", EXPIRED, -1, false, 7 },
	{ "not yet valid", EARLY, -1, false, 7 },
	{ "not for mail", SERVER_ONLY, -1, false, 6 },
	{ "revoked", REVOKED, -1, true, 13 },
	{ "revoked, lists not asked for but there", REVOKED, -1, false, 13 },
	{ "unknown root", STRANGER, -1, false, 4 },
	{ "issued by who may not", BY_LEAF, GOOD, false, 11 },
};

Test(eas_certificate, chains)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct certificate_trust *t;
		struct mf_error err;
		cr_assert_eq(certificate_trust_open(where, &t, &err), MF_OK);
		if (cases[i].between >= 0)
			cr_assert(certificate_trust_add(t, der_of(arena, &cast[cases[i].between])));
		unsigned status =
			certificate_check(t, der_of(arena, &cast[cases[i].who]), cases[i].crl);
		cr_assert_eq(status, cases[i].status, "%s: %u", cases[i].name, status);
		certificate_trust_close(t);
	}
}

Test(eas_certificate, no_lists)
{
	struct certificate_trust *t;
	struct mf_error err;
	write_roots(false);
	cr_assert_eq(certificate_trust_open(where, &t, &err), MF_OK);
	cr_assert_eq(certificate_check(t, der_of(arena, &cast[GOOD]), false), 1);
	cr_assert_eq(certificate_check(t, der_of(arena, &cast[GOOD]), true), 16);
	cr_assert_eq(certificate_check(t, der_of(arena, &cast[REVOKED]), false), 1);
	certificate_trust_close(t);
}

/* Every way to damage one byte is found: nothing but the whole is good. */
Test(eas_certificate, damage)
{
	struct certificate_trust *t;
	struct mf_error err;
	cr_assert_eq(certificate_trust_open(where, &t, &err), MF_OK);
	struct mf_bytes good = der_of(arena, &cast[GOOD]);
	for (size_t i = 0; i < good.len; i += 3) {
		struct mf_bytes bad = mf_memdup(arena, good.data, good.len);
		((uint8_t *)bad.data)[i] ^= 0x41;
		cr_assert_neq(certificate_check(t, bad, false), 1, "byte %zu", i);
		cr_assert_neq(certificate_check(t, mf_bytes(good.data, i), false), 1);
	}
	cr_assert_eq(certificate_check(t, mf_bytes(NULL, 0), false), 10);
	cr_assert_not(certificate_trust_add(t, mf_bytes("no", 2)));
	certificate_trust_close(t);
}

Test(eas_certificate, roots)
{
	struct certificate_trust *t;
	struct mf_error err;
	cr_assert_eq(certificate_trust_open("", &t, &err), MF_OK);
	cr_assert_eq(certificate_check(t, der_of(arena, &cast[GOOD]), false), 4);
	certificate_trust_close(t);
	cr_assert_eq(certificate_trust_open("/nowhere", &t, &err), MF_BROKEN);
	cr_assert_null(t);
}
