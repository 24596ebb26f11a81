/*
 * What waiting phones cost, and how soon they hear of mail.
 *
 *	bench_push [--dovecot [--hibernate]] [--tls] [PHONES [USERS]]
 *
 * PHONES (10000; with --dovecot 1000) Pings of USERS (half as many) wait at one gateway, in front of a server
 * made for this (imap_sim.h), which tells of mail at once, or of a real Dovecot; --hibernate: its sessions are asleep
 * when mail comes. --tls: on both sides. Prints the gateway's memory a phone, its CPU while nothing happens, the time from a
 * delivery to the answer, one by one and at 1,000 a second, what a restart of the server makes, and how
 * long the gateway takes to stop. Ends with 1 when something was lost.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "imap_sim.h"
#include "phone.h"
#include "phones.h"

/* Idle sessions end after a second, and what they needed goes back to the system with them. */
enum { HEARTBEAT = 3000, RATE = 1000, SETTLE_S = 8, HIBERNATE_S = 5 };

struct bench {
	struct bench_phones phones;
	unsigned users;
	struct imap_sim *sim; /* NULL: Dovecot */
	struct dovecot d;
	struct gateway g;
	uint16_t desk; /* where the metrics are */
	unsigned failures;
};

/* ---- The gateway's process ---- */

/* A number of /proc/PID/status in KB. */
static double
status_of(pid_t pid, const char *name)
{
	char path[64];
	char *text;
	const char *at;
	double kb;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	text = fixture_read(path, NULL);
	at = strstr(text, name);
	kb = at != NULL ? strtod(at + strlen(name), NULL) : 0;
	free(text);
	return kb;
}

static double
cpu_of(pid_t pid)
{
	char path[64];
	char *text;
	unsigned long user = 0, system = 0;
	const char *at;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	text = fixture_read(path, NULL);
	at = strrchr(text, ')');
	for (int field = 2; at != NULL && field < 14; field++)
		at = strchr(at + 1, ' ');
	if (at != NULL) {
		char *end;

		user = strtoul(at, &end, 10);
		system = strtoul(end, NULL, 10);
	}
	free(text);
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* A value of its metrics, and -1 when there is none. */
static double
metric(const struct bench *b, const char *name)
{
	static const char request[] = "GET /metrics HTTP/1.0\r\n\r\n";
	static char text[1 << 20];
	size_t len = 0;
	ssize_t n;
	char line[100];
	const char *at;
	int fd = fixture_connect(b->desk);

	if (write(fd, request, sizeof request - 1) < 0)
		fixture_die("metrics: cannot be asked for");
	while (len < sizeof text - 1 && (n = read(fd, text + len, sizeof text - 1 - len)) > 0)
		len += (size_t)n;
	close(fd);
	text[len] = '\0';
	snprintf(line, sizeof line, "\n%s ", name);
	at = strstr(text, line);
	return at == NULL ? -1 : strtod(at + strlen(line), NULL);
}

static void
tell_wakeups(const struct bench *b, const char *when)
{
	printf("%s: %.0f wake-ups so far, %.0f of them for nothing; %.0f logins for sessions\n",
		when, metric(b, "mailferry_wakeups_total"),
		metric(b, "mailferry_wakeups_empty_total"),
		metric(b, "mailferry_sessions_opened_total"));
}

/* ---- Parts ---- */

static void
deliver(struct bench *b, unsigned user)
{
	static const char message[] = "From: a@example.test\nSubject: wake up\n\nx\n";
	char name[24];

	if (b->sim != NULL) {
		imap_sim_deliver(b->sim, user);
		return;
	}
	snprintf(name, sizeof name, "user%u", user);
	dovecot_deliver(&b->d, name, message, sizeof message - 1);
}

/* All wait, and their users are watched. */
static void
wait_for_all(struct bench *b)
{
	double until = bench_now() + 120;
	struct imap_sim_stats stats;

	for (unsigned i = 0; i < b->phones.n; i++) {
		bench_phone_ping(&b->phones, i, HEARTBEAT);
		if (i % 20 == 0)
			bench_phones_run(&b->phones, bench_now() + 0.002);
	}
	do {
		bench_phones_run(&b->phones, bench_now() + 1);
		if (b->sim != NULL)
			imap_sim_stats(b->sim, &stats);
	} while (b->sim != NULL && stats.idling < b->users && bench_now() < until);
	bench_phones_run(&b->phones, bench_now() + (b->sim != NULL ? 2 : 5));
	for (unsigned i = 0; i < b->phones.n; i++)
		if (b->phones.list[i].ended != 0)
			fixture_die("phone %u was answered: HTTP %u, status %u", i,
				b->phones.list[i].http, b->phones.list[i].status);
}

static void
memory_and_idle_cpu(struct bench *b, double before)
{
	double after, cpu;

	bench_phones_run(&b->phones, bench_now() + SETTLE_S);
	after = status_of(b->g.pid, "RssAnon:");
	printf("%u waiting phones of %u users: %.1f KB of memory each; the gateway %.1f MB in "
	       "all\n",
		b->phones.n, b->users, (after - before) / b->phones.n, after / 1024);
	cpu = cpu_of(b->g.pid);
	bench_phones_run(&b->phones, bench_now() + 10);
	printf("CPU while nothing happens: %.2f %%\n", (cpu_of(b->g.pid) - cpu) * 10);
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* What became of the phones of users first to last, whose mail came at `at`; since: answers before that are
 * none of this. */
static void
judge(struct bench *b, const char *what, const double *at, unsigned first, unsigned last,
	double since)
{
	double *took = calloc(b->phones.n, sizeof *took);
	const struct bench_phone *example = NULL;
	unsigned n = 0, lost = 0, odd = 0;

	for (unsigned i = 0; i < b->phones.n; i++) {
		const struct bench_phone *p = &b->phones.list[i];
		unsigned user = 1 + i % b->users;

		if (user < first || user > last) {
			odd += p->ended > since;
			example = p->ended > since ? p : example;
			continue;
		}
		if (p->ended == 0 || p->status != 2)
			lost++;
		else
			took[n++] = p->ended - at[user];
	}
	qsort(took, n, sizeof *took, compare);
	if (n > 0)
		printf("%s: median %.1f ms, 99 %% %.1f ms, most %.1f ms, of %u phones; %u lost\n",
			what, took[n / 2] * 1e3, took[n * 99 / 100] * 1e3, took[n - 1] * 1e3, n,
			lost);
	if (n == 0)
		printf("%s: %u lost\n", what, lost);
	if (odd > 0)
		printf("%s: %u phones were answered for nothing, one of them HTTP %u, status %u\n",
			what, odd, example->http, example->status);
	b->failures += lost + odd;
	free(took);
}

static void
one_by_one(struct bench *b, double *at)
{
	unsigned n = b->users < 100 ? b->users : 100;
	double began = bench_now();

	for (unsigned user = 1; user <= n; user++) {
		at[user] = bench_now();
		deliver(b, user);
		bench_phones_run(&b->phones, bench_now() + (b->sim != NULL ? 0.03 : 0.1));
	}
	bench_phones_run(&b->phones, bench_now() + 5);
	judge(b, "delivery to answer, one by one", at, 1, n, began);
}

static void
wait_again(struct bench *b)
{
	bench_phones_sync(&b->phones, &b->g);
	for (unsigned i = 0; i < b->phones.n; i++)
		if (b->phones.list[i].ended != 0) {
			bench_phone_ping(&b->phones, i, HEARTBEAT);
			if (i % 20 == 0)
				bench_phones_run(&b->phones, bench_now() + 0.002);
		}
	bench_phones_run(&b->phones, bench_now() + 3);
}

/* The rest of the users, a thousand deliveries a second. */
static void
many_at_once(struct bench *b, double *at)
{
	unsigned first = b->users < 100 ? b->users + 1 : 101;
	double began = bench_now(), cpu = cpu_of(b->g.pid), lasted;

	if (b->users < first + 100)
		return;
	for (unsigned user = first; user <= b->users; user++) {
		double due = began + (double)(user - first) / RATE;

		if (due > bench_now())
			bench_phones_run(&b->phones, due);
		at[user] = bench_now();
		deliver(b, user);
	}
	lasted = bench_now() - began;
	bench_phones_run(&b->phones, bench_now() + 5);
	printf("%.0f deliveries a second for %.1f s: %.0f %% CPU of the gateway\n",
		(b->users - first + 1) / lasted, lasted, (cpu_of(b->g.pid) - cpu) / lasted * 100);
	judge(b, "delivery to answer, many at once", at, first, b->users, began);
}

/* The mail server goes away for three seconds; mail that comes meanwhile is told when it is back. */
static void
restart(struct bench *b, double *at)
{
	struct imap_sim_stats stats;
	double began, back;
	unsigned n = b->users < 50 ? b->users : 50;

	if (b->sim == NULL)
		return;
	imap_sim_restart(b->sim, 3000);
	usleep(500 * 1000);
	began = bench_now();
	for (unsigned user = 1; user <= n; user++) {
		at[user] = began;
		deliver(b, user);
	}
	do {
		bench_phones_run(&b->phones, bench_now() + 0.2);
		imap_sim_stats(b->sim, &stats);
		back = bench_now() - began - 2.5;
	} while (stats.idling < b->users && back < 300);
	bench_phones_run(&b->phones, bench_now() + 3);
	printf("the mail server was away for 3 s: all %u users watched again after %.1f s, at most "
	       "%lu "
	       "logins a second\n",
		b->users, back, (unsigned long)stats.logins_most);
	if (stats.idling < b->users)
		b->failures++;
	judge(b, "mail while the server was away", at, 1, n, began);
}

static void
stop(struct bench *b)
{
	double began = bench_now();
	unsigned answered = 0, waited = b->phones.waiting;
	pid_t child = fork();

	if (child == 0) { /* the phones are read here, meanwhile */
		usleep(10 * 1000);
		kill(b->g.pid, SIGTERM);
		_exit(0);
	}
	bench_phones_finish(&b->phones, began + 30);
	waitpid(child, NULL, 0);
	for (unsigned i = 0; i < b->phones.n; i++)
		answered += b->phones.list[i].ended > began && b->phones.list[i].http == 200 &&
			    b->phones.list[i].status == 1;
	printf("the gateway stops under %u waiting phones: %u answered well, after %.2f s\n",
		waited, answered, bench_now() - began);
	b->failures += answered != waited;
}

/* ---- The whole ---- */

static void
start(struct bench *b, bool dovecot, bool hibernate, bool tls, unsigned phones)
{
	char options[80], settings[900], certificate[300], key[300], where[500];

	snprintf(options, sizeof options, "--users %u --hibernate %d", dovecot ? b->users : 1,
		hibernate ? HIBERNATE_S : 0);
	dovecot_start(&b->d, options);
	snprintf(certificate, sizeof certificate, "%s/tls/server.pem", b->d.dir);
	snprintf(key, sizeof key, "%s/tls/server.key", b->d.dir);
	if (!dovecot)
		b->sim = imap_sim_start(b->users, tls ? certificate : NULL, key);
	if (dovecot)
		snprintf(where, sizeof where, "url = \"%s\"\n\tca_file = \"%s\"",
			dovecot_url(&b->d, tls), b->d.ca);
	else
		snprintf(where, sizeof where, "url = \"%s://127.0.0.1:%u\"\n\tverify = no",
			tls ? "imaps" : "imap", imap_sim_port(b->sim));
	b->desk = gateway_free_port();
	snprintf(settings, sizeof settings,
		"log_level = warning\nsession_idle = 1s\nstate_map_size = 2G\nqueue_limit = 20000\n"
		"connection_limit = 19000\nmetrics_listen = 127.0.0.1:%u\n"
		"imap {\n\t%s\n\twatch = idle\n\twatch_hibernation = %ds\n}\n",
		(unsigned)b->desk, where, hibernate ? HIBERNATE_S : 0);
	gateway_start(&b->g, &b->d, settings);
	bench_phones_set_up(&b->phones, phones, b->users, &b->g, tls);
}

int
main(int argc, char **argv)
{
	struct bench b = { 0 };
	bool dovecot = false, hibernate = false, tls = false;
	unsigned phones;
	struct rlimit files;
	double before, *at;

	for (; argc > 1 && argv[1][0] == '-'; argc--, argv++) {
		dovecot = dovecot || strcmp(argv[1], "--dovecot") == 0;
		hibernate = hibernate || strcmp(argv[1], "--hibernate") == 0;
		tls = tls || strcmp(argv[1], "--tls") == 0;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	phones = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : dovecot ? 1000 : 10000;
	b.users = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : phones / 2;
	at = calloc(b.users + 1, sizeof *at);
	start(&b, dovecot, hibernate, tls, phones);
	sleep(SETTLE_S);
	before = status_of(b.g.pid, "RssAnon:");
	wait_for_all(&b);
	memory_and_idle_cpu(&b, before);
	tell_wakeups(&b, "waiting");
	one_by_one(&b, at);
	tell_wakeups(&b, "one by one");
	many_at_once(&b, at);
	tell_wakeups(&b, "many at once");
	wait_again(&b);
	restart(&b, at);
	tell_wakeups(&b, "after the restart");
	stop(&b);
	bench_phones_end(&b.phones);
	gateway_end(&b.g);
	if (b.sim != NULL)
		imap_sim_stop(b.sim);
	dovecot_end(&b.d);
	free(at);
	return b.failures == 0 ? 0 : 1;
}
