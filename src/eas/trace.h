/*
 * Traces: the decoded requests and answers of single users, written to files for whoever looks into a
 * problem. Only while it is asked for, only for a time, bounded in number and size, without credentials
 * or passwords. What mail says stands in them: the folder is for its owner alone. Any thread.
 */
#ifndef EAS_TRACE_H
#define EAS_TRACE_H

#include "eas/request.h"

enum {
	EAS_TRACE_USERS = 20,	  /* at once */
	EAS_TRACE_FILES = 1000,	  /* of a user; then the trace ends */
	EAS_TRACE_BYTES = 1 << 20 /* of one file; the rest is cut */
};

struct eas_trace;

struct eas_trace_order {
	const char *user;
	int64_t until; /* seconds since 1970 */
};

/* The directory (copied) is made when the first trace begins, mode 0700. */
struct eas_trace *eas_trace_new(const char *directory);
void eas_trace_free(struct eas_trace *t); /* NULL is fine */

/* From now on these are traced, and no others; n at most EAS_TRACE_USERS (more are left out). */
void eas_trace_set(struct eas_trace *t, const struct eas_trace_order *orders, size_t n);

/* Whether a user is traced at the moment: what of a request is to be shown later must be kept then. */
bool eas_trace_wants(struct eas_trace *t, const char *user);

/* A request is done: written if its user is traced. t NULL: nothing. */
void eas_trace_done(struct eas_trace *t, const struct eas_request *r);

/* The folder of a user's trace. In the arena. */
const char *eas_trace_folder(struct mf_arena *a, const char *directory, const char *user);

#endif
