/* One small document by HTTPS, from an address that the administrator has set. The only user of libcurl
 * here. */
#ifndef TOKEN_FETCH_H
#define TOKEN_FETCH_H

#include "mailferry/buf.h"
#include "mailferry/error.h"

struct token_request {
	const char *url;
	const char *form;	     /* posted as application/x-www-form-urlencoded; NULL: GET */
	const char *user, *password; /* of Basic authentication; NULL: none */
	const char *ca_file;	     /* "": the system's roots */
};

/* "https://...", or http to this machine. */
bool token_url_ok(const char *url);

/* The body of a 200 in out (bounded). MF_TEMPORARY: anything else. Blocks for at most 5 seconds. */
enum mf_status token_fetch(const struct token_request *r, struct mf_buf *out, struct mf_error *err);

/* A text as a form's value, in out. */
void token_form_add(struct mf_buf *out, const char *name, const char *value);

#endif
