/* `mailferry probe`: arguments, password, exit status. The actions are in probe_actions.c. */
#include "main/probe.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "main/commands.h"
#include "main/password.h"

#define PASSWORD_ENV "MAILFERRY_PROBE_PASSWORD"

/* The rows of --help; the letters are what getopt_long gives back. */
static const struct {
	char letter;
	const char *name, *value, *help;
} options[] = {
	{ 'u', "user", "USER", "user name; without it no credentials are sent" },
	{ 'p', "password-file", "FILE",
		"its first line is the password; else " PASSWORD_ENV ", else a question" },
	{ 'd', "device", "ID", "device id (mailferryprobe)" },
	{ 't', "type", "TYPE", "device type (Mailferry)" },
	{ 'v', "version", "V", "protocol version (16.1)" },
	{ 'w', "window", "N", "messages in one answer (100)" },
	{ 'A', "all", NULL, "sync: window after window until there is no more" },
	{ 'a', "again", NULL, "sync: a second time, to see what that transfers" },
	{ 'f', "filter", "N", "0 all mail, 1 one day, ... 5 one month (0)" },
	{ 'b', "body", "1|2|4", "plain text, HTML or MIME (1)" },
	{ 'T', "truncation", "BYTES", "of bodies in a sync (512)" },
	{ 'H', "heartbeat", "SECONDS", "of a ping (60)" },
	{ 's', "timeout", "SECONDS", "of one exchange (60)" },
	{ 'B', "base64", NULL, "the query in base64" },
	{ 'c', "ca", "FILE", "certificates to trust" },
	{ 'k', "insecure", NULL, "takes any certificate" },
	{ 'x', "trace", NULL, "shows both directions as XML on standard error" },
	{ 'j', "json", NULL, "the result as JSON" },
	{ 'h', "help", NULL, "this text" },
};

enum { N_OPTIONS = sizeof(options) / sizeof(options[0]) };

struct arguments {
	struct client_options client;
	const char *password_file;
	const struct probe_action *action;
};

static int
usage(FILE *f, int status)
{
	fputs("usage: mailferry probe URL [options] ACTION\n\nactions:\n", f);
	for (size_t i = 0; i < probe_actions_n; i++)
		fprintf(f, "  %-26s %s\n", probe_actions[i].usage, probe_actions[i].help);
	fputs("\noptions:\n", f);
	for (size_t i = 0; i < N_OPTIONS; i++) {
		char left[40];

		snprintf(left, sizeof(left), "--%s %s", options[i].name,
			options[i].value == NULL ? "" : options[i].value);
		fprintf(f, "  %-26s %s\n", left, options[i].help);
	}
	fprintf(f,
		"\nexit status: %d done, %d refused or failed, %d wrong arguments, %d not "
		"reachable or "
		"busy, %d wrong password\n",
		MAIN_OK, MAIN_FAILED, MAIN_USAGE, MAIN_TEMPORARY, MAIN_DENIED);
	return status;
}

static bool
number(const char *name, uint32_t max, uint32_t *out)
{
	if (str_to_u32(optarg, max, out))
		return true;
	fprintf(stderr, "mailferry probe: --%s %s: a number up to %u is wanted\n", name, optarg,
		(unsigned)max);
	return false;
}

static void
on_trace(void *ctx, const char *text, size_t len)
{
	(void)ctx;
	fwrite(text, 1, len, stderr);
}

/* Options whose value is kept as it is; NULL: the letter is none of them. */
static const char **
text_option(int letter, struct arguments *a)
{
	switch (letter) {
	case 'u':
		return &a->client.user;
	case 'p':
		return &a->password_file;
	case 'd':
		return &a->client.device_id;
	case 't':
		return &a->client.device_type;
	case 'v':
		return &a->client.version;
	case 'c':
		return &a->client.ca_file;
	default:
		return NULL;
	}
}

/* Options without a value; NULL: the letter is none of them. */
static bool *
switch_option(int letter, struct probe *p, struct arguments *a)
{
	switch (letter) {
	case 'B':
		return &a->client.base64;
	case 'k':
		return &a->client.insecure;
	case 'A':
		return &p->all;
	case 'a':
		return &p->again;
	case 'j':
		return &p->json;
	default:
		return NULL;
	}
}

/* Options with a number, and the rest; false for a wrong value or an unknown letter. */
static bool
other_option(int letter, struct probe *p, struct arguments *a)
{
	uint32_t n = 0;

	switch (letter) {
	case 'x':
		a->client.trace = on_trace;
		return true;
	case 'w':
		return number("window", 100000, &p->sync.window);
	case 'b':
		return number("body", 4, &p->sync.body_type);
	case 'H':
		return number("heartbeat", 86400, &p->heartbeat_s);
	case 's':
		return number("timeout", 86400, &a->client.timeout_s);
	case 'f':
		if (!number("filter", 8, &n))
			return false;
		p->sync.filter = (int)n;
		return true;
	case 'T':
		if (!number("truncation", UINT32_MAX, &n))
			return false;
		p->sync.truncation = n;
		return true;
	default:
		return false;
	}
}

/* One option; false for a wrong value. */
static bool
take_option(int letter, struct probe *p, struct arguments *a)
{
	const char **text = text_option(letter, a);
	bool *on = switch_option(letter, p, a);

	if (text != NULL)
		*text = optarg;
	if (on != NULL)
		*on = true;
	return text != NULL || on != NULL || other_option(letter, p, a);
}

static int
take_options(int argc, char **argv, struct probe *p, struct arguments *a)
{
	struct option longs[N_OPTIONS + 1] = { { NULL, 0, NULL, 0 } };
	int letter;

	for (size_t i = 0; i < N_OPTIONS; i++)
		longs[i] = (struct option){ options[i].name,
			options[i].value == NULL ? no_argument : required_argument, NULL,
			options[i].letter };
	while ((letter = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (letter == 'h')
			return usage(stdout, MAIN_OK);
		if (!take_option(letter, p, a))
			return MAIN_USAGE;
	}
	return -1;
}

/* URL ACTION ARGUMENTS... */
static int
take_action(int argc, char **argv, struct probe *p, struct arguments *a)
{
	if (argc - optind < 2)
		return usage(stderr, MAIN_USAGE);
	a->client.url = argv[optind];
	for (size_t i = 0; i < probe_actions_n; i++)
		if (strcmp(probe_actions[i].name, argv[optind + 1]) == 0)
			a->action = &probe_actions[i];
	if (a->action == NULL) {
		fprintf(stderr, "mailferry probe: there is no action %s\n", argv[optind + 1]);
		return MAIN_USAGE;
	}
	p->args = (const char *const *)argv + optind + 2;
	p->n_args = argc - optind - 2;
	if (p->n_args < a->action->args_min || p->n_args > a->action->args_max) {
		fprintf(stderr, "usage: mailferry probe URL [options] %s\n", a->action->usage);
		return MAIN_USAGE;
	}
	return -1;
}

/* ---- The password ---- */

static bool
get_password(const struct arguments *a, char *out)
{
	out[0] = '\0';
	return a->client.user == NULL ||
	       main_password(a->password_file, PASSWORD_ENV, a->client.user, out);
}

/* ---- Running ---- */

static int
exit_status(enum mf_status st)
{
	switch (st) {
	case MF_OK:
		return MAIN_OK;
	case MF_AUTH:
		return MAIN_DENIED;
	case MF_TEMPORARY:
		return MAIN_TEMPORARY;
	default:
		return MAIN_FAILED;
	}
}

static int
run(struct probe *p, const struct arguments *a)
{
	struct mf_error err = { .text = "" };
	enum mf_status st;

	p->client = client_new(&a->client);
	p->mailbox = client_mailbox_new();
	mf_buf_init(&p->out, 0);
	st = a->action->run(p, &err);
	fwrite(mf_buf_str(&p->out), 1, p->out.len, stdout);
	if (fflush(stdout) != 0 && st == MF_OK)
		st = mf_fail(&err, MF_REFUSED, "cannot write to standard output");
	if (st != MF_OK)
		fprintf(stderr, "mailferry probe: %s\n", err.text);
	mf_buf_deinit(&p->out);
	client_mailbox_free(p->mailbox);
	client_free(p->client);
	return exit_status(st);
}

int
main_probe(int argc, char **argv)
{
	struct probe p = { .sync = client_sync_defaults, .heartbeat_s = 60 };
	struct arguments a = { .action = NULL };
	char password[MAIN_SECRET_MAX];
	int status = take_options(argc, argv, &p, &a);

	if (status < 0)
		status = take_action(argc, argv, &p, &a);
	if (status >= 0)
		return status;
	if (!get_password(&a, password)) {
		fprintf(stderr, "mailferry probe: no password: use --password-file or %s\n",
			PASSWORD_ENV);
		return MAIN_USAGE;
	}
	a.client.password = password;
	status = run(&p, &a);
	str_wipe(password, sizeof(password));
	return status;
}
