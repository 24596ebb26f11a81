/* Checks of the ways to log in: the issuer of tokens asked, the master user tried, roots of clients read. */
#include <string.h>
#include <unistd.h>

#include "backend/auth.h"
#include "eas/who.h"
#include "http/client_certificate.h"
#include "main/check.h"
#include "token/token.h"

/* Nobody's token: whoever can tell so has been reached. */
static const char nobodys[] = "eyJhbGciOiJFUzI1NiJ9.e30.AAAA";

static void
check_tokens(struct check *c)
{
	const struct mf_conf *top = conf_top(c->conf);
	struct mf_arena *a = mf_arena_new();
	struct mf_error err = { .text = "" };
	struct tokens *t = NULL;
	struct token_owner owner;

	if (tokens_open(top, &t, &err) != MF_OK ||
		(t != NULL && token_check(t, nobodys, a, &owner, &err) != MF_AUTH))
		check_say(c, CHECK_ERROR, "oauth", "%s", err.text);
	else if (t != NULL)
		check_say(c, CHECK_OK, "oauth", "%s tells whose tokens are",
			*mf_conf_string(top, "oauth_jwks") != '\0'
				? mf_conf_string(top, "oauth_jwks")
				: mf_conf_string(top, "oauth_introspection"));
	if (t != NULL && mf_conf_list(top, "oauth_audience")[0] == NULL &&
		*mf_conf_string(top, "oauth_scope") == '\0')
		check_say(c, CHECK_WARNING, "oauth",
			"neither oauth_audience nor oauth_scope: tokens for any purpose log in");
	tokens_free(t);
	mf_arena_free(a);
}

static void
check_roots(struct check *c)
{
	const struct mf_conf *top = conf_top(c->conf);
	const char *path = mf_conf_string(top, "client_certificates");
	struct mf_error err = { .text = "" };

	if (http_client_roots_load(top, &err) != MF_OK)
		check_say(c, CHECK_ERROR, "client", "%s", err.text);
	else if (*path != '\0' && mf_conf_list(top, "listen_tls")[0] == NULL &&
		 *mf_conf_string(top, "client_certificate_header") == '\0')
		check_say(c, CHECK_WARNING, "client",
			"%s is not used: listen_tls is empty, and no client_certificate_header is "
			"set",
			path);
	else if (*path != '\0')
		check_say(c, CHECK_OK, "client", "certificates by the roots in %s", path);
	http_client_roots_forget();
}

static void
check_rights(struct check *c)
{
	if (geteuid() == 0 && *mf_conf_string(conf_top(c->conf), "run_as") == '\0')
		check_say(c, CHECK_ADVICE, "rights",
			"started as root, serve stays root: run_as names a user to become");
}

void
check_logins(struct check *c)
{
	struct mf_error err = { .text = "" };

	if (eas_who_validate(conf_top(c->conf), &err) != MF_OK)
		check_say(c, CHECK_ERROR, "logins", "%s", err.text);
	check_tokens(c);
	check_roots(c);
	check_rights(c);
}

void
check_master(
	struct check *c, struct backends *b, const struct mf_backend_api *api, const char *user)
{
	const struct mf_conf *top = conf_top(c->conf);
	struct mf_login who = { .user = user,
		.password = mf_conf_string(top, "master_password"),
		.master = mf_conf_string(top, "master_user") };
	struct mf_error err = { .text = "" };
	struct mf_session *s = NULL;

	if (!eas_who_has_master(top))
		return;
	if (api->login(backends_handle(b, api), &who, &s, &err) != MF_OK) {
		check_say(c, CHECK_ERROR, api->name, "%s as %s: %s", who.master, user, err.text);
		return;
	}
	check_say(c, CHECK_OK, api->name, "the master user %s as %s", who.master, user);
	api->logout(s);
}
