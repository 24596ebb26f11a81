/*
 * An HTTP server for tests: answers the n-th request with the n-th reply of a list, and remembers what
 * was asked. One thread, any number of connections; with `hold` it answers nothing before that many
 * requests are in.
 */
#ifndef TESTS_FAKE_HTTP_H
#define TESTS_FAKE_HTTP_H

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "mailferry/buf.h"
#include "wbxml/wbxml.h"

struct fake_reply {
	unsigned status;     /* 0: cuts the connection; 1: never answers */
	const char *headers; /* further lines, each with its CRLF; NULL: none */
	const char *xml;     /* sent as WBXML; NULL: none */
	const char *raw;     /* sent as it is; NULL: none */
};

enum { FAKE_CONNECTIONS = 128, FAKE_REQUESTS = 256 };

struct fake_request {
	char *head;
	struct mf_bytes body; /* behind head, in the same memory */
};

struct fake_http {
	const struct fake_reply *replies;
	size_t n_replies, hold;
	int listener, stop[2];
	char url[64];
	pthread_t thread;
	struct pollfd fds[FAKE_CONNECTIONS];
	struct mf_buf in[FAKE_CONNECTIONS];
	bool waiting[FAKE_CONNECTIONS]; /* has a request that is not answered yet */
	size_t n_fds;
	struct fake_request requests[FAKE_REQUESTS];
	size_t n_requests, n_answered;
};

/* Without Criterion, so that programs under ThreadSanitizer can use it too. */
static inline void
fake_require(bool held)
{
	if (!held) {
		perror("fake http server");
		abort();
	}
}

static inline void
fake_answer(struct fake_http *h, size_t i)
{
	const struct fake_reply *r = &h->replies[h->n_answered++ % h->n_replies];
	struct mf_buf body, out;

	h->waiting[i] = false;
	if (r->status == 0)
		shutdown(h->fds[i].fd, SHUT_RDWR);
	if (r->status <= 1)
		return;
	mf_buf_init(&body, 0);
	mf_buf_init(&out, 0);
	if (r->xml != NULL)
		fake_require(wbxml_from_xml(r->xml, strlen(r->xml), &body, NULL) == MF_OK);
	if (r->raw != NULL)
		mf_buf_add_str(&body, r->raw);
	mf_buf_printf(&out, "HTTP/1.1 %u Status\r\nContent-Length: %zu\r\n%s%s\r\n", r->status,
		body.len, r->xml != NULL ? "Content-Type: application/vnd.ms-sync.wbxml\r\n" : "",
		r->headers == NULL ? "" : r->headers);
	mf_buf_add(&out, body.data, body.len);
	(void)!write(h->fds[i].fd, out.data, out.len);
	mf_buf_deinit(&body);
	mf_buf_deinit(&out);
}

/* Takes one whole request from the front of a connection's bytes. */
static inline void
fake_take(struct fake_http *h, size_t i)
{
	const char *text = mf_buf_str(&h->in[i]), *end = strstr(text, "\r\n\r\n");
	const char *length = strcasestr(text, "\r\nContent-Length:");
	struct fake_request *r = &h->requests[h->n_requests];
	size_t head, body;

	if (end == NULL)
		return;
	head = (size_t)(end - text) + 4;
	body = length != NULL && length < end ? strtoul(length + 17, NULL, 10) : 0;
	if (h->in[i].len < head + body || h->n_requests == FAKE_REQUESTS)
		return;
	r->head = malloc(head + body + 1);
	memcpy(r->head, text, head + body);
	r->body = mf_bytes(r->head + head, body);
	r->head[head - 1] = '\0';
	mf_buf_consume(&h->in[i], head + body);
	h->waiting[i] = true;
	h->n_requests++;
}

static inline void
fake_read(struct fake_http *h, size_t i)
{
	uint8_t *p = mf_buf_reserve(&h->in[i], 65536);
	ssize_t n = read(h->fds[i].fd, p, 65536);

	if (n <= 0) {
		h->fds[i].events = 0;
		shutdown(h->fds[i].fd, SHUT_RDWR);
		close(h->fds[i].fd);
		h->fds[i].fd = -1;
		return;
	}
	mf_buf_commit(&h->in[i], (size_t)n);
	fake_take(h, i);
}

static inline void *
fake_run(void *ctx)
{
	struct fake_http *h = ctx;

	for (;;) {
		poll(h->fds, h->n_fds, -1);
		if (h->fds[0].revents != 0)
			return NULL;
		for (size_t i = 2; i < h->n_fds; i++)
			if (h->fds[i].revents != 0)
				fake_read(h, i);
		for (size_t i = 2; h->n_requests >= h->hold && i < h->n_fds; i++)
			if (h->waiting[i])
				fake_answer(h, i);
		if ((h->fds[1].revents & POLLIN) && h->n_fds < FAKE_CONNECTIONS) {
			h->fds[h->n_fds] =
				(struct pollfd){ accept(h->listener, NULL, NULL), POLLIN, 0 };
			mf_buf_init(&h->in[h->n_fds++], 0);
		}
	}
}

static inline struct fake_http *
fake_start(const struct fake_reply *replies, size_t n, size_t hold)
{
	struct fake_http *h = calloc(1, sizeof(*h));
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);

	h->replies = replies;
	h->n_replies = n;
	h->hold = hold;
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	h->listener = socket(AF_INET, SOCK_STREAM, 0);
	fake_require(bind(h->listener, (struct sockaddr *)&a, sizeof(a)) == 0);
	fake_require(listen(h->listener, FAKE_CONNECTIONS) == 0);
	getsockname(h->listener, (struct sockaddr *)&a, &len);
	snprintf(h->url, sizeof(h->url), "http://127.0.0.1:%u", (unsigned)ntohs(a.sin_port));
	fake_require(pipe(h->stop) == 0);
	h->fds[0] = (struct pollfd){ h->stop[0], POLLIN, 0 };
	h->fds[1] = (struct pollfd){ h->listener, POLLIN, 0 };
	h->n_fds = 2;
	fake_require(pthread_create(&h->thread, NULL, fake_run, h) == 0);
	return h;
}

/* Ends the thread: what was asked may be looked at then. */
static inline void
fake_stop(struct fake_http *h)
{
	(void)!write(h->stop[1], "", 1);
	pthread_join(h->thread, NULL);
	for (size_t i = 2; i < h->n_fds; i++) {
		if (h->fds[i].fd >= 0)
			close(h->fds[i].fd);
		mf_buf_deinit(&h->in[i]);
	}
	close(h->listener);
	close(h->stop[0]);
	close(h->stop[1]);
}

static inline void
fake_free(struct fake_http *h)
{
	for (size_t i = 0; i < h->n_requests; i++)
		free(h->requests[i].head);
	free(h);
}

#endif
