/* The connection: connect, poll, TLS with a verified name, deadlines, lines. Knows nothing of SMTP. */
#include "wire.h"

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
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

enum mf_status
smtp_wire_fail(struct smtp_wire *w, struct mf_error *err, const char *what, const char *why)
{
	if (!w->failed)
		snprintf(w->why, sizeof(w->why), "%s: %s", what, why);
	w->failed = true;
	return mf_fail(err, MF_TEMPORARY, "smtp %s:%s: %s", w->where->host, w->where->port, w->why);
}

static enum mf_status
fail_errno(struct smtp_wire *w, struct mf_error *err, const char *what, int number)
{
	char text[100];

	return smtp_wire_fail(w, err, what, strerror_r(number, text, sizeof(text)));
}

static enum mf_status
fail_tls(struct smtp_wire *w, struct mf_error *err, const char *what)
{
	long verified = w->ssl == NULL ? X509_V_OK : SSL_get_verify_result(w->ssl);
	unsigned long code = ERR_get_error();
	const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);

	ERR_clear_error();
	if (w->where->verify && verified != X509_V_OK)
		return smtp_wire_fail(w, err, what, X509_verify_cert_error_string(verified));
	return smtp_wire_fail(w, err, what, reason == NULL ? "the connection broke" : reason);
}

void
smtp_wire_deadline(struct smtp_wire *w, int ms)
{
	w->deadline = now_ms() + ms;
}

static enum mf_status
wait_for(struct smtp_wire *w, short events, const char *what, struct mf_error *err)
{
	struct pollfd p = { .fd = w->fd, .events = events };

	for (;;) {
		int64_t left = w->deadline - now_ms();
		int n;

		if (left <= 0)
			return smtp_wire_fail(w, err, what, "timed out");
		n = poll(&p, 1, left > INT_MAX ? INT_MAX : (int)left);
		if (n > 0)
			return MF_OK;
		if (n < 0 && errno != EINTR)
			return fail_errno(w, err, what, errno);
	}
}

/* ---- TLS ---- */

SSL_CTX *
smtp_tls_new(const char *ca_file, bool verify, struct mf_error *err)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	int ok;

	if (ctx == NULL) {
		mf_fail(err, MF_BROKEN, "smtp: TLS cannot be set up");
		return NULL;
	}
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_verify(ctx, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	if (ca_file[0] != '\0')
		ok = SSL_CTX_load_verify_locations(ctx, ca_file, NULL);
	else
		ok = SSL_CTX_set_default_verify_paths(ctx);
	if (ok != 1 && verify) {
		mf_fail(err, MF_INVALID, "smtp: ca_file %s: no certificates there", ca_file);
		SSL_CTX_free(ctx);
		return NULL;
	}
	ERR_clear_error();
	return ctx;
}

static bool
is_address(const char *name)
{
	struct in6_addr buf;

	return inet_pton(AF_INET, name, &buf) == 1 || inet_pton(AF_INET6, name, &buf) == 1;
}

static bool
tls_prepare(struct smtp_wire *w)
{
	const char *name = w->where->tls_name;
	X509_VERIFY_PARAM *param;

	w->ssl = SSL_new(w->where->ctx);
	if (w->ssl == NULL || SSL_set_fd(w->ssl, w->fd) != 1)
		return false;
	SSL_set_connect_state(w->ssl);
	param = SSL_get0_param(w->ssl);
	if (is_address(name))
		return !w->where->verify || X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1;
	if (SSL_set_tlsext_host_name(w->ssl, name) != 1)
		return false;
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return !w->where->verify || SSL_set1_host(w->ssl, name) == 1;
}

/* After an SSL call that gave n: waits and returns MF_OK to have it repeated, or fails. */
static enum mf_status
tls_again(struct smtp_wire *w, int n, const char *what, struct mf_error *err)
{
	switch (SSL_get_error(w->ssl, n)) {
	case SSL_ERROR_WANT_READ:
		return wait_for(w, POLLIN, what, err);
	case SSL_ERROR_WANT_WRITE:
		return wait_for(w, POLLOUT, what, err);
	case SSL_ERROR_ZERO_RETURN:
		return smtp_wire_fail(w, err, what, "the server closed the connection");
	default:
		return fail_tls(w, err, what);
	}
}

static enum mf_status
tls_connect(struct smtp_wire *w, struct mf_error *err)
{
	int n;

	ERR_clear_error();
	if (!tls_prepare(w))
		return fail_tls(w, err, "TLS");
	while ((n = SSL_do_handshake(w->ssl)) != 1) {
		enum mf_status st = tls_again(w, n, "TLS", err);

		if (st != MF_OK)
			return st;
	}
	return MF_OK;
}

enum mf_status
smtp_wire_starttls(struct smtp_wire *w, struct mf_error *err)
{
	if (w->end > w->start)
		return smtp_wire_fail(w, err, "STARTTLS", "plain text was slipped in before TLS");
	return tls_connect(w, err);
}

/* ---- Connecting ---- */

static bool
connect_one(struct smtp_wire *w, const struct addrinfo *ai, struct mf_error *err)
{
	int on = 1, number = 0;
	socklen_t len = sizeof(number);

	w->fd = socket(ai->ai_family, ai->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (w->fd < 0)
		return fail_errno(w, err, "socket", errno) == MF_OK;
	setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(w->fd, ai->ai_addr, ai->ai_addrlen) == 0)
		return true;
	number = errno;
	if (number == EINPROGRESS && wait_for(w, POLLOUT, "connect", err) == MF_OK)
		getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &number, &len);
	if (number == 0)
		return true;
	if (number != EINPROGRESS)
		fail_errno(w, err, "connect", number);
	close(w->fd);
	w->fd = -1;
	return false;
}

/* Each of the host's addresses in turn; they share the time. */
static enum mf_status
connect_any(struct smtp_wire *w, struct mf_error *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
	int64_t until = now_ms() + w->where->connect_ms;
	int number = getaddrinfo(w->where->host, w->where->port, &hints, &list), left = 0;
	bool done = false;

	if (number != 0)
		return smtp_wire_fail(w, err, "name", gai_strerror(number));
	for (struct addrinfo *ai = list; ai != NULL; ai = ai->ai_next)
		left++;
	for (struct addrinfo *ai = list; ai != NULL && !done; ai = ai->ai_next) {
		int64_t now = now_ms();

		w->failed = false;
		w->deadline = now + (until - now) / left--;
		done = connect_one(w, ai, err);
	}
	freeaddrinfo(list);
	w->deadline = until;
	return done ? MF_OK : smtp_wire_fail(w, err, "connect", "failed");
}

enum mf_status
smtp_wire_open(struct smtp_wire *w, const struct smtp_endpoint *where, struct mf_error *err)
{
	enum mf_status st;

	w->where = where;
	w->fd = -1;
	st = connect_any(w, err);
	if (st == MF_OK && where->tls)
		st = tls_connect(w, err);
	return st;
}

void
smtp_wire_close(struct smtp_wire *w)
{
	if (w->ssl != NULL && !w->failed)
		SSL_shutdown(w->ssl);
	SSL_free(w->ssl);
	ERR_clear_error();
	if (w->fd >= 0)
		close(w->fd);
	w->ssl = NULL;
	w->fd = -1;
	w->failed = true;
}

/* ---- Writing ---- */

static enum mf_status
write_some(struct smtp_wire *w, const uint8_t *data, size_t len, size_t *put, struct mf_error *err)
{
	ssize_t n;

	*put = 0;
	if (w->ssl != NULL) {
		ERR_clear_error();
		n = SSL_write(w->ssl, data, (int)len);
		if (n <= 0)
			return tls_again(w, (int)n, "write", err);
	} else {
		n = send(w->fd, data, len, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return fail_errno(w, err, "write", errno);
		if (n <= 0)
			return wait_for(w, POLLOUT, "write", err);
	}
	*put = (size_t)n;
	return MF_OK;
}

enum mf_status
smtp_wire_flush(struct smtp_wire *w, struct mf_error *err)
{
	if (w->failed)
		return smtp_wire_fail(w, err, "", "");
	for (size_t at = 0; at < w->out_len;) {
		size_t put;
		enum mf_status st = write_some(w, w->out + at, w->out_len - at, &put, err);

		if (st != MF_OK)
			return st;
		at += put;
	}
	w->out_len = 0;
	return MF_OK;
}

enum mf_status
smtp_wire_add(struct smtp_wire *w, const void *data, size_t len, struct mf_error *err)
{
	const uint8_t *p = data;

	if (w->failed)
		return smtp_wire_fail(w, err, "", "");
	while (len > 0) {
		size_t n = sizeof(w->out) - w->out_len;

		n = n < len ? n : len;
		memcpy(w->out + w->out_len, p, n);
		w->out_len += n;
		p += n;
		len -= n;
		if (w->out_len == sizeof(w->out)) {
			enum mf_status st = smtp_wire_flush(w, err);

			if (st != MF_OK)
				return st;
		}
	}
	return MF_OK;
}

/* ---- Reading ---- */

static enum mf_status
fill(struct smtp_wire *w, struct mf_error *err)
{
	for (;;) {
		char *to = w->in + w->end;
		size_t room = sizeof(w->in) - w->end;
		enum mf_status st;
		ssize_t n;

		if (w->ssl != NULL) {
			ERR_clear_error();
			n = SSL_read(w->ssl, to, (int)room);
			st = n > 0 ? MF_OK : tls_again(w, (int)n, "read", err);
		} else {
			int on = 1;

			/* Servers send many small replies; each waits for the receipt of the last. */
			setsockopt(w->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
			n = recv(w->fd, to, room, 0);
			if (n == 0)
				return smtp_wire_fail(
					w, err, "read", "the server closed the connection");
			if (n < 0 && errno != EAGAIN && errno != EINTR)
				return fail_errno(w, err, "read", errno);
			st = n > 0 ? MF_OK : wait_for(w, POLLIN, "read", err);
		}
		if (st != MF_OK)
			return st;
		if (n > 0) {
			w->end += (size_t)n;
			return MF_OK;
		}
	}
}

enum mf_status
smtp_wire_line(struct smtp_wire *w, char **line, struct mf_error *err)
{
	char *nl;

	if (w->failed)
		return smtp_wire_fail(w, err, "", "");
	while ((nl = memchr(w->in + w->start, '\n', w->end - w->start)) == NULL) {
		enum mf_status st;

		memmove(w->in, w->in + w->start, w->end - w->start);
		w->end -= w->start;
		w->start = 0;
		if (w->end >= SMTP_LINE_MAX)
			return smtp_wire_fail(w, err, "read", "a line is too long");
		if (now_ms() >= w->deadline)
			return smtp_wire_fail(w, err, "read", "timed out");
		st = fill(w, err);
		if (st != MF_OK)
			return st;
	}
	*line = w->in + w->start;
	w->start = (size_t)(nl - w->in) + 1;
	*nl = '\0';
	if (nl > *line && nl[-1] == '\r')
		nl[-1] = '\0';
	return MF_OK;
}

bool
smtp_wire_readable(const struct smtp_wire *w)
{
	struct pollfd p = { .fd = w->fd, .events = POLLIN };

	if (w->end > w->start || (w->ssl != NULL && SSL_pending(w->ssl) > 0))
		return true;
	return poll(&p, 1, 0) != 0;
}
