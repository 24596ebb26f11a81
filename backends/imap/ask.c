/* What FETCH commands ask for, and what the next ones will. Knows no answers. */
#include "ask.h"

#include <string.h>

#include "command.h"

static const struct {
	unsigned want;
	uint32_t cap;
	const char *attribute;
} attributes[] = {
	{ MF_WANT_FLAGS, 0, " FLAGS" },
	{ MF_WANT_DATE, 0, " INTERNALDATE" },
	{ MF_WANT_SIZE, 0, " RFC822.SIZE" },
	{ MF_WANT_STRUCTURE, 0, " BODYSTRUCTURE" },
	{ MF_WANT_PREVIEW, IMAP_CAP_PREVIEW, " PREVIEW (LAZY)" },
	{ MF_WANT_THREAD, IMAP_CAP_OBJECTID, " EMAILID THREADID" },
	{ MF_WANT_THREAD, IMAP_CAP_GMAIL, " X-GM-MSGID X-GM-THRID" },
};

enum { WANT_LEAST = MF_WANT_FLAGS | MF_WANT_DATE | MF_WANT_SIZE };

/* What may be missing in a complete answer: not every item has it. */
enum { WANT_PERHAPS = MF_WANT_PREVIEW | MF_WANT_THREAD };

/* A guess reads at most so much of an item; where all were short enough to be read whole, so much. */
enum { GUESS_MOST = 65536, GUESS_USUAL = 8192 };

unsigned
imap_wanted(const struct mf_session *s, unsigned want, enum imap_effort effort)
{
	if (!s->b->preview)
		want &= ~(unsigned)MF_WANT_PREVIEW;
	return effort == IMAP_LEAST ? want & WANT_LEAST : want;
}

bool
imap_has_wanted(const struct imap_slot *slot, unsigned wanted)
{
	unsigned need = wanted & ~(unsigned)WANT_PERHAPS;

	return (slot->item.have & need) == need;
}

static bool
field_valid(const char *name)
{
	for (const char *p = name; *p != '\0'; p++)
		if (*p <= ' ' || *p >= 0x7f || strchr("(){%*\"\\]:", *p) != NULL)
			return false;
	return name[0] != '\0';
}

static void
put_header(struct mf_session *s, const char *const *fields)
{
	if (fields == NULL) {
		imap_put(s, " BODY.PEEK[HEADER]");
		return;
	}
	imap_put(s, " BODY.PEEK[HEADER.FIELDS (");
	for (size_t i = 0, n = 0; fields[i] != NULL; i++) {
		if (!field_valid(fields[i]))
			continue;
		imap_put(s, n++ == 0 ? "" : " ");
		imap_put(s, fields[i]);
	}
	imap_put(s, ")]");
}

void
imap_put_metadata(struct mf_session *s, unsigned wanted, const char *const *fields,
	const struct imap_guess *guess)
{
	imap_put(s, " (UID");
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
		if ((wanted & attributes[i].want) != 0 && imap_can(s, attributes[i].cap))
			imap_put(s, attributes[i].attribute);
	if ((wanted & MF_WANT_HEADER) != 0)
		put_header(s, fields);
	for (size_t i = 0; i < guess->n; i++)
		imap_putf(s, " BODY.PEEK[%s]<0.%llu>", guess->wants[i].section,
			(unsigned long long)guess->wants[i].max + 1);
	imap_put(s, ")");
}

void
imap_put_window(struct mf_session *s, struct imap_window *w)
{
	struct imap_pieces pieces;
	struct mf_idset set;

	mf_idset_init(&set);
	for (size_t i = 0; i < w->n; i++)
		mf_idset_add(&set, w->slots[i].item.id);
	pieces = (struct imap_pieces){ .set = &set };
	imap_begin(s);
	imap_put(s, "UID FETCH ");
	imap_put_piece(s, &pieces); /* a window's ids fit into one piece */
	mf_idset_deinit(&set);
}

/* ---- Guessing ---- */

static bool
may_guess(const struct imap_slot *slot)
{
	if (slot->n_wants == 0 || slot->n_wants > IMAP_GUESS_MAX)
		return false;
	for (size_t i = 0; i < slot->n_wants; i++) {
		const struct mf_section_want *w = &slot->wants[i];

		if (w->offset != 0 || strspn(w->section, "0123456789.") != strlen(w->section))
			return false;
	}
	return true;
}

static bool
same_sections(const struct imap_slot *a, const struct imap_slot *b)
{
	if (a->n_wants != b->n_wants)
		return false;
	for (size_t i = 0; i < a->n_wants; i++)
		if (strcmp(a->wants[i].section, b->wants[i].section) != 0)
			return false;
	return true;
}

/* The only one that more than half of them can be like. */
static const struct imap_slot *
find_majority(const struct imap_window *w)
{
	const struct imap_slot *best = NULL;
	size_t votes = 0;

	for (size_t i = 0; i < w->n; i++) {
		if (!w->slots[i].chose)
			continue;
		if (votes == 0)
			best = &w->slots[i];
		votes += same_sections(best, &w->slots[i]) ? 1 : (size_t)-1;
	}
	return best;
}

/* The middle one of the lengths that were asked for; 0: all wanted the whole. */
static uint64_t
usual_length(const struct imap_window *w, const struct imap_slot *like, size_t want)
{
	uint64_t lengths[IMAP_WINDOW_MOST];
	size_t n = 0;

	for (size_t i = 0; i < w->n && n < IMAP_WINDOW_MOST; i++) {
		uint64_t max = w->slots[i].n_wants > want ? w->slots[i].wants[want].max : 0;
		size_t at = n;

		if (max == 0 || !same_sections(like, &w->slots[i]))
			continue;
		for (; at > 0 && lengths[at - 1] > max; at--)
			lengths[at] = lengths[at - 1];
		lengths[at] = max;
		n++;
	}
	return n == 0 ? 0 : lengths[n / 2];
}

struct imap_guess
imap_guess_of(const struct imap_window *w)
{
	const struct imap_slot *like = find_majority(w);
	struct imap_guess guess = { .n = 0 };
	size_t alike = 0, all = 0;

	if (like == NULL || !may_guess(like))
		return guess;
	for (size_t i = 0; i < w->n; i++) {
		all += w->slots[i].chose;
		alike += w->slots[i].chose && same_sections(like, &w->slots[i]);
	}
	if (alike * 4 < all * 3)
		return guess;
	for (size_t i = 0; i < like->n_wants; i++) {
		uint64_t max = usual_length(w, like, i);

		if (max > GUESS_MOST)
			return (struct imap_guess){ .n = 0 };
		guess.wants[i] = like->wants[i];
		guess.wants[i].max = max == 0 ? GUESS_USUAL : max;
		guess.n = i + 1;
	}
	return guess;
}
