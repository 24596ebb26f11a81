/* Logins, sessions in several threads, callbacks that end a call. */
#include "contract.h"

#include <pthread.h>
#include <string.h>

static void
api_is_whole(struct bench *b)
{
	CHECK(b, b->api->abi == MF_BACKEND_ABI, "abi %u", b->api->abi);
	CHECK(b, b->api->size >= sizeof(struct mf_backend_api), "size %u", b->api->size);
	CHECK(b, strlen(b->api->name) > 0 && strlen(b->api->help) > 0, "a name and a sentence");
	CHECK(b, b->store != NULL && b->store->size >= sizeof(struct mf_store_api), "a store");
	CHECK(b, b->api->submit == NULL || b->api->submit->size >= sizeof(struct mf_submit_api),
		"a sender");
}

static enum mf_status
try_login(struct bench *b, const char *user, const char *password)
{
	struct mf_login who = { .user = user, .password = password };
	struct mf_session *s = NULL;
	enum mf_status st;

	b->err.status = MF_OK;
	st = b->api->login(b->backend, &who, &s, &b->err);
	CHECK(b, (s != NULL) == (st == MF_OK), "a session exactly where the login is good");
	CHECK(b, st == MF_OK || b->err.status == st, "err holds the status");
	if (password != NULL && strlen(password) > 5)
		CHECK(b, strstr(b->err.text, password) == NULL, "no password in the error");
	if (s != NULL)
		b->api->logout(s);
	return st;
}

static void
login_is_checked(struct bench *b)
{
	STATUS(b, try_login(b, b->user, b->password), MF_OK);
	STATUS(b, try_login(b, b->user, "a wrong password"), MF_AUTH);
	STATUS(b, try_login(b, b->user, ""), MF_AUTH);
	STATUS(b, try_login(b, b->user, b->password), MF_OK);
}

/* Nothing but MF_AUTH or MF_INVALID, and the next login is none the worse. */
static void
hostile_logins(struct bench *b)
{
	char *flood = mf_alloc(b->a, 20001);
	const char *const names[] = { "a\r\nX LOGOUT\r\n", "a\" \"b", "{10}", "{10+}\r\n", "\\",
		"(", "%", "*", "", "\xff\xfe", "\x01", flood };

	memset(flood, 'x', 20000);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		enum mf_status st = try_login(b, names[i], b->password);

		CHECK(b, st == MF_AUTH || st == MF_INVALID, "user %zu: %s (%s)", i,
			mf_status_name(st), b->err.text);
		st = try_login(b, b->user, names[i]);
		CHECK(b, st == MF_AUTH || st == MF_INVALID, "password %zu: %s (%s)", i,
			mf_status_name(st), b->err.text);
	}
	STATUS(b, try_login(b, b->user, b->password), MF_OK);
}

static void
describes_itself(struct bench *b)
{
	struct mf_buf out;

	mf_buf_init(&out, 0);
	b->api->describe(b->s, &out);
	CHECK(b, out.len > 0 && out.data[out.len - 1] == '\n', "lines of text");
	CHECK(b, strstr(mf_buf_str(&out), b->password) == NULL, "without the password");
	mf_buf_deinit(&out);
	CHECK(b, b->api->usable(b->s), "still usable");
}

/* ---- Threads ---- */

enum { THREADS = 4, ROUNDS = 15 };

struct worker {
	struct bench *b;
	struct mf_session *s;
	unsigned seen, failures;
};

static enum mf_status
count_folder(void *ctx, const struct mf_folder *f)
{
	struct worker *w = ctx;

	w->seen += f->role == MF_ROLE_INBOX;
	return MF_OK;
}

static enum mf_status
no_event(void *ctx, const struct mf_event *e)
{
	(void)ctx;
	(void)e;
	return MF_OK;
}

static void *
work(void *thing)
{
	struct worker *w = thing;
	struct mf_changes c = { .folder = w->b->inbox, .event = no_event };
	struct mf_buf next;

	mf_buf_init(&next, 0);
	for (int i = 0; i < ROUNDS; i++) {
		w->failures += w->b->store->folders(w->s, count_folder, w, NULL) != MF_OK;
		w->failures += w->b->store->changes(w->s, &c, &next, NULL) != MF_OK;
	}
	mf_buf_deinit(&next);
	return NULL;
}

static void
many_threads_at_once(struct bench *b)
{
	struct worker w[THREADS];
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++) {
		w[i] = (struct worker){ .b = b, .s = contract_login(b) };
		NEED(b, pthread_create(&threads[i], NULL, work, &w[i]) == 0, "a thread");
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		CHECK(b, w[i].failures == 0 && w[i].seen == ROUNDS, "thread %d: %u failures", i,
			w[i].failures);
		b->api->logout(w[i].s);
	}
}

/* A session may be used by one thread after another. */
static void
a_session_changes_hands(struct bench *b)
{
	struct worker w = { .b = b, .s = b->s };
	pthread_t thread;

	for (int i = 0; i < THREADS; i++) {
		NEED(b, pthread_create(&thread, NULL, work, &w) == 0, "a thread");
		pthread_join(thread, NULL);
	}
	CHECK(b, w.failures == 0 && w.seen == THREADS * ROUNDS, "%u failures", w.failures);
}

static void *
logout_elsewhere(void *thing)
{
	struct worker *w = thing;

	w->b->api->logout(w->s);
	return NULL;
}

static void
logout_in_another_thread(struct bench *b)
{
	struct worker w = { .b = b, .s = contract_login(b) };
	pthread_t thread;

	NEED(b, pthread_create(&thread, NULL, logout_elsewhere, &w) == 0, "a thread");
	pthread_join(thread, NULL);
}

/* ---- Callbacks ---- */

struct ending {
	struct bench *b;
	enum mf_status status;
	unsigned calls;
};

static enum mf_status
end_folder(void *ctx, const struct mf_folder *f)
{
	struct ending *e = ctx;

	(void)f;
	e->calls++;
	return e->status;
}

static enum mf_status
end_event(void *ctx, const struct mf_event *event)
{
	struct ending *e = ctx;

	(void)event;
	e->calls++;
	return e->status;
}

static enum mf_status
end_item(void *ctx, const struct mf_item *item)
{
	struct ending *e = ctx;

	(void)item;
	e->calls++;
	return e->status;
}

static enum mf_status
end_write(void *ctx, const void *data, size_t len)
{
	struct ending *e = ctx;

	(void)data;
	(void)len;
	e->calls++;
	return e->status;
}

static const enum mf_status endings[] = { MF_GONE, MF_TOO_LARGE, MF_REFUSED, MF_INVALID,
	MF_TEMPORARY, MF_BROKEN };

enum { ENDINGS = sizeof(endings) / sizeof(endings[0]) };

/* The call ends after the first callback with its status; the session works on, or says so. */
static void
ended(struct bench *b, const char *what, enum mf_status got, const struct ending *e)
{
	CHECK(b, got == e->status, "%s: %s instead of %s", what, mf_status_name(got),
		mf_status_name(e->status));
	CHECK(b, e->calls == 1, "%s: %u callbacks", what, e->calls);
	contract_again(b);
	b->err.status = MF_OK;
	contract_folders(b);
}

static void
folders_end(struct bench *b)
{
	for (int i = 0; i < ENDINGS; i++) {
		struct ending e = { b, endings[i], 0 };

		ended(b, "folders", b->store->folders(b->s, end_folder, &e, NULL), &e);
	}
}

static void
changes_end(struct bench *b)
{
	struct mf_buf next;

	for (int i = 0; i < 3; i++)
		contract_put_subject(b, b->inbox, "one");
	mf_buf_init(&next, 0);
	for (int i = 0; i < ENDINGS; i++) {
		struct ending e = { b, endings[i], 0 };
		struct mf_changes c = { .folder = b->inbox, .event = end_event, .ctx = &e };

		ended(b, "changes", b->store->changes(b->s, &c, &next, NULL), &e);
	}
	mf_buf_deinit(&next);
}

static void
fetch_ends(struct bench *b)
{
	uint64_t ids[3];

	for (int i = 0; i < 3; i++)
		ids[i] = contract_put_subject(b, b->inbox, "one");
	for (int i = 0; i < ENDINGS; i++) {
		struct ending e = { b, endings[i], 0 };
		struct mf_fetch f = { .folder = b->inbox,
			.ids = ids,
			.n = 3,
			.want = MF_WANT_HEADER,
			.item = end_item,
			.ctx = &e };

		ended(b, "fetch", b->store->fetch(b->s, &f, NULL), &e);
	}
}

static void
stream_ends(struct bench *b)
{
	struct mf_section_want whole = { .section = "" };
	uint64_t id = contract_put_subject(b, b->inbox, "one");

	for (int i = 0; i < ENDINGS; i++) {
		struct ending e = { b, endings[i], 0 };

		ended(b, "stream",
			b->store->stream(b->s, b->inbox, id, &whole, end_write, &e, NULL), &e);
	}
}

struct other {
	struct bench *b;
	struct mf_session *session;
	unsigned calls;
};

static enum mf_status
use_other(void *ctx, const struct mf_item *item)
{
	struct other *o = ctx;
	struct worker w = { .b = o->b };

	(void)item;
	o->calls++;
	return o->b->store->folders(o->session, count_folder, &w, NULL);
}

/* A callback may use another session of the same backend. */
static void
callbacks_use_other_sessions(struct bench *b)
{
	struct other o = { b, contract_login(b), 0 };
	uint64_t ids[2] = { contract_put_subject(b, b->inbox, "one"),
		contract_put_subject(b, b->inbox, "two") };
	struct mf_fetch f = {
		.folder = b->inbox, .ids = ids, .n = 2, .item = use_other, .ctx = &o
	};

	f.want = MF_WANT_FLAGS;
	STATUS(b, b->store->fetch(b->s, &f, &b->err), MF_OK);
	CHECK(b, o.calls == 2, "%u items", o.calls);
	b->api->logout(o.session);
}

const struct contract_case cases_session[] = {
	{ "api-is-whole", api_is_whole, 0 },
	{ "login-is-checked", login_is_checked, CAN_REFUSE },
	{ "hostile-logins", hostile_logins, CAN_REFUSE },
	{ "describes-itself", describes_itself, 0 },
	{ "many-threads-at-once", many_threads_at_once, 0 },
	{ "a-session-changes-hands", a_session_changes_hands, 0 },
	{ "logout-in-another-thread", logout_in_another_thread, 0 },
	{ "folders-end", folders_end, 0 },
	{ "changes-end", changes_end, CAN_KEEP },
	{ "fetch-ends", fetch_ends, CAN_KEEP },
	{ "stream-ends", stream_ends, CAN_KEEP },
	{ "callbacks-use-other-sessions", callbacks_use_other_sessions, CAN_KEEP },
	{ NULL, NULL, 0 },
};
