/*
 * How long this thread has waited for a mail server: whoever waits adds, whoever runs a request takes.
 * So that a slow answer can be told from a slow server.
 */
#ifndef MAILFERRY_WAITED_H
#define MAILFERRY_WAITED_H

#include <stdint.h>

/* Microseconds; negative ones count as none. */
void mf_waited_add(int64_t us);
/* What was added in this thread since the last call. */
int64_t mf_waited_take(void);

#endif
