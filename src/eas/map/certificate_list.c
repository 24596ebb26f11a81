/* See certificate_list.h. What is not understood is left out: the recipient then has no certificate. */
#include "eas/map/certificate_list.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"

enum { DATA_MAX = 256 << 10 };

static bool
is_usable(X509 *x)
{
	time_t now = (time_t)clock_wall();
	return X509_cmp_time(X509_get0_notBefore(x), &now) < 0 &&
	       X509_cmp_time(X509_get0_notAfter(x), &now) > 0 &&
	       X509_check_purpose(x, X509_PURPOSE_SMIME_ENCRYPT, 0) == 1;
}

static bool
is_known(const struct certificate_list *l, struct mf_bytes der)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->der[i].len == der.len && memcmp(l->der[i].data, der.data, der.len) == 0)
			return true;
	return false;
}

static void
add(struct certificate_list *l, X509 *x)
{
	unsigned char *data = NULL;
	int len = x != NULL && l->n < CERTIFICATE_LIST_MAX && is_usable(x) ? i2d_X509(x, &data) : 0;
	if (len > 0 && !is_known(l, mf_bytes(data, (size_t)len)))
		l->der[l->n++] = mf_memdup(l->a, data, (size_t)len);
	OPENSSL_free(data);
}

static void
add_bundle(struct certificate_list *l, PKCS7 *p)
{
	if (p == NULL || !PKCS7_type_is_signed(p) || p->d.sign == NULL)
		return;
	STACK_OF(X509) *all = p->d.sign->cert;
	for (int i = 0; i < sk_X509_num(all); i++)
		add(l, sk_X509_value(all, i));
}

static void
add_der(struct certificate_list *l, struct mf_bytes data)
{
	const unsigned char *at = data.data;
	X509 *x = d2i_X509(NULL, &at, (long)data.len);
	add(l, x);
	if (x == NULL) {
		at = data.data;
		PKCS7 *p = d2i_PKCS7(NULL, &at, (long)data.len);
		add_bundle(l, p);
		PKCS7_free(p);
	}
	X509_free(x);
}

static void
add_pem(struct certificate_list *l, struct mf_bytes data)
{
	BIO *in = BIO_new_mem_buf(data.data, (int)data.len);
	char *name, *header;
	unsigned char *der;
	long len;
	while (in != NULL && PEM_read_bio(in, &name, &header, &der, &len) == 1) {
		add_der(l, mf_bytes(der, (size_t)len));
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_free(der);
	}
	BIO_free(in);
}

void
certificate_list_add(struct certificate_list *l, struct mf_bytes data)
{
	if (data.len == 0 || data.len > DATA_MAX)
		return;
	if (data.data[0] == 0x30)
		add_der(l, data);
	else
		add_pem(l, data);
	ERR_clear_error();
}

/* An address as a file's name: nothing that leads out of the directory or hides. */
static bool
is_name(const char *address)
{
	return *address != '\0' && *address != '.' && strlen(address) < 200 &&
	       strpbrk(address, "/\\") == NULL && strchr(address, '@') != NULL;
}

static void
add_from(struct certificate_list *l, FILE *f)
{
	uint8_t *data = mf_alloc(l->a, DATA_MAX);
	size_t len = fread(data, 1, DATA_MAX, f);
	certificate_list_add(l, mf_bytes(data, len));
}

void
certificate_list_add_file(struct certificate_list *l, const char *directory, const char *address)
{
	static const char *const ends[] = { "pem", "cer", "crt", "der", "p7b", "p7c" };
	const char *name = str_lower(l->a, address);
	if (*directory == '\0' || !is_name(name))
		return;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		FILE *f = fopen(mf_printf(l->a, "%s/%s.%s", directory, name, ends[i]), "rb");
		if (f == NULL)
			continue;
		add_from(l, f);
		fclose(f);
	}
}
