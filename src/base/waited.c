/* One sum a thread. */
#include "mailferry/waited.h"

static _Thread_local int64_t waited;

void
mf_waited_add(int64_t us)
{
	if (us > 0)
		waited += us;
}

int64_t
mf_waited_take(void)
{
	int64_t sum = waited;

	waited = 0;
	return sum;
}
