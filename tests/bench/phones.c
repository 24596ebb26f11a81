/* Waiting phones. Setting up is done by the tests' client, waiting by sockets. */
#include "phones.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "phone.h"

enum { SETTERS = 6, BATCH = 512 };

double
bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- Setting up ---- */

struct setting {
	struct bench_phones *p;
	const struct gateway *g;
	atomic_uint next;
};

static void *
set_up_some(void *arg)
{
	struct setting *s = arg;
	unsigned i;

	while ((i = atomic_fetch_add(&s->next, 1)) < s->p->n) {
		struct bench_phone *b = &s->p->list[i];
		struct phone *phone;

		if (b->ended == 0)
			continue;
		phone = phone_new(s->g, b->user, NULL, b->device);
		phone_hierarchy(phone);
		phone_sync(phone, "inbox");
		snprintf(b->inbox, sizeof b->inbox, "%s", phone_folder(phone, "inbox")->id);
		phone_free(phone);
	}
	return NULL;
}

void
bench_phones_sync(struct bench_phones *p, const struct gateway *g)
{
	struct setting s = { .p = p, .g = g };
	pthread_t threads[SETTERS];

	for (int i = 0; i < SETTERS; i++)
		if (pthread_create(&threads[i], NULL, set_up_some, &s) != 0)
			fixture_die("no thread");
	for (int i = 0; i < SETTERS; i++)
		pthread_join(threads[i], NULL);
}

void
bench_phones_set_up(
	struct bench_phones *p, unsigned n, unsigned users, const struct gateway *g, bool tls)
{
	*p = (struct bench_phones){ .list = calloc(n, sizeof *p->list), .n = n };
	p->epoll = epoll_create1(EPOLL_CLOEXEC);
	p->port = tls ? g->tls_port : g->port;
	if (tls)
		p->tls = SSL_CTX_new(TLS_client_method());
	for (unsigned i = 0; i < n; i++) {
		struct bench_phone *b = &p->list[i];

		snprintf(b->user, sizeof b->user, "user%u", 1 + i % users);
		snprintf(b->device, sizeof b->device, "device%u", i);
		b->fd = -1;
		b->ended = -1;
		mf_buf_init(&b->in, 0);
	}
	bench_phones_sync(p, g);
}

static void
hang_up(struct bench_phone *b)
{
	SSL_free(b->ssl);
	if (b->fd >= 0)
		close(b->fd);
	b->ssl = NULL;
	b->fd = -1;
	mf_buf_clear(&b->in);
}

void
bench_phones_end(struct bench_phones *p)
{
	for (unsigned i = 0; i < p->n; i++) {
		hang_up(&p->list[i]);
		mf_buf_deinit(&p->list[i].in);
	}
	close(p->epoll);
	SSL_CTX_free(p->tls);
	free(p->list);
}

/* ---- Asking ---- */

static void
connect_phone(struct bench_phones *p, struct bench_phone *b)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_port = htons(p->port),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct epoll_event ev = { .events = EPOLLIN, .data = { .ptr = b } };
	int one = 1;

	b->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (b->fd < 0 || connect(b->fd, (struct sockaddr *)&at, sizeof at) != 0)
		fixture_die("phone: %s", strerror(errno));
	setsockopt(b->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (p->tls != NULL) {
		b->ssl = SSL_new(p->tls);
		SSL_set_mode(b->ssl, SSL_MODE_RELEASE_BUFFERS);
		SSL_set_fd(b->ssl, b->fd);
		if (SSL_connect(b->ssl) != 1)
			fixture_die("phone: no TLS");
	}
	fcntl(b->fd, F_SETFL, O_NONBLOCK);
	epoll_ctl(p->epoll, EPOLL_CTL_ADD, b->fd, &ev);
}

static void
put_request(const struct bench_phone *b, unsigned heartbeat, struct mf_buf *out)
{
	struct client_folder folder = { .id = (char *)(uintptr_t)b->inbox };
	struct client_folder *list[] = { &folder };
	char credentials[80], encoded[120];
	struct mf_buf body;
	int n = snprintf(credentials, sizeof credentials, "%s:secret-%s", b->user, b->user);

	EVP_EncodeBlock((unsigned char *)encoded, (unsigned char *)credentials, n);
	mf_buf_init(&body, 0);
	client_ping_build(heartbeat, list, 1, &body);
	mf_buf_printf(out,
		"POST /Microsoft-Server-ActiveSync?Cmd=Ping&User=%s&DeviceId=%s&DeviceType=bench "
		"HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic %s\r\n"
		"MS-ASProtocolVersion: 14.1\r\nUser-Agent: bench\r\n"
		"Content-Type: application/vnd.ms-sync.wbxml\r\nContent-Length: %zu\r\n\r\n",
		b->user, b->device, encoded, body.len);
	mf_buf_add(out, body.data, body.len);
	mf_buf_deinit(&body);
}

void
bench_phone_ping(struct bench_phones *p, unsigned i, unsigned heartbeat)
{
	struct bench_phone *b = &p->list[i];
	struct mf_buf out;
	ssize_t n;

	if (b->fd < 0)
		connect_phone(p, b);
	mf_buf_init(&out, 0);
	put_request(b, heartbeat, &out);
	b->began = bench_now();
	b->ended = 0;
	b->http = b->status = 0;
	p->waiting++;
	n = b->ssl != NULL ? SSL_write(b->ssl, out.data, (int)out.len)
			   : send(b->fd, out.data, out.len, MSG_NOSIGNAL);
	if (n != (ssize_t)out.len)
		fixture_die("phone: cannot send");
	mf_buf_deinit(&out);
}

/* ---- Being answered ---- */

static void
over(struct bench_phones *p, struct bench_phone *b)
{
	if (b->ended == 0)
		p->waiting--;
	if (b->ended == 0)
		b->ended = bench_now();
}

static unsigned
ping_status(const uint8_t *body, size_t len)
{
	struct mf_arena *a = mf_arena_new();
	struct wbxml_node *root = NULL;
	unsigned status = 0;

	if (wbxml_decode(a, (struct mf_bytes){ (uint8_t *)(uintptr_t)body, len },
		    &wbxml_limits_default, false, &root, NULL) == MF_OK &&
		root != NULL)
		status = client_number(root, Ping_Status, 0);
	mf_arena_free(a);
	return status;
}

/* A whole answer is there, or the connection is gone. */
static void
look(struct bench_phones *p, struct bench_phone *b)
{
	const char *text = mf_buf_str(&b->in), *end = strstr(text, "\r\n\r\n"), *length;
	size_t header, body;

	if (end == NULL)
		return;
	length = strcasestr(text, "\r\nContent-Length:");
	header = (size_t)(end + 4 - text);
	body = length != NULL && length < end ? strtoul(length + 17, NULL, 10) : 0;
	if (b->in.len < header + body)
		return;
	b->http = (unsigned)strtoul(text + 9, NULL, 10);
	b->status = b->http == 200 ? ping_status(b->in.data + header, body) : 0;
	over(p, b);
	mf_buf_clear(&b->in);
}

static void
take(struct bench_phones *p, struct bench_phone *b)
{
	char data[2048];

	for (;;) {
		ssize_t n = b->ssl != NULL ? SSL_read(b->ssl, data, sizeof data)
					   : recv(b->fd, data, sizeof data, 0);

		if (n > 0) {
			mf_buf_add(&b->in, data, (size_t)n);
			look(p, b);
			continue;
		}
		if (b->ssl != NULL ? SSL_get_error(b->ssl, (int)n) == SSL_ERROR_WANT_READ
				   : n < 0 && errno == EAGAIN)
			return;
		over(p, b);
		hang_up(b);
		return;
	}
}

static void
run(struct bench_phones *p, double until, bool finish)
{
	struct epoll_event events[BATCH];

	while (bench_now() < until && !(finish && p->waiting == 0)) {
		double left = (until - bench_now()) * 1000;
		int n = epoll_wait(p->epoll, events, BATCH,
			left < 1    ? 1
			: left > 50 ? 50
				    : (int)left);

		for (int i = 0; i < n; i++)
			take(p, events[i].data.ptr);
	}
}

void
bench_phones_run(struct bench_phones *p, double until)
{
	run(p, until, false);
}

void
bench_phones_finish(struct bench_phones *p, double until)
{
	run(p, until, true);
}
