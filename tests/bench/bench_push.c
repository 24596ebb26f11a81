/*
 * What waiting phones cost, and how soon they hear of mail.
 *
 *	bench_push [PHONES] [USERS]	that many Pings of that many users at a real Dovecot (500, 250)
 *
 * Prints the gateway's memory a waiting phone, its CPU while nothing happens, and the time from a
 * delivery to the answer. Dovecot with NOTIFY tells after up to 500 ms; that is part of the figure.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "client/loop.h"
#include "phone.h"

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

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

/* One phone that pings its Inbox. */
struct waiter {
	struct phone *phone;
	struct client_request request;
	struct mf_buf body;
	double ended; /* 0: it still waits */
	unsigned status;
};

static void
answered(void *ctx, struct client *c, enum mf_status st, const struct client_answer *answer,
	const struct mf_error *err)
{
	struct waiter *w = ctx;

	(void)c;
	(void)err;
	w->ended = now();
	w->status = st == MF_OK ? client_number(answer->root, Ping_Status, 0) : 0;
}

static void
prepare(struct waiter *w, const struct gateway *g, const struct dovecot *d, unsigned i,
	unsigned users)
{
	static const char message[] = "From: a@example.test\nSubject: before\n\nx\n";
	struct client_folder *inbox;
	char user[32], device[32];

	snprintf(user, sizeof user, "user%u", 1 + i % users);
	snprintf(device, sizeof device, "device%u", i);
	if (i < users)
		dovecot_deliver(d, user, message, sizeof message - 1);
	w->phone = phone_new(g, user, NULL, device);
	phone_hierarchy(w->phone);
	phone_sync(w->phone, "inbox");
	inbox = phone_folder(w->phone, "inbox");
	mf_buf_init(&w->body, 0);
	client_ping_build(3000, &inbox, 1, &w->body);
	w->request = (struct client_request){
		.command = "Ping", .body = mf_buf_bytes(&w->body), .wait_s = 3100
	};
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Delivers to some users and waits for their phones. */
static void
deliveries(struct client_loop *loop, struct waiter *list, unsigned phones, unsigned users,
	const struct dovecot *d, unsigned count)
{
	static const char message[] = "From: a@example.test\nSubject: wake up\n\nx\n";
	double *took = calloc(count, sizeof *took);
	unsigned n = 0, lost = 0;

	for (unsigned i = 0; i < count && i < users; i++) {
		char user[32];
		double began;

		snprintf(user, sizeof user, "user%u", 1 + i);
		began = now();
		dovecot_deliver(d, user, message, sizeof message - 1);
		began = now() - began > 1 ? now() : began;
		while (list[i].ended == 0 && now() - began < 10)
			client_loop_run(loop, 5);
		if (list[i].ended == 0 || list[i].status != 2)
			lost++, printf("lost: user %u, status %u\n", i + 1, list[i].status);
		else
			took[n++] = list[i].ended - began;
	}
	qsort(took, n, sizeof *took, compare);
	if (n > 0)
		printf("delivery to answer: median %.0f ms, 99 %% %.0f ms of %u; %u lost\n",
			took[n / 2] * 1e3, took[n * 99 / 100] * 1e3, n, lost);
	for (unsigned i = 0; i < phones; i++)
		if (list[i].ended != 0 && list[i].status != 2)
			fixture_die("phone %u was answered with status %u", i, list[i].status);
	free(took);
}

int
main(int argc, char **argv)
{
	unsigned phones = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 500;
	unsigned users = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : phones / 2;
	struct rlimit files;
	struct waiter *list = calloc(phones, sizeof *list);
	struct client_loop *loop = client_loop_new();
	char options[64];
	struct dovecot d;
	struct gateway g;
	double before, after, cpu;

	setvbuf(stdout, NULL, _IOLBF, 0);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	snprintf(options, sizeof options, "--users %u", users);
	dovecot_start(&d, options);
	gateway_start(
		&g, &d, "log_level = warning\nsession_idle = 1s\nimap {\n\twatch = idle\n}\n");
	for (unsigned i = 0; i < phones; i++)
		prepare(&list[i], &g, &d, i, users);
	sleep(3);
	before = status_of(g.pid, "RssAnon:");
	for (unsigned i = 0; i < phones; i++) {
		client_loop_start(
			loop, list[i].phone->client, &list[i].request, answered, &list[i]);
		client_loop_run(loop, 0);
	}
	for (double until = now() + 70; now() < until;) /* idle sessions end, memory goes back */
		client_loop_run(loop, 100);
	after = status_of(g.pid, "RssAnon:");
	printf("%u waiting phones of %u users: %.1f KB each; the gateway %.1f MB in all\n", phones,
		users, (after - before) / phones, after / 1024);
	cpu = cpu_of(g.pid);
	sleep(10);
	printf("CPU while nothing happens: %.2f %%\n", (cpu_of(g.pid) - cpu) * 10);
	deliveries(loop, list, phones, users, &d, 100);
	client_loop_free(loop);
	for (unsigned i = 0; i < phones; i++) {
		mf_buf_deinit(&list[i].body);
		phone_free(list[i].phone);
	}
	free(list);
	gateway_end(&g);
	dovecot_end(&d);
	return 0;
}
