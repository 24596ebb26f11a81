/* A few threads for what blocks, beside the loop. Knows nothing of what it runs. */
#ifndef PUSH_HELPERS_H
#define PUSH_HELPERS_H

#include "mailferry/loop.h"

struct helpers;

/* n threads, started when there is something to do for them. */
struct helpers *helpers_new(unsigned n);

/* Runs job->run on one of them, then job->done on the loop's thread. */
void helpers_push(struct helpers *h, struct mf_loop *l, struct mf_loop_job *job);

/* Lets what was pushed finish and ends the threads; nothing may be pushed after that. */
void helpers_finish(struct helpers *h);
void helpers_free(struct helpers *h);

#endif
