/* Knows the form of a JWT; where keys come from, keys.c knows. */
#include "token/jwt.h"

#include <string.h>

#include "base/str.h"

/* base64url without padding, and nothing else. */
static struct mf_bytes
decode(struct mf_arena *a, const char *s, size_t len)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

	return strspn(s, letters) < len ? mf_bytes(NULL, 0) : str_unbase64(a, s, len);
}

/* What the header says. `crit` names what must be understood: we understand none (RFC 7515, 4.1.11). */
static bool
read_header(struct mf_arena *a, struct mf_bytes text, struct jwt *out)
{
	json_t *j = token_json(text.data, text.len);
	const char *alg = json_string_value(json_object_get(j, "alg"));
	const json_t *kid = json_object_get(j, "kid");
	bool ok = alg != NULL && json_object_get(j, "crit") == NULL &&
		  (kid == NULL || json_is_string(kid));

	if (ok) {
		out->alg = mf_strdup(a, alg);
		out->kid = mf_strdup(a, json_string_value(kid));
	}
	json_decref(j);
	return ok;
}

enum mf_status
jwt_parse(struct mf_arena *a, const char *token, struct jwt *out, struct mf_error *err)
{
	const char *first = strchr(token, '.');
	const char *second = first == NULL ? NULL : strchr(first + 1, '.');
	struct mf_bytes header;

	*out = (struct jwt){ .alg = NULL };
	if (second == NULL || strchr(second + 1, '.') != NULL)
		return mf_fail(err, MF_AUTH, "token: no JWT");
	header = decode(a, token, (size_t)(first - token));
	out->payload = decode(a, first + 1, (size_t)(second - first - 1));
	out->signature = decode(a, second + 1, strlen(second + 1));
	out->signed_part = mf_bytes(token, (size_t)(second - token));
	if (header.len == 0 || out->payload.len == 0 || out->signature.len == 0 ||
		!read_header(a, header, out))
		return mf_fail(err, MF_AUTH, "token: a JWT that cannot be read");
	return MF_OK;
}

enum mf_status
jwt_check(struct mf_arena *a, const struct jwt *t, const struct jwk_set *keys,
	const struct token_policy *p, struct token_owner *out, struct mf_error *err)
{
	json_t *claims;
	enum mf_status st;

	if (!jwk_verify(keys, t->alg, t->kid, t->signed_part, t->signature))
		return mf_fail(err, MF_AUTH, "token: not signed by a key of the issuer");
	claims = token_json(t->payload.data, t->payload.len);
	if (claims == NULL)
		return mf_fail(err, MF_AUTH, "token: claims that cannot be read");
	st = token_claims_check(p, claims, true, a, out, err);
	json_decref(claims);
	return st;
}
