/*
 * One request's way, from its first step to its line in the log: admitted (admit.c), given a store, run, and
 * called again as long as it waits. Knows in which order things must be ready; must not know what any
 * command does.
 */
#include <assert.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "eas/admit.h"
#include "eas/commands.h"
#include "eas/conversations.h"
#include "eas/history.h"
#include "eas/metrics.h"
#include "eas/request.h"
#include "eas/send.h"
#include "eas/send_unfinished.h"
#include "eas/spool.h"
#include "eas/status.h"
#include "eas/store.h"
#include "eas/trace.h"
#include "eas/waits.h"
#include "mailferry/waited.h"

/* How long a request waits for a session when all are busy, in ms. */
enum { SESSION_WAIT_MS = 20000 };

/* How often a request looks for itself although it is watched: no watcher is trusted blindly. */
enum { WATCHED_POLL_MS = 15 * 60 * 1000 };

/* The same while the mail server is away, which the watcher notices as well. */
enum { AWAY_POLL_MS = 60 * 1000 };

static bool
open_store(struct eas_request *r)
{
	struct mf_error err;
	if (!(r->command->needs & EAS_STORE))
		return true;
	enum mf_status st = eas_store_open(r, SESSION_WAIT_MS, &err);
	if (st != MF_OK)
		eas_fail(r, st, &err);
	return st == MF_OK;
}

/* Before the first wait: is there room for one more? */
static bool
may_wait(struct eas_request *r)
{
	struct eas_waits *w = r->server->waits;
	if (w == NULL || r->counted)
		return true;
	r->counted = eas_waits_begin(w, r);
	if (!r->counted)
		eas_fail_http(r, 503, "too many requests wait");
	return r->counted;
}

/* Before the first wait: whatever happens from now on wakes the request. What happened since it looked
 * is found by looking once more, at once. */
static void
watch(struct eas_request *r)
{
	const struct eas_watcher *w = r->server->watcher;
	if (w == NULL || r->wait.folders == NULL)
		return;
	if (r->watching == NULL) {
		r->watching = w->begin(w, r);
		r->wait.until = r->watching != NULL ? clock_ms() : r->wait.until;
	}
	if (r->watching != NULL && w->sees(w, r->watching))
		r->wait.poll_ms = WATCHED_POLL_MS;
}

static enum eas_verdict
run_command(struct eas_request *r)
{
	enum eas_verdict v = r->command->run(r);
	if (v == EAS_WAIT && may_wait(r)) {
		eas_conversations_wait(r);
		watch(r);
	} else if (v == EAS_WAIT) {
		v = EAS_DONE;
	}
	assert(v == EAS_DONE || (r->command->needs & EAS_MAY_WAIT));
	send_unfinished_run(r);
	eas_store_close(r);
	r->waited = v == EAS_WAIT;
	return v;
}

static enum eas_verdict
run_first(struct eas_request *r)
{
	if (eas_admit(r) && open_store(r))
		return run_command(r);
	return r->aside == EAS_ASIDE_WANTED ? EAS_ASIDE : EAS_DONE;
}

/* A phone that waits need not hear that the mail server is away: it waits on, and is told what came when
 * the server is back. */
static bool
may_miss(const struct eas_request *r, enum mf_status st)
{
	return st == MF_TEMPORARY && !r->wait.ended && clock_ms() < r->wait.end;
}

/* What has come is taken in any case, so that it is not told when it is stale. */
static bool
is_told(struct eas_request *r)
{
	enum { ARRIVALS_MAX = 50 };
	struct mf_arrival list[ARRIVALS_MAX];
	const struct eas_watcher *w = r->server->watcher;
	bool told;
	if (r->command->told == NULL || r->watching == NULL)
		return false;
	r->wait.arrived = list;
	r->wait.n_arrived = w->arrived(w, r->watching, list, ARRIVALS_MAX);
	told = r->wait.n_arrived > 0 && r->wait.stirred == EAS_STIR_ITEMS && !r->wait.ended &&
	       r->command->told(r);
	r->wait.arrived = NULL;
	r->wait.n_arrived = 0;
	return told;
}

static enum eas_verdict
run_again(struct eas_request *r)
{
	struct mf_error err;
	enum mf_status st;
	if (r->wait.left) {
		eas_note(r, "why=%s", mf_log_value("the client has left"));
		r->answer.http_status = 200;
		return EAS_DONE;
	}
	if (!eas_admit_again(r))
		return EAS_DONE;
	if (r->wait.stirred == EAS_STIR_DECIDED && !r->wait.ended)
		return EAS_WAIT;
	if (is_told(r))
		return EAS_DONE;
	st = eas_store_open(r, SESSION_WAIT_MS, &err);
	if (st == MF_OK)
		return run_command(r);
	if (!may_miss(r, st))
		return eas_fail(r, st, &err);
	mf_log_debug("event=waits-on reason=%s", mf_log_value(err.text));
	r->wait.until = r->wait.end;
	r->wait.poll_ms = AWAY_POLL_MS;
	return EAS_WAIT;
}

static void
log_summary(struct eas_request *r)
{
	if (r->server_us >= 1000)
		eas_note(r, "server_ms=%" PRId64, r->server_us / 1000);
	mf_log_info("version=%s http=%u status=%u in=%zu out=%zu ms=%" PRId64 " peer=%s%s%s",
		eas_version_name(r->version), r->answer.http_status, r->status, r->body.len,
		(size_t)eas_answer_size(&r->answer), clock_ms() - r->began, mf_log_value(r->peer),
		*r->note == '\0' ? "" : " ", r->note);
}

enum eas_verdict
eas_run(struct eas_request *r)
{
	eas_admit_name(r);
	bool stirred = r->waited && (r->wait.stirred & (EAS_STIR_ITEMS | EAS_STIR_FOLDERS)) != 0 &&
		       !r->wait.ended;
	if (!r->waited && r->server->history != NULL)
		r->digest = eas_history_digest(r);
	mf_waited_take();
	enum eas_verdict v = r->waited ? run_again(r) : run_first(r);
	r->server_us += mf_waited_take();
	if (stirred) {
		eas_metrics_woken(v == EAS_DONE, clock_us() - r->wait.stirred_us);
		eas_history_woken(r->server->history, v == EAS_DONE);
	}
	if (stirred && v != EAS_DONE)
		mf_log_debug("event=woken-for-nothing stirred=%u ms=%" PRId64, r->wait.stirred,
			clock_ms() - r->began);
	if (v == EAS_DONE) {
		eas_admit_name(r);
		log_summary(r);
		eas_metrics_done(r);
		eas_history_done(r->server->history, r);
		eas_trace_done(r->server->trace, r);
	}
	log_set_context(NULL);
	return v;
}

bool
eas_refuse_large(struct eas_request *r, uint64_t length)
{
	if (length <= send_limit(r->server))
		return false;
	eas_admit_name(r);
	bool refused = eas_admit_readable(r) && (r->command->needs & EAS_MAIL_BODY) != 0 &&
		       str_ieq(r->method, "POST");
	if (refused) {
		eas_note(r, "length=%llu", (unsigned long long)length);
		eas_fail_status(r, EAS_SEND_QUOTA, "mail over the limit");
		log_summary(r);
	}
	log_set_context(NULL);
	return refused;
}
