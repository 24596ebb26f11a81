/*
 * Metadata and bodies of many items, pipelined. The ids are cut into windows; some windows are under
 * way at once, so that the server always has something to do and the first items leave early:
 *
 *	window 1	metadata -> choose -> bodies, grouped by what is wanted of them
 *	window 2		metadata -> ...
 *
 * Answers say which item they are about; the order of commands means nothing (Dovecot tells their
 * ends late). When a command fails as a whole, each of its items is asked for alone, then for less: one
 * bad message never costs another.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ahead.h"
#include "command.h"
#include "mailferry/log.h"
#include "select.h"
#include "store.h"
#include "window.h"

enum {
	WINDOWS = 3,		   /* under way */
	WINDOWS_PLAIN = 8,	   /* the same of metadata alone: they are small */
	FIRST_WINDOW = 16,	   /* items in the first: it is to be there soon */
	WINDOW = IMAP_WINDOW_MOST, /* items in the others */
	COMMANDS_MOST = 48,	   /* under way */
	ALL_WINDOWS = WINDOWS_PLAIN + IMAP_AHEAD_WINDOWS, /* those that were read ahead too */
};

struct sent {
	unsigned tag;
	struct imap_window *window; /* NULL: everything came before the command's end */
	bool body;
};

struct run {
	struct mf_session *s;
	const struct mf_fetch *f;
	uint64_t *ids; /* of f->ids those that were not read ahead */
	size_t n, next;
	struct imap_window *windows
		[ALL_WINDOWS];	 /* NULL: room for one; at the end those that were read ahead */
	struct imap_guess guess; /* what the next items will probably want */
	bool guessed, adopted, begun_ahead;
	struct sent sent[COMMANDS_MOST];
	size_t n_sent;
	struct imap_flags flags;
	struct mf_error *err;
};

/* ---- Delivering ---- */

/* A slot is NEW no longer: bodies may be asked for when it was the last. */
static void
leave_new(struct imap_window *w)
{
	if (--w->n_new == 0)
		w->to_ask = true;
}

static enum mf_status
deliver(struct run *r, struct imap_window *w, struct imap_slot *slot)
{
	if (slot->state == IMAP_SLOT_NEW)
		leave_new(w);
	slot->state = IMAP_SLOT_DONE;
	w->n_done++;
	imap_slot_settle(slot);
	slot->item.have &= r->f->want;
	if (slot->item.damaged != NULL)
		mf_log_warning("backend=imap folder=%s id=%llu damaged=%s",
			mf_log_value(r->f->folder), (unsigned long long)slot->item.id,
			mf_log_value(slot->item.damaged));
	return r->f->item(r->f->ctx, &slot->item);
}

static void
gone(struct imap_window *w, struct imap_slot *slot)
{
	if (slot->state == IMAP_SLOT_NEW)
		leave_new(w);
	slot->state = IMAP_SLOT_DONE;
	w->n_done++;
}

/* Asks the caller what else is wanted of an item whose metadata is there. */
static enum mf_status
choose(struct run *r, struct imap_window *w, struct imap_slot *slot)
{
	struct mf_section_want wants[MF_SECTIONS_MAX] = { { .offset = 0 } };
	size_t n = 0, kept = 0;

	slot->chose = true;
	if (r->f->choose != NULL && slot->item.damaged == NULL)
		n = r->f->choose(r->f->ctx, &slot->item, wants);
	for (size_t i = 0; i < n && i < MF_SECTIONS_MAX; i++)
		if (imap_section_valid(wants[i].section))
			wants[kept++] = wants[i];
	slot->item.as_chosen = true;
	if (kept == 0)
		return deliver(r, w, slot);
	slot->wants = mf_new_array(w->a, struct mf_section_want, kept);
	memcpy(slot->wants, wants, kept * sizeof(wants[0]));
	slot->sections = mf_new_array(w->a, struct mf_section, kept);
	slot->got = mf_new_array(w->a, uint8_t, kept);
	slot->n_wants = kept;
	if (imap_slot_use_guess(w, slot))
		return deliver(r, w, slot);
	slot->item.as_chosen = false;
	imap_slot_keep(w, slot);
	slot->state = IMAP_SLOT_CHOSEN;
	slot->effort = IMAP_ALL;
	slot->asked = false;
	leave_new(w);
	return MF_OK;
}

/* ---- Asking ---- */

/* One byte more than asked for tells whether there is more. */
static void
put_sections(struct run *r, const struct imap_slot *slot)
{
	imap_put(r->s, slot->structure == NULL ? " (UID BODYSTRUCTURE" : " (UID");
	for (size_t i = 0; i < slot->n_wants; i++) {
		const struct mf_section_want *w = &slot->wants[i];
		uint64_t max = w->max == 0 || w->max >= UINT32_MAX ? UINT32_MAX : w->max + 1;

		imap_putf(r->s, " BODY.PEEK[%s]", w->section);
		if (w->offset != 0 || w->max != 0)
			imap_putf(r->s, "<%llu.%llu>", (unsigned long long)w->offset,
				(unsigned long long)max);
	}
	imap_put(r->s, ")");
}

static bool
alike(const struct imap_slot *a, const struct imap_slot *b)
{
	if (a->state != b->state || (a->structure == NULL) != (b->structure == NULL) ||
		a->n_wants != b->n_wants || a->effort != b->effort || a->effort != IMAP_ALL)
		return a == b;
	for (size_t i = 0; i < a->n_wants; i++)
		if (strcmp(a->wants[i].section, b->wants[i].section) != 0 ||
			a->wants[i].offset != b->wants[i].offset ||
			a->wants[i].max != b->wants[i].max)
			return false;
	return true;
}

/* One command for `first` and all like it that nobody has asked for yet. */
static void
ask(struct run *r, struct imap_window *w, struct imap_slot *first)
{
	static const struct imap_guess nothing = { .n = 0 };
	struct imap_pieces pieces;
	struct mf_idset set;
	struct sent *sent = &r->sent[r->n_sent++];

	mf_idset_init(&set);
	for (struct imap_slot *slot = first; slot < w->slots + w->n; slot++) {
		if (slot->asked || slot->state == IMAP_SLOT_DONE || !alike(first, slot))
			continue;
		slot->asked = true;
		slot->touched = false;
		slot->tag = r->s->tag + 1;
		mf_idset_add(&set, slot->item.id);
	}
	pieces = (struct imap_pieces){ .set = &set };
	imap_begin(r->s);
	imap_put(r->s, "UID FETCH ");
	imap_put_piece(r->s, &pieces); /* a window's ids fit into one piece */
	if (first->state == IMAP_SLOT_NEW)
		imap_put_metadata(r->s, imap_wanted(r->s, r->f->want, first->effort), r->f->fields,
			first->effort == IMAP_ALL ? &w->guess : &nothing);
	else
		put_sections(r, first);
	*sent = (struct sent){
		.tag = imap_end(r->s), .window = w, .body = first->state == IMAP_SLOT_CHOSEN
	};
	mf_idset_deinit(&set);
}

/* What can be asked for now. Bodies wait until their whole window has chosen, so that they are few
 * commands; what failed is asked for alone. */
static void
ask_window(struct run *r, struct imap_window *w)
{
	for (size_t i = 0; w->to_ask && i < w->n; i++) {
		struct imap_slot *slot = &w->slots[i];

		if (r->n_sent == COMMANDS_MOST)
			return; /* goes on when some have ended */
		if (slot->asked || slot->state == IMAP_SLOT_DONE)
			continue;
		if (slot->state == IMAP_SLOT_CHOSEN && w->n_new > 0)
			continue;
		ask(r, w, slot);
	}
	w->to_ask = false;
}

/* ---- Answers ---- */

static enum mf_status
advance(struct run *r, struct imap_window *w, struct imap_slot *slot)
{
	if (slot->state == IMAP_SLOT_NEW && slot->asked && !slot->was_cut &&
		imap_has_wanted(slot, imap_wanted(r->s, r->f->want, slot->effort)))
		return choose(r, w, slot);
	if (slot->state == IMAP_SLOT_CHOSEN && imap_slot_complete(slot) && !slot->was_cut)
		return deliver(r, w, slot);
	imap_slot_keep(w, slot);
	return MF_OK;
}

/* Which item an answer is about may stand at its end. */
static uint64_t
find_uid(struct imap_lex x)
{
	struct imap_attr a;

	while (imap_attrs_next(&x, &a)) {
		if (imap_bytes_is(a.name, "UID"))
			return imap_lex_number(&x);
		imap_lex_skip(&x);
	}
	return 0;
}

static enum mf_status
on_fetch(struct run *r, struct imap_lex *x, bool cut)
{
	uint64_t id = find_uid(*x);
	struct imap_window *w = NULL;
	struct imap_slot *slot = NULL;
	struct imap_attr a;

	for (size_t i = 0; i < ALL_WINDOWS && slot == NULL; i++) {
		w = r->windows[i];
		slot = w == NULL || id == 0 ? NULL : imap_window_find(w, id);
		if (w != NULL && cut && id == 0)
			w->unknown_cut = true;
	}
	if (slot == NULL)
		imap_ahead_take(r->s, id, x, cut);
	if (slot == NULL || slot->state == IMAP_SLOT_DONE)
		return MF_OK;
	net_stream_deadline(&r->s->stream, r->s->stream.where->command_ms);
	slot->touched = true;
	slot->was_cut = slot->was_cut || cut;
	while (!cut && imap_attrs_next(x, &a))
		imap_slot_take(w, slot, &a, x, &r->flags);
	return advance(r, w, slot);
}

static enum mf_status
on_answer(void *ctx, struct mf_session *s, struct imap_lex *x, bool cut)
{
	(void)s;
	return imap_attrs_open(x) ? on_fetch(ctx, x, cut) : MF_OK;
}

/* ---- Ends of commands ---- */

static const char *
why(struct imap_window *w, const struct imap_slot *slot, const struct imap_result *res)
{
	if (slot->was_cut)
		return "larger than the limits allow";
	if (res->condition == IMAP_OK)
		return "the server left something out";
	return mf_printf(w->a, "the server cannot read it:%s", res->text);
}

/* A command has ended without all that it should bring of this item. */
static enum mf_status
lacking(struct run *r, struct imap_window *w, struct imap_slot *slot, bool body,
	const struct imap_result *res)
{
	bool ok = res->condition == IMAP_OK;

	if (!slot->touched && (ok || res->code == IMAP_CODE_EXPUNGEISSUED) &&
		(!w->unknown_cut || slot->effort == IMAP_LEAST)) {
		gone(w, slot);
		return MF_OK;
	}
	if (slot->effort == IMAP_ALL && !slot->was_cut) {
		slot->effort = IMAP_ALONE;
		slot->asked = false;
		w->to_ask = true;
		return MF_OK;
	}
	slot->item.damaged = why(w, slot, res);
	if (!body && slot->effort != IMAP_LEAST) {
		slot->effort = IMAP_LEAST;
		slot->was_cut = false;
		slot->asked = false;
		w->to_ask = true;
		return MF_OK;
	}
	return deliver(r, w, slot);
}

static enum mf_status
on_end(struct run *r, unsigned tag, const struct imap_result *res)
{
	struct sent sent = { .tag = 0 };
	struct imap_window *w;
	enum mf_status status = MF_OK;

	for (size_t i = 0; i < r->n_sent && sent.tag == 0; i++)
		if (r->sent[i].tag == tag) {
			sent = r->sent[i];
			r->sent[i] = r->sent[--r->n_sent];
		}
	imap_ahead_ended(r->s, tag);
	w = sent.window;
	for (size_t i = 0; w != NULL && i < w->n && status == MF_OK; i++) {
		struct imap_slot *slot = &w->slots[i];

		if (slot->asked && slot->tag == tag &&
			slot->state == (sent.body ? IMAP_SLOT_CHOSEN : IMAP_SLOT_NEW))
			status = lacking(r, w, slot, sent.body, res);
	}
	return status;
}

/* ---- The whole ---- */

/* Frees windows that have delivered everything. The ends of their commands may come later, and mean
 * nothing then. */
static void
retire(struct run *r)
{
	for (size_t i = 0; i < ALL_WINDOWS; i++) {
		struct imap_window *w = r->windows[i];

		if (w == NULL || w->n_done < w->n)
			continue;
		r->guess = imap_guess_of(w);
		r->guessed = true;
		for (size_t k = 0; k < r->n_sent; k++)
			if (r->sent[k].window == w)
				r->sent[k].window = NULL;
		imap_window_free(w);
		r->windows[i] = NULL;
	}
}

static void
start_windows(struct run *r)
{
	size_t most = r->f->choose == NULL ? WINDOWS_PLAIN : WINDOWS;

	for (size_t i = 0; i < most && r->next < r->n; i++) {
		size_t n = r->next == 0 && !r->guessed ? FIRST_WINDOW : WINDOW;

		if (r->windows[i] != NULL)
			continue;
		if (n > r->n - r->next)
			n = r->n - r->next;
		r->windows[i] = imap_window_new(r->ids + r->next, n);
		r->windows[i]->guess = r->guess;
		r->next += n;
	}
}

/* What was read ahead is there: it only has to choose. */
static enum mf_status
serve_adopted(struct run *r)
{
	enum mf_status status = MF_OK;

	r->adopted = true;
	for (size_t i = WINDOWS_PLAIN; i < ALL_WINDOWS; i++) {
		struct imap_window *w = r->windows[i];

		for (size_t k = 0; w != NULL && k < w->n && status == MF_OK; k++)
			if (w->slots[k].adopted)
				status = choose(r, w, &w->slots[k]);
	}
	return status;
}

/* Everything of its own is asked for, and it is known what the items want: the next ones follow. */
static void
begin_ahead(struct run *r)
{
	if (r->begun_ahead || r->next < r->n || !r->guessed)
		return;
	r->begun_ahead = true;
	imap_ahead_begin(r->s, r->f, &r->guess);
}

/* Ends of commands are waited for unless they may come only behind those that read ahead. */
static bool
is_over(const struct run *r)
{
	if (r->next < r->n || !r->adopted || (r->n_sent > 0 && r->s->ahead == NULL))
		return false;
	for (size_t i = 0; i < ALL_WINDOWS; i++)
		if (r->windows[i] != NULL)
			return false;
	return true;
}

static enum mf_status
step(struct run *r, bool *more)
{
	struct imap_result res;
	unsigned ended = 0;
	enum mf_status status = MF_OK;

	retire(r);
	start_windows(r);
	for (size_t i = 0; i < ALL_WINDOWS; i++)
		if (r->windows[i] != NULL)
			ask_window(r, r->windows[i]);
	begin_ahead(r);
	if (r->s->begun > 0)
		status = imap_flush(r->s, r->err);
	if (status == MF_OK && !r->adopted)
		return serve_adopted(r);
	*more = status == MF_OK && !is_over(r);
	if (!*more)
		return status;
	status = imap_next(r->s, on_answer, r, &ended, &res, r->err);
	return status == MF_OK && ended != 0 ? on_end(r, ended, &res) : status;
}

/* Takes the slots that are wanted and complete out of what was read ahead; true when there are any. */
static bool
adopt_window(struct run *r, struct imap_window *w)
{
	unsigned wanted = imap_wanted(r->s, r->f->want, IMAP_ALL);
	bool any = false;

	for (size_t i = 0; i < r->f->n; i++) {
		struct imap_slot *slot = imap_window_find(w, r->f->ids[i]);

		if (slot != NULL && imap_has_wanted(slot, wanted) && !slot->was_cut)
			any = slot->adopted = slot->asked = true;
	}
	for (size_t i = 0; i < w->n; i++) {
		if (!w->slots[i].adopted)
			gone(w, &w->slots[i]);
		else
			r->s->ahead_used++;
	}
	w->to_ask = false;
	return any;
}

static bool
is_adopted(const struct run *r, uint64_t id)
{
	for (size_t i = WINDOWS_PLAIN; i < ALL_WINDOWS; i++) {
		struct imap_slot *slot =
			r->windows[i] == NULL ? NULL : imap_window_find(r->windows[i], id);

		if (slot != NULL)
			return slot->adopted;
	}
	return false;
}

static void
adopt(struct run *r)
{
	struct imap_ahead *a = imap_ahead_adopt(r->s, r->f);

	for (size_t i = 0; a != NULL && i < a->n; i++) {
		if (!adopt_window(r, a->windows[i]))
			continue;
		r->guess = a->windows[i]->guess;
		r->guessed = true;
		r->windows[WINDOWS_PLAIN + i] = a->windows[i];
		a->windows[i] = NULL;
	}
	imap_ahead_release(r->s, a);
	r->ids = malloc((r->f->n + 1) * sizeof(*r->ids));
	if (r->ids == NULL)
		abort();
	for (size_t i = 0; i < r->f->n; i++)
		if (!is_adopted(r, r->f->ids[i]))
			r->ids[r->n++] = r->f->ids[i];
}

/* Commands whose end nobody waited for, or all of them after a failure. */
static void
leave(struct run *r, enum mf_status status)
{
	for (size_t i = 0; status == MF_OK && i < r->n_sent; i++)
		imap_ahead_leave(r->s, r->sent[i].tag);
	if (status != MF_OK) {
		imap_ahead_free(r->s);
		imap_drain(r->s);
	}
	for (size_t i = 0; i < ALL_WINDOWS; i++)
		imap_window_free(r->windows[i]);
	free(r->ids);
}

static uint64_t
greatest(const struct mf_fetch *f)
{
	uint64_t most = 0;

	for (size_t i = 0; i < f->n; i++)
		if (f->ids[i] > most)
			most = f->ids[i];
	return most;
}

enum mf_status
imap_fetch(struct mf_session *s, const struct mf_fetch *f, struct mf_error *err)
{
	struct run r = { .s = s, .f = f, .err = err };
	struct imap_ahead *aside = NULL;
	enum mf_status status = MF_OK;
	bool more = f->n > 0;

	if (s->ahead != NULL && !s->ahead->absorbed)
		status = f->n_ahead > 0 || imap_ahead_about(s, f)
				 ? imap_ahead_end(s, err)
				 : imap_ahead_aside(s, f->folder, &aside, err);
	s->ahead_open = true;
	if (status == MF_OK)
		status = imap_select(s, f->folder, greatest(f), err);
	if (status == MF_OK)
		adopt(&r);
	while (status == MF_OK && more)
		status = step(&r, &more);
	leave(&r, status);
	s->ahead_open = false;
	if (aside != NULL)
		imap_ahead_back(s, aside);
	net_stream_shrink(&s->stream);
	return status;
}
