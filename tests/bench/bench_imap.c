/*
 * The IMAP backend alone against reading the same bytes from the server and throwing them away: all ids,
 * metadata with structure and header, bodies of 5 KB, pipelined on one connection.
 *
 *	bench_imap [COUNT]	messages (10000)
 *
 * Prints one line a figure. Only ratios within one run mean anything.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "fixture.h"
#include "imap_help.h"
#include "raw.h"

enum { BODY = 5120, RUNS = 5 };

static double
cpu(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static double
memory(void)
{
	char *text = fixture_read("/proc/self/status", NULL);
	const char *at = strstr(text, "RssAnon:");
	double mb = at == NULL ? 0 : (double)strtoul(at + 8, NULL, 10) / 1024;

	free(text);
	return mb;
}

/* ---- The mailbox ---- */

static size_t
make_message(char *out, size_t room, unsigned i)
{
	static const char *const heads[] = { "Content-Type: text/plain; charset=utf-8\r\n\r\n",
		"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: "
		"text/plain\r\n\r\n",
		("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: "
		 "text/html\r\n\r\n") };
	static const char *const tails[] = { "",
		"\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>x\r\n--b--\r\n",
		("\r\n--b\r\nContent-Type: application/pdf; name=\"a.pdf\"\r\n"
		 "Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b--\r\n") };
	size_t lines = 20 + i * 37 % 160, n;

	n = (size_t)snprintf(out, room,
		"Received: from a.example (a.example [192.0.2.1]) by b.example; Mon, 1 Jan 2024 "
		"10:00:00 +0000\r\nFrom: Somebody <a%u@example.test>\r\nTo: anna@example.test\r\n"
		"Subject: message %u about this and that\r\nMessage-ID: <%u@example.test>\r\n"
		"References: <%u@example.test>\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\n"
		"MIME-Version: 1.0\r\n%s",
		i % 97, i, i, i / 3, heads[i % 3]);
	for (size_t k = 0; k < lines; k++)
		n += (size_t)snprintf(out + n, room - n,
			"Line %zu of what somebody wrote to somebody else about it all.\r\n", k);
	return n + (size_t)snprintf(out + n, room - n, "%s", tails[i % 3]);
}

static void
fill(struct dovecot *d, const char *user, unsigned count)
{
	struct imap_talk *t = imap_talk_open(d, user);

	for (unsigned i = 0; i < count; i++) {
		char text[32768];
		size_t n = make_message(text, sizeof(text), i);

		imap_talk_append(t, "INBOX", i % 4 == 0 ? "\\Seen" : "", NULL, text, n);
	}
	imap_talk_close(t);
}

/* ---- Through the backend ---- */

struct reading {
	uint64_t *ids;
	size_t n, items, bytes;
	double start, listed, first, hundredth;
};

static enum mf_status
take_event(void *ctx, const struct mf_event *e)
{
	struct reading *r = ctx;

	r->ids[r->n++] = e->id;
	return MF_OK;
}

static size_t
first_text(void *ctx, const struct mf_item *item, struct mf_section_want *out)
{
	(void)ctx;
	(void)item;
	strcpy(out[0].section, "1");
	out[0].max = BODY;
	return 1;
}

static enum mf_status
take_item(void *ctx, const struct mf_item *item)
{
	struct reading *r = ctx;

	if (r->items++ == 0)
		r->first = now() - r->start;
	if (r->items == 100)
		r->hundredth = now() - r->start;
	r->bytes += item->n_sections > 0 ? item->sections[0].data.len : 0;
	return MF_OK;
}

static double
through(struct imap_world *w, const char *user, struct reading *r, size_t window, bool bodies)
{
	static const char *const fields[] = { "From", "To", "Subject", "Message-ID", "References",
		"Date", NULL };
	char password[100];
	struct mf_changes c = { .folder = "INBOX", .event = take_event, .ctx = r };
	struct mf_buf next;
	double start;

	snprintf(password, sizeof(password), "secret-%s", user);
	if (imap_world_login(w, user, password) != MF_OK)
		fixture_die("%s", w->err.text);
	mf_buf_init(&next, 0);
	r->n = r->items = 0;
	start = now();
	if (mf_backend_imap.store->changes(w->session, &c, &next, &w->err) != MF_OK)
		fixture_die("%s", w->err.text);
	r->listed = now() - start;
	r->start = now();
	for (size_t at = 0; at < r->n; at += window) {
		struct mf_fetch f = { .folder = "INBOX",
			.ids = r->ids + at,
			.n = r->n - at < window ? r->n - at : window,
			.want = MF_WANT_FLAGS | MF_WANT_DATE | MF_WANT_SIZE | MF_WANT_HEADER |
				MF_WANT_STRUCTURE,
			.fields = fields,
			.choose = bodies ? first_text : NULL,
			.item = take_item,
			.ctx = r };

		if (mf_backend_imap.store->fetch(w->session, &f, &w->err) != MF_OK)
			fixture_die("%s", w->err.text);
	}
	mf_buf_deinit(&next);
	return now() - start;
}

static double
unchanged(struct imap_world *w, struct reading *r, unsigned times)
{
	struct mf_idset known;
	struct mf_changes c = { .folder = "INBOX", .event = take_event, .known = &known, .ctx = r };
	struct mf_buf a, b;
	double start;

	mf_idset_init(&known);
	mf_buf_init(&a, 0);
	mf_buf_init(&b, 0);
	r->n = 0;
	if (mf_backend_imap.store->changes(w->session, &c, &a, &w->err) != MF_OK)
		fixture_die("%s", w->err.text);
	c.cursor = mf_buf_bytes(&a);
	start = now();
	for (unsigned i = 0; i < times; i++)
		if (mf_backend_imap.store->changes(w->session, &c, &b, &w->err) != MF_OK)
			fixture_die("%s", w->err.text);
	mf_buf_deinit(&a);
	mf_buf_deinit(&b);
	return (now() - start) / times;
}

int
main(int argc, char **argv)
{
	unsigned count = argc > 1 ? (unsigned)atoi(argv[1]) : 10000;
	static const char metadata[] =
		"(UID FLAGS INTERNALDATE RFC822.SIZE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS "
		"(FROM TO SUBJECT MESSAGE-ID REFERENCES DATE)]";
	const char *user = "bench";
	struct dovecot d;
	struct imap_world w;
	struct reading r = { .n = 0 };
	char settings[300], meta[400], all[500];
	double best[5] = { 1e9, 1e9, 1e9, 1e9, 1e9 }, used, before;

	dovecot_start(&d, "--format sdbox");
	fill(&d, user, count);
	snprintf(settings, sizeof(settings), "url = \"%s\"\n", dovecot_url(&d, false));
	if (imap_world_open(&w, settings) != MF_OK)
		fixture_die("%s", w.err.text);
	r.ids = calloc(count + 1, sizeof(uint64_t));
	snprintf(meta, sizeof(meta),
		"d UID FETCH 1:* (UID FLAGS INTERNALDATE)\r\ne UID FETCH 1:* %s)\r\n", metadata);
	snprintf(all, sizeof(all), "%sf UID FETCH 1:* (UID BODY.PEEK[1]<0.5121>)\r\n", meta);
	before = memory();
	for (int i = 0; i < RUNS; i++) {
		double times[5];

		times[0] = raw(&d, user, meta, "\ne OK");
		times[1] = through(&w, user, &r, count, false);
		times[2] = raw(&d, user, all, "\nf OK");
		used = cpu();
		times[3] = through(&w, user, &r, count, true);
		used = cpu() - used;
		times[4] = through(&w, user, &r, 100, true);
		for (int k = 0; k < 5; k++)
			best[k] = times[k] < best[k] ? times[k] : best[k];
	}
	printf("imap: messages %zu\n", r.items);
	printf("imap: metadata s %.3f raw s %.3f ratio %.2f\n", best[1], best[0],
		best[1] / best[0]);
	printf("imap: with bodies s %.3f raw s %.3f ratio %.2f\n", best[3], best[2],
		best[3] / best[2]);
	printf("imap: in calls of 100 s %.3f ratio %.2f\n", best[4], best[4] / best[2]);
	printf("imap: ids s %.3f then first item ms %.1f hundredth ms %.1f\n", r.listed,
		r.first * 1e3, r.hundredth * 1e3);
	printf("imap: cpu us a message %.1f\n", used / count * 1e6);
	printf("imap: memory MB %.1f more than before %.1f\n", memory(), memory() - before);
	printf("imap: nothing new ms %.3f\n", unchanged(&w, &r, 200) * 1e3);
	free(r.ids);
	imap_world_close(&w);
	dovecot_end(&d);
	return 0;
}
