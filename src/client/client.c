/* One exchange over libcurl: URL, headers, credentials, time limits, and the answer decoded. */
#include "client/client.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/str.h"
#include "client/exchange.h"
#include "client/query.h"

#define WBXML_TYPE "application/vnd.ms-sync.wbxml"
#define PATH	   "/Microsoft-Server-ActiveSync"

enum { TIMEOUT_S = 60, CONNECT_S = 20, ANSWER_MAX = 256 << 20, HEADERS_MAX = 256 << 10 };
enum { BUFFER_LARGE = 256 << 10, BUFFER_SMALL = 2048 };

static const struct wbxml_limits answer_limits = {
	.bytes = SIZE_MAX, /* the body's own limit came first */
	.depth = 32,
	.elements = 10000000,
	.string = 64 << 20,
};

static void
init_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void *
must(void *p)
{
	if (p == NULL) {
		fputs("out of memory\n", stderr);
		abort();
	}
	return p;
}

static size_t
on_body(char *data, size_t size, size_t n, void *ctx)
{
	struct client *c = ctx;

	mf_buf_add(&c->body, data, size * n);
	return c->body.failed ? 0 : size * n;
}

/* A status line begins a further answer: what an earlier one (100 Continue) said is void. */
static size_t
on_header(char *data, size_t size, size_t n, void *ctx)
{
	struct client *c = ctx;

	if (size * n > 5 && memcmp(data, "HTTP/", 5) == 0)
		mf_buf_clear(&c->headers);
	mf_buf_add(&c->headers, data, size * n);
	return c->headers.failed ? 0 : size * n;
}

/* Proxies of the environment are not for loopback. */
static bool
is_loopback(const char *url)
{
	const char *host = strstr(url, "://");

	host = host == NULL ? url : host + 3;
	return str_istarts(host, "localhost") || str_starts(host, "127.") ||
	       str_starts(host, "[::1]");
}

static char *
base_url(struct mf_arena *a, const char *url)
{
	const char *host = strstr(url, "://");
	size_t len = strlen(url);
	const char *path = strchr(host == NULL ? url : host + 3, '/');

	if (path != NULL && path[1] != '\0')
		return mf_strdup(a, url);
	return mf_printf(a, "%.*s%s", (int)(path == NULL ? len : len - 1), url, PATH);
}

static void
set_easy(struct client *c)
{
	const struct client_options *o = &c->options;

	curl_easy_setopt(c->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c->easy, CURLOPT_ERRORBUFFER, c->curl_error);
	curl_easy_setopt(c->easy, CURLOPT_PRIVATE, c);
	curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(c->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c->easy, CURLOPT_HEADERDATA, c);
	curl_easy_setopt(c->easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	curl_easy_setopt(c->easy, CURLOPT_BUFFERSIZE,
		(long)(o->small_buffers ? BUFFER_SMALL : BUFFER_LARGE));
	curl_easy_setopt(c->easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(c->easy, CURLOPT_SSL_VERIFYPEER, o->insecure ? 0L : 1L);
	curl_easy_setopt(c->easy, CURLOPT_SSL_VERIFYHOST, o->insecure ? 0L : 2L);
	if (o->ca_file != NULL)
		curl_easy_setopt(c->easy, CURLOPT_CAINFO, o->ca_file);
	if (is_loopback(o->url))
		curl_easy_setopt(c->easy, CURLOPT_PROXY, "");
	if (o->user != NULL) {
		curl_easy_setopt(c->easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
		curl_easy_setopt(c->easy, CURLOPT_USERNAME, o->user);
		curl_easy_setopt(c->easy, CURLOPT_PASSWORD, o->password == NULL ? "" : o->password);
	}
}

static const char *
copy_or(struct mf_arena *a, const char *s, const char *missing)
{
	return mf_strdup(a, s == NULL ? missing : s);
}

struct client *
client_new(const struct client_options *o)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct mf_arena *a = mf_arena_new();
	struct client *c = must(calloc(1, sizeof(*c)));

	pthread_once(&once, init_curl);
	c->arena = a;
	c->options = *o;
	c->options.url = mf_strdup(a, o->url);
	c->options.user = mf_strdup(a, o->user);
	c->options.password = mf_strdup(a, o->password);
	c->options.ca_file = mf_strdup(a, o->ca_file);
	c->options.device_id = copy_or(a, o->device_id, "mailferryprobe");
	c->options.device_type = copy_or(a, o->device_type, "Mailferry");
	c->options.user_agent = copy_or(a, o->user_agent, "Mailferry/" MAILFERRY_VERSION);
	c->options.version = copy_or(a, o->version, "16.1");
	c->options.policy_key = copy_or(a, o->policy_key, "0");
	c->base = base_url(a, o->url);
	c->easy = must(curl_easy_init());
	mf_buf_init(&c->body, o->answer_max == 0 ? ANSWER_MAX : o->answer_max);
	mf_buf_init(&c->headers, HEADERS_MAX);
	set_easy(c);
	return c;
}

void
client_free(struct client *c)
{
	if (c == NULL)
		return;
	curl_easy_cleanup(c->easy);
	curl_slist_free_all(c->headers_out);
	mf_buf_deinit(&c->body);
	mf_buf_deinit(&c->headers);
	mf_arena_free(c->exchange);
	if (c->options.password != NULL)
		str_wipe((char *)(uintptr_t)c->options.password, strlen(c->options.password));
	mf_arena_free(c->arena);
	free(c);
}

void
client_set_policy_key(struct client *c, const char *key)
{
	c->options.policy_key = mf_strdup(c->arena, key);
}

const char *
client_policy_key(const struct client *c)
{
	return c->options.policy_key;
}

unsigned
client_version(const struct client *c)
{
	return client_query_version(c->options.version);
}

static void
add_header(struct client *c, const char *line)
{
	c->headers_out = must(curl_slist_append(c->headers_out, line));
}

static void
add_value(struct client *c, const char *name, const char *value)
{
	add_header(c, mf_printf(c->exchange, "%s: %s", name, value));
}

/* The base64 query carries version, policy key and options itself. */
static void
set_headers(struct client *c, bool base64)
{
	const struct client_request *r = &c->request;

	curl_slist_free_all(c->headers_out);
	c->headers_out = NULL;
	add_header(c, "Expect:");
	add_header(c, "Accept: */*");
	add_value(c, "User-Agent", c->options.user_agent);
	if (r->command != NULL && !base64) {
		add_value(c, "MS-ASProtocolVersion", c->options.version);
		add_value(c, "X-MS-PolicyKey", c->options.policy_key);
		if (r->accept_multipart)
			add_header(c, "MS-ASAcceptMultiPart: T");
	}
	if (r->body.len > 0)
		add_value(
			c, "Content-Type", r->content_type == NULL ? WBXML_TYPE : r->content_type);
	else
		add_header(c, "Content-Type:");
	for (size_t i = 0; r->headers != NULL && r->headers[i] != NULL; i++)
		add_header(c, r->headers[i]);
	curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->headers_out);
}

/* Sets the URL; whether its query is in base64. */
static bool
set_url(struct client *c)
{
	const struct client_request *r = &c->request;
	const char *query = NULL;
	bool base64 = false;

	if (r->command != NULL && c->options.base64) {
		query = client_query_base64(c->exchange, &c->options, r);
		base64 = query != NULL;
	}
	if (r->command != NULL && query == NULL)
		query = client_query_plain(c->exchange, &c->options, r);
	curl_easy_setopt(c->easy, CURLOPT_URL,
		query == NULL ? c->base : mf_printf(c->exchange, "%s?%s", c->base, query));
	return base64;
}

static void
set_body(struct client *c)
{
	const struct client_request *r = &c->request;
	bool post = r->method == NULL || strcmp(r->method, "POST") == 0;

	if (post || r->body.len > 0) {
		curl_easy_setopt(c->easy, CURLOPT_POST, 1L);
		curl_easy_setopt(c->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len);
		curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS,
			r->body.len == 0 ? (const void *)"" : r->body.data);
	} else {
		curl_easy_setopt(c->easy, CURLOPT_HTTPGET, 1L);
	}
	curl_easy_setopt(c->easy, CURLOPT_CUSTOMREQUEST, post ? NULL : r->method);
}

void
client_exchange_begin(struct client *c, const struct client_request *r)
{
	unsigned timeout = c->options.timeout_s == 0 ? TIMEOUT_S : c->options.timeout_s;

	mf_arena_free(c->exchange);
	c->exchange = mf_arena_new();
	c->request = *r;
	mf_buf_clear(&c->body);
	mf_buf_clear(&c->headers);
	c->curl_error[0] = '\0';
	set_headers(c, set_url(c));
	set_body(c);
	curl_easy_setopt(c->easy, CURLOPT_TIMEOUT, (long)(timeout + r->wait_s));
	client_trace_request(c);
}

static enum mf_status
transport_failed(struct client *c, CURLcode code, struct mf_error *err)
{
	const char *why = c->curl_error[0] != '\0' ? c->curl_error : curl_easy_strerror(code);

	if (c->body.failed || c->headers.failed)
		return mf_fail(err, MF_TOO_LARGE, "the answer is over the limit of %zu bytes",
			c->body.failed ? c->body.max : c->headers.max);
	return mf_fail(err, MF_TEMPORARY, "%s: %s", c->base, why);
}

static bool
is_wbxml(struct client *c, const struct client_answer *answer)
{
	const char *type = client_answer_header(c->exchange, answer, "Content-Type");

	return answer->body.len > 0 && type != NULL && str_istarts(type, WBXML_TYPE);
}

static void
count(struct client *c, const struct client_answer *answer)
{
	struct client_stats *s = &c->stats;

	if (s->exchanges++ == 0)
		s->first_byte_us = answer->first_byte_us;
	s->sent += c->request.body.len;
	s->received += answer->body.len;
	s->total_us += answer->total_us;
}

struct client_stats
client_stats(const struct client *c)
{
	return c->stats;
}

enum mf_status
client_exchange_end(
	struct client *c, CURLcode code, struct client_answer *out, struct mf_error *err)
{
	enum mf_status st = MF_OK;
	curl_off_t first = 0, total = 0;
	long status = 0;

	memset(out, 0, sizeof(*out));
	if (code != CURLE_OK)
		return transport_failed(c, code, err);
	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(c->easy, CURLINFO_STARTTRANSFER_TIME_T, &first);
	curl_easy_getinfo(c->easy, CURLINFO_TOTAL_TIME_T, &total);
	out->http_status = (unsigned)status;
	out->body = mf_buf_bytes(&c->body);
	out->headers = mf_buf_str(&c->headers);
	out->first_byte_us = first;
	out->total_us = total;
	count(c, out);
	if (is_wbxml(c, out))
		st = wbxml_decode(c->exchange, out->body, &answer_limits, !c->options.tolerant,
			&out->root, err);
	client_trace_answer(c, out);
	return st;
}

enum mf_status
client_call(struct client *c, const struct client_request *r, struct client_answer *out,
	struct mf_error *err)
{
	client_exchange_begin(c, r);
	return client_exchange_end(c, curl_easy_perform(c->easy), out, err);
}

enum mf_status
client_call_xml(struct client *c, const char *command, const char *xml, struct client_answer *out,
	struct mf_error *err)
{
	struct client_request r = { .command = command };
	struct mf_buf body;
	enum mf_status st;

	mf_buf_init(&body, 0);
	st = wbxml_from_xml(xml, strlen(xml), &body, err);
	r.body = mf_buf_bytes(&body);
	if (st == MF_OK)
		st = client_call(c, &r, out, err);
	mf_buf_deinit(&body);
	return st;
}

enum mf_status
client_ask_options(struct client *c, struct client_answer *out, struct mf_error *err)
{
	struct client_request r = { .method = "OPTIONS" };

	return client_call(c, &r, out, err);
}

const char *
client_answer_header(struct mf_arena *a, const struct client_answer *answer, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = answer->headers; line != NULL && *line != '\0';) {
		size_t n = strcspn(line, "\r\n");

		if (n > len && line[len] == ':' && strncasecmp(line, name, len) == 0) {
			const char *value = line + len + 1;

			while (*value == ' ' || *value == '\t')
				value++;
			return mf_strndup(a, value, (size_t)(line + n - value));
		}
		line += n;
		line += strspn(line, "\r\n");
	}
	return NULL;
}

enum mf_status
client_check_http(const struct client_answer *answer, struct mf_error *err)
{
	static const struct {
		unsigned http;
		enum mf_status status;
		const char *why;
	} rows[] = {
		{ 400, MF_INVALID, "the server does not understand the request" },
		{ 401, MF_AUTH, "user or password are wrong" },
		{ 403, MF_REFUSED, "this user or device is not admitted" },
		{ 404, MF_REFUSED, "there is no ActiveSync at this URL" },
		{ 413, MF_TOO_LARGE, "the request is too large for the server" },
		{ 449, MF_REFUSED, "the device has to provision first" },
		{ 451, MF_REFUSED, "the mailbox is on another server" },
		{ 501, MF_UNSUPPORTED, "the server does not know this command" },
		{ 503, MF_TEMPORARY, "the server is busy or its mail server is down" },
		{ 507, MF_TOO_LARGE, "the mailbox is full" },
	};

	if (answer->http_status == 200)
		return MF_OK;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].http == answer->http_status)
			return mf_fail(
				err, rows[i].status, "HTTP %u: %s", rows[i].http, rows[i].why);
	return mf_fail(err, answer->http_status >= 500 ? MF_TEMPORARY : MF_BROKEN, "HTTP %u",
		answer->http_status);
}

unsigned
client_number(const struct wbxml_node *parent, uint16_t tag, unsigned missing)
{
	uint32_t n;

	return str_to_u32(wbxml_child_value(parent, tag), UINT32_MAX, &n) ? n : missing;
}
