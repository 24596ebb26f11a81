/* A clock, a few phones, and their times in order. */
#include "steady.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "measure.h"

void
steady_sleep_until(double t)
{
	struct timespec ts = { .tv_sec = (time_t)t };

	ts.tv_nsec = (long)((t - (double)ts.tv_sec) * 1e9);
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

void
steady_open(struct phone **phones, unsigned n, const struct gateway *g)
{
	for (unsigned i = 0; i < n; i++) {
		char user[32];

		snprintf(user, sizeof user, "user%u", i + 1);
		phones[i] = phone_new(g, user, NULL, "bench");
		phone_hierarchy(phones[i]);
		phone_sync(phones[i], "inbox");
	}
}

void
steady_close(struct phone **phones, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		phone_free(phones[i]);
}

void
steady_measure(struct phone **phones, unsigned n, const struct gateway *g, struct steady *f)
{
	double next = measure_now(), end = next + 1, began, cpu = measure_cpu(g->pid);

	for (unsigned i = 0; next < end && f->n < STEADY_SAMPLES; i++, next += 1.0 / STEADY_RATE) {
		steady_sleep_until(next);
		began = measure_now();
		phone_sync(phones[i % n], "inbox");
		f->took[f->n] = measure_now() - began;
		f->sum += f->took[f->n++];
	}
	f->cpu += measure_cpu(g->pid) - cpu;
}

void
steady_report(const char *what, struct steady *f, const struct steady *quiet)
{
	double median = measure_median(f->took, f->n);

	printf("%s: median %.2f ms (x%.2f), mean %.2f ms (x%.2f), 90 %% %.2f ms, 99 %% %.2f ms, "
	       "most %.2f ms\n",
		what, median * 1e3, median / quiet->took[quiet->n / 2], f->sum / f->n * 1e3,
		f->sum / f->n / (quiet->sum / quiet->n), f->took[f->n * 9 / 10] * 1e3,
		f->took[f->n * 99 / 100] * 1e3, f->took[f->n - 1] * 1e3);
}
