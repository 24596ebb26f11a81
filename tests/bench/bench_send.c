/*
 * What sending costs through the gateway, against a raw SMTP client that gives the same message to the same
 * Postfix (which throws it away): the median of many of 10 KB and of a few large ones, in turns; and the
 * gateway's anonymous memory while a very large one passes.
 *
 *	bench_send [MB] [HUGE MB] [COUNT]	large messages of that size (20); the very large one (50);
 *						how many small ones (200)
 *
 * Prints one line a figure. Only ratios within one run mean anything.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/mail.h"
#include "mta.h"
#include "phone.h"

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double
median(double *list, size_t n)
{
	qsort(list, n, sizeof *list, compare);
	return list[n / 2];
}

/* ---- A message of some size, another each time ---- */

static char *
message_new(size_t bytes)
{
	char *m = malloc(bytes + 1000), *p = m;

	p += sprintf(p, "From: <bench@example.test>\r\nTo: <sink@example.test>\r\n"
			"Message-ID: <00000000@bench>\r\nDate: Mon, 05 Feb 2024 10:11:12 +0000\r\n"
			"Subject: Bench\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n");
	while ((size_t)(p - m) < bytes) {
		memset(p, 'a' + (int)((p - m) / 78 % 26), 76);
		memcpy(p + 76, "\r\n", 2);
		p += 78;
	}
	*p = '\0';
	return m;
}

static void
message_number(char *m, unsigned n)
{
	char digits[9];

	snprintf(digits, sizeof digits, "%08u", n);
	memcpy(strstr(m, "<") + strlen("<bench@example.test>\r\nTo: <sink@example.test>\r\n"
				       "Message-ID: <"),
		digits, 8);
}

/* ---- The raw client ---- */

static void
reply(int fd, char code)
{
	char line[1000];
	size_t n = 0;

	for (;;) {
		ssize_t got = read(fd, line + n, sizeof line - n - 1);
		char *last;

		if (got <= 0)
			fixture_die("SMTP: the server is gone");
		n += (size_t)got;
		line[n] = '\0';
		last = n < 2 ? NULL : memrchr(line, '\n', n - 1);
		last = last == NULL ? line : last + 1;
		if (line[n - 1] == '\n' && strlen(last) > 3 && last[3] == ' ') {
			if (last[0] != code)
				fixture_die("SMTP: %s", last);
			return;
		}
	}
}

static void
put(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n <= 0)
			fixture_die("SMTP: the server is gone");
		data += n;
		len -= (size_t)n;
	}
}

static int
raw_open(const struct mta *m)
{
	int fd = fixture_connect(m->plain);

	reply(fd, '2');
	put(fd, "EHLO bench\r\n", 12);
	reply(fd, '2');
	return fd;
}

/* Nothing in the message begins with a dot. */
static double
raw_send(int fd, const char *m, size_t len)
{
	double begin = now();

	dprintf(fd, "MAIL FROM:<bench@example.test> SIZE=%zu\r\n", len);
	reply(fd, '2');
	dprintf(fd, "RCPT TO:<sink@example.test>\r\n");
	reply(fd, '2');
	put(fd, "DATA\r\n", 6);
	reply(fd, '3');
	put(fd, m, len);
	put(fd, ".\r\n", 3);
	reply(fd, '2');
	return now() - begin;
}

/* ---- Through the gateway ---- */

/* The request is built before the clock runs: the phone's part is not measured. */
static double
phone_send(struct phone *p, const char *m, size_t len, unsigned number, bool save)
{
	struct client_request r = { .command = "SendMail" };
	struct client_answer answer = { 0 };
	struct mf_error err = { 0 };
	struct wbxml_writer w;
	struct mf_buf body;

	mf_buf_init(&body, 0);
	wbxml_begin(&w, &body);
	wbxml_open(&w, ComposeMail_SendMail);
	wbxml_number(&w, ComposeMail_ClientId, number);
	if (save)
		wbxml_empty(&w, ComposeMail_SaveInSentItems);
	wbxml_open(&w, ComposeMail_Mime);
	wbxml_opaque(&w, m, len);
	wbxml_close(&w);
	wbxml_close(&w);
	r.body = mf_buf_bytes(&body);
	if (client_call(p->client, &r, &answer, &err) != MF_OK || answer.http_status != 200 ||
		answer.body.len > 0)
		fixture_die("SendMail: HTTP %u, %s", answer.http_status, err.text);
	mf_buf_deinit(&body);
	return (double)answer.total_us / 1e6;
}

static unsigned number;

/* What a process has used of the CPU, in seconds. */
static double
cpu_of(pid_t pid)
{
	char path[64], *text, *at;
	unsigned long long user = 0, system = 0;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	text = fixture_read(path, NULL);
	at = strrchr(text, ')');
	if (at != NULL)
		sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user,
			&system);
	free(text);
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static void
sizes(struct phone *p, const struct gateway *g, int fd, size_t bytes, size_t count, bool save)
{
	char *m = message_new(bytes);
	size_t len = strlen(m);
	double *raw = calloc(count, sizeof *raw), *sent = calloc(count, sizeof *sent), a, b;
	double cpu = cpu_of(g->pid);

	for (size_t i = 0; i < count; i++) {
		message_number(m, ++number);
		raw[i] = raw_send(fd, m, len);
		message_number(m, ++number);
		sent[i] = phone_send(p, m, len, number, save);
	}
	a = median(raw, count);
	b = median(sent, count);
	printf("%zu KB%s: raw %.2f ms, through the gateway %.2f ms: %.2f ms more, x%.2f; %.2f ms "
	       "of its CPU\n",
		len >> 10, save ? " with a copy in Sent" : "", a * 1e3, b * 1e3, (b - a) * 1e3,
		b / a, (cpu_of(g->pid) - cpu) / (double)count * 1e3);
	free(raw);
	free(sent);
	free(m);
}

/* ---- Memory ---- */

struct watching {
	pid_t pid;
	_Atomic bool stop;
	double peak;
};

static double
anonymous_mb(pid_t pid)
{
	char path[64], *text;
	const char *at;
	double mb;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	text = fixture_read(path, NULL);
	at = strstr(text, "RssAnon:");
	mb = at != NULL ? strtod(at + strlen("RssAnon:"), NULL) / 1024 : 0;
	free(text);
	return mb;
}

static void *
watch(void *arg)
{
	struct watching *w = arg;
	struct timespec pause = { .tv_nsec = 2000000 };

	while (!w->stop) {
		double mb = anonymous_mb(w->pid);

		w->peak = mb > w->peak ? mb : w->peak;
		nanosleep(&pause, NULL);
	}
	return NULL;
}

static void
watch_begin(struct watching *w, pthread_t *t, const struct gateway *g)
{
	*w = (struct watching){ .pid = g->pid };
	pthread_create(t, NULL, watch, w);
}

static void
watch_end(struct watching *w, pthread_t t, const char *what, size_t mb, double before)
{
	w->stop = true;
	pthread_join(t, NULL);
	printf("%s of %zu MB: anonymous memory grew from %.1f by %.1f MB at most\n", what, mb,
		before, w->peak - before);
}

static void
memory(struct phone *p, const struct gateway *g, size_t mb)
{
	struct watching w;
	char *m = message_new(mb << 20);
	double before = anonymous_mb(g->pid);
	pthread_t t;

	message_number(m, ++number);
	watch_begin(&w, &t, g);
	phone_send(p, m, strlen(m), number, true);
	watch_end(&w, t, "SendMail", mb, before);
	free(m);
}

/* A forward of a message whose attachment is that large. */
static void
forward(struct phone *p, const struct dovecot *d, const struct gateway *g, const char *user,
	size_t mb)
{
	static const char note[] = "From: <bench@example.test>\r\nTo: <sink@example.test>\r\n"
				   "Subject: Fwd: Large\r\n\r\nLook.\r\n";
	static const char head[] =
		"Subject: Large\r\nMIME-Version: 1.0\r\nContent-Type: "
		"multipart/mixed; boundary=A\r\n\r\n--A\r\n\r\nText.\r\n--A\r\n"
		"Content-Type: application/zip\r\nContent-Disposition: attachment; "
		"filename=l.zip\r\n\r\n";
	struct imap_talk *i = imap_talk_open(d, user);
	char *m = message_new(mb << 20), *whole = malloc((mb << 20) + 4000);
	struct watching w;
	struct mf_error err = { 0 };
	pthread_t t;
	unsigned status;
	double before, begin;

	sprintf(whole, "%s%s\r\n--A--\r\n", head, m);
	imap_talk_append(i, "INBOX", "", NULL, whole, strlen(whole));
	imap_talk_close(i);
	free(m);
	free(whole);
	phone_sync(p, "inbox");
	const struct client_item **items = client_items_sorted(phone_folder(p, "inbox"));
	struct client_sending s = { .command = "SmartForward",
		.client_id = "forward",
		.mime = mf_bytes_str(note),
		.folder_id = phone_folder(p, "inbox")->id,
		.item_id = items[0]->id };
	before = anonymous_mb(g->pid);
	watch_begin(&w, &t, g);
	begin = now();
	if (client_send(p->client, &s, &status, &err) != MF_OK || status != 1)
		fixture_die("SmartForward: status %u, %s", status, err.text);
	begin = now() - begin;
	watch_end(&w, t, "SmartForward", mb, before);
	printf("it took %.2f s\n", begin);
	free(items);
}

int
main(int argc, char **argv)
{
	size_t mb = argc > 1 ? strtoul(argv[1], NULL, 10) : 20,
	       huge = argc > 2 ? strtoul(argv[2], NULL, 10) : 50,
	       small = argc > 3 ? strtoul(argv[3], NULL, 10) : 200;
	const char *user = fixture_user("bench");
	struct dovecot d;
	struct mta m;
	struct gateway g;
	char conf[900], extra[200];
	FILE *f;

	dovecot_get(&d);
	snprintf(extra, sizeof extra, "/tmp/mf-bench-send.%d", (int)getpid());
	f = fopen(extra, "w");
	if (f == NULL || fputs("virtual_transport = discard:\n", f) < 0 || fclose(f) != 0)
		fixture_die("%s cannot be written", extra);
	snprintf(conf, sizeof conf, "--extra %s", extra);
	if (!mta_start(&m, &d, conf)) {
		puts("no Postfix: nothing to measure");
		return 0;
	}
	unlink(extra);
	snprintf(conf, sizeof conf,
		"backends = {\"imap\", \"smtp\"}\nlog_level = warning\nsend_from = any\n"
		"imap {\n\turl = \"%s\"\n\tca_file = \"%s\"\n}\n"
		"smtp {\n\turl = \"smtp://127.0.0.1:%u\"\n\tauth = none\n}\n",
		dovecot_url(&d, true), d.ca, m.plain);
	gateway_start(&g, &d, conf);
	struct phone *p = phone_new(&g, user, NULL, "phone1");
	int fd = raw_open(&m);

	phone_hierarchy(p);
	if (small > 0) {
		sizes(p, &g, fd, 10 << 10, small, false);
		sizes(p, &g, fd, 10 << 10, small / 2 + 1, true);
	}
	sizes(p, &g, fd, mb << 20, 7, false);
	sizes(p, &g, fd, mb << 20, 3, true);
	memory(p, &g, huge);
	forward(p, &d, &g, user, huge);
	close(fd);
	phone_free(p);
	gateway_end(&g);
	mta_end(&m);
	dovecot_end(&d);
	return 0;
}
