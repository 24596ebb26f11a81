/*
 * Reading ahead. While a phone digests a window of messages, the server can read the next one: a fetch
 * ends as soon as its own items are there, and leaves the commands for those that will probably be asked
 * for next under way on the session. What they bring waits where the network has it, and is read when the
 * session is used again.
 *
 * Only content is kept, which never changes below a UID. Flags do: what was read is used by a fetch only
 * after a call of `changes` on the same session, from a cursor that is not younger than the one at which
 * the reading began; items whose flags it tells of are read again. Where more of a message is read in between (a
 * part, or one item again), the answers are read first and kept aside; any other command on the session ends
 * the reading: its answers are read and forgotten.
 *
 * Bounds: items, bytes of a session and of all sessions, age.
 */
#ifndef IMAP_AHEAD_H
#define IMAP_AHEAD_H

#include "ask.h"
#include "cursor.h"
#include "reader.h"

enum { IMAP_AHEAD_WINDOWS = 6, IMAP_AHEAD_TAGS = 56 };

struct imap_ahead {
	char *folder;
	uint32_t uidvalidity;
	uint64_t modseq; /* flags that changed after this one are told by `changes` */
	unsigned want;	 /* mf_want */
	struct mf_buf fields;
	struct imap_window *windows[IMAP_AHEAD_WINDOWS];
	size_t n;
	unsigned tags[IMAP_AHEAD_TAGS]; /* commands under way, those that others left among them */
	size_t n_tags;
	struct imap_flags flags; /* of the item at hand */
	int64_t began;		 /* net_stream_now */
	size_t bytes;		 /* counted in the backend's ahead_bytes */
	bool absorbed;		 /* everything was read */
	bool proven;		 /* `changes` has told what is not true any more */
};

/* `changes` has told everything up to this cursor; modseq 0: the server cannot tell. */
void imap_ahead_told(struct mf_session *s, const char *folder, const struct imap_cursor *to);

/* Writes the commands for f->ahead (does not send them); at most so many windows as fit. False: nothing is
 * to be read ahead. */
bool imap_ahead_begin(
	struct mf_session *s, const struct mf_fetch *f, const struct imap_guess *guess);
/* Looks after a command that a fetch did not wait for. */
void imap_ahead_leave(struct mf_session *s, unsigned tag);
/* An answer about an item that may be among those read ahead; its end with a tag. */
void imap_ahead_take(struct mf_session *s, uint64_t id, struct imap_lex *x, bool cut);
void imap_ahead_ended(struct mf_session *s, unsigned tag);

/* Before `changes` asks anything: reads what is under way when it can be of use from this cursor on, else
 * ends it. MF_TEMPORARY: the connection is lost. */
enum mf_status imap_ahead_absorb(struct mf_session *s, const char *folder,
	const struct imap_cursor *from, struct mf_error *err);
/* These items have changed or gone: they are read again. */
void imap_ahead_stale(struct mf_session *s, uint64_t first, uint64_t last);
/* `changes` has told all. */
void imap_ahead_prove(struct mf_session *s);

/* Takes what was read out of the session when this fetch can use it; NULL: nothing. To be freed by
 * imap_ahead_release, windows that were taken out of it (set to NULL) not. */
struct imap_ahead *imap_ahead_adopt(struct mf_session *s, const struct mf_fetch *f);
void imap_ahead_release(struct mf_session *s, struct imap_ahead *a);

/* Whether any of the items to fetch are among those being read ahead. */
bool imap_ahead_about(const struct mf_session *s, const struct mf_fetch *f);
/* Before another reading of items of this folder, which knows nothing of what is read ahead: reads what is under
 * way, and takes it out of the session until imap_ahead_back. NULL: there is nothing (left) to keep. */
enum mf_status imap_ahead_aside(
	struct mf_session *s, const char *folder, struct imap_ahead **out, struct mf_error *err);
void imap_ahead_back(struct mf_session *s, struct imap_ahead *a);

/* Reads and forgets what is under way. */
enum mf_status imap_ahead_end(struct mf_session *s, struct mf_error *err);
/* Forgets it without reading: the session is lost, or drained. */
void imap_ahead_free(struct mf_session *s);

#endif
