/* What the server itself needs: an answer read on one connection and thrown away. */
#ifndef TESTS_BENCH_RAW_H
#define TESTS_BENCH_RAW_H

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"

static inline double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Sends and reads until the tagged line of the last command; nothing is looked at but that. */
static inline double
raw(struct dovecot *d, const char *user, const char *commands, const char *last)
{
	static char in[1 << 20];
	char login[200];
	int fd = fixture_connect(d->imap);
	size_t keep = 0, sent = 0, len;
	double start;

	snprintf(login, sizeof(login),
		"a LOGIN %s secret-%s\r\nb ENABLE QRESYNC\r\nc SELECT INBOX\r\n", user, user);
	if (send(fd, login, strlen(login), 0) < 0)
		fixture_die("send");
	while (memmem(in, keep, "\nc OK", 5) == NULL) {
		ssize_t n = recv(fd, in + keep, sizeof(in) - keep, 0);

		if (n <= 0)
			fixture_die("no login");
		keep += (size_t)n;
	}
	start = now();
	len = strlen(commands);
	keep = 0;
	for (;;) {
		struct pollfd p = { .fd = fd,
			.events = (short)(POLLIN | (sent < len ? POLLOUT : 0)) };
		ssize_t n;

		poll(&p, 1, -1);
		if ((p.revents & POLLOUT) != 0) {
			n = send(fd, commands + sent, len - sent, MSG_DONTWAIT);
			sent += n > 0 ? (size_t)n : 0;
		}
		if ((p.revents & POLLIN) == 0)
			continue;
		n = recv(fd, in + keep, sizeof(in) - keep, 0);
		if (n <= 0)
			fixture_die("raw: closed");
		if (memmem(in, keep + (size_t)n, last, strlen(last)) != NULL)
			break;
		/* Only the last bytes may hold the beginning of what is looked for. */
		keep = (size_t)n < 64 ? (size_t)n : 64;
		memmove(in, in + (size_t)n - keep, keep);
	}
	close(fd);
	return now() - start;
}

#endif
