/*
 * What Search costs, against the IMAP server's own UID SEARCH for the same words in the same folder. The first
 * hundred results, then the next hundred of the same search, which is not to search again.
 *
 *	bench_search [COUNT] [ROUNDS]	that many real messages (10000), rounds (5)
 *
 * Only ratios and differences within one run mean anything.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"
#include "phone.h"

enum { ROUNDS_MOST = 50 };

/* Seconds: what is over at once is not kept waiting before, which would only let it cool. */
static const double slow_from = 0.1;

static struct dovecot dovecot;
static struct gateway gateway;

/* Seconds for a page of results; their number. */
static double
search(struct phone *p, const char *criteria, const char *options, size_t *n)
{
	char xml[2000];
	struct client_answer answer;
	const struct wbxml_node *store, *r;
	struct mf_error err;
	double begin = measure_now();

	snprintf(xml, sizeof xml,
		"<Search xmlns=\"Search\" xmlns:e=\"Email\" "
		"xmlns:s=\"AirSync\"><Store><Name>Mailbox</Name>"
		"<Query><And><s:Class>Email</s:Class><s:CollectionId>%s</s:CollectionId>%s</And></"
		"Query>"
		"<Options>%s</Options></Store></Search>",
		phone_folder(p, "inbox")->id, criteria, options);
	if (client_call_xml(p->client, "Search", xml, &answer, &err) != MF_OK)
		fixture_die("Search: %s", err.text);
	begin = measure_now() - begin;
	store = wbxml_child(wbxml_child(answer.root, Search_Response), Search_Store);
	*n = 0;
	for (r = wbxml_child(store, Search_Result); r != NULL && r->children != NULL;
		r = wbxml_next(r))
		++*n;
	return begin;
}

static double
raw_search(struct raw *r, const char *criteria)
{
	double begin = measure_now();

	raw_send(r, "n NOOP\r\ns UID SEARCH %s\r\n", criteria);
	raw_discard(r, "s");
	return measure_now() - begin;
}

static void
one(struct phone *p, unsigned rounds, const char *name, const char *raw, const char *criteria)
{
	double first[ROUNDS_MOST], second[ROUNDS_MOST], server[ROUNDS_MOST], cpu = 0;
	struct raw *r = raw_open(&dovecot, "demo");
	size_t n = 0, more = 0;
	bool slow;

	slow = raw_search(r, raw) > slow_from;
	for (unsigned i = 0; i < rounds; i++) {
		if (slow)
			measure_rest();
		server[i] = raw_search(r, raw);
		if (slow)
			measure_rest();
		cpu -= measure_cpu(gateway.pid);
		first[i] = search(p, criteria, "<RebuildResults/><Range>0-99</Range>", &n);
		cpu += measure_cpu(gateway.pid);
		second[i] = search(p, criteria, "<Range>100-199</Range>", &more);
	}
	raw_close(r);
	printf("%-24s %8.2f ms %8.2f ms %8.2f ms %8.2f ms %8.2f ms  %zu and %zu\n", name,
		measure_median(first, rounds) * 1e3, measure_median(server, rounds) * 1e3,
		(measure_median(first, rounds) - measure_median(server, rounds)) * 1e3,
		measure_median(second, rounds) * 1e3, cpu * 1e3 / rounds, n, more);
}

int
main(int argc, char **argv)
{
	unsigned count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 10000;
	unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 5;
	char command[400];
	struct phone *p;

	if (rounds == 0 || rounds > ROUNDS_MOST)
		fixture_die("bench_search [COUNT] [ROUNDS]");
	setvbuf(stdout, NULL, _IOLBF, 0);
	dovecot_start(&dovecot, "--format sdbox");
	snprintf(command, sizeof command, "COUNT=%u contrib/tools/corpus maildir", count);
	dovecot_fill(&dovecot, "demo", command);
	measure_first(&dovecot);
	snprintf(command, sizeof command,
		"log_level = info\nstate_map_size = 1G\ncommand_repeats = 0\nimap {\n\turl = "
		"\"%s\"\n}\n",
		dovecot_url(&dovecot, false));
	gateway_start(&gateway, &dovecot, command);
	p = phone_new(&gateway, "demo", NULL, "bench");
	phone_hierarchy(p);
	printf("Search in %u messages\n%-24s %11s %11s %11s %11s %11s\n", count, "", "first 100",
		"raw", "over it", "next 100", "CPU, first");
	one(p, rounds, "a word in subjects", "SUBJECT razor", "<FreeText>subject:razor</FreeText>");
	one(p, rounds, "a word anywhere", "TEXT razor", "<FreeText>razor</FreeText>");
	one(p, rounds, "a word that is nowhere", "TEXT qqxqq", "<FreeText>qqxqq</FreeText>");
	phone_free(p);
	gateway_end(&gateway);
	dovecot_end(&dovecot);
	return 0;
}
