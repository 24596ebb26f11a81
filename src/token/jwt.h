/* A signed JWT (RFC 7519 in the compact form of RFC 7515), taken apart and checked against keys. Pure. */
#ifndef TOKEN_JWT_H
#define TOKEN_JWT_H

#include "token/claims.h"
#include "token/jwk.h"

/* The three parts of a token that looks like a JWT; what its header says. In the arena. */
struct jwt {
	const char *alg, *kid; /* kid NULL: none */
	struct mf_bytes signed_part, payload, signature;
};

/* MF_AUTH: no JWT, or one with a header that we must understand and do not. */
enum mf_status jwt_parse(
	struct mf_arena *a, const char *token, struct jwt *out, struct mf_error *err);

/* Signature and claims. MF_AUTH says what does not hold. */
enum mf_status jwt_check(struct mf_arena *a, const struct jwt *t, const struct jwk_set *keys,
	const struct token_policy *p, struct token_owner *out, struct mf_error *err);

#endif
