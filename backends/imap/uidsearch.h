/* UID SEARCH: asking and its two kinds of answers. */
#ifndef IMAP_UIDSEARCH_H
#define IMAP_UIDSEARCH_H

#include "command.h"

/* "UID SEARCH RETURN (ALL) " or what the server has of it: the criteria follow. */
void imap_uid_search_begin(struct mf_session *s);

/* Adds what SEARCH or ESEARCH tells to the struct mf_idset that ctx is: for imap_wait. */
enum mf_status imap_uid_search_take(void *ctx, struct mf_session *s, struct imap_lex *x, bool cut);

/* All at once; found is replaced. */
enum mf_status imap_uid_search(
	struct mf_session *s, const char *criteria, struct mf_idset *found, struct mf_error *err);

/* Which of the ids are in the selected folder; found is replaced. */
enum mf_status imap_uid_present(struct mf_session *s, const struct mf_idset *ids,
	struct mf_idset *found, struct mf_error *err);

/* A set to work on: the ids themselves, or, where they are many, those of them that are there: 1:* in
 * portions would be a million commands else. out is replaced. */
enum mf_status imap_uid_portion(struct mf_session *s, const struct mf_idset *ids,
	struct mf_idset *out, struct mf_error *err);

#endif
