/* One array by descriptor, one list of those with a deadline. */
#include "http/connections.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

void
http_connections_init(struct http_connections *t)
{
	*t = (struct http_connections){ 0 };
	TAILQ_INIT(&t->timed);
}

void
http_connections_time(struct http_connections *t, struct http_connection *c, int64_t ms)
{
	if (c->deadline != 0)
		TAILQ_REMOVE(&t->timed, c, timed);
	c->deadline = ms == 0 ? 0 : clock_ms() + ms;
	if (c->deadline != 0)
		TAILQ_INSERT_TAIL(&t->timed, c, timed);
}

void
http_connections_forget(struct http_connections *t, struct http_connection *c)
{
	http_connections_time(t, c, 0);
	t->by_fd[c->fd] = NULL;
	t->n--;
	free(c->certified);
	free(c);
}

static bool
make_room(struct http_connections *t, int fd)
{
	size_t room = t->room;
	struct http_connection **grown;

	while (room <= (size_t)fd)
		room = room == 0 ? 256 : room * 2;
	if (room == t->room)
		return true;
	grown = realloc(t->by_fd, room * sizeof(struct http_connection *));
	if (grown == NULL)
		return false;
	memset(grown + t->room, 0, (room - t->room) * sizeof(struct http_connection *));
	t->by_fd = grown;
	t->room = room;
	return true;
}

struct http_connection *
http_connections_find(const struct http_connections *t, int fd)
{
	return (size_t)fd < t->room ? t->by_fd[fd] : NULL;
}

struct http_connection *
http_connections_add(struct http_connections *t, int fd)
{
	struct http_connection *c = calloc(1, sizeof(*c));

	if (c == NULL || !make_room(t, fd)) {
		free(c);
		return NULL;
	}
	if (t->by_fd[fd] != NULL)
		http_connections_forget(t, t->by_fd[fd]);
	c->fd = fd;
	c->serial = ++t->serial & 0x3fffffff;
	t->by_fd[fd] = c;
	t->n++;
	return c;
}

struct http_connection *
http_connections_renumber(struct http_connections *t, struct http_connection *c, int fd)
{
	struct http_connection *n = http_connections_add(t, fd);

	if (n == NULL)
		return NULL;
	n->gone = c->gone;
	n->job = c->job;
	memcpy(n->peer, c->peer, sizeof(n->peer));
	c->job = NULL;
	return n;
}

void
http_connections_deinit(struct http_connections *t)
{
	for (size_t i = 0; i < t->room; i++) {
		if (t->by_fd[i] == NULL)
			continue;
		if (t->by_fd[i]->announced)
			close(t->by_fd[i]->fd);
		http_connections_forget(t, t->by_fd[i]);
	}
	free(t->by_fd);
}
