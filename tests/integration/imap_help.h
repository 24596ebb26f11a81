/* The IMAP backend opened on a server, for tests below the gateway. */
#ifndef TESTS_IMAP_HELP_H
#define TESTS_IMAP_HELP_H

#include <stdint.h>

#include "mailferry/backend.h"

extern const struct mf_backend_api mf_backend_imap;

struct imap_world {
	struct conf *conf;
	struct mf_backend *backend;
	struct mf_session *session;
	struct mf_error err;
};

/* Opens the backend; settings: lines of its section ("url = \"...\"\n"). */
enum mf_status imap_world_open(struct imap_world *w, const char *settings);
/* A login; replaces w->session. */
enum mf_status imap_world_login(struct imap_world *w, const char *user, const char *password);
void imap_world_close(struct imap_world *w);

#endif
