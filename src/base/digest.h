/* Digests: libcrypto's, in the one shape that the layers use. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

enum { DIGEST_SIZE = 32 };

/* SHA-256 of data. */
void digest_sha256(const void *data, size_t len, uint8_t out[DIGEST_SIZE]);

#endif
