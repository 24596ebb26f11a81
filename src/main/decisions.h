/*
 * What an administrator decides about devices reaches requests that wait: a look, once a second, whether something
 * was decided, by this process or another.
 */
#ifndef MAIN_DECISIONS_H
#define MAIN_DECISIONS_H

#include "mailferry/error.h"
#include "state/state.h"
#include "work/work.h"

struct decisions {
	struct work_job job; /* first */
	struct work_pool *pool, *phones;
	struct state *state;
	uint32_t seen;
};

/* From now on all that wait in `phones` are woken (EAS_STIR_DECIDED) when something was decided. */
enum mf_status decisions_open(
	struct decisions *d, struct state *state, struct work_pool *phones, struct mf_error *err);
/* Before `phones` is freed; fine when it was not opened. */
void decisions_close(struct decisions *d);

#endif
