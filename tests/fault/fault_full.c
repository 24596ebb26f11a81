/*
 * The disk is full when the state is to be written: the request fails cleanly, the key that the phone has
 * stays good, and when there is room again phone and server agree. The limit on the size of files stands
 * for the disk: LMDB's writes beyond its first two pages fail.
 */
#include "pair.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/log.h"
#include "mime/mime.h"

enum { SEEDS = 6, ROOM = 8192 };

static unsigned full_at; /* the exchange; 0: none */
static bool for_long;	 /* and for two more */

static void
disk(bool full)
{
	struct rlimit limit;

	inside_check(getrlimit(RLIMIT_FSIZE, &limit) == 0, "no limits");
	limit.rlim_cur = full ? ROOM : limit.rlim_max;
	inside_check(setrlimit(RLIMIT_FSIZE, &limit) == 0, "the limit cannot be set");
}

static void
between(struct pair *p)
{
	unsigned next = p->exchanges + 1;

	disk(full_at > 0 && next >= full_at && next <= full_at + (for_long ? 2 : 0));
}

/* How many requests failed. */
static unsigned
play(unsigned seed, bool restart)
{
	struct pair p;
	unsigned failed;

	pair_init(&p, "full", seed);
	log_set_level((enum mf_log_level) - 1); /* errors are what is asked for */
	pair_play(&p, between);
	disk(false);
	if (restart) {
		inside_stop(&p.in);
		inside_start(&p.in);
	}
	failed = p.failed;
	pair_converge(&p);
	inside_check(p.failed == failed, "a request failed with room enough");
	pair_deinit(&p);
	return failed;
}

int
main(void)
{
	unsigned failed = 0, days = 0;

	signal(SIGXFSZ, SIG_IGN);
	log_set_fd(open("/dev/null", O_WRONLY | O_CLOEXEC)); /* errors are what is asked for */
	for (unsigned seed = 0; seed < SEEDS; seed++)
		for (full_at = 1; full_at <= 27; full_at++, days++) {
			for_long = full_at % 2 == 0;
			fprintf(stderr, "seed %u, full at %u\n", seed, full_at);
			failed += play(seed, full_at % 3 == 0);
		}
	inside_check(failed > days / 2, "only %u requests met a full disk", failed);
	mime_deinit();
	printf("%u days with a full disk, %u requests failed: phone and server agree\n", days,
		failed);
	return 0;
}
