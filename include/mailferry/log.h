/*
 * The log: one line an event, `key=value`, to standard error (or where the configuration says).
 *
 * Each thread has a context (request id, user, device, command) that is put before every line; it is
 * set once by whoever owns the request, and a call names only what is new. Passwords and content of
 * mail never appear in a log line: pass names, ids, sizes and reasons. Safe from any thread.
 */
#ifndef MAILFERRY_LOG_H
#define MAILFERRY_LOG_H

#include <stdbool.h>

enum mf_log_level { MF_LOG_ERROR, MF_LOG_WARNING, MF_LOG_INFO, MF_LOG_DEBUG };

/* fmt is a list of key=value pairs; use mf_log_value for strings of a peer. */
void mf_log(enum mf_log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define mf_log_error(...)   mf_log(MF_LOG_ERROR, __VA_ARGS__)
#define mf_log_warning(...) mf_log(MF_LOG_WARNING, __VA_ARGS__)
#define mf_log_info(...)    mf_log(MF_LOG_INFO, __VA_ARGS__)
#define mf_log_debug(...)                                  \
	do {                                               \
		if (mf_log_enabled(MF_LOG_DEBUG))          \
			mf_log(MF_LOG_DEBUG, __VA_ARGS__); \
	} while (0)

bool mf_log_enabled(enum mf_log_level level);

/* A string of a peer as a log value: quoted where it has blanks, control characters escaped, cut at
 * 200 bytes. The result stands in a ring of 8 buffers of this thread: use it in the same call. */
const char *mf_log_value(const char *s);

#endif
