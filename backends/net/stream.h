/*
 * One connection to a server: a socket without blocking, poll, OpenSSL, and a deadline.
 *
 * It knows bytes and, for those who want them, lines. Every call that may wait ends at the deadline that net_stream_deadline set.
 * After a failure the stream is `failed`: all later calls fail at once with the same words.
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mailferry/buf.h"
#include "mailferry/error.h"
#include "net/endpoint.h"

struct net_stream {
	const struct net_endpoint *where;
	int fd;
	SSL *ssl; /* NULL: plain text */
	int64_t deadline;
	size_t expected; /* bytes of a literal that is under way: these, and only these, move the
			    deadline on, so that a large literal may take its time and a flood of
			    noise may not */
	size_t progress; /* of them, since the deadline was last moved on */
	bool heard;	 /* something, since we wrote last */
	bool failed;
	char why[200];
	/* What was received and not yet taken: data[start..end). The owner moves start. */
	uint8_t *data;
	size_t start, end, cap;
	struct mf_buf out; /* added and not yet sent */
};

/* Resolves and connects, with TLS where the endpoint says so, within its connect_ms. */
enum mf_status net_stream_open(
	const struct net_endpoint *where, struct net_stream *st, struct mf_error *err);
/* Closes and frees what the stream holds; a zeroed stream is fine. */
void net_stream_close(struct net_stream *st);

/* Turns a plain stream into TLS; what was received before and not taken is a forgery: it fails. */
enum mf_status net_stream_starttls(struct net_stream *st, struct mf_error *err);

/* The calls that follow have ms milliseconds from now. */
void net_stream_deadline(struct net_stream *st, int ms);

/* Time that we took ourselves (a slow caller) is not the server's: from start until now the deadline
 * stood still. */
int64_t net_stream_now(void);
void net_stream_excuse(struct net_stream *st, int64_t start);

/* The next n bytes are a literal's: each 256 KB of them renew the deadline. */
void net_stream_expect(struct net_stream *st, size_t n);

/* Waits for at least one more byte behind `end`, with room for at least `room` of them. */
enum mf_status net_stream_fill(struct net_stream *st, size_t room, struct mf_error *err);

enum mf_status net_stream_write(
	struct net_stream *st, const void *data, size_t len, struct mf_error *err);

/* Bytes that leave when there are many, or with net_stream_flush. */
enum mf_status net_stream_add(
	struct net_stream *st, const void *data, size_t len, struct mf_error *err);
enum mf_status net_stream_flush(struct net_stream *st, struct mf_error *err);

/* The next line without its line end, NUL-terminated, at most max bytes; valid until the next call. */
enum mf_status net_stream_line(
	struct net_stream *st, size_t max, char **line, struct mf_error *err);

/* What the server did is against its protocol: the connection is of no use any more. MF_TEMPORARY. */
enum mf_status net_stream_fail(
	struct net_stream *st, struct mf_error *err, const char *what, const char *why);

/* Something (data, an end, an error) can be read now, without waiting. */
bool net_stream_readable(const struct net_stream *st);

/* The server has ended the connection, whatever is still to be read. */
bool net_stream_hung_up(const struct net_stream *st);

/* Gives back memory that a large answer took. */
void net_stream_shrink(struct net_stream *st);

#endif
