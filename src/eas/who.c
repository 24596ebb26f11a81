/* Knows the ways to log in and in which order they are tried; must not know what the login is for. */
#include "eas/who.h"

#include <inttypes.h>
#include <string.h>

#include "backend/auth.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "eas/limits.h"
#include "eas/login.h"
#include "eas/password.h"
#include "state/device.h"
#include "token/token.h"

enum { DAY = 24 * 3600, WARNING_DAYS = 14 };

/* The ways, as the setting `logins` names them. */
static const char *const ways[] = { EAS_BY_PASSWORD, EAS_BY_APPLICATION, EAS_BY_TOKEN,
	EAS_BY_CERTIFICATE };

static const size_t ways_n = sizeof(ways) / sizeof(*ways);

static bool
listed(const char *const *list, const char *word)
{
	while (*list != NULL && strcmp(*list, word) != 0)
		list++;
	return *list != NULL;
}

static bool
open_to(const struct eas_request *r, const char *way)
{
	return listed(mf_conf_list(r->server->conf, "logins"), way);
}

enum mf_status
eas_who_validate(const struct mf_conf *top, struct mf_error *err)
{
	const char *user = mf_conf_string(top, "master_user");
	for (const char *const *s = mf_conf_list(top, "logins"); *s != NULL; s++) {
		size_t i = 0;
		while (i < ways_n && strcmp(ways[i], *s) != 0)
			i++;
		if (i == ways_n)
			return mf_fail(err, MF_INVALID, "logins: there is no way \"%s\"", *s);
	}
	if (listed(mf_conf_list(top, "logins"), EAS_BY_CERTIFICATE) && *user == '\0')
		return mf_fail(err, MF_INVALID, "logins: certificate needs master_user");
	if (mf_conf_bool(top, "client_certificate_required") &&
		*mf_conf_string(top, "client_certificates") == '\0')
		return mf_fail(
			err, MF_INVALID, "client_certificate_required needs client_certificates");
	if (*mf_conf_string(top, "client_certificate_header") != '\0' &&
		*mf_conf_string(top, "client_certificates") == '\0')
		return mf_fail(
			err, MF_INVALID, "client_certificate_header needs client_certificates");
	if (strcmp(mf_conf_string(top, "oauth_login"), "master") == 0 && *user == '\0')
		return mf_fail(err, MF_INVALID, "oauth_login = master needs master_user");
	if (*user != '\0' && *mf_conf_string(top, "master_password") == '\0')
		return mf_fail(err, MF_INVALID, "master_user needs master_password");
	return backend_names_validate(top, err);
}

static bool
takes_tokens(const struct eas_request *r)
{
	return r->server->tokens != NULL && open_to(r, EAS_BY_TOKEN);
}

void
eas_who_challenge(struct eas_request *r)
{
	const char *url = mf_conf_string(r->server->conf, "oauth_authorization_url");
	const char *sent = eas_header(r, "Authorization");
	if (open_to(r, EAS_BY_PASSWORD) || open_to(r, EAS_BY_APPLICATION))
		eas_answer_header(
			r, "WWW-Authenticate", "Basic realm=\"Mailferry\", charset=\"UTF-8\"");
	if (!takes_tokens(r))
		return;
	eas_answer_header(r, "WWW-Authenticate",
		mf_printf(r->arena, "Bearer realm=\"Mailferry\"%s%s%s%s",
			*url == '\0' ? "" : ", authorization_uri=\"", url, *url == '\0' ? "" : "\"",
			sent != NULL && str_istarts(sent, "Bearer ") ? ", error=\"invalid_token\""
								     : ""));
}

bool
eas_who_has_master(const struct mf_conf *top)
{
	return *mf_conf_string(top, "master_user") != '\0';
}

/* ---- What the backends are asked with ---- */

static void
wipe(const char *secret)
{
	if (secret != NULL)
		str_wipe((char *)(uintptr_t)secret, strlen(secret));
}

static void
replace_password(struct eas_request *r, const char *password)
{
	wipe(r->login.password);
	r->login.password = password;
}

/* The master user logs in as the user, who has proved otherwise who he is. */
static enum mf_status
use_master(struct eas_request *r, struct mf_error *err)
{
	const struct mf_conf *top = r->server->conf;
	if (!eas_who_has_master(top))
		return mf_fail(err, MF_TEMPORARY, "this login needs master_user, which is not set");
	r->login.master = mf_conf_string(top, "master_user");
	replace_password(r, mf_strdup(r->arena, mf_conf_string(top, "master_password")));
	return MF_OK;
}

/* ---- Checking ---- */

/* Before somebody is asked who may take seconds. MF_TEMPORARY: not here and now. */
static enum mf_status
may_block(struct eas_request *r, struct mf_error *err)
{
	if (r->aside == EAS_ASIDE_OFFERED)
		r->aside = EAS_ASIDE_WANTED;
	if (r->aside == EAS_ASIDE_WANTED || r->aside == EAS_ASIDE_CROWDED)
		return mf_fail(err, MF_TEMPORARY, "too many logins are being checked");
	return MF_OK;
}

/* What was good a while ago is asked for on the spot: it is no stranger's. */
static enum mf_status
ask(struct eas_request *r, struct mf_error *err)
{
	struct backends *b = r->server->backends;
	enum mf_status st = MF_OK;
	if (backend_login_remembered(b, &r->login) == MF_GONE)
		st = may_block(r, err);
	return st == MF_OK ? backend_login_check(b, &r->login, err) : st;
}

static enum mf_status
too_many(struct eas_request *r, struct mf_error *err)
{
	eas_answer_header(r, "X-MS-ASThrottle", "UnknownReason");
	return mf_fail(err, MF_TEMPORARY, "too many wrong passwords");
}

/* A login that nobody remembers is tried upstream, while there were not too many wrong ones: neither a
 * guesser nor a phone with an old password may lock an account there. */
static enum mf_status
check(struct eas_request *r, struct mf_error *err)
{
	struct backends *b = r->server->backends;
	if (backend_login_remembered(b, &r->login) != MF_GONE)
		return backend_login_check(b, &r->login, err);
	if (!eas_limits_may_try(r))
		return too_many(r, err);
	enum mf_status st = ask(r, err);
	if (st == MF_AUTH || st == MF_REFUSED)
		eas_limits_failed(r);
	else if (st == MF_OK)
		eas_limits_succeeded(r);
	return st;
}

/* The same for what we refuse by ourselves. */
static enum mf_status
turn_away(struct eas_request *r, const char *why, struct mf_error *err)
{
	if (!eas_limits_may_try(r))
		return too_many(r, err);
	eas_limits_failed(r);
	return mf_fail(err, MF_AUTH, "%s", why);
}

/* ---- The ways ---- */

/* The device that asks, as far as a password can be bound to it. */
static const char *
device_of(const struct eas_request *r)
{
	bool named = r->device_id != NULL && strlen(r->device_id) <= STATE_DEVICE_ID_MAX;
	return named ? r->device_id : "";
}

static enum mf_status
by_application(struct eas_request *r, const struct eas_password *p, struct mf_error *err)
{
	enum mf_status st =
		state_password_use(r->server->state, r->user, p->number, device_of(r), err);
	if (st == MF_REFUSED || st == MF_GONE)
		return turn_away(r, "an application password of another device", err);
	if (st == MF_OK && p->account == NULL)
		st = use_master(r, err);
	else if (st == MF_OK)
		replace_password(r, p->account);
	if (st != MF_OK)
		return st;
	eas_note(r, "login=%s-%u", EAS_BY_APPLICATION, p->number);
	r->password_expires = p->expires;
	/* A wrong answer is about the account, not about the device: it is no guess. */
	st = ask(r, err);
	if (st == MF_AUTH && err->reason == MF_REASON_NONE)
		mf_fail(err, MF_AUTH,
			"the account's password is another than when application password %u was "
			"made",
			p->number);
	return st;
}

static enum mf_status
by_any_password(struct eas_request *r, struct mf_error *err)
{
	struct eas_password p;
	enum mf_status st = MF_GONE;
	if (open_to(r, EAS_BY_APPLICATION))
		st = eas_password_find(
			r->server->state, r->user, r->login.password, r->arena, &p, err);
	if (st == MF_OK)
		return by_application(r, &p, err);
	if (st != MF_GONE)
		return st;
	if (!open_to(r, EAS_BY_PASSWORD))
		return turn_away(r, "the account's password does not log in here", err);
	return check(r, err);
}

/* The mail server has the last word: it may refuse what the issuer vouches for. */
static enum mf_status
with_owner(struct eas_request *r, const char *owner, struct mf_error *err)
{
	struct backends *b = r->server->backends;
	r->login.user = owner;
	enum mf_status st = backend_login_map(b, owner, r->arena, &r->user, err);
	if (st == MF_OK && strcmp(mf_conf_string(r->server->conf, "oauth_login"), "master") == 0) {
		st = use_master(r, err);
		wipe(r->login.token);
		r->login.token = NULL;
	}
	eas_note(r, "login=%s", EAS_BY_TOKEN);
	return st == MF_OK ? ask(r, err) : st;
}

static enum mf_status
by_token(struct eas_request *r, struct mf_error *err)
{
	struct tokens *t = r->server->tokens;
	struct token_owner owner;
	if (!takes_tokens(r))
		return mf_fail(err, MF_AUTH, "no token logs in here");
	bool known = token_is_known(t, r->login.token);
	if (!known && !eas_limits_may_try(r))
		return too_many(r, err);
	enum mf_status st = known ? MF_OK : may_block(r, err);
	if (st == MF_OK)
		st = token_check(t, r->login.token, r->arena, &owner, err);
	if (st == MF_AUTH)
		eas_limits_failed(r);
	return st == MF_OK ? with_owner(r, owner.user, err) : st;
}

static enum mf_status
by_name(struct eas_request *r, struct mf_error *err)
{
	enum mf_status st =
		backend_login_map(r->server->backends, r->login.user, r->arena, &r->user, err);
	return st == MF_OK ? by_any_password(r, err) : st;
}

/* MS-ASHTTP 2.2.1.1.2.2: no Authorization header, the handshake has said it. */
static enum mf_status
by_certificate(struct eas_request *r, struct mf_error *err)
{
	struct backends *b = r->server->backends;
	if (r->certified == NULL || !open_to(r, EAS_BY_CERTIFICATE))
		return mf_fail(err, MF_AUTH, "no credentials");
	r->login = (struct mf_login){ .user = r->certified };
	enum mf_status st = backend_login_map(b, r->certified, r->arena, &r->user, err);
	if (st == MF_OK)
		st = use_master(r, err);
	eas_note(r, "login=%s", EAS_BY_CERTIFICATE);
	return st == MF_OK ? ask(r, err) : st;
}

/* Where a certificate is required, it is that of the user who logs in by whatever else. */
static enum mf_status
compare_certificate(struct eas_request *r, struct mf_error *err)
{
	const char *user;
	if (!mf_conf_bool(r->server->conf, "client_certificate_required"))
		return MF_OK;
	if (backend_login_map(r->server->backends, r->certified, r->arena, &user, err) != MF_OK ||
		strcmp(user, r->user) != 0)
		return mf_fail(err, MF_REFUSED, "the certificate is another user's");
	return MF_OK;
}

static enum mf_status
find_out(struct eas_request *r, struct mf_error *err)
{
	const char *authorization = eas_header(r, "Authorization");
	if (r->certified == NULL && mf_conf_bool(r->server->conf, "client_certificate_required"))
		return mf_fail(err, MF_REFUSED, "no certificate that is good");
	if (authorization == NULL)
		return by_certificate(r, err);
	if (!login_parse(r->arena, authorization, &r->login))
		return mf_fail(err, MF_AUTH, "no credentials");
	return r->login.token != NULL ? by_token(r, err) : by_name(r, err);
}

/* MS-ASHTTP 2.2.2.1.2.10 and 11: in time, and where there is a place to get another. */
static void
warn_of_end(struct eas_request *r)
{
	const char *url = mf_conf_string(r->server->conf, "credential_url");
	int64_t left = r->password_expires - clock_wall();
	if (r->password_expires == 0 || left >= WARNING_DAYS * DAY || *url == '\0')
		return;
	eas_answer_header(r, "X-MS-Credentials-Expire",
		mf_printf(r->arena, "%" PRId64, left < 0 ? 0 : left / DAY));
	eas_answer_header(r, "X-MS-Credential-Service-Url", url);
}

enum mf_status
eas_who(struct eas_request *r, struct mf_error *err)
{
	enum mf_status st = find_out(r, err);
	if (st == MF_OK)
		st = compare_certificate(r, err);
	if (st == MF_OK)
		warn_of_end(r);
	if (st == MF_INVALID)
		st = MF_AUTH; /* a name that nobody can have */
	if (st != MF_OK && st != MF_AUTH && st != MF_REFUSED)
		st = MF_TEMPORARY;
	if (r->aside == EAS_ASIDE_WANTED) { /* they are read anew */
		wipe(r->login.password);
		wipe(r->login.token);
		r->login = (struct mf_login){ 0 };
	}
	if (st != MF_OK)
		err->status = st;
	return st;
}

/* MS-ASHTTP 2.2.2.1.1, 2.2.2.1.2.10. */
static unsigned
http_of(const struct eas_request *r, const struct mf_error *err)
{
	const struct mf_conf *top = r->server->conf;
	if (err->status == MF_AUTH)
		return err->reason == MF_REASON_EXPIRED &&
				       *mf_conf_string(top, "credential_url") != '\0'
			       ? 457
			       : 401;
	if (err->status == MF_REFUSED)
		return err->reason == MF_REASON_BLOCKED && mf_conf_bool(top, "tell_blocked") ? 456
											     : 403;
	return 503;
}

void
eas_who_refuse(struct eas_request *r, const struct mf_error *err)
{
	unsigned http = http_of(r, err);
	if (http == 457)
		eas_answer_header(r, "X-MS-Credential-Service-Url",
			mf_conf_string(r->server->conf, "credential_url"));
	mf_log(http == 503 ? MF_LOG_WARNING : MF_LOG_INFO, "failed=%s error=%s",
		mf_status_name(err->status), mf_log_value(err->text));
	eas_fail_http(r, http, NULL);
}
