/* Time: monotonic for deadlines, wall clock for dates. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds of a clock that never jumps; only differences mean anything. */
int64_t clock_ms(void);
int64_t clock_us(void);

/* Seconds since 1970-01-01 UTC. Tests may shift it by clock_shift. */
int64_t clock_wall(void);
void clock_shift(int64_t seconds);
/* Tests let time pass: all clocks are that much later from now on. */
void clock_skip(int64_t seconds);

#endif
