/* An issuer's public keys (RFC 7517) and the signatures of tokens under them (RFC 7515, 7518, 8037). */
#ifndef TOKEN_JWK_H
#define TOKEN_JWK_H

#include <stdbool.h>
#include <stddef.h>

#include "mailferry/arena.h"
#include "mailferry/bytes.h"
#include "mailferry/error.h"

struct jwk_set;

/* A JWK set's text. Keys for encryption, symmetric ones, RSA below 2048 bits and kinds that are not known
 * are left out. MF_INVALID: malformed, or no key is left. */
enum mf_status jwk_set_parse(struct mf_bytes json, struct jwk_set **out, struct mf_error *err);
/* NULL is fine. */
void jwk_set_free(struct jwk_set *s);

/* Whether the set has a key of this id. */
bool jwk_set_has(const struct jwk_set *s, const char *kid);

/* Whether `signature` is that of `data` by algorithm `alg` ("RS256", ...) under one of the keys: that with
 * the id, or, without an id (NULL), any of the algorithm's kind. "none" and HS256 are no algorithms. */
bool jwk_verify(const struct jwk_set *s, const char *alg, const char *kid, struct mf_bytes data,
	struct mf_bytes signature);

#endif
