/*
 * Metrics in Prometheus text, health, readiness, and who waits since when on what. Names users and
 * devices, never credentials; the addresses are the operator's.
 */
#include "main/watchdesk.h"

#include <inttypes.h>
#include <string.h>

#include "backend/auth.h"
#include "backend/session.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "eas/commands.h"
#include "eas/metrics.h"
#include "mailferry/log.h"
#include "main/json.h"
#include "state/state.h"

enum { WORKERS = 1, QUEUE = 100, COUNT_MS = 5 * 60 * 1000 };

static const struct watchdesk *
desk_of(const struct eas_request *r)
{
	return (const struct watchdesk *)r->server;
}

static void
print_gauge(struct mf_buf *out, const char *name, const char *help, uint64_t value)
{
	mf_buf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n%s %" PRIu64 "\n", name, help, name,
		name, value);
}

static void
print_counter(struct mf_buf *out, const char *name, const char *help, uint64_t value)
{
	mf_buf_printf(out, "# HELP %s %s\n# TYPE %s counter\n%s %" PRIu64 "\n", name, help, name,
		name, value);
}

static void
print_http(struct mf_buf *out, const struct watchdesk *d)
{
	struct http_stats http;
	struct work_stats work;

	http_server_stats(d->phones, &http);
	work_pool_stats(d->phones_pool, &work);
	print_gauge(out, "mailferry_connections", "Connections of phones.", http.connections);
	print_gauge(out, "mailferry_waiting", "Phones that wait.", work.parked);
	print_gauge(out, "mailferry_running", "Requests that run.", work.running);
	print_gauge(out, "mailferry_queued", "Requests that wait for a worker.", work.queued);
	print_counter(out, "mailferry_connections_total", "Connections taken.", http.accepted);
	print_counter(out, "mailferry_connections_refused_total",
		"Connections refused for want of room.", http.refused);
	print_counter(out, "mailferry_connections_expired_total",
		"Connections closed because a header, a body or an answer took too long.",
		http.expired);
	print_counter(out, "mailferry_connections_gave_way_total",
		"Slow or idle connections closed for others at connection_limit.", http.gave_way);
	print_gauge(out, "mailferry_strangers_queued",
		"Logins that wait until the mail server can be asked.", work.aside);
	print_counter(out, "mailferry_clients_left_total",
		"Phones that went away while they waited.", http.left);
}

static void
print_backends(struct mf_buf *out, const struct watchdesk *d)
{
	struct backend_session_stats sessions;
	struct backend_login_stats logins;

	backend_session_stats(d->backends, &sessions);
	backend_login_stats(d->backends, &logins);
	print_gauge(out, "mailferry_sessions_busy", "Sessions at the mail server in use.",
		sessions.busy);
	print_gauge(out, "mailferry_sessions_idle", "Sessions at the mail server kept for later.",
		sessions.idle);
	print_counter(
		out, "mailferry_sessions_opened_total", "Logins for sessions.", sessions.logins);
	print_counter(
		out, "mailferry_sessions_reused_total", "Sessions used again.", sessions.reused);
	print_counter(
		out, "mailferry_logins_good_total", "Passwords the mail server took.", logins.good);
	print_counter(out, "mailferry_logins_bad_total", "Passwords it refused.", logins.bad);
	print_counter(out, "mailferry_logins_unknown_total", "Times it could not be asked.",
		logins.unknown);
	print_counter(out, "mailferry_logins_cached_total", "Answers from memory.", logins.cached);
}

static void
print_push(struct mf_buf *out, const struct watchdesk *d)
{
	struct push_stats push = { 0 };

	struct eas_waits_stats waits;

	if (d->push != NULL)
		push_stats(d->push, &push);
	eas_waits_stats(d->waits, &waits);
	print_counter(out, "mailferry_waits_refused_total",
		"Requests sent away because too many waited (waiting_limit, waiting_limit_user).",
		waits.refused);
	print_gauge(out, "mailferry_devices_cut",
		"Devices whose waits are ended early, because something cut them off.",
		waits.cut_devices);
	print_gauge(out, "mailferry_watchers_blind", "Watched users whose mail server refuses it.",
		push.blind);
	print_gauge(out, "mailferry_watchers", "Users whose mailboxes are watched.", push.users);
	print_gauge(out, "mailferry_watched_requests", "Waiting requests that are watched.",
		push.interests);
	print_counter(out, "mailferry_stirs_total", "Events of mail servers.", push.stirs);
	print_counter(
		out, "mailferry_watchers_refused_total", "Users beyond watch_limit.", push.refused);
	print_counter(out, "mailferry_background_runs_total",
		"Times that work beside requests was begun for a user.", push.tended);
}

/* Counting reads the whole state: now and then is enough. The desk has one worker. */
static void
count_again(struct watchdesk *d)
{
	struct state_stats st;

	if (d->counted_at != 0 && clock_ms() < d->counted_at + COUNT_MS)
		return;
	if (state_stats(d->state, &st, NULL) != MF_OK)
		return;
	d->counted_at = clock_ms();
	d->users = st.users;
	d->devices = st.devices;
}

static void
print_state(struct mf_buf *out, struct watchdesk *d)
{
	static const char *const names[] = { "sync", "records" };
	struct kv_stats sizes[STATE_STORES];

	if (state_sizes(d->state, sizes, NULL) != MF_OK)
		return;
	mf_buf_add_str(out, "# HELP mailferry_state_bytes Size of the state's files.\n"
			    "# TYPE mailferry_state_bytes gauge\n");
	for (int i = 0; i < STATE_STORES; i++)
		mf_buf_printf(out, "mailferry_state_bytes{store=\"%s\"} %" PRIu64 "\n", names[i],
			sizes[i].bytes_used);
	count_again(d);
	print_gauge(
		out, "mailferry_devices", "Devices known, counted every few minutes.", d->devices);
	print_gauge(out, "mailferry_users", "Users known, counted every few minutes.", d->users);
}

static enum eas_verdict
answer(struct eas_request *r, unsigned http, const char *type)
{
	r->answer.http_status = http;
	r->answer.content_type = type;
	return EAS_DONE;
}

static enum eas_verdict
metrics(struct eas_request *r)
{
	const struct watchdesk *d = desk_of(r);
	struct mf_buf *out = &r->answer.body;

	print_http(out, d);
	print_push(out, d);
	print_backends(out, d);
	print_state(out, (struct watchdesk *)(uintptr_t)r->server);
	eas_metrics_print(out);
	mf_buf_printf(out,
		"# HELP mailferry_start_time_seconds When the process began.\n"
		"# TYPE mailferry_start_time_seconds gauge\n"
		"mailferry_start_time_seconds %" PRId64 "\n",
		d->began);
	return answer(r, 200, "text/plain; version=0.0.4");
}

/* The process lives. */
static enum eas_verdict
healthz(struct eas_request *r)
{
	mf_buf_add_str(&r->answer.body, "ok\n");
	return answer(r, 200, "text/plain");
}

/* It can serve: the state can be read. A mail server that is down is no reason to send phones away. */
static enum eas_verdict
readyz(struct eas_request *r)
{
	struct kv_stats sizes[STATE_STORES];
	struct mf_error err = { .text = "" };

	if (state_sizes(desk_of(r)->state, sizes, &err) == MF_OK)
		return healthz(r);
	mf_buf_printf(&r->answer.body, "state: %s\n", err.text);
	return answer(r, 503, "text/plain");
}

/* ---- Who waits ---- */

struct listing {
	struct mf_buf *out;
	int64_t now;
	bool first;
};

static void
put_string(struct mf_buf *out, const char *s)
{
	struct mf_buf clean;

	mf_buf_init(&clean, 0);
	utf8_sanitise(&clean, s == NULL ? "" : s, s == NULL ? 0 : strlen(s));
	main_json_string(out, mf_buf_str(&clean), clean.len);
	mf_buf_deinit(&clean);
}

static void
list_one(void *ctx, const struct eas_request *r)
{
	struct listing *l = ctx;

	mf_buf_add_str(l->out, l->first ? "\n" : ",\n");
	l->first = false;
	mf_buf_add_str(l->out, "{\"user\":");
	put_string(l->out, r->user);
	mf_buf_add_str(l->out, ",\"device\":");
	put_string(l->out, r->device_id);
	mf_buf_add_str(l->out, ",\"type\":");
	put_string(l->out, r->device_type);
	mf_buf_printf(l->out, ",\"command\":\"%s\",\"seconds\":%" PRId64 ",\"left\":%" PRId64,
		r->command == NULL ? "" : r->command->name, (l->now - r->began) / 1000,
		(r->wait.until - l->now) / 1000);
	mf_buf_printf(
		l->out, ",\"watched\":%s,\"folders\":[", r->watching != NULL ? "true" : "false");
	for (size_t i = 0; r->wait.folders != NULL && r->wait.folders[i] != NULL; i++) {
		mf_buf_add_str(l->out, i == 0 ? "" : ",");
		put_string(l->out, r->wait.folders[i]);
	}
	mf_buf_add_str(l->out, "]}");
}

static enum eas_verdict
waiting(struct eas_request *r)
{
	struct listing l = { .out = &r->answer.body, .now = clock_ms(), .first = true };

	mf_buf_add_str(l.out, "[");
	http_each_waiting(desk_of(r)->phones, list_one, &l);
	mf_buf_add_str(l.out, "]\n");
	return answer(r, 200, "application/json");
}

static void
list_line(void *ctx, const struct eas_request *r)
{
	struct listing *l = ctx;

	mf_buf_printf(l->out, "%-28s %-34s %-10s %7" PRId64 " %7" PRId64 "  %s\n",
		mf_log_value(r->user), mf_log_value(r->device_id),
		r->command == NULL ? "" : r->command->name, (l->now - r->began) / 1000,
		(r->wait.until - l->now) / 1000, r->watching != NULL ? "watched" : "polled");
}

/* For people. */
static enum eas_verdict
waiting_text(struct eas_request *r)
{
	struct listing l = { .out = &r->answer.body, .now = clock_ms() };

	mf_buf_printf(l.out, "%-28s %-34s %-10s %7s %7s\n", "user", "device", "command", "seconds",
		"left");
	http_each_waiting(desk_of(r)->phones, list_line, &l);
	return answer(r, 200, "text/plain; charset=utf-8");
}

static void
request_deinit(struct eas_request *r)
{
	mf_buf_deinit(&r->answer.body);
}

static const struct http_route routes[] = {
	{ "/metrics", metrics, request_deinit, NULL },
	{ "/healthz", healthz, request_deinit, NULL },
	{ "/readyz", readyz, request_deinit, NULL },
	{ "/waiting", waiting, request_deinit, NULL },
	{ "/waiting.txt", waiting_text, request_deinit, NULL },
	{ 0 },
};

static const struct http_places places = { "metrics_listen", NULL, false, NULL };

enum mf_status
watchdesk_bind(struct watchdesk *d, const struct mf_conf *top, struct mf_error *err)
{
	if (mf_conf_list(top, "metrics_listen")[0] == NULL)
		return MF_OK;
	return http_server_bind(top, &places, &d->at, err);
}

enum mf_status
watchdesk_open(struct watchdesk *d, const struct mf_conf *top, struct mf_error *err)
{
	d->began = clock_wall();
	if (d->at.n == 0)
		return MF_OK;
	d->pool = work_pool_new(WORKERS, QUEUE);
	if (d->pool == NULL)
		return mf_fail(err, MF_TEMPORARY, "no thread can be started");
	return http_server_open_bound(
		top, &places, &d->at, routes, &d->eas, d->pool, &d->http, err);
}

void
watchdesk_close(struct watchdesk *d)
{
	struct mf_error err;

	if (d->http != NULL && http_server_stop(d->http, 1000, &err) == MF_OK)
		http_server_free(d->http);
	work_pool_free(d->pool);
	http_listen_close(&d->at);
	d->http = NULL;
	d->pool = NULL;
}
