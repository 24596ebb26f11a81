/*
 * A configuration profile for Apple's devices (com.apple.eas.account): opened on an iPhone, it makes the
 * account. Pure: whoever calls knows the user and decides who gets it.
 */
#ifndef EAS_PROFILE_H
#define EAS_PROFILE_H

#include "mailferry/arena.h"
#include "mailferry/buf.h"

#define EAS_PROFILE_TYPE "application/x-apple-aspen-config"

struct eas_profile {
	const char *url;     /* "https://mail.example.org": where phones find the server */
	const char *user;    /* the name to log in with */
	const char *address; /* whom mail comes from */
	const char
		*password; /* an application password to put in; NULL: the device asks. Who has the
			       * file then has the mail: to be given to its user only, and once */
	const char *sign_in_url,
		*token_url; /* of an OAuth issuer; NULL or "": the device asks for a
					      * password */
};

/* Appends the profile, a property list in UTF-8 to be sent as EAS_PROFILE_TYPE. The same user and host
 * always give the same identity: a newer profile replaces the older one. */
void eas_profile_write(struct mf_arena *a, const struct eas_profile *p, struct mf_buf *out);

/* Text between tags or in an attribute of XML. */
void eas_profile_text(struct mf_buf *b, const char *s);

#endif
