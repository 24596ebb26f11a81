/* Passwords for subcommands. */
#include "main/password.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "conf/conf.h"

static bool
read_line(FILE *f, char *out)
{
	if (fgets(out, MAIN_SECRET_MAX, f) == NULL)
		return false;
	out[strcspn(out, "\r\n")] = '\0';
	return true;
}

static bool
read_file(const char *path, char *out)
{
	FILE *f = fopen(path, "r");
	bool ok = f != NULL && read_line(f, out);

	if (!ok)
		fprintf(stderr, "mailferry: %s: %s\n", path,
			f == NULL ? strerror(errno) : "holds no password");
	if (f != NULL)
		fclose(f);
	return ok;
}

static bool
ask(const char *user, char *out)
{
	FILE *tty = fopen("/dev/tty", "r+");
	struct termios shown, hidden;
	bool ok;

	if (tty == NULL) {
		fputs("mailferry: no password, and no terminal to ask for one\n", stderr);
		return false;
	}
	fprintf(tty, "password of %s: ", user);
	fflush(tty);
	tcgetattr(fileno(tty), &shown);
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(fileno(tty), TCSAFLUSH, &hidden);
	ok = read_line(tty, out);
	tcsetattr(fileno(tty), TCSAFLUSH, &shown);
	fputc('\n', tty);
	fclose(tty);
	return ok;
}

bool
main_password(const char *file, const char *variable, const char *user, char out[MAIN_SECRET_MAX])
{
	const char *value = conf_environment(variable);

	out[0] = '\0';
	if (file != NULL)
		return read_file(file, out);
	if (value == NULL)
		return ask(user, out);
	return snprintf(out, MAIN_SECRET_MAX, "%s", value) < MAIN_SECRET_MAX;
}
