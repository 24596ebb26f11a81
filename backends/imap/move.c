/*
 * Moving: UID MOVE, or else copy and remove. COPYUID tells which item became which.
 *
 * Every item's status is exact: what COPYUID names has moved, even when the command failed; without
 * COPYUID what was there before has moved. Until the server has answered nobody knows.
 */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "list.h"
#include "select.h"
#include "store.h"
#include "storeflags.h"
#include "uidsearch.h"
#include "values.h"

struct moving {
	struct mf_move **by_id; /* sorted */
	size_t n;
	struct mf_idset ids;	 /* all of them */
	bool looked;		 /* `present` was looked up */
	struct mf_idset present; /* those that are there */
	bool told;		 /* COPYUID came for the command at hand */
	bool vanished;		 /* something left the folder during the command */
};

static int
by_id(const void *a, const void *b)
{
	const struct mf_move *const *x = a, *const *y = b;

	return (*x)->id < (*y)->id ? -1 : (*x)->id > (*y)->id;
}

static void
set_all(struct mf_move *moves, size_t n, enum mf_status status)
{
	for (size_t i = 0; i < n; i++) {
		moves[i].status = status;
		moves[i].to = 0;
	}
}

/* Those of the ids that have no status yet (MF_TEMPORARY) get one; only: of these, unless NULL. */
static void
settle(struct moving *m, const struct mf_idset *ids, const struct mf_idset *only,
	enum mf_status status)
{
	for (size_t i = 0; i < m->n; i++) {
		struct mf_move *move = m->by_id[i];

		if (move->status == MF_TEMPORARY && mf_idset_has(ids, move->id) &&
			(only == NULL || mf_idset_has(only, move->id)))
			move->status = status;
	}
}

/* ---- COPYUID ---- */

/* A set as it stands, id by id: its order tells which belong together. */
struct walker {
	struct imap_lex x;
	uint64_t at, last;
	bool down;
};

static uint64_t
walk(struct walker *w)
{
	if (w->at != 0 && w->at != w->last) {
		w->at = w->down ? w->at - 1 : w->at + 1;
		return w->at;
	}
	if (w->at != 0 && !imap_lex_take(&w->x, ','))
		return 0;
	w->at = w->last = imap_lex_number(&w->x);
	if (imap_lex_take(&w->x, ':'))
		w->last = imap_lex_number(&w->x);
	w->down = w->last < w->at;
	if (w->x.bad || w->at == 0 || w->at > UINT32_MAX || w->last > UINT32_MAX)
		return 0;
	return w->at;
}

static void
moved(struct moving *m, uint64_t from, uint64_t to)
{
	struct mf_move key = { .id = from }, *p = &key, **found;

	found = bsearch(&p, m->by_id, m->n, sizeof(m->by_id[0]), by_id);
	if (found == NULL || (*found)->status != MF_TEMPORARY)
		return;
	(*found)->status = MF_OK;
	(*found)->to = to;
}

/* "uidvalidity from-set to-set" */
static void
take_copyuid(struct moving *m, const struct imap_result *r)
{
	struct imap_lex x = imap_lex_over(r->args);
	struct mf_bytes from, to;
	struct walker f, t;

	if (r->code != IMAP_CODE_COPYUID)
		return;
	m->told = true;
	imap_lex_number(&x);
	imap_lex_want(&x, ' ');
	from = imap_lex_atom(&x);
	imap_lex_want(&x, ' ');
	to = imap_lex_atom(&x);
	if (x.bad)
		return;
	f = (struct walker){ .x = imap_lex_over(from) };
	t = (struct walker){ .x = imap_lex_over(to) };
	for (uint64_t n = 0; n < UINT32_MAX; n++) {
		uint64_t a = walk(&f), b = walk(&t);

		if (a == 0 || b == 0)
			return;
		moved(m, a, b);
	}
}

static enum mf_status
on_answer(void *ctx, struct mf_session *s, struct imap_lex *x, bool cut)
{
	struct moving *m = ctx;
	struct imap_result r = { .condition = IMAP_OK };

	if (cut)
		return MF_OK;
	if (imap_lex_word(x, "OK")) {
		imap_parse_code(s, *x, &r);
		take_copyuid(m, &r);
	} else if (imap_lex_word(x, "VANISHED")) {
		m->vanished = true;
	} else if (x->p < x->end && *x->p >= '0' && *x->p <= '9') {
		imap_lex_number(x);
		imap_lex_take(x, ' ');
		m->vanished = imap_lex_word(x, "EXPUNGE") || m->vanished;
	}
	return MF_OK;
}

/* ---- One command ---- */

static void
put_command(struct mf_session *s, const char *verb, struct imap_pieces *pieces, const char *to)
{
	imap_begin(s);
	imap_put(s, verb);
	imap_put_piece(s, pieces);
	imap_put(s, " ");
	imap_put_string(s, to);
	imap_end(s);
}

/* The ids of the piece that is written next. */
static void
piece_ids(const struct imap_pieces *before, const struct imap_pieces *after, struct mf_idset *out)
{
	mf_idset_copy(out, before->set);
	if (before->next < before->set->n) {
		uint64_t first = before->set->ranges[before->next].first;

		if (before->done != 0)
			first = before->done + 1;
		if (first > 1)
			mf_idset_remove_range(out, 1, first - 1);
	}
	if (after->done != 0)
		mf_idset_remove_range(out, after->done + 1, UINT64_MAX);
	else if (after->next < after->set->n)
		mf_idset_remove_range(out, after->set->ranges[after->next].first, UINT64_MAX);
}

/* MOVE or COPY of one piece; the statuses of its items. */
static enum mf_status
one_piece(struct mf_session *s, struct moving *m, const char *verb, struct imap_pieces *pieces,
	const char *to, struct mf_error *err)
{
	struct imap_pieces before = *pieces;
	struct mf_idset ids;
	struct imap_result r;
	enum mf_status status;

	mf_idset_init(&ids);
	m->told = m->vanished = false;
	put_command(s, verb, pieces, to);
	piece_ids(&before, pieces, &ids);
	status = imap_run(s, s->tag, on_answer, m, &r, err);
	if (status == MF_OK) {
		take_copyuid(m, &r);
		if (r.condition != IMAP_OK)
			status = imap_refused(s, &r, verb, err);
		else if (!m->told && m->looked)
			settle(m, &ids, &m->present, MF_OK);
		else if (!m->told && m->vanished)
			settle(m, &ids, NULL, MF_OK); /* a folder that tells no ids */
		settle(m, &ids, NULL, status == MF_OK ? MF_GONE : status);
	}
	mf_idset_deinit(&ids);
	return status;
}

/* ---- The whole ---- */

/* The copies are there; the originals go. */
static enum mf_status
remove_originals(struct mf_session *s, struct moving *m, struct mf_error *err)
{
	struct mf_idset copied;
	enum mf_status status;

	mf_idset_init(&copied);
	for (size_t i = 0; i < m->n; i++)
		if (m->by_id[i]->status == MF_OK)
			mf_idset_add(&copied, m->by_id[i]->id);
	status = imap_expunge(s, &copied, err);
	for (size_t i = 0; i < m->n && status != MF_OK; i++)
		if (m->by_id[i]->status == MF_OK)
			m->by_id[i]->status = status;
	mf_idset_deinit(&copied);
	return status;
}

/* A refusal because there is no such destination is the caller's mistake. */
static enum mf_status
check_destination(struct mf_session *s, struct moving *m, const char *to, enum mf_status status,
	struct mf_error *err)
{
	if (s->lost || imap_exists(s, to, NULL) != MF_GONE)
		return status;
	for (size_t i = 0; i < m->n; i++)
		if (m->by_id[i]->status == status)
			m->by_id[i]->status = MF_INVALID;
	return imap_fail(s, err, MF_INVALID, "no folder %s to move to", to);
}

static enum mf_status
move_all(struct mf_session *s, struct moving *m, const char *to, struct mf_error *err)
{
	bool can_move = imap_can(s, IMAP_CAP_MOVE);
	struct imap_pieces pieces = { .set = &m->ids, .most = IMAP_STORE_AT_ONCE };
	enum mf_status status = MF_OK;

	m->looked = !can_move || !imap_can(s, IMAP_CAP_UIDPLUS);
	if (m->looked)
		status = imap_uid_present(s, &m->ids, &m->present, err);
	if (status == MF_OK && m->looked) {
		mf_idset_subtract(&m->ids, &m->present);
		settle(m, &m->ids, NULL, MF_GONE);
		mf_idset_copy(&m->ids, &m->present);
	}
	while (status == MF_OK && imap_has_piece(&pieces))
		status = one_piece(s, m, can_move ? "UID MOVE " : "UID COPY ", &pieces, to, err);
	if (status != MF_OK)
		status = check_destination(s, m, to, status, err);
	if (!s->lost)
		settle(m, &m->ids, NULL, status);
	if (!can_move && !s->lost && m->n > 0) {
		enum mf_status removed = remove_originals(s, m, err);

		status = status == MF_OK ? removed : status;
	}
	return status;
}

static void
index_moves(struct moving *m, struct mf_move *moves, size_t n)
{
	m->by_id = calloc(n == 0 ? 1 : n, sizeof(struct mf_move *));
	if (m->by_id == NULL)
		abort();
	for (size_t i = 0; i < n; i++) {
		moves[i].to = 0;
		moves[i].status =
			moves[i].id == 0 || moves[i].id > UINT32_MAX ? MF_GONE : MF_TEMPORARY;
		if (moves[i].status == MF_GONE)
			continue;
		m->by_id[m->n++] = &moves[i];
	}
	qsort(m->by_id, m->n, sizeof(struct mf_move *), by_id);
	for (size_t i = 0; i < m->n; i++)
		mf_idset_add(&m->ids, m->by_id[i]->id);
}

enum mf_status
imap_move(struct mf_session *s, const char *from, const char *to, struct mf_move *moves, size_t n,
	struct mf_error *err)
{
	struct moving m = { .n = 0 };
	enum mf_status status;

	mf_idset_init(&m.ids);
	mf_idset_init(&m.present);
	index_moves(&m, moves, n);
	status = imap_select(s, from, mf_idset_max(&m.ids), err);
	if (status == MF_OK && !imap_sendable(to))
		status = imap_fail(s, err, MF_INVALID, "no such folder to move to");
	else if (status == MF_OK && s->sel.read_only)
		status = imap_fail(s, err, MF_REFUSED, "%s is read-only", from);
	if (status != MF_OK)
		set_all(moves, n, status);
	else
		status = move_all(s, &m, to, err);
	free(m.by_id);
	mf_idset_deinit(&m.ids);
	mf_idset_deinit(&m.present);
	return status;
}
