/* Where a subcommand gets a password from: a file, the environment, the person at the terminal. */
#ifndef MAIN_PASSWORD_H
#define MAIN_PASSWORD_H

#include <stdbool.h>

enum { MAIN_SECRET_MAX = 1024 };

/* The first line of the file, or without a file the variable, or without that what is typed. False:
 * there is none; the reason has been printed. */
bool main_password(
	const char *file, const char *variable, const char *user, char out[MAIN_SECRET_MAX]);

#endif
