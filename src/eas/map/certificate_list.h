/*
 * A recipient's certificates for encrypted mail: gathered from a directory's values and from files, and
 * only those that can be used today. Knows X.509 and PKCS #7.
 */
#ifndef EAS_MAP_CERTIFICATE_LIST_H
#define EAS_MAP_CERTIFICATE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "mailferry/arena.h"
#include "mailferry/bytes.h"

enum { CERTIFICATE_LIST_MAX = 20 }; /* of one recipient */

struct certificate_list {
	struct mf_arena *a;
	struct mf_bytes der[CERTIFICATE_LIST_MAX];
	size_t n;
};

/* Adds what is in the bytes and valid now for encrypting mail, each once: a certificate or a PKCS #7
 * bundle, DER or PEM (several). Anything else adds nothing. */
void certificate_list_add(struct certificate_list *l, struct mf_bytes data);

/* The same with the file of an address in a directory: ADDRESS.pem, .cer, .crt, .der, .p7b or .p7c,
 * the address in lower case. */
void certificate_list_add_file(
	struct certificate_list *l, const char *directory, const char *address);

#endif
