/*
 * What can go wrong, said as what the caller can do about it.
 *
 * A function that can fail returns enum mf_status and takes `struct mf_error *err` as its last
 * argument; on failure err holds the status and one line for the log, naming the server, the folder
 * and the reason, never a password and never content of mail. err may be NULL where the caller does
 * not care for the text. On MF_OK err is left as it was.
 */
#ifndef MAILFERRY_ERROR_H
#define MAILFERRY_ERROR_H

#include <stdarg.h>

enum mf_status {
	MF_OK = 0,
	MF_GONE,	/* the item, folder or part does not exist (any more): skip it */
	MF_EXISTS,	/* the name is taken: tell the client */
	MF_REFUSED,	/* the server will not do this, now or later: tell the client */
	MF_TOO_LARGE,	/* over a limit or a quota: tell the client */
	MF_INVALID,	/* the request itself is malformed: tell the client */
	MF_UNSUPPORTED, /* this backend lacks the facet or the operation: tell the client */
	MF_RESYNC,	/* the cursor is no longer valid: begin again with an empty one */
	MF_AUTH,	/* the credentials are wrong: ask for the password */
	MF_TEMPORARY,	/* the server is down, slow or busy: retry later, never 401, never empty */
	MF_BROKEN,	/* a defect of ours or a peer beyond reason: give up, loudly */
};

/* What else a client can be told about a login that failed. */
enum mf_reason {
	MF_REASON_NONE = 0,
	MF_REASON_EXPIRED, /* with MF_AUTH: the password was right once, and is to be renewed */
	MF_REASON_BLOCKED, /* with MF_REFUSED: the account is closed; ask an administrator */
};

struct mf_error {
	enum mf_status status;
	enum mf_reason reason; /* set after mf_fail, which clears it */
	char text[400];
};

/* Writes status and the formatted text to err (unless NULL) and returns status. Control characters
 * of the text are replaced, so that a peer cannot forge log lines. */
enum mf_status mf_fail(struct mf_error *err, enum mf_status status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
enum mf_status mf_vfail(struct mf_error *err, enum mf_status status, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

#ifdef __clang_analyzer__ /* which sees one file at a time and must know that failing is no success */
#define mf_fail(err, status, ...) ((void)mf_fail(err, status, __VA_ARGS__), (status))
#endif

/* "ok", "gone", ...: a constant, for logs and metrics. */
const char *mf_status_name(enum mf_status status);

#endif
