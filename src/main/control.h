/*
 * What an administrator tells a running daemon: log level and traces, in a small file of the state's
 * directory, and a signal that it is there. A daemon that starts forgets what was told to the one
 * before.
 */
#ifndef MAIN_CONTROL_H
#define MAIN_CONTROL_H

#include "mailferry/arena.h"
#include "mailferry/error.h"
#include "mailferry/log.h"

enum { CONTROL_TRACES = 20 };

struct control {
	bool level_set;
	enum mf_log_level level;
	int64_t level_until; /* seconds since 1970; 0: until the daemon ends */
	struct {
		const char *user;
		int64_t until;
	} traces[CONTROL_TRACES];
	size_t n;
};

/* Nothing is told where there is no file. What is over is left out. Lines that make no sense are ignored.
 * Strings are in the arena. */
void control_read(const char *state_directory, struct mf_arena *a, struct control *out);

/* Writes it for the daemon of this directory and signals it. MF_GONE: none serves. */
enum mf_status control_tell(
	const char *state_directory, const struct control *c, struct mf_error *err);

/* At a daemon's start. */
void control_forget(const char *state_directory);

/* Where traces are. In the arena. */
const char *control_trace_directory(struct mf_arena *a, const char *state_directory);

#endif
