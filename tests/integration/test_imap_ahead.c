/*
 * imap: reading ahead, against a real Dovecot. Whatever happens between two fetches, what the second one
 * tells is what a session tells that never read ahead.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "fixture.h"
#include "imap/ahead.h"
#include "imap_help.h"

enum { N = 260, WINDOW = 60 };

static const char *const fields[] = { "Subject", "From", "Content-Type", NULL };

/* Two sessions of one user, and a mail client beside them. */
struct world {
	struct dovecot d;
	struct imap_talk *talk;
	struct imap_world ahead, plain;
	struct mf_buf cursor;
	struct mf_idset flagged; /* of which `changes` told */
};

static void
append(struct imap_talk *t, unsigned n)
{
	char message[9000], body[8000];
	size_t len = n % 7 == 0 ? 7000 : n * 3 % 900;

	for (size_t i = 0; i < len; i++)
		body[i] = i % 70 == 69 ? '\n' : (char)('a' + (i + n) % 26);
	body[len] = '\0';
	if (n % 5 == 0)
		snprintf(message, sizeof(message),
			"Subject: number %u\r\nFrom: a@example.test\r\nMIME-Version: 1.0\r\n"
			"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n%s\r\n"
			"--b\r\nContent-Type: application/pdf\r\n\r\nAAAA\r\n--b--\r\n",
			n, body);
	else
		snprintf(message, sizeof(message),
			"Subject: number %u\r\nFrom: a@example.test\r\n\r\n%s\r\n", n, body);
	imap_talk_append(t, "INBOX", n % 3 == 0 ? "\\Seen" : "", NULL, message, strlen(message));
}

static void
log_in(struct imap_world *w, const char *settings, const char *user)
{
	char password[100];

	snprintf(password, sizeof(password), "secret-%s", user);
	cr_assert_eq(imap_world_open(w, settings), MF_OK, "%s", w->err.text);
	cr_assert_eq(imap_world_login(w, user, password), MF_OK, "%s", w->err.text);
}

static void
open_world(struct world *w, bool own)
{
	const char *user = fixture_user("ahead");
	char settings[300];

	memset(w, 0, sizeof(*w));
	if (own)
		dovecot_start(&w->d, "");
	else
		dovecot_get(&w->d);
	w->talk = imap_talk_open(&w->d, user);
	for (unsigned n = 1; n <= N; n++)
		append(w->talk, n);
	imap_talk(w->talk, "SELECT INBOX");
	snprintf(settings, sizeof(settings), "url = \"%s\"\n", dovecot_url(&w->d, false));
	log_in(&w->ahead, settings, user);
	log_in(&w->plain, settings, user);
	mf_buf_init(&w->cursor, 0);
	mf_idset_init(&w->flagged);
}

static void
close_world(struct world *w)
{
	imap_world_close(&w->ahead);
	imap_world_close(&w->plain);
	if (w->talk != NULL)
		imap_talk_close(w->talk);
	mf_buf_deinit(&w->cursor);
	mf_idset_deinit(&w->flagged);
	dovecot_end(&w->d);
}

static enum mf_status
on_event(void *ctx, const struct mf_event *e)
{
	struct world *w = ctx;

	if (e->kind == MF_EVENT_FLAGS)
		mf_idset_add(&w->flagged, e->id);
	return MF_OK;
}

/* What happened since the world's cursor, which moves on. */
static enum mf_status
changes(struct world *w, struct imap_world *on)
{
	struct mf_buf next;
	struct mf_changes c = {
		.folder = "INBOX", .cursor = mf_buf_bytes(&w->cursor), .event = on_event, .ctx = w
	};
	enum mf_status status;

	mf_buf_init(&next, 0);
	mf_idset_deinit(&w->flagged);
	mf_idset_init(&w->flagged);
	status = mf_backend_imap.store->changes(on->session, &c, &next, &on->err);
	if (status == MF_OK) {
		mf_buf_clear(&w->cursor);
		mf_buf_add(&w->cursor, next.data, next.len);
	}
	mf_buf_deinit(&next);
	return status;
}

/* How a phone looks at messages. */
struct view {
	uint64_t max;
	const char *section;
	unsigned want;
	struct mf_buf *log; /* one text an item, by id */
};

static size_t
choose(void *ctx, const struct mf_item *item, struct mf_section_want *out)
{
	const struct view *v = ctx;

	memset(out, 0, sizeof(*out));
	snprintf(out->section, sizeof(out->section), "%s", v->section);
	out->max = item->size <= v->max ? 0 : v->max;
	return 1;
}

static enum mf_status
take(void *ctx, const struct mf_item *item)
{
	struct view *v = ctx;
	struct mf_buf *b = &v->log[item->id];

	cr_assert_null(item->damaged);
	cr_assert_eq(b->len, 0, "%lu came twice", (unsigned long)item->id);
	mf_buf_printf(b, "%lu flags %x size %lu date %ld parts %zu\n%.*s", (unsigned long)item->id,
		item->flags, (unsigned long)item->size, (long)item->date,
		item->structure->n_children, (int)item->header.len, item->header.data);
	for (size_t i = 0; i < item->n_keywords; i++)
		mf_buf_printf(b, "{%s}", item->keywords[i]);
	for (size_t i = 0; i < item->n_sections; i++)
		mf_buf_printf(b, "[%s %d %.*s]", item->sections[i].section, item->sections[i].cut,
			(int)item->sections[i].data.len, item->sections[i].data.data);
	return MF_OK;
}

static enum mf_status
fetch(struct imap_world *on, struct view *v, uint64_t first, size_t n, size_t n_ahead)
{
	uint64_t ids[N + 1];
	struct mf_fetch f = { .folder = "INBOX",
		.ids = ids,
		.n = n,
		.want = MF_WANT_FLAGS | MF_WANT_DATE | MF_WANT_SIZE | MF_WANT_STRUCTURE |
			MF_WANT_HEADER | v->want,
		.fields = fields,
		.choose = choose,
		.item = take,
		.ctx = v,
		.ahead = ids + n,
		.n_ahead = n_ahead };

	for (size_t i = 0; i < n + n_ahead; i++)
		ids[i] = first - i;
	return mf_backend_imap.store->fetch(on->session, &f, &on->err);
}

static void
free_logs(struct mf_buf *log)
{
	for (size_t i = 0; i <= N; i++)
		mf_buf_deinit(&log[i]);
}

/* Both sessions tell the same of these items. */
static void
agree(struct world *w, struct view v, uint64_t first, size_t n, size_t n_ahead, const char *what)
{
	struct mf_buf a[N + 1] = { { 0 } }, b[N + 1] = { { 0 } };

	v.log = a;
	cr_assert_eq(
		fetch(&w->ahead, &v, first, n, n_ahead), MF_OK, "%s: %s", what, w->ahead.err.text);
	v.log = b;
	cr_assert_eq(fetch(&w->plain, &v, first, n, 0), MF_OK, "%s: %s", what, w->plain.err.text);
	for (size_t i = 0; i <= N; i++)
		cr_assert_str_eq(mf_buf_str(&a[i]), mf_buf_str(&b[i]), "%s: item %zu", what, i);
	free_logs(a);
	free_logs(b);
}

static const struct view usual = { .max = 2000, .section = "1" };

/* ---- What may happen between two windows ---- */

static void
nothing(struct world *w)
{
	cr_assert_eq(changes(w, &w->ahead), MF_OK);
}

static void
flags_change(struct world *w)
{
	imap_talk(w->talk, "UID STORE 150:160 FLAGS (\\Flagged $Forwarded)");
	imap_talk(w->talk, "UID STORE 150:154 FLAGS (\\Answered blue)");
	cr_assert_eq(changes(w, &w->ahead), MF_OK);
	cr_assert_eq(mf_idset_count(&w->flagged), 11);
}

static void
items_vanish(struct world *w)
{
	imap_talk(w->talk, "UID STORE 170:179 +FLAGS (\\Deleted)");
	imap_talk(w->talk, "EXPUNGE");
	cr_assert_eq(changes(w, &w->ahead), MF_OK);
}

/* Another session was told of the change: this one's cursor is younger than what it read ahead. */
static void
another_is_told(struct world *w)
{
	imap_talk(w->talk, "UID STORE 180:185 FLAGS (\\Flagged)");
	cr_assert_eq(changes(w, &w->plain), MF_OK);
	cr_assert_eq(mf_idset_count(&w->flagged), 6);
	cr_assert_eq(changes(w, &w->ahead), MF_OK);
	cr_assert_eq(mf_idset_count(&w->flagged), 0);
}

static void
changes_twice(struct world *w)
{
	cr_assert_eq(changes(w, &w->ahead), MF_OK);
	imap_talk(w->talk, "UID STORE 161:165 FLAGS (\\Draft)");
	cr_assert_eq(changes(w, &w->ahead), MF_OK);
}

static void
no_changes_asked(struct world *w)
{
	imap_talk(w->talk, "UID STORE 155:158 FLAGS (\\Answered)");
}

static void
other_commands(struct world *w)
{
	struct mf_poll poll = { .folder = "INBOX", .cursor = mf_buf_bytes(&w->cursor) };
	struct mf_idset ids;
	struct mf_flag_change flag = { .folder = "INBOX", .ids = &ids, .add = MF_FLAG_FLAGGED };

	cr_assert_eq(mf_backend_imap.store->poll(w->ahead.session, &poll, 1, &w->ahead.err), MF_OK);
	cr_assert(!poll.changed);
	cr_assert_eq(changes(w, &w->ahead), MF_OK);
	mf_idset_init(&ids);
	mf_idset_add_range(&ids, 140, 150);
	cr_assert_eq(
		mf_backend_imap.store->flag(w->ahead.session, &flag, NULL, &w->ahead.err), MF_OK);
	mf_idset_deinit(&ids);
}

static void
folder_made(struct world *w)
{
	struct mf_arena *a = mf_arena_new();
	const char *id = NULL;

	cr_assert_eq(mf_backend_imap.store->folder_create(
			     w->ahead.session, NULL, "Made", MF_ROLE_NONE, a, &id, &w->ahead.err),
		MF_OK, "%s", w->ahead.err.text);
	cr_assert_eq(changes(w, &w->ahead), MF_OK);
	mf_arena_free(a);
}

static void
mail_arrives(struct world *w)
{
	append(w->talk, 1000);
	cr_assert_eq(changes(w, &w->ahead), MF_OK);
}

static enum mf_status
drop(void *ctx, const void *data, size_t len)
{
	(void)data;
	*(size_t *)ctx += len;
	return MF_OK;
}

static void
read_part(struct world *w, const char *folder, uint64_t id, enum mf_status expected)
{
	struct mf_section_want what = { .section = "1" };
	size_t bytes = 0;

	cr_assert_eq(mf_backend_imap.store->stream(
			     w->ahead.session, folder, id, &what, drop, &bytes, &w->ahead.err),
		expected, "%s", w->ahead.err.text);
	cr_assert_eq(bytes > 0, expected == MF_OK);
}

/* One of the window before is opened, and told again, while the flags of some that follow change. */
static void
more_of_one_is_read(struct world *w)
{
	read_part(w, "INBOX", N - 5, MF_OK);
	imap_talk(w->talk, "UID STORE 150:152 FLAGS (green)");
	agree(w, usual, N - 5, 1, 0, "one again");
	cr_assert_not_null(w->ahead.session->ahead, "it was kept aside");
	read_part(w, "INBOX", N - 10, MF_OK);
	cr_assert_eq(changes(w, &w->ahead), MF_OK);
	cr_assert_eq(mf_idset_count(&w->flagged), 3);
}

static void
read_elsewhere(struct world *w)
{
	read_part(w, "No such folder", 1, MF_GONE);
	cr_assert_eq(changes(w, &w->ahead), MF_OK);
}

Test(imap_ahead, tells_what_is_true)
{
	static const struct {
		const char *name;
		void (*happens)(struct world *w);
		bool used; /* what was read ahead is of use then */
		struct view view;
	} cases[] = {
		{ "nothing", nothing, true, { 2000, "1", 0, NULL } },
		{ "a shorter body", nothing, true, { 300, "1", 0, NULL } },
		{ "a longer body", nothing, true, { 4000, "1", 0, NULL } },
		{ "another section", nothing, true, { 2000, "2", 0, NULL } },
		{ "the whole", nothing, true, { 2000, "", 0, NULL } },
		{ "other metadata", nothing, false, { 2000, "1", MF_WANT_THREAD, NULL } },
		{ "flags change", flags_change, true, { 2000, "1", 0, NULL } },
		{ "items vanish", items_vanish, true, { 2000, "1", 0, NULL } },
		{ "another session is told", another_is_told, false, { 2000, "1", 0, NULL } },
		{ "changes twice", changes_twice, false, { 2000, "1", 0, NULL } },
		{ "no changes asked for", no_changes_asked, false, { 2000, "1", 0, NULL } },
		{ "other commands", other_commands, false, { 2000, "1", 0, NULL } },
		{ "a folder made", folder_made, false, { 2000, "1", 0, NULL } },
		{ "more of one is read", more_of_one_is_read, true, { 2000, "1", 0, NULL } },
		{ "a part elsewhere", read_elsewhere, false, { 2000, "1", 0, NULL } },
		{ "mail arrives", mail_arrives, true, { 2000, "1", 0, NULL } },
	};
	struct world w;

	open_world(&w, false);
	cr_assert_eq(changes(&w, &w.ahead), MF_OK);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t used;

		cr_assert_eq(changes(&w, &w.ahead), MF_OK);
		agree(&w, usual, N, WINDOW, WINDOW, cases[i].name);
		cr_assert_not_null(w.ahead.session->ahead, "%s: reads ahead", cases[i].name);
		cr_assert(mf_backend_imap.usable(w.ahead.session), "%s", cases[i].name);
		cases[i].happens(&w);
		used = w.ahead.session->ahead_used;
		/* Some that were read ahead, and some that were not. */
		agree(&w, cases[i].view, N - WINDOW, WINDOW + 20, 0, cases[i].name);
		cr_assert_eq(w.ahead.session->ahead_used > used, cases[i].used, "%s: used %lu",
			cases[i].name, (unsigned long)(w.ahead.session->ahead_used - used));
		cr_assert_null(w.ahead.session->ahead, "%s", cases[i].name);
		cr_assert(mf_backend_imap.usable(w.ahead.session), "%s", cases[i].name);
	}
	cr_assert_eq(w.ahead.backend->ahead_bytes, 0);
	close_world(&w);
}

/* A phone that asks for one window after another: all but the first were read ahead. */
Test(imap_ahead, window_after_window)
{
	struct world w;
	uint64_t id = N;

	open_world(&w, false);
	cr_assert_eq(changes(&w, &w.ahead), MF_OK);
	for (; id >= 2 * WINDOW; id -= WINDOW) {
		agree(&w, usual, id, WINDOW, WINDOW, "window");
		cr_assert_eq(changes(&w, &w.ahead), MF_OK);
	}
	agree(&w, usual, id, id, 0, "the last");
	cr_assert_geq(w.ahead.session->ahead_used, N - 2 * WINDOW);
	close_world(&w);
}

/* Sessions that end while something is under way leave nothing behind (the sanitizer looks). */
Test(imap_ahead, sessions_end)
{
	struct world w;
	struct mf_buf log[N + 1] = { { 0 } };
	struct view v = usual;

	open_world(&w, false);
	v.log = log;
	cr_assert_eq(changes(&w, &w.ahead), MF_OK);
	cr_assert_eq(fetch(&w.ahead, &v, N, WINDOW, 3 * WINDOW), MF_OK);
	cr_assert_not_null(w.ahead.session->ahead);
	free_logs(log);
	close_world(&w);
}

/* The server goes away: the session says so before anybody uses it, unless the end stands behind more than
 * the socket can hold; then the first use does. */
Test(imap_ahead, server_goes)
{
	struct world w;
	struct mf_buf log[N + 1] = { { 0 } };
	struct view v = usual;
	bool usable = true;

	open_world(&w, true);
	v.log = log;
	cr_assert_eq(changes(&w, &w.ahead), MF_OK);
	cr_assert_eq(fetch(&w.ahead, &v, N, WINDOW, 2 * WINDOW), MF_OK);
	cr_assert(mf_backend_imap.usable(w.ahead.session));
	imap_talk_close(w.talk);
	w.talk = NULL;
	dovecot_do(&w.d, "kill");
	for (int i = 0; i < 100 && usable; i++) {
		usable = mf_backend_imap.usable(w.ahead.session);
		nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	}
	cr_assert_eq(changes(&w, &w.ahead), MF_TEMPORARY);
	cr_assert(!mf_backend_imap.usable(w.ahead.session));
	cr_assert_null(w.ahead.session->ahead);
	free_logs(log);
	close_world(&w);
}

/* Large bodies: no more is asked for than may be kept. */
Test(imap_ahead, is_bounded)
{
	struct world w;
	struct mf_buf log[N + 1] = { { 0 } };
	struct view v = { .max = 60000, .section = "1" };
	size_t items = 0;

	open_world(&w, false);
	v.log = log;
	cr_assert_eq(changes(&w, &w.ahead), MF_OK);
	cr_assert_eq(fetch(&w.ahead, &v, N, WINDOW, 2 * WINDOW), MF_OK);
	cr_assert_eq(changes(&w, &w.ahead), MF_OK);
	cr_assert_not_null(w.ahead.session->ahead);
	for (size_t i = 0; i < w.ahead.session->ahead->n; i++)
		items += w.ahead.session->ahead->windows[i]->n;
	cr_assert_gt(items, 0);
	cr_assert_leq(w.ahead.session->ahead->bytes, 4U << 20);
	cr_assert_eq(w.ahead.backend->ahead_bytes, w.ahead.session->ahead->bytes);
	/* Others have used up what all may keep: nothing new begins. */
	w.ahead.backend->ahead_bytes += 1U << 30;
	free_logs(log);
	memset(log, 0, sizeof(log));
	cr_assert_eq(fetch(&w.ahead, &v, 2 * WINDOW, WINDOW, WINDOW), MF_OK);
	cr_assert_null(w.ahead.session->ahead);
	free_logs(log);
	close_world(&w);
}
