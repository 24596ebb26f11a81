/* The log's inside: where lines go, from which level on, and what a thread puts before them. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "mailferry/log.h"

/* Level names as in the configuration: error, warning, info, debug. False for others. */
bool log_level_parse(const char *name, enum mf_log_level *out);
void log_set_level(enum mf_log_level level);

/* Timestamps before each line (off under systemd, whose journal has its own). */
void log_set_timestamps(bool on);

/* Where lines go: a descriptor, 2 by default. Owned by the caller. */
void log_set_fd(int fd);

/* What this thread puts before its lines from now on; NULL ends it. Copied, cut at 400 bytes. */
void log_set_context(const char *context);

#endif
