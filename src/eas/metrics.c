/* Counters of commands. Knows the table of commands; must not know what any command does. */
#include "eas/metrics.h"

#include <inttypes.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "eas/commands.h"

enum { COMMANDS_MAX = 40, OTHER = COMMANDS_MAX - 1, BUCKETS = 8 };

/* What a request came to. */
enum outcome { OUTCOME_OK, OUTCOME_STATUS, OUTCOME_CLIENT, OUTCOME_DENIED, OUTCOME_BUSY, OUTCOMES };

static const char *const outcome_names[] = { "ok", "status", "http4xx", "denied", "http5xx" };

/* Upper bounds in ms; the last is without. Waiting requests are counted by their commands alone. */
static const int64_t bounds[BUCKETS - 1] = { 5, 20, 50, 200, 1000, 5000, 20000 };

static struct {
	_Atomic uint64_t outcomes[OUTCOMES];
	_Atomic uint64_t buckets[BUCKETS], ms;
} commands[COMMANDS_MAX];

static _Atomic uint64_t woken, woken_for_nothing, items, bytes_in, bytes_out;

/* From the mail server's word to the answer, upper bounds in ms; the last is without. */
enum { WAKE_BUCKETS = 12 };
static const int64_t wake_bounds[WAKE_BUCKETS - 1] = { 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000,
	5000 };
static _Atomic uint64_t wake_buckets[WAKE_BUCKETS], wake_us;

static size_t
index_of(const struct eas_command *c)
{
	size_t i = c == NULL ? (size_t)OTHER : (size_t)(c - eas_commands);

	return i < OTHER ? i : (size_t)OTHER;
}

static enum outcome
outcome_of(const struct eas_request *r)
{
	unsigned http = r->answer.http_status;

	if (http >= 500)
		return OUTCOME_BUSY;
	if (http == 401 || http == 403)
		return OUTCOME_DENIED;
	if (http >= 400)
		return OUTCOME_CLIENT;
	return r->status > 1 ? OUTCOME_STATUS : OUTCOME_OK;
}

void
eas_metrics_done(const struct eas_request *r)
{
	size_t c = index_of(r->command), b = 0;
	int64_t ms = clock_ms() - r->began;

	atomic_fetch_add(&commands[c].outcomes[outcome_of(r)], 1);
	atomic_fetch_add(&items, r->items);
	atomic_fetch_add(&bytes_in, r->body.len);
	atomic_fetch_add(&bytes_out, r->answer.body.len);
	if (r->wait.until != 0) /* it waited: its time says nothing */
		return;
	while (b < BUCKETS - 1 && ms > bounds[b])
		b++;
	atomic_fetch_add(&commands[c].buckets[b], 1);
	atomic_fetch_add(&commands[c].ms, ms < 0 ? 0 : (uint64_t)ms);
}

void
eas_metrics_woken(bool found, int64_t us)
{
	size_t b = 0;

	atomic_fetch_add(&woken, 1);
	if (!found) {
		atomic_fetch_add(&woken_for_nothing, 1);
		return;
	}
	while (b < WAKE_BUCKETS - 1 && us > wake_bounds[b] * 1000)
		b++;
	atomic_fetch_add(&wake_buckets[b], 1);
	atomic_fetch_add(&wake_us, us < 0 ? 0 : (uint64_t)us);
}

static const char *
name_of(size_t i)
{
	return i < eas_commands_n ? eas_commands[i].name : "other";
}

static void
print_outcomes(struct mf_buf *out)
{
	mf_buf_add_str(out, "# HELP mailferry_requests_total Requests by command and outcome.\n"
			    "# TYPE mailferry_requests_total counter\n");
	for (size_t i = 0; i < COMMANDS_MAX; i++)
		for (size_t o = 0; o < OUTCOMES; o++)
			if (i < eas_commands_n || i == OTHER)
				mf_buf_printf(out,
					"mailferry_requests_total{command=\"%s\",outcome=\"%s\"} "
					"%" PRIu64 "\n",
					name_of(i), outcome_names[o],
					atomic_load(&commands[i].outcomes[o]));
}

static void
print_times(struct mf_buf *out)
{
	mf_buf_add_str(out, "# HELP mailferry_request_seconds Time to the answer, of requests that "
			    "did not wait.\n"
			    "# TYPE mailferry_request_seconds histogram\n");
	for (size_t i = 0; i < eas_commands_n && i < OTHER; i++) {
		uint64_t sum = 0;

		for (size_t b = 0; b < BUCKETS; b++) {
			sum += atomic_load(&commands[i].buckets[b]);
			mf_buf_printf(out, "mailferry_request_seconds_bucket{command=\"%s\",le=\"",
				name_of(i));
			if (b < BUCKETS - 1)
				mf_buf_printf(out, "%g", (double)bounds[b] / 1000);
			else
				mf_buf_add_str(out, "+Inf");
			mf_buf_printf(out, "\"} %" PRIu64 "\n", sum);
		}
		mf_buf_printf(out,
			"mailferry_request_seconds_sum{command=\"%s\"} %.3f\n"
			"mailferry_request_seconds_count{command=\"%s\"} %" PRIu64 "\n",
			name_of(i), (double)atomic_load(&commands[i].ms) / 1000, name_of(i), sum);
	}
}

static void
print_wakeups(struct mf_buf *out)
{
	uint64_t sum = 0;

	mf_buf_add_str(out,
		"# HELP mailferry_wakeup_seconds From the mail server's word to the answer of a "
		"waiting request, of those that had something to tell.\n"
		"# TYPE mailferry_wakeup_seconds histogram\n");
	for (size_t b = 0; b < WAKE_BUCKETS; b++) {
		sum += atomic_load(&wake_buckets[b]);
		mf_buf_add_str(out, "mailferry_wakeup_seconds_bucket{le=\"");
		if (b < WAKE_BUCKETS - 1)
			mf_buf_printf(out, "%g", (double)wake_bounds[b] / 1000);
		else
			mf_buf_add_str(out, "+Inf");
		mf_buf_printf(out, "\"} %" PRIu64 "\n", sum);
	}
	mf_buf_printf(out,
		"mailferry_wakeup_seconds_sum %.6f\nmailferry_wakeup_seconds_count %" PRIu64 "\n",
		(double)atomic_load(&wake_us) / 1e6, sum);
}

void
eas_metrics_print(struct mf_buf *out)
{
	static const struct {
		const char *name, *help;
		_Atomic uint64_t *value;
	} rows[] = {
		{ "mailferry_wakeups_total", "Waiting requests called because something stirred.",
			&woken },
		{ "mailferry_wakeups_empty_total", "Of them, those that found nothing to tell.",
			&woken_for_nothing },
		{ "mailferry_items_total", "Items told to phones.", &items },
		{ "mailferry_request_bytes_total", "Bytes of requests' bodies.", &bytes_in },
		{ "mailferry_answer_bytes_total", "Bytes of answers' bodies.", &bytes_out },
	};

	print_outcomes(out);
	print_times(out);
	print_wakeups(out);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		mf_buf_printf(out, "# HELP %s %s\n# TYPE %s counter\n%s %" PRIu64 "\n",
			rows[i].name, rows[i].help, rows[i].name, rows[i].name,
			atomic_load(rows[i].value));
}
