/*
 * The program's subcommands: one file and one function each, one row in the table of main.c. argv[0] is
 * the subcommand's name; the result is the exit status.
 */
#ifndef MAIN_COMMANDS_H
#define MAIN_COMMANDS_H

/* Exit statuses as in sysexits.h, where people and scripts look for them. */
enum {
	MAIN_OK = 0,
	MAIN_FAILED = 1,       /* it did not work; the reason is on standard error */
	MAIN_USAGE = 64,       /* wrong arguments */
	MAIN_UNAVAILABLE = 69, /* the server cannot be reached */
	MAIN_TEMPORARY = 75,   /* it may work later */
	MAIN_DENIED = 77,      /* user or password are wrong */
	MAIN_CONFIG = 78,      /* the configuration is wrong */
};

int main_serve(int argc, char **argv);
int main_check(int argc, char **argv);
int main_probe(int argc, char **argv);
int main_conversations(int argc, char **argv);
int main_top(int argc, char **argv);
int main_device(int argc, char **argv);
int main_apppassword(int argc, char **argv);
int main_profile(int argc, char **argv);
int main_devices(int argc, char **argv);
int main_user(int argc, char **argv);
int main_policy(int argc, char **argv);
int main_state(int argc, char **argv);
int main_hash(int argc, char **argv);
int main_trace(int argc, char **argv);
int main_log(int argc, char **argv);

#endif
