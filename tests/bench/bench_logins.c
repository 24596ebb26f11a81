/*
 * What a thousand wrong passwords a second cost the phones of others.
 *
 *	bench_logins [RATE] [ROUNDS]	wrong logins a second (1000), so many rounds (8)
 *
 * A real Dovecot, which takes its two seconds over each wrong password. Good phones ask at a steady rate
 * for what is new (nothing is), by turns in quiet and while strangers guess: from one address, then from
 * as many addresses as there are guesses (told by a trusted proxy). Prints the good ones' times, the
 * ratio, and the gateway's CPU for a guess.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <glob.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "measure.h"
#include "phone.h"

enum { PHONES = 4, GOOD_RATE = 100 /* all phones together */, SOCKETS = 400, SAMPLES = 20000 };

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
sleep_until(double t)
{
	struct timespec ts = { .tv_sec = (time_t)t };

	ts.tv_nsec = (long)((t - (double)ts.tv_sec) * 1e9);
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* ---- Strangers: on a thread of their own, by bare sockets ---- */

struct strangers {
	unsigned port, rate;
	bool many_addresses;
	_Atomic bool stop, quiet;
	unsigned sent, missed, statuses[600];
	int fds[SOCKETS];
	bool busy[SOCKETS];
};

static int
dial(unsigned port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&in, sizeof in) != 0)
		fixture_die("connect");
	return fd;
}

/* What came; one read takes an answer of these sizes. */
static void
listen_all(struct strangers *s)
{
	char text[4096];

	for (int i = 0; i < SOCKETS; i++) {
		int status = 0;
		ssize_t n = s->busy[i] ? recv(s->fds[i], text, sizeof text - 1, MSG_DONTWAIT) : -1;

		if (n < 0)
			continue;
		text[n] = '\0';
		if (n > 0 && sscanf(text, "HTTP/1.1 %d", &status) == 1 && status < 600)
			s->statuses[status]++;
		s->busy[i] = false;
		if (n == 0 || strcasestr(text, "Connection: close") != NULL) {
			close(s->fds[i]);
			s->fds[i] = dial(s->port);
		}
	}
}

static void
guess(struct strangers *s)
{
	struct mf_arena *a;
	const char *text, *both;
	unsigned n = s->sent + s->missed;
	int i = 0;

	while (i < SOCKETS && s->busy[i])
		i++;
	if (i == SOCKETS) {
		s->missed++;
		return;
	}
	a = mf_arena_new();
	both = mf_printf(a, "user%u:guess%u", 1 + n % PHONES, n);
	text = mf_printf(a,
		"OPTIONS /Microsoft-Server-ActiveSync HTTP/1.1\r\nHost: x\r\n"
		"Authorization: Basic %s\r\nX-Forwarded-For: 10.%u.%u.%u\r\n\r\n",
		str_base64(a, both, strlen(both)), s->many_addresses ? n >> 16 & 255 : 9,
		s->many_addresses ? n >> 8 & 255 : 9, s->many_addresses ? n & 255 : 9);
	if (send(s->fds[i], text, strlen(text), MSG_NOSIGNAL) != (ssize_t)strlen(text))
		fixture_die("send");
	mf_arena_free(a);
	s->busy[i] = true;
	s->sent++;
}

static void *
guess_on(void *arg)
{
	struct strangers *s = arg;
	double next = now();

	for (int i = 0; i < SOCKETS; i++)
		s->fds[i] = dial(s->port);
	while (!s->stop) {
		if (s->quiet)
			next = now();
		for (int n = 0; n < 50 && !s->quiet && now() >= next; n++) {
			guess(s);
			next += 1.0 / s->rate;
		}
		listen_all(s);
		sleep_until(now() + 0.004);
	}
	for (int i = 0; i < SOCKETS; i++)
		close(s->fds[i]);
	return NULL;
}

/* ---- Good phones ---- */

struct figures {
	double took[SAMPLES], sum, cpu;
	unsigned n;
};

static double
cpu_of(pid_t pid)
{
	char path[64], *text, *at;
	double cpu = 0;

	snprintf(path, sizeof path, "/proc/%d/schedstat", (int)pid);
	text = fixture_read(path, NULL);
	cpu = strtod(text, &at) / 1e9;
	free(text);
	return cpu;
}

/* All threads of it. */
static double
cpu_of_all(const struct gateway *g)
{
	char path[64];
	double cpu = 0;
	glob_t found;

	snprintf(path, sizeof path, "/proc/%d/task/[0-9]*", (int)g->pid);
	if (glob(path, GLOB_NOSORT, NULL, &found) != 0)
		return 0;
	for (size_t i = 0; i < found.gl_pathc; i++)
		cpu += cpu_of((pid_t)strtol(strrchr(found.gl_pathv[i], '/') + 1, NULL, 10));
	globfree(&found);
	return cpu;
}

/* One request of each phone after another, at a steady rate, for a second. */
static void
measure(struct phone **phones, const struct gateway *g, struct figures *f)
{
	double next = now(), end = next + 1, began, cpu = cpu_of_all(g);

	for (unsigned i = 0; next < end && f->n < SAMPLES; i++, next += 1.0 / GOOD_RATE) {
		sleep_until(next);
		began = now();
		phone_sync(phones[i % PHONES], "inbox");
		f->took[f->n] = now() - began;
		f->sum += f->took[f->n++];
	}
	f->cpu += cpu_of_all(g) - cpu;
}

static void
report(const char *what, struct figures *f, const struct figures *quiet)
{
	qsort(f->took, f->n, sizeof *f->took, compare);
	printf("%s: median %.2f ms (x%.2f), mean %.2f ms (x%.2f), 90 %% %.2f ms, 99 %% %.2f ms, "
	       "max %.2f ms, "
	       "CPU %.0f us a request\n",
		what, f->took[f->n / 2] * 1e3, f->took[f->n / 2] / quiet->took[quiet->n / 2],
		f->sum / f->n * 1e3, f->sum / f->n / (quiet->sum / quiet->n),
		f->took[f->n * 9 / 10] * 1e3, f->took[f->n * 99 / 100] * 1e3,
		f->took[f->n - 1] * 1e3, f->cpu / f->n * 1e6);
}

static void
attack(struct phone **phones, const struct gateway *g, unsigned rate, bool many, unsigned rounds)
{
	static struct figures quiet, during;
	static struct strangers s;
	pthread_t thread;

	memset(&quiet, 0, sizeof quiet);
	memset(&during, 0, sizeof during);
	memset(&s, 0, sizeof s);
	s.port = g->port;
	s.rate = rate;
	s.many_addresses = many;
	s.quiet = true;
	if (pthread_create(&thread, NULL, guess_on, &s) != 0)
		fixture_die("pthread_create");
	for (unsigned i = 0; i < rounds; i++) {
		measure(phones, g, &quiet);
		s.quiet = false;
		measure(phones, g, &during);
		s.quiet = true;
	}
	s.stop = true;
	pthread_join(thread, NULL);
	printf("from %s: %u guesses a second (%u not sent), 401: %u, 503: %u; %.0f us of CPU "
	       "each\n",
		many ? "as many addresses" : "one address", s.sent / rounds, s.missed,
		s.statuses[401], s.statuses[503], (during.cpu - quiet.cpu) / s.sent * 1e6);
	report("quiet    ", &quiet, &quiet);
	report("meanwhile", &during, &quiet);
}

int
main(int argc, char **argv)
{
	unsigned rate = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1000;
	unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 8;
	struct phone *phones[PHONES];
	char command[400];
	struct dovecot d;
	struct gateway g;

	setvbuf(stdout, NULL, _IOLBF, 0);
	dovecot_start(&d, "--users 4");
	snprintf(command, sizeof command,
		"sed -i 's/auth_failure_delay = 0/auth_failure_delay = 2 secs/' %s/dovecot.conf",
		d.dir);
	if (system(command) != 0)
		fixture_die("%s", command);
	dovecot_do(&d, "restart");
	measure_first(&d);
	gateway_start(&g, &d,
		"log_level = info\ncommand_repeats = 0\nauth_cache = 1h\nsession_idle = 1h\n");
	for (unsigned i = 0; i < PHONES; i++) {
		char user[32];

		snprintf(user, sizeof user, "user%u", i + 1);
		phones[i] = phone_new(&g, user, NULL, "bench");
		phone_hierarchy(phones[i]);
		phone_sync(phones[i], "inbox");
	}
	attack(phones, &g, rate, false, rounds);
	attack(phones, &g, rate, true, rounds);
	for (unsigned i = 0; i < PHONES; i++)
		phone_free(phones[i]);
	gateway_end(&g);
	dovecot_end(&d);
	return 0;
}
