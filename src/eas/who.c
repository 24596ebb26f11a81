/* Knows how a login is checked; must not know what it is for. */
#include "eas/who.h"

#include "backend/auth.h"
#include "eas/login.h"

enum mf_status
eas_who(struct eas_request *r, struct mf_error *err)
{
	struct backends *b = r->server->backends;
	if (!login_parse(r->arena, eas_header(r, "Authorization"), &r->login))
		return mf_fail(err, MF_AUTH, "no credentials");
	enum mf_status st = backend_login_check(b, &r->login, err);
	if (st == MF_OK)
		st = backend_login_map(b, r->login.user, r->arena, &r->user, err);
	if (st == MF_INVALID)
		st = MF_AUTH; /* a name that nobody can have */
	return st == MF_OK || st == MF_AUTH ? st : MF_TEMPORARY;
}
