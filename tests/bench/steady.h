/*
 * Good phones that ask at a steady rate for what is new (nothing is), beside whatever else goes on: how long their
 * requests take, in quiet and meanwhile.
 */
#ifndef TESTS_BENCH_STEADY_H
#define TESTS_BENCH_STEADY_H

#include "phone.h"

enum { STEADY_RATE = 100 /* requests a second, of all phones together */, STEADY_SAMPLES = 20000 };

struct steady {
	double took[STEADY_SAMPLES], sum, cpu;
	unsigned n;
};

/* Phones of the users user1, user2, ..., each with its Inbox synchronised. */
void steady_open(struct phone **phones, unsigned n, const struct gateway *g);
void steady_close(struct phone **phones, unsigned n);

/* One request of each phone after another, for a second; adds to the figures, also the gateway's CPU. */
void steady_measure(struct phone **phones, unsigned n, const struct gateway *g, struct steady *f);

/* One line: the times, and their ratios to the quiet ones. Sorts them. */
void steady_report(const char *what, struct steady *f, const struct steady *quiet);

/* Sleeps until a time of measure_now. */
void steady_sleep_until(double t);

#endif
