/* Two trees under one lock: users that wait, and devices that were cut off. */
#include "eas/waits.h"

#include <inttypes.h>
#include <pthread.h>
#include <search.h>
#include <stdlib.h>

#include "base/clock.h"
#include "mailferry/log.h"
#include "state/device.h"

enum {
	CUTS = 3,		    /* alike, in a row */
	ALIKE_MS = 2000,	    /* so far apart at most */
	SHORT_MS = 10 * 1000,	    /* sooner it is the phone itself that has changed its mind */
	KEEP_MS = 24 * 3600 * 1000, /* then it is tried again */
	DEVICES_MAX = 100000,	    /* remembered at once */
};

struct user {
	uint32_t number;
	unsigned waiting;
};

struct device {
	uint64_t id;	     /* user and device */
	int64_t after, most; /* ms: when it was cut off; how long it may wait, 0: not yet known */
	int64_t seen;	     /* clock_ms of the last cut */
	unsigned cuts;
};

struct eas_waits {
	uint64_t limit, user_limit;
	pthread_mutex_t lock;
	void *users, *devices; /* tsearch */
	size_t n_devices;
	struct eas_waits_stats stats;
};

struct eas_waits *
eas_waits_new(const struct mf_conf *top)
{
	struct eas_waits *w = calloc(1, sizeof(*w));
	if (w == NULL)
		abort();
	w->limit = (uint64_t)mf_conf_number(top, "waiting_limit");
	w->user_limit = (uint64_t)mf_conf_number(top, "waiting_limit_user");
	pthread_mutex_init(&w->lock, NULL);
	return w;
}

void
eas_waits_free(struct eas_waits *w)
{
	if (w == NULL)
		return;
	tdestroy(w->users, free);
	tdestroy(w->devices, free);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

/* ---- Users ---- */

static int
compare_users(const void *x, const void *y)
{
	const struct user *a = x, *b = y;
	return (a->number > b->number) - (a->number < b->number);
}

static struct user *
user_of(struct eas_waits *w, uint32_t number)
{
	struct user key = { .number = number }, *u;
	struct user **found = tfind(&key, &w->users, compare_users);
	if (found != NULL)
		return *found;
	u = calloc(1, sizeof(*u));
	if (u == NULL)
		abort();
	u->number = number;
	if (tsearch(u, &w->users, compare_users) == NULL)
		abort();
	return u;
}

static void
user_leave(struct eas_waits *w, uint32_t number)
{
	struct user *u = user_of(w, number);
	if (--u->waiting > 0)
		return;
	tdelete(u, &w->users, compare_users);
	free(u);
}

bool
eas_waits_begin(struct eas_waits *w, const struct eas_request *r)
{
	struct user *u;
	bool may;
	pthread_mutex_lock(&w->lock);
	u = user_of(w, r->user_number);
	may = (w->limit == 0 || w->stats.waiting < w->limit) &&
	      (w->user_limit == 0 || u->waiting < w->user_limit);
	u->waiting++;
	w->stats.waiting++;
	if (!may) {
		w->stats.refused++;
		w->stats.waiting--;
		user_leave(w, r->user_number);
	}
	pthread_mutex_unlock(&w->lock);
	return may;
}

/* ---- Devices that were cut off ---- */

static int
compare_devices(const void *x, const void *y)
{
	const struct device *a = x, *b = y;
	return (a->id > b->id) - (a->id < b->id);
}

static struct device *
device_of(struct eas_waits *w, const struct eas_request *r, bool make)
{
	struct device key = { .id = (uint64_t)r->user_number << 32 | r->device->number }, *d;
	struct device **found = tfind(&key, &w->devices, compare_devices);
	if (found != NULL || !make || w->n_devices >= DEVICES_MAX)
		return found == NULL ? NULL : *found;
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		abort();
	d->id = key.id;
	if (tsearch(d, &w->devices, compare_devices) == NULL)
		abort();
	w->n_devices++;
	return d;
}

static void
forget(struct eas_waits *w, struct device *d)
{
	w->stats.cut_devices -= d->most > 0;
	w->n_devices--;
	tdelete(d, &w->devices, compare_devices);
	free(d);
}

static bool
alike(int64_t a, int64_t b)
{
	return a - b <= ALIKE_MS && b - a <= ALIKE_MS;
}

static void
learn(struct eas_waits *w, struct device *d, const struct eas_request *r)
{
	d->most = d->after - d->after / 10;
	w->stats.cut_devices++;
	mf_log_warning(
		"event=waits-cut device=%s type=%s peer=%s after_s=%" PRId64 " now_s=%" PRId64
		" advice=\"something between phone and gateway ends connections that are silent "
		"for %" PRId64 " s: raise that time-out (a proxy's read time-out) above "
		"heartbeat_max, or lower heartbeat_max\"",
		mf_log_value(r->device_id), mf_log_value(r->device_type), mf_log_value(r->peer),
		d->after / 1000, d->most / 1000, d->after / 1000);
}

static void
note_cut(struct eas_waits *w, const struct eas_request *r, int64_t waited)
{
	struct device *d = waited < SHORT_MS ? NULL : device_of(w, r, true);
	if (d == NULL || d->most > 0)
		return;
	d->cuts = alike(waited, d->after) ? d->cuts + 1 : 1;
	d->after = waited;
	d->seen = clock_ms();
	if (d->cuts >= CUTS)
		learn(w, d, r);
}

/* It waited longer than it was cut off after, and got its answer: nothing cuts there. */
static void
note_whole(struct eas_waits *w, const struct eas_request *r, int64_t waited)
{
	struct device *d = device_of(w, r, false);
	if (d != NULL && d->most == 0 && waited > d->after + ALIKE_MS)
		forget(w, d);
}

void
eas_waits_end(struct eas_waits *w, const struct eas_request *r)
{
	int64_t waited = clock_ms() - r->began;
	pthread_mutex_lock(&w->lock);
	w->stats.waiting--;
	user_leave(w, r->user_number);
	if (r->wait.left)
		note_cut(w, r, waited);
	else
		note_whole(w, r, waited);
	pthread_mutex_unlock(&w->lock);
}

/* 0: as long as it likes. */
static int64_t
most_of(struct eas_waits *w, const struct eas_request *r)
{
	struct device *d;
	int64_t most = 0;
	pthread_mutex_lock(&w->lock);
	d = device_of(w, r, false);
	if (d != NULL && clock_ms() - d->seen > KEEP_MS)
		forget(w, d);
	else if (d != NULL)
		most = d->most;
	pthread_mutex_unlock(&w->lock);
	return most;
}

int64_t
eas_wait_until(const struct eas_request *r, int64_t seconds)
{
	struct eas_waits *w = r->server->waits;
	int64_t until = clock_ms() + seconds * 1000, most = w == NULL ? 0 : most_of(w, r);
	return most > 0 && r->began + most < until ? r->began + most : until;
}

void
eas_waits_stats(struct eas_waits *w, struct eas_waits_stats *out)
{
	pthread_mutex_lock(&w->lock);
	*out = w->stats;
	pthread_mutex_unlock(&w->lock);
}
