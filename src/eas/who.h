/*
 * Who sends a request: credentials read, checked, and the user's name settled. The ways to log in are
 * those of the setting `logins`; contrib/docs/logins.md tells of them.
 */
#ifndef EAS_WHO_H
#define EAS_WHO_H

#include "eas/request.h"

/* Words of the setting `logins`. */
#define EAS_BY_PASSWORD	   "password"	 /* the account's own */
#define EAS_BY_APPLICATION "application" /* eas/password.h */
#define EAS_BY_TOKEN	   "token"	 /* token/token.h */
#define EAS_BY_CERTIFICATE "certificate" /* of the client, in the TLS handshake */

/* Sets r->login (what the backends are asked with, which need not be what was sent) and r->user.
 * MF_AUTH: no credentials, or wrong ones; MF_REFUSED: nobody comes in like this (403); MF_TEMPORARY:
 * nobody can tell now; or, with r->aside EAS_ASIDE_WANTED, not here: the caller returns EAS_ASIDE. */
enum mf_status eas_who(struct eas_request *r, struct mf_error *err);

/* Answers a request whose eas_who failed: 401, 403, 503; where the settings want it, 457 for an expired
 * password with the place to renew it (X-MS-Credential-Service-Url), 456 for an account that is closed. */
void eas_who_refuse(struct eas_request *r, const struct mf_error *err);

/* Checks the settings of logins at start. MF_INVALID names what is wrong. */
enum mf_status eas_who_validate(const struct mf_conf *top, struct mf_error *err);

/* Adds the headers of a 401: which ways there are (RFC 7235, 4.1). */
void eas_who_challenge(struct eas_request *r);

/* Whether a master user logs in where no account's password is known. */
bool eas_who_has_master(const struct mf_conf *top);

#endif
