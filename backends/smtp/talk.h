/*
 * Commands and replies of SMTP (RFC 5321 4.2), what a server offers, and logging in. Knows no message.
 */
#ifndef SMTP_TALK_H
#define SMTP_TALK_H

#include "mailferry/backend.h"
#include "net/stream.h"

enum smtp_offer {
	SMTP_STARTTLS = 1 << 0,
	SMTP_PIPELINING = 1 << 1,
	SMTP_8BITMIME = 1 << 2,
	SMTP_UTF8 = 1 << 3,
	SMTP_SIZE = 1 << 4,
};

enum smtp_auth {
	SMTP_AUTH_PLAIN = 1 << 0,
	SMTP_AUTH_LOGIN = 1 << 1,
	SMTP_AUTH_XOAUTH2 = 1 << 2,
	SMTP_AUTH_OAUTHBEARER = 1 << 3,
};

struct mf_backend {
	struct net_endpoint where;
	int data_ms;				 /* for the answer to the final dot */
	const char *relay_user, *relay_password; /* "": the user's own */
	char *helo;
	const char *auth; /* the setting */
};

struct mf_session {
	struct mf_backend *backend;
	struct net_stream wire;
	unsigned offers, mechanisms;
	uint64_t size_max; /* 0: unknown */
};

struct smtp_reply {
	unsigned code;
	char text[200]; /* its lines, joined by blanks, with the code */
};

/* printf-like, with the line end; buffered until a reply is read. */
enum mf_status smtp_send(struct mf_session *s, struct mf_error *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Sends what is buffered and reads a reply. MF_OK: there is one, of whatever code. */
enum mf_status smtp_reply_read(struct mf_session *s, struct smtp_reply *r, struct mf_error *err);
/* What a refusal means: 4xx (and 421) MF_TEMPORARY, 552 and 523 MF_TOO_LARGE, else MF_REFUSED. */
enum mf_status smtp_refusal(
	struct mf_session *s, const struct smtp_reply *r, const char *what, struct mf_error *err);

/* Greeting, EHLO, STARTTLS. */
enum mf_status smtp_greet(struct mf_session *s, struct mf_error *err);
/* MF_AUTH: the server says that they are wrong. */
enum mf_status smtp_authenticate(
	struct mf_session *s, const struct mf_login *who, struct mf_error *err);

enum mf_status smtp_submit(struct mf_session *s, const struct mf_envelope *e, mf_read_fn *read,
	void *ctx, enum mf_sent *sent, struct mf_error *err);

#endif
