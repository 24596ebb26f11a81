/* Keys of generations. */
#include "state/generation.h"

#include "base/str.h"
#include "state/store.h"

static const uint64_t step = 1000000000;

uint64_t
state_generation_first(void)
{
	return step + state_random(step);
}

uint64_t
state_generation_next(uint64_t newest)
{
	return newest == 0 || newest > UINT64_MAX - step ? state_generation_first() : newest + step;
}

const char *
state_generation_print(struct mf_arena *a, uint64_t key)
{
	return mf_printf(a, "%llu", (unsigned long long)key);
}

bool
state_generation_parse(const char *text, uint64_t *out)
{
	uint64_t key;

	if (!str_to_u64(text, UINT64_MAX, &key) || (text[0] == '0' && text[1] != '\0'))
		return false;
	if (key != 0 && key < step)
		return false;
	*out = key;
	return true;
}
