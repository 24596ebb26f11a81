/*
 * What benchmarks share: time, CPU and memory of a process, medians, and reading from an IMAP server
 * as fast as a program can that throws everything away.
 */
#ifndef TESTS_BENCH_MEASURE_H
#define TESTS_BENCH_MEASURE_H

#include <stddef.h>
#include <sys/types.h>

#include "fixture.h"

/* Seconds of the monotonic clock. */
double measure_now(void);

/* Seconds of CPU that a process has used, exactly. */
double measure_cpu(pid_t pid);

/* The same of all processes of this Dovecot that serve IMAP sessions. */
double measure_dovecot_cpu(const struct dovecot *d);

/* With MAILFERRY_BENCH_REALTIME in the environment: this process, what it starts from now on, and this Dovecot go before all
 * other work of the machine (root may ask for that), so that a busy machine measures like a quiet one. */
void measure_first(const struct dovecot *d);

/* Before what takes some hundred milliseconds of one core: with MAILFERRY_BENCH_REALTIME the kernel stops such
 * processes for the rest of each second of which they had 950 ms, and always in the middle of the same thing when a round
 * takes a second. Waits for the next one; without it there is nothing to wait for. */
void measure_rest(void);

/* MB of anonymous memory of a process: what it has beside mapped files. */
double measure_memory(pid_t pid);

/* Watches it in a thread of its own; end returns the most that was seen, in MB. One watch at a time. */
void measure_memory_begin(pid_t pid);
double measure_memory_end(void);

/* Sorts them. */
double measure_median(double *values, size_t n);

/* ---- Raw reading ---- */

struct raw;

/* Logged in, with the Inbox examined (QRESYNC enabled). */
struct raw *raw_open(const struct dovecot *d, const char *user);
void raw_close(struct raw *r);

/* Sends commands (printf-like, with tags and line ends) without waiting. */
void raw_send(struct raw *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Reads and forgets up to "TAG OK" at the beginning of a line; returns the bytes. */
size_t raw_discard(struct raw *r, const char *tag);

/* The number behind a word ("HIGHESTMODSEQ ") in the last bytes that raw_discard forgot; 0: not there. */
unsigned long raw_number(const struct raw *r, const char *word);

#endif
