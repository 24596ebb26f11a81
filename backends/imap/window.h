/*
 * A window of items that are being fetched: what of each is there, what is wanted, what is on its way.
 *
 *	NEW -> (metadata complete) -> CHOSEN -> (bodies complete) -> DONE
 *
 * NEW goes to DONE at once where no body is wanted or the item is gone. Everything that must outlive
 * the answer it came with lives in the window's arena.
 */
#ifndef IMAP_WINDOW_H
#define IMAP_WINDOW_H

#include "attrs.h"
#include "session.h"
#include "values.h"

enum imap_slot_state { IMAP_SLOT_NEW, IMAP_SLOT_CHOSEN, IMAP_SLOT_DONE };

/* How much is asked for: after a failure less, and each item alone. */
enum imap_effort { IMAP_ALL, IMAP_ALONE, IMAP_LEAST };

enum { IMAP_GOT = 1, IMAP_KEPT = 2 };

enum { IMAP_WINDOW_MOST = 100, IMAP_GUESS_MAX = 2 };

/* Sections that come along with the metadata because most items before these wanted them: `max` bytes of
 * each, and one more. */
struct imap_guess {
	struct mf_section_want wants[IMAP_GUESS_MAX];
	size_t n;
};

struct imap_guessed {
	struct mf_bytes data; /* NULL: the item has no such section */
	uint8_t got;	      /* GOT, and KEPT once it is in the arena */
};

struct imap_slot {
	enum imap_slot_state state;
	enum imap_effort effort;
	bool asked; /* a command that should bring the rest is on its way: */
	unsigned tag;
	bool touched; /* something of it came with the command that is on its way */
	bool kept;    /* item's content is in the arena, not in an answer */
	struct mf_item item;
	const struct mf_part *structure; /* whether the caller wants it or not */
	struct mf_section_want *wants;
	struct mf_section *sections; /* one a want; in order */
	uint8_t *got;		     /* one a want: GOT, and KEPT once it is in the arena */
	size_t n_wants;
	struct imap_guessed guessed[IMAP_GUESS_MAX];
	bool chose;   /* it was asked what it wants */
	bool adopted; /* was read ahead, and is wanted */
	bool was_cut; /* an answer about it was beyond the limits */
};

struct imap_window {
	struct mf_arena *a;
	struct imap_slot *slots; /* ascending by id */
	size_t n;
	size_t n_new, n_done;
	struct imap_guess guess;
	bool to_ask;	  /* something may be asked for that was not before */
	bool unknown_cut; /* an answer beyond the limits that told no id */
};

/* A window of n ids, without duplicates. */
struct imap_window *imap_window_new(const uint64_t *ids, size_t n);
void imap_window_free(struct imap_window *w);

/* NULL: not in this window. */
struct imap_slot *imap_window_find(struct imap_window *w, uint64_t id);

/* Takes one attribute into the item, or into its sections once they are chosen; unknown ones are
 * skipped. What it takes may point into the answer until imap_slot_keep. */
void imap_slot_take(struct imap_window *w, struct imap_slot *slot, const struct imap_attr *a,
	struct imap_lex *x, struct imap_flags *flags);

/* The item has chosen (wants, sections, got): takes its sections out of what was guessed. False: something
 * is missing, and nothing was taken. */
bool imap_slot_use_guess(const struct imap_window *w, struct imap_slot *slot);

/* Copies what points into the answer. */
void imap_slot_keep(struct imap_window *w, struct imap_slot *slot);

/* All sections that were asked for were answered. */
bool imap_slot_complete(const struct imap_slot *slot);

/* Drops sections that the item does not have. */
void imap_slot_settle(struct imap_slot *slot);

/* A section that may be sent to a server: numbers, HEADER, TEXT, MIME. */
bool imap_section_valid(const char *section);

#endif
