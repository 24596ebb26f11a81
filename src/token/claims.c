/* Pure, but for the clock. */
#include "token/claims.h"

#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"

enum { LEEWAY_S = 60, UNKNOWN_LIFE_S = 300 };

json_t *
token_json(const void *data, size_t len)
{
	json_t *j = json_loadb(data, len, JSON_REJECT_DUPLICATES, NULL);

	if (json_is_object(j))
		return j;
	json_decref(j);
	return NULL;
}

static const char *
text(const json_t *claims, const char *name)
{
	const char *s = json_string_value(json_object_get(claims, name));

	return s == NULL ? "" : s;
}

static bool
listed(const char *const *list, const char *word)
{
	while (word != NULL && *list != NULL && strcmp(*list, word) != 0)
		list++;
	return word != NULL && *list != NULL;
}

/* A string or an array of strings (RFC 7519, 4.1.3). */
static bool
audience_fits(const struct token_policy *p, const json_t *aud)
{
	size_t i;
	const json_t *one;

	if (p->audiences[0] == NULL || listed(p->audiences, json_string_value(aud)))
		return true;
	json_array_foreach(aud, i, one)
	{
		if (listed(p->audiences, json_string_value(one)))
			return true;
	}
	return false;
}

/* Words with blanks between them (RFC 8693, 4.2), or an array, as some issuers have it ("scp"). */
static bool
scope_fits(const char *wanted, const json_t *scope)
{
	const char *s = json_string_value(scope);
	size_t n = strlen(wanted), i;
	const json_t *one;

	if (n == 0)
		return true;
	for (; s != NULL && *s != '\0'; s += strspn(s, " ")) {
		size_t len = strcspn(s, " ");

		if (len == n && memcmp(s, wanted, n) == 0)
			return true;
		s += len;
	}
	json_array_foreach(scope, i, one)
	{
		if (json_is_string(one) && strcmp(json_string_value(one), wanted) == 0)
			return true;
	}
	return false;
}

static bool
any_scope_fits(const struct token_policy *p, const json_t *claims)
{
	return scope_fits(p->scope, json_object_get(claims, "scope")) ||
	       scope_fits(p->scope, json_object_get(claims, "scp"));
}

/* Seconds since 1970, which may have a fraction; 0: absent, -1: no number. */
static int64_t
date(const json_t *claims, const char *name)
{
	const json_t *j = json_object_get(claims, name);
	double d = json_number_value(j);

	if (j == NULL)
		return 0;
	return json_is_number(j) && d > 0 && d < 1e15 ? (int64_t)d : -1;
}

static bool
name_good(const char *user)
{
	size_t n = strlen(user);

	return n > 0 && n <= TOKEN_USER_MAX && utf8_valid(user, n);
}

enum mf_status
token_claims_check(const struct token_policy *p, const json_t *claims, bool must_expire,
	struct mf_arena *a, struct token_owner *out, struct mf_error *err)
{
	int64_t now = clock_wall(), exp = date(claims, "exp"), nbf = date(claims, "nbf");
	const char *user = text(claims, p->user_claim);

	if (exp < 0 || nbf < 0 || (exp == 0 && must_expire))
		return mf_fail(err, MF_AUTH, "token: no time of expiry");
	if (exp != 0 && exp + LEEWAY_S <= now)
		return mf_fail(err, MF_AUTH, "token: expired");
	if (nbf > now + LEEWAY_S)
		return mf_fail(err, MF_AUTH, "token: not valid yet");
	if (*p->issuer != '\0' && strcmp(text(claims, "iss"), p->issuer) != 0)
		return mf_fail(err, MF_AUTH, "token: of another issuer");
	if (!audience_fits(p, json_object_get(claims, "aud")))
		return mf_fail(err, MF_AUTH, "token: for another audience");
	if (!any_scope_fits(p, claims))
		return mf_fail(err, MF_AUTH, "token: without the scope %s", p->scope);
	if (!name_good(user))
		return mf_fail(
			err, MF_AUTH, "token: no claim %s that is a user's name", p->user_claim);
	out->user = mf_strdup(a, user);
	out->expires = exp != 0 ? exp + LEEWAY_S : now + UNKNOWN_LIFE_S;
	return MF_OK;
}
