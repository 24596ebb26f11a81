/*
 * What a FETCH command asks for: metadata, and the sections that most items will want anyway, so that
 * they need not be asked for once more. Writes; sends nothing.
 */
#ifndef IMAP_ASK_H
#define IMAP_ASK_H

#include "window.h"

/* What of `want` this server can be asked for with this effort (mf_want). */
unsigned imap_wanted(const struct mf_session *s, unsigned want, enum imap_effort effort);

/* Everything that a complete answer has is there. */
bool imap_has_wanted(const struct imap_slot *slot, unsigned wanted);

/* " (UID FLAGS ...)": what is wanted (of imap_wanted), header fields as in mf_fetch, and the guess. */
void imap_put_metadata(struct mf_session *s, unsigned wanted, const char *const *fields,
	const struct imap_guess *guess);

/* Begins a command for all slots of the window, writes its ids; put_metadata and imap_end follow. */
void imap_put_window(struct mf_session *s, struct imap_window *w);

/* What most items of a window wanted, all of which have chosen; n is 0 when they differ, or want more than
 * should be read on suspicion. */
struct imap_guess imap_guess_of(const struct imap_window *w);

#endif
