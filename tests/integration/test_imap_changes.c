/* imap: changes since a cursor, with a server that can everything and with servers that lack QRESYNC
 * or CONDSTORE: the same events, nothing lost. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "imap_help.h"

static const char message[] = "From: a@example.test\r\nSubject: hello\r\n\r\nOne line.\r\n";

struct view {
	struct mf_idset known;
	struct mf_buf cursor, log;
	uint64_t last;
};

static enum mf_status
take(void *ctx, const struct mf_event *e)
{
	struct view *v = ctx;

	if (e->kind == MF_EVENT_GONE) {
		mf_idset_remove_range(&v->known, e->id, e->last);
		mf_buf_printf(&v->log, "-%lu:%lu ", e->id, e->last);
		return MF_OK;
	}
	cr_assert_gt(e->id, v->last, "ascending");
	v->last = e->id;
	mf_buf_printf(&v->log, "%c%lu(%u", e->kind == MF_EVENT_ADDED ? '+' : '*', e->id, e->flags);
	for (size_t i = 0; i < e->n_keywords; i++)
		mf_buf_printf(&v->log, " %s", e->keywords[i]);
	mf_buf_printf(&v->log, ") ");
	if (e->kind == MF_EVENT_ADDED) {
		cr_assert(!mf_idset_has(&v->known, e->id), "%lu is added once", e->id);
		mf_idset_add(&v->known, e->id);
		cr_assert_gt(e->date, 0);
	}
	return MF_OK;
}

/* The events since the last time, as text. */
static const char *
look(struct imap_world *w, struct view *v, int64_t since)
{
	struct mf_bytes cursor = mf_bytes(v->cursor.data, v->cursor.len);
	struct mf_changes c = { .folder = "INBOX",
		.cursor = cursor,
		.since = since,
		.known = &v->known,
		.event = take,
		.ctx = v };
	struct mf_buf next;
	enum mf_status status;

	mf_buf_init(&next, 4096);
	mf_buf_clear(&v->log);
	v->last = 0;
	status = mf_backend_imap.store->changes(w->session, &c, &next, &w->err);
	cr_assert_eq(status, MF_OK, "%s", w->err.text);
	mf_buf_deinit(&v->cursor);
	v->cursor = next;
	return mf_buf_str(&v->log);
}

static bool
polled(struct imap_world *w, struct view *v)
{
	struct mf_poll p = { .folder = "INBOX", .cursor = mf_buf_bytes(&v->cursor) };

	cr_assert_eq(mf_backend_imap.store->poll(w->session, &p, 1, &w->err), MF_OK);
	return p.changed;
}

static void
story(struct dovecot *d, struct imap_world *w, const char *user, const char *name, bool tells)
{
	struct imap_talk *t = imap_talk_open(d, user);
	struct view v = { .last = 0 };
	const char *log;

	mf_idset_init(&v.known);
	mf_buf_init(&v.cursor, 0);
	mf_buf_init(&v.log, 0);
	cr_assert_str_eq(look(w, &v, 0), "", "%s: empty", name);
	for (int i = 0; i < 5; i++)
		imap_talk_append(t, "INBOX", i == 2 ? "\\Seen $Forwarded work" : "", NULL, message,
			sizeof(message) - 1);
	cr_assert(polled(w, &v), "%s", name);
	cr_assert_str_eq(look(w, &v, 0), "+1(0) +2(0) +3(9 work) +4(0) +5(0) ", "%s", name);
	log = look(w, &v, 0);
	cr_assert(!tells || *log == '\0', "%s: nothing new, yet %s", name, log);
	cr_assert_eq(polled(w, &v), !tells, "%s", name);
	imap_talk(t, "SELECT INBOX");
	imap_talk(t, "STORE 1 +FLAGS (\\Flagged zz aa)");
	imap_talk(t, "STORE 2 +FLAGS (\\Deleted)");
	imap_talk(t, "EXPUNGE");
	imap_talk_append(t, "INBOX", "", NULL, message, sizeof(message) - 1);
	cr_assert(polled(w, &v), "%s", name);
	log = look(w, &v, 0);
	cr_assert_not_null(strstr(log, "*1(2 aa zz) "), "%s: %s", name, log);
	cr_assert_not_null(strstr(log, "-2:2 "), "%s: %s", name, log);
	cr_assert_not_null(strstr(log, "+6(0) "), "%s: %s", name, log);
	/* Deleted and as many added: the count is the same. */
	imap_talk(t, "STORE 1:2 +FLAGS (\\Deleted)");
	imap_talk(t, "EXPUNGE");
	for (int i = 0; i < 2; i++)
		imap_talk_append(t, "INBOX", "", NULL, message, sizeof(message) - 1);
	log = look(w, &v, 0);
	cr_assert_not_null(strstr(log, "+7(0) +8(0) "), "%s: %s", name, log);
	cr_assert_eq(mf_idset_count(&v.known), 5, "%s", name);
	cr_assert(!mf_idset_has(&v.known, 1) && !mf_idset_has(&v.known, 3), "%s", name);
	/* All gone. */
	imap_talk(t, "STORE 1:* +FLAGS (\\Deleted)");
	imap_talk(t, "EXPUNGE");
	look(w, &v, 0);
	cr_assert_eq(mf_idset_count(&v.known), 0, "%s", name);
	imap_talk_close(t);
	mf_idset_deinit(&v.known);
	mf_buf_deinit(&v.cursor);
	mf_buf_deinit(&v.log);
}

static void
run(struct dovecot *d, const char *name, bool tells)
{
	struct imap_world w;
	const char *user = fixture_user(name);
	char settings[300], password[100];

	snprintf(settings, sizeof(settings), "url = \"%s\"\n", dovecot_url(d, false));
	snprintf(password, sizeof(password), "secret-%s", user);
	cr_assert_eq(imap_world_open(&w, settings), MF_OK, "%s", w.err.text);
	cr_assert_eq(imap_world_login(&w, user, password), MF_OK, "%s", w.err.text);
	story(d, &w, user, name, tells);
	imap_world_close(&w);
}

Test(imap_changes, qresync)
{
	struct dovecot d;

	dovecot_get(&d);
	run(&d, "qresync", true);
	dovecot_end(&d);
}

static void
run_with_capability(const char *name, const char *capability, bool tells)
{
	struct dovecot d;
	char path[] = "/tmp/capabilityXXXXXX", options[100];
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	dprintf(fd, "imap_capability = %s\n", capability);
	close(fd);
	chmod(path, 0644);
	snprintf(options, sizeof(options), "--extra %s", path);
	dovecot_start(&d, options);
	unlink(path);
	run(&d, name, tells);
	dovecot_end(&d);
}

Test(imap_changes, condstore)
{
	run_with_capability("condstore", "IMAP4rev1 LITERAL+ ENABLE CONDSTORE SASL-IR", true);
}

Test(imap_changes, plain)
{
	run_with_capability("plain", "IMAP4rev1", false);
}

Test(imap_changes, since_and_epoch)
{
	struct dovecot d;
	struct imap_world w;
	struct imap_talk *t;
	struct view v = { .last = 0 };
	const char *user = fixture_user("since");
	char settings[300], password[100];

	dovecot_get(&d);
	t = imap_talk_open(&d, user);
	imap_talk_append(
		t, "INBOX", "", "01-Feb-2024 10:11:12 +0000", message, sizeof(message) - 1);
	imap_talk_append(
		t, "INBOX", "", "05-Feb-2024 00:30:00 +0200", message, sizeof(message) - 1);
	imap_talk_append(
		t, "INBOX", "", "05-Feb-2024 10:11:12 +0000", message, sizeof(message) - 1);
	snprintf(settings, sizeof(settings), "url = \"%s\"\n", dovecot_url(&d, false));
	snprintf(password, sizeof(password), "secret-%s", user);
	cr_assert_eq(imap_world_open(&w, settings), MF_OK, "%s", w.err.text);
	cr_assert_eq(imap_world_login(&w, user, password), MF_OK, "%s", w.err.text);
	mf_idset_init(&v.known);
	mf_buf_init(&v.cursor, 0);
	mf_buf_init(&v.log, 0);
	cr_assert_str_eq(look(&w, &v, 1707091300), "+3(0) ", "5 February, UTC");
	cr_assert_str_eq(look(&w, &v, 0), "", "the cursor covers all");
	v.cursor.data[4] ^= 1;
	struct mf_buf next;
	struct mf_changes c = { .folder = "INBOX",
		.cursor = mf_buf_bytes(&v.cursor),
		.known = &v.known,
		.event = take,
		.ctx = &v };

	mf_buf_init(&next, 0);
	cr_assert_eq(mf_backend_imap.store->changes(w.session, &c, &next, &w.err), MF_RESYNC);
	c.folder = "Nowhere";
	cr_assert_eq(mf_backend_imap.store->changes(w.session, &c, &next, &w.err), MF_GONE);
	c.cursor = mf_bytes(NULL, 0);
	cr_assert_eq(mf_backend_imap.store->changes(w.session, &c, &next, &w.err), MF_GONE);
	cr_assert(mf_backend_imap.usable(w.session));
	mf_buf_deinit(&next);
	mf_idset_deinit(&v.known);
	mf_buf_deinit(&v.cursor);
	mf_buf_deinit(&v.log);
	imap_world_close(&w);
	imap_talk_close(t);
	dovecot_end(&d);
}
