/*
 * A phone and the gateway, and everything that can go wrong between them: answers are lost, requests
 * come twice, the mail server fails in the middle of any call, the gateway stops. Meanwhile mail
 * arrives and goes, and both sides change flags. When it is over, phone and server must agree within a
 * few exchanges, and then fall silent. Seeds make each run the same again: pass one to repeat it.
 */
#include "pair.h"

#include <stdio.h>
#include <stdlib.h>

#include "mime/mime.h"

enum { STEPS = 120, RUNS = 60 };

/* ---- What goes wrong ---- */

static void
break_something(struct pair *p)
{
	static const enum memory_call calls[] = { MEMORY_LOGIN, MEMORY_CHANGES, MEMORY_FETCH,
		MEMORY_FLAG, MEMORY_MOVE, MEMORY_CHANGES_EVENT, MEMORY_FETCH_ITEM,
		MEMORY_MOVE_ITEM };

	switch (pair_random(p, 4)) {
	case 0:
		inside_stop(&p->in);
		inside_start(&p->in);
		break;
	case 1:
		memory_drop(p->in.world);
		break;
	default:
		memory_fail(p->in.world, calls[pair_random(p, sizeof(calls) / sizeof(calls[0]))],
			1 + pair_random(p, 4), MF_TEMPORARY,
			(pair_random(p, 2) ? MEMORY_LATE : 0U) |
				(pair_random(p, 2) ? MEMORY_CUT : 0U));
	}
}

static void
run_once(unsigned seed)
{
	struct pair p;

	pair_init(&p, "fault", seed);
	pair_hierarchy(&p);
	for (int i = 0; i < 8; i++)
		pair_deliver(&p);
	for (int i = 0; i < STEPS; i++) {
		unsigned what = pair_random(&p, 10);

		if (what < 3)
			pair_server_step(&p);
		else if (what < 5)
			pair_phone_step(&p);
		else if (what < 6)
			break_something(&p);
		else
			pair_sync(&p, what == 6, "in the storm");
	}
	pair_converge(&p);
	pair_deinit(&p);
}

int
main(int argc, char **argv)
{
	if (argc > 1) {
		run_once((unsigned)strtoul(argv[1], NULL, 10));
		mime_deinit();
		return 0;
	}
	for (unsigned seed = 0; seed < RUNS; seed++) {
		fprintf(stderr, "seed %u\n", seed);
		run_once(seed);
	}
	mime_deinit();
	printf("%d runs of %d steps: phone and server agree\n", RUNS, STEPS);
	return 0;
}
