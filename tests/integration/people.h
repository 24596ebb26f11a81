/*
 * The people of the tests' directories: one table for the memory backend and for a real LDAP server.
 */
#ifndef TESTS_PEOPLE_H
#define TESTS_PEOPLE_H

#include "mailferry/directory.h"

enum { PEOPLE_CLONES = 250 }; /* "Clone 001" ..., all in the group Everyone */

struct people_sink {
	void (*person)(void *ctx, const struct mf_person *p);
	void (*member)(void *ctx, const char *group, const char *person);
	void *ctx;
};

/* Tells everybody, then who is in which group. An id is what the LDIF has as the login ("ada"). The
 * person "ada" has a photo and a certificate (tests/data/people). */
void people_tell(const struct people_sink *sink);

/* All of them as LDIF below dc=example,dc=org; ids are then "uid=ada,dc=example,dc=org", groups' are
 * "cn=Team,dc=example,dc=org"; each person's password is secret-NAME. */
void people_ldif(const char *path);

/* The photo and the certificate of "ada". */
struct mf_bytes people_photo(void);
struct mf_bytes people_certificate(void);

#endif
