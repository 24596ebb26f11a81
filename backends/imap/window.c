/* Windows and their slots: what an answer brings goes where it belongs. Sends nothing. */
#include "window.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "structure.h"

static int
by_id(const void *a, const void *b)
{
	const struct imap_slot *x = a, *y = b;

	return x->item.id < y->item.id ? -1 : x->item.id > y->item.id;
}

struct imap_window *
imap_window_new(const uint64_t *ids, size_t n)
{
	struct imap_window *w = calloc(1, sizeof(*w));
	size_t kept = 0;

	if (w == NULL)
		abort();
	w->a = mf_arena_new();
	w->slots = mf_new_array(w->a, struct imap_slot, n);
	for (size_t i = 0; i < n; i++)
		w->slots[i].item.id = ids[i];
	qsort(w->slots, n, sizeof(w->slots[0]), by_id);
	for (size_t i = 0; i < n; i++) {
		uint64_t id = w->slots[i].item.id;

		if (id != 0 && id <= UINT32_MAX && (kept == 0 || id != w->slots[kept - 1].item.id))
			w->slots[kept++].item.id = id;
	}
	w->n = w->n_new = kept;
	w->to_ask = true;
	for (size_t i = 0; i < kept; i++) {
		w->slots[i].item.thread = "";
		w->slots[i].item.identity = "";
	}
	return w;
}

void
imap_window_free(struct imap_window *w)
{
	if (w == NULL)
		return;
	mf_arena_free(w->a);
	free(w);
}

struct imap_slot *
imap_window_find(struct imap_window *w, uint64_t id)
{
	struct imap_slot key = { .item.id = id };

	return bsearch(&key, w->slots, w->n, sizeof(w->slots[0]), by_id);
}

/* ---- Attributes ---- */

static const char *
in_arena(struct imap_window *w, struct mf_bytes b)
{
	return b.len == 0 ? "" : mf_strndup(w->a, (const char *)b.data, b.len);
}

/* "(M123)", "123" or NIL */
static const char *
object_id(struct imap_window *w, struct imap_lex *x)
{
	bool list = imap_lex_take(x, '(');
	struct mf_bytes b = imap_lex_string(x);

	if (list)
		imap_lex_want(x, ')');
	return in_arena(w, b);
}

/* "text", NIL; of old Dovecots ("FUZZY" "text"). */
static void
preview(struct imap_window *w, struct mf_item *item, struct imap_lex *x)
{
	struct mf_bytes b;
	bool list = imap_lex_take(x, '(');

	if (list) {
		imap_lex_string(x);
		imap_lex_take(x, ' ');
	}
	b = imap_lex_string(x);
	if (list)
		imap_lex_want(x, ')');
	if (b.data == NULL || x->bad)
		return;
	item->preview = in_arena(w, b);
	item->have |= MF_WANT_PREVIEW;
}

/* The bytes of a section, cut as they were asked for, whatever the server makes of it. */
static void
take_section(struct imap_slot *slot, const struct imap_attr *a, struct mf_bytes data)
{
	for (size_t i = 0; i < slot->n_wants; i++) {
		const struct mf_section_want *want = &slot->wants[i];
		struct mf_section *s = &slot->sections[i];

		if (slot->got[i] || !imap_bytes_is(a->section, want->section) ||
			(a->has_origin && a->origin != want->offset))
			continue;
		slot->got[i] = IMAP_GOT;
		s->section = data.data == NULL ? NULL : want->section;
		if (!a->has_origin && want->offset > 0 && data.data != NULL) {
			size_t skip = want->offset < data.len ? (size_t)want->offset : data.len;

			data = mf_bytes(data.data + skip, data.len - skip);
		}
		s->cut = want->max != 0 && data.len > want->max;
		s->data = mf_bytes(data.data, s->cut ? (size_t)want->max : data.len);
		return;
	}
}

static size_t
find_guess(const struct imap_window *w, struct mf_bytes section)
{
	size_t i = 0;

	while (i < w->guess.n && !imap_bytes_is(section, w->guess.wants[i].section))
		i++;
	return i;
}

/* One that was guessed comes once, and also after the item has chosen (a server may answer in pieces):
 * then it is no answer to what was asked for afterwards. */
static bool
take_guess(struct imap_window *w, struct imap_slot *slot, const struct imap_attr *a,
	struct mf_bytes data)
{
	size_t i = find_guess(w, a->section);

	if (i == w->guess.n || slot->guessed[i].got || (a->has_origin && a->origin != 0))
		return false;
	slot->guessed[i].got = IMAP_GOT;
	slot->guessed[i].data = data;
	return true;
}

bool
imap_slot_use_guess(const struct imap_window *w, struct imap_slot *slot)
{
	for (size_t i = 0; i < slot->n_wants; i++) {
		const struct mf_section_want *want = &slot->wants[i];
		size_t g = find_guess(w, mf_bytes_str(want->section));
		uint64_t had = g < w->guess.n ? w->guess.wants[g].max : 0;

		if (g == w->guess.n || !slot->guessed[g].got || want->offset != 0 ||
			(slot->guessed[g].data.len > had && (want->max == 0 || want->max > had)))
			return false;
	}
	for (size_t i = 0; i < slot->n_wants; i++) {
		const struct mf_section_want *want = &slot->wants[i];
		size_t g = find_guess(w, mf_bytes_str(want->section));
		struct mf_bytes data = slot->guessed[g].data;
		struct mf_section *s = &slot->sections[i];

		slot->got[i] = IMAP_GOT;
		s->section = data.data == NULL ? NULL : want->section;
		s->cut = want->max != 0 && data.len > want->max;
		s->data = mf_bytes(data.data, s->cut ? (size_t)want->max : data.len);
	}
	return true;
}

static void
take_body(struct imap_window *w, struct imap_slot *slot, const struct imap_attr *a,
	struct imap_lex *x)
{
	struct mf_bytes data = imap_lex_string(x);

	if (x->bad)
		return;
	if (take_guess(w, slot, a, data))
		return;
	if (slot->state == IMAP_SLOT_CHOSEN) {
		take_section(slot, a, data);
	} else if (a->section.len >= 6 &&
		   strncasecmp((const char *)a->section.data, "HEADER", 6) == 0) {
		slot->item.header = data;
		slot->item.have |= MF_WANT_HEADER;
	}
}

void
imap_slot_take(struct imap_window *w, struct imap_slot *slot, const struct imap_attr *a,
	struct imap_lex *x, struct imap_flags *flags)
{
	struct mf_item *item = &slot->item;

	if (imap_bytes_is(a->name, "BODY") && a->has_section) {
		take_body(w, slot, a, x);
	} else if (imap_bytes_is(a->name, "BODYSTRUCTURE") && slot->structure == NULL) {
		slot->structure = item->structure = imap_structure_read(w->a, x);
		item->have |= x->bad ? 0 : MF_WANT_STRUCTURE;
	} else if (imap_bytes_is(a->name, "FLAGS") && slot->state == IMAP_SLOT_NEW) {
		imap_flags_read(x, flags);
		item->flags = flags->flags;
		item->keywords = flags->keywords;
		item->n_keywords = flags->n;
		item->have |= MF_WANT_FLAGS;
	} else if (imap_bytes_is(a->name, "INTERNALDATE")) {
		item->date = imap_date_read(imap_lex_string(x));
		item->have |= MF_WANT_DATE;
	} else if (imap_bytes_is(a->name, "RFC822.SIZE")) {
		item->size = imap_lex_number(x);
		item->have |= MF_WANT_SIZE;
	} else if (imap_bytes_is(a->name, "PREVIEW")) {
		preview(w, item, x);
	} else if (imap_bytes_is(a->name, "EMAILID") || imap_bytes_is(a->name, "X-GM-MSGID")) {
		item->identity = object_id(w, x);
		item->have |= MF_WANT_THREAD;
	} else if (imap_bytes_is(a->name, "THREADID") || imap_bytes_is(a->name, "X-GM-THRID")) {
		item->thread = object_id(w, x);
		item->have |= MF_WANT_THREAD;
	} else {
		imap_lex_skip(x);
	}
}

/* ---- Keeping ---- */

static const char *const *
keep_keywords(struct imap_window *w, const char *const *from, size_t n)
{
	const char **to = mf_new_array(w->a, const char *, n + 1);

	for (size_t i = 0; i < n; i++)
		to[i] = mf_strdup(w->a, from[i]);
	return to;
}

void
imap_slot_keep(struct imap_window *w, struct imap_slot *slot)
{
	struct mf_item *item = &slot->item;

	if (!slot->kept || slot->state == IMAP_SLOT_NEW) {
		item->keywords = keep_keywords(w, item->keywords, item->n_keywords);
		item->header = mf_memdup(w->a, item->header.data, item->header.len);
	}
	slot->kept = true;
	for (size_t i = 0; i < IMAP_GUESS_MAX && slot->state == IMAP_SLOT_NEW; i++) {
		struct imap_guessed *g = &slot->guessed[i];

		if (g->got == IMAP_GOT && g->data.data != NULL)
			g->data = mf_memdup(w->a, g->data.data, g->data.len);
		g->got = g->got == IMAP_GOT ? IMAP_KEPT : g->got;
	}
	for (size_t i = 0; i < slot->n_wants; i++) {
		struct mf_section *s = &slot->sections[i];

		if (slot->got[i] != IMAP_GOT)
			continue;
		if (s->section != NULL)
			s->data = mf_memdup(w->a, s->data.data, s->data.len);
		slot->got[i] = IMAP_KEPT;
	}
}

bool
imap_slot_complete(const struct imap_slot *slot)
{
	for (size_t i = 0; i < slot->n_wants; i++)
		if (!slot->got[i])
			return false;
	return true;
}

void
imap_slot_settle(struct imap_slot *slot)
{
	size_t n = 0;

	for (size_t i = 0; i < slot->n_wants; i++)
		if (slot->got[i] && slot->sections[i].section != NULL &&
			(slot->structure == NULL ||
				imap_structure_has(slot->structure, slot->wants[i].section)))
			slot->sections[n++] = slot->sections[i];
	slot->item.sections = slot->sections;
	slot->item.n_sections = n;
}

bool
imap_section_valid(const char *section)
{
	static const char *const words[] = { "HEADER", "TEXT", "MIME", "" };
	const char *p = section;

	while (*p >= '1' && *p <= '9') {
		p += strspn(p, "0123456789");
		if (*p != '.')
			return *p == '\0';
		p++;
	}
	if (p > section && *p == '\0')
		return false; /* "1." */
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(p, words[i]) == 0)
			return p > section || strcmp(p, "MIME") != 0;
	return false;
}
