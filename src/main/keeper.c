/* Knows processes and a socket between them; must not know what the files are for. */
#include "main/keeper.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/str.h"
#include "http/certificate.h"

enum { FILES = 3, ANSWER_S = 10, SOCKET = 3 };

static struct {
	const char *paths[FILES]; /* the configuration's */
	int fd;
} keeper;

/* What comes before the bytes: of the file, or of the reason why there are none. */
struct head {
	uint32_t status, len;
};

static bool
send_all(int fd, const void *data, size_t len)
{
	const char *at = data;
	ssize_t n = 1;

	for (; len > 0 && n > 0; len -= (size_t)n, at += n) {
		n = send(fd, at, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			n = 0;
		if (n < 0)
			return false;
	}
	return len == 0;
}

static bool
take_all(int fd, void *data, size_t len)
{
	char *at = data;
	ssize_t n;

	for (; len > 0; len -= (size_t)n, at += n) {
		n = recv(fd, at, len, 0);
		if (n <= 0)
			return false;
	}
	return true;
}

/* ---- The keeper's side ---- */

static bool
answer(int fd, unsigned which)
{
	struct mf_arena *a = mf_arena_new();
	struct mf_error err = { .text = "" };
	char *text = NULL;
	struct head h = { .status = http_certificate_file(a, keeper.paths[which], &text, &err) };
	const char *say = h.status == MF_OK ? text : err.text;
	bool sent;

	h.len = (uint32_t)strlen(say);
	sent = send_all(fd, &h, sizeof(h)) && send_all(fd, say, h.len);
	if (text != NULL)
		str_wipe(text, strlen(text));
	mf_arena_free(a);
	return sent;
}

/* Nothing of the daemon's is left open in it. Never returns. */
static void
keep(int fd)
{
	uint8_t which;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(fd, SOCKET) != SOCKET || close_range(SOCKET + 1, ~0U, 0) != 0 || chdir("/") != 0)
		_exit(1);
	while (take_all(SOCKET, &which, 1) && which < FILES && answer(SOCKET, which))
		;
	_exit(0);
}

/* ---- Serve's side ---- */

static enum mf_status
fetch(struct mf_arena *a, uint8_t which, char **out, struct mf_error *err)
{
	struct head h;
	char *text;

	if (!send_all(keeper.fd, &which, 1) || !take_all(keeper.fd, &h, sizeof(h)) ||
		h.len > HTTP_PEM_MAX)
		return mf_fail(err, MF_TEMPORARY, "the process that reads keys does not answer");
	text = mf_alloc(a, h.len + 1);
	if (!take_all(keeper.fd, text, h.len))
		return mf_fail(err, MF_TEMPORARY, "the process that reads keys does not answer");
	if (h.status != MF_OK)
		return mf_fail(err, MF_INVALID, "%s", text);
	*out = text;
	return MF_OK;
}

static enum mf_status
read_file(struct mf_arena *a, const char *path, char **out, struct mf_error *err)
{
	for (int i = 0; i < FILES; i++)
		if (strcmp(keeper.paths[i], path) == 0)
			return fetch(a, (uint8_t)i, out, err);
	return http_certificate_file(a, path, out, err);
}

enum mf_status
main_keeper_start(const struct mf_conf *top, struct mf_error *err)
{
	struct timeval wait = { .tv_sec = ANSWER_S };
	int fds[2];
	pid_t pid;

	if (geteuid() != 0 || *mf_conf_string(top, "run_as") == '\0' ||
		mf_conf_list(top, "listen_tls")[0] == NULL)
		return MF_OK;
	keeper.paths[0] = mf_conf_string(top, "tls_certificate");
	keeper.paths[1] = mf_conf_string(top, "tls_key");
	keeper.paths[2] = mf_conf_string(top, "client_certificates");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0 || (pid = fork()) < 0)
		return mf_fail(err, MF_TEMPORARY, "no process to read keys: %s", strerror(errno));
	if (pid == 0)
		keep(fds[1]);
	close(fds[1]);
	keeper.fd = fds[0];
	setsockopt(keeper.fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	http_certificate_reader(read_file);
	return MF_OK;
}
