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
 *
 * Lingering: an answer that refuses a body which is still on its way must not be lost. Closing a
 * socket with unread data resets the connection, and the client might never see our 413. So such a
 * socket lives on as a duplicate, is read and discarded for a while, and closed at its end.
 */
#include "http/door.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
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
	ACCEPTS = 64,	     /* in a row, before others get their turn */
	SWEEP_MS = 1000,     /* how coarse deadlines are */
	PAUSE_MS = 200,	     /* after accept failed for lack of descriptors */
	LINGERS = 64,	     /* sockets at once */
	LINGER_MS = 30000,   /* each */
	LINGER_BYTES = 65536 /* read at once */
};

/* What an event is about: the kind in the highest bits, then a serial or index, then the socket. */
enum kind { KIND_WAKE, KIND_LISTENER, KIND_CONNECTION, KIND_LINGER };

struct lingering {
	int fd; /* -1: free */
	int64_t until;
};

struct http_door {
	struct http_door_options options;
	const struct http_listeners *listeners;
	int epoll, wake;
	pthread_t thread;
	bool running;
	int64_t paused_until; /* accepting; the thread's own */

	pthread_mutex_t lock;
	pthread_cond_t is_shut;
	bool shut; /* wanted; the thread then says that it has left the listeners */
	bool left_listeners, stop;
	struct http_connection **by_fd;
	size_t room;
	uint32_t serial;
	struct http_connection *timed; /* those with a deadline */
	struct lingering lingering[LINGERS];
	size_t n_lingering;
	struct http_door_stats stats;
};

static uint64_t
tag(enum kind kind, uint32_t number, int fd)
{
	return (uint64_t)kind << 62 | (uint64_t)(number & 0x3fffffff) << 32 | (uint32_t)fd;
}

static bool
watch(struct http_door *d, int fd, uint32_t events, uint64_t what)
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

static void
wake_thread(struct http_door *d)
{
	uint64_t one = 1;
	ssize_t n = write(d->wake, &one, sizeof(one));

	(void)n; /* full: it will wake anyway */
}

/* ---- Connections, under the lock ---- */

static void
untime(struct http_door *d, struct http_connection *c)
{
	if (c->deadline == 0)
		return;
	c->deadline = 0;
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		d->timed = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
}

static void
set_deadline(struct http_door *d, struct http_connection *c, int64_t ms)
{
	untime(d, c);
	if (ms == 0)
		return;
	c->deadline = clock_ms() + ms;
	c->prev = NULL;
	c->next = d->timed;
	if (c->next != NULL)
		c->next->prev = c;
	d->timed = c;
}

static void
forget(struct http_door *d, struct http_connection *c)
{
	untime(d, c);
	d->by_fd[c->fd] = NULL;
	d->stats.connections--;
	free(c->certified);
	free(c);
}

static bool
make_room(struct http_door *d, int fd)
{
	size_t room = d->room;
	struct http_connection **grown;

	while (room <= (size_t)fd)
		room = room == 0 ? 256 : room * 2;
	if (room == d->room)
		return true;
	grown = realloc(d->by_fd, room * sizeof(struct http_connection *));
	if (grown == NULL)
		return false;
	memset(grown + d->room, 0, (room - d->room) * sizeof(struct http_connection *));
	d->by_fd = grown;
	d->room = room;
	return true;
}

/* An entry that is still there belonged to a socket that the library closed before it started. */
static struct http_connection *
remember(struct http_door *d, int fd, const struct http_listener *l, const struct sockaddr *sa)
{
	struct http_connection *c;

	if (!make_room(d, fd))
		return NULL;
	if (d->by_fd[fd] != NULL)
		forget(d, d->by_fd[fd]);
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return NULL;
	c->fd = fd;
	c->tls = l->tls;
	c->serial = ++d->serial & 0x3fffffff;
	http_peer_print(sa, c->peer, sizeof(c->peer));
	c->announced = http_trusted(&d->options.proxies, c->peer);
	d->by_fd[fd] = c;
	d->stats.connections++;
	d->stats.accepted++;
	set_deadline(d, c, d->options.first_ms);
	return c;
}

/* ---- The thread ---- */

static void
refuse(struct http_door *d, int fd, const char *why)
{
	close(fd);
	pthread_mutex_lock(&d->lock);
	d->stats.refused++;
	/* One line for the first, then for each doubling: a flood must not flood the log. */
	if ((d->stats.refused & (d->stats.refused - 1)) == 0)
		mf_log_warning("http=refused count=%llu why=\"%s\"",
			(unsigned long long)d->stats.refused, why);
	pthread_mutex_unlock(&d->lock);
}

static void
admit(struct http_door *d, int fd, const struct http_listener *l, const struct sockaddr *sa,
	socklen_t len)
{
	struct http_connection *c = NULL;
	uint32_t events = EPOLLRDHUP | EPOLLET;

	pthread_mutex_lock(&d->lock);
	if (d->stats.connections < d->options.connection_limit)
		c = remember(d, fd, l, sa);
	pthread_mutex_unlock(&d->lock);
	if (c == NULL) {
		refuse(d, fd, "connection_limit is reached");
		return;
	}
	if (c->announced)
		events |= EPOLLIN;
	watch(d, fd, events, tag(KIND_CONNECTION, c->serial, fd));
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
	forget(d, c);
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
	watch_again(d, c->fd, EPOLLRDHUP | EPOLLET, tag(KIND_CONNECTION, c->serial, c->fd));
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
	c = (size_t)fd < d->room ? d->by_fd[fd] : NULL;
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
linger_end(struct http_door *d, struct lingering *l)
{
	close(l->fd);
	l->fd = -1;
	d->n_lingering--;
}

static void
linger_read(struct http_door *d, uint32_t slot)
{
	static char nowhere[LINGER_BYTES];
	struct lingering *l = &d->lingering[slot];
	ssize_t n;

	pthread_mutex_lock(&d->lock);
	if (l->fd >= 0) {
		n = recv(l->fd, nowhere, sizeof(nowhere), MSG_DONTWAIT);
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			linger_end(d, l);
	}
	pthread_mutex_unlock(&d->lock);
}

/* Shutting a socket down makes the library see its end; only the library closes it. */
static void
sweep(struct http_door *d, int64_t now)
{
	pthread_mutex_lock(&d->lock);
	for (struct http_connection *c = d->timed, *next; c != NULL; c = next) {
		next = c->next;
		if (c->deadline > now)
			continue;
		untime(d, c);
		d->stats.expired++;
		shutdown(c->fd, SHUT_RDWR);
	}
	for (size_t i = 0; i < LINGERS; i++)
		if (d->lingering[i].fd >= 0 && d->lingering[i].until <= now)
			linger_end(d, &d->lingering[i]);
	pthread_mutex_unlock(&d->lock);
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

	switch ((enum kind)(what >> 62)) {
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
		linger_read(d, number);
		break;
	}
}

/* Without anything to sweep the thread sleeps for as long as nothing happens. False: it ends. */
static bool
next_sleep(struct http_door *d, int *ms)
{
	bool stop;

	pthread_mutex_lock(&d->lock);
	*ms = d->timed != NULL || d->n_lingering > 0 ? SWEEP_MS : -1;
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
	if (d->epoll < 0 || d->wake < 0 || !watch(d, d->wake, EPOLLIN, tag(KIND_WAKE, 0, d->wake)))
		return mf_fail(err, MF_TEMPORARY, "http: epoll: %s", strerror(errno));
	for (uint32_t i = 0; i < d->listeners->n; i++)
		if (!watch(d, d->listeners->all[i].fd, EPOLLIN,
			    tag(KIND_LISTENER, i, d->listeners->all[i].fd)))
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
	for (size_t i = 0; i < LINGERS; i++)
		d->lingering[i].fd = -1;
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
	wake_thread(d);
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
		wake_thread(d);
		pthread_join(d->thread, NULL);
	}
	for (size_t i = 0; i < d->room; i++) {
		if (d->by_fd[i] != NULL && d->by_fd[i]->announced)
			close(d->by_fd[i]->fd);
		if (d->by_fd[i] != NULL)
			free(d->by_fd[i]->certified);
		free(d->by_fd[i]);
	}
	for (size_t i = 0; i < LINGERS; i++)
		if (d->lingering[i].fd >= 0)
			close(d->lingering[i].fd);
	free(d->by_fd);
	if (d->epoll >= 0)
		close(d->epoll);
	if (d->wake >= 0)
		close(d->wake);
	pthread_cond_destroy(&d->is_shut);
	pthread_mutex_destroy(&d->lock);
	free(d);
}

struct http_connection *
http_connection_of(struct http_door *d, int fd)
{
	struct http_connection *c;

	pthread_mutex_lock(&d->lock);
	c = (size_t)fd < d->room ? d->by_fd[fd] : NULL;
	pthread_mutex_unlock(&d->lock);
	return c;
}

static void
linger(struct http_door *d, int socket)
{
	uint32_t slot = 0;
	int fd;

	while (slot < LINGERS && d->lingering[slot].fd >= 0)
		slot++;
	if (slot == LINGERS || d->stop)
		return;
	fd = dup(socket);
	if (fd < 0)
		return;
	shutdown(fd, SHUT_WR);
	d->lingering[slot] = (struct lingering){ .fd = fd, .until = clock_ms() + LINGER_MS };
	d->n_lingering++;
	watch(d, fd, EPOLLIN | EPOLLRDHUP, tag(KIND_LINGER, slot, fd));
}

void
http_connection_closed(struct http_door *d, struct http_connection *c)
{
	bool lingers = c->linger;

	pthread_mutex_lock(&d->lock);
	assert(c->job == NULL);
	epoll_ctl(d->epoll, EPOLL_CTL_DEL, c->fd, NULL);
	if (lingers)
		linger(d, c->fd);
	forget(d, c);
	pthread_mutex_unlock(&d->lock);
	if (lingers)
		wake_thread(d);
}

void
http_connection_deadline(struct http_door *d, struct http_connection *c, int64_t ms)
{
	bool first;

	pthread_mutex_lock(&d->lock);
	first = d->timed == NULL && ms != 0;
	set_deadline(d, c, ms);
	pthread_mutex_unlock(&d->lock);
	if (first)
		wake_thread(d);
}

bool
http_connection_push(struct http_door *d, struct http_connection *c, struct work_job *job)
{
	bool pushed;

	pthread_mutex_lock(&d->lock);
	pushed = work_push(d->options.pool, job);
	if (pushed) {
		c->job = job;
		untime(d, c);
	}
	if (pushed && c->gone)
		work_end(d->options.pool, job);
	pthread_mutex_unlock(&d->lock);
	return pushed;
}

void
http_connection_done(struct http_door *d, struct http_connection *c)
{
	pthread_mutex_lock(&d->lock);
	c->job = NULL;
	pthread_mutex_unlock(&d->lock);
}

/* The entry of the same client under another number. Holds the lock. */
static struct http_connection *
renumber(struct http_door *d, struct http_connection *c, int fd)
{
	struct http_connection *n;

	if (!make_room(d, fd) || (n = calloc(1, sizeof(*n))) == NULL)
		return NULL;
	if (d->by_fd[fd] != NULL)
		forget(d, d->by_fd[fd]);
	n->fd = fd;
	n->serial = ++d->serial & 0x3fffffff;
	n->gone = c->gone;
	n->job = c->job;
	memcpy(n->peer, c->peer, sizeof(n->peer));
	c->job = NULL;
	d->by_fd[fd] = n;
	d->stats.connections++;
	return n;
}

struct http_connection *
http_connection_take(struct http_door *d, struct http_connection *c)
{
	struct http_connection *n = NULL;
	int fd = fcntl(c->fd, F_DUPFD_CLOEXEC, 0), dead;

	dead = fd < 0 ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	pthread_mutex_lock(&d->lock);
	if (dead >= 0)
		n = renumber(d, c, fd);
	if (n != NULL) { /* an end of which nobody was told yet is told by the new entry */
		epoll_ctl(d->epoll, EPOLL_CTL_DEL, c->fd, NULL);
		watch(d, fd, EPOLLRDHUP | EPOLLET, tag(KIND_CONNECTION, n->serial, fd));
		dup3(dead, c->fd, O_CLOEXEC);
	}
	pthread_mutex_unlock(&d->lock);
	if (n == NULL && fd >= 0)
		close(fd);
	if (dead >= 0)
		close(dead);
	return n;
}

void
http_connection_drop(struct http_door *d, struct http_connection *c)
{
	int fd = c->fd;

	pthread_mutex_lock(&d->lock);
	epoll_ctl(d->epoll, EPOLL_CTL_DEL, fd, NULL);
	forget(d, c);
	pthread_mutex_unlock(&d->lock);
	close(fd);
}

bool
http_connection_left(struct http_door *d, struct http_connection *c)
{
	bool left;

	pthread_mutex_lock(&d->lock);
	left = c->gone;
	pthread_mutex_unlock(&d->lock);
	return left;
}

void
http_door_stats(struct http_door *d, struct http_door_stats *out)
{
	pthread_mutex_lock(&d->lock);
	*out = d->stats;
	pthread_mutex_unlock(&d->lock);
}
