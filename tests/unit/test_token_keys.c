/* The issuer's keys: fetched once, again for a new id, kept while the issuer is away. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "token/keys.h"
#include "unit/fake_http.h"

#define KEY(kid)                                                               \
	"{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"" kid "\"," \
	"\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}"

static void
remember(void *ctx, const struct jwk_set *set)
{
	const char **name = ctx;

	*name = jwk_set_has(set, "one") ? "one" : jwk_set_has(set, "two") ? "two" : "none";
}

static const char *
keys(struct token_keys *k, const char *kid)
{
	const char *name = "failed";
	struct mf_error err = { 0 };

	token_keys_use(k, kid, remember, &name, &err);
	return name;
}

Test(token_keys, renewal, .timeout = 60)
{
	static const struct fake_reply replies[] = {
		{ 500, NULL, NULL, "" },
		{ 200, NULL, NULL, KEY("one") },
		{ 200, NULL, NULL, KEY("two") },
		{ 500, NULL, NULL, "" },
		{ 200, NULL, NULL, "{\"keys\":[]}" },
		{ 200, NULL, NULL, KEY("one") },
	};
	struct fake_http *h = fake_start(replies, 6, 0);
	struct token_keys *k;

	log_set_level(MF_LOG_ERROR);
	k = token_keys_new(h->url, "");
	cr_assert_str_eq(keys(k, "one"), "failed", "the issuer is down");
	cr_assert_str_eq(keys(k, "one"), "failed", "and not asked at once again");
	clock_skip(11);
	cr_assert_str_eq(keys(k, "one"), "one");
	cr_assert_str_eq(keys(k, "two"), "one", "a stranger's id, at once");
	clock_skip(61);
	cr_assert_str_eq(keys(k, "one"), "one", "nothing is due");
	cr_assert_str_eq(keys(k, "two"), "two", "new keys");
	clock_skip(3601);
	cr_assert_str_eq(keys(k, "two"), "two", "the issuer is down: the former keys serve");
	clock_skip(11);
	cr_assert_str_eq(keys(k, "two"), "two", "rubbish");
	clock_skip(11);
	cr_assert_str_eq(keys(k, NULL), "one", "an hour is over");
	fake_stop(h);
	cr_assert_eq(h->n_requests, 6, "%zu", h->n_requests);
	fake_free(h);
	token_keys_free(k);
}

Test(token_keys, file)
{
	char path[] = "/tmp/mailferry-keys-XXXXXX";
	int fd = mkstemp(path);
	struct token_keys *k;

	log_set_level(MF_LOG_ERROR);
	cr_assert_gt(write(fd, KEY("one"), strlen(KEY("one"))), 0);
	k = token_keys_new(path, "");
	cr_assert_str_eq(keys(k, "one"), "one");
	token_keys_free(k);
	unlink(path);
	k = token_keys_new(path, "");
	cr_assert_str_eq(keys(k, "one"), "failed");
	token_keys_free(k);
	close(fd);
}
