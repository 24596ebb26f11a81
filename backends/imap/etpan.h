/*
 * What libetpan speaks for us: the greeting, LOGIN, and the commands on folders that are answered by
 * OK or NO alone, one at a time. What goes which way, and why, is told in README.md.
 *
 * Each call borrows a libetpan session for one command. It reads from our framing, so that limits,
 * deadlines and untagged answers are ours; only the greeting, go-aheads and the ends of its own commands
 * reach libetpan's parser.
 */
#ifndef IMAP_ETPAN_H
#define IMAP_ETPAN_H

#include "command.h"
#include "session.h"

enum imap_verb { IMAP_CREATE, IMAP_DELETE, IMAP_SUBSCRIBE, IMAP_UNSUBSCRIBE };

/* The server's first line. MF_TEMPORARY: no greeting, BYE, or PREAUTH (nobody asked for that). */
enum mf_status imap_etpan_greeting(struct mf_session *s, struct mf_error *err);

/* LOGIN; MF_OK: answered, and *r tells how. */
enum mf_status imap_etpan_login(struct mf_session *s, const char *user, const char *password,
	struct imap_result *r, struct mf_error *err);

/* A command on one folder, or RENAME; MF_OK: answered, and *r tells how. */
enum mf_status imap_etpan_folder(struct mf_session *s, enum imap_verb verb, const char *folder,
	struct imap_result *r, struct mf_error *err);
enum mf_status imap_etpan_rename(struct mf_session *s, const char *from, const char *to,
	struct imap_result *r, struct mf_error *err);

#endif
