/* eas: what happened lately, and what is concluded from it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "eas/commands.h"
#include "eas/history.h"
#include "eas/problem.h"
#include "state/device.h"

enum { NOW = 1000000 };

/* n events, a second apart unless the case says more, the newest first. */
struct make {
	size_t n;
	struct history_event like;
	int64_t apart;
};

static size_t
make(struct history_event *out, const struct make *makes, size_t n_makes)
{
	size_t n = 0;
	int64_t at = NOW;

	for (size_t i = 0; i < n_makes; i++)
		for (size_t k = 0; k < makes[i].n; k++) {
			out[n] = makes[i].like;
			out[n++].at = at;
			at -= makes[i].apart == 0 ? 1 : makes[i].apart;
		}
	return n;
}

#define OK	.http = 200
#define PING_60 .http = 200, .waited = true, .left = true, .ms = 60100, .asked_ms = 900000

static const struct {
	const char *name;
	struct make makes[3];
	int kind; /* -1: nothing */
	uint32_t n, seconds;
} cases[] = {
	{ "nothing", { { 0 } }, -1, 0, 0 },
	{ "a busy first synchronisation",
		{ { 16, { OK, .digest = 1, .items = 50 }, 1 }, { 16, { OK, .digest = 2 }, 1 } }, -1,
		0, 0 },
	{ "the same again", { { 24, { OK, .digest = 7, .command = 3 }, 2 } }, PROBLEM_REPEATS, 24,
		47 },
	{ "the same, but slowly", { { 32, { OK, .digest = 7 }, 30 } }, -1, 0, 0 },
	{ "the same, but it tells", { { 32, { OK, .digest = 7, .items = 1 }, 1 } }, -1, 0, 0 },
	{ "waits that end at once",
		{ { 30, { OK, .digest = 7, .waited = true, .ms = 300, .asked_ms = 900000 }, 1 } },
		PROBLEM_REPEATS, 30, 30 },
	{ "cut after a minute", { { 4, { PING_60 }, 60 } }, PROBLEM_CUT, 4, 60 },
	{ "cut twice only", { { 2, { PING_60 }, 60 } }, -1, 0, 0 },
	{ "cut, but one lived since",
		{ { 1, { OK, .waited = true, .ms = 900000, .asked_ms = 900000 }, 900 },
			{ 5, { PING_60 }, 60 } },
		-1, 0, 0 },
	{ "a phone that comes and goes",
		{ { 2, { OK, .waited = true, .left = true, .ms = 20000, .asked_ms = 900000 }, 60 },
			{ 2, { OK, .waited = true, .left = true, .ms = 90000, .asked_ms = 900000 },
				60 },
			{ 1, { OK, .waited = true, .left = true, .ms = 300000, .asked_ms = 900000 },
				60 } },
		-1, 0, 0 },
	{ "ends when it was to end",
		{ { 6, { OK, .waited = true, .left = true, .ms = 60000, .asked_ms = 61000 }, 60 } },
		-1, 0, 0 },
	{ "slow", { { 6, { OK, .ms = 4000, .server_ms = 3600 }, 10 } }, PROBLEM_SLOW, 6, 4 },
	{ "slow by ourselves", { { 6, { OK, .ms = 4000, .server_ms = 20 }, 10 } }, -1, 0, 0 },
	{ "slow long ago",
		{ { 1, { OK }, 3600 }, { 6, { OK, .ms = 4000, .server_ms = 3600 }, 10 } }, -1, 0,
		0 },
	{ "down", { { 3, { .http = 503 }, 30 } }, PROBLEM_DOWN, 3, 900 },
	{ "was down", { { 1, { OK }, 1 }, { 9, { .http = 503 }, 10 } }, -1, 0, 0 },
	{ "denied", { { 5, { .http = 401 }, 30 } }, PROBLEM_DENIED, 5, 900 },
	{ "denied once", { { 1, { .http = 401 }, 1 }, { 9, { OK, .items = 1 }, 10 } }, -1, 0, 0 },
};

Test(eas_problem, of_a_device)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct history_event events[100];
		struct problem out[PROBLEM_KINDS];
		struct mf_arena *a = mf_arena_new();
		size_t n = problems_of_device(events, make(events, cases[i].makes, 3), NOW, out);

		cr_assert_eq(n, cases[i].kind >= 0, "%s: %zu", cases[i].name, n);
		if (n == 1) {
			cr_assert_eq((int)out[0].kind, cases[i].kind, "%s: %d", cases[i].name,
				out[0].kind);
			cr_assert_eq(out[0].n, cases[i].n, "%s: %u", cases[i].name, out[0].n);
			cr_assert_eq(out[0].seconds, cases[i].seconds, "%s: %u", cases[i].name,
				out[0].seconds);
			cr_assert_gt(strlen(problem_title(a, &out[0])), 10);
			cr_assert_gt(strlen(problem_advice(a, &out[0])), 30);
		}
		mf_arena_free(a);
	}
}

Test(eas_problem, of_all)
{
	static struct history_slot slots[HISTORY_SLOTS];
	struct problem out[PROBLEM_KINDS];

	for (size_t i = 0; i < HISTORY_SLOTS; i++)
		slots[i].began = NOW - (int64_t)(HISTORY_SLOTS - 1 - i) * HISTORY_SLOT_SECONDS;
	cr_assert_eq(problems_of_all(slots, NOW, out), 0);
	slots[10] = (struct history_slot){
		.began = slots[10].began, .requests = 50, .failed = 50, .server_ms = 500000
	};
	cr_assert_eq(problems_of_all(slots, NOW, out), 0, "long ago");
	slots[HISTORY_SLOTS - 1].requests = 10;
	slots[HISTORY_SLOTS - 1].waits = 2;
	slots[HISTORY_SLOTS - 1].server_ms = 40000;
	slots[HISTORY_SLOTS - 1].failed = 4;
	cr_assert_eq(problems_of_all(slots, NOW, out), 2);
	cr_assert_eq(out[0].kind, PROBLEM_SLOW);
	cr_assert_eq(out[0].seconds, 5);
	cr_assert_eq(out[1].kind, PROBLEM_DOWN);
	cr_assert_eq(out[1].n, 4);
}

/* ---- History ---- */

static struct eas_server server;
static struct state_device device;

static void
happens(struct eas_history *h, struct mf_arena *a, const char *id, unsigned http, const char *body)
{
	struct eas_request r = { .arena = a,
		.server = &server,
		.query = "Cmd=Sync",
		.user = "anna",
		.device_id = id,
		.device = http == 401 ? NULL : &device,
		.command = eas_command_find("Sync"),
		.began = clock_ms() };

	r.body = mf_bytes(body, strlen(body));
	r.answer.http_status = http;
	r.digest = eas_history_digest(&r);
	eas_history_done(h, &r);
}

static bool
count_one(void *ctx, const char *user, const char *id, const struct history_event *events, size_t n)
{
	(void)user;
	(void)id;
	(void)events;
	(void)n;
	++*(size_t *)ctx;
	return true;
}

Test(eas_problem, history)
{
	struct eas_history *h = eas_history_new();
	struct history_event events[HISTORY_EVENTS];
	struct history_slot slots[HISTORY_SLOTS];
	struct mf_arena *a = mf_arena_new();
	size_t all = 0;
	char id[20];

	happens(h, a, "STRANGER", 401, "");
	cr_assert_eq(eas_history_device(h, "anna", "STRANGER", events), 0, "nobody's entry");
	for (int i = 0; i < 40; i++)
		happens(h, a, "D1", 200, i % 2 == 0 ? "x" : "y");
	happens(h, a, "D1", 401, "z");
	cr_assert_eq(eas_history_device(h, "anna", "D1", events), HISTORY_EVENTS);
	cr_assert_eq(events[0].http, 401);
	cr_assert_eq(events[1].digest, events[3].digest);
	cr_assert_neq(events[1].digest, events[2].digest);
	eas_history_woken(h, true);
	eas_history_woken(h, false);
	eas_history_slots(h, slots);
	cr_assert_eq(slots[HISTORY_SLOTS - 1].requests, 42);
	cr_assert_eq(slots[HISTORY_SLOTS - 1].denied, 2);
	cr_assert_eq(slots[HISTORY_SLOTS - 1].woken, 2);
	cr_assert_eq(slots[HISTORY_SLOTS - 1].woken_idle, 1);
	clock_shift(HISTORY_SLOT_SECONDS * 3);
	eas_history_slots(h, slots);
	cr_assert_eq(slots[HISTORY_SLOTS - 1].requests, 0);
	cr_assert_eq(slots[HISTORY_SLOTS - 4].requests, 42);
	clock_shift(HISTORY_SLOT_SECONDS * (int64_t)HISTORY_SLOTS);
	happens(h, a, "D1", 200, "x"); /* in the place of a slot of yesterday */
	eas_history_slots(h, slots);
	cr_assert_eq(slots[HISTORY_SLOTS - 1].requests, 1);
	/* however many come, the memory is bounded, and the oldest go first */
	for (int i = 0; i < HISTORY_DEVICES + 10; i++) {
		snprintf(id, sizeof(id), "N%d", i);
		happens(h, a, id, 200, "");
	}
	eas_history_each(h, 0, count_one, &all);
	cr_assert_eq(all, HISTORY_DEVICES, "%zu", all);
	cr_assert_eq(eas_history_device(h, "anna", "D1", events), 0);
	cr_assert_eq(eas_history_device(h, "anna", "N9", events), 0);
	cr_assert_eq(eas_history_device(h, "anna", "N10", events), 1);
	mf_arena_free(a);
	eas_history_free(h);
}
