/* Certificates of S/MIME: are they good? Knows X.509 and the numbers of MS-ASCMD 2.2.3.177.18. */
#ifndef EAS_MAP_CERTIFICATE_H
#define EAS_MAP_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>

#include "mailferry/bytes.h"
#include "mailferry/error.h"

enum { CERTIFICATE_MAX = 64 << 10 }; /* bytes of one */

/* What certificates are judged by: roots, and lists of revoked ones. One thread. */
struct certificate_trust;

/* where: a PEM file of roots and CRLs, or a directory made by openssl-rehash; "" the system's roots.
 * MF_BROKEN: cannot be read. */
enum mf_status certificate_trust_open(
	const char *where, struct certificate_trust **out, struct mf_error *err);
/* NULL is fine. */
void certificate_trust_close(struct certificate_trust *t);

/* Adds a certificate (DER) that may stand between those to be judged and a root; not trusted. False:
 * it is none. */
bool certificate_trust_add(struct certificate_trust *t, struct mf_bytes der);

/* The Status of a certificate (DER) that is to sign mail: 1, or what is wrong with it first. revoked:
 * where no list of revoked certificates is at hand, that is wrong too. */
unsigned certificate_check(struct certificate_trust *t, struct mf_bytes der, bool revoked);

#endif
