/* The server's certificate and key: read, and checked before anything is served with them. */
#ifndef HTTP_CERTIFICATE_H
#define HTTP_CERTIFICATE_H

#include <stdint.h>

#include "mailferry/arena.h"
#include "mailferry/error.h"

struct http_certificate {
	const char *chain_pem, *key_pem; /* the files; the key is wiped with the arena */
	char subject[200];
	char names[400];	       /* DNS names, with blanks between */
	int64_t not_before, not_after; /* seconds since 1970 */
	unsigned chain_length;
};

enum { HTTP_CHAIN_MAX = 20 /* certificates of one chain */, HTTP_PEM_MAX = 256 * 1024 };

/* A file as text in the arena; MF_INVALID: it cannot be read, or is too large. */
typedef enum mf_status http_read_fn(
	struct mf_arena *a, const char *path, char **out, struct mf_error *err);
http_read_fn http_certificate_file;
/* From now on files come from fn, not from http_certificate_file: where root has been given up. Before
 * any thread. */
void http_certificate_reader(http_read_fn *fn);

/* A file of PEM as text; wiping it is the caller's. MF_INVALID: it cannot be read, or is too large. */
enum mf_status http_certificate_read(
	struct mf_arena *a, const char *path, const char **out, struct mf_error *err);

/* MF_INVALID: a file cannot be read or parsed, or the key is another certificate's. An expired
 * certificate is no error: see not_after. */
enum mf_status http_certificate_load(struct mf_arena *a, const char *certificate_file,
	const char *key_file, struct http_certificate *out, struct mf_error *err);

#endif
