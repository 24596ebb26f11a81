/* A connection: made, encrypted, bound, within its time (wire.c). */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dir.h"

/* Where the system keeps the authorities that it trusts. */
static const char system_authorities[] = "/etc/ssl/certs/ca-certificates.crt";

int64_t
dir_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct timeval
interval(int ms)
{
	return (struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
}

/* ---- Failures ---- */

static const struct {
	int code;
	enum mf_status status;
} meanings[] = {
	{ LDAP_SUCCESS, MF_OK },
	{ LDAP_NO_SUCH_OBJECT, MF_GONE },
	{ LDAP_INSUFFICIENT_ACCESS, MF_REFUSED },
	{ LDAP_INAPPROPRIATE_AUTH, MF_REFUSED },
	{ LDAP_UNWILLING_TO_PERFORM, MF_REFUSED },
	{ LDAP_INVALID_DN_SYNTAX, MF_GONE },
	{ LDAP_FILTER_ERROR, MF_INVALID },
};

enum mf_status
dir_failed(struct mf_session *s, int code, const char *what, struct mf_error *err)
{
	enum mf_status st = MF_TEMPORARY;
	char *detail = NULL;

	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (meanings[i].code == code)
			st = meanings[i].status;
	if (code < 0 || code == LDAP_UNAVAILABLE)
		s->failed = true; /* the library's own codes: the connection, or sense, is lost */
	if (st == MF_OK)
		return MF_OK;
	if (s->ld != NULL)
		ldap_get_option(s->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &detail);
	mf_fail(err, st, "ldap %s: %s: %s%s%s", s->backend->url, what, ldap_err2string(code),
		detail != NULL && detail[0] != '\0' ? ": " : "", detail != NULL ? detail : "");
	ldap_memfree(detail);
	return st;
}

/* ---- Encryption ---- */

/* All that the system's ldap.conf might say otherwise. */
static int
set_tls(struct mf_session *s)
{
	const struct mf_backend *b = s->backend;
	int demand = b->verify ? LDAP_OPT_X_TLS_DEMAND : LDAP_OPT_X_TLS_NEVER, client = 0;
	const char *ca = b->ca_file;
	int code;

	if (ca[0] == '\0' && access(system_authorities, R_OK) == 0)
		ca = system_authorities;
	code = ldap_set_option(s->ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand);
	if (code == LDAP_SUCCESS && ca[0] != '\0')
		code = ldap_set_option(s->ld, LDAP_OPT_X_TLS_CACERTFILE, ca);
	return code == LDAP_SUCCESS ? ldap_set_option(s->ld, LDAP_OPT_X_TLS_NEWCTX, &client) : code;
}

static enum mf_status
prepare(struct mf_session *s, struct mf_error *err)
{
	const struct mf_backend *b = s->backend;
	struct timeval connect = interval(b->connect_ms), call = interval(b->call_ms);
	int version = LDAP_VERSION3, code = ldap_initialize(&s->ld, b->url);

	if (code != LDAP_SUCCESS)
		return dir_failed(s, code, "url", err);
	ldap_set_option(s->ld, LDAP_OPT_PROTOCOL_VERSION, &version);
	ldap_set_option(s->ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF); /* they lead anywhere */
	ldap_set_option(s->ld, LDAP_OPT_NETWORK_TIMEOUT, &connect);
	ldap_set_option(s->ld, LDAP_OPT_TIMEOUT, &call);
	dir_watch_wire(s);
	code = set_tls(s);
	if (code == LDAP_SUCCESS && b->starttls)
		code = ldap_start_tls_s(s->ld, NULL, NULL);
	return dir_failed(s, code, b->starttls ? "STARTTLS" : "TLS", err);
}

/* ---- Who we are ---- */

static enum mf_status
wait_for_bind(struct mf_session *s, int id, int *code, struct mf_error *err)
{
	struct timeval t = interval(s->backend->call_ms);
	LDAPMessage *m = NULL;
	int got = ldap_result(s->ld, id, LDAP_MSG_ALL, &t, &m);

	if (got <= 0) {
		s->failed = true;
		return dir_failed(s, got == 0 ? LDAP_TIMEOUT : LDAP_SERVER_DOWN, "bind", err);
	}
	got = ldap_parse_result(s->ld, m, code, NULL, NULL, NULL, NULL, 1);
	return dir_failed(s, got, "bind", err);
}

static enum mf_status
bind_as(struct mf_session *s, const char *dn, const char *password, struct mf_error *err)
{
	struct berval secret = { .bv_len = strlen(password),
		.bv_val = (char *)(uintptr_t)password };
	int id, code = ldap_sasl_bind(s->ld, dn, LDAP_SASL_SIMPLE, &secret, NULL, NULL, &id);
	enum mf_status st;

	if (code != LDAP_SUCCESS)
		return dir_failed(s, code, "connect", err);
	st = wait_for_bind(s, id, &code, err);
	if (st != MF_OK)
		return st;
	if (code == LDAP_INVALID_CREDENTIALS && s->backend->own_login)
		return mf_fail(err, MF_AUTH, "ldap %s: bind: wrong credentials", s->backend->url);
	/* Of bind_dn: it is not the user's password that is wrong. */
	if (code == LDAP_INVALID_CREDENTIALS || code == LDAP_NO_SUCH_OBJECT)
		return mf_fail(err, MF_TEMPORARY, "ldap %s: bind_dn is refused", s->backend->url);
	return dir_failed(s, code, "bind", err);
}

/* A name with an empty password would log nobody in, and succeed (RFC 4513 5.1.2). */
static enum mf_status
bind_own(struct mf_session *s, const struct mf_login *who, struct mf_error *err)
{
	struct mf_arena *a;
	enum mf_status st;

	if (who->password == NULL || who->password[0] == '\0' || who->master != NULL)
		return mf_fail(err, MF_UNSUPPORTED, "ldap %s: bind_dn wants users' passwords",
			s->backend->url);
	a = mf_arena_new();
	st = bind_as(s, dir_bind_name(s->backend, a, who->user), who->password, err);
	mf_arena_free(a);
	return st;
}

enum mf_status
dir_connect_and_bind(struct mf_session *s, const struct mf_login *who, struct mf_error *err)
{
	const struct mf_backend *b = s->backend;
	enum mf_status st;

	s->deadline = dir_now() + b->connect_ms;
	st = prepare(s, err);
	if (st == MF_OK && b->own_login)
		st = bind_own(s, who, err);
	else if (st == MF_OK)
		st = bind_as(s, b->bind_dn, b->bind_password, err);
	return st;
}
