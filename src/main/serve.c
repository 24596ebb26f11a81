/*
 * `mailferry serve`: opens everything in the order of the layers, waits for signals, and closes it in
 * the opposite order. The main thread does nothing but signals and housekeeping.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "backend/session.h"
#include "base/clock.h"
#include "base/log.h"
#include "eas/access.h"
#include "eas/autodiscover.h"
#include "eas/history.h"
#include "eas/limits.h"
#include "eas/policy.h"
#include "eas/waits.h"
#include "eas/who.h"
#include "http/listen.h"
#include "http/server.h"
#include "main/commands.h"
#include "main/keeper.h"
#include "main/load.h"
#include "main/notify.h"
#include "main/privileges.h"
#include "main/decisions.h"
#include "main/rounds.h"
#include "main/steer.h"
#include "main/watchdesk.h"
#include "main/watcher.h"
#include "mime/mime.h"
#include "page/page.h"
#include "state/state.h"
#include "token/token.h"
#include "work/work.h"

enum {
	REAP_MAX_MS = 60 * 1000, /* idle sessions are looked at at least that often */
	HOUSE_MIN_MS = 1000,	 /* a thousand sessions that end one by one are ended together */
	COLLECT_MS = 24 * 3600 * 1000, /* what dead devices left */
	COLLECT_FIRST_MS = 10 * 60 * 1000,
	MALLOC_ARENAS = 2
};

struct service {
	struct conf *conf;
	struct state *state;
	struct backends *backends;
	struct work_pool *pool;
	struct http_listeners at; /* bound and not yet served */
	struct http_server *http;
	struct watcher watcher;
	struct rounds rounds;
	struct decisions decisions;
	struct watchdesk desk;
	struct eas_policies *policies;
	struct eas_limits *limits;
	struct tokens *tokens;
	struct eas_waits *waits;
	struct eas_history *history;
	struct page *pages;
	struct eas_server eas;
	struct steer steer;
	int64_t collect_at; /* clock_ms */
	int64_t watchdog;   /* ms; 0: systemd does not ask */
};

/* Who answers which path. */
static const struct http_route routes[] = {
	{ "/Microsoft-Server-ActiveSync", eas_run, eas_request_deinit, eas_refuse_large },
	{ "/Microsoft-Server-ActiveSync/", eas_run, eas_request_deinit, eas_refuse_large },
	{ "/autodiscover/autodiscover.xml", eas_autodiscover_xml, eas_request_deinit, NULL },
	{ "/autodiscover/autodiscover.json", eas_autodiscover_json, eas_request_deinit, NULL },
	{ "/autodiscover/autodiscover.json/v1.0/*", eas_autodiscover_json, eas_request_deinit,
		NULL },
	{ "/mailferry.mobileconfig", eas_autodiscover_profile, eas_request_deinit, NULL },
	{ 0 },
};

static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2 };

/* Before the first thread, so that all inherit it: signals are fetched, never delivered. */
static void
block_signals(sigset_t *set)
{
	sigemptyset(set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(set, signals[i]);
	sigprocmask(SIG_BLOCK, set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* Each waiting phone is one descriptor, and often another towards its mail server. */
static void
raise_descriptors(const struct mf_conf *top)
{
	int64_t wanted = 2 * mf_conf_number(top, "connection_limit") + 100;
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return;
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) != 0)
		mf_log_warning("descriptors=unchanged why=%s", mf_log_value(strerror(errno)));
	mf_log_info("descriptors=%llu", (unsigned long long)files.rlim_cur);
	if (files.rlim_cur != RLIM_INFINITY && (int64_t)files.rlim_cur < wanted)
		mf_log_info("descriptors=%llu why=\"connection_limit may need %" PRId64
			    ": see ulimit -n or LimitNOFILE\"",
			(unsigned long long)files.rlim_cur, wanted);
}

static enum mf_status
open_pages(struct service *s, struct mf_error *err)
{
	struct page_options o = { .conf = conf_top(s->conf),
		.state = s->state,
		.backends = s->backends,
		.limits = s->limits,
		.history = s->history,
		.phones = s->http };

	return page_open(&o, &s->pages, err);
}

/* What is read, bound and checked, the first parts of it while the process may still be root's. */
static enum mf_status
open_ground(struct service *s, const struct mf_conf *top, struct mf_error *err)
{
	struct state_options state = { .directory = mf_conf_string(top, "state_directory"),
		.map_size = (size_t)mf_conf_number(top, "state_map_size"),
		.readers = (unsigned)mf_conf_number(top, "state_readers"),
		.daemon = true };
	enum mf_status st = eas_policies_open(s->conf, &s->policies, err);

	if (st == MF_OK)
		st = eas_access_validate(top, err);
	if (st == MF_OK)
		st = eas_who_validate(top, err);
	if (st == MF_OK)
		st = tokens_open(top, &s->tokens, err);
	if (st == MF_OK)
		st = http_server_bind(top, &http_public, &s->at, err);
	if (st == MF_OK)
		st = watchdesk_bind(&s->desk, top, err);
	if (st == MF_OK)
		st = main_keeper_start(top, err);
	if (st == MF_OK)
		st = main_privileges_drop(top, err);
	if (st == MF_OK)
		st = state_open(&state, &s->state, err);
	if (st == MF_OK)
		st = backends_open(s->conf, &s->backends, err);
	return st;
}

static void
gather(struct service *s, const struct mf_conf *top)
{
	s->limits = eas_limits_new(top);
	s->waits = eas_waits_new(top);
	s->history = eas_history_new();
	s->eas = (struct eas_server){ .conf = top,
		.state = s->state,
		.backends = s->backends,
		.policies = s->policies,
		.limits = s->limits,
		.tokens = s->tokens,
		.waits = s->waits,
		.history = s->history,
		.trace = s->steer.trace };
}

static enum mf_status
open_desk(struct service *s, const struct mf_conf *top, struct mf_error *err)
{
	s->desk.phones = s->http;
	s->desk.phones_pool = s->pool;
	s->desk.backends = s->backends;
	s->desk.state = s->state;
	s->desk.push = s->watcher.push;
	s->desk.waits = s->waits;
	return watchdesk_open(&s->desk, top, err);
}

static enum mf_status
open_all(struct service *s, struct mf_error *err)
{
	const struct mf_conf *top = conf_top(s->conf);
	enum mf_status st;

	mime_init();
	st = open_ground(s, top, err);
	if (st != MF_OK)
		return st;
	s->pool = work_pool_new(
		(size_t)mf_conf_number(top, "workers"), (size_t)mf_conf_number(top, "queue_limit"));
	if (s->pool == NULL)
		return mf_fail(err, MF_TEMPORARY, "no thread can be started");
	gather(s, top);
	st = watcher_open(&s->watcher, top, &s->eas, s->pool, err);
	if (st != MF_OK)
		return st;
	s->eas.watcher = s->watcher.push != NULL ? &s->watcher.eas : NULL;
	st = http_server_open_bound(
		top, &http_public, &s->at, routes, &s->eas, s->pool, &s->http, err);
	if (st == MF_OK)
		st = rounds_open(&s->rounds, top, &s->eas, err);
	if (st == MF_OK)
		st = decisions_open(&s->decisions, s->state, s->pool, err);
	if (st == MF_OK)
		st = open_desk(s, top, err);
	return st == MF_OK ? open_pages(s, err) : st;
}

static void
close_all(struct service *s)
{
	page_close(s->pages);
	watchdesk_close(&s->desk);
	http_server_free(s->http);
	http_listen_close(&s->at);
	decisions_close(&s->decisions);
	rounds_close(&s->rounds);
	watcher_close(&s->watcher);
	work_pool_free(s->pool);
	backends_close(s->backends);
	state_close(s->state);
	eas_limits_free(s->limits);
	tokens_free(s->tokens);
	eas_waits_free(s->waits);
	eas_history_free(s->history);
	steer_end(&s->steer);
	eas_policies_free(s->policies);
	conf_free(s->conf);
	mime_deinit();
}

static void
log_stats(struct service *s)
{
	struct http_stats http;
	struct work_stats work;
	struct backend_session_stats sessions;

	http_server_stats(s->http, &http);
	work_pool_stats(s->pool, &work);
	backend_session_stats(s->backends, &sessions);
	mf_log_info("stats connections=%zu requests=%zu accepted=%" PRIu64 " answered=%" PRIu64
		    " refused=%" PRIu64 " left=%" PRIu64
		    " queued=%zu running=%zu waiting=%zu sessions_busy=%zu sessions_idle=%zu",
		http.connections, http.requests, http.accepted, http.answered, http.refused,
		http.left, work.queued, work.running, work.parked, sessions.busy, sessions.idle);
}

static void
collect(struct service *s)
{
	int64_t life = mf_conf_number(conf_top(s->conf), "device_life");
	struct state_collected gone = { 0 };
	struct mf_error err = { .text = "" };

	if (state_collect(s->state, clock_wall() - life, &gone, &err) != MF_OK)
		mf_log_warning("collect=failed why=%s", mf_log_value(err.text));
	else if (gone.devices + gone.folders + gone.moves > 0)
		mf_log_info("collect=done devices=%" PRIu64 " folders=%" PRIu64 " moves=%" PRIu64,
			gone.devices, gone.folders, gone.moves);
	s->collect_at = clock_ms() + COLLECT_MS;
}

/* What is due is done; the result is for how long nothing is. */
static int64_t
keep_house(struct service *s)
{
	int64_t idle = mf_conf_number(conf_top(s->conf), "session_idle") * 1000;
	int64_t now = clock_ms(), next = now + REAP_MAX_MS, reap;

	reap = backend_sessions_reap(s->backends, now);
	if (reap < next)
		next = reap > now + HOUSE_MIN_MS ? reap : now + HOUSE_MIN_MS;
	else if (idle > 0 && now + idle < next)
		next = now + idle; /* for those that become idle from now on */
	if (now >= s->collect_at)
		collect(s);
	malloc_trim(0); /* what a crowd of requests needed goes back to the system */
	if (s->collect_at < next)
		next = s->collect_at;
	now = clock_ms();
	next = now + steer_due(&s->steer, next - now);
	if (s->watchdog > 0) {
		main_notify("WATCHDOG=1");
		if (now + s->watchdog < next)
			next = now + s->watchdog;
	}
	return next > now ? next - now : 1;
}

/* Certificates and the log's level: other settings are read at a start. */
static void
reload(struct service *s)
{
	struct mf_error err = { .text = "" };

	if (http_server_reload(s->http, &err) == MF_OK)
		mf_log_info("signal=HUP reloaded=certificate,log_level why=\"other settings want a "
			    "restart\"");
	else
		mf_log_error("signal=HUP reloaded=nothing why=%s", mf_log_value(err.text));
	steer_again(&s->steer);
}

/* Until a signal says to stop; that signal. */
static int
wait_for_stop(struct service *s, const sigset_t *set)
{
	for (;;) {
		int64_t ms = keep_house(s);
		struct timespec ts = { .tv_sec = (time_t)(ms / 1000),
			.tv_nsec = (long)(ms % 1000) * 1000000 };
		int got = sigtimedwait(set, NULL, &ts);

		if (got == SIGTERM || got == SIGINT)
			return got;
		if (got == SIGUSR1)
			log_stats(s);
		if (got == SIGHUP)
			reload(s);
		if (got == SIGUSR2)
			steer_again(&s->steer);
	}
}

/* A request that is stuck in a backend keeps its memory and its session: the process then ends as it
 * is. Everything that was promised to a phone is on the disk already. */
static int
stop(struct service *s, int sig)
{
	int64_t grace = mf_conf_number(conf_top(s->conf), "stop_timeout") * 1000;
	struct mf_error err = { .text = "" };

	mf_log_info("stop=begun signal=%d", sig);
	main_notify("STOPPING=1");
	if (http_server_stop(s->http, grace, &err) != MF_OK) {
		mf_log_error("stop=forced why=%s", mf_log_value(err.text));
		_exit(MAIN_TEMPORARY);
	}
	close_all(s);
	mf_log_info("stop=done");
	return MAIN_OK;
}

static int
fail(struct service *s, const struct mf_error *err)
{
	mf_log_error("start=failed why=%s", mf_log_value(err->text));
	fprintf(stderr, "mailferry serve: %s\n", err->text);
	close_all(s);
	return err->status == MF_INVALID ? MAIN_CONFIG : MAIN_FAILED;
}

static int
serve(const char *path)
{
	struct service s = { .collect_at = clock_ms() + COLLECT_FIRST_MS };
	struct mf_error err = { .text = "" };
	sigset_t set;

	block_signals(&set);
	/* Few arenas: memory that one worker frees serves the others. */
	mallopt(M_ARENA_MAX, MALLOC_ARENAS);
	if (main_load(path, &s.conf, &err) != MF_OK) {
		fprintf(stderr, "mailferry serve: %s\n", err.text);
		return MAIN_CONFIG;
	}
	main_log_apply(conf_top(s.conf));
	main_privileges_harden(mf_conf_bool(conf_top(s.conf), "core_dumps"));
	mf_log_info("start=begun version=%s configuration=%s", MAILFERRY_VERSION,
		mf_log_value(path == NULL ? "environment" : path));
	raise_descriptors(conf_top(s.conf));
	steer_begin(&s.steer, path, conf_top(s.conf));
	s.watchdog = main_watchdog();
	if (open_all(&s, &err) != MF_OK)
		return fail(&s, &err);
	mf_log_info("start=done pid=%d", (int)getpid());
	main_notify("READY=1");
	return stop(&s, wait_for_stop(&s, &set));
}

int
main_serve(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	const char *path = NULL;
	int letter;

	while ((letter = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
		if (letter == 'c') {
			path = optarg;
			continue;
		}
		fputs("usage: mailferry serve [--config FILE]\n", letter == 'h' ? stdout : stderr);
		return letter == 'h' ? MAIN_OK : MAIN_USAGE;
	}
	if (optind < argc) {
		fputs("usage: mailferry serve [--config FILE]\n", stderr);
		return MAIN_USAGE;
	}
	return serve(main_config_path(path));
}
