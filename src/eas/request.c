/*
 * The small things that every command does with its request: headers in, headers and elements out,
 * failures. Knows no command.
 */
#include "eas/request.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "eas/commands.h"
#include "eas/status.h"
#include "eas/trace.h"
#include "eas/waits.h"
#include "eas/who.h"
#include "state/device.h"
#include "mailferry/log.h"

/* An answer never grows beyond this: commands cut theirs far earlier. */
enum { ANSWER_MAX = 256 * 1024 * 1024 };

/* When a client that was sent away may come again, in seconds. */
#define RETRY_AFTER "15"

const char *
eas_header(const struct eas_request *r, const char *name)
{
	for (size_t i = 0; i < r->n_headers; i++)
		if (str_ieq(r->headers[i].name, name))
			return r->headers[i].value;
	return NULL;
}

void
eas_answer_header(struct eas_request *r, const char *name, const char *value)
{
	assert(r->answer.n_headers < EAS_HEADERS_MAX);
	r->answer.headers[r->answer.n_headers++] =
		(struct eas_header){ name, mf_strdup(r->arena, value) };
}

const char *
eas_user_address(const struct eas_request *r)
{
	const char *names[] = { r->user, r->login.user };
	for (size_t i = 0; i < 2; i++)
		if (names[i] != NULL && strchr(names[i], '@') != NULL)
			return mf_strdup(r->arena, names[i]);
	const char *domain = mf_conf_string(r->server->conf, "default_domain");
	return *domain == '\0' ? r->user : mf_printf(r->arena, "%s@%s", r->user, domain);
}

void
eas_note(struct eas_request *r, const char *fmt, ...)
{
	size_t len = strlen(r->note);
	if (len + 2 >= sizeof(r->note))
		return;
	if (len > 0)
		r->note[len++] = ' ';
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(r->note + len, sizeof(r->note) - len, fmt, ap);
	va_end(ap);
}

/* Headers that belong to an HTTP status. */
static const struct {
	unsigned http;
	struct eas_header header;
} status_headers[] = {
	{ 501, { "Allow", "OPTIONS,POST" } },
	{ 503, { "Retry-After", RETRY_AFTER } },
};

static bool
has_header(const struct eas_answer *answer, const char *name)
{
	for (size_t i = 0; i < answer->n_headers; i++)
		if (str_ieq(answer->headers[i].name, name))
			return true;
	return false;
}

enum eas_verdict
eas_fail_http(struct eas_request *r, unsigned http_status, const char *why)
{
	mf_buf_clear(&r->answer.body);
	r->answer.spool = NULL;
	r->answer.content_type = NULL;
	r->answer.http_status = http_status;
	if (http_status == 401)
		eas_who_challenge(r);
	for (size_t i = 0; i < sizeof(status_headers) / sizeof(*status_headers); i++)
		if (status_headers[i].http == http_status &&
			!has_header(&r->answer, status_headers[i].header.name))
			eas_answer_header(
				r, status_headers[i].header.name, status_headers[i].header.value);
	if (why != NULL)
		eas_note(r, "why=%s", mf_log_value(why));
	return EAS_DONE;
}

void
eas_reply_begin(struct eas_request *r, uint16_t root)
{
	mf_buf_clear(&r->answer.body);
	r->answer.spool = NULL;
	r->answer.body.max = ANSWER_MAX;
	r->answer.http_status = 200;
	r->answer.content_type = "application/vnd.ms-sync.wbxml";
	wbxml_begin(&r->writer, &r->answer.body);
	wbxml_open(&r->writer, root);
}

void
eas_reply_status(struct eas_request *r, unsigned status)
{
	r->status = status;
	wbxml_number(&r->writer, r->command->status_tag, status);
}

enum eas_verdict
eas_reply_end(struct eas_request *r)
{
	wbxml_close(&r->writer);
	assert(r->writer.depth == 0);
	if (r->answer.body.failed)
		return eas_fail_http(r, 500, "the answer is too large");
	return EAS_DONE;
}

/* MeetingResponse has a Status in its Results only (MS-ASCMD 2.2.3.177.9); that below the root is what
 * phones look for with every command. */
static void
repeat_in_result(struct eas_request *r)
{
	if (r->command->root != MeetingResponse_MeetingResponse)
		return;
	wbxml_open(&r->writer, MeetingResponse_Result);
	wbxml_number(&r->writer, r->command->status_tag, r->status);
	wbxml_close(&r->writer);
}

enum eas_verdict
eas_fail_status(struct eas_request *r, unsigned status, const char *why)
{
	if (why != NULL)
		eas_note(r, "why=%s", mf_log_value(why));
	r->status = status;
	if ((r->version < EAS_14_0 && status > 100) || r->command->root == 0)
		return eas_fail_http(r, eas_status_http(status), NULL);
	eas_reply_begin(r, r->command->root);
	eas_reply_status(r, status);
	repeat_in_result(r);
	return eas_reply_end(r);
}

/* A defect of ours is loud, a server that is down is worth a warning, the rest is daily life. */
static enum mf_log_level
level_of(enum mf_status st)
{
	switch (st) {
	case MF_BROKEN:
		return MF_LOG_ERROR;
	case MF_TEMPORARY:
		return MF_LOG_WARNING;
	default:
		return MF_LOG_INFO;
	}
}

enum eas_verdict
eas_fail(struct eas_request *r, enum mf_status st, const struct mf_error *err)
{
	assert(st != MF_OK);
	mf_log(level_of(st), "failed=%s error=%s", mf_status_name(st),
		mf_log_value(err == NULL ? "" : err->text));
	if (st == MF_TEMPORARY)
		return eas_fail_http(r, 503, NULL);
	if (st == MF_AUTH)
		return eas_fail_http(r, 401, NULL);
	return eas_fail_status(r, eas_status_at(r->command->place, st), NULL);
}

/* ---- Waiting in little memory ---- */

struct mf_arena *
eas_request_lasting(struct eas_request *r)
{
	if (r->lasting == NULL)
		r->lasting = mf_arena_new();
	return r->lasting;
}

static void
wipe(const char *secret)
{
	if (secret != NULL)
		str_wipe((char *)(uintptr_t)secret, strlen(secret));
}

/* What answering looks at again; the credentials are kept once, in r->login. */
static void
keep_headers(struct eas_request *r, struct mf_arena *a)
{
	const struct eas_header *old = r->headers;
	struct eas_header *kept = mf_new(a, struct eas_header);
	size_t n = 0;
	for (size_t i = 0; i < r->n_headers; i++) {
		if (str_ieq(old[i].name, "Authorization"))
			wipe(old[i].value);
		else if (n == 0 && str_ieq(old[i].name, "Accept-Encoding"))
			kept[n++] = (struct eas_header){ "Accept-Encoding",
				mf_strdup(a, old[i].value) };
	}
	r->headers = kept;
	r->n_headers = n;
}

static void
keep_device(struct eas_request *r, struct mf_arena *a)
{
	struct state_device *d = mf_new(a, struct state_device);
	d->number = r->device->number;
	d->version = r->device->version;
	d->id = r->device_id;
	d->type = r->device_type;
	d->user_agent = "";
	for (size_t i = 0; i < STATE_INFO_COUNT; i++)
		d->info[i] = "";
	r->device = d;
	r->record = (struct state_record){ .approval = r->record.approval };
}

void
eas_request_settle(struct eas_request *r)
{
	struct mf_arena *a = eas_request_lasting(r), *old = r->arena;
	const char **texts[] = { &r->id, &r->method, &r->path, &r->peer, &r->command_name,
		&r->device_id, &r->device_type, &r->login.user, &r->login.password, &r->login.token,
		&r->login.master, &r->user, &r->store_name };
	const char *secrets[] = { r->login.password, r->login.token };
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (*texts[i] != NULL)
			*texts[i] = mf_strdup(a, *texts[i]);
	for (size_t i = 0; i < r->answer.n_headers; i++) {
		struct eas_header *h = &r->answer.headers[i];
		*h = (struct eas_header){ mf_strdup(a, h->name), mf_strdup(a, h->value) };
	}
	keep_headers(r, a);
	keep_device(r, a);
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		wipe(secrets[i]);
	r->query = "";
	r->user_agent = r->policy_key = NULL;
	r->param_collection_id = r->param_item_id = r->param_long_id = NULL;
	r->param_occurrence = r->param_attachment_name = r->param_user = NULL;
	r->body = eas_trace_wants(r->server->trace, r->user)
			  ? mf_memdup(a, r->body.data, r->body.len)
			  : (struct mf_bytes){ NULL, r->body.len };
	r->root = NULL;
	r->arena = a;
	r->lasting = NULL;
	mf_arena_free(old);
}

void
eas_request_deinit(struct eas_request *r)
{
	wipe(r->login.password);
	wipe(r->login.token);
	r->login = (struct mf_login){ 0 };
	if (r->watching != NULL)
		r->server->watcher->end(r->server->watcher, r->watching);
	r->watching = NULL;
	if (r->counted)
		eas_waits_end(r->server->waits, r);
	r->counted = false;
	mf_arena_free(r->lasting);
	r->lasting = NULL;
	mf_buf_deinit(&r->answer.body);
}
