/* Reading ahead: what is under way on a session between two fetches. Knows no sections' meaning. */
#include "ahead.h"

#include <stdlib.h>
#include <string.h>

#include "command.h"

enum {
	AGE_MOST_MS = 10000,
	ITEMS_MOST = IMAP_AHEAD_WINDOWS * IMAP_WINDOW_MOST,
	BYTES_MOST = 3 << 20, /* of a session */
	ALL_BYTES_MOST = 64 << 20,
};

void
imap_ahead_told(struct mf_session *s, const char *folder, const struct imap_cursor *to)
{
	if (s->told.folder == NULL || strcmp(s->told.folder, folder) != 0) {
		free(s->told.folder);
		s->told.folder = strdup(folder);
		if (s->told.folder == NULL)
			abort();
	}
	s->told.uidvalidity = to->uidvalidity;
	s->told.modseq = to->modseq;
}

/* ---- Memory ---- */

static void
count_bytes(struct mf_session *s, struct imap_ahead *a)
{
	size_t bytes = 0;

	for (size_t i = 0; i < a->n; i++)
		bytes += a->windows[i] == NULL ? 0 : mf_arena_used(a->windows[i]->a);
	s->b->ahead_bytes += bytes - a->bytes;
	a->bytes = bytes;
}

static void
forget_windows(struct mf_session *s, struct imap_ahead *a)
{
	for (size_t i = 0; i < a->n; i++)
		imap_window_free(a->windows[i]);
	a->n = 0;
	count_bytes(s, a);
}

void
imap_ahead_release(struct mf_session *s, struct imap_ahead *a)
{
	if (a == NULL)
		return;
	forget_windows(s, a);
	mf_buf_deinit(&a->fields);
	free(a->folder);
	free(a);
}

void
imap_ahead_free(struct mf_session *s)
{
	imap_ahead_release(s, s->ahead);
	s->ahead = NULL;
}

/* ---- Asking ---- */

static void
print_fields(const char *const *fields, struct mf_buf *out)
{
	mf_buf_init(out, 0);
	mf_buf_add_str(out, fields == NULL ? "*" : "");
	for (size_t i = 0; fields != NULL && fields[i] != NULL; i++)
		mf_buf_printf(out, "%s ", fields[i]);
}

static struct imap_ahead *
ahead_new(struct mf_session *s, const struct mf_fetch *f)
{
	struct imap_ahead *a = calloc(1, sizeof(*a));

	if (a == NULL || (a->folder = strdup(f->folder)) == NULL)
		abort();
	a->uidvalidity = s->told.uidvalidity;
	a->modseq = s->told.modseq;
	a->want = f->want;
	a->began = net_stream_now();
	print_fields(f->fields, &a->fields);
	return a;
}

static bool
may_begin(const struct mf_session *s, const struct mf_fetch *f)
{
	return f->n_ahead > 0 && s->ahead == NULL && s->told.folder != NULL && s->told.modseq > 0 &&
	       strcmp(s->told.folder, f->folder) == 0 &&
	       s->told.uidvalidity == s->sel.uidvalidity && s->b->ahead_bytes < ALL_BYTES_MOST;
}

/* How many items: what they bring is to fit. */
static size_t
how_many(const struct mf_fetch *f, const struct imap_guess *guess)
{
	uint64_t each = 4096;
	size_t n = f->n_ahead < ITEMS_MOST ? f->n_ahead : ITEMS_MOST;

	for (size_t i = 0; i < guess->n; i++)
		each += guess->wants[i].max;
	return n < BYTES_MOST / each ? n : (size_t)(BYTES_MOST / each);
}

bool
imap_ahead_begin(struct mf_session *s, const struct mf_fetch *f, const struct imap_guess *guess)
{
	size_t n, at = 0;

	if (!may_begin(s, f))
		return false;
	n = how_many(f, guess);
	s->ahead = ahead_new(s, f);
	while (at < n && s->ahead->n < IMAP_AHEAD_WINDOWS) {
		size_t some = n - at < IMAP_WINDOW_MOST ? n - at : IMAP_WINDOW_MOST;
		struct imap_window *w = imap_window_new(f->ahead + at, some);

		w->guess = *guess;
		at += some;
		s->ahead->windows[s->ahead->n++] = w;
		if (w->n == 0)
			continue;
		imap_put_window(s, w);
		imap_put_metadata(s, imap_wanted(s, f->want, IMAP_ALL), f->fields, guess);
		imap_ahead_leave(s, imap_end(s));
	}
	return true;
}

void
imap_ahead_leave(struct mf_session *s, unsigned tag)
{
	if (s->ahead->n_tags < IMAP_AHEAD_TAGS)
		s->ahead->tags[s->ahead->n_tags++] = tag;
	else
		s->lost = true; /* cannot be: a fetch has fewer under way */
}

/* ---- Answers ---- */

void
imap_ahead_take(struct mf_session *s, uint64_t id, struct imap_lex *x, bool cut)
{
	struct imap_ahead *a = s->ahead;
	struct imap_window *w = NULL;
	struct imap_slot *slot = NULL;
	struct imap_attr attr;

	for (size_t i = 0; a != NULL && id != 0 && i < a->n && slot == NULL; i++) {
		w = a->windows[i];
		slot = imap_window_find(w, id);
	}
	if (slot == NULL)
		return;
	net_stream_deadline(&s->stream, s->stream.where->command_ms);
	slot->was_cut = slot->was_cut || cut;
	while (!cut && imap_attrs_next(x, &attr))
		imap_slot_take(w, slot, &attr, x, &a->flags);
	imap_slot_keep(w, slot);
	count_bytes(s, a);
	if (a->bytes > BYTES_MOST || s->b->ahead_bytes > ALL_BYTES_MOST)
		forget_windows(s, a);
}

void
imap_ahead_ended(struct mf_session *s, unsigned tag)
{
	struct imap_ahead *a = s->ahead;

	for (size_t i = 0; a != NULL && i < a->n_tags; i++)
		if (a->tags[i] == tag) {
			a->tags[i] = a->tags[--a->n_tags];
			return;
		}
}

/* "(... UID 7 ...)": which item an answer is about may stand at its end. */
static enum mf_status
on_answer(void *ctx, struct mf_session *s, struct imap_lex *x, bool cut)
{
	struct imap_lex ahead;
	struct imap_attr a;
	uint64_t id = 0;

	(void)ctx;
	if (s->ahead->n == 0 || !imap_attrs_open(x))
		return MF_OK;
	ahead = *x;
	while (id == 0 && imap_attrs_next(&ahead, &a)) {
		if (imap_bytes_is(a.name, "UID"))
			id = imap_lex_number(&ahead);
		else
			imap_lex_skip(&ahead);
	}
	imap_ahead_take(s, id, x, cut);
	return MF_OK;
}

static enum mf_status
read_all(struct mf_session *s, struct mf_error *err)
{
	enum mf_status status = MF_OK;

	net_stream_deadline(&s->stream, s->stream.where->command_ms);
	while (status == MF_OK && s->ahead->n_tags > 0) {
		struct imap_result r;
		unsigned ended = 0;

		status = imap_next(s, on_answer, NULL, &ended, &r, err);
		if (status == MF_OK && ended != 0)
			imap_ahead_ended(s, ended);
	}
	if (status != MF_OK)
		imap_ahead_free(s);
	return status;
}

enum mf_status
imap_ahead_end(struct mf_session *s, struct mf_error *err)
{
	enum mf_status status;

	if (s->ahead == NULL)
		return MF_OK;
	forget_windows(s, s->ahead);
	status = read_all(s, err);
	imap_ahead_free(s);
	return status;
}

/* ---- Aside ---- */

bool
imap_ahead_about(const struct mf_session *s, const struct mf_fetch *f)
{
	const struct imap_ahead *a = s->ahead;

	for (size_t i = 0; a != NULL && i < a->n; i++)
		for (size_t k = 0; k < f->n; k++)
			if (imap_window_find(a->windows[i], f->ids[k]) != NULL)
				return true;
	return false;
}

enum mf_status
imap_ahead_aside(
	struct mf_session *s, const char *folder, struct imap_ahead **out, struct mf_error *err)
{
	enum mf_status status = MF_OK;

	*out = NULL;
	if (s->ahead == NULL)
		return MF_OK;
	if (strcmp(s->ahead->folder, folder) != 0)
		return imap_ahead_end(s, err);
	status = read_all(s, err);
	*out = s->ahead;
	s->ahead = NULL;
	return status;
}

void
imap_ahead_back(struct mf_session *s, struct imap_ahead *a)
{
	if (s->ahead == NULL && !s->lost)
		s->ahead = a;
	else
		imap_ahead_release(s, a); /* NULL: nothing */
}

/* ---- Use ---- */

enum mf_status
imap_ahead_absorb(struct mf_session *s, const char *folder, const struct imap_cursor *from,
	struct mf_error *err)
{
	struct imap_ahead *a = s->ahead;
	enum mf_status status;

	if (a == NULL)
		return MF_OK;
	if (a->absorbed || strcmp(a->folder, folder) != 0 || a->uidvalidity != from->uidvalidity ||
		from->modseq == 0 || from->modseq > a->modseq ||
		net_stream_now() - a->began > AGE_MOST_MS)
		return imap_ahead_end(s, err);
	status = read_all(s, err);
	if (status == MF_OK)
		a->absorbed = true;
	return status;
}

void
imap_ahead_stale(struct mf_session *s, uint64_t first, uint64_t last)
{
	struct imap_ahead *a = s->ahead;

	for (size_t i = 0; a != NULL && i < a->n; i++) {
		struct imap_window *w = a->windows[i];

		for (size_t k = 0; k < w->n; k++)
			if (w->slots[k].item.id >= first && w->slots[k].item.id <= last)
				w->slots[k].item.have = 0;
	}
}

void
imap_ahead_prove(struct mf_session *s)
{
	if (s->ahead != NULL)
		s->ahead->proven = s->ahead->absorbed;
}

static bool
fits(const struct mf_session *s, struct imap_ahead *a, const struct mf_fetch *f)
{
	struct mf_buf fields;
	bool same;

	if (!a->proven || a->want != f->want || a->uidvalidity != s->sel.uidvalidity ||
		strcmp(a->folder, f->folder) != 0)
		return false;
	print_fields(f->fields, &fields);
	same = strcmp(mf_buf_str(&fields), mf_buf_str(&a->fields)) == 0;
	mf_buf_deinit(&fields);
	return same;
}

struct imap_ahead *
imap_ahead_adopt(struct mf_session *s, const struct mf_fetch *f)
{
	struct imap_ahead *a = s->ahead;

	if (a == NULL)
		return NULL;
	if (!fits(s, a, f)) {
		imap_ahead_free(s);
		return NULL;
	}
	s->ahead = NULL;
	return a;
}
