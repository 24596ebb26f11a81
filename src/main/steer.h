/* What changes while the daemon runs: the log's level, and who is traced. For the main thread alone. */
#ifndef MAIN_STEER_H
#define MAIN_STEER_H

#include "conf/conf.h"
#include "eas/trace.h"

struct steer {
	const char *config; /* the configuration's file; NULL: the environment */
	const char *directory;
	struct eas_trace *trace;
	int64_t level_until; /* seconds since 1970; 0: the level is not for a time */
};

/* At start: forgets what the daemon before was told. */
void steer_begin(struct steer *s, const char *config, const struct mf_conf *top);
void steer_end(struct steer *s);

/* Reads again what it is told, and the level of the configuration, and does so. */
void steer_again(struct steer *s);

/* Does what time has brought; for how many ms (at most max) nothing more comes. */
int64_t steer_due(struct steer *s, int64_t max);

#endif
