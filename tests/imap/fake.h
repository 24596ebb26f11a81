/*
 * An IMAP server that follows a script: what a real one will not do. It runs in a thread of the test.
 */
#ifndef TESTS_FAKE_H
#define TESTS_FAKE_H

#include "mailferry/backend.h"

extern const struct mf_backend_api mf_backend_imap;

/* Waits for a command that begins so (behind its tag; "" any; NULL: says at once), then says this;
 * "$" stands for the command's tag. Instead of words: */
#define FAKE_CLOSE "!close" /* hangs up */
#define FAKE_STALL "!stall" /* says nothing more, keeps the connection */
#define FAKE_DRIP  "!drip"  /* one byte each 100 ms, without end */
#define FAKE_FLOOD "!flood" /* untagged answers without end */

struct fake_step {
	const char *want, *say;
	/* NULL; else what it says before that, made by this function (the result is freed). */
	char *(*more)(void);
};

struct fake;

/* Listens on a port of its own; serves the steps on each connection, then waits for its end. A step
 * without `want`, `say` and `more` ends the script. */
struct fake *fake_start(const struct fake_step *steps);
uint16_t fake_port(const struct fake *f);
/* Ends the server. The text of commands that it got and did not want, "" when all went as told. */
const char *fake_complaint(struct fake *f);
void fake_end(struct fake *f);

/* A session of the imap backend with it; time-outs of 1 s. settings: more lines of the section. */
struct fake_client {
	struct conf *conf;
	struct mf_backend *backend;
	struct mf_session *session;
	const struct mf_store_api *store;
	struct mf_error err;
	enum mf_status status; /* of the login */
};

void fake_login(struct fake_client *c, struct fake *f, const char *settings);
/* The same with other credentials. */
void fake_login_as(
	struct fake_client *c, struct fake *f, const char *settings, const struct mf_login *who);
void fake_logout(struct fake_client *c);

#endif
