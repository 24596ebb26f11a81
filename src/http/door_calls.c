/* What others ask of the door about one connection. Short calls under its lock; the thread is door.c's. */
#include <assert.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "http/door_inside.h"

struct http_connection *
http_connection_of(struct http_door *d, int fd)
{
	struct http_connection *c;

	pthread_mutex_lock(&d->lock);
	c = http_connections_find(&d->open, fd);
	pthread_mutex_unlock(&d->lock);
	return c;
}

/* The lock is held. */
static void
linger(struct http_door *d, int socket)
{
	int fd;
	uint32_t place = d->stop ? HTTP_LINGER_MAX : http_linger_add(&d->linger, socket, &fd);

	if (place < HTTP_LINGER_MAX)
		door_watch(d, fd, EPOLLIN | EPOLLRDHUP, door_tag(KIND_LINGER, place, fd));
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
	http_connections_forget(&d->open, c);
	pthread_mutex_unlock(&d->lock);
	if (lingers)
		door_wake(d);
}

void
http_connection_deadline(struct http_door *d, struct http_connection *c, int64_t ms)
{
	bool first;

	pthread_mutex_lock(&d->lock);
	first = TAILQ_EMPTY(&d->open.timed) && ms != 0;
	http_connections_time(&d->open, c, ms);
	pthread_mutex_unlock(&d->lock);
	if (first)
		door_wake(d);
}

bool
http_connection_push(struct http_door *d, struct http_connection *c, struct work_job *job)
{
	bool pushed;

	pthread_mutex_lock(&d->lock);
	pushed = work_push(d->options.pool, job);
	if (pushed) {
		c->job = job;
		http_connections_time(&d->open, c, 0);
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

struct http_connection *
http_connection_take(struct http_door *d, struct http_connection *c)
{
	struct http_connection *n = NULL;
	int fd = fcntl(c->fd, F_DUPFD_CLOEXEC, 0), dead;

	dead = fd < 0 ? -1 : socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	pthread_mutex_lock(&d->lock);
	if (dead >= 0)
		n = http_connections_renumber(&d->open, c, fd);
	if (n != NULL) { /* an end of which nobody was told yet is told by the new entry */
		epoll_ctl(d->epoll, EPOLL_CTL_DEL, c->fd, NULL);
		door_watch(d, fd, EPOLLRDHUP | EPOLLET, door_tag(KIND_CONNECTION, n->serial, fd));
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
	http_connections_forget(&d->open, c);
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
