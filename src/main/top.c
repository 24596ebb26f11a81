/* `mailferry top`: who waits at a running daemon, since when, on what. Asks its metrics_listen. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "main/commands.h"

static const char usage[] = "usage: mailferry top [URL]\n"
			    "  shows the phones that wait at a running daemon as JSON, one a line: "
			    "user, device, command, for\n"
			    "  how many seconds, how many are left, whether the mail server tells "
			    "when something happens.\n"
			    "  URL is an address of metrics_listen (http://127.0.0.1:9180).\n";

static int
show(const char *url)
{
	struct client_options o = { .url = url };
	struct client *c = client_new(&o);
	const struct client_request request = { .method = "GET" };
	struct client_answer answer;
	struct mf_error err = { .text = "" };
	enum mf_status st = client_call(c, &request, &answer, &err);
	int result = MAIN_OK;

	if (answer.http_status == 200 && (st == MF_OK || st == MF_INVALID)) {
		fwrite(answer.body.data, 1, answer.body.len, stdout);
	} else {
		fprintf(stderr,
			"mailferry top: %s: %s\n  is metrics_listen set, and this its address?\n",
			url, err.text[0] != '\0' ? err.text : "no such address there");
		result = MAIN_UNAVAILABLE;
	}
	client_free(c);
	return result;
}

int
main_top(int argc, char **argv)
{
	static const struct option longs[] = { { "help", no_argument, NULL, 'h' }, { 0 } };
	char url[300];
	int letter = getopt_long(argc, argv, "h", longs, NULL);

	if (letter != -1 || argc - optind > 1) {
		fputs(usage, letter == 'h' ? stdout : stderr);
		return letter == 'h' ? MAIN_OK : MAIN_USAGE;
	}
	snprintf(url, sizeof(url), "%s/waiting",
		optind < argc ? argv[optind] : "http://127.0.0.1:9180");
	return show(url);
}
