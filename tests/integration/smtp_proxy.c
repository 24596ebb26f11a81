/* Passes lines on and counts them. Knows commands and replies of SMTP, and where content begins and ends. */
#include "smtp_proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"

enum { BUFFER = 1 << 16, PENDING = 256 };

struct half {
	int fd;
	char data[BUFFER]; /* received and not yet passed on */
	size_t len;
};

struct wire {
	struct smtp_proxy *p;
	struct half client, server;
	const char *pending[PENDING]; /* commands whose replies have not come */
	size_t n_pending;
	bool content; /* the client's next bytes are a message's */
	unsigned passed;
};

/* ---- The step ---- */

/* Is this it? Then it acts, once, and the wire is to be cut. */
static bool
hit(struct wire *w, const char *word, enum smtp_moment moment, unsigned bytes)
{
	struct smtp_proxy *p = w->p;
	bool now;

	pthread_mutex_lock(&p->lock);
	now = p->step.word != NULL && !p->fired && strcasecmp(p->step.word, word) == 0 &&
	      p->step.moment == moment && bytes >= p->step.bytes;
	p->fired |= now;
	pthread_mutex_unlock(&p->lock);
	if (!now)
		return false;
	if (p->act != NULL)
		p->act(p->ctx);
	pthread_mutex_lock(&p->lock);
	p->acted = true;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
	return true;
}

static const char *
word_of(const char *line)
{
	static const char *const words[] = { "EHLO", "HELO", "MAIL", "RCPT", "DATA", "RSET", "QUIT",
		"NOOP", "AUTH" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strncasecmp(line, words[i], 4) == 0)
			return words[i];
	return "?";
}

/* ---- Passing on ---- */

static bool
pass(struct half *from, struct half *to, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t sent = send(to->fd, from->data + done, n - done, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		done += (size_t)sent;
	}
	memmove(from->data, from->data + n, from->len - n);
	from->len -= n;
	return true;
}

/* A command's line of n bytes. */
static bool
pass_command(struct wire *w, size_t n)
{
	const char *word = word_of(w->client.data);

	if (hit(w, word, SMTP_BEFORE, 0) || w->n_pending == PENDING ||
		!pass(&w->client, &w->server, n))
		return false;
	w->pending[w->n_pending++] = word;
	return !hit(w, word, SMTP_AFTER, 0);
}

static bool
pass_content(struct wire *w, size_t n)
{
	bool dot = n == 3 && memcmp(w->client.data, ".\r\n", 3) == 0;

	if (!dot) {
		if (hit(w, "CONTENT", SMTP_BEFORE, w->passed))
			return false;
		w->passed += (unsigned)n;
		return pass(&w->client, &w->server, n);
	}
	if (hit(w, ".", SMTP_BEFORE, 0) || !pass(&w->client, &w->server, n))
		return false;
	w->content = false;
	w->pending[w->n_pending++] = ".";
	return !hit(w, ".", SMTP_AFTER, 0);
}

/* A line of a reply; the last one ends what was asked first. */
static bool
pass_reply(struct wire *w, size_t n)
{
	bool last = n > 3 && w->server.data[3] != '-', go_on = w->server.data[0] == '3';
	const char *word = w->n_pending == 0 ? "CONNECT" : w->pending[0];

	if (last && hit(w, word, SMTP_TAKEN, 0))
		return false;
	if (!pass(&w->server, &w->client, n))
		return false;
	if (!last)
		return true;
	if (w->n_pending > 0)
		memmove(w->pending, w->pending + 1, --w->n_pending * sizeof w->pending[0]);
	if (strcmp(word, "DATA") == 0 && go_on) {
		w->content = true;
		w->passed = 0;
	}
	return !hit(w, word, SMTP_TOLD, 0);
}

/* All lines that are there. */
static bool
pass_lines(struct wire *w, struct half *from)
{
	for (;;) {
		char *end = memchr(from->data, '\n', from->len);
		size_t n = end == NULL ? 0 : (size_t)(end + 1 - from->data);

		if (n == 0)
			return from->len < BUFFER;
		if (from == &w->server ? !pass_reply(w, n)
				       : !(w->content ? pass_content(w, n) : pass_command(w, n)))
			return false;
	}
}

static bool
receive(struct wire *w, struct half *from)
{
	ssize_t n = recv(from->fd, from->data + from->len, BUFFER - from->len, 0);

	if (n <= 0)
		return false;
	from->len += (size_t)n;
	return pass_lines(w, from);
}

static bool
dropped(struct smtp_proxy *p)
{
	bool drop;

	pthread_mutex_lock(&p->lock);
	drop = p->drop;
	pthread_mutex_unlock(&p->lock);
	return drop;
}

static void
carry(struct wire *w)
{
	struct pollfd both[2] = { { .fd = w->client.fd, .events = POLLIN },
		{ .fd = w->server.fd, .events = POLLIN } };
	bool going = !hit(w, "CONNECT", SMTP_BEFORE, 0);

	while (going && !dropped(w->p)) {
		if (poll(both, 2, 20) < 0)
			break;
		if (both[1].revents != 0)
			going = receive(w, &w->server);
		if (going && both[0].revents != 0)
			going = receive(w, &w->client);
	}
}

/* ---- Threads ---- */

static int
reach(uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
		close(fd);
		return -1;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	return fd;
}

static void *
serve_one(void *arg)
{
	struct wire *w = arg;
	struct smtp_proxy *p = w->p;

	w->server.fd = reach(p->target);
	if (w->server.fd >= 0) {
		carry(w);
		close(w->server.fd);
	}
	close(w->client.fd);
	free(w);
	pthread_mutex_lock(&p->lock);
	p->open--;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static void *
serve(void *arg)
{
	struct smtp_proxy *p = arg;
	int fd;

	while ((fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		struct wire *w = calloc(1, sizeof *w);
		pthread_t t;
		int one = 1;

		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		w->p = p;
		w->client.fd = fd;
		pthread_mutex_lock(&p->lock);
		p->open++;
		pthread_mutex_unlock(&p->lock);
		pthread_create(&t, NULL, serve_one, w);
		pthread_detach(t);
	}
	return NULL;
}

void
smtp_proxy_start(struct smtp_proxy *p, uint16_t target)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;

	*p = (struct smtp_proxy){ .target = target,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER };
	p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(p->listener, (struct sockaddr *)&at, len) != 0 || listen(p->listener, 10) != 0 ||
		getsockname(p->listener, (struct sockaddr *)&at, &len) != 0)
		fixture_die("proxy: %s", strerror(errno));
	p->port = ntohs(at.sin_port);
	pthread_create(&p->thread, NULL, serve, p);
}

static void
cut_all(struct smtp_proxy *p)
{
	p->drop = true;
	while (p->open > 0)
		pthread_cond_wait(&p->changed, &p->lock);
	p->drop = false;
}

void
smtp_proxy_arm(
	struct smtp_proxy *p, const struct smtp_step *step, void (*act)(void *ctx), void *ctx)
{
	pthread_mutex_lock(&p->lock);
	p->step.word = NULL;
	cut_all(p);
	p->step = *step;
	p->act = act;
	p->ctx = ctx;
	p->fired = p->acted = false;
	pthread_mutex_unlock(&p->lock);
}

bool
smtp_proxy_disarm(struct smtp_proxy *p)
{
	struct timespec until;
	bool acted;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 60;
	pthread_mutex_lock(&p->lock);
	while (!p->acted && pthread_cond_timedwait(&p->changed, &p->lock, &until) == 0)
		;
	acted = p->acted;
	p->step.word = NULL;
	pthread_mutex_unlock(&p->lock);
	return acted;
}

void
smtp_proxy_end(struct smtp_proxy *p)
{
	shutdown(p->listener, SHUT_RDWR);
	close(p->listener);
	pthread_join(p->thread, NULL);
	pthread_mutex_lock(&p->lock);
	cut_all(p);
	pthread_mutex_unlock(&p->lock);
}
