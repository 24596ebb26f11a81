/* Exchanges side by side: libcurl's socket interface on one epoll descriptor. */
#include "client/loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "client/exchange.h"
#include "client/memory.h"

enum { EVENTS = 256, CONNECTIONS_KEPT = 50000 };

struct client_loop {
	CURLM *multi;
	int epoll;
	int64_t timer; /* clock_ms at which libcurl wants to be called; -1: not */
	size_t running;
	struct client *first; /* of those that run, linked by exchange.h's loop_next */
};

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *known)
{
	struct client_loop *l = ctx;
	struct epoll_event e = { .data.fd = fd };

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		epoll_ctl(l->epoll, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	e.events = (what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U);
	if (epoll_ctl(l->epoll, known == NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &e) != 0)
		return -1;
	if (known == NULL)
		curl_multi_assign(l->multi, fd, l);
	return 0;
}

static int
on_timer(CURLM *multi, long ms, void *ctx)
{
	struct client_loop *l = ctx;

	(void)multi;
	l->timer = ms < 0 ? -1 : clock_ms() + ms;
	return 0;
}

struct client_loop *
client_loop_new(void)
{
	struct client_loop *l = client_zalloc(sizeof(*l));

	l->multi = curl_multi_init();
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->timer = -1;
	if (l->multi == NULL || l->epoll < 0) {
		fputs("client: no event loop\n", stderr);
		abort();
	}
	curl_multi_setopt(l->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(l->multi, CURLMOPT_SOCKETDATA, l);
	curl_multi_setopt(l->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(l->multi, CURLMOPT_TIMERDATA, l);
	curl_multi_setopt(l->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
	return l;
}

static void
unlink_client(struct client_loop *l, struct client *c)
{
	if (c->loop_prev != NULL)
		c->loop_prev->loop_next = c->loop_next;
	else
		l->first = c->loop_next;
	if (c->loop_next != NULL)
		c->loop_next->loop_prev = c->loop_prev;
	c->loop_prev = c->loop_next = NULL;
	c->done = NULL;
	l->running--;
	curl_multi_remove_handle(l->multi, c->easy);
}

void
client_loop_free(struct client_loop *l)
{
	if (l == NULL)
		return;
	while (l->first != NULL)
		unlink_client(l, l->first);
	curl_multi_cleanup(l->multi);
	close(l->epoll);
	free(l);
}

void
client_loop_start(struct client_loop *l, struct client *c, const struct client_request *r,
	client_done *done, void *ctx)
{
	client_exchange_begin(c, r);
	c->done = done;
	c->done_ctx = ctx;
	c->loop_prev = NULL;
	c->loop_next = l->first;
	if (l->first != NULL)
		l->first->loop_prev = c;
	l->first = c;
	l->running++;
	curl_multi_add_handle(l->multi, c->easy);
}

void
client_loop_cancel(struct client_loop *l, struct client *c)
{
	if (c->done != NULL)
		unlink_client(l, c);
}

/* Finished exchanges: out of the loop first, so that the callback may start the next. */
static void
finish(struct client_loop *l)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(l->multi, &left)) != NULL) {
		CURLcode code = message->data.result;
		struct client_answer answer;
		struct mf_error err = { .status = MF_OK };
		enum mf_status st;
		struct client *c;
		client_done *done;

		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&c);
		done = c->done;
		unlink_client(l, c);
		st = client_exchange_end(c, code, &answer, &err);
		done(c->done_ctx, c, st, &answer, &err);
	}
}

static int
patience(const struct client_loop *l, int64_t until)
{
	int64_t now = clock_ms(), end = l->timer;

	if (until >= 0 && (end < 0 || until < end))
		end = until;
	if (end < 0)
		return -1;
	return end <= now ? 0 : end - now > 60000 ? 60000 : (int)(end - now);
}

static void
dispatch(struct client_loop *l, const struct epoll_event *events, int n)
{
	int running;

	for (int i = 0; i < n; i++) {
		unsigned e = events[i].events;
		int what = (e & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) |
			   (e & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
			   (e & EPOLLERR ? CURL_CSELECT_ERR : 0);

		curl_multi_socket_action(l->multi, events[i].data.fd, what, &running);
	}
	if (l->timer >= 0 && l->timer <= clock_ms()) {
		l->timer = -1;
		curl_multi_socket_action(l->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
	finish(l);
}

size_t
client_loop_run(struct client_loop *l, int64_t timeout_ms)
{
	int64_t until = timeout_ms < 0 ? -1 : clock_ms() + timeout_ms;
	struct epoll_event events[EVENTS];

	while (l->running > 0) {
		int n = epoll_wait(l->epoll, events, EVENTS, patience(l, until));

		dispatch(l, events, n);
		if (until >= 0 && clock_ms() >= until)
			break;
	}
	return l->running;
}
