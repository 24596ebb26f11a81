/* Knows AES-GCM as libcrypto has it; must not know what is sealed. */
#include "base/seal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

void
seal_random(void *out, size_t len)
{
	if (RAND_bytes(out, (int)len) != 1)
		abort();
}

void
seal_key(const char *secret, const char *purpose, const void *salt, size_t salt_len,
	uint8_t out[SEAL_KEY])
{
	struct mf_buf b;
	unsigned len = 0;

	mf_buf_init(&b, 0);
	mf_buf_add(&b, salt, salt_len);
	mf_buf_add_str(&b, purpose);
	if (HMAC(EVP_sha256(), secret, (int)strlen(secret), b.data, b.len, out, &len) == NULL ||
		len != SEAL_KEY)
		abort();
	mf_buf_deinit(&b);
}

/* Nothing here fails but for lack of memory. */
static void
sure(int ok)
{
	if (ok != 1)
		abort();
}

void
seal_close(
	struct mf_buf *out, const uint8_t key[SEAL_KEY], const char *about, struct mf_bytes plain)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t nonce[SEAL_NONCE], tag[SEAL_TAG], *to;
	int n = 0;

	seal_random(nonce, sizeof(nonce));
	mf_buf_add(out, nonce, sizeof(nonce));
	to = mf_buf_reserve(out, plain.len + SEAL_TAG);
	if (c == NULL || to == NULL)
		abort();
	sure(EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce));
	sure(EVP_EncryptUpdate(c, NULL, &n, (const uint8_t *)about, (int)strlen(about)));
	sure(EVP_EncryptUpdate(c, to, &n, plain.data, (int)plain.len));
	sure(EVP_EncryptFinal_ex(c, to + n, &n));
	sure(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG, tag));
	mf_buf_commit(out, plain.len);
	mf_buf_add(out, tag, sizeof(tag));
	EVP_CIPHER_CTX_free(c);
}

char *
seal_open(
	struct mf_arena *a, const uint8_t key[SEAL_KEY], const char *about, struct mf_bytes sealed)
{
	EVP_CIPHER_CTX *c;
	uint8_t tag[SEAL_TAG];
	size_t len;
	char *plain;
	int n = 0, ok;

	if (sealed.len < SEAL_NONCE + SEAL_TAG)
		return NULL;
	len = sealed.len - SEAL_NONCE - SEAL_TAG;
	plain = mf_alloc(a, len + 1);
	memcpy(tag, sealed.data + SEAL_NONCE + len, SEAL_TAG);
	c = EVP_CIPHER_CTX_new();
	if (c == NULL)
		abort();
	sure(EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, sealed.data));
	sure(EVP_DecryptUpdate(c, NULL, &n, (const uint8_t *)about, (int)strlen(about)));
	sure(EVP_DecryptUpdate(c, (uint8_t *)plain, &n, sealed.data + SEAL_NONCE, (int)len));
	sure(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG, tag));
	ok = EVP_DecryptFinal_ex(c, (uint8_t *)plain + n, &n);
	EVP_CIPHER_CTX_free(c);
	if (ok == 1 && strlen(plain) == len)
		return plain;
	str_wipe(plain, len);
	return NULL;
}

bool
seal_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}
