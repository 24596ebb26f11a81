/*
 * The issuer's keys, kept: read from a file or fetched when first needed, again every hour, and when a
 * token names a key that is not among them (but then once a minute at most: strangers name what they
 * like). While the issuer is away, the former keys serve on.
 */
#ifndef TOKEN_KEYS_H
#define TOKEN_KEYS_H

#include "token/jwk.h"

struct token_keys;

/* where: "https://..." or a file's path. */
struct token_keys *token_keys_new(const char *where, const char *ca_file);
void token_keys_free(struct token_keys *k); /* NULL is fine */

/* Calls use(ctx, set) with a set that has `kid` if there is one (kid NULL: any set), while nobody changes
 * it. MF_TEMPORARY: there are no keys, and none can be had now. Any thread. */
enum mf_status token_keys_use(struct token_keys *k, const char *kid,
	void (*use)(void *ctx, const struct jwk_set *set), void *ctx, struct mf_error *err);

#endif
