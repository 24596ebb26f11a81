/*
 * What must be right before a command may run: the query, the credentials, the version, the device, what was
 * decided about it, and the shape of the body. Must not know what any command does.
 *
 * Nobody without good credentials learns anything but 401; a mail server that is down is 503, never
 * 401. After the credentials: what cannot be read is 400, what does not exist is 501 (MS-ASHTTP
 * 2.2.2.1.1), and from the version on, failures are told as that version wants it.
 */
#include "eas/admit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "eas/access.h"
#include "eas/commands.h"
#include "eas/limits.h"
#include "eas/policy.h"
#include "eas/query.h"
#include "eas/schema.h"
#include "eas/status.h"
#include "eas/who.h"
#include "state/device.h"
#include "state/user.h"

static const char path[] = "/Microsoft-Server-ActiveSync";

/* A step either goes on or has answered. */
enum next { GO_ON, ANSWERED };

/* What the steps hand on besides the request itself. */
struct run {
	struct eas_query query;
	enum mf_status query_status;
	struct mf_error err;
};

static enum next
refuse_http(struct eas_request *r, unsigned http, const char *why)
{
	eas_fail_http(r, http, why);
	return ANSWERED;
}

static enum next
refuse_status(struct eas_request *r, unsigned status, const char *why)
{
	eas_fail_status(r, status, why);
	return ANSWERED;
}

static enum next
refuse(struct eas_request *r, enum mf_status st, const struct mf_error *err)
{
	eas_fail(r, st, err);
	return ANSWERED;
}

void
eas_admit_name(const struct eas_request *r)
{
	const char *user = r->user != NULL ? r->user : r->login.user;
	const char *command = r->command_name != NULL ? r->command_name : r->method;
	char context[400];
	snprintf(context, sizeof(context), "req=%s cmd=%s user=%s device=%s", r->id,
		r->command != NULL ? r->command->name : mf_log_value(command),
		mf_log_value(user == NULL ? "-" : user),
		mf_log_value(r->device_id == NULL ? "-" : r->device_id));
	log_set_context(context);
}

/* ---- Who and what ---- */

/* Digits of a policy key; anything else is as good as none. */
static const char *
policy_key(struct eas_request *r, const struct eas_query *q)
{
	const char *key = q->binary ? q->policy_key : eas_header(r, "X-MS-PolicyKey");
	uint32_t n;
	return key != NULL && str_to_u32(key, UINT32_MAX, &n) ? mf_printf(r->arena, "%u", n) : NULL;
}

/* Reads the query without judging it: a failed login is to be logged with its device. */
static enum next
read_query(struct eas_request *r, struct run *run)
{
	struct eas_query *q = &run->query;
	run->query_status = query_parse(r->arena, r->query, q, &run->err);
	r->command =
		q->binary ? eas_command_by_code((unsigned)q->code) : eas_command_find(q->command);
	r->command_name = q->binary && r->command == NULL ? mf_printf(r->arena, "code-%d", q->code)
							  : q->command;
	r->device_id = q->device_id;
	r->device_type = q->device_type;
	r->param_user = q->user;
	r->param_collection_id = q->collection_id;
	r->param_item_id = q->item_id;
	r->param_long_id = q->long_id;
	r->param_occurrence = q->occurrence;
	r->param_attachment_name = q->attachment_name;
	r->save_in_sent = q->save_in_sent;
	const char *multipart = eas_header(r, "MS-ASAcceptMultiPart");
	r->accept_multipart = q->accept_multipart || (multipart != NULL && str_ieq(multipart, "T"));
	r->policy_key = policy_key(r, q);
	r->user_agent = eas_header(r, "User-Agent");
	return GO_ON;
}

static enum next
authenticate(struct eas_request *r, struct run *run)
{
	if (!str_ieq(r->path, path))
		return refuse_http(r, 404, "no such path");
	enum mf_status st = eas_who(r, &run->err);
	eas_admit_name(r);
	if (st == MF_OK)
		return GO_ON;
	if (r->aside != EAS_ASIDE_WANTED)
		eas_who_refuse(r, &run->err);
	return ANSWERED;
}

/* MS-ASHTTP 3.2.5.1: another node serves this user. */
static enum next
redirect(struct eas_request *r, struct run *run)
{
	(void)run;
	const char *url = eas_access_elsewhere(r);
	if (url == NULL)
		return GO_ON;
	eas_answer_header(r, "X-MS-Location", url);
	return refuse_http(r, 451, "another node serves this user");
}

/* MS-ASHTTP 3.2.5.2. */
static enum next
answer_options(struct eas_request *r, struct run *run)
{
	(void)run;
	if (str_ieq(r->method, "POST"))
		return GO_ON;
	if (!str_ieq(r->method, "OPTIONS"))
		return refuse_http(r, 501, "no such method");
	r->answer.http_status = 200;
	eas_answer_header(r, "Allow", "OPTIONS,POST");
	eas_answer_header(r, "Public", "OPTIONS,POST");
	eas_answer_header(r, "MS-ASProtocolVersions", eas_version_list(r->arena));
	eas_answer_header(r, "MS-ASProtocolCommands", eas_command_list(r->arena));
	return ANSWERED;
}

/* A plain query without the header MS-ASProtocolVersion is of the oldest version that we serve. */
static bool
find_version(struct eas_request *r, const struct eas_query *q)
{
	const char *header = eas_header(r, "MS-ASProtocolVersion");
	r->version = q->binary ? (enum eas_version)q->version : EAS_12_1;
	return q->binary || header == NULL || eas_version_parse(header, &r->version);
}

static enum next
judge_query(struct eas_request *r, struct run *run)
{
	if (run->query_status != MF_OK)
		return refuse_http(r, 400, run->err.text);
	if (!find_version(r, &run->query))
		return refuse_http(r, 400, "unknown protocol version");
	if (r->command == NULL && (r->command_name == NULL || *r->command_name == '\0'))
		return refuse_http(r, 400, "no command");
	if (r->command == NULL)
		return refuse_http(r, 501, "no such command");
	if (r->version < r->command->first || r->version > r->command->last)
		return refuse_status(r, EAS_VERSION_UNSUPPORTED, "command not in this version");
	return GO_ON;
}

static bool
within(const char *s, size_t max)
{
	return s != NULL && *s != '\0' && strlen(s) <= max;
}

static enum next
know_device(struct eas_request *r, struct run *run)
{
	if (!within(r->device_id, STATE_DEVICE_ID_MAX))
		return refuse_status(r, EAS_DEVICE_ID, "no device id, or too long");
	if (!within(r->device_type, QUERY_DEVICE_TYPE))
		return refuse_status(r, EAS_DEVICE_TYPE, "no device type, or too long");
	struct state *state = r->server->state;
	struct state_hello hello = { r->device_id, r->device_type, r->user_agent, r->version };
	enum mf_status st =
		state_user_number(state, STATE_SYNC, r->user, &r->user_number, &run->err);
	if (st == MF_OK)
		st = state_device_load(
			state, r->user_number, &hello, r->arena, &r->device, &run->err);
	if (st == MF_REFUSED)
		return refuse_status(r, EAS_TOO_MANY_DEVICES, run->err.text);
	return st == MF_OK ? GO_ON : refuse(r, st, &run->err);
}

/* ---- What was decided about the device ---- */

/* A wipe is the administrator's word twice: asked for, and allowed by the setting remote_wipe. What is
 * not allowed, and what this version cannot be told, is a block. */
static bool
may_be_told(const struct eas_request *r)
{
	const char *allowed = mf_conf_string(r->server->conf, "remote_wipe");
	if (r->record.wipe.kind == STATE_WIPE_DEVICE)
		return strcmp(allowed, "device") == 0;
	return strcmp(allowed, "no") != 0 && r->version >= EAS_16_1;
}

/* The user's password need not be kept for this device's next wait. */
static void
forget_watching(const struct eas_request *r)
{
	const struct eas_watcher *w = r->server->watcher;
	if (w != NULL)
		w->leave(w, r->user_number);
}

/* MS-ASCMD 2.2.2, status 140. */
static enum next
refuse_wiped(struct eas_request *r)
{
	forget_watching(r);
	if (!may_be_told(r) || r->record.wipe.stage == STATE_WIPE_DONE)
		return refuse_status(r, EAS_DEVICE_BLOCKED, "a wiped device");
	if (r->version < EAS_14_0 && r->policy_key == NULL)
		return refuse_http(r, 403, "a wipe is pending");
	return refuse_status(r, EAS_WIPE_REQUESTED, "a wipe is pending");
}

static enum next
load_record(struct eas_request *r, struct run *run)
{
	enum mf_status st =
		state_record_load(r->server->state, r->user, r->device_id, &r->record, &run->err);
	return st == MF_OK ? GO_ON : refuse(r, st, &run->err);
}

static enum next
check_access(struct eas_request *r, struct run *run)
{
	bool untold;
	unsigned status = eas_access_check(r, &untold);
	if (status == 0)
		return GO_ON;
	forget_watching(r);
	if (untold && eas_access_tell(r, &run->err) != MF_OK)
		mf_log_warning("quarantine=untold error=%s", mf_log_value(run->err.text));
	return refuse_status(r, status, untold ? "in quarantine from now on" : "no access");
}

static enum next
check_wipe(struct eas_request *r, struct run *run)
{
	(void)run;
	if (r->record.wipe.kind == STATE_WIPE_NONE ||
		(r->command->run == cmd_provision && may_be_told(r)))
		return GO_ON;
	return refuse_wiped(r);
}

/* MS-ASHTTP 3.2.5.1.1. */
static enum next
check_agent(struct eas_request *r, struct run *run)
{
	(void)run;
	int64_t seconds = eas_limits_agent(r);
	if (seconds == 0)
		return GO_ON;
	eas_answer_header(r, "X-MS-ASThrottle", "UserAgentsChanges");
	eas_answer_header(r, "Retry-After", mf_printf(r->arena, "%" PRId64, seconds));
	return refuse_http(r, 503, "the User-Agent changed too often");
}

/* MS-ASHTTP 2.2.2.1.2.13. */
static enum next
check_frequency(struct eas_request *r, struct run *run)
{
	(void)run;
	if (eas_limits_command(r))
		return GO_ON;
	eas_answer_header(r, "X-MS-ASThrottle", "CommandFrequency");
	return refuse_http(r, 503, "the same command too often");
}

static enum next
check_policy(struct eas_request *r, struct run *run)
{
	(void)run;
	if (r->command->run == cmd_provision)
		return GO_ON;
	unsigned status = eas_policy_check(r, eas_policy_of(r));
	return status == 0 ? GO_ON : refuse_status(r, status, "not provisioned");
}

/* ---- The body ---- */

static bool
says_wbxml(const struct eas_request *r)
{
	const char *type = eas_header(r, "Content-Type");
	return type == NULL || str_istarts(type, "application/vnd.ms-sync");
}

static enum next
read_body(struct eas_request *r, struct run *run)
{
	if (r->body.len == 0 && (r->command->needs & EAS_EMPTY_BODY))
		return GO_ON;
	if (r->body.len == 0)
		return refuse_status(r, EAS_INVALID_CONTENT, "no body");
	struct wbxml_limits limits = wbxml_limits_default;
	if (r->command->needs & EAS_MAIL_BODY)
		limits.bytes = r->body.len; /* bounded by body_limit */
	if ((r->command->needs & EAS_MAIL_BODY) && r->version < EAS_14_0)
		return GO_ON;
	enum mf_status st = wbxml_decode(r->arena, r->body, &limits, false, &r->root, &run->err);
	if (st != MF_OK)
		return refuse_status(
			r, says_wbxml(r) ? EAS_INVALID_WBXML : EAS_INVALID_CONTENT, run->err.text);
	unsigned status;
	if (schema_check(r, &status, &run->err) != MF_OK)
		return refuse_status(r, status, run->err.text);
	return GO_ON;
}

/* In this order. */
static enum next (*const steps[])(struct eas_request *, struct run *) = {
	read_query,
	authenticate,
	redirect,
	answer_options,
	judge_query,
	know_device,
	load_record,
	check_agent,
	check_frequency,
	check_wipe,
	check_access,
	check_policy,
	read_body,
};

bool
eas_admit(struct eas_request *r)
{
	struct run run = { 0 };
	r->answer.n_headers = 0; /* those of a first try */
	eas_answer_header(r, "MS-Server-ActiveSync", "16.1");
	eas_answer_header(r, "Cache-Control", "private");
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		if (steps[i](r, &run) == ANSWERED)
			return false;
	return true;
}

bool
eas_admit_readable(struct eas_request *r)
{
	struct run run = { .query_status = MF_OK };
	read_query(r, &run);
	return run.query_status == MF_OK && find_version(r, &run.query) && r->command != NULL;
}

/* Rules are not looked at again: what they look at need not be here any more. */
bool
eas_admit_again(struct eas_request *r)
{
	struct mf_error err;
	bool wiped, blocked;
	if (state_record_load(r->server->state, r->user, r->device_id, &r->record, &err) != MF_OK)
		return true; /* its next request will see */
	wiped = r->record.wipe.kind != STATE_WIPE_NONE;
	blocked = r->record.approval == STATE_APPROVAL_BLOCKED;
	if (!wiped && !blocked)
		return true;
	if (r->watching != NULL)
		r->server->watcher->end(r->server->watcher, r->watching);
	r->watching = NULL;
	if (wiped) {
		refuse_wiped(r);
	} else {
		forget_watching(r);
		refuse_status(r, EAS_DEVICE_BLOCKED, "no access any more");
	}
	return false;
}
