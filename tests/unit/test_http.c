/* The HTTP server over real sockets: what it takes, what it refuses, and how it ends. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "conf/conf.h"
#include "http/framing.h"
#include "http/peer.h"
#include "http/server.h"
#include "http_client.h"

/* ---- A route that tells what it got: path /echo; and one that waits: /wait ---- */

static _Atomic int runs, deinits, waiting, ended;

static enum eas_verdict
echo(struct eas_request *r)
{
	uint64_t sum = 0;

	runs++;
	for (size_t i = 0; i < r->body.len; i++)
		sum = sum * 31 + r->body.data[i];
	r->answer.http_status = 200;
	r->answer.content_type = "text/plain";
	if (str_ieq(r->query, "empty"))
		return EAS_DONE;
	mf_buf_printf(&r->answer.body,
		"method=%s path=%s query=%s len=%zu sum=%llu peer=%s tls=%d\n", r->method, r->path,
		r->query, r->body.len, (unsigned long long)sum, r->peer, r->tls);
	for (size_t i = 0; i < r->n_headers; i++)
		mf_buf_printf(&r->answer.body, "%s: %s\n", r->headers[i].name, r->headers[i].value);
	if (str_ieq(r->query, "large"))
		for (int i = 0; i < 60000; i++)
			mf_buf_add_byte(&r->answer.body, 'x');
	return EAS_DONE;
}

static enum eas_verdict
hold(struct eas_request *r)
{
	if (r->wait.until == 0) {
		waiting++;
		r->wait.until = clock_ms() + 60000;
		r->wait.group = 1;
	} else if (r->wait.ended || r->wait.stirred) {
		ended += r->wait.ended;
		waiting--;
		r->answer.http_status = 200;
		mf_buf_add_str(&r->answer.body, r->wait.ended ? "ended" : "stirred");
		return EAS_DONE;
	}
	return EAS_WAIT;
}

static enum eas_verdict
slow(struct eas_request *r)
{
	runs++;
	usleep(100000);
	r->answer.http_status = 200;
	return EAS_DONE;
}

static void
deinit(struct eas_request *r)
{
	deinits++;
	mf_buf_deinit(&r->answer.body);
}

/* Over a thousand bytes it says so itself. */
static bool
refuse_large(struct eas_request *r, uint64_t length)
{
	if (length <= 1000)
		return false;
	r->answer.http_status = 507;
	return true;
}

static const struct http_route routes[] = {
	{ "/echo", echo, deinit, NULL },
	{ "/wait", hold, deinit, NULL },
	{ "/slow", slow, deinit, NULL },
	{ "/mail", echo, deinit, refuse_large },
	{ 0 },
};

static struct conf *conf;
static struct work_pool *pool;
static struct http_server *server;
static struct eas_server eas;
static unsigned port;
static struct client c, c2;
static struct client_answer a;

static void
start(const char *settings)
{
	struct mf_error err = { 0 };
	char text[2000];

	signal(SIGPIPE, SIG_IGN); /* as serve does */
	log_set_level(MF_LOG_ERROR);
	snprintf(text, sizeof(text), "backends = {}\nlisten = {\"127.0.0.1:0\"}\n%s", settings);
	cr_assert_eq(conf_parse(text, NULL, &conf, &err), MF_OK, "%s", err.text);
	pool = work_pool_new(4, 2000);
	cr_assert_eq(
		http_server_open(conf_top(conf), &http_public, routes, &eas, pool, &server, &err),
		MF_OK, "%s", err.text);
	port = http_server_port(server, 0);
	client_open(&c, port);
}

static void
stop(void)
{
	struct mf_error err = { 0 };

	close(c.fd);
	cr_assert_eq(http_server_stop(server, 5000, &err), MF_OK, "%s", err.text);
	http_server_free(server);
	work_pool_free(pool);
	conf_free(conf);
}

static int
ask(const char *request)
{
	client_says(&c, request);
	client_answer(&c, &a, 3000);
	return a.status;
}

#define HOST "Host: x\r\n"

Test(http, plain_requests)
{
	start("");
	cr_assert_eq(
		ask("POST /EchO?Cmd=a%20b&x HTTP/1.1\r\n" HOST "X-Y:  z \r\nContent-Length: 3\r\n"
		    "\r\nabc"),
		200);
	cr_assert_not_null(
		strstr(a.body, "method=POST path=/EchO query=Cmd=a%20b&x len=3 "), "%s", a.body);
	cr_assert_not_null(strstr(a.body, "peer=127.0.0.1 tls=0"), "%s", a.body);
	cr_assert_not_null(strstr(a.body, "X-Y: z\n"), "%s", a.body);
	cr_assert_str_eq(client_header(&a, "Content-Type"), "text/plain");
	cr_assert_null(client_header(&a, "Server"));
	cr_assert_null(client_header(&a, "Connection"));
	/* kept alive; without a body neither type nor missing length */
	cr_assert_eq(ask("OPTIONS /echo?empty HTTP/1.1\r\n" HOST "\r\n"), 200);
	cr_assert_str_eq(client_header(&a, "Content-Length"), "0");
	cr_assert_null(client_header(&a, "Content-Type"));
	/* base64 in a query is left alone */
	cr_assert_eq(ask("POST /echo?jAkJBAp2Mv+x/A== HTTP/1.1\r\n" HOST "\r\n"), 200);
	cr_assert_not_null(strstr(a.body, "query=jAkJBAp2Mv+x/A== "), "%s", a.body);
	cr_assert_eq(ask("GET http://x/echo?q HTTP/1.1\r\n" HOST "\r\n"), 200);
	cr_assert_not_null(strstr(a.body, "path=/echo query=q "), "%s", a.body);
	cr_assert_eq(ask("POST /echo?large HTTP/1.1\r\n" HOST "\r\n"), 200);
	cr_assert(a.body_len > 60000);
	/* one answer a request, in order, though they come at once */
	client_says(&c, "POST /echo?1 HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx"
			"POST /slow HTTP/1.1\r\n" HOST "\r\n"
			"POST /echo?3 HTTP/1.1\r\n" HOST "\r\n");
	client_answer(&c, &a, 3000);
	cr_assert_not_null(strstr(a.body, "query=1 "), "%s", a.body);
	client_answer(&c, &a, 3000);
	cr_assert(a.status == 200 && a.body_len == 0);
	client_answer(&c, &a, 3000);
	cr_assert_not_null(strstr(a.body, "query=3 "), "%s", a.body);
	cr_assert_eq(ask("POST /echo HTTP/1.0\r\n\r\n"), 200);
	cr_assert(client_closed(&c, 2000), "HTTP/1.0 is not kept alive");
	stop();
	cr_assert_eq(deinits, runs);
}

/* Each on a connection of its own, with a second request behind it that must never run. */
Test(http, refused)
{
	static const struct {
		const char *what;
		int status; /* 0: any of 400 and up, or closed */
		const char *request;
	} cases[] = {
		{ "no such path", 404, "POST /other HTTP/1.1\r\n" HOST "\r\n" },
		{ "both lengths", 400,
			"POST /echo HTTP/1.1\r\n" HOST
			"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" },
		{ "both, the other way", 400,
			"POST /echo HTTP/1.1\r\n" HOST
			"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" },
		{ "length twice", 400,
			"POST /echo HTTP/1.1\r\n" HOST
			"Content-Length: 1\r\nContent-Length: 1\r\n\r\nx" },
		{ "length as a list", 0,
			"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\nx" },
		{ "length with a sign", 0,
			"POST /echo HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\nx" },
		{ "negative length", 0,
			"POST /echo HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n" },
		{ "length in hex", 0,
			"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 0x1\r\n\r\nx" },
		{ "empty length", 0, "POST /echo HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n" },
		{ "huge length", 0,
			"POST /echo HTTP/1.1\r\n" HOST
			"Content-Length: 99999999999999999999999\r\n\r\n" },
		{ "over the limit", 413,
			"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 70000000000\r\n\r\n" },
		{ "unknown coding", 501,
			"POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n" },
		{ "coding with a tail", 501,
			"POST /echo HTTP/1.1\r\n" HOST
			"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" },
		{ "coding twice", 400,
			"POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n"
			"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" },
		{ "coding hidden by a vertical tab", 400,
			"POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: \x0b"
			"chunked\r\n\r\n0\r\n\r\n" },
		{ "blank before the colon", 400,
			"POST /echo HTTP/1.1\r\n" HOST "Content-Length : 1\r\n\r\nx" },
		{ "chunked in 1.0", 400,
			"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" },
		{ "no host", 400, "POST /echo HTTP/1.1\r\n\r\n" },
		{ "two hosts", 400, "POST /echo HTTP/1.1\r\n" HOST HOST "\r\n" },
		{ "two credentials", 400,
			"POST /echo HTTP/1.1\r\n" HOST
			"Authorization: Basic eDp5\r\nAuthorization: Basic ejp5\r\n\r\n" },
		{ "expects a miracle", 417,
			"POST /echo HTTP/1.1\r\n" HOST "Expect: miracle\r\n\r\n" },
		{ "control character", 400,
			"POST /echo HTTP/1.1\r\n" HOST "X: a\x01"
			"b\r\n\r\n" },
		{ "no request at all", 0, "\x16\x03\x01\x02garbage\r\n\r\n" },
		{ "no target", 0, "POST\r\n\r\n" },
		{ "a star", 400, "OPTIONS * HTTP/1.1\r\n" HOST "\r\n" },
		{ "an authority", 400, "CONNECT x:443 HTTP/1.1\r\n" HOST "\r\n" },
		{ "unknown protocol", 0, "POST /echo HTTP/2.0\r\n" HOST "\r\n" },
		{ "bad chunk", 0,
			"POST /echo HTTP/1.1\r\n" HOST
			"Transfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n0\r\n\r\n" },
		{ "negative chunk", 0,
			"POST /echo HTTP/1.1\r\n" HOST
			"Transfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n" },
		{ "huge chunk", 0,
			"POST /echo HTTP/1.1\r\n" HOST
			"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nx\r\n0\r\n\r\n" },
	};

	start("");
	close(c.fd);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int before = runs, status;

		client_open(&c, port);
		status = ask(cases[i].request);
		client_says(&c, "POST /echo?smuggled HTTP/1.1\r\n" HOST "\r\n");
		if (cases[i].status != 0)
			cr_assert_eq(status, cases[i].status, "%s: %d", cases[i].what, status);
		else
			cr_assert(status == 0 || status >= 400, "%s: %d", cases[i].what, status);
		cr_assert(client_closed(&c, 3000), "%s: left open", cases[i].what);
		cr_assert_eq(runs, before, "%s: something ran", cases[i].what);
		close(c.fd);
	}
	c.fd = -1;
	stop();
}

static void
body_of(size_t len, char *to)
{
	for (size_t i = 0; i < len; i++)
		to[i] = (char)(i * 7 + i / 251);
}

static unsigned long long
sum_of(size_t len, const char *data)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum = sum * 31 + (uint8_t)data[i];
	return sum;
}

Test(http, bodies)
{
	static const size_t sizes[] = { 0, 1, 1023, 1024, 1025, 50000, 1 << 20, 3000000 };
	static char data[3000000];
	char head[300], want[100], chunk[40];

	start("body_memory = 1k\nbody_limit = 4M\n");
	body_of(sizeof(data), data);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		snprintf(want, sizeof(want), "len=%zu sum=%llu ", sizes[i], sum_of(sizes[i], data));
		snprintf(head, sizeof(head),
			"POST /echo HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n", sizes[i]);
		client_says(&c, head);
		client_say(&c, data, sizes[i]);
		client_answer(&c, &a, 5000);
		cr_assert_eq(a.status, 200, "%zu", sizes[i]);
		cr_assert_not_null(strstr(a.body, want), "%s not in %s", want, a.body);
		client_says(
			&c, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: Chunked\r\n\r\n");
		for (size_t n = 0; n < sizes[i];) {
			size_t part = 1 + n % 9999;

			part = part < sizes[i] - n ? part : sizes[i] - n;
			snprintf(chunk, sizeof(chunk), "%zx\r\n", part);
			client_says(&c, chunk);
			client_say(&c, data + n, part);
			client_says(&c, "\r\n");
			n += part;
		}
		client_says(&c, "0\r\n\r\n");
		client_answer(&c, &a, 5000);
		cr_assert_eq(a.status, 200, "%zu in chunks", sizes[i]);
		cr_assert_not_null(strstr(a.body, want), "%s not in %s", want, a.body);
	}
	stop();
}

Test(http, one_byte_at_a_time)
{
	static const char request[] =
		"POST /echo?slowly HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
		"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";

	start("");
	for (size_t i = 0; i + 1 < sizeof(request); i++) {
		client_say(&c, request + i, 1);
		usleep(500);
	}
	client_answer(&c, &a, 3000);
	cr_assert_eq(a.status, 200);
	cr_assert_not_null(strstr(a.body, "query=slowly len=3 "), "%s", a.body);
	stop();
}

Test(http, too_large)
{
	static char data[1 << 20];
	char head[300];

	start("body_limit = 64k\nspool_limit = 1M\n");
	/* known at the header, and the client waits: no byte of the body is asked for */
	cr_assert_eq(ask("POST /echo HTTP/1.1\r\n" HOST
			 "Content-Length: 65537\r\nExpect: 100-continue\r\n\r\n"),
		413);
	cr_assert_str_eq(client_header(&a, "Connection"), "close");
	cr_assert(client_closed(&c, 2000));
	close(c.fd);
	/* the client does not wait: it still hears why, though its body is on the way */
	client_open(&c, port);
	snprintf(head, sizeof(head), "POST /echo HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n",
		sizeof(data));
	client_says(&c, head);
	client_answer(&c, &a, 3000);
	cr_assert_eq(a.status, 413);
	client_say(&c, data, sizeof(data));
	cr_assert(client_closed(&c, 3000), "no reset before the end");
	close(c.fd);
	client_open(&c, port);
	client_says(&c, head);
	client_say(&c, data, sizeof(data));
	client_answer(&c, &a, 3000);
	cr_assert_eq(a.status, 413);
	close(c.fd);
	/* told only by the chunks */
	client_open(&c, port);
	client_says(
		&c, "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n12000\r\n");
	client_say(&c, data, 0x12000);
	client_says(&c, "\r\n0\r\n\r\n");
	client_answer(&c, &a, 3000);
	cr_assert_eq(a.status, 413);
	close(c.fd);
	/* without an end: read for a while, then cut */
	client_open(&c, port);
	client_says(&c,
		"POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n7fffffff\r\n");
	client_say(&c, data, sizeof(data));
	cr_assert(client_closed(&c, 3000));
	cr_assert_eq(runs, 0);
	stop();
}

/* The route's own words, from its own limit on, before the body is there; in chunks when http's is reached. */
Test(http, too_large_for_the_route)
{
	char head[300];

	start("body_limit = 64k\n");
	snprintf(head, sizeof(head), "POST /mail HTTP/1.1\r\n" HOST "Content-Length: 1001\r\n\r\n");
	client_says(&c, head);
	client_answer(&c, &a, 3000);
	cr_assert_eq(a.status, 507);
	cr_assert_str_eq(client_header(&a, "Connection"), "close");
	close(c.fd);
	client_open(&c, port);
	cr_assert_eq(ask("POST /mail HTTP/1.1\r\n" HOST
			 "Content-Length: 99999\r\nExpect: 100-continue\r\n\r\n"),
		507);
	close(c.fd);
	client_open(&c, port);
	client_says(&c, "POST /mail HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 100; i++) {
		static char data[1000];

		client_says(&c, "3e8\r\n");
		client_say(&c, data, sizeof(data));
		client_says(&c, "\r\n");
	}
	client_says(&c, "0\r\n\r\n");
	client_answer(&c, &a, 3000);
	cr_assert_eq(a.status, 507);
	close(c.fd);
	client_open(&c, port);
	cr_assert_eq(ask("POST /mail HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nab"), 200);
	stop();
}

Test(http, continues)
{
	start("");
	client_says(&c,
		"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
	client_answer(&c, &a, 3000);
	cr_assert_eq(a.status, 100);
	cr_assert_eq(ask("ok"), 200);
	cr_assert_not_null(strstr(a.body, "len=2 "));
	stop();
}

Test(http, spool_is_bounded)
{
	static char data[900000];
	char head[300];

	start("body_memory = 1k\nspool_limit = 1M\n");
	snprintf(head, sizeof(head), "POST /echo HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n",
		sizeof(data));
	client_says(&c, head);
	client_say(&c, data, sizeof(data) - 1);
	usleep(200000);
	client_open(&c2, port); /* the first takes all there is */
	client_says(&c2, head);
	client_say(&c2, data, sizeof(data));
	client_answer(&c2, &a, 3000);
	cr_assert_eq(a.status, 503);
	cr_assert_str_eq(client_header(&a, "Retry-After"), "30");
	close(c2.fd);
	cr_assert_eq(ask("x"), 200);
	usleep(100000); /* the room is given back when the answer is out */
	client_open(&c2, port);
	client_says(&c2, head);
	client_say(&c2, data, sizeof(data));
	client_answer(&c2, &a, 3000);
	cr_assert_eq(a.status, 200, "room again");
	close(c2.fd);
	stop();
}

Test(http, headers_are_bounded)
{
	static char big[200000];
	int n;

	start("");
	n = snprintf(big, sizeof(big), "POST /echo HTTP/1.1\r\n" HOST "Authorization: Bearer ");
	memset(big + n, 'a', 16000);
	strcpy(big + n + 16000, "\r\n\r\n");
	cr_assert_eq(ask(big), 200, "a token of 16000 bytes");
	memset(big + n, 'a', 100000);
	strcpy(big + n + 100000, "\r\n\r\n");
	client_says(&c, big);
	client_answer(&c, &a, 3000);
	cr_assert(a.status == 0 || a.status >= 400, "%d", a.status);
	close(c.fd);
	client_open(&c, port);
	n = snprintf(big, sizeof(big), "POST /echo HTTP/1.1\r\n" HOST);
	for (int i = 0; i < 200; i++)
		n += snprintf(big + n, sizeof(big) - (size_t)n, "X-%d: y\r\n", i);
	strcpy(big + n, "\r\n");
	cr_assert_eq(ask(big), 400, "200 headers");
	stop();
}

Test(http, slow_clients_are_closed)
{
	int64_t began = clock_ms();

	start("header_timeout = 1s\nbody_timeout = 1s\nidle_timeout = 60s\n");
	client_open(&c2, port);
	client_says(&c2, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n");
	/* each byte would restart a time-out that counts from the last one */
	for (int i = 0; i < 25 && clock_ms() - began < 4000; i++) {
		client_says(&c, "P");
		client_says(&c2, i < 9 ? "x" : "");
		usleep(100000);
	}
	cr_assert(client_closed(&c, 2500), "a header in drips");
	cr_assert(client_closed(&c2, 2500), "a body in drips");
	cr_assert_lt(clock_ms() - began, 6000);
	close(c2.fd);
	stop();
}

Test(http, forwarded)
{
	start("trusted_proxies = {\"127.0.0.1\"}\n");
	cr_assert_eq(ask("POST /echo HTTP/1.1\r\n" HOST "X-Forwarded-For: 6.6.6.6, 192.0.2.7\r\n"
			 "X-Forwarded-Proto: https\r\n\r\n"),
		200);
	cr_assert_not_null(strstr(a.body, "peer=192.0.2.7 tls=1"), "%s", a.body);
	stop();
}

#define V2(command, family) "\r\n\r\n\0\r\nQUIT\n" command family
#define ECHO_HTTP	    "POST /echo HTTP/1.1\r\n" HOST "\r\n"

/* What a load balancer says in front of the client's bytes is believed, and wanted, from it alone. */
Test(http, proxy_protocol)
{
	static const char v2[] = V2("\x21", "\x11") "\x00\x14\xc0\x00\x02\x09\x7f\x00\x00\x01"
						    "\x30\x39\x01\xbb\x20\x00\x05\x01\0\0\0\0";
	static const char local[] = V2("\x20", "\x00") "\x00\x00";

	start("proxy_protocol = {\"127.0.0.1\"}\ntrusted_proxies = {}\nheader_timeout = 1s\n");
	cr_assert_eq(ask("PROXY TCP4 192.0.2.7 127.0.0.1 5000 443\r\n" ECHO_HTTP), 200);
	cr_assert_not_null(strstr(a.body, "peer=192.0.2.7 tls=0"), "%s", a.body);
	/* The same connection goes on, and is the same client's. */
	cr_assert_eq(ask(ECHO_HTTP), 200);
	cr_assert_not_null(strstr(a.body, "peer=192.0.2.7 "), "%s", a.body);
	close(c.fd);

	client_open(&c, port); /* byte by byte */
	for (size_t i = 0; i < sizeof(v2) - 1; i++) {
		client_say(&c, v2 + i, 1);
		usleep(500);
	}
	cr_assert_eq(ask(ECHO_HTTP), 200);
	cr_assert_not_null(strstr(a.body, "peer=192.0.2.9 tls=1"), "%s", a.body);
	close(c.fd);

	client_open(&c, port); /* the proxy's own check */
	client_say(&c, local, sizeof(local) - 1);
	cr_assert_eq(ask(ECHO_HTTP), 200);
	cr_assert_not_null(strstr(a.body, "peer=127.0.0.1 "), "%s", a.body);
	close(c.fd);

	client_open(&c, port);
	client_says(&c, ECHO_HTTP);
	cr_assert(client_closed(&c, 3000), "without a header");
	close(c.fd);
	client_open(&c, port);
	client_says(&c, "PROXY TCP4 192.0.2.7");
	cr_assert(client_closed(&c, 4000), "half a header");
	close(c.fd);
	client_open(&c, port);
	client_says(&c, "PROXY TCP4 192.0.2.7");
	stop();

	start("");
	cr_assert_eq(ask("PROXY TCP4 192.0.2.7 127.0.0.1 5000 443\r\n" ECHO_HTTP), 400);
	stop();
}

Test(http, aborts)
{
	start("body_memory = 1k\n");
	for (int i = 0; i < 50; i++) {
		struct linger hard = { 1, 0 };

		client_open(&c2, port);
		client_says(&c2, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 9000\r\n\r\n");
		for (int k = 0; k < i * 20; k++)
			client_says(&c2, "xxxxxxxx");
		if (i % 2 == 0)
			setsockopt(c2.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
		close(c2.fd);
	}
	for (int i = 0; i < 50; i++) { /* gone while a worker has the request */
		client_open(&c2, port);
		client_says(&c2, "POST /slow HTTP/1.1\r\n" HOST "\r\n");
		close(c2.fd);
	}
	cr_assert_eq(ask("POST /echo HTTP/1.1\r\n" HOST "\r\n"), 200);
	stop();
}

static void
wait_for(_Atomic int *what, int value)
{
	for (int64_t until = clock_ms() + 8000; *what != value && clock_ms() < until;)
		usleep(1000);
	cr_assert_eq(*what, value, "%d, not %d", *what, value);
}

Test(http, waiters)
{
	struct http_stats stats;

	start("");
	client_says(&c, "POST /wait HTTP/1.1\r\n" HOST "\r\n");
	client_open(&c2, port);
	client_says(&c2, "POST /wait HTTP/1.1\r\n" HOST "\r\n");
	wait_for(&waiting, 2);
	close(c2.fd); /* left: noticed */
	wait_for(&waiting, 1);
	wait_for(&ended, 1);
	work_wake(pool, 1, 0, 1);
	client_answer(&c, &a, 3000);
	cr_assert_eq(a.status, 200);
	cr_assert(a.body_len == 7 && memcmp(a.body, "stirred", 7) == 0);
	http_server_stats(server, &stats);
	cr_assert_eq(stats.left, 1);
	/* a client that only says that it will send no more is told so at once */
	client_says(&c, "POST /wait HTTP/1.1\r\n" HOST "\r\n");
	wait_for(&waiting, 1);
	shutdown(c.fd, SHUT_WR);
	client_answer(&c, &a, 3000);
	cr_assert(a.status == 200 && memcmp(a.body, "ended", 5) == 0);
	stop();
}

/* A thousand phones wait; a stop answers each of them, and a request under way finishes. */
Test(http, stop_answers_all, .timeout = 60)
{
	enum { N = 1000 };
	static struct client all[N];
	struct rlimit files = { 4096, 4096 };
	struct mf_error err = { 0 };

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	start("");
	for (int i = 0; i < N; i++) {
		client_open(&all[i], port);
		cr_assert_geq(all[i].fd, 0);
		client_says(&all[i], "POST /wait HTTP/1.1\r\n" HOST "\r\n");
	}
	wait_for(&waiting, N);
	client_says(&c, "POST /slow HTTP/1.1\r\n" HOST "\r\n");
	wait_for(&runs, 1);
	cr_assert_eq(http_server_stop(server, 10000, &err), MF_OK, "%s", err.text);
	cr_assert_eq(waiting, 0);
	client_answer(&c, &a, 1000);
	cr_assert_eq(a.status, 200);
	cr_assert_str_eq(client_header(&a, "Connection"), "close");
	for (int i = 0; i < N; i++) {
		client_answer(&all[i], &a, 1000);
		cr_assert(a.status == 200 && memcmp(a.body, "ended", 5) == 0, "phone %d: %d", i,
			a.status);
		close(all[i].fd);
	}
	cr_assert_lt(client_connect(port), 0, "nobody listens any more");
	http_server_free(server);
	work_pool_free(pool);
	conf_free(conf);
}

/* A stop in time says that requests still run; a second call finishes. */
Test(http, stop_waits)
{
	struct mf_error err = { 0 };

	start("");
	client_says(&c, "POST /slow HTTP/1.1\r\n" HOST "\r\n");
	wait_for(&runs, 1);
	cr_assert_eq(http_server_stop(server, 20, &err), MF_TEMPORARY);
	cr_assert_eq(http_server_stop(server, 5000, &err), MF_OK, "%s", err.text);
	http_server_free(server);
	work_pool_free(pool);
	conf_free(conf);
}

/* Those who hold connections and say nothing, or a little, give way; those whose requests wait do not. */
Test(http, connections_are_bounded)
{
	enum { LIMIT = 10, WAITING = 4 };
	static struct client waiters[WAITING], idle[20], late;
	struct http_stats stats;
	int open = 0;

	start("connection_limit = 10\nheader_timeout = 60s\n");
	for (int i = 0; i < WAITING; i++) {
		client_open(&waiters[i], port);
		client_says(&waiters[i], "POST /wait HTTP/1.1\r\n" HOST "\r\n");
	}
	wait_for(&waiting, WAITING);
	for (int i = 0; i < 20; i++) {
		client_open(&idle[i], port);
		client_says(&idle[i], "POST /echo HT");
	}
	client_open(&late, port);
	client_says(&late, "POST /echo HTTP/1.1\r\n" HOST "\r\n");
	client_answer(&late, &a, 5000);
	cr_assert_eq(a.status, 200);
	for (int64_t until = clock_ms() + 5000; clock_ms() < until; usleep(5000)) {
		http_server_stats(server, &stats);
		if (stats.connections <= LIMIT)
			break;
	}
	cr_assert_leq(stats.connections, LIMIT);
	cr_assert_eq(stats.gave_way, 1 + WAITING + 20 + 1 - LIMIT);
	cr_assert_eq(stats.refused, 0);
	for (int i = 0; i < 20; i++)
		open += !client_closed(&idle[i], 1);
	cr_assert_leq(open, LIMIT - WAITING - 1, "%d idle ones", open);
	cr_assert_not(client_closed(&idle[19], 1), "the newest gave way");
	work_wake(pool, 1, 0, 1);
	for (int i = 0; i < WAITING; i++) {
		client_answer(&waiters[i], &a, 5000);
		cr_assert_eq(a.status, 200, "waiter %d", i);
		close(waiters[i].fd);
	}
	for (int i = 0; i < 20; i++)
		close(idle[i].fd);
	close(late.fd);
	stop();
}

/* Where each connection's request is under way, there is no room. */
Test(http, waiting_ones_do_not_give_way)
{
	static struct client waiters[8], more;
	struct http_stats stats;

	start("connection_limit = 8\n");
	close(c.fd);
	for (int i = 0; i < 8; i++) {
		client_open(&waiters[i], port);
		client_says(&waiters[i], "POST /wait HTTP/1.1\r\n" HOST "\r\n");
	}
	wait_for(&waiting, 8);
	client_open(&more, port);
	cr_assert(client_closed(&more, 5000));
	http_server_stats(server, &stats);
	cr_assert_eq(stats.refused, 1);
	work_wake(pool, 1, 0, 1);
	for (int i = 0; i < 8; i++) {
		client_answer(&waiters[i], &a, 5000);
		cr_assert_eq(a.status, 200, "waiter %d", i);
		close(waiters[i].fd);
	}
	close(more.fd);
	client_open(&c, port);
	stop();
}

Test(http, unix_socket)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	char dir[] = "/tmp/mailferry-http-XXXXXX", line[200];

	cr_assert_not_null(mkdtemp(dir));
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/s", dir);
	snprintf(line, sizeof(line), "listen_tls = {}\nlisten += {\"unix:%s\"}\n", sun.sun_path);
	for (int i = 0; i < 2; i++) { /* the second time over what a killed process left */
		start(line);
		c2.len = 0;
		c2.fd = socket(AF_UNIX, SOCK_STREAM, 0);
		cr_assert_eq(connect(c2.fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
		client_says(&c2,
			"POST /echo HTTP/1.1\r\n" HOST "X-Forwarded-For: ::1, 1.2.3.4\r\n\r\n");
		client_answer(&c2, &a, 3000);
		cr_assert_eq(a.status, 200);
		cr_assert_not_null(strstr(a.body, "peer=1.2.3.4 "), "%s", a.body);
		close(c2.fd);
		stop();
		if (i == 0) {
			c2.fd = socket(AF_UNIX, SOCK_STREAM, 0);
			cr_assert_eq(bind(c2.fd, (struct sockaddr *)&sun, sizeof(sun)), 0,
				"the stop removed it");
			close(c2.fd);
		}
	}
	rmdir(dir);
}
