/* What was learnt of tokens: whose they are, or that they are nobody's. Of fixed size, and keeps of a
 * token a keyed digest only. Wrong ones never push out good ones. */
#ifndef TOKEN_MEMORY_H
#define TOKEN_MEMORY_H

#include "token/token.h"

struct token_memory;

/* How long each kind is remembered, in ms; 0: not at all. */
struct token_memory *token_memory_new(int64_t good_ms, int64_t bad_ms);
void token_memory_free(struct token_memory *m); /* NULL is fine */

/* MF_OK with its owner, MF_AUTH, or MF_GONE: not known. */
enum mf_status token_memory_find(
	struct token_memory *m, const char *token, struct mf_arena *a, struct token_owner *out);
/* owner NULL: nobody's. */
void token_memory_learn(struct token_memory *m, const char *token, const struct token_owner *owner);

#endif
