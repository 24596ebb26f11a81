/*
 * Bearer tokens (RFC 6750): whose is it, and until when? Either its signature is checked against an
 * issuer's published keys (JWT, RFC 7519, by a JWK set, RFC 7517), or its issuer is asked (introspection,
 * RFC 7662). Answers are remembered, boundedly; what is kept of a token is a keyed digest.
 *
 * Knows the two ways and the claims that must hold; knows nothing of requests and mail servers.
 */
#ifndef TOKEN_TOKEN_H
#define TOKEN_TOKEN_H

#include <stdint.h>

#include "mailferry/arena.h"
#include "mailferry/conf.h"
#include "mailferry/error.h"

enum { TOKEN_MAX = 12 * 1024, TOKEN_USER_MAX = 320 };

struct tokens;

/* Of the settings oauth_*; *out is NULL when none asks for tokens. Asks nobody yet: a start does not
 * depend on the issuer. MF_INVALID: settings that contradict each other or let anybody's tokens in. */
enum mf_status tokens_open(const struct mf_conf *top, struct tokens **out, struct mf_error *err);
/* NULL is fine. */
void tokens_free(struct tokens *t);

struct token_owner {
	const char *user; /* the claim oauth_user_claim, in the arena */
	int64_t expires;  /* seconds since 1970 */
};

/* Whose token this is. MF_AUTH: nobody's, another audience's, expired; MF_TEMPORARY: the issuer cannot be
 * asked now. Blocks for at most some seconds while it is asked; any thread. */
enum mf_status token_check(struct tokens *t, const char *token, struct mf_arena *a,
	struct token_owner *out, struct mf_error *err);

/* Whether token_check would ask the issuer: a stranger may be held back before. */
bool token_is_known(struct tokens *t, const char *token);

#endif
