/* Certificate and key files. Uses libcrypto to look at them; GnuTLS serves with them later. */
#include "http/certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"

static http_read_fn *read_file = http_certificate_file;

static void
wipe(void *s)
{
	str_wipe(s, strlen(s));
}

void
http_certificate_reader(http_read_fn *fn)
{
	read_file = fn;
}

enum mf_status
http_certificate_file(struct mf_arena *a, const char *path, char **out, struct mf_error *err)
{
	char *data = mf_alloc(a, HTTP_PEM_MAX + 1);
	size_t len = 0;
	ssize_t n = 1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return mf_fail(err, MF_INVALID, "%s: %s", path, strerror(errno));
	while (n > 0 && len < HTTP_PEM_MAX) {
		n = read(fd, data + len, HTTP_PEM_MAX - len);
		len += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	if (n != 0)
		return mf_fail(err, MF_INVALID, "%s: %s", path,
			n < 0 ? strerror(errno) : "is too large for a PEM file");
	*out = data;
	return MF_OK;
}

enum mf_status
http_certificate_read(struct mf_arena *a, const char *path, const char **out, struct mf_error *err)
{
	char *data = NULL;
	enum mf_status st = read_file(a, path, &data, err);

	*out = data;
	return st;
}

static int64_t
seconds(const ASN1_TIME *t)
{
	struct tm tm = { 0 };

	return t != NULL && ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static void
list_names(X509 *x, char *to, size_t size)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	size_t n = 0;

	for (int i = 0; names != NULL && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);

		if (g->type == GEN_DNS && n < size)
			n += (size_t)snprintf(to + n, size - n, "%s%.*s", n == 0 ? "" : " ",
				ASN1_STRING_length(g->d.dNSName),
				(const char *)ASN1_STRING_get0_data(g->d.dNSName));
	}
	GENERAL_NAMES_free(names);
}

static void
describe(X509 *x, struct http_certificate *out)
{
	X509_NAME_oneline(X509_get_subject_name(x), out->subject, sizeof(out->subject));
	list_names(x, out->names, sizeof(out->names));
	out->not_before = seconds(X509_get0_notBefore(x));
	out->not_after = seconds(X509_get0_notAfter(x));
}

/* A key with a passphrase would have us ask on the terminal. */
static int
no_passphrase(char *buf, int size, int writing, void *ctx)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)ctx;
	return -1;
}

static unsigned
count_rest(BIO *bio)
{
	unsigned n = 0;
	X509 *x;

	while (n < HTTP_CHAIN_MAX &&
		(x = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)) != NULL) {
		X509_free(x);
		n++;
	}
	return n;
}

static enum mf_status
compare(struct http_certificate *out, const char *certificate_file, const char *key_file,
	struct mf_error *err)
{
	BIO *chain = BIO_new_mem_buf(out->chain_pem, -1), *key = BIO_new_mem_buf(out->key_pem, -1);
	X509 *x = PEM_read_bio_X509(chain, NULL, no_passphrase, NULL);
	EVP_PKEY *k = PEM_read_bio_PrivateKey(key, NULL, no_passphrase, NULL);
	enum mf_status st = MF_OK;

	if (x == NULL)
		st = mf_fail(err, MF_INVALID, "%s: holds no certificate in PEM", certificate_file);
	else if (k == NULL)
		st = mf_fail(
			err, MF_INVALID, "%s: holds no key in PEM without a passphrase", key_file);
	else if (X509_check_private_key(x, k) != 1)
		st = mf_fail(
			err, MF_INVALID, "%s: is not the key of %s", key_file, certificate_file);
	if (st == MF_OK) {
		describe(x, out);
		out->chain_length = 1 + count_rest(chain);
	}
	ERR_clear_error();
	EVP_PKEY_free(k);
	X509_free(x);
	BIO_free(key);
	BIO_free(chain);
	return st;
}

enum mf_status
http_certificate_load(struct mf_arena *a, const char *certificate_file, const char *key_file,
	struct http_certificate *out, struct mf_error *err)
{
	char *chain = NULL, *key = NULL;
	enum mf_status st;

	memset(out, 0, sizeof(*out));
	st = read_file(a, certificate_file, &chain, err);
	if (st == MF_OK)
		st = read_file(a, key_file, &key, err);
	if (st != MF_OK)
		return st;
	mf_on_free(a, wipe, key);
	out->chain_pem = chain;
	out->key_pem = key;
	return compare(out, certificate_file, key_file, err);
}
