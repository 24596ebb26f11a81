/*
 * What happened in a folder since a cursor, in three ways: with QRESYNC the server tells it all; with
 * CONDSTORE it tells what is new and changed, and deletions are looked for when the count says so;
 * else everything is compared with what the caller knows. Knows no content.
 *
 * The new cursor's mod-sequence is always one that was true before the messages were read: what
 * happens meanwhile is told twice rather than not at all.
 */
#include <stdio.h>

#include "ahead.h"
#include "attrs.h"
#include "command.h"
#include "cursor.h"
#include "select.h"
#include "status.h"
#include "store.h"
#include "uidsearch.h"
#include "values.h"

enum { DAY = 86400, ODD_MOST = 100000, IDS_MOST = 100000 };

struct walk {
	struct mf_session *session;
	const struct mf_changes *c;
	struct imap_cursor from, to;
	int64_t since;		 /* of the first time; rounded down to a day */
	uint64_t last;		 /* the UID last told */
	uint64_t n_added;	 /* told as added */
	uint64_t n_odd;		 /* answers that nobody asked for */
	bool compare;		 /* seen is kept */
	struct mf_idset seen;	 /* what the server has, as far as asked */
	struct imap_flags flags; /* of the message at hand */
	struct mf_error *err;
};

/* ---- One message ---- */

struct message {
	uint64_t uid;
	int64_t date;
	bool has_flags, has_date;
};

static void
read_message(struct imap_lex *x, struct imap_flags *flags, struct message *m)
{
	struct imap_attr a;

	while (imap_attrs_next(x, &a)) {
		if (imap_bytes_is(a.name, "UID")) {
			m->uid = imap_lex_number(x);
		} else if (imap_bytes_is(a.name, "FLAGS")) {
			imap_flags_read(x, flags);
			m->has_flags = true;
		} else if (imap_bytes_is(a.name, "INTERNALDATE")) {
			m->date = imap_date_read(imap_lex_string(x));
			m->has_date = true;
		} else {
			imap_lex_skip(x);
		}
	}
}

static enum mf_status
tell(struct walk *w, const struct message *m)
{
	bool added = m->uid >= w->from.uidnext;
	struct mf_event e = { .kind = added ? MF_EVENT_ADDED : MF_EVENT_FLAGS,
		.id = m->uid,
		.flags = w->flags.flags,
		.keywords = w->flags.keywords,
		.n_keywords = w->flags.n,
		.date = m->date };

	w->last = m->uid;
	w->n_added += added;
	if (!added)
		imap_ahead_stale(w->session, m->uid, m->uid);
	if (w->compare)
		mf_idset_add(&w->seen, m->uid);
	if (added && m->uid >= w->to.uidnext && m->uid < UINT32_MAX)
		w->to.uidnext = (uint32_t)m->uid + 1;
	if (w->since != 0 && m->date < w->since)
		return MF_OK;
	return w->c->event(w->c->ctx, &e);
}

/* Only what was asked for counts: with a UID, flags, and, of new messages, the date. A server may
 * slip in flags of other messages at any time; they are told by the next call, whose cursor is older
 * than that change. */
static enum mf_status
on_fetch(struct walk *w, struct mf_session *s, struct imap_lex *x)
{
	struct message m = { .uid = 0 };

	read_message(x, &w->flags, &m);
	if (x->bad || m.uid == 0 || m.uid > UINT32_MAX || m.uid <= w->last || !m.has_flags ||
		(m.uid >= w->from.uidnext && !m.has_date)) {
		if (++w->n_odd > ODD_MOST)
			return imap_fail(
				s, w->err, MF_TEMPORARY, "the server tells what nobody asked");
		return MF_OK;
	}
	if (w->n_added > (uint64_t)s->sel.exists + ODD_MOST)
		return imap_fail(
			s, w->err, MF_TEMPORARY, "the server tells more than the folder has");
	net_stream_deadline(&s->stream, s->stream.where->command_ms);
	return tell(w, &m);
}

static enum mf_status
tell_gone(struct walk *w, const struct mf_idset *gone)
{
	enum mf_status status = MF_OK;

	for (size_t i = 0; i < gone->n && status == MF_OK; i++) {
		struct mf_event e = { .kind = MF_EVENT_GONE,
			.id = gone->ranges[i].first,
			.last = gone->ranges[i].last };

		imap_ahead_stale(w->session, e.id, e.last);
		status = w->c->event(w->c->ctx, &e);
	}
	return status;
}

static enum mf_status
on_vanished(struct walk *w, struct imap_lex *x)
{
	enum mf_status status = MF_OK;
	struct mf_bytes text;
	struct mf_idset gone;

	if (imap_lex_peek(x, '(')) {
		imap_lex_skip(x);
		imap_lex_take(x, ' ');
	}
	text = imap_lex_atom(x);
	mf_idset_init(&gone);
	if (!x->bad && mf_idset_parse(&gone, (const char *)text.data, text.len, SIZE_MAX))
		status = tell_gone(w, &gone);
	mf_idset_deinit(&gone);
	return status;
}

static enum mf_status
on_answer(void *ctx, struct mf_session *s, struct imap_lex *x, bool cut)
{
	struct walk *w = ctx;

	if (cut)
		return MF_OK;
	if (imap_lex_word(x, "VANISHED"))
		return on_vanished(w, x);
	return imap_attrs_open(x) ? on_fetch(w, s, x) : MF_OK;
}

/* ---- The first time ---- */

static enum mf_status
fetch_all(struct walk *w, struct mf_session *s, struct mf_error *err)
{
	return imap_run(s, imap_command(s, "UID FETCH 1:* (UID FLAGS INTERNALDATE)"), on_answer, w,
		NULL, err);
}

/* A search tells ids alone, and in ranges. */
static enum mf_status
list_ids(struct walk *w, struct mf_session *s, struct mf_error *err)
{
	struct mf_idset there;
	enum mf_status status;

	mf_idset_init(&there);
	status = imap_uid_search(s, "ALL", &there, err);
	if (status == MF_OK && mf_idset_count(&there) > (uint64_t)s->sel.exists + ODD_MOST)
		status = imap_fail(
			s, err, MF_TEMPORARY, "the server tells more than the folder has");
	for (uint64_t id = mf_idset_next(&there, 0); id != 0 && status == MF_OK;
		id = mf_idset_next(&there, id)) {
		struct mf_event e = { .kind = MF_EVENT_ADDED, .id = id };

		status = w->c->event(w->c->ctx, &e);
	}
	if (mf_idset_max(&there) >= w->to.uidnext && mf_idset_max(&there) < UINT32_MAX)
		w->to.uidnext = (uint32_t)mf_idset_max(&there) + 1;
	mf_idset_deinit(&there);
	return status;
}

/* Only where the answer, with a gap behind each message, is within the limits of a line. */
static bool
may_list_ids(const struct walk *w, const struct mf_session *s)
{
	return w->c->ids_only && imap_can(s, IMAP_CAP_ESEARCH) && s->sel.exists <= IDS_MOST;
}

/* Received on that day or later. Servers take the day of their own time zone: ask from the day before
 * on, and look at the dates. */
static enum mf_status
fetch_since(struct walk *w, struct mf_session *s, struct mf_error *err)
{
	struct mf_idset found;
	struct imap_pieces pieces = { .set = &found };
	char day[32], criteria[48];
	enum mf_status status;

	imap_day_print(w->since - DAY, day);
	snprintf(criteria, sizeof(criteria), "SINCE %s", day);
	mf_idset_init(&found);
	status = imap_uid_search(s, criteria, &found, err);
	while (status == MF_OK && imap_has_piece(&pieces)) {
		imap_begin(s);
		imap_put(s, "UID FETCH ");
		imap_put_piece(s, &pieces);
		imap_put(s, " (UID FLAGS INTERNALDATE)");
		status = imap_run(s, imap_end(s), on_answer, w, NULL, err);
	}
	mf_idset_deinit(&found);
	return status;
}

static void
cursor_of_selected(const struct mf_session *s, struct imap_cursor *c)
{
	c->uidvalidity = s->sel.uidvalidity;
	c->uidnext = s->sel.uidnext;
	c->modseq = imap_can(s, IMAP_CAP_CONDSTORE) ? s->sel.modseq : 0;
	c->count = s->sel.exists;
}

/* SELECT anew: what a selected folder was told long ago (HIGHESTMODSEQ) need not be true now. */
static enum mf_status
reselect(struct mf_session *s, const char *folder, struct mf_error *err)
{
	imap_unselect_write(s);
	return imap_select(s, folder, 0, err);
}

static enum mf_status
first(struct walk *w, struct mf_session *s, struct mf_error *err)
{
	enum mf_status status = reselect(s, w->c->folder, err);

	if (status != MF_OK)
		return status;
	cursor_of_selected(s, &w->to);
	if (w->c->since <= 0)
		return s->sel.exists == 0   ? MF_OK
		       : may_list_ids(w, s) ? list_ids(w, s, err)
					    : fetch_all(w, s, err);
	w->since = w->c->since - w->c->since % DAY;
	return fetch_since(w, s, err);
}

/* ---- Later ---- */

/* Known ids that the server does not have any more. */
static enum mf_status
tell_missing(struct walk *w, const struct mf_idset *there)
{
	struct mf_idset gone;
	enum mf_status status;

	if (w->c->known == NULL)
		return MF_OK;
	mf_idset_init(&gone);
	mf_idset_copy(&gone, w->c->known);
	mf_idset_subtract(&gone, there);
	status = tell_gone(w, &gone);
	mf_idset_deinit(&gone);
	return status;
}

/* Flags of all that is known, and what is new. */
static enum mf_status
compare_all(struct walk *w, struct mf_session *s, struct mf_error *err)
{
	const struct mf_idset *known = w->c->known;
	unsigned old_tag = 0, new_tag;
	enum mf_status status = MF_OK;

	w->compare = true;
	if (s->sel.exists == 0)
		return tell_missing(w, &w->seen);
	if (known != NULL && known->n > 0)
		old_tag = imap_command(s, "UID FETCH %llu:%llu (UID FLAGS)",
			(unsigned long long)known->ranges[0].first,
			(unsigned long long)mf_idset_max(known));
	new_tag = imap_command(s, "UID FETCH %u:* (UID FLAGS INTERNALDATE)", w->from.uidnext);
	status = imap_flush(s, err);
	if (status == MF_OK && old_tag != 0)
		status = imap_wait(s, old_tag, on_answer, w, NULL, err);
	if (status == MF_OK)
		status = imap_wait(s, new_tag, on_answer, w, NULL, err);
	return status == MF_OK ? tell_missing(w, &w->seen) : status;
}

/* Without QRESYNC nobody tells what was deleted; the count tells whether to look. */
static enum mf_status
look_for_missing(struct walk *w, struct mf_session *s, struct mf_error *err)
{
	struct mf_idset there;
	enum mf_status status;

	w->to.count = s->sel.exists;
	if (w->from.count + w->n_added == s->sel.exists)
		return MF_OK;
	mf_idset_init(&there);
	status = imap_uid_search(s, "ALL", &there, err);
	w->to.count = (uint32_t)mf_idset_count(&there);
	if (status == MF_OK)
		status = tell_missing(w, &there);
	mf_idset_deinit(&there);
	return status;
}

static enum mf_status
since_modseq(struct walk *w, struct mf_session *s, struct mf_error *err)
{
	bool selected = imap_is_selected(s, w->c->folder);
	unsigned select = selected ? 0 : imap_select_write(s, w->c->folder);
	unsigned fetch =
		imap_command(s, "UID FETCH 1:* (UID FLAGS INTERNALDATE) (CHANGEDSINCE %llu%s)",
			(unsigned long long)w->from.modseq, s->qresync ? " VANISHED" : "");
	struct imap_result r;
	enum mf_status status = imap_flush(s, err);

	if (status == MF_OK && !selected)
		status = imap_select_wait(s, select, w->c->folder, err);
	if (status == MF_OK)
		status = imap_wait(s, fetch, on_answer, w, &r, err);
	/* Some servers do not like "1:*" of nothing. */
	if (status == MF_OK && r.condition != IMAP_OK && s->sel.exists > 0)
		status = imap_refused(s, &r, "UID FETCH", err);
	if (status != MF_OK || s->qresync)
		return status;
	return look_for_missing(w, s, err);
}

static enum mf_status
with_modseq(struct walk *w, struct mf_session *s, struct mf_error *err)
{
	struct imap_status st = { .folder = w->c->folder };
	struct imap_status_rows awaited = { .rows = &st, .n = 1 };
	struct imap_result r;
	enum mf_status status;

	status = imap_run(
		s, imap_status_fresh(s, w->c->folder, err), imap_status_take, &awaited, &r, err);
	if (status == MF_OK && (r.condition != IMAP_OK || !st.told))
		status = imap_missing(s, w->c->folder, &r, err);
	if (status != MF_OK)
		return status;
	w->to = st.now;
	if (st.now.uidvalidity != w->from.uidvalidity)
		return imap_fail(s, err, MF_RESYNC, "%s: another UIDVALIDITY", w->c->folder);
	if (imap_cursor_same(&st.now, &w->from))
		return MF_OK;
	/* A folder that was restored counts from the beginning again. */
	if (st.now.modseq < w->from.modseq) {
		imap_ahead_free(s);
		status = imap_select(s, w->c->folder, UINT64_MAX, err);
		return status == MF_OK ? compare_all(w, s, err) : status;
	}
	return since_modseq(w, s, err);
}

static enum mf_status
without_modseq(struct walk *w, struct mf_session *s, struct mf_error *err)
{
	enum mf_status status = reselect(s, w->c->folder, err);

	if (status != MF_OK)
		return status;
	cursor_of_selected(s, &w->to);
	if (w->to.uidvalidity != w->from.uidvalidity)
		return imap_fail(s, err, MF_RESYNC, "%s: another UIDVALIDITY", w->c->folder);
	return compare_all(w, s, err);
}

static enum mf_status
later(struct walk *w, struct mf_session *s, struct mf_error *err)
{
	enum mf_status status;

	if (!imap_cursor_read(&w->from, w->c->cursor))
		return imap_fail(s, err, MF_RESYNC, "%s: a cursor of another make", w->c->folder);
	if (w->from.modseq > 0 && imap_can(s, IMAP_CAP_CONDSTORE)) {
		status = imap_ahead_absorb(s, w->c->folder, &w->from, err);
		s->ahead_open = true;
		if (status == MF_OK)
			status = with_modseq(w, s, err);
	} else {
		status = without_modseq(w, s, err);
	}
	if (w->to.uidnext < w->from.uidnext)
		w->to.uidnext = w->from.uidnext;
	return status;
}

enum mf_status
imap_changes(
	struct mf_session *s, const struct mf_changes *c, struct mf_buf *next, struct mf_error *err)
{
	struct walk w = { .session = s, .c = c, .err = err };
	enum mf_status status;

	if (!imap_sendable(c->folder))
		return imap_fail(s, err, MF_GONE, "no such folder");
	mf_idset_init(&w.seen);
	status = c->cursor.len == 0 ? first(&w, s, err) : later(&w, s, err);
	s->ahead_open = false;
	if (status == MF_OK) {
		imap_cursor_write(&w.to, next);
		imap_ahead_told(s, c->folder, &w.to);
		imap_ahead_prove(s);
	} else if (s->ahead != NULL && s->ahead->absorbed) {
		imap_ahead_free(s);
	}
	mf_idset_deinit(&w.seen);
	net_stream_shrink(&s->stream);
	return status;
}
