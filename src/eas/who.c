/* Knows how a login is checked; must not know what it is for. */
#include "eas/who.h"

#include "backend/auth.h"
#include "eas/limits.h"
#include "eas/login.h"

/* A login that nobody remembers is tried upstream, while there were not too many wrong ones: neither a
 * guesser nor a phone with an old password may lock an account there. */
static enum mf_status
check(struct eas_request *r, struct mf_error *err)
{
	struct backends *b = r->server->backends;
	if (backend_login_remembered(b, &r->login) != MF_GONE)
		return backend_login_check(b, &r->login, err);
	if (!eas_limits_may_try(r)) {
		eas_answer_header(r, "X-MS-ASThrottle", "UnknownReason");
		return mf_fail(err, MF_TEMPORARY, "too many wrong passwords");
	}
	enum mf_status st = backend_login_check(b, &r->login, err);
	if (st == MF_AUTH)
		eas_limits_failed(r);
	else if (st == MF_OK)
		eas_limits_succeeded(r);
	return st;
}

enum mf_status
eas_who(struct eas_request *r, struct mf_error *err)
{
	struct backends *b = r->server->backends;
	if (!login_parse(r->arena, eas_header(r, "Authorization"), &r->login))
		return mf_fail(err, MF_AUTH, "no credentials");
	enum mf_status st = check(r, err);
	if (st == MF_OK)
		st = backend_login_map(b, r->login.user, r->arena, &r->user, err);
	if (st == MF_INVALID)
		st = MF_AUTH; /* a name that nobody can have */
	return st == MF_OK || st == MF_AUTH ? st : MF_TEMPORARY;
}
