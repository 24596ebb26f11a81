/* The folder that is selected in a session. */
#ifndef IMAP_SELECT_H
#define IMAP_SELECT_H

#include "command.h"

bool imap_is_selected(const struct mf_session *s, const char *folder);

/* The name can be told to a server at all; if not, there is no such folder. */
bool imap_sendable(const char *folder);

/* Makes the folder the selected one, with a view that has all messages up to the id `upto`
 * (UINT64_MAX: all there are now). MF_GONE: no such folder. */
enum mf_status imap_select(
	struct mf_session *s, const char *folder, uint64_t upto, struct mf_error *err);

/* Writes SELECT for a folder that is not selected; its tag. Commands that only read may be written
 * right behind it. (NOOP is nothing to write others behind: Dovecot does those first.) */
unsigned imap_select_write(struct mf_session *s, const char *folder);
/* The end of it. MF_GONE: no such folder; then what was written behind it is drained. */
enum mf_status imap_select_wait(
	struct mf_session *s, unsigned tag, const char *folder, struct mf_error *err);

/* Writes what closes the selected folder, if there is one: STATUS of a selected folder tells what was
 * true when it was last looked at. */
void imap_unselect_write(struct mf_session *s);

/* The folder is not to be had, says *r: is it missing (MF_GONE), or is the server unwell? */
enum mf_status imap_missing(struct mf_session *s, const char *folder, const struct imap_result *r,
	struct mf_error *err);

/* The flag or keyword can be stored in the selected folder. */
bool imap_may_store(const struct mf_session *s, const char *flag);

#endif
