/* `mailferry top`: who waits at a running daemon, since when, on what. Asks its metrics_listen. */
#include <stdio.h>
#include <string.h>

#include "client/client.h"
#include "main/commands.h"
#include "main/tool.h"

/* "0.0.0.0:9180", ":9180" and "[::]:9180" listen everywhere: here is asked. */
static const char *
configured(struct tool *t)
{
	const char *const *list = mf_conf_list(t->top, "metrics_listen");
	static const char *const everywhere[] = { "*:", "0.0.0.0:", "[::]:", ":" };

	if (*list == NULL || strncmp(*list, "unix:", 5) == 0)
		return NULL;
	for (size_t i = 0; i < sizeof(everywhere) / sizeof(everywhere[0]); i++)
		if (strncmp(*list, everywhere[i], strlen(everywhere[i])) == 0)
			return mf_printf(
				t->arena, "http://127.0.0.1:%s", *list + strlen(everywhere[i]));
	return mf_printf(t->arena, "http://%s", *list);
}

static int
run(struct tool *t)
{
	const char *base = tool_operand(t, 0) != NULL ? tool_operand(t, 0) : configured(t);
	const struct client_request request = { .method = "GET" };
	struct client_options o = { 0 };
	struct client_answer answer;
	struct mf_error err = { .text = "" };
	struct client *c;
	enum mf_status st;
	bool good;

	if (base == NULL)
		return tool_refuse(t, MAIN_USAGE,
			"metrics_listen is not set, or a socket: set it (\"127.0.0.1:9180\") and "
			"restart the daemon, or name an address");
	o.url = mf_printf(t->arena, "%s/waiting%s", base, t->json ? "" : ".txt");
	c = client_new(&o);
	st = client_call(c, &request, &answer, &err);
	good = answer.http_status == 200 && (st == MF_OK || st == MF_INVALID);
	if (good)
		mf_buf_add(&t->out, answer.body.data, answer.body.len);
	client_free(c);
	if (good)
		return MAIN_OK;
	return tool_refuse(t, MAIN_UNAVAILABLE,
		"%s: %s\n  does the daemon run, and is this an address of its metrics_listen?",
		o.url, err.text[0] != '\0' ? err.text : "no such address there");
}

int
main_top(int argc, char **argv)
{
	static const struct tool_action only[] = {
		{ NULL, "[URL]", 0, 1, run,
			"shows the phones that wait at a running daemon: user, device, command, "
			"for "
			"how\n  many seconds, how many are left, whether the mail server tells "
			"when "
			"something happens\n  (watched) or is asked now and then (polled)",
			true },
		{ 0 },
	};
	static const struct tool_command command = { "top", only, NULL,
		"URL is an address of metrics_listen (http://127.0.0.1:9180); else that of the "
		"configuration." };

	return tool_main(&command, argc, argv);
}
