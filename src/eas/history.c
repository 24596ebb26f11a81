/* Rings of counts and of events. Knows requests; must not know what is a problem. */
#include "eas/history.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "backend/auth.h"
#include "base/clock.h"
#include "base/digest.h"
#include "eas/commands.h"

enum { BUCKETS = 4096, DIGESTED = 4096 };

struct device {
	uint64_t key;
	char *user, *id;
	struct device *chain;	      /* in its bucket */
	struct device *newer, *older; /* by its last event */
	unsigned next, n;	      /* ring */
	struct history_event events[HISTORY_EVENTS];
};

struct eas_history {
	pthread_mutex_t lock;
	struct history_slot slots[HISTORY_SLOTS];
	struct device *buckets[BUCKETS];
	struct device *newest, *oldest;
	size_t n;
};

struct eas_history *
eas_history_new(void)
{
	struct eas_history *h = calloc(1, sizeof(*h));
	if (h == NULL)
		abort();
	pthread_mutex_init(&h->lock, NULL);
	return h;
}

static void
device_free(struct device *d)
{
	free(d->user);
	free(d->id);
	free(d);
}

void
eas_history_free(struct eas_history *h)
{
	if (h == NULL)
		return;
	for (struct device *d = h->newest; d != NULL;) {
		struct device *older = d->older;
		device_free(d);
		d = older;
	}
	pthread_mutex_destroy(&h->lock);
	free(h);
}

/* ---- Slots; the lock is held ---- */

static struct history_slot *
slot_at(struct eas_history *h, int64_t when)
{
	int64_t number = when / HISTORY_SLOT_SECONDS;
	struct history_slot *s = &h->slots[number % HISTORY_SLOTS];
	if (s->began != number * HISTORY_SLOT_SECONDS)
		*s = (struct history_slot){ .began = number * HISTORY_SLOT_SECONDS };
	return s;
}

/* ---- Devices; the lock is held ---- */

static uint64_t
key_of(const char *user, const char *id)
{
	uint8_t sum[DIGEST_SIZE];
	uint64_t a, b;
	digest_sha256(user, strlen(user), sum);
	memcpy(&a, sum, sizeof(a));
	digest_sha256(id, strlen(id), sum);
	memcpy(&b, sum, sizeof(b));
	return a * 31 + b;
}

static struct device *
find(struct eas_history *h, const char *user, const char *id)
{
	uint64_t key = key_of(user, id);
	struct device *d = h->buckets[key % BUCKETS];
	while (d != NULL && (d->key != key || strcmp(d->user, user) != 0 || strcmp(d->id, id) != 0))
		d = d->chain;
	return d;
}

static void
unlist(struct eas_history *h, struct device *d)
{
	*(d->newer != NULL ? &d->newer->older : &h->newest) = d->older;
	*(d->older != NULL ? &d->older->newer : &h->oldest) = d->newer;
	d->newer = d->older = NULL;
}

static void
list_first(struct eas_history *h, struct device *d)
{
	d->older = h->newest;
	*(h->newest != NULL ? &h->newest->newer : &h->oldest) = d;
	h->newest = d;
}

static void
forget_oldest(struct eas_history *h)
{
	struct device *d = h->oldest, **at = &h->buckets[d->key % BUCKETS];
	unlist(h, d);
	while (*at != d)
		at = &(*at)->chain;
	*at = d->chain;
	device_free(d);
	h->n--;
}

static struct device *
make(struct eas_history *h, const char *user, const char *id)
{
	struct device *d = calloc(1, sizeof(*d));
	if (d == NULL || (d->user = strdup(user)) == NULL || (d->id = strdup(id)) == NULL)
		abort();
	if (h->n == HISTORY_DEVICES)
		forget_oldest(h);
	d->key = key_of(user, id);
	d->chain = h->buckets[d->key % BUCKETS];
	h->buckets[d->key % BUCKETS] = d;
	list_first(h, d);
	h->n++;
	return d;
}

/* ---- Recording ---- */

static uint32_t
bounded(int64_t n)
{
	return n < 0 ? 0 : n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

uint32_t
eas_history_digest(const struct eas_request *r)
{
	size_t n = r->body.len < DIGESTED ? r->body.len : DIGESTED;
	const char *text = r->query == NULL ? "" : r->query;
	uint8_t sum[DIGEST_SIZE];
	uint32_t query, body;
	digest_sha256(text, strlen(text), sum);
	memcpy(&query, sum, sizeof(query));
	digest_sha256(r->body.data, n, sum);
	memcpy(&body, sum, sizeof(body));
	return query ^ body ^ (uint32_t)r->body.len;
}

static struct history_event
event_of(const struct eas_request *r)
{
	struct history_event e = { .at = clock_wall(),
		.command = 255,
		.digest = r->digest,
		.http = (uint16_t)r->answer.http_status,
		.status = (uint16_t)r->status,
		.ms = bounded(clock_ms() - r->began),
		.server_ms = bounded(r->server_us / 1000),
		.items = bounded((int64_t)r->items),
		.waited = r->wait.until != 0,
		.left = r->wait.left };
	if (r->command != NULL && r->command - eas_commands < 255)
		e.command = (uint8_t)(r->command - eas_commands);
	if (e.waited)
		e.asked_ms = bounded(r->wait.until - r->began);
	return e;
}

static void
count(struct history_slot *s, const struct history_event *e)
{
	s->requests++;
	s->waits += e->waited;
	s->denied += e->http == 401 || e->http == 403;
	s->failed += e->http >= 500;
	s->items += e->items;
	s->server_ms += e->waited ? 0 : e->server_ms;
}

/* The name as after a good login: a device that was good once may be refused now. */
static const char *
name_of(const struct eas_request *r)
{
	const char *name = NULL;
	struct mf_error err;
	if (r->user != NULL || r->login.user == NULL || r->server->backends == NULL)
		return r->user;
	return backend_login_map(r->server->backends, r->login.user, r->arena, &name, &err) == MF_OK
		       ? name
		       : NULL;
}

/* Whoever was never let in makes no entry here: anybody could. */
void
eas_history_done(struct eas_history *h, const struct eas_request *r)
{
	if (h == NULL)
		return;
	struct history_event e = event_of(r);
	const char *user = name_of(r), *id = r->device_id;
	pthread_mutex_lock(&h->lock);
	count(slot_at(h, e.at), &e);
	struct device *d = user == NULL || id == NULL ? NULL : find(h, user, id);
	if (d == NULL && user != NULL && id != NULL && r->device != NULL)
		d = make(h, user, id);
	if (d != NULL) {
		d->events[d->next] = e;
		d->next = (d->next + 1) % HISTORY_EVENTS;
		d->n += d->n < HISTORY_EVENTS;
		unlist(h, d);
		list_first(h, d);
	}
	pthread_mutex_unlock(&h->lock);
}

void
eas_history_woken(struct eas_history *h, bool found)
{
	if (h == NULL)
		return;
	pthread_mutex_lock(&h->lock);
	struct history_slot *s = slot_at(h, clock_wall());
	s->woken++;
	s->woken_idle += !found;
	pthread_mutex_unlock(&h->lock);
}

/* ---- Reading ---- */

void
eas_history_slots(struct eas_history *h, struct history_slot out[HISTORY_SLOTS])
{
	int64_t last = clock_wall() / HISTORY_SLOT_SECONDS;
	pthread_mutex_lock(&h->lock);
	for (int64_t i = 0; i < HISTORY_SLOTS; i++) {
		int64_t number = last - HISTORY_SLOTS + 1 + i;
		const struct history_slot *s = &h->slots[number % HISTORY_SLOTS];
		out[i] = (struct history_slot){ .began = number * HISTORY_SLOT_SECONDS };
		if (s->began == out[i].began)
			out[i] = *s;
	}
	pthread_mutex_unlock(&h->lock);
}

static void
copy_events(const struct device *d, struct history_event out[HISTORY_EVENTS])
{
	for (unsigned i = 0; i < d->n; i++)
		out[i] = d->events[(d->next + HISTORY_EVENTS - 1 - i) % HISTORY_EVENTS];
}

size_t
eas_history_device(struct eas_history *h, const char *user, const char *device_id,
	struct history_event out[HISTORY_EVENTS])
{
	size_t n = 0;
	pthread_mutex_lock(&h->lock);
	const struct device *d = find(h, user, device_id);
	if (d != NULL) {
		copy_events(d, out);
		n = d->n;
	}
	pthread_mutex_unlock(&h->lock);
	return n;
}

void
eas_history_each(struct eas_history *h, int64_t since,
	bool (*fn)(void *ctx, const char *user, const char *device_id,
		const struct history_event *events, size_t n),
	void *ctx)
{
	struct history_event events[HISTORY_EVENTS];
	pthread_mutex_lock(&h->lock);
	for (const struct device *d = h->newest; d != NULL; d = d->older) {
		copy_events(d, events);
		if (d->n == 0 || events[0].at < since || !fn(ctx, d->user, d->id, events, d->n))
			break;
	}
	pthread_mutex_unlock(&h->lock);
}
