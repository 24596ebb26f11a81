/* Runs the program in a directory of its own, which is removed at the end. */
#ifndef TESTS_DAEMON_H
#define TESTS_DAEMON_H

#include <stdbool.h>
#include <sys/types.h>

struct daemon {
	char dir[64];
	unsigned port, tls_port; /* written into the configuration as %u, in this order */
	unsigned more[2];	 /* free as well */
	pid_t pid;		 /* of serve, 0: not running */
};

/* Makes the directory and the certificates (tls/server.pem, ...), finds two free ports. */
void daemon_init(struct daemon *d);
/* Kills what runs, removes the directory. */
void daemon_deinit(struct daemon *d);

/* Writes a file of the directory. */
void daemon_write(const struct daemon *d, const char *name, const char *text);
/* m.conf: addresses, state, the memory backend with user u and password secret, and what is added. */
void daemon_configure(const struct daemon *d, const char *more);

/* Starts serve with m.conf, its output in `log`; fd 3 is passed when >= 0 (as systemd does). */
void daemon_start(struct daemon *d, int fd);
/* Waits until the port answers; false when serve ended before. */
bool daemon_ready(struct daemon *d);
/* The exit status of serve within ms; -1: it still runs, -2: a signal ended it. */
int daemon_wait(struct daemon *d, int ms);

/* Runs the program with arguments (split at blanks, %d is the directory); its output, both streams,
 * stands in `out` until the next call. The exit status. */
int daemon_run(const struct daemon *d, const char *arguments, const char **out);

/* A file of the directory, until the next call. */
const char *daemon_read(const struct daemon *d, const char *name);

#endif
