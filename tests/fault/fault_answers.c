/*
 * Every answer of a day is lost: each alone, and all first ones. Whether the phone then sends the very
 * same request again or goes on with another under the old key, both agree in the end.
 */
#include "pair.h"

#include <stdio.h>

#include "mime/mime.h"

enum { SEEDS = 6 };

static unsigned
play(unsigned seed, unsigned lose_at, bool lose_each, bool stubborn)
{
	struct pair p;
	unsigned exchanges;

	pair_init(&p, "answers", seed);
	p.lose_at = lose_at;
	p.lose_each = lose_each;
	p.stubborn = stubborn;
	pair_play(&p, NULL);
	exchanges = p.exchanges;
	pair_converge(&p);
	inside_check(p.failed == 0, "%u requests failed", p.failed);
	pair_deinit(&p);
	return exchanges;
}

int
main(void)
{
	unsigned days = 0;

	for (unsigned seed = 0; seed < SEEDS; seed++)
		for (int stubborn = 0; stubborn < 2; stubborn++) {
			unsigned n = play(seed, 0, false, false);

			for (unsigned at = 1; at <= n; at++, days++) {
				fprintf(stderr, "seed %u, answer %u, %s\n", seed, at,
					stubborn ? "the same again" : "another request");
				play(seed, at, false, stubborn == 1);
			}
			fprintf(stderr, "seed %u, all answers\n", seed);
			play(seed, 0, true, stubborn == 1);
		}
	mime_deinit();
	printf("%u days with a lost answer: phone and server agree\n", days);
	return 0;
}
