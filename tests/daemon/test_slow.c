/* Hundreds of clients that send a byte at a time, beside good ones. */
#include <criterion/criterion.h>
#include <signal.h>
#include <time.h>

#include "daemon/daemon.h"
#include "unit/http_client.h"

#define OPTIONS                                                                \
	"OPTIONS /Microsoft-Server-ActiveSync HTTP/1.1\r\nHost: localhost\r\n" \
	"Authorization: Basic dTpzZWNyZXQ=\r\n\r\n"

enum { SLOW = 300, GOOD = 200 };

/* How they begin; then they say one byte after another. */
static const struct {
	const char *text;
	bool tls;
} kinds[] = {
	{ "POST /Microsoft-Server-ActiveSync?Cmd=Ping HTTP/1.1\r\nHost: x\r\nX-Slow: ", false },
	{ "POST /Microsoft-Server-ActiveSync?Cmd=Ping HTTP/1.1\r\nHost: x\r\n"
	  "Content-Length: 60000\r\n\r\n",
		false },
	{ "POST /Microsoft-Server-ActiveSync?Cmd=Ping HTTP/1.1\r\nHost: x\r\n"
	  "Transfer-Encoding: chunked\r\n\r\nffff\r\n",
		false },
	{ "\x16\x03\x01\x02", true },
	{ "", false },
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static struct daemon d;
static int slow[SLOW];

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
come(int i)
{
	slow[i] = client_connect(kinds[i % KINDS].tls ? d.tls_port : d.port);
	cr_assert(slow[i] >= 0, "client %d", i);
	send(slow[i], kinds[i % KINDS].text, strlen(kinds[i % KINDS].text), MSG_NOSIGNAL);
}

/* One byte each, but for those of the kind that says nothing; how many are still there. */
static int
drip(void)
{
	int open = 0;

	for (int i = 0; i < SLOW; i++) {
		char text[500];

		if (slow[i] < 0)
			continue;
		if (recv(slow[i], text, sizeof text, MSG_DONTWAIT) == 0 ||
			(*kinds[i % KINDS].text != '\0' &&
				send(slow[i], "a", 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)) {
			close(slow[i]);
			slow[i] = -1;
			continue;
		}
		open++;
	}
	return open;
}

static void
good(int i)
{
	static struct client c;
	static struct client_answer a;

	client_open(&c, d.port);
	client_says(&c, OPTIONS);
	client_answer(&c, &a, 20000);
	cr_assert_eq(a.status, 200, "good request %d: %d", i, a.status);
	close(c.fd);
}

static void
start(const char *more)
{
	daemon_init(&d);
	daemon_configure(&d, more);
	daemon_start(&d, -1);
	cr_assert(daemon_ready(&d), "%s", daemon_read(&d, "log"));
	for (int i = 0; i < SLOW; i++)
		come(i);
}

static void
stop(void)
{
	for (int i = 0; i < SLOW; i++)
		if (slow[i] >= 0)
			close(slow[i]);
	kill(d.pid, SIGTERM);
	cr_assert_eq(daemon_wait(&d, 30000), 0, "%s", daemon_read(&d, "log"));
	daemon_deinit(&d);
}

/* Whatever they are slow with, they are closed when their time is over, though each byte comes in time. */
Test(slow, cut_at_the_bounds, .timeout = 120)
{
	double began = now();
	int open = SLOW;

	start("header_timeout = 2s\nbody_timeout = 3s\nidle_timeout = 60s\n");
	for (int i = 0; i < GOOD; i++) {
		good(i);
		drip();
	}
	while (open > 0 && now() < began + 60) {
		usleep(100000);
		open = drip();
	}
	cr_assert_eq(open, 0, "%d are still there", open);
	stop();
}

/* They alone would fill the house: the slowest give way. */
Test(slow, keep_nobody_out, .timeout = 120)
{
	int open;

	start("header_timeout = 10m\nbody_timeout = 10m\nidle_timeout = 10m\n"
	      "connection_limit = 100\nstop_timeout = 1s\n");
	for (int i = 0; i < GOOD; i++) {
		good(i);
		open = drip();
	}
	cr_assert_leq(open, 100, "%d beyond the limit", open);
	cr_assert_not_null(
		strstr(daemon_read(&d, "log"), "http=gave-way"), "%s", daemon_read(&d, "log"));
	stop();
}
