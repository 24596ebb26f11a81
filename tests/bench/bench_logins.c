/*
 * What a thousand wrong passwords a second cost the phones of others.
 *
 *	bench_logins [RATE] [ROUNDS]	wrong logins a second (1000), so many rounds (8)
 *
 * A real Dovecot, which takes its two seconds over each wrong password. Good phones ask at a steady rate
 * for what is new (nothing is), by turns in quiet and while strangers guess: from one address, then from
 * as many addresses as there are guesses (told by a trusted proxy). Prints the good ones' times, the
 * ratio, and the gateway's CPU for a guess. The good ones must not be 10 % slower, in median and mean.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"
#include "measure.h"
#include "phone.h"
#include "steady.h"

enum { PHONES = 4, SOCKETS = 400 };

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
	double next = measure_now();

	for (int i = 0; i < SOCKETS; i++)
		s->fds[i] = dial(s->port);
	while (!s->stop) {
		if (s->quiet)
			next = measure_now();
		for (int n = 0; n < 50 && !s->quiet && measure_now() >= next; n++) {
			guess(s);
			next += 1.0 / s->rate;
		}
		listen_all(s);
		steady_sleep_until(measure_now() + 0.004);
	}
	for (int i = 0; i < SOCKETS; i++)
		close(s->fds[i]);
	return NULL;
}

static void
attack(struct phone **phones, const struct gateway *g, unsigned rate, bool many, unsigned rounds)
{
	static struct steady quiet, during;
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
		steady_measure(phones, PHONES, g, &quiet);
		s.quiet = false;
		steady_measure(phones, PHONES, g, &during);
		s.quiet = true;
	}
	s.stop = true;
	pthread_join(thread, NULL);
	printf("from %s: %u guesses a second (%u not sent), 401: %u, 503: %u; %.0f us of CPU "
	       "each\n",
		many ? "as many addresses" : "one address", s.sent / rounds, s.missed,
		s.statuses[401], s.statuses[503], (during.cpu - quiet.cpu) / s.sent * 1e6);
	steady_report("quiet    ", &quiet, &quiet);
	steady_report("meanwhile", &during, &quiet);
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
	steady_open(phones, PHONES, &g);
	attack(phones, &g, rate, false, rounds);
	attack(phones, &g, rate, true, rounds);
	steady_close(phones, PHONES);
	gateway_end(&g);
	dovecot_end(&d);
	return 0;
}
