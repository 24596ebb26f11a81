/* A token, a set of keys and an issuer's answer from strangers: nothing is believed, nothing crashes. */
#include <stdlib.h>
#include <string.h>

#include "token/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const audiences[] = { "mailferry", NULL };
static const struct token_policy policy = {
	.issuer = "i", .audiences = audiences, .scope = "", .user_claim = "email"
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char key[] = "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
				  "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";
	struct mf_arena *a = mf_arena_new();
	const char *text = mf_strndup(a, (const char *)data, size);
	struct jwk_set *set = NULL;
	struct token_owner owner;
	struct jwt jwt;
	json_t *j;

	if (jwk_set_parse(mf_bytes(data, size), &set, NULL) == MF_OK)
		jwk_verify(set, "RS256", NULL, mf_bytes("x", 1), mf_bytes(data, size));
	jwk_set_free(set);
	if (jwk_set_parse(mf_bytes(key, sizeof(key) - 1), &set, NULL) != MF_OK)
		abort();
	if (jwt_parse(a, text, &jwt, NULL) == MF_OK &&
		jwt_check(a, &jwt, set, &policy, &owner, NULL) == MF_OK)
		abort(); /* nobody has that key's other half here */
	jwk_set_free(set);
	j = token_json(data, size);
	if (j != NULL && token_claims_check(&policy, j, true, a, &owner, NULL) == MF_OK &&
		(*owner.user == '\0' || strlen(owner.user) > TOKEN_USER_MAX))
		abort();
	json_decref(j);
	mf_arena_free(a);
	return 0;
}
