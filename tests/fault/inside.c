/* The gateway below HTTP for fault tests. */
#include "inside.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/registry.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "mime/mime.h"
#include "state/state.h"

void
inside_check(bool ok, const char *fmt, ...)
{
	va_list ap;

	if (ok)
		return;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

void
inside_start(struct inside *in)
{
	static struct conf_table tables[] = { { .name = "memory", .help = "Mail in memory." },
		{ .name = NULL } };
	struct state_options o = { .map_size = 16 << 20, .readers = 16, .daemon = true };
	char text[200], state[80];
	struct mf_error err = { .text = "" };

	snprintf(text, sizeof(text), "backends = {\"memory\"}\nmemory { world = \"%s\" }\n",
		in->directory);
	snprintf(state, sizeof(state), "%s/state", in->directory);
	o.directory = state;
	tables[0].rows = mf_backend_memory.settings;
	inside_check(conf_parse(text, tables, &in->conf, &err) == MF_OK, "conf: %s", err.text);
	inside_check(backends_open(in->conf, &in->server.backends, &err) == MF_OK, "backends: %s",
		err.text);
	inside_check(state_open(&o, &in->server.state, &err) == MF_OK, "state: %s", err.text);
	in->server.conf = conf_top(in->conf);
	in->open = true;
}

void
inside_stop(struct inside *in)
{
	if (!in->open)
		return;
	backends_close(in->server.backends);
	state_close(in->server.state);
	conf_free(in->conf);
	in->open = false;
}

void
inside_init(struct inside *in, const char *world)
{
	memset(in, 0, sizeof(*in));
	/* Memory, where there is some: it is not the disk that is tested. */
	snprintf(in->directory, sizeof(in->directory), "%s/mailferry-%s-XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", world);
	inside_check(mkdtemp(in->directory) != NULL, "no temporary directory");
	in->world = memory_hold(in->directory);
	memory_user(in->world, "u", "p");
	mime_init();
	log_set_level(MF_LOG_ERROR);
	inside_start(in);
}

static int
remove_one(const char *path, const struct stat *sb, int type, struct FTW *ftw)
{
	(void)sb;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
inside_deinit(struct inside *in)
{
	inside_stop(in);
	memory_release(in->world);
	nftw(in->directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void
inside_exchange_init(struct inside_exchange *x)
{
	memset(x, 0, sizeof(*x));
	mf_buf_init(&x->body, 0);
	x->arena = mf_arena_new();
}

void
inside_exchange_deinit(struct inside_exchange *x)
{
	mf_arena_free(x->arena);
	mf_buf_deinit(&x->body);
}

static void
take_answer(struct inside_exchange *x, const struct eas_request *r)
{
	struct mf_error err = { .text = "" };

	mf_buf_clear(&x->body);
	mf_buf_add(&x->body, r->answer.body.data, r->answer.body.len);
	mf_arena_free(x->arena);
	x->arena = mf_arena_new();
	memset(&x->answer, 0, sizeof(x->answer));
	x->answer.http_status = r->answer.http_status;
	x->answer.body = mf_buf_bytes(&x->body);
	x->answer.headers = "";
	if (x->body.len > 0 && r->answer.http_status == 200)
		inside_check(wbxml_decode(x->arena, x->answer.body, &wbxml_limits_default, true,
				     &x->answer.root, &err) == MF_OK,
			"the answer does not decode: %s", err.text);
}

/* With FAULT_TRACE in the environment: what goes over the wire, for people. */
static void
trace(const char *what, struct mf_bytes body)
{
	struct mf_arena *a = mf_arena_new();
	struct wbxml_node *root;
	struct mf_buf text;

	mf_buf_init(&text, 0);
	if (getenv("FAULT_TRACE") != NULL &&
		wbxml_decode(a, body, &wbxml_limits_default, false, &root, NULL) == MF_OK)
		wbxml_dump(root, true, &text);
	fprintf(stderr, "%s%s", getenv("FAULT_TRACE") != NULL ? what : "", mf_buf_str(&text));
	mf_buf_deinit(&text);
	mf_arena_free(a);
}

void
inside_call(struct inside *in, struct inside_exchange *x, const char *device, const char *command,
	struct mf_bytes body)
{
	static const struct eas_header headers[] = { { "Authorization", "Basic dTpw" },
		{ "MS-ASProtocolVersion", "16.1" },
		{ "Content-Type", "application/vnd.ms-sync.wbxml" } };
	struct mf_arena *a = mf_arena_new();
	struct eas_request r = { .arena = a,
		.server = &in->server,
		.method = "POST",
		.path = "/Microsoft-Server-ActiveSync",
		.headers = headers,
		.n_headers = 3,
		.body = body,
		.peer = "test",
		.began = clock_ms() };

	r.id = mf_printf(a, "%u", ++in->requests);
	r.query = mf_printf(a, "Cmd=%s&User=u&DeviceId=%s&DeviceType=Fault", command, device);
	trace("---- request\n", body);
	while (eas_run(&r) == EAS_WAIT)
		r.wait.ended = true;
	take_answer(x, &r);
	trace("---- answer\n", x->answer.body);
	eas_request_deinit(&r);
	mf_arena_free(a);
}
