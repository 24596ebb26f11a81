/* Running the program. Knows its command line, nothing of its inside. */
#include "daemon/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/http_client.h"

enum { TEXT_MAX = 256 * 1024, ARGUMENTS_MAX = 30 };

static void
die(const char *what)
{
	fprintf(stderr, "daemon: %s: %s\n", what, strerror(errno));
	abort();
}

static void
shell(const char *command)
{
	if (system(command) != 0)
		die(command);
}

/* Below the kernel's own: nobody else takes it before serve does. */
static unsigned
free_port(void)
{
	static unsigned last;

	for (int i = 0; i < 5000; i++) {
		struct sockaddr_in in = { .sin_family = AF_INET };
		int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0), ok;

		/* processes side by side have numbers side by side: room for each */
		last = last == 0 ? 12000 + (unsigned)getpid() % 1100 * 8 : last + 1;
		in.sin_port = htons((uint16_t)last);
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		ok = bind(fd, (struct sockaddr *)&in, sizeof(in)) == 0;
		close(fd);
		if (ok)
			return last;
	}
	die("no free port");
	return 0;
}

void
daemon_init(struct daemon *d)
{
	char command[300];

	*d = (struct daemon){ .port = free_port() };
	d->tls_port = free_port();
	d->more[0] = free_port();
	d->more[1] = free_port();
	snprintf(d->dir, sizeof(d->dir), "/tmp/mf-daemon-XXXXXX");
	if (mkdtemp(d->dir) == NULL)
		die(d->dir);
	snprintf(command, sizeof(command), "%s %s/tls >/dev/null", CERTS, d->dir);
	shell(command);
	daemon_write(d, "password", "secret\n");
}

void
daemon_deinit(struct daemon *d)
{
	char command[200];

	if (d->pid != 0) {
		kill(d->pid, SIGKILL);
		waitpid(d->pid, NULL, 0);
	}
	snprintf(command, sizeof(command), "rm -rf %s", d->dir);
	shell(command);
}

void
daemon_write(const struct daemon *d, const char *name, const char *text)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", d->dir, name);
	f = fopen(path, "w");
	if (f == NULL)
		die(path);
	fputs(text, f);
	fclose(f);
}

void
daemon_configure(const struct daemon *d, const char *more)
{
	char text[4000];

	snprintf(text, sizeof(text),
		"listen = {\"127.0.0.1:%u\"}\nlisten_tls = {\"127.0.0.1:%u\"}\n"
		"tls_certificate = \"%s/tls/server.pem\"\ntls_key = \"%s/tls/server.key\"\n"
		"state_directory = \"%s/state\"\nstate_map_size = 8M\nbackends = {\"memory\"}\n"
		"memory { users = {\"u:secret\"} }\n%s",
		d->port, d->tls_port, d->dir, d->dir, d->dir, more);
	daemon_write(d, "m.conf", text);
}

static pid_t
spawn(const struct daemon *d, char **argv, const char *log, int fd)
{
	const char *other = getenv("DAEMON_UNDER_TEST"); /* one of another build: TSan's */
	char path[200];
	pid_t pid;
	int out;

	snprintf(path, sizeof(path), "%s/%s", d->dir, log);
	out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (out < 0)
		die(path);
	pid = fork();
	if (pid == 0) {
		char self[20];

		prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
		dup2(out, 1);
		dup2(out, 2);
		if (fd >= 0) {
			dup2(fd, 3);
			snprintf(self, sizeof(self), "%d", (int)getpid());
			setenv("LISTEN_PID", self, 1);
			setenv("LISTEN_FDS", "1", 1);
		}
		execv(other != NULL ? other : MAILFERRY, argv);
		_exit(127);
	}
	close(out);
	return pid;
}

void
daemon_start(struct daemon *d, int fd)
{
	char path[100];
	char name[] = "mailferry", serve[] = "serve", config[] = "--config";
	char *argv[] = { name, serve, config, path, NULL };

	snprintf(path, sizeof(path), "%s/m.conf", d->dir);
	d->pid = spawn(d, argv, "log", fd);
}

bool
daemon_ready(struct daemon *d)
{
	for (int i = 0; i < 1000; i++) {
		int fd = client_connect(d->port);

		if (fd >= 0) {
			close(fd);
			return true;
		}
		if (daemon_wait(d, 10) != -1)
			return false;
	}
	return false;
}

static int
wait_pid(pid_t *pid, int ms)
{
	int status;

	for (int i = 0; i <= ms; i += 5) {
		if (waitpid(*pid, &status, WNOHANG) == *pid) {
			*pid = 0;
			return WIFEXITED(status) ? WEXITSTATUS(status) : -2;
		}
		usleep(5000);
	}
	return -1;
}

int
daemon_wait(struct daemon *d, int ms)
{
	return wait_pid(&d->pid, ms);
}

const char *
daemon_read(const struct daemon *d, const char *name)
{
	static char text[TEXT_MAX];
	char path[200];
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", d->dir, name);
	f = fopen(path, "r");
	if (f != NULL) {
		n = fread(text, 1, sizeof(text) - 1, f);
		fclose(f);
	}
	text[n] = '\0';
	return text;
}

int
daemon_run(const struct daemon *d, const char *arguments, const char **out)
{
	char text[2000], name[] = "mailferry", *argv[ARGUMENTS_MAX] = { name }, *save = NULL;
	size_t n = 0, argc = 1;
	pid_t pid;
	int status;

	for (const char *p = arguments; *p != '\0' && n + sizeof(d->dir) < sizeof(text); p++) {
		if (p[0] == '%' && p[1] == 'd') {
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s", d->dir);
			p++;
		} else {
			text[n++] = *p;
		}
	}
	text[n] = '\0';
	for (char *word = strtok_r(text, " ", &save); word != NULL && argc < ARGUMENTS_MAX - 1;
		word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	pid = spawn(d, argv, "out", -1);
	status = wait_pid(&pid, 20000);
	if (status == -1)
		kill(pid, SIGKILL);
	*out = daemon_read(d, "out");
	return status;
}
