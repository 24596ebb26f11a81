/*
 * Starts, stops and kills the real daemon. Knows the command line of `mailferry serve` and the names of
 * a few settings; nothing else of Mailferry.
 */
#include "gateway.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void
pause_ms(long ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

static int
try_port(uint16_t port, bool listening)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), result;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	result = listening ? connect(fd, (struct sockaddr *)&at, sizeof at)
			   : bind(fd, (struct sockaddr *)&at, sizeof at);
	close(fd);
	return result;
}

/* Below the ports that the kernel hands out by itself: nobody takes it while the daemon is down. */
uint16_t
gateway_free_port(void)
{
	static unsigned last;

	if (last == 0)
		last = (unsigned)getpid() * 31 % 9000;
	for (unsigned n = 0; n < 9000; n++) {
		uint16_t port = (uint16_t)(3000 + (last = (last + 1) % 9000));

		if (try_port(port, false) == 0)
			return port;
	}
	fixture_die("no free port");
}

bool
gateway_listens(uint16_t port)
{
	return try_port(port, true) == 0;
}

/* Unless a case says something else. */
static const struct {
	const char *name, *value;
} usual[] = {
	{ "state_map_size", "64M" }, { "log_level", "debug" },
	{ "command_repeats", "0" }, /* cases repeat themselves faster than a phone */
};

static void
write_configuration(struct gateway *g, struct dovecot *d, const char *more)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof path, "%s/mailferry.conf", g->dir);
	f = fopen(path, "w");
	if (f == NULL)
		fixture_die("%s: %s", path, strerror(errno));
	fprintf(f,
		"listen = {\"127.0.0.1:%u\"}\n"
		"listen_tls = {\"127.0.0.1:%u\"}\n"
		"tls_certificate = \"%s/tls/server.pem\"\n"
		"tls_key = \"%s/tls/server.key\"\n"
		"state_directory = \"%s/state\"\n"
		"spool_directory = \"%s\"\n",
		g->port, g->tls_port, d->dir, d->dir, g->dir, g->dir);
	for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
		if (strstr(more, usual[i].name) == NULL)
			fprintf(f, "%s = %s\n", usual[i].name, usual[i].value);
	if (strstr(more, "url = ") == NULL)
		fprintf(f, "imap {\n\turl = \"%s\"\n\tca_file = \"%s\"\n}\n", dovecot_url(d, true),
			d->ca);
	fputs(more, f);
	if (fclose(f) != 0)
		fixture_die("%s: %s", path, strerror(errno));
}

static void
launch(struct gateway *g)
{
	const char *other = getenv("DAEMON_UNDER_TEST"); /* one of another build: TSan's */
	const char *program = other != NULL ? other : MAILFERRY;
	char path[200];
	int log;

	snprintf(path, sizeof path, "%s/mailferry.conf", g->dir);
	log = open(g->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (log < 0)
		fixture_die("%s: %s", g->log, strerror(errno));
	g->pid = fork();
	if (g->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		unsetenv("MAILFERRY_DOVECOT");
		unsetenv("MAILFERRY_CORPUS");
		setenv("ASAN_OPTIONS", "detect_leaks=1", 1);
		dup2(log, STDOUT_FILENO);
		dup2(log, STDERR_FILENO);
		execl(program, "mailferry", "serve", "--config", path, (char *)NULL);
		_exit(127);
	}
	close(log);
}

static void
await_ready(struct gateway *g)
{
	for (int i = 0; i < 1500; i++) {
		if (try_port(g->port, true) == 0)
			return;
		if (waitpid(g->pid, NULL, WNOHANG) == g->pid)
			fixture_die("the gateway ended at once");
		pause_ms(20);
	}
	fixture_die("the gateway does not listen");
}

/* SIGTERM, and SIGKILL when that did not help within 30 s. */
static int
end_process(struct gateway *g)
{
	int status;

	if (g->pid == 0)
		return 0;
	kill(g->pid, SIGTERM);
	for (int i = 0; i < 3000 && g->pid != 0; i++) {
		if (waitpid(g->pid, &status, WNOHANG) == g->pid) {
			g->pid = 0;
			return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
		}
		pause_ms(10);
	}
	kill(g->pid, SIGKILL);
	waitpid(g->pid, NULL, 0);
	g->pid = 0;
	return -SIGKILL;
}

/* A failed case: its log may tell why. */
static void
abandon(void *thing)
{
	struct gateway *g = thing;
	char command[300];

	if (g->pid > 0)
		fprintf(stderr, "gateway: ended with %d; the end of its log:\n", end_process(g));
	snprintf(command, sizeof command, "tail -n 100 '%s' >&2", g->log);
	if (system(command) != 0)
		fputs("gateway: no log\n", stderr);
	fixture_rmdir(g->dir);
}

void
gateway_start(struct gateway *g, struct dovecot *d, const char *more)
{
	*g = (struct gateway){ .port = gateway_free_port() };
	g->tls_port = gateway_free_port();
	fixture_mkdir(g->dir, sizeof g->dir);
	snprintf(g->log, sizeof g->log, "%s/log", g->dir);
	snprintf(g->url, sizeof g->url, "http://127.0.0.1:%u", g->port);
	snprintf(g->tls_url, sizeof g->tls_url, "https://localhost:%u", g->tls_port);
	write_configuration(g, d, more);
	gateway_again(g);
}

void
gateway_again(struct gateway *g)
{
	launch(g);
	fixture_at_end(abandon, g, sizeof *g);
	await_ready(g);
}

int
gateway_stop(struct gateway *g)
{
	int status = end_process(g);

	fixture_at_end(abandon, g, sizeof *g);
	return status;
}

void
gateway_kill(struct gateway *g)
{
	if (g->pid == 0)
		return;
	kill(g->pid, SIGKILL);
	waitpid(g->pid, NULL, 0);
	g->pid = 0;
	fixture_at_end(abandon, g, sizeof *g);
}

size_t
gateway_log_count(const struct gateway *g, const char *text)
{
	char *log = fixture_read(g->log, NULL);
	size_t n = 0;

	for (const char *p = log; (p = strstr(p, text)) != NULL; p += strlen(text))
		n++;
	free(log);
	return n;
}

void
gateway_end(struct gateway *g)
{
	static const char *const never[] = { "secret-", "Sanitizer", "runtime error" };
	int status = gateway_stop(g);

	for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
		if (gateway_log_count(g, never[i]) > 0)
			fixture_die("\"%s\" in the gateway's log", never[i]);
	if (status != 0)
		fixture_die("the gateway ended with %d", status);
	fixture_ended(g);
	fixture_rmdir(g->dir);
}
