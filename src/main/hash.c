/* `mailferry password`: the hash that the setting admin_password wants. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "main/commands.h"
#include "main/password.h"
#include "main/tool.h"
#include "page/page.h"

#define PASSWORD_ENV "MAILFERRY_NEW_PASSWORD"

enum { LEAST = 8 };

static int
run(struct tool *t)
{
	char password[MAIN_SECRET_MAX] = "";
	const char *hash;

	if (!main_password(tool_option(t, 'p'), PASSWORD_ENV, "the administration page", password))
		return tool_refuse(t, MAIN_USAGE, "a password is wanted");
	if (strlen(password) < LEAST) {
		str_wipe(password, sizeof(password));
		return tool_refuse(t, MAIN_USAGE, "at least %d characters", LEAST);
	}
	hash = page_password_hash(t->arena, password);
	str_wipe(password, sizeof(password));
	if (hash == NULL)
		return tool_refuse(t, MAIN_FAILED, "this system's crypt(3) makes no hashes");
	if (t->json) {
		mf_buf_add_str(&t->out, "{");
		tool_field(&t->out, "hash", hash);
		mf_buf_add_str(&t->out, "}\n");
		return MAIN_OK;
	}
	mf_buf_printf(&t->out, "%s\n", hash);
	if (isatty(STDOUT_FILENO))
		fprintf(stderr, "put this into the configuration: admin_password = '%s'\n", hash);
	return MAIN_OK;
}

int
main_hash(int argc, char **argv)
{
	static const struct tool_action only[] = {
		{ NULL, "", 0, 0, run,
			"asks for a password and prints what the setting admin_password wants",
			true },
		{ 0 },
	};
	static const struct tool_option options[] = {
		{ 'p', "password-file", "F",
			"its first line is the password; else " PASSWORD_ENV ", else a question" },
		{ 0 },
	};
	static const struct tool_command command = { "password", only, options, NULL };

	return tool_main(&command, argc, argv);
}
