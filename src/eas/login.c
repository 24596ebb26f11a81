/* Knows how credentials are written; must not know whether they are good, and logs nothing. */
#include "eas/login.h"

#include <string.h>

#include "base/str.h"
#include "base/utf8.h"

enum { LOGIN_MAX = 4096, BEARER_MAX = 16384 };

static char *
from_latin1(struct mf_arena *a, const uint8_t *s, size_t len)
{
	char *out = mf_alloc(a, 2 * len + 1);
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		if (s[i] < 0x80) {
			out[n++] = (char)s[i];
			continue;
		}
		out[n++] = (char)(0xc0 | s[i] >> 6);
		out[n++] = (char)(0x80 | (s[i] & 0x3f));
	}
	return out;
}

static char *
text(struct mf_arena *a, const uint8_t *s, size_t len)
{
	if (utf8_valid((const char *)s, len))
		return mf_strndup(a, (const char *)s, len);
	return from_latin1(a, s, len);
}

static bool
split(struct mf_arena *a, struct mf_bytes both, struct mf_login *out)
{
	const uint8_t *colon = both.len == 0 ? NULL : memchr(both.data, ':', both.len);
	if (colon == NULL || colon == both.data || memchr(both.data, '\0', both.len) != NULL)
		return false;
	size_t user = (size_t)(colon - both.data);
	out->user = text(a, both.data, user);
	out->password = text(a, colon + 1, both.len - user - 1);
	return true;
}

static bool
parse_bearer(struct mf_arena *a, const char *authorization, struct mf_login *out)
{
	const char *token = authorization + strlen("Bearer ");
	token += strspn(token, " ");
	if (*token == '\0' || strlen(token) > BEARER_MAX)
		return false;
	out->token = mf_strdup(a, token);
	return true;
}

bool
login_parse(struct mf_arena *a, const char *authorization, struct mf_login *out)
{
	*out = (struct mf_login){ 0 };
	if (authorization != NULL && str_istarts(authorization, "Bearer "))
		return parse_bearer(a, authorization, out);
	if (authorization == NULL || !str_istarts(authorization, "Basic ") ||
		strlen(authorization) > LOGIN_MAX)
		return false;
	const char *encoded = authorization + strlen("Basic ");
	struct mf_bytes both = str_unbase64(a, encoded, strlen(encoded));
	bool ok = split(a, both, out);
	if (both.len > 0)
		str_wipe((uint8_t *)(uintptr_t)both.data, both.len);
	return ok;
}
