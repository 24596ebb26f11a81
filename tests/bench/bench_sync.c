/*
 * What Sync costs, against reading the same from the IMAP server and throwing it away: one connection,
 * pipelined UID FETCH of the same items and sections. Each case is run some times, a raw read before
 * each; medians are shown.
 *
 *	bench_sync [COUNT] [ROUNDS] [CASE]	that many real messages (10000), rounds (3); only
 *						cases whose name holds this text
 *
 * Only ratios within one run mean anything. CPU is that of the gateway, in all and a message; dovecot that of
 * the IMAP server while the gateway was measured; memory the most anonymous memory of the gateway.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eas/map/email.h"
#include "lean.h"
#include "measure.h"
#include "phone.h"

enum { ROUNDS_MOST = 20, TRUNCATION = 5120, FLAGGED = 1000, QUIET = 200, ARRIVALS = 30 };

static struct {
	struct dovecot d;
	struct gateway g;
	unsigned count, rounds;
	const char *only;
	struct mf_buf attributes; /* what the gateway asks of each message, besides its body */
} bench;

static bool
selected(const char *name)
{
	return bench.only == NULL || strstr(name, bench.only) != NULL;
}

/* ---- Figures ---- */

struct figures {
	const char *name;
	size_t n;
	double whole[ROUNDS_MOST], raw[ROUNDS_MOST], first[ROUNDS_MOST];
	double cpu, dovecot; /* seconds, of all rounds */
	unsigned items;	     /* of a round */
	double memory;
};

static void
print_head(void)
{
	printf("%-32s %10s %10s %6s %9s %9s %9s %7s\n", "", "Sync", "raw read", "ratio",
		"1st answ.", "CPU/item", "dovecot", "memory");
}

static void
print_figures(struct figures *f)
{
	double whole = measure_median(f->whole, f->n), raw = measure_median(f->raw, f->n);
	double items = (double)f->n * (f->items == 0 ? 1 : f->items);

	printf("%-32s %7.2f ms %7.2f ms %6.2f ", f->name, whole * 1e3, raw * 1e3, whole / raw);
	if (f->first[0] > 0)
		printf("%6.1f ms ", measure_median(f->first, f->n) * 1e3);
	else
		printf("%9s ", "");
	printf("%6.1f us %6.1f us %4.1f MB\n", f->cpu * 1e6 / items, f->dovecot * 1e6 / items,
		f->memory);
}

/* ---- Phones ---- */

struct device {
	struct phone *phone;
	struct lean *lean;
	struct client_folder *inbox;
};

static struct device
device_new(unsigned type, unsigned window)
{
	static unsigned n;
	struct device v;
	char name[20];

	snprintf(name, sizeof name, "bench%u", n++);
	v.phone = phone_new(&bench.g, "demo", NULL, name);
	v.phone->options.window = window;
	v.phone->options.body_type = type;
	v.phone->options.truncation = TRUNCATION;
	if (type == 4)
		v.phone->options.mime_support = 2;
	phone_hierarchy(v.phone);
	v.inbox = phone_folder(v.phone, "inbox");
	v.lean = lean_new(&bench.g, "demo", name);
	lean_sync(v.lean, v.inbox, &v.phone->options); /* key 0 */
	return v;
}

static void
device_free(struct device *v)
{
	lean_free(v->lean);
	phone_free(v->phone);
}

/* Until no more comes; the sum. */
static struct lean_result
device_sync(struct device *v, double begin, double *first)
{
	struct lean_result sum = { .more = true }, one;

	while (sum.more) {
		one = lean_sync(v->lean, v->inbox, &v->phone->options);
		if (first != NULL && *first == 0)
			*first = measure_now() - begin;
		sum.more = one.more;
		sum.added += one.added;
		sum.changed += one.changed;
		sum.bytes += one.bytes;
	}
	return sum;
}

/* ---- First Sync ---- */

static double
raw_first(const char *section)
{
	struct raw *r = raw_open(&bench.d, "demo");
	double begin = measure_now();

	for (unsigned first = 1; first <= bench.count; first += 250)
		raw_send(r, "c%u UID FETCH %u:%u (%s %s)\r\n", first, first, first + 249,
			mf_buf_str(&bench.attributes), section);
	raw_send(r, "d NOOP\r\n");
	raw_discard(r, "d");
	begin = measure_now() - begin;
	raw_close(r);
	return begin;
}

static void
first_sync(const char *name, unsigned type, unsigned window)
{
	const char *section = type == 4 ? "BODY.PEEK[]<0.5120>" : "BODY.PEEK[1]<0.5120>";
	struct figures f = { .name = name, .items = bench.count };

	if (!selected(name))
		return;
	raw_first(section); /* fills the server's cache */
	for (; f.n < bench.rounds; f.n++) {
		struct device v = device_new(type, window);
		double begin, cpu, dovecot;

		f.raw[f.n] = raw_first(section);
		measure_memory_begin(bench.g.pid);
		cpu = measure_cpu(bench.g.pid);
		dovecot = measure_dovecot_cpu(&bench.d);
		begin = measure_now();
		if (device_sync(&v, begin, &f.first[f.n]).added != bench.count)
			fixture_die("%s: not all messages came", name);
		f.whole[f.n] = measure_now() - begin;
		f.cpu += measure_cpu(bench.g.pid) - cpu;
		f.dovecot += measure_dovecot_cpu(&bench.d) - dovecot;
		f.memory = measure_memory_end();
		device_free(&v);
	}
	print_figures(&f);
}

/* ---- Afterwards ---- */

/* One Sync, which must tell so much; into the figures. */
static void
one_sync(struct figures *f, struct device *v, size_t added, size_t changed)
{
	double cpu = measure_cpu(bench.g.pid), dovecot = measure_dovecot_cpu(&bench.d);
	double begin = measure_now();
	struct lean_result r = device_sync(v, begin, NULL);

	f->whole[f->n] += measure_now() - begin;
	if (r.added != added || r.changed != changed)
		fixture_die("%s: %zu added and %zu changed instead of %zu and %zu", f->name,
			r.added, r.changed, added, changed);
	f->cpu += measure_cpu(bench.g.pid) - cpu;
	f->dovecot += measure_dovecot_cpu(&bench.d) - dovecot;
}

static double
raw_status(struct raw *r)
{
	double begin = measure_now();

	raw_send(r, "s STATUS INBOX (MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ)\r\n");
	raw_discard(r, "s");
	return measure_now() - begin;
}

static void
unchanged(const char *name, struct device *v)
{
	struct figures f = { .name = name };
	struct raw *r = raw_open(&bench.d, "demo");

	raw_send(r, "u UNSELECT\r\n");
	raw_discard(r, "u");
	measure_memory_begin(bench.g.pid);
	for (; f.n < bench.rounds; f.n++)
		for (unsigned i = 0; i < QUIET; i++) {
			f.raw[f.n] += raw_status(r) / QUIET;
			one_sync(&f, v, 0, 0);
		}
	for (unsigned i = 0; i < f.n; i++)
		f.whole[i] /= QUIET;
	f.cpu /= QUIET;
	f.dovecot /= QUIET;
	f.memory = measure_memory_end();
	print_figures(&f);
	raw_close(r);
}

static void
arrive(struct imap_talk *t, unsigned n)
{
	char message[3000];
	int len = snprintf(message, sizeof message,
		"From: Somebody <somebody@example.com>\r\nTo: demo@example.com\r\nSubject: New "
		"%u\r\n"
		"Date: Mon, 02 Nov 2026 10:00:00 +0000\r\nMessage-ID: <new%u@example.com>\r\n\r\n"
		"%.*s\r\n",
		n, n, 50, "Something that is to be read, and not at length.....");

	imap_talk_append(t, "INBOX", "", NULL, message, (size_t)len);
}

/* The server's part: STATUS, and a fetch of the one that is new. */
static double
raw_arrival(struct raw *r)
{
	double begin = raw_status(r), fetch = measure_now();

	raw_send(r, "f UID FETCH %lu (%s BODY.PEEK[1]<0.5120>)\r\n", raw_number(r, "UIDNEXT ") - 1,
		mf_buf_str(&bench.attributes));
	raw_discard(r, "f");
	return begin + measure_now() - fetch;
}

static void
arrival(const char *name, struct device *v)
{
	struct figures f = { .name = name, .items = 1 };
	struct imap_talk *t = imap_talk_open(&bench.d, "demo");
	struct raw *r = raw_open(&bench.d, "demo");

	measure_memory_begin(bench.g.pid);
	for (unsigned i = 0; f.n < bench.rounds; f.n++) {
		for (unsigned k = 0; k < ARRIVALS; k++) {
			arrive(t, i++);
			f.raw[f.n] += raw_arrival(r) / ARRIVALS;
			one_sync(&f, v, 1, 0);
		}
		f.whole[f.n] /= ARRIVALS;
	}
	f.cpu /= ARRIVALS;
	f.dovecot /= ARRIVALS;
	f.memory = measure_memory_end();
	print_figures(&f);
	raw_close(r);
	imap_talk_close(t);
}

static void
flags(const char *name, struct device *v)
{
	struct figures f = { .name = name };
	struct imap_talk *t = imap_talk_open(&bench.d, "demo");
	struct raw *r = raw_open(&bench.d, "demo");
	unsigned some = bench.count < FLAGGED ? bench.count : FLAGGED;

	f.items = some;
	imap_talk(t, "SELECT INBOX");
	imap_talk(t, "UID STORE 1:%u -FLAGS.SILENT (\\Flagged)", some);
	device_sync(v, 0, NULL);
	measure_memory_begin(bench.g.pid);
	for (; f.n < bench.rounds; f.n++) {
		unsigned long before;

		raw_status(r);
		before = raw_number(r, "HIGHESTMODSEQ ");
		imap_talk(t, "UID STORE 1:%u %cFLAGS.SILENT (\\Flagged)", some,
			f.n % 2 == 0 ? '+' : '-');
		f.raw[f.n] = raw_status(r) - measure_now();
		raw_send(r, "f UID FETCH 1:* (FLAGS) (CHANGEDSINCE %lu VANISHED)\r\n", before);
		raw_discard(r, "f");
		f.raw[f.n] += measure_now();
		one_sync(&f, v, 0, some);
	}
	f.memory = measure_memory_end();
	print_figures(&f);
	raw_close(r);
	imap_talk_close(t);
}

/* What a device costs that has everything. */
static void
afterwards(void)
{
	static const struct {
		const char *name;
		void (*run)(const char *name, struct device *v);
	} cases[] = {
		{ "nothing new", unchanged },
		{ "one new message", arrival },
		{ "1,000 flags changed", flags },
	};
	struct device v = { .phone = NULL };

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		if (!selected(cases[i].name))
			continue;
		if (v.phone == NULL) {
			v = device_new(1, 512);
			device_sync(&v, 0, NULL);
		}
		cases[i].run(cases[i].name, &v);
	}
	if (v.phone != NULL)
		device_free(&v);
}

/* ---- All ---- */

static void
attributes(void)
{
	mf_buf_init(&bench.attributes, 0);
	mf_buf_add_str(&bench.attributes,
		"FLAGS INTERNALDATE RFC822.SIZE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (");
	for (size_t i = 0; email_fields[i] != NULL; i++)
		mf_buf_printf(&bench.attributes, "%s%s", i == 0 ? "" : " ", email_fields[i]);
	mf_buf_add_str(&bench.attributes, ")]");
}

static void
start(void)
{
	char command[400];

	dovecot_start(&bench.d, "--format sdbox");
	snprintf(command, sizeof command, "COUNT=%u contrib/tools/corpus maildir", bench.count);
	dovecot_fill(&bench.d, "demo", command);
	measure_first(&bench.d);
	/* As the raw read: without TLS towards the mail server. */
	snprintf(command, sizeof command,
		"log_level = info\nstate_map_size = 1G\ncommand_repeats = 0\nimap {\n\turl = "
		"\"%s\"\n}\n",
		dovecot_url(&bench.d, false));
	gateway_start(&bench.g, &bench.d, command);
}

int
main(int argc, char **argv)
{
	bench.count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 10000;
	bench.rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 3;
	bench.only = argc > 3 ? argv[3] : NULL;
	if (bench.count == 0 || bench.rounds == 0 || bench.rounds > ROUNDS_MOST)
		fixture_die("bench_sync [COUNT] [ROUNDS] [CASE]");
	setvbuf(stdout, NULL, _IOLBF, 0);
	attributes();
	start();
	printf("\nSync of %u messages\n", bench.count);
	print_head();
	first_sync("first, type 1, windows of 512", 1, 512);
	first_sync("first, type 1, windows of 100", 1, 100);
	first_sync("first, type 2, windows of 512", 2, 512);
	first_sync("first, type 2, windows of 100", 2, 100);
	first_sync("first, type 4, windows of 512", 4, 512);
	first_sync("first, type 4, windows of 100", 4, 100);
	afterwards();
	mf_buf_deinit(&bench.attributes);
	gateway_end(&bench.g);
	dovecot_end(&bench.d);
	return 0;
}
