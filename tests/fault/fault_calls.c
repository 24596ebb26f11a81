/*
 * The connection to the mail server is cut at every call of a day, before its work and after it, and in
 * the middle of those that tell of many items. Phone and server agree in the end.
 */
#include "pair.h"

#include <stdio.h>

#include "mime/mime.h"

static const enum memory_call calls[] = { MEMORY_LOGIN, MEMORY_FOLDERS, MEMORY_CHANGES, MEMORY_POLL,
	MEMORY_FETCH, MEMORY_FLAG, MEMORY_MOVE, MEMORY_REMOVE, MEMORY_CHANGES_EVENT,
	MEMORY_FETCH_ITEM, MEMORY_MOVE_ITEM };

static struct {
	enum memory_call call;
	unsigned nth, how; /* nth 0: none is cut */
	uint64_t counted;  /* calls of a day */
} cut;

/* From the first Sync on: the hierarchy has tests of its own. */
static void
begin(struct pair *p)
{
	if (p->exchanges > 0 || cut.nth == 0)
		return;
	memory_fail(p->in.world, cut.call, cut.nth, MF_TEMPORARY, cut.how);
}

static void
play(unsigned seed, bool stubborn)
{
	struct pair p;
	uint64_t before;

	pair_init(&p, "calls", seed);
	p.options.delete_for_good = seed % 2 == 1;
	p.stubborn = stubborn;
	before = memory_calls(p.in.world, cut.call);
	pair_play(&p, begin);
	cut.counted = memory_calls(p.in.world, cut.call) - before;
	pair_converge(&p);
	inside_check(p.failed <= 2, "%u requests failed of one cut", p.failed);
	pair_deinit(&p);
}

int
main(void)
{
	unsigned days = 0;

	for (unsigned seed = 0; seed < 3; seed++)
		for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
			cut.call = calls[i];
			cut.nth = 0;
			play(seed, false);
			for (uint64_t n = cut.counted; cut.nth < n;) {
				cut.nth++;
				cut.how = MEMORY_CUT | (cut.nth % 2 == 0 ? MEMORY_LATE : 0U);
				fprintf(stderr, "seed %u, %s %u of %u\n", seed,
					memory_call_name(cut.call), cut.nth, (unsigned)n);
				play(seed, cut.nth % 3 == 0);
				days++;
			}
		}
	inside_check(days > 100, "only %u calls were cut", days);
	mime_deinit();
	printf("%u days with a cut: phone and server agree\n", days);
	return 0;
}
