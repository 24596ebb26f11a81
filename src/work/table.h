/* The table of waiting jobs: by time (a heap) and by group (chains). No lock of its own. */
#ifndef WORK_TABLE_H
#define WORK_TABLE_H

#include "work/work.h"

struct work_table {
	struct work_job **heap; /* by due, the earliest first */
	size_t n, room;
	struct work_job **groups; /* chains of listed jobs, the newest first */
	size_t n_groups;	  /* a power of two, or 0 */
	size_t listed;
};

void work_table_deinit(struct work_table *t);

/* A job that waits until job->due. */
void work_table_park(struct work_table *t, struct work_job *job);
void work_table_unpark(struct work_table *t, struct work_job *job);
/* The parked job that is due first; NULL when none is parked. */
struct work_job *work_table_first(const struct work_table *t);

/* A job is listed under a group from its first wait until it is done, so that a wake finds it while
 * it runs. Listing it under another group moves it; group 0 takes it off. */
void work_table_list(struct work_table *t, struct work_job *job, uint64_t group);

/* The jobs listed under a group: the first, and the one after `job`. */
struct work_job *work_table_group(const struct work_table *t, uint64_t group);
struct work_job *work_table_group_next(const struct work_job *job);

#endif
