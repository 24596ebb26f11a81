/* Certificates for encrypted mail, gathered from values and files. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "eas/map/certificate_list.h"

static struct mf_arena *arena;
static struct certificate_list list;

static void
setup(void)
{
	arena = mf_arena_new();
	list = (struct certificate_list){ .a = arena };
}

static void
teardown(void)
{
	mf_arena_free(arena);
}

TestSuite(eas_certificate_list, .init = setup, .fini = teardown);

static struct mf_bytes
load(const char *name)
{
	FILE *f = fopen(mf_printf(arena, "%s/people/%s", TEST_DATA, name), "rb");
	char *data = mf_alloc(arena, 10000);
	size_t len;

	cr_assert_not_null(f, "%s", name);
	len = fread(data, 1, 10000, f);
	fclose(f);
	return mf_bytes(data, len);
}

static struct mf_bytes
as_pem(const char *label, struct mf_bytes der)
{
	const char *text =
		mf_printf(arena, "Bag Attributes\n-----BEGIN %s-----\n%s\n-----END %s-----\n",
			label, str_base64(arena, der.data, der.len), label);

	return mf_bytes_str(text);
}

Test(eas_certificate_list, forms)
{
	struct mf_bytes der = load("ada.cer"), bundle = load("ada.p7c");
	const struct {
		const char *name;
		struct mf_bytes data;
	} forms[] = { { "DER", der }, { "PKCS #7", bundle }, { "PEM", as_pem("CERTIFICATE", der) },
		{ "PKCS #7 as PEM", as_pem("PKCS7", bundle) } };

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		list.n = 0;
		certificate_list_add(&list, forms[i].data);
		cr_assert_eq(list.n, 1, "%s", forms[i].name);
		cr_assert(list.der[0].len == der.len &&
				  memcmp(list.der[0].data, der.data, der.len) == 0,
			"%s: the certificate itself", forms[i].name);
		certificate_list_add(&list, der);
		cr_assert_eq(list.n, 1, "%s: once only", forms[i].name);
	}
}

Test(eas_certificate_list, what_is_none)
{
	struct mf_bytes der = load("ada.cer");
	uint8_t *bad = mf_alloc(arena, der.len);

	certificate_list_add(&list, mf_bytes(NULL, 0));
	certificate_list_add(&list, mf_bytes_str("nonsense"));
	certificate_list_add(&list, mf_bytes_str("0nonsense"));
	certificate_list_add(&list, mf_bytes_str("-----BEGIN CERTIFICATE-----\nAAAA"));
	cr_assert_eq(list.n, 0);
	for (size_t len = 1; len < der.len; len++)
		certificate_list_add(&list, mf_bytes(der.data, len));
	cr_assert_eq(list.n, 0, "a part is none");
	for (size_t i = 0; i < der.len; i++) {
		memcpy(bad, der.data, der.len);
		bad[i] ^= 0x41;
		certificate_list_add(&list, mf_bytes(bad, der.len));
	}
	cr_assert(list.n <= CERTIFICATE_LIST_MAX);
}

Test(eas_certificate_list, only_while_it_is_valid)
{
	clock_skip(100LL * 365 * 86400);
	certificate_list_add(&list, load("ada.cer"));
	cr_assert_eq(list.n, 0, "in a hundred years");
}

Test(eas_certificate_list, files)
{
	static const char *const nowhere[] = { "../ada@example.org", "/etc/passwd",
		".ada@example.org", "", "ada", "ben@example.org" };
	char dir[] = "/tmp/mf-certificates.XXXXXX";
	struct mf_bytes der = load("ada.cer");
	const char *path;
	FILE *f;

	cr_assert_not_null(mkdtemp(dir));
	path = mf_printf(arena, "%s/ada@example.org.cer", dir);
	f = fopen(path, "wb");
	cr_assert_eq(fwrite(der.data, 1, der.len, f), der.len);
	fclose(f);
	for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++)
		certificate_list_add_file(&list, dir, nowhere[i]);
	certificate_list_add_file(&list, "", "ada@example.org");
	cr_assert_eq(list.n, 0);
	certificate_list_add_file(&list, dir, "Ada@Example.ORG");
	cr_assert_eq(list.n, 1);
	unlink(path);
	rmdir(dir);
}
