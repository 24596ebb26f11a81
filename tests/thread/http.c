/* The whole of HTTP under many threads: requests, waits, wakes, clients that leave, and a stop in the
 * middle of it. Each request that ran ends once. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/log.h"
#include "conf/conf.h"
#include "http/server.h"
#include "unit/http_client.h"

enum { THREADS = 4, MS = 1500 };

static _Atomic int began, ended, answered;
static _Atomic bool stopping;
static unsigned port;

static enum eas_verdict
route(struct eas_request *r)
{
	if (r->wait.until == 0) {
		began++;
		r->wait.until = clock_ms() + 20;
		r->wait.group = 1 + r->body.len % 7;
		r->wait.one = r->body.len % 3;
		if (r->query[0] == 'w')
			return EAS_WAIT;
	} else if (!r->wait.ended && !r->wait.stirred && clock_ms() < r->wait.until) {
		return EAS_WAIT;
	}
	r->answer.http_status = 200;
	mf_buf_add_str(&r->answer.body, "done");
	return EAS_DONE;
}

static void
deinit(struct eas_request *r)
{
	ended++;
	mf_buf_deinit(&r->answer.body);
}

static const struct http_route routes[] = { { "/r", route, deinit, NULL }, { 0 } };

static void *
visit(void *arg)
{
	static _Thread_local struct client c;
	static _Thread_local struct client_answer a;
	unsigned seed = (unsigned)(uintptr_t)arg;
	char request[200];

	c.fd = -1;
	while (!stopping) {
		int n = rand_r(&seed) % 30;

		if (c.fd < 0)
			client_open(&c, port);
		snprintf(request, sizeof(request),
			"POST /r?%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%.*s",
			n % 2 == 0 ? "wait" : "", n, n, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
		client_says(&c, request);
		if (n % 5 != 0) {
			client_answer(&c, &a, 5000);
			answered += a.status == 200;
		}
		if (n % 5 == 0 || a.status == 0) {
			close(c.fd);
			c.fd = -1;
		}
	}
	if (c.fd >= 0)
		close(c.fd);
	return NULL;
}

int
main(void)
{
	struct mf_error err = { 0 };
	struct eas_server eas = { 0 };
	struct work_pool *pool = work_pool_new(3, 1000);
	struct http_server *server;
	pthread_t threads[THREADS];
	struct conf *conf;
	int64_t until = clock_ms() + MS;
	enum mf_status st;

	signal(SIGPIPE, SIG_IGN);
	log_set_level(MF_LOG_ERROR);
	if (conf_parse("backends = {}\nlisten = {\"127.0.0.1:0\"}\n", NULL, &conf, &err) != MF_OK ||
		http_server_open(conf_top(conf), &http_public, routes, &eas, pool, &server, &err) !=
			MF_OK) {
		printf("%s\n", err.text);
		return 1;
	}
	port = http_server_port(server, 0);
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, visit, (void *)(i + 1));
	while (clock_ms() < until) {
		work_wake(pool, (uint64_t)(clock_us() % 8), 0, 1);
		usleep(300);
	}
	st = http_server_stop(server, 10000, &err);
	stopping = true;
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	http_server_free(server);
	work_pool_free(pool);
	conf_free(conf);
	printf("stop=%s began=%d ended=%d answered=%d\n", mf_status_name(st), began, ended,
		answered);
	return st != MF_OK || began != ended || answered < 100;
}
