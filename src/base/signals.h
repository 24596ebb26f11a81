/* Signals and threads: the process's signals are the main thread's. */
#ifndef BASE_SIGNALS_H
#define BASE_SIGNALS_H

#include <signal.h>

/* Blocks all signals in this thread, and so in those that it starts, but those that tell of a defect of
 * the thread itself: blocked, they would end the process without a word. What was blocked before is
 * in old; put it back by pthread_sigmask(SIG_SETMASK, &old, NULL). */
void signals_block(sigset_t *old);

#endif
