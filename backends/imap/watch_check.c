/*
 * A second look at what is watched, over a short connection of its own, so that an idling one is left in
 * peace: at the folders that IDLE does not tell about, at the list of folders, and at the Inbox after a
 * session may have gone to sleep over an event (contrib/docs/push.md).
 */
#include <stdlib.h>
#include <string.h>

#include "mailferry/log.h"
#include "status.h"
#include "watch_inside.h"

enum { AT_ONCE = 32 };

/* It has copies of all that it needs: the watch may go meanwhile. */
struct watch_check {
	struct mf_loop_job job; /* first */
	struct mf_watch *w;	/* NULL: gone */
	struct mf_backend *b;
	struct mf_login who;
	struct imap_status *rows; /* the Inbox first; their names are owned */
	size_t n;
	uint64_t listing;
	enum mf_status status;
	struct mf_error err;
};

/* ---- On a helper thread ---- */

static enum mf_status
ask_status(struct mf_session *s, struct imap_status *rows, size_t n, struct mf_error *err)
{
	struct imap_status_rows awaited = { .rows = rows, .n = n };
	unsigned tags[AT_ONCE];
	enum mf_status st;

	for (size_t i = 0; i < n; i++)
		tags[i] = imap_status_write(s, rows[i].folder);
	st = imap_flush(s, err);
	for (size_t i = 0; i < n && st == MF_OK; i++) {
		struct imap_result r;

		st = imap_wait(s, tags[i], imap_status_take, &awaited, &r, err);
	}
	return st;
}

static enum mf_status
digest_list(void *ctx, struct mf_session *s, struct imap_lex *x, bool cut)
{
	uint64_t *sum = ctx;

	(void)s;
	if (!cut && imap_lex_word(x, "LIST"))
		watch_digest_list(sum, *x);
	return MF_OK;
}

static void
run(struct mf_loop_job *job)
{
	struct watch_check *c = (struct watch_check *)job;
	struct mf_session *s = NULL;

	c->status = imap_session_open(c->b, &c->who, &s, &c->err);
	for (size_t at = 0; at < c->n && c->status == MF_OK; at += AT_ONCE)
		c->status = ask_status(
			s, c->rows + at, c->n - at < AT_ONCE ? c->n - at : AT_ONCE, &c->err);
	if (c->status == MF_OK)
		c->status = imap_run(s, imap_command(s, "LIST \"\" \"*\""), digest_list,
			&c->listing, NULL, &c->err);
	imap_session_close(s);
}

/* ---- On the loop's thread ---- */

static void
check_free(struct watch_check *c)
{
	for (size_t i = 0; i < c->n; i++)
		free((char *)(uintptr_t)c->rows[i].folder);
	free(c->rows);
	mf_login_wipe(&c->who);
	free(c);
}

static struct watch_folder *
folder_of(struct mf_watch *w, const char *id)
{
	for (size_t i = 0; i < w->n_folders; i++)
		if (strcmp(w->folders[i].id, id) == 0)
			return &w->folders[i];
	return NULL;
}

/* Of the Inbox only what IDLE tells about is compared. */
static void
take_inbox(struct mf_watch *w, const struct imap_cursor *now)
{
	struct imap_cursor seen = { .uidnext = now->uidnext, .count = now->count };

	if (!w->inbox || w->state != WATCH_WAITING)
		return;
	if (now->uidnext > w->now.uidnext || now->count > w->now.count)
		mf_log_info("event=watch-missed user=%s why=\"the server did not tell\"",
			mf_log_value(w->who.user));
	watch_compare(w, &w->now, &seen, "INBOX");
}

static void
take(struct mf_watch *w, const struct watch_check *c)
{
	bool quiet = !w->stirred;

	if (c->rows[0].told && quiet)
		take_inbox(w, &c->rows[0].now);
	for (size_t i = 1; i < c->n; i++) {
		struct watch_folder *f = folder_of(w, c->rows[i].folder);

		if (f != NULL && c->rows[i].told)
			watch_compare(w, &f->seen, &c->rows[i].now, f->id);
	}
	watch_take_listing(w, c->listing);
}

static void
done(struct mf_loop_job *job)
{
	struct watch_check *c = (struct watch_check *)job;
	struct mf_watch *w = c->w;

	if (w != NULL) {
		w->checking = NULL;
		if (c->status == MF_OK)
			take(w, c);
		else
			mf_log_info("event=watch-unchecked user=%s reason=%s",
				mf_log_value(w->who.user), mf_log_value(c->err.text));
		if (c->status == MF_AUTH && w->login == NULL)
			watch_deny(w, c->err.text);
		else
			watch_plan_check(w);
	}
	check_free(c);
}

static void
add_row(struct watch_check *c, const char *id)
{
	char *copy = strdup(id);

	if (copy == NULL)
		abort();
	c->rows[c->n++].folder = copy;
}

void
watch_check_begin(struct mf_watch *w)
{
	struct watch_check *c = calloc(1, sizeof(*c));

	if (c == NULL || (c->rows = calloc(w->n_folders + 1, sizeof(*c->rows))) == NULL)
		abort();
	c->job.run = run;
	c->job.done = done;
	c->w = w;
	c->b = w->b;
	mf_login_copy(&c->who, &w->who);
	add_row(c, "INBOX");
	for (size_t i = 0; i < w->n_folders; i++)
		if (w->folders[i].wire != NULL)
			add_row(c, w->folders[i].id);
	w->checking = c;
	w->stirred = false;
	mf_loop_offload(w->loop, &c->job);
}

void
watch_check_leave(struct mf_watch *w)
{
	if (w->checking != NULL)
		w->checking->w = NULL;
	w->checking = NULL;
}
