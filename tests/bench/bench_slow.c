/*
 * What thousands of slow clients cost the phones of others.
 *
 *	bench_slow [CLIENTS] [ROUNDS]	so many slow ones (4000), so many rounds (6)
 *
 * Each sends a byte a second, half of them of a header, half of a body, and begins anew when it is closed. Good
 * phones ask at a steady rate for what is new, by turns without and beside them; then the same with a
 * connection_limit that the slow ones alone would fill. Prints the good ones' times and the ratios, and how many
 * of the slow ones were closed.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "measure.h"
#include "phone.h"
#include "steady.h"

enum { PHONES = 4, MOST = 16000, TICKS = 100 /* a second */, DIALS = 20 /* a tick */ };

struct slow {
	unsigned port, n;
	_Atomic bool stop, quiet;
	_Atomic unsigned open, closed;
	int fds[MOST];
};

static const char *const begun[] = {
	"POST /Microsoft-Server-ActiveSync?Cmd=Ping HTTP/1.1\r\nHost: x\r\nX-Slow: ",
	"POST /Microsoft-Server-ActiveSync?Cmd=Ping&DeviceId=slow&DeviceType=x HTTP/1.1\r\nHost: "
	"x\r\n"
	"Content-Type: application/vnd.ms-sync.wbxml\r\nContent-Length: 60000\r\n\r\n",
};

static int
dial(unsigned port, const char *text)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&in, sizeof in) != 0)
		fixture_die("connect");
	send(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
	return fd;
}

static bool
ended(int fd)
{
	char text[200];

	return recv(fd, text, sizeof text, MSG_DONTWAIT) == 0;
}

static void
drip(struct slow *s, unsigned i, unsigned *dials)
{
	if (s->fds[i] >= 0 &&
		(ended(s->fds[i]) || send(s->fds[i], "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)) {
		close(s->fds[i]);
		s->fds[i] = -1;
		s->open--;
		s->closed++;
	}
	if (s->fds[i] < 0 && *dials > 0) {
		s->fds[i] = dial(s->port, begun[i % 2]);
		s->open++;
		--*dials;
	}
}

static void
hang_up(struct slow *s)
{
	for (unsigned i = 0; i < s->n; i++) {
		if (s->fds[i] >= 0)
			close(s->fds[i]);
		s->fds[i] = -1;
	}
	s->open = 0;
}

static void *
drip_on(void *arg)
{
	struct slow *s = arg;
	unsigned at = 0;

	for (double next = measure_now(); !s->stop; next += 1.0 / TICKS) {
		unsigned dials = DIALS;

		steady_sleep_until(next);
		for (unsigned k = 0; k < s->n / TICKS && !s->quiet; k++, at = (at + 1) % s->n)
			drip(s, at, &dials);
		if (s->quiet && s->open > 0)
			hang_up(s);
	}
	hang_up(s);
	return NULL;
}

/* All of them are there, or have been for as long as it may take. */
static void
settle(struct slow *s)
{
	double until = measure_now() + 2 + (double)s->n / (TICKS * DIALS);

	while (s->open < s->n && measure_now() < until)
		steady_sleep_until(measure_now() + 0.05);
}

static void
attack(struct phone **phones, const struct gateway *g, unsigned n, unsigned rounds,
	const char *what)
{
	static struct steady quiet, during;
	static struct slow s;
	pthread_t thread;

	memset(&quiet, 0, sizeof quiet);
	memset(&during, 0, sizeof during);
	memset(&s, 0, sizeof s);
	memset(s.fds, -1, sizeof s.fds);
	s.port = g->port;
	s.n = n;
	s.quiet = true;
	if (pthread_create(&thread, NULL, drip_on, &s) != 0)
		fixture_die("pthread_create");
	for (unsigned i = 0; i < rounds; i++) {
		steady_measure(phones, PHONES, g, &quiet);
		s.quiet = false;
		settle(&s);
		steady_measure(phones, PHONES, g, &during);
		s.quiet = true;
		steady_sleep_until(measure_now() + 0.5);
	}
	s.stop = true;
	pthread_join(thread, NULL);
	printf("%u slow clients, connection_limit %s: %u closed\n", n, what, s.closed);
	steady_report("quiet    ", &quiet, &quiet);
	steady_report("meanwhile", &during, &quiet);
}

static void
run(struct dovecot *d, unsigned n, unsigned rounds, unsigned limit, const char *what)
{
	struct phone *phones[PHONES];
	struct gateway g;
	char settings[200];

	snprintf(settings, sizeof settings,
		"log_level = warning\ncommand_repeats = 0\nauth_cache = 1h\nsession_idle = 1h\n"
		"connection_limit = %u\n",
		limit);
	gateway_start(&g, d, settings);
	steady_open(phones, PHONES, &g);
	attack(phones, &g, n, rounds, what);
	steady_close(phones, PHONES);
	gateway_end(&g);
}

int
main(int argc, char **argv)
{
	unsigned n = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 4000;
	unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 6;
	struct dovecot d;

	if (n < TICKS || n > MOST || rounds == 0)
		return fprintf(stderr, "clients: %d to %d\n", TICKS, MOST), 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	dovecot_start(&d, "--users 4");
	measure_first(&d);
	run(&d, n, rounds, 2 * n, "beyond them");
	run(&d, n, rounds, n * 3 / 4, "below them");
	dovecot_end(&d);
	return 0;
}
