/* `mailferry check` inside: what is known, and the checks (check_host.c, check_backends.c). */
#ifndef MAIN_CHECK_H
#define MAIN_CHECK_H

#include <stdbool.h>

#include "conf/conf.h"
#include "mailferry/buf.h"

enum check_result { CHECK_OK, CHECK_ADVICE, CHECK_WARNING, CHECK_ERROR };

struct check {
	const struct conf *conf;
	const char *user, *password;	/* user NULL: nobody logs in */
	const char *autodiscover;	/* a domain; NULL: not asked for */
	const char *resolver, *ca_file; /* NULL: the system's */
	bool json;
	struct mf_buf out;
	unsigned errors, findings;
};

/* One finding; `what` is a constant of letters. */
void check_say(struct check *c, enum check_result result, const char *what, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

void check_tls(struct check *c);
void check_listen(struct check *c);
void check_directories(struct check *c);
void check_limits(struct check *c);
void check_logins(struct check *c);
void check_backends(struct check *c);
void check_autodiscover(struct check *c);

struct backends;
struct mf_backend_api;
/* Of check_backends: the master user, if there is one, as that user. */
void check_master(
	struct check *c, struct backends *b, const struct mf_backend_api *api, const char *user);

#endif
