/* The connection: connect, poll, TLS with a verified name, deadlines. Knows no protocol. */
#include "stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "mailferry/waited.h"
#include "net/resume.h"

enum { FILL_LEAST = 16384, KEEP_MOST = 65536, PROGRESS = 256 * 1024, OUT_MOST = 32768 };

int64_t
net_stream_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* The first failure is remembered; all failures of a connection are temporary ones. */
enum mf_status
net_stream_fail(struct net_stream *st, struct mf_error *err, const char *what, const char *why)
{
	if (!st->failed)
		snprintf(st->why, sizeof(st->why), "%s: %s", what, why);
	st->failed = true;
	return mf_fail(err, MF_TEMPORARY, "%s %s:%s: %s", st->where->protocol->name,
		st->where->host, st->where->port, st->why);
}

static enum mf_status
fail_errno(struct net_stream *st, struct mf_error *err, const char *what, int number)
{
	char text[100];

	return net_stream_fail(st, err, what, strerror_r(number, text, sizeof(text)));
}

static enum mf_status
fail_tls(struct net_stream *st, struct mf_error *err, const char *what)
{
	long verified = st->ssl == NULL ? X509_V_OK : SSL_get_verify_result(st->ssl);
	unsigned long code = ERR_get_error();
	const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);

	ERR_clear_error();
	if (st->where->verify && verified != X509_V_OK)
		return net_stream_fail(st, err, what, X509_verify_cert_error_string(verified));
	return net_stream_fail(st, err, what, reason == NULL ? "the connection broke" : reason);
}

void
net_stream_deadline(struct net_stream *st, int ms)
{
	st->deadline = net_stream_now() + ms;
	st->progress = 0;
}

void
net_stream_excuse(struct net_stream *st, int64_t start)
{
	st->deadline += net_stream_now() - start;
}

void
net_stream_expect(struct net_stream *st, size_t n)
{
	st->expected = n;
}

static void
progress(struct net_stream *st, size_t bytes)
{
	size_t counted = bytes < st->expected ? bytes : st->expected;

	st->expected -= counted;
	st->progress += counted;
	if (st->progress >= PROGRESS)
		net_stream_deadline(st, st->where->command_ms);
}

/* A server that writes an answer in pieces (Dovecot a long search's) may hold the second back until the first is
 * acknowledged, and we have nothing to send that would carry that: the kernel waits for it for 40 ms. */
static void
acknowledge(struct net_stream *st)
{
	int on = 1;

	if (st->heard)
		setsockopt(st->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
}

static enum mf_status
wait_for(struct net_stream *st, short events, const char *what, struct mf_error *err)
{
	struct pollfd p = { .fd = st->fd, .events = events };

	acknowledge(st);
	for (;;) {
		int64_t began = net_stream_now(), left = st->deadline - began;
		int n;

		if (left <= 0)
			return net_stream_fail(st, err, what, "timed out");
		n = poll(&p, 1, left > INT_MAX ? INT_MAX : (int)left);
		mf_waited_add((net_stream_now() - began) * 1000);
		if (n > 0)
			return MF_OK;
		if (n < 0 && errno != EINTR)
			return fail_errno(st, err, what, errno);
	}
}

/* ---- TLS ---- */

static bool
is_address(const char *name)
{
	struct in6_addr buf;

	return inet_pton(AF_INET, name, &buf) == 1 || inet_pton(AF_INET6, name, &buf) == 1;
}

static bool
tls_prepare(struct net_stream *st)
{
	const char *name = st->where->tls_name;
	X509_VERIFY_PARAM *param;

	st->ssl = SSL_new(st->where->ctx);
	if (st->ssl == NULL || SSL_set_fd(st->ssl, st->fd) != 1)
		return false;
	SSL_set_connect_state(st->ssl);
	net_resume_give(st->where->resume, st->ssl);
	param = SSL_get0_param(st->ssl);
	if (is_address(name))
		return !st->where->verify || X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1;
	if (SSL_set_tlsext_host_name(st->ssl, name) != 1)
		return false;
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return !st->where->verify || SSL_set1_host(st->ssl, name) == 1;
}

/* After an SSL call that gave n: waits and returns MF_OK to have it repeated, or fails. */
static enum mf_status
tls_again(struct net_stream *st, int n, const char *what, struct mf_error *err)
{
	switch (SSL_get_error(st->ssl, n)) {
	case SSL_ERROR_WANT_READ:
		return wait_for(st, POLLIN, what, err);
	case SSL_ERROR_WANT_WRITE:
		return wait_for(st, POLLOUT, what, err);
	case SSL_ERROR_ZERO_RETURN:
		return net_stream_fail(st, err, what, "the server closed the connection");
	default:
		return fail_tls(st, err, what);
	}
}

static enum mf_status
tls_connect(struct net_stream *st, struct mf_error *err)
{
	int n;

	ERR_clear_error();
	if (!tls_prepare(st))
		return fail_tls(st, err, "TLS");
	while ((n = SSL_do_handshake(st->ssl)) != 1) {
		enum mf_status status = tls_again(st, n, "TLS", err);

		if (status != MF_OK) {
			net_resume_forget(st->where->resume);
			return status;
		}
	}
	return MF_OK;
}

enum mf_status
net_stream_starttls(struct net_stream *st, struct mf_error *err)
{
	if (st->end > st->start)
		return net_stream_fail(st, err, "STARTTLS", "plain text was slipped in before TLS");
	return tls_connect(st, err);
}

/* ---- Connecting ---- */

static bool
connect_one(struct net_stream *st, const struct addrinfo *ai, struct mf_error *err)
{
	int on = 1, number = 0;
	socklen_t len = sizeof(number);

	st->fd = socket(ai->ai_family, ai->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (st->fd < 0)
		return fail_errno(st, err, "socket", errno) == MF_OK;
	setsockopt(st->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(st->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	if (connect(st->fd, ai->ai_addr, ai->ai_addrlen) == 0)
		return true;
	number = errno;
	if (number == EINPROGRESS && wait_for(st, POLLOUT, "connect", err) == MF_OK)
		getsockopt(st->fd, SOL_SOCKET, SO_ERROR, &number, &len);
	if (number == 0)
		return true;
	if (number != EINPROGRESS)
		fail_errno(st, err, "connect", number);
	close(st->fd);
	st->fd = -1;
	return false;
}

/* Each of the host's addresses in turn; they share the time. */
static enum mf_status
connect_any(struct net_stream *st, struct mf_error *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG }, *list;
	int64_t until = net_stream_now() + st->where->connect_ms;
	int number = getaddrinfo(st->where->host, st->where->port, &hints, &list), left = 0;
	bool done = false;

	if (number != 0)
		return net_stream_fail(st, err, "name", gai_strerror(number));
	for (struct addrinfo *ai = list; ai != NULL; ai = ai->ai_next)
		left++;
	for (struct addrinfo *ai = list; ai != NULL && !done; ai = ai->ai_next) {
		int64_t now = net_stream_now();

		st->failed = false;
		st->deadline = now + (until - now) / left--;
		done = connect_one(st, ai, err);
	}
	freeaddrinfo(list);
	st->deadline = until;
	if (done)
		return MF_OK;
	return net_stream_fail(st, err, "connect", "failed");
}

enum mf_status
net_stream_open(const struct net_endpoint *where, struct net_stream *st, struct mf_error *err)
{
	enum mf_status status;

	*st = (struct net_stream){ .where = where, .fd = -1 };
	status = connect_any(st, err);
	if (status == MF_OK && where->tls)
		status = tls_connect(st, err);
	return status;
}

void
net_stream_close(struct net_stream *st)
{
	if (st->where == NULL)
		return;
	if (st->ssl != NULL && !st->failed)
		SSL_shutdown(st->ssl);
	SSL_free(st->ssl);
	ERR_clear_error();
	if (st->fd >= 0)
		close(st->fd);
	free(st->data);
	mf_buf_deinit(&st->out);
	*st = (struct net_stream){ .fd = -1 };
}

/* ---- Reading and writing ---- */

static void
make_room(struct net_stream *st, size_t room)
{
	size_t have = st->end - st->start, cap = st->cap;

	if (room < FILL_LEAST)
		room = FILL_LEAST;
	if (st->cap - st->end >= room)
		return;
	if (st->start > 0) {
		memmove(st->data, st->data + st->start, have);
		st->start = 0;
		st->end = have;
	}
	if (cap - have >= room)
		return;
	while (cap - have < room)
		cap = cap < 2 * FILL_LEAST ? 2 * FILL_LEAST : cap * 2;
	st->data = realloc(st->data, cap);
	if (st->data == NULL)
		abort();
	st->cap = cap;
}

void
net_stream_shrink(struct net_stream *st)
{
	size_t have = st->end - st->start;
	uint8_t *less;

	if (st->cap <= KEEP_MOST || have > KEEP_MOST / 2)
		return;
	memmove(st->data, st->data + st->start, have);
	st->start = 0;
	st->end = have;
	less = realloc(st->data, KEEP_MOST);
	if (less == NULL)
		return;
	st->data = less;
	st->cap = KEEP_MOST;
}

static enum mf_status
fill_plain(struct net_stream *st, uint8_t *to, size_t room, size_t *got, struct mf_error *err)
{
	for (;;) {
		enum mf_status status;
		ssize_t n = recv(st->fd, to, room, 0);

		if (n > 0) {
			*got = (size_t)n;
			return MF_OK;
		}
		if (n == 0)
			return net_stream_fail(st, err, "read", "the server closed the connection");
		if (errno != EAGAIN && errno != EINTR)
			return fail_errno(st, err, "read", errno);
		status = wait_for(st, POLLIN, "read", err);
		if (status != MF_OK)
			return status;
	}
}

static enum mf_status
fill_tls(struct net_stream *st, uint8_t *to, size_t room, size_t *got, struct mf_error *err)
{
	for (;;) {
		enum mf_status status;
		int n;

		ERR_clear_error();
		n = SSL_read(st->ssl, to, room > INT_MAX ? INT_MAX : (int)room);
		if (n > 0) {
			*got = (size_t)n;
			return MF_OK;
		}
		status = tls_again(st, n, "read", err);
		if (status != MF_OK)
			return status;
	}
}

enum mf_status
net_stream_fill(struct net_stream *st, size_t room, struct mf_error *err)
{
	size_t got = 0;
	enum mf_status status;

	if (st->failed)
		return net_stream_fail(st, err, "", "");
	/* A server that never stops talking must not outrun the deadline. */
	if (net_stream_now() >= st->deadline)
		return net_stream_fail(st, err, "read", "timed out");
	make_room(st, room);
	if (st->ssl != NULL)
		status = fill_tls(st, st->data + st->end, st->cap - st->end, &got, err);
	else
		status = fill_plain(st, st->data + st->end, st->cap - st->end, &got, err);
	st->end += got;
	st->heard = st->heard || got > 0;
	progress(st, got);
	return status;
}

static enum mf_status
write_some(
	struct net_stream *st, const uint8_t *data, size_t len, size_t *put, struct mf_error *err)
{
	if (st->ssl != NULL) {
		int n;

		ERR_clear_error();
		n = SSL_write(st->ssl, data, len > INT_MAX ? INT_MAX : (int)len);
		if (n > 0) {
			*put = (size_t)n;
			return MF_OK;
		}
		return tls_again(st, n, "write", err);
	} else {
		ssize_t n = send(st->fd, data, len, MSG_NOSIGNAL);

		if (n > 0) {
			*put = (size_t)n;
			return MF_OK;
		}
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return fail_errno(st, err, "write", errno);
		return wait_for(st, POLLOUT, "write", err);
	}
}

enum mf_status
net_stream_write(struct net_stream *st, const void *data, size_t len, struct mf_error *err)
{
	const uint8_t *p = data;

	if (st->failed)
		return net_stream_fail(st, err, "", "");
	st->heard = false;
	while (len > 0) {
		size_t put = 0;
		enum mf_status status = write_some(st, p, len, &put, err);

		if (status != MF_OK)
			return status;
		p += put;
		len -= put;
		progress(st, put);
	}
	return MF_OK;
}

enum mf_status
net_stream_flush(struct net_stream *st, struct mf_error *err)
{
	enum mf_status status = net_stream_write(st, st->out.data, st->out.len, err);

	mf_buf_clear(&st->out);
	return status;
}

enum mf_status
net_stream_add(struct net_stream *st, const void *data, size_t len, struct mf_error *err)
{
	const uint8_t *p = data;

	/* Much at once needs no second copy. */
	if (len >= OUT_MOST && net_stream_flush(st, err) == MF_OK)
		return net_stream_write(st, data, len, err);
	while (len > 0 && !st->failed) {
		size_t room = OUT_MOST - st->out.len, n = len < room ? len : room;

		mf_buf_add(&st->out, p, n);
		p += n;
		len -= n;
		if (st->out.len == OUT_MOST)
			net_stream_flush(st, err);
	}
	return st->failed ? net_stream_fail(st, err, "", "") : MF_OK;
}

enum mf_status
net_stream_line(struct net_stream *st, size_t max, char **line, struct mf_error *err)
{
	size_t seen = 0;
	char *nl;

	while (st->end == st->start + seen || (nl = memchr(st->data + st->start + seen, '\n',
						       st->end - st->start - seen)) == NULL) {
		enum mf_status status;

		seen = st->end - st->start;
		if (seen > max)
			return net_stream_fail(st, err, "read", "a line is too long");
		status = net_stream_fill(st, 1, err);
		if (status != MF_OK)
			return status;
	}
	*line = (char *)st->data + st->start;
	st->start = (size_t)(nl - (char *)st->data) + 1;
	if (nl - *line > (ptrdiff_t)max)
		return net_stream_fail(st, err, "read", "a line is too long");
	*nl = '\0';
	if (nl > *line && nl[-1] == '\r')
		nl[-1] = '\0';
	return st->failed ? net_stream_fail(st, err, "", "") : MF_OK;
}

bool
net_stream_readable(const struct net_stream *st)
{
	struct pollfd p = { .fd = st->fd, .events = POLLIN };

	if (st->end > st->start || (st->ssl != NULL && SSL_pending(st->ssl) > 0))
		return true;
	return poll(&p, 1, 0) != 0;
}

bool
net_stream_hung_up(const struct net_stream *st)
{
	struct pollfd p = { .fd = st->fd, .events = POLLRDHUP };

	return poll(&p, 1, 0) != 0;
}
