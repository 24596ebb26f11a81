/* A few places, searched one after another. */
#include "http/linger.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

enum { LINGER_MS = 30000 /* each */, LINGER_BYTES = 65536 /* read at once */ };

void
http_linger_init(struct http_linger *l)
{
	*l = (struct http_linger){ 0 };
	for (size_t i = 0; i < HTTP_LINGER_MAX; i++)
		l->places[i].fd = -1;
}

static void
end(struct http_linger *l, uint32_t place)
{
	close(l->places[place].fd);
	l->places[place].fd = -1;
	l->n--;
}

void
http_linger_deinit(struct http_linger *l)
{
	http_linger_sweep(l, INT64_MAX);
}

uint32_t
http_linger_add(struct http_linger *l, int socket, int *fd)
{
	uint32_t place = 0;

	while (place < HTTP_LINGER_MAX && l->places[place].fd >= 0)
		place++;
	if (place == HTTP_LINGER_MAX)
		return HTTP_LINGER_MAX;
	*fd = dup(socket);
	if (*fd < 0)
		return HTTP_LINGER_MAX;
	shutdown(*fd, SHUT_WR);
	l->places[place].fd = *fd;
	l->places[place].until = clock_ms() + LINGER_MS;
	l->n++;
	return place;
}

void
http_linger_read(struct http_linger *l, uint32_t place)
{
	static char nowhere[LINGER_BYTES];
	ssize_t n;

	if (l->places[place].fd < 0)
		return;
	n = recv(l->places[place].fd, nowhere, sizeof(nowhere), MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		end(l, place);
}

void
http_linger_sweep(struct http_linger *l, int64_t now)
{
	for (uint32_t i = 0; i < HTTP_LINGER_MAX; i++)
		if (l->places[i].fd >= 0 && l->places[i].until <= now)
			end(l, i);
}
