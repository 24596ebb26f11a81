/*
 * A submission server of few words, in a thread: it answers each command well unless a rule says otherwise,
 * with or without TLS, and keeps what it was told. And a session of the SMTP backend with it.
 */
#ifndef TESTS_SMTP_FAKE_H
#define TESTS_SMTP_FAKE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"
#include "mailferry/backend.h"

extern const struct mf_backend_api mf_backend_smtp;

/* For lines that hold `on` ("." is the final dot): another reply; NULL hangs up instead. */
struct fake_rule {
	const char *on, *reply;
};

enum fake_tls { FAKE_PLAIN, FAKE_STARTTLS, FAKE_IMPLICIT };

struct fake {
	const struct fake_rule *rules; /* NULL at the end; may be NULL */
	const char *ehlo;	       /* the answer; with TLS: of before it */
	const char *ehlo_tls;	       /* of behind STARTTLS; NULL: the same */
	enum fake_tls tls;
	const char *certs, *cert; /* the directory of contrib/tools/certs, and which of them */
	const char *slipped;	  /* plain text sent along with STARTTLS's answer */
	int listener;
	uint16_t port;
	char commands[8000], content[4000];
	bool encrypted; /* the last command came through TLS */
};

struct trip {
	struct fake server; /* to be filled before fake_begin, but for the port */
	struct mf_login who;
	pthread_t thread;
	struct conf *conf;
	struct mf_backend *backend;
	struct mf_session *session; /* NULL when it could not be opened */
	struct mf_error err;
};

extern const char fake_ehlo_all[], fake_ehlo_old[];

/* Starts the server and opens a session with the lines `more` in its section. */
enum mf_status fake_begin(struct trip *t, const char *more);
void fake_end(struct trip *t);

#endif
