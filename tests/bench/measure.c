#include "measure.h"

#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* ---- Time, CPU, memory ---- */

static double
seconds(clockid_t clock)
{
	struct timespec t = { 0 };

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

double
measure_now(void)
{
	return seconds(CLOCK_MONOTONIC);
}

double
measure_cpu(pid_t pid)
{
	clockid_t clock;

	return clock_getcpuclockid(pid, &clock) == 0 ? seconds(clock) : 0;
}

/* Is this process one of this Dovecot's, below its master? name: "(imap)", NULL: any. */
static bool
belongs(pid_t pid, long master, const char *kind)
{
	char path[64], stat[400], *name, *end;
	FILE *f;
	size_t n;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	f = fopen(path, "r");
	if (f == NULL)
		return false;
	n = fread(stat, 1, sizeof stat - 1, f);
	fclose(f);
	stat[n] = '\0';
	name = strchr(stat, '(');
	end = strrchr(stat, ')');
	return name != NULL && end != NULL &&
	       (kind == NULL || strncmp(name, kind, strlen(kind)) == 0) &&
	       strtol(end + 4, NULL, 10) == master;
}

static long
master_of(const struct dovecot *d)
{
	char path[200], *ports, *run, *pid;
	long master;

	snprintf(path, sizeof path, "%s/ports", d->dir);
	ports = fixture_read(path, NULL);
	run = strstr(ports, "\nRUN=");
	if (run == NULL)
		fixture_die("%s tells no RUN", path);
	snprintf(path, sizeof path, "%.*s/master.pid", (int)strcspn(run + 5, "\n"), run + 5);
	pid = fixture_read(path, NULL);
	master = strtol(pid, NULL, 10);
	free(pid);
	free(ports);
	return master;
}

static void
each_of_dovecot(
	const struct dovecot *d, const char *kind, void (*fn)(pid_t pid, void *ctx), void *ctx)
{
	long master = master_of(d);
	DIR *dir = opendir("/proc");

	for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
		pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);

		if (pid > 0 && belongs(pid, master, kind))
			fn(pid, ctx);
	}
	if (dir != NULL)
		closedir(dir);
}

static void
add_cpu(pid_t pid, void *sum)
{
	*(double *)sum += measure_cpu(pid);
}

double
measure_dovecot_cpu(const struct dovecot *d)
{
	double sum = 0;

	each_of_dovecot(d, "(imap)", add_cpu, &sum);
	return sum;
}

static void
go_first(pid_t pid, void *nothing)
{
	(void)nothing;
	if (sched_setscheduler(pid, SCHED_RR, &(struct sched_param){ .sched_priority = 1 }) != 0)
		fputs("no real-time priority\n", stderr);
}

void
measure_first(const struct dovecot *d)
{
	if (getenv("MAILFERRY_BENCH_REALTIME") == NULL)
		return;
	go_first(0, NULL);
	go_first((pid_t)master_of(d), NULL);
	each_of_dovecot(d, NULL, go_first, NULL);
}

void
measure_rest(void)
{
	if (getenv("MAILFERRY_BENCH_REALTIME") != NULL)
		sleep(1);
}

double
measure_memory(pid_t pid)
{
	unsigned long size, resident, shared;
	char path[64];
	FILE *f;
	int n;

	snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
	f = fopen(path, "r");
	if (f == NULL)
		return 0;
	n = fscanf(f, "%lu %lu %lu", &size, &resident, &shared);
	fclose(f);
	return n == 3 ? (double)(resident - shared) * (double)sysconf(_SC_PAGESIZE) / (1 << 20) : 0;
}

static struct {
	pthread_t thread;
	pid_t pid;
	atomic_bool end;
	double most;
} watching;

static void *
watch(void *nothing)
{
	while (!atomic_load(&watching.end)) {
		double mb = measure_memory(watching.pid);

		if (mb > watching.most)
			watching.most = mb;
		usleep(5000);
	}
	return nothing;
}

void
measure_memory_begin(pid_t pid)
{
	watching.pid = pid;
	watching.most = 0;
	atomic_store(&watching.end, false);
	if (pthread_create(&watching.thread, NULL, watch, NULL) != 0)
		fixture_die("no thread");
}

double
measure_memory_end(void)
{
	atomic_store(&watching.end, true);
	pthread_join(watching.thread, NULL);
	return watching.most;
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double
measure_median(double *values, size_t n)
{
	qsort(values, n, sizeof *values, by_size);
	return n == 0 ? 0 : values[n / 2];
}

/* ---- Raw reading ---- */

struct raw {
	int fd;
	size_t last; /* bytes in data that came last */
	char data[(1 << 18) + 1];
};

struct raw *
raw_open(const struct dovecot *d, const char *user)
{
	struct raw *r = calloc(1, sizeof *r);

	if (r == NULL)
		fixture_die("out of memory");
	r->fd = fixture_connect(d->imap);
	raw_send(r, "a LOGIN %s secret-%s\r\n", user, user);
	raw_discard(r, "a");
	raw_send(r, "b ENABLE QRESYNC\r\nc EXAMINE INBOX\r\n");
	raw_discard(r, "c");
	return r;
}

void
raw_close(struct raw *r)
{
	send(r->fd, "z LOGOUT\r\n", 10, MSG_NOSIGNAL);
	while (recv(r->fd, r->data, sizeof r->data, 0) > 0)
		;
	close(r->fd);
	free(r);
	usleep(20000); /* its process ends: what CPU it had is not to be missed later */
}

void
raw_send(struct raw *r, const char *fmt, ...)
{
	char line[2000];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(line, sizeof line, fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof line || send(r->fd, line, (size_t)n, MSG_NOSIGNAL) != n)
		fixture_die("raw read: cannot send");
}

/* A server may hold back the rest of an answer until its first few bytes are acknowledged: not the kernel's 40 ms later. */
static void
raw_acknowledge(const struct raw *r, ssize_t got)
{
	enum { FEW = 4096 };

	if (got < FEW)
		setsockopt(r->fd, IPPROTO_TCP, TCP_QUICKACK, &(int){ 1 }, sizeof(int));
}

size_t
raw_discard(struct raw *r, const char *tag)
{
	char last[40];
	size_t total = 0, kept = 0, len = (size_t)snprintf(last, sizeof last, "\r\n%s OK", tag);

	/* The first line has no line end before it: as if one had come. */
	memcpy(r->data, "\r\n", kept = 2);
	for (;;) {
		ssize_t n = recv(r->fd, r->data + kept, sizeof r->data - 1 - kept, 0);

		if (n <= 0)
			fixture_die("raw read: the server hung up");
		total += (size_t)n;
		r->last = kept + (size_t)n;
		if (memmem(r->data, r->last, last, len) != NULL)
			break;
		kept = r->last < len ? r->last : len;
		memmove(r->data, r->data + r->last - kept, kept);
		raw_acknowledge(r, n);
	}
	r->data[r->last] = '\0';
	return total;
}

unsigned long
raw_number(const struct raw *r, const char *word)
{
	const char *at = strstr(r->data, word);

	return at == NULL ? 0 : strtoul(at + strlen(word), NULL, 10);
}
