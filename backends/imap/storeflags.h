/* STORE and EXPUNGE on the selected folder, as several files need them. */
#ifndef IMAP_STOREFLAGS_H
#define IMAP_STOREFLAGS_H

#include "session.h"

enum { IMAP_STORE_AT_ONCE = 5000 }; /* items; more takes longer than a command may */

/* flag.c: UID STORE ids +FLAGS.SILENT (list), sign '+' or '-'; an empty list is nothing to do. */
enum mf_status imap_store_flags(struct mf_session *s, const struct mf_idset *ids, char sign,
	const char *list, struct mf_error *err);

/* remove.c: removes these items and no others, whatever is marked \Deleted beside them. */
enum mf_status imap_expunge(struct mf_session *s, const struct mf_idset *ids, struct mf_error *err);

#endif
