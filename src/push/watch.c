/* The table of watched users, on the loop's thread. Knows no IMAP. */
#include "push/watch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/str.h"
#include "mailferry/log.h"
#include "push/loop.h"
#include "push/tend.h"

enum { BUCKETS = 1 << 14, HELPERS = 8, ARRIVALS_MAX = 50 };

/* A user with a watcher. Only the loop's thread touches it. */
struct user {
	struct push *push;
	uint64_t group;
	struct user *next; /* in its bucket */
	struct mf_watch *watch;
	struct push_interest *interests;
	struct mf_loop_timer linger;
	bool blind;			  /* the backend has said that it cannot watch */
	struct mf_login who;		  /* owned, wiped with the user */
	uint8_t credentials[DIGEST_SIZE]; /* their digest */
	uint64_t bearer;		  /* the device that brought them */
	int64_t borne;			  /* clock_ms: a request last came with them */
	struct tend tend;
};

/* What one waiting request wants. Made by its thread, then the loop's. */
struct push_interest {
	struct mf_loop_task task; /* first: to add it, then to release it */
	struct push *push;
	uint64_t group, one;
	bool changes;
	atomic_bool sees;
	struct mf_login login;	    /* owned; wiped once the user has it */
	char **folders;		    /* owned, NULL at the end */
	struct mf_arrival *arrived; /* owned; under push->lock, as the next two */
	size_t n_arrived;
	bool came_unknown; /* something came that nobody has told the ids of */
	struct user *user; /* NULL: refused, or forgotten */
	struct push_interest *next, **at;
};

struct push {
	struct push_options options;
	struct mf_loop *loop;
	struct tending *tending;
	pthread_t thread;
	struct user *buckets[BUCKETS];
	pthread_mutex_t lock; /* of what has come for the interests */
	_Atomic uint64_t users, interests, stirs, wakes, refused, blind;
};

/* ---- Credentials ---- */

static void
login_digest(const struct mf_login *l, uint8_t out[DIGEST_SIZE])
{
	const char *parts[] = { l->user, l->password, l->token, l->master };
	struct mf_buf b;

	mf_buf_init(&b, 0);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (parts[i] != NULL)
			mf_buf_add(&b, parts[i], strlen(parts[i]));
		mf_buf_add_byte(&b, parts[i] != NULL);
	}
	digest_sha256(b.data, b.len, out);
	str_wipe(b.data, b.cap);
	mf_buf_deinit(&b);
}

/* ---- Users ---- */

static struct user **
bucket(struct push *p, uint64_t group)
{
	return &p->buckets[(group * 0x9e3779b97f4a7c15ULL) >> 50];
}

static struct user *
find(struct push *p, uint64_t group)
{
	struct user *u = *bucket(p, group);

	while (u != NULL && u->group != group)
		u = u->next;
	return u;
}

static void
set_blind(struct user *u, bool blind)
{
	atomic_fetch_add(&u->push->blind, (uint64_t)blind - (uint64_t)u->blind);
	u->blind = blind;
}

static void
user_free(struct user *u)
{
	struct push *p = u->push;
	struct user **at = bucket(p, u->group);

	while (*at != u)
		at = &(*at)->next;
	*at = u->next;
	mf_loop_timer_clear(p->loop, &u->linger);
	tend_deinit(&u->tend);
	p->options.api->stop(u->watch);
	mf_login_wipe(&u->who);
	set_blind(u, false);
	atomic_fetch_sub(&p->users, 1);
	free(u);
}

static void
linger_over(struct mf_loop_timer *t)
{
	user_free((struct user *)((char *)t - offsetof(struct user, linger)));
}

/* Nobody waits. Credentials that the server has refused are kept no longer. */
static void
linger(struct user *u)
{
	mf_loop_timer_set(u->push->loop, &u->linger, u->blind ? 0 : u->push->options.linger_ms);
}

/* The folder as the interest has it; NULL: it does not. */
static const char *
folder_of(const struct push_interest *i, const char *folder)
{
	for (char **f = i->folders; *f != NULL; f++)
		if (strcmp(*f, folder) == 0)
			return *f;
	return NULL;
}

static bool
wants(const struct push_interest *i, const char *folder)
{
	return folder == NULL || folder_of(i, folder) != NULL;
}

/* ---- What has come ---- */

/* Added to what it has; when that is too much it looks for itself. */
static void
arrive(struct push_interest *i, const struct mf_arrival *list, size_t n)
{
	pthread_mutex_lock(&i->push->lock);
	if (i->arrived == NULL && n > 0)
		i->arrived = calloc(ARRIVALS_MAX, sizeof(*i->arrived));
	if (n == 0 || i->arrived == NULL || i->n_arrived + n > ARRIVALS_MAX)
		i->came_unknown = true;
	for (size_t k = 0; !i->came_unknown && k < n; k++) {
		i->arrived[i->n_arrived] = list[k];
		i->arrived[i->n_arrived++].folder = folder_of(i, list[k].folder);
	}
	pthread_mutex_unlock(&i->push->lock);
}

size_t
push_arrived(struct push_interest *i, struct mf_arrival *out, size_t max)
{
	size_t n;

	pthread_mutex_lock(&i->push->lock);
	n = i->came_unknown || i->n_arrived > max ? 0 : i->n_arrived;
	if (n > 0)
		memcpy(out, i->arrived, n * sizeof(*out));
	free(i->arrived);
	i->arrived = NULL;
	i->n_arrived = 0;
	i->came_unknown = false;
	pthread_mutex_unlock(&i->push->lock);
	return n;
}

/* ---- Waking ---- */

static void
wake(struct user *u, const struct push_interest *i, enum push_news news)
{
	const struct push_options *o = &u->push->options;

	if (news != PUSH_LOOK)
		atomic_fetch_add(&u->push->wakes, 1);
	o->wake(o->ctx, u->group, i->one, news);
}

/* From now on the watcher sees for all of them, or for none. Who saw already is told only after a gap. */
static void
set_sight(struct user *u, bool sees, bool gap)
{
	for (struct push_interest *i = u->interests; i != NULL; i = i->next) {
		bool saw = atomic_exchange(&i->sees, sees);

		if (saw != sees || gap)
			wake(u, i, PUSH_LOOK);
	}
}

/* Is it the watcher itself that tells, and does it know what came? */
static size_t
arrivals_of(const struct user *u, struct mf_arrival *out)
{
	const struct mf_watch_api *api = u->push->options.api;

	return u->watch != NULL && api->size >= sizeof(*api) && api->arrived != NULL
		       ? api->arrived(u->watch, out, ARRIVALS_MAX)
		       : 0;
}

/* An addition concerns all that wait for the folder, a change those that asked for it. */
static void
items_stirred(struct user *u, bool added, const char *folder)
{
	struct mf_arrival list[ARRIVALS_MAX];
	size_t n = added && folder != NULL ? arrivals_of(u, list) : 0;

	for (struct push_interest *i = u->interests; i != NULL; i = i->next) {
		if (!(added || i->changes) || !wants(i, folder))
			continue;
		arrive(i, list, n);
		wake(u, i, PUSH_ITEMS);
	}
}

/* What a watcher tells is passed on to those whom it concerns. */
static void
stirred(void *ctx, enum mf_stir what, const char *folder)
{
	struct user *u = ctx;

	if (what != MF_STIR_BLIND && what != MF_STIR_READY)
		tend_stirred(&u->tend);
	switch (what) {
	case MF_STIR_READY:
	case MF_STIR_AGAIN:
		set_blind(u, false);
		set_sight(u, true, what == MF_STIR_AGAIN);
		return;
	case MF_STIR_BLIND:
		set_blind(u, true);
		set_sight(u, false, false);
		if (u->interests == NULL)
			linger(u); /* not at once: it is the watcher that calls */
		return;
	case MF_STIR_NEW:
	case MF_STIR_CHANGED:
	case MF_STIR_FOLDERS:
		break;
	}
	atomic_fetch_add(&u->push->stirs, 1);
	if (what != MF_STIR_FOLDERS)
		items_stirred(u, what == MF_STIR_NEW, folder);
	for (struct push_interest *i = u->interests; what == MF_STIR_FOLDERS && i != NULL;
		i = i->next)
		wake(u, i, PUSH_FOLDERS);
}

/* Does the watcher that there is serve this request? Not when it sees nothing: what was refused a while ago may be
 * taken now. Nor when the same device comes with other credentials. But devices that have credentials of
 * their own each do not take it from one another by turns. */
static bool
serves(struct user *u, const struct push_interest *i, const uint8_t *credentials)
{
	bool same = memcmp(credentials, u->credentials, sizeof(u->credentials)) == 0;
	int64_t now = clock_ms();

	if (u->watch == NULL || u->blind)
		return false;
	if (same) {
		u->bearer = i->one;
		u->borne = now;
	}
	return same || (i->one != u->bearer && now - u->borne < u->push->options.linger_ms);
}

/* A watcher with these credentials, unless there is one that serves. */
static bool
user_watch(struct user *u, const struct push_interest *i)
{
	struct push *p = u->push;
	uint8_t credentials[DIGEST_SIZE];
	struct mf_error err;

	login_digest(&i->login, credentials);
	if (serves(u, i, credentials))
		return true;
	p->options.api->stop(u->watch);
	u->watch = NULL;
	set_blind(u, false);
	set_sight(u, false, false);
	memcpy(u->credentials, credentials, sizeof(credentials));
	u->bearer = i->one;
	u->borne = clock_ms();
	mf_login_wipe(&u->who);
	mf_login_copy(&u->who, &i->login);
	if (p->options.api->start(
		    p->options.backend, p->loop, &i->login, stirred, u, &u->watch, &err) == MF_OK)
		return true;
	mf_log_warning("event=watch-failed user=%s reason=%s", mf_log_value(i->login.user),
		mf_log_value(err.text));
	return false;
}

static struct user *
user_new(struct push *p, const struct push_interest *i)
{
	struct user *u;

	if (atomic_load(&p->users) >= p->options.users_max) {
		atomic_fetch_add(&p->refused, 1);
		return NULL;
	}
	u = calloc(1, sizeof(*u));
	if (u == NULL)
		abort();
	u->push = p;
	u->group = i->group;
	u->linger.fire = linger_over;
	tend_init(&u->tend, p->tending, u->group, &u->who);
	u->next = *bucket(p, i->group);
	*bucket(p, i->group) = u;
	atomic_fetch_add(&p->users, 1);
	return u;
}

/* Tells the watcher the union of what all requests of the user want. */
static void
tell_folders(struct user *u)
{
	const char **list;
	size_t n = 0, room = 0;

	for (const struct push_interest *i = u->interests; i != NULL; i = i->next)
		for (char **f = i->folders; *f != NULL; f++)
			room++;
	list = calloc(room + 1, sizeof(*list));
	if (list == NULL)
		abort();
	for (const struct push_interest *i = u->interests; i != NULL; i = i->next) {
		for (char **f = i->folders; *f != NULL; f++) {
			size_t k = 0;

			while (k < n && strcmp(list[k], *f) != 0)
				k++;
			if (k == n)
				list[n++] = *f;
		}
	}
	if (u->watch != NULL)
		u->push->options.api->folders(u->watch, list, n);
	free(list);
}

/* ---- Interests ---- */

static void
interest_free(struct push_interest *i)
{
	mf_login_wipe(&i->login);
	for (char **f = i->folders; *f != NULL; f++)
		free(*f);
	free(i->folders);
	free(i->arrived);
	free(i);
}

static void
add(struct mf_loop_task *task)
{
	struct push_interest *i = (struct push_interest *)task;
	struct push *p = i->push;
	struct user *u = find(p, i->group);

	if (u == NULL)
		u = user_new(p, i);
	if (u != NULL && !user_watch(u, i) && u->interests == NULL) {
		user_free(u);
		u = NULL;
	}
	mf_login_wipe(&i->login);
	i->user = u;
	if (u == NULL)
		return;
	tend_soon(&u->tend);
	mf_loop_timer_clear(p->loop, &u->linger);
	i->next = u->interests;
	i->at = &u->interests;
	if (i->next != NULL)
		i->next->at = &i->next;
	u->interests = i;
	tell_folders(u);
}

static void
take_off(struct mf_loop_task *task)
{
	struct push_interest *i = (struct push_interest *)task;
	struct user *u = i->user;

	atomic_fetch_sub(&i->push->interests, 1);
	if (u != NULL) {
		*i->at = i->next;
		if (i->next != NULL)
			i->next->at = i->at;
		if (u->interests == NULL)
			linger(u);
	}
	interest_free(i);
}

struct push_interest *
push_watch(struct push *p, const struct push_wanted *wanted)
{
	struct push_interest *i = calloc(1, sizeof(*i));
	size_t n = 0;

	while (wanted->folders[n] != NULL)
		n++;
	if (i != NULL)
		i->folders = calloc(n + 1, sizeof(*i->folders));
	if (i == NULL || i->folders == NULL)
		abort();
	for (size_t k = 0; k < n; k++)
		if ((i->folders[k] = strdup(wanted->folders[k])) == NULL)
			abort();
	i->push = p;
	i->group = wanted->group;
	i->one = wanted->one;
	i->changes = wanted->changes;
	mf_login_copy(&i->login, wanted->who);
	i->task.run = add;
	atomic_fetch_add(&p->interests, 1);
	mf_loop_post(p->loop, &i->task);
	return i;
}

bool
push_sees(const struct push_interest *i)
{
	return atomic_load(&i->sees);
}

/* Posted once as an addition: that task has run, or runs before a new one, in the order of posting. */
struct release {
	struct mf_loop_task task; /* first */
	struct push_interest *interest;
};

static void
release(struct mf_loop_task *task)
{
	struct release *r = (struct release *)task;

	take_off(&r->interest->task);
	free(r);
}

void
push_release(struct push *p, struct push_interest *i)
{
	struct release *r;

	if (i == NULL)
		return;
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		abort();
	r->task.run = release;
	r->interest = i;
	mf_loop_post(p->loop, &r->task);
}

/* ---- Forgetting ---- */

struct forget {
	struct mf_loop_task task; /* first */
	struct push *push;
	uint64_t group;
	bool idle; /* only when nobody waits; else only with these credentials */
	uint8_t credentials[DIGEST_SIZE];
};

static bool
concerns(const struct forget *f, const struct user *u)
{
	return f->idle ? u->interests == NULL
		       : memcmp(f->credentials, u->credentials, sizeof(f->credentials)) == 0;
}

static void
forget(struct mf_loop_task *task)
{
	struct forget *f = (struct forget *)task;
	struct user *u = find(f->push, f->group);

	if (u != NULL && concerns(f, u)) {
		set_sight(u, false, false);
		for (struct push_interest *i = u->interests; i != NULL; i = i->next)
			i->user = NULL;
		user_free(u);
	}
	free(f);
}

static struct forget *
forget_new(struct push *p, uint64_t group)
{
	struct forget *f = calloc(1, sizeof(*f));

	if (f == NULL)
		abort();
	f->task.run = forget;
	f->push = p;
	f->group = group;
	return f;
}

void
push_forget(struct push *p, uint64_t group, const struct mf_login *who)
{
	struct forget *f = forget_new(p, group);

	login_digest(who, f->credentials);
	mf_loop_post(p->loop, &f->task);
}

void
push_leave(struct push *p, uint64_t group)
{
	struct forget *f = forget_new(p, group);

	f->idle = true;
	mf_loop_post(p->loop, &f->task);
}

/* ---- Life ---- */

static void *
thread(void *arg)
{
	loop_run(((struct push *)arg)->loop);
	return NULL;
}

enum mf_status
push_open(const struct push_options *o, struct push **out, struct mf_error *err)
{
	struct push *p = calloc(1, sizeof(*p));
	enum mf_status st;

	if (p == NULL)
		abort();
	p->options = *o;
	pthread_mutex_init(&p->lock, NULL);
	st = loop_new(HELPERS, &p->loop, err);
	if (st == MF_OK)
		p->tending = tending_new(p->loop, o->tend_threads, o->tend, o->ctx);
	if (st == MF_OK && pthread_create(&p->thread, NULL, thread, p) != 0)
		st = mf_fail(err, MF_TEMPORARY, "event loop: no thread");
	if (st != MF_OK) {
		tending_free(p->tending);
		loop_free(p->loop);
		pthread_mutex_destroy(&p->lock);
		free(p);
		return st;
	}
	*out = p;
	return MF_OK;
}

void
push_close(struct push *p)
{
	if (p == NULL)
		return;
	tending_end(p->tending);
	loop_stop(p->loop);
	pthread_join(p->thread, NULL);
	/* The thread is gone: from here on this one is the loop's. */
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct user *u = p->buckets[i], *next; u != NULL; u = next) {
			next = u->next;
			user_free(u);
		}
	tending_free(p->tending);
	loop_free(p->loop);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

void
push_stats(struct push *p, struct push_stats *out)
{
	*out = (struct push_stats){
		.users = atomic_load(&p->users),
		.interests = atomic_load(&p->interests),
		.stirs = atomic_load(&p->stirs),
		.wakes = atomic_load(&p->wakes),
		.refused = atomic_load(&p->refused),
		.blind = atomic_load(&p->blind),
		.tended = tending_runs(p->tending),
	};
	loop_count(p->loop, &out->ios, &out->timers);
}
