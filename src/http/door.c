/*
 * One epoll for listeners, for clients that leave, and for sockets that linger.
 *
 * libmicrohttpd watches no suspended connection: it would notice neither that the client left nor
 * that it is slow, and its time-out restarts with every byte. So each connection's socket is also in
 * this epoll, for EPOLLRDHUP only, edge-triggered: one system call when it comes, none while it waits.
 *
 * A connection from one of options.proxies begins with a PROXY header: until that is read, it is the
 * door's alone, and in this epoll for EPOLLIN too. The header is looked at without being taken, and
 * then taken to its last byte, so that the library begins where the client's own bytes do.
 */
#include "http/door_inside.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/signals.h"
#include "http/proxy.h"
#include "mailferry/log.h"

enum {
	EVENTS = 64,
	ACCEPTS = 64,	 /* in a row, before others get their turn */
	SWEEP_MS = 1000, /* how coarse deadlines are */
	PAUSE_MS = 200	 /* after accept failed for lack of descriptors */
};

uint64_t
door_tag(enum door_kind kind, uint32_t number, int fd)
{
	return (uint64_t)kind << 62 | (uint64_t)(number & 0x3fffffff) << 32 | (uint32_t)fd;
}

bool
door_watch(struct http_door *d, int fd, uint32_t events, uint64_t what)
{
	struct epoll_event e = { .events = events, .data.u64 = what };

	return epoll_ctl(d->epoll, EPOLL_CTL_ADD, fd, &e) == 0;
}

/* Tells at once of what has come already. */
static void
watch_again(struct http_door *d, int fd, uint32_t events, uint64_t what)
{
	struct epoll_event e = { .events = events, .data.u64 = what };

	epoll_ctl(d->epoll, EPOLL_CTL_MOD, fd, &e);
}

void
door_wake(struct http_door *d)
{
	uint64_t one = 1;
	ssize_t n = write(d->wake, &one, sizeof(one));

	(void)n; /* full: it will wake anyway */
}

/* ---- The thread ---- */

/* Shutting a socket down makes the library see its end; only the library closes it. The lock is held. */
static void
cut(struct http_door *d, struct http_connection *c)
{
	http_connections_time(&d->open, c, 0);
	shutdown(c->fd, SHUT_RDWR);
}

static void
sweep(struct http_door *d, int64_t now)
{
	pthread_mutex_lock(&d->lock);
	for (struct http_connection *c = TAILQ_FIRST(&d->open.timed), *next; c != NULL; c = next) {
		next = TAILQ_NEXT(c, timed);
		if (c->deadline > now)
			continue;
		d->stats.expired++;
		cut(d, c);
	}
	http_linger_sweep(&d->linger, now);
	pthread_mutex_unlock(&d->lock);
}

/* One line for the first, then for each doubling: a flood must not flood the log. */
static void
log_flood(const char *what, uint64_t count)
{
	if ((count & (count - 1)) == 0)
		mf_log_warning("http=%s count=%llu why=\"connection_limit is reached\"", what,
			(unsigned long long)count);
}

/* Where there is no room, one gives way whose request is not whole yet, or that has none: the one that has been so
 * for longest. Good clients send theirs at once, so that those who hold connections with a byte a second (or
 * nothing) keep nobody out. False: everybody's request is under way. The lock is held. */
static bool
make_room(struct http_door *d)
{
	struct http_connection *c = TAILQ_FIRST(&d->open.timed);

	if (d->open.n < d->options.connection_limit)
		return true;
	if (c == NULL)
		return false;
	cut(d, c);
	log_flood("gave-way", ++d->stats.gave_way);
	return true;
}

/* NULL: no memory. The lock is held. */
static struct http_connection *
remember(struct http_door *d, int fd, const struct http_listener *l, const struct sockaddr *sa)
{
	struct http_connection *c = http_connections_add(&d->open, fd);

	if (c == NULL)
		return NULL;
	c->tls = l->tls;
	http_peer_print(sa, c->peer, sizeof(c->peer));
	c->announced = http_trusted(&d->options.proxies, c->peer);
	d->stats.accepted++;
	http_connections_time(&d->open, c, d->options.first_ms);
	return c;
}

static void
admit(struct http_door *d, int fd, const struct http_listener *l, const struct sockaddr *sa,
	socklen_t len)
{
	struct http_connection *c;
	uint32_t events = EPOLLRDHUP | EPOLLET;

	pthread_mutex_lock(&d->lock);
	c = make_room(d) ? remember(d, fd, l, sa) : NULL;
	if (c == NULL)
		log_flood("refused", ++d->stats.refused);
	pthread_mutex_unlock(&d->lock);
	if (c == NULL) {
		close(fd);
		return;
	}
	if (c->announced)
		events |= EPOLLIN;
	door_watch(d, fd, events, door_tag(KIND_CONNECTION, c->serial, fd));
	if (!c->announced)
		d->options.take(d->options.ctx, c, sa, len);
}

/* ---- Connections whose PROXY header is awaited: this thread's alone ---- */

static void
turn_away(struct http_door *d, struct http_connection *c, const char *why)
{
	int fd = c->fd;

	mf_log_info("http=closed peer=%s why=%s", mf_log_value(c->peer), mf_log_value(why));
	pthread_mutex_lock(&d->lock);
	http_connections_forget(&d->open, c);
	pthread_mutex_unlock(&d->lock);
	close(fd);
}

static void
let_in(struct http_door *d, struct http_connection *c, const struct http_proxied *p)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);

	pthread_mutex_lock(&d->lock);
	c->announced = false;
	c->proxied_tls = p->tls;
	if (p->peer[0] != '\0')
		memcpy(c->peer, p->peer, sizeof(c->peer));
	pthread_mutex_unlock(&d->lock);
	watch_again(d, c->fd, EPOLLRDHUP | EPOLLET, door_tag(KIND_CONNECTION, c->serial, c->fd));
	getpeername(c->fd, (struct sockaddr *)&ss, &len);
	d->options.take(d->options.ctx, c, (struct sockaddr *)&ss, len);
}

static void
hear_proxy(struct http_door *d, struct http_connection *c)
{
	uint8_t data[HTTP_PROXY_MAX];
	struct http_proxied p;
	ssize_t n = recv(c->fd, data, sizeof(data), MSG_PEEK | MSG_DONTWAIT);
	enum http_proxy_verdict v = HTTP_PROXY_MORE;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		v = http_proxy_parse(data, (size_t)n, &p);
	if (n <= 0)
		turn_away(d, c, "it ended without a PROXY header");
	else if (v == HTTP_PROXY_BAD || d->left_listeners)
		turn_away(d, c, v == HTTP_PROXY_BAD ? "no PROXY header" : "the server stops");
	else if (v == HTTP_PROXY_DONE && recv(c->fd, data, p.len, MSG_DONTWAIT) == (ssize_t)p.len)
		let_in(d, c, &p);
}

static void
accept_some(struct http_door *d, const struct http_listener *l)
{
	for (int i = 0; i < ACCEPTS; i++) {
		struct sockaddr_storage ss = { 0 };
		socklen_t len = sizeof(ss);
		int fd = accept4(l->fd, (struct sockaddr *)&ss, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			admit(d, fd, l, (struct sockaddr *)&ss, len);
		} else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
			   errno == ENOBUFS) {
			mf_log_warning("http=accept why=%s", mf_log_value(strerror(errno)));
			d->paused_until = clock_ms() + PAUSE_MS;
			return;
		} else if (errno != EINTR && errno != ECONNABORTED) {
			return;
		}
	}
}

/* The client left, or said something of its PROXY header. */
static void
stirred(struct http_door *d, int fd, uint32_t serial)
{
	struct http_connection *c;
	bool announced = false;

	pthread_mutex_lock(&d->lock);
	c = http_connections_find(&d->open, fd);
	if (c != NULL && c->serial == serial) {
		announced = c->announced;
		if (!announced && !c->gone) {
			c->gone = true;
			if (c->job != NULL) {
				d->stats.left++;
				work_end(d->options.pool, c->job);
			}
		}
	}
	pthread_mutex_unlock(&d->lock);
	if (announced)
		hear_proxy(d, c);
}

static void
leave_listeners(struct http_door *d)
{
	pthread_mutex_lock(&d->lock);
	if (d->shut && !d->left_listeners) {
		for (size_t i = 0; i < d->listeners->n; i++)
			epoll_ctl(d->epoll, EPOLL_CTL_DEL, d->listeners->all[i].fd, NULL);
		d->left_listeners = true;
		pthread_cond_signal(&d->is_shut);
	}
	pthread_mutex_unlock(&d->lock);
}

static bool
may_accept(struct http_door *d)
{
	bool shut;

	pthread_mutex_lock(&d->lock);
	shut = d->left_listeners; /* an event of before */
	pthread_mutex_unlock(&d->lock);
	return !shut;
}

static void
handle(struct http_door *d, uint64_t what)
{
	uint32_t number = (uint32_t)(what >> 32) & 0x3fffffff;
	int fd = (int)(uint32_t)what;
	uint64_t drained;
	ssize_t n;

	switch ((enum door_kind)(what >> 62)) {
	case KIND_WAKE:
		n = read(d->wake, &drained, sizeof(drained));
		(void)n;
		leave_listeners(d);
		break;
	case KIND_LISTENER:
		if (clock_ms() < d->paused_until)
			usleep(1000); /* level-triggered: it would spin until descriptors are free */
		else if (may_accept(d))
			accept_some(d, &d->listeners->all[number]);
		break;
	case KIND_CONNECTION:
		stirred(d, fd, number);
		break;
	case KIND_LINGER:
		pthread_mutex_lock(&d->lock);
		http_linger_read(&d->linger, number);
		pthread_mutex_unlock(&d->lock);
		break;
	}
}

/* Without anything to sweep the thread sleeps for as long as nothing happens. False: it ends. */
static bool
next_sleep(struct http_door *d, int *ms)
{
	bool stop;

	pthread_mutex_lock(&d->lock);
	*ms = !TAILQ_EMPTY(&d->open.timed) || d->linger.n > 0 ? SWEEP_MS : -1;
	stop = d->stop;
	pthread_mutex_unlock(&d->lock);
	return !stop;
}

static void *
run(void *arg)
{
	struct http_door *d = arg;
	struct epoll_event events[EVENTS];
	int64_t swept = clock_ms();
	int ms;

	while (next_sleep(d, &ms)) {
		int n = epoll_wait(d->epoll, events, EVENTS, ms);

		for (int i = 0; i < n; i++)
			handle(d, events[i].data.u64);
		if (clock_ms() - swept >= SWEEP_MS) {
			swept = clock_ms();
			sweep(d, swept);
		}
	}
	return NULL;
}

/* ---- For others ---- */

static enum mf_status
start(struct http_door *d, struct mf_error *err)
{
	sigset_t old;

	d->epoll = epoll_create1(EPOLL_CLOEXEC);
	d->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (d->epoll < 0 || d->wake < 0 ||
		!door_watch(d, d->wake, EPOLLIN, door_tag(KIND_WAKE, 0, d->wake)))
		return mf_fail(err, MF_TEMPORARY, "http: epoll: %s", strerror(errno));
	for (uint32_t i = 0; i < d->listeners->n; i++)
		if (!door_watch(d, d->listeners->all[i].fd, EPOLLIN,
			    door_tag(KIND_LISTENER, i, d->listeners->all[i].fd)))
			return mf_fail(err, MF_INVALID, "listen %s: %s", d->listeners->all[i].name,
				strerror(errno));
	signals_block(&old);
	d->running = pthread_create(&d->thread, NULL, run, d) == 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return d->running ? MF_OK : mf_fail(err, MF_TEMPORARY, "http: no thread for the door");
}

enum mf_status
http_door_open(const struct http_door_options *options, const struct http_listeners *listeners,
	struct http_door **out, struct mf_error *err)
{
	struct http_door *d = calloc(1, sizeof(*d));
	enum mf_status st;

	if (d == NULL)
		return mf_fail(err, MF_TEMPORARY, "http: out of memory");
	d->options = *options;
	d->listeners = listeners;
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->is_shut, NULL);
	http_connections_init(&d->open);
	http_linger_init(&d->linger);
	*out = d; /* before there is a thread that lets anybody in */
	st = start(d, err);
	if (st != MF_OK) {
		*out = NULL;
		http_door_free(d);
	}
	return st;
}

void
http_door_shut(struct http_door *d)
{
	pthread_mutex_lock(&d->lock);
	d->shut = true;
	door_wake(d);
	while (!d->left_listeners)
		pthread_cond_wait(&d->is_shut, &d->lock);
	pthread_mutex_unlock(&d->lock);
}

void
http_door_free(struct http_door *d)
{
	if (d == NULL)
		return;
	pthread_mutex_lock(&d->lock);
	d->stop = true;
	pthread_mutex_unlock(&d->lock);
	if (d->running) {
		door_wake(d);
		pthread_join(d->thread, NULL);
	}
	http_connections_deinit(&d->open);
	http_linger_deinit(&d->linger);
	if (d->epoll >= 0)
		close(d->epoll);
	if (d->wake >= 0)
		close(d->wake);
	pthread_cond_destroy(&d->is_shut);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

void
http_door_stats(struct http_door *d, struct http_door_stats *out)
{
	pthread_mutex_lock(&d->lock);
	*out = d->stats;
	out->connections = d->open.n;
	pthread_mutex_unlock(&d->lock);
}
