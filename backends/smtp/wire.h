/*
 * One connection to an SMTP server: a socket without blocking, poll, OpenSSL, a deadline, lines in and
 * buffered bytes out. It knows bytes and lines, no SMTP. After a failure it is `failed`: all later calls
 * fail at once with the same words, and all failures are MF_TEMPORARY.
 *
 * Our own and not libcurl's, because a sender must know exactly what has left: curl tells neither whether
 * the final dot was written nor each recipient's reply, and it cannot pipeline.
 */
#ifndef SMTP_WIRE_H
#define SMTP_WIRE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailferry/error.h"

/* Where to, and how. Owned by the backend, shared by its sessions, read only. */
struct smtp_endpoint {
	char *host, *port;
	bool tls;	/* TLS from the first byte (smtps) */
	bool starttls;	/* STARTTLS before anything else, or no session */
	bool verify;	/* the certificate and its name */
	char *tls_name; /* the name that the certificate must have */
	SSL_CTX *ctx;	/* NULL when neither tls nor starttls */
	int connect_ms, command_ms, data_ms;
};

enum { SMTP_LINE_MAX = 2048, SMTP_OUT = 32768 };

struct smtp_wire {
	const struct smtp_endpoint *where;
	int fd;
	SSL *ssl; /* NULL: plain text */
	int64_t deadline;
	bool failed;
	char why[200];
	char in[SMTP_LINE_MAX * 2]; /* received and not yet taken: in[start..end) */
	size_t start, end;
	uint8_t out[SMTP_OUT]; /* written by wire_add and not yet sent */
	size_t out_len;
};

/* ca_file "" is the system's store. NULL on failure. */
SSL_CTX *smtp_tls_new(const char *ca_file, bool verify, struct mf_error *err);

/* Resolves and connects, with TLS where the endpoint says so, within connect_ms. */
enum mf_status smtp_wire_open(
	struct smtp_wire *w, const struct smtp_endpoint *where, struct mf_error *err);
void smtp_wire_close(struct smtp_wire *w);

/* Turns it into TLS; plain text that was received before is a forgery: it fails. */
enum mf_status smtp_wire_starttls(struct smtp_wire *w, struct mf_error *err);

/* The calls that follow have ms milliseconds from now. */
void smtp_wire_deadline(struct smtp_wire *w, int ms);

/* Bytes to send; they leave when the buffer is full or with smtp_wire_flush. */
enum mf_status smtp_wire_add(
	struct smtp_wire *w, const void *data, size_t len, struct mf_error *err);
enum mf_status smtp_wire_flush(struct smtp_wire *w, struct mf_error *err);

/* The next line without its line end, valid until the next call. */
enum mf_status smtp_wire_line(struct smtp_wire *w, char **line, struct mf_error *err);

/* Something (data, an end, an error) can be read now, without waiting. */
bool smtp_wire_readable(const struct smtp_wire *w);

/* What the server did is against the protocol: the connection is of no use any more. */
enum mf_status smtp_wire_fail(
	struct smtp_wire *w, struct mf_error *err, const char *what, const char *why);

#endif
