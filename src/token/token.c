/* Which way a token is checked. Knows the settings; the ways themselves are jwt.c's, keys.c's, and the
 * issuer's. */
#include "token/token.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "token/fetch.h"
#include "token/jwt.h"
#include "token/keys.h"
#include "token/memory.h"

/* Questions to the issuer at once: one that is slow must not take all workers. */
enum { ASKERS_MAX = 8 };

struct tokens {
	struct token_policy policy;
	const char *introspection, *client_id, *client_secret, *ca_file; /* the configuration's */
	struct token_keys *keys; /* NULL: the issuer is asked */
	struct token_memory *memory;
	pthread_mutex_t lock; /* of askers */
	unsigned askers;
};

/* ---- Settings ---- */

static enum mf_status
validate(const struct mf_conf *top, struct mf_error *err)
{
	const char *jwks = mf_conf_string(top, "oauth_jwks");
	const char *url = mf_conf_string(top, "oauth_introspection");

	if (*jwks != '\0' && *url != '\0')
		return mf_fail(
			err, MF_INVALID, "oauth_jwks and oauth_introspection exclude each other");
	if (*jwks != '\0' && *jwks != '/' && !token_url_ok(jwks))
		return mf_fail(err, MF_INVALID, "oauth_jwks: neither https:// nor a path");
	if (*url != '\0' && !token_url_ok(url))
		return mf_fail(err, MF_INVALID, "oauth_introspection: not https://");
	/* Else whoever has a token of that issuer, for whatever purpose, has the mail. */
	if (*jwks != '\0' && (*mf_conf_string(top, "oauth_issuer") == '\0' ||
				     mf_conf_list(top, "oauth_audience")[0] == NULL))
		return mf_fail(err, MF_INVALID, "oauth_jwks needs oauth_issuer and oauth_audience");
	return MF_OK;
}

enum mf_status
tokens_open(const struct mf_conf *top, struct tokens **out, struct mf_error *err)
{
	const char *jwks = mf_conf_string(top, "oauth_jwks");
	enum mf_status st = validate(top, err);
	struct tokens *t;

	*out = NULL;
	if (st != MF_OK || (*jwks == '\0' && *mf_conf_string(top, "oauth_introspection") == '\0'))
		return st;
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		abort();
	t->policy = (struct token_policy){ .issuer = mf_conf_string(top, "oauth_issuer"),
		.audiences = mf_conf_list(top, "oauth_audience"),
		.scope = mf_conf_string(top, "oauth_scope"),
		.user_claim = mf_conf_string(top, "oauth_user_claim") };
	t->introspection = mf_conf_string(top, "oauth_introspection");
	t->client_id = mf_conf_string(top, "oauth_client_id");
	t->client_secret = mf_conf_string(top, "oauth_client_secret");
	t->ca_file = mf_conf_string(top, "oauth_certificates");
	if (*jwks != '\0')
		t->keys = token_keys_new(jwks, t->ca_file);
	t->memory = token_memory_new(mf_conf_number(top, "auth_cache") * 1000,
		mf_conf_number(top, "auth_cache_failures") * 1000);
	pthread_mutex_init(&t->lock, NULL);
	*out = t;
	return MF_OK;
}

void
tokens_free(struct tokens *t)
{
	if (t == NULL)
		return;
	token_keys_free(t->keys);
	token_memory_free(t->memory);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

/* ---- By keys ---- */

struct checking {
	const struct tokens *tokens;
	struct mf_arena *arena;
	struct jwt jwt;
	struct token_owner *out;
	enum mf_status status;
	struct mf_error *err;
};

static void
check_with(void *ctx, const struct jwk_set *set)
{
	struct checking *c = ctx;

	c->status = jwt_check(c->arena, &c->jwt, set, &c->tokens->policy, c->out, c->err);
}

static enum mf_status
check_jwt(struct tokens *t, const char *token, struct mf_arena *a, struct token_owner *out,
	struct mf_error *err)
{
	struct checking c = { .tokens = t, .arena = a, .out = out, .err = err };
	enum mf_status st = jwt_parse(a, token, &c.jwt, err);

	if (st == MF_OK)
		st = token_keys_use(t->keys, c.jwt.kid, check_with, &c, err);
	return st == MF_OK ? c.status : st;
}

/* ---- By asking ---- */

static enum mf_status
judge_answer(const struct tokens *t, struct mf_bytes text, struct mf_arena *a,
	struct token_owner *out, struct mf_error *err)
{
	json_t *j = token_json(text.data, text.len);
	const json_t *active = json_object_get(j, "active");
	enum mf_status st;

	if (!json_is_boolean(active))
		st = mf_fail(
			err, MF_TEMPORARY, "%s: an answer that makes no sense", t->introspection);
	else if (!json_is_true(active))
		st = mf_fail(err, MF_AUTH, "token: not active");
	else
		st = token_claims_check(&t->policy, j, false, a, out, err);
	json_decref(j);
	return st;
}

static enum mf_status
ask(const struct tokens *t, const char *token, struct mf_arena *a, struct token_owner *out,
	struct mf_error *err)
{
	struct token_request r = { .url = t->introspection,
		.user = *t->client_id == '\0' ? NULL : t->client_id,
		.password = t->client_secret,
		.ca_file = t->ca_file };
	struct mf_buf form, answer;
	enum mf_status st;

	mf_buf_init(&form, 0);
	mf_buf_init(&answer, 0);
	token_form_add(&form, "token", token);
	token_form_add(&form, "token_type_hint", "access_token");
	r.form = mf_buf_str(&form);
	st = token_fetch(&r, &answer, err);
	if (st == MF_OK)
		st = judge_answer(t, mf_buf_bytes(&answer), a, out, err);
	str_wipe(form.data, form.len);
	mf_buf_deinit(&form);
	mf_buf_deinit(&answer);
	return st;
}

static bool
may_ask(struct tokens *t, int more)
{
	bool may;

	pthread_mutex_lock(&t->lock);
	may = more < 0 || t->askers < ASKERS_MAX;
	if (may)
		t->askers = (unsigned)((int)t->askers + more);
	pthread_mutex_unlock(&t->lock);
	return may;
}

static enum mf_status
introspect(struct tokens *t, const char *token, struct mf_arena *a, struct token_owner *out,
	struct mf_error *err)
{
	enum mf_status st;

	if (!may_ask(t, 1))
		return mf_fail(err, MF_TEMPORARY, "token: too many questions to the issuer");
	st = ask(t, token, a, out, err);
	may_ask(t, -1);
	if (st == MF_AUTH)
		token_memory_learn(t->memory, token, NULL);
	return st;
}

/* ---- For others ---- */

/* RFC 6750, 2.1. */
static bool
token_good(const char *token)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789-._~+/=";
	size_t n = strlen(token);

	return n > 0 && n <= TOKEN_MAX && strspn(token, letters) == n;
}

enum mf_status
token_check(struct tokens *t, const char *token, struct mf_arena *a, struct token_owner *out,
	struct mf_error *err)
{
	enum mf_status st;

	if (!token_good(token))
		return mf_fail(err, MF_AUTH, "token: malformed");
	st = token_memory_find(t->memory, token, a, out);
	if (st == MF_AUTH)
		return mf_fail(err, MF_AUTH, "token: nobody's, as a moment ago");
	if (st == MF_OK)
		return MF_OK;
	st = t->keys != NULL ? check_jwt(t, token, a, out, err) : introspect(t, token, a, out, err);
	if (st == MF_OK)
		token_memory_learn(t->memory, token, out);
	return st;
}

bool
token_is_known(struct tokens *t, const char *token)
{
	struct token_owner owner;
	struct mf_arena *a;
	enum mf_status st;

	if (t->keys != NULL || !token_good(token))
		return true;
	a = mf_arena_new();
	st = token_memory_find(t->memory, token, a, &owner);
	mf_arena_free(a);
	return st != MF_GONE;
}
