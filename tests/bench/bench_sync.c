/*
 * How long a phone waits for a mailbox, against reading the same from the IMAP server and throwing it away:
 * one connection, pipelined UID FETCH of flags, date, header, structure and the first part's first 5 KB.
 *
 *	bench_sync [COUNT]	that many real messages (10000)
 *
 * Prints one line a figure. Only ratios within one run mean anything.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "phone.h"

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* CPU seconds, and RssAnon in MB, of a process. */
static double
cpu_of(pid_t pid)
{
	char path[64];
	char *text;
	const char *at;
	unsigned long user = 0, system = 0;

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

static double
memory_of(pid_t pid)
{
	char path[64];
	char *text;
	const char *at;
	double mb;

	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	text = fixture_read(path, NULL);
	at = strstr(text, "RssAnon:");
	mb = at != NULL ? strtod(at + strlen("RssAnon:"), NULL) / 1024 : 0;
	free(text);
	return mb;
}

/* Reads and forgets until the tag of the last command; returns the bytes. */
static size_t
discard(int fd, const char *last)
{
	static char data[1 << 18];
	size_t total = 0, kept = 0, tag = strlen(last);

	for (;;) {
		ssize_t n = recv(fd, data + kept, sizeof data - kept, 0);

		if (n <= 0)
			fixture_die("raw read: the server hung up");
		total += (size_t)n;
		n += (ssize_t)kept;
		if (memmem(data, (size_t)n, last, tag) != NULL)
			return total;
		kept = (size_t)n < tag ? (size_t)n : tag;
		memmove(data, data + n - kept, kept);
	}
}

/* Seconds for one pipelined read of the whole Inbox. */
static double
read_raw(const struct dovecot *d, const char *user, unsigned count, size_t *bytes_out)
{
	char line[300];
	int fd = fixture_connect(d->imap);
	double begin;

	snprintf(line, sizeof line, "a LOGIN %s secret-%s\r\nb EXAMINE INBOX\r\n", user, user);
	send(fd, line, strlen(line), MSG_NOSIGNAL);
	discard(fd, "\r\nb OK");
	begin = now();
	for (unsigned first = 1; first <= count; first += 250) {
		snprintf(line, sizeof line,
			"c%u UID FETCH %u:%u (FLAGS INTERNALDATE RFC822.SIZE BODYSTRUCTURE "
			"BODY.PEEK[HEADER] BODY.PEEK[1]<0.5120>)\r\n",
			first, first, first + 249);
		send(fd, line, strlen(line), MSG_NOSIGNAL);
	}
	send(fd, "d NOOP\r\n", 8, MSG_NOSIGNAL);
	*bytes_out = discard(fd, "\r\nd OK");
	begin = now() - begin;
	close(fd);
	return begin;
}

static struct phone *
open_phone(const struct gateway *g, const char *user, unsigned window)
{
	char device[20];
	struct phone *p;

	snprintf(device, sizeof device, "window%u", window);
	p = phone_new(g, user, NULL, device);
	p->options.window = window;
	p->options.body_type = 1;
	p->options.truncation = 5120;
	phone_hierarchy(p);
	return p;
}

/* The first answer with items, and the whole. */
static void
first_sync(const struct gateway *g, const char *user, unsigned window, unsigned count, double raw)
{
	struct phone *p = open_phone(g, user, window);
	struct client_folder *inbox = phone_folder(p, "inbox");
	struct client_sync_result r;
	double begin = now(), first, whole, cpu = cpu_of(g->pid);

	for (first = 0;
		first == 0 && client_sync(p->client, inbox, &p->options, &r, NULL) == MF_OK;)
		if (r.added > 0)
			first = now() - begin;
	phone_sync(p, "inbox");
	whole = now() - begin;
	cpu = cpu_of(g->pid) - cpu;
	if (inbox->n_items != count)
		fixture_die("%zu messages instead of %u came", inbox->n_items, count);
	printf("first sync, window %u: %.2f s, %.2f times the raw read; first answer %.0f ms; "
	       "%.0f us CPU a message; %.1f MB\n",
		window, whole, whole / raw, first * 1e3, cpu * 1e6 / count, memory_of(g->pid));
	begin = now();
	for (int i = 0; i < 200; i++)
		phone_sync(p, "inbox");
	printf("sync with nothing new, window %u: %.2f ms\n", window, (now() - begin) * 1e3 / 200);
	phone_free(p);
}

static double
noop_ms(const struct dovecot *d, const char *user)
{
	struct imap_talk *t = imap_talk_open(d, user);
	double begin;

	imap_talk(t, "SELECT INBOX");
	begin = now();
	for (int i = 0; i < 200; i++)
		imap_talk(t, "STATUS Sent (MESSAGES UIDNEXT HIGHESTMODSEQ)");
	begin = (now() - begin) * 1e3 / 200;
	imap_talk_close(t);
	return begin;
}

int
main(int argc, char **argv)
{
	unsigned count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 10000;
	char command[400];
	struct dovecot d;
	struct gateway g;
	double raw;
	size_t bytes;

	setvbuf(stdout, NULL, _IOLBF, 0);
	dovecot_start(&d, "--format sdbox");
	snprintf(command, sizeof command, "COUNT=%u contrib/tools/corpus maildir", count);
	dovecot_fill(&d, "demo", command);
	/* As the raw read: without TLS towards the mail server. */
	snprintf(command, sizeof command,
		"log_level = info\nstate_map_size = 1G\ncommand_repeats = 0\nimap {\n\turl = "
		"\"%s\"\n}\n",
		dovecot_url(&d, false));
	gateway_start(&g, &d, command);
	read_raw(&d, "demo", count, &bytes); /* fills the server's cache */
	raw = read_raw(&d, "demo", count, &bytes);
	printf("%u messages, raw read: %.3f s, %.1f MB; one STATUS: %.2f ms\n", count, raw,
		(double)bytes / 1e6, noop_ms(&d, "demo"));
	first_sync(&g, "demo", 512, count, raw);
	first_sync(&g, "demo", 100, count, raw);
	gateway_end(&g);
	dovecot_end(&d);
	return 0;
}
