/* Knows GnuTLS's form of certificates and roots; must not know what a name is good for. */
#include "http/client_certificate.h"

#include <gnutls/x509.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "http/certificate.h"
#include "mailferry/log.h"

enum { NAMES_MAX = 20, NAME_MAX_BYTES = 320 };

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static gnutls_x509_trust_list_t roots; /* under the lock */
static char *first_pem;

static void
replace(gnutls_x509_trust_list_t fresh)
{
	gnutls_x509_trust_list_t former;

	pthread_rwlock_wrlock(&lock);
	former = roots;
	roots = fresh;
	pthread_rwlock_unlock(&lock);
	if (former != NULL)
		gnutls_x509_trust_list_deinit(former, 1);
}

static enum mf_status
parse(const char *path, const char *pem, gnutls_x509_trust_list_t fresh, struct mf_error *err)
{
	gnutls_datum_t text = { (unsigned char *)(uintptr_t)pem, (unsigned)strlen(pem) };

	if (gnutls_x509_trust_list_add_trust_mem(fresh, &text, NULL, GNUTLS_X509_FMT_PEM, 0, 0) <=
		0)
		return mf_fail(err, MF_INVALID, "%s: holds no root certificate in PEM", path);
	if (strstr(pem, "BEGIN X509 CRL") != NULL &&
		gnutls_x509_trust_list_add_trust_mem(
			fresh, NULL, &text, GNUTLS_X509_FMT_PEM, 0, GNUTLS_TL_VERIFY_CRL) <= 0)
		return mf_fail(err, MF_INVALID,
			"%s: holds a list of revoked certificates that none of its roots made",
			path);
	return MF_OK;
}

enum mf_status
http_client_roots_load(const struct mf_conf *conf, struct mf_error *err)
{
	const char *path = mf_conf_string(conf, "client_certificates"), *pem;
	struct mf_arena *a;
	gnutls_x509_trust_list_t fresh;
	enum mf_status st;

	if (*path == '\0')
		return MF_OK;
	if (gnutls_x509_trust_list_init(&fresh, 0) != 0)
		abort();
	a = mf_arena_new();
	st = http_certificate_read(a, path, &pem, err);
	if (st == MF_OK)
		st = parse(path, pem, fresh, err);
	if (st == MF_OK && first_pem == NULL)
		first_pem = strdup(pem);
	mf_arena_free(a);
	if (st == MF_OK)
		replace(fresh);
	else
		gnutls_x509_trust_list_deinit(fresh, 1);
	return st;
}

const char *
http_client_roots_pem(void)
{
	return first_pem;
}

void
http_client_roots_forget(void)
{
	replace(NULL);
	free(first_pem);
	first_pem = NULL;
}

/* ---- Names ---- */

static char *
copy(const void *data, size_t len)
{
	if (len == 0 || len > NAME_MAX_BYTES || memchr(data, '\0', len) != NULL)
		return NULL;
	return strndup(data, len);
}

/* The first name of that kind among the alternative names. */
static char *
alternative(gnutls_x509_crt_t crt, gnutls_x509_subject_alt_name_t kind)
{
	char data[NAME_MAX_BYTES + 1];

	for (unsigned i = 0; i < NAMES_MAX; i++) {
		size_t len = sizeof(data);
		int type = gnutls_x509_crt_get_subject_alt_name(crt, i, data, &len, NULL);

		if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			return NULL;
		if (type >= 0 && type == (int)kind)
			return copy(data, len);
	}
	return NULL;
}

static char *
common_name(gnutls_x509_crt_t crt)
{
	char data[NAME_MAX_BYTES + 1];
	size_t len = sizeof(data);

	if (gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, data, &len) != 0)
		return NULL;
	return copy(data, len);
}

static char *
name_of(gnutls_x509_crt_t crt, const char *kind)
{
	if (strcmp(kind, "upn") == 0)
		return alternative(crt, GNUTLS_SAN_OTHERNAME_MSUSERPRINCIPAL);
	if (strcmp(kind, "cn") == 0)
		return common_name(crt);
	return alternative(crt, GNUTLS_SAN_RFC822NAME);
}

/* ---- Judging ---- */

static bool
good(gnutls_x509_crt_t *chain, unsigned n)
{
	gnutls_typed_vdata_st purpose = { .type = GNUTLS_DT_KEY_PURPOSE_OID,
		.data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT };
	unsigned status = GNUTLS_CERT_INVALID;

	pthread_rwlock_rdlock(&lock);
	if (roots == NULL || gnutls_x509_trust_list_verify_crt2(
				     roots, chain, n, &purpose, 1, 0, &status, NULL) != 0)
		status = GNUTLS_CERT_INVALID;
	pthread_rwlock_unlock(&lock);
	return status == 0;
}

static char *
judge(gnutls_x509_crt_t *chain, unsigned n, const struct mf_conf *conf, const char *peer)
{
	char *name = NULL;

	if (!good(chain, n)) {
		mf_log_info("certificate=refused peer=%s", mf_log_value(peer));
		return NULL;
	}
	name = name_of(chain[0], mf_conf_string(conf, "client_certificate_name"));
	if (name == NULL)
		mf_log_info("certificate=nameless peer=%s", mf_log_value(peer));
	return name;
}

char *
http_client_certified(gnutls_session_t session, const struct mf_conf *conf, const char *peer)
{
	unsigned shown = 0, n = 0;
	const gnutls_datum_t *der = gnutls_certificate_get_peers(session, &shown);
	gnutls_x509_crt_t chain[HTTP_CHAIN_MAX];
	char *name = NULL;

	if (der == NULL || shown == 0 || shown > HTTP_CHAIN_MAX ||
		gnutls_certificate_type_get2(session, GNUTLS_CTYPE_CLIENT) != GNUTLS_CRT_X509)
		return NULL;
	while (n < shown && gnutls_x509_crt_init(&chain[n]) == 0) {
		if (gnutls_x509_crt_import(chain[n], &der[n], GNUTLS_X509_FMT_DER) != 0) {
			gnutls_x509_crt_deinit(chain[n]);
			break;
		}
		n++;
	}
	if (n == shown)
		name = judge(chain, n, conf, peer);
	while (n > 0)
		gnutls_x509_crt_deinit(chain[--n]);
	return name;
}

/* ---- Shown by a proxy ---- */

static const char begins[] = "-----BEGIN CERTIFICATE-----", ends[] = "-----END CERTIFICATE-----";

/* The base64 alone, of the first certificate. */
static const char *
base64_of(struct mf_arena *a, const char *text)
{
	const char *from, *end;
	char *out, *at;

	if (strchr(text, '%') != NULL)
		text = str_unpercent(a, text, strlen(text));
	from = strstr(text, begins);
	end = from == NULL ? NULL : strstr(from, ends);
	if (from != NULL && end == NULL)
		return "";
	from = from == NULL ? text : from + sizeof(begins) - 1;
	end = end == NULL ? from + strlen(from) : end;
	at = out = mf_alloc(a, (size_t)(end - from) + 1);
	for (; from < end; from++)
		if (strchr(" \t\r\n:", *from) == NULL)
			*at++ = *from;
	*at = '\0';
	return out;
}

char *
http_client_shown(const char *text, const struct mf_conf *conf, const char *peer)
{
	struct mf_arena *a = mf_arena_new();
	const char *base64 = base64_of(a, text);
	struct mf_bytes der = str_unbase64(a, base64, strlen(base64));
	gnutls_datum_t datum = { (unsigned char *)(uintptr_t)der.data, (unsigned)der.len };
	gnutls_x509_crt_t crt;
	char *name = NULL;

	if (gnutls_x509_crt_init(&crt) != 0)
		abort();
	if (der.len > 0 && gnutls_x509_crt_import(crt, &datum, GNUTLS_X509_FMT_DER) == 0)
		name = judge(&crt, 1, conf, peer);
	else if (*base64 != '\0')
		mf_log_info("certificate=unreadable peer=%s", mf_log_value(peer));
	gnutls_x509_crt_deinit(crt);
	mf_arena_free(a);
	return name;
}
