/*
 * A device with good credentials and any body: schema, commands, state, on a mailbox in memory. The
 * first byte chooses the command, the second the version.
 */
#include "eas/commands.h"
#include "unit/eas_help.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const versions[] = { "12.1", "14.0", "14.1", "16.0", "16.1" };

static const char message[] = "From: Ben <ben@example.org>\nTo: anna@example.org\nSubject: Hello\n"
			      "Date: Mon, 2 Mar 2026 10:00:00 +0000\nMessage-ID: <1@example.org>\n"
			      "\nHow are you?\n";

static struct gateway g;

static void
finish(void)
{
	gateway_close(&g);
}

static void
begin(void)
{
	static bool begun;
	if (begun)
		return;
	begun = true;
	gateway_open(&g);
	atexit(finish);
	for (int i = 0; i < 5; i++)
		memory_add(g.world, EAS_USER, "INBOX", mf_bytes_str(message), 0, 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	begin();
	if (size < 2)
		return 0;
	struct ask q = { .command = eas_commands[data[0] % eas_commands_n].name,
		.version = versions[data[1] % 5],
		.body = mf_bytes(data + 2, size - 2) };
	struct eas_request *r = ask_new(&g, &q);
	if (eas_run(r) == EAS_WAIT) {
		r->wait.ended = true;
		must(eas_run(r) == EAS_DONE, "a request waits for ever", NULL);
	}
	must(r->answer.http_status >= 200 && r->answer.http_status != 500, "HTTP status", NULL);
	answer_root(r);
	ask_free(r);
	return 0;
}
