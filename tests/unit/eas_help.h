/*
 * What the tests of eas share: a gateway in one process (state in a temporary directory, the memory
 * backend), requests to it as XML, and their answers. Aborts when it cannot be set up, so that fuzz
 * targets can use it too.
 */
#ifndef TESTS_EAS_HELP_H
#define TESTS_EAS_HELP_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/registry.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "conf/conf.h"
#include "eas/request.h"
#include "memory/memory.h"
#include "mime/mime.h"
#include "state/state.h"

#define EAS_USER     "anna@example.org"
#define EAS_PASSWORD "secret"

struct gateway {
	char directory[64];
	struct conf_table tables[2];
	struct conf *conf;
	struct memory_world *world;
	struct backends *backends;
	struct state *state;
	struct eas_server server;
};

static inline void
must(bool held, const char *what, const struct mf_error *err)
{
	if (held)
		return;
	fprintf(stderr, "%s: %s\n", what, err == NULL ? "" : err->text);
	abort();
}

static inline void
gateway_open(struct gateway *g)
{
	struct mf_error err = { 0 };
	bool memory = access("/dev/shm", W_OK) == 0; /* it is not the disk that is tested */
	*g = (struct gateway){ .directory = "/tmp/mailferry-eas-XXXXXX" };
	if (memory)
		strcpy(g->directory, "/dev/shm/mailferry-eas-XXXXXX");
	log_set_level(MF_LOG_ERROR);
	mime_init();
	must(mkdtemp(g->directory) != NULL, "mkdtemp", NULL);
	g->tables[0] = (struct conf_table){
		.name = "memory", .help = "", .rows = mf_backend_memory.settings
	};
	char text[200];
	snprintf(text, sizeof(text),
		"backends = {\"memory\"}\nmemory { world = "
		"\"%s\" }\n",
		g->directory);
	must(conf_parse(text, g->tables, &g->conf, &err) == MF_OK, "conf", &err);
	g->world = memory_hold(g->directory);
	memory_user(g->world, EAS_USER, EAS_PASSWORD);
	must(backends_open(g->conf, &g->backends, &err) == MF_OK, "backends", &err);
	struct state_options options = { .directory = g->directory, .map_size = 4 << 20 };
	must(state_open(&options, &g->state, &err) == MF_OK, "state", &err);
	g->server = (struct eas_server){
		.conf = conf_top(g->conf), .state = g->state, .backends = g->backends
	};
}

static inline void
gateway_close(struct gateway *g)
{
	state_close(g->state);
	backends_close(g->backends);
	memory_release(g->world);
	conf_free(g->conf);
	mime_deinit();
	char command[100];
	snprintf(command, sizeof(command), "rm -rf %s", g->directory);
	must(system(command) == 0, "rm", NULL);
}

/* A request to be: what is NULL or 0 gets a default. */
struct ask {
	const char *method, *path, *query, *version, *user, *password, *type, *key;
	const char *command; /* makes a plain query */
	const char *xml;
	struct mf_bytes body; /* instead of xml */
};

static inline void
ask_header(struct eas_request *r, struct eas_header *headers, const char *name, const char *value)
{
	if (value != NULL)
		headers[r->n_headers++] = (struct eas_header){ name, value };
	r->headers = headers;
}

static inline void
ask_body(struct eas_request *r, const struct ask *q)
{
	struct mf_buf b;
	struct mf_error err = { 0 };
	r->body = q->body;
	if (q->xml == NULL)
		return;
	mf_buf_init(&b, 0);
	must(wbxml_from_xml(q->xml, strlen(q->xml), &b, &err) == MF_OK, q->xml, &err);
	r->body = mf_memdup(r->arena, b.data, b.len);
	mf_buf_deinit(&b);
}

/* A request in an arena of its own, not yet run. */
static inline struct eas_request *
ask_new(struct gateway *g, const struct ask *q)
{
	struct mf_arena *a = mf_arena_new();
	struct eas_request *r = mf_new(a, struct eas_request);
	struct eas_header *headers = mf_new_array(a, struct eas_header, 8);
	r->arena = a;
	r->server = &g->server;
	r->id = "1";
	r->peer = "127.0.0.1";
	r->began = clock_ms();
	r->method = q->method != NULL ? q->method : "POST";
	r->path = q->path != NULL ? q->path : "/Microsoft-Server-ActiveSync";
	r->query = q->query != NULL ? q->query : "";
	if (q->command != NULL)
		r->query =
			mf_printf(a, "Cmd=%s&User=anna&DeviceId=dev1&DeviceType=Test", q->command);
	const char *both = mf_printf(a, "%s:%s", q->user != NULL ? q->user : EAS_USER,
		q->password != NULL ? q->password : EAS_PASSWORD);
	if (q->user == NULL || *q->user != '\0')
		ask_header(r, headers, "Authorization",
			mf_printf(a, "Basic %s", str_base64(a, both, strlen(both))));
	ask_header(r, headers, "MS-ASProtocolVersion", q->version);
	ask_header(r, headers, "Content-Type", q->type);
	ask_header(r, headers, "X-MS-PolicyKey", q->key);
	ask_body(r, q);
	return r;
}

static inline struct eas_request *
ask(struct gateway *g, const struct ask *q)
{
	struct eas_request *r = ask_new(g, q);
	must(eas_run(r) == EAS_DONE, "a request waits", NULL);
	return r;
}

static inline void
ask_free(struct eas_request *r)
{
	struct mf_arena *a = r->arena;
	eas_request_deinit(r);
	mf_arena_free(a);
}

/* A header of the answer, NULL when it has none. */
static inline const char *
answer_header(const struct eas_request *r, const char *name)
{
	for (size_t i = 0; i < r->answer.n_headers; i++)
		if (str_ieq(r->answer.headers[i].name, name))
			return r->answer.headers[i].value;
	return NULL;
}

/* The answer's root, NULL when it has no body. Lives as long as the request. */
static inline const struct wbxml_node *
answer_root(struct eas_request *r)
{
	struct mf_error err = { 0 };
	struct wbxml_node *root = NULL;
	if (r->answer.body.len > 0)
		must(wbxml_decode(r->arena, mf_buf_bytes(&r->answer.body), &wbxml_limits_default,
			     true, &root, &err) == MF_OK,
			"answer", &err);
	return root;
}

/* The answer as XML, for messages. */
static inline const char *
answer_xml(struct eas_request *r)
{
	struct mf_buf b;
	mf_buf_init(&b, 0);
	if (r->answer.body.len > 0)
		wbxml_dump(answer_root(r), false, &b);
	const char *xml = mf_strdup(r->arena, mf_buf_str(&b));
	mf_buf_deinit(&b);
	return xml;
}

#endif
