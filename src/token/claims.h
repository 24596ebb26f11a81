/* What must hold of a token, whoever vouches for it: the same for a JWT and for an introspected one. */
#ifndef TOKEN_CLAIMS_H
#define TOKEN_CLAIMS_H

#include <jansson.h>

#include "token/token.h"

struct token_policy {
	const char *issuer;	      /* "": any */
	const char *const *audiences; /* NULL at the end; none: any */
	const char *scope;	      /* "": none needed */
	const char *user_claim;
};

/* JSON from a stranger: bounded in depth by the library, without repeated names. NULL: malformed, or no
 * object. The caller releases it. */
json_t *token_json(const void *data, size_t len);

/* exp (must be there when `must_expire`), nbf, iss, aud, scope, and the user's name. MF_AUTH says which
 * does not hold. */
enum mf_status token_claims_check(const struct token_policy *p, const json_t *claims,
	bool must_expire, struct mf_arena *a, struct token_owner *out, struct mf_error *err);

#endif
