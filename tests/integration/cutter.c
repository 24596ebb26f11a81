/* The wire with scissors. Knows lines, not what they mean. */
#include "cutter.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"

enum { WIRES_MAX = 500 };

struct wire {
	struct cutter *cutter;
	pthread_t thread;
	int client, server;
	bool deaf; /* the next answer is not passed on */
};

struct cutter {
	int listener;
	uint16_t port, to;
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	unsigned lines, nth;
	bool answer;
	uint64_t left; /* bytes of servers, 0: any number */
	struct wire wires[WIRES_MAX];
	unsigned n;
};

static struct sockaddr_in
loopback(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr = { .s_addr = htonl(INADDR_LOOPBACK) } };
}

/* How many of these bytes go on; *cut: then the wire ends. */
static size_t
pass(struct wire *w, const char *data, size_t len, bool *cut)
{
	struct cutter *c = w->cutter;
	size_t on = len;

	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < len && !*cut && !w->deaf; i++) {
		if (data[i] != '\n' || ++c->lines != c->nth)
			continue;
		w->deaf = c->answer;
		*cut = !c->answer;
		on = c->answer ? i + 1 : 0;
	}
	pthread_mutex_unlock(&c->lock);
	return on;
}

/* The same of what a server sends. */
static size_t
count(struct wire *w, size_t len, bool *cut)
{
	struct cutter *c = w->cutter;

	pthread_mutex_lock(&c->lock);
	if (c->left > 0) {
		*cut = len >= c->left;
		len = *cut ? (size_t)c->left : len;
		c->left -= len;
	}
	pthread_mutex_unlock(&c->lock);
	return len;
}

/* Bytes from one end to the other; false: it is over. */
static bool
carry(struct wire *w, bool from_client)
{
	char data[16384];
	int from = from_client ? w->client : w->server, to = from_client ? w->server : w->client;
	ssize_t n = recv(from, data, sizeof data, 0);
	bool cut = false;
	size_t on;

	if (n <= 0 || (!from_client && w->deaf))
		return false;
	on = from_client ? pass(w, data, (size_t)n, &cut) : count(w, (size_t)n, &cut);
	for (size_t done = 0; done < on;) {
		ssize_t sent = send(to, data + done, on - done, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		done += (size_t)sent;
	}
	return !cut;
}

static void *
wire_main(void *arg)
{
	struct wire *w = arg;
	bool open = true;

	while (open) {
		struct pollfd p[2] = { { .fd = w->client, .events = POLLIN },
			{ .fd = w->server, .events = POLLIN } };

		if (poll(p, 2, -1) < 0)
			break;
		if (p[0].revents != 0)
			open = carry(w, true);
		if (open && p[1].revents != 0)
			open = carry(w, false);
	}
	shutdown(w->client, SHUT_RDWR);
	shutdown(w->server, SHUT_RDWR);
	return NULL;
}

static void *
cutter_main(void *arg)
{
	struct cutter *c = arg;
	int client;

	while ((client = accept(c->listener, NULL, NULL)) >= 0) {
		struct sockaddr_in to = loopback(c->to);
		struct wire *w = &c->wires[c->n];

		if (c->n == WIRES_MAX)
			fixture_die("more than %d connections", WIRES_MAX);
		*w = (struct wire){ .cutter = c, .client = client };
		w->server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(w->server, (struct sockaddr *)&to, sizeof to) != 0)
			fixture_die("the server does not answer the wire");
		pthread_create(&w->thread, NULL, wire_main, w);
		c->n++;
	}
	return NULL;
}

struct cutter *
cutter_start(uint16_t to)
{
	struct cutter *c = calloc(1, sizeof *c);
	struct sockaddr_in at = loopback(0);
	socklen_t len = sizeof at;

	if (c == NULL)
		fixture_die("no memory");
	c->to = to;
	pthread_mutex_init(&c->lock, NULL);
	c->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(c->listener, (struct sockaddr *)&at, sizeof at) != 0 ||
		listen(c->listener, 64) != 0 ||
		getsockname(c->listener, (struct sockaddr *)&at, &len) != 0)
		fixture_die("the wire has no port");
	c->port = ntohs(at.sin_port);
	pthread_create(&c->thread, NULL, cutter_main, c);
	return c;
}

uint16_t
cutter_port(const struct cutter *c)
{
	return c->port;
}

void
cutter_arm(struct cutter *c, unsigned nth, bool answer)
{
	pthread_mutex_lock(&c->lock);
	c->lines = 0;
	c->nth = nth;
	c->answer = answer;
	pthread_mutex_unlock(&c->lock);
}

void
cutter_arm_bytes(struct cutter *c, uint64_t bytes)
{
	pthread_mutex_lock(&c->lock);
	c->left = bytes;
	pthread_mutex_unlock(&c->lock);
}

unsigned
cutter_lines(struct cutter *c)
{
	unsigned n;

	pthread_mutex_lock(&c->lock);
	n = c->lines;
	pthread_mutex_unlock(&c->lock);
	return n;
}

void
cutter_end(struct cutter *c)
{
	shutdown(c->listener, SHUT_RDWR);
	pthread_join(c->thread, NULL);
	close(c->listener);
	for (unsigned i = 0; i < c->n; i++) {
		shutdown(c->wires[i].client, SHUT_RDWR);
		pthread_join(c->wires[i].thread, NULL);
		close(c->wires[i].client);
		close(c->wires[i].server);
	}
	pthread_mutex_destroy(&c->lock);
	free(c);
}
