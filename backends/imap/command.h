/*
 * Commands of our own: written into a buffer, several at a time where that saves round trips, and
 * their answers read in order.
 *
 *	imap_begin(s);
 *	imap_put(s, "STATUS ");
 *	imap_put_string(s, folder);
 *	imap_put(s, " (UIDNEXT)");
 *	tag = imap_end(s);
 *	status = imap_flush(s, err);
 *	status = imap_wait(s, tag, on_status, &ctx, &result, err);
 *
 * A string with CR, LF or NUL is never sent: imap_flush fails with MF_INVALID and sends nothing.
 */
#ifndef IMAP_COMMAND_H
#define IMAP_COMMAND_H

#include "reader.h"
#include "session.h"

enum imap_condition { IMAP_OK, IMAP_NO, IMAP_BAD };

enum imap_code {
	IMAP_CODE_NONE,
	IMAP_CODE_OTHER,
	IMAP_CODE_ALERT,
	IMAP_CODE_ALREADYEXISTS,
	IMAP_CODE_APPENDUID,
	IMAP_CODE_AUTHENTICATIONFAILED,
	IMAP_CODE_AUTHORIZATIONFAILED,
	IMAP_CODE_BADCHARSET,
	IMAP_CODE_CANNOT,
	IMAP_CODE_CAPABILITY,
	IMAP_CODE_CLIENTBUG,
	IMAP_CODE_CONTACTADMIN,
	IMAP_CODE_COPYUID,
	IMAP_CODE_CORRUPTION,
	IMAP_CODE_EXPIRED,
	IMAP_CODE_EXPUNGEISSUED,
	IMAP_CODE_HASCHILDREN,
	IMAP_CODE_HIGHESTMODSEQ,
	IMAP_CODE_INUSE,
	IMAP_CODE_LIMIT,
	IMAP_CODE_NOMODSEQ,
	IMAP_CODE_NONEXISTENT,
	IMAP_CODE_NOPERM,
	IMAP_CODE_OVERQUOTA,
	IMAP_CODE_PERMANENTFLAGS,
	IMAP_CODE_PRIVACYREQUIRED,
	IMAP_CODE_READ_ONLY,
	IMAP_CODE_READ_WRITE,
	IMAP_CODE_SERVERBUG,
	IMAP_CODE_TOOBIG,
	IMAP_CODE_TRYCREATE,
	IMAP_CODE_UIDNEXT,
	IMAP_CODE_UIDVALIDITY,
	IMAP_CODE_UNAVAILABLE,
};

struct imap_result {
	enum imap_condition condition;
	enum imap_code code;
	struct mf_bytes args; /* what stands behind the code, until the next answer is read */
	char text[160];	      /* the server's words, for the log */
};

/* One untagged answer of the command that is waited for; x stands behind "* ". A status other than
 * MF_OK ends the wait; the rest of the answers is drained. */
typedef enum mf_status imap_untagged_fn(
	void *ctx, struct mf_session *s, struct imap_lex *x, bool cut);

void imap_begin(struct mf_session *s);
void imap_put(struct mf_session *s, const char *text);
void imap_putf(struct mf_session *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A mailbox or any other astring, quoted; with bytes over 127 as a literal. */
void imap_put_string(struct mf_session *s, const char *text);
/* Ends the command; its tag. */
unsigned imap_end(struct mf_session *s);
/* begin, formatted text without strings of others, end. */
unsigned imap_command(struct mf_session *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Sends what was written. The command's time begins. With a server that must be asked before each
 * literal (no LITERAL+) it waits for its go-ahead; MF_REFUSED when that is denied. */
enum mf_status imap_flush(struct mf_session *s, struct mf_error *err);

/* Reads until the end of the command `tag`, in whatever order commands end; untagged answers of the
 * whole pipeline go to fn. At most IMAP_PIPELINE_MAX commands are under way. r may be NULL: then NO and BAD are failures, mapped by
 * imap_refused. MF_TEMPORARY and `lost` when the connection breaks. */
enum mf_status imap_wait(struct mf_session *s, unsigned tag, imap_untagged_fn *fn, void *ctx,
	struct imap_result *r, struct mf_error *err);

/* Reads one answer: *ended is the tag of the command that ended with it, and *r how; else 0. For
 * pipelines that look at the answers themselves. */
enum mf_status imap_next(struct mf_session *s, imap_untagged_fn *fn, void *ctx, unsigned *ended,
	struct imap_result *r, struct mf_error *err);

/* Waits for "+ " (*go) or the end of the command, whichever comes first; then *r tells how. */
enum mf_status imap_wait_continue(
	struct mf_session *s, unsigned tag, bool *go, struct imap_result *r, struct mf_error *err);

/* Sends and waits for one command that was just written. */
enum mf_status imap_run(struct mf_session *s, unsigned tag, imap_untagged_fn *fn, void *ctx,
	struct imap_result *r, struct mf_error *err);

/* Reads the answers of commands that nobody waits for any more; `lost` when they are too many. */
void imap_drain(struct mf_session *s);

/* The status that NO or BAD stand for; what: the command, for the log. */
enum mf_status imap_refused(
	struct mf_session *s, const struct imap_result *r, const char *what, struct mf_error *err);

/* "[CODE ...] text" of a status answer; x behind OK, NO or BAD. Notes what concerns the session. */
void imap_parse_code(struct mf_session *s, struct imap_lex x, struct imap_result *r);

/* What any untagged answer means for the session, whoever waits. MF_TEMPORARY: BYE. */
enum mf_status imap_note(struct mf_session *s, struct imap_lex x, struct mf_error *err);

#endif
