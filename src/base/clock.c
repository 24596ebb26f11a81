/* Time. Knows no protocol. */
#include "base/clock.h"

#include <stdatomic.h>
#include <time.h>

static _Atomic int64_t shift;
static _Atomic int64_t skipped; /* microseconds */

int64_t
clock_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000 +
	       atomic_load_explicit(&skipped, memory_order_relaxed);
}

int64_t
clock_ms(void)
{
	return clock_us() / 1000;
}

int64_t
clock_wall(void)
{
	return (int64_t)time(NULL) + atomic_load_explicit(&shift, memory_order_relaxed) +
	       atomic_load_explicit(&skipped, memory_order_relaxed) / 1000000;
}

void
clock_shift(int64_t seconds)
{
	atomic_store_explicit(&shift, seconds, memory_order_relaxed);
}

void
clock_skip(int64_t seconds)
{
	atomic_fetch_add_explicit(&skipped, seconds * 1000000, memory_order_relaxed);
}
