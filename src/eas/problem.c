/* Conclusions. Knows nothing of where facts come from. */
#include "eas/problem.h"

#include "eas/commands.h"

enum {
	LATELY = 15 * 60, /* seconds: what is older is over */
	REPEATS = 20,	  /* of the very same request ... */
	REPEATS_IN = 300, /* ... within so many seconds */
	SHORT_WAIT_MS = 10 * 1000,
	CUTS = 3,		  /* waits that ended alike ... */
	CUT_WITHIN_MS = 3000,	  /* ... within so much of each other ... */
	CUT_EARLY_MS = 10 * 1000, /* ... and so much before they were to end */
	SLOW_REQUESTS = 5,
	SLOW_MS = 2000,
	DOWNS = 3,
	DENIALS = 3
};

/* ---- A device ---- */

/* One that says that there is something else than the same again. */
static bool
tells(const struct history_event *e)
{
	return e->items > 0 || e->http >= 400 || (e->waited && e->ms >= SHORT_WAIT_MS);
}

static bool
repeats(const struct history_event *events, size_t n, int64_t now, struct problem *out)
{
	uint32_t same = 0;
	int64_t first = now;
	for (size_t i = 0; i < n && events[i].at >= now - REPEATS_IN; i++) {
		if (events[i].digest != events[0].digest || tells(&events[i]))
			continue;
		same++;
		first = events[i].at;
	}
	if (same < REPEATS)
		return false;
	*out = (struct problem){ PROBLEM_REPEATS, same, (uint32_t)(now - first) + 1,
		events[0].command };
	return true;
}

/* How many other waits ended as events[i] did. */
static uint32_t
alike(const struct history_event *events, size_t n, size_t i)
{
	uint32_t found = 0;
	for (size_t k = 0; k < n; k++) {
		int64_t apart = (int64_t)events[k].ms - events[i].ms;
		found += events[k].left && events[k].waited && apart <= CUT_WITHIN_MS &&
			 apart >= -CUT_WITHIN_MS &&
			 (int64_t)events[k].asked_ms - events[k].ms >= CUT_EARLY_MS;
	}
	return found;
}

static bool
cut(const struct history_event *events, size_t n, int64_t now, struct problem *out)
{
	(void)now;
	for (size_t i = 0; i < n; i++) {
		uint32_t found;
		if (events[i].waited && !events[i].left && events[i].ms >= SHORT_WAIT_MS)
			return false; /* one was let live since */
		found = events[i].left ? alike(events, n, i) : 0;
		if (found < CUTS)
			continue;
		*out = (struct problem){ PROBLEM_CUT, found, (events[i].ms + 500) / 1000, 255 };
		return true;
	}
	return false;
}

static bool
slow(const struct history_event *events, size_t n, int64_t now, struct problem *out)
{
	uint64_t sum = 0;
	uint32_t found = 0;
	for (size_t i = 0; i < n && events[i].at >= now - LATELY; i++) {
		if (events[i].waited || events[i].http == 401)
			continue;
		sum += events[i].server_ms;
		found++;
	}
	if (found < SLOW_REQUESTS || sum / found < SLOW_MS)
		return false;
	*out = (struct problem){ PROBLEM_SLOW, found, (uint32_t)((sum / found + 500) / 1000), 255 };
	return true;
}

/* The last ones, in a row: what was good again is over. */
static uint32_t
in_a_row(const struct history_event *events, size_t n, int64_t now, bool (*is)(unsigned http))
{
	uint32_t found = 0;
	while (found < n && events[found].at >= now - LATELY && is(events[found].http))
		found++;
	return found;
}

static bool
is_down(unsigned http)
{
	return http >= 500;
}

static bool
is_denied(unsigned http)
{
	return http == 401;
}

static bool
down(const struct history_event *events, size_t n, int64_t now, struct problem *out)
{
	uint32_t found = in_a_row(events, n, now, is_down);
	*out = (struct problem){ PROBLEM_DOWN, found, LATELY, 255 };
	return found >= DOWNS;
}

static bool
denied(const struct history_event *events, size_t n, int64_t now, struct problem *out)
{
	uint32_t found = in_a_row(events, n, now, is_denied);
	*out = (struct problem){ PROBLEM_DENIED, found, LATELY, 255 };
	return found >= DENIALS;
}

static bool (*const rules[])(const struct history_event *events, size_t n, int64_t now,
	struct problem *out) = { repeats, cut, slow, down, denied };

size_t
problems_of_device(const struct history_event *events, size_t n, int64_t now,
	struct problem out[PROBLEM_KINDS])
{
	size_t found = 0;
	for (size_t i = 0; n > 0 && i < sizeof(rules) / sizeof(rules[0]); i++)
		found += rules[i](events, n, now, &out[found]);
	return found;
}

/* ---- All ---- */

size_t
problems_of_all(const struct history_slot slots[HISTORY_SLOTS], int64_t now,
	struct problem out[PROBLEM_KINDS])
{
	uint64_t server_ms = 0;
	uint32_t quick = 0, failed = 0;
	size_t found = 0;
	for (size_t i = 0; i < HISTORY_SLOTS; i++) {
		if (slots[i].began + HISTORY_SLOT_SECONDS < now - LATELY)
			continue;
		server_ms += slots[i].server_ms;
		quick += slots[i].requests - slots[i].waits;
		failed += slots[i].failed;
	}
	if (quick >= SLOW_REQUESTS && server_ms / quick >= SLOW_MS)
		out[found++] = (struct problem){ PROBLEM_SLOW, quick,
			(uint32_t)((server_ms / quick + 500) / 1000), 255 };
	if (failed >= DOWNS)
		out[found++] = (struct problem){ PROBLEM_DOWN, failed, LATELY, 255 };
	return found;
}

/* ---- Words ---- */

static const char *
command_of(const struct problem *p)
{
	return p->command < eas_commands_n ? eas_commands[p->command].name : "the same";
}

const char *
problem_title(struct mf_arena *a, const struct problem *p)
{
	switch (p->kind) {
	case PROBLEM_REPEATS:
		return mf_printf(a, "asks again and again: %s, %u times in %u s", command_of(p),
			p->n, p->seconds);
	case PROBLEM_CUT:
		return mf_printf(a, "proxy cuts after %u s", p->seconds);
	case PROBLEM_SLOW:
		return mf_printf(a, "IMAP server slow: %u s a request", p->seconds);
	case PROBLEM_DOWN:
		return mf_printf(a, "cannot be served: %u requests failed", p->n);
	case PROBLEM_DENIED:
		return mf_printf(a, "wrong password: refused %u times", p->n);
	case PROBLEM_KINDS:
		break;
	}
	return "";
}

const char *
problem_advice(struct mf_arena *a, const struct problem *p)
{
	switch (p->kind) {
	case PROBLEM_REPEATS:
		return "The phone gets an answer and asks the same again, which costs its battery. "
		       "Turn the account off and on again on the phone; if that does not help, let "
		       "it start afresh (\"forget\") and look into the log for its requests.";
	case PROBLEM_CUT:
		return mf_printf(a,
			"Requests that wait for new mail are ended from outside after about %u "
			"seconds, each time. A proxy, a load balancer or a firewall in between has "
			"such a time-out: raise it to an hour (contrib/docs/proxies.md shows how), "
			"or set heartbeat_max below it.",
			p->seconds);
	case PROBLEM_SLOW:
		return "The mail server takes long to answer. Its own log, its disks and its load "
		       "are the place to look; Mailferry only waits for it.";
	case PROBLEM_DOWN:
		return "The mail server cannot be reached or answers with errors; phones are told "
		       "to "
		       "come again later. `mailferry check --user NAME` tells what is wrong; the "
		       "log names each failure.";
	case PROBLEM_DENIED:
		return "The phone still has a former password, or somebody else tries. Enter the "
		       "new password on the phone.";
	case PROBLEM_KINDS:
		break;
	}
	return "";
}
