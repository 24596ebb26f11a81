/* The program: finds the subcommand in the table and runs it. Knows nothing else. */
#include <stdio.h>
#include <string.h>

#include "main/commands.h"
#include "main/privileges.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "serve", main_serve, "answers phones until it is told to stop" },
	{ "check", main_check, "tests a configuration from end to end" },
	{ "probe", main_probe, "asks a server as a phone would" },
	{ "top", main_top, "shows who waits at a running daemon" },
	{ "devices", main_devices, "shows which devices there are" },
	{ "device", main_device, "shows, allows, blocks, removes and wipes devices" },
	{ "user", main_user, "shows users, and forgets what is held of one" },
	{ "policy", main_policy, "shows policies, and which device keeps to which" },
	{ "conversations", main_conversations,
		"shows and removes a user's rules for conversations" },
	{ "apppassword", main_apppassword, "issues and withdraws passwords for single devices" },
	{ "profile", main_profile, "prints a configuration profile for Apple's devices" },
	{ "trace", main_trace, "writes a user's decoded requests to files, for a while" },
	{ "log", main_log, "shows and sets from which level on a running daemon logs" },
	{ "password", main_hash, "makes the hash of the administration page's password" },
	{ "state", main_state, "verifies, backs up, restores and compacts the state" },
};

static int
usage(FILE *f, int status)
{
	fputs("usage: mailferry COMMAND [arguments]\n\ncommands:\n", f);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(f, "  %-13s %s\n", commands[i].name, commands[i].help);
	fputs("\nmailferry COMMAND --help tells more; mailferry --version the version.\n", f);
	return status;
}

int
main(int argc, char **argv)
{
	if (argc < 2)
		return usage(stderr, MAIN_USAGE);
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0) {
		puts("mailferry " MAILFERRY_VERSION);
		return MAIN_OK;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
		strcmp(argv[1], "help") == 0)
		return usage(stdout, MAIN_OK);
	/* All handle passwords; serve asks its configuration whether it may leave a core file. */
	main_privileges_harden(strcmp(argv[1], "serve") == 0);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "mailferry: there is no command %s\n\n", argv[1]);
	return usage(stderr, MAIN_USAGE);
}
