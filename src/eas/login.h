/* Credentials of a request. Pure: whether they are good, backend/auth.h knows. */
#ifndef EAS_LOGIN_H
#define EAS_LOGIN_H

#include <stdbool.h>

#include "mailferry/arena.h"
#include "mailferry/backend.h"

/*
 * Reads an Authorization header. Basic (RFC 7617; MS-ASHTTP 2.2.1.1.2.2): the name up to the first colon,
 * everything behind it the password. What is not valid UTF-8 is taken as Latin-1, in which older
 * Outlooks write. Bearer (RFC 6750): the token, and no user. False: no such header (NULL), another
 * scheme, or malformed. The strings are in the arena; the caller wipes password and token.
 */
bool login_parse(struct mf_arena *a, const char *authorization, struct mf_login *out);

#endif
