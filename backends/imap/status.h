/* STATUS: a folder's numbers, without selecting it. */
#ifndef IMAP_STATUS_H
#define IMAP_STATUS_H

#include "command.h"
#include "cursor.h"

struct imap_status {
	const char *folder;
	struct imap_cursor now;
	bool told;
};

/* Writes STATUS for the folder; its tag. */
unsigned imap_status_write(struct mf_session *s, const char *folder);
/* Writes STATUS so that it tells what is true now: of a selected folder Dovecot tells what was true
 * when it was last looked at. */
unsigned imap_status_fresh(struct mf_session *s, const char *folder, struct mf_error *err);
/* Whose answers are awaited. */
struct imap_status_rows {
	struct imap_status *rows;
	size_t n;
};

/* The rest of an untagged STATUS answer; what it does not tell is 0 in *now. False: malformed. */
bool imap_status_parse(struct imap_lex *x, struct mf_bytes *name, struct imap_cursor *now);

/* Takes answers into the struct imap_status_rows that ctx is: for imap_wait. */
enum mf_status imap_status_take(void *ctx, struct mf_session *s, struct imap_lex *x, bool cut);

#endif
