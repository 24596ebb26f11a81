/*
 * One connection to a server: a socket without blocking, poll, OpenSSL, and a deadline.
 *
 * It knows bytes only. Every call that may wait ends at the deadline that imap_stream_deadline set.
 * After a failure the stream is `failed`: all later calls fail at once with the same words.
 */
#ifndef IMAP_STREAM_H
#define IMAP_STREAM_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailferry/buf.h"
#include "mailferry/error.h"

/* Where to, and how. Owned by the backend, shared by its sessions, read only. */
struct imap_endpoint {
	char *host, *port;
	bool tls;	/* TLS from the first byte (imaps) */
	bool starttls;	/* STARTTLS before anything else, or no session */
	bool verify;	/* the certificate and its name */
	char *tls_name; /* the name that the certificate must have */
	SSL_CTX *ctx;	/* NULL when neither tls nor starttls */
	int connect_ms, command_ms;
	size_t max_line, max_literal; /* bytes of one answer: outside its literals, in one */
	unsigned max_depth;	      /* parentheses, where libetpan reads */
};

struct imap_stream {
	const struct imap_endpoint *where;
	int fd;
	SSL *ssl; /* NULL: plain text */
	int64_t deadline;
	size_t expected; /* bytes of a literal that is under way: these, and only these, move the
			    deadline on, so that a large literal may take its time and a flood of
			    noise may not */
	size_t progress; /* of them, since the deadline was last moved on */
	bool failed;
	char why[200];
	/* What was received and not yet taken: data[start..end). The owner moves start. */
	uint8_t *data;
	size_t start, end, cap;
};

/* A context for all sessions; ca_file "" is the system's store. NULL on failure. */
SSL_CTX *imap_tls_new(const char *ca_file, bool verify, struct mf_error *err);

/* Resolves and connects, with TLS where the endpoint says so, within its connect_ms. */
enum mf_status imap_stream_open(
	const struct imap_endpoint *where, struct imap_stream *st, struct mf_error *err);
/* Closes and frees what the stream holds; a zeroed stream is fine. */
void imap_stream_close(struct imap_stream *st);

/* Turns a plain stream into TLS; what was received before and not taken is a forgery: it fails. */
enum mf_status imap_stream_starttls(struct imap_stream *st, struct mf_error *err);

/* The calls that follow have ms milliseconds from now. */
void imap_stream_deadline(struct imap_stream *st, int ms);

/* Time that we took ourselves (a slow caller) is not the server's: from start until now the deadline
 * stood still. */
int64_t imap_stream_now(void);
void imap_stream_excuse(struct imap_stream *st, int64_t start);

/* The next n bytes are a literal's: each 256 KB of them renew the deadline. */
void imap_stream_expect(struct imap_stream *st, size_t n);

/* Waits for at least one more byte behind `end`, with room for at least `room` of them. */
enum mf_status imap_stream_fill(struct imap_stream *st, size_t room, struct mf_error *err);

enum mf_status imap_stream_write(
	struct imap_stream *st, const void *data, size_t len, struct mf_error *err);

/* Something (data, an end, an error) can be read now, without waiting. */
bool imap_stream_readable(const struct imap_stream *st);

/* Gives back memory that a large answer took. */
void imap_stream_shrink(struct imap_stream *st);

#endif
