/* A client of raw bytes for tests of the HTTP server: says anything, reads whole answers. */
#ifndef TESTS_HTTP_CLIENT_H
#define TESTS_HTTP_CLIENT_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

struct client {
	int fd;
	char data[70000]; /* what was read and not yet taken */
	size_t len;
};

struct client_answer {
	int status;	   /* 0: the connection was closed or fell silent without one */
	char header[4000]; /* with the status line */
	char body[70000];
	size_t body_len;
};

static inline int
client_connect(unsigned port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&in, sizeof(in)) == 0)
		return fd;
	close(fd);
	return -1;
}

static inline void
client_open(struct client *c, unsigned port)
{
	c->len = 0;
	c->fd = client_connect(port);
}

static inline void
client_say(struct client *c, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		data += n;
		len -= (size_t)n;
	}
}

static inline void
client_says(struct client *c, const char *text)
{
	client_say(c, text, strlen(text));
}

/* More bytes within ms; 0 at the end, -1 for silence. */
static inline int
client_read(struct client *c, int ms)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	ssize_t n;

	if (c->fd < 0 || c->len + 1 >= sizeof(c->data))
		return 0;
	if (poll(&p, 1, ms) <= 0)
		return -1;
	n = recv(c->fd, c->data + c->len, sizeof(c->data) - 1 - c->len, 0);
	if (n <= 0)
		return 0;
	c->len += (size_t)n;
	c->data[c->len] = '\0';
	return 1;
}

static inline void
client_drop(struct client *c, size_t n)
{
	memmove(c->data, c->data + n, c->len - n + 1);
	c->len -= n;
}

static inline const char *
client_header(const struct client_answer *a, const char *name)
{
	static _Thread_local char value[500];
	size_t n = strlen(name);

	for (const char *line = strstr(a->header, "\r\n"); line != NULL;
		line = strstr(line + 2, "\r\n")) {
		if (strncasecmp(line + 2, name, n) == 0 && line[2 + n] == ':') {
			const char *v = line + 3 + n + strspn(line + 3 + n, " ");

			snprintf(value, sizeof(value), "%.*s", (int)strcspn(v, "\r"), v);
			return value;
		}
	}
	return NULL;
}

/* One whole answer, by its Content-Length. */
static inline void
client_answer(struct client *c, struct client_answer *a, int ms)
{
	const char *end, *length;
	size_t head;

	memset(a, 0, sizeof(*a));
	c->data[c->len] = '\0';
	while ((end = strstr(c->data, "\r\n\r\n")) == NULL)
		if (client_read(c, ms) <= 0)
			return;
	head = (size_t)(end - c->data) + 2;
	if (head >= sizeof(a->header))
		return;
	memcpy(a->header, c->data, head);
	client_drop(c, head + 2);
	length = client_header(a, "Content-Length");
	a->body_len = length == NULL ? 0 : strtoul(length, NULL, 10);
	while (c->len < a->body_len)
		if (client_read(c, ms) <= 0)
			return;
	memcpy(a->body, c->data, a->body_len);
	client_drop(c, a->body_len);
	sscanf(a->header, "HTTP/1.1 %d", &a->status);
}

/* Whether the server closes within ms; what it says before that is dropped. */
static inline int
client_closed(struct client *c, int ms)
{
	int r;

	do {
		c->len = 0;
		r = client_read(c, ms);
	} while (r > 0);
	return r == 0;
}

#endif
