/* push: who waits for what, over a watcher that only this test moves. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "push/loop.h"
#include "push/watch.h"

/* The backend: remembers what it was told, and stirs when it is asked to. */
struct mf_watch {
	struct mf_loop *loop;
	mf_stir_fn *stir;
	void *ctx;
	char password[20];
};

static struct mf_watch *last;
static _Atomic int started, stopped, told_folders;
static _Atomic uint64_t last_group;
static _Atomic int woken[8], looked[8]; /* by the request's number */
static char folders[200];

static enum mf_status
watch_start(struct mf_backend *b, struct mf_loop *loop, const struct mf_login *who,
	mf_stir_fn *stir, void *ctx, struct mf_watch **out, struct mf_error *err)
{
	struct mf_watch *w = calloc(1, sizeof(*w));

	(void)b;
	if (strcmp(who->user, "refused") == 0) {
		free(w);
		return mf_fail(err, MF_TEMPORARY, "no");
	}
	w->loop = loop;
	w->stir = stir;
	w->ctx = ctx;
	snprintf(w->password, sizeof(w->password), "%s", who->password);
	*out = last = w;
	started++;
	return MF_OK;
}

static void
watch_folders(struct mf_watch *w, const char *const *ids, size_t n)
{
	size_t len = 0;

	(void)w;
	folders[0] = '\0';
	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(folders + len, sizeof(folders) - len, "%s ", ids[i]);
	told_folders++;
}

static void
watch_stop(struct mf_watch *w)
{
	stopped += w != NULL;
	free(w);
}

static size_t came; /* so many items are told with each addition; their ids go on */

static size_t
watch_arrived(const struct mf_watch *w, struct mf_arrival *out, size_t max)
{
	static uint64_t id;

	(void)w;
	for (size_t i = 0; i < came && i < max; i++)
		out[i] = (struct mf_arrival){ "INBOX", ++id, 7, 100 };
	return came > max ? 0 : came;
}

static const struct mf_watch_api api = { sizeof(api), watch_start, watch_folders, watch_stop,
	watch_arrived };

static void
wake(void *ctx, uint64_t group, uint64_t one, enum push_news news)
{
	(void)ctx;
	if (news == PUSH_LOOK)
		looked[one]++;
	else
		woken[one]++;
	last_group = group;
}

/* ---- Background work ---- */

static _Atomic int tended, tending_now, tended_at_once;
static char tended_as[20];

static int64_t
tend(void *ctx, uint64_t group, const struct mf_login *who, bool *patient)
{
	(void)ctx;
	(void)group;
	(void)patient;
	if (tending_now++ > 0)
		tended_at_once++;
	snprintf(tended_as, sizeof(tended_as), "%s", who->password);
	usleep(50000);
	tending_now--;
	return ++tended == 1 ? 10 : 0; /* the first call wants another one */
}

static struct push *
open_push(int64_t linger_ms, size_t users_max)
{
	struct push_options o = {
		.api = &api, .linger_ms = linger_ms, .users_max = users_max, .wake = wake
	};
	struct push *p;
	struct mf_error err;

	cr_assert_eq(push_open(&o, &p, &err), MF_OK);
	return p;
}

static struct push_interest *
watch_as(struct push *p, uint64_t group, uint64_t one, const char *password, const char *folder,
	bool changes)
{
	const char *list[] = { folder, NULL };
	struct mf_login who = { .user = password == NULL ? "refused" : "u",
		.password = password == NULL ? "" : password };

	return push_watch(p, &(struct push_wanted){ group, one, &who, list, changes });
}

static struct push_interest *
watch(struct push *p, uint64_t group, const char *password, const char *folder)
{
	return watch_as(p, group, group, password, folder, true);
}

/* Waits until the loop has done everything that was posted. */
static void
settle(const _Atomic int *what, int value)
{
	for (int i = 0; i < 2000 && *what != value; i++)
		usleep(1000);
	cr_assert_eq(*what, value);
}

static void
settle_beyond(const _Atomic int *what, int value)
{
	for (int i = 0; i < 10000 && *what <= value; i++)
		usleep(1000);
	cr_assert_gt(*what, value);
}

struct stir_task {
	struct mf_loop_task task;
	enum mf_stir what;
	const char *folder;
	_Atomic int done;
};

static void
stir_run(struct mf_loop_task *t)
{
	struct stir_task *s = (struct stir_task *)t;

	last->stir(last->ctx, s->what, s->folder);
	s->done = 1;
}

static void
tell(enum mf_stir what, const char *folder)
{
	struct stir_task s = { .task = { .run = stir_run }, .what = what, .folder = folder };

	mf_loop_post(last->loop, &s.task);
	settle(&s.done, 1);
}

static void
stir(const char *folder)
{
	tell(MF_STIR_NEW, folder);
}

Test(push, one_watcher_serves_all_requests_of_a_user)
{
	struct push *p = open_push(20, 10);
	struct push_interest *a = watch(p, 1, "x", "INBOX"), *b = watch(p, 1, "x", "Work");
	struct push_stats stats;

	settle(&told_folders, 2);
	cr_assert_eq(started, 1);
	cr_assert_str_eq(folders, "Work INBOX ");
	stir("INBOX");
	stir("Other"); /* nobody waits for that */
	stir(NULL);
	cr_assert_eq(woken[1], 3); /* one of them, then both */
	push_release(p, a);
	push_release(p, b);
	settle(&stopped, 1); /* after it lingered */
	push_stats(p, &stats);
	cr_assert(stats.users == 0 && stats.interests == 0);
	push_close(p);
}

/* What came is kept for whom it concerns until it is asked for; when it is too much, or something came that nobody
 * told, that is said. */
Test(push, tells_what_came)
{
	struct push *p = open_push(20, 10);
	struct push_interest *a = watch_as(p, 1, 1, "x", "INBOX", false),
			     *b = watch_as(p, 1, 2, "x", "Work", false);
	struct mf_arrival list[50];

	settle(&told_folders, 2);
	cr_assert_eq(push_arrived(a, list, 50), 0, "nothing yet");
	came = 2;
	stir("INBOX");
	stir("INBOX");
	cr_assert_eq(push_arrived(b, list, 50), 0);
	cr_assert_eq(push_arrived(a, list, 50), 4);
	cr_assert(list[0].id == 1 && list[3].id == 4 && list[3].epoch == 7 && list[3].date == 100);
	cr_assert_str_eq(list[0].folder, "INBOX");
	cr_assert_eq(push_arrived(a, list, 50), 0, "once");
	stir("INBOX");
	cr_assert_eq(push_arrived(a, list, 1), 0, "no room");
	stir("INBOX");
	came = 0;
	stir("INBOX");
	cr_assert_eq(push_arrived(a, list, 50), 0, "one is not known");
	came = 49;
	stir("INBOX");
	cr_assert_eq(push_arrived(a, list, 50), 49);
	stir("INBOX");
	stir("INBOX");
	cr_assert_eq(push_arrived(a, list, 50), 0, "too many");
	came = 1;
	stir("INBOX");
	stir(NULL);
	cr_assert_eq(push_arrived(a, list, 50), 0, "somewhere");
	cr_assert_gt(woken[1], 0);
	push_release(p, a);
	push_release(p, b);
	push_close(p);
}

/* Who is woken by what: each row in turn. */
Test(push, wakes_only_whom_it_concerns)
{
	static const struct {
		const char *name;
		enum mf_stir what;
		const char *folder;
		int ping, sync, looks; /* woken[1], woken[2], looked[1] + looked[2] by then */
	} rows[] = {
		{ "ready", MF_STIR_READY, NULL, 0, 0, 2 },
		{ "ready again: nobody is new", MF_STIR_READY, NULL, 0, 0, 2 },
		{ "an addition", MF_STIR_NEW, "INBOX", 1, 1, 2 },
		{ "a change: a Ping does not care", MF_STIR_CHANGED, "INBOX", 1, 2, 2 },
		{ "elsewhere", MF_STIR_NEW, "Work", 1, 2, 2 },
		{ "the list of folders", MF_STIR_FOLDERS, NULL, 2, 3, 2 },
		{ "somewhere", MF_STIR_NEW, NULL, 3, 4, 2 },
		{ "after a gap", MF_STIR_AGAIN, NULL, 3, 4, 4 },
		{ "blind", MF_STIR_BLIND, NULL, 3, 4, 6 },
		{ "seeing", MF_STIR_READY, NULL, 3, 4, 8 },
	};
	struct push *p = open_push(60000, 10);
	struct push_interest *ping = watch_as(p, 7, 1, "x", "INBOX", false),
			     *sync = watch_as(p, 7, 2, "x", "INBOX", true), *late;
	struct push_stats stats;

	settle(&told_folders, 2);
	cr_assert(!push_sees(ping));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		tell(rows[i].what, rows[i].folder);
		cr_assert_eq(woken[1], rows[i].ping, "%s: %d", rows[i].name, woken[1]);
		cr_assert_eq(woken[2], rows[i].sync, "%s: %d", rows[i].name, woken[2]);
		cr_assert_eq(looked[1] + looked[2], rows[i].looks, "%s: %d", rows[i].name,
			looked[1] + looked[2]);
		cr_assert_eq(push_sees(ping), rows[i].what != MF_STIR_BLIND, "%s", rows[i].name);
		push_stats(p, &stats);
		cr_assert_eq(stats.blind, rows[i].what == MF_STIR_BLIND, "%s", rows[i].name);
	}
	late = watch_as(p, 7, 3, "x", "INBOX", false);
	settle(&told_folders, 3);
	tell(MF_STIR_READY, NULL);
	cr_assert(looked[3] == 1 && looked[1] + looked[2] == 8, "only the newcomer looks");
	tell(MF_STIR_BLIND, NULL);
	push_release(p, late);
	late = watch_as(p, 7, 3, "x", "INBOX", false); /* the same password: is it taken now? */
	settle(&told_folders, 4);
	cr_assert_eq(started, 2);
	push_release(p, ping);
	push_release(p, sync);
	push_release(p, late);
	push_close(p);
}

Test(push, a_watcher_outlives_a_pause_between_requests)
{
	struct push *p = open_push(60000, 10);
	struct push_interest *a = watch(p, 2, "x", "INBOX");

	settle(&told_folders, 1);
	push_release(p, a);
	a = watch(p, 2, "x", "INBOX");
	settle(&told_folders, 2);
	cr_assert(started == 1 && stopped == 0);
	push_release(p, a);
	a = watch(p, 2, "changed", "INBOX"); /* another password: the old watcher goes */
	settle(&told_folders, 3);
	cr_assert(started == 2 && stopped == 1);
	cr_assert_str_eq(last->password, "changed");
	push_forget(p, 2, &(struct mf_login){ .user = "u", .password = "x" });
	push_leave(p, 2);
	usleep(50000);
	cr_assert(stopped == 1, "other credentials, and somebody waits: it stays");
	push_forget(p, 2, &(struct mf_login){ .user = "u", .password = "changed" });
	settle(&stopped, 2);
	cr_assert(!push_sees(a), "who waits looks for itself from now on");
	push_release(p, a);
	push_close(p);
	cr_assert_eq(stopped, 2);
}

/* Two devices with a token of their own each share one watcher; a device that comes with another one has it replaced. */
Test(push, devices_with_credentials_of_their_own)
{
	struct push *p = open_push(60000, 10);
	struct push_interest *a = watch_as(p, 2, 1, "first", "INBOX", false), *b;

	settle(&told_folders, 1);
	b = watch_as(p, 2, 2, "second", "INBOX", false);
	settle(&told_folders, 2);
	for (int i = 0; i < 3; i++) {
		push_release(p, a);
		push_release(p, b);
		b = watch_as(p, 2, 2, "second", "INBOX", false);
		a = watch_as(p, 2, 1, "first", "INBOX", false);
		settle(&told_folders, 4 + i * 2);
	}
	cr_assert(started == 1 && stopped == 0);
	push_release(p, a);
	a = watch_as(p, 2, 1, "renewed", "INBOX", false);
	settle(&told_folders, 9);
	cr_assert(started == 2 && stopped == 1);
	cr_assert_str_eq(last->password, "renewed");
	tell(MF_STIR_BLIND, NULL);
	push_release(p, b);
	b = watch_as(p, 2, 2, "second", "INBOX", false);
	settle(&told_folders, 10);
	cr_assert(started == 3 && stopped == 2, "one that is refused is replaced by whoever comes");
	push_release(p, a);
	push_release(p, b);
	push_close(p);
}

/* Those that the server refused are not kept for the next request, good ones are, until a device of the user is
 * refused. */
Test(push, credentials_go_when_they_are_of_no_use)
{
	struct push *p = open_push(60000, 10);
	struct push_interest *a = watch(p, 3, "x", "INBOX");

	settle(&told_folders, 1);
	tell(MF_STIR_BLIND, NULL);
	cr_assert_eq(stopped, 0, "somebody waits");
	push_release(p, a);
	settle(&stopped, 1);
	a = watch(p, 3, "y", "INBOX");
	settle(&told_folders, 2);
	push_release(p, a);
	usleep(50000);
	cr_assert_eq(stopped, 1, "the good ones are kept");
	tell(MF_STIR_BLIND, NULL); /* while nobody waits */
	settle(&stopped, 2);
	a = watch(p, 3, "z", "INBOX");
	settle(&told_folders, 3);
	push_release(p, a);
	push_leave(p, 3);
	settle(&stopped, 3);
	push_close(p);
}

Test(push, background_work_follows_events_while_the_watcher_lives)
{
	struct push_options o = { .api = &api,
		.linger_ms = 60000,
		.users_max = 10,
		.wake = wake,
		.tend = tend,
		.tend_threads = 4 };
	struct push_interest *a;
	struct push_stats stats;
	struct mf_error err;
	struct push *p;
	int n;

	cr_assert_eq(push_open(&o, &p, &err), MF_OK);
	a = watch(p, 6, "x", "INBOX");
	settle_beyond(&tended, 1); /* once at the beginning, and once because it asked to */
	push_release(p, a);
	n = tended;
	for (int i = 0; i < 20; i++)
		stir("INBOX"); /* nobody waits, the watcher lingers */
	settle_beyond(&tended, n);
	cr_assert_lt(tended, n + 20, "a burst is not one run an event");
	cr_assert_str_eq(tended_as, "x");
	stir(NULL);
	while (tending_now == 0)
		usleep(1000);
	n = tended;
	stir("INBOX"); /* while it runs: once more, after it */
	settle_beyond(&tended, n + 1);
	cr_assert_eq(tended_at_once, 0, "two at once for one user");
	push_leave(p, 6); /* with its credentials */
	settle(&stopped, 1);
	usleep(100000); /* one that had begun may end */
	n = tended;
	usleep(700000);
	cr_assert_eq(tended, n, "a user that was forgotten is left alone");
	push_stats(p, &stats);
	cr_assert_eq(stats.tended, (uint64_t)n);
	push_close(p);
}

Test(push, ends_while_background_work_runs)
{
	struct push_options o = { .api = &api,
		.linger_ms = 60000,
		.users_max = 10,
		.wake = wake,
		.tend = tend,
		.tend_threads = 1 };
	struct push_interest *a, *b;
	struct mf_error err;
	struct push *p;

	cr_assert_eq(push_open(&o, &p, &err), MF_OK);
	a = watch(p, 6, "x", "INBOX");
	b = watch(p, 7, "y", "INBOX");
	while (tending_now == 0)
		usleep(1000);
	push_release(p, a);
	push_release(p, b);
	push_close(p); /* the one that runs ends, the one that waits for the thread is dropped */
	cr_assert(tended <= 1 && tending_now == 0);
}

Test(push, keeps_its_limit_and_survives_refusals)
{
	struct push *p = open_push(10, 1);
	struct push_interest *a = watch(p, 3, NULL, "INBOX"), *b = watch(p, 4, "x", "INBOX"),
			     *c = watch(p, 5, "x", "INBOX");
	struct push_stats stats;

	settle(&told_folders, 1);
	push_release(p, a);
	push_release(p, c);
	push_release(p, b);
	settle(&stopped, 1);
	push_stats(p, &stats);
	cr_assert_eq(stats.refused, 1);
	push_close(p);
}
