/*
 * Sealed bytes: encrypted and authenticated under a key (AES-256-GCM, a random nonce in front, the tag
 * behind), by libcrypto.
 */
#ifndef BASE_SEAL_H
#define BASE_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailferry/arena.h"
#include "mailferry/buf.h"

enum { SEAL_KEY = 32, SEAL_NONCE = 12, SEAL_TAG = 16 };

/* Random bytes that nobody can guess; aborts when the system has none. */
void seal_random(void *out, size_t len);

/* A key for one purpose out of a secret that cannot be guessed (HMAC-SHA-256 over salt and purpose). */
void seal_key(const char *secret, const char *purpose, const void *salt, size_t salt_len,
	uint8_t out[SEAL_KEY]);

/* Appends the sealed plain to out. `about` is authenticated, not kept: who opens must know it. */
void seal_close(
	struct mf_buf *out, const uint8_t key[SEAL_KEY], const char *about, struct mf_bytes plain);

/* The plain bytes as a string in the arena (the caller wipes them); NULL: another key, another
 * `about`, or not sealed by us. */
char *seal_open(
	struct mf_arena *a, const uint8_t key[SEAL_KEY], const char *about, struct mf_bytes sealed);

/* Equal, in a time that does not depend on where they differ. */
bool seal_equal(const void *a, const void *b, size_t len);

#endif
